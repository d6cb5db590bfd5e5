//! Tests of theme.
