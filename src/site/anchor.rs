//! Anchored replacements in a text: what is found must be there exactly once, or is named with the nearest lines.

use std::collections::BTreeMap;

use super::address;
use crate::error::{Error, Result};
use crate::model::ContentPath;

/// Nearest lines shown for a `find` that does not occur.
const NEAREST: usize = 3;

/// One anchored replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Text that occurs exactly once (or at least once with `all`).
    pub find: String,
    /// What stands there afterwards.
    pub replace: String,
    /// Replace every occurrence.
    pub all: bool,
}

/// The text with replacements behind `offset`, each seen by the next.
///
/// # Errors
/// `InvalidArguments` for an empty `find`, `EditMismatch` with the nearest lines.
pub(super) fn replace_all(path: &ContentPath, text: &str, offset: usize, edits: &[TextEdit]) -> Result<String> {
    let mut body = text[offset..].to_owned();
    for (index, edit) in edits.iter().enumerate() {
        if edit.find.is_empty() {
            return Err(Error::InvalidArguments {
                field: format!("edits[{index}].find"),
                problem: "it is empty".into(),
                example: "{\"find\": \"old words\", \"replace\": \"new words\"}".into(),
            });
        }
        body = replace(path, text, offset, &body, edit)?;
    }
    Ok(format!("{}{body}", &text[..offset]))
}

fn replace(path: &ContentPath, text: &str, offset: usize, body: &str, edit: &TextEdit) -> Result<String> {
    let (mut find, mut with) = (edit.find.clone(), edit.replace.clone());
    let mut count = body.matches(&find).count();
    if count == 0 && body.contains("\r\n") {
        // Callers write \n; the file's own line ends are kept.
        let crlf = |text: &str| text.replace("\r\n", "\n").replace('\n', "\r\n");
        (find, with) = (crlf(&find), crlf(&with));
        count = body.matches(&find).count();
    }
    match count {
        1 => Ok(body.replacen(&find, &with, 1)),
        n if n > 1 && edit.all => Ok(body.replace(&find, &with)),
        count => Err(Error::EditMismatch {
            path: address::shown(path).to_owned(),
            count,
            nearest: nearest(text, offset, body, &find, count),
        }),
    }
}

/// Lines to look at: where `find` occurs, or the lines most like its first line.
fn nearest(text: &str, offset: usize, body: &str, find: &str, count: usize) -> Vec<String> {
    let first_line = text[..offset].matches('\n').count() + 1;
    let show = |line: usize, text: &str| {
        format!("{}: {}", line + first_line, text.chars().take(160).collect::<String>().trim_end())
    };
    if count > 0 {
        let lines: Vec<&str> = body.split('\n').collect();
        let places = body.match_indices(find).map(|(at, _)| body[..at].matches('\n').count());
        return places.take(5).map(|line| show(line, lines.get(line).copied().unwrap_or_default())).collect();
    }
    let wanted: String = find.lines().find(|line| !line.trim().is_empty()).unwrap_or(find).chars().take(200).collect();
    let mut scored: BTreeMap<(u32, usize), String> = BTreeMap::new();
    for (line, text) in body.split('\n').enumerate().filter(|(_, text)| !text.trim().is_empty()).take(5_000) {
        let sample: String = text.chars().take(200).collect();
        let ratio = (similar::TextDiff::from_unicode_words(wanted.as_str(), sample.as_str()).ratio() * 1000.0) as u32;
        scored.insert((1000 - ratio.min(1000), line), show(line, text));
        if scored.len() > NEAREST {
            scored.pop_last();
        }
    }
    scored.into_values().collect()
}
