//! The files of a new site, as `init` writes them.

use crate::model::ContentPath;

/// Path and bytes of one file.
type Embedded = (&'static str, &'static [u8]);

macro_rules! theme {
    ($path:literal) => {
        (concat!("themes/default/", $path), include_bytes!(concat!("../../themes/default/", $path)) as &[u8])
    };
}

macro_rules! starter {
    ($path:literal) => {
        ($path, include_bytes!(concat!("starter/", $path)) as &[u8])
    };
}

/// Stands for the site's title in the starter files.
const TITLE: &str = "__TITLE__";

const STARTER: &[Embedded] = &[
    starter!("content/_index.md"),
    starter!("content/about.md"),
    starter!("content/blog/_index.md"),
    starter!("content/blog/hello.md"),
    starter!("site.yaml"),
];

/// The shipped theme.
const THEME: &[Embedded] = &[
    theme!("assets/style.css"),
    theme!("layouts/404.hbs"),
    theme!("layouts/home.hbs"),
    theme!("layouts/list.hbs"),
    theme!("layouts/page.hbs"),
    theme!("layouts/taxonomy.hbs"),
    theme!("layouts/term.hbs"),
    theme!("partials/base.hbs"),
    theme!("partials/breadcrumbs.hbs"),
    theme!("partials/extend-head.hbs"),
    theme!("partials/footer.hbs"),
    theme!("partials/header.hbs"),
    theme!("partials/list-header.hbs"),
    theme!("partials/list-item.hbs"),
    theme!("partials/list.hbs"),
    theme!("partials/menu.hbs"),
    theme!("partials/page-header.hbs"),
    theme!("partials/pagination.hbs"),
    theme!("partials/prev-next.hbs"),
    theme!("partials/terms.hbs"),
    theme!("shortcodes/audio.hbs"),
    theme!("shortcodes/button.hbs"),
    theme!("shortcodes/details.hbs"),
    theme!("shortcodes/figure.hbs"),
    theme!("shortcodes/gallery.hbs"),
    theme!("shortcodes/gist.hbs"),
    theme!("shortcodes/note.hbs"),
    theme!("shortcodes/param.hbs"),
    theme!("shortcodes/recent.hbs"),
    theme!("shortcodes/video.hbs"),
    theme!("shortcodes/vimeo.hbs"),
    theme!("shortcodes/youtube.hbs"),
    theme!("theme.yaml"),
];

/// Every file of a new site, in path order.
#[must_use]
pub fn files(title: &str) -> Vec<(ContentPath, Vec<u8>)> {
    // A JSON string is a YAML string in double quotes, whatever the title contains.
    let quoted = serde_json::Value::from(title).to_string();
    let starter = STARTER.iter().map(|(path, bytes)| {
        let text = String::from_utf8_lossy(bytes).replace(TITLE, &quoted);
        (*path, text.into_bytes())
    });
    let theme = THEME.iter().map(|(path, bytes)| (*path, bytes.to_vec()));
    let mut files: Vec<(ContentPath, Vec<u8>)> =
        starter.chain(theme).filter_map(|(path, bytes)| Some((ContentPath::from_disk(path).ok()?, bytes))).collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// The files of the shipped theme alone, in path order.
#[must_use]
pub fn theme() -> Vec<(ContentPath, Vec<u8>)> {
    THEME.iter().filter_map(|(path, bytes)| Some((ContentPath::from_disk(path).ok()?, bytes.to_vec()))).collect()
}

/// `.gitattributes` of a site: git keeps every byte, and hosts fold the output in reviews.
#[must_use]
pub fn gitattributes() -> &'static str {
    "# Every byte is kept: changed line ends would change the etag of a page.\n\
     site.yaml -text\n\
     content/** -text\n\
     data/** -text\n\
     static/** -text\n\
     themes/** -text\n\
     public/** -text linguist-generated\n"
}

/// `.gitignore` of a site: caches, the journal and feedback stay on this machine.
#[must_use]
pub fn gitignore() -> &'static str {
    ".sitewright/var/\n.sitewright/feedback/\n"
}
