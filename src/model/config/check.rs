//! Values of `site.yaml` with a form of their own: addresses, folder names, permalink patterns.

use crate::model::content_path::rules;

/// Tokens of a permalink pattern.
pub(super) const TOKENS: [&str; 8] =
    [":year", ":month", ":day", ":slug", ":title", ":section", ":sections", ":filename"];

/// An `http` or `https` address with a final slash.
pub(super) fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    let expected = "expected an address such as `https://example.org/`";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| format!("{expected}, found `{text}`"))?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(format!("{expected}, found no host in `{text}`"));
    }
    if host.contains('@') {
        return Err("an address with a user name would publish it".into());
    }
    if rest.contains(['?', '#']) {
        return Err(format!("{expected}, without `?` and `#`"));
    }
    if rest.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\' | '`')) {
        return Err(format!("{expected}, found a character that no address has"));
    }
    Ok(if text.ends_with('/') { text.to_owned() } else { format!("{text}/") })
}

/// Names that hosts give; nobody registers them as a domain of their own.
const LENT: [&str; 8] = [
    ".github.io",
    ".gitlab.io",
    ".pages.dev",
    ".netlify.app",
    ".codeberg.page",
    ".vercel.app",
    ".localhost",
    ".invalid",
];

/// An address on a domain of one's own: a registered name, at its root.
pub(super) fn own_domain(base_url: &str) -> Result<(), String> {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let lower = host.to_ascii_lowercase();
    let is_name = lower.contains('.')
        && lower.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-') && !part.starts_with('-')
        })
        && !lower.chars().all(|c| c.is_ascii_digit() || c == '.');
    if !is_name {
        return Err(format!("`base_url` names no domain: `{host}`"));
    }
    if LENT.iter().any(|lent| lower.ends_with(lent)) {
        return Err(format!("`{host}` is a name the host gives, no domain of your own"));
    }
    if !path.is_empty() {
        return Err(format!("a site on a domain of its own has no path, `base_url` has `/{path}`"));
    }
    Ok(())
}

/// A language tag.
pub(super) fn language(tag: &str) -> Result<(), String> {
    let plain = !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain { Ok(()) } else { Err(format!("expected a language tag such as `en` or `de-CH`, found `{tag}`")) }
}

/// The name of one folder, as for a theme or the output.
pub(super) fn folder_name(name: &str) -> Result<(), String> {
    if name.contains('/') {
        return Err(format!("expected a plain folder name, found `{name}`"));
    }
    rules::component(name).map_err(|problem| format!("`{name}` is no folder name: {problem}"))
}

/// A section's folder without `content/`; `content` itself is the empty name.
pub(super) fn section(name: &str) -> Result<String, String> {
    let below = name.trim_matches('/');
    let below = below.strip_prefix("content").filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(below);
    let below = below.trim_matches('/');
    for part in below.split('/').filter(|_| !below.is_empty()) {
        rules::component(part).map_err(|problem| format!("`{name}` is no content folder: {problem}"))?;
    }
    Ok(below.to_owned())
}

/// `name` or `name@id`.
pub(super) fn theme(name: &str) -> Result<(), String> {
    folder_name(name)?;
    match name.split_once('@') {
        Some((base, pin)) if base.is_empty() || pin.is_empty() || pin.contains('@') => {
            Err(format!("expected `name` or `name@id`, found `{name}`"))
        }
        _ => Ok(()),
    }
}

/// The output folder: none of the site's own.
pub(super) fn output(name: &str) -> Result<(), String> {
    folder_name(name)?;
    if ["content", "static", "data", "themes"].iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(format!("`{name}/` holds sources, choose another folder such as `public`"));
    }
    Ok(())
}

/// A remote or branch name that git cannot take for an option or a path.
pub(super) fn git_name(name: &str) -> Result<(), String> {
    let bad = name.is_empty()
        || name.starts_with(['-', '/', '.'])
        || name.ends_with(['/', '.'])
        || name.contains("..")
        || name.contains("@{")
        || name.chars().any(|c| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c))
        || std::path::Path::new(name).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("lock"));
    if bad { Err(format!("`{name}` is no name git accepts")) } else { Ok(()) }
}

/// A permalink pattern with slashes at both ends, or without the last one where pages are files (`/:year/:slug.html`).
pub(super) fn permalink(pattern: &str) -> Result<String, String> {
    let pattern = pattern.trim().trim_matches('/');
    let mut unique = false;
    for segment in pattern.split('/') {
        let plain = segment.split(':').next().unwrap_or_default();
        if segment.is_empty() || matches!(segment, "." | "..") {
            return Err("a pattern has no empty, `.` or `..` part".into());
        }
        for token in segment.split(':').skip(1) {
            let name: String = token.chars().take_while(char::is_ascii_alphabetic).collect();
            if !TOKENS.iter().any(|known| known[1..] == name) {
                return Err(format!("unknown token `:{name}`, expected one of {}", TOKENS.join(" ")));
            }
            unique |= matches!(name.as_str(), "slug" | "title" | "filename");
        }
        if plain.chars().chain(segment.chars()).any(|c| c.is_whitespace() || c.is_control() || "?#\\<>\"%".contains(c))
        {
            return Err(format!("`{segment}` has a character that does not belong in an address"));
        }
    }
    if unique {
        let file = std::path::Path::new(pattern).extension().is_some_and(|ext| ext.eq_ignore_ascii_case("html"));
        Ok(if file { format!("/{pattern}") } else { format!("/{pattern}/") })
    } else {
        Err("without :slug, :title or :filename all pages would share one address".into())
    }
}

/// An old address on this site: `/old/path/`.
pub(super) fn url_path(path: &str) -> Result<(), String> {
    let bad = !path.starts_with('/')
        || path.starts_with("//")
        || path.split('/').any(|part| matches!(part, "." | ".."))
        || path.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '<' | '>' | '"'));
    if bad { Err(format!("expected an address on this site such as `/old/`, found `{path}`")) } else { Ok(()) }
}

/// A redirect's target: an address on this site or an `http(s)` one.
pub(super) fn target(url: &str) -> Result<(), String> {
    if url.starts_with('/') {
        return url_path(url);
    }
    let plain = !url.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '<' | '>' | '"'));
    if plain && (url.starts_with("https://") || url.starts_with("http://")) {
        return Ok(());
    }
    Err(format!("expected `/new/` or an https address, found `{url}`"))
}
