//! `page_list`, `page_get`, `page_write`, `page_move`, `page_delete`.

mod get;
mod list;
mod relocate;
mod write;

pub(super) use get::line_range;

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(list::LIST, list::list),
        Tool::new(get::GET, get::get),
        Tool::editing(write::WRITE, write::write),
        Tool::editing(relocate::MOVE, relocate::relocate),
        Tool::editing(relocate::DELETE, relocate::delete),
    ]
}
