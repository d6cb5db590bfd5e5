//! Change sets, the working tree and a person in any order: at the end live is what everybody wrote.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};

use crate::harness::TestSite;

/// Who writes: two agents in change sets of their own, one in the working tree, and a person with an editor.
const WHO: [&str; 4] = ["ann", "ben", "cat", "person"];
/// Steps of one run.
const STEPS: usize = 24;

fn pages() -> String {
    let mut text = String::from("-- content/_index.md --\n---\ntitle: Home\n---\nHome.\n");
    text.push_str("-- content/shared.md --\n---\ntitle: Shared\n---\n");
    for who in WHO {
        text.push_str(&format!("{who}: 0.\n\nNot a word of this ever changes.\n\n"));
    }
    for who in WHO {
        text.push_str(&format!("-- content/{who}.md --\n---\ntitle: {who}\n---\n{who}: 0.\n"));
    }
    text
}

/// xorshift: a stream that a printed seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What each wrote last, by page.
type Wrote = BTreeMap<(usize, &'static str), usize>;

fn last(wrote: &Wrote, who: usize, page: &'static str) -> usize {
    wrote.get(&(who, page)).copied().unwrap_or(0)
}

async fn open(site: &TestSite, who: usize) -> String {
    let opened = site.call("change_open", json!({"purpose": format!("Work of {}", WHO[who])})).await;
    opened["change_set"].as_str().expect("an id").to_owned()
}

/// One writes its line of its own page or of the shared one.
async fn write(site: &TestSite, sets: &[String], wrote: &mut Wrote, who: usize, page: &'static str, value: usize) {
    let name = if page == "own" { WHO[who] } else { "shared" };
    let (old, new) = (format!("{}: {}.", WHO[who], last(wrote, who, page)), format!("{}: {value}.", WHO[who]));
    if WHO[who] == "person" {
        let file = site.path().join(format!("content/{name}.md"));
        let text = std::fs::read_to_string(&file).expect("a page");
        assert!(text.contains(&old), "{name} lost `{old}`:\n{text}");
        std::fs::write(&file, text.replace(&old, &new)).expect("written");
    } else {
        let edit = json!({"path": format!("{name}.md"), "edits": [{"find": old, "replace": new}]});
        let set = sets.get(who).map_or("working", String::as_str);
        site.call("page_write", json!({"pages": [edit], "change_set": set})).await;
    }
    wrote.insert((who, page), value);
}

async fn step(site: &TestSite, sets: &mut [String], wrote: &mut Wrote, random: &mut Random, value: usize) {
    let who = random.below(WHO.len() as u64) as usize;
    let page = if random.below(2) == 0 { "own" } else { "shared" };
    let own = format!("{}.md", WHO[who]);
    match random.below(8) {
        0 if who < 2 => {
            site.call("publish", json!({"change_set": sets[who]})).await;
            sets[who] = again(site, who, &sets[who]).await;
        }
        1 if who < 2 => {
            site.call("change_close", json!({"change_set": sets[who], "how": "merge"})).await;
            // It starts from live, so what it merged has to be live before it can be edited there again.
            site.call("publish", json!({"hand_edits": true})).await;
            sets[who] = open(site, who).await;
        }
        2 if who < 2 => {
            let has_own = site.call("change_list", json!({"change_set": sets[who]})).await.to_string().contains(&own);
            if has_own {
                site.call("publish", json!({"change_set": sets[who], "paths": [own]})).await;
                sets[who] = again(site, who, &sets[who]).await;
            }
        }
        0 | 1 if who == 2 => {
            site.call("publish", json!({"hand_edits": true})).await;
        }
        3 => {
            site.call("site_sync", json!({})).await;
        }
        _ => write(site, sets, wrote, who, page, value).await,
    }
}

/// The same set where something stayed in it, otherwise a new one.
async fn again(site: &TestSite, who: usize, set: &str) -> String {
    let open_sets = site.call("change_list", json!({})).await["change_sets"].to_string();
    if open_sets.contains(set) { set.to_owned() } else { open(site, who).await }
}

fn check(site: &TestSite, wrote: &Wrote, about: &str) {
    for (at, who) in WHO.iter().enumerate() {
        for (page, name) in [("own", *who), ("shared", "shared")] {
            let wanted = format!("{who}: {}.", last(wrote, at, page));
            let live = site.git_remote(&["show", &format!("main:content/{name}.md")]);
            assert!(live.contains(&wanted), "{about}: {name} has no `{wanted}`:\n{live}");
            assert_eq!(site.read(&format!("content/{name}.md")), live, "{about}: the working tree differs");
            let html = site.git_remote(&["show", &format!("main:public/{name}/index.html")]);
            assert!(html.contains(&wanted), "{about}: {name} is not built");
        }
    }
    assert_eq!(site.git(&["status", "--porcelain"]), "", "{about}");
    site.git(&["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_order_of_edits_publishes_and_merges_ends_with_what_everybody_wrote() {
    for seed in [3, 20_261_123, 77_777, 123_456_789] {
        let site = TestSite::with_remote(&pages()).await;
        site.call("publish", json!({})).await;
        let mut random = Random(seed);
        let mut sets = vec![open(&site, 0).await, open(&site, 1).await];
        let mut wrote = Wrote::new();
        for value in 1..=STEPS {
            step(&site, &mut sets, &mut wrote, &mut random, value).await;
        }
        for set in &sets {
            site.call("publish", json!({"change_set": set})).await;
        }
        site.call("publish", json!({"hand_edits": true})).await;
        check(&site, &wrote, &format!("seed {seed}"));
    }
}

type Client = RunningService<RoleClient, ClientConfig>;

/// Calls until it is not busy: other publishes take their time.
async fn patient(client: &Client, tool: &str, arguments: &Value) -> Value {
    for _ in 0..20 {
        let Value::Object(arguments) = arguments.clone() else { panic!("arguments are an object") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = client.call_tool(request).await.expect("an answer");
        let text = result.content[0].as_text().expect("text").text.clone();
        let value: Value = serde_json::from_str(&text).expect("JSON");
        if result.is_error != Some(true) {
            return value;
        }
        let code = value["code"].as_str().unwrap_or_default();
        assert!(["busy", "remote_busy"].contains(&code), "{tool}: {value}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{tool} stayed busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_and_a_person_at_the_same_time_never_step_on_each_other() {
    let site = TestSite::with_remote(&pages()).await;
    site.call("publish", json!({})).await;
    let agent = async |who: usize| {
        let about = Implementation::new(WHO[who].to_owned(), "1");
        let client = site.another(ClientConfig::new(ClientCapabilities::default(), about), who == 1).await;
        let mut last = 0;
        for round in 1..=3 {
            let opened = patient(&client, "change_open", &json!({"purpose": WHO[who]})).await;
            let set = opened["change_set"].clone();
            for part in 0..2 {
                let value = round * 10 + part;
                let (old, new) = (format!("{}: {last}.", WHO[who]), format!("{}: {value}.", WHO[who]));
                let edit = |path: &str| json!({"path": path, "edits": [{"find": old, "replace": new}]});
                let pages = json!([edit("shared.md"), edit(&format!("{}.md", WHO[who]))]);
                patient(&client, "page_write", &json!({"pages": pages, "change_set": set})).await;
                last = value;
            }
            let done = patient(&client, "publish", &json!({"change_set": set})).await;
            assert_eq!(
                (done["pushed"]["ok"].as_bool(), done["change_set_closed"].as_bool()),
                (Some(true), Some(true)),
                "{done}"
            );
        }
        last
    };
    let person = async {
        for value in 1..=10 {
            let file = site.path().join("content/person.md");
            std::fs::write(file, format!("---\ntitle: person\n---\nperson: {value}.\n")).expect("written");
            let edit = json!({"path": "cat.md", "edits": [{"find": format!("cat: {}.", value - 1), "replace": format!("cat: {value}.")}]});
            site.call("page_write", json!({"pages": [edit]})).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    };
    let (ann, ben, ()) = tokio::join!(agent(0), agent(1), person);
    site.call("publish", json!({"hand_edits": true})).await;
    let wrote = Wrote::from([
        ((0, "own"), ann),
        ((0, "shared"), ann),
        ((1, "own"), ben),
        ((1, "shared"), ben),
        ((2, "own"), 10),
        ((3, "own"), 10),
    ]);
    check(&site, &wrote, "side by side");
    assert!(site.call("change_list", json!({})).await.get("change_sets").is_none());
}

#[cfg(feature = "failpoints")]
mod killed {
    use sitewright::store::{Footprint, Note, Opening, Repository};

    use crate::publish::{Place, everything, only, open, path};

    fn opening() -> Opening {
        Opening { slug: "prices".into(), note: Note { message: "Prices".into(), trailers: Vec::new() }, at: None }
    }

    fn edit(set: &Repository, name: &str, text: &str) -> sitewright::error::Result<()> {
        let mut transaction = set.begin()?;
        transaction.stage(path(name), Some(text.into()))?;
        let note = Note { message: format!("Change {name}"), trailers: Vec::new() };
        let footprint = Footprint { kinds: vec![sitewright::model::PathKind::Page], paths: None };
        transaction.commit(&note, &footprint).map(|_| ())
    }

    /// Runs something that ends at a point; then the process starts anew.
    fn ended_at<T: std::fmt::Debug>(
        place: &mut Place,
        point: &str,
        run: impl FnOnce(&Place) -> sitewright::error::Result<T>,
    ) {
        fail::cfg(point, "return").expect("a point");
        let error = run(place).expect_err(point);
        assert!(error.to_string().contains(point), "{error}");
        fail::remove(point);
        place.repository = open(&place.site);
    }

    fn names(place: &Place) -> Vec<String> {
        place.repository.change_sets().expect("sets").into_iter().map(|set| set.id).collect()
    }

    #[test]
    fn opening_editing_and_closing_are_whole_or_not_at_all() {
        let scenario = fail::FailScenario::setup();
        let mut place = Place::new();
        for point in ["change_set::objects", "change_set::recorded"] {
            ended_at(&mut place, point, |place| place.repository.open_change_set(&opening()));
            assert!(names(&place).is_empty(), "{point}");
        }
        let id = place.repository.open_change_set(&opening()).expect("a set").id;
        for (point, there) in [("write::objects", "Bee.\n"), ("write::ref_moved", "write::ref_moved\n")] {
            ended_at(&mut place, point, |place| {
                edit(&place.repository.in_change_set(&id)?, "content/b.md", &format!("{point}\n"))
            });
            let set = place.repository.in_change_set(&id).expect("the set");
            assert_eq!(set.working().expect("files").text("content/b.md"), Some(there), "{point}");
        }
        for (point, open) in [("change_set::kept", 1), ("change_set::closed", 0)] {
            ended_at(&mut place, point, |place| {
                let set = place.repository.in_change_set(&id)?;
                set.close_change_set(&set.change_set()?.tip, true, &Note::default())
            });
            assert_eq!(names(&place).len(), open, "{point}");
        }
        assert_eq!(place.status(), "");
        place.check();
        // What a crash left is in nobody's way.
        place.repository.open_change_set(&opening()).expect("a set");
        assert_eq!(names(&place).len(), 1);
        scenario.teardown();
    }

    #[test]
    fn a_publish_between_any_two_steps_is_finished_by_the_next() {
        let scenario = fail::FailScenario::setup();
        for part in [false, true] {
            for point in [
                "publish::fetched",
                "publish::built",
                "publish::committed",
                "publish::pushed",
                "change_set::closed",
                "publish::ref_moved",
            ] {
                if part && point == "change_set::closed" {
                    continue;
                }
                let mut place = Place::new();
                let id = place.repository.open_change_set(&opening()).expect("a set").id;
                let set = place.repository.in_change_set(&id).expect("the set");
                edit(&set, "content/a.md", "new\n").expect("an edit");
                edit(&set, "content/b.md", "also new\n").expect("an edit");
                place.edit("content/c.md", "stays\n");
                let request = || if part { only(&["content/a.md"]) } else { everything() };
                fail::cfg(point, "return").expect("a point");
                // What comes after the push is told, and no error.
                let first = set.publish(&request());
                fail::remove(point);
                assert!(first.is_err() || point == "publish::ref_moved", "{point}: {first:?}");
                place.repository = open(&place.site);
                if let Ok(set) = place.repository.in_change_set(&id) {
                    set.publish(&request()).expect(point);
                }
                place.sync();
                let b = if part { "Bee.\n" } else { "also new\n" };
                assert_eq!(
                    (place.live("content/a.md"), place.live("content/b.md")),
                    ("new\n".into(), b.into()),
                    "{point}"
                );
                assert_eq!(place.live("content/c.md"), "-", "{point}");
                assert_eq!(
                    (place.read("content/a.md"), place.read("content/c.md")),
                    ("new\n".into(), "stays\n".into()),
                    "{point}"
                );
                assert_eq!(place.remote_log(), ["Go live", "Go live", "start"], "{point}");
                assert_eq!(names(&place).len(), usize::from(part), "{point}");
                assert_eq!(place.status(), "?? content/c.md", "{point}");
                place.check();
            }
        }
        scenario.teardown();
    }
}
