//! What a person sets for remotes: by environment only, so that nothing in a repository can change it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Names of variables that hold a secret or its place: never handed to a child.
pub(super) const SECRET_VARIABLES: [&str; 2] = ["SITEWRIGHT_GIT_TOKEN", "SITEWRIGHT_GIT_TOKEN_FILE"];

/// How long a remote may be silent, unless a person says otherwise.
const SILENCE: Duration = Duration::from_secs(30);

/// How remotes are reached.
#[derive(Clone)]
pub(super) struct Settings {
    /// A token or password for HTTP.
    pub(super) token: Option<String>,
    /// A file that holds it.
    pub(super) token_file: Option<PathBuf>,
    /// The user name that goes with it.
    pub(super) user: String,
    /// Certificate authorities instead of the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// The ssh program.
    pub(super) ssh: OsString,
    /// Whether the person's own credential helpers are asked.
    pub(super) helpers: bool,
    /// How long making a connection may take.
    pub(super) connect: Duration,
    /// How long a remote may be silent.
    pub(super) silence: Duration,
    /// How long a fetch or push may take.
    pub(super) whole: Duration,
}

impl Settings {
    /// What the environment says.
    pub(super) fn from_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let file = |name: &str| std::env::var_os(name).filter(|f| !f.is_empty()).map(PathBuf::from);
        let seconds = text("SITEWRIGHT_GIT_TIMEOUT").and_then(|t| t.parse().ok()).filter(|s| (1..=3600).contains(s));
        Self {
            token: text("SITEWRIGHT_GIT_TOKEN"),
            token_file: file("SITEWRIGHT_GIT_TOKEN_FILE"),
            // Hosts that check the token only take any name; this one is what they ask for where they ask.
            user: text("SITEWRIGHT_GIT_USER").unwrap_or_else(|| "x-access-token".into()),
            ca_file: file("SITEWRIGHT_CA_FILE"),
            ssh: std::env::var_os("GIT_SSH").filter(|s| !s.is_empty()).unwrap_or_else(|| "ssh".into()),
            silence: seconds.map_or(SILENCE, Duration::from_secs),
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token: None,
            token_file: None,
            user: "x-access-token".into(),
            ca_file: None,
            ssh: "ssh".into(),
            helpers: true,
            connect: Duration::from_secs(10),
            silence: SILENCE,
            whole: Duration::from_mins(5),
        }
    }
}

// By hand, so that no log ever holds the token.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("token", &self.token.is_some()).finish_non_exhaustive()
    }
}
