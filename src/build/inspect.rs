//! Looking at rendered pages one by one, so that a check of a large site holds none of them.

use super::edition::Edition;
use super::plan::{self, Job};
use super::render::Done;
use crate::model::{Diagnostic, Library, OutputData, Page};

/// What a look is given.
pub struct Seen<'a> {
    /// The whole site.
    pub library: &'a Library,
    /// The page it belongs to; `None` for lists of terms and the like, which have no file.
    pub page: Option<&'a Page>,
    /// Its URL path, without the base path.
    pub url: &'a str,
    /// Path of the site in its address, such as `/` or `/docs/`.
    pub base_path: &'a str,
    /// The whole document.
    pub html: &'a str,
    /// The page's own content in it, as it stands there.
    pub body: Option<&'a str>,
}

impl std::fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Looks at a document and says what it finds; called from several threads, in no order.
pub type Look<'l> = dyn Fn(&Seen<'_>) -> Vec<Diagnostic> + Sync + 'l;

/// Shows what a job made, and keeps only what was found; of copies, that they are there.
pub(crate) fn looked(edition: &Edition<'_>, path: &str, job: &Job, done: Done, look: &Look<'_>) -> Done {
    let page = match job {
        Job::Copy(..) => return done,
        Job::Redirect(_) => return Done { findings: done.findings, ..Done::default() },
        Job::Page(index) | Job::SectionList(index, _) => edition.library.pages.get(*index).map(|page| &**page),
        _ => None,
    };
    let mut findings = done.findings;
    let bytes = done.output.as_ref().and_then(|output| match &output.data {
        OutputData::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        OutputData::Copy(..) => None,
    });
    if let Some(html) = bytes {
        findings.extend(look(&Seen {
            library: &edition.library,
            page,
            url: &plan::url_of(path),
            base_path: edition.base.path(),
            html,
            body: done.body.as_ref().map(|(_, body)| &**body),
        }));
    }
    Done { findings, ..Done::default() }
}
