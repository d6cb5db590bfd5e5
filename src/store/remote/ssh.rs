//! The smart protocol through the system's ssh program, which brings the person's own configuration, keys, agent and known hosts.

use std::io::{self, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Reason;
use super::address::Login;
use super::bound::Bound;
use super::settings::{SECRET_VARIABLES, Settings};
use super::smart::{Body, Service, Wire, rewind};

/// How much of what ssh says is kept, in bytes.
const SAID: usize = 8_000;

/// How long the last words of an ssh that ended are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What ssh says on its error output, and whether it is done.
type Said = Arc<Mutex<(Vec<u8>, bool)>>;

/// One conversation with one service through ssh.
pub(super) struct Ssh {
    input: Option<ChildStdin>,
    output: ChildStdout,
    said: Said,
    bound: Arc<Bound>,
    name: String,
}

impl Ssh {
    pub(super) fn open(
        login: &Login,
        service: Service,
        settings: &Settings,
        bound: &Arc<Bound>,
    ) -> Result<Box<dyn Wire>, Reason> {
        let mut command = Command::new(&settings.ssh);
        command.args(options(settings)).args(arguments(login, service));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("SSH_ASKPASS_REQUIRE", "never").env("LC_ALL", "C");
        for name in SECRET_VARIABLES {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Reason::new("the ssh program is not installed"),
            _ => Reason::new(format!("ssh cannot be started: {error}")),
        })?;
        let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        bound.adopt(child);
        let (Some(output), Some(errors)) = (output, errors) else {
            return Err(Reason::new("ssh cannot be spoken to"));
        };
        let said = Said::default();
        listen(errors, Arc::clone(&said))?;
        let name = login.destination.clone();
        Ok(Box::new(Self { input, output, said, bound: Arc::clone(bound), name }))
    }

    /// What ssh said, once it has ended or was given a moment.
    fn said(&self) -> String {
        let until = Instant::now() + LAST_WORDS;
        loop {
            let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.1 || Instant::now() >= until {
                return String::from_utf8_lossy(&said.0).into_owned();
            }
            drop(said);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Wire for Ssh {
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>, Reason> {
        Ok(Box::new(&mut self.output))
    }

    fn exchange(&mut self, body: &mut Body) -> Result<Box<dyn Read + '_>, Reason> {
        rewind(body)?;
        let mut input = self.input.take().ok_or_else(|| Reason::new("the conversation is over"))?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            input.write_all(&buffer[..read])?;
            if !self.bound.alive() {
                return Err(Reason::new("no end in time"));
            }
        }
        input.flush()?;
        // The end of input is no part of the protocol, but nothing follows.
        drop(input);
        Ok(Box::new(&mut self.output))
    }

    fn close(&mut self) {
        if let Some(mut input) = self.input.take() {
            // A service that hears nothing complains in the server's log; whether it hears this changes nothing here.
            let _ = input.write_all(b"0000").and_then(|()| input.flush());
        }
    }

    fn explain(&mut self, reason: Reason) -> Reason {
        let said = self.said();
        let has = |words: &str| said.contains(words);
        if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
            return Reason::new(
                "its host key is not the one that is known: somebody may be in between, ask the host's owner",
            );
        }
        if has("Host key verification failed") || has("host key is known") {
            let name = &self.name;
            return Reason::new(format!(
                "its host key is not known: connect once by hand (`ssh {name}`), compare the fingerprint, and accept it"
            ));
        }
        if has("Permission denied") {
            return Reason::new("it accepts none of your ssh keys: look whether `ssh-add -l` lists the right one");
        }
        let lines: Vec<&str> =
            said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("Warning:")).collect();
        match lines.len() {
            0 => reason,
            count => Reason::new(format!("ssh says: {}", lines[count.saturating_sub(3)..].join("; "))),
        }
    }
}

/// Nothing is asked, nothing is forwarded, and no connection outlives this one. Host keys are checked as the person has set it up:
/// without a terminal an unknown one is refused.
fn options(settings: &Settings) -> Vec<String> {
    let connect = format!("ConnectTimeout={}", settings.connect.as_secs().max(1));
    let set = ["BatchMode=yes", &connect, "ClearAllForwardings=yes", "ForwardAgent=no", "ControlMaster=no"];
    let mut options = vec!["-T".to_owned()];
    for option in set {
        options.extend(["-o".to_owned(), option.to_owned()]);
    }
    options
}

/// Where to go and what to run there. The address was checked when it was read: no part begins with a dash.
fn arguments(login: &Login, service: Service) -> Vec<String> {
    let mut arguments = Vec::new();
    if let Some(port) = login.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend(["--".to_owned(), login.destination.clone()]);
    arguments.push(format!("{} {}", service.name(), quoted(&login.path)));
    arguments
}

/// A path as one word for the remote shell, as git itself quotes it.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("'");
    for c in path.chars() {
        match c {
            '\'' | '!' => quoted.push_str(&format!("'\\{c}'")),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Keeps what ssh says. Not waited for: a connection that ssh leaves in the background may hold the pipe open.
fn listen(mut errors: impl Read + Send + 'static, said: Said) -> io::Result<()> {
    let run = move || {
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = errors.read(&mut buffer) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            let room = SAID.saturating_sub(said.0.len());
            said.0.extend_from_slice(&buffer[..read.min(room)]);
        }
        said.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
    };
    std::thread::Builder::new().name("ssh".into()).spawn(run).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::remote::address::{Address, parse};

    #[test]
    fn a_path_is_one_word_for_the_remote_shell() {
        for (path, word) in [("/a b", "'/a b'"), ("it's!", "'it'\\''s'\\!''"), ("$(x);`y`", "'$(x);`y`'")] {
            assert_eq!(quoted(path), word);
        }
    }

    #[test]
    fn ssh_is_told_where_options_end() {
        let Address::Ssh(login) = parse("ssh://me@host:22/a.git").unwrap() else { panic!() };
        assert_eq!(arguments(&login, Service::UploadPack), ["-p", "22", "--", "me@host", "git-upload-pack '/a.git'"]);
    }
}
