//! The name a caller most likely meant.

/// The candidate with the smallest edit distance to `name`, if it is near enough to be worth naming.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Distances grow with the product of lengths; nobody misspells a name into one this long.
    if name.len() > 64 {
        return None;
    }
    let folded = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (rank(&folded, candidate), candidate))
        .filter(|(rank, _)| *rank <= (folded.chars().count() / 2).max(2))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, candidate)| candidate)
}

/// Words in another order (`write_page`) and a part of the name (`pages`) count as near.
fn rank(name: &str, candidate: &str) -> usize {
    let mut words: Vec<&str> = name.split(['_', '-', '.']).collect();
    let mut others: Vec<&str> = candidate.split('_').collect();
    words.sort_unstable();
    others.sort_unstable();
    if words == others {
        return 0;
    }
    // A short word is part of many others by accident.
    let part_of = |part: &str, whole: &str| part.len() >= 4 && whole.contains(part);
    if part_of(name, candidate) || part_of(candidate, name) {
        return 1;
    }
    strsim::osa_distance(name, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: [&str; 5] = ["page_list", "page_get", "page_write", "publish", "site_get"];

    #[test]
    fn finds_slips_and_other_word_orders() {
        assert_eq!(nearest("page_wirte", TOOLS), Some("page_write"));
        assert_eq!(nearest("write_page", TOOLS), Some("page_write"));
        assert_eq!(nearest("publsh", TOOLS), Some("publish"));
        assert_eq!(nearest("get-page", TOOLS), Some("page_get"));
    }

    #[test]
    fn a_short_name_inside_another_is_no_near_one() {
        assert_eq!(nearest("pathx", ["at", "paths"]), Some("paths"));
    }

    #[test]
    fn says_nothing_about_strangers() {
        assert_eq!(nearest("zzzzzz", TOOLS), None);
        assert_eq!(nearest(&"x".repeat(10_000), TOOLS), None);
    }
}
