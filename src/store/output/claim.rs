//! Whether a folder that somebody names may be made to hold exactly a build: files it has besides would be removed.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::error::{Error, Result};
use crate::store::failure::io_error;

/// Marks a folder that an earlier build made. Hidden, so that no output and no host cares.
const MARK: &str = ".sitewright-output";

/// Makes the folder where it is missing, marks it, and opens its parent. It has to be new, empty, or made by a build.
///
/// # Errors
/// `InvalidArguments` for a folder that holds something else.
pub(super) fn claim(folder: &Path) -> Result<(Dir, String)> {
    let shown = folder.display().to_string();
    let refuse = |problem: &str| Error::InvalidArguments {
        field: "output".into(),
        problem: format!("{shown} {problem}"),
        example: "--output ../dist, a new or empty folder".into(),
    };
    std::fs::create_dir_all(folder).map_err(io_error("create", &shown))?;
    let folder = folder.canonicalize().map_err(io_error("open", &shown))?;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(|name| name.to_str())) else {
        return Err(refuse("is no folder that could be an output"));
    };
    let parent = Dir::open_ambient_dir(parent, ambient_authority()).map_err(io_error("open", &shown))?;
    let dir = parent.open_dir(name).map_err(io_error("open", &shown))?;
    let empty = dir.entries().map_err(io_error("read", &shown))?.next().is_none();
    if !empty && !dir.is_file(MARK) {
        return Err(refuse("holds other files, which would be removed"));
    }
    let text = "Made by sitewright build. Everything here is rewritten by the next one.\n";
    dir.write(MARK, text).map_err(io_error("write", &shown))?;
    Ok((parent, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::claim;

    #[test]
    fn a_folder_with_other_files_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("precious.txt"), "x").unwrap();
        assert_eq!(claim(dir.path()).unwrap_err().code(), "invalid_arguments");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "not even marked");
        let new = dir.path().join("a/b");
        assert_eq!(claim(&new).unwrap().1, "b");
        std::fs::write(new.join("index.html"), "x").unwrap();
        claim(&new).unwrap();
    }
}
