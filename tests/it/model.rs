//! Tests of model.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sitewright::error::Error;
use sitewright::model::{BlobId, Config, ContentPath, Data, Date, File, Snapshot, Theme, resolve_settings};

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let entry = |(path, text): &(&str, &str)| {
        let data = Data::Loaded(Arc::from(text.as_bytes()));
        (ContentPath::parse(path).unwrap(), File { id: BlobId([0; 20]), size: text.len() as u64, data })
    };
    Snapshot::new(files.iter().map(entry).collect::<BTreeMap<_, _>>())
}

fn load(yaml: &str) -> Result<(Config, Vec<sitewright::model::Diagnostic>), Error> {
    Config::load(&snapshot(&[("site.yaml", yaml)]))
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn a_missing_site_yaml_is_no_site() {
    assert_eq!(Config::load(&snapshot(&[])).unwrap_err().code(), "no_site");
}

#[test]
fn an_empty_site_yaml_means_the_defaults() {
    for yaml in ["", "\n", "# nothing yet\n", "---\n", "\u{feff}title:\n"] {
        let (config, diagnostics) = load(yaml).unwrap();
        assert_eq!(config, Config::default(), "{yaml:?}");
        assert_eq!(diagnostics, [], "{yaml:?}");
    }
}

#[test]
fn every_field_is_read() {
    let (config, diagnostics) = load(
        "title: Notes\ndescription: Of a gardener\nbase_url: https://example.org/notes\nlanguage: de-CH\n\
         timezone: Europe/Zurich\nauthor: Ada\ntheme: plain@a1b2\ntheme_settings: {accent: teal}\n\
         menus:\n  main:\n    - {name: Blog, url: blog/_index.md, weight: 2}\n    - name: More\n      url: /more/\n      \
         children: [{name: Below, url: /below/}]\n\
         taxonomies: [tags, categories]\npermalinks:\n  blog: /:year/:month/:slug\n  content/docs/: :sections/:filename/\n\
         paginate: 5\nredirects: {/old/: /new/, /gone: 'https://example.com/'}\nfeed: {limit: 3, full: true, sections: blog}\n\
         markdown: {raw_html: trusted, smart_punctuation: false, highlight: false, wikilinks: false, external_links_new_tab: true}\n\
         publish: {remote: upstream, branch: main, layout: folder, history: linear, output: docs, durability: process}\n\
         params: {x: [1, 2]}\n",
    )
    .unwrap();
    assert_eq!(diagnostics, []);
    assert_eq!(config.base_url, "https://example.org/notes/");
    assert_eq!(config.base_path(), "/notes/");
    assert_eq!(config.time_zone().iana_name(), Some("Europe/Zurich"));
    assert_eq!(config.theme, "plain@a1b2");
    assert_eq!(config.menus["main"][1].children[0].url, "/below/");
    assert_eq!(config.menus["main"][0].weight, 2);
    assert_eq!(config.taxonomies.keys().collect::<Vec<_>>(), ["categories", "tags"]);
    assert_eq!(config.permalinks["blog"], "/:year/:month/:slug/");
    assert_eq!(config.permalinks["docs"], "/:sections/:filename/");
    assert_eq!(config.redirects["/gone"].to, "https://example.com/");
    assert_eq!(config.feed.sections, ["blog"]);
    assert_eq!(config.publish.output, "docs");
    assert_eq!(config.publish.branch.as_deref(), Some("main"));
    assert_eq!(config.params["x"], json!([1, 2]));
}

#[test]
fn taxonomies_come_in_four_forms() {
    for yaml in
        ["taxonomies: [tags]", "taxonomies:\n  tags:\n", "taxonomies:\n  tag: tags\n", "taxonomies:\n  - name: tags\n"]
    {
        let (config, _) = load(yaml).unwrap();
        assert_eq!(config.taxonomies.keys().collect::<Vec<_>>(), ["tags"], "{yaml}");
    }
    let (config, _) = load("taxonomies:\n  tags: {title: Topics, path: /topics/, paginate: 4, feed: true}\n").unwrap();
    let tags = &config.taxonomies["tags"];
    assert_eq!(
        (tags.title.as_deref(), tags.path.as_deref(), tags.paginate, tags.feed),
        (Some("Topics"), Some("topics"), Some(4), true)
    );
    assert!(load("taxonomies: []").unwrap().0.taxonomies.is_empty());
}

#[test]
fn wrong_values_are_errors_with_their_line() {
    for (yaml, line, part) in [
        ("title: a\npaginate: many\n", 2, "`paginate`: expected a whole number"),
        ("title: [a]\n", 1, "expected text, found a list"),
        ("a: 1\nbase_url: example.org\n", 2, "expected an address"),
        ("base_url: https://user:pw@example.org/", 1, "user name"),
        ("base_url: https:///x", 1, "no host"),
        ("base_url: https://a.b/?q", 1, "without `?`"),
        ("# c\n\ntimezone: Mars/Olympus\n", 3, "unknown time zone"),
        ("theme: ../x\n", 1, "plain folder name"),
        ("theme: x@\n", 1, "name@id"),
        ("publish:\n  remote: origin\n  output: content\n", 3, "holds sources"),
        ("publish:\n  output: .git\n", 2, "git"),
        ("publish:\n  branch: --force\n", 2, "no name git accepts"),
        ("publish:\n  layout: sideways\n", 2, "expected folder"),
        ("markdown:\n  raw_html: 'yes'\n", 2, "sanitize or trusted or escape"),
        ("permalinks:\n  blog: /:yaer/:slug/\n", 2, "unknown token `:yaer`"),
        ("permalinks:\n  docs: /:filename/\n  blog: /:year/\n", 3, "share one address"),
        ("permalinks:\n  blog: /../:slug/\n", 2, "`..`"),
        ("redirects:\n  /ok/: /fine/\n  old: /new/\n", 3, "address on this site"),
        ("redirects:\n  /old/: javascript:alert(1)\n", 2, "https address"),
        ("redirects:\n  /old/: //evil.example/\n", 2, "address on this site"),
        ("menus:\n  main: /about/\n", 2, "list of {name, url}"),
        ("menus:\n  main:\n    - url: /about/\n", 2, "no `name`"),
        ("feed:\n  limit: -1\n", 2, "whole number from 0"),
        ("title: a\ntitle: b\n", 2, "duplicate key `title`"),
        ("title: a: b\n", 1, "mapping values"),
        ("title: a\n\tx: 1\n", 2, ""),
        ("- a\n- b\n", 1, "found a list"),
        ("language: 'd e'\n", 1, "language tag"),
    ] {
        match load(yaml).unwrap_err() {
            Error::InvalidConfig { path, line: at, problem } => {
                assert_eq!(path, "site.yaml");
                assert!(problem.contains(part), "{yaml:?} gave {problem:?}");
                assert_eq!(at, line, "{yaml:?} gave {problem:?}");
            }
            other => panic!("{yaml:?} gave {other:?}"),
        }
    }
}

#[test]
fn unknown_keys_are_reported_with_the_nearest_known_one() {
    let (config, diagnostics) = load("titel: x\nfeed:\n  limit: 2\n  ful: true\nbaseURL: x\nwhatever: 1\n").unwrap();
    assert_eq!(config.feed.limit, 2);
    let found: Vec<_> = diagnostics.iter().map(|d| (&*d.code, d.line, d.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("unknown_config_key", 1, "unknown key `titel`"),
            ("unknown_config_key", 4, "unknown key `feed.ful`"),
            ("unknown_config_key", 5, "unknown key `baseURL`"),
            ("unknown_config_key", 6, "unknown key `whatever`"),
        ]
    );
    assert!(diagnostics[0].hint.contains("`title`"), "{}", diagnostics[0].hint);
    assert!(diagnostics[1].hint.contains("`full`"));
    assert!(diagnostics[2].hint.contains("`base_url`"));
    assert!(diagnostics[3].hint.contains("params"));
}

#[test]
fn dates_are_read_in_every_common_form() {
    let zone = Config { timezone: "Europe/Berlin".into(), ..Config::default() }.time_zone();
    for (text, expected, day_only) in [
        ("2026-11-23", "2026-11-23T00:00:00+01:00", true),
        ("2026/11/23", "2026-11-23T00:00:00+01:00", true),
        ("2026-1-3", "2026-01-03T00:00:00+01:00", true),
        ("20261123", "2026-11-23T00:00:00+01:00", true),
        (" 2026-07-01 ", "2026-07-01T00:00:00+02:00", true),
        ("2026-11-23T10:20:30Z", "2026-11-23T10:20:30+00:00", false),
        ("2026-11-23t10:20:30z", "2026-11-23T10:20:30+00:00", false),
        ("2026-11-23 10:20", "2026-11-23T10:20:00+01:00", false),
        ("2026-11-23 10:20:30 +0530", "2026-11-23T10:20:30+05:30", false),
        ("2026-11-23T10:20:30.123456789-08:00", "2026-11-23T10:20:30-08:00", false),
        ("2026-11-23 10:20:30 UTC", "2026-11-23T10:20:30+00:00", false),
        ("2026-11-23 9:05 pm", "2026-11-23T21:05:00+01:00", false),
        ("2026-11-23T10:20:30+01:00[Europe/Paris]", "2026-11-23T10:20:30+01:00", false),
        ("Mon, 23 Nov 2026 10:20:30 +0000", "2026-11-23T10:20:30+00:00", false),
        ("Mon, 23 Nov 2026 10:20:30 GMT", "2026-11-23T10:20:30+00:00", false),
        ("23 Nov 2026 10:20:30 -0500 (EST)", "2026-11-23T10:20:30-05:00", false),
        ("Nov 23, 2026", "2026-11-23T00:00:00+01:00", true),
        ("23 Nov 2026", "2026-11-23T00:00:00+01:00", true),
        ("23. November 2026", "2026-11-23T00:00:00+01:00", true),
        ("November 23rd, 2026 10:00", "2026-11-23T10:00:00+01:00", false),
        ("Sept. 3, 2026 at 9:30pm", "2026-09-03T21:30:00+02:00", false),
        ("Mon Nov 23 10:20:30 UTC 2026", "2026-11-23T10:20:30+00:00", false),
        ("1795429230", "2026-11-23T10:20:30+00:00", false),
        ("2024-02-29", "2024-02-29T00:00:00+01:00", true),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", false),
    ] {
        let date = Date::parse(text, &zone).unwrap_or_else(|| panic!("{text:?} is not read"));
        assert_eq!((date.rfc3339().as_str(), date.day_only), (expected, day_only), "{text:?}");
        assert_eq!(Date::parse(&date.rfc3339(), &zone).unwrap().rfc3339(), expected, "{text:?}");
    }
    for text in [
        "",
        "today",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-02-30",
        "2025-02-29",
        "11/23/2026",
        "23-11-2026",
        "26-11-23",
        "12345678901234",
        "12345",
        "2026-11-23T25:00",
        "2026-11-23T10:61",
        "2026-11-23 10:00 +9900",
        "2026-11-23 nonsense",
        "2026-11-23-1",
        "32 Nov 2026",
        "Nov 2026",
        "Nov 23, 26",
        "2026-11-23T",
        "0000-00-00",
        "99999999",
        "٢٠٢٦-١١-٢٣",
        "-2026-11-23",
        "2026-11-23 10:00 11:00",
        "99999999999999999999999999999999999999999999999999999999999999999999999",
    ] {
        assert_eq!(Date::parse(text, &zone), None, "{text:?}");
    }
    let early = Date::parse("2026-11-23T10:00:00+02:00", &zone).unwrap();
    let late = Date::parse("2026-11-23T09:00:00Z", &zone).unwrap();
    assert!(early < late, "the moment counts, not the digits");
}

#[test]
fn a_theme_is_read_with_its_settings() {
    let site = snapshot(&[(
        "themes/plain/theme.yaml",
        "name: old\nversion: 1.2.0\nextends: base\nsettings:\n  accent:\n    default: teal\n    description: Colour of links\n    \
         options: [teal, red]\n  width: 40\n",
    )]);
    let theme = Theme::load(&site, "plain").unwrap();
    assert_eq!(
        (theme.name.as_str(), theme.version.as_str(), theme.extends.as_deref()),
        ("plain", "1.2.0", Some("base"))
    );
    assert_eq!(theme.settings["accent"].options, [json!("teal"), json!("red")]);
    assert_eq!(theme.settings["width"].default, json!(40));
    assert_eq!(Theme::load(&site, "other").unwrap(), Theme { name: "other".into(), ..Theme::default() });
    assert_eq!(Theme::load(&site, "../x").unwrap_err().code(), "invalid_path");
}

#[test]
fn a_broken_manifest_is_an_error_with_its_line() {
    for (text, line) in [
        ("version: [1]\n", 1),
        ("name: a\nextends: plain\n", 2),
        ("name: a\nextends: ../b\n", 2),
        ("settings:\n  accent:\n    default: x\n    options: [a, b]\n", 3),
        ("settings:\n  accent:\n    default: x\n    options: a\n", 4),
        ("a: 'b\n", 1),
    ] {
        match Theme::load(&snapshot(&[("themes/plain/theme.yaml", text)]), "plain").unwrap_err() {
            Error::InvalidConfig { path, line: at, .. } => {
                assert_eq!((path.as_str(), at), ("themes/plain/theme.yaml", line), "{text:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn settings_are_resolved_along_the_chain() {
    let theme = |settings: Value| {
        let yaml = serde_json::to_string(&json!({ "settings": settings })).unwrap();
        Theme::load(&snapshot(&[("themes/t/theme.yaml", &yaml)]), "t").unwrap()
    };
    let child = theme(json!({"accent": {"default": "teal", "options": ["teal", "red"]}, "width": 40}));
    let base = theme(json!({"accent": "blue", "serif": true}));
    let chain = [child, base];
    let (plain, none) = resolve_settings(&chain, &Map::new());
    assert_eq!(Value::Object(plain), json!({"accent": "teal", "serif": true, "width": 40}));
    assert_eq!(none, []);
    let overrides = object(json!({"accent": "red", "width": "wide", "serif": false, "widht": 3}));
    let (settings, found) = resolve_settings(&chain, &overrides);
    assert_eq!(Value::Object(settings), json!({"accent": "red", "serif": false, "width": 40}));
    let codes: Vec<_> = found.iter().map(|d| &*d.code).collect();
    assert_eq!(codes, ["invalid_theme_setting", "unknown_theme_setting"]);
    assert!(found[0].hint.contains("a number"), "{}", found[0].hint);
    assert!(found[1].hint.contains("`width`"), "{}", found[1].hint);
    let (_, found) = resolve_settings(&chain, &object(json!({"accent": "green"})));
    assert!(found[0].hint.contains("\"teal\" or \"red\""), "{}", found[0].hint);
}
