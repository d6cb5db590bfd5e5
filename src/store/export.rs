//! Writes a build into a folder that the caller chose, or into the site's own output folder.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::output::{self, Source, Written};
use super::{Repository, failure};
use crate::error::{Error, Result};
use crate::model::Outputs;

/// Marks a folder as one whose other files may be removed. Hidden, so that no output and no host cares.
const MARK: &str = ".sitewright-output";

/// Makes a folder anywhere hold exactly these outputs. Files it has besides are removed, so it has to be new, empty, or
/// made by an earlier export.
///
/// # Errors
/// `InvalidPath` for a folder that holds something else, and what writing can fail with.
pub fn export(folder: &Path, outputs: &Outputs, source: &Source<'_>) -> Result<Written> {
    let shown = folder.display().to_string();
    let refuse = |problem: &str| Error::InvalidPath { path: shown.clone(), problem: problem.into() };
    std::fs::create_dir_all(folder).map_err(|error| failure::io_error("create", &shown)(error))?;
    let folder = folder.canonicalize().map_err(|error| failure::io_error("open", &shown)(error))?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(|name| name.to_str())) else {
        return Err(refuse("it is no folder that could be an output"));
    };
    let parent =
        Dir::open_ambient_dir(parent, ambient_authority()).map_err(|error| failure::io_error("open", &shown)(error))?;
    let dir = parent.open_dir(name).map_err(|error| failure::io_error("open", &shown)(error))?;
    let empty = dir.entries().map_err(|error| failure::io_error("read", &shown)(error))?.next().is_none();
    if !empty && !dir.is_file(MARK) {
        return Err(refuse("it holds other files, which would be removed; name a new or empty folder"));
    }
    dir.write(MARK, "Made by sitewright build. Everything here is rewritten by the next one.\n")
        .map_err(|error| failure::io_error("write", &shown)(error))?;
    output::write(&parent, name, outputs, source)
}

impl Repository {
    /// Makes the site's own output folder hold exactly these outputs.
    ///
    /// # Errors
    /// As [`output::write()`].
    pub fn refresh_output(&self, outputs: &Outputs, source: &Source<'_>) -> Result<Written> {
        let shown = self.site_dir().display().to_string();
        let site = Dir::open_ambient_dir(self.site_dir(), ambient_authority())
            .map_err(|error| failure::io_error("open", &shown)(error))?;
        output::write(&site, self.output(), outputs, source)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Output, OutputData};

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let output = Output { data: OutputData::Bytes(Arc::from(*b"x")), source: None };
        let outputs: Outputs = [("index.html".to_owned(), output.clone())].into();
        let none: &Source<'_> = &|_, _| unreachable!();
        std::fs::write(dir.path().join("precious.txt"), "x").unwrap();
        let refused = export(dir.path(), &outputs, none).unwrap_err();
        assert_eq!(refused.code(), "invalid_path");
        assert!(dir.path().join("precious.txt").exists() && !dir.path().join("index.html").exists());
        let new = dir.path().join("a/b");
        assert_eq!(export(&new, &outputs, none).unwrap().added, ["index.html"]);
        let other: Outputs = [("b.html".to_owned(), output)].into();
        assert_eq!(export(&new, &other, none).unwrap().removed, ["index.html"]);
    }
}
