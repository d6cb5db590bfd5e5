//! Pages in several languages; menu entries by page; a theme on top of another.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sitewright::build::{Built, Cache, build};

use crate::build::{codes, finding, options, snapshot, text, with_theme};

const PAGES: &str = "\
-- content/_index.md --
---
title: Home
---
-- content/_index.de.md --
---
title: Start
---
Hallo.
-- content/about.md --
---
title: About
---
About, version 1.2.
-- content/about.de.md --
---
title: Wir
---
[Trip](trip/index.de.md), [map](trip/map.png).
-- content/v1.2.md --
---
title: Version
---
Not a language.
-- content/trip/index.md --
---
title: Trip
date: 2026-01-01
---
![Map](map.png)
-- content/trip/index.de.md --
---
title: Ausflug
date: 2026-01-01
slug: reise
---
![Karte](map.png)
-- content/trip/map.png --
png
-- content/news/one.md --
---
title: One
translation_key: first
---
One.
-- content/news/eins.md --
---
title: Eins
lang: de
translation_key: first
---
Eins.
-- content/news/alone.fr.md --
---
title: Seul
---
Seul.
-- themes/t/layouts/page.hbs --
<html lang=\"{{page.lang}}\"><head></head><body>{{{content}}}{{#each page.translations}}<a hreflang=\"{{lang}}\" href=\"{{url}}\">{{title}}</a>{{/each}}</body></html>
";

fn site(config: &str) -> Built {
    let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n{config}");
    build(&with_theme(&format!("{yaml}{PAGES}")), &options(), &Cache::default()).unwrap()
}

#[test]
fn translations_by_file_name_live_below_their_language() {
    let built = site("languages: [de, fr]\n");
    assert_eq!(codes(&built), []);
    let about = text(&built, "about/index.html");
    for (language, href) in [("de", "de/about/"), ("en", "about/"), ("x-default", "about/")] {
        let link = format!("<link rel=\"alternate\" href=\"https://example.org/{href}\" hreflang=\"{language}\">");
        assert!(about.contains(&link), "{link} in {about}");
    }
    assert!(about.contains("<a hreflang=\"de\" href=\"/de/about/\">Wir</a>"), "{about}");
    let wir = text(&built, "de/about/index.html");
    assert!(wir.contains("<html lang=\"de\">") && wir.contains("hreflang=\"en\""), "{wir}");
    assert!(wir.contains("href=\"/de/trip/\"") && wir.contains("href=\"/trip/map.png\""), "{wir}");
    assert!(text(&built, "de/trip/index.html").contains("src=\"/trip/map.png\""), "the bundle's assets serve both");
    assert!(text(&built, "de/index.html").contains("Hallo."));
    assert!(built.outputs.contains_key("v1.2/index.html"), "a dot alone makes no language");
    assert!(!text(&built, "fr/news/alone/index.html").contains("hreflang"), "it has no translation");
}

#[test]
fn lists_and_feeds_stay_in_the_language_of_the_site() {
    let built = site("languages: [de, fr]\n");
    let home = text(&built, "index.html");
    assert!(home.contains(">Trip<") && !home.contains("Ausflug"), "{home}");
    assert!(!text(&built, "news/index.html").contains("Seul"));
    assert!(!text(&built, "atom.xml").contains("Ausflug"));
    let sitemap = text(&built, "sitemap.xml");
    assert!(sitemap.contains("xmlns:xhtml"), "{sitemap}");
    assert!(
        sitemap.contains(
            "<loc>https://example.org/de/about/</loc><xhtml:link rel=\"alternate\" hreflang=\"de\" href=\"https://example.org/de/about/\"/><xhtml:link rel=\"alternate\" hreflang=\"en\" href=\"https://example.org/about/\"/>"
        ),
        "{sitemap}"
    );
}

#[test]
fn translations_by_key_keep_their_addresses() {
    let built = site("languages: [fr]\n");
    let one = text(&built, "news/one/index.html");
    assert!(one.contains("<a hreflang=\"de\" href=\"/news/eins/\">Eins</a>"), "{one}");
    // Without the language, the dot is part of the name.
    assert!(built.outputs.contains_key("about.de/index.html"), "{:?}", built.outputs.keys());
    assert!(!text(&site(""), "sitemap.xml").contains("about/\"/>"));
}

#[test]
fn two_pages_in_one_language_are_found() {
    let more = "-- content/news/uno.md --\n---\ntranslation_key: first\nlang: DE\n---\nUno.\n";
    let yaml = "-- site.yaml --\ntitle: T\ntheme: t\nlanguages: [de, fr]\n";
    let built = build(&with_theme(&format!("{yaml}{PAGES}{more}")), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), [("duplicate_translation", "content/news/uno.md", 0)]);
    assert!(finding(&built, "duplicate_translation").message.contains("content/news/eins.md"));
    let bad = snapshot("-- site.yaml --\ntitle: T\nlanguages: [de, ../x]\n");
    let error = build(&bad, &options(), &Cache::default()).unwrap_err().to_string();
    assert!(error.contains("expected a language tag") && error.contains("../x"), "{error}");
}

#[test]
fn a_menu_entry_names_a_page_and_is_checked() {
    let menus = "menus:\n  main:\n    - {name: A, page: about.md}\n    - {name: B, page: abuot.md}\n    - {name: C, children: [{name: D, pageRef: /trip/}]}\n-- themes/t/layouts/page.hbs --\n<head></head>{{#each site.menus.main}}<a href=\"{{url}}\">{{name}}</a>{{#each children}}<a href=\"{{url}}\">{{name}}</a>{{/each}}{{/each}}\n-- content/about.md --\nA.\n-- content/trip/index.md --\nT.\n";
    let yaml = "-- site.yaml --\ntitle: T\ntheme: t\n";
    let built = build(&with_theme(&format!("{yaml}{menus}")), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), [("broken_link", "site.yaml", 6)]);
    assert_eq!(finding(&built, "broken_link").hint, "Did you mean `about.md`?");
    let html = text(&built, "about/index.html");
    assert!(html.contains("<a href=\"/about/\">A</a>") && html.contains("<a href=\"/trip/\">D</a>"), "{html}");
    let both = snapshot("-- site.yaml --\ntitle: T\nmenus: {main: [{name: A, url: /a/, page: a.md}]}\n");
    let error = build(&both, &options(), &Cache::default()).unwrap_err().to_string();
    assert!(error.contains("give `url` or `page`, not both"), "{error}");
}

#[test]
fn a_site_adds_shortcodes_and_partials_on_top_of_a_theme() {
    let own = "\
-- site.yaml --
title: T
theme: mine
-- themes/mine/theme.yaml --
extends: t
-- themes/mine/shortcodes/price.hbs --
<b>{{args.of}} EUR</b>
-- themes/mine/partials/foot.hbs --
mine
-- themes/t/partials/foot.hbs --
theirs
-- themes/t/layouts/page.hbs --
<head></head>{{{content}}}<footer>{{> foot}}</footer>
-- content/a.md --
{{< price of=\"7\" >}} {{% note kind=\"tip\" %}}x{{% /note %}}
";
    let built = build(&with_theme(own), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), []);
    let html = text(&built, "a/index.html");
    assert!(html.contains("<b>7 EUR</b>") && html.contains("<aside>tip") && html.contains("<footer>mine"), "{html}");
}
