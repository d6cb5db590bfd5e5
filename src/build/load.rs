//! First stage: every Markdown file split and parsed, in parallel, through the cache.

use std::sync::Arc;

use rayon::prelude::*;

use super::cache::{Batch, Cache};
use super::count::Count;
use super::markdown::{self, Document};
use crate::error::Error;
use crate::model::config::MarkdownConfig;
use crate::model::{Config, ContentPath, Diagnostic, File, FrontMatter, PathKind, Progress, Severity, Snapshot};

/// Largest page file that is built.
const MAX_PAGE: u64 = 2 * 1024 * 1024;

/// A page file, parsed: what depends on nothing but its bytes and the Markdown options.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its front matter.
    pub(crate) front_matter: FrontMatter,
    /// Its body.
    pub(crate) document: Document,
}

/// One page file of the snapshot.
#[derive(Debug, Clone)]
pub(crate) struct Loaded<'a> {
    /// Where it is.
    pub(crate) path: &'a ContentPath,
    /// The file.
    pub(crate) file: &'a File,
    /// Its text.
    pub(crate) text: &'a str,
    /// What is in it.
    pub(crate) parsed: Arc<Parsed>,
}

impl Loaded<'_> {
    /// The file up to its body.
    #[must_use]
    pub(crate) fn head(&self) -> &str {
        self.text.get(..self.parsed.front_matter.body_offset).unwrap_or_default()
    }
}

/// Reads every page of a snapshot, in path order. A page that cannot be read is a diagnostic and left out.
#[must_use]
pub(crate) fn load<'a>(
    snapshot: &'a Snapshot,
    config: &Config,
    cache: &Cache,
    progress: &Progress,
) -> (Vec<Loaded<'a>>, Vec<Diagnostic>) {
    let files: Vec<_> = snapshot.under("content").filter(|(path, _)| path.kind() == PathKind::Page).collect();
    let batch = cache.batch(&config.markdown);
    let count = Count::new(progress, files.len(), "Reading pages");
    let results: Vec<_> = files
        .into_par_iter()
        // A build that ends early answers nothing, so it does not matter what is missing then.
        .filter(|_| count.next())
        .map(|(path, file)| one(path, file, config, &batch))
        .collect();
    let mut pages = Vec::with_capacity(results.len());
    let mut findings = Vec::new();
    for result in results {
        match result {
            Ok(page) => pages.push(page),
            Err(finding) => findings.push(*finding),
        }
    }
    batch.keep(pages.iter().map(|page| (page.file.id, &page.parsed)));
    (pages, findings)
}

/// Reads one page.
///
/// # Errors
/// The finding that says why it cannot be read.
pub(crate) fn one<'a>(
    path: &'a ContentPath,
    file: &'a File,
    config: &Config,
    batch: &Batch<'_>,
) -> Result<Loaded<'a>, Box<Diagnostic>> {
    let (text, parsed) = match batch.get(path, &file.id) {
        Some(parsed) => (text_of(path, file)?, parsed),
        None => parse(path, file, &config.markdown)?,
    };
    Ok(Loaded { path, file, text, parsed })
}

/// Parses one page.
///
/// # Errors
/// The finding that says why it cannot be read.
pub(crate) fn parse<'a>(
    path: &ContentPath,
    file: &'a File,
    options: &MarkdownConfig,
) -> Result<(&'a str, Arc<Parsed>), Box<Diagnostic>> {
    let text = text_of(path, file)?;
    let front_matter = FrontMatter::parse(path.as_str(), text).map_err(|e| Box::new(refusal(path, &e)))?;
    let document = markdown::parse(text.get(front_matter.body_offset..).unwrap_or_default(), options);
    Ok((text, Arc::new(Parsed { front_matter, document })))
}

fn text_of<'a>(path: &ContentPath, file: &'a File) -> Result<&'a str, Box<Diagnostic>> {
    if file.size > MAX_PAGE {
        let message = format!("the page has {} bytes, the limit is {MAX_PAGE}", file.size);
        let finding = Diagnostic::new(Severity::Error, "page_too_large", path.clone(), 0, message);
        return Err(Box::new(finding.with_hint("Split it into smaller pages.")));
    }
    file.text().ok_or_else(|| {
        let finding = Diagnostic::new(Severity::Error, "not_utf8", path.clone(), 0, "the page is not valid UTF-8");
        Box::new(finding.with_hint("Save the file as UTF-8."))
    })
}

fn refusal(path: &ContentPath, error: &Error) -> Diagnostic {
    let (line, message) = match error {
        Error::InvalidFrontMatter { line, column, problem, excerpt, .. } if excerpt.is_empty() => {
            (*line, format!("front matter, column {column}: {problem}"))
        }
        Error::InvalidFrontMatter { line, column, problem, excerpt, .. } => {
            (*line, format!("front matter, column {column}: {problem}: `{}`", excerpt.trim()))
        }
        other => (1, other.to_string()),
    };
    Diagnostic::new(Severity::Error, "invalid_front_matter", path.clone(), line, message).with_hint(error.hint())
}
