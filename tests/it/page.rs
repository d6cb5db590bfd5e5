//! Tests of page.
