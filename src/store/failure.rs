//! Turns answers of libgit2 and the system into the errors a caller can act on.

use std::io;

use crate::error::Error;

/// Maps a libgit2 failure; for `map_err(git_error("write a blob"))`.
pub(crate) fn git_error(action: &'static str) -> impl Fn(git2::Error) -> Error {
    move |error| from_git(action, &error)
}

/// Maps a system failure on a site-relative path.
pub(crate) fn io_error<'a>(action: &'static str, path: &'a str) -> impl Fn(io::Error) -> Error + 'a {
    move |error| from_io(action, path, error)
}

fn from_git(action: &'static str, error: &git2::Error) -> Error {
    let text = error.message();
    // libgit2 keeps the system's answer only as text.
    let says = |needles: &[&str]| needles.iter().any(|n| text.contains(n));
    let path = || format!("the git directory ({action})");
    if says(&["No space left on device", "Disk quota exceeded"]) {
        Error::DiskFull { path: path() }
    } else if says(&["Read-only file system", "Permission denied", "Operation not permitted"]) {
        Error::ReadOnly { path: path() }
    } else if error.code() == git2::ErrorCode::Locked {
        Error::Busy { holder: format!("git holds a lock ({text})") }
    } else {
        Error::Git { action, reason: text.to_owned() }
    }
}

fn from_io(action: &'static str, path: &str, error: io::Error) -> Error {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull { path },
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied if action != "read" => {
            Error::ReadOnly { path }
        }
        _ => Error::Io { action, path, source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_answers_become_codes() {
        let code = |errno: i32| from_io("write", "content/a.md", io::Error::from_raw_os_error(errno)).code();
        assert_eq!(code(28), "disk_full");
        assert_eq!(code(122), "disk_full");
        assert_eq!(code(30), "read_only");
        assert_eq!(code(13), "read_only");
        assert_eq!(code(1), "read_only");
        assert_eq!(code(5), "io");
    }

    #[test]
    fn libgit2_answers_become_codes() {
        let code = |text: &str| from_git("write", &git2::Error::from_str(text)).code();
        assert_eq!(code("failed to write: No space left on device"), "disk_full");
        assert_eq!(code("failed to create: Read-only file system"), "read_only");
        assert_eq!(code("odd"), "git");
    }
}
