//! `site_check`.

use super::Tool;

pub(super) fn tools() -> Vec<Tool> {
    Vec::new()
}
