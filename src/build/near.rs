//! Near matches for what does not exist.

/// How many candidates are looked at, so that a site full of broken links stays cheap.
pub(crate) const MOST: usize = 5_000;

/// The names nearest to a wanted one, best first, at most three.
#[must_use]
pub(crate) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    nearest_by(wanted, names.map(|name| (name, name)))
}

/// The values whose names are nearest to a wanted one, best first, at most three.
#[must_use]
pub(crate) fn nearest_by<'n, T: Ord>(wanted: &str, names: impl Iterator<Item = (&'n str, T)>) -> Vec<T> {
    let wanted: String = wanted.to_lowercase().chars().take(64).collect();
    let length = wanted.chars().count();
    let limit = (length / 3).clamp(1, 4);
    let mut found: Vec<(usize, T)> = names
        .filter_map(|(name, value)| {
            if name.len() > 256 || name.is_empty() {
                return None;
            }
            let name = name.to_lowercase();
            if name.chars().count().abs_diff(length) > limit {
                return None;
            }
            let distance = strsim::osa_distance(&wanted, &name);
            (distance <= limit).then_some((distance, value))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(3).map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let names = ["hello-world", "helo", "hello", "xyz"];
        assert_eq!(nearest("hallo", names.into_iter()), ["hello"]);
        assert_eq!(nearest("abuot", ["about"].into_iter()), ["about"]);
        assert_eq!(nearest("zzzzzz", names.into_iter()), Vec::<&str>::new());
    }
}
