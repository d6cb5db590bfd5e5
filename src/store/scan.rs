//! The working tree as a snapshot.

/// What is remembered between operations.
#[derive(Debug, Default)]
pub(crate) struct Cache {}
