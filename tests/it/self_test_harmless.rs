//! `self_test` leaves the site alone: killed within each step, and on random sites. `SITEWRIGHT_SELF_TESTS=200 cargo test --test it
//! self_test_harmless` plays more sites than the suite does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sitewright::build::Scope;
use sitewright::insight::self_test::{Dispatcher, Suite, Verified, run};
use sitewright::model::Severity;
use sitewright::site::{Settings, Site, rehearsal};
use sitewright::tools::{Context, Follower, Progress, Registry, Rights};

use crate::harness::{TestSite, fingerprint_of, site_of};
use crate::incremental::{Dice, Files, curious_files, edit, golden_files};

const SITE: &str =
    "-- content/_index.md --\n---\ntitle: Home\n---\nHello.\n-- content/blog/a.md --\n---\ntitle: A\n---\nText.\n";
/// Random sites that the suite plays.
const SITES: u64 = 20;

/// The real tools, and a process that dies by its own hand within a step: after the step's first call, or where it makes none, at its
/// beginning.
struct Mortal {
    tools: Registry,
    now: Mutex<String>,
    last: Option<(String, bool)>,
}

impl Mortal {
    fn dies_if(&self, after_a_call: bool) {
        let now = self.now.lock().unwrap();
        if self.last.as_ref().is_some_and(|(step, call)| *step == *now && *call == after_a_call) {
            std::process::abort();
        }
    }
}

impl Dispatcher for Mortal {
    fn has(&self, tool: &str) -> bool {
        self.tools.find(tool).is_some()
    }

    fn call(&self, site: &Arc<Site>, tool: &str, arguments: Value, _: &Progress) -> Result<Value, Value> {
        let context = Context {
            site: Arc::clone(site),
            client: "test".into(),
            id: "1".into(),
            tool: String::new(),
            arguments: String::new(),
            token: String::new(),
            publish: None,
            session: String::new(),
            journal: Arc::default(),
            rights: Rights::all_but_admin(),
            progress: Progress::default(),
        };
        let outcome = self.tools.find(tool).unwrap().call(&context, arguments.as_object().unwrap().clone());
        self.dies_if(true);
        outcome.map(|answer| answer.value).map_err(|refusal| refusal.to_json())
    }
}

/// Tells a [`Mortal`] which step goes on.
struct Hears(Arc<Mortal>);

impl Follower for Hears {
    fn cancelled(&self) -> bool {
        false
    }

    fn report(&self, _: f64, what: &str) {
        what.clone_into(&mut self.0.now.lock().unwrap());
        self.0.dies_if(false);
    }
}

fn tested(site: &Site, suite: Suite, last: Option<(String, bool)>) -> Verified {
    let mortal = Arc::new(Mortal { tools: Registry::standard(), now: Mutex::default(), last });
    let progress = Progress::followed_by(Arc::new(Hears(Arc::clone(&mortal))));
    run(site, &*mortal, suite, &progress).unwrap()
}

/// The process that is killed; does nothing when it is run as a test.
#[test]
fn rehearsing_process() {
    let said = |name: &str| std::env::var(name).ok();
    let (Some(folder), Some(step)) = (said("SITEWRIGHT_TEST_SITE"), said("SITEWRIGHT_TEST_STEP")) else { return };
    let author = sitewright::store::Identity { name: "T".into(), email: "t@localhost".into() };
    let clock = Arc::new(|| "2026-11-23T12:00:00Z".parse().unwrap());
    let site = Site::open(Path::new(&folder), Settings { clock, author: Some(author) }).unwrap();
    tested(&site, Suite::Full, Some((step, said("SITEWRIGHT_TEST_CALL").is_some())));
}

/// Whether the process was killed in that step, rather than having come to its end.
fn killed(site: &Path, step: &str, after_a_call: bool) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "self_test_harmless::rehearsing_process", "--test-threads=1"]);
    command
        .env("SITEWRIGHT_TEST_SITE", site)
        .env("SITEWRIGHT_TEST_STEP", step)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if after_a_call {
        command.env("SITEWRIGHT_TEST_CALL", "1");
    }
    command.status().unwrap().code().is_none()
}

/// Copies that are there, held or left.
fn copies(site: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(site.join(".git/sitewright/scratch")) else { return 0 };
    entries.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_within_each_step_it_leaves_the_site_byte_for_byte() {
    let site = TestSite::new(SITE).await;
    site.call("publish", json!({})).await;
    site.call("page_write", json!({"pages": [{"path": "blog/a.md", "front_matter": {"title": "B"}}]})).await;
    let before = site.fingerprint();
    let whole = tested(site.site(), Suite::Full, None);
    assert!(whole.ok, "{whole:?}");
    let path = site.path();
    let mut steps = vec![("Copying the site", false), ("Comparing the site with what it was", false)];
    steps.extend(whole.passed.iter().map(|step| (*step, *step != "no leftovers")));
    let mut left = 0;
    for (step, call) in steps {
        assert!(killed(&path, step, call), "{step}: it was not killed");
        assert_eq!(site.fingerprint(), before, "killed in: {step}");
        // Each run sweeps what the one before left, so there is never more than one.
        assert!(copies(&path) <= 1, "{step}");
        left += copies(&path);
    }
    assert!(left >= 20, "{left}");
    assert_eq!(rehearsal::sweep(site.site()), 1);
    assert_eq!((copies(&path), site.fingerprint()), (0, before));
}

/// A golden site, edited at random a few times.
fn random_site(seed: u64) -> (Files, String) {
    let mut dice = Dice::new(seed);
    let mut files = match dice.roll(5) {
        0 => golden_files("blog"),
        1 => golden_files("collections"),
        2 => golden_files("docs"),
        3 => golden_files("mixed"),
        _ => curious_files(),
    };
    let edits: Vec<String> = (0..dice.roll(12)).map(|_| edit(&mut dice, &mut files)).collect();
    (files, format!("seed {seed}: {edits:#?}"))
}

/// Tests the site of a seed, and kills a second test of it; `None`: a site that cannot be opened.
fn harmless(seed: u64, kills: bool) -> Option<bool> {
    let (files, about) = random_site(seed);
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("site");
    let site = site_of(&path, files).ok()?;
    let before: BTreeMap<String, String> = fingerprint_of(&path);
    let suite = if seed.is_multiple_of(2) { Suite::Full } else { Suite::Quick };
    let verified = tested(&site, suite, None);
    assert_eq!(verified.site_changed, Vec::<String>::new(), "{about}");
    assert_eq!((fingerprint_of(&path), copies(&path)), (before.clone(), 0), "{about}");
    if kills {
        let mut dice = Dice::new(!seed);
        let step = *dice.pick(&verified.passed);
        assert!(killed(&path, step, step != "no leftovers"), "{about}: not killed in {step}");
        assert_eq!(fingerprint_of(&path), before, "{about}: killed in {step}");
        rehearsal::sweep(&site);
        assert_eq!((copies(&path), fingerprint_of(&path)), (0, before), "{about}");
    }
    // A site that had errors before may not be published: that is said, and is no harm.
    let built = site.build(&site.repository().working().unwrap(), Scope::Everything, false, None);
    let sound = built.is_ok_and(|built| built.diagnostics.iter().all(|finding| finding.severity != Severity::Error));
    assert!(verified.ok || !sound, "{about}: {verified:#?}");
    Some(verified.ok)
}

#[test]
fn random_sites_are_left_byte_for_byte() {
    let wanted = std::env::var("SITEWRIGHT_SELF_TESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(SITES);
    let next = std::sync::atomic::AtomicU64::new(1);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if seed > wanted {
                        return;
                    }
                    // Starting processes takes its time: in the suite every other site is enough.
                    let outcome = harmless(seed, wanted > SITES || seed.is_multiple_of(2));
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();
    let count = |wanted: Option<bool>| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    println!(
        "{} sites: {} passed, {} had errors of their own, {} could not be opened",
        outcomes.len(),
        count(Some(true)),
        count(Some(false)),
        count(None)
    );
    assert_eq!(outcomes.len() as u64, wanted, "a thread ended early");
    assert!(count(Some(true)) * 2 > outcomes.len() && count(None) * 5 < outcomes.len());
}
