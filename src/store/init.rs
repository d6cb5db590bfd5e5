//! A new site: in an empty folder, or beside other things in an existing repository.

use std::fs;
use std::path::Path;

use git2::{IndexEntry, IndexTime, RepositoryInitOptions};

use super::disk::{Disk, There};
use super::failure::{git_error, io_error};
use super::message::ORIGIN;
use super::project::Step;
use super::revision::Note;
use super::tree::{self, Entry, MODE_FILE};
use super::{OpenOptions, Repository, places, refs, refusal};
use crate::error::{Error, Result};
use crate::model::ContentPath;

const ATTRIBUTES: &str = ".gitattributes";
const IGNORE: &str = ".gitignore";

impl Repository {
    /// Makes a site of these files and commits exactly them. Existing files are never overwritten: if one of them is
    /// there, nothing is done. `.gitattributes` and `.gitignore` of the site are added where there are none.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], or what forbids writing to the repository.
    pub fn init(
        site_dir: &Path,
        files: &[(ContentPath, Vec<u8>)],
        message: &str,
        options: OpenOptions,
    ) -> Result<Self> {
        let shown = site_dir.display().to_string();
        if !files.iter().any(|(path, _)| path.as_str() == places::CONFIG) {
            return Err(Error::InvalidArguments {
                field: "files".into(),
                problem: "site.yaml is missing".into(),
                example: "site.yaml".into(),
            });
        }
        fs::create_dir_all(site_dir).map_err(io_error("write", &shown))?;
        let site_dir = fs::canonicalize(site_dir).map_err(io_error("read", &shown))?;
        check_free(&Disk::open(&site_dir)?, files)?;
        let none: [&Path; 0] = [];
        let git = if git2::Repository::discover_path(&site_dir, none).is_ok() {
            refusal::open(&site_dir)?
        } else {
            create(&site_dir)?
        };
        let repository = Self::with(&site_dir, &git, options)?;
        let lock = repository.lock()?;
        if let Some((state, cure)) = refusal::state(&git, repository.branch()) {
            return Err(Error::RepositoryState { state, cure });
        }
        repository.first_commit(&git, files, message).map_err(|error| repository.explain(error))?;
        drop(lock);
        Ok(repository)
    }

    fn first_commit(&self, git: &git2::Repository, files: &[(ContentPath, Vec<u8>)], message: &str) -> Result<()> {
        let mut all = files.to_vec();
        for (name, text) in [(ATTRIBUTES, attributes(self.output())), (IGNORE, IGNORED.to_owned())] {
            let given = all.iter().any(|(path, _)| path.as_str() == name);
            if !given && matches!(self.disk().read(name)?, There::Nothing) {
                all.push((ContentPath::from_disk(name)?, text.into_bytes()));
            }
        }
        let (mut changes, mut steps) = (Vec::new(), Vec::new());
        for (path, bytes) in &all {
            let id = git.blob(bytes).map_err(git_error("write a blob"))?;
            let entry = Some(Entry { id, mode: MODE_FILE });
            changes.push((self.whole(path.as_str()), entry));
            steps.push(Step { path: path.clone(), expected: None, new: entry });
        }
        let head = self.head(git)?;
        let tree = tree::update(git, refs::tree_of(git, head)?, &changes)?;
        let note = Note { message: message.to_owned(), trailers: vec![(ORIGIN.into(), "edit".into())] };
        let parents: Vec<_> = head.into_iter().collect();
        let commit = self.commit(git, tree, &parents, &self.author(git), &note)?;
        let projection = self.prepare(git, steps)?;
        self.durable()?;
        let branch = format!("refs/heads/{}", self.branch());
        refs::move_ref(git, &branch, head, Some(commit), "sitewright: init")?;
        self.durable()?;
        let left = projection.apply()?;
        self.durable()?;
        if let Some(path) = left.first() {
            return Err(Error::AlreadyExists { what: path.to_string() });
        }
        add_to_index(git, &changes)
    }
}

/// Tells the index about files that were just committed, so that `git status` is clean.
pub(super) fn add_to_index(git: &git2::Repository, changes: &[(String, Option<Entry>)]) -> Result<()> {
    let action = git_error("write the index");
    let mut index = git.index().map_err(&action)?;
    for (path, entry) in changes {
        let Some(entry) = entry else { continue };
        let bytes = git.find_blob(entry.id).map_err(&action)?;
        let zero = IndexTime::new(0, 0);
        let entry = IndexEntry {
            ctime: zero,
            mtime: zero,
            dev: 0,
            ino: 0,
            mode: u32::try_from(entry.mode).unwrap_or(0o100_644),
            uid: 0,
            gid: 0,
            file_size: 0,
            id: bytes.id(),
            flags: 0,
            flags_extended: 0,
            path: path.clone().into_bytes(),
        };
        index.add(&entry).map_err(&action)?;
    }
    index.write().map_err(&action)
}

fn check_free(disk: &Disk, files: &[(ContentPath, Vec<u8>)]) -> Result<()> {
    for (path, bytes) in files {
        let name = path.as_str();
        if !places::in_site(name) && !matches!(name, ATTRIBUTES | IGNORE) {
            return Err(Error::InvalidPath { path: name.into(), problem: "it is no file of a site".into() });
        }
        match disk.read(name)? {
            There::Nothing => {}
            // A run that was interrupted after its files were written may be repeated.
            there @ There::File { .. } if there.id() == Some(Repository::blob_id(bytes)) && name != places::CONFIG => {}
            _ => return Err(Error::AlreadyExists { what: name.into() }),
        }
    }
    Ok(())
}

/// A repository of the kind every git and libgit2 can open, whatever this machine's git would make by default.
pub(super) fn create(folder: &Path) -> Result<git2::Repository> {
    let mut options = RepositoryInitOptions::new();
    // No template: it could bring hooks along.
    options.external_template(false).no_reinit(true).initial_head("main");
    options.object_format(git2::ObjectFormat::Sha1);
    git2::Repository::init_opts(folder, &options).map_err(git_error("make a repository"))
}

fn attributes(output: &str) -> String {
    let sources = places::FOLDERS.map(|folder| format!("/{folder}/** -text\n")).concat();
    format!("/{} -text\n{sources}/{output}/** -text linguist-generated gitlab-generated\n", places::CONFIG)
}

const IGNORED: &str = "/.sitewright/var/\n/.sitewright/feedback/\n";
