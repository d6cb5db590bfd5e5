//! Tests of `publish.layout`: what each branch of a real remote holds, and that the two pushes come together again after a crash.

use std::fs;

use sitewright::model::config::Layout;
use sitewright::store::{PublishRequest, Published};

use super::publish::{Place, everything, git, only, put, serve};

fn to(layout: Layout) -> PublishRequest<'static> {
    PublishRequest { layout, ..everything() }
}

impl Place {
    fn tree(&self, what: &str) -> String {
        git(&self.bare(), &["rev-parse", what])
    }

    fn deploy_log(&self) -> Vec<String> {
        git(&self.bare(), &["log", "--format=%s", "gh-pages"]).lines().map(str::to_owned).collect()
    }

    fn deployed(&self, name: &str) -> String {
        git(&self.bare(), &["show", &format!("gh-pages:{name}")])
    }

    fn sources(&self) -> String {
        git(&self.bare(), &["ls-tree", "-r", "--name-only", "main"])
    }

    fn is_sound(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        git(&self.bare(), &["fsck", "--strict", "--no-dangling"]);
        assert!(!self.refs().contains("pending"), "{}", self.refs());
        assert_eq!(self.git(&["rev-parse", "main"]), git(&self.bare(), &["rev-parse", "main"]));
        assert_eq!(self.git(&["rev-parse", "origin/gh-pages"]), git(&self.bare(), &["rev-parse", "gh-pages"]));
    }
}

fn ok(published: &Published) -> (bool, Option<bool>) {
    (published.pushed.as_ref().is_some_and(|p| p.ok), published.deployed.as_ref().map(|p| p.ok))
}

#[test]
fn the_deploy_branch_is_the_output_and_the_sources_are_alone() {
    for over_the_wire in [false, true] {
        let place = Place::unpublished("");
        if over_the_wire {
            place.git(&["remote", "set-url", "origin", &serve(&place)]);
        }
        place.edit("content/a.md", "new\n");
        let first = place.publish(&to(Layout::Branch)).unwrap();
        assert_eq!(ok(&first), (true, Some(true)));
        assert!(!place.sources().contains("public/"), "{}", place.sources());
        assert_eq!(place.deployed("a/index.html"), "<p>new\n</p>");
        assert_eq!(first.outputs.iter().filter(|o| o.path == "a/index.html").count(), 1);
        let source = place.tree("main");
        let message = git(&place.bare(), &["log", "-1", "--format=%B", "gh-pages"]);
        assert!(message.starts_with("Go live\n") && message.contains(&format!("Source-Commit: {source}")), "{message}");
        assert!(!place.site.join("public").exists());
        assert_eq!(place.status(), "");
        place.is_sound();

        place.edit("content/b.md", "two\n");
        let second = place.publish(&only_in(Layout::Branch, &["content/b.md"])).unwrap();
        assert_eq!(second.outputs.iter().map(|o| o.path.as_str()).collect::<Vec<_>>(), ["b/index.html"]);
        assert_eq!(place.deploy_log(), ["Go live", "Go live"]);
        assert_eq!(place.tree("gh-pages~1"), place.tree("gh-pages^1"));
        place.is_sound();
    }
}

fn only_in(layout: Layout, paths: &[&str]) -> PublishRequest<'static> {
    PublishRequest { layout, ..only(paths) }
}

#[test]
fn both_carries_the_same_tree_twice() {
    let place = Place::unpublished("docs");
    let published = place.publish(&to(Layout::Both)).unwrap();
    assert_eq!(ok(&published), (true, Some(true)));
    assert_eq!(place.tree("gh-pages^{tree}"), place.tree("main:docs/public"));
    place.is_sound();
    place.check();
}

#[test]
fn publishing_twice_makes_no_second_deploy_commit() {
    for layout in [Layout::Branch, Layout::Both] {
        let place = Place::unpublished("");
        place.publish(&to(layout)).unwrap();
        let (refs, log) = (place.refs(), place.deploy_log());
        let again = place.publish(&to(layout)).unwrap();
        assert_eq!((again.revision, again.deployed), (None, None));
        assert_eq!((place.refs(), place.deploy_log()), (refs, log));
    }
}

#[test]
fn sources_that_change_no_output_leave_the_deploy_branch() {
    let place = Place::unpublished("");
    place.publish(&to(Layout::Branch)).unwrap();
    place.edit("site.yaml", "title: T\n# a note\n");
    let published = place.publish(&to(Layout::Branch)).unwrap();
    assert_eq!(ok(&published), (true, None));
    assert_eq!(place.deploy_log().len(), 1);
    place.is_sound();
}

#[test]
fn a_layout_can_change_there_and_back() {
    let place = Place::new();
    assert!(place.sources().contains("public/a/index.html"));
    let gone = place.publish(&to(Layout::Branch)).unwrap();
    assert_eq!(ok(&gone), (true, Some(true)));
    assert!(!place.sources().contains("public/"));
    assert!(!place.site.join("public/a/index.html").exists());
    assert_eq!(place.status(), "");
    place.is_sound();
    place.publish(&to(Layout::Both)).unwrap();
    assert_eq!(place.tree("gh-pages^{tree}"), place.tree("main:public"));
    place.publish(&to(Layout::Folder)).unwrap();
    place.check();
}

#[test]
fn a_deploy_branch_that_refuses_waits_and_is_resumed() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::unpublished("");
    place.publish(&to(Layout::Branch)).unwrap();
    place.git(&["remote", "set-url", "origin", &serve(&place)]);
    let hook = place.bare().join("hooks/update");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nif [ \"$1\" = refs/heads/gh-pages ]; then echo 'quota used up' >&2; exit 1; fi\n")
        .unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    place.edit("content/a.md", "new\n");
    let refused = place.publish(&to(Layout::Branch)).unwrap();
    assert_eq!(ok(&refused), (true, Some(false)));
    assert!(refused.deployed.unwrap().reason.unwrap().contains("quota used up"));
    // The sources are live, and the status says that something waits.
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!(place.left(), Vec::<String>::new());
    assert!(place.repository.status().unwrap().pending.is_some());
    let waits = place.git(&["rev-parse", "refs/sitewright/pending-deploy"]);
    fs::remove_file(&hook).unwrap();
    let resumed = place.publish(&to(Layout::Branch)).unwrap();
    assert!(resumed.resumed && resumed.deployed.unwrap().ok && resumed.revision.is_some());
    assert_eq!(place.tree("gh-pages"), waits, "the commit that waited is the one that goes");
    assert_eq!(place.deployed("a/index.html"), "<p>new\n</p>");
    assert!(place.repository.status().unwrap().pending.is_none());
    place.is_sound();
}

#[test]
fn what_others_put_on_the_deploy_branch_stays_in_its_history() {
    let place = Place::unpublished("");
    place.publish(&to(Layout::Branch)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["clone", "-q", "-b", "gh-pages", place.bare().to_str().unwrap(), "clone"]);
    let clone = dir.path().join("clone");
    put(&clone, "CNAME", "example.org\n");
    git(&clone, &["add", "-A"]);
    git(&clone, &["-c", "user.name=O", "-c", "user.email=o@e", "commit", "-qm", "theirs"]);
    git(&clone, &["push", "-q"]);
    place.edit("content/a.md", "new\n");
    assert_eq!(ok(&place.publish(&to(Layout::Branch)).unwrap()), (true, Some(true)));
    assert_eq!(place.deploy_log(), ["Go live", "theirs", "Go live"]);
    assert!(!git(&place.bare(), &["ls-tree", "--name-only", "gh-pages"]).contains("CNAME"));
    place.is_sound();
}

#[test]
fn without_a_remote_the_branch_is_here() {
    let place = Place::unpublished("");
    place.git(&["remote", "remove", "origin"]);
    place.publish(&to(Layout::Branch)).unwrap();
    assert_eq!(place.git(&["show", "gh-pages:b/index.html"]), "<p>Bee.\n</p>");
    let refs = place.refs();
    assert_eq!(place.publish(&to(Layout::Branch)).unwrap().deployed, None);
    assert_eq!(place.refs(), refs);
}

#[test]
fn the_output_never_takes_the_branch_of_the_sources() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let request = PublishRequest { deploy_branch: "main".into(), ..to(Layout::Both) };
    assert_eq!(place.code(&request), "invalid_config");
}

#[test]
fn a_dry_run_moves_no_branch() {
    let place = Place::unpublished("");
    place.publish(&to(Layout::Branch)).unwrap();
    place.edit("content/a.md", "new\n");
    let refs = git(&place.bare(), &["for-each-ref"]);
    let would = place.publish(&PublishRequest { dry_run: true, ..to(Layout::Branch) }).unwrap();
    assert_eq!(would.outputs.iter().map(|o| o.path.as_str()).collect::<Vec<_>>(), ["a/index.html"]);
    assert_eq!((git(&place.bare(), &["for-each-ref"]), would.deployed), (refs, None));
}

#[cfg(feature = "failpoints")]
#[test]
fn a_crash_around_the_two_pushes_is_resumed() {
    let scenario = fail::FailScenario::setup();
    for point in
        ["publish::pending", "publish::pushed", "publish::deploy_pending", "publish::deployed", "publish::ref_moved"]
    {
        for layout in [Layout::Branch, Layout::Both] {
            let mut place = Place::unpublished("");
            place.publish(&to(layout)).unwrap();
            place.edit("content/a.md", "new\n");
            fail::cfg(point, "return").unwrap();
            let error = place.publish(&to(layout)).unwrap_err();
            assert!(error.to_string().contains(point), "{error}");
            fail::remove(point);
            place.repository = super::publish::open(&place.site);
            assert!(place.repository.status().unwrap().pending.is_some(), "{point}: nothing says that it waits");
            place.publish(&to(layout)).unwrap();
            assert_eq!(
                (place.live("content/a.md"), place.deployed("a/index.html")),
                ("new\n".into(), "<p>new\n</p>".into())
            );
            assert_eq!(place.deploy_log(), ["Go live", "Go live"], "{point}");
            assert_eq!(place.remote_log(), ["Go live", "Go live", "start"], "{point}");
            assert_eq!(place.status(), "", "{point}");
            place.is_sound();
        }
    }
    scenario.teardown();
}
