use proptest::prelude::*;

use super::*;

fn merge(base: &str, ours: &str, theirs: &str) -> Merge {
    merge_file("content/a.md", Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()))
}

fn merged(base: &str, ours: &str, theirs: &str) -> String {
    match merge(base, ours, theirs) {
        Merge::Merged(Some(bytes)) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn reason(base: &str, ours: &str, theirs: &str) -> String {
    match merge(base, ours, theirs) {
        Merge::Conflict { reason } => reason,
        Merge::Merged(bytes) => panic!("merged: {:?}", bytes.map(|b| String::from_utf8_lossy(&b).into_owned())),
    }
}

const BASE: &str = "---\ntitle: A\ndate: 2026-01-01 # day\ntags: [x, y]\n---\nOne. Two. Three.\n\nMore.\n";

#[test]
fn neighbouring_front_matter_keys_and_the_body_merge() {
    let ours = BASE.replace("title: A", "title: B");
    let theirs = BASE.replace("2026-01-01", "2026-02-02").replace("Two.", "Two and a half.");
    assert_eq!(
        merged(BASE, &ours, &theirs),
        "---\ntitle: B\ndate: 2026-02-02 # day\ntags: [x, y]\n---\nOne. Two and a half. Three.\n\nMore.\n"
    );
}

#[test]
fn comments_of_both_sides_stay_where_lines_allow_it() {
    let base = "---\ntitle: A\n\n\n\nweight: 1\n---\n";
    let ours = base.replace("title: A", "# ours\ntitle: B");
    let theirs = base.replace("weight: 1", "# theirs\nweight: 2");
    assert_eq!(merged(base, &ours, &theirs), "---\n# ours\ntitle: B\n\n\n\n# theirs\nweight: 2\n---\n");
}

#[test]
fn lists_of_scalars_merge_as_sets() {
    let ours = BASE.replace("[x, y]", "[x, y, z]");
    let theirs = BASE.replace("[x, y]", "[y, w]");
    assert!(merged(BASE, &ours, &theirs).contains("tags: [y, z, w]"), "{}", merged(BASE, &ours, &theirs));
}

#[test]
fn a_key_changed_on_both_sides_is_a_conflict_that_names_it() {
    let (ours, theirs) = (BASE.replace("title: A", "title: B"), BASE.replace("title: A", "title: C"));
    assert_eq!(reason(BASE, &ours, &theirs), "both sides changed the front matter key title");
    let nested = "---\nparams:\n  a:\n    b: 1\n---\n";
    assert_eq!(
        reason(nested, &nested.replace('1', "2"), &nested.replace('1', "3")),
        "both sides changed the front matter key params.a.b"
    );
}

#[test]
fn a_key_deleted_here_and_changed_there_is_a_conflict() {
    let (ours, theirs) = (BASE.replace("title: A\n", ""), BASE.replace("title: A", "title: C"));
    assert_eq!(reason(BASE, &ours, &theirs), "both sides changed the front matter key title");
}

#[test]
fn sentences_of_one_line_merge() {
    let (ours, theirs) = (BASE.replace("One.", "First."), BASE.replace("Two.", "Second."));
    assert!(merged(BASE, &ours, &theirs).contains("First. Second. Three.\n\nMore.\n"));
    let (ours, theirs) = (BASE.replace("Two.", "First."), BASE.replace("Two.", "Second."));
    assert_eq!(reason(BASE, &ours, &theirs), "both sides changed the same sentences of the body");
}

#[test]
fn one_side_adds_front_matter_and_the_other_a_sentence() {
    let base = "Hello.\n";
    assert_eq!(merged(base, "---\ntitle: T\n---\nHello.\n", "Hello. World.\n"), "---\ntitle: T\n---\nHello. World.\n");
}

#[test]
fn deletion_creation_and_binary_files() {
    let conflict = |b: Option<&str>, o: Option<&str>, t: Option<&str>| {
        matches!(
            merge_file("static/x", b.map(str::as_bytes), o.map(str::as_bytes), t.map(str::as_bytes)),
            Merge::Conflict { .. }
        )
    };
    assert!(conflict(Some("a"), None, Some("b")));
    assert!(conflict(Some("a"), Some("b"), None));
    assert!(conflict(None, Some("a"), Some("b")));
    assert!(conflict(Some("\0a"), Some("\0b"), Some("\0c")));
    assert!(!conflict(Some("a"), None, None));
    assert!(!conflict(None, Some("a"), Some("a")));
}

#[test]
fn a_page_that_cannot_be_read_merges_by_line() {
    let base = "---\ntitle: [\n---\na\nb\nc\nd\n";
    assert_eq!(
        merged(base, &base.replace("a\n", "A\n"), &base.replace("d\n", "D\n")),
        "---\ntitle: [\n---\nA\nb\nc\nD\n"
    );
}

#[test]
fn pages_are_known_in_a_sub_folder_too() {
    assert!(is_page("content/a.md") && is_page("docs/content/b/c.MD"));
    assert!(!is_page("static/a.md") && !is_page("content/a.css") && !is_page("mycontent/a.md"));
}

fn side() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("(---\ntitle: [ab]\n---\n)?([a-c]{1,2}[.\n ]?){0,6}")
}

proptest! {
    #[test]
    fn one_changed_side_wins(base in side(), x in side()) {
        let (b, x) = (base.as_deref().map(str::as_bytes), x.as_deref().map(str::as_bytes));
        let want = Merge::Merged(x.map(<[u8]>::to_vec));
        prop_assert_eq!(merge_file("content/p.md", b, x, b), want.clone());
        prop_assert_eq!(merge_file("content/p.md", b, b, x), want.clone());
        prop_assert_eq!(merge_file("content/p.md", b, x, x), want);
    }

    #[test]
    fn sides_may_be_swapped(base in side(), x in side(), y in side()) {
        let (b, x, y) = (base.as_deref().map(str::as_bytes), x.as_deref().map(str::as_bytes), y.as_deref().map(str::as_bytes));
        let there = matches!(merge_file("content/p.md", b, x, y), Merge::Conflict { .. });
        let back = matches!(merge_file("content/p.md", b, y, x), Merge::Conflict { .. });
        prop_assert_eq!(there, back);
    }
}
