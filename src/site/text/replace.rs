//! Replaces text in many files as one revision, seen beforehand and bound to what was seen.

use std::sync::Arc;

use super::super::edit::{self, Staged, Written};
use super::super::scope::Files;
use super::super::{Call, Site, address, mend};
use super::pattern::{self, How, Rule};
use super::plan;
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, File, PathKind, Progress, Snapshot};
use crate::store::Transaction;

/// Pairs in one call.
const MAX_PAIRS: usize = 100;
/// Bytes of all replaced files together: what is staged is held in memory.
const MAX_TOTAL: usize = 64 << 20;
/// More files than this change only by a plan.
const UNPLANNED_FILES: usize = 50;
/// Files described line by line.
const DESCRIBED: usize = UNPLANNED_FILES;
/// Excerpts of each of them.
const EXCERPTS: usize = 3;
/// Characters of an excerpt's sides.
const SIDE: usize = 120;

/// What is found and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Text or expression.
    pub find: String,
    /// What stands there afterwards; with an expression, `$1` and `${name}` are its groups.
    pub replace: String,
}

/// What to replace, and where.
#[derive(Debug, Clone, Default)]
pub struct Replacement {
    /// In this order, each applied to what the one before left.
    pub pairs: Vec<Pair>,
    /// How `find` is meant.
    pub how: How,
    /// Where: pages, sections, folders, globs, kinds; empty: every page.
    pub scope: Vec<String>,
    /// What a dry run replied; needed where no scope is named or many files change.
    pub plan: Option<String>,
}

/// A changed line, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// 1-based line in the file as it was.
    pub line: usize,
    /// The line as it was, cut around the change.
    pub before: String,
    /// And as it is then.
    pub after: String,
}

/// A file that matches.
#[derive(Debug, Clone)]
pub struct ReplacedFile {
    /// Its path.
    pub path: ContentPath,
    /// How many matches were replaced.
    pub count: usize,
    /// The first changed lines; only of the first files.
    pub excerpts: Vec<Excerpt>,
}

/// What a replacement did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Replaced {
    /// As every edit.
    pub written: Written,
    /// Matches in all files together.
    pub total: usize,
    /// The files, in path order; empty in a repeated receipt.
    pub files: Vec<ReplacedFile>,
    /// Binds an execution to what was seen.
    pub plan: String,
}

/// One file with a match.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) path: ContentPath,
    /// The file as it was.
    pub(super) id: BlobId,
    count: usize,
    text: String,
}

/// Replaces text; `may` refuses kinds of file the caller has no right to write.
///
/// # Errors
/// `InvalidArguments`, `NotFound` for an unknown name in the scope, `TooLarge`, `conflict` where a planned text moved, and
/// what every edit is refused by.
pub fn replace(
    site: &Site,
    call: &Call,
    asked: &Replacement,
    may: &dyn Fn(PathKind) -> Result<()>,
) -> Result<Replaced> {
    let rules = rules(asked)?;
    // The declaration is made before the transaction begins, from what the scope can hold.
    let (snapshot, built) = mend::working(site, &call.progress)?;
    let kinds = Files::parse(&built.library, &snapshot, &asked.scope)?.kinds();
    drop((snapshot, built));
    kinds.iter().try_for_each(|kind| may(*kind))?;
    let mut replaced = Replaced::default();
    let written = edit::run(site, call, &edit::footprint(kinds), |transaction, before| {
        let base = Arc::clone(transaction.base());
        let outcomes = outcomes(&rules, asked, before, &base, &call.progress)?;
        replaced.plan = plan::of(asked, transaction.tip(), &outcomes);
        check_plan(site, call, asked, &rules, &outcomes)?;
        replaced.total = outcomes.iter().map(|outcome| outcome.count).sum();
        replaced.files = describe(&base, &outcomes);
        stage(transaction, asked, outcomes)
    })?;
    Ok(Replaced { written, ..replaced })
}

fn rules(asked: &Replacement) -> Result<Vec<Rule>> {
    if asked.pairs.is_empty() || asked.pairs.len() > MAX_PAIRS {
        return Err(Error::InvalidArguments {
            field: "pairs".into(),
            problem: format!("got {} pairs, expected 1 to {MAX_PAIRS}", asked.pairs.len()),
            example: "\"pairs\": [{\"find\": \"old words\", \"replace\": \"new words\"}]".into(),
        });
    }
    asked.pairs.iter().map(|pair| Rule::compile(&pair.find, &pair.replace, asked.how)).collect()
}

/// Every file that matches, with its new text, in path order.
fn outcomes(
    rules: &[Rule],
    asked: &Replacement,
    built: &Built,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<Vec<Outcome>> {
    let files = Files::parse(&built.library, snapshot, &asked.scope)?;
    let mut outcomes = Vec::new();
    let mut bytes = 0;
    for path in files.of(snapshot) {
        progress.proceed()?;
        let Some(file) = snapshot.get(path) else { continue };
        // What is no text is copied and never looked into.
        let Some(text) = file.text() else { continue };
        let Some((text, count)) = pattern::apply(rules, text).map_err(|error| name(error, path))? else { continue };
        bytes += text.len();
        if bytes > MAX_TOTAL {
            return Err(Error::TooLarge { what: "all replaced files together".into(), size: bytes, limit: MAX_TOTAL });
        }
        outcomes.push(Outcome { path: path.clone(), id: file.id, count, text });
    }
    Ok(outcomes)
}

/// A file that grows too large is named.
fn name(error: Error, path: &ContentPath) -> Error {
    match error {
        Error::TooLarge { size, limit, .. } => Error::TooLarge { what: format!("{path} after replacing"), size, limit },
        other => other,
    }
}

/// A plan has to fit; without one, only few files of a named scope change.
fn check_plan(site: &Site, call: &Call, asked: &Replacement, rules: &[Rule], now: &[Outcome]) -> Result<()> {
    if let Some(plan) = &asked.plan {
        return plan::check(plan, asked, now, |revision| {
            let snapshot = site.repository().snapshot_at(&site.repository().resolve(revision)?)?;
            let built = site.library_followed(&snapshot, false, &call.progress)?;
            outcomes(rules, asked, &built, &snapshot, &call.progress)
        });
    }
    let wide = asked.scope.is_empty() || now.len() > UNPLANNED_FILES;
    if call.dry_run || now.is_empty() || !wide {
        return Ok(());
    }
    let why = if asked.scope.is_empty() { "no scope is given" } else { "so many files change" };
    Err(Error::InvalidArguments {
        field: "plan".into(),
        problem: format!("{} files would change and {why}: expected the plan of a dry run", now.len()),
        example: "send it with `dry_run: true`, look at the excerpts, then send it with the `plan` it replies".into(),
    })
}

fn stage(transaction: &mut Transaction<'_>, asked: &Replacement, outcomes: Vec<Outcome>) -> Result<Staged> {
    let first = &asked.pairs[0];
    let short = |text: &str| text.lines().next().unwrap_or_default().chars().take(40).collect::<String>();
    let more = match asked.pairs.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let files = match outcomes.as_slice() {
        [one] => address::shown(&one.path).to_owned(),
        many => format!("{} files", many.len()),
    };
    let mut staged =
        Staged::new(format!("Replace \"{}\" by \"{}\"{more} in {files}", short(&first.find), short(&first.replace)));
    if outcomes.is_empty() {
        staged.notes.push("Nothing matches; look with text_search, or widen the scope.".into());
    }
    for outcome in outcomes {
        transaction.stage(outcome.path, Some(outcome.text.into_bytes()))?;
    }
    Ok(staged)
}

fn describe(base: &Snapshot, outcomes: &[Outcome]) -> Vec<ReplacedFile> {
    let file = |(at, outcome): (usize, &Outcome)| {
        let text = base.get(&outcome.path).and_then(File::text).unwrap_or_default();
        let excerpts = if at < DESCRIBED { excerpts(text, &outcome.text) } else { Vec::new() };
        ReplacedFile { path: outcome.path.clone(), count: outcome.count, excerpts }
    };
    outcomes.iter().enumerate().map(file).collect()
}

/// The first changed lines, each cut around its change.
fn excerpts(before: &str, after: &str) -> Vec<Excerpt> {
    let diff = similar::TextDiff::from_lines(before, after);
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let line = |lines: &[&str], at: usize| lines.get(at).map_or(String::new(), |text| text.trim_end().to_owned());
    let mut found = Vec::new();
    for op in diff.ops().iter().filter(|op| op.tag() != similar::DiffTag::Equal) {
        let (gone, come) = (op.old_range(), op.new_range());
        for at in 0..gone.len().max(come.len()) {
            if found.len() == EXCERPTS {
                return found;
            }
            let was = if at < gone.len() { line(&old, gone.start + at) } else { String::new() };
            let is = if at < come.len() { line(&new, come.start + at) } else { String::new() };
            let same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
            let number = (gone.start + at.min(gone.len().saturating_sub(1))) + 1;
            found.push(Excerpt { line: number, before: cut(&was, same), after: cut(&is, same) });
        }
    }
    found
}

/// A line around the character where it begins to differ.
fn cut(line: &str, at: usize) -> String {
    let start = at.saturating_sub(SIDE / 3);
    let mut rest = line.chars().skip(start);
    let mut out = String::from(if start > 0 { "…" } else { "" });
    out.extend(rest.by_ref().take(SIDE));
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_the_change_in_a_long_line() {
        let before = format!("first\n{} colour {}\n", "x".repeat(300), "y".repeat(300));
        let found = excerpts(&before, &before.replace("colour", "color"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
        assert!(found[0].before.contains("colour") && found[0].after.contains("color y"), "{found:?}");
        assert!(found[0].before.chars().count() <= SIDE + 2);
    }

    #[test]
    fn a_line_that_goes_has_nothing_behind_it() {
        let found = excerpts("a\nb\nc\n", "a\nc\n");
        assert_eq!(found, [Excerpt { line: 2, before: "b".into(), after: String::new() }]);
    }
}
