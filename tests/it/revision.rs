//! Tests of revision.
