//! The browser's process and the pipe it is steered by: JSON messages that end in a zero byte.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process_group, test_kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::model::Progress;

/// Longest message the browser may send, in bytes: a large picture as text.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;
/// Between two looks whether anyone still waits.
const LOOK: Duration = Duration::from_millis(100);
/// How long the parts of a killed browser may take to be gone.
const GONE: Duration = Duration::from_millis(300);
/// Between two looks whether they are.
const STEP: Duration = Duration::from_millis(10);

/// The browser reads from descriptor 3 and writes to 4: a shell moves our ends of its standard streams there, since giving a
/// child other descriptors takes an unsafe call.
const LAUNCH: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";

/// No network, no services, nothing kept, nothing asked.
const FLAGS: [&str; 29] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--proxy-server=http://sitewright.invalid:9",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,CertificateTransparencyComponentUpdater",
    "--disable-file-system",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--no-service-autorun",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
];

/// A running browser; dropping it kills every process of it and removes its profile.
pub(super) struct Pipe {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    next_id: u64,
    until: Instant,
    progress: Progress,
    profile: Option<TempDir>,
}

impl Pipe {
    /// Starts the browser with a new profile; it ends at `until` whatever it does.
    pub(super) fn start(program: &Path, until: Instant, progress: Progress) -> Result<Self> {
        let failed = |error: std::io::Error| Error::BrowserFailed { reason: error.to_string() };
        let profile = tempfile::Builder::new().prefix("sitewright-browser-").tempdir().map_err(failed)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", LAUNCH, "sh"]).arg(program).args(FLAGS);
        let mut folder = std::ffi::OsString::from("--user-data-dir=");
        folder.push(profile.path());
        command.arg(folder);
        if geteuid().is_root() {
            // The sandbox of the browser cannot be set up by root.
            command.arg("--no-sandbox");
        }
        command.env_clear().env("HOME", profile.path()).env("TMPDIR", profile.path());
        for kept in ["PATH", "LANG", "LC_ALL", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let (sender, messages) = sync_channel(16);
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || read(output, &sender));
        }
        let input = child.stdin.take();
        Ok(Self { child, input, messages, next_id: 0, until, progress, profile: Some(profile) })
    }

    /// Sends one message to the browser, or to a page of it; its number.
    pub(super) fn send(&mut self, method: &str, params: &Value, session: Option<&str>) -> Result<u64> {
        self.next_id += 1;
        let mut message = json!({"id": self.next_id, "method": method, "params": params});
        if let (Some(session), Value::Object(fields)) = (session, &mut message) {
            fields.insert("sessionId".into(), session.into());
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let written = self.input.as_mut().map(|input| input.write_all(&bytes));
        match written {
            Some(Ok(())) => Ok(self.next_id),
            _ => Err(ended()),
        }
    }

    /// The next message, whatever it is.
    pub(super) fn next(&mut self) -> Result<Value> {
        loop {
            self.progress.proceed()?;
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::BrowserFailed { reason: "it took too long".into() });
            }
            match self.messages.recv_timeout(left.min(LOOK)) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
    }

    /// The answer to message `id`; what else comes meanwhile goes to `event`.
    pub(super) fn wait(&mut self, id: u64, mut event: impl FnMut(&mut Self, &Value) -> Result<()>) -> Result<Value> {
        loop {
            let mut message = self.next()?;
            if message["id"] == id {
                return match message["error"]["message"].as_str() {
                    Some(problem) => Err(Error::BrowserFailed { reason: problem.chars().take(200).collect() }),
                    None => Ok(message["result"].take()),
                };
            }
            event(self, &message)?;
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.input.take();
        // Its own group holds nothing but the browser and its parts.
        let group = Pid::from_child(&self.child);
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
        // What is just dying may still make files; who is not reaped by anyone is waited for in vain.
        let until = Instant::now() + GONE;
        while test_kill_process_group(group).is_ok() && Instant::now() < until {
            std::thread::sleep(STEP);
        }
        if let Some(Err(error)) = self.profile.take().map(TempDir::close) {
            tracing::warn!(%error, "a browser's profile was not removed");
        }
    }
}

fn ended() -> Error {
    Error::BrowserFailed { reason: "it ended early or is no Chromium".into() }
}

/// Hands on each message until the browser is gone or nobody listens.
fn read(mut output: ChildStdout, messages: &SyncSender<Value>) {
    let mut waiting: Vec<u8> = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count) = output.read(&mut chunk) {
        if count == 0 || waiting.len() > LONGEST_MESSAGE {
            return;
        }
        for part in chunk[..count].split_inclusive(|byte| *byte == 0) {
            waiting.extend_from_slice(part);
            if waiting.last() == Some(&0) {
                let message = serde_json::from_slice(&waiting[..waiting.len() - 1]);
                waiting.clear();
                if let Ok(message) = message
                    && messages.send(message).is_err()
                {
                    return;
                }
            }
        }
    }
}
