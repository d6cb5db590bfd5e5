#!/usr/bin/env python3
"""The benchmark of the improvement loop: is friction found, named, and is a cure told from a bargain?

    cargo build --features defects
    run.py target/debug/sitewright [--small] [--all] [--only NAME,..] [--write]

Needs nothing but Python. BINARY has the feature `defects`, so that an environment variable turns known defects on
(`src/tools/defects`); every server is the real binary on a real repository, called over stdio by the scripted operators of
`tasks.json`. Prints: planted friction found in traces (traces.py, other_traces.py), the finding named first for each of 12
defects, 36 verdicts on a right, a useless and a harmful patch of each, and task T1 on servers of the past and on this one.
`--all` looks for each defect in all 12 tasks by all 4 operators; `--small` is the part for continuous integration; `--write` writes
benches/heal/results.md.
"""
import argparse, json, os, stat, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
# Per defect: findings that name it, a tool they must be about, tasks and operators that meet it often enough to be a finding, and what
# its cure makes better, in which tasks by whom.
DEFECTS = {
    "no_batch": (["F01"], "page_write", "T12,T8", "careful,hasty", "calls_per_change", "T12", "careful"),
    "ok_only": (["F02"], "page_get", "T1,T3,T5", "careful", "calls_per_change", "T1,T5", "careful"),
    "theme_reset": (["F05"], "page_write", "T1,T3", "careful", "undeclared_writes", "T1", "careful"),
    "no_preview": (["F06"], "publish", "T5", "careful,hasty,legacy", "calls_per_change", "T4,T5", "careful"),
    "opaque_errors": (["F04", "F14"], "page_write", "T1,T3,T10", "hasty,novice", "goals_missed", "T1,T10", "hasty,novice"),
    "ids_only": (["F08"], "page_list", "T3,T6", "careful,hasty", "calls_per_change", "T6", "careful"),
    "unpaged": (["F10"], "page_list", "T9", "careful,hasty,legacy", "tokens_per_change", "T9", "hasty"),
    "slow_render": (["F12"], "preview", "T7,T9", "careful,careful", "seconds_per_change", "T7", "careful"),
    "no_dry_run": (["F15", "F20"], "text_replace", "T2", "careful,hasty,legacy", "wasted_share", "T2", "careful"),
    "jobs": (["F17"], "job_get", "T3,T6", "careful,hasty", "calls_per_change", "T6", "hasty"),
    "stale_etags": (["F13"], "page_write", "T9,T10", "careful,hasty", "error_rate", "T9,T10", "hasty"),
    "renamed_enum": (["F04", "F15"], "page_get", "T9,T10", "legacy,legacy", "error_rate", "T9", "legacy"),
}
EXPECTED = {"right": "improved", "useless": "no_better", "harmful": "worse"}
SMALL = ["theme_reset", "stale_etags"]


class Bench:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.lines, self.failed = os.path.abspath(binary), folder, [], []

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def server(self, defect):
        """A program that is this binary with a defect."""
        if not defect:
            return self.binary
        path = os.path.join(self.folder, "server-" + defect.replace("+", "-"))
        with open(path, "w") as file:
            file.write('#!/bin/sh\nSITEWRIGHT_DEFECT=%s exec "%s" "$@"\n' % (defect, self.binary))
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("%s: %s" % (" ".join(arguments), done.stderr))
        return done.stdout

    def replay(self, defect, tasks, policies):
        journal = os.path.join(self.folder, "journal-%d.jsonl" % len(os.listdir(self.folder)))
        which = (["--tasks", tasks] if tasks else []) + (["--policies", policies] if policies else [])
        played = json.loads(self.run("improve", "replay", self.server(defect), *which, "--json", "--journal", journal))
        return played, journal

    def report(self, journal):
        return json.loads(self.run("improve", "report", "--journal", journal, "--json"))


def traces(bench, small):
    bench.say("## Planted friction\n")
    bench.say("| traces | calls | planted | precision | recall | false alarms per 1,000 calls | false critical | detectors below 0.85 / 0.80 |")
    bench.say("|---|---|---|---|---|---|---|---|")
    sets = [("traces.py", ["--seed", "11"]), ("traces.py", ["--seed", "12", "--clean"])]
    other = [["--seed", "21"], ["--seed", "22", "--server", "other"], ["--seed", "23", "--share", "0.1"], ["--seed", "24", "--noise", "0.4"], ["--seed", "25", "--clean"], ["--seed", "26", "--clean", "--server", "other", "--noise", "0.4"]]
    sets += [("other_traces.py", options) for options in other]
    for maker, options in sets[:2] + sets[2:3] + sets[-1:] if small else sets:
        path = os.path.join(bench.folder, "trace.jsonl")
        subprocess.run([sys.executable, os.path.join(HERE, maker), "make", path, *options], check=True, capture_output=True)
        report, planted = bench.report(path), json.load(open(path + ".planted"))
        overlap = lambda a, b: len(set(a) & set(b)) / len(set(a) | set(b))
        hits = [(i, j) for i, p in enumerate(planted) for j, f in enumerate(report["findings"]) if f["detector"] == p["detector"] and overlap(p["calls"], f["calls"]) >= 0.5]
        met, right = {i for i, _ in hits}, {j for _, j in hits}
        alarms = [f for j, f in enumerate(report["findings"]) if j not in right]
        weak = []
        for detector in sorted({p["detector"] for p in planted}):
            p = [i for i, x in enumerate(planted) if x["detector"] == detector]
            f = [j for j, x in enumerate(report["findings"]) if x["detector"] == detector]
            precision, recall = sum(j in right for j in f) / max(len(f), 1), sum(i in met for i in p) / len(p)
            if precision < 0.85 or recall < 0.80:
                weak.append("%s %.2f / %.2f (%d)" % (detector, precision, recall, len(p)))
        score = lambda part, whole: "%.3f" % (part / whole) if whole else "-"
        critical = sum(f["severity"] == "critical" for f in alarms)
        bench.say("| %s %s | %d | %d | %s | %s | %.2f | %d | %s |" % (maker, " ".join(options), report["calls"], len(planted), score(len(right), len(report["findings"])) if planted else "-",
                  score(len(met), len(planted)), 1000 * len(alarms) / report["calls"], critical, ", ".join(weak) or "none"))
        if critical or (not planted and 1000 * len(alarms) > 3 * report["calls"]):
            bench.failed.append("false alarms in " + maker)
    bench.say()


def diagnosis(bench, names, everything):
    bench.say("## The finding named first\n")
    bench.say("Each defect alone, %s. What the sound server shows with the same operators is no news.\n" % ("all 12 tasks by all 4 operators" if everything else "the tasks that meet it"))
    bench.say("| defect | named first | place of the right one | calls | goals missed |")
    bench.say("|---|---|---|---|---|")
    known = {}
    base = lambda key: known.setdefault(key, {f["fingerprint"]: f["gross_wasted_calls"] for f in bench.report(bench.replay("", *key)[1])["ranking"]})
    first = top3 = 0
    for name in names:
        wanted, tool, tasks, policies = DEFECTS[name][:4]
        key = ("", "") if everything else (tasks, policies)
        played, journal = bench.replay(name, *key)
        before = base(key)
        news = [f for f in bench.report(journal)["ranking"] if f["gross_wasted_calls"] > 1.5 * before.get(f["fingerprint"], -1)]
        place = next((n + 1 for n, f in enumerate(news) if f["detector"] in wanted and tool in f["tools"]), None)
        first, top3 = first + (place == 1), top3 + (place is not None and place <= 3)
        bench.say("| %s | %s | %s | %d | %d |" % (name, "%s %s: %s" % (news[0]["detector"], news[0]["name"], news[0]["title"]) if news else "nothing", place or "-", played["figures"]["calls"], len(played["figures"]["missed"])))
    bench.say("\nFirst for %d of %d, among the first three for %d.\n" % (first, len(names), top3))
    if "theme_reset" in names:
        _, journal = bench.replay("theme_reset", "T3", "hasty")
        records = [json.loads(line) for line in open(journal)]
        upto = next((n for n, r in enumerate(records) if r["tool"] == "page_write"), len(records) - 1)
        with open(journal + ".one", "w") as file:
            file.write(json.dumps(records[upto]) + "\n")
        one = bench.report(journal + ".one")["ranking"]
        found = bool(one) and one[0]["detector"] == "F05" and one[0]["severity"] == "critical"
        bench.say("The theme defect from the one call that did it: %s.\n" % ("found, critical" if found else "NOT FOUND"))
        if not found:
            bench.failed.append("the theme defect after one call")
    if first < len(names) - 1:
        bench.failed.append("findings named first")


def verdicts(bench, names):
    bench.say("## Verdicts\n")
    bench.say("| defect | what its cure is for | right patch | useless patch | harmful patch |")
    bench.say("|---|---|---|---|---|")
    good, bad = 0, []
    for name in names:
        metric, tasks, policies = DEFECTS[name][4:]
        row = []
        for patch, expected in EXPECTED.items():
            out = bench.run("improve", "compare", bench.server(name), bench.server("%s.%s" % (name, patch)), "--tasks", tasks, "--policies", policies, "--metric", metric, "--json")
            verdict = json.loads(out)
            good += verdict["verdict"] == expected
            if verdict["verdict"] != expected:
                bad.append("%s.%s: %s, not %s: %s" % (name, patch, verdict["verdict"], expected, " ".join(verdict["reasons"])))
            if patch != "right" and verdict["verdict"] == "improved":
                bench.failed.append("%s.%s is called improved" % (name, patch))
            row.append(verdict["verdict"].replace("_", " "))
        bench.say("| %s | %s | %s |" % (name, metric, " | ".join(row)))
    bench.say("\n%d of %d as expected (improved, no better, worse).\n" % (good, 3 * len(names)))
    for line in bad:
        bench.say("- " + line)
    if good < 3 * len(names) - (len(names) > 3):
        bench.failed.append("verdicts")


def story(bench):
    bench.say("## T1: update two pages, verify, publish both\n")
    bench.say("| server | calls | looks in a browser | calls per changed page | undeclared writes | the calls |")
    bench.say("|---|---|---|---|---|---|")
    for title, defect, policy in (("as the first one was (v1)", "v1", "careful"), ("as the second one was (v2)", "v2", "careful"), ("this one, looking first", "", "careful"), ("this one, in a hurry", "", "hasty")):
        played, _ = bench.replay(defect, "T1", policy)
        one, figures = played["played"][0], played["figures"]
        packed, calls = [], one["calls"]
        for call in calls:
            if packed and packed[-1][0] == call:
                packed[-1][1] += 1
            else:
                packed.append([call, 1])
        reached = "" if not one["missing"] else " GOAL MISSED: " + "; ".join(one["missing"])
        bench.say("| %s | %d | %d | %.1f | %d | %s%s |" % (title, len(calls), one["looks"], len(calls) / 2, figures["undeclared_writes"], ", ".join(c if n == 1 else "%d %s" % (n, c) for c, n in packed), reached))
        if not defect and (len(calls) > 3 or one["missing"]):
            bench.failed.append("T1 on this server")
    bench.say()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary"); parser.add_argument("--small", action="store_true"); parser.add_argument("--all", action="store_true"); parser.add_argument("--write", action="store_true"); parser.add_argument("--only", default="")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or (SMALL if options.small else list(DEFECTS))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.binary, folder)
        begin = time.time()
        bench.say("# The improvement loop, measured\n\nWritten by `benches/heal/run.py`, on traces of our own makers and operators of our own: an upper bound for real work.\n")
        traces(bench, options.small)
        diagnosis(bench, names, options.all)
        verdicts(bench, names)
        story(bench)
        bench.say("Took %.0f s." % (time.time() - begin))
        if options.write:
            with open(os.path.join(HERE, "results.md"), "w") as file:
                file.write("\n".join(bench.lines[:-1]).rstrip() + "\n")
        for line in bench.failed:
            print("FAILED: " + line, file=sys.stderr)
        sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
