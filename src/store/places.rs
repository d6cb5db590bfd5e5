//! Which files of a folder are part of a site, and which of them are read into memory.

/// The folders of a site's sources.
pub(crate) const FOLDERS: [&str; 4] = ["content", "data", "static", "themes"];

/// The configuration's path.
pub(crate) const CONFIG: &str = "site.yaml";

/// How our own temporary files begin; left-over ones are removed on the next write.
pub(crate) const TEMPORARY: &str = ".sitewright-tmp-";

/// Whether a site-relative path is part of the site: `site.yaml` or below one of the four folders, and no name that
/// editors, systems or git keep for themselves. Hidden files count only below `static/` (`.well-known/`).
pub(crate) fn in_site(path: &str) -> bool {
    let Some((folder, rest)) = path.split_once('/') else { return path == CONFIG };
    FOLDERS.contains(&folder)
        && !rest.is_empty()
        && !path.contains(['\\', '\0'])
        && rest.split('/').all(|name| is_kept(folder, name))
}

/// Whether a folder can hold files of the site (for walking and comparing).
pub(crate) fn may_hold(path: &str) -> bool {
    match path.split_once('/') {
        None => FOLDERS.contains(&path),
        Some((folder, rest)) => FOLDERS.contains(&folder) && rest.split('/').all(|name| is_kept(folder, name)),
    }
}

fn is_kept(folder: &str, name: &str) -> bool {
    let hidden = name.starts_with('.');
    !is_passing(name)
        && !matches!(name, "" | "." | ".." | ".DS_Store" | "Thumbs.db" | "desktop.ini")
        && !name.to_ascii_lowercase().starts_with(".git")
        && (!hidden || folder == "static")
}

/// Names that editors and we use while writing.
fn is_passing(name: &str) -> bool {
    name.ends_with('~')
        || name == "4913"
        || name.starts_with(TEMPORARY)
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || is_swap(name)
}

fn is_swap(name: &str) -> bool {
    let Some((stem, ext)) = name.rsplit_once('.') else { return false };
    stem.starts_with('.') && (ext == "kate-swp" || (ext.len() == 3 && ext.starts_with("sw")))
}

/// The file an editor is working on, told from the name of its swap or lock file.
pub(crate) fn edited(name: &str) -> Option<&str> {
    if let Some(name) = name.strip_prefix(".#") {
        return Some(name);
    }
    if let Some(name) = name.strip_prefix('#').and_then(|n| n.strip_suffix('#')) {
        return Some(name);
    }
    if is_swap(name) {
        return name.strip_prefix('.').and_then(|n| n.rsplit_once('.')).map(|(name, _)| name);
    }
    name.strip_suffix('~')
}

/// Whether the build needs the file's text: pages, templates, data and settings. Everything else is only copied.
pub(crate) fn is_text(path: &str) -> bool {
    let Some((folder, _)) = path.split_once('/') else { return true };
    let ext = path.rsplit_once('.').map_or(String::new(), |(_, ext)| ext.to_ascii_lowercase());
    let ext = ext.as_str();
    match folder {
        "content" => matches!(ext, "md" | "markdown" | "yaml" | "yml" | "json" | "toml" | "csv"),
        "data" => matches!(ext, "yaml" | "yml" | "json" | "toml" | "csv" | "md" | "txt"),
        "themes" => matches!(
            ext,
            "hbs" | "html" | "htm" | "yaml" | "yml" | "json" | "toml" | "css" | "js" | "svg" | "xml" | "txt" | "md"
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sites_own_files_belong() {
        for path in ["site.yaml", "content/a.md", "static/.well-known/security.txt", "themes/x/layouts/page.hbs"] {
            assert!(in_site(path), "{path}");
        }
        for path in [
            "README.md",
            "public/index.html",
            "content",
            "content/",
            "content/.hidden.md",
            "content/a.md~",
            "content/.a.md.swp",
            "content/.#a.md",
            "content/#a.md#",
            "static/.git/config",
            "static/.gitignore",
            "content/.sitewright-tmp-1",
            "content/4913",
            "static/.DS_Store",
            ".sitewright/briefs/1.md",
        ] {
            assert!(!in_site(path), "{path}");
        }
    }

    #[test]
    fn editor_files_name_what_they_stand_for() {
        assert_eq!(edited(".a.md.swp"), Some("a.md"));
        assert_eq!(edited(".#a.md"), Some("a.md"));
        assert_eq!(edited("#a.md#"), Some("a.md"));
        assert_eq!(edited("a.md~"), Some("a.md"));
        assert_eq!(edited("a.md"), None);
    }

    #[test]
    fn only_what_the_build_reads_is_text() {
        assert!(is_text("site.yaml") && is_text("content/a.md") && is_text("themes/t/a.css") && is_text("data/x.json"));
        assert!(!is_text("content/a.png") && !is_text("static/a.css") && !is_text("themes/t/a.woff2"));
    }
}
