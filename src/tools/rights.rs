//! What a caller may do: a set of rights, checked in one place before a tool runs.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::model::PathKind;

/// One thing a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Right {
    /// Look at anything.
    Read,
    /// Write pages, undo and discard edits.
    Content,
    /// Write static files and bundle assets.
    Media,
    /// Write themes.
    Theme,
    /// Write `site.yaml`.
    Config,
    /// Make edits go live.
    Publish,
    /// Read from the network.
    Fetch,
    /// Everything that is for the person who runs the server.
    Admin,
}

impl Right {
    /// Every right, in the order they are shown.
    pub const ALL: [Self; 8] =
        [Self::Read, Self::Content, Self::Media, Self::Theme, Self::Config, Self::Publish, Self::Fetch, Self::Admin];

    /// What writing a file of this kind needs.
    #[must_use]
    pub(super) fn to_write(kind: PathKind) -> Self {
        match kind {
            PathKind::Page => Self::Content,
            PathKind::ContentAsset | PathKind::Static | PathKind::Data => Self::Media,
            PathKind::Theme => Self::Theme,
            PathKind::Config => Self::Config,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Content => "content",
            Self::Media => "media",
            Self::Theme => "theme",
            Self::Config => "config",
            Self::Publish => "publish",
            Self::Fetch => "fetch",
            Self::Admin => "admin",
        })
    }
}

/// A set of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Every right.
    #[must_use]
    pub fn all() -> Self {
        Right::ALL.into_iter().collect()
    }

    /// The default of a local client: everything but [`Right::Admin`].
    #[must_use]
    pub fn all_but_admin() -> Self {
        Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect()
    }

    /// Only [`Right::Read`].
    #[must_use]
    pub fn read_only() -> Self {
        [Right::Read].into_iter().collect()
    }

    /// What is in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `right` is in the set.
    #[must_use]
    pub fn allow(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |set, right| set | (1 << right as u8)))
    }
}

/// Names joined by commas, such as `read,content,publish`.
impl FromStr for Rights {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = || Right::ALL.map(|right| right.to_string()).join(",");
        let find = |name: &str| {
            Right::ALL.into_iter().find(|right| right.to_string() == name.trim()).ok_or_else(|| {
                Error::InvalidArguments {
                    field: "rights".into(),
                    problem: format!("`{}` is no right", name.chars().take(40).collect::<String>()),
                    example: known(),
                }
            })
        };
        text.split(',').map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_has_everything_but_admin() {
        let rights = Rights::all_but_admin();
        for right in Right::ALL {
            assert_eq!(rights.allow(right), right != Right::Admin, "{right}");
        }
    }

    #[test]
    fn read_only_allows_nothing_else() {
        let rights = Rights::read_only();
        assert_eq!(Right::ALL.into_iter().filter(|right| rights.allow(*right)).collect::<Vec<_>>(), [Right::Read]);
    }

    #[test]
    fn rights_are_read_from_names_and_a_wrong_one_is_refused() {
        let rights: Rights = "read, publish".parse().expect("rights");
        assert!(rights.allow(Right::Read) && rights.allow(Right::Publish) && !rights.allow(Right::Content));
        assert_eq!(rights.and(Rights::read_only()), Rights::read_only());
        for bad in ["", "read,", "write", "READ"] {
            let error = bad.parse::<Rights>().expect_err(bad);
            assert!(error.hint().contains("read,content,media,theme,config,publish,fetch,admin"), "{bad}: {error}");
        }
    }
}
