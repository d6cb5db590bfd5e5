//! Block helpers that can loop or recurse: `if`, `unless`, `each`, `with`, partials and `pages`, all counted by [`Run`].

use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy, Output, PathAndJson,
    RenderContext, RenderError, Renderable, ScopedJson, Template,
};
use serde_json::Value;

use super::guard::{Capped, Fault, Run, has_room, step, steps};
use super::still::{MAX_NESTING, place_of};
use super::{Kept, lookups};
use crate::build::reads;

/// A block helper bound to one render.
pub(super) struct Block<'s> {
    pub run: &'s Run<'s>,
    pub call: BlockFn,
}

/// One call of a block helper: what handlebars hands to each, and the run that it counts for.
pub(super) struct Call<'a, 'reg: 'rc, 'rc> {
    pub run: &'a Run<'a>,
    pub h: &'a Helper<'rc>,
    pub r: &'reg Handlebars<'reg>,
    pub ctx: &'rc Context,
    pub rc: &'a mut RenderContext<'reg, 'rc>,
    pub out: &'a mut dyn Output,
}

/// What a block helper is.
pub(super) type BlockFn = fn(&mut Call<'_, '_, '_>) -> HelperResult;

/// The block helpers by name.
pub(super) const BLOCKS: &[(&str, BlockFn)] = &[
    ("if", if_block),
    ("unless", unless_block),
    ("each", each_block),
    ("with", with_block),
    (super::lower::PARTIAL, super::partials::partial),
];

impl HelperDef for Block<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        (self.call)(&mut Call { run: self.run, h, r, ctx, rc, out })
    }
}

impl<'reg: 'rc, 'rc> Call<'_, 'reg, 'rc> {
    /// Renders one branch inside the guard.
    pub(super) fn render(&mut self, template: Option<&'rc Template>) -> HelperResult {
        let Some(template) = template else { return Ok(()) };
        self.run.enter(template.elements.len())?;
        let result = template.render(self.r, self.ctx, self.rc, self.out);
        Run::leave();
        result
    }

    /// The same call with another output.
    pub(super) fn onto<'b>(&'b mut self, out: &'b mut dyn Output) -> Call<'b, 'reg, 'rc> {
        Call { run: self.run, h: self.h, r: self.r, ctx: self.ctx, rc: self.rc, out }
    }
}

pub(super) fn argument<'a, 'rc>(h: &'a Helper<'rc>) -> Result<&'a PathAndJson<'rc>, Fault> {
    h.param(0).ok_or_else(|| {
        Fault::new(
            format!("`{}` needs a value", h.name()),
            format!("Write it like this: {{{{#{} page.title}}}}.", h.name()),
        )
    })
}

fn if_block(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let branch = if is_true(call.h)? { call.h.template() } else { call.h.inverse() };
    call.render(branch)
}

fn unless_block(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let branch = if is_true(call.h)? { call.h.inverse() } else { call.h.template() };
    call.render(branch)
}

fn is_true(h: &Helper<'_>) -> Result<bool, Fault> {
    let include_zero = h.hash_get("includeZero").and_then(|v| v.value().as_bool()).unwrap_or(false);
    Ok(argument(h)?.value().is_truthy(include_zero))
}

fn with_block(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let value = argument(call.h)?;
    if !value.value().is_truthy(false) {
        return call.render(call.h.inverse());
    }
    let mut block = BlockContext::new();
    if let Some(parent) = call.rc.block() {
        block.local_variables_mut().clone_from(parent.local_variables());
    }
    set_base(&mut block, value);
    name_item(&mut block, call.h, value.context_path().is_some(), value.value(), None)?;
    call.run.push_scope(call.rc, block, names_of_item(call.h));
    let result = call.render(call.h.template());
    call.run.pop_scope(call.rc);
    result
}

/// Makes `this` mean the value: by path where it is part of the context, as a copy where it was computed.
pub(super) fn set_base(block: &mut BlockContext<'_>, value: &PathAndJson<'_>) {
    match value.context_path() {
        Some(path) => block.base_path_mut().clone_from(path),
        None => block.set_base_value(value.value().clone()),
    }
}

/// `as |item|` and `as |item key|`.
fn name_item<'rc>(
    block: &mut BlockContext<'rc>,
    h: &Helper<'rc>,
    by_path: bool,
    item: &Value,
    key: Option<&Value>,
) -> Result<(), RenderError> {
    let (name, key_name) = match (h.block_param(), h.block_param_pair()) {
        (Some(name), _) => (name, None),
        (None, Some((name, key_name))) => (name, Some(key_name)),
        (None, None) => return Ok(()),
    };
    let mut params = BlockParams::new();
    if by_path {
        params.add_path(name, Vec::new())?;
    } else {
        params.add_value(name, item.clone())?;
    }
    if let (Some(key_name), Some(key)) = (key_name, key) {
        params.add_value(key_name, key.clone())?;
    }
    block.set_block_params(params);
    Ok(())
}

fn each_block(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let value = argument(call.h)?;
    let path = value.context_path();
    match value.value() {
        Value::Array(items) if !items.is_empty() => {
            let items = items.iter().enumerate().map(|(i, item)| (None, i.to_string(), item));
            turns(call, items, path)
        }
        Value::Object(map) if !map.is_empty() => {
            let items = map.iter().map(|(key, item)| (Some(key.as_str()), key.clone(), item));
            turns(call, items, path)
        }
        _ => call.render(call.h.inverse()),
    }
}

/// The turns of a loop over (key of a map, path segment, item).
fn turns<'a>(
    call: &mut Call<'_, '_, '_>,
    items: impl ExactSizeIterator<Item = (Option<&'a str>, String, &'a Value)>,
    path: Option<&Vec<String>>,
) -> HelperResult {
    let count = items.len();
    let still = still_turns(call, path);
    for (index, (key, segment, item)) in items.enumerate() {
        let page = still.as_ref().and_then(|(turn, pages)| Some((*turn, *pages.get(index)?)));
        if let Some((turn, page)) = page
            && write_kept(call, turn, page)?
        {
            continue;
        }
        let mut block = BlockContext::new();
        block.set_local_var("index", Value::from(index));
        block.set_local_var("first", Value::Bool(index == 0));
        block.set_local_var("last", Value::Bool(index + 1 == count));
        let key = key.map_or_else(|| Value::from(index), Value::from);
        block.set_local_var("key", key.clone());
        match path {
            Some(path) => {
                let base = block.base_path_mut();
                base.clone_from(path);
                base.push(segment);
            }
            None => block.set_base_value(item.clone()),
        }
        name_item(&mut block, call.h, path.is_some(), item, Some(&key))?;
        call.run.push_scope(call.rc, block, names_of_item(call.h));
        let result = match page {
            Some((turn, page)) => keep_turn(call, turn, page),
            None => call.render(call.h.template()),
        };
        call.run.pop_scope(call.rc);
        result?;
    }
    Ok(())
}

/// Where the turns of a loop write the same for each page wherever it is listed: their place in memory, and the pages in order.
fn still_turns<'r>(call: &Call<'r, '_, '_>, path: Option<&Vec<String>>) -> Option<(usize, &'r [usize])> {
    let (run, turn) = (call.run, call.h.template()?);
    let [list] = path?.as_slice() else { return None };
    let pages = run.lists.listed(list)?;
    let is_still = call.h.block_param_pair().is_none() && run.is_still_turn(turn) && has_room(MAX_NESTING);
    is_still.then(|| (place_of(turn), pages))
}

/// Writes what a turn wrote for a page before, and charges for its steps as if it were written anew; `false`: there is nothing.
fn write_kept(call: &mut Call<'_, '_, '_>, turn: usize, page: usize) -> Result<bool, RenderError> {
    let Some(kept) = call.run.lists.kept_turn(turn, page) else { return Ok(false) };
    step(kept.steps)?;
    Capped::default().write(&kept.html)?;
    reads::also(&kept.reads);
    call.out.write(&kept.html)?;
    Ok(true)
}

/// Renders a turn, and keeps what it writes for a page.
fn keep_turn(call: &mut Call<'_, '_, '_>, turn: usize, page: usize) -> HelperResult {
    let mut text = Capped::default();
    let before = steps();
    let template = call.h.template();
    let (rendered, reads) = reads::record(|| call.onto(&mut text).render(template));
    reads::also(&reads);
    rendered?;
    let html = text.into_string();
    call.out.write(&html)?;
    call.run.lists.keep_turn(turn, page, Kept { html, steps: steps() - before, reads });
    Ok(())
}

/// The names that a block gives what it is about.
fn names_of_item(h: &Helper<'_>) -> Vec<String> {
    let pair = h.block_param_pair().map(|(name, key)| [name, key]);
    h.block_param().into_iter().chain(pair.into_iter().flatten()).map(str::to_owned).collect()
}

/// `{{#pages section="blog" limit=3 as |p|}}..{{else}}..{{/pages}}`.
fn pages_block(call: &mut Call<'_, '_, '_>) -> HelperResult {
    let stubs = lookups::find_pages(call.run, call.h)?;
    if stubs.is_empty() {
        return call.render(call.h.inverse());
    }
    let items: Vec<(Option<&str>, String, &Value)> = stubs.iter().map(|stub| (None, String::new(), &**stub)).collect();
    turns(call, items.into_iter(), None)
}

/// A helper that gives a value and is bound to one render.
pub(super) struct Lookup<'s> {
    pub run: &'s Run<'s>,
    pub call: lookups::LookupFn,
    /// Writes its text as it is: it is HTML made by the engine.
    pub html: bool,
}

impl HelperDef for Lookup<'_> {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        step(1)?;
        Ok(ScopedJson::Derived((self.call)(self.run, h)?))
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        if h.is_block() {
            return match h.name() {
                "pages" => pages_block(&mut Call { run: self.run, h, r, ctx, rc, out }),
                name => Err(Fault::new(
                    format!("`{name}` is no block"),
                    format!("Write {{{{#with ({name} ..)}}}} or {{{{#each ({name} ..)}}}}."),
                )
                .into()),
            };
        }
        step(1)?;
        let value = (self.call)(self.run, h)?;
        let text = super::values::text(&value);
        if self.html || rc.is_disable_escape() {
            out.write(&text)?;
        } else {
            out.write(&super::escape(&text))?;
        }
        Ok(())
    }
}
