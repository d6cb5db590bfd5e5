//! Reads TOML into ordered values; dates become text in RFC 3339 form.

use serde_json::{Map, Number, Value};
use toml::de::{DeInteger, DeTable, DeValue};

use super::limits;
use super::problem::Problem;

/// Reads a TOML document.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, Problem> {
    table(text, parse(text)?.get_ref())
}

/// Parses a TOML document with the place of every key and value.
pub(super) fn parse(text: &str) -> Result<toml::Spanned<DeTable<'_>>, Problem> {
    limits::check_brackets(text)?;
    DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let fix = if message.contains("duplicate key") {
            "Keep one of the two lines and remove the other."
        } else {
            "Write each key on a line of its own as `key = value`; text wants quotes: `title = \"Hello\"`."
        };
        Problem::at(text, at, message).with_fix(fix)
    })
}

fn table(text: &str, table: &DeTable<'_>) -> Result<Map<String, Value>, Problem> {
    table
        .iter()
        .map(|(key, item)| Ok((key.get_ref().to_string(), value(text, item.span().start, item.get_ref())?)))
        .collect()
}

/// A value of TOML as JSON; `at` is where it begins, for the error.
pub(super) fn value(text: &str, at: usize, item: &DeValue<'_>) -> Result<Value, Problem> {
    Ok(match item {
        DeValue::String(string) => Value::String(string.to_string()),
        DeValue::Integer(number) => integer(number),
        DeValue::Float(number) => {
            let number = number.as_str().parse::<f64>().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| Problem::at(text, at, "a number must be finite"))?)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(moment) => Value::String(moment.to_string()),
        DeValue::Array(items) => items
            .iter()
            .map(|item| value(text, item.span().start, item.get_ref()))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array)?,
        DeValue::Table(inner) => Value::Object(table(text, inner)?),
    })
}

/// Past 64 bits the digits matter more than the type: text keeps them all.
fn integer(number: &DeInteger<'_>) -> Value {
    let (digits, radix) = (number.as_str(), number.radix());
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        small.into()
    } else if let Ok(large) = u64::from_str_radix(digits, radix) {
        large.into()
    } else {
        Value::String(digits.to_owned())
    }
}
