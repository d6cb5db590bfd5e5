//! The tools of one server: which there are, which of them are offered, and how one is found.

use std::sync::Arc;

use super::{
    Browser, Rights, Tool, asset, change, change_set, check, content, improve, nearest, page, preview, publish,
    revision, site, text, theme,
};
use crate::error::{Error, Result};
use crate::insight::Offered;

/// The tools of one server, in the order they are listed.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    tools: Vec<Tool>,
}

/// The tools that most work needs, for clients that want few: read, find, write, look, publish, undo.
pub const CORE: [&str; 10] = [
    "site_get",
    "page_list",
    "page_get",
    "page_write",
    "text_search",
    "asset_write",
    "preview",
    "change_diff",
    "publish",
    "revision_restore",
];

impl Registry {
    /// No tools.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The tools of this release.
    #[must_use]
    pub fn standard() -> Self {
        let nouns = [
            site::tools(),
            check::tools(),
            page::tools(),
            text::tools(),
            asset::tools(),
            theme::tools(),
            preview::tools(),
            change::tools(),
            change_set::tools(),
            publish::tools(),
            revision::tools(),
            content::tools(),
            improve::tools(),
        ];
        Self { tools: nouns.into_iter().flatten().collect() }
    }

    /// The same where a browser is there: `preview` takes screenshots too.
    #[must_use]
    pub fn with_browser(self, browser: Arc<Browser>) -> Self {
        self.with(preview::with_browser(browser))
    }

    /// Tells in the list what each tool replies too: half as many bytes again, for hosts that make a typed interface of it.
    #[must_use]
    pub fn with_output_schemas(mut self) -> Self {
        for tool in &mut self.tools {
            tool.listed.output_schema = Some(Arc::new(tool.output_schema()));
        }
        self
    }

    /// Offers only some of the tools: `core`, `all` or names joined by commas, and of those not the excluded ones. The others
    /// stay known, so that a call of one is told why it is refused.
    ///
    /// # Errors
    /// `InvalidArguments` for a name that is no tool, with the nearest one.
    pub fn select(mut self, tools: Option<&str>, exclude: Option<&str>) -> Result<Self> {
        let mut on: Vec<String> = Vec::new();
        for name in tools.unwrap_or("all").split(',').map(str::trim) {
            match name {
                "all" => on.extend(self.tools.iter().map(|tool| tool.name().to_owned())),
                "core" => on.extend(CORE.iter().map(|name| (*name).to_owned())),
                name => on.push(self.known(name, "--tools")?),
            }
        }
        let off: Vec<String> = exclude
            .map(|names| names.split(',').map(|name| self.known(name.trim(), "--exclude")).collect::<Result<_>>())
            .transpose()?
            .unwrap_or_default();
        for tool in &mut self.tools {
            let name = tool.name();
            tool.off = !on.iter().any(|known| known == name) || off.iter().any(|known| known == name);
        }
        // Who may not publish by the tool may not by an argument of another.
        let publishes = self.find("publish").is_some_and(|tool| !tool.off);
        for tool in &mut self.tools {
            tool.publishes = tool.publishes.map(|_| publishes);
        }
        Ok(self)
    }

    fn known(&self, name: &str, argument: &str) -> Result<String> {
        if let Some(tool) = self.find(name) {
            return Ok(tool.name().to_owned());
        }
        let short: String = name.chars().take(60).collect();
        let (near, example) = match self.nearest(name) {
            Some(near) => (format!(", did you mean `{near}`?"), near.to_owned()),
            None => (String::new(), CORE[..3].join(",")),
        };
        let problem = format!("`{short}` is no tool{near}");
        Err(Error::InvalidArguments { field: argument.into(), problem, example: format!("{argument} {example}") })
    }

    /// With one more; a name that is taken already is replaced in its place.
    #[must_use]
    pub fn with(mut self, tool: Tool) -> Self {
        match self.tools.iter_mut().find(|known| known.name() == tool.name()) {
            Some(known) => *known = tool,
            None => self.tools.push(tool),
        }
        self
    }

    /// With a tool switched off.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        for tool in self.tools.iter_mut().filter(|tool| tool.name() == name) {
            tool.off = true;
        }
        self
    }

    /// What it offers, and what that costs of a client's attention.
    #[must_use]
    pub fn offered(&self) -> Vec<Offered> {
        let bytes = |value: &serde_json::Value| value.to_string().len();
        let one = |tool: &Tool| {
            let properties = tool.listed.input_schema.get("properties").and_then(serde_json::Value::as_object);
            let arguments = properties.into_iter().flatten().map(|(name, schema)| (name.clone(), bytes(schema)));
            let whole = serde_json::to_string(&tool.listed).map_or(0, |text| text.len());
            Offered { tool: tool.name().to_owned(), bytes: whole, arguments: arguments.collect() }
        };
        self.tools.iter().map(one).collect()
    }

    /// All tools in order.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.iter()
    }

    /// The tools that are switched on and `rights` serve, in order.
    pub fn allowed(&self, rights: Rights) -> impl Iterator<Item = &Tool> {
        self.tools.iter().filter(move |tool| !tool.off && rights.allow(tool.right))
    }

    /// The tool of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// The name a caller most likely meant.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest::nearest(name, self.tools.iter().map(Tool::name))
    }
}
