#!/usr/bin/env python3
"""Makes journals with friction planted in known places, and scores `sitewright improve report` against them.

    traces.py make OUT.jsonl [--sessions N] [--seed N] [--share P] [--clean]    also writes OUT.jsonl.planted
    traces.py score BINARY OUT.jsonl                                            precision and recall, by detector

Clean journals hold what looks like friction and is none: calls that need each other's results, reads of what somebody else
changed, a theme tried out and put back, publishes far apart, asking whether a page is there, a look after a publish.
"""
import argparse, hashlib, json, random, subprocess, sys
from datetime import datetime, timezone

TOOLS_MS = {"publish": 220, "preview": 60, "page_list": 15, "page_get": 8, "page_write": 35}


class Session:
    def __init__(self, world, number, rng):
        self.world, self.rng = world, rng
        self.name, self.seq = f"s-{number:04}", 0
        self.time = 1_790_000_000_000 + number * 3_600_000 + rng.randrange(600_000)
        self.client = rng.choice(["claude-code/2.3", "cursor/1.9", "codex/0.40"])

    def call(self, tool, shape, args=None, gap=None, outcome="ok", code=None, reads=(), writes=(), declared=None, out=None, ms=None, **more):
        rng, w = self.rng, self.world
        self.seq += 1
        self.time += int((gap if gap is not None else rng.uniform(4, 40)) * 1000)
        w.calls += 1
        reads = [f"{o}@{w.digest(o)}" for o in reads]
        changes = []
        for o, new in writes:
            old = w.objects.get(o)
            changes.append(f"{o}: {old or '-'}->{new or '-'}")
            w.objects[o] = new
        reply = json.dumps([tool, reads, changes, outcome, code, more.get("codes"), args if not reads else 0])
        record = dict(v=1, ts=datetime.fromtimestamp(self.time / 1000, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            call=f"c-{w.calls:06}", session=self.name, session_source="idle", seq=self.seq, server="0.2.0", client=self.client,
            tool=tool, arg_shape=sorted(shape), arg_digest=h(json.dumps([tool, args])), in_bytes=60 + 40 * len(shape),
            out_bytes=out if out is not None else 300 + 400 * len(reads) + rng.randrange(200), out_digest=h(reply),
            ms=round(ms if ms is not None else TOOLS_MS.get(tool, 20) * rng.uniform(0.7, 1.6), 2), outcome=outcome)
        if code: record["error_code"] = code
        if declared is not None: record["declared"] = declared
        if reads: record["reads"] = reads
        if changes: record["writes"] = changes
        record.update(more)
        w.records.append(record)
        return record["call"]


def h(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class World:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.objects, self.records, self.planted, self.calls, self.stamp = {}, [], [], 0, 0
        for n in range(400):
            self.objects[f"page:blog/p{n:03}.md"] = h(f"p{n}")
        self.objects["theme:default/layouts/page.hbs"] = h("theme")
        self.objects["site:site.yaml"] = h("site")

    def digest(self, o):
        return self.objects.get(o) or "none"

    def new(self):
        self.stamp += 1
        return h(f"new{self.stamp}")

    def page(self):
        return f"page:blog/p{self.rng.randrange(400):03}.md"

    def pages(self, n):
        return [f"page:blog/p{k:03}.md" for k in self.rng.sample(range(400), n)]


W = lambda s, o, **k: s.call("page_write", ["pages[].path", "pages[].edits[].find", "pages[].edits[].replace", "message"], args=[o, s.world.stamp],
    writes=[(o, s.world.new())], declared=["page"], **k)
R = lambda s, o, **k: s.call("page_get", ["paths[]"], args=[o], reads=[o], **k)
P = lambda s, **k: s.call("publish", ["message"], args=[s.time], declared=["site"], gap=k.pop("gap", None), **k)


# -- clean work ---------------------------------------------------------------------------------------------------------
def edit(s):
    o = s.world.page(); R(s, o); W(s, o); s.call("preview", ["pages[]"], args=[o, s.world.stamp], reads=[o], rendered=True); P(s)

def edit_many(s):
    a = s.world.pages(s.rng.randrange(2, 6)); s.call("page_get", ["paths[]"], args=a, reads=a)
    s.call("page_write", ["pages[].path", "pages[].body"], args=[a, s.world.stamp], writes=[(o, s.world.new()) for o in a], declared=["page"]); P(s)

def dependent_creates(s):
    base = f"page:new/{s.world.stamp}"; last = None
    for n in range(4):
        o = f"{base}-{n}.md"
        s.call("page_write", ["pages[].path", "pages[].body", "pages[].create"], args=[o], writes=[(o, s.world.new())], declared=["page"])
        R(s, o, gap=s.rng.uniform(130, 200))

def content_dependent(s):
    for o in s.world.pages(4): R(s, o); W(s, o)
    P(s)

def after_external(s):
    o = s.world.page(); R(s, o)
    other = Session(s.world, 9000 + s.world.calls, s.rng); other.time = s.time; W(other, o, gap=3)
    s.call("page_write", ["pages[].path", "pages[].body", "pages[].if_match"], args=[o], outcome="error", code="conflict", targets=[o], gap=30)
    R(s, o); W(s, o); P(s)

def theme_trial(s):
    t = "theme:default/layouts/page.hbs"; old = s.world.objects[t]
    s.call("theme_write", ["files[].path", "files[].edits[].find"], args=[s.world.stamp], writes=[(t, s.world.new())], declared=["theme"])
    s.call("preview", ["pages[]"], args=["t", s.world.stamp], reads=[s.world.page()], rendered=True)
    s.call("revision_restore", ["undo[]"], args=[s.world.stamp], writes=[(t, old)], declared=["theme", "page"], gap=700)

def spread_publishes(s):
    for o in s.world.pages(3): W(s, o, gap=s.rng.uniform(200, 500)); P(s, gap=s.rng.uniform(200, 500))

def probes(s):
    o = f"page:maybe/{s.world.calls}.md"
    s.call("page_get", ["paths[]"], args=[o], outcome="error", code="not_found", targets=[o])
    s.call("page_write", ["pages[].path", "pages[].body", "pages[].create"], args=[o], writes=[(o, s.world.new())], declared=["page"]); P(s)

def look_after(s):
    o = s.world.page(); W(s, o); P(s); R(s, o, gap=s.rng.uniform(130, 300), rendered=True)

def list_and_read(s):
    a = s.world.pages(9); s.call("page_list", ["section"], args=["blog", s.world.calls], reads=a)
    for o in a[:2]: R(s, o)
    W(s, a[0]); P(s)

def two_tasks_same_page(s):
    o = s.world.page(); R(s, o); W(s, o); P(s); R(s, o, gap=900); W(s, o); P(s)

def export(s):
    s.call("content_export", ["section"], args=[s.world.calls], reads=s.world.pages(30), out=90_000)

CLEAN = [edit] * 4 + [edit_many] * 3 + [dependent_creates, content_dependent, after_external, theme_trial, spread_publishes, probes, look_after,
    list_and_read, two_tasks_same_page, export]


# -- friction -----------------------------------------------------------------------------------------------------------
def f01(s):
    return [W(s, o) for o in s.world.pages(s.rng.randrange(3, 7))]

def f02(s):
    o = s.world.page(); return [W(s, o), R(s, o)]

def f03(s):
    o = s.world.page(); a = R(s, o); s.call("site_get", [], args=[s.world.calls]); return [a, R(s, o)]

def f04(s):
    o = s.world.page()
    a = s.call("page_move", ["path", "to"], args=[o, s.world.calls], outcome="error", code="invalid_arguments", targets=[o])
    return [a, s.call("page_move", ["moves[].from", "moves[].to"], args=[o], writes=[(o, s.world.new())], declared=["page"])]

def f05(s):
    o = s.world.page(); t = "theme:default/layouts/page.hbs"; old = s.world.objects[t]
    a = s.call("page_write", ["pages[].path", "pages[].body"], args=[o], writes=[(o, s.world.new()), (t, s.world.new())], declared=["page"])
    b = s.call("revision_restore", ["undo[]"], args=[o, a], writes=[(t, old)], declared=["theme"]); return [a, b]

def f06(s):
    o = s.world.page(); W(s, o); a = P(s); b = s.call("page_get", ["paths[]", "include[]"], args=[o, a], reads=[o], rendered=True)
    c = W(s, o); return [a, b, c]

def f07(s):
    o = s.world.page(); out = []
    for n in range(2):
        out.append(s.call("preview", ["pages[]"], args=[o, n, s.world.stamp], reads=[o], codes=["broken_link"], rendered=True)); out.append(W(s, o))
    return out

def f08(s):
    o = s.world.page(); return [s.call("page_list", ["text"], args=[o, s.world.calls], reads=[o]), R(s, o)]

def f09(s):
    a = s.world.pages(8); out = [s.call("page_list", ["section"], args=["x", s.world.calls], reads=a)]
    return out + [R(s, o) for o in a[:s.rng.randrange(4, 8)]]

def f10(s):
    a = s.world.pages(12); x = s.call("page_get", ["paths[]"], args=a, reads=a, out=s.rng.randrange(50_000, 90_000))
    return [x, s.call("page_get", ["paths[]", "lines"], args=[a[0], "1-10"], reads=[a[0]], out=700)]

def f11(s):
    k = s.world.calls; out = [s.call("page_list", ["section", "limit"], args=[k, 0], reads=s.world.pages(10))]
    return out + [s.call("page_list", ["section", "limit", "cursor"], args=[k, n], reads=s.world.pages(10)) for n in range(1, s.rng.randrange(4, 7))]

def f12(s):
    return [s.call("publish", ["message"], args=[s.time], ms=s.rng.uniform(4000, 9000))]

def f13(s):
    o = s.world.page(); out = [R(s, o)][:0]
    for n in range(2):
        out.append(s.call("page_write", ["pages[].path", "pages[].body", "pages[].if_match"], args=[o, n], outcome="error", code="conflict", targets=[o])); out.append(R(s, o))
    return out + [W(s, o)]

def f14(s):
    o = f"asset:img/{s.world.calls}.png"
    x = s.call("asset_write", ["uploads[].path", "uploads[].url"], args=[o], outcome="error", code="fetch_refused", targets=[o])
    s.call("site_get", [], args=[s.world.calls]); s.time += 700_000; return [x]

def f15(s):
    return [s.call(s.rng.choice(["page_rename", "page_renames"]), ["from", "to"], args=[s.world.calls], outcome="unknown_tool")]

def f17(s):
    k = s.world.calls; return [s.call("change_list", [], args=["poll"], gap=s.rng.uniform(5, 60)) for _ in range(s.rng.randrange(3, 6))]

def f20(s):
    o = s.world.page(); old = s.world.objects[o]; a = W(s, o)
    return [a, s.call("revision_restore", ["undo[]"], args=[a], writes=[(o, old)], declared=["page"])]

PLANTS = {"F01": f01, "F02": f02, "F03": f03, "F04": f04, "F05": f05, "F06": f06, "F07": f07, "F08": f08, "F09": f09, "F10": f10, "F11": f11,
    "F12": f12, "F13": f13, "F14": f14, "F15": f15, "F17": f17, "F20": f20}


def make(options):
    world = World(options.seed); rng = world.rng
    for n in range(options.sessions):
        s = Session(world, n, rng)
        for _ in range(rng.randrange(2, 6)):
            s.time += rng.randrange(650_000, 900_000)
            if not options.clean and rng.random() < options.share:
                kind = rng.choice(list(PLANTS)); world.planted.append({"detector": kind, "calls": PLANTS[kind](s)})
            else:
                rng.choice(CLEAN)(s)
    world.records.sort(key=lambda r: r["ts"])
    with open(options.out, "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in world.records)
    json.dump(world.planted, open(options.out + ".planted", "w"))
    print(f"{len(world.records)} calls, {len(world.planted)} planted")


def score(options):
    report = json.loads(subprocess.run([options.binary, "improve", "report", "--journal", options.journal, "--json"], capture_output=True, check=True).stdout)
    planted = json.load(open(options.journal + ".planted")); found = report["findings"]
    overlap = lambda a, b: len(set(a) & set(b)) / len(set(a) | set(b))
    hit_found, hit_planted = set(), set()
    for i, p in enumerate(planted):
        for j, f in enumerate(found):
            if f["detector"] == p["detector"] and overlap(p["calls"], f["calls"]) >= 0.5:
                hit_planted.add(i); hit_found.add(j)
    # Information about what is no friction is not counted as an alarm where nothing was planted.
    alarms = [j for j in range(len(found)) if j not in hit_found]
    print(f"calls {report['calls']}  planted {len(planted)}  found {len(found)}  "
          f"precision {len(hit_found) / max(len(found), 1):.3f}  recall {len(hit_planted) / max(len(planted), 1):.3f}  "
          f"false alarms per 1,000 calls {1000 * len(alarms) / max(report['calls'], 1):.2f}  "
          f"critical ones {sum(found[j]['severity'] == 'critical' for j in alarms)}")
    for d in sorted({p["detector"] for p in planted} | {f["detector"] for f in found}):
        p = [i for i, x in enumerate(planted) if x["detector"] == d]; f = [j for j, x in enumerate(found) if x["detector"] == d]
        print(f"  {d}  planted {len(p):4}  found {len(f):4}  precision {sum(j in hit_found for j in f) / max(len(f), 1):.2f}  recall {sum(i in hit_planted for i in p) / max(len(p), 1):.2f}"
              + (f"   e.g. {found[[j for j in f if j not in hit_found][0]]['calls']}" if any(j not in hit_found for j in f) else ""))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(required=True)
    m = sub.add_parser("make"); m.add_argument("out"); m.add_argument("--sessions", type=int, default=400); m.add_argument("--seed", type=int, default=1)
    m.add_argument("--share", type=float, default=0.35); m.add_argument("--clean", action="store_true"); m.set_defaults(run=make)
    c = sub.add_parser("score"); c.add_argument("binary"); c.add_argument("journal"); c.set_defaults(run=score)
    options = parser.parse_args(); options.run(options)
