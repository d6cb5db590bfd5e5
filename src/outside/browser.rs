//! Pictures of pages, taken by a Chromium that is on this machine and sees only the files it is handed.
//!
//! The browser has no network: every request is answered here, from the caller's files, or refused. What slips past that (a
//! socket, a look-up) meets a proxy that does not exist and a resolver that knows no name. Scripts are off, the profile is
//! new each time, and the process group is killed when the pictures are taken or time is up. It is steered over a pipe, not
//! a port, so that nobody else on the machine can steer it too.

mod pipe;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::model::Progress;
use pipe::Pipe;

/// Where a person says which browser to use; empty: none.
const VARIABLE: &str = "SITEWRIGHT_BROWSER";
/// What a Chromium is called.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How long one call may take, its turn included.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks whether it is this call's turn.
const TURN: Duration = Duration::from_millis(50);
/// Largest file that is handed to the browser, in bytes: films are not looked at.
const LARGEST_FILE: usize = 8 * 1024 * 1024;
/// Most requests of one page that are answered.
const MOST_REQUESTS: usize = 500;
/// JPEG qualities to try where a PNG is too large, in order.
const QUALITIES: [u8; 4] = [80, 60, 40, 20];

/// A browser that was found.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
    patience: Duration,
    /// One at a time: each takes hundreds of megabytes.
    turn: Mutex<()>,
}

/// How to look at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Of the viewport, in CSS pixels.
    pub width: u32,
    /// Of the viewport, in CSS pixels.
    pub height: u32,
    /// Picture pixels for each CSS pixel.
    pub scale: u32,
    /// Whether it is a phone's.
    pub mobile: bool,
    /// Whether the visitor prefers dark colours.
    pub dark: bool,
}

/// A file as a server would send it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Arc<[u8]>,
}

/// A picture of one page.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The picture.
    pub bytes: Vec<u8>,
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// Picture pixels.
    pub width: u32,
    /// Picture pixels.
    pub height: u32,
    /// Height of the whole page in CSS pixels: more than the viewport's where it scrolls.
    pub page_height: u32,
    /// Addresses the page asked for and did not get, in order.
    pub refused: Vec<String>,
}

impl Browser {
    /// The one that `SITEWRIGHT_BROWSER` names, or the first Chromium on `PATH`.
    #[must_use]
    pub fn find() -> Option<Self> {
        let named = std::env::var_os(VARIABLE);
        Self::among(named.as_deref(), std::env::var_os("PATH").as_deref().unwrap_or_default())
    }

    /// The program `named` (nothing where it is empty), or the first Chromium in the folders of `path`.
    #[must_use]
    pub fn among(named: Option<&OsStr>, path: &OsStr) -> Option<Self> {
        let program = match named {
            Some(name) if name.is_empty() => None,
            Some(name) if Path::new(name).components().count() > 1 => Some(PathBuf::from(name)),
            Some(name) => on_path(path, name),
            None => NAMES.iter().find_map(|name| on_path(path, OsStr::new(name))),
        };
        program.filter(|program| program.is_file()).map(|program| Self {
            program,
            patience: PATIENCE,
            turn: Mutex::default(),
        })
    }

    /// The same with another time for all pictures of one call.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Takes a picture of each address, each of at most `limit` bytes. `files` answers what the pages ask for; `None` is
    /// refused without a word to any network.
    ///
    /// # Errors
    /// `BrowserFailed` where the browser does not do its part in time, `Busy` where others use it for long, `TooLarge` for a
    /// picture that no quality makes small enough, `Cancelled`.
    pub fn shoot(
        &self,
        urls: &[String],
        look: Look,
        limit: usize,
        files: &dyn Fn(&str) -> Option<Answer>,
        progress: &Progress,
    ) -> Result<Vec<Shot>> {
        let until = Instant::now() + self.patience;
        let _turn = self.turn(until, progress)?;
        progress.step(0.0, "Starting the browser")?;
        let pipe = Pipe::start(&self.program, until, progress.clone())?;
        let mut tab = Tab::open(pipe, files, look)?;
        let count = urls.len().max(1) as f64;
        let mut shots = Vec::new();
        for (at, url) in urls.iter().enumerate() {
            progress.step(0.2 + 0.8 * at as f64 / count, "Taking pictures")?;
            shots.push(tab.shoot(url, look, limit)?);
        }
        Ok(shots)
    }

    fn turn(&self, until: Instant, progress: &Progress) -> Result<MutexGuard<'_, ()>> {
        loop {
            match self.turn.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(PoisonError::into_inner(poisoned)),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(Error::Busy { holder: "another screenshot is being taken".into() });
                }
                Err(TryLockError::WouldBlock) => {
                    progress.proceed()?;
                    std::thread::sleep(TURN);
                }
            }
        }
    }
}

fn on_path(path: &OsStr, name: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// One page of the browser.
struct Tab<'a> {
    pipe: Pipe,
    visit: Visit<'a>,
}

/// What a page asked for, and what it is answered from.
struct Visit<'a> {
    session: String,
    files: &'a dyn Fn(&str) -> Option<Answer>,
    requests: usize,
    refused: Vec<String>,
    loaded: bool,
}

impl<'a> Tab<'a> {
    fn open(mut pipe: Pipe, files: &'a dyn Fn(&str) -> Option<Answer>, look: Look) -> Result<Self> {
        let mut ask = |method: &str, params: Value| {
            let id = pipe.send(method, &params, None)?;
            pipe.wait(id, |_, _| Ok(()))
        };
        ask("Browser.setDownloadBehavior", json!({"behavior": "deny"}))?;
        let target = ask("Target.createTarget", json!({"url": "about:blank"}))?["targetId"].take();
        let attached = ask("Target.attachToTarget", json!({"targetId": target, "flatten": true}))?;
        let session = attached["sessionId"].as_str().unwrap_or_default().to_owned();
        let visit = Visit { session, files, requests: 0, refused: Vec::new(), loaded: false };
        let mut tab = Self { pipe, visit };
        let features = json!([
            {"name": "prefers-color-scheme", "value": if look.dark { "dark" } else { "light" }},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        let Look { width, height, scale, mobile, .. } = look;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile});
        for (method, params) in [
            ("Fetch.enable", json!({"patterns": [{"urlPattern": "*"}]})),
            ("Page.enable", json!({})),
            ("Emulation.setScriptExecutionDisabled", json!({"value": true})),
            ("Emulation.setEmulatedMedia", json!({"media": "screen", "features": features})),
            ("Emulation.setDeviceMetricsOverride", metrics),
        ] {
            tab.call(method, &params)?;
        }
        Ok(tab)
    }

    /// Asks for one thing and serves the page meanwhile.
    fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        let id = self.pipe.send(method, params, Some(&self.visit.session))?;
        let Self { pipe, visit } = self;
        pipe.wait(id, |pipe, event| visit.event(pipe, event))
    }

    fn shoot(&mut self, url: &str, look: Look, limit: usize) -> Result<Shot> {
        (self.visit.requests, self.visit.loaded) = (0, false);
        self.visit.refused.clear();
        let went = self.call("Page.navigate", &json!({"url": url}))?;
        if let Some(problem) = went["errorText"].as_str() {
            return Err(Error::BrowserFailed { reason: format!("it cannot show the page: {problem}") });
        }
        while !self.visit.loaded {
            let event = self.pipe.next()?;
            self.visit.event(&mut self.pipe, &event)?;
        }
        // A page that is shown before its fonts are there is not what visitors see.
        let fonts = json!({"expression": "document.fonts.ready.then(() => 1)", "awaitPromise": true});
        self.call("Runtime.evaluate", &fonts)?;
        let size = self.call("Page.getLayoutMetrics", &json!({}))?["cssContentSize"]["height"].as_f64().unwrap_or(0.0);
        let (bytes, media_type, smaller) = self.picture(look, limit)?;
        Ok(Shot {
            bytes,
            media_type,
            width: look.width * look.scale / smaller,
            height: look.height * look.scale / smaller,
            page_height: size.clamp(0.0, f64::from(u32::MAX)) as u32,
            refused: std::mem::take(&mut self.visit.refused),
        })
    }

    /// The sharpest picture that is small enough, its type, and how many times smaller it is than asked.
    fn picture(&mut self, look: Look, limit: usize) -> Result<(Vec<u8>, &'static str, u32)> {
        let half = json!({"x": 0, "y": 0, "width": look.width, "height": look.height, "scale": 0.5});
        let tries = std::iter::once((json!({"format": "png"}), "image/png", 1))
            .chain(QUALITIES.map(|quality| (json!({"format": "jpeg", "quality": quality}), "image/jpeg", 1)))
            .chain([(json!({"format": "jpeg", "quality": 30, "clip": half}), "image/jpeg", 2)]);
        let mut size = 0;
        for (params, media_type, scale) in tries {
            let taken = self.call("Page.captureScreenshot", &params)?;
            let bytes = STANDARD.decode(taken["data"].as_str().unwrap_or_default()).unwrap_or_default();
            if bytes.is_empty() {
                return Err(Error::BrowserFailed { reason: "it took an empty picture".into() });
            }
            if bytes.len() <= limit {
                return Ok((bytes, media_type, scale));
            }
            size = bytes.len();
        }
        Err(Error::TooLarge { what: "the picture".into(), size, limit })
    }
}

impl Visit<'_> {
    /// Answers what the page asks for, and notes when it is there.
    fn event(&mut self, pipe: &mut Pipe, event: &Value) -> Result<()> {
        match event["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Inspector.targetCrashed") => {
                return Err(Error::BrowserFailed { reason: "the page made it crash".into() });
            }
            Some("Fetch.requestPaused") => {
                let (method, params) = self.answer(&event["params"]);
                pipe.send(method, &params, Some(&self.session))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn answer(&mut self, asked: &Value) -> (&'static str, Value) {
        let (id, url) = (&asked["requestId"], asked["request"]["url"].as_str().unwrap_or_default());
        self.requests += 1;
        let file = if self.requests > MOST_REQUESTS { None } else { (self.files)(url) };
        let Some(file) = file.filter(|file| file.body.len() <= LARGEST_FILE) else {
            // Browsers ask for this one by themselves.
            if self.refused.len() < MOST_REQUESTS && !url.ends_with("/favicon.ico") {
                self.refused.push(url.chars().take(200).collect());
            }
            return ("Fetch.failRequest", json!({"requestId": id, "errorReason": "BlockedByClient"}));
        };
        let headers: Vec<Value> =
            file.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let body = STANDARD.encode(&file.body);
        let fields = json!({"requestId": id, "responseCode": file.status, "responseHeaders": headers, "body": body});
        ("Fetch.fulfillRequest", fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_on_path_or_where_a_person_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().as_os_str();
        assert!(Browser::among(None, path).is_none());
        std::fs::write(folder.path().join("google-chrome"), "").expect("written");
        let found = |named: Option<&str>| Browser::among(named.map(OsStr::new), path).map(|browser| browser.program);
        assert_eq!(found(None), Some(folder.path().join("google-chrome")));
        assert_eq!(found(Some("")), None, "an empty name turns it off");
        assert_eq!(found(Some("google-chrome")), Some(folder.path().join("google-chrome")));
        assert_eq!(found(Some("/no/such/browser")), None);
        let whole = folder.path().join("google-chrome").display().to_string();
        assert_eq!(found(Some(&whole)), Some(folder.path().join("google-chrome")));
    }

    #[test]
    fn a_program_that_is_no_browser_is_told_apart() {
        let browser = Browser::among(Some(OsStr::new("/bin/true")), OsStr::new("")).expect("it is a program");
        let look = Look { width: 10, height: 10, scale: 1, mobile: false, dark: false };
        let error = browser.shoot(&["https://example.org/".into()], look, 1_000, &|_| None, &Progress::default());
        assert!(matches!(error, Err(Error::BrowserFailed { .. })), "{error:?}");
    }
}
