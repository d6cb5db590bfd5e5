use super::*;
use serde_json::json;

fn calls(body: &str) -> Vec<Call> {
    fn walk(nodes: &[Node], into: &mut Vec<Call>) {
        for node in nodes {
            if let Node::Call(_, call, inner) = node {
                into.push(call.clone());
                if let Some(inner) = inner {
                    walk(&inner.nodes, into);
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(&scan(body, &CodeRanges::default()).0, &mut found);
    found
}

fn problems(body: &str) -> Vec<&'static str> {
    scan(body, &CodeRanges::default()).1.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn arguments_of_every_kind() {
    let call = calls(r#"{{< fig "a \"b\"" 'c' `d\"` bare 3 -1.5 true key="v w" n=4 flag=false >}}"#).remove(0);
    assert_eq!(call.name, "fig");
    assert_eq!(
        call.positional,
        [json!("a \"b\""), json!("c"), json!("d\\\""), json!("bare"), json!(3), json!(-1.5), json!(true)]
    );
    assert_eq!(Value::Object(call.args), json!({"key": "v w", "n": 4, "flag": false}));
    assert!(!call.markdown);
}

#[test]
fn forms() {
    assert!(calls("{{% note %}}x{{% /note %}}")[0].markdown);
    assert_eq!(calls("{{<x/>}}")[0].name, "x");
    assert_eq!(calls("{{< x />}} {{< x a=b / >}}").len(), 2);
    assert_eq!(calls("{{<\n  x\n  a=\"1\"\n>}}").len(), 1);
    assert_eq!(calls("{{ youtube(id=\"x\", n=[1, 'b']) }}")[0].args["n"], json!([1, "b"]));
    assert_eq!(calls("{% quote(author=\"V\") %}a {{ b() }}{% end %}").len(), 2);
    assert_eq!(calls("{{< a/b.html >}}")[0].name, "a/b.html");
}

#[test]
fn other_template_languages_are_text() {
    for text in
        ["{{ page.title }}", "{% if x %}a{% endif %}", "{{ name( }}", "{{ f(x) }}", "{% end %}", "{{}}", "{%", "{{"]
    {
        assert_eq!(scan(text, &CodeRanges::default()), (vec![Node::Text(0..text.len())], vec![]), "{text}");
    }
}

#[test]
fn escaped_calls_are_shown() {
    let (nodes, problems) = scan("a {{</* x */>}} {{%/* y */%}} {{/* z() */}}", &CodeRanges::default());
    let shown: Vec<&str> = nodes
        .iter()
        .filter_map(|node| if let Node::Literal(_, text) = node { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(shown, ["{{< x >}}", "{{% y %}}", "{{ z() }}"]);
    assert!(problems.is_empty());
}

#[test]
fn nesting_and_mismatches() {
    let (nodes, found) = scan("{{< a >}}{{< b >}}{{< c >}}x{{< /c >}}{{< /a >}}", &CodeRanges::default());
    assert!(found.is_empty());
    let [Node::Call(_, a, Some(inner))] = nodes.as_slice() else { panic!("{nodes:?}") };
    assert_eq!(a.name, "a");
    assert!(matches!(inner.nodes.as_slice(), [Node::Call(_, _, None), Node::Call(_, _, Some(_))]));
    assert_eq!(problems("{{< /a >}}"), ["shortcode_mismatch"]);
    assert_eq!(problems("{{< a >}}{{< b >}}{{< /a >}}{{< /b >}}"), ["shortcode_mismatch"]);
    assert_eq!(problems("{{< a \"b >}}"), ["shortcode_syntax"]);
    assert_eq!(problems("{{< a"), ["shortcode_syntax"]);
    assert_eq!(problems("{% a() %}x"), ["shortcode_unclosed"]);
}

#[test]
fn depth_is_bounded() {
    let body = format!("{}x{}", "{{< a >}}".repeat(20), "{{< /a >}}".repeat(20));
    assert_eq!(problems(&body), ["shortcode_depth"]);
    assert_eq!(calls(&body).len(), MAX_DEPTH);
    assert_eq!(problems(&format!("{}x{}", "{{< a >}}".repeat(30_000), "{{< /a >}}".repeat(30_000))).len(), 1);
    assert_eq!(problems(&format!("{}{}", "{{< a >}}".repeat(30_000), "{{< /b >}}".repeat(30_000))).len(), 30_000);
}

#[test]
fn code_is_not_searched() {
    let body = "`{{< a >}}` {{< b >}}    {{< c >}}";
    let code = CodeRanges { literal: Vec::from([0..11, 100..101]), indented: Vec::from([21..34, 100..101]) };
    let (nodes, _) = scan(body, &code);
    assert_eq!(nodes.iter().filter(|node| matches!(node, Node::Call(..))).count(), 1);
}
