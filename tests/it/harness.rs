//! What tests share: a site in a folder of its own, and clients that call it as agents do.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use sitewright::site::Site;

/// A site for tests that never look at it.
pub(crate) fn any_site() -> Arc<Site> {
    Arc::new(Site {})
}
