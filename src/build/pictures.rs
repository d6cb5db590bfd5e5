//! Sizes of images, for `width` and `height`: asked of whoever has the bytes, which a build never sees.

use std::fmt;
use std::sync::Arc;

use crate::model::{ContentPath, File};

/// Measures an image: width and height in pixels, as it is shown.
type Measure = dyn Fn(&ContentPath, &File) -> Option<(u32, u32)> + Send + Sync;

/// Who knows how large images are. The answer depends on nothing but the blob, so a build stays a function of its snapshot.
#[derive(Clone, Default)]
pub struct Pictures(Option<Arc<Measure>>);

impl Pictures {
    /// Asks this one.
    #[must_use]
    pub fn by(measure: impl Fn(&ContentPath, &File) -> Option<(u32, u32)> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(measure)))
    }

    /// Width and height of an image; `None` where nobody knows.
    #[must_use]
    pub fn size(&self, path: &ContentPath, file: &File) -> Option<(u32, u32)> {
        self.0.as_ref().and_then(|measure| measure(path, file))
    }
}

impl fmt::Debug for Pictures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pictures").field(&self.0.is_some()).finish()
    }
}
