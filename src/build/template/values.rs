//! Values as text and numbers; comparison, logic and arithmetic helpers.

use std::borrow::Cow;
use std::cmp::Ordering;

use handlebars::JsonTruthy;
use serde_json::Value;

use super::guard::Fault;
use super::vocabulary::{Args, PureFn};

/// Longest text or list a helper makes.
pub(super) const MAX_TEXT: usize = 4 * 1024 * 1024;

pub(super) const HELPERS: &[(&str, PureFn)] = &[
    ("eq", |a| Ok(Value::Bool(same(a.at(0)?, a.at(1)?)))),
    ("ne", |a| Ok(Value::Bool(!same(a.at(0)?, a.at(1)?)))),
    ("lt", |a| Ok(Value::Bool(order(a.at(0)?, a.at(1)?).is_lt()))),
    ("lte", |a| Ok(Value::Bool(order(a.at(0)?, a.at(1)?).is_le()))),
    ("gt", |a| Ok(Value::Bool(order(a.at(0)?, a.at(1)?).is_gt()))),
    ("gte", |a| Ok(Value::Bool(order(a.at(0)?, a.at(1)?).is_ge()))),
    ("and", |a| Ok(a.all().find(|v| !v.is_truthy(false)).or_else(|| a.all().last()).cloned().unwrap_or_default())),
    ("or", |a| Ok(a.all().find(|v| v.is_truthy(false)).or_else(|| a.all().last()).cloned().unwrap_or_default())),
    ("not", |a| Ok(Value::Bool(!a.at(0)?.is_truthy(false)))),
    ("default", |a| Ok(a.all().find(|v| v.is_truthy(true) || **v == Value::Bool(false)).cloned().unwrap_or_default())),
    ("add", |a| arithmetic(a, |x, y| Some(x + y))),
    ("sub", |a| arithmetic(a, |x, y| Some(x - y))),
    ("mul", |a| arithmetic(a, |x, y| Some(x * y))),
    ("div", |a| arithmetic(a, |x, y| (y != 0.0).then(|| x / y))),
    ("mod", |a| arithmetic(a, |x, y| (y != 0.0).then(|| x.rem_euclid(y)))),
    ("round", round),
    ("json", json),
];

/// A value as it is written into a page.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Array(items) => Cow::Owned(items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => Cow::Borrowed("[object]"),
    }
}

/// What looking through a value costs, in steps.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() / 256,
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    }
}

/// A short form for messages.
pub(super) fn excerpt(value: &Value) -> String {
    let text = text(value);
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.into_owned(),
    }
}

/// The number in a value; text that looks like one counts.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// A number as JSON: whole where it is whole.
pub(super) fn from_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT { Value::from(number as i64) } else { Value::from(number) }
}

/// Equal as a reader sees it: `1`, `1.0` and `"1"` are the same; null equals null and empty text.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_) | Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            number(a).is_some_and(|x| number(b).is_some_and(|y| (x - y).abs() < f64::EPSILON))
        }
        (Value::Null, Value::String(text)) | (Value::String(text), Value::Null) => text.is_empty(),
        _ => a == b,
    }
}

/// Numbers by size, everything else as text; empty values come first.
pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(_), Value::Number(_) | Value::String(_)) | (Value::String(_), Value::Number(_)) => {
            match (number(a), number(b)) {
                (Some(x), Some(y)) => x.total_cmp(&y),
                _ => text(a).cmp(&text(b)),
            }
        }
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => text(a).cmp(&text(b)),
    }
}

fn arithmetic(args: &Args<'_, '_>, operation: fn(f64, f64) -> Option<f64>) -> Result<Value, Fault> {
    let mut total = args.number(0)?;
    args.at(1)?;
    for index in 1..args.len() {
        total = operation(total, args.number(index)?)
            .ok_or_else(|| args.fault("divides by zero", "Test the divisor with {{#if}} first."))?;
    }
    Ok(from_number(total))
}

fn round(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let places = if args.len() > 1 { args.whole(1)?.clamp(0, 9) } else { 0 };
    let factor = 10_f64.powi(places as i32);
    Ok(from_number((args.number(0)? * factor).round() / factor))
}

fn json(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let value = args.at(0)?;
    let pretty = args.named("pretty").is_some_and(|v| v.is_truthy(false));
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    let text = text.map_err(|error| args.fault(&format!("cannot write this value: {error}"), ""))?;
    // Inside <script> nothing of this can end the element or begin a comment.
    Ok(Value::from(text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")))
}
