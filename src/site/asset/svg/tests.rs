//! Tests of the SVG allow list.

use proptest::prelude::*;

use super::*;

const HEAD: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"";

fn clean(inside: &str) -> String {
    let whole = format!("{HEAD}>{inside}</svg>");
    sanitize(whole.as_bytes()).unwrap_or_else(|error| panic!("{inside}: {error}")).text
}

#[test]
fn a_drawing_stays_what_it_is() {
    let drawing = format!(
        "{HEAD} viewBox=\"0 0 10 5\" role=\"img\" aria-label=\"A &amp; B\"><title>Tüte &lt;1&gt;</title><defs><linearGradient id=\"g\"><stop offset=\"0\" stop-color=\"#fff\"/></linearGradient></defs><style>.a &gt; b{{fill:url(#g)}} @media (prefers-color-scheme: dark){{.a{{fill:red}}}}</style><path class=\"a\" d=\"M0 0L1 1z\" fill=\"url(#g)\" style=\"stroke:red\"/><use xlink:href=\"#g\"/><image href=\"data:image/png;base64,iVBORw0KGgo=\"/><text>x</text></svg>\n"
    );
    let cleaned = sanitize(drawing.as_bytes()).unwrap();
    assert_eq!((cleaned.text.as_str(), cleaned.removed.len()), (drawing.as_str(), 0), "{:?}", cleaned.removed);
    assert_eq!(size(&drawing), Some((10, 5)));
}

#[test]
fn names_with_hyphens_are_whole() {
    let drawing = "<text font-size=\"12\" pointer-events=\"none\" style=\"mix-blend-mode:screen\">x</text>";
    assert!(clean(drawing).contains(drawing), "{}", clean(drawing));
    let halves = names::ATTRIBUTES.split_whitespace().filter(|name| name.ends_with('-'));
    assert_eq!(halves.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn what_editors_leave_behind_goes() {
    let text = "<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/x.dtd\"><!-- made by --><svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:inkscape=\"http://x\" inkscape:version=\"1\" width=\"20px\" height=\"10\"><sodipodi:namedview xmlns:sodipodi=\"http://y\"><g/></sodipodi:namedview><g/></svg>";
    let cleaned = sanitize(text.as_bytes()).unwrap();
    assert_eq!(cleaned.text, format!("{HEAD} width=\"20px\" height=\"10\"><g/></svg>\n"));
    assert_eq!(size(text), Some((20, 10)));
}

#[test]
fn hostile_parts_are_taken_out() {
    for part in [
        "<script>alert(1)</script>",
        "<script href=\"https://evil.example/x.js\"/>",
        "<svg:script xmlns:svg=\"http://www.w3.org/2000/svg\">alert(1)</svg:script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        "<g onload=\"alert(1)\"/>",
        "<g ONLOAD=\"alert(1)\"/>",
        "<foreignObject><body xmlns=\"http://www.w3.org/1999/xhtml\"><img src=\"x\" onerror=\"alert(1)\"/></body></foreignObject>",
        "<a href=\"javascript:alert(1)\"><path d=\"M0 0\"/></a>",
        "<a xlink:href=\"java&#x0a;script:alert(1)\"><path/></a>",
        "<use href=\"https://evil.example/x.svg#a\"/>",
        "<use xlink:href=\"data:image/svg+xml;base64,PHN2Zz4=#x\"/>",
        "<image href=\"https://evil.example/pixel.png\"/>",
        "<image href=\"//evil.example/pixel.png\"/>",
        "<image href=\"data:image/svg+xml;base64,PHN2Zz4=\"/>",
        "<image href=\"data:text/html,&lt;script>alert(1)&lt;/script>\"/>",
        "<feImage href=\"https://evil.example/x\"/>",
        "<set attributeName=\"href\" to=\"javascript:alert(1)\"/>",
        "<animate attributeName=\"href\" values=\"javascript:alert(1)\"/>",
        "<animate attributeName=\"xlink:href\" to=\"javascript:alert(1)\"/>",
        "<animate attributeName=\"onclick\" to=\"alert(1)\"/>",
        "<style>@import url(https://evil.example/x.css);</style>",
        "<style>@im\\70ort 'x';</style>",
        "<style>a{background:url(https://evil.example/)}</style>",
        "<style><![CDATA[a{background:url(//evil.example/)}]]></style>",
        "<style>a{background:u\\72l(x)}</style>",
        "<style>@font-face{font-family:x;src:url(https://evil.example/f)}</style>",
        "<style>a{background:image-set('https://evil.example/x')}</style>",
        "<style>a</style><style>b{behavior:url(#x)}</style>",
        "<path fill=\"url(https://evil.example/#a)\"/>",
        "<path fill=\"URL( 'https://evil.example/#a')\"/>",
        "<path style=\"background:url(javascript:alert(1))\"/>",
        "<path filter=\"url(&quot;https://evil.example&quot;)\"/>",
        "<iframe src=\"https://evil.example\"/>",
        "<handler type=\"text/javascript\">alert(1)</handler>",
        "<g xmlns=\"http://www.w3.org/1999/xhtml\"><script>alert(1)</script></g>",
        "<?xml-stylesheet href=\"https://evil.example/x.css\"?>",
        "<!-- <script>alert(1)</script> -->",
        "<text><![CDATA[<script>alert(1)</script>]]></text>",
        "<metadata><script>alert(1)</script></metadata>",
    ] {
        let cleaned = clean(part).to_ascii_lowercase();
        for word in [
            "<script",
            "evil.example",
            "javascript:",
            "onload",
            "onerror",
            "onclick",
            "alert(1)\"",
            "foreignobject",
            "<?xml-s",
            "@im",
            "data:text",
            "svg+xml",
            "xhtml",
            "<a",
        ] {
            // The namespaces at the root are no content.
            let content = &cleaned[HEAD.len()..];
            assert!(!content.contains(word) || (word == "<a" && content.contains("<animate")), "{part}: {cleaned}");
        }
    }
}

#[test]
fn what_is_no_plain_svg_is_refused() {
    let deep = format!("{HEAD}>{}{}</svg>", "<g>".repeat(500), "</g>".repeat(500));
    for text in [
        "",
        "text",
        "<html/>",
        "<svg",
        "<svg>",
        "<svg><g></svg>",
        "<svg/><svg/>",
        "<svg/>text",
        "<!DOCTYPE svg [<!ENTITY a \"x\">]><svg>&a;</svg>",
        "<svg>&a;</svg>",
        "<svg id=\"&a;\"/>",
        "<x:svg xmlns:x=\"http://www.w3.org/2000/svg\"/>",
        "<svg a=\"1\" a=\"2\"/>",
        &deep,
    ] {
        assert!(sanitize(text.as_bytes()).is_err(), "{text}");
    }
    assert!(sanitize(b"<svg>\xff</svg>").is_err());
}

/// Pieces that hostile documents are made of.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "<script>",
        "</script>",
        "<g onload='alert(1)'>",
        "</g>",
        "<style>",
        "</style>",
        "@import 'x';",
        "url(http://e.example)",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<a href='javascript:alert(1)'>",
        "</a>",
        "&lt;script&gt;",
        "&#60;script&#62;",
        "&amp;lt;",
        "<foreignObject>",
        "</foreignObject>",
        "<animate attributeName='href' to='javascript:x'/>",
        "<image href='data:text/html,x'/>",
        "<use href='http://e.example'/>",
        "<text>",
        "</text>",
        "<path d='M0'/>",
        "x",
        "\"",
        "'",
        ">",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'>",
        "</x:script>",
        "\u{0}",
        "é",
        "<title>",
        "</title>",
        "<svg xmlns='http://www.w3.org/1999/xhtml'>",
        "</svg>",
        "<?php ?>",
        "\\75rl(x)",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn nothing_hostile_survives_in_any_mixture(pieces in prop::collection::vec(piece(), 0..14)) {
        let whole = format!("{HEAD}>{}</svg>", pieces.concat());
        let Ok(cleaned) = sanitize(whole.as_bytes()) else { return Ok(()) };
        let mut reader = Reader::from_str(&cleaned.text);
        loop {
            match reader.read_event().expect("what was written can be read") {
                Event::Eof => break,
                Event::Start(start) | Event::Empty(start) => {
                    prop_assert!(names::ELEMENTS.split_whitespace().any(|name| name == start.name().into_inner()), "{}", cleaned.text);
                    for attribute in start.attributes() {
                        let attribute = attribute.expect("an attribute");
                        let key = attribute.key.into_inner();
                        prop_assert!(!key.to_ascii_lowercase().starts_with("on"), "{}", cleaned.text);
                        prop_assert!(!attribute.value.contains("javascript:") && !attribute.value.contains("e.example"), "{}", cleaned.text);
                    }
                }
                Event::Text(_) | Event::End(_) => {}
                Event::GeneralRef(name) => prop_assert!(["lt", "gt", "amp", "quot", "apos"].contains(&name.into_inner().as_ref()) || cleaned.text.contains("&#")),
                other => prop_assert!(false, "{other:?} in {}", cleaned.text),
            }
        }
        let styles = cleaned.text.split("<style>").skip(1).filter_map(|rest| rest.split("</style>").next());
        for style in styles {
            prop_assert!(!style.contains("@import") && !style.contains("e.example"), "{}", cleaned.text);
        }
        // Cleaning what is clean changes nothing.
        let again = sanitize(cleaned.text.as_bytes()).expect("it stays readable");
        prop_assert_eq!(again.text, cleaned.text);
    }
}
