//! A program that is run to its end: without the secrets of this process, for a bounded time, and with all it started.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Error, Result};

/// Bytes of what it says that are kept.
const KEPT: usize = 256 * 1024;
/// Between two looks whether it ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// It said that all is well.
    pub ok: bool,
    /// It took too long and was ended.
    pub timed_out: bool,
    /// What it said, on both streams; the end of it where it was much.
    pub said: String,
}

/// Runs a program with its arguments in a folder.
///
/// # Errors
/// It cannot be started.
pub fn run(
    command: &[String],
    folder: &Path,
    input: &str,
    environment: &[(&str, &str)],
    patience: Duration,
) -> Result<Ran> {
    let [program, arguments @ ..] = command else {
        return Err(Error::internal("an empty command"));
    };
    let failed = |source: std::io::Error| Error::Io { action: "run", path: program.clone(), source };
    let mut child = start(program, arguments, folder, environment).map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // A program that reads nothing must not stop us.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let (sender, words) = mpsc::channel();
    for stream in [
        child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
        child.stderr.take().map(|s| Box::new(s) as _),
    ] {
        let (Some(mut stream), sender) = (stream, sender.clone()) else { continue };
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let until = Instant::now() + patience;
    let mut said = Vec::new();
    let status = loop {
        while let Ok(more) = words.try_recv() {
            keep(&mut said, &more);
        }
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Some(status);
        }
        if Instant::now() >= until {
            break None;
        }
        std::thread::sleep(LOOK);
    };
    // What it started ends with it.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let _ = child.wait();
    let last = Instant::now() + LAST_WORDS;
    while let Ok(more) = words.recv_timeout(last.saturating_duration_since(Instant::now())) {
        keep(&mut said, &more);
    }
    Ok(Ran {
        ok: status.is_some_and(|status| status.success()),
        timed_out: status.is_none(),
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

fn start(program: &str, arguments: &[String], folder: &Path, environment: &[(&str, &str)]) -> std::io::Result<Child> {
    let mut child = Command::new(program);
    child.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Tokens of the server are nobody else's, and git must look at the folder, not at ours.
    let ours =
        |name: &str| name.starts_with("SITEWRIGHT_") || name.starts_with("GIT_") && !name.starts_with("GIT_CONFIG");
    for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
        child.env_remove(name);
    }
    child.envs(environment.iter().copied()).process_group(0).spawn()
}

fn keep(said: &mut Vec<u8>, more: &[u8]) {
    said.extend_from_slice(more);
    if said.len() > 2 * KEPT {
        said.drain(..said.len() - KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &str, patience: Duration) -> Ran {
        let command = ["/bin/sh", "-c", script].map(str::to_owned);
        run(&command, Path::new("/"), input, &[("WHO", "me")], patience).expect("it runs")
    }

    #[test]
    fn a_program_reads_says_and_ends() {
        let ran = shell("read line; echo \"$line $WHO\"; echo bad >&2; exit 3", "hello\n", Duration::from_mins(1));
        assert!(!ran.ok && !ran.timed_out && ran.said.contains("hello me") && ran.said.contains("bad"), "{ran:?}");
        let ran = shell("sleep 100 & sleep 100", "", Duration::from_millis(50));
        assert!(!ran.ok && ran.timed_out, "{ran:?}");
        assert!(run(&["/nowhere/program".to_owned()], Path::new("/"), "", &[], Duration::ZERO).is_err());
    }
}
