//! What did not carry over: counted by kind and name, with the first places, so that nothing is lost in silence.

use std::collections::BTreeMap;

/// Names kept of one kind; the rest are counted under one name.
const NAMES: usize = 200;
/// Places named of each.
const EXAMPLES: usize = 3;

/// One thing that did not carry over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Kind: shortcode, liquid_tag, front_matter, template, setting, ...
    pub what: &'static str,
    /// Which one.
    pub name: String,
    /// How often.
    pub count: usize,
    /// First places, `path` or `path:line`.
    pub examples: Vec<String>,
    /// What became of it, and what to do.
    pub advice: &'static str,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    found: BTreeMap<(&'static str, String), Lost>,
    kinds: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Counts one more.
    pub fn add(&mut self, what: &'static str, name: &str, place: impl Into<String>, advice: &'static str) {
        let mut name: String = name.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if !self.found.contains_key(&(what, name.clone())) {
            let names = self.kinds.entry(what).or_default();
            if *names >= NAMES {
                name = "others".into();
            } else {
                *names += 1;
            }
        }
        let lost = self.found.entry((what, name.clone())).or_insert_with(|| Lost {
            what,
            name,
            count: 0,
            examples: Vec::new(),
            advice,
        });
        lost.count += 1;
        if lost.examples.len() < EXAMPLES {
            let place = place.into();
            if !place.is_empty() && !lost.examples.contains(&place) {
                lost.examples.push(place);
            }
        }
    }

    /// The most frequent first.
    #[must_use]
    pub fn list(&self) -> Vec<&Lost> {
        let mut list: Vec<&Lost> = self.found.values().collect();
        list.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (a.what, &a.name).cmp(&(b.what, &b.name))));
        list
    }

    /// Whether anything of a kind is in it.
    #[must_use]
    pub fn count(&self, what: &str) -> usize {
        self.found.values().filter(|lost| lost.what == what).map(|lost| lost.count).sum()
    }

    /// How many things, all together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.found.values().map(|lost| lost.count).sum()
    }
}
