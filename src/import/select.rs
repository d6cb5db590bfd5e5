//! A part of a source: the newest pages, or those since a day, with what lies beside them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Options, PlannedFile, PlannedPage, Report};
use crate::model::{Date, FrontMatter, PathKind};

const AS_ASKED: &str = "left out, as asked";

/// Leaves out what was not asked for. Pages without a date are the oldest for a limit, and stay for a day.
pub(super) fn narrow(
    options: &Options,
    pages: &mut Vec<PlannedPage>,
    files: &mut Vec<PlannedFile>,
    report: &mut Report,
) {
    if options.limit == 0 && options.since.is_none() {
        return;
    }
    let mut dated: Vec<(Option<Timestamp>, usize)> =
        pages.iter().enumerate().filter(|(_, page)| !is_section(page)).map(|(at, page)| (date(page), at)).collect();
    let mut out: BTreeSet<usize> = BTreeSet::new();
    dated.retain(|(date, at)| {
        let older = date.zip(options.since).is_some_and(|(date, since)| date < since);
        if older {
            report.add("page", "older", pages[*at].source.clone(), AS_ASKED);
            out.insert(*at);
        }
        !older
    });
    if options.limit > 0 {
        dated.sort_by_key(|(date, at)| (std::cmp::Reverse(*date), *at));
        for (_, at) in dated.iter().skip(options.limit) {
            report.add("page", "beyond the limit", pages[*at].source.clone(), AS_ASKED);
            out.insert(*at);
        }
    }
    // A section comes along where a page below it does, and the home page always.
    let kept: Vec<String> =
        dated.iter().filter(|(_, at)| !out.contains(at)).map(|(_, at)| below(&pages[*at])).collect();
    let empty = |page: &PlannedPage| {
        let folder = below(page);
        is_section(page) && folder != "content/" && !kept.iter().any(|kept| kept.starts_with(&folder))
    };
    out.extend((0..pages.len()).filter(|at| empty(&pages[*at])));
    let bundles = pages.iter().enumerate().filter(|(_, page)| is_bundle(page));
    let owners: BTreeMap<&str, usize> = bundles.map(|(at, page)| (page.target.folder(), at)).collect();
    files.retain(|file| {
        let mut folder = Some(file.target.folder()).filter(|_| file.target.kind() == PathKind::ContentAsset);
        while let Some(name) = folder {
            if let Some(at) = owners.get(name) {
                return !out.contains(at);
            }
            folder = name.rsplit_once('/').map(|(up, _)| up);
        }
        true
    });
    let mut at = 0;
    pages.retain(|_| {
        at += 1;
        !out.contains(&(at - 1))
    });
}

fn is_section(page: &PlannedPage) -> bool {
    page.target.file_name().starts_with("_index.")
}

fn is_bundle(page: &PlannedPage) -> bool {
    is_section(page) || page.target.file_name().starts_with("index.")
}

/// The folder with its slash.
fn below(page: &PlannedPage) -> String {
    format!("{}/", page.target.folder())
}

/// The day in the front matter, else in the file's name.
fn date(page: &PlannedPage) -> Option<Timestamp> {
    let front = FrontMatter::parse(&page.source, &page.text).ok()?;
    let written = ["date", "publishDate", "pubDate"].iter().find_map(|key| front.values.get(*key)?.as_str());
    let named = || page.target.file_name().get(..10);
    let date = written.and_then(|text| Date::parse(text, &TimeZone::UTC));
    date.or_else(|| Date::parse(named()?, &TimeZone::UTC)).map(|date| date.timestamp())
}
