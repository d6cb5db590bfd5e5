//! Joins two lines of edits of one file: pages by front matter key and by sentence, other text by line.

mod page;
mod text;
pub(crate) mod tree;

/// What became of two lines of edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// Both are in; `None`: the file is gone.
    Merged(Option<Vec<u8>>),
    /// They contradict each other.
    Conflict {
        /// Why, e.g. `both sides changed the front matter key title`.
        reason: String,
    },
}

impl Merge {
    fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }
}

/// Joins `ours` and `theirs`, which both began as `base`; `None` means that the file does not exist on that side.
///
/// Pages (`content/**/*.md`) are joined by front matter key (lists of scalars as sets) and by body text, first by line and
/// then by sentence; other text by line. Binary files that both sides changed, a file deleted on one side and
/// edited on the other, and a file that both sides created differently are conflicts.
#[must_use]
pub fn merge_file(path: &str, base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>) -> Merge {
    if ours == theirs || base == theirs {
        return Merge::Merged(ours.map(<[u8]>::to_vec));
    }
    if base == ours {
        return Merge::Merged(theirs.map(<[u8]>::to_vec));
    }
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return Merge::conflict("one side deleted the file, the other side edited it");
    };
    let Some(base) = base else {
        return Merge::conflict("both sides created the file, with different content");
    };
    let (Some(base), Some(ours), Some(theirs)) = (text_of(base), text_of(ours), text_of(theirs)) else {
        return Merge::conflict("both sides replaced the binary file");
    };
    let merged = if is_page(path) { page::merge(path, base, ours, theirs) } else { text::lines(base, ours, theirs) };
    match merged {
        Ok(text) => Merge::Merged(Some(text.into_bytes())),
        Err(reason) => Merge::Conflict { reason },
    }
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    if bytes.contains(&0) { None } else { std::str::from_utf8(bytes).ok() }
}

/// Whether a path, wherever the site lies in its repository, names a page.
fn is_page(path: &str) -> bool {
    let Some((stem, extension)) = path.rsplit_once('.') else { return false };
    (stem.starts_with("content/") || stem.contains("/content/"))
        && (extension.eq_ignore_ascii_case("md") || extension.eq_ignore_ascii_case("markdown"))
}

#[cfg(test)]
mod tests;
