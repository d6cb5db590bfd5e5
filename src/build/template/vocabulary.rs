//! The helpers a template can use.
//!
//! Blocks: `if` `unless` `each` `with` (each with `else`), `{{> partial}}`, `{{#> partial}}..{{/partial}}`,
//! `{{> @partial-block}}`, `{{{{raw}}}}..{{{{/raw}}}}`.
//!
//! | helper | gives |
//! |---|---|
//! | `content`, `inner`, `head` | page HTML, inner HTML of a shortcode, head made by the engine (all unescaped) |
//! | `pages "blog" limit=5 offset=0 sort="date" recursive=true taxonomy="tags" term="x" tag="x"` | stubs; also `{{#pages .. as \|p\|}}` |
//! | `page "blog/a.md"` | one stub, by content path or URL; null where there is none |
//! | `data "name"` | `data/name.yaml` or `.json` |
//! | `url x`, `abs_url x`, `asset "style.css"` | address with base path, absolute address, address of a theme asset; refuses scripts |
//! | `safe_url x` | the address as it is, `#` where its scheme is dangerous |
//! | `markdown x inline=true`, `toc page.toc min=2 max=3 at_least=1` | HTML |
//! | `eq a b` `ne` `lt` `lte` `gt` `gte` `and ..` `or ..` `not a` | comparisons and logic; `and`, `or` take any number |
//! | `default a b ..` | the first that is not empty |
//! | `contains x part`, `starts_with x part`, `ends_with x part` | tests on text; `contains` also on lists and maps |
//! | `length x`, `first x n`, `last x n`, `slice x from to`, `limit x n`, `reverse x`, `unique x`, `lookup x key` | lists and text |
//! | `sort_by list "key" order="desc"`, `where list "key" value`, `group_by list "key"`, `group_by list "date" format="%Y"`, `pluck list "key"` | lists; groups are `{key, items}` |
//! | `join list ", "`, `split x ","`, `list a b ..`, `dict key=value`, `range to`, `range from to` | making lists, maps and text |
//! | `add` `sub` `mul` `div` `mod` `round` | arithmetic |
//! | `upper` `lower` `capitalize` `title` `trim` `replace x from to` `truncate x n` `strip_html` `slugify` `concat ..` `urlencode` | text |
//! | `plural n "page" "pages"` | `1 page`, `2 pages` |
//! | `classes a b ..` | class names of the non-empty arguments, made safe for `class="..."` |
//! | `date x "%-d %B %Y"` | a date in English, strftime |
//! | `json x pretty=true` | JSON, safe inside `<script type="application/json">` |
//!
//! `{{x}}` escapes `& < > " '`: enough for text and *quoted* attributes. An address from content belongs into
//! `href="{{url x}}"` or `{{safe_url x}}`, never bare: escaping does not stop `javascript:`.
//! A bare `{{url}}` or `{{date}}` is the value of that name, not the helper.

use handlebars::{Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, ScopedJson};
use serde_json::Value;

use super::blocks::BLOCKS;
use super::guard::{Fault, step};
use super::lookups::{BARE, LOOKUPS};
use super::{dates, lists, text, values};

/// A helper that depends on its arguments only.
pub(super) type PureFn = fn(&Args<'_, '_>) -> Result<Value, Fault>;

/// The helpers that depend on their arguments only.
fn pure() -> impl Iterator<Item = &'static (&'static str, PureFn)> {
    values::HELPERS.iter().chain(lists::HELPERS).chain(text::HELPERS).chain(dates::HELPERS)
}

/// Whether a helper depends on its arguments only.
pub(super) fn is_pure(name: &str) -> bool {
    pure().any(|(known, _)| *known == name)
}

/// Names of all helpers.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let blocks = BLOCKS.iter().map(|(name, _)| *name).filter(|name| !name.starts_with('@'));
    let looked_up = LOOKUPS.iter().map(|(name, _, _)| *name);
    blocks.chain(looked_up).chain(pure().map(|(name, _)| *name)).chain(["lookup", "raw"])
}

/// Whether a helper means nothing without arguments, so that a bare `{{name}}` is a value.
pub(super) fn needs_arguments(name: &str) -> bool {
    !BARE.contains(&name) && names().any(|known| known == name)
}

/// Registers the helpers that need no run.
pub(super) fn register(registry: &mut Handlebars<'static>) {
    registry.unregister_helper("log");
    registry.unregister_helper("len");
    for (name, call) in pure() {
        registry.register_helper(name, Box::new(Pure(*call)));
    }
}

struct Pure(PureFn);

impl HelperDef for Pure {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        if h.is_block() {
            let name = h.name();
            return Err(Fault::new(
                format!("`{name}` is no block"),
                format!("Write {{{{#if ({name} ..)}}}} or {{{{#each ({name} ..)}}}}."),
            )
            .into());
        }
        step(1 + Args(h).all().map(values::weight).sum::<usize>())?;
        Ok(ScopedJson::Derived((self.0)(&Args(h))?))
    }
}

/// The arguments of a pure helper.
pub(super) struct Args<'a, 'rc>(&'a Helper<'rc>);

impl<'a> Args<'a, '_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.params().len()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Value> {
        self.0.params().iter().map(handlebars::PathAndJson::value)
    }

    /// One that must be there, though it may be null.
    pub(super) fn at(&self, index: usize) -> Result<&'a Value, Fault> {
        self.0.param(index).map(handlebars::PathAndJson::value).ok_or_else(|| {
            let name = self.0.name();
            let (wanted, s) = (index + 1, if index == 0 { "" } else { "s" });
            Fault::new(
                format!("`{name}` needs at least {wanted} argument{s}"),
                format!("Give `{name}` the missing argument."),
            )
        })
    }

    /// One that may be left out.
    pub(super) fn maybe(&self, index: usize) -> Option<&'a Value> {
        self.0.param(index).map(handlebars::PathAndJson::value)
    }

    /// The text of one that must be there.
    pub(super) fn text(&self, index: usize) -> Result<std::borrow::Cow<'a, str>, Fault> {
        self.at(index).map(values::text)
    }

    /// The number in one that must be there; text that looks like a number counts.
    pub(super) fn number(&self, index: usize) -> Result<f64, Fault> {
        let value = self.at(index)?;
        values::number(value).ok_or_else(|| {
            let name = self.0.name();
            Fault::new(
                format!("`{name}` got `{}` as argument {}, expected a number", values::excerpt(value), index + 1),
                format!("Give `{name}` a number, or a default: ({name} (default x 0) ..)."),
            )
        })
    }

    /// A whole number that must be there.
    pub(super) fn whole(&self, index: usize) -> Result<i64, Fault> {
        self.number(index).map(|n| n as i64)
    }

    /// A `key=value` argument.
    pub(super) fn named(&self, key: &str) -> Option<&'a Value> {
        self.0.hash_get(key).map(handlebars::PathAndJson::value)
    }

    /// All `key=value` arguments in alphabetical order.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0.hash().iter().map(|(key, value)| (*key, value.value()))
    }

    /// A fault about this helper.
    pub(super) fn fault(&self, problem: &str, hint: &str) -> Fault {
        Fault::new(format!("`{}` {problem}", self.0.name()), hint)
    }
}
