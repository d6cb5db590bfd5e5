//! Keyed digests: equal content is seen to be equal, and short texts cannot be guessed from what is written down.

use std::io;
use std::time::Duration;

use ring::hmac;

use crate::error::{Error, Result};
use crate::site::OwnFiles;

/// Where a site's key is.
const FILE: &str = "var/journal.key";
/// Bytes of a key.
const LENGTH: usize = 32;
/// Bytes of a digest that are kept: enough to tell the objects of one site apart.
const KEPT: usize = 8;
/// How often another process is given time to finish its key.
const TRIES: usize = 20;

/// A site's own key.
#[derive(Debug, Clone)]
pub struct Key(hmac::Key);

/// A digest that is being made.
pub(super) struct Digesting {
    context: hmac::Context,
    bytes: u64,
}

impl Key {
    /// The site's key; made where there is none.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn of(files: &OwnFiles) -> Result<Self> {
        let mut fresh = [0; LENGTH];
        getrandom::fill(&mut fresh).map_err(Error::internal)?;
        for _ in 0..TRIES {
            match files.read(FILE)? {
                Some(bytes) if bytes.len() == LENGTH => return Ok(Self::from_bytes(&bytes)),
                None if files.create(FILE, &fresh)? => return Ok(Self::from_bytes(&fresh)),
                // Somebody else is writing it just now.
                _ => std::thread::sleep(Duration::from_millis(2)),
            }
        }
        // What a process that died left is no key.
        files.remove(FILE)?;
        files.create(FILE, &fresh)?;
        Ok(Self::from_bytes(&fresh))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The digest of these bytes.
    #[must_use]
    pub fn digest(&self, bytes: &[u8]) -> String {
        shown(hmac::sign(&self.0, bytes))
    }

    /// Begins a digest of what is written into it.
    pub(super) fn begin(&self) -> Digesting {
        Digesting { context: hmac::Context::with_key(&self.0), bytes: 0 }
    }
}

impl Digesting {
    /// The digest, and how many bytes it is of.
    pub(super) fn end(self) -> (String, u64) {
        (shown(self.context.sign()), self.bytes)
    }
}

impl io::Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shown(tag: hmac::Tag) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * KEPT);
    for byte in &tag.as_ref()[..KEPT] {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_digest_says_equal_and_nothing_else() {
        let (key, other) = (Key::from_bytes(&[1; 32]), Key::from_bytes(&[2; 32]));
        assert_eq!(key.digest(b"a"), key.digest(b"a"));
        assert_ne!(key.digest(b"a"), key.digest(b"b"));
        assert_ne!(key.digest(b"a"), other.digest(b"a"));
        let mut written = key.begin();
        written.write_all(b"ab").unwrap();
        written.write_all(b"c").unwrap();
        assert_eq!(written.end(), (key.digest(b"abc"), 3));
    }
}
