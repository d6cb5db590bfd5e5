//! A brief for somebody else: as it is, as the text of an issue, as JSON; or with nothing that could tell of the site.

use serde_json::{Map, Value, json};

use super::brief::Brief;
use super::redact::redact;
use crate::error::{Error, Result};
use crate::model::FrontMatter;

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// The file.
    Markdown,
    /// Title and text, to paste.
    Issue,
    /// Its head and body.
    Json,
}

/// Keys of the head that say nothing about the site.
const PUBLIC: [&str; 9] =
    ["schema", "id", "severity", "server", "finding", "measured", "metric", "acceptance", "constraints"];
/// Parts of the body that may hold what others said, or names.
const PRIVATE: [&str; 2] = ["## Untrusted quotations", "## Architecture review"];

/// Writes a brief out. A public one has tool names, codes, counts and shapes only; one that still seems to say more is not written.
///
/// # Errors
/// `InvalidArguments` where a public one would tell what looks private.
pub fn export(brief: &Brief, form: ExportForm, public: bool) -> Result<String> {
    let head = FrontMatter::parse(&brief.file, &brief.text)?;
    let body = brief.text.get(head.body_offset..).unwrap_or_default().trim_start();
    let (values, body) =
        if public { (public_head(&head.values), public_body(body)) } else { (head.values, body.to_owned()) };
    let markdown = format!("---\n{}---\n\n{body}", super::feedback::yaml(&values));
    if public {
        check(&markdown)?;
    }
    Ok(match form {
        ExportForm::Markdown => markdown,
        ExportForm::Issue => issue(&values, &body),
        ExportForm::Json => {
            let whole = json!({"brief": values, "body": body});
            format!("{}\n", serde_json::to_string_pretty(&whole).map_err(Error::internal)?)
        }
    })
}

fn public_head(values: &Map<String, Value>) -> Map<String, Value> {
    values
        .iter()
        .filter(|(key, _)| PUBLIC.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn public_body(body: &str) -> String {
    let mut out = String::new();
    let mut kept = true;
    for line in body.lines() {
        if line.starts_with("## ") {
            kept = !PRIVATE.contains(&line);
        }
        if kept {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// A title and the rest; the first line is what an issue is called.
fn issue(values: &Map<String, Value>, body: &str) -> String {
    let title = body.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Improvement brief");
    let rest: Vec<&str> = body.lines().filter(|line| !line.starts_with("# ")).collect();
    let id = values.get("id").and_then(Value::as_str).unwrap_or_default();
    format!("{title}\n\nBrief {id}.\n{}\n", rest.join("\n"))
}

/// Closed where the scanner sees anything: what it sees may be harmless, what it lets through was looked at.
fn check(text: &str) -> Result<()> {
    match text.lines().find(|line| redact(line) != *line) {
        None => Ok(()),
        Some(line) => Err(Error::InvalidArguments {
            field: "--public".into(),
            problem: format!("this line of the bundle looks private: {line}"),
            example: "sitewright improve export ID, and take out by hand what is private".into(),
        }),
    }
}
