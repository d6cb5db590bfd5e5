//! Groups of rules: what a caller asks for, and where each code belongs.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::error::Error;

/// A group of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Links, anchors, menus and redirects that lead nowhere.
    Links,
    /// Front matter, configuration, data, addresses, and what else the build says about content.
    Schema,
    /// Layouts, partials and shortcodes.
    Templates,
    /// What keeps people from reading a page.
    Accessibility,
    /// What search engines and previews show.
    Seo,
    /// Pages that nothing links to.
    Orphans,
    /// Drafts that lie.
    Drafts,
    /// Live pages nobody updated for long.
    Stale,
    /// Large and unused files.
    Assets,
    /// Pages that lack one of the site's languages.
    Translations,
    /// Links to other sites; reads from the network.
    ExternalLinks,
}

impl Rule {
    /// Every group, in the order they are shown.
    pub const ALL: [Self; 11] = [
        Self::Links,
        Self::Schema,
        Self::Templates,
        Self::Accessibility,
        Self::Seo,
        Self::Orphans,
        Self::Drafts,
        Self::Assets,
        Self::Stale,
        Self::Translations,
        Self::ExternalLinks,
    ];

    /// What stops a publish or a reader, without advice: what the command line checks by itself.
    pub const FAULTS: [Self; 4] = [Self::Links, Self::Schema, Self::Templates, Self::Accessibility];

    /// What is checked where nobody names rules: neither age nor a language less is a fault, and the network is asked only when
    /// meant.
    pub(super) fn usual() -> BTreeSet<Self> {
        let asked = |rule: &Self| matches!(rule, Self::Stale | Self::Translations | Self::ExternalLinks);
        Self::ALL.into_iter().filter(|rule| !asked(rule)).collect()
    }

    /// Its name; API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Schema => "schema",
            Self::Templates => "templates",
            Self::Accessibility => "accessibility",
            Self::Seo => "seo",
            Self::Orphans => "orphans",
            Self::Drafts => "drafts",
            Self::Stale => "stale",
            Self::Translations => "translations",
            Self::Assets => "assets",
            Self::ExternalLinks => "external_links",
        }
    }

    /// Whether it can only be told from rendered pages.
    pub(super) fn renders(self) -> bool {
        matches!(self, Self::Templates | Self::Accessibility | Self::Orphans | Self::Assets)
    }

    /// The group a code belongs to.
    pub(super) fn of(code: &str) -> Self {
        match code {
            "broken_link" | "broken_anchor" | "broken_menu" | "missing_asset" | "ambiguous_link" | "link_to_draft"
            | "redirect_from" | "redirect_clash" => Self::Links,
            "image_alt_missing" | "link_text_missing" | "duplicate_id" | "image_without_alt" | "empty_link"
            | "heading_skipped" | "repeated_id" | "missing_lang" => Self::Accessibility,
            "missing_title"
            | "long_title"
            | "duplicate_title"
            | "missing_description"
            | "long_description"
            | "duplicate_description" => Self::Seo,
            "external_link_broken" | "external_link_moved" | "external_link_unknown" => Self::ExternalLinks,
            "orphan_page" => Self::Orphans,
            "old_draft" => Self::Drafts,
            "stale_page" => Self::Stale,
            "missing_translation" => Self::Translations,
            "large_asset" | "unused_asset" => Self::Assets,
            code if ["template", "shortcode", "theme", "layout", "partial", "foreign_tag"]
                .iter()
                .any(|part| code.contains(part)) =>
            {
                Self::Templates
            }
            _ => Self::Schema,
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|rule| rule.name() == name.trim()).ok_or_else(|| Error::InvalidArguments {
            field: "rules".into(),
            problem: format!("`{}` is no rule", name.chars().take(40).collect::<String>()),
            example: Self::ALL.map(Self::name).join(","),
        })
    }
}
