#!/usr/bin/env python3
"""Counts the calls and bytes of 21 realistic jobs, and writes benches/tasks.md.

    tasks.py BINARY [--write] [--only NAME]

Ours are measured: each job is done through the official Python MCP client against BINARY, over stdio, on a copy of a
generated site of some 300 pages with a git remote, and what is live is looked at afterwards. Each is done twice. Straight to live:
the edit carries `publish: true`, so visitors see it as soon as we do. Seen first: the reply of the unpublished edit (its
difference, its excerpts, the rendered page) or a preview is looked at before any visitor can see it, then it is published. Theirs are
counted, not run: the shortest sequences of documented tools of LightCMS 7.4 (130 tools) that an expert would send, written beside each
job so that the count can be checked; there an edit of a live page is public at once, and seeing it first takes a draft, or a sandbox
with one call for each page since bulk tools are blocked in it. Like is compared with like. All start cold: paths and names are
known from the person, ids, etags, settings and template fields are not. `--write` replaces tasks.md. Needs Python >= 3.10 and `pip install mcp`; a job whose tools the binary lacks is named.
"""
import argparse
import asyncio
import base64
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from mcp import Client, StdioServerParameters

HERE = os.path.dirname(os.path.abspath(__file__))

# The documented tools of theirs that the sequences below use; a name that is not here is a slip.
THEIRS = set("""
list_content get_content create_content update_content update_content_by_path publish_content publish_multiple delete_content
preview_content get_content_versions get_content_version revert_to_version bulk_create_content bulk_update_content
bulk_field_operation export_content get_backlinks search_content search_replace_preview search_replace_execute list_templates
get_template upload_asset list_assets get_theme update_theme get_theme_versions revert_theme_to_version get_site_config
update_site_config create_redirect list_folders create_folder delete_folder list_collections create_collection
start_agent_sandbox get_agent_sandbox merge_fork get_fork_diff get_agent_session_changes rollback_agent_session
run_maintenance_scan get_maintenance_report start_link_check get_link_check_results import_markdown get_import_job
schedule_publish
""".split())


def git(where, *args):
    return subprocess.run(["git", "-C", where, *args], check=True, capture_output=True, text=True).stdout.strip()


def put(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def page(title, body, **keys):
    lines = "".join("%s: %s\n" % (key, json.dumps(value)) for key, value in keys.items())
    return "---\ntitle: %s\n%s---\n\n%s\n" % (json.dumps(title), lines, body)


def png(width, height):
    """A picture in one colour."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + b"\x80\x60\x30" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def new_site(binary, root):
    """A site of some 300 pages that was published once to a bare remote."""
    site, remote = os.path.join(root, "site"), os.path.join(root, "remote.git")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", remote], check=True)
    subprocess.run([binary, "init", site, "--title", "Bakery"], check=True, capture_output=True)
    words = ("flour water salt yeast oven crust crumb starter dough loaf slice morning window market basket paper letter garden "
             "river lantern").split()
    for i in range(200):
        body = " ".join(words[(i * 7 + n * 3) % len(words)] for n in range(120)) + "."
        if i < 30:
            body += "\n\nYou will recieve a loaf every week."
        if i % 5 == 0:
            body += "\n\nSee [the oven](/guide/step-%02d/)." % (i % 40)
        put(site, "content/blog/post-%03d.md" % i, page("Post %d" % i, body, date="2025-%02d-%02d" % (1 + i % 12, 1 + i % 28),
            description="About %s." % words[i % len(words)], tags=["bread", words[i % 5]]))
    put(site, "content/guide/_index.md", page("Guide", "How to bake."))
    for i in range(40):
        put(site, "content/guide/step-%02d.md" % i, page("Step %d" % i, "Do step %d, then [the next](/guide/step-%02d/)." % (i, (i + 1) % 40),
            description="Step %d." % i))
    put(site, "content/old/_index.md", page("Old", "Of years ago."))
    for i in range(12):
        put(site, "content/old/note-%02d.md" % i, page("Note %d" % i, "Outdated.", description="Note %d." % i))
    for i in range(40):
        put(site, "content/drafts/idea-%02d.md" % i, page("Idea %d" % i, "Not yet.", draft=True, description="Idea %d." % i))
    put(site, "content/drafts/_index.md", page("Ideas", "To come."))
    git(site, "config", "user.name", "Ada")
    git(site, "config", "user.email", "ada@example.org")
    git(site, "remote", "add", "origin", "file://" + remote)
    subprocess.run([binary, "publish", "--site", site, "--yes", "-m", "First"], check=True, capture_output=True)
    return site, remote


class Refused(Exception):
    pass


class Operator:
    """Calls tools and keeps count of calls and bytes."""

    def __init__(self, client, site, remote, seen):
        self.client, self.site, self.remote, self.seen = client, site, remote, seen
        self.sent, self.got, self.tools = 0, 0, []
        self.counting = True

    async def __call__(self, tool, **arguments):
        result = await self.client.call_tool(tool, arguments)
        text = "".join(getattr(block, "text", "") for block in result.content)
        images = sum(len(getattr(block, "data", "") or "") for block in result.content)
        if self.counting:
            self.sent += len(json.dumps({"name": tool, "arguments": arguments}, separators=(",", ":")))
            self.got += len(text.encode()) + images
            self.tools.append(tool)
        if getattr(result, "is_error", None) or getattr(result, "isError", None):
            raise Refused("%s: %s" % (tool, text[:600]))
        return json.loads(text)

    async def edit(self, tool, message, **arguments):
        """An edit that goes live: at once, or once its reply was looked at."""
        if not self.seen:
            written = await self(tool, message=message, publish=True, **arguments)
            assert written["published"]["pushed"]["ok"], written
            return written
        written = await self(tool, message=message, **arguments)
        assert written["revision"], written
        await self("publish", message=message, **{key: arguments[key] for key in ("change_set",) if key in arguments})
        return written

    def live(self, path):
        """A file of what is live now."""
        return git(self.remote, "show", "main:" + path)

    def is_live(self, path):
        return subprocess.run(["git", "-C", self.remote, "cat-file", "-e", "main:" + path], capture_output=True).returncode == 0


JOBS = []


def job(name, straight, seen, note="", why=""):
    """A job of ours, and the tools of theirs: `tool` or `tool*N`; `seen` is None where theirs has no way to look first. `why` says what
    keeps ours from half of theirs."""
    def counted(tools):
        total = 0
        for word in tools.split():
            tool, _, times = word.partition("*")
            assert tool in THEIRS, tool
            total += int(times or 1)
        return total

    def add(run):
        JOBS.append({"name": name, "run": run, "straight": straight, "seen": seen, "note": note, "why": why,
                     "theirs": counted(straight), "theirs_seen": counted(seen) if seen else None})
        return run
    return add


@job("Write a post with an image and tags",
     "list_templates get_template upload_asset create_content",
     "list_templates get_template upload_asset create_content preview_content publish_content")
async def write_post(call):
    picture = [{"path": "static/img/rye.png", "base64": base64.b64encode(png(640, 400)).decode(), "alt": "A rye loaf"}]
    # Straight to live, the picture goes first: a page that shows a missing one is refused.
    await call("asset_write", uploads=picture, **({} if call.seen else {"publish": True}))
    written = await call.edit("page_write", "Rye", include=["html"], pages=[{"path": "blog/rye.md", "create": True, "front_matter": {
        "title": "Rye", "date": "2026-11-01", "description": "A dark loaf.", "tags": ["bread", "rye"]},
        "body": "![A rye loaf](/img/rye.png)\n\nBake it slowly.\n"}])
    assert "<img" in json.dumps(written)
    assert "rye.png" in call.live("public/blog/rye/index.html")


@job("Fix a typo on 30 pages",
     "search_replace_preview search_replace_execute",
     "search_replace_preview export_content search_replace_execute",
     "their preview shows no text around a match, so looking takes an export",
     "seen first is a look and a go: two calls, and half of three is less")
async def typo(call):
    arguments = {"pairs": [{"find": "recieve", "replace": "receive"}], "scope": ["/blog/"]}
    plan = {}
    if call.seen:
        plan = {"plan": (await call("text_replace", dry_run=True, **arguments))["plan"]}
    done = await call("text_replace", message="Fix a typo", publish=True, **plan, **arguments)
    assert done["replaced"]["files"] == 30 and done["published"]["pushed"]["ok"], done
    if not call.seen:
        assert all(len(file["excerpts"]) == file["count"] for file in done["files"]) and len(done["files"]) == 30, done
    assert "receive" in call.live("content/blog/post-029.md") and "recieve" not in call.live("content/blog/post-000.md")


@job("Rename a section of 40 pages that others link to",
     "create_folder list_content update_content*40 create_redirect*40 search_replace_preview search_replace_execute delete_folder",
     "create_folder list_content update_content*40 create_redirect*40 search_replace_preview export_content search_replace_execute delete_folder",
     "folders cannot be renamed there")
async def rename_section(call):
    await call.edit("page_move", "Guide becomes handbook", moves=[{"from": "/guide/", "to": "handbook/_index.md"}])
    assert call.is_live("public/handbook/step-39/index.html") and "/handbook/" in call.live("content/blog/post-000.md")


@job("Restyle the site, look at it, and roll back",
     "get_theme update_theme get_theme_versions revert_theme_to_version", None,
     "a theme cannot be seen before it is live there; seen first, ours is a picture before anything is live",
     "which settings the theme has is read first, and then it is there and back: three calls, and half of four is less")
async def restyle(call):
    settings = (await call("theme_get", include=["settings"]))["settings"]
    assert "green" in json.dumps(settings), settings
    change = {"settings": {"accent": "green"}}
    if call.seen:
        written = await call("theme_write", message="Green", **change)
        shown = await call("preview", pages=["/"], **{"as": "screenshot" if "screenshot" in call.preview_forms else "html"})
        assert shown
        await call("publish", message="Green")
    else:
        written = await call("theme_write", message="Green", publish=True, **change)
    assert "accent-green" in call.live("public/index.html")
    await call("revision_restore", undo=[written["revision"]], message="Back", publish=True)
    assert "accent-green" not in call.live("public/index.html")


@job("Repair broken links on 12 pages",
     "start_link_check get_link_check_results export_content bulk_update_content",
     "start_link_check get_link_check_results start_agent_sandbox get_content*12 update_content*12 get_fork_diff merge_fork")
async def broken_links(call):
    for i in range(12):
        put(call.site, "content/guide/step-%02d.md" % i, page("Step %d" % i, "See [that](/guide/stepp-%02d/)." % (i + 1), description="Step."))
    # A person broke them in an editor, past every check: they are live.
    git(call.site, "commit", "-qam", "Break links")
    git(call.site, "push", "-q", "origin", "main")
    found = await call("site_check", rules=["links"])
    assert "stepp-01" in json.dumps(found), found
    await call.edit("page_write", "Mend links", pages=[
        {"path": "/guide/step-%02d/" % i, "edits": [{"find": "stepp-", "replace": "step-"}]} for i in range(12)])
    assert "step-01" in call.live("content/guide/step-00.md")


@job("Move a page that others link to",
     "get_content get_backlinks update_content create_redirect search_replace_preview search_replace_execute",
     "get_content get_backlinks update_content create_redirect search_replace_preview export_content search_replace_execute")
async def move(call):
    await call.edit("page_move", "A better name", moves=[{"from": "/guide/step-05/", "to": "guide/heat-the-oven.md"}])
    assert "/guide/heat-the-oven/" in call.live("content/guide/step-04.md") and call.is_live("public/guide/step-05/index.html")


@job("Schedule a post",
     "list_templates get_template create_content schedule_publish",
     "list_templates get_template create_content preview_content schedule_publish")
async def schedule(call):
    await call("page_write", include=["html"], pages=[{"path": "blog/advent.md", "create": True, "front_matter": {
        "title": "Advent", "date": "2030-12-01", "description": "Four weeks."}, "body": "Stollen.\n"}])
    await call("publish", at="2030-12-01T06:00:00Z", message="Advent")
    call.counting = False
    assert "2030-12-01" in json.dumps(await call("change_list"))


@job("Import 50 posts from a folder of Markdown",
     "import_markdown get_import_job publish_multiple",
     "import_markdown get_import_job preview_content publish_multiple")
async def import_posts(call):
    for i in range(50):
        put(call.site, "../inbox/entry-%02d.md" % i, page("Entry %d" % i, "Imported.", date="2020-01-%02d" % (1 + i % 28)))
    put(call.site, "site.yaml", call.read("site.yaml") + "uploads:\n  folders: [%s]\n" % json.dumps(os.path.realpath(call.site + "/../inbox")))
    git(call.site, "commit", "-qam", "Allow the folder")
    git(call.site, "push", "-q", "origin", "main")
    await call.edit("content_import", "Import", **{"from": os.path.realpath(call.site + "/../inbox"), "section": "journal"})
    assert call.is_live("public/journal/entry-49/index.html")


@job("Add a page with a menu entry",
     "list_templates get_template create_content get_theme update_theme",
     "list_templates get_template create_content preview_content publish_content get_theme update_theme",
     "menus are HTML in the theme's header there, and public at once")
async def menu(call):
    await call.edit("page_write", "Courses", include=["html"], pages=[{"path": "courses.md", "create": True, "front_matter": {
        "title": "Courses", "description": "Learn to bake.", "menus": {"main": {"weight": 30}}}, "body": "Each Saturday.\n"}])
    assert "/courses/" in call.live("public/index.html")


@job("Change one front matter field on 200 pages",
     "bulk_field_operation", "bulk_field_operation*2", "their dry run names the pages and renders none",
     "one call cannot be halved, nor can a look and a go")
async def field(call):
    await call.edit("page_write", "A note on each post", select={"section": "/blog/", "front_matter": {"author_note": "Baked by hand"}})
    assert "Baked by hand" in call.live("content/blog/post-199.md")


@job("Translate a page and link both ways",
     "get_content create_content update_content",
     "get_content create_content preview_content publish_content start_agent_sandbox update_content get_fork_diff merge_fork",
     why="straight to live, what is translated has to be read first: two calls, and half of three is less")
async def translate(call):
    await call("page_get", paths=["/about/"], include=["front_matter", "body"])
    await call.edit("page_write", "German", include=["html"], pages=[
        {"path": "ueber.md", "create": True, "front_matter": {"title": "Über uns", "lang": "de", "description": "Wer wir sind."}, "body": "Wir backen. [English](/about/)\n"},
        {"path": "/about/", "front_matter": {"params": {"german": "/ueber/"}}}])
    assert "Wir backen" in call.live("public/ueber/index.html")


@job("Restore last week's version of a page",
     "get_content get_content_versions revert_to_version",
     "get_content get_content_versions get_content_version revert_to_version")
async def restore(call):
    # Revisions are stamped by the second: the moment to go back to lies between two of them.
    time.sleep(1.1)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    call.counting = False
    await call("page_write", pages=[{"path": "/about/", "body": "Worse.\n", "if_match": "*"}], publish=True)
    call.counting = True
    assert "Worse." in call.live("content/about.md")
    await call.edit("revision_restore", "As it was", at=then, paths=["/about/"])
    assert "Worse." not in call.live("content/about.md")


@job("Update two live pages and read them as rendered",
     "update_content_by_path*2 get_content*2",
     "start_agent_sandbox update_content_by_path*2 preview_content*2 merge_fork")
async def two_pages(call):
    written = await call.edit("page_write", "Two pages", include=["html"], pages=[
        {"path": "/about/", "front_matter": {"description": "Who bakes."}}, {"path": "/blog/post-007/", "front_matter": {"title": "Lucky seven"}}])
    assert all("html" in item for item in written["changed"])
    assert "Lucky seven" in call.live("public/blog/post-007/index.html")


@job("Undo all one client did today: 3 pages, a setting, the theme",
     "get_agent_session_changes rollback_agent_session get_theme_versions revert_theme_to_version get_site_config update_site_config",
     "get_agent_session_changes rollback_agent_session get_theme_versions revert_theme_to_version get_site_config update_site_config",
     "their rollback is for content only")
async def undo_client(call):
    call.counting = False
    await call("page_write", pages=[{"path": "/blog/post-00%d/" % i, "front_matter": {"title": "Spoilt"}} for i in range(3)])
    await call("site_update", patch={"description": "Spoilt"})
    await call("theme_write", files=[{"path": "assets/extra.css", "text": "body { color: red }\n"}])
    await call("publish", message="Spoilt")
    call.counting = True
    await call.edit("revision_restore", "Undo it all", by=call.name, since="2020-01-01T00:00:00Z")
    assert "Spoilt" not in call.live("content/blog/post-002.md") + call.live("site.yaml") and not call.is_live("themes/default/assets/extra.css")


@job("Publish 10 of 40 drafts",
     "list_content publish_multiple", "list_content preview_content*10 publish_multiple")
async def drafts(call):
    names = ["/drafts/idea-%02d/" % i for i in range(10)]
    await call.edit("page_write", "Ten ideas", include=["html"], pages=[{"path": name, "front_matter": {"draft": None}} for name in names])
    assert call.is_live("public/drafts/idea-09/index.html") and not call.is_live("public/drafts/idea-10/index.html")


@job("Find what is wrong before a launch: links, descriptions, stale pages, accessibility",
     "run_maintenance_scan get_maintenance_report start_link_check get_link_check_results",
     "run_maintenance_scan get_maintenance_report start_link_check get_link_check_results", "accessibility is not checked there")
async def check(call):
    assert await call("site_check")


@job("Learn a site: sections, menus, theme, settings, what waits",
     "list_content list_folders list_collections list_templates get_theme get_site_config",
     "list_content list_folders list_collections list_templates get_theme get_site_config")
async def learn(call):
    got = await call("site_get", include=["config", "sections", "taxonomies", "menus", "theme", "changes"])
    assert "/blog/" in json.dumps(got)


@job("Add redirects for 20 old addresses",
     "create_redirect*20", None, "public at once there")
async def redirects(call):
    await call.edit("site_update", "Old addresses", patch={"redirects+": [{"from": "/old-%02d/" % i, "to": "/blog/post-%03d/" % i} for i in range(20)]})
    assert "/old-19/" in call.live("public/_redirects") if call.is_live("public/_redirects") else call.is_live("public/old-19/index.html")


@job("A new section of 5 pages with its list, in the menu",
     "create_folder create_collection list_templates get_template bulk_create_content publish_multiple get_theme update_theme",
     "create_folder create_collection list_templates get_template bulk_create_content preview_content*5 publish_multiple get_theme update_theme")
async def section(call):
    pages = [{"path": "recipes/_index.md", "create": True, "front_matter": {"title": "Recipes", "menus": {"main": {"weight": 20}}}, "body": "All of them.\n"}]
    pages += [{"path": "recipes/r%d.md" % i, "create": True, "front_matter": {"title": "Recipe %d" % i, "description": "Bake."}, "body": "Mix.\n"} for i in range(5)]
    await call.edit("page_write", "Recipes", pages=pages, include=["html"])
    assert "Recipe 4" in call.live("public/recipes/index.html") and "/recipes/" in call.live("public/index.html")


@job("Delete 12 outdated pages and send their visitors elsewhere",
     "list_content delete_content*12 create_redirect*12", None, "public at once there")
async def delete(call):
    await call.edit("page_delete", "Tidy up", pages=[{"path": "/old/note-%02d/" % i, "if_match": "*"} for i in range(12)], redirect_to="/blog/")
    assert not call.is_live("content/old/note-00.md")


@job("Rework 5 live pages beside other people's work, then bring them live together",
     "start_agent_sandbox update_content_by_path*5 get_fork_diff merge_fork",
     "start_agent_sandbox update_content_by_path*5 get_fork_diff merge_fork")
async def beside(call):
    opened = await call("change_open", purpose="Rework the guide")
    name = opened.get("change_set") or opened["id"]
    await call.edit("page_write", "Reworked guide", change_set=name, include=["html"],
                    pages=[{"path": "/guide/step-%02d/" % i, "front_matter": {"title": "Reworked %d" % i}} for i in range(5)])
    assert "Reworked 4" in call.live("content/guide/step-04.md")


async def play(binary, template, one, seen, mode="auto"):
    with tempfile.TemporaryDirectory() as root:
        site, remote = os.path.join(root, "site"), os.path.join(root, "remote.git")
        shutil.copytree(os.path.join(template, "site"), site)
        shutil.copytree(os.path.join(template, "remote.git"), remote)
        git(site, "remote", "set-url", "origin", "file://" + remote)
        server = StdioServerParameters(command=binary, args=["serve", "--site", site, "--no-preview"], env=dict(os.environ))
        async with Client(server, mode=mode) as client:
            listed = (await client.list_tools()).tools
            call = Operator(client, site, remote, seen)
            preview = next(tool for tool in listed if tool.name == "preview")
            call.preview_forms = json.dumps(getattr(preview, "input_schema", None) or getattr(preview, "inputSchema", None))
            call.name = "mcp"
            call.read = lambda path: open(os.path.join(site, path), encoding="utf-8").read()
            size = len(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed], separators=(",", ":"), ensure_ascii=False).encode())
            try:
                await one["run"](call)
                return {"calls": call.tools, "sent": call.sent, "got": call.got, "list": size, "tools": len(listed)}
            except Exception as failure:  # Named in the table; the other jobs go on.
                reason = str(failure) or type(failure).__name__
                known = {tool.name for tool in listed}
                missing = re.search(r"unknown tool `(\w+)`", reason)
                if missing or isinstance(failure, Refused) and failure.args[0].split(":")[0] not in known:
                    reason = "the binary has no %s" % (missing.group(1) if missing else failure.args[0].split(":")[0])
                return {"failed": reason.replace("\n", " ")[:300], "list": size, "tools": len(listed)}


def shown(tools):
    """`a b*3` as people read it."""
    return ", ".join("%s x%s" % tuple(word.split("*")) if "*" in word else word for word in tools.split())


def packed(calls):
    out = []
    for name in calls:
        if out and out[-1][0] == name:
            out[-1][1] += 1
        else:
            out.append([name, 1])
    return ", ".join(name if times == 1 else "%s x%d" % (name, times) for name, times in out)


def verdict(ours, theirs):
    if theirs is None:
        return "no way there"
    return "yes" if ours * 2 <= theirs else "**no**"


def report(results):
    """`results`: job, what came of it straight to live, and seen first."""
    size = results[0][1]
    text = ["# Jobs, calls and bytes\n", "Written by `benches/tasks.py`; do not edit.\n", " ".join(__doc__.split("\n\n")[2].split()).split(" `--write`")[0] + "\n",
            "Our tool list, which a client reads once: %d tools, %s bytes (about %s tokens). Theirs: 130 tools, about 113,000 bytes by their names, descriptions and "
            "fields.\n" % (size["tools"], format(size["list"], ","), format(size["list"] * 10 // 45, ",")),
            "| job | straight: ours | theirs | at most half? | seen first: ours | theirs | at most half? | bytes in | bytes out |", "|---|---:|---:|---|---:|---:|---|---:|---:|"]
    totals, met, missed, done = [0, 0, 0, 0], [0, 0, 0], [], 0
    for one, straight, seen in results:
        if "calls" not in straight or "calls" not in seen:
            failed = straight.get("failed") or seen.get("failed")
            text.append("| %s | not run: %s | %d | | | %s | | | |" % (one["name"], failed.replace("|", "\\|"), one["theirs"], one["theirs_seen"] or "no way"))
            continue
        done += 1
        ours = (len(straight["calls"]), len(seen["calls"]))
        verdicts = (verdict(ours[0], one["theirs"]), verdict(ours[1], one["theirs_seen"]))
        text.append("| %s | %d | %d | %s | %d | %s | %s | %s | %s |" % (one["name"], ours[0], one["theirs"], verdicts[0], ours[1], one["theirs_seen"] or "-", verdicts[1],
                    format(seen["sent"], ","), format(seen["got"], ",")))
        for i, value in enumerate((ours[0], one["theirs"], ours[1], one["theirs_seen"] or 0)):
            totals[i] += value
        met[0] += verdicts[0] == "yes"
        met[1] += verdicts[1] != "**no**"
        met[2] += "yes" in verdicts
        if "**no**" in verdicts:
            missed.append("- %s: %s." % (one["name"], one["why"] or "no reason is given"))
    text.append("\nBytes are those of the way that looks first. All that ran: straight to live %d calls of ours against %d; seen first %d of ours against %d (jobs that cannot be seen first there "
                "count nothing for theirs). At most half of theirs straight to live: %d of %d jobs; seen first, or there is no way there: %d; in at least one of the two: %d.\n"
                % (totals[0], totals[1], totals[2], totals[3], met[0], done, met[1], met[2]))
    text.append("Not half, and why:\n")
    text.extend(missed)
    text.append("\n## The sequences\n")
    for one, straight, seen in results:
        text.append("**%s**\n" % one["name"])
        text.append("- ours, straight to live: %s" % (packed(straight["calls"]) if "calls" in straight else "not run: " + straight["failed"]))
        text.append("- ours, seen first: %s" % (packed(seen["calls"]) if "calls" in seen else "not run: " + seen["failed"]))
        text.append("- theirs, straight to live: %s" % shown(one["straight"]))
        text.append("- theirs, seen first: %s" % (shown(one["seen"]) if one["seen"] else "no way"))
        if one["note"]:
            text.append("- %s" % one["note"])
        text.append("")
    return "\n".join(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    results = []
    with tempfile.TemporaryDirectory() as template:
        new_site(binary, template)
        for one in JOBS:
            if options.only.lower() in one["name"].lower():
                straight, seen = (asyncio.run(play(binary, template, one, look)) for look in (False, True))
                told = [packed(got["calls"]) if "calls" in got else "NOT RUN: " + got["failed"] for got in (straight, seen)]
                print("%-90s %s | %s" % (one["name"], *told), flush=True)
                results.append((one, straight, seen))
    text = report(results)
    if options.write and not options.only:
        with open(os.path.join(HERE, "tasks.md"), "w", encoding="utf-8") as file:
            file.write(text.rstrip() + "\n")
    sys.exit(0 if all("calls" in got for _, *both in results for got in both) else 1)


if __name__ == "__main__":
    main()
