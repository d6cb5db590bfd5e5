//! What the scan counts against what the parser builds.

use handlebars::Template;
use handlebars::template::TemplateElement;
use proptest::prelude::*;

use super::*;

#[test]
fn nesting_is_counted_as_the_parser_nests() {
    let nest = |n: usize| format!("{}{}", "{{#if a}}".repeat(n), "{{/if}}".repeat(n));
    assert_eq!(check(&nest(MAX_BLOCKS)), Ok(()));
    assert!(check(&nest(MAX_BLOCKS + 1)).is_err());
    assert_eq!(check(&"{{#if a}}{{/if}}".repeat(1000)), Ok(()), "beside each other is no nesting");
    let chain = format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}x".repeat(MAX_BLOCKS));
    assert!(check(&chain).is_err());
    let hidden = "{{#if a}}{{!-- {{/if}} --}}".repeat(MAX_BLOCKS + 1);
    assert!(check(&hidden).is_err(), "a close inside a comment closes nothing");
    let hidden = "{{#if a}}\\{{/if}}".repeat(MAX_BLOCKS + 1);
    assert!(check(&hidden).is_err(), "an escaped close closes nothing");
    let hidden = "{{#if a}}{{{{raw}}}}{{/if}}{{{{/raw}}}}".repeat(MAX_BLOCKS + 1);
    assert!(check(&hidden).is_err(), "a close inside a raw block closes nothing");
}

#[test]
fn brackets_strings_and_sizes() {
    assert_eq!(check("{{eq \"((((((((((((((((((((((((((((((((((((\" (add 1 2)}}"), Ok(()));
    assert!(check(&format!("{{{{eq {}1{}}}}}", "(not ".repeat(30), ")".repeat(30))).is_err());
    assert!(check(&format!("{{{{eq {}{}}}}}", "[".repeat(30), "]".repeat(30))).is_err());
    assert!(check(&"x".repeat(MAX_TEMPLATE + 1)).is_err());
    assert!(check(&"{{a}}".repeat(10_000)).is_err());
    assert_eq!(check(&"{{a}} some text between the tags, as usual ".repeat(2_000)), Ok(()));
    assert_eq!(check("{{{a}}} {{~{b}~}} {{&c}} {{x y={\"a\":1}}}"), Ok(()));
}

#[test]
fn what_is_not_closed_is_named_with_its_place() {
    let refused = check("a\nb {{!-- c }}").unwrap_err();
    assert_eq!((refused.line, refused.column), (2, 3));
    assert!(check("{{a").is_err());
    assert!(check("{{{{raw}}}} x").is_err());
}

#[test]
fn nothing_that_looks_like_text_to_us_is_a_tag_to_the_parser() {
    for trick in
        ["{{a.[']}}{{/if}}{{a.[']}}", "{{a.[{]}}", "{{> 'a\\\\'}}", "{{{{raw}}}}\\{{{{/raw}}}}{{/if}}{{{{/raw}}}}"]
    {
        let source = format!("{}{}", format!("{{{{#if a}}}}{trick}").repeat(MAX_BLOCKS + 1), "{{/if}}".repeat(500));
        assert!(check(&source).is_err(), "{trick}");
    }
    assert!(check("{{eq [\"a\",\"b\"] (x.[a b] 1)}}").is_ok());
}

/// Blocks inside blocks, as the parser built them.
fn depth_of(template: &Template) -> usize {
    let inside = |inner: [Option<&Template>; 2]| 1 + inner.into_iter().flatten().map(depth_of).max().unwrap_or(0);
    let depth = |element: &TemplateElement| match element {
        TemplateElement::HelperBlock(call) => inside([call.template.as_ref(), call.inverse.as_ref()]),
        TemplateElement::PartialBlock(call) | TemplateElement::DecoratorBlock(call) => {
            inside([call.template.as_ref(), None])
        }
        _ => 0,
    };
    template.elements.iter().map(depth).max().unwrap_or(0)
}

const PIECES: &[&str] = &[
    "{{#if a}}",
    "{{#if a}}",
    "{{#each a.[b c]}}",
    "{{~#with (x y)~}}",
    "{{#> p}}",
    "{{/if}}",
    "{{/each}}",
    "{{~/with~}}",
    "{{/p}}",
    "{{else}}",
    "{{else if b}}",
    "{{^}}",
    "{{!-- ",
    " --}}",
    "{{! ",
    "}}",
    "{{",
    "{{{{raw}}}}",
    "{{{{/raw}}}}",
    "\\",
    "\\\\",
    "'",
    "\"",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "{{a.[']}}",
    "{{a.[{]}}",
    "{{x '{{/if}}'}}",
    "{{x \"}}\"}}",
    "{{x \"\\\"\"}}",
    "{{> 'p'}}",
    "{{> 'a\\'b'}}",
    "{{{a}}}",
    "{{~{a}~}}",
    "{{&a}}",
    "{{x {\"a\":\"}}\"}}}",
    "{{x [\"]\"]}}",
    "text",
    " ",
    "~",
    "{{!--}}",
    "{{ #if a}}",
    "{{ / if }}",
    "{{!~",
    "{{a}}",
    "\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scan_never_counts_less_than_the_parser_nests(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..14),
        opened in 0..4_usize,
        closed in 0..4_usize,
    ) {
        let middle = pieces.concat();
        let source = format!("{}{middle}{}", "{{#if z}}".repeat(opened), "{{/if}}".repeat(closed));
        let mut scan = Scan { source: &source, at: 0, open: Vec::new(), depth: 0, deepest: 0, work: 0 };
        if scan.all().is_ok() && let Ok(template) = Template::compile(&source) {
            prop_assert!(scan.deepest >= depth_of(&template), "{source}: {} < {}", scan.deepest, depth_of(&template));
        }
    }
}
