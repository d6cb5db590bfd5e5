//! What each tool replies, as a schema: for hosts that make a typed interface of the tools (`--output-schemas`).
//!
//! Written down as short text, `name:type` with `!` where it is always there, because replies are put together field by field. Every
//! reply of every test is held against it.

use serde_json::{Map, Value, json};

/// What every edit replies.
const WRITTEN: &str = "revision:text unchanged:flag dry_run:flag repeated:flag changed:[file] changed_left_out:number \
    affected_urls:few rendered:rendered diagnostics:[diagnostic] notes:[text] next:text published:object";

/// The replies of the tools. `+written` stands for what every edit replies.
const REPLIES: [(&str, &str); 30] = [
    (
        "site_get",
        "title:any! base_url:any! language:any! languages:[text] theme:any! pages:any! assets:any! sections:any! unpublished:few! \
         diagnostics:object! git:object! writable:flag! next:text config:object taxonomies:[object] collections:object menus:any \
         changes:object guide:text",
    ),
    ("site_update", "+written keys:[setting]! keys_left_out:number"),
    (
        "site_sync",
        "before:text? after:text? unchanged:flag changed:[change] changed_left_out:number conflicts:[object] \
         merged_reviews:any closed_reviews:any next:text",
    ),
    (
        "site_check",
        "total:number! errors:number! warnings:number! notes:number! counts:object! items:[diagnostic]! next_cursor:text?!",
    ),
    ("page_list", "total:number! items:[listed]! next_cursor:text?!"),
    ("page_get", "pages:[page]! left_out:[text] next:text"),
    ("page_write", "+written"),
    ("page_move", "+written"),
    ("page_delete", "+written"),
    ("text_search", "total:number! files:number! items:[match]! next_cursor:text?!"),
    ("text_replace", "+written replaced:counts files:[replaced] files_left_out:number plan:text"),
    ("asset_list", "total:number! bytes:number! items:[asset]! next_cursor:text?!"),
    ("asset_write", "+written uploads:[stored]!"),
    ("asset_delete", "+written"),
    (
        "theme_get",
        "theme:text! version:text description:text extends:text active:flag pinned:text other_themes:[text] texts:[themefile] \
         texts_left_out:[text] files:[themefile] files_left_out:number settings:[object] settings_left_out:number layouts:[object] \
         layouts_left_out:number versions:[object] versions_left_out:number next:text",
    ),
    ("theme_write", "+written"),
    ("theme_use", "+written theme:text! files_written:object files_removed:object"),
    ("preview", "pages:[shown] viewport:object diagnostics:[diagnostic] address:text left_out:[text] next:text"),
    ("change_list", "total:number! items:[unpublished]! next_cursor:text?! change_sets:[object]"),
    ("change_diff", "total:number! items:[difference]! next_cursor:text?!"),
    ("change_discard", "+written"),
    ("change_open", "change_set:text! base:text! next:text!"),
    ("change_close", "+written discarded:any tip:text closed:flag!"),
    (
        "publish",
        "revision:text unchanged:flag dry_run:flag resumed:flag merged_from:text review:object change_set_closed:flag \
         scheduled:object pushed:push deployed:push published:few in_review:few frozen:few urls:object! rerendered:number \
         unpublished:few! held:few diagnostics:[diagnostic]! next:text",
    ),
    ("revision_list", "items:[revision]! next_cursor:text?!"),
    ("revision_restore", "+written"),
    (
        "content_import",
        "revision:text unchanged:flag dry_run:flag kind:text! pages:object! files:object! settings:object! redirects:number \
         urls_written_down:number not_carried:object diagnostics:[diagnostic]! next:text published:object",
    ),
    (
        "feedback_submit",
        "taken:flag id:text fingerprint:text duplicate_of:text occurrences:number measured:object exists_already:text next:text!",
    ),
    (
        "friction_report",
        "since:text! calls:number! sessions:number! wasted:object! findings:[object] findings_left_out:number \
         seen_too_seldom:number reported:[object] briefs:[object] trust:object! journal:text compare:object \
         next:text",
    ),
    (
        "self_test",
        "ok:flag! server:text! passed:[text]! failed:[object] skipped:[text] site_changed:[text] swept:number ms:number!",
    ),
];

/// The parts of replies, by the name of their type. None names itself.
const PARTS: [(&str, &str); 20] = [
    ("few", "count:number! first:[text]!"),
    ("rendered", "count:number! because:object! first:[text]!"),
    ("counts", "matches:number! files:number!"),
    ("lines", "added:number! removed:number!"),
    (
        "file",
        "path:text! url:text etag:text deleted:flag state:text lines:lines diff:text html:text html_left_out:flag",
    ),
    ("diagnostic", "severity:text! code:text! path:text! line:number message:text! hint:text"),
    ("setting", "key:text! old:any new:any"),
    ("change", "path:text! change:text!"),
    ("listed", "path:text! url:text! title:any date:any state:text changed:flag"),
    (
        "page",
        "path:text! url:text! title:text! etag:text? state:text front_matter:object body_lines:number body:text html:text text:text \
         outline:[object] backlinks:[object] diagnostics:[diagnostic] history:[revision]",
    ),
    ("match", "path:text! url:text line:number! column:number! excerpt:text! before:[text] after:[text]"),
    ("excerpt", "line:number! before:text! after:text!"),
    ("replaced", "path:text! count:number! excerpts:[excerpt]"),
    ("asset", "path:text! url:text bytes:number! type:text px:text used_by:any etag:text!"),
    (
        "stored",
        "path:text! url:text bytes:number! type:text width:number height:number etag:text! markdown:text note:text",
    ),
    ("themefile", "path:text! bytes:number! etag:text! lines:number text:text text_left_out:text"),
    ("shown", "path:text! url:text! address:text html:text text:text cut:flag image:object page_height:number"),
    (
        "unpublished",
        "path:text! url:text change:text! etag:text hand_edit:flag hold:flag review:text scheduled:object edits:[object]",
    ),
    ("difference", "path:text! etag:text new:flag deleted:flag hand_edit:flag lines:lines diff:text"),
    (
        "revision",
        "id:text! kind:text! origin:text! when:text! by:text client:text token:text tool:text message:text changes:[change] \
         more_changes:number",
    ),
];

/// The schema of a tool's reply; of a tool that says nothing about it, any object.
pub(super) fn of(tool: &str) -> Map<String, Value> {
    let fields = REPLIES.iter().find(|(name, _)| *name == tool).map(|(_, fields)| *fields);
    let (edited, fields) = match fields.map(|fields| fields.strip_prefix("+written").unwrap_or(fields)) {
        Some(rest) => (fields.is_some_and(|fields| fields.starts_with("+written")), rest),
        None => (false, ""),
    };
    match object(if edited { WRITTEN } else { "" }, fields) {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn object(common: &str, fields: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in common.split_whitespace().chain(fields.split_whitespace()) {
        let Some((name, kind)) = field.split_once(':') else { continue };
        let kind = match kind.strip_suffix('!') {
            Some(kind) => {
                required.push(name);
                kind
            }
            None => kind,
        };
        properties.insert(name.to_owned(), value(kind));
    }
    let mut schema = json!({"type": "object", "properties": properties});
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".into(), json!(required));
    }
    schema
}

fn value(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix('?') {
        let inner = value(kind);
        return json!({"type": [inner["type"], "null"]});
    }
    if let Some(item) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({"type": "array", "items": value(item)});
    }
    match kind {
        "text" => json!({"type": "string"}),
        "number" => json!({"type": "integer"}),
        "flag" => json!({"type": "boolean"}),
        "object" => json!({"type": "object"}),
        // Any value at all; a bare `true` is refused by some clients.
        "any" => json!({}),
        "push" => object("", "remote:text branch:text reason:text ok:flag!"),
        part => object("", PARTS.iter().find(|(name, _)| *name == part).map_or("", |(_, fields)| fields)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_is_named_is_there() {
        let known = ["text", "number", "flag", "object", "any", "push"];
        let all = REPLIES.iter().chain(&PARTS).map(|(_, fields)| *fields).chain([WRITTEN]);
        for field in all.flat_map(str::split_whitespace).filter(|field| *field != "+written") {
            let (name, kind) = field.split_once(':').expect(field);
            let kind = kind.trim_end_matches(['!', '?']).trim_start_matches('[').trim_end_matches(']');
            let kind = kind.trim_end_matches('?');
            assert!(known.contains(&kind) || PARTS.iter().any(|(part, _)| *part == kind), "{name}: {kind}");
        }
    }
}
