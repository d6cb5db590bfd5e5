//! Liquid in pages: what has an equal is rewritten, what can be worked out is, and the rest is reported and left as text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::draft::Draft;
use super::super::front::plain;

const LEFT: &str = "left as text: rewrite it by hand, or as a shortcode of the theme";

/// What tags can refer to.
pub(super) struct Scope<'s> {
    /// Front matter of the page.
    pub(super) page: &'s Map<String, Value>,
    /// The configuration.
    pub(super) site: &'s Map<String, Value>,
    /// Post names (`2024-01-05-name`) to their paths in the source.
    pub(super) posts: &'s BTreeMap<String, String>,
    /// Path for reports.
    pub(super) path: &'s str,
}

/// Rewrites a body. `first` is its line in the file.
pub(super) fn convert(draft: &mut Draft<'_>, scope: &Scope<'_>, body: &str, first: usize) -> String {
    if !body.contains("{%") && !body.contains("{{") {
        return body.to_owned();
    }
    let mut out = String::with_capacity(body.len());
    let mut at = 0;
    while let Some(found) = body[at..].find('{') {
        let start = at + found;
        out.push_str(&body[at..start]);
        let line = first + body[..start].matches('\n').count();
        let rest = &body[start..];
        let end = if rest.starts_with("{%") {
            tag(draft, scope, rest, line, &mut out)
        } else if rest.starts_with("{{") {
            output(draft, scope, rest, line, &mut out)
        } else {
            None
        };
        at = start + end.unwrap_or(1);
        if end.is_none() {
            out.push('{');
        }
    }
    out.push_str(&body[at..]);
    out
}

/// One `{% tag %}` at the beginning of `rest`; gives its length with everything it encloses.
fn tag(draft: &mut Draft<'_>, scope: &Scope<'_>, rest: &str, line: usize, out: &mut String) -> Option<usize> {
    let close = rest.find("%}")?;
    let whole = &rest[..close + 2];
    let inner = rest[2..close].trim_matches('-').trim();
    let (name, given) = inner.split_once(char::is_whitespace).map_or((inner, ""), |(name, given)| (name, given.trim()));
    let block = |end: &str| block(&rest[close + 2..], end).map(|(inner, length)| (inner, close + 2 + length));
    match name {
        "raw" => {
            let (inner, length) = block("endraw")?;
            out.push_str(inner);
            return Some(length);
        }
        "comment" => {
            let (_, length) = block("endcomment")?;
            draft.lost("liquid_tag", "comment", scope.path, line, "left out, as it was never shown");
            return Some(length);
        }
        "highlight" => {
            let (inner, length) = block("endhighlight")?;
            out.push_str(&fenced(given.split_whitespace().next().unwrap_or_default(), inner));
            return Some(length);
        }
        _ => {}
    }
    let known = |name: &str| draft.options.shortcodes.contains(name);
    let made = match name {
        "post_url" => scope.posts.get(given.rsplit('/').next().unwrap_or(given)).map(|path| format!("/{path}")),
        "link" => Some(format!("/{}", given.trim_start_matches('/'))),
        "seo" | "feed_meta" => Some(String::new()),
        "youtube" | "vimeo" if known(name) => word(given).map(|id| format!("{{{{< {name} {id} >}}}}")),
        "gist" if known("gist") => {
            word(given).filter(|id| id.contains('/')).map(|id| format!("{{{{< gist {} >}}}}", id.replace('/', " ")))
        }
        "include" | "include_cached" => include(draft, given),
        _ => None,
    };
    if let Some(made) = made {
        out.push_str(&made);
    } else {
        if !name.starts_with("end") && !matches!(name, "else" | "elsif" | "when") {
            let shown = match name {
                "include" | "include_cached" => {
                    format!("{name} {}", given.split_whitespace().next().unwrap_or_default())
                }
                _ => name.to_owned(),
            };
            draft.lost("liquid_tag", &shown, scope.path, line, LEFT);
        }
        out.push_str(whole);
    }
    Some(whole.len())
}

/// Text up to a closing tag, and the length with it.
fn block<'t>(rest: &'t str, end: &str) -> Option<(&'t str, usize)> {
    let mut at = 0;
    while let Some(found) = rest[at..].find("{%") {
        let start = at + found;
        let close = start + rest[start..].find("%}")? + 2;
        if rest[start + 2..close - 2].trim_matches('-').trim() == end {
            return Some((&rest[..start], close));
        }
        at = start + 2;
    }
    None
}

/// A fenced block that its content cannot end.
fn fenced(language: &str, code: &str) -> String {
    let code = code.strip_prefix('\n').unwrap_or(code).trim_end();
    let code = code.replace("{% raw %}", "").replace("{% endraw %}", "");
    let mut fence = String::from("```");
    while code.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{code}\n{fence}")
}

fn word(given: &str) -> Option<String> {
    let word = given.split_whitespace().next()?.trim_matches(['"', '\'']);
    (!word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c))).then(|| word.to_owned())
}

/// Includes that many sites have: a video, a picture.
fn include(draft: &Draft<'_>, given: &str) -> Option<String> {
    let (file, rest) = given.split_once(char::is_whitespace)?;
    let values = attributes(rest)?;
    let get =
        |keys: &[&str]| keys.iter().find_map(|key| values.iter().find(|(name, _)| name == key)).map(|(_, value)| value);
    let name = file.rsplit('/').next().unwrap_or(file).split('.').next().unwrap_or(file).to_ascii_lowercase();
    let has = |name: &str| draft.options.shortcodes.contains(name);
    for video in ["youtube", "vimeo"] {
        if name.contains(video) && has(video) {
            return Some(format!("{{{{< {video} {} >}}}}", word(get(&["id", "video_id", "video"])?)?));
        }
    }
    let provider = get(&["provider"]).map(String::as_str);
    if name == "video" && matches!(provider, Some("youtube" | "vimeo")) && has(provider?) {
        return Some(format!("{{{{< {} {} >}}}}", provider?, word(get(&["id"])?)?));
    }
    if matches!(name.as_str(), "figure" | "image" | "img" | "picture") && has("figure") {
        let source = get(&["src", "url", "image_path", "path", "file", "image"])?;
        let mut made = format!("{{{{< figure src=\"{source}\"");
        for (ours, theirs) in [
            ("alt", &["alt"][..]),
            ("caption", &["caption", "description"]),
            ("title", &["title"]),
            ("link", &["link"]),
        ] {
            if let Some(value) = get(theirs) {
                made.push_str(&format!(" {ours}=\"{}\"", value.replace('"', "'")));
            }
        }
        return Some(made + " >}}");
    }
    None
}

/// `key="value"` pairs; `None` where a value is a variable.
fn attributes(rest: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut rest = rest.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let quote = after.trim_start().chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let after = &after.trim_start()[1..];
        let end = after.find(quote)?;
        found.push((key.trim().to_owned(), after[..end].to_owned()));
        rest = after[end + 1..].trim_start();
    }
    Some(found)
}

/// One `{{ value | filter }}` at the beginning of `rest`; gives its length.
fn output(draft: &mut Draft<'_>, scope: &Scope<'_>, rest: &str, line: usize, out: &mut String) -> Option<usize> {
    let close = rest.find("}}").filter(|at| !rest[..*at].contains('\n'))?;
    let whole = &rest[..close + 2];
    let inner = rest[2..close].trim_matches('-').trim();
    let mut parts = split_filters(inner);
    let value = parts.remove(0);
    let text = literal(value).map(str::to_owned).or_else(|| match value {
        "site.baseurl" | "site.url" | "site.github.url" => Some(String::new()),
        name => name
            .strip_prefix("page.")
            .and_then(|key| lookup(scope.page, key))
            .or_else(|| name.strip_prefix("site.").and_then(|key| lookup(scope.site, key))),
    });
    let filtered = text.and_then(|text| parts.iter().try_fold(text, |text, filter| apply(text, filter)));
    if let Some(text) = filtered {
        out.push_str(&text);
    } else {
        // Something in braces need not be Liquid, but a known root is.
        let root = value.split(['.', '[']).next().unwrap_or(value);
        if matches!(root, "site" | "page" | "content" | "include" | "post" | "layout" | "paginator")
            || !parts.is_empty()
        {
            draft.lost("liquid_value", value, scope.path, line, LEFT);
        }
        out.push_str(whole);
    }
    Some(whole.len())
}

/// The parts between `|`, quoted ones whole.
fn split_filters(inner: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, c) in inner.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if c == '|' => {
                parts.push(inner[start..at].trim());
                start = at + 1;
            }
            None => {}
        }
    }
    parts.push(inner[start..].trim());
    parts
}

fn literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text.strip_prefix(quote)?.strip_suffix(quote)
}

fn lookup(map: &Map<String, Value>, key: &str) -> Option<String> {
    let mut parts = key.split('.');
    let mut value = map.get(parts.next()?)?;
    for part in parts {
        value = value.get(part)?;
    }
    plain(value)
}

/// A filter with a result that never changes; `None`: it is not one of these.
fn apply(text: String, filter: &str) -> Option<String> {
    let (name, given) = filter.split_once(':').map_or((filter, ""), |(name, given)| (name.trim(), given.trim()));
    let of_site = |given: &str| matches!(given, "site.baseurl" | "site.url");
    Some(match name {
        "relative_url" | "absolute_url" if text.starts_with('/') || text.contains("://") => text,
        "relative_url" | "absolute_url" => format!("/{text}"),
        "prepend" if of_site(given) => text,
        "prepend" => format!("{}{text}", literal(given)?),
        "append" => format!("{text}{}", literal(given)?),
        "upcase" => text.to_uppercase(),
        "downcase" => text.to_lowercase(),
        "strip" => text.trim().to_owned(),
        "escape" | "xml_escape" | "uri_escape" | "markdownify" => text,
        _ => return None,
    })
}
