//! The output folder on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::SystemTime;

use cap_std::fs::Dir;
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::held::stat_of;
use super::{Source, Stamp, Written, both, bytes};
use crate::error::{Error, Result};
use crate::model::{ContentPath, OutputData, QuickSet};
use crate::store::Repository;
use crate::store::failure::io_error;
use crate::store::scan::Stat;

/// Begins the name of every file that is still being written; left-over ones are removed.
const TEMPORARY: &str = ".sitewright-tmp-";
/// Deeper folders are not looked into: no output lies there.
const DEPTH: usize = 64;
/// How a folder is opened: never through a symlink.
pub(super) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An output folder, opened so that no path leaves it, while outputs are put into it one by one.
pub(super) struct Folder {
    dir: Dir,
    /// As messages name it.
    name: String,
    /// Made by us: nothing is in it.
    fresh: bool,
    /// The folders down to where the last output went: outputs come folder by folder.
    open: Vec<Open>,
    /// Folders that were made by us.
    made: QuickSet<String>,
    put: BTreeSet<String>,
    /// What is said of the files that hold rendered bytes.
    stats: BTreeMap<String, Stat>,
    written: Written,
}

/// What stands in an output's place.
enum There {
    /// The output; with what is said of it, where it is of rendered bytes.
    Same(Option<Stat>),
    /// Something else, or nothing.
    Other,
}

struct Open {
    name: String,
    dir: Dir,
    fresh: bool,
}

impl Folder {
    pub(super) fn open(parent: &Dir, name: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::InvalidPath { path: name.to_owned(), problem: problem.into() };
        let mut fresh = false;
        match parent.symlink_metadata(name) {
            Ok(found) if found.is_symlink() => return Err(refuse("the output folder is a symlink")),
            Ok(found) if !found.is_dir() => return Err(refuse("the output folder is a file")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                parent.create_dir_all(name).map_err(io_error("create", name))?;
                fresh = true;
            }
            Err(error) => return Err(io_error("open", name)(error)),
        }
        let dir = parent.open_dir(name).map_err(io_error("open", name))?;
        let (open, made, put, written) = (Vec::new(), QuickSet::default(), BTreeSet::new(), Written::default());
        Ok(Self { dir, name: name.to_owned(), fresh, open, made, put, stats: BTreeMap::new(), written })
    }

    /// Puts one output in its place, where it is not there already.
    pub(super) fn put(&mut self, path: &str, data: &OutputData, source: &Source<'_>) -> Result<()> {
        ContentPath::from_disk(path)?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.enter(folder)?;
        if self.made.contains(path) {
            return Err(both(path, path));
        }
        let size = if self.here().1 { None } else { self.make_way(path, name)? };
        self.put.insert(path.to_owned());
        let there = match size {
            Some(size) => self.look(name, path, size, data)?,
            None => There::Other,
        };
        if let There::Same(stat) = there {
            self.stats.extend(stat.map(|stat| (path.to_owned(), stat)));
            return Ok(());
        }
        let content = bytes(data, source)?;
        // Where nothing was before, nobody can be reading what is replaced.
        let (dir, fresh) = self.here();
        let made = if fresh { make(dir, name, &content) } else { replace(dir, name, &content) };
        let file = made.map_err(|error| self.failed("write", path, error))?;
        if matches!(data, OutputData::Bytes(_)) {
            self.stats.extend(stat_of(&file).map(|stat| (path.to_owned(), stat)));
        }
        let list = if size.is_some() { &mut self.written.changed } else { &mut self.written.added };
        list.push(path.to_owned());
        Ok(())
    }

    /// Leaves a file as it is.
    pub(super) fn keep(&mut self, path: String) {
        self.put.insert(path);
    }

    /// Removes what was not put there; what was done in all, and the files that hold rendered bytes.
    pub(super) fn finish(mut self) -> Result<(Written, BTreeMap<String, Stamp>)> {
        self.open.clear();
        if !self.fresh {
            let (_, removed) = self.remove_others(&self.dir, "", &self.put, 0)?;
            self.written.removed.extend(removed);
        }
        let mut written = self.written;
        written.added.sort_unstable();
        written.changed.sort_unstable();
        written.removed.sort_unstable();
        let now = SystemTime::now();
        let stamps = self.stats.into_iter().map(|(path, stat)| (path, Stamp::seen(stat, now))).collect();
        Ok((written, stamps))
    }

    /// The folder entered last, and whether it is new.
    fn here(&self) -> (&Dir, bool) {
        self.open.last().map_or((&self.dir, self.fresh), |open| (&open.dir, open.fresh))
    }

    /// Goes to a folder, making what is missing on the way.
    fn enter(&mut self, folder: &str) -> Result<()> {
        let (mut depth, mut end) = (0, 0);
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            end += usize::from(end > 0) + name.len();
            if self.open.get(depth).is_none_or(|open| open.name != name) {
                self.open.truncate(depth);
                let open = self.descend(&folder[..end], name)?;
                self.open.push(open);
            }
            depth += 1;
        }
        self.open.truncate(depth);
        Ok(())
    }

    fn descend(&mut self, path: &str, name: &str) -> Result<Open> {
        if self.put.contains(path) {
            return Err(both(path, path));
        }
        let (above, in_new) = self.here();
        let opened = |fd: OwnedFd, fresh| Open { name: name.to_owned(), dir: Dir::from(fd), fresh };
        let mut in_the_way = false;
        // A folder that this build made is there again when its turn comes twice, with nothing in it but what this build put there.
        let ours = self.made.contains(path);
        if !in_new || ours {
            match openat(above, name, FOLDER, Mode::empty()) {
                Ok(fd) => return Ok(opened(fd, ours)),
                Err(Errno::NOENT) => {}
                Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                    unlinkat(above, name, AtFlags::empty()).map_err(|e| self.failed("replace", path, e.into()))?;
                    in_the_way = true;
                }
                Err(error) => return Err(self.failed("open", path, error.into())),
            }
        }
        mkdirat(above, name, Mode::from_raw_mode(0o777)).map_err(|e| self.failed("create", path, e.into()))?;
        let fd = openat(above, name, FOLDER, Mode::empty()).map_err(|e| self.failed("open", path, e.into()))?;
        let open = opened(fd, true);
        if in_the_way {
            self.written.removed.push(path.to_owned());
        }
        self.made.insert(path.to_owned());
        Ok(open)
    }

    /// Clears what stands in the place of a file; the size of the file that is there.
    fn make_way(&mut self, path: &str, name: &str) -> Result<Option<u64>> {
        let dir = self.here().0;
        let found = match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.failed("open", path, error.into())),
        };
        match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => Ok(u64::try_from(found.st_size).ok()),
            FileType::Directory => {
                if has_below(&self.put, path) {
                    return Err(both(path, path));
                }
                let old = dir.open_dir(name).map_err(|error| self.failed("open", path, error))?;
                let (_, removed) = self.remove_others(&old, path, &BTreeSet::new(), 0)?;
                // A dot file below keeps the folder, and the error says so.
                dir.remove_dir(name).map_err(|error| self.failed("replace", path, error))?;
                self.written.removed.extend(removed);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Whether a file holds an output already.
    fn look(&self, name: &str, path: &str, size: u64, data: &OutputData) -> Result<There> {
        if let OutputData::Bytes(wanted) = data
            && size != wanted.len() as u64
        {
            return Ok(There::Other);
        }
        let read = |error: io::Error| self.failed("read", path, error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(self.here().0, name, flags, Mode::empty()).map_err(|error| read(error.into()))?;
        let mut found = Vec::with_capacity(usize::try_from(size).unwrap_or_default().saturating_add(1));
        let mut file = File::from(fd);
        // Before it is read, so that what is changed from now on differs from what is said of it.
        let stat = stat_of(&file);
        file.read_to_end(&mut found).map_err(read)?;
        match data {
            OutputData::Bytes(wanted) if found == **wanted => Ok(There::Same(stat)),
            OutputData::Bytes(_) => Ok(There::Other),
            OutputData::Copy(_, id) => {
                Ok(if Repository::blob_id(&found) == *id { There::Same(None) } else { There::Other })
            }
        }
    }

    /// Removes what is not kept below a folder; whether the folder is empty then, and what was removed.
    fn remove_others(
        &self,
        dir: &Dir,
        below: &str,
        keep: &BTreeSet<String>,
        depth: usize,
    ) -> Result<(bool, Vec<String>)> {
        let listed = |error| self.failed("list", below, error);
        let (mut empty, mut removed, mut folders) = (true, Vec::new(), Vec::new());
        for entry in dir.entries().map_err(listed)? {
            let entry = entry.map_err(listed)?;
            let name = entry.file_name();
            let Some(text) = name.to_str() else {
                empty = false;
                continue;
            };
            let path = if below.is_empty() { text.to_owned() } else { format!("{below}/{text}") };
            if entry.file_type().map_err(listed)?.is_dir() {
                folders.push((text.to_owned(), path));
            } else if text.starts_with(TEMPORARY) || (!text.starts_with('.') && !keep.contains(&path)) {
                dir.remove_file(text).map_err(|error| self.failed("remove", &path, error))?;
                removed.extend((!text.starts_with(TEMPORARY)).then_some(path));
            } else {
                empty = false;
            }
        }
        let inside = |(name, path): &(String, String)| {
            let ours = self.made.contains(path);
            let foreign = (name.starts_with('.') && !has_below(keep, path)) || depth >= DEPTH;
            if ours || foreign {
                return Ok((false, Vec::new()));
            }
            let inner = dir.open_dir(name).map_err(|error| self.failed("open", path, error))?;
            let (empty, removed) = self.remove_others(&inner, path, keep, depth + 1)?;
            drop(inner);
            if empty {
                dir.remove_dir(name).map_err(|error| self.failed("remove", path, error))?;
            }
            Ok((empty, removed))
        };
        let inside: Vec<(bool, Vec<String>)> = folders.par_iter().map(inside).collect::<Result<_>>()?;
        for (gone, others) in inside {
            empty &= gone;
            removed.extend(others);
        }
        Ok((empty, removed))
    }

    fn failed(&self, action: &'static str, path: &str, error: io::Error) -> Error {
        io_error(action, &format!("{}/{path}", self.name))(error)
    }
}

/// Writes a new file in a new folder.
fn make(dir: &Dir, name: &str, content: &[u8]) -> io::Result<File> {
    let mut file = match open_new(dir, name) {
        Ok(file) => file,
        Err(Errno::EXIST) => return replace(dir, name, content),
        Err(error) => return Err(error.into()),
    };
    file.write_all(content).inspect_err(|_| {
        // The first error is the one to tell; the next build puts in order what is left.
        let _ = unlinkat(dir, name, AtFlags::empty());
    })?;
    Ok(file)
}

/// Writes a file beside its place and renames it there.
fn replace(dir: &Dir, name: &str, content: &[u8]) -> io::Result<File> {
    // The name is kept short: `name` may already be as long as the disk allows.
    let stem: String = name.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let temporary = format!("{TEMPORARY}{}-{stem}", std::process::id());
    let written = create(dir, &temporary).and_then(|mut file| file.write_all(content).map(|()| file));
    let done = written.and_then(|file| Ok(renameat(dir, &temporary, dir, name).map(|()| file)?));
    if done.is_err() {
        // The first error is the one to tell; a left-over is removed by the next call.
        let _ = unlinkat(dir, &temporary, AtFlags::empty());
    }
    done
}

/// A new file, in place of a left-over of the same name.
fn create(dir: &Dir, name: &str) -> io::Result<File> {
    match open_new(dir, name) {
        Err(Errno::EXIST) => {
            unlinkat(dir, name, AtFlags::empty())?;
            Ok(open_new(dir, name)?)
        }
        other => Ok(other?),
    }
}

fn open_new(dir: &Dir, name: &str) -> Result<File, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(dir, name, flags, Mode::from_raw_mode(0o666)).map(File::from)
}

/// Whether a path below a folder is kept.
fn has_below(keep: &BTreeSet<String>, folder: &str) -> bool {
    let start = format!("{folder}/");
    keep.range(start.clone()..).next().is_some_and(|path| path.starts_with(&start))
}
