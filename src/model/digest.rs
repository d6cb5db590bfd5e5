//! A short stand-in for bytes: equal for equal ones, another for others, but for one case in 2^128.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

/// The digest of some bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub u128);

impl Digest {
    /// Of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Digester::default().with(bytes).finish()
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        ((self.0 >> 64) as u64, self.0 as u64).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (high, low) = <(u64, u64)>::deserialize(deserializer)?;
            return Ok(Self(u128::from(high) << 64 | u128::from(low)));
        }
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("expected a digest"))
    }
}

/// Makes one digest of many things; each is set off from the next.
#[derive(Default)]
pub struct Digester(SipHasher13);

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digester")
    }
}

impl Digester {
    /// Adds something.
    #[must_use]
    pub fn with<T: Hash + ?Sized>(mut self, what: &T) -> Self {
        self.add(what);
        self
    }

    /// Adds something.
    pub fn add<T: Hash + ?Sized>(&mut self, what: &T) {
        what.hash(&mut self.0);
    }

    /// Adds a value; maps count with their order, which templates show.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.write_u8(0),
            Value::Bool(flag) => self.0.write_u8(1 + u8::from(*flag)),
            Value::Number(number) => {
                self.0.write_u8(3);
                match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(number), _, _) => (0_u8, number).hash(&mut self.0),
                    (_, Some(number), _) => (1_u8, number).hash(&mut self.0),
                    (_, _, number) => (2_u8, number.map(f64::to_bits)).hash(&mut self.0),
                }
            }
            Value::String(text) => {
                self.0.write_u8(4);
                text.hash(&mut self.0);
            }
            Value::Array(items) => {
                self.0.write_u8(5);
                self.0.write_usize(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(map) => {
                self.0.write_u8(6);
                self.0.write_usize(map.len());
                for (key, value) in map {
                    key.hash(&mut self.0);
                    self.value(value);
                }
            }
        }
    }

    /// The digest.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(self.0.finish128().as_u128())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> Digest {
        let mut digester = Digester::default();
        digester.value(value);
        digester.finish()
    }

    #[test]
    fn different_values_have_different_digests() {
        let all = [
            json!(null),
            json!(false),
            json!(true),
            json!(0),
            json!(1),
            json!(-1),
            json!(1.5),
            json!("1"),
            json!(""),
            json!([]),
            json!([[]]),
            json!(["a", "b"]),
            json!(["ab"]),
            json!([["a"], "b"]),
            json!([["a", "b"]]),
            json!({}),
            json!({"a": "b"}),
            json!({"a": null}),
            json!({"a": 1, "b": 2}),
            json!({"b": 2, "a": 1}),
            json!(u64::MAX),
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(of(a) == of(b), i == j, "{a} {b}");
            }
        }
        assert_eq!(Digest::parse(&Digest::of(b"x").to_string()), Some(Digest::of(b"x")));
    }
}
