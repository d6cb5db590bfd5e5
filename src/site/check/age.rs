//! Pages that were not touched for long: `updated` says when, else `date`, else git.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::super::Site;
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, Library, Page, PageKind, PageState, Severity};
use crate::store::HistoryFilter;

/// A live page is stale after this many days.
const STALE: i64 = 365;
/// A draft is old after this many days.
const OLD_DRAFT: i64 = 90;
/// Revisions looked at for pages without a date of their own.
const REVISIONS: usize = 20_000;

/// Old pages and drafts.
pub(super) fn findings(site: &Site, library: &Library) -> Result<Vec<Diagnostic>> {
    let asked: Vec<&Page> = library
        .pages
        .iter()
        .map(|page| &**page)
        .filter(|page| page.exists && page.kind == PageKind::Page && page.url != "/404.html")
        .filter(|page| matches!(page.state, PageState::Live | PageState::Draft))
        .collect();
    let undated: BTreeSet<&ContentPath> =
        asked.iter().filter(|page| own_date(page).is_none()).map(|page| &page.path).collect();
    let (times, oldest) = times(site, &undated)?;
    let mut found = Vec::new();
    for page in asked {
        let (code, most, what) = match page.state {
            PageState::Draft => ("old_draft", OLD_DRAFT, "the draft"),
            _ => ("stale_page", STALE, "the page"),
        };
        // A page that git does not know is not committed yet, or older than what was looked at.
        let Some(touched) = own_date(page).or_else(|| times.get(&page.path).copied()).or(oldest) else { continue };
        let days = site.now().duration_since(touched).as_hours() / 24;
        if days > most {
            let message = format!("{what} was last touched {days} days ago");
            let hint = match code {
                "old_draft" => "Finish it and take `draft` out, or delete it with page_delete.",
                _ => "Look whether it still holds, then set `updated` to today.",
            };
            found.push(Diagnostic::new(Severity::Info, code, page.path.clone(), 0, message).with_hint(hint));
        }
    }
    Ok(found)
}

fn own_date(page: &Page) -> Option<Timestamp> {
    page.updated.as_ref().or(page.date.as_ref()).map(crate::model::Date::timestamp)
}

/// When git saw these pages change last, and, where it remembers more than is looked at, how far back that was.
fn times(site: &Site, pages: &BTreeSet<&ContentPath>) -> Result<(HashMap<ContentPath, Timestamp>, Option<Timestamp>)> {
    let mut times = HashMap::new();
    if pages.is_empty() {
        return Ok((times, None));
    }
    let filter = HistoryFilter { limit: REVISIONS, ..HistoryFilter::default() };
    let (revisions, more) = site.repository().history(&filter)?;
    for revision in &revisions {
        for change in revision.changes.iter().filter(|change| pages.contains(&change.path)) {
            let time: &mut Timestamp = times.entry(change.path.clone()).or_insert(revision.time);
            *time = revision.time.max(*time);
        }
    }
    let oldest = more.and_then(|_| revisions.iter().map(|revision| revision.time).min());
    Ok((times, oldest))
}
