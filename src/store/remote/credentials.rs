//! Names and passwords for HTTP: the address's own, the environment's token, the person's own credential helpers. Each is tried
//! once, for the one host of the remote, and nothing of it ever reaches a message.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Reason;
use super::address::Web;
use super::settings::{SECRET_VARIABLES, Settings};

/// How often a remote may say no.
const TRIES: usize = 2;

/// How long the person's credential helpers may take.
const HELPERS: Duration = Duration::from_secs(10);

/// The most a token's file or a helper's answer may hold, in bytes.
const MOST: u64 = 64 * 1024;

/// What must not be shown, shared with whoever writes messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    fn add(&self, secret: String) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !secret.is_empty() && !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }

    /// The text without any of them.
    pub(super) fn removed_from(&self, text: &str) -> String {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The longer first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// A name and password to try.
#[derive(Clone)]
pub(super) struct Basic {
    user: String,
    password: String,
    /// Where it came from, for messages.
    source: &'static str,
}

impl Basic {
    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Address,
    Token,
    Helpers,
}

/// What can still be tried, and what was.
pub(super) struct Credentials {
    settings: Settings,
    sources: VecDeque<Source>,
    refused: Vec<&'static str>,
    secrets: Secrets,
    current: Option<Basic>,
}

impl Credentials {
    pub(super) fn new(settings: &Settings, secrets: &Secrets) -> Self {
        Self {
            settings: settings.clone(),
            sources: [Source::Address, Source::Token, Source::Helpers].into(),
            refused: Vec::new(),
            secrets: secrets.clone(),
            current: None,
        }
    }

    /// What the remote took, or has not refused yet.
    pub(super) fn current(&self) -> Option<&Basic> {
        self.current.as_ref()
    }

    /// The remote says no: what comes next.
    pub(super) fn advance(&mut self, web: &Web) -> Result<(), Reason> {
        if let Some(refused) = self.current.take() {
            self.refused.push(refused.source);
        }
        while self.refused.len() < TRIES
            && let Some(source) = self.sources.pop_front()
        {
            let Some(found) = self.find(source, web)? else { continue };
            if !web.is_private() && !matches!(source, Source::Address) {
                return Err(Reason::new(
                    "it asks for a password over plain http, where others can read it: use its https:// address",
                ));
            }
            self.secrets.add(found.password.clone());
            self.secrets.add(STANDARD.encode(format!("{}:{}", found.user, found.password)));
            self.current = Some(found);
            return Ok(());
        }
        Err(Reason::new(if self.refused.is_empty() {
            "it asks for a name and password, and none is set up: set SITEWRIGHT_GIT_TOKEN or SITEWRIGHT_GIT_TOKEN_FILE, \
             or a credential helper in your own git configuration"
                .to_owned()
        } else {
            format!("it does not accept {}", self.refused.join(" or "))
        }))
    }

    fn find(&self, source: Source, web: &Web) -> Result<Option<Basic>, Reason> {
        let user = web.user.clone().unwrap_or_else(|| self.settings.user.clone());
        let basic = |password, source| Some(Basic { user: user.clone(), password, source });
        Ok(match source {
            Source::Address => web.password.clone().and_then(|password| basic(password, "the password in its address")),
            Source::Token => match (&self.settings.token, &self.settings.token_file) {
                (Some(token), _) => basic(token.clone(), "the token of SITEWRIGHT_GIT_TOKEN"),
                (None, Some(file)) => {
                    let unreadable = || Reason::new("the file that SITEWRIGHT_GIT_TOKEN_FILE names cannot be read");
                    let mut text = String::new();
                    let file = std::fs::File::open(file).map_err(|_| unreadable())?;
                    file.take(MOST).read_to_string(&mut text).map_err(|_| unreadable())?;
                    let token = text.trim().to_owned();
                    if token.is_empty() || token.chars().any(char::is_control) {
                        return Err(Reason::new("the file that SITEWRIGHT_GIT_TOKEN_FILE names holds no token"));
                    }
                    basic(token, "the token of SITEWRIGHT_GIT_TOKEN_FILE")
                }
                (None, None) => None,
            },
            Source::Helpers if self.settings.helpers => helpers(web),
            Source::Helpers => None,
        })
    }
}

/// Asks the person's own credential helpers, through git, in an empty folder: a repository's configuration has no say in what runs.
/// Never asks at a terminal; where there is no git, there are no helpers.
fn helpers(web: &Web) -> Option<Basic> {
    let folder = tempfile::tempdir().ok()?;
    let mut command = Command::new("git");
    command.args(["credential", "fill"]).current_dir(folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for (name, value) in [
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ASKPASS", ""),
        ("SSH_ASKPASS", ""),
        ("GCM_INTERACTIVE", "never"),
        ("LC_ALL", "C"),
    ] {
        command.env(name, value);
    }
    command.env("GIT_CEILING_DIRECTORIES", folder.path().parent()?);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"].iter().chain(&SECRET_VARIABLES) {
        command.env_remove(name);
    }
    let mut question = format!(
        "protocol={}\nhost={}\npath={}\n",
        web.origin.split("://").next().unwrap_or_default(),
        web.authority(),
        web.path.trim_start_matches('/')
    );
    if let Some(user) = &web.user {
        question.push_str(&format!("username={user}\n"));
    }
    let mut child = command.spawn().ok()?;
    let (mut input, output) = (child.stdin.take()?, child.stdout.take()?);
    let (send, receive) = channel();
    let reader = std::thread::Builder::new().name("credentials".into()).spawn(move || {
        let mut answer = String::new();
        let asked = input.write_all(question.as_bytes()).and_then(|()| input.write_all(b"\n"));
        drop(input);
        let read = output.take(MOST).read_to_string(&mut answer);
        // Nobody listens once it took too long.
        let _ = send.send((asked.is_ok() && read.is_ok()).then_some(answer));
    });
    let answer = reader.ok().and_then(|_| receive.recv_timeout(HELPERS).ok().flatten());
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    let answer = answer?;
    let value =
        |key: &str| answer.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned);
    let (user, password) = (value("username")?, value("password").filter(|password| !password.is_empty())?);
    Some(Basic { user, password, source: "what your credential helper answers" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::remote::address::{Address, parse};

    fn web(url: &str) -> Web {
        match parse(url).unwrap() {
            Address::Http(web) => web,
            other => panic!("{other:?}"),
        }
    }

    fn credentials(settings: Settings) -> Credentials {
        Credentials::new(&Settings { helpers: false, ..settings }, &Secrets::default())
    }

    #[test]
    fn each_source_is_tried_once_and_two_at_most() {
        let mut tried = credentials(Settings { token: Some("t0ken".into()), ..Settings::default() });
        let web = web("https://me:p4ss@example.org/a.git");
        tried.advance(&web).unwrap();
        assert_eq!(tried.current().unwrap().header(), format!("Basic {}", STANDARD.encode("me:p4ss")));
        tried.advance(&web).unwrap();
        assert_eq!(tried.current().unwrap().header(), format!("Basic {}", STANDARD.encode("me:t0ken")));
        let reason = tried.advance(&web).unwrap_err().0;
        assert_eq!(reason, "it does not accept the password in its address or the token of SITEWRIGHT_GIT_TOKEN");
        assert!(tried.current().is_none());
        assert_eq!(tried.secrets.removed_from("a t0ken and p4ss"), "a *** and ***");
    }

    #[test]
    fn a_token_does_not_go_where_others_can_read_it() {
        let mut tried = credentials(Settings { token: Some("t0ken".into()), ..Settings::default() });
        assert!(tried.advance(&web("http://example.org/a.git")).unwrap_err().0.contains("plain http"));
        assert!(tried.current().is_none());
    }

    #[test]
    fn a_token_comes_from_a_file_without_its_line_break() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "t0ken\n").unwrap();
        let settings = Settings { token_file: Some(file.path().into()), ..Settings::default() };
        let mut tried = credentials(settings);
        tried.advance(&web("https://example.org/a.git")).unwrap();
        assert_eq!(tried.current().unwrap().password, "t0ken");
        std::fs::write(file.path(), "a\nb").unwrap();
        let settings = Settings { token_file: Some(file.path().into()), ..Settings::default() };
        assert!(credentials(settings).advance(&web("https://example.org/a.git")).unwrap_err().0.contains("no token"));
    }
}
