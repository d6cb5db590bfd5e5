//! Search and replace over the site's source text, front matter and body alike.

mod pattern;
mod plan;
mod replace;
mod search;

pub use pattern::How;
pub use replace::{Excerpt, Pair, Replaced, ReplacedFile, Replacement, replace};
pub use search::{Found, Match, SearchQuery, search};
