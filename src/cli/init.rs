//! `init`: a new site.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sitewright::error::{Error, Result};
use sitewright::model::config::Host;
use sitewright::site::{Settings, Site};

use super::arguments::Init;
use super::{Outcome, locate, print};

pub(super) fn init(arguments: &Init, site: Option<&Path>) -> Result<Outcome> {
    let folder = arguments.folder.as_deref().or(site).unwrap_or(Path::new("."));
    let shown = folder.display();
    let folder = absolute(folder)?;
    let title = match &arguments.title {
        Some(title) => title.trim().to_owned(),
        None => title_of(&folder),
    };
    let settings = Settings { clock: Arc::new(jiff::Timestamp::now), author: None };
    let made = match (sitewright::site::init::init(&folder, &title, arguments.host, settings), arguments.host) {
        // Without a title a site that is there is meant, not a new one.
        (Err(Error::AlreadyExists { .. }), Some(host)) if arguments.title.is_none() => {
            let there = locate::open(Some(&folder))?;
            set_up(&there, host)?;
            return Ok(Outcome::Done);
        }
        (made, _) => made?,
    };
    let binary = std::env::current_exe().map_or_else(|_| "sitewright".into(), |path| path.display().to_string());
    print::out(&format!(
        "Made the site \"{title}\" in {shown}, first commit on {}.\n\n\
         Look at it:        sitewright preview --site {shown}\n\
         Connect an agent:  claude mcp add sitewright -- {binary} serve --site {}\n",
        made.repository().branch(),
        quoted(&folder),
    ));
    if let Some(host) = arguments.host {
        set_up(&made, host)?;
    }
    Ok(Outcome::Done)
}

/// Sets a site up for a host and says what was done and what is left to do.
fn set_up(site: &Site, host: Host) -> Result<()> {
    let hosted = sitewright::site::init::host(site, host)?;
    let mut text = String::new();
    for path in &hosted.files.written {
        let _ = writeln!(text, "Wrote {path} and committed it.");
    }
    for path in &hosted.files.kept {
        let _ = writeln!(text, "Left {path} as it is: it was there before.");
    }
    if !hosted.configured {
        let _ = writeln!(text, "Add to site.yaml, below `publish:` -> host: {}", host.name());
    }
    if hosted.wants_branch {
        let _ = writeln!(
            text,
            "Add to site.yaml, below `publish:` -> layout: branch, and publish: {} serves a branch whose root is the output. \
             The layout of a site that is there is not changed unasked, because public/ leaves its publish branch then.",
            host.name()
        );
    }
    let _ = writeln!(text, "{}", hosted.advice);
    print::out(&text);
    Ok(())
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    std::path::absolute(folder).map_err(|source| Error::Io {
        action: "find",
        path: folder.display().to_string(),
        source,
    })
}

/// `my-site` becomes `My site`.
fn title_of(folder: &Path) -> String {
    let clean: PathBuf = folder.components().collect();
    let name = clean.file_name().map(|name| name.to_string_lossy().replace(['-', '_'], " ")).unwrap_or_default();
    let mut letters = name.trim().chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "My site".into(),
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_makes_a_title() {
        for (folder, title) in [("/x/my-site", "My site"), ("/x/über_uns/", "Über uns"), ("/", "My site")] {
            assert_eq!(title_of(Path::new(folder)), title);
        }
    }

    #[test]
    fn paths_survive_the_shell() {
        assert_eq!(quoted(Path::new("/a/b-c.d")), "/a/b-c.d");
        assert_eq!(quoted(Path::new("/it's here")), "'/it'\\''s here'");
    }
}
