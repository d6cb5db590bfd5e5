//! Every argument of every tool, driven by its schema: each answer is success or an error that names the argument, what was
//! expected and an example, and after an error the site is as it was.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sitewright::tools::{MAX_ARGUMENT_BYTES, Registry, Tool};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;

use super::harness::TestSite;
use super::tools::{PAGES, example, walk};

/// Text that looks harmless and is not, or the other way round.
const TRICKS: [&str; 24] = [
    "",
    " ",
    "\n",
    "../../etc/passwd",
    "/etc/passwd",
    "content/../../x.md",
    "%2e%2e/%2e%2e/x.md",
    "C:\\windows\\x.md",
    "\u{202e}dm.olleh/golb",
    "/blo\u{200b}g/hel\u{200d}lo/",
    "blog/hello\u{0}.md",
    "\u{feff}blog/hello.md",
    "/bl\u{43e}g/hell\u{43e}/",
    "cafe\u{301}/Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
    "\\ud800\\udfff",
    "\u{fffd}\u{10ffff}",
    "{\"path\": \"/blog/hello/\"}",
    "[\"/blog/hello/\"]",
    "null",
    "1e999",
    "-7",
    "{{evil}}{{> page}}<script>alert(1)</script>",
    "refs/heads/main",
    "(((((((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+",
];

/// What to send for a property, and whether it has to be refused as an argument.
struct Trial {
    value: Value,
    refused: bool,
}

fn refused(value: Value) -> Trial {
    Trial { value, refused: true }
}

fn either(value: Value) -> Trial {
    Trial { value, refused: false }
}

fn trials(schema: &Map<String, Value>) -> Vec<Trial> {
    let kind = schema.get("type").and_then(Value::as_str).expect("a type");
    let mut all = match kind {
        "string" if schema.contains_key("enum") => {
            let others = TRICKS.into_iter().map(|text| refused(json!(text)));
            others.chain([refused(json!(7)), refused(json!(["x"])), refused(json!("no such thing"))]).collect()
        }
        "string" => {
            let tricks = TRICKS.into_iter().map(|text| either(json!(text)));
            tricks.chain([7.into(), json!(1.5), json!({"a": 1}), json!([1]), json!(true)].map(refused)).collect()
        }
        "integer" => {
            let wrong = [json!("three"), json!(""), json!(1.5), json!("1.5"), json!({}), json!([]), json!(true)];
            let far = [json!(-1), json!(i64::MIN), json!(u64::MAX), json!(1e300), json!("99999999999999999999")];
            let meant = [json!("7"), json!(7.0), json!(" 7 ")];
            wrong.into_iter().chain(far).map(refused).chain(meant.map(either)).collect::<Vec<_>>()
        }
        "number" => vec![refused(json!("three")), refused(json!({})), refused(json!("NaN")), either(json!("0.5"))],
        "boolean" => {
            let wrong = [json!("perhaps"), json!(""), json!(3), json!(0.0), json!({}), json!([true])];
            wrong.into_iter().map(refused).chain([json!("true"), json!("FALSE")].map(either)).collect()
        }
        "array" => {
            let single = schema["items"]["type"] == "integer";
            let one = Trial { value: json!(7), refused: !single };
            vec![one, refused(json!([null])), refused(json!([[[]]])), either(json!([])), either(json!("[\"a"))]
        }
        "object" if schema.contains_key("properties") => {
            [json!(7), json!([1]), json!("{broken"), json!(true)].map(refused).into_iter().collect()
        }
        "object" => {
            let deep = (0..100).fold(json!(1), |inner, _| json!({"a": inner}));
            let odd = [json!({"": 1}), json!({"\u{0}": 1}), json!({"a.b": null}), json!({"title": {"x": [{}]}}), deep];
            let wrong = [json!(7), json!([1]), json!("{broken"), json!("text")];
            wrong.map(refused).into_iter().chain(odd.map(either)).collect()
        }
        other => panic!("a property of type {other}"),
    };
    all.push(either(Value::Null));
    all
}

/// Far more than anyone means.
fn huge(schema: &Map<String, Value>) -> Option<Value> {
    match schema["type"].as_str()? {
        "string" => Some("x".repeat(100_000).into()),
        "array" => Some(vec![example(schema["items"].as_object()?); 2_000].into()),
        "object" if !schema.contains_key("properties") => {
            Some((0..2_000).map(|i| (format!("key{i}"), json!("x"))).collect::<Map<_, _>>().into())
        }
        _ => None,
    }
}

/// A copy of `arguments` with `value` at `path` (names, and `[]` for the first item).
fn with(arguments: &Value, path: &[&str], value: &Value, schema: &Map<String, Value>) -> Value {
    let Some((first, rest)) = path.split_first() else { return value.clone() };
    if *first == "[]" {
        let items = schema["items"].as_object().expect("items");
        let inner = arguments.get(0).cloned().unwrap_or_else(|| example(items));
        return json!([with(&inner, rest, value, items)]);
    }
    let property = schema["properties"][*first].as_object().expect("a property");
    let inner = arguments.get(*first).cloned().unwrap_or_else(|| example(property));
    let mut object = arguments.as_object().cloned().unwrap_or_default();
    object.insert((*first).to_owned(), with(&inner, rest, value, property));
    Value::Object(object)
}

/// A digest of everything an error must leave alone: the site's files, and git's refs.
fn state(root: &Path) -> u64 {
    fn below(folder: &Path, hasher: &mut DefaultHasher) {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let git = path.parent().is_some_and(|parent| parent.ends_with(".git"));
            if git && !["refs", "HEAD", "packed-refs"].iter().any(|kept| path.ends_with(kept))
                || path.ends_with(".sitewright")
            {
                continue;
            }
            path.hash(hasher);
            if path.is_dir() { below(&path, hasher) } else { std::fs::read(&path).expect("a file").hash(hasher) }
        }
    }
    let mut hasher = DefaultHasher::new();
    below(root, &mut hasher);
    hasher.finish()
}

fn assert_error_shape(error: &Value, about: &str) {
    for key in ["code", "message", "hint"] {
        assert!(error[key].as_str().is_some_and(|text| !text.is_empty()), "{about}: no {key} in {error}");
    }
    let code = error["code"].as_str().unwrap_or_default();
    assert!(!["internal", "undeclared_write"].contains(&code), "{about}: {error}");
    let text = error.to_string();
    for leak in ["Option<", "alloc::", "serde", "struct ", "invalid type:", "sitewright::", "/tmp/", ".rs:"] {
        assert!(!text.contains(leak), "{about}: `{leak}` in {text}");
    }
    assert!(text.len() < 12_000, "{about}: {} bytes", text.len());
    for key in ["message", "hint"] {
        assert!(error[key].as_str().is_some_and(|text| text.len() <= 1_100), "{about}: a long {key} in {error}");
    }
    if code == "invalid_arguments" {
        let details = &error["details"];
        assert!(details["field"].as_str().is_some_and(|field| !field.is_empty()), "{about}: {error}");
        let told = |key: &str| details[key].as_str().is_some_and(|text| !text.is_empty());
        assert!(told("expected") || told("problem"), "{about}: what was expected? {error}");
        assert!(told("example"), "{about}: no example in {error}");
    }
}

/// One site and what was tried on it.
struct Fuzz {
    site: TestSite,
    before: u64,
    calls: usize,
    failed: usize,
    /// Arguments of many tools that were tried to the full.
    shared: BTreeSet<String>,
}

impl Fuzz {
    async fn new() -> Self {
        let site = TestSite::new(PAGES).await;
        let before = state(&site.path());
        Self { site, before, calls: 0, failed: 0, shared: BTreeSet::new() }
    }

    /// Calls, and looks that an error has its shape and changed nothing.
    async fn call(&mut self, tool: &Tool, arguments: Value, about: &str) -> Option<Value> {
        let (failed, reply) = self.site.answer(tool.name(), arguments).await;
        self.calls += 1;
        if !failed {
            // Only what knows no dry run may change something here; all else is noticed at the next error.
            if tool.writes() && tool.schema()["properties"].get("dry_run").is_none() {
                self.before = state(&self.site.path());
            }
            return None;
        }
        self.failed += 1;
        assert_error_shape(&reply, about);
        assert_eq!(state(&self.site.path()), self.before, "{about} was refused and changed something: {reply}");
        Some(reply)
    }

    async fn property(&mut self, tool: &Tool, at: &str, schema: &Map<String, Value>) {
        let path = at.replace("[]", ".[]");
        let path: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
        let base = example(tool.schema());
        let dry = tool.schema()["properties"].get("dry_run").is_some() && path != ["dry_run"];
        let last = path.iter().rfind(|part| **part != "[]").copied().unwrap_or_default();
        let mut codes = BTreeSet::new();
        // What all tools share is tried to the full once; with each tool again, a few are enough.
        let shared = ["message", "change_set", "cursor"].contains(&last) && !self.shared.insert(last.to_owned());
        let every = if shared { 6 } else { 1 };
        for trial in trials(schema).into_iter().step_by(every).chain(huge(schema).map(either)) {
            let arguments = with(&base, &path, &trial.value, tool.schema());
            let short: String = trial.value.to_string().chars().take(60).collect();
            let about = format!("{}{at} = {short}", tool.name());
            if trial.refused {
                let error = self.call(tool, arguments, &about).await.unwrap_or_else(|| panic!("{about} was taken"));
                assert_eq!(error["code"], "invalid_arguments", "{about}: {error}");
                assert!(
                    error["details"]["field"].as_str().is_some_and(|field| field.contains(last)),
                    "{about}: {error}"
                );
                continue;
            }
            // What a dry run takes would change the site; what it refuses is refused in earnest too, tried once for each reason.
            let mut first = arguments.clone();
            if dry {
                first["dry_run"] = json!(true);
            }
            if tool.writes() && !dry && path == ["dry_run"] {
                continue;
            }
            let error = self.call(tool, first, &about).await;
            if let (Some(error), true) = (error, dry)
                && codes.insert(error["code"].to_string())
            {
                let again = self.call(tool, arguments, &about).await.unwrap_or_else(|| panic!("{about}: {error}"));
                // A tool that wants to be shown the plan of a dry run says so first.
                let plan = again["details"]["field"] == "plan";
                assert!(plan || again["code"] == error["code"], "{about}: {error}, but in earnest {again}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_argument_of_any_tool_breaks_anything() {
    let mut fuzz = Fuzz::new().await;
    let mut kinds = BTreeSet::new();
    for tool in Registry::standard().tools() {
        let mut found = Vec::new();
        walk(tool.schema(), String::new(), &mut found);
        for (at, schema) in found.into_iter().filter(|(at, _)| !at.is_empty()) {
            kinds.insert(schema["type"].to_string());
            fuzz.property(tool, &at, schema).await;
        }
    }
    assert!(fuzz.calls > 1_500 && fuzz.failed > 800, "only {} calls, {} of them refused", fuzz.calls, fuzz.failed);
    assert!(kinds.len() >= 4, "{kinds:?}");
    // It is still there, still whole, and dry runs were dry.
    assert_eq!(fuzz.site.call("page_list", json!({})).await["total"], 4);
    assert_eq!(state(&fuzz.site.path()), fuzz.before);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_null_required_arguments_are_named() {
    let mut fuzz = Fuzz::new().await;
    for tool in Registry::standard().tools() {
        let mut found = Vec::new();
        walk(tool.schema(), String::new(), &mut found);
        for (at, schema) in found {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            for name in required.filter_map(Value::as_str) {
                let path = format!("{}.{name}", at.replace("[]", ".[]"));
                let path: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
                let null = with(&example(tool.schema()), &path, &Value::Null, tool.schema());
                let mut missing = null.clone();
                let inner = path[..path.len() - 1]
                    .iter()
                    .fold(&mut missing, |value, part| if *part == "[]" { &mut value[0] } else { &mut value[*part] });
                inner.as_object_mut().expect("an object").remove(name);
                for arguments in [null, missing] {
                    let about = format!("{}{at}.{name} in {arguments}", tool.name());
                    let error = fuzz.call(tool, arguments, &about).await.unwrap_or_else(|| panic!("{about} was taken"));
                    assert_eq!(error["code"], "invalid_arguments", "{about}: {error}");
                    let field = error["details"]["field"].as_str().unwrap_or_default();
                    assert!(field == name || field.ends_with(&format!(".{name}")), "{about}: {error}");
                    assert_eq!(error["details"]["got"], "nothing", "{error}");
                }
            }
        }
    }
    assert!(fuzz.calls > 10, "only {} calls were made", fuzz.calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_refuses_arguments_it_does_not_know() {
    let fuzz = Fuzz::new().await;
    for tool in Registry::standard().tools() {
        for name in ["no_such_argument", "", "\u{200b}paths", "__proto__", &"x".repeat(100_000)] {
            let about = format!("{} with {}", tool.name(), name.chars().take(20).collect::<String>());
            let (failed, error) = fuzz.site.answer(tool.name(), json!({name: 1})).await;
            assert!(failed, "{about}: {error}");
            assert_eq!(error["code"], "invalid_arguments", "{about}");
            assert!(error.to_string().len() < 2_000, "{about}: {error}");
        }
        // A slip of one letter in a real name is answered with that name.
        let properties = tool.schema()["properties"].as_object().expect("properties");
        for name in properties.keys().filter(|name| name.len() > 4) {
            let slip = format!("{}q", &name[..name.len() - 1]);
            let (_, error) = fuzz.site.answer(tool.name(), json!({slip: 1})).await;
            assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(name.as_str())), "{name}: {error}");
        }
    }
    let error = fuzz.site.call_err("page_write", json!({"path": "blog/hello.md", "body": "x"})).await;
    assert!(error["hint"].as_str().is_some_and(|hint| hint.starts_with("Put `path` inside `pages`")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_nearly_right_are_named() {
    let site = TestSite::new(PAGES).await;
    for (tool, arguments) in [
        ("page_get", json!({"paths": ["/blgo/"]})),
        ("page_write", json!({"pages": [{"path": "/blgo/", "front_matter": {"title": "x"}}]})),
        ("page_move", json!({"moves": [{"from": "/blgo/", "to": "/blog2/"}]})),
        ("page_delete", json!({"pages": [{"path": "/blgo/"}]})),
        ("preview", json!({"pages": ["/blgo/"], "as": "text"})),
    ] {
        let error = site.call_err(tool, arguments).await;
        assert_eq!(error["code"], "not_found", "{tool}: {error}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("no page `/blgo/`")), "{tool}: {error}");
        assert_eq!(error["details"]["near"][0], "/blog/", "{tool}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.starts_with("Did you mean /blog/")), "{tool}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_bytes_are_refused_whatever_they_are() {
    let site = TestSite::new(PAGES).await;
    let body = "x".repeat(MAX_ARGUMENT_BYTES);
    let error = site.call_err("page_write", json!({"pages": [{"path": "a.md", "create": true, "body": body}]})).await;
    assert_eq!(error["code"], "too_large", "{error}");
    assert!(error.to_string().len() < 1_000);
}

/// What no client library sends: half a surrogate pair, a name twice, numbers beyond any type, endless nesting.
#[tokio::test]
async fn lines_that_are_hardly_json_are_answered_and_the_server_goes_on() {
    let site = TestSite::new(PAGES).await;
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(theirs);
    tokio::spawn(sitewright::server::stdio::serve_over(
        site.server().connection(),
        input,
        output,
        CancellationToken::new(),
    ));
    let (read, mut write) = tokio::io::split(ours);
    let mut lines = BufReader::new(read).lines();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    write.write_all(format!("{hello}\n{ready}\n").as_bytes()).await.expect("sent");
    lines.next_line().await.expect("a line").expect("an answer");
    let call = |arguments: &str| {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{{\"name\":\"page_get\",\"arguments\":{arguments}}}}}\n"
        )
    };
    let nested = format!("{{\"paths\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    for arguments in [
        "{\"paths\":[\"/blog/\\ud800/\"]}",
        "{\"paths\":[\"/blog/\\udc00\\ud800/\"]}",
        "{\"paths\":[\"/blog/\"],\"paths\":7}",
        "{\"paths\":[1e999999]}",
        "{\"paths\":[\"/blog/\"]",
        nested.as_str(),
    ] {
        write.write_all(call(arguments).as_bytes()).await.expect("sent");
        let ping = json!({"jsonrpc": "2.0", "id": 3, "method": "ping"});
        write.write_all(format!("{ping}\n").as_bytes()).await.expect("sent");
        let short: String = arguments.chars().take(40).collect();
        loop {
            let line = lines.next_line().await.expect("a line").unwrap_or_else(|| panic!("{short} ended the server"));
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{short}: {line}"));
            assert!(line.len() < 12_000, "{short}: {line}");
            if message["id"] == 3 {
                break;
            }
            let refused = message["error"].is_object() || message["result"]["isError"] == true;
            assert!(refused, "{short}: {message}");
        }
    }
}
