//! `site_check`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply;
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::model::Severity;
use crate::site::check::{self, CheckQuery, Rule};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(CHECK, check)]
}

const CHECK: Spec = Spec {
    name: "site_check",
    title: "Check",
    description: "Finds what is wrong: links, templates, accessibility, SEO, orphans. Replies counts by code, errors first.",
    hints: Hints { open_world: true, ..Hints::READ },
    right: Right::Read,
};

/// Arguments of `site_check`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    /// See text_search.
    #[serde(default)]
    #[schemars(example = ["/blog/"])]
    scope: Vec<String>,
    /// Default: all but the last three.
    #[serde(default)]
    rules: Vec<Group>,
    /// next_cursor.
    cursor: Option<String>,
}

/// A group of rules by its name.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Group(Rule);

impl TryFrom<String> for Group {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse().map(Self)
    }
}

impl JsonSchema for Group {
    fn schema_name() -> Cow<'static, str> {
        "Group".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Rule::ALL.map(Rule::name)})
    }
}

fn check(context: &Context, asked: Check) -> Result<Value> {
    let rules: BTreeSet<Rule> = asked.rules.into_iter().map(|Group(rule)| rule).collect();
    if rules.contains(&Rule::ExternalLinks) {
        context.need(Right::Fetch, "site_check with external_links")?;
    }
    let query = CheckQuery { scope: asked.scope, rules, drafts: false };
    let report = check::check_in_parts(&context.site, &query, asked.cursor.as_deref(), &context.progress)?;
    let (part, findings) = report.part(asked.cursor.as_deref(), 0)?;
    let Value::Array(mut items) = reply::diagnostics(findings) else { return Ok(Value::Null) };
    items.truncate(reply::fitting(&items));
    let end = part.start + items.len();
    let next_cursor = (end < report.findings.len()).then(|| part.cursor(items.len()));
    let mut answer = Map::new();
    answer.insert("total".into(), report.findings.len().into());
    for (name, severity) in [("errors", Severity::Error), ("warnings", Severity::Warning), ("notes", Severity::Info)] {
        answer.insert(name.into(), json!(report.severities.get(&severity).copied().unwrap_or(0)));
    }
    answer.insert("counts".into(), json!(report.counts));
    answer.insert("items".into(), items.into());
    answer.insert("next_cursor".into(), json!(next_cursor));
    Ok(Value::Object(answer))
}
