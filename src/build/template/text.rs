//! Helpers on text.

use serde_json::Value;

use super::guard::Fault;
use super::links;
use super::lists::bounded;
use super::values::{self, text};
use super::vocabulary::{Args, PureFn};

pub(super) const HELPERS: &[(&str, PureFn)] = &[
    ("starts_with", |a| Ok(Value::Bool(a.text(0)?.starts_with(&*a.text(1)?)))),
    ("ends_with", |a| Ok(Value::Bool(a.text(0)?.ends_with(&*a.text(1)?)))),
    ("upper", |a| Ok(Value::from(a.text(0)?.to_uppercase()))),
    ("lower", |a| Ok(Value::from(a.text(0)?.to_lowercase()))),
    ("capitalize", |a| Ok(Value::from(capitalized(&a.text(0)?)))),
    ("title", |a| {
        let words: Vec<String> = a.text(0)?.split(' ').map(capitalized).collect();
        Ok(Value::from(words.join(" ")))
    }),
    ("trim", |a| Ok(Value::from(a.text(0)?.trim()))),
    ("replace", replace),
    ("truncate", truncate),
    ("strip_html", |a| Ok(Value::from(strip_html(&a.text(0)?)))),
    ("slugify", |a| Ok(Value::from(slug(&a.text(0)?)))),
    ("concat", |a| bounded(a, a.all().map(text).collect())),
    ("urlencode", |a| Ok(Value::from(percent(&a.text(0)?)))),
    ("safe_url", |a| {
        let raw = a.text(0)?;
        Ok(Value::from(if links::is_safe(&raw) { raw.into_owned() } else { "#".into() }))
    }),
    ("plural", plural),
    ("classes", |a| Ok(Value::from(classes(a)))),
];

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn replace(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let (source, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    if from.is_empty() {
        return Ok(Value::from(source));
    }
    let grown = source.matches(&*from).count().saturating_mul(to.len()).saturating_add(source.len());
    if grown > values::MAX_TEXT {
        return Err(args.fault(&format!("makes more than {} bytes", values::MAX_TEXT), "Work on less text."));
    }
    Ok(Value::from(source.replace(&*from, &to)))
}

/// Up to `n` characters, cut at the end of a word where there is one, with an ellipsis.
fn truncate(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let source = args.text(0)?;
    let limit = args.whole(1)?.max(0) as usize;
    let end = match source.char_indices().nth(limit) {
        None => return Ok(Value::from(source)),
        Some((end, _)) => end,
    };
    let kept = &source[..end];
    let at_word =
        if source[end..].starts_with(char::is_whitespace) { Some(end) } else { kept.rfind(char::is_whitespace) };
    let kept = at_word.filter(|at| *at > 0).map_or(kept, |at| &kept[..at]);
    Ok(Value::from(format!("{}…", kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':')))))
}

/// Text without tags. Comments and the content of `script` and `style` go too; entities stay.
fn strip_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        let is_tag = tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !is_tag {
            out.push('<');
            rest = &tag[1..];
            continue;
        }
        let closes = ["script", "style"]
            .into_iter()
            .find(|name| tag.get(1..=name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)));
        let end = match closes {
            Some(name) => find_ignoring_case(tag, &format!("</{name}"))
                .and_then(|close| tag[close..].find('>').map(|e| close + e)),
            None if tag.starts_with("<!--") => tag.find("-->").map(|end| end + 2),
            None => tag.find('>'),
        };
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    out.push_str(rest);
    out
}

fn find_ignoring_case(haystack: &str, needle: &str) -> Option<usize> {
    haystack.as_bytes().windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

/// Lower case, letters and digits of any script, everything else one hyphen.
fn slug(source: &str) -> String {
    let mut out = String::new();
    for c in source.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') && !matches!(c, '\'' | '’') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

fn percent(source: &str) -> String {
    let mut out = String::new();
    for byte in source.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// `plural 2 "page" "pages"` is `2 pages`; `#` in a form stands for the number, so the number can be placed or left out.
fn plural(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let count = match args.at(0)? {
        Value::Array(items) => items.len() as f64,
        _ => args.number(0)?,
    };
    let one = args.text(1)?;
    let form = if (count - 1.0).abs() < f64::EPSILON {
        one.into_owned()
    } else {
        args.maybe(2).map_or_else(|| format!("{one}s"), |many| text(many).into_owned())
    };
    let shown = text(&values::from_number(count)).into_owned();
    Ok(Value::from(if form.contains('#') { form.replace('#', &shown) } else { format!("{shown} {form}") }))
}

/// Class names: only what can stand in a class, separated by single blanks, each once.
fn classes(args: &Args<'_, '_>) -> String {
    let mut names: Vec<String> = Vec::new();
    for value in args.all().filter(|value| !matches!(value, Value::Null | Value::Bool(_))) {
        for word in text(value).split_whitespace() {
            let name = slug_class(word);
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    for (key, value) in args.names() {
        if handlebars::JsonTruthy::is_truthy(value, false) {
            names.push(slug_class(key));
        }
    }
    names.join(" ")
}

fn slug_class(word: &str) -> String {
    word.chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
        .collect::<String>()
        .trim_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{slug, strip_html};

    #[test]
    fn tags_go_and_text_stays() {
        for (html, text) in [
            ("<p>a <b>b</b></p>", "a b"),
            ("1 < 2 <3", "1 < 2 <3"),
            ("a<!-- x > y -->b", "ab"),
            ("a<SCRIPT>x<y</script >b", "ab"),
            ("a<b", "a"),
            ("é<i title=x>ü", "éü"),
        ] {
            assert_eq!(strip_html(html), text, "{html}");
        }
    }

    #[test]
    fn slugs_keep_letters_of_any_script() {
        for (text, expected) in
            [("Hello, World!", "hello-world"), ("Don't", "dont"), ("  Ünï — 日本 ", "ünï-日本"), ("--", "")]
        {
            assert_eq!(slug(text), expected);
        }
    }
}
