//! `theme_get`, `theme_write`, `theme_use`.

mod choose;
mod get;
mod write;

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(get::GET, get::get),
        Tool::editing(write::WRITE, write::write),
        Tool::editing(choose::USE, choose::choose),
    ]
}
