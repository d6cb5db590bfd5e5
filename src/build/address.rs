//! Where things live: content path to URL path, permalink patterns, slugs, URL path to output file and href.

use super::escape;

/// A file name without extension, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stem<'a> {
    /// What is left without a leading `2026-11-23-`.
    pub(crate) name: &'a str,
    /// That date, `2026-11-23`.
    pub(crate) date: Option<&'a str>,
}

impl<'a> Stem<'a> {
    /// Takes a Jekyll date off the front, where there is one and something follows it.
    #[must_use]
    pub(crate) fn of(stem: &'a str) -> Self {
        let dated = stem.as_bytes().get(..11).is_some_and(|head| {
            head.iter().enumerate().all(|(i, b)| match i {
                4 | 7 => *b == b'-',
                10 => matches!(b, b'-' | b'_'),
                _ => b.is_ascii_digit(),
            })
        });
        match (dated, stem.get(..10), stem.get(11..)) {
            (true, Some(date), Some(name)) if !name.is_empty() => Self { name, date: Some(date) },
            _ => Self { name: stem, date: None },
        }
    }
}

/// One path segment as it stands in a URL: lower case, blanks and URL syntax to `-`; letters of any script and emoji stay.
#[must_use]
pub(crate) fn segment(text: &str) -> String {
    fold(text, |c| match c {
        '/' | '\\' | '?' | '#' | '%' | ':' | '*' | '"' | '<' | '>' | '|' | '&' | '\'' | '`' | '^' | '{' | '}' | '['
        | ']' => false,
        _ => !c.is_whitespace() && !c.is_control(),
    })
}

/// A slug for a title or a term: as [`segment`], but all ASCII punctuation but `-`, `_` and inner `.` becomes `-`.
#[must_use]
pub(crate) fn slugify(text: &str) -> String {
    let slug = fold(text, |c| match c {
        '-' | '_' | '.' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        _ => !c.is_whitespace() && !c.is_control() && !is_punctuation(c),
    });
    slug.trim_matches('.').to_owned()
}

/// The slug of a term: as [`segment`], so that `C++` and `C` stay apart; `C#` becomes `csharp`.
#[must_use]
pub(crate) fn term_slug(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.trim().chars() {
        if c == '#' && text.ends_with(char::is_alphanumeric) { text.push_str("sharp") } else { text.push(c) }
    }
    segment(&text)
}

fn is_punctuation(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{ab}' | '\u{bb}' | '\u{a1}' | '\u{bf}' | '\u{3001}' | '\u{3002}')
}

fn fold(text: &str, keep: impl Fn(char) -> bool) -> String {
    if text.is_ascii() {
        return folded(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())), text.len(), keep);
    }
    folded(text.chars().flat_map(char::to_lowercase), text.len(), keep)
}

fn folded(lower: impl Iterator<Item = char>, length: usize, keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(length);
    for c in lower {
        if keep(c) {
            if c == '-' && out.ends_with('-') {
                continue;
            }
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    // A name must neither be empty nor climb.
    let trimmed = out.trim_matches('-');
    if trimmed.is_empty() || trimmed.chars().all(|c| c == '.') { "-".into() } else { trimmed.to_owned() }
}

/// The segments of a content folder (`content/_posts/2026` to `posts`, `2026`); `content` itself has none.
#[must_use]
pub(crate) fn folder_segments(folder: &str) -> Vec<String> {
    folder
        .split('/')
        .skip(1)
        .map(|name| {
            // Hosts hide folders that begin with an underscore; Jekyll's `_posts` means `posts`.
            let visible = name.trim_start_matches('_');
            segment(if visible.is_empty() { name } else { visible })
        })
        .collect()
}

/// Joins segments to a URL path with slashes at both ends.
#[must_use]
pub(crate) fn join(segments: &[String]) -> String {
    let mut url = String::from("/");
    for segment in segments {
        url.push_str(segment);
        url.push('/');
    }
    url
}

/// What a permalink pattern can name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts<'a> {
    /// Publication date.
    pub(crate) date: Option<&'a jiff::Zoned>,
    /// `slug`, else the file name.
    pub(crate) slug: &'a str,
    /// Slug of the title.
    pub(crate) title: &'a str,
    /// File name without extension and date.
    pub(crate) filename: &'a str,
    /// Folder segments.
    pub(crate) folders: &'a [String],
}

/// Expands a permalink pattern such as `/:year/:month/:slug/`. `Err` names a token that is unknown or has no value.
///
/// # Errors
/// The token, as written.
pub(crate) fn expand(pattern: &str, parts: &Parts<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let token = &after[..end];
        out.push_str(&token_value(token, parts).ok_or_else(|| format!(":{token}"))?);
        rest = &after[end..];
    }
    out.push_str(rest);
    Ok(out)
}

fn token_value(token: &str, parts: &Parts<'_>) -> Option<String> {
    let date = |format: &str| parts.date.map(|date| date.strftime(format).to_string());
    match token {
        "year" => date("%Y"),
        "month" => date("%m"),
        "day" => date("%d"),
        "slug" => Some(parts.slug.to_owned()),
        "title" | "slugorfilename" if !parts.title.is_empty() => Some(parts.title.to_owned()),
        "title" => Some(parts.slug.to_owned()),
        "filename" | "contentbasename" | "name" => Some(parts.filename.to_owned()),
        "section" => Some(parts.folders.first().cloned().unwrap_or_default()),
        "sections" | "categories" => Some(parts.folders.join("/")),
        _ => None,
    }
}

/// Makes a URL path of what somebody wrote: leading slash, no empty, `.` or `..` segment, a final slash unless the last
/// segment names a file (`feed.xml`). `None` where it is an absolute URL or holds a query or fragment.
#[must_use]
pub(crate) fn clean(raw: &str) -> Option<String> {
    if is_clean_folder(raw) {
        return Some(raw.to_owned());
    }
    let decoded = escape::percent_decode(raw.trim());
    if decoded.contains("://") || decoded.contains(['?', '#', '\\', '\0']) || decoded.chars().any(char::is_control) {
        return None;
    }
    let segments: Vec<&str> = decoded.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    if segments.contains(&"..") {
        return None;
    }
    let file = !decoded.ends_with('/') && segments.last().is_some_and(|last| names_file(last));
    let mut url = format!("/{}", segments.join("/"));
    if !file && !url.ends_with('/') {
        url.push('/');
    }
    Some(match url.strip_suffix("/index.html") {
        Some(folder) => format!("{folder}/"),
        None => url,
    })
}

/// Whether a path is surely what [`clean`] makes of it, as most are.
pub(super) fn is_clean_folder(raw: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    raw.starts_with('/') && raw.ends_with('/') && raw.bytes().all(plain) && !raw.contains("//")
}

/// Only endings that hosts serve as files count: `v1.2` is a page's name.
fn names_file(segment: &str) -> bool {
    segment.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (2..=5).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
            && extension.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// The output file of a URL path: `/a/` is `a/index.html`, `/a.html` is itself.
#[must_use]
pub fn output_path(url: &str) -> String {
    let path = url.trim_start_matches('/');
    if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() }
}

/// The output file of a redirect's page: hosts send a page that is called `old.php` or `lang.merge` as something to download,
/// so only `.html` and `.htm` are file names here.
#[must_use]
pub(crate) fn stub_path(url: &str) -> String {
    let path = output_path(url);
    if path.ends_with(".html") || path.ends_with(".htm") { path } else { format!("{path}/index.html") }
}

/// The folder of a URL path, with its final slash: where the assets of a bundle go.
#[must_use]
pub(crate) fn folder_of(url: &str) -> &str {
    url.rfind('/').map_or("/", |at| &url[..=at])
}

/// The Markdown twin of a page: `/a/` has `/a/index.md`, `/a.html` has `/a.md`.
#[must_use]
pub(crate) fn twin(url: &str) -> String {
    if url.ends_with('/') {
        return format!("{url}index.md");
    }
    let stem = url.strip_suffix(".html").or_else(|| url.strip_suffix(".htm")).unwrap_or(url);
    format!("{stem}.md")
}

/// The address a site is published at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Absolute, ends with `/`.
    url: String,
    /// Its path, `/` or `/project/`.
    path: String,
}

impl Base {
    /// From a base URL, with or without a final slash.
    #[must_use]
    pub(crate) fn new(base_url: &str) -> Self {
        let mut url = base_url.to_owned();
        if !url.ends_with('/') {
            url.push('/');
        }
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
            None => "/".into(),
        };
        Self { url, path }
    }

    /// Absolute, ends with `/`.
    #[must_use]
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// `/` or `/project/`.
    #[must_use]
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What stands in an `href`: base path and the URL path, percent-encoded.
    #[must_use]
    pub(crate) fn href(&self, url: &str) -> String {
        [&self.path, &*escape::url_path(below_root(url))].concat()
    }

    /// The absolute address of a URL path, percent-encoded.
    #[must_use]
    pub(crate) fn absolute(&self, url: &str) -> String {
        [&self.url, &*escape::url_path(below_root(url))].concat()
    }

    /// The absolute address of an `href` of this site made by [`Base::href`]; other hosts stay as they are.
    #[must_use]
    pub(crate) fn absolute_href(&self, href: &str) -> String {
        match href.strip_prefix(self.path.as_str()) {
            Some(rest) if !href.starts_with("//") => format!("{}{rest}", self.url),
            _ => href.to_owned(),
        }
    }
}

/// A URL path without its leading slashes.
fn below_root(url: &str) -> &str {
    let slashes = url.bytes().take_while(|byte| *byte == b'/').count();
    &url[slashes..]
}

/// `my-first_page` to `My first page`.
#[must_use]
pub(crate) fn humanise(stem: &str) -> String {
    let text = stem.replace(['-', '_'], " ");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => stem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_keep_letters_and_emoji() {
        for (text, expected) in [
            ("Hello World", "hello-world"),
            ("\u{c4}pfel & Birnen", "\u{e4}pfel-birnen"),
            ("\u{1f600} party", "\u{1f600}-party"),
            ("v1.2", "v1.2"),
            ("a/../b", "a-..-b"),
            ("..", "-"),
            ("???", "-"),
        ] {
            assert_eq!(segment(text), expected, "{text}");
        }
        assert_eq!(
            (term_slug("C++"), term_slug("C#"), term_slug("#rust")),
            ("c++".into(), "csharp".into(), "rust".into())
        );
        assert_eq!(slugify("C++ & Rust: what's new?"), "c-rust-what-s-new");
        assert_eq!(slugify("\u{65e5}\u{672c}\u{8a9e}\u{3002}"), "\u{65e5}\u{672c}\u{8a9e}");
    }

    #[test]
    fn jekyll_dates_come_off_names() {
        assert_eq!(Stem::of("2026-11-23-hello"), Stem { name: "hello", date: Some("2026-11-23") });
        assert_eq!(Stem::of("2026-11-23"), Stem { name: "2026-11-23", date: None });
        assert_eq!(Stem::of("2026-11-23-"), Stem { name: "2026-11-23-", date: None });
        assert_eq!(
            Stem::of("h\u{e9}llo-\u{1f600}\u{1f600}"),
            Stem { name: "h\u{e9}llo-\u{1f600}\u{1f600}", date: None }
        );
    }

    #[test]
    fn urls_are_cleaned_or_refused() {
        for (raw, expected) in [
            ("about", Some("/about/")),
            ("/a//b/./c", Some("/a/b/c/")),
            ("/feed.xml", Some("/feed.xml")),
            ("/v1.2", Some("/v1.2/")),
            ("/a/index.html", Some("/a/")),
            ("/index.html", Some("/")),
            ("/gr%C3%BC%C3%9Fe", Some("/gr\u{fc}\u{df}e/")),
            ("", Some("/")),
            ("https://x.y/", None),
            ("/a/../b", None),
            ("/a?b", None),
        ] {
            assert_eq!(clean(raw).as_deref(), expected, "{raw}");
        }
    }

    #[test]
    fn patterns_expand_or_name_the_token() {
        let date = jiff::civil::date(2026, 3, 9).to_zoned(jiff::tz::TimeZone::UTC).ok();
        let folders = vec!["blog".to_owned(), "rust".to_owned()];
        let parts = Parts { date: date.as_ref(), slug: "s", title: "t", filename: "f", folders: &folders };
        assert_eq!(expand("/:year/:month/:day/:slug/", &parts).as_deref(), Ok("/2026/03/09/s/"));
        assert_eq!(
            expand("/:section/:sections/:title-:filename.html", &parts).as_deref(),
            Ok("/blog/blog/rust/t-f.html")
        );
        assert_eq!(expand("/:nope/", &parts), Err(":nope".into()));
        assert_eq!(expand("/:year/", &Parts { date: None, ..parts }), Err(":year".into()));
    }

    #[test]
    fn base_paths_reach_every_href() {
        let base = Base::new("https://x.org/project");
        assert_eq!(base.path(), "/project/");
        assert_eq!(base.href("/a b/"), "/project/a%20b/");
        assert_eq!(base.absolute("/a/"), "https://x.org/project/a/");
        assert_eq!(base.absolute_href("/project/a/"), "https://x.org/project/a/");
        assert_eq!(base.absolute_href("https://y.org/"), "https://y.org/");
        assert_eq!(Base::new("https://x.org").absolute_href("//cdn/x"), "//cdn/x");
    }

    #[test]
    fn files_and_twins() {
        assert_eq!(output_path("/"), "index.html");
        assert_eq!(output_path("/a/"), "a/index.html");
        assert_eq!(output_path("/a.html"), "a.html");
        assert_eq!(stub_path("/a.html"), "a.html");
        assert_eq!(stub_path("/a/"), "a/index.html");
        assert_eq!(stub_path("/lang.merge"), "lang.merge/index.html");
        assert_eq!(twin("/"), "/index.md");
        assert_eq!(twin("/a.html"), "/a.md");
        assert_eq!(folder_of("/a/b.html"), "/a/");
        assert_eq!(humanise("my-first_page"), "My first page");
    }
}
