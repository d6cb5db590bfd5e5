//! From a URL path to an output file, the way static hosts do it.

use crate::model::Outputs;

/// What a URL path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// This output.
    File(&'a str),
    /// The same address with a final slash.
    AddSlash,
    /// Nothing; the site's own page for that, where it has one.
    Missing(Option<&'a str>),
}

/// Looks a decoded path up; `path` is relative to the output folder, without the leading slash.
pub(super) fn find<'a>(outputs: &'a Outputs, path: &str) -> Found<'a> {
    let key = |path: &str| outputs.get_key_value(path).map(|(key, _)| key.as_str());
    if (path.is_empty() || path.ends_with('/'))
        && let Some(file) = key(&format!("{path}index.html"))
    {
        return Found::File(file);
    }
    if let Some(file) = key(path) {
        return Found::File(file);
    }
    if !path.is_empty() && !path.ends_with('/') {
        if outputs.contains_key(&format!("{path}/index.html")) {
            return Found::AddSlash;
        }
        if let Some(file) = key(&format!("{path}.html")) {
            return Found::File(file);
        }
    }
    Found::Missing(key("404.html"))
}

/// The Markdown twin of an HTML output, where there is one.
pub(super) fn markdown_twin<'a>(outputs: &'a Outputs, file: &str) -> Option<&'a str> {
    let twin = format!("{}.md", file.strip_suffix(".html")?);
    outputs.get_key_value(&twin).map(|(key, _)| key.as_str())
}

/// Whether an `Accept` header asks for Markdown: named outright, and at least as welcome as HTML. Wildcards do not count.
pub(super) fn wants_markdown(accept: &str) -> bool {
    let quality = |wanted: &str| {
        accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                if !parts.next()?.eq_ignore_ascii_case(wanted) {
                    return None;
                }
                let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
                q.map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())
            })
            .fold(None, |best: Option<f32>, q| Some(best.map_or(q, |best| best.max(q))))
    };
    quality("text/markdown").is_some_and(|markdown| markdown > 0.0 && markdown >= quality("text/html").unwrap_or(0.0))
}

/// Decodes `%41` and the like; `None` where the result is not UTF-8.
pub(super) fn percent_decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = pair {
            bytes.push(high * 16 + low);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Output, OutputData};

    fn outputs(paths: &[&str]) -> Outputs {
        let output = Output { data: OutputData::Bytes(Arc::from(*b"x")), source: None };
        paths.iter().map(|path| ((*path).to_owned(), output.clone())).collect()
    }

    #[test]
    fn paths_are_found_as_static_hosts_find_them() {
        let all = outputs(&["index.html", "blog/index.html", "about.html", "a.css", "404.html", "näh/index.html"]);
        for (path, expected) in [
            ("", Found::File("index.html")),
            ("blog/", Found::File("blog/index.html")),
            ("blog", Found::AddSlash),
            ("about", Found::File("about.html")),
            ("about.html", Found::File("about.html")),
            ("a.css", Found::File("a.css")),
            ("näh/", Found::File("näh/index.html")),
            ("a.css/", Found::Missing(Some("404.html"))),
            ("nope", Found::Missing(Some("404.html"))),
            ("../index.html", Found::Missing(Some("404.html"))),
            ("blog/../index.html", Found::Missing(Some("404.html"))),
            ("/etc/passwd", Found::Missing(Some("404.html"))),
        ] {
            assert_eq!(find(&all, path), expected, "{path}");
        }
        assert_eq!(find(&outputs(&[]), ""), Found::Missing(None));
    }

    #[test]
    fn markdown_is_for_those_who_ask_for_it() {
        for (accept, expected) in [
            ("text/markdown", true),
            ("text/markdown, text/html;q=0.9, */*;q=0.8", true),
            ("text/markdown, text/html", true),
            ("text/html, text/markdown;q=0.9", false),
            ("text/html", false),
            ("*/*", false),
            ("text/*", false),
            ("text/markdown;q=0", false),
            ("text/markdown;q=nonsense", false),
            ("", false),
        ] {
            assert_eq!(wants_markdown(accept), expected, "{accept}");
        }
    }

    #[test]
    fn percent_encoding_is_undone_once() {
        for (encoded, expected) in [
            ("a%20b", Some("a b")),
            ("n%C3%A4h", Some("näh")),
            ("%252e", Some("%2e")),
            ("%", Some("%")),
            ("%4", Some("%4")),
            ("%zz", Some("%zz")),
            ("%+1", Some("%+1")),
            ("%ff", None),
        ] {
            assert_eq!(percent_decode(encoded).as_deref(), expected, "{encoded}");
        }
    }
}
