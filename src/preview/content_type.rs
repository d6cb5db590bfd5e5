//! The `Content-Type` of what is served.

use crate::model::media_type;

/// The `Content-Type` of an output path; unknown ones are downloads, never sniffed.
pub(super) fn of(path: &str) -> String {
    match media_type::of(path) {
        Some(kind) if kind.starts_with("text/") || kind.ends_with("xml") && kind != "image/svg+xml" => {
            format!("{kind}; charset=utf-8")
        }
        Some(kind) => kind.to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn extensions_decide_in_any_case() {
        for (path, expected) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("A.JPG", "image/jpeg"),
            ("a.b/c", "application/octet-stream"),
            ("_headers", "text/plain; charset=utf-8"),
            ("blog/index.md", "text/markdown; charset=utf-8"),
            ("atom.xml", "application/xml; charset=utf-8"),
            ("a.svg", "image/svg+xml"),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }
}
