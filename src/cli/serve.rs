//! `serve` and `preview`: the long-running ones.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sitewright::error::{Error, Result};
use sitewright::preview::{self, Previews, Source};
use sitewright::server::http;
use sitewright::server::token::{Token, Tokens};
use sitewright::server::{Server, schedule, shelf, stdio, stop_signal};
use sitewright::site::Site;
use sitewright::store::Watch;
use sitewright::tools::{Browser, Registry, Rights};
use tokio_util::sync::CancellationToken;

use super::arguments::{Preview, Serve};
use super::{Outcome, locate, print};

const MCP_PORT: u16 = 4400;
const PREVIEW_PORT: u16 = 4401;
/// How many ports after a taken one are tried.
const PORTS_TRIED: u16 = 20;
/// How long work that cannot be interrupted may hold up the end of the process.
const GRACE: Duration = Duration::from_millis(300);
/// How long messages that are on their way may hold it up.
const DELIVERY: Duration = Duration::from_secs(3);

/// `serve`: MCP over standard streams or HTTP, with a preview beside it.
pub(super) fn serve(arguments: &Serve, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let rights = rights(arguments)?;
    let mut registry = registry().select(arguments.tools.as_deref(), arguments.exclude.as_deref())?;
    if arguments.output_schemas {
        registry = registry.with_output_schemas();
    }
    site.allow_uploads_from(upload_folders(&arguments.uploads)?);
    let preview = match (arguments.preview, arguments.no_preview) {
        (_, true) => None,
        (Some(address), _) => Some(PreviewServer::open(&site, &[address])?),
        // Nobody asked for it by name, so going without is better than not to serve at all.
        (None, _) => {
            PreviewServer::open(&site, &[local(0)]).map_err(|error| tracing::warn!("no preview: {error}")).ok()
        }
    };
    let server = Server::new(Arc::clone(&site), registry, rights);
    let _watch = watch(&site, &server, preview.as_ref());
    let last = server.clone();
    let served = match arguments.http {
        None => run(async {
            let stop = CancellationToken::new();
            let preview = preview.map(|preview| preview.spawn(stop.clone()));
            tokio::spawn(schedule::keep(server.clone(), stop.clone()));
            tokio::spawn(shelf::keep(server.clone(), stop.clone()));
            let served = stdio::serve(server).await;
            stop.cancel();
            drop(preview);
            served
        }),
        Some(address) => {
            let options = http::Options {
                address,
                tokens: tokens(arguments)?,
                behind_tls_proxy: arguments.behind_tls_proxy,
                hosts: arguments.hosts.clone(),
                origins: arguments.origins.clone(),
            };
            run(over_http(server, vec![options], preview))
        }
    };
    site.courier().wait(DELIVERY);
    last.farewell();
    served
}

/// Without arguments: MCP over HTTP and the preview, on the usual ports or the next free ones.
pub(super) fn both(site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let preview = PreviewServer::open(&site, &ports(PREVIEW_PORT))?;
    let server = Server::new(Arc::clone(&site), registry(), Rights::all_but_admin());
    let _watch = watch(&site, &server, Some(&preview));
    let token = chosen_token()?.map_or_else(Token::generate, Ok)?;
    let options = ports(MCP_PORT).into_iter().map(|address| http::Options {
        address,
        tokens: Some(token.clone().into()),
        behind_tls_proxy: false,
        hosts: Vec::new(),
        origins: Vec::new(),
    });
    let options = options.collect();
    let served = run(over_http(server.clone(), options, Some(preview)));
    server.farewell();
    served
}

/// `preview`: only the preview.
pub(super) fn preview(arguments: &Preview, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let addresses = arguments.http.map_or_else(|| ports(PREVIEW_PORT), |address| vec![address]);
    let preview = PreviewServer::open(&site, &addresses)?;
    let previews = Arc::clone(&preview.previews);
    let _watch = Watch::start(site.repository().site_dir(), move || previews.touch());
    run(async {
        let signal = stop_signal();
        print::error(&format!("Preview: {}/  (stop with Ctrl-C)\n", preview.origin()));
        let stop = CancellationToken::new();
        let running = preview.spawn(stop.clone());
        signal.await;
        stop.cancel();
        running.finish().await
    })
}

async fn over_http(server: Server, options: Vec<http::Options>, preview: Option<PreviewServer>) -> Result<()> {
    let tokens = options.first().and_then(|options| options.tokens.clone());
    let listening = bind(options).await?;
    let signal = stop_signal();
    let url = format!("http://{}/mcp", listening.address());
    let mut said = String::new();
    if let Some(preview) = &preview {
        said += &format!("Preview: {}/\n", preview.origin());
    }
    said += &format!("MCP:     {url}\n\nConnect Claude Code:\n  claude mcp add --transport http sitewright {url}");
    if let Some(tokens) = &tokens {
        let token = tokens.only().map_or("TOKEN", Token::as_str);
        said += &format!(" --header \"Authorization: Bearer {token}\"");
    }
    print::error(&format!("{said}\n\nStop with Ctrl-C.\n"));
    let stop = CancellationToken::new();
    let preview = preview.map(|preview| preview.spawn(stop.clone()));
    tokio::spawn(schedule::keep(server.clone(), stop.clone()));
    tokio::spawn(shelf::keep(server.clone(), stop.clone()));
    let signalled = stop.clone();
    tokio::spawn(async move {
        signal.await;
        signalled.cancel();
    });
    let served = listening.serve(server, stop.clone()).await;
    stop.cancel();
    if let Some(preview) = preview {
        preview.finish().await?;
    }
    served
}

/// Listens at the first address that is free.
async fn bind(options: Vec<http::Options>) -> Result<http::Listening> {
    let mut failure = None;
    for option in options {
        match http::bind(option).await {
            Err(Error::Io { action, path, source }) if source.kind() == std::io::ErrorKind::AddrInUse => {
                failure.get_or_insert(Error::Io { action, path, source });
            }
            other => return other,
        }
    }
    Err(failure.unwrap_or_else(|| Error::internal("no address to listen on")))
}

/// Every tool that can work on this machine.
fn registry() -> Registry {
    match Browser::find() {
        Some(browser) => Registry::standard().with_browser(Arc::new(browser)),
        None => Registry::standard(),
    }
}

/// What clients may do at most, as the arguments say.
fn rights(arguments: &Serve) -> Result<Rights> {
    let allowed = match &arguments.allow {
        Some(names) => names.parse()?,
        // Over HTTP each token says what it carries.
        None if arguments.token_file.is_some() => Rights::all(),
        None => Rights::all_but_admin(),
    };
    Ok(if arguments.read_only { allowed.and(Rights::read_only()) } else { allowed })
}

/// The named folders as they are seen from anywhere; one that is not there is a slip.
fn upload_folders(named: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let whole = |folder: &PathBuf| {
        std::fs::canonicalize(folder).map_err(|source| Error::Io {
            action: "read",
            path: folder.display().to_string(),
            source,
        })
    };
    named.iter().map(whole).collect()
}

/// The tokens clients have to show, as the arguments say.
fn tokens(arguments: &Serve) -> Result<Option<Tokens>> {
    if arguments.no_token {
        return Ok(None);
    }
    if let Some(file) = &arguments.token_file {
        let path = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|source| Error::Io { action: "read", path, source })?;
        return Tokens::read(&text).map(Some);
    }
    Ok(Some(chosen_token()?.map_or_else(Token::generate, Ok)?.into()))
}

fn chosen_token() -> Result<Option<Token>> {
    std::env::var("SITEWRIGHT_TOKEN").ok().map(|text| Token::chosen(&text)).transpose()
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn ports(first: u16) -> Vec<SocketAddr> {
    // The usual ports are neighbours: skipping by two keeps MCP and preview apart.
    (0..PORTS_TRIED).map(|step| local(first + 2 * step)).collect()
}

/// Tells preview and clients when a person changes files.
fn watch(site: &Site, server: &Server, preview: Option<&PreviewServer>) -> Watch {
    let server = server.clone();
    let previews = preview.map(|preview| Arc::clone(&preview.previews));
    Watch::start(site.repository().site_dir(), move || {
        if let Some(previews) = &previews {
            previews.touch();
        }
        server.changed();
    })
}

/// A preview that has its port.
struct PreviewServer {
    previews: Arc<Previews>,
    listener: TcpListener,
}

/// A preview that is being served.
struct RunningPreview {
    serving: tokio::task::JoinHandle<Result<()>>,
}

impl PreviewServer {
    /// Takes the first free address.
    fn open(site: &Arc<Site>, addresses: &[SocketAddr]) -> Result<Self> {
        let source: Arc<dyn Source> = Arc::clone(site) as _;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let previews = Arc::new(Previews::new(source, now.as_millis() as u64));
        let mut bound = Err(Error::internal("no address to listen on"));
        for address in addresses {
            bound = preview::bind(*address, &previews);
            match &bound {
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::AddrInUse => {}
                _ => break,
            }
        }
        let listener = bound?;
        site.set_preview_host(Arc::clone(&previews) as _);
        Ok(Self { previews, listener })
    }

    fn origin(&self) -> &str {
        self.previews.origin().unwrap_or_default()
    }

    fn spawn(self, stop: CancellationToken) -> RunningPreview {
        let serving = tokio::spawn(preview::serve(self.listener, self.previews, stop));
        RunningPreview { serving }
    }
}

impl RunningPreview {
    async fn finish(self) -> Result<()> {
        self.serving.await.map_err(Error::internal)?
    }
}

/// Runs to the end, and does not wait long for work that nobody listens to any more.
fn run(work: impl Future<Output = Result<()>>) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::internal)?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(GRACE);
    done.map(|()| Outcome::Done)
}
