//! Tests of markdown.

use proptest::prelude::*;
use sitewright::build::markdown::{Document, LinkKind, Resolve, Resolved, ShortcodeCall, parse};
use sitewright::model::config::{MarkdownConfig, RawHtml};

/// Leaves addresses as they are; shows what it was called with.
struct Plain;

impl Resolve for Plain {
    fn link<'r>(&mut self, raw: &'r str, kind: LinkKind, _: &str, _: usize) -> Resolved<'r> {
        Resolved {
            href: if kind == LinkKind::Wiki { format!("/{}/", raw.to_lowercase()).into() } else { raw.into() },
            external: raw.starts_with("http"),
            missing: raw.contains("missing"),
            text: (kind == LinkKind::Wiki).then(|| format!("Title of {raw}")),
            size: raw.strip_prefix("sized").map(|_| (40, 20)),
        }
    }

    fn shortcode(&mut self, call: &ShortcodeCall, inner: Option<&str>) -> String {
        if call.name == "echo" {
            return call.positional.iter().filter_map(|value| value.as_str()).collect();
        }
        let named = call.args.iter().map(|(key, value)| format!(" {key}={value}"));
        let args = call.positional.iter().map(|value| format!(" {value}")).chain(named).collect::<Vec<_>>().concat();
        match inner {
            Some(inner) => format!("[{}{args}|{inner}]", call.name),
            None => format!("[{}{args}]", call.name),
        }
    }
}

fn options() -> MarkdownConfig {
    MarkdownConfig { smart_punctuation: false, ..MarkdownConfig::default() }
}

fn with(policy: RawHtml) -> MarkdownConfig {
    MarkdownConfig { raw_html: policy, ..options() }
}

fn html(body: &str) -> String {
    parse(body, &options()).render(&mut Plain)
}

fn html_with(body: &str, policy: RawHtml) -> String {
    parse(body, &with(policy)).render(&mut Plain)
}

fn codes(document: &Document) -> Vec<(&'static str, usize)> {
    document.diagnostics.iter().map(|finding| (finding.code, finding.line)).collect()
}

#[test]
fn commonmark_by_example() {
    let cases = [
        ("", ""),
        ("a\nb", "<p>a\nb</p>\n"),
        ("a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>\n"),
        ("*a* **b** ~~c~~ `d<`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;</code></p>\n"),
        ("a < b & c > d \"e\"", "<p>a &lt; b &amp; c &gt; d &quot;e&quot;</p>\n"),
        ("---", "<hr>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>\n"),
        ("- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"),
        ("3. a\n4. b", "<ol start=\"3\">\n<li>a</li>\n<li>b</li>\n</ol>\n"),
        ("> a\n> > b", "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n"),
        ("    code\n", "<pre class=\"highlight\" tabindex=\"0\"><code>code\n</code></pre>\n\n"),
        ("[a](/b \"c\")", "<p><a href=\"/b\" title=\"c\">a</a></p>\n"),
        ("[a]\n\n[a]: /b", "<p><a href=\"/b\">a</a></p>\n"),
        (
            "<https://a.example/?b=c&d>",
            "<p><a href=\"https://a.example/?b=c&amp;d\" rel=\"noopener noreferrer\">https://a.example/?b=c&amp;d</a></p>\n",
        ),
        ("<a@b.example>", "<p><a href=\"mailto:a@b.example\">a@b.example</a></p>\n"),
        ("[a b](c%20d.md \"x\\\"y\")", "<p><a href=\"c%20d.md\" title=\"x&quot;y\">a b</a></p>\n"),
        ("[ä](<ä ö.md>)", "<p><a href=\"%C3%A4%20%C3%B6.md\">ä</a></p>\n"),
        ("&copy; &#65; &nosuch;", "<p>© A &amp;nosuch;</p>\n"),
        (":smile: a_b_c", "<p>:smile: a_b_c</p>\n"),
        ("a\u{0}b \u{FDD0}s0\u{FDD1}", "<p>a b \u{FFFD}s0\u{FFFD}</p>\n"),
        ("&#xFDD0;s0&#xFDD1; [a](&#xFDD0;s0&#xFDD1;)", "<p>\u{FFFD}s0\u{FFFD} <a href=\"\">a</a></p>\n"),
    ];
    for (body, expected) in cases {
        assert_eq!(html(body), expected, "{body:?}");
    }
}

#[test]
fn headings_have_ids() {
    let document = parse(
        "# Hällo *Wörld*!\n\n## A\n\n## A\n\n### B {#own .wide onclick=x}\n\n## C {#own}\n\n# 🎉\n\n# 日本 語\n",
        &options(),
    );
    let ids: Vec<_> =
        document.outline.iter().map(|heading| (heading.level, heading.id.as_str(), heading.line)).collect();
    assert_eq!(
        ids,
        [
            (1, "hällo-wörld", 1),
            (2, "a", 3),
            (2, "a-1", 5),
            (3, "own", 7),
            (2, "own-1", 9),
            (1, "section", 11),
            (1, "日本-語", 13)
        ]
    );
    assert_eq!(document.outline[0].text, "Hällo Wörld!");
    assert_eq!(codes(&document), [("duplicate_id", 9)]);
    let html = document.render(&mut Plain);
    assert!(html.starts_with("<h1 id=\"hällo-wörld\">Hällo <em>Wörld</em>!</h1>\n"), "{html}");
    assert!(html.contains("<h3 id=\"own\" class=\"wide\">B</h3>"), "{html}");
}

#[test]
fn extensions() {
    let cases = [
        (
            "|a|b|c|\n|:-|:-:|-:|\n|1|2|3|\n",
            "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n<thead>\n<tr><th scope=\"col\" class=\"align-left\">a</th>\
             <th scope=\"col\" class=\"align-center\">b</th><th scope=\"col\" class=\"align-right\">c</th></tr>\n</thead>\n<tbody>\n<tr>\
             <td class=\"align-left\">1</td><td class=\"align-center\">2</td><td class=\"align-right\">3</td></tr>\n</tbody>\n</table></div>\n",
        ),
        (
            "||b|\n|-|-|\n",
            "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n<thead>\n<tr><td></td><th scope=\"col\">b</th></tr>\n</thead>\n</table></div>\n",
        ),
        (
            "- [x] a\n- [ ] b",
            "<ul>\n<li class=\"task\"><input type=\"checkbox\" disabled checked aria-label=\"Completed task\"> a</li>\n\
             <li class=\"task\"><input type=\"checkbox\" disabled aria-label=\"Incomplete task\"> b</li>\n</ul>\n",
        ),
        (
            "> [!WARNING]\n> a",
            "<div class=\"alert alert-warning\" role=\"note\">\n<p class=\"alert-title\">Warning</p>\n<p>a</p>\n</div>\n",
        ),
        ("a\n: b", "<dl>\n<dt>a</dt>\n<dd>b</dd>\n</dl>\n"),
        (
            "a[^x] b[^x]\n\n[^x]: note",
            "<p>a<sup class=\"footnote-ref\"><a href=\"#fn:1\" id=\"fnref:1\" role=\"doc-noteref\" aria-label=\"Footnote 1\">1</a></sup> \
             b<sup class=\"footnote-ref\"><a href=\"#fn:1\" id=\"fnref:1-2\" role=\"doc-noteref\" aria-label=\"Footnote 1\">1</a></sup></p>\n\
             <section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"Footnotes\">\n<ol>\n<li id=\"fn:1\"><p>note \
             <a href=\"#fnref:1\" class=\"footnote-backref\" role=\"doc-backlink\" aria-label=\"Back to reference 1\">↩</a> \
             <a href=\"#fnref:1-2\" class=\"footnote-backref\" role=\"doc-backlink\" aria-label=\"Back to reference 1-2\">↩2</a></p></li>\n</ol>\n</section>\n",
        ),
        ("<a href=\"http://a\" rel=\"me\" target=\"_blank\">b</a>", "<p><a href=\"http://a\" rel=\"me\">b</a></p>\n"),
        ("<a href=\"http://a\">b</a>", "<p><a href=\"http://a\" rel=\"noopener noreferrer\">b</a></p>\n"),
        ("[[Page]]", "<p><a href=\"/page/\">Title of Page</a></p>\n"),
        ("[[Page#x|the *page*]]", "<p><a href=\"/page#x/\">the <em>page</em></a></p>\n"),
        (
            "![a *b*](/i.png \"t\") ![c](/j.png)",
            "<p><img src=\"/i.png\" alt=\"a b\" title=\"t\" decoding=\"async\"> <img src=\"/j.png\" alt=\"c\" loading=\"lazy\" decoding=\"async\"></p>\n",
        ),
        ("[a](missing.md)", "<p><a href=\"missing.md\" data-missing=\"true\">a</a></p>\n"),
    ];
    for (body, expected) in cases {
        assert_eq!(html(body), expected, "{body:?}");
    }
    assert!(html("|a|\n|-|\n|[[P\\|t]]|").contains("<a href=\"/p/\">t</a>"));
    let smart = parse("\"a\" -- it's...", &MarkdownConfig::default()).render(&mut Plain);
    assert_eq!(smart, "<p>“a” – it’s…</p>\n");
    let off = MarkdownConfig { wikilinks: false, external_links_new_tab: true, ..options() };
    assert_eq!(
        parse("[[a]] [b](http://c)", &off).render(&mut Plain),
        "<p>[[a]] <a href=\"http://c\" rel=\"noopener noreferrer\" target=\"_blank\">b</a></p>\n"
    );
}

#[test]
fn links_and_text_are_collected() {
    let body = "# T\n\nOne [two *three*](a.md#x) ![four](b.png)\n\n<a href=\"c.md\">raw</a> [[D|e]]\n\n```\nnot this\n```\n\nlast";
    let document = parse(body, &options());
    let links: Vec<_> =
        document.links.iter().map(|link| (link.raw.as_str(), link.kind, link.line, link.text.as_str())).collect();
    assert_eq!(
        links,
        [
            ("a.md#x", LinkKind::Link, 3, "two three"),
            ("b.png", LinkKind::Image, 3, "four"),
            ("c.md", LinkKind::Link, 5, ""),
            ("D", LinkKind::Wiki, 5, "e"),
        ]
    );
    assert_eq!(document.summary, "One two three four raw e last");
    assert_eq!(document.words, 8);
    let more = parse("# T\n\nFirst.\n\n<!-- more -->\n\nSecond.", &options());
    assert!(more.has_more);
    assert_eq!(more.summary, "First.");
    assert_eq!(more.render(&mut Plain), "<h1 id=\"t\">T</h1>\n<p>First.</p>\n<p>Second.</p>\n");
}

#[test]
fn bad_schemes_are_refused_everywhere() {
    for scheme in [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "vbscript:x",
        "data:text/html,<script>",
        "javascript&colon;alert(1)",
        "java&Tab;script:alert(1)",
        "java&NewLine;script:alert(1)",
        "&#106;avascript:alert(1)",
        "&#x6A&#x61vascript:alert(1)",
        "&#0000106avascript:alert(1)",
        "&#1;javascript:alert(1)",
        "data:image/svg+xml;base64,AAAA",
        "file:///etc/passwd",
    ] {
        for body in [
            format!("[a](<{scheme}>)"),
            format!("![a](<{scheme}>)"),
            format!("[a]\n\n[a]: <{scheme}>"),
            format!("<a href=\"{scheme}\">a</a>"),
            format!("<a href='{scheme}'>a</a>"),
            format!("<a href={scheme}>a</a>"),
            format!("<img src=\"{scheme}\" alt=a>"),
            format!("<div>\n<video src=\"{scheme}\" poster=\"{scheme}\"></video>\n</div>"),
            format!("<a/href=\"{scheme}\"/>a</a>"),
            format!("[[{scheme}|a]]"),
            format!("<{scheme}>"),
        ] {
            for policy in [RawHtml::Sanitize, RawHtml::Escape] {
                assert_safe(&html_with(&body, policy), &body);
            }
        }
    }
    assert_eq!(
        html("![a](data:image/png;base64,AAAA)"),
        "<p><img src=\"data:image/png;base64,AAAA\" alt=\"a\" decoding=\"async\"></p>\n"
    );
    assert_eq!(codes(&parse("a\n\n[a](javascript:x)", &options())), [("url_scheme", 3)]);
    // A resolver is not trusted either.
    assert_eq!(html("[a]({{< echo \"javascript:x\" >}})"), "<p><a href=\"#\">a</a></p>\n");
}

/// Reads tags as a browser does and looks at what a script could run from.
fn assert_safe(html: &str, body: &str) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let mut quoted = false;
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let tag = &rest[..end.unwrap_or(rest.len())];
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        for bad in
            ["script", "style", "iframe", "svg", "math", "object", "embed", "base", "meta", "link", "form", "template"]
        {
            assert_ne!(name, bad, "{body:?} -> {html}");
        }
        let mut attributes = tag;
        while let Some(at) = attributes.find("=\"") {
            let attribute =
                attributes[..at].rsplit(|c: char| c.is_whitespace() || c == '"' || c == '/').next().unwrap_or_default();
            let value = attributes[at + 2..].split('"').next().unwrap_or_default();
            assert!(!attribute.to_lowercase().starts_with("on") && attribute != "style", "{body:?} -> {html}");
            if matches!(attribute, "href" | "src" | "poster") {
                let scheme = value.to_lowercase().replace(|c: char| c <= ' ', "").replace("&#39;", "'");
                for bad in ["javascript:", "vbscript:", "data:text", "data:image/svg", "file:", "&#"] {
                    assert!(!scheme.starts_with(bad), "{body:?} -> {html}");
                }
            }
            attributes = &attributes[at + 2 + value.len()..];
            attributes = attributes.strip_prefix('"').unwrap_or(attributes);
        }
        rest = &rest[tag.len()..];
    }
}

#[test]
fn raw_html_policies() {
    let body = "<div class=\"a\" onclick=\"x()\">\n\n**b** <kbd>k</kbd><script>alert(1)</script>\n\n</div>\n\n<style>p{}</style>\n\n<!-- c -->";
    assert_eq!(
        html_with(body, RawHtml::Sanitize),
        "<div class=\"a\">\n<p><strong>b</strong> <kbd>k</kbd></p>\n</div>\n"
    );
    let found = parse(body, &options());
    assert_eq!(codes(&found), [("raw_html_removed", 1), ("raw_html_removed", 3), ("raw_html_removed", 7)]);
    assert!(found.diagnostics[0].message.contains("onclick"), "{:?}", found.diagnostics);
    let trusted = html_with(body, RawHtml::Trusted);
    assert!(
        trusted.contains("onclick=\"x()\"")
            && trusted.contains("<script>alert(1)</script>")
            && trusted.contains("<!-- c -->"),
        "{trusted}"
    );
    let escaped = html_with(body, RawHtml::Escape);
    assert!(
        escaped.contains("&lt;div class=&quot;a&quot; onclick=&quot;x()&quot;&gt;") && !escaped.contains("<!--"),
        "{escaped}"
    );
}

#[test]
fn sanitising_keeps_what_is_ours() {
    let body = "# H {#x}\n\n- [x] t\n\n|a|\n|:-|\n|b|\n\nf[^1] [l](m.md) {{< s >}}\n\n> [!NOTE]\n> n\n\n```rust,linenos\nfn a() {}\n```\n\n![i](i.png)\n\n[^1]: g\n";
    let plain = html(body);
    let sanitized = html(&format!("{body}\n\n<b>x</b>\n"));
    let normal =
        |html: &str| html.replace(" checked aria", " checked=\"\" aria").replace(" disabled", " disabled=\"\"");
    let tail = "<p><b>x</b></p>\n";
    let note = plain.find("<section").expect("footnotes");
    assert_eq!(sanitized, normal(&format!("{}{tail}{}", &plain[..note], &plain[note..])));
}

#[test]
fn mutation_attacks() {
    for body in [
        "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<a href=\"x\" title='\"><img src=x onerror=alert(1)>'>y</a>",
        "<div title=\"`{{< echo \"onload\" >}}\">",
        "<p title=\"{{< echo `\"><img src=x onerror=alert(1)>` >}}\">x</p>",
        "<img src=\"{{< echo `javascript:x` >}}\" alt=a>",
        "<img src=x alt=\"&#xFDD0;s0&#xFDD1;\" title=\"&#xFDD0;s0&#xFDD1;\">\n\n```\n\" onload=x\n```",
        "<a href=\"&#xFDD0;u0&#xFDD1;\">x</a> {{< echo `javascript:x` >}}",
        "{{< echo `javascript:x` >}} <a href=\"&#xFDD0;u0&#xFDD1;\">x</a> <a href=&#xFDD0;u0&#xFDD1;>y</a>",
        "[[Javascript:x]] [[a]] <a href=\"&#xFDD0;u1&#xFDD1;\">x</a> <a href=\"&#xFDD0;u2&#xFDD1;\">x</a> <a href=\"&#xFDD0;u3&#xFDD1;\">x</a>",
        "<select><template><style><!--</style><a rel=\"--></style></template></select><img id=x src onerror=alert(1)>\">",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror\n=alert(1)>",
        "<img/src=x/onerror=alert(1)>",
        "<a href=x\u{c}onclick=alert(1)>a</a>",
        "<div\n\nonclick=alert(1)>",
        "<textarea><img title=\"</textarea><img src onerror=alert(1)>\">",
        "<xmp><p title=\"</xmp><svg/onload=alert(1)>\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "<![CDATA[<img src=x onerror=alert(1)>]]>",
        "<input type=image src=x onerror=alert(1) formaction=javascript:x>",
        "<a href=\"javascript\n:alert(1)\" ping=\"http://x\">a</a>",
        "<img srcset=\"javascript:x 1x, b 2x\" alt=a>",
    ] {
        for policy in [RawHtml::Sanitize, RawHtml::Escape] {
            assert_safe(&html_with(body, policy), body);
        }
    }
    let clean = html("<p title=\"{{< echo `\"><img src=x onerror=alert(1)>` >}}\">x</p>");
    assert_eq!(clean, "<p title=\"&quot;&gt;&lt;img src=x onerror=alert(1)&gt;\">x</p>");
}

#[test]
fn shortcodes() {
    let cases = [
        ("a\n\n{{< x 1 k=\"v\" >}}\n\nb", "<p>a</p>\n[x 1 k=\"v\"]\n<p>b</p>\n"),
        ("a {{< x >}} *b*", "<p>a [x] <em>b</em></p>\n"),
        ("{{% n %}}\n*a* [l](m.md)\n{{% /n %}}", "[n|<p><em>a</em> <a href=\"m.md\">l</a></p>\n]\n"),
        ("{{< n >}}*a* <b onclick=x>c</b> {{< x >}}{{< /n >}}", "[n|*a* <b>c</b> [x]]\n"),
        ("`{{< x >}}`", "<p><code>{{&lt; x &gt;}}</code></p>\n"),
        ("{{</* x */>}} {{%/* y */%}}", "<p>{{&lt; x &gt;}} {{% y %}}</p>\n"),
        ("[a]({{< ref \"b.md\" >}}#c)", "<p><a href=\"[ref%20%22b.md%22]#c\">a</a></p>\n"),
        ("{{ y(id=\"z\") }}", "[y id=\"z\"]\n"),
        ("{% q(a=1) %}\n*b*\n{% end %}", "[q a=1|<p><em>b</em></p>\n]\n"),
        ("## H {{< badge >}}", "<h2 id=\"h\">H [badge]</h2>\n"),
        ("- {{< x >}}\n- b", "<ul>\n<li>[x]</li>\n<li>b</li>\n</ul>\n"),
        ("![{{< x >}} b](c.png)", "<p><img src=\"c.png\" alt=\"{{&lt; x &gt;}} b\" decoding=\"async\"></p>\n"),
        ("<div>{{< x >}}</div>", "<div>[x]</div>"),
        ("{{% o %}}\n\n    {{< i >}}*a*{{< /i >}}\n\n    {{< j >}}\n{{% /o %}}", "[o|[i|*a*]\n\n[j]\n]\n"),
        (
            "{{% o %}}\n\n    a {{< i >}}\n{{% /o %}}",
            "[o|<pre class=\"highlight\" tabindex=\"0\"><code>a {{&lt; i &gt;}}\n</code></pre>\n\n]\n",
        ),
        ("    {{< i >}}\n", "<pre class=\"highlight\" tabindex=\"0\"><code>{{&lt; i &gt;}}\n</code></pre>\n\n"),
        ("{{< a", "<p>{{&lt; a</p>\n"),
        ("{{< /a >}}<i>b</i>", "<p>{{&lt; /a &gt;}}<i>b</i></p>\n"),
    ];
    for (body, expected) in cases {
        assert_eq!(html(body), expected, "{body:?}");
    }
    let document = parse(
        "a\n\n```\n{{< no >}}\n```\n\n{{% o %}}\n# In\n\n{{< p >}}\n{{% /o %}}\n\n# After\n\n{{< /q >}}",
        &options(),
    );
    let calls: Vec<_> =
        document.shortcodes.iter().map(|call| (call.name.as_str(), call.line, call.has_inner)).collect();
    assert_eq!(calls, [("o", 7, true), ("p", 10, false)]);
    let lines: Vec<_> = document.outline.iter().map(|heading| (heading.id.as_str(), heading.line)).collect();
    assert_eq!(lines, [("in", 8), ("after", 13)]);
    assert_eq!(codes(&document), [("shortcode_mismatch", 15)]);
    let code = html("{{< highlight rust \"linenos=true\" >}}\nfn a() {}\n{{< /highlight >}}");
    assert!(
        code.starts_with("<pre class=\"highlight linenos\"") && code.contains("<span class=\"keyword\">fn</span>"),
        "{code}"
    );
}

#[test]
fn nothing_inline_for_a_strict_policy() {
    let body = "|a|\n|:-:|\n|b|\n\n- [ ] c\n\n```js {linenos=true}\nlet a = 1\n```\n\nx[^1]\n\n[^1]: y\n\n<p style=\"color:red\">z</p>";
    let html = html(body);
    assert!(!html.contains("style=") && !html.contains(" on"), "{html}");
}

/// Bodies that make careless parsers slow.
fn pathological(count: usize) -> Vec<String> {
    vec![
        "[".repeat(count),
        "*".repeat(count),
        "*a_ ".repeat(count),
        ">".repeat(count),
        "- ".repeat(count),
        "[[a|".repeat(count),
        "[[".repeat(count) + &"]]".repeat(count),
        "[^1]".repeat(count) + "\n\n[^1]: a",
        (0..2000).map(|i| format!("[^{i}]: [^{i}] b\n\n")).collect::<Vec<_>>().concat(),
        format!("<b>x</b>\n\n{}", ">".repeat(count)),
        format!("<b>x</b> {0}a{0}", "*".repeat(count / 4)),
        "`".repeat(count) + "a",
        "``a` ".repeat(count),
        "<a ".repeat(count),
        "<!--".repeat(count),
        "<script>".repeat(count),
        "<div><script>\n".repeat(count),
        "<b id=a>\n\n".repeat(count / 10),
        "<div>".repeat(count),
        "<div><table></div></table>".repeat(count / 10),
        "{{< a >}}".repeat(count),
        "{{< ".repeat(count),
        "{{< a \"".repeat(count),
        "{{ a(".repeat(count),
        "{% a() %}".repeat(count),
        "{{</*".repeat(count),
        "&#xFDD0;s".repeat(count),
        "| a ".repeat(2000) + "\n" + &"|-".repeat(2000) + "\n" + &"|b\n".repeat(50),
        "# a\n".repeat(count),
        "![".repeat(count),
        "a\n: b\n".repeat(count / 4),
        "> [!NOTE]\n> a\n\n".repeat(count / 4),
        "\\\n".repeat(count),
    ]
}

#[test]
fn pathological_bodies_stay_bounded() {
    for body in pathological(10_000) {
        for policy in [RawHtml::Sanitize, RawHtml::Escape, RawHtml::Trusted] {
            let document = parse(&body, &with(policy));
            let html = document.render(&mut Plain);
            let head: String = body.chars().take(20).collect();
            assert!(html.len() < body.len() * 40 + 1_000_000, "{head:?}: {} of {}", html.len(), body.len());
            assert!(document.diagnostics.len() <= 201, "{head:?}");
        }
    }
}

#[test]
fn too_deep_html_is_shown_as_text() {
    let document = parse(&format!("a\n\n{}", "<div>".repeat(1000)), &options());
    assert_eq!(codes(&document), [("raw_html_depth", 3)]);
    let html = document.render(&mut Plain);
    assert!(html.contains("&lt;div&gt;") && !html.contains("<div>"));
}

#[test]
fn what_readers_without_eyes_miss_is_found() {
    let document = parse("![](a.png)\n\n[](b.md)\n\n[![c](d.png)](e.md)\n\n[^f]: g\n\n# ![Logo](h.png)", &options());
    assert_eq!(codes(&document), [("image_alt_missing", 1), ("link_text_missing", 3), ("footnote_unused", 7)]);
    assert_eq!(document.outline[0].id, "logo");
    assert_eq!(document.links[2].text, "c");
}

#[test]
fn documents_are_shared_between_threads() {
    fn check<T: Send + Sync + Clone>(_: &T) {}
    let body = "# A\n\n<b>x</b> [l](m) {{% s %}}*y*{{% /s %}}\n\n```rust\nfn a() {}\n```\n";
    let document = parse(body, &options());
    check(&document);
    let expected = document.render(&mut Plain);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(parse(body, &options()).render(&mut Plain), expected));
        }
    });
}

/// Bits of text that mean something to one of the parsers involved.
fn fragments() -> impl Strategy<Value = String> {
    let bits = vec![
        "<script>",
        "</script>",
        "<a href=",
        "javascript:alert(1)",
        "\"",
        "'",
        ">",
        "<",
        "onload=x",
        " onerror=x ",
        "<img src=",
        "<svg>",
        "<style>",
        "<!--",
        "-->",
        "&#106;",
        "&colon;",
        "&Tab;",
        "[",
        "](",
        ")",
        "![",
        "[[",
        "]]",
        "|",
        "`",
        "```",
        "\n",
        "\n\n",
        "    ",
        "{{< echo \"",
        "\" >}}",
        "{{% n %}}",
        "{{% /n %}}",
        "{{< n >}}",
        "{{< /n >}}",
        "\u{FDD0}",
        "\u{FDD1}",
        "s0",
        "&#xFDD0;",
        "&#xFDD1;",
        "# ",
        "- [x] ",
        "> ",
        "[^1]",
        "[^1]: ",
        "<div ",
        "<p title=",
        "<b>",
        "</b>",
        "a",
        "é",
        "=",
        "/",
        "<table>",
        "<math>",
        "<textarea>",
        "{% a() %}",
        "{% end %}",
        "<![CDATA[",
        "]]>",
        "u0",
        "a0",
        "<br>",
        "\u{0}",
        "\r\n",
        "data:text/html,",
        "*",
        "_",
        "\\",
    ];
    prop::collection::vec(prop::sample::select(bits), 0..24).prop_map(|bits| bits.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn assembled_bodies_are_safe(body in fragments()) {
        for policy in [RawHtml::Sanitize, RawHtml::Escape] {
            let document = parse(&body, &with(policy));
            let first = document.render(&mut Quiet);
            assert_safe(&first, &body);
            prop_assert_eq!(&first, &document.render(&mut Quiet));
            let lines = body.lines().count() + 1;
            prop_assert!(document.diagnostics.iter().all(|finding| finding.line >= 1 && finding.line <= lines));
            let reserved = first.contains(|c| matches!(c, '\u{FDD0}'..='\u{FDD1}'));
            prop_assert!(!reserved);
        }
        parse(&body, &with(RawHtml::Trusted)).render(&mut Quiet);
    }

    #[test]
    fn any_text_renders(body in any::<String>()) {
        assert_safe(&html_with(&body, RawHtml::Sanitize), &body);
    }
}

/// Shortcodes that give nothing a browser could run, whatever their arguments.
struct Quiet;

impl Resolve for Quiet {
    fn link<'r>(&mut self, raw: &'r str, _: LinkKind, _: &str, _: usize) -> Resolved<'r> {
        Resolved { href: raw.into(), ..Resolved::default() }
    }

    fn shortcode(&mut self, _: &ShortcodeCall, inner: Option<&str>) -> String {
        inner.unwrap_or("javascript:x").to_owned()
    }
}

/// Times, for people: `cargo test --release --test it markdown::speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a check"]
fn speed() {
    let time = |name: &str, body: &str, options: &MarkdownConfig| {
        let mut best = f64::MAX;
        for _ in 0..7 {
            let start = std::time::Instant::now();
            let document = parse(body, options);
            let parsed = start.elapsed().as_secs_f64() * 1e3;
            let html = document.render(&mut Quiet);
            let all = start.elapsed().as_secs_f64() * 1e3;
            best = best.min(all);
            if best.to_bits() == all.to_bits() {
                println!(
                    "{name}: {} kB in, {} kB out, parse {parsed:.3} ms, with render {all:.3} ms",
                    body.len() / 1000,
                    html.len() / 1000
                );
            }
        }
    };
    for (body, twice) in pathological(20_000).iter().zip(&pathological(40_000)) {
        let took = |body: &str| {
            let start = std::time::Instant::now();
            parse(body, &options()).render(&mut Quiet);
            start.elapsed().as_secs_f64() * 1e3
        };
        let head: String = body.chars().take(20).collect();
        println!("{head:?}: {:.1} ms, twice as long {:.1} ms", took(body), took(twice));
    }
    let prose = "## A heading with *some* markup\n\nLorem ipsum **dolor** sit [amet](page.md), `code` consectetur adipiscing elit, sed do \
                 eiusmod tempor incididunt ut labore.\n\n- one\n- two\n\n> quote\n\n";
    time("prose", &prose.repeat(300_000 / prose.len()), &options());
    time("prose with raw HTML", &(prose.repeat(300_000 / prose.len()) + "<b>x</b>"), &options());
    time("prose with shortcodes", &format!("{prose}{{{{< x a=1 >}}}}\n\n").repeat(300_000 / prose.len()), &options());
    time("small page", &prose.repeat(8), &options());
    let rust = "/// Adds.\npub fn add<T: Into<u64>>(a: T, b: u64) -> Result<u64, Error> {\n    let a: u64 = a.into();\n    match a.checked_add(b) {\n        Some(sum) if sum > 10 => Ok(sum),\n        _ => Err(Error::new(\"overflow\", 42)),\n    }\n}\n\n#[derive(Debug)]\nstruct Point {\n    x: f64,\n    y: f64,\n}\n";
    let python = "import os\n\nclass Reader(Base):\n    \"\"\"Reads.\"\"\"\n    def __init__(self, path: str, *, limit=10):\n        self.path = os.path.join(path, \"x\")\n        self.limit = limit\n\n    @property\n    def lines(self):\n        with open(self.path) as handle:\n            for number, line in enumerate(handle):\n                if number >= self.limit:\n                    break\n                yield f\"{number}: {line}\"\n";
    let js = "import { a } from './a.js';\n\nexport class Cart extends Base {\n  #items = new Map();\n  constructor(options = {}) {\n    super(options);\n    this.total = 0;\n  }\n  async add(item, count = 1) {\n    const price = await fetch(`/api/price/${item.id}`);\n    this.#items.set(item.id, { item, count });\n    // keep the sum\n    return (this.total += price * count);\n  }\n}\n";
    for (language, code) in [("rust", rust), ("python", python), ("js", js)] {
        let start = std::time::Instant::now();
        parse(&format!("```{language}\n{code}```\n"), &options());
        println!("{language}: first block {:.3} ms", start.elapsed().as_secs_f64() * 1e3);
        time(&format!("{language} x100"), &format!("```{language}\n{code}```\n\n").repeat(100), &options());
    }
}
