// Judges the reports of one run of the conformance suite: conformance.mjs FOLDER REVISION
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const both = ["ping", "completion-complete", "tools-list", "resources-list", "prompts-list", "dns-rebinding-protection",
  "server-sse-multiple-streams"];
const gate = {
  "2025-11-25": ["server-initialize", "server-session-lifecycle", "resources-subscribe", "resources-unsubscribe",
    "server-sse-polling", ...both],
  "2026-07-28": ["server-stateless", "sep-2164-resource-not-found", "caching", "http-header-validation",
    "input-required-result-unsupported-methods", "input-required-result-validate-input",
    "input-required-result-missing-input-response", "input-required-result-ignore-extra-params",
    ...both.filter((name) => name !== "ping")],
};

const [folder, revision] = process.argv.slice(2);
const reports = readdirSync(folder);
let passed = 0;
let failed = 0;
for (const name of gate[revision]) {
  const report = reports.find((report) => report.startsWith(`server-${name}-20`));
  if (!report) {
    console.log(`${revision} ${name}: was not run`);
    failed += 1;
    continue;
  }
  const checks = JSON.parse(readFileSync(join(folder, report, "checks.json"), "utf8"));
  for (const check of checks) {
    if (check.status === "SUCCESS") {
      passed += 1;
    } else if ((check.status === "FAILURE" || check.status === "WARNING") && check.details?.untestable !== true) {
      console.log(`${revision} ${name}: ${check.id}: ${check.status}: ${check.errorMessage}`);
      failed += 1;
    }
  }
}
console.log(`${revision}: ${gate[revision].length} scenarios, ${passed} checks passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
