//! What a name may look like so that it is the same file on every disk, in git, and to the eye.

/// Longest component, in bytes.
pub(super) const MAX_COMPONENT: usize = 255;
/// Longest path, in bytes.
pub(super) const MAX_PATH: usize = 1_024;

/// Checks one component of a path that is already in NFC; the error names the rule.
pub(in crate::model) fn component(name: &str) -> Result<(), &'static str> {
    match name {
        "" => return Err("it has an empty component"),
        "." | ".." => return Err("it has a `.` or `..` component"),
        _ => {}
    }
    if let Some(problem) = name.chars().find_map(character) {
        return Err(problem);
    }
    if name.len() > MAX_COMPONENT {
        return Err("a component is longer than 255 bytes");
    }
    if is_encoded_traversal(name) {
        return Err("it has an encoded dot or slash");
    }
    if is_git(name) {
        return Err("it names a git folder or file");
    }
    if name.starts_with('.') {
        return Err("dot files are not part of a site");
    }
    if name.starts_with('-') {
        return Err("a component begins with `-`");
    }
    if name.starts_with(' ') {
        return Err("a component begins with a space");
    }
    if name.ends_with(['.', ' ']) {
        return Err("a component ends with a dot or a space");
    }
    if is_windows_device(name) {
        return Err("it is a reserved name on Windows");
    }
    Ok(())
}

/// The rule a character breaks, if any.
fn character(c: char) -> Option<&'static str> {
    Some(match c {
        '\0' => "it contains a NUL character",
        '\\' => "it contains a backslash, write `/`",
        ':' => "it contains a colon",
        '<' | '>' | '"' | '|' | '?' | '*' => "it contains one of < > \" | ? *",
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => "it contains a control character",
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "it contains a text direction character"
        }
        // U+200D joins emoji; it is looked at together with its neighbours.
        '\u{00ad}'
        | '\u{034f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'
        | '\u{200c}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => "it contains an invisible character",
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fffd}' => {
            "it contains a private-use or replacement character"
        }
        _ => return None,
    })
}

/// Whether invisible joiners and variation selectors stand only where emoji need them.
pub(super) fn joiners_are_visible(name: &str) -> bool {
    let mut before = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let joined = before.is_some_and(is_pictograph);
        match c {
            '\u{200d}' if !joined || !chars.peek().copied().is_some_and(is_pictograph) => return false,
            '\u{fe00}'..='\u{fe0f}' if !joined => return false,
            '\u{200d}' => before = None,
            // The base of a selector stays the base for a joiner behind it.
            '\u{fe00}'..='\u{fe0f}' => {}
            _ => before = Some(c),
        }
    }
    true
}

fn is_pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}' | '\u{a9}' | '\u{ae}' | '#' | '*' | '0'..='9')
}

/// Every spelling that some disk takes for `.git` or that git itself reads (`.gitmodules`, `git~1`).
pub(super) fn is_git(name: &str) -> bool {
    use unicode_normalization::UnicodeNormalization;
    let folded: String = name.nfkc().filter(|c| !is_ignored(*c)).flat_map(char::to_lowercase).collect();
    let folded = folded.trim_end_matches(['.', ' ']);
    folded.starts_with(".git") || folded.starts_with("git~") || (folded.starts_with("gi7") && folded.contains('~'))
}

/// Characters that HFS+ leaves out when it compares names.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{00ad}')
}

fn is_windows_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|n| matches!(n, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$")
        || numbered("COM")
        || numbered("LPT")
}

/// `%2e`, `%2f`, `%5c`, `%00`, and the same encoded again (`%252e`).
fn is_encoded_traversal(name: &str) -> bool {
    let mut lower = name.to_ascii_lowercase();
    while lower.contains("%25") {
        lower = lower.replace("%25", "%");
    }
    ["%2e", "%2f", "%5c", "%00"].iter().any(|code| lower.contains(code))
}
