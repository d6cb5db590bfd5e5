//! Redirects of `site.yaml`: old addresses, where they lead, and with which status.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check;
use super::fields::Fields;
use crate::error::Result;

/// Statuses a redirect may have.
const STATUSES: [u16; 4] = [301, 302, 307, 308];

/// Where an old address leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RedirectTo {
    /// New URL path, content path or absolute address.
    pub to: String,
    /// 301 and 308 for good, 302 and 307 for now.
    pub status: u16,
}

impl Default for RedirectTo {
    fn default() -> Self {
        Self { to: String::new(), status: 301 }
    }
}

/// Reads `redirects`: a mapping `old: new`, `old: {to, status}`, or a list of {from, to, status}.
pub(super) fn read(root: &mut Fields) -> Result<Option<BTreeMap<String, RedirectTo>>> {
    let at = root.below(&["redirects"], Map::new());
    let mut all = BTreeMap::new();
    match root.any("redirects") {
        None => return Ok(None),
        Some(Value::Object(map)) => {
            for (from, value) in map {
                let to = match value {
                    Value::String(to) => RedirectTo { to, ..RedirectTo::default() },
                    Value::Object(map) => target(at.below(&[&from], map))?.1,
                    _ => return Err(at.error(&from, "expected the new address, or {to, status}")),
                };
                add(&at, &mut all, from, to)?;
            }
        }
        Some(Value::Array(items)) => {
            for (index, item) in items.into_iter().enumerate() {
                let Value::Object(map) = item else {
                    return Err(root.error("redirects", "expected a list of {from, to, status}"));
                };
                let (from, to) = target(root.below(&["redirects", &index.to_string()], map))?;
                let Some(from) = from else {
                    return Err(root.error("redirects", &format!("entry {} has no `from`", index + 1)));
                };
                if all.contains_key(&from) {
                    return Err(root.error("redirects", &format!("`{from}` is redirected twice")));
                }
                add(&at, &mut all, from, to)?;
            }
        }
        Some(_) => return Err(root.error("redirects", "expected a mapping such as `/old/: /new/`")),
    }
    Ok(Some(all))
}

fn target(mut fields: Fields) -> Result<(Option<String>, RedirectTo)> {
    let from = fields.text("from")?;
    let Some(to) = fields.text("to")? else { return Err(fields.error("to", "expected the new address")) };
    let status = match fields.integer("status")? {
        None => 301,
        Some(given) => STATUSES
            .into_iter()
            .find(|status| i64::from(*status) == given)
            .ok_or_else(|| fields.error("status", &format!("expected 301, 302, 307 or 308, found {given}")))?,
    };
    fields.finish(super::load::UNKNOWN);
    Ok((from, RedirectTo { to, status }))
}

fn add(at: &Fields, all: &mut BTreeMap<String, RedirectTo>, from: String, to: RedirectTo) -> Result<()> {
    check::url_path(&from).map_err(|problem| at.error(&from, &problem))?;
    check::target(&to.to).map_err(|problem| at.error(&from, &problem))?;
    all.insert(from, to);
    Ok(())
}
