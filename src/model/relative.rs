//! Links that count from a folder: worked off, and taken apart.

/// `folder/path` with `.` and `..` worked off; `None` where it climbs out of the top.
#[must_use]
pub fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A link's path, and its query and fragment as they are written.
#[must_use]
pub fn split_tail(link: &str) -> (&str, &str) {
    link.find(['#', '?']).map_or((link, ""), |at| link.split_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_worked_off_within_the_top() {
        for (folder, path, expected) in [
            ("content/blog", "../a.md", Some("content/a.md")),
            ("content/blog", "./x/", Some("content/blog/x")),
            ("", "a//b", Some("a/b")),
            ("content", "../../a", None),
        ] {
            assert_eq!(resolve(folder, path).as_deref(), expected, "{folder} {path}");
        }
        assert_eq!(split_tail("a.md?x=1#y"), ("a.md", "?x=1#y"));
        assert_eq!(split_tail("a.md"), ("a.md", ""));
    }
}
