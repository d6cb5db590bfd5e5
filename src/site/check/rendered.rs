//! What can only be told from rendered pages: names for links and images, ids, language, and who links to what.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::html::{self, Event, Tag};
use super::rule::Rule;
use crate::build::Seen;
use crate::model::{ContentPath, Diagnostic, Library, PageState, Severity};

/// What all documents together link to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Pages, by index, that a document other than their own links to.
    pub(super) linked: HashSet<usize>,
    /// URL paths of everything else that is named in a document.
    pub(super) used: HashSet<String>,
}

/// A fault that the theme puts into many pages: the first page by path, and how many.
type OfTheme = BTreeMap<(&'static str, String), (ContentPath, usize)>;

/// Looks at documents from several threads.
pub(super) struct Looks<'a> {
    access: bool,
    references: bool,
    holds: &'a (dyn Fn(&ContentPath) -> bool + Sync),
    seen: Mutex<References>,
    of_theme: Mutex<OfTheme>,
}

/// What one document told.
struct Page<'s, 'a> {
    seen: &'s Seen<'a>,
    body: Range<usize>,
    ids: HashSet<String>,
    link: Option<Link>,
    /// Whether the fault lies in the page's own content, the code, the fact.
    faults: Vec<(bool, &'static str, String)>,
}

/// An open `<a href>`.
struct Link {
    own: bool,
    href: String,
    named: bool,
}

impl<'a> Looks<'a> {
    pub(super) fn new(rules: &BTreeSet<Rule>, holds: &'a (dyn Fn(&ContentPath) -> bool + Sync)) -> Self {
        Self {
            access: rules.contains(&Rule::Accessibility),
            references: rules.contains(&Rule::Orphans) || rules.contains(&Rule::Assets),
            holds,
            seen: Mutex::default(),
            of_theme: Mutex::default(),
        }
    }

    /// Looks at one document.
    pub(super) fn at(&self, seen: &Seen<'_>) -> Vec<Diagnostic> {
        let access = self.access && seen.page.is_none_or(|page| (self.holds)(&page.path));
        if !access && !self.references {
            return Vec::new();
        }
        let mut page = Page::new(seen);
        let mut found = References::default();
        for event in html::events(seen.html) {
            if let (Event::Open(tag), true) = (&event, self.references) {
                refer(seen, *tag, &mut found);
            }
            if access {
                page.take(&event);
            }
        }
        if self.references {
            let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            all.linked.extend(found.linked);
            all.used.extend(found.used);
        }
        self.sorted(seen, page.faults)
    }

    /// Faults of the page itself; the theme's are kept apart.
    fn sorted(&self, seen: &Seen<'_>, faults: Vec<(bool, &'static str, String)>) -> Vec<Diagnostic> {
        let mut own = Vec::new();
        let (mut theme, mut told) = (self.of_theme.lock().unwrap_or_else(PoisonError::into_inner), BTreeSet::new());
        for (is_own, code, message) in faults {
            if let Some(page) = seen.page.filter(|page| is_own && page.exists) {
                own.push(finding(code, page.path.clone(), message));
                continue;
            }
            let path = match seen.page {
                Some(page) => page.path.clone(),
                None => match ContentPath::from_disk("site.yaml") {
                    Ok(path) => path,
                    Err(_) => continue,
                },
            };
            if told.insert((code, message.clone())) {
                let entry = theme.entry((code, message)).or_insert_with(|| (path.clone(), 0));
                entry.0 = path.min(entry.0.clone());
                entry.1 += 1;
            }
        }
        own
    }

    /// The theme's faults, each once.
    pub(super) fn of_theme(&self) -> Vec<Diagnostic> {
        let theme = self.of_theme.lock().unwrap_or_else(PoisonError::into_inner);
        theme
            .iter()
            .map(|((code, message), (path, count))| {
                let message = match count {
                    1 => message.clone(),
                    count => format!("{message}, on {count} pages alike: it comes from the theme"),
                };
                finding(code, path.clone(), message)
            })
            .collect()
    }

    pub(super) fn into_seen(self) -> References {
        self.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

fn finding(code: &'static str, path: ContentPath, message: String) -> Diagnostic {
    let hint = match code {
        "image_without_alt" => "Give it an `alt` that says what it shows, or `alt=\"\"` where it only decorates.",
        "empty_link" => "Put text into the link, or an `aria-label` that says where it leads.",
        "repeated_id" => "Give each element an id of its own; links to it lead to the first one only.",
        "missing_lang" => "Write `<html lang=\"{{site.language}}\">` in the layout.",
        _ => "",
    };
    Diagnostic::new(Severity::Warning, code, path, 0, message).with_hint(hint)
}

impl<'s, 'a> Page<'s, 'a> {
    fn new(seen: &'s Seen<'a>) -> Self {
        let own = seen.body.map(str::trim).filter(|body| !body.is_empty());
        let body = own.and_then(|own| seen.html.find(own).map(|at| at..at + own.len())).unwrap_or(0..0);
        Self { seen, body, ids: HashSet::new(), link: None, faults: Vec::new() }
    }

    /// Whether a part of the document lies in the page's own content.
    fn is_own(&self, part: &str) -> bool {
        let at = (part.as_ptr() as usize).wrapping_sub(self.seen.html.as_ptr() as usize);
        self.body.contains(&at)
    }

    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Open(tag) => self.open(*tag),
            Event::Text(text) => {
                if let Some(link) = &mut self.link {
                    link.named |= !text.trim().is_empty() && text.trim() != "&nbsp;";
                }
            }
            Event::Close(name) => {
                if name.eq_ignore_ascii_case("a") {
                    self.close_link();
                }
            }
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        let own = self.is_own(tag.name);
        if let Some(id) = tag.get("id").filter(|id| !id.is_empty())
            && !self.ids.insert(id.to_string())
        {
            self.faults.push((own, "repeated_id", format!("the id `{id}` is there twice")));
        }
        if tag.is("html") && tag.get("lang").is_none_or(|lang| lang.trim().is_empty()) {
            self.faults.push((false, "missing_lang", "the document does not say its language".into()));
        }
        if tag.is("img") {
            let alt = tag.get("alt");
            if alt.is_none() && !hidden(tag) {
                let source = tag.get("src").unwrap_or_default();
                self.faults.push((own, "image_without_alt", format!("the image `{source}` has no `alt`")));
            }
            if let Some(link) = &mut self.link {
                link.named |= alt.is_some_and(|alt| !alt.trim().is_empty());
            }
        } else if let Some(link) = &mut self.link {
            link.named |= labelled(tag);
        }
        if tag.is("a") {
            self.close_link();
            if let Some(href) = tag.get("href").filter(|_| !hidden(tag)) {
                self.link = Some(Link { own, href: href.into_owned(), named: labelled(tag) });
            }
        }
    }

    fn close_link(&mut self) {
        if let Some(link) = self.link.take().filter(|link| !link.named) {
            self.faults.push((link.own, "empty_link", format!("the link to `{}` has no text", link.href)));
        }
    }
}

fn labelled(tag: Tag<'_>) -> bool {
    ["aria-label", "aria-labelledby", "title"]
        .iter()
        .any(|name| tag.get(name).is_some_and(|value| !value.trim().is_empty()))
}

fn hidden(tag: Tag<'_>) -> bool {
    tag.get("aria-hidden").is_some_and(|value| value == "true")
        || tag.get("role").is_some_and(|role| role == "presentation")
}

/// Notes what a tag names.
fn refer(seen: &Seen<'_>, tag: Tag<'_>, found: &mut References) {
    let leads = tag.is("a") || tag.is("area");
    for (name, _) in tag.attributes() {
        let names = ["href", "src", "srcset", "poster", "data", "content", "data-src"];
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        let value = tag.get(name).unwrap_or_default();
        let many = name.eq_ignore_ascii_case("srcset");
        let parts = value
            .split(|c| many && c == ',')
            .filter_map(|part| if many { part.split_whitespace().next() } else { Some(part.trim()) });
        for path in parts.filter_map(|part| site_path(seen, part)) {
            let library = seen.library;
            let page = library.by_url.get(&path).or_else(|| library.by_url.get(&format!("{path}/")));
            match page {
                Some(&index) => {
                    let itself = seen.page.is_some_and(|page| page.path == library.pages[index].path);
                    if leads && !itself {
                        found.linked.insert(index);
                    }
                }
                None => {
                    found.used.insert(path);
                }
            }
        }
    }
}

/// The URL path inside the site that an address stands for, without the base path; `None`: it leads elsewhere.
fn site_path(seen: &Seen<'_>, address: &str) -> Option<String> {
    let address = address.split(['#', '?']).next().unwrap_or_default();
    let base_url = seen.library.config.base_url.as_str();
    let inner = match address.strip_prefix(base_url) {
        Some(rest) => format!("/{rest}"),
        None if address.is_empty() || address.starts_with("//") || address.contains(':') => return None,
        None if address.starts_with('/') => format!("/{}", address.strip_prefix(seen.base_path)?),
        None => format!("{}{address}", &seen.url[..=seen.url.rfind('/')?]),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in inner.split('/').skip(1) {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = format!("/{}", parts.join("/"));
    let path = path.strip_suffix("index.html").map_or(path.clone(), str::to_owned);
    Some(super::super::address::percent_decode(&path))
}

/// Headings that leave a level out, in the Markdown of live pages.
pub(super) fn headings(library: &Library) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for page in library.pages.iter().filter(|page| page.exists && page.state == PageState::Live) {
        // The layout writes the title, on the first level.
        let mut above = 1;
        for heading in &page.outline {
            if heading.level > above + 1 {
                let message =
                    format!("the heading `{}` is of level {} below level {above}", heading.text, heading.level);
                let line = page.body_line.max(1) + heading.line.max(1) - 1;
                let hint = format!("Begin it with `{}`.", "#".repeat(usize::from(above) + 1));
                found.push(
                    Diagnostic::new(Severity::Warning, "heading_skipped", page.path.clone(), line, message)
                        .with_hint(hint),
                );
            }
            above = heading.level;
        }
    }
    found
}
