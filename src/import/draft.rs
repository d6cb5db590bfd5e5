//! A plan in the making: names that fit, no two files in one place, and the report.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Kind, Options, Plan, PlannedFile, PlannedPage, Report, Source, links, select};
use crate::model::ContentPath;

/// What is collected.
pub(super) struct Draft<'a> {
    /// What is read.
    pub(super) source: &'a Source,
    /// How.
    pub(super) options: &'a Options,
    /// Keys of `site.yaml`.
    pub(super) settings: Map<String, Value>,
    /// Old address to new one.
    pub(super) redirects: Map<String, Value>,
    /// How terms stand in URLs.
    pub(super) term: Option<super::TermSlug>,
    /// What does not carry over.
    pub(super) report: Report,
    kind: Kind,
    pages: Vec<PlannedPage>,
    files: Vec<PlannedFile>,
    taken: BTreeSet<String>,
    /// Source path to target, of everything that has one.
    moved: BTreeMap<String, ContentPath>,
}

impl<'a> Draft<'a> {
    /// An empty one.
    pub(super) fn new(source: &'a Source, kind: Kind, options: &'a Options) -> Self {
        Self {
            source,
            options,
            settings: Map::new(),
            redirects: Map::new(),
            term: None,
            report: Report::default(),
            kind,
            pages: Vec::new(),
            files: Vec::new(),
            taken: BTreeSet::new(),
            moved: BTreeMap::new(),
        }
    }

    /// A page below `content/` (and below the section that was asked for). `wanted` is without either.
    pub(super) fn page(&mut self, source: &str, wanted: &str, text: String, url: Option<String>) {
        let wanted = format!("{}.md", super::source::stem(wanted));
        let section = self.options.section.trim_matches('/');
        let place =
            if section.is_empty() { format!("content/{wanted}") } else { format!("content/{section}/{wanted}") };
        let Some(target) = self.place(source, &place) else { return };
        // A whole site moves below the section; an entry of a feed has the address it has.
        let moves = !section.is_empty() && self.kind != Kind::Feed;
        let url = url.map(|url| if moves { format!("/{section}{url}") } else { url });
        self.pages.push(PlannedPage { target, source: source.to_owned(), text, url });
    }

    /// A file that lies beside pages.
    pub(super) fn asset(&mut self, source: &str, wanted: &str) {
        let section = self.options.section.trim_matches('/');
        let place =
            if section.is_empty() { format!("content/{wanted}") } else { format!("content/{section}/{wanted}") };
        self.file(source, &place, None);
    }

    /// Any file, by its path from the site's root.
    pub(super) fn file(&mut self, source: &str, place: &str, text: Option<String>) {
        if let Some(target) = self.place(source, place) {
            self.files.push(PlannedFile { target, source: source.to_owned(), text });
        }
    }

    /// Where a file goes: a name our rules accept, and one that is still free.
    fn place(&mut self, source: &str, wanted: &str) -> Option<ContentPath> {
        let plain = ContentPath::parse(wanted).or_else(|_| ContentPath::parse(&acceptable(wanted)));
        let mut target = match plain {
            Ok(target) => target,
            Err(error) => {
                let _ = error;
                self.report.add(
                    "file",
                    "name",
                    source,
                    "no file here may have such a name: rename it and import again",
                );
                return None;
            }
        };
        let mut number = 2;
        while !self.taken.insert(target.collision_key()) {
            let stem = super::source::stem(wanted);
            let ending = &wanted[stem.len()..];
            target = ContentPath::parse(&acceptable(&format!("{stem}-{number}{ending}"))).ok()?;
            number += 1;
        }
        if target.as_str() != wanted {
            self.report.add("renamed", target.as_str(), source, "two names were the same or not allowed here");
        }
        self.moved.insert(source.to_owned(), target.clone());
        Some(target)
    }

    /// Counts something that does not carry over.
    pub(super) fn lost(&mut self, what: &'static str, name: &str, place: &str, line: usize, advice: &'static str) {
        let place = if line == 0 { place.to_owned() } else { format!("{place}:{line}") };
        self.report.add(what, name, place, advice);
    }

    /// The plan, with the links between its files put right.
    pub(super) fn finish(mut self) -> Plan {
        links::retarget(self.kind, self.options, &mut self.pages, &self.moved);
        select::narrow(self.options, &mut self.pages, &mut self.files, &mut self.report);
        Plan {
            kind: self.kind,
            pages: self.pages,
            files: self.files,
            settings: self.settings,
            redirects: self.redirects,
            term: self.term,
            report: self.report,
        }
    }
}

/// A path with what our rules refuse taken out of each name.
fn acceptable(path: &str) -> String {
    let name = |name: &str| {
        let plain: String =
            name.chars().map(|c| if c.is_control() || "<>:\"|?*\\".contains(c) { '-' } else { c }).collect();
        let plain = plain.trim_matches([' ', '.']).to_owned();
        if ContentPath::parse(&format!("content/{plain}")).is_ok() {
            return plain;
        }
        let ascii: String =
            plain.chars().map(|c| if c.is_alphanumeric() || "._-@+ ".contains(c) { c } else { '-' }).collect();
        let (stem, ending) = ascii.split_at(super::source::stem(&ascii).len());
        let cut: String = stem.chars().take(60).collect();
        format!("{cut}_{ending}")
    };
    path.split('/').map(name).collect::<Vec<_>>().join("/")
}
