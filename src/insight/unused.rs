//! F18: tools and arguments that are offered and never used. Each costs its definition's bytes in every session. Information only.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Rank};
use super::record::Record;
use super::thresholds::Thresholds;

/// Arguments that are shown as unused.
const MOST: usize = 20;

/// A tool as it is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name.
    pub tool: String,
    /// Bytes of its definition.
    pub bytes: usize,
    /// Its arguments, and the bytes of theirs.
    pub arguments: Vec<(String, usize)>,
}

/// What nobody used in enough sessions, dearest first.
pub(super) fn unused(records: &[Record], offered: &[Offered], limits: &Thresholds) -> Vec<Finding> {
    let mut sessions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut all = BTreeSet::new();
    for record in records {
        all.insert(record.session.as_str());
        sessions.entry(record.tool.as_str()).or_default().insert(record.session.as_str());
        let first = record.arg_shape.iter().filter_map(|path| path.split(['.', '[']).next());
        used.entry(record.tool.as_str()).or_default().extend(first);
    }
    let rare = |tool: &str| limits.rare_tools.iter().any(|rare| rare == tool);
    let mut dear: Vec<(usize, String, &Offered, usize)> = Vec::new();
    for tool in offered.iter().filter(|tool| !rare(&tool.tool)) {
        match sessions.get(tool.tool.as_str()).map_or(0, BTreeSet::len) {
            0 if all.len() >= limits.unused_sessions => dear.push((tool.bytes, tool.tool.clone(), tool, all.len())),
            count if count >= limits.unused_sessions => {
                let own = used.get(tool.tool.as_str());
                let never =
                    tool.arguments.iter().filter(|(name, _)| own.is_none_or(|own| !own.contains(name.as_str())));
                dear.extend(never.map(|(name, bytes)| (*bytes, format!("{}.{name}", tool.tool), tool, count)));
            }
            _ => {}
        }
    }
    dear.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    dear.into_iter().take(MOST).map(|(bytes, name, tool, sessions)| finding(bytes, &name, tool, sessions)).collect()
}

fn finding(bytes: usize, name: &str, tool: &Offered, sessions: usize) -> Finding {
    Finding {
        fingerprint: format!("F18:{name}"),
        detector: "F18",
        name: "unused surface",
        severity: Rank::Info,
        title: format!("{name} was never used ({bytes} bytes of the tool list)"),
        remedy: "Merge it, hide it, or drop it; or say in its description when it is the right one.",
        tools: vec![tool.tool.clone()],
        occurrences: sessions,
        sessions,
        reach: 1.0,
        wasted_calls: 0,
        gross_wasted_calls: 0,
        share: 0.0,
        // Each session reads the definition once.
        wasted_tokens: (bytes * sessions / 4) as u64,
        wasted_seconds: 0.0,
        servers: Vec::new(),
        clients: Vec::new(),
        evidence: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_used_is_named_once_there_are_sessions_enough() {
        let record = |n: usize| Record {
            session: format!("s{n}"),
            tool: "page_get".into(),
            arg_shape: vec!["paths[]".into()],
            ..Record::default()
        };
        let offered = |tool: &str| Offered {
            tool: tool.into(),
            bytes: 400,
            arguments: vec![("paths".into(), 50), ("lines".into(), 60)],
        };
        let all = [offered("page_get"), offered("asset_list"), offered("revision_restore")];
        let limits = Thresholds::default();
        let names = |sessions: usize| -> Vec<String> {
            let records: Vec<Record> = (0..sessions).map(record).collect();
            unused(&records, &all, &limits).into_iter().map(|finding| finding.fingerprint).collect()
        };
        assert!(names(limits.unused_sessions - 1).is_empty());
        assert_eq!(names(limits.unused_sessions), ["F18:asset_list", "F18:page_get.lines"]);
    }
}
