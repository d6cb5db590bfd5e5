//! What lists show of pages: made for those that somebody asks for, and shared by all who do.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::edition::Edition;
use super::{context, memory, reads};
use crate::model::Digest;

/// What lists show of one page.
#[derive(Debug)]
pub(crate) struct Stub {
    value: Arc<Value>,
    digest: OnceLock<Digest>,
}

impl Edition<'_> {
    fn kept_stub(&self, index: usize) -> &Stub {
        // Whoever asks first has read no more than the next.
        let make = || {
            let (value, _) = reads::record(|| context::stub(self, index));
            Arc::new(Stub { value: Arc::new(value), digest: OnceLock::new() })
        };
        self.stubs[index].get_or_init(make)
    }

    /// What lists show of a page.
    #[must_use]
    pub(crate) fn stub(&self, index: usize) -> &Arc<Value> {
        &self.kept_stub(index).value
    }

    /// The same for one who changes it, and is the only one to ask as a rule.
    #[must_use]
    pub(crate) fn own_stub(&self, index: usize) -> Value {
        self.stubs[index]
            .get()
            .map_or_else(|| reads::record(|| context::stub(self, index)).0, |stub| (*stub.value).clone())
    }

    /// Its digest.
    #[must_use]
    pub(crate) fn stub_digest(&self, index: usize) -> Digest {
        let stub = self.kept_stub(index);
        *stub.digest.get_or_init(|| memory::digest_of_value(Some(&stub.value)))
    }
}
