//! The MCP tools: one file per noun, each a thin adapter from wire types to the site layer.
//!
//! A tool is a [`Tool`]: what clients see of it, the right it needs, and the function it calls. The [`Registry`] holds
//! them in the order they are shown and is the one way to call them.

mod along;
mod arguments;
mod asset;
mod change;
mod change_set;
mod check;
mod content;
#[cfg(feature = "defects")]
mod defects;
mod improve;
mod nearest;
mod output;
mod page;
mod preview;
mod publish;
mod refusal;
mod registry;
mod replacement;
mod reply;
mod revision;
mod rights;
mod schema;
mod self_test;
mod site;
mod text;
mod theme;

use std::sync::Arc;

use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use along::{Along, Edited};
pub use arguments::MAX_ARGUMENT_BYTES;
pub use refusal::Refusal;
pub use registry::{CORE, Registry};
pub use rights::{Right, Rights};

use crate::error::{Error, Result};
use crate::insight::Journal;
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
    /// The session the call belongs to; empty where no journal is written.
    pub session: String,
    /// Where calls are written down.
    pub journal: Arc<Journal>,
    /// Set where what the tool edits is to be published at once.
    pub publish: Option<Along>,
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
            read: String::new(),
            message,
            dry_run,
            publish: self.publish.is_some(),
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
    /// Whether a call can have what it edits published; `None`: it edits nothing that could be.
    publishes: Option<bool>,
    /// Whether it touches the world beyond the repository even where it publishes nothing.
    open_world: bool,
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
        let (off, one_change_set) = (false, true);
        let open_world = spec.hints.open_world;
        Self { listed, schema, right: spec.right, off, one_change_set, publishes: None, open_world, run: Arc::new(run) }
    }

    /// A tool with arguments `A` that edits the site, and can have its edit published in the same call.
    pub fn editing<A, F>(spec: Spec, run: F) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(&Context, A) -> Result<Edited> + Send + Sync + 'static,
    {
        let mut tool = Self::new(spec, move |context: &Context, arguments: A| {
            let editing = Context { progress: along::first_part(context), ..context.clone() };
            Ok(along::finish(context, run(&editing, arguments)?))
        });
        along::describe(Arc::make_mut(&mut tool.schema));
        along::advertise(&mut tool.listed);
        tool.publishes = Some(true);
        tool
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

    /// What clients see who may do everything.
    #[must_use]
    pub fn listed(&self) -> &rmcp::model::Tool {
        &self.listed
    }

    /// What a client with these rights sees: no argument that would be refused.
    #[must_use]
    pub fn shown(&self, rights: Rights) -> rmcp::model::Tool {
        let mut shown = self.listed.clone();
        if self.publishes.is_some_and(|publishes| !publishes || !rights.allow(Right::Publish)) {
            along::hide(&mut shown, self.open_world);
        }
        shown
    }

    /// The schema that arguments are checked by: the advertised one, with examples.
    #[must_use]
    pub fn schema(&self) -> &Map<String, Value> {
        &self.schema
    }

    /// The schema of its replies.
    #[must_use]
    pub fn output_schema(&self) -> Map<String, Value> {
        output::of(self.name())
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
        let outcome = self.checked(context, arguments);
        #[cfg(feature = "defects")]
        let outcome = defects::errors::spoilt(outcome);
        outcome
    }

    fn checked(&self, context: &Context, arguments: Map<String, Value>) -> Result<Answer, Refusal> {
        context.proceed()?;
        let mut arguments = arguments::fit(&self.schema, arguments)?;
        let mut context =
            Context { tool: self.name().to_owned(), arguments: arguments::digest(&arguments), ..context.clone() };
        if self.one_change_set {
            context = match change_set::enter(&context, &mut arguments) {
                Ok(context) => context,
                Err(error) => return along::repeated(&context).map(Answer::from).ok_or_else(|| error.into()),
            };
        }
        if let Some(publishes) = self.publishes {
            context.publish = along::take(&context, &mut arguments, publishes)?;
        }
        (self.run)(&context, arguments)
    }
}
