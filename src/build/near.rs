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
    let wanted: Vec<char> = wanted.to_lowercase().chars().take(64).collect();
    let limit = (wanted.len() / 3).clamp(1, 4);
    let mut found: Vec<(usize, T)> = names
        .filter_map(|(name, value)| {
            if name.len() > 256 || name.is_empty() {
                return None;
            }
            let name: Vec<char> = name.to_lowercase().chars().collect();
            if name.len().abs_diff(wanted.len()) > limit {
                return None;
            }
            let distance = distance(&wanted, &name);
            (distance <= limit).then_some((distance, value))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(3).map(|(_, value)| value).collect()
}

/// Edits from one to the other: a letter put in, left out, replaced, or two neighbours swapped.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let names = ["hello-world", "helo", "hello", "xyz"];
        assert_eq!(nearest("hallo", names.into_iter()), ["hello"]);
        assert_eq!(nearest("abuot", ["about"].into_iter()), ["about"]);
        assert_eq!(distance(&['a', 'b', 'c'], &['c', 'a']), 3);
        assert_eq!(distance(&[], &['c', 'a']), 2);
        assert_eq!(nearest("zzzzzz", names.into_iter()), Vec::<&str>::new());
    }
}
