//! The Markdown twin of a page: `index.md` beside its `index.html`, for readers that are programs.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::super::edition::Edition;
use super::head;

/// Bytes that stand before most bodies at most.
const HEAD: usize = 512;

/// Title, description and address, then the body as written with shortcode tags left out.
#[must_use]
pub(crate) fn text(edition: &Edition<'_>, index: usize) -> String {
    let page = &edition.library.pages[index];
    let body = edition.body(index);
    let mut out = String::with_capacity(body.len() + HEAD);
    let _ = writeln!(out, "---\ntitle: {}", quoted(&page.title));
    let description = head::description(edition, Some(page));
    if !description.is_empty() {
        let _ = writeln!(out, "description: {}", quoted(&description));
    }
    let _ = writeln!(out, "url: {}\n---\n", quoted(&edition.base.absolute(&page.url)));
    let has_calls = edition.sources[index].as_ref().is_some_and(|source| source.calls);
    let mut body = Cow::Borrowed(body);
    if body.contains('\r') {
        body = body.replace("\r\n", "\n").into();
    }
    if has_calls {
        body = without_tags(&body).into();
    }
    out.push_str(body.trim());
    out.push('\n');
    out
}

/// A JSON string is a YAML string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Takes `{{< … >}}` and `{{% … %}}` out of everything but code; what stands between two tags stays.
fn without_tags(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut fence: Option<(char, usize)> = None;
    for line in body.split_inclusive('\n') {
        let start = line.trim_start();
        let mark = start.chars().next().filter(|c| matches!(c, '`' | '~'));
        let run = mark.map_or(0, |mark| start.chars().take_while(|c| *c == mark).count());
        match (fence, mark) {
            (None, Some(mark)) if run >= 3 => fence = Some((mark, run)),
            (Some((open, length)), Some(mark)) if mark == open && run >= length => fence = None,
            _ => {}
        }
        if fence.is_some() || !line.contains("{{") {
            out.push_str(line);
            continue;
        }
        let stripped = strip_line(line);
        if !stripped.trim().is_empty() {
            out.push_str(&stripped);
        }
    }
    out
}

fn strip_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("{{") {
        let tag = &rest[at + 2..];
        let close = match tag.chars().next() {
            Some('<') if !tag.starts_with("</*") => ">}}",
            Some('%') if !tag.starts_with("%/*") => "%}}",
            _ => "",
        };
        let end = if close.is_empty() { None } else { tag.find(close) };
        // An odd number of backticks before it: inside a code span.
        let code = rest[..at].matches('`').count() % 2 == 1;
        if let Some(end) = end.filter(|_| !code) {
            out.push_str(&rest[..at]);
            rest = &tag[end + close.len()..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = tag;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_code_stays() {
        let body = "a {{< x k=\"v\" >}}b{{< /x >}} c\n{{% note %}}\ninner\n{{% /note %}}\n```\n{{< y >}}\n```\n`{{< z >}}`\n{{</* w */>}}\n";
        assert_eq!(without_tags(body), "a b c\ninner\n```\n{{< y >}}\n```\n`{{< z >}}`\n{{</* w */>}}\n");
    }
}
