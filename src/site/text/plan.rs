//! What binds the execution of a replacement to what was seen of it: a hash of its arguments and of the files it touches.
//!
//! Nothing is stored. A plan names the revision it was made at, so that what moved since can be told.

use super::replace::{Outcome, Replacement};
use crate::error::{Error, Result};
use crate::model::ContentPath;
use crate::store::{Repository, RevisionId};

/// Hexadecimal digits of the hash: as many as git shows of an id are not enough to be sure, half of them are.
const DIGITS: usize = 20;

/// The plan of a replacement with these outcomes, made at a revision.
#[must_use]
pub(super) fn of(asked: &Replacement, at: Option<&RevisionId>, outcomes: &[Outcome]) -> String {
    format!("{}-{}", at.map_or("none", RevisionId::short), hash(asked, outcomes))
}

fn hash(asked: &Replacement, outcomes: &[Outcome]) -> String {
    let mut text = format!("{:?} {:?} {:?}\n", asked.pairs, asked.how, asked.scope);
    for outcome in outcomes {
        text.push_str(&format!("{} {}\n", outcome.id, outcome.path));
    }
    Repository::blob_id(text.as_bytes()).to_string()[..DIGITS].to_owned()
}

/// Holds a plan against what the same arguments match now; `then` gives what they matched at an earlier revision.
///
/// # Errors
/// `PlanMoved` names the files that are others now, `InvalidArguments` where the plan belongs to another call.
pub(super) fn check(
    plan: &str,
    asked: &Replacement,
    now: &[Outcome],
    then: impl FnOnce(&str) -> Result<Vec<Outcome>>,
) -> Result<()> {
    let foreign = |problem: &str| Error::InvalidArguments {
        field: "plan".into(),
        problem: problem.to_owned(),
        example: "send the same call with `dry_run: true` and without `plan`, then with the plan it replies".into(),
    };
    let Some((revision, wanted)) = plan.trim().split_once('-') else {
        return Err(foreign("it is no plan of text_replace"));
    };
    if hash(asked, now) == wanted {
        return Ok(());
    }
    // A revision that is gone says nothing about the plan.
    let then = then(revision).map_err(|_| foreign("it is no plan of this site, or too old"))?;
    if hash(asked, &then) != wanted {
        return Err(foreign("it was made for other arguments"));
    }
    let same = |path: &ContentPath, a: &[Outcome], b: &[Outcome]| {
        let id = |all: &[Outcome]| all.iter().find(|outcome| outcome.path == *path).map(|outcome| outcome.id);
        id(a) == id(b)
    };
    let mut files: Vec<String> = now
        .iter()
        .chain(&then)
        .map(|outcome| &outcome.path)
        .filter(|path| !same(path, now, &then))
        .map(ToString::to_string)
        .collect();
    files.sort();
    files.dedup();
    Err(Error::PlanMoved { files })
}
