//! The story the product comes from, played by a real client against the real server.
//!
//! Two pages are changed in one call that answers with their rendered HTML, and published to a bare remote with a second; the
//! theme stays untouched. `cargo run --example editing_story` builds the server, starts it over stdio as a client would, and
//! prints each call with its bytes and its time.

#![allow(clippy::print_stdout, reason = "the output is what the example is for")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A client that counts what it does.
struct Operator {
    client: RunningService<RoleClient, ()>,
    calls: usize,
}

impl Operator {
    async fn call(&mut self, tool: &str, arguments: Value) -> Outcome<Value> {
        let sent = arguments.to_string().len();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let started = Instant::now();
        let result =
            self.client.call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await?;
        let took = started.elapsed();
        let text = result.content.first().and_then(|block| block.as_text()).map_or("", |block| block.text.as_str());
        self.calls += 1;
        println!("  {tool:<18}{sent:>6} B in{:>8} B out{:>9.1} ms", text.len(), took.as_secs_f64() * 1_000.0);
        if result.is_error == Some(true) {
            return Err(format!("{tool} was refused: {text}").into());
        }
        Ok(serde_json::from_str(text)?)
    }
}

fn run(program: &Path, arguments: &[&str], folder: &Path) -> Outcome<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn git(folder: &Path, arguments: &[&str]) -> Outcome<String> {
    run(Path::new("git"), arguments, folder)
}

/// The server's binary: the one that is named, or a fresh build beside this example.
fn binary() -> Outcome<PathBuf> {
    if let Some(named) = std::env::args_os().nth(1) {
        return Ok(std::path::absolute(named)?);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "--quiet", "--bin", "sitewright"]).status()?;
    if !built.success() {
        return Err("the server does not build".into());
    }
    let example = std::env::current_exe()?;
    let folder = example.parent().and_then(Path::parent).ok_or("an example lies below target")?;
    Ok(folder.join(format!("sitewright{}", std::env::consts::EXE_SUFFIX)))
}

/// A new site with two pages, live on a bare remote.
fn prepare(binary: &Path, root: &Path) -> Outcome<(PathBuf, PathBuf)> {
    let (site, remote) = (root.join("site"), root.join("remote.git"));
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("the temporary folder has an odd name");
    git(root, &["init", "-q", "--bare", "-b", "main", &text(&remote)?])?;
    run(binary, &["init", &text(&site)?, "--title", "A story"], root)?;
    git(&site, &["config", "user.name", "Ada"])?;
    git(&site, &["config", "user.email", "ada@example.org"])?;
    git(&site, &["remote", "add", "origin", &format!("file://{}", text(&remote)?)])?;
    Ok((site, remote))
}

fn ensure(holds: bool, what: &str) -> Outcome<()> {
    if holds { Ok(()) } else { Err(format!("expected that {what}").into()) }
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let binary = binary()?;
    let root = tempfile::tempdir()?;
    let (site, remote) = prepare(&binary, root.path())?;

    let mut command = tokio::process::Command::new(&binary);
    command.arg("serve").arg("--site").arg(&site);
    let client = ().serve(TokioChildProcess::new(command)?).await?;
    let mut operator = Operator { client, calls: 0 };

    println!("Before the story: two pages go live for the first time.");
    let page = |path: &str, title: &str| json!({"path": path, "create": true, "front_matter": {"title": title}, "body": format!("The old words of {title}.\n")});
    operator.call("page_write", json!({"pages": [page("offer.md", "Offer"), page("team.md", "Team")]})).await?;
    operator.call("publish", json!({"message": "First publish"})).await?;
    let theme = git(&remote, &["rev-parse", "main:themes"])?;
    operator.calls = 0;

    println!("The story:");
    let edit = |path: &str| json!({"path": path, "edits": [{"find": "The old words", "replace": "The *new* words"}]});
    let arguments = json!({
        "pages": [edit("/offer/"), edit("/team/")],
        "include": ["html"],
        "message": "Say it better on two pages",
    });
    let written = operator.call("page_write", arguments).await?;
    let changed = written["changed"].as_array().cloned().unwrap_or_default();
    ensure(changed.len() == 2, "two pages are changed")?;
    for page in &changed {
        let html = page["html"].as_str().unwrap_or_default();
        ensure(html.contains("<em>new</em>"), "the reply shows the rendered page")?;
        println!("    {} renders as {}", page["url"].as_str().unwrap_or_default(), html.trim());
    }
    ensure(!git(&remote, &["show", "main:public/offer/index.html"])?.contains("<em>new</em>"), "nothing is live yet")?;
    let published = operator.call("publish", json!({"message": "Better words"})).await?;
    ensure(published["pushed"]["ok"] == true, "the publish is pushed")?;
    for page in ["offer", "team"] {
        let live = git(&remote, &["show", &format!("main:public/{page}/index.html")])?;
        ensure(live.contains("<em>new</em>"), "the remote has the rendered page")?;
    }
    ensure(git(&remote, &["rev-parse", "main:themes"])? == theme, "the theme is untouched")?;
    ensure(git(&site, &["status", "--porcelain"])?.is_empty(), "the working tree is clean")?;
    println!("Two pages live in {} calls; theme tree {} untouched.", operator.calls, &theme[..10.min(theme.len())]);
    operator.client.cancel().await?;
    Ok(())
}
