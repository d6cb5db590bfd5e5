//! RSS, RDF and Atom: an entry is a page, with its HTML kept as it is for the build to sanitise.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::draft::Draft;
use super::shortcodes::{self, Dialect};
use super::{address, markdown};
use crate::error::{Error, Result};
use crate::model::{Date, front_matter};

/// Elements inside one another.
const MAX_DEPTH: usize = 100;
/// Elements of a feed, all together.
const MAX_NODES: usize = 500_000;
/// Entries of a feed.
const MAX_ENTRIES: usize = 10_000;

/// One element.
#[derive(Debug, Default)]
struct Node {
    /// Without its prefix, except for `content:encoded` and its like, which have a meaning of their own.
    name: String,
    attributes: Vec<(String, String)>,
    /// In order; text is a node without a name.
    children: Vec<Node>,
    /// Of a node without a name.
    text: String,
}

impl Node {
    fn child(&self, names: &[&str]) -> Option<&Node> {
        names.iter().find_map(|name| self.children.iter().find(|child| child.name == *name))
    }

    /// The text directly inside, without blanks around it.
    fn inner_text(&self) -> String {
        let text: String =
            self.children.iter().filter(|child| child.name.is_empty()).map(|child| child.text.as_str()).collect();
        text.trim().to_owned()
    }

    fn text_of(&self, names: &[&str]) -> Option<String> {
        Some(self.child(names)?.inner_text()).filter(|text| !text.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// What is inside as markup.
    fn markup(&self, out: &mut String) {
        for child in &self.children {
            if child.name.is_empty() {
                out.push_str(&escaped(&child.text));
                continue;
            }
            out.push_str(&format!("<{}", child.name));
            for (key, value) in &child.attributes {
                out.push_str(&format!(" {key}=\"{}\"", escaped(value).replace('"', "&quot;")));
            }
            out.push('>');
            child.markup(out);
            out.push_str(&format!("</{}>", child.name));
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Plans the import of the one file of a source.
///
/// # Errors
/// [`Error::InvalidArguments`] where it is no feed.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<()> {
    let source = draft.source;
    let path = source.paths().next().unwrap_or_default().to_owned();
    let wrong = |problem: String| Error::InvalidArguments {
        field: "from".into(),
        problem,
        example: "\"from\": \"https://example.org/feed.xml\"".into(),
    };
    let bytes = source.bytes(&path).ok_or_else(|| wrong("the feed cannot be read".into()))?;
    let root = parse(bytes).map_err(|problem| wrong(format!("it is no feed: {problem}")))?;
    let mut entries: Vec<&Node> = Vec::new();
    for node in
        std::iter::once(&root).chain(&root.children).chain(root.children.iter().flat_map(|child| &child.children))
    {
        entries.extend(node.children.iter().filter(|child| matches!(child.name.as_str(), "item" | "entry")));
    }
    if entries.is_empty() && !matches!(root.name.as_str(), "rss" | "feed" | "RDF") {
        return Err(wrong(format!("it is no feed: it begins with <{}>", root.name)));
    }
    if entries.len() > MAX_ENTRIES {
        draft.lost("entry", "beyond the first 10,000", &path, 0, "left out: import the feed in parts");
        entries.truncate(MAX_ENTRIES);
    }
    for (number, entry) in entries.into_iter().enumerate() {
        page(draft, &path, number + 1, entry);
    }
    Ok(())
}

/// Reads a document as a tree. Entities beyond those of XML are left as they are written.
fn parse(bytes: &[u8]) -> std::result::Result<Node, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    reader.config_mut().check_end_names = true;
    let mut stack = vec![Node::default()];
    let mut count = 0;
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                count += 1;
                if stack.len() > MAX_DEPTH || count > MAX_NODES {
                    return Err("it is nested too deeply or has too many elements".into());
                }
                stack.push(element(&start));
            }
            Event::Empty(start) => {
                count += 1;
                if count > MAX_NODES {
                    return Err("it has too many elements".into());
                }
                let node = element(&start);
                add(&mut stack, node);
            }
            Event::End(_) => {
                let node = stack.pop().unwrap_or_default();
                if stack.is_empty() {
                    return Err("an element is closed that was never opened".into());
                }
                add(&mut stack, node);
            }
            Event::Text(raw) => put(&mut stack, &raw),
            Event::CData(raw) => put(&mut stack, &raw),
            Event::GeneralRef(name) => put(&mut stack, &entity(&name)),
            Event::DocType(_) => return Err("it has a document type, which is refused".into()),
            Event::Eof => break,
            _ => {}
        }
    }
    if stack.len() > 1 {
        return Err("it ends in the middle of an element".into());
    }
    let root = stack.pop().unwrap_or_default();
    root.children.into_iter().find(|node| !node.name.is_empty()).ok_or_else(|| "it is empty".into())
}

fn element(start: &BytesStart<'_>) -> Node {
    let full = start.name().as_ref().to_owned();
    let name = match full.split_once(':') {
        Some(("content", "encoded")) => "content:encoded".to_owned(),
        // Other vocabularies have titles and links too.
        Some(("media" | "itunes" | "googleplay" | "podcast" | "thr" | "slash", _)) => full,
        Some((_, local)) => local.to_owned(),
        None => full,
    };
    let attributes = start.attributes().flatten().take(50).map(|attribute| {
        let key = attribute.key.as_ref().to_owned();
        (key, unescape(&attribute.value))
    });
    Node { name, attributes: attributes.collect(), ..Node::default() }
}

fn add(stack: &mut [Node], node: Node) {
    if let Some(above) = stack.last_mut() {
        above.children.push(node);
    }
}

fn put(stack: &mut [Node], text: &str) {
    let Some(node) = stack.last_mut() else { return };
    match node.children.last_mut().filter(|last| last.name.is_empty()) {
        Some(last) => last.text.push_str(text),
        None => node.children.push(Node { text: text.to_owned(), ..Node::default() }),
    }
}

/// One of XML's own entities, or a character by its number.
fn entity(name: &str) -> String {
    let number = name.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    match name {
        "lt" => "<".into(),
        "gt" => ">".into(),
        "amp" => "&".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        _ => number.and_then(char::from_u32).map_or_else(|| format!("&{name};"), String::from),
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        if let Some(end) = rest[at..].find(';').filter(|end| *end < 12) {
            out.push_str(&entity(&rest[at + 1..at + end]));
            rest = &rest[at + end + 1..];
        } else {
            out.push('&');
            rest = &rest[at + 1..];
        }
    }
    out + rest
}

fn page(draft: &mut Draft<'_>, path: &str, number: usize, entry: &Node) {
    let place = format!("{path}#{number}");
    let title = entry.text_of(&["title"]).map(|title| strip_tags(&unescape(&title)));
    let link = entry
        .children
        .iter()
        .filter(|child| child.name == "link")
        .find(|child| matches!(child.attribute("rel"), None | Some("alternate")))
        .and_then(|child| child.attribute("href").map(str::to_owned).or_else(|| Some(child.inner_text())))
        .filter(|link| link.starts_with("http"));
    let content = entry.child(&["content:encoded", "content"]).or_else(|| entry.child(&["description", "summary"]));
    let html = content.map_or_else(String::new, |node| {
        if node.attribute("type") == Some("xhtml") {
            let mut markup = String::new();
            node.markup(&mut markup);
            return markup;
        }
        if node.attribute("type") == Some("text") { escaped(&node.inner_text()) } else { node.inner_text() }
    });
    let mut values = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.insert(key.to_owned(), value);
        }
    };
    let date = |names: &[&str]| {
        let text = entry.text_of(names)?;
        Date::parse(&text, &jiff::tz::TimeZone::UTC).map(|date| Value::from(date.rfc3339()))
    };
    set("title", title.clone().map(Value::from));
    set("date", date(&["published", "pubDate", "date", "issued"]).or_else(|| date(&["updated", "modified"])));
    set("updated", date(&["updated", "modified"]));
    set("authors", authors(entry));
    set("tags", tags(entry));
    set("source_url", link.clone().map(Value::from));
    let short = entry.text_of(&["description", "summary"]).map(|text| strip_tags(&unescape(&text)));
    set(
        "description",
        short.filter(|text| !html.contains(text.as_str()) && text.chars().count() <= 300).map(Value::from),
    );
    if entry.child(&["enclosure"]).is_some() {
        draft.lost(
            "enclosure",
            "attached file",
            &place,
            0,
            "left out: it stays where it is, upload it with asset_write",
        );
    }
    if html.contains("<img") {
        draft.lost(
            "image",
            "on another host",
            &place,
            0,
            "the page shows it from there: upload it with asset_write and change the link",
        );
    }
    let name = link.as_deref().and_then(last_segment).or(title).unwrap_or_else(|| format!("entry-{number}"));
    let slug = address::jekyll(&name, false, true);
    let slug = if slug.is_empty() { format!("entry-{number}") } else { slug.chars().take(80).collect() };
    let url = link
        .as_deref()
        .and_then(|link| link.strip_prefix(draft.options.base_url.as_str()))
        .map(|rest| address::ours(&format!("/{}", rest.split(['?', '#']).next().unwrap_or_default())));
    let url = url.filter(|url| url != "/" && !draft.options.base_url.is_empty());
    let body = shortcodes::convert(draft, &place, &markdown::flat_html(&html), 1, Dialect::Plain);
    let body = if body.is_empty() || body.ends_with('\n') { body } else { body + "\n" };
    let wanted = format!("posts/{slug}.md");
    let wanted = if draft.options.section.is_empty() { wanted.as_str() } else { &wanted["posts/".len()..] };
    match front_matter::patch(wanted, &format!("\n{body}"), &values) {
        Ok(text) => draft.page(&place, wanted, text, url),
        Err(error) => draft.lost("page", &error.to_string(), &place, 0, "left out"),
    }
}

fn authors(entry: &Node) -> Option<Value> {
    let name =
        |node: &Node| node.text_of(&["name"]).or_else(|| Some(node.inner_text())).filter(|name| !name.is_empty());
    let names: Vec<String> = entry
        .children
        .iter()
        .filter(|child| matches!(child.name.as_str(), "author" | "creator"))
        .filter_map(name)
        .collect();
    (!names.is_empty()).then(|| Value::from(names))
}

fn tags(entry: &Node) -> Option<Value> {
    let name = |node: &Node| {
        let text = node.attribute("term").map_or_else(|| node.inner_text(), str::to_owned);
        (!text.is_empty()).then(|| unescape(&text))
    };
    let mut names: Vec<String> = Vec::new();
    for tag in
        entry.children.iter().filter(|child| matches!(child.name.as_str(), "category" | "subject")).filter_map(name)
    {
        if !names.contains(&tag) {
            names.push(tag);
        }
    }
    (!names.is_empty()).then(|| Value::from(names))
}

/// The last part of an address that says something, without `.html`.
fn last_segment(link: &str) -> Option<String> {
    let path = link.split(['?', '#']).next()?.split_once("://")?.1;
    let last = path.trim_end_matches('/').split('/').skip(1).last()?;
    let last = last.strip_suffix(".html").or_else(|| last.strip_suffix(".php")).unwrap_or(last);
    (!last.is_empty() && last != "index").then(|| last.to_owned())
}

fn strip_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
