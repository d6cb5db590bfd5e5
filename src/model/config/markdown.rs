//! How Markdown becomes HTML.

use serde::{Deserialize, Serialize};

/// Raw HTML in Markdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawHtml {
    /// Kept as far as an allow list goes.
    #[default]
    Sanitize,
    /// Kept as is.
    Trusted,
    /// Shown as text.
    Escape,
}

/// How a heading's text becomes its id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadingIds {
    /// As GitHub and Hugo do: punctuation goes, letters of any script stay.
    #[default]
    Github,
    /// As Zola does: whatever is no letter or digit becomes one hyphen, accents go.
    Zola,
}

/// Markdown options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkdownConfig {
    /// Raw HTML policy.
    pub raw_html: RawHtml,
    /// Typographic quotes, dashes, ellipses.
    pub smart_punctuation: bool,
    /// Syntax highlighting of fenced code.
    pub highlight: bool,
    /// `[[page]]` and `[[page|text]]`.
    pub wikilinks: bool,
    /// `rel`-marked links to other hosts open in a new tab.
    pub external_links_new_tab: bool,
    /// Ids of headings without one of their own.
    pub heading_ids: HeadingIds,
    /// Whether each page is built as Markdown too.
    pub twins: bool,
}

impl Default for MarkdownConfig {
    fn default() -> Self {
        Self {
            raw_html: RawHtml::Sanitize,
            smart_punctuation: true,
            highlight: true,
            wikilinks: true,
            external_links_new_tab: false,
            heading_ids: HeadingIds::Github,
            twins: true,
        }
    }
}
