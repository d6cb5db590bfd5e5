//! Tests of preview.
