//! Aliases and redirects in the plan: where each old address leads, and which of them lead nowhere, in circles or over a page.

use std::cell::OnceCell;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::address::{self, Base};
use super::plan::{Job, Plan};
use super::{near, outputs};
use crate::model::config::RedirectTo;
use crate::model::{Config, ContentPath, Diagnostic, Library, Severity, Snapshot};

/// Redirects followed before a chain is called a circle.
const MOST_STEPS: usize = 20;
/// Patterns held against every page; hosts read some hundred of them at most.
const MOST_PATTERNS: usize = 200;

/// One redirect, for stubs and `_redirects`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// URL path, unencoded; may hold `*` where it comes from the configuration.
    pub(crate) from: String,
    /// Href with base path, or absolute URL.
    pub(crate) to: String,
    /// 301, 302, 307 or 308.
    pub(crate) status: u16,
}

impl Redirect {
    /// Whether it stands for many addresses; no page can stand at those.
    #[must_use]
    pub(crate) fn is_pattern(&self) -> bool {
        is_pattern(&self.from)
    }
}

/// `/old/*`, `/:year/:slug/`.
#[must_use]
pub(crate) fn is_pattern(from: &str) -> bool {
    from.contains('*') || from.contains("/:")
}

/// The redirects of the configuration in the order in which hosts are to try them: single addresses, then patterns, those that
/// name more of the address first.
#[must_use]
pub(crate) fn in_order(config: &Config) -> Vec<(&str, &RedirectTo)> {
    let literal = |from: &str| from.find(['*', ':']).unwrap_or(from.len());
    let mut all: Vec<(&str, &RedirectTo)> = config.redirects.iter().map(|(from, to)| (from.as_str(), to)).collect();
    all.sort_by_key(|(from, _)| (is_pattern(from), is_pattern(from).then(|| usize::MAX - literal(from))));
    all
}

/// Where a redirect leads.
struct Target {
    /// Href with base path, or absolute URL.
    href: String,
    /// URL path, where it is an address of this site without placeholders.
    url: Option<String>,
}

/// Puts aliases and redirects into the plan, once everything else is in it.
pub(super) fn add(
    plan: &mut Plan,
    snapshot: &Snapshot,
    library: &Library,
    base: &Base,
    findings: &mut Vec<Diagnostic>,
) {
    let Ok(config) = ContentPath::from_disk("site.yaml") else { return };
    let mut work = Work {
        plan,
        snapshot,
        library,
        base,
        config,
        leads: BTreeMap::new(),
        patterns: 0,
        lines: OnceCell::new(),
        findings,
    };
    for page in library.pages.iter().filter(|page| page.included) {
        for alias in &page.aliases {
            let placed = work.place(alias, &base.href(&page.url), 301);
            if placed {
                work.leads.insert(alias.clone(), page.url.clone());
            } else {
                work.clash(page.path.clone(), 0, alias);
            }
        }
    }
    let mut targets = Vec::new();
    for (from, to) in in_order(&library.config) {
        if let Some(url) = work.configured(from, to) {
            targets.push((from, url));
        }
    }
    let patterns = work.plan.redirects.iter().filter(|redirect| redirect.is_pattern());
    let patterns: Vec<String> = patterns.map(|redirect| redirect.from.clone()).collect();
    for (from, url) in targets {
        work.follow(from, &url, &patterns);
    }
}

struct Work<'a> {
    plan: &'a mut Plan,
    snapshot: &'a Snapshot,
    library: &'a Library,
    base: &'a Base,
    config: ContentPath,
    /// Old URL path to new one, where both are of this site.
    leads: BTreeMap<String, String>,
    /// Patterns so far.
    patterns: usize,
    /// Made where the first line is asked for: a site may hold thousands of redirects.
    lines: OnceCell<HashMap<&'a str, usize>>,
    findings: &'a mut Vec<Diagnostic>,
}

impl Work<'_> {
    /// Adds one redirect of the configuration; its target, where that has to exist.
    fn configured(&mut self, from: &str, rule: &RedirectTo) -> Option<String> {
        let pattern = is_pattern(from);
        let found = (address::clean(from), target(self.library, self.base, &rule.to, pattern));
        let (Some(clean), Some(target)) = found else {
            let wrong = if found.0.is_some() { &rule.to } else { from };
            let message = format!("`{wrong}` in a redirect is no URL path of this site");
            let hint = "Write it like this: `/old/path/: /new/path/`; only a target may be a http(s) address.";
            self.report(Severity::Error, "invalid_url", from, message, hint.into());
            return None;
        };
        if let Some(problem) = misplaced(from, &rule.to) {
            let hint = "Write it like this: `/old/*: /new/:splat`, or `/:year/:slug/: /blog/:slug/`.";
            self.report(Severity::Error, "invalid_url", from, problem, hint.into());
            return None;
        }
        if pattern {
            self.patterns += 1;
            if self.patterns <= MOST_PATTERNS {
                self.report_hidden(from);
            }
            // Patterns cannot be stubs; hosts that read `_redirects` know them.
            self.plan.redirects.push(Redirect { from: from.to_owned(), to: target.href, status: rule.status });
            return target.url;
        }
        if self.place(&clean, &target.href, rule.status) {
            if let Some(url) = &target.url {
                self.leads.insert(clean, url.clone());
            }
            return target.url;
        }
        let line = self.line(from);
        self.clash(self.config.clone(), line, &clean);
        None
    }

    /// Whether the address was free, or leads to the same place already.
    fn place(&mut self, from: &str, to: &str, status: u16) -> bool {
        match self.plan.jobs.entry(address::stub_path(from)) {
            Entry::Vacant(slot) => {
                slot.insert(Job::Redirect(to.to_owned()));
                self.plan.redirects.push(Redirect { from: from.to_owned(), to: to.to_owned(), status });
                true
            }
            Entry::Occupied(slot) => matches!(slot.get(), Job::Redirect(there) if there == to),
        }
    }

    fn clash(&mut self, path: ContentPath, line: usize, from: &str) {
        let message = format!("the redirect from {from} has no effect: something else has that address");
        self.findings.push(
            Diagnostic::new(Severity::Warning, "redirect_clash", path, line, message)
                .with_hint("Take the redirect or alias out, or move what is there."),
        );
    }

    /// Looks where an address of this site leads in the end.
    fn follow(&mut self, from: &str, first: &str, patterns: &[String]) {
        let own = address::clean(from).unwrap_or_default();
        let mut seen = BTreeSet::from([own]);
        let mut at = first.to_owned();
        while let Some(next) = self.leads.get(&at) {
            if !seen.insert(at.clone()) || seen.len() > MOST_STEPS {
                break;
            }
            at.clone_from(next);
        }
        if seen.contains(&at) {
            let message = format!("the redirect from {from} goes round in a circle through {first}");
            self.report(Severity::Error, "redirect_loop", from, message, "Point one of them at a page.".into());
        } else if at != first {
            let message = format!("the redirect from {from} leads to {first}, which is redirected itself");
            self.report(Severity::Warning, "redirect_chain", from, message, format!("Point it at {at} at once."));
        } else if !self.exists(first, patterns) {
            let urls = self.library.pages.iter().filter(|page| page.included).take(near::MOST).map(|p| p.url.as_str());
            let hint = match near::nearest(first, urls).first() {
                Some(near) => format!("Did you mean {near}?"),
                None => "Point it at a page that exists, or take it out.".into(),
            };
            let message = format!("the redirect from {from} leads to {first}, where nothing is");
            self.report(Severity::Warning, "broken_redirect", from, message, hint);
        }
    }

    fn exists(&self, url: &str, patterns: &[String]) -> bool {
        let slashed = format!("{}/", url.trim_end_matches('/'));
        let made = |url: &str| {
            let output = address::output_path(url);
            self.plan.jobs.contains_key(&output) || outputs::is_reserved(&self.library.config, &output)
        };
        let twin = url
            .strip_suffix("index.md")
            .is_some_and(|folder| self.library.config.markdown.twins && self.library.by_url.contains_key(folder));
        made(url) || made(&slashed) || twin || patterns.iter().any(|from| covers(from, url))
    }

    /// Hosts that read `_redirects` before they look for a file would never show these pages.
    fn report_hidden(&mut self, from: &str) {
        let mut hidden =
            self.library.pages.iter().filter(|page| page.included && covers(from, &page.url)).map(|page| &page.url);
        let Some(first) = hidden.next().cloned() else { return };
        let more = hidden.count();
        let others = if more == 0 { String::new() } else { format!(" and {more} more") };
        let message = format!("the redirect from {from} hides {first}{others} on hosts that read _redirects first");
        let hint = "Narrow the pattern, or name the old addresses one by one.";
        self.report(Severity::Warning, "redirect_hides", from, message, hint.into());
    }

    fn report(&mut self, severity: Severity, code: &'static str, from: &str, message: String, hint: String) {
        let line = self.line(from);
        self.findings.push(Diagnostic::new(severity, code, self.config.clone(), line, message).with_hint(hint));
    }

    /// The line of `site.yaml` that begins with an old address.
    fn line(&self, from: &str) -> usize {
        let lines = self.lines.get_or_init(|| lines(self.snapshot.text("site.yaml").unwrap_or_default()));
        lines.get(from).copied().unwrap_or_default()
    }
}

/// The first line of each address that begins one: `/old/: /new/`, `- { from: "/old/", ... }`.
fn lines(text: &str) -> HashMap<&str, usize> {
    let mut found = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start().trim_start_matches(['-', '{', ' ']);
        let line = line.strip_prefix("from:").unwrap_or(line).trim_start();
        let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
        let key = match quote {
            Some(quote) => line[1..].split(quote).next(),
            None if line.starts_with('/') => line.split([' ', ',', '}']).next().map(|key| key.trim_end_matches(':')),
            None => None,
        };
        if let Some(key) = key {
            found.entry(key).or_insert(at + 1);
        }
    }
    found
}

/// A redirect's target: an http(s) address, or a content or URL path of the site, with fragment. A pattern's target (`/:splat`)
/// stays as it is written.
fn target(library: &Library, base: &Base, to: &str, pattern: bool) -> Option<Target> {
    if to.starts_with("https://") || to.starts_with("http://") {
        return Some(Target { href: super::escape::url(to).into_owned(), url: None });
    }
    let (path, fragment) = to.split_once('#').map_or((to, None), |(path, fragment)| (path, Some(fragment)));
    let content = format!("content/{}", path.trim_start_matches('/'));
    let url = if let Some(&i) = library.by_path.get(content.as_str()) {
        library.pages[i].url.clone()
    } else {
        let clean = address::clean(path)?;
        if pattern { path.to_owned() } else { clean }
    };
    let href = base.href(&url);
    let href = fragment.map_or(href.clone(), |fragment| format!("{href}#{}", super::escape::url(fragment)));
    let literal = !(pattern && url.contains("/:"));
    Some(Target { href, url: literal.then_some(url) })
}

/// What hosts cannot read about a pattern.
fn misplaced(from: &str, to: &str) -> Option<String> {
    if from.find('*').is_some_and(|at| at + 1 != from.len() || !from[..at].ends_with('/')) {
        return Some(format!("`*` in `{from}` stands for the rest of an address, so it has to be its last part"));
    }
    let names = |text: &str| -> BTreeSet<String> {
        let parts = text.split('/').filter_map(|part| part.strip_prefix(':'));
        parts.map(|name| name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()).collect()
    };
    let mut known = names(from);
    if from.ends_with('*') {
        known.insert("splat".into());
    }
    let path = to.split_once("://").map_or(to, |(_, rest)| rest);
    let unknown = names(path).into_iter().find(|name| !known.contains(name))?;
    Some(format!("`:{unknown}` in `{to}` has no value: `{from}` does not name it"))
}

/// Whether a pattern stands for an address.
fn covers(pattern: &str, url: &str) -> bool {
    let mut parts = url.trim_matches('/').split('/').filter(|part| !part.is_empty());
    for want in pattern.trim_matches('/').split('/') {
        if want == "*" {
            return true;
        }
        match parts.next() {
            Some(part) if want.starts_with(':') || want == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_what_hosts_take_them_for() {
        for (pattern, url, expected) in [
            ("/blog/*", "/blog/a/", true),
            ("/blog/*", "/blog/", true),
            ("/blog/*", "/blogs/", false),
            ("/*", "/", true),
            ("/:year/:slug/", "/2026/a/", true),
            ("/:year/:slug/", "/2026/", false),
            ("/:year/x/", "/2026/y/", false),
        ] {
            assert_eq!(covers(pattern, url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn placeholders_need_a_value() {
        assert_eq!(misplaced("/old/*", "/new/:splat"), None);
        assert_eq!(misplaced("/:year/:slug/", "https://x.org:80/:slug"), None);
        assert!(misplaced("/old/:a/", "/new/:splat").is_some());
        assert!(misplaced("/*/old/", "/new/").is_some());
        assert!(misplaced("/old*", "/new/").is_some());
    }
}
