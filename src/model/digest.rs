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
        let mut batch = Batch::of(&mut self.0);
        batch.value(value);
        batch.end();
    }

    /// Adds fields of a map, in their order.
    pub fn fields<'v>(&mut self, fields: impl Iterator<Item = (&'v String, &'v Value)>) {
        let mut batch = Batch::of(&mut self.0);
        for (name, value) in fields {
            name.hash(&mut batch);
            batch.value(value);
        }
        batch.end();
    }

    /// The digest.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest(self.0.finish128().as_u128())
    }
}

/// The most bytes that wait for each other.
const WAITING: usize = 512;

/// What is hashed together: most parts of a value are short, and hashing each by itself costs more than its bytes.
struct Batch<'h> {
    hasher: &'h mut SipHasher13,
    waiting: [u8; WAITING],
    length: usize,
}

impl<'h> Batch<'h> {
    fn of(hasher: &'h mut SipHasher13) -> Self {
        Self { hasher, waiting: [0; WAITING], length: 0 }
    }

    fn end(&mut self) {
        self.hasher.write(&self.waiting[..self.length]);
        self.length = 0;
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.write_u8(0),
            Value::Bool(flag) => self.write_u8(1 + u8::from(*flag)),
            Value::Number(number) => {
                self.write_u8(3);
                match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(number), _, _) => (0_u8, number).hash(self),
                    (_, Some(number), _) => (1_u8, number).hash(self),
                    (_, _, number) => (2_u8, number.map(f64::to_bits)).hash(self),
                }
            }
            Value::String(text) => {
                self.write_u8(4);
                text.hash(self);
            }
            Value::Array(items) => {
                self.write_u8(5);
                self.write_usize(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(map) => {
                self.write_u8(6);
                self.write_usize(map.len());
                for (key, value) in map {
                    key.hash(self);
                    self.value(value);
                }
            }
        }
    }
}

impl Hasher for Batch<'_> {
    fn write(&mut self, bytes: &[u8]) {
        if self.length + bytes.len() > WAITING {
            self.end();
        }
        match self.waiting.get_mut(self.length..self.length + bytes.len()) {
            Some(free) => {
                free.copy_from_slice(bytes);
                self.length += bytes.len();
            }
            None => self.hasher.write(bytes),
        }
    }

    /// Of what was hashed so far, without what still waits.
    fn finish(&self) -> u64 {
        self.hasher.finish()
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
        let long =
            |end: &str| of(&json!([1, "x".repeat(WAITING - 20), "y".repeat(WAITING), "z".repeat(2 * WAITING), end]));
        assert_eq!(long("a"), long("a"));
        assert_ne!(long("a"), long("b"));
        assert_eq!(Digest::parse(&Digest::of(b"x").to_string()), Some(Digest::of(b"x")));
    }
}
