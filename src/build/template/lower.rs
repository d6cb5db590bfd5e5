//! Rewrites a parsed template so that everything which can recurse or loop goes through our own guarded helpers.
//!
//! handlebars expands partials itself, with a stack of its own and a copy of the whole context for each; here a partial
//! becomes a call of the helper `@partial` (`blocks.rs`). Inline partials and other decorators are refused.

use handlebars::template::{
    DecoratorTemplate, ExpressionSpecBuilder, HelperTemplate, Parameter, Template, TemplateElement,
};
use handlebars::{Path, template::Subexpression};
use serde_json::Value;

use super::guard::Fault;
use super::vocabulary;

/// Helper that renders partials; no template can name it.
pub(super) const PARTIAL: &str = "@partial";

/// What a walk over one template finds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Partials named in it: line, name.
    pub partials: Vec<(usize, String)>,
    /// What cannot stay.
    pub faults: Vec<(usize, Fault)>,
}

/// Rewrites a template in place. Nesting is bounded by `scan.rs`, so the recursion is too.
pub(super) fn lower(template: &mut Template, found: &mut Found) {
    for index in 0..template.elements.len() {
        let line = template.mapping.get(index).map_or(0, |m| m.0);
        let element = std::mem::replace(&mut template.elements[index], TemplateElement::Comment(String::new()));
        template.elements[index] = lower_element(element, line, found);
    }
}

fn lower_element(element: TemplateElement, line: usize, found: &mut Found) -> TemplateElement {
    match element {
        TemplateElement::Expression(mut call) => {
            expression(&mut call, line, found);
            TemplateElement::Expression(call)
        }
        TemplateElement::HtmlExpression(mut call) => {
            expression(&mut call, line, found);
            TemplateElement::HtmlExpression(call)
        }
        TemplateElement::HelperBlock(mut call) => {
            block(&mut call, line, found);
            TemplateElement::HelperBlock(call)
        }
        TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
            partial_call(*partial, line, found)
        }
        TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
            found.faults.push((
                line,
                Fault::new("inline partials and decorators (`{{#*inline ..}}`) are not supported", {
                    "Move the text to a file in partials/ and use it with `{{> name}}`."
                }),
            ));
            TemplateElement::Comment(String::new())
        }
        other => other,
    }
}

fn expression(call: &mut HelperTemplate, line: usize, found: &mut Found) {
    if !call.params.is_empty() || !call.hash.is_empty() {
        known(&call.name, line, found);
    } else if let Some(name) = call.name.as_name()
        && vocabulary::needs_arguments(name)
        && let Ok(path) = Path::parse(&format!("./{name}"))
    {
        // `{{url}}` alone means the value of that name, though there is a helper `url`.
        call.name = Parameter::Path(path);
    }
    parameters(call, line, found);
}

fn block(call: &mut HelperTemplate, line: usize, found: &mut Found) {
    known(&call.name, line, found);
    parameters(call, line, found);
    for inner in [call.template.as_mut(), call.inverse.as_mut()].into_iter().flatten() {
        lower(inner, found);
    }
}

fn parameters(call: &HelperTemplate, line: usize, found: &mut Found) {
    subexpressions(call.params.iter().chain(call.hash.values()), line, found);
    if let Parameter::Subexpression(inner) = &call.name {
        subexpression(inner, line, found);
    }
}

fn subexpressions<'a>(parameters: impl Iterator<Item = &'a Parameter>, line: usize, found: &mut Found) {
    for parameter in parameters {
        if let Parameter::Subexpression(inner) = parameter {
            subexpression(inner, line, found);
        }
    }
}

fn subexpression(inner: &Subexpression, line: usize, found: &mut Found) {
    if let TemplateElement::Expression(call) = inner.as_element() {
        known(&call.name, line, found);
        parameters(call, line, found);
    }
}

fn known(name: &Parameter, line: usize, found: &mut Found) {
    let Some(name) = name.as_name() else { return };
    if vocabulary::names().all(|known| known != name) {
        let near = super::near(name, vocabulary::names());
        let hint = super::did_you_mean(&near, "Use a documented helper; a value takes no arguments.");
        found.faults.push((line, Fault::new(format!("there is no helper `{name}`"), hint)));
    }
}

/// `{{> name context key=value}}` becomes `{{#@partial "name" context key=value}}`.
fn partial_call(partial: DecoratorTemplate, line: usize, found: &mut Found) -> TemplateElement {
    let DecoratorTemplate { name, params, hash, mut template, .. } = partial;
    let name = match name {
        Parameter::Name(_) | Parameter::Path(_) => {
            let text = name.as_name().unwrap_or_default();
            let text = text.trim_matches(|c| matches!(c, '\'' | '"' | '[' | ']')).to_owned();
            // A block given along is the fallback where the partial is missing.
            if template.is_none() && text != "@partial-block" {
                found.partials.push((line, text.clone()));
            }
            Parameter::Literal(Value::String(text))
        }
        dynamic => dynamic,
    };
    if let Some(inner) = &mut template {
        lower(inner, found);
    }
    let mut all = vec![name];
    all.extend(params);
    subexpressions(all.iter().chain(hash.values()), line, found);
    let spec = ExpressionSpecBuilder::default()
        .name(Parameter::Name(PARTIAL.to_owned()))
        .params(all)
        .hash(hash)
        .omit_pre_ws(false)
        .omit_pro_ws(false)
        .build();
    match spec {
        Ok(spec) => {
            let mut call = HelperTemplate::new(spec, true, false);
            call.template = template;
            TemplateElement::HelperBlock(Box::new(call))
        }
        Err(error) => {
            found.faults.push((line, Fault::new(error.to_string(), "")));
            TemplateElement::Comment(String::new())
        }
    }
}
