//! Which pages may look different in two states of a site between which only texts changed: what is given to all the others is the
//! same then, and nobody has to look at it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Options;
use super::plan::Job;
use crate::model::{Digest, Digester, Library, PageKind, Snapshot};

/// Pages that may differ from the root before a state becomes a root itself: a map of all of them is copied with each edit.
const MOST_TOUCHED: usize = 4096;

/// Where a state of a site comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    /// The state that was read as a whole: everything it was made from.
    root: Digest,
    /// Pages by index that may differ from it; of what they are now.
    touched: Arc<BTreeMap<usize, Digest>>,
}

impl Lineage {
    /// A state that is read as a whole.
    #[must_use]
    pub(crate) fn new(snapshot: &Snapshot, options: &Options) -> Self {
        let mut digester = Digester::default();
        digester.add(&(options.now, options.drafts, options.future, &options.base_url));
        for (path, file) in snapshot.iter() {
            digester.add(&(path.as_str(), file.id));
        }
        Self { root: digester.finish(), touched: Arc::default() }
    }

    /// The next state: these pages are something else now.
    #[must_use]
    pub(crate) fn with(&self, pages: impl Iterator<Item = (usize, Digest)>) -> Self {
        let mut touched = (*self.touched).clone();
        touched.extend(pages);
        if touched.len() <= MOST_TOUCHED {
            return Self { root: self.root, touched: Arc::new(touched) };
        }
        let root = Digester::default().with(&(self.root, &touched)).finish();
        Self { root, touched: Arc::default() }
    }

    /// The pages that may differ between two states; `None`: any.
    #[must_use]
    pub(crate) fn between(&self, other: &Self) -> Option<BTreeSet<usize>> {
        if self.root != other.root || self.root == Digest::default() {
            return None;
        }
        let differ = |a: &Self, b: &Self| -> Vec<usize> {
            a.touched.iter().filter(|(index, now)| b.touched.get(index) != Some(now)).map(|(&index, _)| index).collect()
        };
        Some(differ(self, other).into_iter().chain(differ(other, self)).collect())
    }
}

/// The pages that may differ, and the lists that show them.
#[derive(Debug)]
pub(crate) struct Touched<'a> {
    pages: BTreeSet<usize>,
    folders: HashSet<&'a str>,
    terms: HashSet<(&'a str, String)>,
}

impl<'a> Touched<'a> {
    /// The lists of these pages.
    #[must_use]
    pub(crate) fn of(library: &'a Library, pages: BTreeSet<usize>) -> Self {
        let (mut folders, mut terms) = (HashSet::new(), HashSet::new());
        for page in pages.iter().filter_map(|&index| library.pages.get(index)) {
            let mut folder = page.path.folder();
            while folders.insert(folder) {
                folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
            }
            let named = page.terms.iter().flat_map(|(key, names)| names.iter().map(move |name| (key.as_str(), name)));
            terms.extend(named.map(|(key, name)| (key, super::address::term_slug(name))));
        }
        Self { pages, folders, terms }
    }

    /// Whether there is none.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Whether what an output is given is surely the same. What it looks up is another question.
    #[must_use]
    pub(crate) fn spares(&self, library: &Library, job: &Job) -> bool {
        match job {
            Job::Page(index) | Job::SectionList(index, _) => {
                let page = &library.pages[*index];
                !self.pages.contains(index)
                    && match page.kind {
                        PageKind::Page => true,
                        PageKind::Section => !self.folders.contains(page.section.as_str()),
                        PageKind::Home => self.pages.is_empty(),
                    }
            }
            Job::Term(_, key, slug, _) => !self.terms.contains(&(key.as_str(), slug.clone())),
            _ => self.pages.is_empty(),
        }
    }
}
