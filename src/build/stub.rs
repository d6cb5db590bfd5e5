//! What lists show of pages: made for those that somebody asks for, and shared by all who do.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use super::edition::Edition;
use super::{context, reads};
use crate::model::{Digest, Digester};

/// What lists show of one page.
#[derive(Debug, Default)]
pub(crate) struct Stub {
    /// `None`: nobody asked yet, or it is lent.
    value: Mutex<Option<Arc<Value>>>,
    digest: OnceLock<Digest>,
}

impl Stub {
    fn value(&self) -> MutexGuard<'_, Option<Arc<Value>>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Edition<'_> {
    fn kept_stub(&self, index: usize) -> &Stub {
        self.stubs[index].get_or_init(Arc::default)
    }

    /// Whoever asks first has read no more than the next.
    fn make_stub(&self, index: usize) -> Value {
        reads::record(|| context::stub(self, index)).0
    }

    /// What lists show of a page.
    #[must_use]
    pub(crate) fn stub(&self, index: usize) -> Arc<Value> {
        Arc::clone(self.kept_stub(index).value().get_or_insert_with(|| Arc::new(self.make_stub(index))))
    }

    /// The same for a context, which owns what it holds: copying it would cost more than rendering it. Who asks meanwhile gets another.
    #[must_use]
    pub(crate) fn lend_stub(&self, index: usize) -> Value {
        let stub = self.kept_stub(index);
        let kept = stub.value().take();
        match kept.map(Arc::try_unwrap) {
            Some(Ok(value)) => value,
            Some(Err(shared)) => {
                let value = (*shared).clone();
                stub.value().get_or_insert(shared);
                value
            }
            None => self.make_stub(index),
        }
    }

    /// Takes one back.
    pub(crate) fn return_stub(&self, index: usize, value: Value) {
        debug_assert_eq!(value, self.make_stub(index), "what is returned is what was lent");
        self.kept_stub(index).value().get_or_insert_with(|| Arc::new(value));
    }

    /// Its digest.
    #[must_use]
    pub(crate) fn stub_digest(&self, index: usize) -> Digest {
        let digest = &self.kept_stub(index).digest;
        *digest.get_or_init(|| self.stub(index).as_object().map(|fields| digest_of(fields.iter())).unwrap_or_default())
    }

    /// The same, by the fields of what is lent.
    #[must_use]
    pub(crate) fn lent_digest<'v>(
        &self,
        index: usize,
        fields: impl Iterator<Item = (&'v String, &'v Value)>,
    ) -> Digest {
        *self.kept_stub(index).digest.get_or_init(|| digest_of(fields))
    }
}

fn digest_of<'v>(fields: impl Iterator<Item = (&'v String, &'v Value)>) -> Digest {
    let mut digester = Digester::default();
    digester.fields(fields);
    digester.finish()
}
