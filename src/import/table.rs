//! CSV: a row is a page, its columns are front matter, one is the body and one the path.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::address;
use super::draft::Draft;
use super::shortcodes::{self, Dialect};
use crate::error::{Error, Result};
use crate::model::front_matter;

/// Rows of one table.
const MAX_ROWS: usize = 20_000;
/// Columns of one table.
const MAX_COLUMNS: usize = 200;
/// Headings of the column with the Markdown.
const BODY: [&str; 5] = ["body", "content", "markdown", "text", "html"];
/// Headings of the column with the path.
const PATH: [&str; 4] = ["path", "file", "filename", "slug"];
/// Columns whose values are lists.
const LISTS: [&str; 7] = ["tags", "categories", "authors", "aliases", "keywords", "images", "topics"];
/// Columns that stay text whatever they look like.
const TEXTS: [&str; 5] = ["title", "description", "slug", "summary", "subtitle"];

/// Plans the import of the one file of a source.
///
/// # Errors
/// [`Error::InvalidArguments`] where it is no table with headings.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<()> {
    let source = draft.source;
    let path = source.paths().next().unwrap_or_default().to_owned();
    let wrong = |problem: String| Error::InvalidArguments {
        field: "from".into(),
        problem,
        example: "title,path,date,tags,body".into(),
    };
    let text = source.text(&path).ok_or_else(|| wrong("the table is not UTF-8 text, or too large".into()))?;
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let mark = [b',', b';', b'\t'].into_iter().max_by_key(|mark| first.bytes().filter(|b| b == mark).count());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(mark.unwrap_or(b',')).flexible(true).from_reader(text.as_bytes());
    let written: Vec<String> = match reader.headers() {
        Ok(headings) => headings.iter().map(|heading| heading.trim().to_owned()).collect(),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let headings: Vec<String> = written.iter().map(|heading| key(heading)).collect();
    if headings.len() > MAX_COLUMNS || headings.iter().all(String::is_empty) {
        return Err(wrong(format!("the first line has {} headings, expected 1 to {MAX_COLUMNS}", headings.len())));
    }
    let headings = renamed(&written, headings, &draft.options.columns)?;
    let find = |names: &[&str]| names.iter().find_map(|name| headings.iter().position(|heading| heading == name));
    let (body, place) = (find(&BODY), find(&PATH));
    for (number, row) in reader.records().enumerate() {
        let line = format!("{path}:{}", number + 2);
        if number >= MAX_ROWS {
            draft.lost("row", "beyond the first 20,000", &line, 0, "left out: import the table in parts");
            break;
        }
        match row {
            Ok(row) => page(draft, &line, &headings, &row, body, place),
            Err(error) => draft.lost("row", &error.to_string(), &line, 0, "left out: mend the row"),
        }
    }
    Ok(())
}

/// The headings with the names they are to have; an empty one is a column of nothing.
fn renamed(written: &[String], mut headings: Vec<String>, columns: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let wrong = |problem: String| Error::InvalidArguments {
        field: "columns".into(),
        problem,
        example: "\"columns\": {\"Post title\": \"title\", \"Text\": \"body\", \"Id\": \"\"}".into(),
    };
    let original = headings.clone();
    for (heading, name) in columns {
        let Some(at) = original.iter().position(|known| !known.is_empty() && *known == key(heading)) else {
            return Err(wrong(format!("the table has no heading `{heading}`, only {}", written.join(", "))));
        };
        if !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            return Err(wrong(format!("`{name}` is no name of a front matter key")));
        }
        headings[at].clone_from(name);
    }
    for (at, name) in headings.iter().enumerate().filter(|(_, name)| columns.values().any(|given| given == *name)) {
        if !name.is_empty() && headings[..at].contains(name) {
            return Err(wrong(format!("two columns are `{name}`: drop one with \"\"")));
        }
    }
    Ok(headings)
}

/// A heading as a front matter key.
fn key(heading: &str) -> String {
    let words = heading.trim().to_lowercase();
    let plain: String = words.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    plain.trim_matches('_').to_owned()
}

fn page(
    draft: &mut Draft<'_>,
    line: &str,
    headings: &[String],
    row: &csv::StringRecord,
    body: Option<usize>,
    place: Option<usize>,
) {
    let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map(str::trim).filter(|text| !text.is_empty());
    let mut values = Map::new();
    for (at, heading) in headings.iter().enumerate() {
        let used = Some(at) == body || (Some(at) == place) || heading.is_empty();
        if let Some(text) = cell(Some(at)).filter(|_| !used) {
            values.insert(heading.clone(), value(heading, text));
        }
    }
    if row.len() > headings.len() {
        draft.lost("cell", "more cells than headings", line, 0, "left out: give every column a heading");
    }
    let named = cell(place).or_else(|| cell(headings.iter().position(|heading| heading == "title")));
    let Some(named) = named else {
        draft.lost("row", "without a path and a title", line, 0, "left out: fill one of the two");
        return;
    };
    let named = named.trim_matches('/').strip_suffix(".md").unwrap_or(named.trim_matches('/'));
    let parts: Vec<String> = if place.is_some_and(|at| row.get(at).is_some_and(|text| !text.trim().is_empty())) {
        named.split('/').map(str::to_owned).collect()
    } else {
        vec![named.to_owned()]
    };
    let slugs: Vec<String> = parts.iter().map(|part| address::jekyll(part, false, true)).collect();
    if slugs.iter().any(String::is_empty) {
        draft.lost("row", "a path of no letters", line, 0, "left out: give it another path");
        return;
    }
    let text = cell(body).unwrap_or_default();
    let text = shortcodes::convert(draft, line, text, 1, Dialect::Plain);
    let wanted = format!("{}.md", slugs.join("/"));
    match front_matter::patch(&wanted, &format!("\n{text}\n"), &values) {
        Ok(text) => draft.page(line, &wanted, text, None),
        Err(error) => draft.lost("row", &error.to_string(), line, 0, "left out"),
    }
}

/// A cell by what it looks like: a list, a flag, a whole number, else text.
fn value(key: &str, text: &str) -> Value {
    if LISTS.contains(&key) {
        let mark = if text.contains(['|', ';']) { &['|', ';'][..] } else { &[','][..] };
        return text.split(mark).map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect();
    }
    let number = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    match text.to_ascii_lowercase().as_str() {
        _ if TEXTS.contains(&key) => text.into(),
        "true" => true.into(),
        "false" => false.into(),
        _ => number.map_or_else(|| text.into(), Value::from),
    }
}
