//! Heading ids: readable, unique in the page, never empty.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::config::HeadingIds;
use crate::model::{QuickMap, QuickSet};

/// The ids given out in one page.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    style: HeadingIds,
    taken: QuickSet<String>,
    next: QuickMap<String, usize>,
}

impl Anchors {
    /// None yet.
    pub(super) fn new(style: HeadingIds) -> Self {
        Self { style, ..Self::default() }
    }

    /// An id made from a heading's text.
    pub(super) fn heading(&mut self, text: &str) -> String {
        let slug = match self.style {
            HeadingIds::Github => slug(text),
            HeadingIds::Zola => zola_slug(text),
        };
        self.unique(if slug.is_empty() { "section".to_owned() } else { slug })
    }

    /// An id an author asked for; `Err` carries the one given instead because it was taken.
    pub(super) fn custom(&mut self, wanted: &str) -> Result<String, String> {
        let wanted: String = wanted.chars().filter(|c| !c.is_whitespace() && !c.is_control()).take(200).collect();
        let reserved = wanted.is_empty() || wanted.starts_with("fn:") || wanted.starts_with("fnref:");
        let base = if reserved { format!("section-{}", slug(&wanted)) } else { wanted };
        let given = self.unique(base.clone());
        if given == base && !reserved { Ok(given) } else { Err(given) }
    }

    fn unique(&mut self, base: String) -> String {
        if self.taken.insert(base.clone()) {
            return base;
        }
        // The counter goes on where it stopped, so that many equal headings cost no more than different ones.
        let mut count = self.next.get(&base).copied().unwrap_or(1);
        loop {
            let candidate = format!("{base}-{count}");
            count += 1;
            if self.taken.insert(candidate.clone()) {
                self.next.insert(base, count);
                return candidate;
            }
        }
    }
}

/// The fragment GitHub makes of a heading: lower case, letters of any script kept, blanks become hyphens.
pub fn slug(text: &str) -> String {
    let text = text.trim();
    // ASCII is its own normal form.
    if text.is_ascii() { slug_of(text.chars(), text.len()) } else { slug_of(text.nfc(), text.len()) }
}

fn slug_of(text: impl Iterator<Item = char>, length: usize) -> String {
    let mut out = String::with_capacity(length);
    for c in text.take(200) {
        match c {
            '-' | '_' => out.push(c),
            c if c.is_whitespace() => out.push('-'),
            c if c.is_alphanumeric() || is_combining_mark(c) => out.extend(c.to_lowercase()),
            _ => {}
        }
    }
    out.trim_matches('-').to_owned()
}

/// The fragment Zola makes of a heading: accents go, all that is no letter or digit becomes one hyphen. Zola spells other
/// scripts in Latin letters; here they stay.
fn zola_slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.trim().nfkd().filter(|c| !is_combining_mark(*c)).take(200) {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let length = out.trim_end_matches('-').len();
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zola_ids_are_those_of_zola() {
        for (text, id) in [
            ("What's new in 1.31.0", "what-s-new-in-1-31-0"),
            ("`get_url`", "get-url"),
            ("MaybeUninit<T> instead of mem::uninitialized", "maybeuninit-t-instead-of-mem-uninitialized"),
            ("Déjà vu!", "deja-vu"),
            ("日本語", "日本語"),
            ("??", ""),
        ] {
            assert_eq!(zola_slug(text), id, "{text}");
        }
        assert_eq!(Anchors::new(HeadingIds::Zola).heading("a_b"), "a-b");
        assert_eq!(Anchors::new(HeadingIds::Github).heading("a_b"), "a_b");
    }

    #[test]
    fn slugs_keep_letters_of_every_script() {
        assert_eq!(slug("Hello, World!"), "hello-world");
        assert_eq!(slug("Über uns"), "über-uns");
        assert_eq!(slug("日本語 の 見出し"), "日本語-の-見出し");
        assert_eq!(slug("हिन्दी"), "हिन्दी");
        assert_eq!(slug("🎉🎉"), "");
        assert_eq!(slug("snake_case and-dash"), "snake_case-and-dash");
    }

    #[test]
    fn ids_are_unique_and_never_empty() {
        let mut anchors = Anchors::default();
        assert_eq!(anchors.heading("A"), "a");
        assert_eq!(anchors.heading("A 1"), "a-1");
        assert_eq!(anchors.heading("A"), "a-2");
        assert_eq!(anchors.heading("🎉"), "section");
        assert_eq!(anchors.heading("!"), "section-1");
        assert_eq!(anchors.custom("mine"), Ok("mine".into()));
        assert_eq!(anchors.custom("mine"), Err("mine-1".into()));
        assert!(anchors.custom("fn:1").is_err());
    }
}
