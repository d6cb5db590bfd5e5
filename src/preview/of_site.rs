//! Previews of a real site: builds come from the site layer, and its `preview` tool registers builds here.

use std::sync::Arc;

use super::previews::{Fresh, Previews, Source};
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, File, Outputs, Snapshot};
use crate::site::{self, Site};

impl Source for Site {
    fn build(&self, base_url: &str) -> Result<Fresh> {
        let (outputs, diagnostics, snapshot) = site::preview::whole(self, base_url)?;
        Ok(Fresh { outputs, diagnostics, snapshot })
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
        if let Err(error) = Previews::register(self, label, Fresh { outputs, diagnostics, snapshot }) {
            tracing::error!("preview {label}: {error}");
        }
    }
}
