#!/usr/bin/env python3
"""Times the running server on generated sites of several sizes beside plain git on the same files, in one run.

    edits.py --ours BINARY [--posts 1000,10000,50000] [--edits 50] [--publishes 5] [--keep DIR]

The sites are those of `peers.py`, in a git repository with a bare remote in a folder beside it. Every figure is what a client over
stdio sees: wall milliseconds from sending a call to its reply, the server's work and the transport together, and behind the slash the
milliseconds of CPU that the server's threads took for it (where /proc tells). Each edit is of another page.
The plain git rows run on a clone of the same repository, with a bare remote of its own: `commit and push` takes exactly the files that the
publish before it changed, sources and output, and builds nothing. Standard library only.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers

GIT = ["git", "-c", "user.name=b", "-c", "user.email=b@e.org", "-c", "gc.auto=0"]


def git(folder, *arguments):
    done = subprocess.run([*GIT, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("git %s failed: %s" % (" ".join(arguments[:3]), done.stderr[-2000:]))
    return done.stdout


def timed(work):
    started = time.perf_counter()
    result = work()
    return (time.perf_counter() - started) * 1000, result


class Server:
    """One client of one server over stdio."""

    def __init__(self, binary, site):
        self.number = 0
        self.process = subprocess.Popen([binary, "serve", "--site", site, "--no-preview"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, method, params):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while True:
            reply = json.loads(self.process.stdout.readline())
            if reply.get("id") == self.number:
                return reply["result"]

    def call(self, tool, arguments):
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            sys.exit("%s failed: %s" % (tool, json.dumps(result)[:2000]))
        return result.get("structuredContent")

    def cpu(self):
        """Milliseconds of CPU that its threads have taken."""
        total, folder = 0, "/proc/%d/task" % self.process.pid
        for thread in os.listdir(folder) if os.path.isdir(folder) else []:
            try:
                with open("%s/%s/schedstat" % (folder, thread)) as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass
        return total / 1e6

    def timed(self, work):
        """(wall, CPU) milliseconds of one call."""
        before = self.cpu()
        wall, _ = timed(work)
        return wall, max(0.0, self.cpu() - before)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def path_of(number):
    return "%s/post-%05d.md" % (peers.section(number % peers.SECTIONS), number)


def edit(server, number):
    # Another text each time, in a site that is used again too.
    body = "Edit %d, at %d.\n\n```rust\nfn main() {}\n```\n" % (number, time.time_ns())
    page = {"path": path_of(number), "body": body, "if_match": "*"}
    return server.call("page_write", {"pages": [page], "include": ["html"]})


def make(root, posts):
    """A published site of so many posts, its bare remote, and a clone with a remote of its own for plain git."""
    site = root + "/site"
    peers.ours(site, posts, True)
    git(site, "init", "-q", "-b", "main")
    for name in ("remote", "plain-remote"):
        git(root, "init", "-q", "--bare", "-b", "main", name + ".git")
    git(site, "config", "user.name", "b")
    git(site, "config", "user.email", "b@e.org")
    git(site, "add", "-A")
    git(site, "commit", "-qm", "start")
    git(site, "remote", "add", "origin", root + "/remote.git")


def clone(root):
    """The clone for plain git, as big and as packed as the site's own repository."""
    site, plain = root + "/site", root + "/plain"
    for where in (site, root + "/remote.git"):
        git(where, "gc", "-q")
    git(root, "clone", "-q", "remote.git", "plain")
    git(plain, "remote", "set-url", "origin", root + "/plain-remote.git")
    git(plain, "push", "-q", "origin", "main")


def take(root, site_commit):
    """Puts the files of a publish into the clone, without committing them; their names."""
    site, plain = root + "/site", root + "/plain"
    names = git(site, "diff", "--name-only", "-z", site_commit + "^1", site_commit).split("\0")[:-1]
    for name in names:
        source = site + "/" + name
        if os.path.exists(source):
            os.makedirs(os.path.dirname(plain + "/" + name), exist_ok=True)
            shutil.copyfile(source, plain + "/" + name)
        else:
            os.remove(plain + "/" + name)
    return names


def measure(binary, root, posts, args):
    """[(row, milliseconds...)] of one site."""
    site, plain, rows = root + "/site", root + "/plain", {}
    add = lambda row, ms: rows.setdefault(row, []).append(ms if isinstance(ms, tuple) else (ms, 0.0))
    if not os.path.exists(plain):
        make(root, posts)
        server = Server(binary, site)
        server.call("publish", {"message": "first", "local_commits": True})
        server.stop()
        clone(root)
    # Once unmeasured, so that whatever is kept between processes is there.
    server = Server(binary, site)
    server.call("site_get", {})
    server.stop()
    for _ in range(3):
        started = time.perf_counter()
        server = Server(binary, site)
        add("start: ready", (time.perf_counter() - started) * 1000)
        add("start: first site_get", server.timed(lambda: server.call("site_get", {})))
        add("start: first edit", server.timed(lambda: edit(server, int(time.time() * 1000) % posts)))
        server.stop()
    server = Server(binary, site)
    edit(server, 0)
    for number in range(1, args.edits + 1):
        add("page_write", server.timed(lambda: edit(server, number % posts)))
    one = "content/" + path_of(1)
    for _ in range(10):
        add("site_get", server.timed(lambda: server.call("site_get", {})))
        add("change_list", server.timed(lambda: server.call("change_list", {})))
        add("change_diff of one", server.timed(lambda: server.call("change_diff", {"paths": [one]})))
        add("revision_list of one", server.timed(lambda: server.call("revision_list", {"paths": [one]})))
    server.call("publish", {"message": "all of them"})
    take(root, "main")
    git(plain, "add", "-A")
    git(plain, "commit", "-qm", "all of them")
    git(plain, "push", "-q", "origin", "main")
    for number in range(args.publishes):
        edit(server, number + args.edits + 1)
        add("publish of one page", server.timed(lambda: server.call("publish", {"message": "one page"})))
        names = take(root, "main")
        add("git add, commit and push", timed(lambda: (
            git(plain, "add", "-A", "--", *names), git(plain, "commit", "-qm", "one page"), git(plain, "push", "-q", "origin", "main")))[0])
        rows["files of that publish"] = [(len(names), 0.0)]
        with open("%s/%s" % (plain, one), "a", encoding="utf-8") as file:
            file.write("\nOne more.\n")
        add("git status", timed(lambda: git(plain, "status", "--porcelain"))[0])
        add("git diff of one", timed(lambda: git(plain, "diff", "--", one))[0])
        add("git log of one", timed(lambda: git(plain, "log", "-20", "--format=%H", "--", one))[0])
        add("git commit of one", timed(lambda: (git(plain, "add", one), git(plain, "commit", "-qm", "x", "--", one)))[0])
        git(plain, "push", "-q", "origin", "main")
    server.stop()
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--posts", default="1000,10000,50000")
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--publishes", type=int, default=5)
    parser.add_argument("--keep", help="use this folder and keep it: sites that are there are used again")
    args = parser.parse_args()
    root = os.path.abspath(args.keep or tempfile.mkdtemp(prefix="edits-"))
    sizes = [int(size) for size in args.posts.split(",")]
    tables = []
    for size in sizes:
        folder = "%s/%d" % (root, size)
        os.makedirs(folder, exist_ok=True)
        tables.append(measure(os.path.abspath(args.ours), folder, size, args))
        print("%d posts done, load %.1f" % (size, os.getloadavg()[0]), file=sys.stderr)
    print("milliseconds: median, 99th percentile, and median of CPU; load %.1f" % os.getloadavg()[0])
    print("%-26s" % "posts" + "".join("%30d" % size for size in sizes))
    for row in tables[0]:
        cells = ""
        for table in tables:
            walls, cpus = (sorted(column) for column in zip(*table[row]))
            last = walls[min(len(walls) - 1, int(len(walls) * 0.99))]
            cells += "%12.1f %9.1f %7s" % (statistics.median(walls), last, "/%.1f" % statistics.median(cpus) if any(cpus) else "")
        print("%-26s%s" % (row, cells))
    if not args.keep:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
