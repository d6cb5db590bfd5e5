//! The MCP tools: one file per noun, each a thin adapter from wire types to the site layer.
//!
//! A tool is a [`Tool`]: what clients see of it, the right it needs, and the function it calls. The [`Registry`] holds
//! them in the order they are shown and is the one way to call them.

mod arguments;
mod asset;
mod change;
mod change_set;
mod check;
mod content;
mod nearest;
mod page;
mod preview;
mod publish;
mod refusal;
mod reply;
mod revision;
mod rights;
mod schema;
mod site;
mod text;
mod theme;

use std::sync::Arc;

use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use arguments::MAX_ARGUMENT_BYTES;
pub use refusal::Refusal;
pub use rights::{Right, Rights};

use crate::error::{Error, Result};
pub use crate::model::{Effects, Follower, Progress};
pub use crate::preview::Browser;
use crate::site::{Call, Site};

/// What a tool is given besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The site.
    pub site: Arc<Site>,
    /// The client's name and version, as it says.
    pub client: String,
    /// Identifies this call in the history.
    pub id: String,
    /// The tool that runs.
    pub tool: String,
    /// What makes two calls the same: a digest of the arguments as they were understood.
    pub arguments: String,
    /// Name of the token the caller showed, where there are several.
    pub token: String,
    /// What the caller may do besides what the tool needs.
    pub rights: Rights,
    /// Who follows the call; says when the caller no longer waits.
    pub progress: Progress,
}

impl Context {
    /// Ends a call whose caller no longer waits. Asked between steps; never after something was written.
    pub fn proceed(&self) -> Result<()> {
        self.progress.proceed()
    }

    /// Refuses an argument that needs a further right; `what` names it, such as `asset_write with url`.
    fn need(&self, right: Right, what: &str) -> Result<()> {
        if self.rights.allow(right) {
            return Ok(());
        }
        Err(Error::NotAllowed { tool: what.to_owned(), right: right.to_string() })
    }

    /// Who asks the site layer for an edit, with what, and why.
    fn call(&self, message: Option<String>, dry_run: bool) -> Call {
        Call {
            tool: self.tool.clone(),
            client: self.client.clone(),
            id: self.id.clone(),
            arguments: self.arguments.clone(),
            message,
            dry_run,
            token: self.token.clone(),
            admin: self.rights.allow(Right::Admin),
            progress: self.progress.clone(),
        }
    }
}

/// The four hints of the protocol, all stated.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    /// Changes nothing.
    pub read_only: bool,
    /// Can take something away.
    pub destructive: bool,
    /// The same call twice does no more than once.
    pub idempotent: bool,
    /// Touches the world beyond the repository.
    pub open_world: bool,
}

impl Hints {
    /// A tool that only reads the repository.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: false };
}

/// What a tool is, as clients see it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// `noun_verb`; API.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// For agents: the first sentence says what and when.
    pub description: &'static str,
    /// Honest hints.
    pub hints: Hints,
    /// The right it needs.
    pub right: Right,
}

/// What a tool answers: facts as JSON, and pictures beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The facts.
    pub value: Value,
    /// The pictures.
    pub pictures: Vec<Picture>,
}

/// One picture, of less than a megabyte as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self { value, pictures: Vec::new() }
    }
}

type Run = dyn Fn(&Context, Map<String, Value>) -> Result<Answer, Refusal> + Send + Sync;

/// One tool.
#[derive(Clone)]
pub struct Tool {
    listed: rmcp::model::Tool,
    schema: Arc<Map<String, Value>>,
    right: Right,
    off: bool,
    /// Whether a call can name the change set it is about.
    one_change_set: bool,
    run: Arc<Run>,
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tool").field("name", &self.listed.name).finish_non_exhaustive()
    }
}

impl Tool {
    /// A tool with arguments `A`.
    pub fn new<A, F>(spec: Spec, run: F) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(&Context, A) -> Result<Value> + Send + Sync + 'static,
    {
        Self::picturing(spec, move |context: &Context, arguments: A| run(context, arguments).map(Answer::from))
    }

    /// A tool with arguments `A` that may answer with pictures.
    pub fn picturing<A, F>(spec: Spec, run: F) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(&Context, A) -> Result<Answer> + Send + Sync + 'static,
    {
        let mut schema = schema::of::<A>();
        let mut advertised = schema::advertised(&schema);
        change_set::describe(&mut schema);
        change_set::advertise(&mut advertised);
        let run = move |context: &Context, arguments: Map<String, Value>| {
            let arguments = serde_json::from_value(Value::Object(arguments)).map_err(|error| {
                // The schema is made from the type, so this is a constraint only the type knows.
                tracing::warn!(tool = spec.name, %error, "arguments fit the schema and not the type");
                let problem = "the arguments do not fit together".to_owned();
                Error::InvalidArguments { field: "arguments".into(), problem, example: "{}".into() }
            })?;
            Ok(run(context, arguments)?)
        };
        let hints = ToolAnnotations::from_raw(
            None,
            Some(spec.hints.read_only),
            Some(spec.hints.destructive),
            Some(spec.hints.idempotent),
            Some(spec.hints.open_world),
        );
        let listed = rmcp::model::Tool::new(spec.name, spec.description, advertised)
            .with_title(spec.title)
            .with_annotations(hints);
        let schema = Arc::new(schema);
        Self { listed, schema, right: spec.right, off: false, one_change_set: true, run: Arc::new(run) }
    }

    /// A tool that is about the whole site, and not about one of its change sets: without the argument `change_set`, unless it has
    /// one of its own.
    #[must_use]
    pub fn of_whole_site<A: JsonSchema>(mut self) -> Self {
        let schema = schema::of::<A>();
        self.listed.input_schema = Arc::new(schema::advertised(&schema));
        self.schema = Arc::new(schema);
        self.one_change_set = false;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.listed.name
    }

    /// What clients see.
    #[must_use]
    pub fn listed(&self) -> &rmcp::model::Tool {
        &self.listed
    }

    /// The schema that arguments are checked by: the advertised one, with examples.
    #[must_use]
    pub fn schema(&self) -> &Map<String, Value> {
        &self.schema
    }

    /// Whether it may change something.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.listed.annotations.as_ref().is_none_or(|hints| hints.read_only_hint != Some(true))
    }

    /// The right it needs.
    #[must_use]
    pub fn right(&self) -> Right {
        self.right
    }

    /// Whether the person who runs the server switched it off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Runs it. Blocks: disk, git and builds happen here.
    pub fn call(&self, context: &Context, arguments: Map<String, Value>) -> Result<Answer, Refusal> {
        context.proceed()?;
        let mut arguments = arguments::fit(&self.schema, arguments)?;
        let mut context =
            Context { tool: self.name().to_owned(), arguments: arguments::digest(&arguments), ..context.clone() };
        if self.one_change_set {
            context = change_set::enter(&context, &mut arguments)?;
        }
        (self.run)(&context, arguments)
    }
}

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
        ];
        Self { tools: nouns.into_iter().flatten().collect() }
    }

    /// The same where a browser is there: `preview` takes screenshots too.
    #[must_use]
    pub fn with_browser(self, browser: Arc<Browser>) -> Self {
        self.with(preview::with_browser(browser))
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
