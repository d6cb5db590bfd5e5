//! What one can do with a site: free functions, one file per noun, over a small [`Site`] handle.

/// An open site.
#[derive(Debug)]
pub struct Site {}
