//! Remotes over ssh: the real program, the system's ssh, and a server of OpenSSH on a port of this machine.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::git_server::{commit_elsewhere, git};
use crate::remote::Place;

/// Where systems put the server; it insists on being called by its whole path.
const SERVERS: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/// A server of OpenSSH with keys of its own, and the configuration of a client that knows it.
struct SshServer {
    folder: tempfile::TempDir,
    port: u16,
    server: Child,
}

impl Drop for SshServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn keygen(file: &Path) -> String {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status().unwrap();
    assert!(made.success());
    std::fs::read_to_string(file.with_extension("pub")).unwrap()
}

impl SshServer {
    /// `None`, with a word about it, where there is no server to start.
    fn start() -> Option<Self> {
        let Some(program) = SERVERS.into_iter().find(|path| Path::new(path).exists()) else {
            eprintln!("skipped: OpenSSH's server is not installed (openssh-server)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let host_key = keygen(&at("host"));
        let user_key = keygen(&at("user"));
        keygen(&at("stranger"));
        std::fs::write(at("authorized"), user_key).unwrap();
        git(folder.path(), &["init", "-q", "--bare", "-b", "main", "it's a site.git"]);
        // Somebody may take the port between the two lines: then the server says so, and another is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let config = format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n",
                folder.path().display()
            );
            std::fs::write(at("sshd_config"), config).unwrap();
            // The folder that Debian's init script makes for it.
            let _ = std::fs::create_dir_all("/run/sshd");
            let mut server = Command::new(program)
                .args(["-D", "-e", "-f"])
                .arg(at("sshd_config"))
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut errors = BufReader::new(server.stderr.take().unwrap());
            if listening(&mut errors, port) {
                // Read to the end, so that the server never waits for us.
                std::thread::spawn(move || errors.lines().for_each(drop));
                std::fs::write(at("known"), format!("[127.0.0.1]:{port} {host_key}")).unwrap();
                return Some(Self { folder, port, server });
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        panic!("OpenSSH's server does not start");
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bare(&self) -> PathBuf {
        self.at("it's a site.git")
    }

    /// A site whose person's ssh configuration names this key and these known hosts.
    fn place(&self) -> Place {
        let url = format!("ssh://127.0.0.1:{}{}", self.port, self.bare().display()).replace(' ', "%20");
        Place::new(&url)
    }

    /// An ssh that reads a person's configuration from elsewhere than the home of whoever runs the tests.
    fn ssh(&self, place: &Place, key: &str, known: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let config = format!(
            "IdentityFile {0}/{key}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {0}/{known}\n\
             GlobalKnownHostsFile /dev/null\nHost published\n  HostName 127.0.0.1\n  Port {1}\n",
            self.folder.path().display(),
            self.port
        );
        let file = place.home().join(format!("{key}-{known}.config"));
        std::fs::write(&file, config).unwrap();
        let script = file.with_extension("sh");
        std::fs::write(&script, format!("#!/bin/sh\nexec ssh -F '{}' \"$@\"\n", file.display())).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        script.to_str().unwrap().to_owned()
    }
}

/// Whether the server itself says that it has the port: a connection could be somebody else's.
fn listening(errors: &mut impl BufRead, port: u16) -> bool {
    let mut lines = errors.lines().map_while(Result::ok);
    lines.any(|line| line.starts_with("Server listening on 127.0.0.1") && line.contains(&format!("port {port}")))
}

#[test]
fn a_site_is_published_over_ssh_and_what_others_pushed_is_merged() {
    let Some(server) = SshServer::start() else { return };
    let place = server.place();
    let ssh = server.ssh(&place, "user", "known");
    place.published(&[("GIT_SSH", &ssh)]);
    place.check(&server.bare());
    let theirs = commit_elsewhere(&server.bare(), "theirs.txt");
    place.write("new.md");
    place.published(&[("GIT_SSH", &ssh)]);
    place.check(&server.bare());
    assert!(git(&server.bare(), &["log", "--format=%H", "main"]).contains(&theirs));
    // The short form, with a name that only the person's configuration knows.
    place.git(&["remote", "set-url", "origin", &format!("published:{}", server.bare().display())]);
    place.write("newer.md");
    place.published(&[("GIT_SSH", &ssh)]);
    place.check(&server.bare());
}

#[test]
fn a_sync_over_ssh_takes_in_what_others_pushed_and_keeps_what_is_unpublished() {
    let Some(server) = SshServer::start() else { return };
    let place = server.place();
    let ssh = server.ssh(&place, "user", "known");
    place.published(&[("GIT_SSH", &ssh)]);
    place.write("mine.md");
    let theirs = commit_elsewhere(&server.bare(), "content/theirs.md");
    let synced = place.call("site_sync", &json!({}), &[("GIT_SSH", &ssh)]);
    assert_eq!(synced["changed"][0]["path"], "theirs.md", "{synced}");
    assert_eq!(std::fs::read_to_string(place.site().join("content/theirs.md")).unwrap(), "theirs\n");
    assert!(place.site().join("content/mine.md").exists());
    assert_eq!(place.git(&["rev-parse", "main"]), theirs);
    let unpublished = place.call("change_list", &json!({}), &[]);
    assert_eq!(
        (&unpublished["total"], &unpublished["items"][0]["path"]),
        (&json!(1), &json!("mine.md")),
        "{unpublished}"
    );
    // A server that is not known is not believed, and nothing moves.
    commit_elsewhere(&server.bare(), "content/later.md");
    let refused = place.call("site_sync", &json!({}), &[("GIT_SSH", &server.ssh(&place, "user", "nobody"))]);
    assert_eq!(refused["code"], "remote_unavailable", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("its host key is not known"), "{refused}");
    assert_eq!(place.git(&["rev-parse", "main", "origin/main"]), format!("{theirs}\n{theirs}"));
    place.published(&[("GIT_SSH", &ssh)]);
    place.check(&server.bare());
}

#[test]
fn a_hook_refuses_over_ssh_and_the_publish_resumes_later() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(server) = SshServer::start() else { return };
    let place = server.place();
    let ssh = server.ssh(&place, "user", "known");
    let hook = server.bare().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho 'main is protected'\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = place.unpublished(&[("GIT_SSH", &ssh)]);
    assert!(said.contains("hook declined: main is protected"), "{said}");
    std::fs::remove_file(hook).unwrap();
    place.published(&[("GIT_SSH", &ssh)]);
    place.check(&server.bare());
}

#[test]
fn an_unknown_or_changed_host_key_is_refused_and_never_learnt() {
    let Some(server) = SshServer::start() else { return };
    let place = server.place();
    let said = place.unpublished(&[("GIT_SSH", &server.ssh(&place, "user", "nobody"))]);
    assert!(said.contains("its host key is not known"), "{said}");
    assert!(!server.at("nobody").exists(), "the host key was accepted unseen");
    let other = std::fs::read_to_string(server.at("stranger.pub")).unwrap();
    std::fs::write(server.at("changed"), format!("[127.0.0.1]:{} {other}", server.port)).unwrap();
    let said = place.unpublished(&[("GIT_SSH", &server.ssh(&place, "user", "changed"))]);
    assert!(said.contains("not the one that is known"), "{said}");
    assert_eq!(git(&server.bare(), &["for-each-ref"]), "");
}

#[test]
fn a_wrong_key_a_missing_repository_and_a_missing_ssh_are_named() {
    let Some(server) = SshServer::start() else { return };
    let place = server.place();
    let said = place.unpublished(&[("GIT_SSH", &server.ssh(&place, "stranger", "known"))]);
    assert!(said.contains("none of your ssh keys"), "{said}");
    let said = place.unpublished(&[("GIT_SSH", "/nowhere/ssh")]);
    assert!(said.contains("ssh program is not installed"), "{said}");
    place.git(&["remote", "set-url", "origin", &format!("ssh://127.0.0.1:{}/nowhere/$(touch x).git", server.port)]);
    let said = place.unpublished(&[("GIT_SSH", &server.ssh(&place, "user", "known"))]);
    assert!(said.contains("/nowhere/$(touch x).git") && said.contains("not appear to be a git repository"), "{said}");
}
