//! What one can do with a site: free functions, one file per noun, over a small [`Site`] handle.

pub mod starter;

/// An open site.
#[derive(Debug)]
pub struct Site {}
