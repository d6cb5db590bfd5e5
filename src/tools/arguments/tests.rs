use super::*;

fn schema() -> Map<String, Value> {
    let Value::Object(schema) = json!({
        "type": "object",
        "properties": {
            "pages": {"type": "array", "minItems": 1, "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string", "minLength": 1, "examples": ["/blog/hello/"]},
                    "front_matter": {"type": "object"},
                    "create": {"type": "boolean"},
                },
                "required": ["path"],
                "additionalProperties": false,
            }},
            "limit": {"type": "integer", "minimum": 1, "maximum": 500},
            "ratio": {"type": "number"},
            "sort": {"type": "string", "enum": ["path", "date"]},
            "dry_run": {"type": "boolean"},
            "names": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["pages"],
        "additionalProperties": false,
    }) else {
        unreachable!()
    };
    schema
}

fn fitted(arguments: Value) -> Result<Value, Value> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    fit(&schema(), arguments).map(Value::Object).map_err(|refusal| refusal.to_json())
}

#[test]
fn what_clients_send_is_read_as_meant() {
    for (sent, meant) in [
        (json!({"pages": [{"path": "a"}], "limit": "3"}), json!({"pages": [{"path": "a"}], "limit": 3})),
        (json!({"pages": [{"path": "a"}], "limit": 2.0}), json!({"pages": [{"path": "a"}], "limit": 2})),
        (json!({"pages": [{"path": "a"}], "limit": " 2.0 "}), json!({"pages": [{"path": "a"}], "limit": 2})),
        (json!({"pages": [{"path": "a"}], "ratio": "0.5"}), json!({"pages": [{"path": "a"}], "ratio": 0.5})),
        (json!({"pages": [{"path": "a"}], "dry_run": "True"}), json!({"pages": [{"path": "a"}], "dry_run": true})),
        (json!({"pages": [{"path": "a"}], "dry_run": "false"}), json!({"pages": [{"path": "a"}], "dry_run": false})),
        (json!({"pages": [{"path": "a"}], "limit": null}), json!({"pages": [{"path": "a"}]})),
        (json!({"pages": [{"path": "a"}], "sort": " Date "}), json!({"pages": [{"path": "a"}], "sort": "date"})),
        (json!({"pages": "[{\"path\": \"a\"}]"}), json!({"pages": [{"path": "a"}]})),
        (json!({"pages": ["{\"path\": \"a\"}"]}), json!({"pages": [{"path": "a"}]})),
        (json!({"pages": {"path": "a"}}), json!({"pages": [{"path": "a"}]})),
        (json!({"pages": "a"}), json!({"pages": [{"path": "a"}]})),
        (json!({"pages": ["a", "b"]}), json!({"pages": [{"path": "a"}, {"path": "b"}]})),
        (json!({"pages": ["a"], "names": "x"}), json!({"pages": [{"path": "a"}], "names": ["x"]})),
        (json!({"pages": ["a"], "names": "[x"}), json!({"pages": [{"path": "a"}], "names": ["[x"]})),
        (
            json!({"pages": [{"path": "a", "front_matter": "{\"draft\": null}"}]}),
            json!({"pages": [{"path": "a", "front_matter": {"draft": null}}]}),
        ),
    ] {
        assert_eq!(fitted(sent.clone()), Ok(meant), "{sent}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_field_and_example() {
    for (sent, field, expected, got) in [
        (json!({}), "pages", "a list, each item an object with `path` (at least 1)", "nothing"),
        (json!({"pages": null}), "pages", "a list, each item an object with `path` (at least 1)", "nothing"),
        (json!({"pages": []}), "pages", "a list, each item an object with `path` (at least 1)", "a list of 0"),
        (json!({"pages": [7]}), "pages[0]", "an object with `path`", "the number 7"),
        (json!({"pages": [{"path": "a"}, {}]}), "pages[1].path", "text that is not empty", "nothing"),
        (json!({"pages": ["a"], "limit": 2.5}), "limit", "a whole number from 1 to 500", "the number 2.5"),
        (json!({"pages": ["a"], "limit": 501}), "limit", "a whole number from 1 to 500", "the number 501"),
        (json!({"pages": ["a"], "limit": "1e99"}), "limit", "a whole number from 1 to 500", "the text \"1e99\""),
        (json!({"pages": ["a"], "sort": "dte"}), "sort", "one of path, date", "the text \"dte\""),
        (json!({"pages": ["a"], "dry_run": "yes"}), "dry_run", "true or false", "the text \"yes\""),
        (json!({"pages": ["a"], "dry_run": 1}), "dry_run", "true or false", "the number 1"),
        (json!({"pages": ["a"], "names": [["x"]]}), "names[0]", "text", "a list of 1"),
    ] {
        let refused = fitted(sent.clone()).expect_err("is refused");
        assert_eq!(refused["code"], "invalid_arguments", "{sent}");
        assert_eq!(refused["details"]["field"], field, "{sent}");
        assert_eq!(refused["details"]["expected"], expected, "{sent}");
        assert_eq!(refused["details"]["got"], got, "{sent}");
        assert!(refused["hint"].as_str().is_some_and(|hint| hint.len() > 10), "{refused}");
    }
}

#[test]
fn an_example_is_taken_from_the_schema() {
    let refused = fitted(json!({"pages": [{"path": 3}]})).expect_err("is refused");
    assert_eq!(refused["hint"], "Write it like this: \"path\": \"/blog/hello/\"");
}

#[test]
fn unknown_arguments_name_the_valid_one() {
    let refused = fitted(json!({"page": ["a"]})).expect_err("is refused");
    assert_eq!(refused["hint"], "Use `pages` instead.");
    let refused = fitted(json!({"pages": ["a"], "dryRun": true})).expect_err("is refused");
    assert_eq!(refused["hint"], "Use `dry_run` instead.");
    let refused = fitted(json!({"path": "a"})).expect_err("is refused");
    assert_eq!(refused["hint"], "Put `path` inside `pages`: \"pages\": [{\"path\":\"/blog/hello/\"}]");
    let refused = fitted(json!({"pages": ["a"], "zzzzzzz": 1})).expect_err("is refused");
    assert_eq!(refused["hint"], "Leave it out; valid here: pages, limit, ratio, sort, dry_run, names.");
}

#[test]
fn enormous_arguments_are_refused_before_they_are_read() {
    let refused = fitted(json!({"pages": ["x".repeat(MAX_ARGUMENT_BYTES)]})).expect_err("is refused");
    assert_eq!(refused["code"], "too_large");
    assert_eq!(refused["details"]["limit"], MAX_ARGUMENT_BYTES);
}

#[test]
fn messages_stay_short_and_on_one_line() {
    let refused = fitted(json!({"pages": ["a"], "sort": format!("a\nb{}", "é".repeat(10_000))})).expect_err("refused");
    assert!(refused.to_string().len() < 1_000, "{refused}");
    assert!(!refused["message"].as_str().expect("text").contains('\n'));
}
