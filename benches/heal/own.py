#!/usr/bin/env python3
"""Does an editor's work on this repository's own site, as agents do it, and leaves the journal for `improve report`.

    own.py BINARY OUT.jsonl

Ten jobs, each by three operators with different habits, on a clone with a remote of its own; nothing of this repository changes.
The operators know what a person would tell them and what the tool list says; they look things up where they do not.
"""
import glob, json, os, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Server:
    def __init__(self, binary, site, name):
        self.child = subprocess.Popen([binary, "serve", "--site", site], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.number, self.count = 0, 0
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": name, "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.child.stdin.write(json.dumps(message) + "\n"); self.child.stdin.flush()

    def ask(self, method, params):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while True:
            answer = json.loads(self.child.stdout.readline())
            if answer.get("id") == self.number:
                return answer

    def __call__(self, tool, **arguments):
        self.count += 1
        answer = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if "error" in answer:
            return {"code": "unknown_tool", **answer["error"]}
        return json.loads(answer["result"]["content"][0]["text"])

    def close(self):
        self.child.stdin.close(); self.child.wait()


def typo(call, who, n):
    """`wherever` is to be written as two words, somewhere; nobody knows where."""
    hits = call("text_search", query="busy machine" if who else "one line per tool call", limit=5)
    path = (hits.get("matches") or hits.get("items") or [{}])[0].get("path", "docs/journal.md")
    page = call("page_get", paths=[path])
    call("page_write", pages=[{"path": path, "front_matter": {"params": {"checked": n}}}], message="Checked")
    call("publish", paths=[path])

def sentence(call, who, n):
    """One more sentence at the end of a page that is known by its title."""
    found = call("page_list", text="Change sets", limit=3)
    path = found["items"][0]["path"]
    page = call("page_get", paths=[path], include=["body"])["pages"][0]
    last = page["body"].rstrip().split("\n")[-1]
    call("page_write", pages=[{"path": path, "edits": [{"find": last, "replace": last + "\nMore %d." % n}]}])
    call("preview", pages=[path], **{"as": "text"})
    call("publish")

def new_page(call, who, n):
    call("page_list", section="docs", fields=["title", "weight"])
    path = "docs/tip-%d.md" % n
    call("page_write", pages=[{"path": path, "create": True, "front_matter": {"title": "Tip %d" % n, "weight": 200 + n}, "body": "A tip. See [tools](tools.md).\n"}], include=["html"] if who else [])
    if not who: call("preview", pages=[path], **{"as": "html"})
    call("publish")

def long_page(call, who, n):
    """A table in the longest page gets one more row."""
    page = call("page_get", paths=["docs/coming-from-a-cms.md"])["pages"][0]
    lines = page["body_lines"]
    if "next" in page or who == 1:
        call("page_get", paths=["docs/coming-from-a-cms.md"], lines="%d-%d" % (lines - 10, lines))
    call("page_write", pages=[{"path": "docs/coming-from-a-cms.md", "front_matter": {"params": {"rows": n}}}])
    call("publish")

def rename(call, who, n):
    call("page_write", pages=[{"path": "docs/draft-%d.md" % n, "create": True, "front_matter": {"title": "Draft %d" % n}, "body": "Text.\n"}])
    call("page_move", moves=[{"from": "docs/draft-%d.md" % n, "to": "docs/note-%d.md" % n}])
    call("publish")

def order(call, who, n):
    pages = call("page_list", section="docs", fields=["title", "weight"])["items"][:6]
    call("page_write", pages=[{"path": p["path"], "front_matter": {"params": {"order": n + i}}} for i, p in enumerate(pages)])
    call("preview", pages=["/docs/"], **{"as": "text"})
    call("publish")

def colour(call, who, n):
    call("theme_get")
    call("theme_write", settings={"accent": ["teal", "navy", "#333366"][who]})
    call("preview", pages=["/"], **{"as": "html"})
    call("publish")

def health(call, who, n):
    found = call("site_check")
    call("site_get", include=["changes"])
    if found.get("total") or found.get("items"): call("page_list", status="draft")

def look_back(call, who, n):
    path = "docs/themes.md"
    call("page_write", pages=[{"path": path, "front_matter": {"params": {"seen": n}}}])
    call("publish", paths=[path])
    revisions = call("revision_list", paths=[path], limit=3)["items"]
    call("revision_restore", undo=[revisions[0]["id"]])
    call("publish", paths=[path])

def two_pages(call, who, n):
    got = call("page_get", paths=["docs/journal.md", "docs/words.md"], include=["front_matter"])
    call("page_write", pages=[{"path": p["path"], "front_matter": {"params": {"pair": n}}} for p in got["pages"]])
    if who == 2: call("change_diff", **{"as": "unified"})
    call("publish")

JOBS = [typo, sentence, new_page, long_page, rename, order, colour, health, look_back, two_pages]


def main():
    binary, out = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        site, remote = os.path.join(folder, "site"), os.path.join(folder, "remote.git")
        git = lambda *words: subprocess.run(["git", *words], check=True, capture_output=True)
        git("clone", "-q", ROOT, site)
        git("init", "-q", "--bare", "-b", "main", remote)
        git("-C", site, "checkout", "-q", "-B", "main"); git("-C", site, "remote", "remove", "origin"); git("-C", site, "remote", "add", "origin", "file://" + remote)
        git("-C", site, "config", "user.name", "Editor"); git("-C", site, "config", "user.email", "editor@localhost"); git("-C", site, "push", "-q", "-u", "origin", "main")
        shutil.rmtree(os.path.join(site, ".sitewright"), ignore_errors=True)
        for who, name in enumerate(["careful", "quick", "curious"]):
            for number, job in enumerate(JOBS):
                server = Server(binary, site, name)
                try:
                    job(server, who, who * 100 + number)
                except Exception as error:  # an operator who is lost stops; the journal tells
                    print("%s %s: stopped: %r" % (name, job.__name__, error))
                print("%s %s: %d calls" % (name, job.__name__, server.count))
                server.close()
        with open(out, "w") as file:
            for path in sorted(glob.glob(os.path.join(site, ".sitewright/var/journal/*.jsonl"))):
                file.write(open(path).read())


if __name__ == "__main__":
    main()
