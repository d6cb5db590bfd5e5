//! Partials: called, expanded within bounds, and kept where they are the same on every page.

use std::sync::Arc;

use handlebars::{
    BlockContext, BlockParamHolder, Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError,
    Renderable, Template,
};

use super::Kept;
use super::blocks::{argument, render, set_base};
use super::guard::{Capped, Fault, Run, has_room, step, steps};
use super::still::MAX_NESTING;
use crate::build::{reads, stopwatch};

/// `{{> name}}`, `{{> name context key=value}}`, `{{#> name}}block{{/name}}`, `{{> @partial-block}}`.
pub(super) fn partial<'reg, 'rc>(
    run: &Run<'_>,
    h: &Helper<'rc>,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let name = argument(h)?.value().as_str().unwrap_or_default().to_owned();
    if name == "@partial-block" {
        return match run.block() {
            Some(block) => Ok(out.write(&block)?),
            None => render(run, h.template(), r, ctx, rc, out),
        };
    }
    reads::template(&format!("partials/{name}"));
    reads::template(&name);
    let Some(template) = find_partial(r, &name) else {
        if h.template().is_some() {
            return render(run, h.template(), r, ctx, rc, out);
        }
        return Err(missing_partial(run, r, &name).into());
    };
    let bare = h.params().len() == 1 && h.hash().is_empty() && h.template().is_none();
    if bare && run.is_still(&name) && has_room(MAX_NESTING) {
        return still_partial(run, &name, h, template, r, ctx, rc, out);
    }
    expand(run, &name, h, template, r, ctx, rc, out)
}

/// A partial that is the same on every page, rendered by the first that needs it; the others are charged for its steps too, so
/// that no page depends on which one was first.
#[expect(clippy::too_many_arguments, reason = "five of them are what handlebars passes to every helper")]
fn still_partial<'reg: 'rc, 'rc>(
    run: &Run<'_>,
    name: &str,
    h: &Helper<'rc>,
    template: &'rc Template,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    let mut text = Capped::default();
    if let Some(kept) = run.lists.kept(name) {
        step(kept.steps)?;
        text.write(&kept.html)?;
        // What the first page looked up for it, this page depends on as well.
        reads::also(&kept.reads);
        return Ok(out.write(&kept.html)?);
    }
    let before = steps();
    let (expanded, reads) = reads::record(|| expand(run, name, h, template, r, ctx, rc, &mut text));
    reads::also(&reads);
    expanded?;
    let html = text.into_string();
    out.write(&html)?;
    run.lists.keep(name, Kept { html, steps: steps() - before, reads });
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "five of them are what handlebars passes to every helper")]
fn expand<'reg: 'rc, 'rc>(
    run: &Run<'_>,
    name: &str,
    h: &Helper<'rc>,
    template: &'rc Template,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
    out: &mut dyn Output,
) -> HelperResult {
    // A call costs more than a turn of a loop: a look-up, a trail, a block.
    step(3)?;
    run.enter(template.elements.len())?;
    // Rendered first, among the caller's own blocks: `@partial-block` inside it is the caller's.
    let block = match h.template() {
        Some(inner) => capture(run, inner, r, ctx, rc).map(|text| Some(Arc::from(text))),
        None => Ok(None),
    };
    let result = block.and_then(|block| {
        run.push_partial(name, block);
        let pushed = push_context(run, h, rc);
        let key = template.name.as_deref().unwrap_or(name);
        let result = stopwatch::template(run.lists.watch(), key, || template.render(r, ctx, rc, out));
        if pushed {
            run.pop_scope(rc);
        }
        run.pop_partial();
        result
    });
    Run::leave();
    result
}

fn capture<'reg: 'rc, 'rc>(
    run: &Run<'_>,
    inner: &'rc Template,
    r: &'reg Handlebars<'reg>,
    ctx: &'rc Context,
    rc: &mut RenderContext<'reg, 'rc>,
) -> Result<String, RenderError> {
    let mut out = Capped::default();
    render(run, Some(inner), r, ctx, rc, &mut out)?;
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
        block.set_block_param(key, BlockParamHolder::Value(value.value().clone()));
    }
    run.push_scope(rc, block);
    true
}

fn find_partial<'reg>(r: &'reg Handlebars<'reg>, name: &str) -> Option<&'reg Template> {
    r.get_template(&format!("partials/{name}")).or_else(|| r.get_template(name))
}

fn missing_partial(run: &Run<'_>, r: &Handlebars<'_>, name: &str) -> Fault {
    let names: Vec<&str> = r.get_templates().keys().filter_map(|key| key.strip_prefix("partials/")).collect();
    super::missing_partial(run.theme, name, names.into_iter())
}
