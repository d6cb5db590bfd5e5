#!/usr/bin/env python3
"""Plays the editing story with the official Python MCP client against the real binary.

    story.py BINARY

Over stdio and over HTTP, in the newest protocol era the client offers and in the older one: two pages are updated, their
rendered HTML is read in the reply, and both are published to a bare git remote, in at most three calls; the theme's tree
stays the same and the edit is undone again. Needs Python >= 3.10 and `pip install mcp`. Exits 1 on the first failure.
"""
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import httpx2 as httpx
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

MAX_CALLS = 3


def git(where, *args):
    return subprocess.run(["git", "-C", where, *args], check=True, capture_output=True, text=True).stdout.strip()


def new_site(binary, root):
    """A fresh site with a bare remote that has its first publish."""
    site, remote = os.path.join(root, "site"), os.path.join(root, "remote.git")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", remote], check=True)
    subprocess.run([binary, "init", site, "--title", "Story"], check=True, capture_output=True)
    git(site, "config", "user.name", "Ada")
    git(site, "config", "user.email", "ada@example.org")
    git(site, "remote", "add", "origin", "file://" + remote)
    subprocess.run([binary, "publish", "--site", site, "--yes", "-m", "First"], check=True, capture_output=True)
    return site, remote


class Operator:
    """Calls tools and keeps count, bytes and time."""

    def __init__(self, client):
        self.client, self.calls = client, 0

    async def call(self, tool, **arguments):
        started = time.perf_counter()
        result = await self.client.call_tool(tool, arguments)
        took = (time.perf_counter() - started) * 1000
        text = "".join(getattr(block, "text", "") for block in result.content)
        self.calls += 1
        print(f"    {tool:16} {len(json.dumps(arguments)):6} B in {len(text):6} B out {took:8.1f} ms")
        is_error = getattr(result, "is_error", None)
        if is_error is None:
            is_error = result.isError
        if is_error:
            raise SystemExit(f"{tool} failed: {text}")
        return json.loads(text)


async def story(client, site, remote, mark):
    theme_before = git(remote, "rev-parse", "main:themes")
    tools = await client.list_tools()
    names = [tool.name for tool in tools.tools]
    assert "page_write" in names and "publish" in names, names
    operator = Operator(client)
    written = await operator.call(
        "page_write",
        pages=[
            {"path": "/about/", "front_matter": {"description": f"About {mark}"}, "edits": []},
            {"path": "blog/hello.md", "front_matter": {"title": f"Hello {mark}"}},
        ],
        include=["html"],
        message=f"Update two pages {mark}",
    )
    changed = {item["path"]: item for item in written["changed"]}
    assert set(changed) == {"about.md", "blog/hello.md"}, changed
    assert all("<" in item["html"] for item in changed.values()), "no rendered HTML in the reply"
    published = await operator.call("publish", message=f"Publish {mark}")
    assert published["pushed"]["ok"], published
    assert operator.calls <= MAX_CALLS, operator.calls
    theme_after = git(remote, "rev-parse", "main:themes")
    assert theme_before == theme_after, "the theme changed"
    page = git(remote, "show", "main:public/blog/hello/index.html")
    assert f"Hello {mark}" in page, "the published page does not show the edit"
    count = operator.calls
    # Not part of the story's calls: undo, look at it, publish the undo.
    await operator.call("revision_restore", undo=[written["revision"]])
    diff = await operator.call("change_diff")
    assert f"Hello {mark}" in json.dumps(diff), diff
    await operator.call("publish", message="Undo")
    assert f"Hello {mark}" not in git(remote, "show", "main:public/blog/hello/index.html")
    print(f"    story in {count} calls; theme tree {theme_before[:10]} unchanged; protocol {client.protocol_version}")


async def over_stdio(binary, mode):
    with tempfile.TemporaryDirectory() as root:
        site, remote = new_site(binary, root)
        server = StdioServerParameters(command=binary, args=["serve", "--site", site], env=dict(os.environ))
        async with Client(server, mode=mode) as client:
            await story(client, site, remote, f"stdio {mode}")
        git(site, "fsck", "--strict")


async def over_http(binary, mode):
    with tempfile.TemporaryDirectory() as root:
        site, remote = new_site(binary, root)
        token = "0123456789abcdef0123456789abcdef"
        process = subprocess.Popen(
            [binary, "serve", "--site", site, "--http", "127.0.0.1:0", "--preview", "127.0.0.1:0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=dict(os.environ, SITEWRIGHT_TOKEN=token))
        try:
            url = None
            for line in process.stderr:
                found = re.search(r"http://127\.0\.0\.1:\d+/mcp", line)
                if found:
                    url = found.group(0)
                    break
            assert url, "the server did not print its address"
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
                async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
                    await story(client, site, remote, f"http {mode}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


def main():
    binary = os.path.abspath(sys.argv[1])
    for mode in ("auto", "legacy"):
        for run in (over_stdio, over_http):
            print(f"{run.__name__} {mode}")
            asyncio.run(run(binary, mode))
    print("ok")


if __name__ == "__main__":
    main()
