//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser};
use sitewright::import::Kind;
use sitewright::insight::TrustLevel;
use sitewright::model::config::Host;
use sitewright::site::check::Rule;

/// A static site generator that an agent runs through MCP tools, on plain files in a git repository.
///
/// Without a subcommand, in a site's folder: serves MCP and a live preview on this machine and prints how to connect.
#[derive(Debug, Parser)]
#[command(name = "sitewright", version, propagate_version = true, max_term_width = 100)]
pub(super) struct Arguments {
    /// The site's folder; default: this folder or the nearest one above it with a site.yaml.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) site: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) subcommand: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Make a new site, in an empty folder or in a repository.
    Init(Init),
    /// Serve MCP: over standard streams, or over HTTP with --http.
    Serve(Serve),
    /// Write the site into its output folder.
    Build(Build),
    /// List everything that is wrong with the site.
    Check(Check),
    /// Serve only the live preview.
    Preview(Preview),
    /// Show what is unpublished and how the repository stands.
    Status,
    /// Show the difference from what is live.
    Diff(Diff),
    /// Make changes live: build, commit, push.
    Publish(Publish),
    /// Take over a site of Hugo, Jekyll or Zola, a folder of Markdown, a feed or a table.
    Import(Import),
    /// What the journal says about friction, and what is done about it.
    #[command(subcommand)]
    Improve(Improve),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Improve {
    /// Rank what costs the operators of a site calls, time and nerves.
    Report(ImproveReport),
    /// Play an editor's twelve tasks on a server, on sites of its own.
    Replay(super::compare::ImproveReplay),
    /// Say whether a server is better than it was: improved, no better, worse, or not enough data.
    Compare(super::compare::ImproveCompare),
    /// Propose briefs for what is new, where the trust level allows it, and show what waits for you.
    Review,
    /// Say yes to a brief: a code agent may work on it.
    Accept(Decide),
    /// Say no to a brief.
    Reject(Reject),
    /// Print a brief to hand it over. Nothing is sent anywhere.
    Export(Export),
    /// Show how far the software may go by itself, or set it: manual, suggest, draft.
    Trust(SetTrust),
    /// Start the configured code agent on an accepted brief, on a branch of its own; merging is yours.
    Draft(Decide),
}

#[derive(Debug, Args)]
pub(super) struct Decide {
    /// The brief's id, such as br-0007.
    #[arg(value_name = "ID")]
    pub(super) id: String,
}

#[derive(Debug, Args)]
pub(super) struct Reject {
    /// The brief's id, such as br-0007.
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// Why; kept in the brief.
    #[arg(long, value_name = "TEXT")]
    pub(super) why: String,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The brief's id, such as br-0007.
    #[arg(value_name = "ID")]
    pub(super) id: String,
    /// How it is written.
    #[arg(long = "as", value_enum, default_value = "md")]
    pub(super) form: Form,
    /// Only tool names, codes, counts and shapes; refused where something looks private.
    #[arg(long)]
    pub(super) public: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Form {
    Md,
    Issue,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct SetTrust {
    /// The most that is allowed from now on.
    #[arg(value_name = "LEVEL", value_parser = super::improve::level)]
    pub(super) level: Option<TrustLevel>,
}

#[derive(Debug, Args)]
pub(super) struct ImproveReport {
    /// A journal, one JSON record per line; default: the site's own.
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
    /// Of the site's own: a date, or days back, such as 7d; default: 14d.
    #[arg(long, value_name = "WHEN", conflicts_with = "journal")]
    pub(super) since: Option<String>,
    /// Print JSON: findings, their ranking, and what was met too seldom.
    #[arg(long)]
    pub(super) json: bool,
}

fn host(name: &str) -> Result<Host, String> {
    let found = Host::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, host)| *host).ok_or_else(|| {
        let names: Vec<&str> = Host::NAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

/// A rule by its name; `None`: all of them.
fn rule(name: &str) -> Result<Option<Rule>, String> {
    if name == "all" {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|_| {
        let names: Vec<&str> = Rule::ALL.into_iter().map(Rule::name).collect();
        format!("expected all or some of {}", names.join(", "))
    })
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The new site's folder.
    #[arg(value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
    /// The site's title; default: the folder's name.
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Set up for a host: github, gitlab, cloudflare, netlify, codeberg or vercel; also later, in an existing site.
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(super) host: Option<Host>,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Serve MCP over HTTP at this address (path /mcp) instead of over standard streams.
    #[arg(long, value_name = "ADDR")]
    pub(super) http: Option<SocketAddr>,
    /// Address of the live preview, on loopback; default: a free port.
    #[arg(long, value_name = "ADDR")]
    pub(super) preview: Option<SocketAddr>,
    /// Serve no preview.
    #[arg(long, conflicts_with = "preview")]
    pub(super) no_preview: bool,
    /// Offer these tools: core (the few that most work needs), all, or names joined by commas; default: all.
    #[arg(long, value_name = "NAMES")]
    pub(super) tools: Option<String>,
    /// Of those, do not offer these; names joined by commas.
    #[arg(long, value_name = "NAMES")]
    pub(super) exclude: Option<String>,
    /// List what each tool replies too, for hosts that make a typed interface of the tools.
    #[arg(long)]
    pub(super) output_schemas: bool,
    /// Offer only tools that change nothing; wins over everything else.
    #[arg(long)]
    pub(super) read_only: bool,
    /// Allow only these, out of read, content, media, theme, config, publish, fetch and admin; default: all but admin.
    #[arg(long, value_name = "RIGHTS")]
    pub(super) allow: Option<String>,
    /// Let clients upload files from this folder; can be given again.
    #[arg(long, value_name = "DIR")]
    pub(super) uploads: Vec<PathBuf>,
    /// Let every program on this machine in; loopback addresses only.
    #[arg(long, requires = "http", conflicts_with = "token_file")]
    pub(super) no_token: bool,
    /// Read tokens from this file, one alone or lines of NAME TOKEN RIGHT,RIGHT; default: the variable SITEWRIGHT_TOKEN, else a
    /// new one, which is printed.
    #[arg(long, requires = "http", value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Allow an address that other machines can reach: a proxy in front speaks TLS.
    #[arg(long, requires = "http")]
    pub(super) behind_tls_proxy: bool,
    /// A further Host name to accept, such as mcp.example.org; can be given again.
    #[arg(long = "host", requires = "http", value_name = "NAME")]
    pub(super) hosts: Vec<String>,
    /// An Origin of web pages that may call; can be given again.
    #[arg(long = "origin", requires = "http", value_name = "URL")]
    pub(super) origins: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Build drafts too.
    #[arg(long)]
    pub(super) drafts: bool,
    /// Build pages dated in the future too.
    #[arg(long)]
    pub(super) future: bool,
    /// Write to this folder instead of the site's own output folder.
    #[arg(long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Use this address instead of the one in site.yaml.
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Say how long each stage took, and which outputs and templates took longest.
    #[arg(long)]
    pub(super) timings: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Print JSON: an array of findings.
    #[arg(long)]
    pub(super) json: bool,
    /// Check these, out of links, schema, templates, accessibility, seo, orphans, drafts, stale, assets and translations,
    /// or all of them; default: the first four.
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    pub(super) rules: Vec<Option<Rule>>,
    /// Ask too whether links to other sites still answer; reads from the network.
    #[arg(long)]
    pub(super) external: bool,
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// Address, on loopback; default: port 4401 or the next free one.
    #[arg(long, value_name = "ADDR")]
    pub(super) http: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// Pages or files; default: everything unpublished. A folder ends in a slash.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Mark changed words: [-gone-] {+new+}.
    #[arg(long, conflicts_with = "stat")]
    pub(super) words: bool,
    /// Count changed lines only.
    #[arg(long)]
    pub(super) stat: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Kind::NAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn column(text: &str) -> Result<(String, String), String> {
    let (heading, name) = text.split_once('=').ok_or("expected HEADING=NAME, such as 'Post title=title'")?;
    Ok((heading.trim().to_owned(), name.trim().to_owned()))
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The folder, file or feed's address to take over.
    #[arg(value_name = "FROM")]
    pub(super) from: PathBuf,
    /// What it is: hugo, jekyll, zola, markdown, feed or csv; default: what it looks like.
    #[arg(long, value_name = "NAME", value_parser = kind)]
    pub(super) kind: Option<Kind>,
    /// Put everything below this folder of content/.
    #[arg(long, value_name = "FOLDER")]
    pub(super) section: Option<String>,
    /// Overwrite pages, files and settings that differ.
    #[arg(long)]
    pub(super) replace: bool,
    /// At most so many pages, the newest; 0: all.
    #[arg(long, default_value_t = 0, value_name = "PAGES")]
    pub(super) limit: usize,
    /// No pages dated before this day.
    #[arg(long, value_name = "DATE")]
    pub(super) since: Option<String>,
    /// What a column of a table is: a key of the front matter, `body`, `path`, or nothing; can be given again.
    #[arg(long = "column", value_name = "HEADING=NAME", value_parser = column)]
    pub(super) columns: Vec<(String, String)>,
    /// Why; becomes the message of the revision.
    #[arg(short, long)]
    pub(super) message: Option<String>,
    /// Show what would happen, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Publish {
    /// Pages or files; default: everything unpublished. A folder ends in a slash.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Why; becomes the commit message.
    #[arg(short, long)]
    pub(super) message: Option<String>,
    /// Show what would happen, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Push a branch for review instead, and print where to open the request.
    #[arg(long)]
    pub(super) review: bool,
    /// Not now, but at this time, such as 2026-12-01T09:00:00Z: freezes the selection until then.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["review", "local_commits"])]
    pub(super) at: Option<String>,
    /// Publish what was frozen for a time that has come, and nothing else; for cron.
    #[arg(long, conflicts_with_all = ["paths", "message", "dry_run", "review", "at", "hand_edits", "local_commits", "yes"])]
    pub(super) due: bool,
    /// Publish files edited by hand along, without asking.
    #[arg(long)]
    pub(super) hand_edits: bool,
    /// Publish local commits along, without asking.
    #[arg(long)]
    pub(super) local_commits: bool,
    /// Answer yes to every question.
    #[arg(short, long)]
    pub(super) yes: bool,
}
