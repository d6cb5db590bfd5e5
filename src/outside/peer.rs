//! Another server as a child process, spoken to in lines of JSON over its standard streams, as clients do.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long a server may take to end once nobody talks to it.
const FAREWELL: Duration = Duration::from_secs(10);
const PROTOCOL: &str = "2025-06-18";

/// A server of one site.
#[derive(Debug)]
pub struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    next: u64,
    name: String,
}

impl Peer {
    /// Starts `program serve --site folder` and shakes hands as `client`.
    ///
    /// # Errors
    /// It cannot be started, or is no such server.
    pub fn start(program: &Path, folder: &Path, client: &str) -> Result<Self> {
        let name = program.display().to_string();
        let fail = |source| Error::Io { action: "start", path: name.clone(), source };
        let mut child = Command::new(program)
            .args(["serve", "--site"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fail)?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or_else(|| Error::internal("no output"))?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut peer = Self { child, input, lines, next: 0, name };
        let about =
            json!({"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": client, "version": "1"}});
        peer.request("initialize", &about)?;
        peer.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(peer)
    }

    /// The whole answer to a request: `result` or `error`.
    ///
    /// # Errors
    /// The server is gone, or says nothing for two minutes.
    pub fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        let id = self.next;
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        let begin = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let line = self.lines.recv_timeout(left).map_err(|_| self.gone())?;
            match serde_json::from_str::<Value>(&line) {
                Ok(answer) if answer["id"] == id => return Ok(answer),
                // News, and words about progress.
                Ok(_) => {}
                Err(_) => return Err(self.gone()),
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<()> {
        let gone = self.gone();
        let Some(input) = &mut self.input else { return Err(gone) };
        writeln!(input, "{message}").and_then(|()| input.flush()).map_err(|_| gone)
    }

    fn gone(&self) -> Error {
        Error::internal(format!("{} does not answer", self.name))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its end of input tells it to finish what it has to write.
        drop(self.input.take());
        let begin = Instant::now();
        while begin.elapsed() < FAREWELL {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
