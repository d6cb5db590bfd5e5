//! `text_search`, `text_replace`.

mod replace;
mod search;

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(search::SEARCH, search::search), Tool::editing(replace::REPLACE, replace::replace)]
}
