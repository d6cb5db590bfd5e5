//! A new site: theme, first pages, first commit; in an empty folder, an existing repository, or a folder inside one. And what its host
//! wants, then or later.

use std::path::Path;

use super::{Settings, Site, starter};
use crate::build::{Scope, hosting};
use crate::error::{Error, Result};
use crate::model::config::{Host, Layout};
use crate::model::{Config, ContentPath, PathKind, Snapshot};
use crate::store::{Footprint, Note, OpenOptions, Repository, TopLevel};

const CONFIG: &str = "site.yaml";

/// Makes a new site in `folder` and opens it. Existing files are never overwritten.
///
/// # Errors
/// `AlreadyExists` where there is a `site.yaml` already, and what writing can fail with.
pub fn init(folder: &Path, title: &str, host: Option<Host>, settings: Settings) -> Result<Site> {
    let mut files = starter::files(title);
    if let Some(host) = host {
        for (path, bytes) in files.iter_mut().filter(|(path, _)| path.as_str() == CONFIG) {
            let text = String::from_utf8_lossy(bytes);
            *bytes =
                with_host(path, &text, host, true).ok_or_else(|| Error::internal("no host in the starter"))?.into();
        }
    }
    let options =
        OpenOptions { clock: settings.clock.clone(), author: settings.author.clone(), ..OpenOptions::default() };
    Repository::init(folder, &files, &format!("Start site {title}"), options)?;
    Site::open(folder, settings)
}

/// What became of [`host`].
#[derive(Debug)]
pub struct Hosted {
    /// Files at the top of the repository.
    pub files: TopLevel,
    /// Whether `site.yaml` names the host: it did, or it was written just now. Else the person has to.
    pub configured: bool,
    /// Whether the host serves a branch of its own and `publish.layout` makes none.
    pub wants_branch: bool,
    /// What a person still does by hand.
    pub advice: &'static str,
}

/// Sets an existing site up for a host. Nothing that is there is overwritten.
///
/// # Errors
/// `InvalidConfig`, `RepositoryState`, and what writing can fail with.
pub fn host(site: &Site, host: Host) -> Result<Hosted> {
    let configured = configure(site, host)?;
    let repository = site.repository();
    let library = site.build(&*repository.working()?, Scope::Nothing, false, None)?.library;
    let output = match repository.prefix() {
        "" => repository.output().to_owned(),
        prefix => format!("{prefix}/{}", repository.output()),
    };
    let place = hosting::Place { branch: repository.branch(), output: &output };
    let files: Vec<(String, Vec<u8>)> =
        hosting::files(host, &library, place).into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    let files = repository.add_top_level(&files, &format!("Set up {} as the site's host", host.name()))?;
    // Codeberg knows branches only.
    let wants_branch = host == Host::Codeberg && !library.config.publish.layout.has_branch();
    Ok(Hosted { files, configured, wants_branch, advice: hosting::advice(host) })
}

/// Names the host in `site.yaml` where none is named.
fn configure(site: &Site, host: Host) -> Result<bool> {
    let path = ContentPath::from_disk(CONFIG)?;
    let mut transaction = site.repository().begin()?;
    let text = transaction.base().text(CONFIG).unwrap_or_default().to_owned();
    let named = Config::load(transaction.base())?.0.publish.host;
    if named.is_some() {
        return Ok(named == Some(host));
    }
    let Some(text) = with_host(&path, &text, host, false) else { return Ok(false) };
    transaction.stage(path, Some(text.into_bytes()))?;
    let note = Note { message: format!("Name {} as the site's host", host.name()), trailers: Vec::new() };
    transaction.commit(&note, &Footprint { kinds: vec![PathKind::Config], paths: None })?;
    Ok(true)
}

/// `site.yaml` with the host in it and nothing else changed; `None` where that cannot be done by adding lines.
fn with_host(path: &ContentPath, text: &str, host: Host, new: bool) -> Option<String> {
    // Codeberg knows branches only; a site that is live already is not moved there unasked.
    let layout = if new && host == Host::Codeberg { "  layout: branch\n" } else { "" };
    let added = format!("  host: {}\n{layout}", host.name());
    let at = text.match_indices("publish:").find(|(at, _)| *at == 0 || text[..*at].ends_with('\n'));
    let ended = |text: &str| if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let written = if let Some((at, _)) = at {
        let (before, after) = text.split_at(text[at..].find('\n').map_or(text.len(), |line| at + line + 1));
        format!("{before}{}{added}{after}", ended(before))
    } else {
        format!("{text}{}\npublish:\n{added}", ended(text))
    };
    let read = |text: &str| {
        let mut only = Snapshot::default();
        only.set(path.clone(), Some(Repository::file(text.as_bytes().to_vec())));
        Config::load(&only).ok().map(|(config, _)| config)
    };
    let (mut wanted, found) = (read(text)?, read(&written)?);
    wanted.publish.host = Some(host);
    if !layout.is_empty() {
        wanted.publish.layout = Layout::Branch;
    }
    (wanted == found).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_added_and_nothing_else_changes() {
        let path = ContentPath::from_disk(CONFIG).unwrap();
        let add = |text: &str| with_host(&path, text, Host::Netlify, false);
        assert_eq!(add("title: T\n").unwrap(), "title: T\n\npublish:\n  host: netlify\n");
        assert_eq!(add("title: T").unwrap(), "title: T\n\npublish:\n  host: netlify\n");
        let block = "publish: # how\n  history: linear\ntitle: T\n";
        assert_eq!(add(block).unwrap(), "publish: # how\n  host: netlify\n  history: linear\ntitle: T\n");
        // Written on one line or deeper: a person does it.
        assert_eq!(add("publish: { history: linear }\n"), None);
        assert_eq!(add("publish:\n    history: linear\n"), None);
        assert!(
            with_host(&path, "title: T\n", Host::Codeberg, true)
                .unwrap()
                .ends_with("host: codeberg\n  layout: branch\n")
        );
    }
}
