//! Moves pages: the file or bundle or whole section, links to it, and a redirect from the old URL, in one revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::expand::{bundle_assets, moved};
use super::super::{Call, Site, address};
use super::references;
use super::remove::alias_patch;
use super::wiki::{self, Wikilink};
use crate::build::{Built, Scope};
use crate::error::{Error, Result};
use crate::model::{ContentPath, LinkTarget, PageKind, PathKind, Snapshot, front_matter, relative};
use crate::store::Transaction;

/// One move.
#[derive(Debug, Clone)]
pub struct Move {
    /// URL path or content path of an existing page or section.
    pub from: String,
    /// New content path.
    pub to: String,
    /// Etag the caller read.
    pub if_match: Option<String>,
}

/// What else a move does.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Old URLs lead to the new place, through aliases.
    pub redirect: bool,
    /// Menus of `site.yaml` follow: the caller may write it.
    pub menus: bool,
}

/// Every file that moves, old path to new.
pub(super) type Renames = BTreeMap<ContentPath, ContentPath>;

/// Moves pages, and what leads to them.
///
/// # Errors
/// `NotFound`, `AlreadyExists`, `Conflict`, `InvalidPath`.
pub fn relocate(site: &Site, call: &Call, moves: &[Move], how: How) -> Result<Written> {
    let mut kinds = vec![PathKind::Page, PathKind::ContentAsset];
    kinds.extend(how.menus.then_some(PathKind::Config));
    let live = etag::undecided(site)?;
    edit::run(site, call, &edit::footprint(kinds), |transaction, before| {
        stage_moves(site, transaction, before, live.as_deref(), moves, how)
    })
}

/// Stages moves in a transaction of the caller's.
///
/// # Errors
/// Those of [`relocate`].
pub(in crate::site) fn stage_moves(
    site: &Site,
    transaction: &mut Transaction<'_>,
    before: &Built,
    live: Option<&Snapshot>,
    moves: &[Move],
    how: How,
) -> Result<Staged> {
    let mut renames = Renames::new();
    let mut staged = Staged::new(String::new());
    for one in moves {
        check_etag(site, transaction, before, live, one, &mut staged)?;
        plan(transaction, before, one, &mut renames)?;
    }
    if renames.is_empty() {
        return Ok(Staged { message: "Move nothing".into(), ..staged });
    }
    let base = Arc::clone(transaction.base());
    let mut texts = moved_files(site, transaction, &base, &renames)?;
    let urls = new_urls(site, transaction, before, &renames)?;
    let mut rewritten = rewrite_links(before, &base, &renames, &urls, &mut texts);
    rewritten.extend(references::rewrite(&before.library, &base, &renames, &mut texts)?);
    rewritten.sort();
    rewritten.dedup();
    staged.message = message(moves, &renames);
    staged.trailers.extend(renames.iter().map(|(from, to)| moved(from, to)));
    if how.redirect {
        add_aliases(before, &renames, &urls, &mut texts, &mut staged)?;
    }
    if !rewritten.is_empty() {
        staged.notes.push(format!("links rewritten in {}", rewritten.join(", ")));
    }
    if let Some((text, entries)) = references::menus(&before.library, &base, &renames, &urls) {
        if how.menus {
            transaction.stage(ContentPath::from_disk("site.yaml")?, Some(text.into_bytes()))?;
            staged.notes.push(format!("menu entries rewritten in site.yaml: {}", entries.join(", ")));
        } else {
            staged.notes.push(format!("menu entries in site.yaml still name the old place: {}", entries.join(", ")));
        }
    }
    for (path, text) in texts {
        transaction.stage(path, Some(text.into_bytes()))?;
    }
    Ok(staged)
}

fn message(moves: &[Move], renames: &Renames) -> String {
    match (moves, renames.iter().next()) {
        ([one], Some((from, _))) => format!("Move {} to {}", address::shown(from), one.to),
        _ => format!("Move {} pages", moves.len()),
    }
}

/// Adds the files of one move to the plan.
fn plan(transaction: &Transaction<'_>, before: &Built, one: &Move, renames: &mut Renames) -> Result<()> {
    let index = address::page(&before.library, &one.from)?;
    let page = &before.library.pages[index];
    let from = &page.path;
    let to = address::new_page(&one.to)?;
    if to == *from {
        return Ok(());
    }
    // A section's translation is one file: the section stays.
    if page.kind == PageKind::Page || page.variant {
        if to.file_name() == "_index.md" {
            return Err(wrong_target(one, "a page cannot become a section"));
        }
        add(renames, from.clone(), to.clone())?;
        let assets = bundle_assets(transaction.base(), from);
        if !assets.is_empty() && to.file_name() != "index.md" {
            return Err(wrong_target(one, "a bundle with assets must stay a bundle (`.../index.md`)"));
        }
        return assets.into_iter().try_for_each(|asset| {
            let rest = asset.as_str()[from.folder().len()..].to_owned();
            let target = ContentPath::parse(&format!("{}{rest}", to.folder()))?;
            add(renames, asset, target)
        });
    }
    if to.file_name() != "_index.md" || page.kind == PageKind::Home {
        return Err(wrong_target(one, "a section moves to another `.../_index.md`; the home page stays"));
    }
    let folder = from.folder().to_owned();
    if to.folder() == folder || to.folder().starts_with(&format!("{folder}/")) {
        return Err(wrong_target(one, "a section cannot move into itself"));
    }
    for (path, _) in transaction.base().under(&folder) {
        let target = ContentPath::parse(&format!("{}{}", to.folder(), &path.as_str()[folder.len()..]))?;
        add(renames, path.clone(), target)?;
    }
    Ok(())
}

fn add(renames: &mut Renames, from: ContentPath, to: ContentPath) -> Result<()> {
    let clash = renames.values().any(|other| *other == to);
    if clash || renames.insert(from.clone(), to.clone()).is_some_and(|other| other != to) {
        return Err(Error::InvalidArguments {
            field: "moves".into(),
            problem: format!("two moves meet at {}", address::shown(&to)),
            example: "give each page its own target".into(),
        });
    }
    Ok(())
}

fn wrong_target(one: &Move, problem: &str) -> Error {
    Error::InvalidArguments {
        field: "moves[].to".into(),
        problem: format!("`{}`: {problem}", one.to),
        example: "{\"from\": \"/blog/old/\", \"to\": \"blog/new.md\"}".into(),
    }
}

fn check_etag(
    site: &Site,
    transaction: &Transaction<'_>,
    before: &Built,
    live: Option<&Snapshot>,
    one: &Move,
    staged: &mut Staged,
) -> Result<()> {
    let Some(if_match) = one.if_match.as_deref().map(IfMatch::parse).transpose()? else { return Ok(()) };
    let page = &before.library.pages[address::page(&before.library, &one.from)?];
    let current = transaction.base().get(&page.path).map(|file| file.id);
    if !page.exists || if_match.stands(site, &page.path, current, live, staged)? {
        return Ok(());
    }
    Err(if_match.stale(&page.path, current, String::new()))
}

/// Stages every file at its new place and returns the texts of the moved pages by new path.
fn moved_files(
    site: &Site,
    transaction: &mut Transaction<'_>,
    base: &Snapshot,
    renames: &Renames,
) -> Result<BTreeMap<ContentPath, String>> {
    let mut texts = BTreeMap::new();
    for (from, to) in renames {
        if base.contains(to.as_str()) && !renames.contains_key(to) {
            return Err(Error::AlreadyExists { what: address::shown(to).to_owned() });
        }
        transaction.stage(from.clone(), None)?;
    }
    for (from, to) in renames {
        let Some(file) = base.get(from) else { continue };
        let bytes = site.repository().bytes(from, file)?;
        if to.kind() == PathKind::Page {
            texts.insert(to.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
        transaction.stage(to.clone(), Some(bytes.to_vec()))?;
    }
    Ok(texts)
}

/// URL before and after by old path, of the pages that move.
fn new_urls(
    site: &Site,
    transaction: &Transaction<'_>,
    before: &Built,
    renames: &Renames,
) -> Result<BTreeMap<ContentPath, (String, String)>> {
    let after = site.build(&transaction.staged(), Scope::Nothing, false, None)?;
    let mut urls = BTreeMap::new();
    for (from, to) in renames.iter().filter(|(from, _)| from.kind() == PathKind::Page) {
        let old = before.library.by_path.get(from).map(|&at| before.library.pages[at].url.clone());
        let new = after.library.by_path.get(to).map(|&at| after.library.pages[at].url.clone());
        if let Some(pair) = old.zip(new) {
            urls.insert(from.clone(), pair);
        }
    }
    Ok(urls)
}

/// Rewrites links to moved pages everywhere, and relative links inside moved pages; returns the other pages touched.
fn rewrite_links(
    before: &Built,
    base: &Snapshot,
    renames: &Renames,
    urls: &BTreeMap<ContentPath, (String, String)>,
    texts: &mut BTreeMap<ContentPath, String>,
) -> Vec<String> {
    let mut rewritten = Vec::new();
    for page in before.library.pages.iter().filter(|page| page.exists) {
        let place = renames.get(&page.path).unwrap_or(&page.path);
        let mut replacements = Vec::new();
        for link in &page.links {
            let (target, new_target) = match &link.target {
                LinkTarget::Page(path, _) | LinkTarget::File(path) => (path, renames.get(path).unwrap_or(path)),
                _ => continue,
            };
            if target == new_target && place == &page.path {
                continue;
            }
            let line = || base.text(page.path.as_str())?.lines().nth(link.line.checked_sub(1)?);
            match line().and_then(|line| wiki::moved(&before.library, line, &link.raw, target, new_target)) {
                Some(Wikilink::Stays) => continue,
                Some(Wikilink::Becomes(old, new)) => {
                    replacements.push((link.line, old, new));
                    continue;
                }
                None => {}
            }
            if let Some(new) =
                new_link(&link.raw, &page.path, place, new_target, urls.get(target), &before.library.config.base_url)
                && new != link.raw
            {
                replacements.push((link.line, link.raw.clone(), new));
            }
        }
        if replacements.is_empty() {
            continue;
        }
        let current = texts.get(place).cloned().or_else(|| base.text(page.path.as_str()).map(str::to_owned));
        let Some(current) = current else { continue };
        let text = replace_links(&current, &replacements);
        if text != current {
            if !renames.contains_key(&page.path) {
                rewritten.push(address::shown(&page.path).to_owned());
            }
            texts.insert(place.clone(), text);
        }
    }
    rewritten
}

/// The link in the form it was written in, leading to the new place; `None`: it needs no change or is of another form.
pub(super) fn new_link(
    raw: &str,
    page: &ContentPath,
    place: &ContentPath,
    target: &ContentPath,
    urls: Option<&(String, String)>,
    base_url: &str,
) -> Option<String> {
    let (path, tail) = relative::split_tail(raw);
    let relative_target = target.as_str().strip_prefix("content/").unwrap_or(target.as_str());
    let markdown = path.ends_with(".md");
    if let Some(rest) = path.strip_prefix("@/") {
        return (rest != relative_target).then(|| format!("@/{relative_target}{tail}"));
    }
    if path.contains("://") {
        let (_, new) = urls?;
        return path.starts_with(base_url).then(|| format!("{}{}{tail}", base_url.trim_end_matches('/'), new));
    }
    if path.starts_with('/') {
        if markdown {
            return Some(format!("/{relative_target}{tail}"));
        }
        let (_, new) = urls?;
        return Some(format!("{new}{tail}"));
    }
    if path.starts_with('.') || resolves_beside(path, page, target) || place != page {
        if markdown || target.kind() != PathKind::Page {
            return Some(format!("{}{tail}", relative(place.folder(), target.as_str())));
        }
        return None;
    }
    markdown.then(|| format!("{relative_target}{tail}"))
}

/// Whether a bare relative path was meant from the page's folder rather than from `content/`.
fn resolves_beside(path: &str, page: &ContentPath, target: &ContentPath) -> bool {
    target.as_str() == format!("{}/{path}", page.folder()) && page.folder() != "content"
}

/// `target` as seen from `folder`, both from the site's root.
fn relative(folder: &str, target: &str) -> String {
    let from: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = target.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; from.len() - common];
    parts.extend(&to[common..]);
    let path = parts.join("/");
    if path.starts_with("..") { path } else { format!("./{path}") }
}

/// Replaces each link on its line, or in the whole text where it is not there (reference definitions).
fn replace_links(text: &str, replacements: &[(usize, String, String)]) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for (line, old, new) in replacements {
        let at = line.saturating_sub(1);
        let on_line = lines.get(at).and_then(|text| replace_whole(text, old, new));
        if let Some(replaced) = on_line {
            lines[at] = replaced;
            continue;
        }
        for text in &mut lines {
            if let Some(replaced) = replace_whole(text, old, new) {
                *text = replaced;
            }
        }
    }
    lines.concat()
}

/// Replaces occurrences of a link that are not part of a longer path.
pub(super) fn replace_whole(line: &str, old: &str, new: &str) -> Option<String> {
    let part_of_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '@' | '%');
    let mut out = String::with_capacity(line.len() + new.len());
    let mut rest = line;
    let mut found = false;
    while let Some(at) = rest.find(old) {
        let before = out.chars().last().filter(|_| at == 0).or_else(|| rest[..at].chars().last());
        let after = rest[at + old.len()..].chars().next();
        let whole = !before.is_some_and(part_of_path) && !after.is_some_and(|c| part_of_path(c) || c == '#');
        out.push_str(&rest[..at]);
        out.push_str(if whole { new } else { old });
        found |= whole;
        rest = &rest[at + old.len()..];
    }
    out.push_str(rest);
    found.then_some(out)
}

fn add_aliases(
    before: &Built,
    renames: &Renames,
    urls: &BTreeMap<ContentPath, (String, String)>,
    texts: &mut BTreeMap<ContentPath, String>,
    staged: &mut Staged,
) -> Result<()> {
    for (from, (old, new)) in urls {
        let Some((to, text)) = renames.get(from).and_then(|to| texts.get(to).map(|text| (to, text))) else { continue };
        if old == new {
            continue;
        }
        let aliases =
            before.library.by_path.get(from).map(|&at| before.library.pages[at].aliases.clone()).unwrap_or_default();
        let kept: Vec<String> = aliases.into_iter().filter(|alias| alias != new).collect();
        let patched = front_matter::patch(to.as_str(), text, &alias_patch(&kept, std::slice::from_ref(old)))?;
        texts.insert(to.clone(), patched);
        staged.notes.push(format!("{old} redirects to {new}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ContentPath {
        ContentPath::from_disk(text).unwrap()
    }

    #[test]
    fn relative_paths() {
        assert_eq!(relative("content/blog", "content/blog/b.md"), "./b.md");
        assert_eq!(relative("content/blog/deep", "content/about.md"), "../../about.md");
    }

    #[test]
    fn links_keep_their_form() {
        let urls = ("/a/".to_owned(), "/new/b/".to_owned());
        let to = path("content/new/b.md");
        let page = path("content/blog/x.md");
        let check = |raw: &str, expected: &str| {
            assert_eq!(
                new_link(raw, &page, &page, &to, Some(&urls), "https://e.org/").as_deref(),
                Some(expected),
                "{raw}"
            );
        };
        check("@/a.md#top", "@/new/b.md#top");
        check("/a.md", "/new/b.md");
        check("/a/#x", "/new/b/#x");
        check("../a.md", "../new/b.md");
        check("a.md", "new/b.md");
        check("https://e.org/a/", "https://e.org/new/b/");
    }

    #[test]
    fn only_whole_links_are_replaced() {
        assert_eq!(
            replace_whole("[x](a.md) [y](aa.md) [z](a.md)", "a.md", "b.md").unwrap(),
            "[x](b.md) [y](aa.md) [z](b.md)"
        );
        assert_eq!(replace_whole("[y](/x/a.md)", "a.md", "b.md"), None);
    }
}
