//! Shortcodes of Hugo and Zola: kept where the theme has them, mapped where it has the like, else shown as text and reported.

use std::collections::BTreeSet;

use super::body;
use super::draft::Draft;

/// What the build itself knows.
const OWN: [&str; 3] = ["ref", "relref", "highlight"];
/// Other names for a note, and for its kinds.
const NOTES: [&str; 6] = ["notice", "admonition", "alert", "callout", "hint", "note"];
const NOTE_KINDS: [&str; 7] = ["tip", "info", "warning", "caution", "important", "danger", "success"];
/// Wrappers whose content is what counts.
const WRAPPERS: [&str; 4] = ["rawhtml", "raw-html", "html", "unsafe"];

const SHOWN: &str = "shown as text: add the shortcode to the theme, then replace `{{</* x */>}}` by `{{< x >}}`";

/// Opening and closing marks of each form.
const FORMS: [(&str, &str); 4] = [("{{<", ">}}"), ("{{%", "%}}"), ("{{", "}}"), ("{%", "%}")];

/// Whose shortcodes a body has. Those of others are text, and stay it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `{{< x >}}` and `{{% x %}}`.
    Hugo,
    /// `{{ x() }}` and `{% x() %}`.
    Zola,
    /// None, besides calls of what the theme has.
    Plain,
}

/// Rewrites the shortcodes of a body; `first` is its line in the file.
pub(super) fn convert(draft: &mut Draft<'_>, path: &str, body: &str, first: usize, dialect: Dialect) -> String {
    if !body.contains("{{") && !body.contains("{%") {
        return body.to_owned();
    }
    let mut escaped_bodies = Vec::new();
    body::map(
        body,
        &mut |text, line| {
            let mut tags = Tags { draft, path, dialect, escaped_bodies: &mut escaped_bodies };
            tags.rewrite(text, first + line - 1)
        },
        // Both engines run shortcodes inside code, so that examples are written with the escape.
        &mut |code| if dialect == Dialect::Plain { code.to_owned() } else { unescape(code) },
    )
}

fn unescape(code: &str) -> String {
    if !code.contains("/*") {
        return code.to_owned();
    }
    let mut out = code.to_owned();
    for (open, close) in FORMS {
        out = out.replace(&format!("{open}/*"), open).replace(&format!("*/{close}"), close);
    }
    out
}

struct Tags<'d, 'a, 'b> {
    draft: &'d mut Draft<'a>,
    path: &'b str,
    dialect: Dialect,
    /// Zola's bodies that are open: whether the opening tag was escaped.
    escaped_bodies: &'d mut Vec<bool>,
}

impl Tags<'_, '_, '_> {
    fn rewrite(&mut self, text: &str, first: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = text[at..].find('{') {
            let start = at + found;
            out.push_str(&text[at..start]);
            let form = FORMS.iter().find(|(open, _)| text[start..].starts_with(open));
            let Some((open, close)) = form else {
                out.push('{');
                at = start + 1;
                continue;
            };
            let inner = &text[start + open.len()..];
            let Some(length) = tag_end(inner, close) else {
                out.push_str(open);
                at = start + open.len();
                continue;
            };
            let end = start + open.len() + length + close.len();
            let line = first + text[..start].matches('\n').count();
            out.push_str(&self.tag(&text[start..end], &inner[..length], open, close, line));
            at = end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// What stands in the place of one tag.
    fn tag(&mut self, whole: &str, inner: &str, open: &str, close: &str, line: usize) -> String {
        if inner.starts_with("/*") {
            return whole.to_owned();
        }
        let trimmed = inner.trim();
        let closing = trimmed.starts_with('/');
        let plain = trimmed.trim_start_matches('/').trim_start();
        let length = plain.find(|c: char| c.is_whitespace() || c == '(').unwrap_or(plain.len());
        let name = plain[..length].trim_end_matches('/');
        let zola = matches!(open, "{{" | "{%");
        if zola {
            if open == "{%" && name == "end" {
                let escaped = self.escaped_bodies.pop().unwrap_or(false);
                return if escaped { String::new() } else { whole.to_owned() };
            }
            let is_name =
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/' | '-' | ':'));
            if !is_name || !plain[length..].trim_start().starts_with('(') {
                return whole.to_owned();
            }
        }
        let foreign = if zola { self.dialect != Dialect::Zola } else { self.dialect == Dialect::Zola };
        let known = OWN.contains(&name) || self.draft.options.shortcodes.contains(name);
        if foreign || (self.dialect == Dialect::Plain && !known) {
            // Text of the source that would be a call here.
            return format!("{open}/*{}*/{close}", inner.replace("*/", "* /"));
        }
        let mapped = if known { Some(whole.to_owned()) } else { self.mapped(name, plain, open, close, closing) };
        if open == "{%" {
            self.escaped_bodies.push(mapped.is_none());
        }
        mapped.unwrap_or_else(|| {
            if !closing {
                self.draft.lost("shortcode", name, self.path, line, SHOWN);
            }
            format!("{open}/*{}*/{close}", inner.replace("*/", "* /"))
        })
    }

    /// A shortcode the theme has under another name, or plain Markdown.
    fn mapped(&mut self, name: &str, tag: &str, open: &str, close: &str, closing: bool) -> Option<String> {
        let has = |name: &str| self.draft.options.shortcodes.contains(name);
        let zola = matches!(open, "{{" | "{%");
        let slash = if closing { "/" } else { "" };
        let rest = tag[name.len()..].trim();
        if WRAPPERS.contains(&name) {
            return Some(String::new());
        }
        if NOTES.contains(&name) && has("note") {
            let rest = if zola { rest.to_owned() } else { format!(" {rest} ") };
            return Some(format!("{open} {slash}note{rest}{close}").replace("note  ", "note "));
        }
        if NOTE_KINDS.contains(&name) && has("note") && !zola {
            let kind = if closing { String::new() } else { format!("{name} ") };
            return Some(format!("{open} {slash}note {kind}{close}"));
        }
        let given = arguments(rest);
        let first = |key: &str| {
            given.iter().find(|(name, _)| name == key).or_else(|| given.iter().find(|(name, _)| name.is_empty()))
        };
        let link = |text: &str, url: String| Some(format!("[{text}]({url})"));
        match name {
            "tweet" | "x" => {
                let id = given.iter().find(|(name, _)| name == "id").or(given.get(1))?;
                let user = given.iter().find(|(name, _)| name == "user").or(given.first())?;
                link("See the post", format!("https://x.com/{}/status/{}", user.1, id.1))
            }
            "instagram" => link("See the post", format!("https://www.instagram.com/p/{}/", first("id")?.1)),
            "streamable" => link("Watch the video", format!("https://streamable.com/{}", first("id")?.1)),
            _ => None,
        }
    }
}

/// Offset of the closing mark, quoted text skipped.
fn tag_end(inner: &str, close: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    // A tag has an end nearby; a stray mark does not make the rest of the page one.
    for (at, c) in inner.char_indices().take_while(|(at, _)| *at < 16 * 1024) {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if inner[at..].starts_with(close) => return Some(at),
            None if matches!(c, '"' | '`') => quote = Some(c),
            None => {}
        }
    }
    // A quotation mark that nobody closed.
    inner.find(close).filter(|at| *at < 1_024)
}

/// Arguments as (name or empty, value).
fn arguments(rest: &str) -> Vec<(String, String)> {
    let rest = rest.trim().trim_start_matches('(').trim_end_matches([')', '/']).trim();
    let mut found = Vec::new();
    let mut chars = rest.chars().peekable();
    while chars.peek().is_some() {
        let mut word = String::new();
        let mut key = String::new();
        let mut quote = None;
        for c in chars.by_ref() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '`' | '\'') => quote = Some(c),
                (None, '=') if key.is_empty() => key = std::mem::take(&mut word),
                (None, c) if c.is_whitespace() || c == ',' => break,
                (_, c) => word.push(c),
            }
        }
        if !word.is_empty() {
            found.push((key.trim().to_owned(), word));
        }
    }
    found
}

/// Names of shortcodes among paths such as `themes/x/shortcodes/figure.hbs`.
pub fn names<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    paths
        .filter_map(|path| path.split_once("/shortcodes/"))
        .filter_map(|(_, name)| name.strip_suffix(".hbs"))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Options, Source};
    use super::*;

    fn converted(body: &str, dialect: Dialect) -> (String, Vec<String>) {
        let source = Source::default();
        let shortcodes = ["figure", "note", "youtube"].map(str::to_owned).into();
        let options = Options { shortcodes, ..Options::default() };
        let mut draft = Draft::new(&source, Kind::Hugo, &options);
        let text = convert(&mut draft, "a.md", body, 1, dialect);
        let lost = draft.report.list().iter().map(|lost| format!("{} {:?}", lost.name, lost.examples)).collect();
        (text, lost)
    }

    #[test]
    fn what_the_theme_lacks_is_shown_and_named() {
        let (text, lost) =
            converted("{{< figure src=\"a.png\" >}}\n{{< tabs a=\">}}\" >}}x{{< /tabs >}}\n", Dialect::Hugo);
        assert_eq!(text, "{{< figure src=\"a.png\" >}}\n{{</* tabs a=\">}}\" */>}}x{{</* /tabs */>}}\n");
        assert_eq!(lost, ["tabs [\"a.md:2\"]"]);
    }

    #[test]
    fn near_equals_are_mapped() {
        let (text, lost) = converted(
            "{{% notice warning %}}\nx\n{{% /notice %}}{{< tip >}}y{{< /tip >}}{{< x user=\"a\" id=\"1\" >}}",
            Dialect::Hugo,
        );
        assert_eq!(
            text,
            "{{% note warning %}}\nx\n{{% /note %}}{{< note tip >}}y{{< /note >}}[See the post](https://x.com/a/status/1)"
        );
        assert_eq!(lost, Vec::<String>::new());
    }

    #[test]
    fn examples_in_code_lose_their_escape() {
        let (text, lost) =
            converted("`{{</* x */>}}`\n```\n{{%/* y */%}} {{< z >}}\n```\n{{</* shown */>}}\n", Dialect::Hugo);
        assert_eq!(text, "`{{< x >}}`\n```\n{{% y %}} {{< z >}}\n```\n{{</* shown */>}}\n");
        assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn zolas_forms_and_their_ends() {
        let (text, lost) = converted(
            "{{ youtube(id=\"a\") }} {{ odd(x=1) }} {% quote(by=\"b\") %}q{% end %} {{ not a tag }}",
            Dialect::Zola,
        );
        assert_eq!(text, "{{ youtube(id=\"a\") }} {{/* odd(x=1) */}} {%/* quote(by=\"b\") */%}q {{ not a tag }}");
        assert_eq!(lost.len(), 2, "{lost:?}");
    }
}
