//! Which partials are the same on every page: those that read nothing but `site` and `settings`, by what is written in them. And
//! which turns of a loop are the same wherever their entry is listed: those that read nothing but these and the entry.
//!
//! Anything that is not plainly so counts as changing: `active` and `current` of menu entries, block parameters of menus, `../`,
//! look-ups from the page, partials with arguments.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use handlebars::Handlebars;
use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::lookups::BARE;
use super::lower::PARTIAL;
use super::vocabulary;

/// Blocks and partials inside one another; a partial that nests deeper is not kept.
pub(super) const MAX_NESTING: usize = 20;

/// What `this` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Here {
    /// The whole context.
    Root,
    /// Something below `site` or `settings`.
    Shared,
    /// An entry of a menu.
    Item,
    /// An entry of a list, in a turn of a loop over it.
    Entry,
}

/// What of a theme is the same wherever it is written.
#[derive(Debug, Default)]
pub(super) struct Still {
    /// Names of partials that are the same on every page.
    pub(super) partials: BTreeSet<String>,
    /// Turns of loops that are the same wherever their entry is listed: the place of what they write in memory, and the names that
    /// they read, which must not mean something else around them.
    pub(super) turns: BTreeMap<usize, BTreeSet<String>>,
}

impl Still {
    /// Of all templates of a theme.
    pub(super) fn of(registry: &Handlebars<'_>) -> Self {
        let mut turns = BTreeMap::new();
        registry.get_templates().values().for_each(|template| add_turns(registry, template, &mut turns));
        Self { partials: partials(registry), turns }
    }
}

/// Where a template stands in memory: as long as its registry is there, and nowhere else.
pub(super) fn place_of(template: &Template) -> usize {
    std::ptr::from_ref(template).addr()
}

/// What a value is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The same on every page.
    Same,
    /// A list of menu entries.
    Items,
    /// A menu entry.
    Item,
    /// Holds menu entries somewhere: the same on every page as long as it is only asked whether there is anything.
    Asked,
    /// Another one on each page, or nobody knows.
    Other,
}

/// The names of all partials that are the same on every page.
fn partials(registry: &Handlebars<'_>) -> BTreeSet<String> {
    let templates = registry.get_templates();
    let names: BTreeSet<&str> = templates.keys().filter_map(|key| key.strip_prefix("partials/")).collect();
    let is_still = |name: &&str| {
        let template = templates.get(&format!("partials/{name}"));
        template.is_some_and(|template| Walk::new(registry).template(template, Here::Root, 0))
    };
    names.into_iter().filter(is_still).map(str::to_owned).collect()
}

fn add_turns(registry: &Handlebars<'_>, template: &Template, turns: &mut BTreeMap<usize, BTreeSet<String>>) {
    for element in &template.elements {
        let TemplateElement::HelperBlock(call) = element else { continue };
        if let Some(turn) = call.template.as_ref().filter(|_| call.name.as_name() == Some("each")) {
            let walk = Walk::new(registry);
            if walk.template(turn, Here::Entry, 0) {
                turns.insert(place_of(turn), walk.names.into_inner());
            }
        }
        call.template.iter().chain(&call.inverse).for_each(|inner| add_turns(registry, inner, turns));
    }
}

struct Walk<'r> {
    registry: &'r Handlebars<'r>,
    /// What names were met, by their first part.
    names: RefCell<BTreeSet<String>>,
}

impl<'r> Walk<'r> {
    fn new(registry: &'r Handlebars<'r>) -> Self {
        Self { registry, names: RefCell::default() }
    }

    fn template(&self, template: &Template, here: Here, depth: usize) -> bool {
        depth < MAX_NESTING && template.elements.iter().all(|element| self.element(element, here, depth))
    }

    fn element(&self, element: &TemplateElement, here: Here, depth: usize) -> bool {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => true,
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.written(call, here),
            TemplateElement::HelperBlock(call) => self.block(call, here, depth),
            _ => false,
        }
    }

    fn block(&self, call: &HelperTemplate, here: Here, depth: usize) -> bool {
        if call.hash.values().any(|value| self.kind(value, here) != Kind::Same) {
            return false;
        }
        let name = call.name.as_name().unwrap_or_default();
        let Some(subject) = call.params.first() else { return false };
        if name == PARTIAL {
            return self.partial(call, subject, here, depth);
        }
        let subject = self.kind(subject, here);
        // A name for what is the same means the same; one for menu entries would hide what they are.
        if call.block_param.is_some() && subject != Kind::Same {
            return false;
        }
        let inside = match (name, subject) {
            (_, Kind::Other) => return false,
            ("if" | "unless", _) => here,
            ("each" | "with", Kind::Same) => Here::Shared,
            ("each", Kind::Items) | ("with", Kind::Item) => Here::Item,
            _ => return false,
        };
        let then = call.template.as_ref().is_none_or(|then| self.template(then, inside, depth + 1));
        then && call.inverse.as_ref().is_none_or(|other| self.template(other, here, depth + 1))
    }

    fn partial(&self, call: &HelperTemplate, name: &Parameter, here: Here, depth: usize) -> bool {
        let Parameter::Literal(Value::String(name)) = name else { return false };
        if call.params.len() > 1 || !call.hash.is_empty() || call.template.is_some() {
            return false;
        }
        let called = self.registry.get_template(&format!("partials/{name}"));
        called.is_some_and(|called| self.template(called, here, depth + 1))
    }

    /// Whether what an expression writes is the same on every page.
    fn written(&self, call: &HelperTemplate, here: Here) -> bool {
        let value = if call.params.is_empty() && call.hash.is_empty() {
            let name = call.name.as_name().filter(|name| !BARE.contains(name));
            name.map_or(Kind::Other, |name| self.path(name, here))
        } else {
            self.called(call, here)
        };
        value == Kind::Same
    }

    fn kind(&self, parameter: &Parameter, here: Here) -> Kind {
        match parameter {
            Parameter::Literal(_) => Kind::Same,
            Parameter::Name(name) => self.path(name, here),
            Parameter::Path(_) => parameter.as_name().map_or(Kind::Other, |raw| self.path(raw, here)),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.called(call, here),
                _ => Kind::Other,
            },
            _ => Kind::Other,
        }
    }

    /// What a helper gives.
    fn called(&self, call: &HelperTemplate, here: Here) -> Kind {
        let name = call.name.as_name().unwrap_or_default();
        let from_top = |parameter: &Parameter| match parameter {
            Parameter::Literal(Value::String(text)) => text.starts_with('/') && !text.starts_with("//"),
            _ => false,
        };
        match name {
            "url" | "abs_url" if call.params.iter().all(from_top) => return Kind::Same,
            "asset" | "lookup" => {}
            _ if vocabulary::is_pure(name) => {}
            _ => return Kind::Other,
        }
        let given = call.params.iter().chain(call.hash.values()).map(|value| self.kind(value, here));
        let all = given.fold(Kind::Same, |all, one| match (all, one) {
            (Kind::Other, _) | (_, Kind::Other) => Kind::Other,
            (Kind::Same, Kind::Same) => Kind::Same,
            _ => Kind::Asked,
        });
        match (name, all) {
            ("length" | "not", Kind::Asked) => Kind::Same,
            ("and" | "or" | "default", Kind::Asked) => Kind::Asked,
            (_, Kind::Same) => Kind::Same,
            _ => Kind::Other,
        }
    }

    /// What a path leads to.
    fn path(&self, raw: &str, here: Here) -> Kind {
        if matches!(raw, "@index" | "@first" | "@last" | "@key") {
            return if matches!(here, Here::Root | Here::Entry) { Kind::Other } else { Kind::Same };
        }
        let (here, rest) = match raw.strip_prefix("@root.") {
            Some(rest) => (Here::Root, rest),
            None => (here, raw.strip_prefix("this.").or_else(|| raw.strip_prefix("./")).unwrap_or(raw)),
        };
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        let parts: Vec<&str> = rest.split('.').collect();
        if !parts.iter().all(|part| !part.is_empty() && plain(part)) {
            return Kind::Other;
        }
        if here != Here::Root {
            self.names.borrow_mut().extend(parts.first().map(|&name| name.to_owned()));
        }
        match (here, parts.as_slice()) {
            (Here::Shared | Here::Entry, _) => Kind::Same,
            (Here::Item, ["this"]) => Kind::Item,
            (Here::Item, [field, rest @ ..]) => of_item(field, rest),
            (Here::Root, ["site"] | ["site", "menus"]) => Kind::Asked,
            (Here::Root, ["site", "menus", _, rest @ ..]) => of_items(rest),
            (Here::Root, ["site" | "settings", ..]) => Kind::Same,
            _ => Kind::Other,
        }
    }
}

fn of_items(rest: &[&str]) -> Kind {
    match rest {
        [] => Kind::Items,
        [_] => Kind::Item,
        [_, field, rest @ ..] => of_item(field, rest),
    }
}

fn of_item(field: &str, rest: &[&str]) -> Kind {
    match field {
        "children" => of_items(rest),
        "active" | "current" => Kind::Other,
        _ => Kind::Same,
    }
}

#[cfg(test)]
mod tests {
    use handlebars::template::TemplateElement;

    use crate::build::template::compiled;

    fn is_still(partial: &str) -> bool {
        let templates = compiled(&[
            ("partials/x", partial),
            ("partials/same", "{{name}}{{#if children}}+{{/if}}"),
            ("partials/marked", "{{#if active}}x{{/if}}"),
            ("partials/itself", "{{> itself}}"),
        ]);
        templates.still.partials.contains("x")
    }

    #[test]
    fn what_reads_site_and_settings_only_is_still() {
        for partial in [
            "<footer>{{site.title}} {{@root.settings.note}}</footer>",
            "{{#each site.menus.main}}<a href=\"{{url}}\">{{this.name}}</a>{{#each children}}{{name}}{{/each}}{{/each}}",
            "{{#each site.menus.main}}{{> same}}{{@index}}{{else}}{{site.title}}{{/each}}",
            "{{#if (or site.menus.footer site.feed_url)}}{{upper site.title}}{{else if settings.x}}{{length site.menus.main}}{{/if}}",
            "<a href=\"{{url \"/\"}}\"><link href=\"{{asset \"style.css\"}}\"></a>",
            "{{#with site.params.owner}}{{name}} {{active}}{{/with}}",
        ] {
            assert!(is_still(partial), "{partial}");
        }
    }

    #[test]
    fn what_may_read_the_page_is_not() {
        for partial in [
            "{{page.title}}",
            "{{title}}",
            "{{{content}}}",
            "{{> @partial-block}}",
            "{{#each site.menus.main}}{{#if active}}x{{/if}}{{/each}}",
            "{{#each site.menus.main}}{{@root.page.title}}{{/each}}",
            "{{#each site.menus.main}}{{../page.title}}{{/each}}",
            "{{#each site.menus.main}}{{this}}{{/each}}",
            "{{#each site.menus.main}}{{> marked}}{{/each}}",
            "{{#each site.params.list}}{{content}}{{/each}}",
            "{{#each site.menus.main as |page|}}{{page.name}}{{/each}}",
            "{{#each site.menus}}{{#each this}}{{name}}{{/each}}{{/each}}",
            "{{site.menus.main.0.current}}",
            "{{json site}}",
            "{{json (or site.menus.main site.title)}}",
            "{{#each site}}{{this}}{{/each}}",
            "{{#with site}}{{menus.main.0.active}}{{/with}}",
            "{{lookup site.menus \"main\"}}",
            "{{url settings.logo}}",
            "{{markdown settings.note}}",
            "{{#pages limit=3}}{{title}}{{/pages}}",
            "{{> same name=page.title}}",
            "{{> itself}}",
            "{{> (lookup settings \"partial\")}}",
            "{{@index}}",
        ] {
            assert!(!is_still(partial), "{partial}");
        }
    }

    fn is_still_turn(turn: &str) -> bool {
        let list = format!("{{{{#each pages}}}}{turn}{{{{/each}}}}");
        let templates = compiled(&[
            ("layouts/x", &list),
            ("partials/entry", "{{title}}"),
            ("partials/around", "{{../title}}"),
            ("partials/marked", "{{#if @root.site.menus.main.0.active}}x{{/if}}"),
        ]);
        let Some(TemplateElement::HelperBlock(outer)) =
            templates.registry.get_template("layouts/x").and_then(|layout| layout.elements.first())
        else {
            panic!("{turn} is a loop")
        };
        outer.template.as_ref().is_some_and(|turn| templates.still.turns.contains_key(&super::place_of(turn)))
    }

    #[test]
    fn turns_that_read_their_entry_only_are_still() {
        for turn in [
            "<a href=\"{{url}}\">{{this.title}}</a> {{date this.date \"%Y\"}}{{json this}}",
            "{{#if date}}{{truncate (default description summary) 20}}{{else}}{{@root.settings.none}}{{/if}}",
            "{{#with (default description summary) as |text|}}{{text}}{{/with}}",
            "{{#each tags}}{{@index}}{{this}}{{/each}}{{> entry}}{{@root.site.title}}",
        ] {
            assert!(is_still_turn(turn), "{turn}");
        }
    }

    #[test]
    fn turns_that_may_read_more_are_not() {
        for turn in [
            "{{@index}}",
            "{{#if @last}}.{{/if}}",
            "{{@key}}",
            "{{../page.title}}",
            "{{@root.page.title}}",
            "{{#with this}}{{@../index}}{{/with}}",
            "{{content}}",
            "{{{head}}}",
            "{{url image}}",
            "{{markdown summary}}",
            "{{#pages limit=3}}{{title}}{{/pages}}",
            "{{> around}}",
            "{{> marked}}",
            "{{> entry name=title}}",
            "{{#> entry}}x{{/entry}}",
            "{{> (lookup this \"partial\")}}",
        ] {
            assert!(!is_still_turn(turn), "{turn}");
        }
    }
}
