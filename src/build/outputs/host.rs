//! What a host wants inside the output besides pages, and what it will not take: `CNAME`, `.domains`, and the limits each one documents.

use super::super::edition::Edition;
use super::super::redirects::Redirect;
use crate::model::config::Host;
use crate::model::{ContentPath, Diagnostic, Severity};

/// What a host reads and how much of it; `usize::MAX` where nothing is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Whether it reads `_redirects`.
    pub(crate) redirects: bool,
    /// Whether it reads `_headers`.
    pub(crate) headers: bool,
    /// Rules without a pattern.
    pub(crate) plain: usize,
    /// Rules with one.
    pub(crate) patterns: usize,
    /// Rules altogether.
    pub(crate) rules: usize,
    /// Bytes of `_redirects`.
    pub(crate) bytes: usize,
    /// Output files.
    pub(crate) files: usize,
    /// Bytes of one file.
    pub(crate) file_bytes: u64,
    /// Whether a file wins over a rule unless the rule says `!`: a stub page stands at each old address.
    pub(crate) forced: bool,
    /// Whether it knows 307 and 308 besides 301 and 302.
    pub(crate) all_statuses: bool,
}

/// A host of which nothing is known reads everything.
const ANY: Reads = Reads {
    redirects: true,
    headers: true,
    plain: usize::MAX,
    patterns: usize::MAX,
    rules: usize::MAX,
    bytes: usize::MAX,
    files: usize::MAX,
    file_bytes: u64::MAX,
    forced: false,
    all_statuses: false,
};

impl Reads {
    /// The status of a rule as the host understands it. A pattern is never forced: pages that exist stay.
    #[must_use]
    pub(crate) fn status(self, redirect: &Redirect) -> String {
        let status = match redirect.status {
            308 if !self.all_statuses => 301,
            307 if !self.all_statuses => 302,
            other => other,
        };
        if self.forced && !redirect.is_pattern() { format!("{status}!") } else { status.to_string() }
    }
}

/// What a host reads.
#[must_use]
pub(crate) fn reads(host: Option<Host>) -> Reads {
    let mib = 1024 * 1024;
    match host {
        None | Some(Host::Codeberg) => ANY,
        Some(Host::GitHub) => Reads { redirects: false, headers: false, file_bytes: 100 * mib, ..ANY },
        Some(Host::GitLab) => Reads { headers: false, rules: 1_000, bytes: 64_000, ..ANY },
        Some(Host::Cloudflare) => {
            Reads { plain: 2_000, patterns: 100, files: 20_000, file_bytes: 25 * mib, all_statuses: true, ..ANY }
        }
        Some(Host::Netlify) => Reads { forced: true, ..ANY },
        Some(Host::Vercel) => Reads { redirects: false, headers: false, ..ANY },
    }
}

/// The files by which a host learns the site's own domain.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let config = &edition.library.config;
    let name = match config.publish.host {
        Some(Host::GitHub) => "CNAME",
        Some(Host::Codeberg) => ".domains",
        _ => return Vec::new(),
    };
    if !config.publish.domain {
        return Vec::new();
    }
    vec![(name.into(), format!("{}\n", config.host_name()))]
}

/// What of the output the host will not take or not read.
#[must_use]
pub(crate) fn check(edition: &Edition<'_>) -> Vec<Diagnostic> {
    let Some(host) = edition.library.config.publish.host else { return Vec::new() };
    let (reads, name) = (reads(Some(host)), host.name());
    let Ok(config) = ContentPath::from_disk("site.yaml") else { return Vec::new() };
    let mut found = Vec::new();
    let mut warn = |path: ContentPath, message: String, hint: &str| {
        found.push(Diagnostic::new(Severity::Warning, "host_limit", path, 0, message).with_hint(hint));
    };
    let patterns = edition.plan.redirects.iter().filter(|redirect| redirect.is_pattern()).count();
    let plain = edition.plan.redirects.len() - patterns;
    if !reads.redirects && patterns > 0 && host == Host::GitHub {
        let message = format!("{name} knows no redirects with patterns, {patterns} have no effect");
        warn(config.clone(), message, "List the old addresses one by one: each gets a page that leads on.");
    }
    if reads.redirects && super::redirects::rules(edition, reads).len() < plain + patterns {
        let message = format!("{name} reads fewer redirects than the {} of this site", plain + patterns);
        warn(
            config.clone(),
            message,
            "The rest work by pages that lead on; take out redirects nobody follows any more.",
        );
    }
    let with_twins = edition.library.config.markdown.twins;
    let twins = edition.library.pages.iter().filter(|page| with_twins && page.included && page.exists).count();
    let files = edition.plan.jobs.len() + twins;
    if files > reads.files {
        let message = format!("{name} takes {} files, the output has about {files}", reads.files);
        let hint = if twins > 0 {
            "Leave the Markdown of each page out with `markdown: { twins: false }`, split the site, or choose a host without that limit."
        } else {
            "Split the site, or choose a host without that limit."
        };
        warn(config, message, hint);
    }
    for (path, file) in edition.snapshot.iter().filter(|(_, file)| file.size > reads.file_bytes) {
        let message =
            format!("{name} takes no file larger than {} bytes, this one has {}", reads.file_bytes, file.size);
        warn(path.clone(), message, "Make it smaller, or serve it from elsewhere.");
    }
    found
}
