//! What a call reads and changes, noted as it happens: what the journal is written from, never part of a result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{BlobId, ContentPath, PathKind};

/// A note of one call's effects. The default notes nothing, and costs nothing.
#[derive(Clone, Default)]
pub struct Effects(Option<Arc<Mutex<Noted>>>);

/// What was noted of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// What the call said beforehand that it may write: kinds of object, or ids.
    pub declared: Option<Vec<String>>,
    /// Files whose content the reply shows.
    pub reads: BTreeMap<ContentPath, BlobId>,
    /// Files that changed, before and after.
    pub writes: BTreeMap<ContentPath, (Option<BlobId>, Option<BlobId>)>,
    /// Files it is about besides.
    pub targets: BTreeSet<ContentPath>,
    /// The revision it made.
    pub commit: Option<String>,
    /// The reply shows pages as visitors see them.
    pub rendered: bool,
    /// The change message in full.
    pub message: Option<String>,
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Effects({})", if self.0.is_some() { "noted" } else { "not noted" })
    }
}

impl Effects {
    /// A note that is kept.
    #[must_use]
    pub fn noted() -> Self {
        Self(Some(Arc::default()))
    }

    /// What was noted so far.
    #[must_use]
    pub fn so_far(&self) -> Noted {
        self.note().map(|noted| noted.clone()).unwrap_or_default()
    }

    /// The call says what it may write: kinds, or these paths only. The first word holds: a later one would declare whatever a defect
    /// writes.
    pub fn declare(&self, kinds: &[PathKind], paths: Option<&BTreeSet<ContentPath>>) {
        if let Some(mut noted) = self.note()
            && noted.declared.is_none()
        {
            let mut declared: Vec<String> = match paths {
                Some(paths) => paths.iter().filter(|path| kinds.contains(&path.kind())).map(object).collect(),
                None => kinds.iter().map(|kind| kind_name(*kind).to_owned()).collect(),
            };
            declared.sort();
            declared.dedup();
            noted.declared = Some(declared);
        }
    }

    /// The reply shows this file's content.
    pub fn read(&self, path: &ContentPath, id: Option<BlobId>) {
        if let (Some(mut noted), Some(id)) = (self.note(), id) {
            noted.reads.insert(path.clone(), id);
        }
    }

    /// The call is about these files, whatever becomes of it.
    pub fn about_all<'a>(&self, paths: impl Iterator<Item = &'a ContentPath>) {
        if let Some(mut noted) = self.note() {
            noted.targets.extend(paths.cloned());
        }
    }

    /// A file changed. Of several changes the first before and the last after count.
    pub fn wrote(&self, path: &ContentPath, before: Option<BlobId>, after: Option<BlobId>) {
        if let Some(mut noted) = self.note() {
            noted.writes.entry(path.clone()).and_modify(|change| change.1 = after).or_insert((before, after));
        }
    }

    /// A revision was made, for this reason.
    pub fn committed(&self, revision: &str, message: &str) {
        if let Some(mut noted) = self.note() {
            // What publishes along with an edit publishes that edit.
            noted.commit.get_or_insert_with(|| revision.to_owned());
            noted.message.get_or_insert_with(|| message.to_owned());
        }
    }

    /// The reply shows pages as visitors see them.
    pub fn rendered(&self) {
        if let Some(mut noted) = self.note() {
            noted.rendered = true;
        }
    }

    fn note(&self) -> Option<MutexGuard<'_, Noted>> {
        // Whatever a panicking call noted is still true.
        self.0.as_ref().map(|noted| noted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn kind_name(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Page => "page",
        PathKind::ContentAsset | PathKind::Static => "asset",
        PathKind::Theme => "theme",
        PathKind::Data => "data",
        PathKind::Config => "site",
    }
}

/// The typed id of a file: `page:blog/a.md`, `theme:default/theme.yaml`, `asset:static/a.png`, `data:a.json`, `site:site.yaml`.
#[must_use]
pub fn object(path: &ContentPath) -> String {
    let kind = kind_name(path.kind());
    let folder = match path.kind() {
        PathKind::Page => "content/",
        PathKind::Theme => "themes/",
        PathKind::Data => "data/",
        _ => "",
    };
    let name = path.as_str();
    format!("{kind}:{}", name.strip_prefix(folder).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ContentPath {
        ContentPath::from_disk(text).expect("a path")
    }

    #[test]
    fn ids_name_kind_and_place() {
        for (file, id) in [
            ("content/blog/a.md", "page:blog/a.md"),
            ("content/blog/a.png", "asset:content/blog/a.png"),
            ("static/a.png", "asset:static/a.png"),
            ("themes/default/theme.yaml", "theme:default/theme.yaml"),
            ("data/a.json", "data:a.json"),
            ("site.yaml", "site:site.yaml"),
        ] {
            assert_eq!(object(&path(file)), id);
        }
    }

    #[test]
    fn the_first_declaration_holds_and_changes_add_up() {
        let (effects, page) = (Effects::noted(), path("content/a.md"));
        let [a, b, c] = [BlobId([1; 20]), BlobId([2; 20]), BlobId([3; 20])];
        effects.declare(&[PathKind::Page], None);
        effects.declare(&[PathKind::Theme], None);
        effects.wrote(&page, Some(a), Some(b));
        effects.wrote(&page, Some(b), Some(c));
        let noted = effects.so_far();
        assert_eq!(noted.declared, Some(vec!["page".to_owned()]));
        assert_eq!(noted.writes[&page], (Some(a), Some(c)));
        let silent = Effects::default();
        silent.wrote(&page, None, Some(a));
        assert_eq!(silent.so_far(), Noted::default());
    }
}
