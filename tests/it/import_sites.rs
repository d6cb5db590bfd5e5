//! Sites of Hugo, Jekyll and Zola of any size, made like real ones, with the address each of their pages has.
//!
//! The addresses are worked out here, by the rules in the other engines' documentation, and not by the code under test.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A generated site.
pub(crate) struct Made {
    /// Path to bytes.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Output file of each page that is published.
    pub(crate) pages: Vec<String>,
    /// Old addresses that must lead somewhere, as output files.
    pub(crate) aliases: Vec<String>,
    /// Assets and static files, as output files.
    pub(crate) assets: Vec<String>,
}

/// A picture of one pixel.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x62, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];
const WORDS: [&str; 16] = [
    "river", "stone", "window", "garden", "copper", "letter", "harbour", "engine", "candle", "forest", "bridge",
    "winter", "silver", "market", "anchor", "meadow",
];
const TAGS: [&str; 8] = ["rust", "web design", "C++", "notes", "travel", "cooking", "Open Source", "history"];
const AREAS: [&str; 4] = ["install", "guides", "reference", "internals"];

impl Made {
    fn new() -> Self {
        Self { files: BTreeMap::new(), pages: Vec::new(), aliases: Vec::new(), assets: Vec::new() }
    }

    fn text(&mut self, path: &str, text: impl Into<String>) {
        self.files.insert(path.to_owned(), text.into().into_bytes());
    }

    fn picture(&mut self, path: &str) {
        self.files.insert(path.to_owned(), PNG.to_vec());
    }

    /// A published page at this address.
    fn page(&mut self, url: &str) {
        self.pages.push(output(url));
    }
}

/// The output file of an address.
fn output(url: &str) -> String {
    let path = url.trim_start_matches('/');
    if path.is_empty() || path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() }
}

fn word(n: usize) -> &'static str {
    WORDS[n % WORDS.len()]
}

/// Some paragraphs, different for every page.
fn prose(n: usize) -> String {
    let mut text = String::new();
    for paragraph in 0..2 + n % 3 {
        for at in 0..25 + (n * 7 + paragraph) % 20 {
            let gap = if at == 0 { "" } else { " " };
            let _ = write!(text, "{gap}{}", word(n * 31 + paragraph * 17 + at * (n % 5 + 1)));
        }
        text.push_str(".\n\n");
        if paragraph == 0 && n % 2 == 0 {
            text.push_str("<!--more-->\n\n");
        }
    }
    let _ = write!(
        text,
        "## Part {}\n\n- one\n- two\n\n| a | b |\n|---|---|\n| {n} | 2 |\n\n```rust\nlet x = {n};\n```\n\n",
        word(n)
    );
    text
}

/// Day of the n-th post: (year, month, day).
fn day(n: usize) -> (usize, usize, usize) {
    (2015 + n % 11, 1 + n % 12, 1 + n % 28)
}

/// A Hugo site with about `count` pages.
pub(crate) fn hugo(count: usize) -> Made {
    let mut made = Made::new();
    made.text("hugo.toml", HUGO);
    for (path, text) in HUGO_TEMPLATES {
        made.text(path, *text);
    }
    made.text(
        "content/_index.md",
        "+++\ntitle = \"Welcome\"\n+++\nStart with [the posts](/posts/) or {{< ref \"docs/_index.md\" >}}.\n",
    );
    made.page("/");
    made.text("content/about.md", "---\ntitle: About us\nurl: /about-us.html\nmenus: main\n---\nWho we are.\n");
    made.page("/about-us.html");
    made.text("content/posts/_index.md", "---\ntitle: Posts\ncascade:\n  params:\n    kind: post\n---\n");
    made.page("/posts/");
    made.text("static/img/logo.png", "");
    made.picture("static/img/logo.png");
    made.assets.push("img/logo.png".into());
    made.text("data/team.toml", "[[people]]\nname = \"Ada\"\n");
    let mut docs = Vec::new();
    for n in 0..count {
        match n % 10 {
            0..=5 => hugo_post(&mut made, n),
            6 | 7 => docs.push(hugo_doc(&mut made, n)),
            8 => hugo_bundle(&mut made, n),
            _ => hugo_note(&mut made, n),
        }
    }
    for folder in docs.iter().collect::<std::collections::BTreeSet<_>>() {
        made.text(
            &format!("content/{folder}/_index.md"),
            format!("---\ntitle: {folder}\nweight: 3\n---\nPages of {folder}.\n"),
        );
        made.page(&format!("/{folder}/"));
    }
    made.text("content/docs/_index.md", "---\ntitle: Documentation\n---\n");
    made.page("/docs/");
    made
}

fn hugo_post(made: &mut Made, n: usize) {
    let (year, month, d) = day(n);
    let draft = n % 17 == 3;
    let title = format!("Post {n}: The {} & the {}", word(n), word(n + 3));
    let slug = (n % 4 == 1).then(|| format!("custom-{n}"));
    let tag = TAGS[n % TAGS.len()];
    let alias = format!("/old/{n}.html");
    let date = format!("{year}-{month:02}-{d:02}T10:00:00Z");
    let head = match n % 3 {
        0 => {
            let slug = slug.as_ref().map_or(String::new(), |slug| format!("slug = \"{slug}\"\n"));
            format!(
                "+++\ntitle = \"{title}\"\ndate = {date}\ndraft = {draft}\ntags = [\"{tag}\", \"all\"]\n{slug}aliases = [\"{alias}\"]\n+++\n"
            )
        }
        1 => {
            let slug = slug.as_ref().map_or(String::new(), |slug| format!("slug: {slug}\n"));
            format!(
                "---\ntitle: \"{title}\"\ndate: {date}\ndraft: {draft}\ntags: [\"{tag}\", all]\ncategories: [Days]\n{slug}aliases:\n  - {alias}\n---\n"
            )
        }
        _ => {
            let slug = slug.as_ref().map_or(String::new(), |slug| format!("  \"slug\": \"{slug}\",\n"));
            format!(
                "{{\n  \"title\": \"{title}\",\n  \"date\": \"{date}\",\n  \"draft\": {draft},\n{slug}  \"tags\": [\"{tag}\", \"all\"],\n  \"aliases\": [\"{alias}\"]\n}}\n"
            )
        }
    };
    let other = n / 10 * 10;
    let mut body = prose(n);
    if other != n && other % 17 != 3 {
        let _ = write!(body, "See [the other]({{{{< ref \"posts/post-{other}.md\" >}}}}) and [docs](/docs/).\n\n");
    }
    match n % 6 {
        0 => body.push_str("{{< youtube dQw4w9WgXcQ >}}\n"),
        1 => body.push_str("{{< figure src=\"/img/logo.png\" alt=\"A logo\" >}}\n"),
        2 => body.push_str("{{< chart id=\"7\" >}}\n"),
        3 => body.push_str("{{% notice warning %}}\nMind the **gap**.\n{{% /notice %}}\n"),
        4 => body.push_str("Write `{{</* ref \"x.md\" */>}}` for a link.\n"),
        _ => body.push_str("![logo](/img/logo.png)\n"),
    }
    made.text(&format!("content/posts/post-{n}.md"), head + &body);
    if !draft {
        // `:slug` is the slug, else the title: punctuation out, blanks to hyphens.
        let slug = slug.unwrap_or_else(|| format!("post-{n}-the-{}-the-{}", word(n), word(n + 3)));
        made.page(&format!("/{year}/{month:02}/{slug}/"));
        made.aliases.push(output(&alias));
    }
}

/// Gives the folder, which has a page of its own.
fn hugo_doc(made: &mut Made, n: usize) -> String {
    let area = AREAS[n / 10 % AREAS.len()];
    let folder = if n % 20 < 10 { format!("docs/{area}") } else { format!("docs/{area}/Deep Dive") };
    let mut body = prose(n);
    let _ = write!(body, "[Up](..) and [a heading](#part-{}).\n", word(n));
    let path = format!("{folder}/Topic {n}.md");
    made.text(&format!("content/{path}"), format!("---\ntitle: Topic {n}\nweight: {n}\n---\n{body}"));
    made.page(&format!("/{}/topic-{n}/", folder.replace(' ', "-").to_lowercase()));
    if folder.ends_with("Deep Dive") { format!("docs/{area}") } else { folder }
}

fn hugo_bundle(made: &mut Made, n: usize) {
    let folder = format!("gallery/{}-{n}", word(n));
    let body = format!("{}![One](one.png)\n\n{{{{< figure src=\"two.png\" title=\"Two\" >}}}}\n", prose(n));
    made.text(
        &format!("content/{folder}/index.md"),
        format!("+++\ntitle = \"Gallery {n}\"\ndate = 2020-01-02\n+++\n{body}"),
    );
    for name in ["one.png", "two.png"] {
        made.picture(&format!("content/{folder}/{name}"));
        made.assets.push(format!("{folder}/{name}"));
    }
    made.page(&format!("/{folder}/"));
}

fn hugo_note(made: &mut Made, n: usize) {
    // The date in a name stays in the address, unless Hugo is told otherwise.
    let name = format!("2021-03-04-note_{n}");
    let body = format!("{}[About](/about-us.html), [relative]({{{{< relref \"/about.md\" >}}}}).\n", prose(n));
    made.text(
        &format!("content/notes/{name}.md"),
        format!("---\ntitle: Note {n}\naliases: [note-{n}]\ntype: note\n---\n{body}"),
    );
    made.page(&format!("/notes/{name}/"));
    made.aliases.push(output(&format!("/notes/note-{n}/")));
}

const HUGO: &str = r#"baseURL = "https://hugo.test/"
title = "A Hugo Site"
languageCode = "en-GB"
enableRobotsTXT = true

[permalinks]
posts = "/:year/:month/:slug/"

[taxonomies]
tag = "tags"
category = "categories"

[pagination]
pagerSize = 25

[params]
description = "Made to be imported"
author = "Ada"
accent = "teal"

[[menus.main]]
name = "Posts"
pageRef = "/posts"
weight = 10
[[menus.main]]
identifier = "docs"
name = "Docs"
pageRef = "/docs"
weight = 20
[[menus.main]]
name = "Code"
url = "https://example.org/code"
parent = "docs"

[related]
threshold = 80
"#;

/// Enough for the real engine to build the site.
const HUGO_TEMPLATES: &[(&str, &str)] = &[
    ("layouts/_default/single.html", "<!doctype html><title>{{ .Title }}</title>{{ .Content }}"),
    (
        "layouts/_default/list.html",
        "<!doctype html><title>{{ .Title }}</title>{{ .Content }}{{ range .Pages }}<a href=\"{{ .RelPermalink }}\">{{ .Title }}</a>{{ end }}",
    ),
    ("layouts/shortcodes/chart.html", "<div class=\"chart\">{{ .Get \"id\" }}</div>"),
    ("layouts/shortcodes/notice.html", "<div class=\"notice\">{{ .Inner }}</div>"),
    ("archetypes/default.md", "---\ntitle: x\n---\n"),
];

/// A Jekyll site with about `count` pages.
pub(crate) fn jekyll(count: usize) -> Made {
    let mut made = Made::new();
    made.text("_config.yml", JEKYLL);
    made.text("_layouts/default.html", "<html>{{ content }}</html>");
    made.text("_includes/ad.html", "<p>Ad</p>");
    made.text(
        "_data/navigation.yml",
        "main:\n  - title: Blog\n    url: /blog/\n  - title: About\n    url: /about.html\n",
    );
    made.text("_data/people.yml", "- name: Ada\n");
    made.text("index.html", "---\nlayout: home\n---\n{% for post in site.posts %}<a href=\"{{ post.url }}\">{{ post.title }}</a>{% endfor %}\n");
    made.text("feed.xml", "---\n---\n<feed>{{ site.title }}</feed>\n");
    made.text("about.md", "---\nlayout: page\ntitle: About\nredirect_from: /me/\n---\n{{ site.title }} is by {{ site.author }}. {{ page.title }}!\n");
    made.page("/about.html");
    made.aliases.push("me/index.html".into());
    made.text("blog/index.md", "---\nlayout: page\ntitle: Blog\n---\nAll posts.\n");
    made.page("/blog/");
    made.text("Gemfile", "source 'https://rubygems.org'\n");
    made.text("README.md", "# The repository\n");
    made.picture("assets/images/logo.png");
    made.assets.push("assets/images/logo.png".into());
    made.text("assets/main.scss", "---\n---\n@import 'x';\n");
    for n in 0..count {
        match n % 10 {
            0..=6 => jekyll_post(&mut made, n),
            7 | 8 => jekyll_doc(&mut made, n),
            _ => jekyll_page(&mut made, n),
        }
    }
    made
}

fn jekyll_name(n: usize) -> String {
    let (year, month, d) = day(n);
    format!("{year}-{month:02}-{d:02}-The-{}-{n}", word(n))
}

fn jekyll_post(made: &mut Made, n: usize) {
    let (year, month, d) = day(n);
    let draft = n % 17 == 3;
    let name = jekyll_name(n);
    let category = match n % 4 {
        0 => Some("news"),
        1 => Some("News Extra"),
        _ => None,
    };
    let mut head = format!("---\nlayout: post\ntitle: \"The {} {n}\"\ntags: {} all\n", word(n), TAGS[0]);
    match category {
        Some(category) if n % 8 < 4 => {
            let _ = writeln!(head, "category: {category}");
        }
        Some(category) => {
            let _ = writeln!(head, "categories: [{category}, {}]", word(n));
        }
        None => {}
    }
    if n % 5 == 0 {
        head.push_str("comments: true\n");
    }
    head.push_str("---\n");
    let mut body = prose(n);
    let other = n / 10 * 10;
    if other != n && other % 17 != 3 {
        let _ = write!(
            body,
            "See [the other]({{{{ site.baseurl }}}}{{% post_url {} %}}) and [docs]({{% link about.md %}}).\n\n",
            jekyll_name(other)
        );
    }
    match n % 6 {
        0 => body.push_str("{% highlight ruby linenos %}\nputs \"{{ x }}\"\n{% endhighlight %}\n"),
        1 => body.push_str("![logo]({{ site.baseurl }}/assets/images/logo.png){: .right }\n"),
        2 => body.push_str("{% include ad.html %}\n"),
        3 => body.push_str("* TOC\n{:toc}\n\n[about]({{ '/about.html' | relative_url }})\n"),
        4 => body.push_str("{% raw %}`{{ braces }}`{% endraw %}\n\n## Named\n{: #own-id .big}\n\n[to it](#own-id)\n"),
        _ => body.push_str("{% youtube dQw4w9WgXcQ %}\n\n[me](/about.html)\n"),
    }
    let folder = if draft { "_drafts" } else { "_posts" };
    let file = if draft { format!("draft-{n}") } else { name };
    made.text(&format!("{folder}/{file}.{}", if n % 7 == 0 { "markdown" } else { "md" }), head + &body);
    if !draft {
        let mut url = String::from("/");
        if let Some(category) = category {
            let _ = write!(url, "{}/", category.to_lowercase());
            if n % 8 >= 4 {
                let _ = write!(url, "{}/", word(n));
            }
        }
        made.page(&format!("{url}{year}/{month:02}/{d:02}/The-{}-{n}.html", word(n)));
    }
}

fn jekyll_doc(made: &mut Made, n: usize) {
    let area = AREAS[n / 10 % AREAS.len()];
    let body = format!("{}[Next](../{area}/topic-{n}/) {{{{ site.title }}}}\n", prose(n));
    made.text(&format!("_docs/{area}/topic-{n}.md"), format!("---\ntitle: Topic {n}\n---\n{body}"));
    made.page(&format!("/docs/{area}/topic-{n}/"));
}

fn jekyll_page(made: &mut Made, n: usize) {
    if n % 20 < 10 {
        made.text(&format!("pages/Page {n}.md"), format!("---\nlayout: wide\ntitle: Page {n}\n---\n{}", prose(n)));
        made.page(&format!("/pages/Page {n}.html"));
    } else {
        made.text(
            &format!("pages/p{n}.md"),
            format!("---\ntitle: Page {n}\npermalink: /p/{n}/\n---\n{}[x](p{n}.md)\n", prose(n)),
        );
        made.page(&format!("/p/{n}/"));
    }
}

const JEKYLL: &str = "title: A Jekyll Site
description: >
  Made to be
  imported
author: Ada
url: https://jekyll.test
baseurl: \"\"
timezone: UTC
paginate: 20
markdown: kramdown
plugins: [jekyll-feed, jekyll-redirect-from]
exclude: [Gemfile.lock, notes]
twitter_username: ada
collections:
  docs:
    output: true
    permalink: /docs/:path/
defaults:
  - scope: {path: \"\", type: posts}
    values: {layout: post, author: Ada}
";

/// A Zola site with about `count` pages.
pub(crate) fn zola(count: usize) -> Made {
    let mut made = Made::new();
    made.text("config.toml", ZOLA);
    made.text("templates/index.html", "<!doctype html>{{ section.content | safe }}");
    made.text("templates/shortcodes/chart.html", "<div>{{ id }}</div>");
    made.text("sass/style.scss", "a { b: c }");
    made.text("content/_index.md", "+++\ntitle = \"Home\"\n+++\nStart at [the blog](@/blog/_index.md).\n");
    made.page("/");
    made.text("content/blog/_index.md", "+++\ntitle = \"Blog\"\nsort_by = \"date\"\npaginate_by = 20\n+++\n");
    made.page("/blog/");
    made.text("content/docs/_index.md", "+++\ntitle = \"Docs\"\nsort_by = \"weight\"\n+++\n");
    made.page("/docs/");
    for area in AREAS {
        made.text(
            &format!("content/docs/{area}/_index.md"),
            format!("+++\ntitle = \"{area}\"\ntransparent = true\n+++\n"),
        );
        made.page(&format!("/docs/{area}/"));
    }
    made.picture("static/logo.png");
    made.assets.push("logo.png".into());
    for n in 0..count {
        match n % 10 {
            0..=5 => zola_post(&mut made, n),
            6 | 7 => zola_doc(&mut made, n),
            8 => zola_bundle(&mut made, n),
            _ => {
                made.text(
                    &format!("content/Page_{n}.v2.md"),
                    format!("+++\ntitle = \"Page {n}\"\ntemplate = \"wide.html\"\n+++\n{}", prose(n)),
                );
                made.page(&format!("/page-{n}-v2/"));
            }
        }
    }
    made
}

fn zola_post(made: &mut Made, n: usize) {
    let (year, month, d) = day(n);
    let draft = n % 17 == 3;
    let date = format!("{year}-{month:02}-{d:02}");
    let dated = n % 2 == 0;
    let file = if dated { format!("{date}_My_Post_{n}") } else { format!("post-{n}") };
    let own = match n % 8 {
        1 => Some(format!("path = \"essays/{n}\"\n")),
        3 => Some(format!("slug = \"a-slug-{n}\"\n")),
        _ => None,
    };
    let mut head = format!("+++\ntitle = \"Post {n}\"\ndraft = {draft}\n");
    if !dated {
        let _ = writeln!(head, "date = {date}");
    }
    head.push_str(own.as_deref().unwrap_or_default());
    let _ = write!(
        head,
        "aliases = [\"old/{n}\"]\n[taxonomies]\ntags = [\"{}\", \"all\"]\n[extra]\nmood = \"calm\"\n+++\n",
        TAGS[n % TAGS.len()]
    );
    let mut body = prose(n).replace("<!--more-->", "<!-- more -->");
    let other = n / 10 * 10;
    if other != n && other % 17 != 3 {
        let (y, m, dd) = day(other);
        let _ = write!(body, "See [the other](@/blog/{y}-{m:02}-{dd:02}_My_Post_{other}.md#part-{}).\n\n", word(other));
    }
    match n % 5 {
        0 => body.push_str("{{ youtube(id=\"dQw4w9WgXcQ\") }}\n"),
        1 => body.push_str("{{ chart(id=7) }}\n"),
        2 => body.push_str("{% quote(by=\"Ada\") %}\nWise *words*.\n{% end %}\n"),
        3 => body.push_str("`{{/* youtube(id=\"x\") */}}` and [the logo](/logo.png)\n"),
        _ => body.push_str("![logo](/logo.png)\n"),
    }
    made.text(&format!("content/blog/{file}.md"), head + &body);
    if !draft {
        made.page(&match n % 8 {
            1 => format!("/essays/{n}/"),
            3 => format!("/blog/a-slug-{n}/"),
            _ if dated => format!("/blog/my-post-{n}/"),
            _ => format!("/blog/post-{n}/"),
        });
        made.aliases.push(output(&format!("/old/{n}/")));
    }
}

fn zola_doc(made: &mut Made, n: usize) {
    let area = AREAS[n / 10 % AREAS.len()];
    made.text(
        &format!("content/docs/{area}/topic_{n}.md"),
        format!("+++\ntitle = \"Topic {n}\"\nweight = {n}\n+++\n{}[Home](@/_index.md)\n", prose(n)),
    );
    made.page(&format!("/docs/{area}/topic-{n}/"));
}

fn zola_bundle(made: &mut Made, n: usize) {
    let folder = format!("gallery/{}-{n}", word(n));
    made.text(
        &format!("content/{folder}/index.md"),
        format!("+++\ntitle = \"Gallery {n}\"\n+++\n{}![One](one.png)\n", prose(n)),
    );
    made.picture(&format!("content/{folder}/one.png"));
    made.assets.push(format!("{folder}/one.png"));
    made.page(&format!("/{folder}/"));
}

const ZOLA: &str = r#"base_url = "https://zola.test"
title = "A Zola Site"
description = "Made to be imported"
default_language = "en"
compile_sass = true
taxonomies = [{ name = "tags", feed = true }]

[markdown]
smart_punctuation = true

[extra]
accent = "teal"
main_menu = [
  { name = "Blog", url = "/blog/" },
  { name = "Docs", url = "/docs/" },
]
"#;
