//! What the kernel says happened in the site's folders since it was asked last, in step with the caller.
//!
//! The `notify` crate tells of changes from a thread of its own and cannot say whether it is behind, which is right for a preview and
//! wrong for an edit that must not miss what a person saved a moment before. Here the queue is read by whoever looks at the
//! working tree: the kernel puts an event there before the write that caused it returns.

use std::collections::BTreeSet;

/// What was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// These paths may have changed, and what is below them.
    Paths(BTreeSet<String>),
    /// Anything may have: events were lost.
    Lost,
    /// Nothing will be heard any more.
    Deaf,
}

#[cfg(target_os = "linux")]
pub(super) use linux::Events;
#[cfg(not(target_os = "linux"))]
pub(super) use nowhere::Events;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::{Path, PathBuf};

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
    use rustix::io::Errno;

    use super::{BTreeSet, Heard};
    use crate::store::places;

    /// File systems that tell of every change, whoever makes it: ext, btrfs, xfs, tmpfs, f2fs, zfs, bcachefs. Not those that others write to
    /// behind the kernel's back: network shares, folders shared with a virtual machine.
    const TELLING: [u64; 7] = [0xEF53, 0x9123_683E, 0x5846_5342, 0x0102_1994, 0xF2F5_2010, 0x2FC1_2FC1, 0xCA45_1A4E];

    /// The kernel's queue of one site.
    #[derive(Debug)]
    pub(in crate::store::scan) struct Events {
        queue: OwnedFd,
        root: PathBuf,
        folders: BTreeMap<i32, String>,
        watches: BTreeMap<String, i32>,
    }

    impl Events {
        /// Begins to listen at the site's root; `None` where the system or the file system does not tell.
        pub(in crate::store::scan) fn start(root: &Path) -> Option<Self> {
            let kind = u64::try_from(rustix::fs::statfs(root).ok()?.f_type).ok()?;
            if !TELLING.contains(&kind) {
                return None;
            }
            let queue = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            let mut events = Self { queue, root: root.to_owned(), folders: BTreeMap::new(), watches: BTreeMap::new() };
            events.watch("").then_some(events)
        }

        /// Listens in a folder too, from before it is read. `false` where the system refuses.
        pub(in crate::store::scan) fn watch(&mut self, folder: &str) -> bool {
            let wanted = WatchFlags::CREATE
                | WatchFlags::MODIFY
                | WatchFlags::ATTRIB
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::DELETE
                | WatchFlags::MOVE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR
                | WatchFlags::DONT_FOLLOW;
            match inotify::add_watch(&self.queue, self.root.join(folder), wanted) {
                Ok(watch) => {
                    if let Some(old) = self.folders.insert(watch, folder.to_owned())
                        && old != folder
                    {
                        self.watches.remove(&old);
                    }
                    self.watches.insert(folder.to_owned(), watch);
                    true
                }
                // Gone since it was listed: the folder above has told of it.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => true,
                Err(error) => {
                    tracing::warn!(%error, "the system tells of no more changes; every call looks at all files");
                    false
                }
            }
        }

        /// No longer listens in a folder and what is below it.
        pub(in crate::store::scan) fn forget(&mut self, folder: &str) {
            let below = format!("{folder}/");
            let inside = self.watches.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below));
            let gone: Vec<String> = inside.map(|(name, _)| name.clone()).chain([folder.to_owned()]).collect();
            for name in gone {
                if let Some(watch) = self.watches.remove(&name) {
                    self.folders.remove(&watch);
                    // Already gone with its folder, as often as not.
                    let _ = inotify::remove_watch(&self.queue, watch);
                }
            }
        }

        /// Everything the kernel has told up to now.
        pub(in crate::store::scan) fn hear(&mut self) -> Heard {
            let mut heard = Heard::Paths(BTreeSet::new());
            let mut buffer = [MaybeUninit::uninit(); 16 << 10];
            let mut ignored = Vec::new();
            let mut reader = inotify::Reader::new(&self.queue, &mut buffer);
            loop {
                let event = match reader.next() {
                    Ok(event) => event,
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => continue,
                    Err(error) => {
                        tracing::warn!(%error, "the system tells of no more changes; every call looks at all files");
                        return Heard::Deaf;
                    }
                };
                let what = event.events();
                if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                    heard = lost(heard);
                    continue;
                }
                let Some(folder) = self.folders.get(&event.wd()) else { continue };
                let name = event.file_name().map(|name| name.to_str().map(str::to_owned));
                // A folder that came, went or moved may carry its watch along under another name: all is looked at, and listened to anew.
                let of_folder = what.contains(ReadFlags::ISDIR) && name.is_some();
                heard = Self::told(heard, folder, what, name);
                if of_folder && !folder.is_empty() {
                    heard = lost(heard);
                }
                if what.contains(ReadFlags::IGNORED) {
                    ignored.push(event.wd());
                }
            }
            for watch in ignored {
                if let Some(folder) = self.folders.remove(&watch) {
                    self.watches.remove(&folder);
                }
            }
            heard
        }

        fn told<E>(heard: Heard, folder: &str, what: ReadFlags, name: Option<Result<String, E>>) -> Heard {
            let is_root = folder.is_empty();
            match name {
                None if what == ReadFlags::ATTRIB | ReadFlags::ISDIR || what == ReadFlags::ATTRIB => heard,
                None if is_root => Heard::Deaf,
                // Something without a plain name is told of by the folder it is in.
                None | Some(Err(_)) if !is_root => also(heard, folder.to_owned()),
                Some(Ok(name)) if is_root => {
                    if places::FOLDERS.contains(&name.as_str()) || name == places::CONFIG {
                        also(heard, name)
                    } else {
                        heard
                    }
                }
                // Its rules are about anything below.
                Some(Ok(name)) if name == ".gitignore" => lost(heard),
                Some(Ok(name)) if name == ".git" => also(heard, folder.to_owned()),
                Some(Ok(name)) => also(heard, format!("{folder}/{name}")),
                _ => heard,
            }
        }
    }

    fn also(heard: Heard, path: String) -> Heard {
        match heard {
            Heard::Paths(mut paths) => {
                paths.insert(path);
                Heard::Paths(paths)
            }
            other => other,
        }
    }

    fn lost(heard: Heard) -> Heard {
        if heard == Heard::Deaf { heard } else { Heard::Lost }
    }
}

#[cfg(not(target_os = "linux"))]
mod nowhere {
    use std::path::Path;

    use super::Heard;

    /// No system but Linux can be asked in step with the caller.
    #[derive(Debug)]
    pub(in crate::store::scan) enum Events {}

    impl Events {
        pub(in crate::store::scan) fn start(_: &Path) -> Option<Self> {
            None
        }

        pub(in crate::store::scan) fn watch(&mut self, _: &str) -> bool {
            match *self {}
        }

        pub(in crate::store::scan) fn forget(&mut self, _: &str) {
            match *self {}
        }

        pub(in crate::store::scan) fn hear(&mut self) -> Heard {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;

    use super::*;

    fn paths(names: &[&str]) -> Heard {
        Heard::Paths(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_change_is_heard_right_after_it_was_made() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("content/a")).unwrap();
        let mut events = Events::start(dir.path()).expect("temporary folders lie where changes are told");
        assert!(events.watch("content") && events.watch("content/a"));
        assert_eq!(events.hear(), paths(&[]));
        fs::write(dir.path().join("content/a/x.md"), "1").unwrap();
        assert_eq!(events.hear(), paths(&["content/a/x.md"]));
        assert_eq!(events.hear(), paths(&[]));
        fs::write(dir.path().join("README.md"), "1").unwrap();
        fs::write(dir.path().join("site.yaml"), "1").unwrap();
        assert_eq!(events.hear(), paths(&["site.yaml"]));
        fs::rename(dir.path().join("content/a"), dir.path().join("content/b")).unwrap();
        assert_eq!(events.hear(), Heard::Lost);
        fs::write(dir.path().join("content/.gitignore"), "*.tmp").unwrap();
        assert_eq!(events.hear(), Heard::Lost);
    }

    #[test]
    fn a_folder_under_a_new_name_is_heard_by_that_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("content/a")).unwrap();
        let mut events = Events::start(dir.path()).expect("temporary folders lie where changes are told");
        assert!(events.watch("content") && events.watch("content/a"));
        fs::rename(dir.path().join("content/a"), dir.path().join("content/b")).unwrap();
        events.hear();
        events.forget("content/a");
        events.forget("content/b");
        assert!(events.watch("content/b"));
        events.hear();
        fs::write(dir.path().join("content/b/x.md"), "1").unwrap();
        assert_eq!(events.hear(), paths(&["content/b/x.md"]));
    }

    #[test]
    fn a_root_that_moves_away_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("site");
        fs::create_dir(&root).unwrap();
        let mut events = Events::start(&root).expect("temporary folders lie where changes are told");
        fs::rename(&root, dir.path().join("elsewhere")).unwrap();
        assert_eq!(events.hear(), Heard::Deaf);
    }
}
