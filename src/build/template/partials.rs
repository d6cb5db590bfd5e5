//! Partials: called, expanded within bounds, and kept where they are the same on every page.

use std::sync::Arc;

use handlebars::{
    BlockContext, BlockParamHolder, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError, Renderable,
    Template,
};

use super::Kept;
use super::blocks::{Call, argument, set_base};
use super::guard::{Capped, Fault, Run, has_room, step, steps};
use super::still::MAX_NESTING;
use crate::build::{reads, stopwatch};

/// `{{> name}}`, `{{> name context key=value}}`, `{{#> name}}block{{/name}}`, `{{> @partial-block}}`.
pub(super) fn partial(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let (run, h) = (call.run, call.h);
    let name = argument(h)?.value().as_str().unwrap_or_default().to_owned();
    if name == "@partial-block" {
        return match run.block() {
            Some(block) => Ok(call.out.write(&block)?),
            None => call.render(h.template()),
        };
    }
    reads::template(&format!("partials/{name}"));
    reads::template(&name);
    let Some(template) = find_partial(call.r, &name) else {
        if h.template().is_some() {
            return call.render(h.template());
        }
        return Err(missing_partial(run, call.r, &name).into());
    };
    let bare = h.params().len() == 1 && h.hash().is_empty() && h.template().is_none();
    if bare && run.is_still(&name) && has_room(MAX_NESTING) {
        return still_partial(call, &name, template);
    }
    expand(call, &name, template)
}

/// A partial that is the same on every page, rendered by the first that needs it; the others are charged for its steps too, so
/// that no page depends on which one was first.
fn still_partial<'rc>(call: &mut Call<'_, '_, 'rc>, name: &str, template: &'rc Template) -> HelperResult {
    let run = call.run;
    let mut text = Capped::default();
    if let Some(kept) = run.lists.kept(name) {
        step(kept.steps)?;
        text.write(&kept.html)?;
        // What the first page looked up for it, this page depends on as well.
        reads::also(&kept.reads);
        return Ok(call.out.write(&kept.html)?);
    }
    let before = steps();
    let (expanded, reads) = reads::record(|| expand(&mut call.onto(&mut text), name, template));
    reads::also(&reads);
    expanded?;
    let html = text.into_string();
    call.out.write(&html)?;
    run.lists.keep(name, Kept { html, steps: steps() - before, reads });
    Ok(())
}

fn expand<'rc>(call: &mut Call<'_, '_, 'rc>, name: &str, template: &'rc Template) -> HelperResult {
    let run = call.run;
    // A call costs more than a turn of a loop: a look-up, a trail, a block.
    step(3)?;
    run.enter(template.elements.len())?;
    // Rendered first, among the caller's own blocks: `@partial-block` inside it is the caller's.
    let block = match call.h.template() {
        Some(inner) => capture(call, inner).map(|text| Some(Arc::from(text))),
        None => Ok(None),
    };
    let result = block.and_then(|block| {
        run.push_partial(name, block);
        let pushed = push_context(run, call.h, call.rc);
        let key = template.name.as_deref().unwrap_or(name);
        let result =
            stopwatch::template(run.lists.watch(), key, || template.render(call.r, call.ctx, call.rc, call.out));
        if pushed {
            run.pop_scope(call.rc);
        }
        run.pop_partial();
        result
    });
    Run::leave();
    result
}

fn capture<'rc>(call: &mut Call<'_, '_, 'rc>, inner: &'rc Template) -> Result<String, RenderError> {
    let mut out = Capped::default();
    call.onto(&mut out).render(Some(inner))?;
    Ok(out.into_string())
}

/// A partial without arguments sees what its caller sees; otherwise `this` is the argument and each `key=value` a name.
fn push_context<'rc>(run: &Run<'_>, h: &Helper<'rc>, rc: &mut RenderContext<'_, 'rc>) -> bool {
    let context = h.param(1);
    if context.is_none() && h.hash().is_empty() {
        return false;
    }
    let mut block = BlockContext::new();
    if let Some(parent) = rc.block() {
        block.local_variables_mut().clone_from(parent.local_variables());
        if context.is_none() {
            block.base_path_mut().clone_from(parent.base_path());
            if let Some(value) = parent.base_value() {
                block.set_base_value(value.clone());
            }
        }
    }
    if let Some(value) = context {
        set_base(&mut block, value);
    }
    for (key, value) in h.hash() {
        // A list is named by its place in the context, which costs less than a copy.
        let place = value.context_path().filter(|_| value.value().is_array());
        let holder = match place.and_then(|path| path.strip_prefix(block.base_path().as_slice())) {
            Some(below) => BlockParamHolder::Path(below.to_vec()),
            None => BlockParamHolder::Value(value.value().clone()),
        };
        block.set_block_param(key, holder);
    }
    run.push_scope(rc, block, h.hash().keys().map(|&name| name.to_owned()).collect());
    true
}

fn find_partial<'reg>(r: &'reg Handlebars<'reg>, name: &str) -> Option<&'reg Template> {
    r.get_template(&format!("partials/{name}")).or_else(|| r.get_template(name))
}

fn missing_partial(run: &Run<'_>, r: &Handlebars<'_>, name: &str) -> Fault {
    let names: Vec<&str> = r.get_templates().keys().filter_map(|key| key.strip_prefix("partials/")).collect();
    super::missing_partial(run.theme, name, names.into_iter())
}
