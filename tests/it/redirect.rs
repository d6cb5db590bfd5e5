//! Redirects: statuses, patterns, and what leads nowhere.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sitewright::build::hosting::{self, Place};
use sitewright::build::{Built, Cache, build};
use sitewright::model::config::Host;

use crate::build::{codes, finding, options, text, with_theme};

const PAGES: &str = "\
-- content/blog/one.md --
---
title: One
aliases: [/first/]
---
One.
-- content/about.md --
About.
";

fn site(config: &str) -> Built {
    let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n{config}");
    build(&with_theme(&format!("{yaml}{PAGES}")), &options(), &Cache::default()).unwrap()
}

#[test]
fn each_host_gets_the_statuses_it_knows() {
    let rules = "redirects:\n  /a/: /about/\n  /b/: { to: /about/, status: 302 }\n  /c/: { to: /about/, status: 307 }\n  /d/: { to: 'https://x.org/', status: 308 }\n  /e/*: { to: '/blog/:splat', status: 302 }\n";
    let of = |host: &str| {
        let built = site(&format!("publish: {{host: {host}}}\n{rules}"));
        assert_eq!(codes(&built), []);
        text(&built, "_redirects").to_owned()
    };
    let aliases = "/first/ /blog/one/ 301\n";
    assert_eq!(
        of("cloudflare"),
        format!(
            "{aliases}/a/ /about/ 301\n/b/ /about/ 302\n/c/ /about/ 307\n/d/ https://x.org/ 308\n/e/* /blog/:splat 302\n"
        )
    );
    assert_eq!(
        of("gitlab"),
        format!(
            "{aliases}/a/ /about/ 301\n/b/ /about/ 302\n/c/ /about/ 302\n/d/ https://x.org/ 301\n/e/* /blog/:splat 302\n"
        )
    );
    // A stub page stands at each single address, and Netlify shows files first; a pattern leaves pages alone.
    assert_eq!(
        of("netlify"),
        "/first/ /blog/one/ 301!\n/a/ /about/ 301!\n/b/ /about/ 302!\n/c/ /about/ 302!\n/d/ https://x.org/ 301!\n/e/* /blog/:splat 302\n"
    );
    let built = site(&format!("publish: {{host: vercel}}\n{rules}"));
    let place = Place { branch: "main", output: "public" };
    let vercel = &hosting::files(Host::Vercel, &built.library, place)[0].1;
    let vercel: serde_json::Value = serde_json::from_str(vercel).unwrap();
    let statuses: Vec<u64> =
        vercel["redirects"].as_array().unwrap().iter().map(|rule| rule["statusCode"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [301, 301, 302, 307, 308, 302]);
    assert!(text(&built, "b/index.html").contains("0; url=/about/"), "every host has a page that leads on");
}

#[test]
fn patterns_that_say_more_come_first() {
    let built = site("redirects:\n  /o/*: /about/\n  /o/x/*: /blog/one/\n  /o/x/y/: /about/\n");
    let rules = text(&built, "_redirects");
    assert_eq!(rules, "/first/ /blog/one/ 301\n/o/x/y/ /about/ 301\n/o/x/* /blog/one/ 301\n/o/* /about/ 301\n");
}

#[test]
fn a_list_is_read_too() {
    let built = site("redirects:\n  - { from: /a/, to: /about/ }\n  - from: /b/\n    to: /gone/\n    status: 302\n");
    assert_eq!(codes(&built), [("broken_redirect", "site.yaml", 6)]);
    assert_eq!(text(&built, "_redirects"), "/first/ /blog/one/ 301\n/a/ /about/ 301\n/b/ /gone/ 302\n");
}

#[test]
fn circles_chains_and_dead_ends_are_found() {
    let built = site(
        "redirects:\n  /a/: /b/\n  /b/: /a/\n  /c/: /first/\n  /d/: /blog/onne/\n  /e/: /d/\n  /f/: /about.md#x\n  /g/: /g/\n  /h/: /index.md\n  /i/: /sitemap.xml\n",
    );
    assert_eq!(
        codes(&built),
        [
            ("redirect_loop", "site.yaml", 5),
            ("redirect_loop", "site.yaml", 6),
            ("redirect_chain", "site.yaml", 7),
            ("broken_redirect", "site.yaml", 8),
            ("redirect_chain", "site.yaml", 9),
            ("redirect_loop", "site.yaml", 11),
        ]
    );
    assert_eq!(finding(&built, "redirect_chain").hint, "Point it at /blog/one/ at once.");
    assert_eq!(finding(&built, "broken_redirect").hint, "Did you mean /blog/one/?");
}

#[test]
fn what_hides_or_is_hidden_by_a_page_is_found() {
    let built = site("redirects:\n  /about/: /blog/one/\n  /blog/*: /about/\n");
    assert_eq!(codes(&built), [("redirect_clash", "site.yaml", 5), ("redirect_hides", "site.yaml", 6)]);
    let hides = &finding(&built, "redirect_hides").message;
    assert!(hides.contains("hides /blog/ and 1 more"), "{hides}");
}

#[test]
fn what_no_host_reads_is_an_error() {
    for (from, to, problem) in [
        ("/a*", "/about/", "has to be its last part"),
        ("/*/a", "/about/", "has to be its last part"),
        ("/a/:x/", "/b/:y/", "`:y` in"),
        ("/a/", "/b/:splat", "`:splat` in"),
    ] {
        let built = site(&format!("redirects:\n  {from}: {to}\n"));
        let found = built.diagnostics.iter().find(|d| d.code == "invalid_url");
        assert!(found.is_some_and(|d| d.message.contains(problem) && d.line == 5), "{from}: {:?}", built.diagnostics);
    }
    let error = |config: &str| {
        let site = format!("-- site.yaml --\ntitle: T\n{config}");
        build(&crate::build::snapshot(&site), &options(), &Cache::default()).unwrap_err().to_string()
    };
    assert!(error("redirects:\n  /a/: {to: /b/, status: 200}\n").contains("expected 301, 302, 307 or 308"));
    assert!(error("redirects:\n  - {from: /a/, to: /b/}\n  - {from: /a/, to: /c/}\n").contains("redirected twice"));
    assert!(error("redirects:\n  - {to: /b/}\n").contains("no `from`"));
    assert!(error("redirects:\n  /a/: {status: 301}\n").contains("expected the new address"));
}
