//! Who may read the site: search engines, crawlers of AI services, and single ones by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::error::Result;

/// Paths and names listed at most; hosts and crawlers read some 500 KiB of `robots.txt`.
const MOST: usize = 1_000;

/// What `robots.txt` says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CrawlersConfig {
    /// The known crawlers of AI services.
    pub ai: AiPolicy,
    /// Single crawlers by their name in `robots.txt`: whether they may read the site.
    pub agents: BTreeMap<String, bool>,
    /// Paths that nobody is to read, such as `/drafts/`.
    pub disallow: Vec<String>,
    /// Keep the whole site out of search engines.
    pub noindex: bool,
}

/// What crawlers of AI services may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AiPolicy {
    /// What everybody may.
    #[default]
    Allow,
    /// Answer with links, but not train models.
    NoTraining,
    /// Nothing.
    Block,
}

/// Reads `crawlers`.
pub(super) fn read(root: &mut Fields) -> Result<Option<CrawlersConfig>> {
    let Some(mut fields) = root.fields("crawlers")? else { return Ok(None) };
    let policies = [("allow", AiPolicy::Allow), ("no-training", AiPolicy::NoTraining), ("block", AiPolicy::Block)];
    let crawlers = CrawlersConfig {
        ai: fields.choice("ai", &policies)?.unwrap_or_default(),
        agents: agents(&mut fields)?,
        disallow: fields.texts("disallow")?.unwrap_or_default(),
        noindex: fields.flag("noindex")?.unwrap_or_default(),
    };
    let bad = |path: &&String| !path.starts_with('/') || path.contains('#') || path.contains(char::is_whitespace);
    if let Some(path) = crawlers.disallow.iter().find(bad) {
        return Err(fields.error("disallow", &format!("expected paths such as `/private/`, found `{path}`")));
    }
    if crawlers.disallow.len() > MOST {
        return Err(fields.error("disallow", &format!("more than {MOST} paths")));
    }
    fields.finish(super::load::UNKNOWN);
    Ok(Some(crawlers))
}

fn agents(fields: &mut Fields) -> Result<BTreeMap<String, bool>> {
    let Some(map) = fields.any_map("agents")? else { return Ok(BTreeMap::new()) };
    let at = fields.below(&["agents"], Map::new());
    if map.len() > MOST {
        return Err(fields.error("agents", &format!("more than {MOST} names")));
    }
    let read = |(name, value): (String, Value)| {
        let plain = !name.trim().is_empty() && name.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !plain || name.contains(['#', ':', '*']) {
            return Err(at.error(&name, "expected a crawler's name such as `GPTBot`"));
        }
        match value.as_str() {
            Some("allow") => Ok((name, true)),
            Some("block") => Ok((name, false)),
            _ => Err(at.error(&name, &format!("expected allow or block, found {value}"))),
        }
    };
    map.into_iter().map(read).collect()
}
