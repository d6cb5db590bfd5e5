//! `asset_list`, `asset_write`, `asset_delete`.

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    Vec::new()
}
