#!/usr/bin/env python3
"""A second maker of journals, which shares nothing with traces.py but the documented format and the scoring.

    other_traces.py make OUT.jsonl [--sessions N] [--seed N] [--share P] [--noise P] [--clean] [--server ours|other]
    traces.py score BINARY OUT.jsonl

Written from the table in content/docs/journal.md: other tool names (`--server other`), publishes that name what went out, sessions
that overlap in time, several shapes of each kind of friction, and noise between its calls: unrelated reads, slips of the pen,
errors that pass by themselves. Clean work has the cases that look like friction and are none.
"""
import argparse, json, random, zlib
from datetime import datetime, timedelta, timezone

OURS = dict(get="page_get", write="page_write", list="page_list", search="text_search", preview="preview", publish="publish", undo="revision_restore",
            theme="theme_write", asset="asset_write", move="page_move", about="site_get", status="change_list", remove="page_delete")
OTHER = dict(get="get_content", write="update_content", list="list_content", search="search_content", preview="preview_content", publish="publish_content",
             undo="revert_to_version", theme="update_theme", asset="upload_asset", move="move_content", about="get_site_info", status="get_status", remove="delete_content")
MS = dict(get=6, write=30, list=12, search=25, preview=80, publish=300, undo=40, theme=90, asset=60, move=45, about=5, status=9, remove=30)


def short(*parts):
    return "%08x" % zlib.crc32(repr(parts).encode())


class Maker:
    def __init__(self, options):
        self.o, self.r = options, random.Random(options.seed * 7919 + 13)
        self.names = OURS if options.server == "ours" else OTHER
        self.state, self.lines, self.planted, self.count, self.fresh = {}, [], [], 0, 0
        self.folders = ["blog", "docs", "team", "events"]
        for f in self.folders:
            for n in range(120):
                self.state[f"page:{f}/{n}.md"] = short(f, n)
        for t in ("page", "list", "base"):
            self.state[f"theme:main/layouts/{t}.hbs"] = short(t)

    def value(self):
        self.fresh += 1
        return short("v", self.fresh)


class Talk:
    """One session: a clock of its own, so that sessions overlap."""

    def __init__(self, maker, n):
        self.m, self.r, self.id = maker, maker.r, f"conn-{n}"
        self.clock = datetime(2026, 10, 1, tzinfo=timezone.utc) + timedelta(minutes=self.r.randrange(60 * 24 * 20))
        self.seq, self.client = 0, self.r.choice(["claude-code 2.4.1", "vscode 1.104", "zed 0.210", ""])
        self.quiet = False

    def pause(self, minutes):
        self.clock += timedelta(minutes=minutes)

    def noise(self):
        if self.quiet or self.r.random() >= self.m.o.noise:
            return
        self.quiet = True
        kind = self.r.randrange(3)
        if kind == 0:
            self.go("about", ["include[]"], say=("about", self.m.count))
        elif kind == 1:  # a slip that is never the same twice
            o = self.page(); field = self.r.choice("abcdefgh") + str(self.m.count)
            self.go("write", ["pages[].path", f"pages[].{field}"], say=o, fail="invalid_arguments", about=[o])
            self.write(o)
        else:  # an error that passes by itself
            o = self.page(); self.go("get", ["paths[]"], say=o, fail="busy", about=[o]); self.read(o)
        self.quiet = False

    def go(self, what, shape, say=None, wait=None, fail=None, about=(), read=(), write=(), may=None, size=None, ms=None, tool=None, **more):
        m = self.m
        self.clock += timedelta(seconds=wait if wait is not None else self.r.choice([2, 5, 9, 14, 30, 55]))
        self.seq += 1; m.count += 1
        line = dict(v=1, ts=self.clock.isoformat(timespec="milliseconds"), call=f"{self.id}/{self.seq}", session=self.id, session_source="connection",
                    seq=self.seq, server="0.3.0", client=self.client, tool=tool or m.names[what], arg_shape=shape, arg_digest=short(what, say),
                    in_bytes=40 + 30 * len(shape), ms=ms if ms is not None else round(MS.get(what, 20) * self.r.uniform(0.6, 1.8), 1), outcome="error" if fail else "ok")
        if fail: line["error_code"] = fail
        if about: line["targets"] = list(about)
        shown = [f"{o}@{m.state.get(o)}" for o in read]
        if read: line["reads"] = shown
        done = []
        for o, new in write:
            done.append(dict(object=o, old=m.state.get(o), new=new))
            if not more.get("dry_run"):
                m.state[o] = new
        if done: line["writes"] = done
        if may is not None: line["declared"] = may
        if done and not more.get("dry_run"): line["commit"] = short("c", m.count)
        line["out_digest"] = short(shown, done, fail, more.get("codes"), say if not read else None)
        line["out_bytes"] = size or 220 + 500 * len(read) + 180 * len(done) + self.r.randrange(150)
        line.update(more)
        m.lines.append((self.clock, self.seq, line))
        return line["call"]

    def page(self):
        return f"page:{self.r.choice(self.m.folders)}/{self.r.randrange(120)}.md"

    def some(self, n):
        f = self.r.choice(self.m.folders)
        return [f"page:{f}/{k}.md" for k in self.r.sample(range(120), n)]

    def read(self, o, **k):
        return self.go("get", ["paths[]"], say=o, read=[o], **k)

    def write(self, o, shape=None, **k):
        return self.go("write", shape or self.r.choice([["pages[].edits[].find", "pages[].edits[].replace", "pages[].path"], ["pages[].front_matter.title", "pages[].path"]]),
                       say=(o, self.m.fresh), write=[(o, self.m.value())], may=["page"], **k)

    def publish(self, *objects, **k):
        return self.go("publish", ["message", "paths[]"] if objects else ["message"], say=(objects, self.m.count), read=objects, may=[], **k)

    def look(self, o, **k):
        return self.go("preview", ["as", "pages[]"], say=(o, self.m.fresh), read=[o], rendered=True, **k)


# -- work without friction ----------------------------------------------------------------------------------------------
def plain_edit(t):
    o = t.page(); t.read(o); t.noise(); t.write(o); t.look(o); t.publish(o)

def batch_edit(t):
    a = t.some(t.r.randrange(3, 9)); t.go("get", ["paths[]"], say=a, read=a)
    t.go("write", ["pages[].edits[].find", "pages[].edits[].replace", "pages[].path"], say=(a, t.m.fresh), write=[(o, t.m.value()) for o in a], may=["page"]); t.noise(); t.publish(*a)

def dependent_creates(t):
    parent = f"page:guide/{t.m.count}.md"
    t.go("write", ["pages[].body", "pages[].create", "pages[].path"], say=parent, write=[(parent, t.m.value())], may=["page"])
    for n in range(3):
        child = f"{parent[:-3]}-{n}.md"
        t.go("preview", ["pages[]"], say=(parent, n), read=[parent], rendered=True)
        t.go("write", ["pages[].body", "pages[].create", "pages[].path"], say=child, write=[(child, t.m.value())], may=["page"]); parent = child
    t.publish()

def edits_after_external_change(t):
    o = t.page(); t.read(o)
    if t.r.random() < 0.5:  # somebody in the journal
        t.m.talks += 1; other = Talk(t.m, f"x{t.m.talks}"); other.clock = t.clock; other.quiet = True; other.write(o, wait=5)
    else:  # a person with an editor, whom no journal knows
        t.m.state[o] = t.m.value()
    t.go("write", ["pages[].body", "pages[].if_match", "pages[].path"], say=(o, t.m.fresh), fail="conflict", about=[o], wait=25)
    t.read(o); t.write(o, shape=["pages[].body", "pages[].if_match", "pages[].path"]); t.publish(o)

def deliberate_theme_undo(t):
    h = "theme:main/layouts/" + t.r.choice(["page", "list", "base"]) + ".hbs"; old = t.m.state[h]
    t.go("theme", ["files[].edits[].find", "files[].edits[].replace", "files[].path", "name"], say=(h, t.m.fresh), write=[(h, t.m.value())], may=["theme"])
    if t.r.random() < 0.7: t.look(t.page())
    t.go("undo", ["undo[]"], say=(h, t.m.fresh), write=[(h, old)], may=["theme", "page"])

def spread_out_publishes(t):
    for o in t.some(4): t.write(o, wait=150); t.publish(o, wait=200)

def existence_probe(t):
    o = f"page:new/{t.m.count}.md"; t.go("get", ["paths[]"], say=o, fail="not_found", about=[o])
    t.go("write", ["pages[].body", "pages[].create", "pages[].front_matter.title", "pages[].path"], say=o, write=[(o, t.m.value())], may=["page"]); t.noise(); t.publish(o)

def look_after_publish(t):
    o = t.page(); t.write(o); t.publish(o); t.look(o)

def search_and_choose(t):
    a = t.some(6); t.go("search", ["query"], say=("q", t.m.count), read=a); t.read(a[2]); t.write(a[2]); t.publish(a[2])

def dry_run_first(t):
    a = t.some(5); t.go("write", ["dry_run", "pages[].edits[].find", "pages[].path"], say=a, write=[(o, t.m.value()) for o in a], may=["page"], dry_run=True)
    t.go("write", ["pages[].edits[].find", "pages[].path"], say=(a, 1), write=[(o, t.m.value()) for o in a], may=["page"]); t.publish(*a)

def read_each_then_write_each(t):
    for o in t.some(3): t.read(o); t.write(o); t.noise()
    t.publish()

def reads_for_several_tasks(t):
    a = t.some(7); t.go("list", ["limit", "section"], say=("l", t.m.count), read=a)
    for o in a[:5]: t.read(o, wait=t.r.choice([150, 260]))

def second_task_same_page(t):
    o = t.page(); t.read(o); t.write(o); t.publish(o); t.pause(12); t.read(o); t.write(o); t.publish(o)

def different_diagnostics(t):
    o = t.page(); t.go("preview", ["pages[]"], say=(o, t.m.fresh), read=[o], codes=["broken_link"], rendered=True); t.write(o)
    t.go("preview", ["pages[]"], say=(o, t.m.fresh), read=[o], codes=["missing_alt"], rendered=True); t.write(o); t.publish(o)

def few_pages_of_a_list(t):
    k = t.m.count; t.go("list", ["limit", "section"], say=k, read=t.some(8)); t.go("list", ["cursor", "limit", "section"], say=(k, 1), read=t.some(8))

CLEAN = [plain_edit] * 5 + [batch_edit] * 3 + [dependent_creates, edits_after_external_change, deliberate_theme_undo, spread_out_publishes, existence_probe,
         look_after_publish, search_and_choose, dry_run_first, read_each_then_write_each, reads_for_several_tasks, second_task_same_page, different_diagnostics, few_pages_of_a_list]


# -- friction, each in more than one shape ------------------------------------------------------------------------------
def F01(t):
    way = t.r.randrange(3); a = t.some(t.r.randrange(3, 7))
    if way == 0:  # publishes in a row
        for o in a: t.write(o, wait=130)
        return [t.publish(o, wait=8) for o in a]
    if way == 1: t.go("list", ["section"], say=("l", t.m.count), read=a)
    out = []
    for n, o in enumerate(a):
        if way == 2 and n == 1: t.go("about", [], say=("site", t.m.count))
        out.append(t.write(o, shape=["pages[].front_matter.tags[]", "pages[].path"]))
    return out

def F02(t):
    o = t.page(); w = t.write(o)
    if t.r.random() < 0.3: t.go("status", [], say=("s", t.m.count))
    return [w, t.read(o)]

def F03(t):
    a = t.some(2); x = t.go("get", ["include[]", "paths[]"], say=a, read=a); t.go("search", ["query"], say=("z", t.m.count), read=t.some(4))
    return [x, t.go("get", ["include[]", "paths[]"], say=a, read=a, wait=t.r.choice([20, 90, 300]))]

def F04(t):
    o = t.page(); out = []
    for n in range(t.r.choice([1, 1, 2])):
        out.append(t.go("write", [["text", "path"], ["pages[].content", "pages[].path"]][n], say=(o, n), fail="invalid_arguments", about=t.r.choice([[o], []])))
    return out + [t.write(o, shape=["pages[].body", "pages[].if_match", "pages[].path"])]

def F05(t):
    o, h = t.page(), "theme:main/layouts/base.hbs"; old = t.m.state[h]
    bad = t.go("write", ["pages[].body", "pages[].path"], say=(o, t.m.fresh), write=[(o, t.m.value()), (h, t.m.value())], may=t.r.choice([["page"], [o], ["page:*"]]))
    if t.r.random() < 0.5: return [bad]
    t.go("about", ["include[]"], say=("theme", t.m.count))
    return [bad, t.go("theme", ["files[].path", "files[].text"], say=h, write=[(h, old)], may=["theme"])]

def F06(t):
    o = t.page(); t.write(o, wait=20); p = t.publish(*t.r.choice([[o], []])); l = t.look(o)
    if t.r.random() < 0.5: t.go("about", [], say=("b", t.m.count))
    return [p, l, t.write(o)]

def F07(t):
    o, code, out = t.page(), t.r.choice(["broken_link", "missing_alt", "schema"]), []
    for _ in range(t.r.choice([2, 3])):
        out.append(t.go("preview", ["pages[]"], say=(o, t.m.fresh), read=[o], codes=[code, "long_title"][:t.r.choice([1, 2])], rendered=True)); out.append(t.write(o))
    return out

def F08(t):
    o = t.page(); a = t.go(t.r.choice(["search", "list"]), ["query"], say=(o, t.m.count), read=[o]); return [a, t.r.choice([t.read, t.write])(o)]

def F09(t):
    a = t.some(t.r.randrange(6, 12)); out = [t.go("list", ["section"], say=("n", t.m.count), read=a)]
    for o in a[:t.r.randrange(4, 6)]: out.append(t.read(o))
    return out

def F10(t):
    a = t.some(30); x = t.go(t.r.choice(["list", "get"]), ["include[]", "section"], say=("all", t.m.count), read=a, size=t.r.randrange(45_000, 160_000))
    return [x, t.go("get", ["lines", "paths[]"], say=(a[0], t.m.count), read=[a[0]], size=900)]

def F11(t):
    k, c = t.m.count, t.r.choice(["cursor", "offset"]); n = t.r.randrange(4, 9)
    return [t.go("list", ["section"] + ([c] if i else []), say=(k, i), read=t.some(10)) for i in range(n)]

def F12(t):
    if t.r.random() < 0.2: return [t.go("preview", ["pages[]"], say=("c", t.m.count), read=[t.page()], ms=9000, outcome="cancelled")]
    return [t.go("preview", ["pages[]"], say=("s", t.m.count), read=[t.page()], rendered=True, ms=t.r.randrange(2300, 8000))]

def F13(t):
    o, out = t.page(), []; t.read(o)
    for n in range(t.r.choice([2, 3])):
        out.append(t.go("write", ["pages[].body", "pages[].if_match", "pages[].path"], say=(o, n), fail="conflict", about=[o])); out.append(t.read(o))
    return out + [t.write(o, shape=["pages[].body", "pages[].if_match", "pages[].path"])]

def F14(t):
    o = f"asset:up/{t.m.count}.svg"; way = t.r.randrange(2)
    x = (t.go("asset", ["uploads[].path", "uploads[].text"], say=o, fail="upload_refused", about=[o]) if way else
         t.go("undo", ["at", "paths[]"], say=t.m.count, fail="repository_state"))
    if t.r.random() < 0.5: t.go("about", [], say=("w", t.m.count))
    t.pause(15); return [x]

def F15(t):
    if t.r.random() < 0.6: return [t.go("x", ["from", "to"], say=t.m.count, tool=t.r.choice(["page_rename", "page_copy", "page_renam"]), outcome="unknown_tool")]
    x = t.go("list", ["section", "sort_by"], say=("e", t.m.count), fail="invalid_arguments", unknown="sort_by"); t.go("list", ["section"], say=("e2", t.m.count), read=t.some(5), tool="other_list"); return [x]

def F17(t):
    k = t.m.count; out = []
    for n in range(t.r.randrange(3, 7)):
        out.append(t.go("status", ["paths[]"], say=("poll", k), wait=t.r.choice([5, 20, 60])))
        if t.r.random() < 0.2: t.go("about", [], say=("p", t.m.count))
    return out

def F20(t):
    o = t.page(); old = t.m.state[o]; a = t.write(o); return [a, t.go("undo", ["undo[]"], say=t.m.count, write=[(o, old)], may=["page", "theme", "site"])]

FRICTION = {f.__name__: f for f in (F01, F02, F03, F04, F05, F06, F07, F08, F09, F10, F11, F12, F13, F14, F15, F17, F20)}


def make(o):
    m = Maker(o); m.talks = 0
    for n in range(o.sessions):
        t = Talk(m, n)
        for _ in range(m.r.randrange(1, 7)):
            t.pause(m.r.choice([11, 14, 25, 90]))
            if not o.clean and m.r.random() < o.share:
                name = m.r.choice(list(FRICTION)); t.quiet = True
                m.planted.append(dict(detector=name, calls=FRICTION[name](t))); t.quiet = False
            else:
                m.r.choice(CLEAN)(t)
    m.lines.sort(key=lambda l: (l[0], l[2]["session"], l[1]))
    with open(o.out, "w") as f:
        f.writelines(json.dumps(l[2], separators=(",", ":")) + "\n" for l in m.lines)
        f.write('{"v":1,"ts":"2026-10-2')  # a crash leaves a torn line
    json.dump(m.planted, open(o.out + ".planted", "w"))
    print(f"{len(m.lines)} calls, {len(m.planted)} planted")


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    s = p.add_subparsers(required=True).add_parser("make"); s.add_argument("out"); s.add_argument("--sessions", type=int, default=400); s.add_argument("--seed", type=int, default=1)
    s.add_argument("--share", type=float, default=0.3); s.add_argument("--noise", type=float, default=0.2); s.add_argument("--clean", action="store_true")
    s.add_argument("--server", choices=["ours", "other"], default="ours"); o = p.parse_args(); make(o)
