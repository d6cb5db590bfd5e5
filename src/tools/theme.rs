//! `theme_get`, `theme_write`, `theme_use`.

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    Vec::new()
}
