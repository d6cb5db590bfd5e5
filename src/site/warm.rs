//! What earlier processes of this program found out about the site, for the first build of this one; kept below `.sitewright/var/cache/`.

use super::{Site, lock};
use crate::build::{Options, Scope};
use crate::model::Digester;

/// Pages that may change before a site is kept again: what is kept serves a site of which a few did.
const FEW: usize = 64;
/// A site of fewer pages is read at once.
const WORTH: usize = 256;

/// Names of the two things that are kept for builds with these options: the site as it was read, and what its outputs were made from.
fn names(options: &Options) -> (String, String) {
    let options = Digester::default().with(&(options.drafts, options.future, &options.base_url)).finish();
    (format!("site-{options}"), format!("made-{options}"))
}

impl Site {
    /// Takes in, once, what an earlier process kept of builds with these options.
    pub(super) fn recall(&self, options: &Options) {
        let (site, made) = names(options);
        if !lock(&self.shared.recalled).insert(site.clone()) {
            return;
        }
        let repository = self.repository();
        if let Some(saved) = repository.warm(&site) {
            self.shared.cache.recall_site(options, &saved);
        }
        if let Some(saved) = repository.warm(&made) {
            self.shared.cache.recall(options, &saved);
        }
    }

    /// Keeps the site as it was read, where a next process would have to read much of a large one again.
    pub fn keep_for_the_next(&self) {
        let options = self.build_options(Scope::Nothing, false);
        if self.shared.cache.is_ahead(&options, WORTH, FEW) {
            self.keep_warm(&options);
        }
    }

    /// Whether other processes can have nothing near what the last build with these options found out.
    pub(super) fn is_ahead(&self, options: &Options) -> bool {
        self.shared.cache.is_ahead(options, 0, FEW)
    }

    /// Keeps what the last builds with these options found out. Where that fails, the next process takes longer and nothing else.
    pub(super) fn keep_warm(&self, options: &Options) {
        let (site, made) = names(options);
        let cache = &self.shared.cache;
        let keep = |name: &str, pieces: Option<Vec<Vec<u8>>>| {
            if let Some(pieces) = pieces {
                self.keep_warm_as(name, &pieces);
            }
        };
        let made_from = || cache.saved(options).map(|bytes| vec![bytes]);
        rayon::join(|| keep(&site, cache.saved_site(options)), || keep(&made, made_from()));
    }

    /// Keeps something under a name.
    pub(super) fn keep_warm_as(&self, name: &str, pieces: &[Vec<u8>]) {
        if let Err(error) = self.repository().keep_warm(name, pieces) {
            tracing::debug!(%error, "the cache is not written");
        }
    }
}
