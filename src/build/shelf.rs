//! What a frame is kept as between processes: its pages and what was found out about them. The rest is made anew from these, and
//! from the files that are the same, or the frame is no use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::frame::{Frame, Noted};
use super::lineage::Lineage;
use super::reads::Reads;
use super::sections::Folders;
use super::source::Source;
use super::{Options, check, data, library, menu};
use crate::error::Result;
use crate::model::{BlobId, Config, ContentPath, Data, Diagnostic, Digest, File, Lists, Page, PathKind, Snapshot};

/// Pages that are read and written together; several such pieces side by side.
const PIECE: usize = 256;

/// A frame without what is made anew.
pub(crate) struct Shelf {
    /// Of the files it was made from, their ids.
    pub(crate) files: Snapshot,
    /// The moment it holds from, and until which.
    pub(crate) times: (jiff::Timestamp, Option<jiff::Timestamp>),
    /// Where it comes from.
    pub(crate) lineage: Lineage,
    /// Folders that are sections.
    pub(crate) folders: Folders,
    /// The lists of the site's own language.
    pub(crate) lists: Lists,
    /// Those of the others.
    pub(crate) translated: BTreeMap<String, Lists>,
    /// What is wrong with the site as a whole, and pages whose headings decided about that.
    pub(crate) general: (Vec<Diagnostic>, BTreeSet<usize>),
    /// Pages in order.
    pub(crate) pages: Vec<Shelved>,
}

/// A page, with what is known of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Shelved {
    /// The page.
    pub(crate) page: Arc<Page>,
    /// Where its body begins, fragments besides those of headings, whether it calls shortcodes; `None`: it has no file.
    source: Option<(usize, Vec<String>, bool)>,
    /// Of what rendering writes for the links of its body.
    pub(crate) links: Digest,
    /// What is wrong with it, as [`Noted`].
    noted: Option<(String, String, BTreeSet<usize>)>,
}

/// All but the pages.
#[derive(Serialize, Deserialize)]
struct Head {
    files: Vec<(ContentPath, BlobId, u64)>,
    times: ((i64, i32), Option<(i64, i32)>),
    lineage: Lineage,
    folders: Folders,
    lists: Lists,
    translated: BTreeMap<String, Lists>,
    general: (String, BTreeSet<usize>),
}

impl Shelved {
    /// Of a frame's page.
    #[must_use]
    fn new(page: &Arc<Page>, source: Option<&Arc<Source>>, links: Digest, noted: Option<&Arc<Noted>>) -> Self {
        let source = source.map(|source| (source.body_offset, source.anchors.clone(), source.calls));
        let noted = noted.map(|noted| (json(&noted.file), json(&noted.links), noted.reads.anchors.clone()));
        Self { page: Arc::clone(page), source, links, noted }
    }

    /// Its file.
    #[must_use]
    fn source(&self) -> Option<Arc<Source>> {
        let (offset, anchors, calls) = self.source.as_ref()?;
        Some(Arc::new(Source::later(*offset, anchors.clone(), *calls)))
    }

    /// What is wrong with it.
    #[must_use]
    fn noted(&self) -> Option<Arc<Noted>> {
        let (file, links, anchors) = self.noted.as_ref()?;
        let reads = Reads { anchors: anchors.clone(), ..Reads::default() };
        Some(Arc::new(Noted { file: of_json(file)?, links: of_json(links)?, reads }))
    }
}

impl Shelf {
    /// Reads what [`Frame::shelve`] wrote; `None` for anything else.
    #[must_use]
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (lengths, mut rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let lengths: Vec<usize> = rmp_serde::from_slice(lengths).ok()?;
        let mut pieces = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (piece, more) = rest.split_at_checked(length)?;
            pieces.push(piece);
            rest = more;
        }
        let (head, pieces) = pieces.split_first()?;
        let (head, pieces): (Option<Head>, Option<Vec<Vec<Shelved>>>) = rayon::join(
            || rmp_serde::from_slice(head).ok(),
            || pieces.par_iter().map(|piece| rmp_serde::from_slice(piece).ok()).collect(),
        );
        let head = head?;
        let moment = |(second, nanosecond)| jiff::Timestamp::new(second, nanosecond).ok();
        let until = match head.times.1 {
            Some(until) => Some(moment(until)?),
            None => None,
        };
        let files = head.files.into_iter().map(|(path, id, size)| (path, File { id, size, data: Data::Handle }));
        Some(Self {
            files: Snapshot::new(files.collect()),
            times: (moment(head.times.0)?, until),
            lineage: head.lineage,
            folders: head.folders,
            lists: head.lists,
            translated: head.translated,
            general: (of_json(&head.general.0)?, head.general.1),
            pages: pieces?.into_iter().flatten().collect(),
        })
    }

    /// Whether it says something of a site at a moment: all but the texts of a few pages is the same.
    #[must_use]
    pub(crate) fn serves(&self, snapshot: &Snapshot, now: jiff::Timestamp, most: usize) -> bool {
        let (since, until) = self.times;
        let of_page = |path: &ContentPath| {
            path.kind() == PathKind::Page && self.files.get(path).is_some() && snapshot.get(path).is_some()
        };
        since <= now
            && until.is_none_or(|until| now < until)
            && self.files.differing(snapshot, most).is_some_and(|paths| paths.iter().all(of_page))
    }
}

impl Frame {
    /// What is kept of it between processes, as bytes in pieces; `None` where something has no such form.
    #[must_use]
    pub(super) fn shelve(&self, snapshot: &Snapshot, since: jiff::Timestamp) -> Option<Vec<Vec<u8>>> {
        let all: Vec<usize> = (0..self.library.pages.len()).collect();
        let shelved = |&index: &usize| {
            let (page, source) = (&self.library.pages[index], self.sources[index].as_ref());
            Shelved::new(page, source, self.links[index], self.noted[index].as_ref())
        };
        let write = |piece: &[usize]| rmp_serde::to_vec(&piece.iter().map(shelved).collect::<Vec<_>>()).ok();
        let (head, pages) = rayon::join(
            || rmp_serde::to_vec(&self.head(snapshot, since)).ok(),
            || all.par_chunks(PIECE).map(write).collect::<Option<Vec<_>>>(),
        );
        let mut pieces = vec![head?];
        pieces.extend(pages?);
        let lengths = rmp_serde::to_vec(&pieces.iter().map(Vec::len).collect::<Vec<_>>()).ok()?;
        let mut all = vec![(lengths.len() as u64).to_le_bytes().to_vec(), lengths];
        all.append(&mut pieces);
        Some(all)
    }

    fn head(&self, snapshot: &Snapshot, since: jiff::Timestamp) -> Head {
        let moment = |at: jiff::Timestamp| (at.as_second(), at.subsec_nanosecond());
        let (sections, taxonomies) = (&self.library.sections, &self.library.taxonomies);
        Head {
            files: snapshot.iter().map(|(path, file)| (path.clone(), file.id, file.size)).collect(),
            times: (moment(since), self.until.map(moment)),
            lineage: self.lineage.clone(),
            folders: (*self.folders).clone(),
            lists: Lists { sections: (**sections).clone(), taxonomies: (**taxonomies).clone() },
            translated: (*self.library.translated).clone(),
            general: (json(&self.general.0), self.general.1.anchors.clone()),
        }
    }

    /// The frame that was shelved, for a site of which all but the texts of pages is still the same.
    ///
    /// # Errors
    /// As [`Frame::read`].
    pub(super) fn restore(shelf: Shelf, snapshot: &Snapshot, options: &Options, cache: &Cache) -> Result<Self> {
        let (config, _) = Config::load(snapshot)?;
        let theme = cache.templates(snapshot, &config.theme, &config.theme_settings);
        let base = library::base(&config, options);
        let (mut sources, mut links, mut noted) = (Vec::new(), Vec::new(), Vec::new());
        let mut pages = Vec::with_capacity(shelf.pages.len());
        for shelved in shelf.pages {
            sources.push(shelved.source());
            links.push(shelved.links);
            noted.push(shelved.noted());
            pages.push(shelved.page);
        }
        let library = library::restore(config, pages.into(), shelf.lists, shelf.translated);
        let (mut frame, _) = Self::bare(snapshot, options, theme, base, library);
        frame.library.backlinks = Arc::new(check::backlinks(&frame.library));
        (frame.sources, frame.links, frame.noted) = (sources.into(), links.into(), noted.into());
        (frame.folders, frame.until, frame.lineage) = (Arc::new(shelf.folders), shelf.times.1, shelf.lineage);
        let finder = frame.finder(snapshot);
        let menus: Vec<_> =
            frame.languages.iter().map(|language| menu::resolve(&finder, &frame.translations, language).0).collect();
        for (language, menus) in Arc::make_mut(&mut frame.languages).iter_mut().zip(menus) {
            language.menus = menus;
        }
        frame.data = Arc::new(data::load(snapshot).0);
        let frame = frame.fill(snapshot, options, &mut Vec::new());
        let reads = Reads { anchors: shelf.general.1, ..Reads::default() };
        Ok(Self { general: Arc::new((shelf.general.0, reads)), ..frame })
    }
}

/// Findings leave out what they do not have, which only a format with names can say.
fn json(findings: &[Diagnostic]) -> String {
    serde_json::to_string(findings).unwrap_or_default()
}

fn of_json<T: DeserializeOwned + Default>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
