//! Tells when a site's folders change on disk, at most once per burst of events.
//!
//! Watches `content/`, `themes/`, `static/`, `data/` with their sub-folders and the site's root without them, so that a
//! large folder beside the site costs nothing. Where the system cannot watch, the folders are scanned every two seconds.

use std::ffi::OsStr;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Folders of a site that are watched with everything below them.
const FOLDERS: [&str; 4] = ["content", "themes", "static", "data"];
/// The one watched file at the root.
const CONFIG: &str = "site.yaml";
/// How long it must be quiet before a burst counts as over.
const QUIET: Duration = Duration::from_millis(100);
/// A burst that never ends is reported this often.
const LONGEST_BURST: Duration = Duration::from_secs(1);
/// Time between two scans where watching does not work.
const SCAN_EVERY: Duration = Duration::from_secs(2);

enum Message {
    Changed,
    /// One of [`FOLDERS`] appeared or went away: its watch has to be set anew.
    Folder(&'static str),
    /// Events were lost or the watcher broke.
    Failed(String),
    Stop,
}

/// A running watch of one site; ends when dropped.
pub struct Watch {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches the site in `root` and calls `changed` after each burst of changes, on a thread of its own.
    pub fn start(root: &Path, changed: impl Fn() + Send + 'static) -> Self {
        // Events name canonical paths on some systems; compare like with like.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let root = root.canonicalize().unwrap_or(root);
        let (messages, received) = channel();
        let watcher = Notifier::new(&root, messages.clone());
        let thread =
            std::thread::Builder::new().name("watch".into()).spawn(move || run(&root, watcher, &received, &changed));
        if let Err(error) = &thread {
            tracing::warn!("cannot start the watching thread: {error}; changes on disk go unnoticed");
        }
        Self { messages, thread: thread.ok() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The system's watcher with the folders it is set on; `None` where the system refuses.
struct Notifier {
    watcher: Option<RecommendedWatcher>,
}

impl Notifier {
    fn new(root: &Path, messages: Sender<Message>) -> Self {
        let base = root.to_owned();
        let handler = move |event: notify::Result<notify::Event>| {
            let message = match event {
                Ok(event) => classify(&base, &event),
                Err(error) => Some(Message::Failed(error.to_string())),
            };
            if let Some(message) = message {
                // The receiver is gone only while the watch is being dropped.
                let _ = messages.send(message);
            }
        };
        let mut this = Self { watcher: None };
        match notify::recommended_watcher(handler) {
            Ok(watcher) => {
                this.watcher = Some(watcher);
                this.set(root, RecursiveMode::NonRecursive);
                for folder in FOLDERS {
                    this.set_folder(root, folder);
                }
            }
            Err(error) => tracing::warn!("this system cannot watch files ({error}); scanning every 2 s"),
        }
        this
    }

    /// Sets the watch on a folder, again if it was set before: the folder may be a new one of the same name.
    fn set_folder(&mut self, root: &Path, folder: &str) {
        let path = root.join(folder);
        if let Some(watcher) = &mut self.watcher {
            // Fails where there is no watch yet, which is as good.
            let _ = watcher.unwatch(&path);
        }
        // A symlinked folder is no part of the site.
        if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            self.set(&path, RecursiveMode::Recursive);
        }
    }

    fn set(&mut self, path: &Path, mode: RecursiveMode) {
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.watch(path, mode)
        {
            tracing::warn!("cannot watch {}: {error}; scanning every 2 s", path.display());
            self.watcher = None;
        }
    }
}

fn run(root: &Path, mut notifier: Notifier, received: &Receiver<Message>, changed: &dyn Fn()) {
    let mut scan = notifier.watcher.is_none().then(|| fingerprint(root));
    loop {
        let message =
            if scan.is_some() { received.recv_timeout(SCAN_EVERY) } else { received.recv().map_err(Into::into) };
        match message {
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let now = fingerprint(root);
                if scan != Some(now) {
                    scan = Some(now);
                    changed();
                }
                continue;
            }
            Ok(message) => handle(root, &mut notifier, message),
        }
        let burst = Instant::now();
        while burst.elapsed() < LONGEST_BURST {
            match received.recv_timeout(QUIET) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => handle(root, &mut notifier, message),
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        changed();
        if notifier.watcher.is_none() && scan.is_none() {
            scan = Some(fingerprint(root));
        }
    }
}

fn handle(root: &Path, notifier: &mut Notifier, message: Message) {
    match message {
        Message::Folder(folder) => notifier.set_folder(root, folder),
        Message::Failed(reason) => {
            tracing::warn!("watching failed ({reason}); scanning every 2 s");
            notifier.watcher = None;
        }
        Message::Changed | Message::Stop => {}
    }
}

/// What an event means for the site; `None`: nothing.
fn classify(root: &Path, event: &notify::Event) -> Option<Message> {
    if event.need_rescan() {
        return Some(Message::Changed);
    }
    match event.kind {
        // Reading a file for a build would otherwise start the next build.
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => return None,
        _ => {}
    }
    let mut relevant = false;
    for path in &event.paths {
        let Ok(relative) = path.strip_prefix(root) else { continue };
        if relative.components().count() == 1
            && let Some(folder) = FOLDERS.iter().find(|folder| relative == Path::new(folder))
        {
            return Some(Message::Folder(folder));
        }
        relevant |= is_source(relative);
    }
    relevant.then_some(Message::Changed)
}

/// Whether a path below the site's root can be a source file.
fn is_source(relative: &Path) -> bool {
    let mut components = relative.components();
    let Some(Component::Normal(first)) = components.next() else { return false };
    if components.as_path().as_os_str().is_empty() {
        return first == CONFIG || FOLDERS.iter().any(|folder| first == *folder);
    }
    FOLDERS.iter().any(|folder| first == *folder) && relative.iter().all(|name| !is_temporary(name))
}

/// Names that editors, this program and operating systems use for a moment only, and hidden ones.
fn is_temporary(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let extension = Path::new(name.as_ref()).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        || name == "4913"
        || matches!(extension.as_str(), "swp" | "swx" | "tmp" | "part" | "crdownload")
}

/// A number that differs when a source file was added, removed, renamed, resized or written.
fn fingerprint(root: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_file(&root.join(CONFIG), &mut hasher);
    for folder in FOLDERS {
        let walk = walkdir::WalkDir::new(root.join(folder)).follow_links(false).sort_by_file_name();
        let entries = walk.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_temporary(entry.file_name()));
        for entry in entries.filter_map(std::result::Result::ok) {
            if entry.file_type().is_file() {
                hash_file(entry.path(), &mut hasher);
            }
        }
    }
    hasher.finish()
}

fn hash_file(path: &Path, hasher: &mut DefaultHasher) {
    let found: Option<(PathBuf, u64, _)> =
        path.symlink_metadata().ok().map(|found| (path.to_owned(), found.len(), found.modified().ok()));
    found.hash(hasher);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_from_temporary_files_and_from_other_folders() {
        for path in
            ["site.yaml", "content/a.md", "themes/x/layouts/page.hbs", "static/a b.png", "data/x.yaml", "content"]
        {
            assert!(is_source(Path::new(path)), "{path}");
        }
        for path in [
            "public/index.html",
            "target/debug/x",
            "README.md",
            ".git/HEAD",
            "content/.hello.md.swp",
            "content/hello.md~",
            "content/.#hello.md",
            "content/#hello.md#",
            "content/4913",
            "content/hello.md.tmp",
            "content/.sitewright-x/a.md",
            "",
        ] {
            assert!(!is_source(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn the_fingerprint_follows_sources_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("content")).unwrap();
        let empty = fingerprint(dir.path());
        std::fs::write(dir.path().join("content/a.md"), "a").unwrap();
        let one = fingerprint(dir.path());
        assert_ne!(empty, one);
        std::fs::write(dir.path().join("content/.a.md.swp"), "a").unwrap();
        std::fs::write(dir.path().join("README.md"), "a").unwrap();
        assert_eq!(one, fingerprint(dir.path()));
        std::fs::write(dir.path().join("content/a.md"), "longer").unwrap();
        assert_ne!(one, fingerprint(dir.path()));
        std::fs::remove_file(dir.path().join("content/a.md")).unwrap();
        assert_eq!(empty, fingerprint(dir.path()));
    }
}
