//! Whether a data file can be read: YAML, JSON, TOML, CSV.

use super::kind::ending;
use crate::error::{Error, Result};
use crate::model::{ContentPath, front_matter};

/// Checks an upload below `data/`.
///
/// # Errors
/// `InvalidConfig` with the line, or `RefusedFile` for a file of another kind.
pub(super) fn check(path: &ContentPath, bytes: &[u8]) -> Result<()> {
    let refused = |problem: String| Error::RefusedFile { path: path.to_string(), problem };
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is no UTF-8 text".into()))?;
    let wrong = |line: usize, problem: String| Error::InvalidConfig { path: path.to_string(), line, problem };
    match ending(path.file_name()).as_str() {
        "yaml" | "yml" => front_matter::read_yaml(path.as_str(), text).map(drop),
        "json" => {
            serde_json::from_str::<serde::de::IgnoredAny>(text.trim_start_matches('\u{feff}'))
                .map_err(|error| wrong(error.line(), error.to_string()))?;
            // The build reads JSON with the reader of YAML, and its limits.
            front_matter::read_yaml(path.as_str(), text).map(drop)
        }
        "toml" => toml::from_str::<toml::Table>(text).map(drop).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
            wrong(line, error.message().to_owned())
        }),
        "csv" => csv(text).map_err(|(line, problem)| wrong(line, problem)),
        _ => Err(refused("data/ holds .yaml, .json, .toml and .csv files".into())),
    }
}

/// Every row has as many fields as the first, and quotes are closed. The error carries the row's first line.
fn csv(text: &str) -> std::result::Result<(), (usize, String)> {
    let mut expected = None;
    let (mut fields, mut quoted, mut empty) = (1, false, true);
    let (mut line, mut start) = (1, 1);
    for c in text.trim_start_matches('\u{feff}').chars().chain(['\n']) {
        match c {
            '"' => (quoted, empty) = (!quoted, false),
            '\n' if !quoted => {
                let wanted = *expected.get_or_insert(fields);
                if !empty && fields != wanted {
                    return Err((start, format!("the row has {fields} fields, the first one has {wanted}")));
                }
                (fields, empty, start) = (1, true, line + 1);
            }
            ',' if !quoted => (fields, empty) = (fields + 1, false),
            '\r' => {}
            _ => empty = false,
        }
        line += usize::from(c == '\n');
    }
    if quoted { Err((start, "a quote is not closed".into())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_has_to_be_readable() {
        let check =
            |name: &str, text: &str| check(&ContentPath::parse(&format!("data/{name}")).unwrap(), text.as_bytes());
        for (name, text) in [
            ("a.yaml", "a: [1, 2]\n"),
            ("a.json", "{\"a\": 1}"),
            ("a.toml", "a = 1\n"),
            ("a.csv", "a,b\n1,\"x, \"\"y\"\"\nz\"\n\n3,4\r\n"),
        ] {
            check(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for (name, text, line) in [
            ("a.yaml", "a: 1\nb: [1\n", None),
            ("a.json", "{\"a\": 1,\n}", Some(2)),
            ("a.json", "a: 1", Some(1)),
            ("a.toml", "a = 1\nb = \n", Some(2)),
            ("a.csv", "a,b\n1,2\n1,2,3\n", Some(3)),
            ("a.csv", "a,b\n1,\"2\n", Some(2)),
            ("a.txt", "x", None),
        ] {
            let error = check(name, text).expect_err(name);
            if let (Error::InvalidConfig { line: found, .. }, Some(line)) = (&error, line) {
                assert_eq!(*found, line, "{name}: {error}");
            }
        }
    }
}
