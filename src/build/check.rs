//! Resolves and checks every link and shortcode of every page, whatever is rendered.

use std::hash::Hash;

use rayon::prelude::*;
use serde_json::Value;

use super::count::Count;
use super::links::{Finder, Found, Kind};
use super::load::Parsed;
use super::markdown::{LinkKind, ShortcodeCall};
use super::reads::{self, Reads};
use super::template::Templates;
use super::{near, schema};
use crate::model::{
    ContentPath, Diagnostic, Digest, Digester, Library, Link, LinkTarget, Page, Progress, QuickMap, Severity, Snapshot,
};

/// Shortcodes whose `src` is an image of the site.
const IMAGES: &[&str] = &["figure", "image", "img", "picture"];

/// What the links of a page turned out to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfPage {
    /// Its links.
    pub(crate) links: Vec<Link>,
    /// What is wrong with them, and with its front matter.
    pub(crate) findings: Vec<Diagnostic>,
    /// What they depend on besides addresses and titles.
    pub(crate) reads: Reads,
    /// Of what rendering writes for them.
    pub(crate) digest: Digest,
}

/// The links of every page by index, and what is wrong with them; nothing of pages that come when nobody waits any more.
#[must_use]
pub(crate) fn check(finder: &Finder<'_>, templates: &Templates, progress: &Progress) -> Vec<OfPage> {
    let pages = finder.library.pages.len();
    let count = Count::new(progress, pages, "Checking links");
    let checked = |index| if count.next() { page(finder, templates, index) } else { OfPage::default() };
    (0..pages).into_par_iter().map(checked).collect()
}

/// The links of one page.
#[must_use]
pub(crate) fn page(finder: &Finder<'_>, templates: &Templates, index: usize) -> OfPage {
    let page = &finder.library.pages[index];
    let (mut of_page, reads) = reads::record(|| {
        let digester = Digester::default();
        let mut checked = Checked { finder, page, links: Vec::new(), findings: Vec::new(), digester };
        if let Some(parsed) = finder.parsed(index) {
            checked.body(&parsed, templates);
        }
        checked.front_matter(templates);
        checked.findings.extend(schema::check(finder, page));
        let digest = checked.digester.finish();
        OfPage { links: checked.links, findings: checked.findings, reads: Reads::default(), digest }
    });
    of_page.reads = reads;
    of_page
}

struct Checked<'a> {
    finder: &'a Finder<'a>,
    page: &'a Page,
    links: Vec<Link>,
    findings: Vec<Diagnostic>,
    digester: Digester,
}

impl Checked<'_> {
    fn body(&mut self, parsed: &Parsed, templates: &Templates) {
        for link in &parsed.document.links {
            let kind = kind_of(link.kind);
            self.link(&link.raw, kind, self.file_line(link.line));
        }
        for call in &parsed.document.shortcodes {
            let line = self.file_line(call.line);
            match call.name.as_str() {
                "ref" | "relref" => {
                    if let Some(target) = ref_target(call) {
                        self.link(target, Kind::Ref, line);
                    }
                }
                name if templates.has_shortcode(name) => {
                    if let Some(source) =
                        call.args.get("src").and_then(Value::as_str).filter(|_| IMAGES.contains(&name))
                    {
                        self.link(source, Kind::Image, line);
                    }
                }
                name => self.unknown_shortcode(name, line, templates),
            }
        }
    }

    fn front_matter(&mut self, templates: &Templates) {
        if let Some(image) = &self.page.image {
            let found = self.finder.resolve(self.page, image, Kind::Image);
            if let Some(problem) = found.problem {
                let line = self.key_line("image");
                self.findings.push(problem.at(&self.page.path, line));
            }
        }
        let missing = |layout: &&String| templates.layout(&[(*layout).clone()]).is_none();
        if let Some(layout) = self.page.layout.as_ref().filter(missing) {
            let theme = &self.finder.library.config.theme;
            let line = self.key_line("layout");
            self.findings.push(
                Diagnostic::new(
                    Severity::Warning,
                    "unknown_layout",
                    self.page.path.clone(),
                    line,
                    format!("theme `{theme}` has no layout `{layout}`; the usual one is used"),
                )
                .with_hint("Name a layout of the theme, or leave `layout` out.")
                .with_refers(format!("themes/{theme}/layouts/{layout}.hbs")),
            );
        }
    }

    fn link(&mut self, raw: &str, kind: Kind, line: usize) {
        let found = self.finder.resolve(self.page, raw, kind);
        self.digester.add(&written(self.finder.snapshot, &found));
        if let Some(problem) = found.problem {
            self.findings.push(problem.at(&self.page.path, line));
        }
        self.links.push(Link { raw: raw.to_owned(), target: found.target, line, image: kind == Kind::Image });
    }

    fn unknown_shortcode(&mut self, name: &str, line: usize, templates: &Templates) {
        let theme = &self.finder.library.config.theme;
        let file = format!("themes/{theme}/shortcodes/{name}.hbs");
        let hint = match near::nearest(name, templates.shortcodes()).first() {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("Create {file}, or take the shortcode out."),
        };
        let severity = if self.page.included { Severity::Error } else { Severity::Warning };
        self.findings.push(
            Diagnostic::new(
                severity,
                "unknown_shortcode",
                self.page.path.clone(),
                line,
                format!("theme `{theme}` has no shortcode `{name}`"),
            )
            .with_hint(hint)
            .with_refers(file),
        );
    }

    fn file_line(&self, line: usize) -> usize {
        self.page.body_line.max(1) + line.max(1) - 1
    }

    fn key_line(&self, key: &str) -> usize {
        let text = self.finder.snapshot.text(self.page.path.as_str()).unwrap_or_default();
        let head = text.lines().take(self.page.body_line.saturating_sub(1));
        head.enumerate().find(|(_, line)| line.trim_start().starts_with(key)).map_or(1, |(at, _)| at + 1)
    }
}

/// Of what rendering writes for a link.
#[must_use]
pub(crate) fn digest(snapshot: &Snapshot, found: &Found<'_>) -> Digest {
    Digester::default().with(&written(snapshot, found)).finish()
}

/// What rendering writes for a link; of an image it writes the size, which depends on the file.
fn written<'f>(snapshot: &Snapshot, found: &'f Found<'_>) -> impl Hash + 'f {
    let kind = match found.target {
        LinkTarget::External => 0_u8,
        LinkTarget::Broken => 1,
        _ => 2,
    };
    let file = match &found.target {
        LinkTarget::File(path) => Some((path, snapshot.get(path).map(|file| file.id))),
        _ => None,
    };
    (&found.href, &found.title, kind, file)
}

/// The page a `ref` or `relref` names.
#[must_use]
pub(crate) fn ref_target(call: &ShortcodeCall) -> Option<&str> {
    call.positional.first().or_else(|| call.args.get("path")).and_then(Value::as_str)
}

/// How a link of a body is written.
#[must_use]
pub(crate) fn kind_of(kind: LinkKind) -> Kind {
    match kind {
        LinkKind::Link => Kind::Link,
        LinkKind::Image => Kind::Image,
        LinkKind::Wiki => Kind::Wiki,
    }
}

/// Who links to whom, from the links of every page.
#[must_use]
pub(crate) fn backlinks(library: &Library) -> QuickMap<usize, Vec<usize>> {
    let pages: Vec<&Page> = library.pages.iter().map(|page| &**page).collect();
    let targets: Vec<_> =
        pages.par_iter().enumerate().map(|(from, page)| targets(library, from, &page.links)).collect();
    let mut backlinks: QuickMap<usize, Vec<usize>> = QuickMap::default();
    for (from, targets) in targets.into_iter().enumerate() {
        for to in targets {
            backlinks.entry(to).or_default().push(from);
        }
    }
    backlinks
}

/// The other pages that links lead to, each once, in order.
#[must_use]
pub(crate) fn targets(library: &Library, from: usize, links: &[Link]) -> Vec<usize> {
    let mut targets: Vec<usize> = links.iter().filter_map(|link| target(library, &link.target)).collect();
    targets.sort_unstable();
    targets.dedup();
    targets.retain(|to| *to != from);
    targets
}

fn target(library: &Library, target: &LinkTarget) -> Option<usize> {
    let path: &ContentPath = match target {
        LinkTarget::Page(path, _) => path,
        _ => return None,
    };
    library.by_path.get(path).copied()
}
