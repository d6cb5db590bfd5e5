//! The world beyond the repository: URLs and their guard, webhooks, a browser, child processes.

pub mod browser;
