//! Which file a caller means, and which files a theme can have at all.

use super::near;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Snapshot, Theme};

/// Folders whose files are templates.
const TEMPLATES: [&str; 3] = ["layouts", "partials", "shortcodes"];

/// The path of a theme's file: `layouts/page.hbs`, or the same from the site's root.
///
/// # Errors
/// `InvalidPath` for what may not be named, `InvalidArguments` for a file of another theme or one no theme uses.
pub(super) fn path(theme: &str, name: &str) -> Result<ContentPath> {
    let name = name.trim();
    let inner = match name.strip_prefix("themes/") {
        Some(rest) => rest.strip_prefix(theme).and_then(|rest| rest.strip_prefix('/')).ok_or_else(|| {
            let problem = format!("{} is no file of theme `{theme}`", shorten(name));
            let other = rest.split('/').next().unwrap_or_default();
            refused(&problem, &format!("{{\"theme\": \"{}\", \"files\": [...]}}", shorten(other)))
        })?,
        None => name,
    };
    let path = ContentPath::parse(&format!("themes/{theme}/{inner}"))?;
    let Some((folder, file)) = inner.split_once('/') else { return Ok(path) };
    if TEMPLATES.contains(&folder) && !file.to_ascii_lowercase().ends_with(".hbs") {
        let stem = inner.rsplit_once('.').map_or(inner, |(stem, _)| stem);
        let problem = format!("no page would ever use {}: templates end in .hbs", shorten(inner));
        return Err(refused(&problem, &format!("{{\"path\": \"{}.hbs\", ...}}", shorten(stem))));
    }
    if !TEMPLATES.contains(&folder) && folder != "assets" {
        let folder = shorten(folder);
        let problem = format!("a theme has theme.yaml, layouts/, partials/, shortcodes/ and assets/, not `{folder}/`");
        return Err(refused(&problem, "{\"path\": \"assets/style.css\", ...}"));
    }
    Ok(path)
}

fn refused(problem: &str, example: &str) -> Error {
    Error::InvalidArguments { field: "files[].path".into(), problem: problem.into(), example: example.into() }
}

fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The refusal of a file that neither the theme nor what it extends has.
pub(super) fn not_found(snapshot: &Snapshot, chain: &[Theme], path: &ContentPath) -> Error {
    let inner = inside(path);
    let all = chain.iter().flat_map(|theme| {
        let folder = format!("themes/{}", theme.name);
        snapshot.under(&folder).map(|(path, _)| path.as_str()).collect::<Vec<_>>()
    });
    let all: Vec<&str> = all.collect();
    // A file of what the theme extends is no slip, it is elsewhere.
    let elsewhere = all.iter().find(|other| other.splitn(3, '/').nth(2) == Some(inner));
    let near = match elsewhere {
        Some(other) => vec![(*other).to_owned()],
        None => near(path.as_str(), all.iter().copied()),
    };
    Error::NotFound { kind: "theme file", name: path.to_string(), near }
}

/// A theme file's path below its theme's folder.
pub(super) fn inside(path: &ContentPath) -> &str {
    path.as_str().splitn(3, '/').nth(2).unwrap_or_default()
}
