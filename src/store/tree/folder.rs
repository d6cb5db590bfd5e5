//! One folder of a tree as git keeps it, changed entry by entry: `<mode> <name>\0<20 bytes of id>` for each, in git's order.
//!
//! libgit2's builder makes an object of each entry, which for a folder of thousands costs more than all the rest of an edit.

use std::cmp::Ordering;

use git2::Oid;

use crate::error::{Error, Result};
use crate::store::failure::git_error;

/// Mode of a folder.
pub(super) const MODE_FOLDER: i32 = 0o040_000;

/// What an entry of a folder leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leads {
    /// Git's file mode.
    pub(super) mode: i32,
    /// The object.
    pub(super) id: Oid,
}

impl Leads {
    /// Whether it is a folder.
    pub(super) fn is_folder(self) -> bool {
        self.mode & 0o170_000 == MODE_FOLDER
    }
}

/// An entry with its name.
#[derive(Debug, Clone, Copy)]
struct Named<'b> {
    name: &'b [u8],
    leads: Leads,
    /// All of it as it was read; nothing for one that is set.
    read: &'b [u8],
}

impl Named<'_> {
    /// Git's order: a folder's name counts with a slash behind it.
    fn order(&self, other: &Self) -> Ordering {
        let slash = |of: &Self| if of.leads.is_folder() { &b"/"[..] } else { &b""[..] };
        let shared = self.name.len().min(other.name.len());
        match self.name[..shared].cmp(&other.name[..shared]) {
            Ordering::Equal => {
                let rest = |of: &Self| of.name[shared..].iter().chain(slash(of)).copied().collect::<Vec<u8>>();
                rest(self).cmp(&rest(other))
            }
            order => order,
        }
    }
}

/// The entries of one folder.
#[derive(Debug)]
pub(super) struct Folder<'b> {
    entries: Vec<Named<'b>>,
}

impl<'b> Folder<'b> {
    /// Of a tree object's bytes; none are an empty folder.
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self> {
        let broken = || Error::Git { action: "read a tree", reason: "it is no tree".into() };
        let mut entries = Vec::with_capacity(bytes.len() / 36);
        let mut rest = bytes;
        while !rest.is_empty() {
            let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let (mode, after) = (&rest[..space], &rest[space + 1..]);
            let mode = std::str::from_utf8(mode).ok().and_then(|mode| i32::from_str_radix(mode, 8).ok());
            let end = after.iter().position(|byte| *byte == 0).ok_or_else(broken)?;
            let (id, next) = after[end + 1..].split_first_chunk::<20>().ok_or_else(broken)?;
            let id = Oid::from_bytes(id).map_err(git_error("read a tree"))?;
            let (leads, read) = (Leads { mode: mode.ok_or_else(broken)?, id }, &rest[..rest.len() - next.len()]);
            entries.push(Named { name: &after[..end], leads, read });
            rest = next;
        }
        Ok(Self { entries })
    }

    /// Whether it has no entry.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What these names lead to, which come in order.
    pub(super) fn look(&self, names: &[&str]) -> Vec<Option<Leads>> {
        let mut found = vec![None; names.len()];
        for entry in &self.entries {
            if let Ok(at) = names.binary_search_by(|name| name.as_bytes().cmp(entry.name)) {
                found[at] = Some(entry.leads);
            }
        }
        found
    }

    /// Of the same folder with these names set or taken out, which come in order; `None`: nothing is left.
    pub(super) fn bytes(&mut self, changes: &'b [(&str, Option<Leads>)]) -> Option<Vec<u8>> {
        let changed = |name: &[u8]| changes.binary_search_by(|(other, _)| other.as_bytes().cmp(name)).is_ok();
        self.entries.retain(|entry| !changed(entry.name));
        let set = changes
            .iter()
            .filter_map(|(name, leads)| Some(Named { name: name.as_bytes(), leads: (*leads)?, read: &[] }));
        self.entries.extend(set);
        if self.entries.is_empty() {
            return None;
        }
        self.entries.sort_by(Named::order);
        let mut bytes = Vec::with_capacity(self.entries.iter().map(|entry| entry.name.len() + 28).sum());
        for Named { name, leads, read } in &self.entries {
            bytes.extend_from_slice(read);
            if !read.is_empty() {
                continue;
            }
            bytes.extend_from_slice(format!("{:o} ", leads.mode).as_bytes());
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(leads.id.as_bytes());
        }
        Some(bytes)
    }
}
