//! What the tools can do already, by the words that operators use when they miss it.

/// One ability: every group has to be met by one of its words.
struct Ability {
    groups: &'static [&'static [&'static str]],
    answer: &'static str,
}

const fn ability(groups: &'static [&'static [&'static str]], answer: &'static str) -> Ability {
    Ability { groups, answer }
}

const MANY: &[&str] = &[
    "batch",
    "bulk",
    "many",
    "several",
    "multiple",
    "one by one",
    "at once",
    "each page",
    "per page",
    "all pages",
    "loop",
];
const MISSING: &[&str] = &[
    "no way",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "missing",
    "no tool",
    "not possible",
    "there is no",
    "need",
    "want",
    "wish",
    "would like",
    "how",
    "had to",
    "lack",
    "every",
    "again and again",
    "one by one",
    "too many",
    "instead",
];

/// The narrower ones first.
const ABILITIES: &[Ability] = &[
    ability(
        &[&["front matter", "front_matter", "field", "tag", "key"], MANY, MISSING],
        "page_write takes select (section, glob or term) with one front_matter patch for all pages it matches.",
    ),
    ability(
        &[&["publish"], MANY, MISSING],
        "publish takes paths[]: many pages in one call, all or nothing; without paths everything unpublished.",
    ),
    ability(
        &[&["read", "get", "fetch", "load", "look"], &["page"], MANY, MISSING],
        "page_get takes paths[] and globs such as blog/2026-*.md: many pages in one call.",
    ),
    ability(&[&["move", "rename"], MANY, MISSING], "page_move takes moves[]: many in one call, with links rewritten."),
    ability(&[&["delete", "remove"], &["page"], MANY, MISSING], "page_delete takes pages[]: many in one call."),
    ability(
        &[&["upload", "asset", "image", "file"], MANY, MISSING],
        "asset_write takes uploads[]: many files in one call.",
    ),
    ability(
        &[&["replace"], &["everywhere", "all", "across", "site", "folder", "scope", "section"], MISSING],
        "text_replace works over a scope (section, glob, kind of file), with several pairs and a plan to look at first.",
    ),
    ability(
        &[&["search", "find", "grep"], &["text", "word", "content", "regex", "phrase"], MISSING],
        "text_search looks through pages, themes and data, with regex and scope.",
    ),
    ability(
        &[&["write", "update", "edit", "create", "change"], &["page"], MANY, MISSING],
        "page_write takes pages[]: many pages in one call, written all or nothing.",
    ),
    ability(
        &[&["redirect"], MISSING],
        "page_move leaves a redirect by itself; page_delete takes redirect_to; front matter takes aliases.",
    ),
    ability(&[&["screenshot", "picture of"], MISSING], "preview with as: screenshot, where a browser is found."),
    ability(
        &[
            &["before", "without", "first"],
            &["publish", "live"],
            &["look", "see", "preview", "check", "render"],
            MISSING,
        ],
        "preview renders what is unpublished, also of one page; page_write with include: [\"html\"] answers the rendered page.",
    ),
    ability(
        &[&["rendered", "html"], &["reply", "answer", "after", "return", "get", "see"], MISSING],
        "page_write and page_get take include: [\"html\"].",
    ),
    ability(
        &[&["undo", "revert", "roll back", "rollback", "restore", "take back"], MISSING],
        "revision_restore undoes revisions (undo[]) or brings paths back to an earlier state (at, paths).",
    ),
    ability(
        &[&["discard", "throw away"], &["change", "edit", "draft", "unpublished"], MISSING],
        "change_discard takes unpublished edits back.",
    ),
    ability(
        &[&["history", "versions", "who changed", "revisions", "changelog"], MISSING],
        "revision_list with paths, by or since; page_get with include: [\"history\"].",
    ),
    ability(
        &[&["diff", "what changed", "difference"], MISSING],
        "change_diff shows what is unpublished; every write answers its diff.",
    ),
    ability(
        &[&["dry run", "dry-run", "try out", "simulate", "without writing", "what would"], MISSING],
        "Every write and publish take dry_run: true.",
    ),
    ability(
        &[&["schedule", "later", "future", "publish at", "embargo"], MISSING],
        "publish takes at (a time); a date in the future keeps a page back until then.",
    ),
    ability(
        &[&["review", "pull request", "merge request", "approval", "approve"], MISSING],
        "publish with review: true pushes a branch and answers where to open the request.",
    ),
    ability(
        &[&["menu", "navigation", "nav entry"], MISSING],
        "site_update patches menus in site.yaml, single entries too.",
    ),
    ability(
        &[&["theme"], &["pin", "freeze", "lock", "fixed version"], MISSING],
        "theme_use with pin freezes the theme until you move it.",
    ),
    ability(
        &[&["theme", "colour", "color", "font"], &["setting", "option", "tweak", "change"], MISSING],
        "theme_write takes settings; theme_get with include: [\"settings\"] names them.",
    ),
    ability(
        &[&["broken link", "dead link", "link check", "check links"], MISSING],
        "site_check with rules: [\"links\"]; external: true asks other sites too.",
    ),
    ability(
        &[&["backlink", "what links", "links to this", "linked from"], MISSING],
        "page_get with include: [\"backlinks\"].",
    ),
    ability(
        &[&["tag", "term", "categor", "taxonom"], &["list", "filter", "find", "which pages"], MISSING],
        "page_list takes term, such as tags:rust; site_get with include: [\"taxonomies\"].",
    ),
    ability(
        &[&["upload", "image", "asset", "picture", "file"], &["url", "address", "web", "link", "download"], MISSING],
        "asset_write takes url: the server fetches, checks and stores it.",
    ),
    ability(
        &[&["import", "migrate", "hugo", "jekyll", "zola", "wordpress", "csv", "rss"], MISSING],
        "content_import reads Hugo, Jekyll, Zola, Markdown folders, feeds and CSV.",
    ),
    ability(
        &[&["parallel", "other agent", "same time", "concurrent", "interfere", "isolat", "branch"], MISSING],
        "change_open gives a change set of your own; pass change_set to every call.",
    ),
    ability(
        &[
            &[
                "part of a page",
                "partial edit",
                "single sentence",
                "whole body",
                "entire body",
                "small edit",
                "one line",
            ],
            MISSING,
        ],
        "page_write takes edits[] (find, replace): only those lines change.",
    ),
    ability(
        &[&["unused", "orphan"], &["image", "asset", "file", "page"], MISSING],
        "asset_list with unused: true; site_check with rules: [\"orphans\"].",
    ),
    ability(
        &[&["draft", "hold", "keep back", "not publish", "unfinished"], MISSING],
        "draft: true in front matter keeps a page out of the build; hold: true keeps its changes unpublished.",
    ),
    ability(&[&["remote", "pull", "sync", "someone else pushed"], MISSING], "site_sync takes in what the remote has."),
];

/// What does it already, for a caller who says this.
#[must_use]
pub fn exists_already(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase().replace(['\n', '\t'], " ");
    let met = |group: &&[&str]| group.iter().any(|word| contains(&said, word));
    ABILITIES.iter().find(|ability| ability.groups.iter().all(met)).map(|ability| ability.answer)
}

/// Whether a word or phrase begins at the beginning of a word: `tag` is in `tags` and not in `stage`.
fn contains(said: &str, word: &str) -> bool {
    said.match_indices(word).any(|(at, _)| !said[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// Every answer, so that a test can look whether it is still true.
pub fn answers() -> impl Iterator<Item = &'static str> {
    ABILITIES.iter().map(|ability| ability.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_named_and_what_is_not_is_not() {
        for (said, starts) in [
            (
                "Had to publish several pages one after another, there is no way to publish many at once",
                "publish takes paths[]",
            ),
            ("I need to set the same front matter field on all pages of a section", "page_write takes select"),
            ("cannot see the page before it is published live, no preview", "preview renders"),
            ("there is no tool to rename pages in bulk", "page_move takes moves[]"),
            ("I want to upload an image from a URL", "asset_write takes url"),
            ("no way to undo an edit", "revision_restore"),
        ] {
            assert!(
                exists_already(said).is_some_and(|answer| answer.starts_with(starts)),
                "{said}: {:?}",
                exists_already(said)
            );
        }
        for said in [
            "the theme was reset after a page edit",
            "preview took nine seconds",
            "There is no tool to count visitors",
            "stage fright",
        ] {
            assert_eq!(exists_already(said), None, "{said}");
        }
    }
}
