#!/usr/bin/env python3
"""Times how long after a file is saved the preview serves it, beside Hugo's development server, on the sites of `peers.py`.

    save.py --ours BINARY [--hugo BINARY] [--posts 1000] [--saves 8]

Each save adds a line to one post; the page is asked for until the line is in it. One engine after the other, medians in milliseconds.
Standard library only.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peers

POST = "/%s/post-00007" % peers.section(7)
# A save that is not served by then counts as this long.
PATIENCE = 60


def fetch(url):
    try:
        return urllib.request.urlopen(url, timeout=PATIENCE).read().decode()
    except (urllib.error.URLError, ConnectionError):
        return ""


def wait_for(text, url, pause):
    started = time.perf_counter()
    while text not in fetch(url) and time.perf_counter() - started < PATIENCE:
        time.sleep(pause)
    return (time.perf_counter() - started) * 1000


def saves(name, command, source, count, url=None):
    """Milliseconds until each save is served."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if url is None:
        url = server.stderr.readline().split("Preview:")[1].split()[0].rstrip("/")
    url += POST + "/"
    wait_for("<html", url, 0.05)
    time.sleep(2)
    times = []
    for number in range(count):
        mark = "Saved-%d-%d" % (number, time.time_ns())
        with open("%s/content%s.md" % (source, POST), "a", encoding="utf-8") as file:
            file.write("\n%s\n" % mark)
        times.append(wait_for(mark, url, 0.002))
        time.sleep(1)
    server.terminate()
    server.wait()
    print("%-12s %6.0f ms" % (name, statistics.median(times)), flush=True)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--hugo", default=shutil.which("hugo"))
    parser.add_argument("--posts", type=int, default=1_000)
    parser.add_argument("--saves", type=int, default=8)
    args = parser.parse_args()
    root = tempfile.mkdtemp(prefix="save-")
    ours, hugo = root + "/ours", root + "/hugo"
    peers.ours(ours, args.posts, True)
    subprocess.run("git init -q -b main . && git add -A && git -c user.name=b -c user.email=b@e.org commit -qm start", shell=True, check=True, cwd=ours)
    print("%d posts, load %.1f: from a save to the page" % (args.posts, os.getloadavg()[0]))
    mine = saves("sitewright", [os.path.abspath(args.ours), "preview", "--site", ours], ours, args.saves)
    if args.hugo:
        peers.hugo(hugo, args.posts, True)
        command = [args.hugo, "server", "-s", hugo, "--port", "14555"]
        print("ours / hugo  %6.3f" % (mine / saves("hugo", command, hugo, args.saves, "http://localhost:14555")))
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
