//! `text_search`, `text_replace`.

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    Vec::new()
}
