//! Which names a layout may read, by what is written in it and in the partials it can reach: what none of them names need not be
//! made for it.
//!
//! A name counts wherever it stands in a path, so that scopes, block parameters and `../` need not be understood. Whoever takes the
//! whole context, as `this` outside of any block or as `@root`, may read everything.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Handlebars;
use handlebars::template::{HelperTemplate, Parameter, Template, TemplateElement};
use serde_json::Value;

use super::lower::PARTIAL;

/// The names that one layout may read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    /// It may read any.
    all: bool,
    /// It takes `page` as one value, and may read any field of it.
    whole_page: bool,
    names: BTreeSet<String>,
}

impl Mentions {
    /// Whether a layout may read this name.
    pub(super) fn may_read(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    /// Whether a layout may read this field of `page`.
    pub(super) fn may_read_of_page(&self, field: &str) -> bool {
        self.whole_page || self.may_read(field)
    }
}

/// What each layout may read, by the whole name of its template.
pub(super) fn of_layouts(registry: &Handlebars<'_>) -> BTreeMap<String, Mentions> {
    let layouts = registry.get_templates().iter().filter(|(name, _)| name.starts_with("layouts/"));
    let read = |template: &Template| {
        let mut walk = Walk { registry, seen: BTreeSet::new(), found: Mentions::default() };
        walk.template(template, Here::Top);
        walk.found
    };
    layouts.map(|(name, template)| (name.clone(), read(template))).collect()
}

/// What `this` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Here {
    /// The whole context.
    Top,
    /// Something that is named where the block begins.
    Below,
}

struct Walk<'r> {
    registry: &'r Handlebars<'r>,
    /// Partials that were walked.
    seen: BTreeSet<(String, Here)>,
    found: Mentions,
}

impl Walk<'_> {
    fn template(&mut self, template: &Template, here: Here) {
        for element in &template.elements {
            self.element(element, here);
        }
    }

    fn element(&mut self, element: &TemplateElement, here: Here) {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.call(call, here, false),
            TemplateElement::HelperBlock(call) => self.block(call, here),
            // `lower` leaves none of these; one that it does leave is not understood here.
            _ => self.found.all = true,
        }
    }

    /// An expression: a helper where it has arguments, a value otherwise, and nobody knows which where it stands in parentheses.
    fn call(&mut self, call: &HelperTemplate, here: Here, is_helper: bool) {
        if !is_helper && call.params.is_empty() && call.hash.is_empty() {
            self.value(&call.name, here);
        }
        self.arguments(call, here);
    }

    fn arguments(&mut self, call: &HelperTemplate, here: Here) {
        for value in call.params.iter().chain(call.hash.values()) {
            self.value(value, here);
        }
    }

    fn value(&mut self, value: &Parameter, here: Here) {
        match value {
            Parameter::Literal(_) => {}
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call, here, true),
                _ => self.found.all = true,
            },
            named => match named.as_name() {
                Some(path) => self.path(path, here),
                None => self.found.all = true,
            },
        }
    }

    fn path(&mut self, path: &str, here: Here) {
        let is_part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let words = path.split(|c: char| !is_part_of_name(c)).filter(|word| !word.is_empty());
        let named: Vec<&str> = words.filter(|word| !matches!(*word, "this" | "root")).collect();
        if named.is_empty() && (here == Here::Top || path.contains("..") || path.contains('@')) {
            self.found.all = true;
        }
        self.found.whole_page |= named.last() == Some(&"page");
        self.found.names.extend(named.into_iter().map(str::to_owned));
    }

    fn block(&mut self, call: &HelperTemplate, here: Here) {
        self.arguments(call, here);
        let name = call.name.as_name().unwrap_or_default();
        let inside = if matches!(name, "each" | "with" | "pages") { Here::Below } else { here };
        if name == PARTIAL {
            self.partial(call, here);
        }
        for (branch, here) in [(&call.template, inside), (&call.inverse, here)] {
            if let Some(branch) = branch {
                self.template(branch, here);
            }
        }
    }

    /// A partial sees what its caller sees, or the one value that it is given.
    fn partial(&mut self, call: &HelperTemplate, here: Here) {
        let inside = if call.params.len() > 1 { Here::Below } else { here };
        let Some(Parameter::Literal(Value::String(name))) = call.params.first() else {
            // Which one it is shows when it is rendered. To go by all there are would make it depend on each of them.
            self.found.all = true;
            return;
        };
        let registry = self.registry;
        let found = registry.get_template(&format!("partials/{name}")).or_else(|| registry.get_template(name));
        if let Some(template) = found.filter(|_| self.seen.insert((name.clone(), inside))) {
            self.template(template, inside);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::build::template::compiled;

    fn may_read_pages(layout: &str) -> bool {
        let templates = compiled(&[
            ("layouts/x", layout),
            ("layouts/other", "{{#each pages}}{{/each}}"),
            ("partials/lists", "{{#each pages}}{{title}}{{/each}}"),
            ("partials/this", "{{#if this}}{{json this}}{{/if}}"),
            ("partials/frame", "{{page.title}}{{> frame}}{{> @partial-block}}"),
        ]);
        assert!(templates.registry.has_template("layouts/x"), "does not compile: {layout}");
        templates.may_read("x", "pages")
    }

    fn may_read_the_toc(layout: &str) -> bool {
        let templates = compiled(&[
            ("layouts/x", layout),
            ("layouts/other", "{{#each page.toc}}{{/each}}{{json page}}"),
            ("partials/toc", "{{#each toc}}{{text}}{{/each}}"),
            ("partials/card", "{{item.title}}{{#with item}}{{json this}}{{/with}}"),
        ]);
        assert!(templates.registry.has_template("layouts/x"), "does not compile: {layout}");
        templates.fields_of_page(Some("x"))("toc")
    }

    #[test]
    fn a_field_of_the_page_is_named_or_reached_through_the_whole_page() {
        for layout in [
            "{{#each page.toc}}{{/each}}",
            "{{#if page.[toc]}}{{/if}}",
            "{{#if @root.page.toc.0.id}}{{/if}}",
            "{{> toc}}",
            "{{> toc page}}",
            "{{> card item=page}}",
            "{{#with page}}{{json this}}{{/with}}",
            "{{#with page as |p|}}{{lookup p \"toc\"}}{{/with}}",
            "{{#with ../page}}{{/with}}",
            "{{lookup page \"toc\"}}",
            "{{#each page}}{{@key}}{{/each}}",
            "{{#each pages}}{{json @root.page}}{{/each}}",
            "{{json this}}",
            "{{> (lookup page.params \"partial\")}}",
        ] {
            assert!(may_read_the_toc(layout), "{layout}");
        }
        for layout in [
            "{{page.title}}",
            "{{#with page.next}}{{> card item=this}}{{json this}}{{/with}}",
            "{{#each pages}}{{json this}}{{/each}}",
            "{{#with (page \"about\")}}{{json this}}{{/with}}",
            "{{length page.params}}{{{content}}}",
        ] {
            assert!(!may_read_the_toc(layout), "{layout}");
        }
    }

    #[test]
    fn a_name_counts_wherever_it_stands() {
        for layout in [
            "{{pages}}",
            "{{#each pages}}{{/each}}",
            "{{#if (first pages 3)}}x{{/if}}",
            "{{#each ./pages}}{{/each}}",
            "{{#each @root.pages}}{{/each}}",
            "{{#with page}}{{../pages.0.title}}{{/with}}",
            "{{pages.[0].title}}",
            "{{#if page}}{{else}}{{length pages}}{{/if}}",
            "{{> lists}}",
            "{{#> frame}}{{#each pages}}{{/each}}{{/frame}}",
            "{{#> missing}}{{length pages}}{{/missing}}",
            "{{> frame items=pages}}",
            "{{> frame pages}}",
            "{{#each pages as |p|}}{{p.title}}{{/each}}",
            "{{#each (pages) as |p|}}{{../pages}}{{/each}}",
            // Nobody knows what these come to.
            "{{> (lookup page \"partial\")}}",
            "{{json this}}",
            "{{lookup this \"pages\"}}",
            "{{lookup @root page.params.list}}",
            "{{#each this}}{{/each}}",
            "{{#each page.terms}}{{#each ../this}}{{/each}}{{/each}}",
            "{{#each page.terms}}{{> this @root}}{{/each}}",
            "{{> this}}",
            "{{> this name=\"x\"}}",
        ] {
            assert!(may_read_pages(layout), "{layout}");
        }
    }

    #[test]
    fn what_is_never_named_is_not_read() {
        for layout in [
            "{{page.title}} {{site.title}} pages",
            "{{#pages limit=10 sort=\"date\" as |p|}}<a href=\"{{p.url}}\">{{this.title}}</a>{{/pages}}",
            "{{#each (pages \"blog\" limit=3)}}{{this}}{{else}}{{plural page.count \"page\" \"pages\"}}{{/each}}",
            "{{#each page.tags}}{{this}}{{@index}}{{> this}}{{/each}}",
            "{{#with page.next}}{{> this}}{{json ./this}}{{/with}}",
            "{{> this page}}",
            "{{#> frame}}{{{content}}}{{/frame}}",
            "{{{head}}}{{#each sections}}{{title}}{{/each}}",
        ] {
            assert!(!may_read_pages(layout), "{layout}");
        }
    }
}
