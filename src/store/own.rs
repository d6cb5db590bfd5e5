//! Files of our own in a site's `.sitewright/` folder: the journal, feedback, briefs. No tool's path leads here.

use std::io::Write as _;

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt};

use super::Repository;
use super::disk::There;
use super::failure::io_error;
use crate::error::{Error, Result};

/// The folder.
const ROOT: &str = ".sitewright";
/// What is no business of git, whether or not the site's own `.gitignore` says so.
const VAR: &str = "var";
const IGNORE_ALL: &str = "*\n";

/// The `.sitewright/` folder of one site. Nothing is made before something is written.
#[derive(Debug, Clone)]
pub struct OwnFiles {
    repository: Repository,
}

/// A file that only grows. Each piece is one write, so that what several processes append does not mix.
#[derive(Debug)]
pub struct Growing {
    file: File,
    path: String,
}

/// A file as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFile {
    /// Its name in its folder.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
}

impl Repository {
    /// The site's `.sitewright/` folder.
    #[must_use]
    pub fn own_files(&self) -> OwnFiles {
        OwnFiles { repository: self.in_working() }
    }
}

impl OwnFiles {
    /// A file's bytes; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is no regular file.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let whole = whole(path)?;
        match self.repository.disk().read(&whole)? {
            There::File { bytes, .. } => Ok(Some(bytes)),
            There::Nothing => Ok(None),
            There::Other(what) => Err(refused(path, what)),
        }
    }

    /// Writes a whole file, in one step.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.write_pieces(path, &[bytes])
    }

    /// The same for a file that comes in pieces.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_pieces(&self, path: &str, pieces: &[&[u8]]) -> Result<()> {
        let whole = whole(path)?;
        self.ignore(path)?;
        self.repository.disk().temporary_of(&whole, pieces, None)?.place()
    }

    /// Writes a file that is not there yet, for nobody else on this machine to read; `false` where it is there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let (dir, name) = self.folder_of(path)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match dir.open_with(name, &options) {
            Ok(mut file) => file.write_all(bytes).map(|()| true).map_err(io_error("write", path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(io_error("write", path)(error)),
        }
    }

    /// Opens a file to append to, for nobody else on this machine to read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn grow(&self, path: &str) -> Result<Growing> {
        let (dir, name) = self.folder_of(path)?;
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let file = dir.open_with(name, &options).map_err(io_error("write", path))?;
        Ok(Growing { file, path: path.to_owned() })
    }

    /// The files of a folder in the order of their names; none where it is not there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(&self, folder: &str) -> Result<Vec<OwnFile>> {
        let fail = io_error("read", folder);
        let dir = match self.repository.disk().folder(&whole(folder)?) {
            Ok(dir) => dir,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let mut files = Vec::new();
        for entry in dir.entries().map_err(&fail)? {
            let entry = entry.map_err(&fail)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() && !name.starts_with('.') => {
                    files.push(OwnFile { name, bytes: metadata.len() });
                }
                _ => {}
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The names of a folder's folders, in order.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let fail = io_error("read", folder);
        let dir = match self.repository.disk().folder(&whole(folder)?) {
            Ok(dir) => dir,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail(error)),
        };
        let entries = dir.entries().map_err(&fail)?.filter_map(Result::ok);
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut names: Vec<String> = folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Removes a file, where it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, path: &str) -> Result<()> {
        self.repository.disk().remove(&whole(path)?)
    }

    /// The folder of a file, made where it is missing, and the file's name.
    fn folder_of<'a>(&self, path: &'a str) -> Result<(Dir, &'a str)> {
        let whole = whole(path)?;
        self.ignore(path)?;
        let (folder, _) = whole.rsplit_once('/').unwrap_or((ROOT, ""));
        let name = path.rsplit('/').next().unwrap_or(path);
        let dir = self.repository.disk().make_folder(folder).map_err(io_error("write", path))?;
        Ok((dir, name))
    }

    /// `var/` ignores itself: sites that are older than it have no line for it in their `.gitignore`.
    fn ignore(&self, path: &str) -> Result<()> {
        if path.split('/').next() != Some(VAR) {
            return Ok(());
        }
        let mark = format!("{ROOT}/{VAR}/.gitignore");
        match self.repository.disk().read(&mark)? {
            There::Nothing => self.repository.disk().temporary(&mark, IGNORE_ALL.as_bytes(), None)?.place(),
            _ => Ok(()),
        }
    }
}

impl Growing {
    /// Appends a piece.
    ///
    /// # Errors
    /// The disk is full, or gone.
    pub fn append(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).map_err(io_error("write", &self.path))
    }

    /// Waits until what was appended would survive a power cut.
    ///
    /// # Errors
    /// The disk failed.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(io_error("sync", &self.path))
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn bytes(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(io_error("read", &self.path))
    }
}

/// The path from the site's folder. Names here are ours; the check holds even where one was made from something else.
fn whole(path: &str) -> Result<String> {
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if path.split('/').all(plain) {
        Ok(format!("{ROOT}/{path}"))
    } else {
        Err(refused(path, "a name that is not plain"))
    }
}

fn refused(path: &str, problem: &str) -> Error {
    Error::InvalidPath { path: path.chars().take(100).collect(), problem: format!("it is {problem}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_below_the_folder() {
        assert_eq!(whole("var/journal/a-1.jsonl").unwrap(), ".sitewright/var/journal/a-1.jsonl");
        for bad in ["", "..", "a/../b", "/a", "a//b", ".hidden", "a/.b", "a b", "a\0", "ä"] {
            assert!(whole(bad).is_err(), "{bad}");
        }
    }
}
