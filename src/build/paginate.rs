//! Lists in pages: how many, their addresses, which entries.

use std::ops::Range;

use serde_json::{Value, json};

use super::address::Base;
use crate::model::Config;

/// How many list pages `items` make; at least one. `size` 0: no pagination.
#[must_use]
pub(crate) fn count(items: usize, size: usize) -> usize {
    if size == 0 { 1 } else { items.div_ceil(size).max(1) }
}

/// The URL path of list page `n`: `/blog/`, `/blog/page/2/`.
#[must_use]
pub(crate) fn url(first: &str, n: usize) -> String {
    if n <= 1 {
        return first.to_owned();
    }
    let slash = if first.ends_with('/') { "" } else { "/" };
    format!("{first}{slash}page/{n}/")
}

/// The entries of list page `n`.
#[must_use]
pub(crate) fn range(items: usize, size: usize, n: usize) -> Range<usize> {
    if size == 0 {
        return 0..items;
    }
    let start = n.saturating_sub(1).saturating_mul(size).min(items);
    start..start.saturating_add(size).min(items)
}

/// Entries on one page of a section's list.
#[must_use]
pub(crate) fn section_size(config: &Config, folder: &str) -> usize {
    config.collection_of(folder).and_then(|(_, collection)| collection.per_page).unwrap_or(config.paginate)
}

/// Entries on one page of a taxonomy's term lists.
#[must_use]
pub(crate) fn term_size(config: &Config, key: &str) -> usize {
    config.taxonomies.get(key).and_then(|taxonomy| taxonomy.paginate).unwrap_or(config.paginate)
}

/// What a template sees as `paginator`.
#[must_use]
pub(crate) fn context(base: &Base, first: &str, items: usize, size: usize, n: usize) -> Value {
    let total = count(items, size);
    let href = |n: usize| base.href(&url(first, n));
    json!({
        "current": n,
        "total": total,
        "count": items,
        "first": href(1),
        "last": href(total),
        "prev": (n > 1).then(|| href(n - 1)),
        "next": (n < total).then(|| href(n + 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once() {
        for items in [0, 1, 19, 20, 21, 40, 41] {
            let seen: usize = (1..=count(items, 20)).map(|n| range(items, 20, n).len()).sum();
            assert_eq!(seen, items);
        }
        assert_eq!(count(0, 20), 1);
        assert_eq!(count(500, 0), 1);
        assert_eq!(range(500, 0, 1), 0..500);
        assert_eq!(range(10, 5, usize::MAX), 10..10);
        assert_eq!(url("/blog/", 2), "/blog/page/2/");
    }
}
