//! Tests of front matter.
