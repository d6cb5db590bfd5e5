//! Reads a file to upload, from folders that a person allowed, relative to a handle of the folder and never through a link.

use std::path::{Path, PathBuf};

use super::Repository;
use super::disk::{Disk, There};
use crate::error::{Error, Result};

impl Repository {
    /// The bytes of `file`, which lies in one of `folders`: named relative to one of them, or absolute.
    ///
    /// # Errors
    /// `RefusedFile` where no folder is allowed or the file lies in none, `NotFound`, `TooLarge` beyond `limit` bytes.
    pub fn read_upload(&self, folders: &[PathBuf], file: &str, limit: usize) -> Result<Vec<u8>> {
        let refused = |problem: &str| Error::RefusedFile { path: shown(file), problem: problem.into() };
        if folders.is_empty() {
            return Err(refused(
                "this server reads no local files: a person allows folders with `uploads.folders` or --uploads",
            ));
        }
        let mut known = false;
        for folder in folders {
            let folder = self.site_dir().join(folder);
            let Some(inside) = below(&folder, file) else { continue };
            known = true;
            let Ok(disk) = Disk::open(&folder) else { continue };
            match disk.read_at_most(&inside, limit)? {
                There::File { bytes, .. } if bytes.len() > limit => {
                    return Err(Error::TooLarge { what: shown(file), size: bytes.len(), limit });
                }
                There::File { bytes, .. } => return Ok(bytes),
                There::Other(what) => return Err(refused(&format!("it is {what}, or lies behind one"))),
                There::Nothing => {}
            }
        }
        if known {
            return Err(Error::NotFound { kind: "file", name: shown(file), near: Vec::new() });
        }
        Err(refused("it is in no folder that a person allowed, or its path has `..` or hidden parts"))
    }
}

/// The path below a folder, `/`-separated, of a file named relative to it or absolutely; nothing hidden, nothing upwards.
fn below(folder: &Path, file: &str) -> Option<String> {
    let path = Path::new(file);
    let inside = if path.is_absolute() { path.strip_prefix(folder).ok()? } else { path };
    let inside = inside.to_str()?;
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\0', '\\']);
    inside.split('/').all(plain).then(|| inside.to_owned())
}

/// The name for a message.
fn shown(file: &str) -> String {
    file.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_below_the_folder_are_named() {
        let folder = Path::new("/up/loads");
        for (file, inside) in [
            ("a.png", Some("a.png")),
            ("b/a.png", Some("b/a.png")),
            ("/up/loads/b/a.png", Some("b/a.png")),
            ("/up/loads2/a.png", None),
            ("/up/a.png", None),
            ("../a.png", None),
            ("b/../../a.png", None),
            ("/up/loads/../a.png", None),
            (".git/config", None),
            ("b/.env", None),
            ("", None),
            ("/up/loads", None),
            ("b//a.png", None),
        ] {
            assert_eq!(below(folder, file).as_deref(), inside, "{file}");
        }
    }
}
