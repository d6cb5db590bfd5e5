//! What a host wants at the top of the repository so that it serves the committed output without building anything: written once, by
//! `init`, and the person's from then on.

use serde_json::{Value, json};

use super::outputs::headers;
use super::redirects;
use crate::model::Library;
use crate::model::config::Host;

/// Redirects that `vercel.json` may hold.
const VERCEL_REDIRECTS: usize = 1_000;

/// Where the output is and who pushes it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The publish branch.
    pub branch: &'a str,
    /// The output folder from the repository's root: `public` or `docs/public`.
    pub output: &'a str,
}

/// The files, by path from the repository's root. A deploy branch needs none: hosts serve its root.
#[must_use]
pub fn files(host: Host, library: &Library, place: Place<'_>) -> Vec<(String, String)> {
    if !library.config.publish.layout.has_folder() {
        return Vec::new();
    }
    let file = |path: &str, text: String| vec![(path.to_owned(), text)];
    match host {
        Host::GitHub => file(".github/workflows/pages.yml", github(place)),
        Host::GitLab => file(".gitlab-ci.yml", gitlab(place)),
        Host::Netlify => file("netlify.toml", netlify(place)),
        Host::Vercel => file("vercel.json", vercel(library, place)),
        Host::Cloudflare | Host::Codeberg => Vec::new(),
    }
}

/// What a person still does by hand, once.
#[must_use]
pub fn advice(host: Host) -> &'static str {
    match host {
        Host::GitHub => "On GitHub: Settings, Pages, Source: GitHub Actions.",
        Host::GitLab => "GitLab serves it after the first push; see Deploy, Pages.",
        Host::Cloudflare => {
            "On Cloudflare: connect the repository, leave the build command empty, output directory: the output folder."
        }
        Host::Netlify => "On Netlify: import the repository; netlify.toml says the rest.",
        Host::Codeberg => "Codeberg serves the root of the branch `pages`.",
        Host::Vercel => "On Vercel: import the repository with framework `Other`; vercel.json says the rest.",
    }
}

/// A JSON string is a YAML string in double quotes and a TOML one too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn github(place: Place<'_>) -> String {
    let (branch, output) = (quoted(place.branch), quoted(place.output));
    format!(
        "# Serves the committed output; nothing is built here.\n\
         name: pages\n\
         on:\n\
         \x20 push:\n\
         \x20   branches: [{branch}]\n\
         \x20 workflow_dispatch:\n\
         permissions:\n\
         \x20 contents: read\n\
         \x20 pages: write\n\
         \x20 id-token: write\n\
         concurrency:\n\
         \x20 group: pages\n\
         \x20 cancel-in-progress: true\n\
         jobs:\n\
         \x20 pages:\n\
         \x20   runs-on: ubuntu-latest\n\
         \x20   environment:\n\
         \x20     name: github-pages\n\
         \x20     url: ${{{{ steps.deployment.outputs.page_url }}}}\n\
         \x20   steps:\n\
         \x20     - uses: actions/checkout@v4\n\
         \x20     - uses: actions/configure-pages@v5\n\
         \x20     - uses: actions/upload-pages-artifact@v3\n\
         \x20       with:\n\
         \x20         path: {output}\n\
         \x20     - id: deployment\n\
         \x20       uses: actions/deploy-pages@v4\n"
    )
}

fn gitlab(place: Place<'_>) -> String {
    // GitLab serves the folder `public` of the job, under that name only.
    let script = if place.output == "public" {
        "\"true\"".to_owned()
    } else {
        quoted(&format!("rm -rf public && cp -r -- '{}' public", place.output.replace('\'', "'\\''")))
    };
    let rule = quoted(&format!("$CI_COMMIT_BRANCH == {}", quoted(place.branch)));
    format!(
        "# Serves the committed output; nothing is built here.\n\
         pages:\n\
         \x20 stage: deploy\n\
         \x20 script:\n\
         \x20   - {script}\n\
         \x20 artifacts:\n\
         \x20   paths:\n\
         \x20     - public\n\
         \x20 rules:\n\
         \x20   - if: {rule}\n"
    )
}

fn netlify(place: Place<'_>) -> String {
    format!(
        "# Serves the committed output; nothing is built here.\n[build]\n  publish = {}\n  command = \"\"\n",
        quoted(place.output)
    )
}

fn vercel(library: &Library, place: Place<'_>) -> String {
    let headers: Vec<Value> = headers::rules(library)
        .into_iter()
        .map(|(pattern, headers)| {
            let headers: Vec<Value> =
                headers.iter().map(|(name, value)| json!({"key": name, "value": value})).collect();
            json!({"source": source_pattern(&pattern), "headers": headers})
        })
        .collect();
    let value = json!({
        "$schema": "https://openapi.vercel.sh/vercel.json",
        "framework": null,
        "buildCommand": "",
        "installCommand": "",
        "outputDirectory": place.output,
        "cleanUrls": true,
        "trailingSlash": true,
        "headers": headers,
        "redirects": vercel_redirects(library),
    });
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// Vercel reads a path in which `(`, `+` and the like have a meaning.
fn source_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 4);
    for c in pattern.chars() {
        match c {
            '*' => out.push_str("(.*)"),
            '.' | '(' | ')' | '{' | '}' | '[' | ']' | '+' | '?' | '^' | '$' | '|' | '\\' => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}

fn vercel_redirects(library: &Library) -> Vec<Value> {
    let aliases = library
        .pages
        .iter()
        .filter(|page| page.included)
        .flat_map(|page| page.aliases.iter().map(|alias| (alias.clone(), page.url.clone(), 301)));
    let configured = redirects::in_order(&library.config)
        .into_iter()
        .map(|(from, rule)| (from.to_owned(), rule.to.clone(), rule.status));
    // A target that names a content path is served by its page that leads on.
    aliases
        .chain(configured)
        .filter(|(_, to, _)| to.starts_with('/') || to.contains("://"))
        .take(VERCEL_REDIRECTS)
        .map(|(from, to, status)| {
            let from = from.replace('*', ":path*");
            json!({"source": from, "destination": to.replace(":splat", ":path*"), "statusCode": status})
        })
        .collect()
}
