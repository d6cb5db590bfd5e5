//! The files outside the site that say what git ignores: when one of them changes, everything is looked at again.

use std::path::PathBuf;

use super::Repository;
use super::stat::Stat;

/// Where the rules are, and how each file was; those below the site's own folders are looked at with everything else there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rules(Vec<(PathBuf, Option<Stat>)>);

impl Rules {
    pub(super) fn of(repository: &Repository, git: &git2::Repository) -> Self {
        let mut files = vec![git.commondir().join("info/exclude"), git.commondir().join("config")];
        let mut folder = repository.workdir().to_owned();
        files.push(folder.join(".gitignore"));
        for name in repository.prefix().split('/').filter(|name| !name.is_empty()) {
            folder.push(name);
            files.push(folder.join(".gitignore"));
        }
        let personal = [git2::Config::find_global(), git2::Config::find_xdg(), git2::Config::find_system()];
        files.extend(personal.into_iter().flatten());
        let named = git.config().and_then(|config| config.get_path("core.excludesFile")).ok();
        // Where git looks when the configuration names no other place.
        files.extend(named.or_else(|| Some(personal_folder()?.join("git/ignore"))));
        let stat = |file: PathBuf| {
            let found = std::fs::metadata(&file).ok().map(|found| Stat::of(&found));
            (file, found)
        };
        Self(files.into_iter().map(stat).collect())
    }
}

/// Where a person's own settings are, as git finds them.
pub(crate) fn personal_folder() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))
}
