//! Data files for templates: `data/<name>.yaml` and `.json`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Error;
use crate::model::{Diagnostic, Severity, Snapshot, front_matter};

/// Reads every data file; one that cannot be read is a finding.
#[must_use]
pub(crate) fn load(snapshot: &Snapshot) -> (HashMap<String, Arc<Value>>, Vec<Diagnostic>) {
    let mut data = HashMap::new();
    let mut findings = Vec::new();
    for (path, file) in snapshot.under("data") {
        let name = path.as_str().strip_prefix("data/").unwrap_or_default();
        let Some((name, ending)) = name.rsplit_once('.') else { continue };
        let Some(text) = file.text() else { continue };
        // JSON is read by the YAML reader: one set of limits and one form of error.
        let value = match ending {
            "yaml" | "yml" | "json" => front_matter::read_yaml(path.as_str(), text),
            _ => continue,
        };
        match value {
            Ok(value) => {
                data.insert(name.to_owned(), Arc::new(value));
            }
            Err(error) => {
                let (line, message) = match &error {
                    Error::InvalidConfig { line, problem, .. } => (*line, problem.clone()),
                    other => (0, other.to_string()),
                };
                findings.push(
                    Diagnostic::new(Severity::Error, "invalid_data", path.clone(), line, message)
                        .with_hint("Mend the file at that line."),
                );
            }
        }
    }
    (data, findings)
}
