#!/usr/bin/env node
// Plays the editing story (see story.py) with the TypeScript clients and the inspector against the real binary.
//
//     story.mjs CLIENT BINARY FOLDER
//
// CLIENT is sdk-v1, sdk-v2 or inspector; FOLDER is where `npm install` put them. Each plays over stdio and over HTTP, in both
// protocol eras where it has both. Needs Node >= 22. Exits 1 on the first failure.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const TOKEN = "0123456789abcdef0123456789abcdef";
const MAX_CALLS = 3;
const ABOUT = { name: "story", version: "1" };
const TIMEOUT_MS = 60_000;

const [kind, binaryArgument, folderArgument] = process.argv.slice(2);
if (!folderArgument) {
  console.error("usage: story.mjs sdk-v1|sdk-v2|inspector BINARY FOLDER");
  process.exit(2);
}
const binary = resolve(binaryArgument);
const installed = resolve(folderArgument);
// The packages are not next to this file: they are found from the folder they were installed into.
const load = createRequire(join(installed, "package.json"));

function run(program, args, options = {}) {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options }).trim();
}

const git = (where, ...args) => run("git", ["-C", where, ...args]);

/** A fresh site with a bare remote that has its first publish. */
function newSite(root) {
  const site = join(root, "site");
  const remote = join(root, "remote.git");
  run("git", ["init", "-q", "--bare", "-b", "main", remote]);
  run(binary, ["init", site, "--title", "Story"]);
  git(site, "config", "user.name", "Ada");
  git(site, "config", "user.email", "ada@example.org");
  git(site, "remote", "add", "origin", `file://${remote}`);
  run(binary, ["publish", "--site", site, "--yes", "-m", "First"]);
  return { site, remote };
}

/** Connects a client of the TypeScript SDK; both major versions share the shape of what is used here. */
async function connectSdk(reach, era) {
  const v2 = kind === "sdk-v2";
  const [index, stdio, http] = v2
    ? ["@modelcontextprotocol/client", "@modelcontextprotocol/client/stdio", "@modelcontextprotocol/client"]
    : ["client/index.js", "client/stdio.js", "client/streamableHttp.js"].map((file) => `@modelcontextprotocol/sdk/${file}`);
  const options = v2 ? { versionNegotiation: { mode: era } } : {};
  const client = new (load(index).Client)(ABOUT, options);
  const transport = reach.url
    ? new (load(http).StreamableHTTPClientTransport)(new URL(reach.url), {
        requestInit: { headers: { Authorization: `Bearer ${TOKEN}` } },
      })
    : new (load(stdio).StdioClientTransport)({ command: reach.command, args: reach.args, stderr: "ignore" });
  await client.connect(transport);
  return {
    // v1 knows the older era only, and tells it to the transport, not to us.
    protocol: v2 ? client.getNegotiatedProtocolVersion() : "2025-11-25 or older",
    list: async () => (await client.listTools()).tools,
    call: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}

/** The inspector's command line: a process for each call, which over stdio starts a server for each call. */
function connectInspector(reach, era, root) {
  const home = join(root, "home");
  mkdirSync(home);
  const config = join(root, "mcp.json");
  const server = reach.url
    ? { type: "streamable-http", url: reach.url, headers: { Authorization: `Bearer ${TOKEN}` } }
    : { type: "stdio", command: reach.command, args: reach.args };
  writeFileSync(config, JSON.stringify({ mcpServers: { sitewright: server } }));
  const program = join(installed, "node_modules/.bin/mcp-inspector");
  const environment = { ...process.env, HOME: home, PATH: `${join(installed, "node_modules/.bin")}:${process.env.PATH}` };
  const ask = (...args) => {
    const common = ["--cli", "--config", config, "--server", "sitewright", "--protocol-era", era, "--format", "json", "-q"];
    return JSON.parse(run(program, [...common, ...args], { env: environment, timeout: TIMEOUT_MS }));
  };
  const result = (answer) => answer.result ?? answer;
  return {
    protocol: `${era} (asked for)`,
    // --strict: exits with 6 where a tool's schema would trouble a client.
    list: () => result(ask("--method", "tools/list", "--strict")).tools,
    call: (name, args) =>
      result(ask("--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(args))),
    close: () => {},
  };
}

/** Calls tools and keeps count, bytes and time. */
class Operator {
  calls = 0;

  constructor(client) {
    this.client = client;
  }

  async call(tool, args = {}) {
    const started = performance.now();
    const result = await this.client.call(tool, args);
    const took = (performance.now() - started).toFixed(1);
    const text = result.content.map((block) => block.text ?? "").join("");
    this.calls += 1;
    const [sent, got] = [JSON.stringify(args).length, text.length];
    console.log(`    ${tool.padEnd(16)} ${String(sent).padStart(6)} B in ${String(got).padStart(6)} B out ${took.padStart(8)} ms`);
    assert(!result.isError, `${tool} failed: ${text}`);
    const reply = JSON.parse(text);
    assert.deepEqual(result.structuredContent, reply, `${tool}: text and structure differ`);
    return reply;
  }
}

async function story(client, { site, remote }, mark) {
  const live = () => git(remote, "show", "main:public/blog/hello/index.html");
  const themeBefore = git(remote, "rev-parse", "main:themes");
  const names = (await client.list()).map((tool) => tool.name);
  assert(names.includes("page_write") && names.includes("publish"), names.join());
  const operator = new Operator(client);
  const written = await operator.call("page_write", {
    pages: [
      { path: "/about/", front_matter: { description: `About ${mark}` }, edits: [] },
      { path: "blog/hello.md", front_matter: { title: `Hello ${mark}` } },
    ],
    include: ["html"],
    message: `Update two pages ${mark}`,
  });
  assert.deepEqual(written.changed.map((item) => item.path).sort(), ["about.md", "blog/hello.md"]);
  assert(written.changed.every((item) => item.html.includes("<")), "no rendered HTML in the reply");
  const published = await operator.call("publish", { message: `Publish ${mark}` });
  assert(published.pushed.ok, JSON.stringify(published));
  assert(operator.calls <= MAX_CALLS, `${operator.calls} calls`);
  assert.equal(git(remote, "rev-parse", "main:themes"), themeBefore, "the theme changed");
  assert(live().includes(`Hello ${mark}`), "the published page does not show the edit");
  const calls = operator.calls;
  // Not part of the story's calls: undo, look at it, publish the undo.
  await operator.call("revision_restore", { undo: [written.revision] });
  const diff = await operator.call("change_diff");
  assert(JSON.stringify(diff).includes(`Hello ${mark}`), JSON.stringify(diff));
  await operator.call("publish", { message: "Undo" });
  assert(!live().includes(`Hello ${mark}`), "the undo is not live");
  git(site, "fsck", "--strict");
  console.log(`    story in ${calls} calls; theme tree ${themeBefore.slice(0, 10)} unchanged; protocol ${client.protocol}`);
}

/** Starts a server over HTTP; its address once it prints it. */
async function serve(site) {
  const args = ["serve", "--site", site, "--http", "127.0.0.1:0", "--no-preview"];
  const env = { ...process.env, SITEWRIGHT_TOKEN: TOKEN };
  const child = spawn(binary, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let said = "";
  const url = await new Promise((found, failed) => {
    const late = setTimeout(() => failed(new Error(`the server did not print its address: ${said}`)), TIMEOUT_MS);
    child.on("exit", () => failed(new Error(`the server ended: ${said}`)));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
      const address = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(said);
      if (address) {
        clearTimeout(late);
        found(address[0]);
      }
    });
  });
  return { child, url };
}

async function play(over, era) {
  console.log(`${kind} over ${over}, ${era}`);
  const root = mkdtempSync(join(tmpdir(), "story-"));
  let server;
  try {
    const places = newSite(root);
    let reach = { command: binary, args: ["serve", "--site", places.site] };
    if (over === "http") {
      server = await serve(places.site);
      reach = { url: server.url };
    }
    const client = await (kind === "inspector" ? connectInspector(reach, era, root) : connectSdk(reach, era));
    if (kind === "sdk-v2") {
      assert.equal(client.protocol, era === "auto" ? "2026-07-28" : "2025-11-25");
    }
    await story(client, places, `${over} ${era}`);
    await client.close();
  } finally {
    server?.child.kill("SIGTERM");
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

const eras = { "sdk-v1": ["legacy"], "sdk-v2": ["auto", "legacy"], inspector: ["modern", "legacy"] }[kind];
assert(eras, `unknown client ${kind}`);
for (const era of eras) {
  for (const over of ["stdio", "http"]) {
    await play(over, era);
  }
}
console.log("ok");
