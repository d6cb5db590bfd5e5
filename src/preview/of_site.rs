//! Previews of a real site: builds come from the site layer, and its `preview` tool registers builds here.

use std::sync::Arc;

use super::previews::{Fresh, Previews, Source};
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, File, Outputs, Snapshot};
use crate::site::{self, Site};

impl Source for Site {
    fn build(&self, base_url: &str, before: Option<&Fresh>) -> Result<Fresh> {
        let before = before.map(|before| (&before.outputs, &before.digests));
        let (built, snapshot) = site::preview::whole(self, base_url, before)?;
        Ok(Fresh { outputs: built.outputs, digests: built.digests, diagnostics: built.diagnostics, snapshot })
    }

    fn is_current(&self, snapshot: &Arc<Snapshot>) -> bool {
        // A working tree that cannot be read now shows itself at the next build.
        self.repository().working().map_or(true, |now| Arc::ptr_eq(&now, snapshot) || now == *snapshot)
    }

    fn bytes(&self, path: &ContentPath, file: &File) -> Result<Arc<[u8]>> {
        self.repository().bytes(path, file)
    }
}

impl site::preview::Host for Previews {
    fn working(&self) -> String {
        format!("{}/", self.origin().unwrap_or_default())
    }

    fn address(&self, label: &str) -> String {
        self.label_url(label).unwrap_or_default()
    }

    fn register(&self, label: &str, outputs: Outputs, diagnostics: Vec<Diagnostic>, snapshot: Arc<Snapshot>) {
        if let Err(error) =
            Previews::register(self, label, Fresh { outputs, diagnostics, snapshot, ..Fresh::default() })
        {
            tracing::error!("preview {label}: {error}");
        }
    }
}
