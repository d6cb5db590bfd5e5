//! Whether words that an operator reports are words of the site: those stay where they are.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::redact::plain;
use crate::error::Result;
use crate::model::{File, PathKind};
use crate::site::Site;

/// So many words in a row are no accident.
const RUN: usize = 8;

/// Whether a text has eight words in a row from a page or a data file.
pub(super) fn repeats_a_page(site: &Site, text: &str) -> Result<bool> {
    let wanted: HashSet<u64> = runs(&words(&plain(text))).collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let snapshot = site.repository().working()?;
    let texts = snapshot.iter().filter(|(path, _)| matches!(path.kind(), PathKind::Page | PathKind::Data));
    Ok(texts.filter_map(|(_, file)| File::text(file)).any(|page| runs(&words(page)).any(|run| wanted.contains(&run))))
}

/// The words as hashes, without case and punctuation.
fn words(text: &str) -> Vec<u64> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(|word| hash(&word.to_lowercase())).collect()
}

fn runs(words: &[u64]) -> impl Iterator<Item = u64> {
    words.windows(RUN).map(hash)
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
