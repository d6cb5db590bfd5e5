//! What kramdown adds to Markdown: attribute lists, the table of contents, options.

use super::super::body;
use super::super::draft::Draft;

/// Takes attribute lists out of the text of a body. A heading keeps its id and classes in our form.
pub(super) fn convert(draft: &mut Draft<'_>, path: &str, body: &str, first: usize) -> String {
    if body.contains("markdown=\"") || body.contains("markdown='") {
        let advice = "Markdown inside HTML is read only between blank lines: look at it in the preview";
        draft.lost("kramdown", "markdown=\"1\"", path, first, advice);
    }
    if !body.contains("{:") {
        return body.to_owned();
    }
    body::map(body, &mut |text, line| lists(draft, path, text, first + line - 1), &mut str::to_owned)
}

fn lists(draft: &mut Draft<'_>, path: &str, text: &str, first: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let place = first + number;
        let trimmed = line.trim();
        if trimmed.starts_with("{:") && trimmed.ends_with('}') && trimmed.matches('}').count() == 1 {
            alone(draft, path, trimmed, place, &mut out);
        } else {
            out.push(inline(draft, path, line, place));
        }
    }
    out.concat()
}

/// A list on a line of its own belongs to the block above it.
fn alone(draft: &mut Draft<'_>, path: &str, list: &str, line: usize, out: &mut Vec<String>) {
    let inner = list.trim_start_matches("{:").trim_start_matches(':').trim_end_matches('}').trim();
    if inner == "toc" || inner.starts_with("toc ") {
        // The list item above is only a place for it.
        let item = out.iter().rposition(|line| !line.trim().is_empty());
        if item.is_some_and(|at| out[at].trim_start().starts_with(['*', '-', '+', '1'])) {
            out.truncate(item.unwrap_or_default());
        }
        draft.lost("kramdown", "toc", path, line, "left out: a table of contents is the theme's");
        return;
    }
    let words: Vec<&str> =
        inner.split_whitespace().filter(|word| word.starts_with(['#', '.']) && word.len() > 1).collect();
    let heading = out.last_mut().filter(|line| line.starts_with('#') && !line.trim_end().ends_with('}'));
    match heading {
        Some(heading) if !words.is_empty() => {
            let ending = if heading.ends_with('\n') { "\n" } else { "" };
            *heading = format!("{} {{{}}}{ending}", heading.trim_end(), words.join(" "));
        }
        _ => report(draft, path, list, line),
    }
}

/// A list behind a link, picture or emphasis.
fn inline(draft: &mut Draft<'_>, path: &str, line: &str, number: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("{:") {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find('}');
        let belongs = out.is_empty() || out.ends_with([')', ']', '*', '_', '`', '>', '}']) || after.starts_with("{::");
        match end {
            Some(end) if belongs => {
                report(draft, path, &after[..=end], number);
                rest = &after[end + 1..];
            }
            _ => {
                out.push_str("{:");
                rest = &after[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn report(draft: &mut Draft<'_>, path: &str, list: &str, line: usize) {
    draft.lost(
        "attribute_list",
        list,
        path,
        line,
        "left out: give the element a class by HTML or a shortcode, if it needs one",
    );
}
