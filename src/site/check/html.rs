//! Reads rendered HTML tag by tag: enough to look at what a build wrote, forgiving about all else.

use std::borrow::Cow;

/// One step through a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// `<name attributes>`.
    Open(Tag<'a>),
    /// `</name>`.
    Close(&'a str),
    /// What stands between tags.
    Text(&'a str),
}

/// An opening tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Its name as written.
    pub(super) name: &'a str,
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// Whether it is this element.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of an attribute, empty where it has none.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| decoded(value))
    }

    /// All attributes in order.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                // A stray `=` is passed over.
                rest = after.get(1..)?;
                return Some(("", ""));
            }
            let Some(value) = after.trim_start().strip_prefix('=') else {
                rest = after;
                return Some((name, ""));
            };
            let value = value.trim_start();
            let (value, after) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
                _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
            };
            rest = after;
            Some((name, value))
        })
    }
}

/// Reads a document from the start; comments, doctypes, scripts and styles are passed over.
pub(super) fn events(html: &str) -> impl Iterator<Item = Event<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let Some(after) = rest.strip_prefix('<') else {
                let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
                rest = tail;
                return Some(Event::Text(text));
            };
            if let Some(comment) = after.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, tail)| tail);
                continue;
            }
            if after.starts_with(['!', '?']) {
                rest = after.split_once('>').map_or("", |(_, tail)| tail);
                continue;
            }
            if let Some(close) = after.strip_prefix('/') {
                let (name, tail) = close.split_once('>').unwrap_or((close, ""));
                rest = tail;
                return Some(Event::Close(name.trim()));
            }
            if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
                rest = after;
                return Some(Event::Text("<"));
            }
            let (inner, tail) = tag_end(after);
            rest = tail;
            let (name, attributes) =
                inner.split_at(inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len()));
            if let Some(close) =
                ["</script", "</style", "</textarea"].into_iter().find(|c| c[2..].eq_ignore_ascii_case(name))
            {
                rest = find_ignoring_case(rest, close).map_or("", |at| &rest[at..]);
            }
            return Some(Event::Open(Tag { name, attributes }));
        }
    })
}

/// The inside of a tag up to the `>` that ends it, which one in quotes does not.
fn tag_end(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return (&text[..at], &text[at + 1..]),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    (text, "")
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.match_indices('<').map(|(at, _)| at).find(|at| {
        text.as_bytes().get(*at..at + wanted.len()).is_some_and(|found| found.eq_ignore_ascii_case(wanted.as_bytes()))
    })
}

/// The five entities a value is written with.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    Cow::Owned(plain.replace("&#x27;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_text() {
        let html = "<!doctype html><!-- <a> --><a href='x>y' id=b hidden class=\"c d\">t &amp; u</a ><script>if (a<b) '<i>'</script><br/>";
        let found: Vec<String> = events(html)
            .map(|event| match event {
                Event::Open(tag) => {
                    let pairs: Vec<String> = tag.attributes().map(|(k, v)| format!("{k}={v}")).collect();
                    format!("<{} {}", tag.name, pairs.join(","))
                }
                Event::Close(name) => format!("/{name}"),
                Event::Text(text) => text.to_owned(),
            })
            .collect();
        assert_eq!(found, ["<a href=x>y,id=b,hidden=,class=c d", "t &amp; u", "/a", "<script ", "/script", "<br "]);
    }

    #[test]
    fn broken_html_ends() {
        for html in
            ["<", "<a", "<a href", "<a href=\"", "</", "<!--", "<script>", "<a = = b>", "a<b", "< >", "<a / = 'x"]
        {
            assert!(events(html).count() < 10, "{html}");
            for event in events(html) {
                if let Event::Open(tag) = event {
                    assert!(tag.attributes().count() < 10, "{html}");
                }
            }
        }
    }
}
