//! The operator: takes a way, fills in what it knows, reads what comes back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::task::{Policy, Route, Step, Task, slips};
use super::{Client, Played, Reply, broken};
use crate::error::Result;

/// Calls of one task at most: an operator that goes round in circles gives up.
const MOST_CALLS: usize = 80;
/// Names that the parts of a page have had.
const BODY: [&str; 2] = ["body", "content"];

/// What an operator may do besides calling tools: it sees the site's published output, and a person edits files.
pub trait World {
    /// An output file as a browser would show it.
    fn look(&mut self, output: &str) -> String;
    /// A person appends to a file.
    fn append(&mut self, file: &str, text: &str);
}

struct Player<'a> {
    client: &'a mut dyn Client,
    world: &'a mut dyn World,
    policy: Policy,
    tools: BTreeMap<String, Value>,
    slips: BTreeMap<String, BTreeMap<String, String>>,
    slipped: BTreeSet<String>,
    known: BTreeMap<String, Value>,
    last: Reply,
    seen: String,
    played: Played,
    given_up: bool,
}

/// Plays one task to its end.
///
/// # Errors
/// The server is gone, or the data is broken.
pub fn play(task: &Task, policy: Policy, client: &mut dyn Client, world: &mut dyn World) -> Result<(Played, u64)> {
    let list = client.tools()?;
    let size = list.to_string().len() as u64;
    let tools = list["tools"].as_array().into_iter().flatten();
    let tools = tools.map(|tool| (tool["name"].as_str().unwrap_or_default().to_owned(), tool.clone())).collect();
    let played = Played { task: task.id.clone(), policy: policy.name(), ..Played::default() };
    let mut player = Player {
        client,
        world,
        policy,
        tools,
        slips: slips()?,
        slipped: BTreeSet::new(),
        known: BTreeMap::new(),
        last: Reply::default(),
        seen: String::new(),
        played,
        given_up: false,
    };
    let open = |route: &&Route| route.requires.iter().all(|condition| player.holds(condition));
    let Some(at) = task.routes.iter().position(|route| open(&route)) else {
        player.played.missing.push("there is no way to do it".into());
        return Ok((player.played, size));
    };
    player.played.route = at;
    player.steps(&task.routes[at].steps)?;
    Ok((player.played, size))
}

impl Player<'_> {
    fn steps(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            if self.given_up || self.played.calls.len() >= MOST_CALLS {
                return Ok(());
            }
            if !step.when.iter().all(|condition| self.holds(condition)) {
                continue;
            }
            if step.wait > 0 {
                std::thread::sleep(Duration::from_millis(step.wait));
            }
            if !step.hand.is_empty() {
                self.world.append(&step.hand, &step.text);
            } else if !step.look.is_empty() {
                self.seen = self.world.look(&step.look);
                self.played.looks += 1;
                // What an operator is shown it reads, whoever shows it.
                self.played.bytes += self.seen.len() as u64;
            } else if !step.each.is_empty() {
                for value in &step.each {
                    self.known.insert(step.name.clone(), value.clone());
                    self.steps(&step.steps)?;
                }
            } else if !step.until.is_empty() {
                for _ in 0..step.most.max(1) {
                    self.steps(&step.steps)?;
                    if step.until.iter().all(|condition| self.holds(condition)) {
                        break;
                    }
                }
            } else if step.call.is_empty() {
                self.steps(&step.steps)?;
            } else {
                self.act(step)?;
            }
        }
        Ok(())
    }

    /// One call, and what a refusal teaches.
    fn act(&mut self, step: &Step) -> Result<()> {
        let arguments = self.filled(&step.args)?;
        let Value::Object(right) = arguments else { return Err(broken("arguments are an object")) };
        let mut tried = self.with_habits(&step.call, right.clone());
        self.send(&step.call, &tried)?;
        // Arguments that are wrong are put right where the refusal says how; else other names are tried.
        let mut tries = 0;
        while self.last.refused && tried != right {
            let said = self.last.value.to_string();
            let told = right.keys().all(|key| tried.contains_key(key) || said.contains(key.as_str()));
            let hidden = said.len() < 100;
            if hidden && self.policy == Policy::Hasty {
                self.given_up = true;
                return Ok(());
            }
            tries += 1;
            if (told && !hidden) || tries > 2 {
                tried.clone_from(&right);
            } else {
                tried = tried.into_iter().map(|(key, value)| (format!("{key}_{tries}"), value)).collect();
            }
            self.send(&step.call, &tried)?;
        }
        // An error that says nothing is where a hasty operator stops, and others look for another way in the next steps.
        if self.last.refused && self.last.value["code"] == "error" && self.policy == Policy::Hasty {
            self.given_up = true;
        }
        if !self.last.refused {
            for (name, pointer) in &step.save {
                let value = self.last.value.pointer(pointer).cloned().unwrap_or(Value::Null);
                self.known.insert(name.clone(), value);
            }
        }
        Ok(())
    }

    /// The arguments as this operator would send them at first.
    fn with_habits(&mut self, tool: &str, right: Map<String, Value>) -> Map<String, Value> {
        match self.policy {
            Policy::Novice if self.slipped.insert(tool.to_owned()) => {
                let slips = self.slips.get(tool).cloned().unwrap_or_default();
                right.into_iter().map(|(key, value)| (slips.get(&key).cloned().unwrap_or(key), value)).collect()
            }
            Policy::Legacy if tool == "page_get" && self.slipped.insert(tool.to_owned()) => {
                let mut old = right;
                for part in old.get_mut("include").and_then(Value::as_array_mut).into_iter().flatten() {
                    if part == BODY[1] {
                        *part = BODY[0].into();
                    }
                }
                old
            }
            Policy::Legacy if tool == "text_replace" && self.slipped.insert(tool.to_owned()) => {
                let mut old = right;
                old.entry("dry_run").or_insert(true.into());
                old
            }
            _ => right,
        }
    }

    fn send(&mut self, tool: &str, arguments: &Map<String, Value>) -> Result<()> {
        self.last = self.client.call(tool, &Value::Object(arguments.clone()))?;
        let played = &mut self.played;
        played.calls.push(tool.to_owned());
        played.refused += usize::from(self.last.refused);
        played.bytes += self.last.sent + self.last.got;
        played.seconds += self.last.ms / 1000.0;
        Ok(())
    }

    /// `${name}` is what is known by that name, `${page:PATH}` how the server wants that page named, `${body}` how it calls a page's text.
    fn filled(&mut self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::Array(items) => Value::Array(items.iter().map(|item| self.filled(item)).collect::<Result<_>>()?),
            Value::Object(fields) => {
                let mut filled = Map::new();
                for (key, value) in fields {
                    filled.insert(key.clone(), self.filled(value)?);
                }
                Value::Object(filled)
            }
            Value::String(text) => self.text(text)?,
            other => other.clone(),
        })
    }

    fn text(&mut self, text: &str) -> Result<Value> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| broken(text))?;
            let value = self.value(name)?;
            if before.is_empty() && after.is_empty() && out.is_empty() {
                return Ok(value);
            }
            out.push_str(before);
            out.push_str(value.as_str().unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        Ok(out.into())
    }

    fn value(&mut self, name: &str) -> Result<Value> {
        if name == "body" && !self.known.contains_key("body") {
            let known = BODY.iter().find(|word| self.holds(&format!("enum:page_get.include={word}")));
            return Ok((*known.unwrap_or(&BODY[0])).into());
        }
        let Some(page) = name.strip_prefix("page:") else {
            return Ok(self.known.get(name).cloned().unwrap_or(Value::Null));
        };
        let Value::String(page) = self.text(&page.replace('<', "${").replace('>', "}"))? else {
            return Err(broken(name));
        };
        if !self.described("page_get", "named by id") {
            return Ok(page.into());
        }
        if let Some(id) = self.known.get(&page) {
            return Ok(id.clone());
        }
        let before = self.last.clone();
        let Value::Object(query) = json!({"glob": page}) else { return Err(broken(name)) };
        self.send("page_list", &query)?;
        let id = self.last.value["items"][0]["path"].clone();
        self.last = before;
        self.known.insert(page, id.clone());
        Ok(id)
    }

    fn described(&self, tool: &str, words: &str) -> bool {
        self.tools.get(tool).is_some_and(|tool| tool["description"].as_str().is_some_and(|text| text.contains(words)))
    }

    /// The schema of an argument, `page_write.pages.path`.
    fn schema(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let mut schema = &self.tools.get(parts.next()?)?["inputSchema"];
        for part in parts {
            if schema["items"].is_object() {
                schema = &schema["items"];
            }
            schema = schema.get("properties")?.get(part)?;
        }
        Some(schema)
    }

    /// A condition about the tool list, the last reply, or the operator; `!` before it turns it round.
    fn holds(&self, condition: &str) -> bool {
        if let Some(other) = condition.strip_prefix('!') {
            return !self.holds(other);
        }
        let (kind, rest) = condition.split_once(':').unwrap_or((condition, ""));
        let (left, right) = rest.split_once('=').unwrap_or((rest, ""));
        let reply = &self.last.value;
        match kind {
            "policy" => self.policy.name() == rest,
            "tool" => self.tools.contains_key(rest),
            "arg" => self.schema(rest).is_some(),
            "many" => self.schema(rest).is_some_and(|schema| schema["maxItems"] != 1),
            "enum" => self.schema(left).is_some_and(|schema| {
                let values = if schema["items"].is_object() { &schema["items"]["enum"] } else { &schema["enum"] };
                values.as_array().is_some_and(|values| values.iter().any(|value| value == right))
            }),
            "says" => self.described(left, right),
            "refused" => self.last.refused,
            "code" => self.last.refused && reply["code"] == rest,
            "reply" => !self.last.refused && reply.pointer(rest).is_some_and(|value| !value.is_null()),
            "text" => reply.pointer(left).is_some_and(|value| match value {
                Value::String(text) => text.contains(right),
                other => other.to_string().contains(right),
            }),
            "known" => self.known.get(rest).is_some_and(|value| !value.is_null()),
            "seen" => self.seen.contains(rest),
            _ => false,
        }
    }
}
