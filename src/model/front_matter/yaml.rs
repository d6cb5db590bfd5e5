//! Reads YAML into ordered values: duplicate keys, non-finite numbers, deep nesting and alias bombs are refused.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::limits::{self, Budget, MAX_DEPTH, TOO_DEEP};
use super::problem::Problem;

/// Reads a document whose root is a mapping; an empty one is an empty mapping.
pub(in crate::model) fn read_map(text: &str) -> Result<Map<String, Value>, Problem> {
    match read(text)? {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        other => {
            let line = text.lines().position(is_content).unwrap_or(0) + 1;
            Err(Problem::new(line, 1, format!("expected `key: value` lines, found {}", kind(&other))))
        }
    }
}

/// Reads a document of any kind.
pub(in crate::model) fn read(text: &str) -> Result<Value, Problem> {
    limits::check_yaml(text)?;
    let budget = RefCell::new(Budget::of(text));
    let mut root = None;
    for document in serde_yaml::Deserializer::from_str(text) {
        if root.is_some() {
            let line = text.lines().skip(1).position(|line| line.trim_end() == "---").map_or(0, |at| at + 2);
            return Err(Problem::new(line, 1, "a second YAML document begins here").with_fix("Remove the `---` line."));
        }
        root = Some(ValueSeed { depth: 0, budget: &budget }.deserialize(document).map_err(|error| problem(&error))?);
    }
    Ok(root.unwrap_or(Value::Null))
}

/// What a value is, in words for messages.
pub(in crate::model) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn problem(error: &serde_yaml::Error) -> Problem {
    let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    // Messages of our own come back with the path of the value in front, such as `params.a: duplicate key ..`.
    let message = OWN.iter().find_map(|own| message.find(own).map(|at| &message[at..])).unwrap_or(message);
    // The parser stumbles at the end; the slip is where the quote, bracket or line began.
    let began = [
        ("unexpected end of stream", "this quote or bracket is never closed"),
        ("expected ',' or", "this bracket is never closed, or an item needs quotes or a comma"),
        ("could not find expected ':'", "this line is no `key: value`"),
    ];
    if let Some((_, fact)) = began.iter().find(|(sign, _)| message.contains(sign))
        && let Some((line, column)) = began_at(&text)
    {
        return Problem::new(line, column, *fact);
    }
    Problem::new(line, column, message)
}

/// The place behind `while scanning a .. at line 3 column 8`.
fn began_at(text: &str) -> Option<(usize, usize)> {
    let (_, context) = text.split_once(", while ")?;
    let (_, place) = context.split_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

const DUPLICATE: &str = "duplicate key";
const BOMB: &str = "its aliases expand to too much text";
const NOT_FINITE: &str = "a number must be finite";
const COMPLEX_KEY: &str = "a key must be plain text";
const OWN: [&str; 5] = [DUPLICATE, TOO_DEEP, BOMB, NOT_FINITE, COMPLEX_KEY];

#[derive(Clone, Copy)]
struct ValueSeed<'a> {
    depth: usize,
    budget: &'a RefCell<Budget>,
}

impl ValueSeed<'_> {
    fn take<E: de::Error>(self, bytes: usize) -> Result<(), E> {
        if self.budget.borrow_mut().take(bytes) { Ok(()) } else { Err(E::custom(BOMB)) }
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        self.take(0)?;
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("{TOO_DEEP} {MAX_DEPTH} levels deep")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.take(0).map(|()| Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        self.take(0).map(|()| Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        self.take(0).map(|()| value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        self.take(0).map(|()| value.into())
    }

    // Past 64 bits the digits matter more than the type: text keeps them all.
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_string(value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        self.take(0)?;
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom(NOT_FINITE))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        self.take(value.len()).map(|()| Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        let mut merged = Vec::new();
        while let Some(key) = entries.next_key_seed(KeySeed { seen: &map, budget: inner })? {
            let value = entries.next_value_seed(inner)?;
            match value {
                Value::Object(base) if key == "<<" => merged.push(base),
                Value::Array(bases) if key == "<<" && bases.iter().all(Value::is_object) => {
                    merged.extend(bases.into_iter().filter_map(|base| match base {
                        Value::Object(base) => Some(base),
                        _ => None,
                    }));
                }
                value => {
                    map.insert(key, value);
                }
            }
        }
        for (key, value) in merged.into_iter().flatten() {
            if !map.contains_key(&key) {
                map.insert(key, value);
            }
        }
        Ok(Value::Object(map))
    }

    // A tag such as `!note` says nothing to us: the value below it counts.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (_tag, content) = data.variant::<String>()?;
        content.newtype_variant_seed(self.deeper()?)
    }
}

struct KeySeed<'a> {
    seen: &'a Map<String, Value>,
    budget: ValueSeed<'a>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = String;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        self.visit_str("null")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<String, E> {
        self.visit_string(value.to_string())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<String, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<String, E> {
        self.budget.take(value.len())?;
        if self.seen.contains_key(&value) {
            return Err(E::custom(format_args!("{DUPLICATE} `{value}`")));
        }
        Ok(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _items: A) -> Result<String, A::Error> {
        Err(de::Error::custom(COMPLEX_KEY))
    }

    fn visit_map<A: MapAccess<'de>>(self, _entries: A) -> Result<String, A::Error> {
        Err(de::Error::custom(COMPLEX_KEY))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<String, A::Error> {
        let (_tag, content) = data.variant::<String>()?;
        content.newtype_variant_seed(self)
    }
}
