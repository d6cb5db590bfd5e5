//! Links in bodies: what they lead to, the href they become, and what is broken.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::address::{self, Base};
use super::broken::{Problem, draft_problem};
use super::escape;
use super::load::Parsed;
use super::names::Names;
use super::plan::{Job, Plan};
use super::source::Source;
use crate::model::{ContentPath, Library, LinkTarget, Page, Severity, SharedVec, Snapshot, relative};

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// `[text](target)`.
    Link,
    /// `![alt](target)`.
    Image,
    /// `[[target]]`.
    Wiki,
    /// `{{< ref "target" >}}`: a path or a page's name.
    Ref,
}

/// What a link turns out to be.
#[derive(Debug, Clone)]
pub(crate) struct Found<'r> {
    /// Where it leads.
    pub(crate) target: LinkTarget,
    /// What stands in the `href`, not HTML-escaped.
    pub(crate) href: Cow<'r, str>,
    /// The title of the page that a wikilink leads to: it may stand for its text.
    pub(crate) title: Option<String>,
    /// What is wrong with it.
    pub(crate) problem: Option<Problem>,
}

/// Everything a link can lead to.
#[derive(Clone, Copy)]
pub(crate) struct Finder<'a> {
    /// The sources.
    pub(crate) snapshot: &'a Snapshot,
    /// Pages.
    pub(crate) library: &'a Library,
    /// Their files, by page index.
    pub(crate) sources: &'a SharedVec<Option<Arc<Source>>>,
    /// Files and lists.
    pub(crate) plan: &'a Plan,
    /// Address of the site.
    pub(crate) base: &'a Base,
    /// Pages by name.
    pub(crate) names: &'a Names,
}

/// A target inside the site.
pub(super) enum Inside {
    Page(usize),
    /// URL path and source.
    File(String, ContentPath),
    /// URL path of something the engine makes.
    Listing(String),
}

impl Finder<'_> {
    /// The file of a page, parsed.
    #[must_use]
    pub(crate) fn parsed(&self, index: usize) -> Option<Arc<Parsed>> {
        let source = self.sources.get(index)?.as_ref()?;
        source.parsed(self.snapshot, &self.library.pages[index], &self.library.config.markdown)
    }

    /// The `href` of a link that is written as the address of a page and nothing else, as most are: where only that is asked, the
    /// page need not be looked at.
    #[must_use]
    pub(crate) fn own_href<'r>(&self, raw: &'r str, kind: Kind) -> Option<Cow<'r, str>> {
        let is_path = raw.starts_with('/') && kind != Kind::Wiki;
        let found = is_path.then(|| self.names.rooted(raw)).flatten()?;
        found.is_own.then(|| self.rooted_href(raw))
    }

    /// The `href` of the address of a page that has nothing to escape.
    fn rooted_href<'r>(&self, url: &'r str) -> Cow<'r, str> {
        if self.base.path() == "/" { Cow::Borrowed(url) } else { Cow::Owned(self.base.href(url)) }
    }

    /// Resolves a link of a page.
    #[must_use]
    pub(crate) fn resolve<'r>(&self, from: &Page, raw: &'r str, kind: Kind) -> Found<'r> {
        // Most links of most pages are paths from the root, which need not be looked at for hosts.
        let rooted = raw.starts_with('/') && !raw.starts_with("//");
        if rooted
            && kind != Kind::Wiki
            && let Some(found) = self.names.rooted(raw)
        {
            let page = &self.library.pages[found.page];
            let href = if found.is_own { self.rooted_href(raw) } else { Cow::Owned(self.base.href(&page.url)) };
            let problem = (!page.included && from.included).then(|| draft_problem(raw, page));
            return Found { target: LinkTarget::Page(page.path.clone(), None), href, title: None, problem };
        }
        let bases = [self.base.url(), self.library.config.base_url.as_str()];
        let rest = |base: &str| raw.strip_prefix(base).map(|rest| format!("/{rest}"));
        let own = if rooted { None } else { bases.into_iter().find_map(rest) };
        let inner = own.as_deref().unwrap_or(raw);
        if !rooted && kind != Kind::Wiki && is_external(inner) {
            return Found { target: LinkTarget::External, href: Cow::Borrowed(raw), title: None, problem: None };
        }
        let (rest, fragment) = split_once(inner, '#');
        let (path, query) = if kind == Kind::Wiki { (rest, None) } else { split_once(rest, '?') };
        let mut suffix = query.map(|query| format!("?{}", escape::url(query))).unwrap_or_default();
        if let Some(fragment) = fragment {
            suffix.push('#');
            suffix.push_str(&escape::url(&Self::fragment(kind, fragment)));
        }
        if path.is_empty() && query.is_none() {
            let problem = fragment.and_then(|fragment| self.anchor_problem(from, from, kind, fragment));
            let target = LinkTarget::Page(from.path.clone(), fragment.map(str::to_owned));
            return Found { target, href: Cow::Owned(suffix), title: title(from, kind), problem };
        }
        let path = escape::percent_decode(path);
        let (inside, mut problem) = self.inside(from, &path, kind);
        match inside {
            Some(Inside::Page(i)) => {
                let page = &self.library.pages[i];
                let unpublished = (!page.included && from.included).then(|| draft_problem(raw, page));
                let anchor = fragment.and_then(|fragment| self.anchor_problem(from, page, kind, fragment));
                problem = problem.or(unpublished).or(anchor);
                let target = LinkTarget::Page(page.path.clone(), fragment.map(str::to_owned));
                let mut href = self.base.href(&page.url);
                href.push_str(&suffix);
                Found { target, href: Cow::Owned(href), title: title(page, kind), problem }
            }
            Some(Inside::File(url, file)) => {
                let href = Cow::Owned(format!("{}{suffix}", self.base.href(&url)));
                Found { target: LinkTarget::File(file), href, title: None, problem }
            }
            Some(Inside::Listing(url)) => {
                let href = Cow::Owned(format!("{}{suffix}", self.base.href(&url)));
                Found { target: LinkTarget::Listing(url), href, title: None, problem }
            }
            None => {
                let problem = problem.or_else(|| Some(self.broken(from, raw, &path, kind)));
                let href = match path.strip_prefix('/') {
                    Some(rest) => Cow::Owned(format!("{}{suffix}", self.base.href(rest))),
                    None => escape::url(raw),
                };
                Found { target: LinkTarget::Broken, href, title: None, problem }
            }
        }
    }

    fn inside(&self, from: &Page, path: &str, kind: Kind) -> (Option<Inside>, Option<Problem>) {
        if kind == Kind::Wiki {
            return match self.named(from, path) {
                Some((i, problem)) => (Some(Inside::Page(i)), problem),
                None => (self.addressed(path), None),
            };
        }
        if let Some(found) = self.by_path(from, path) {
            return (Some(found), None);
        }
        if kind == Kind::Ref
            && let Some((i, problem)) = self.named(from, path)
        {
            return (Some(Inside::Page(i)), problem);
        }
        (None, None)
    }

    /// By content path (from the page's folder, then from `content/`), by URL (as a browser would), by file.
    fn by_path(&self, from: &Page, path: &str) -> Option<Inside> {
        if let Some(rest) = path.strip_prefix("@/") {
            return self.content(&format!("content/{rest}"));
        }
        if let Some(rest) = path.strip_prefix('/') {
            if let Some(rooted) = self.names.rooted(path) {
                return Some(Inside::Page(rooted.page));
            }
            return self
                .content(&format!("content/{rest}"))
                .or_else(|| self.url(path))
                .or_else(|| self.habit(rest))
                .or_else(|| {
                    // Written with the base path already, as it stands on the published site.
                    let inner = path.strip_prefix(self.base.path()).filter(|_| self.base.path() != "/")?;
                    self.url(&format!("/{inner}"))
                });
        }
        let beside = join(from.path.folder(), path);
        beside
            .and_then(|beside| self.content(&beside))
            .or_else(|| {
                join(address::folder_of(&from.url).trim_end_matches('/'), path)
                    .and_then(|url| self.url(&format!("/{}", url.trim_start_matches('/'))))
            })
            .or_else(|| if path.starts_with('.') { None } else { self.content(&format!("content/{path}")) })
            .or_else(|| if path.starts_with('.') { None } else { self.url(&format!("/{path}")) })
            .or_else(|| self.habit(path))
    }

    /// A page or asset by its path below the site's root; `.md` and `index.md` may be left out.
    fn content(&self, path: &str) -> Option<Inside> {
        let path = path.trim_end_matches('/');
        // A page's whole path has an ending.
        let has_ending = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
        if has_ending && let Some(&i) = self.library.by_path.get(path) {
            return Some(Inside::Page(i));
        }
        if self.names.is_asset(path)
            && let Some((file, _)) = self.asset(path)
        {
            return Some(file);
        }
        self.names.at(path).map(Inside::Page)
    }

    /// An asset below `content/` by its path, with the page that owns it.
    fn asset(&self, path: &str) -> Option<(Inside, usize)> {
        let mut folder = path.rsplit_once('/').map(|(folder, _)| folder);
        while let Some(at) = folder {
            let translated = self.library.config.further_languages().map(|tag| format!(".{tag}"));
            // A bundle that exists in another language only has its assets all the same.
            let tags = std::iter::once(String::new()).chain(translated);
            for name in tags.flat_map(|tag| [format!("index{tag}.md"), format!("_index{tag}.md")]) {
                let owner = self.library.by_path.get(format!("{at}/{name}").as_str());
                if let Some((&i, page)) = owner.map(|i| (i, &self.library.pages[*i]))
                    && let Ok(at) = page.assets.binary_search_by(|asset| asset.as_str().cmp(path))
                {
                    let asset = &page.assets[at];
                    let url = super::assets::url(page, asset);
                    return Some((Inside::File(url, asset.clone()), i));
                }
            }
            folder = at.rsplit_once('/').map(|(up, _)| up);
        }
        None
    }

    /// A page, file or list by its URL path.
    fn url(&self, path: &str) -> Option<Inside> {
        let url = address::clean(path)?;
        let page = self.library.by_url.get(&url).or_else(|| self.library.by_url.get(&format!("{url}/")));
        if let Some(&i) = page.or_else(|| self.names.by_alias(&url)) {
            return Some(Inside::Page(i));
        }
        let with_slash = format!("{}/", url.trim_end_matches('/'));
        for url in [&url, url.trim_end_matches('/'), &with_slash] {
            let output = address::output_path(url);
            match self.plan.jobs.get(&output) {
                Some(Job::Copy(file, _)) => return Some(Inside::File(url.to_owned(), file.clone())),
                Some(_) => return Some(Inside::Listing(url.to_owned())),
                None if super::outputs::is_reserved(&self.library.config, &output) => {
                    return Some(Inside::Listing(url.to_owned()));
                }
                None => {}
            }
        }
        let twin_of = url.strip_suffix("index.md").filter(|_| self.library.config.markdown.twins);
        let is_twin = twin_of.is_some_and(|folder| self.library.by_url.contains_key(folder));
        is_twin.then(|| Inside::Listing(url.clone()))
    }

    /// Source paths where addresses belong: `static/img/x.png`, `content/about.md`.
    fn habit(&self, path: &str) -> Option<Inside> {
        if let Some(rest) = path.strip_prefix("static/") {
            return self.url(&format!("/{rest}"));
        }
        path.starts_with("content/").then(|| self.content(path)).flatten()
    }

    /// A page by title, file name or path. The same language wins, then the same section; otherwise several are a warning.
    fn named(&self, from: &Page, name: &str) -> Option<(usize, Option<Problem>)> {
        let mut pages = self.names.get(name);
        let language = self.library.language_of(from);
        let is_near = |i: &usize| self.library.language_of(&self.library.pages[*i]) == language;
        let spoken: Vec<usize> =
            if pages.len() > 1 { pages.iter().copied().filter(is_near).collect() } else { Vec::new() };
        if !spoken.is_empty() {
            pages = &spoken;
        }
        let first = *pages.first()?;
        if pages.len() == 1 {
            return Some((first, None));
        }
        let near: Vec<usize> =
            pages.iter().copied().filter(|&i| self.library.pages[i].section == from.section).collect();
        if let [only] = near[..] {
            return Some((only, None));
        }
        let paths: Vec<&str> = pages.iter().take(5).map(|&i| self.library.pages[i].path.as_str()).collect();
        let problem = Problem {
            severity: Severity::Warning,
            code: "ambiguous_link",
            message: format!("`{name}` names {} pages: {}", pages.len(), paths.join(", ")),
            hint: format!(
                "Write the path of the page that is meant, such as `{}`.",
                paths[0].trim_start_matches("content/")
            ),
            refers: None,
        };
        Some((first, Some(problem)))
    }

    /// Wikilinks name a heading by its text.
    pub(super) fn fragment(kind: Kind, fragment: &str) -> String {
        if kind == Kind::Wiki { super::markdown::slug(fragment) } else { fragment.to_owned() }
    }
}

fn title(page: &Page, kind: Kind) -> Option<String> {
    (kind == Kind::Wiki).then(|| page.title.clone())
}

/// `text` before and after the first `at`.
fn split_once(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// A link from a folder, with its final slash.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    let mut joined = relative::resolve(folder, path)?;
    if path.ends_with('/') {
        joined.push('/');
    }
    Some(joined)
}

/// Whether a link names another host or a scheme.
#[must_use]
pub(crate) fn is_external(raw: &str) -> bool {
    if raw.starts_with("//") {
        return true;
    }
    raw.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn externals_and_joins() {
        for (raw, external) in
            [("https://x", true), ("//x", true), ("mailto:a@b", true), ("a/b:c", false), ("x.md", false), ("#a", false)]
        {
            assert_eq!(is_external(raw), external, "{raw}");
        }
        assert_eq!(join("content/blog", "../a.md").as_deref(), Some("content/a.md"));
        assert_eq!(join("content", "../../../a.md"), None);
        assert_eq!(join("content/blog", "./x/").as_deref(), Some("content/blog/x/"));
    }
}
