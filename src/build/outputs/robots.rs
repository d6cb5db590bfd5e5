//! `robots.txt` and `.nojekyll`.

use std::fmt::Write;

use super::super::edition::Edition;
use crate::model::config::{AiPolicy, CrawlersConfig};

/// The known crawlers of AI services, one a line.
const AI_CRAWLERS: &str = include_str!("ai_crawlers.txt");

/// Who may read what, and where the sitemap is. `.nojekyll` keeps GitHub Pages from hiding files.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let crawlers = &edition.library.config.crawlers;
    let mut out = rules(crawlers, edition.base.path());
    // A site that is kept out of search engines has no sitemap to offer.
    if !crawlers.noindex {
        let _ = write!(out, "\nSitemap: {}\n", edition.base.absolute("/sitemap.xml"));
    }
    vec![("robots.txt".into(), out), (".nojekyll".into(), String::new())]
}

/// Everything but the sitemap.
fn rules(crawlers: &CrawlersConfig, base: &str) -> String {
    let mut out = String::from("User-agent: *\n");
    match crawlers.ai {
        AiPolicy::Allow => {}
        AiPolicy::NoTraining => out.push_str("Content-Signal: search=yes, ai-train=no\n"),
        AiPolicy::Block => out.push_str("Content-Signal: search=yes, ai-input=no, ai-train=no\n"),
    }
    for path in &crawlers.disallow {
        let _ = writeln!(out, "Disallow: {}{path}", base.trim_end_matches('/'));
    }
    out.push_str("Allow: /\n");
    let blocked = blocked(crawlers);
    if !blocked.is_empty() {
        out.push('\n');
        for name in blocked {
            let _ = writeln!(out, "User-agent: {name}");
        }
        out.push_str("Disallow: /\n");
    }
    out
}

/// Names that may read nothing: those the policy means, less those allowed by name, and those blocked by name.
fn blocked(crawlers: &CrawlersConfig) -> Vec<&str> {
    let meant = |purpose: &str| match crawlers.ai {
        AiPolicy::Allow => false,
        AiPolicy::NoTraining => purpose == "train",
        AiPolicy::Block => true,
    };
    let named = |name: &str| crawlers.agents.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let known = ai_crawlers().filter(|(name, purpose)| meant(purpose) && named(name).is_none()).map(|(name, _)| name);
    let own = crawlers.agents.iter().filter(|(_, allowed)| !**allowed).map(|(name, _)| name.as_str());
    known.chain(own).collect()
}

/// Name and purpose.
fn ai_crawlers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = AI_CRAWLERS.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut parts = line.split('|').map(str::trim);
        let name = parts.next()?;
        parts.nth(1).map(|purpose| (name, purpose))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crawler_is_listed_once_with_operator_and_purpose() {
        let lines: Vec<&str> = AI_CRAWLERS.lines().filter(|line| !line.starts_with('#')).collect();
        let mut names: Vec<String> = Vec::new();
        for line in &lines {
            let parts: Vec<&str> = line.split(" | ").collect();
            assert!(parts.len() == 3 && parts.iter().all(|part| !part.trim().is_empty()), "{line}");
            assert!(["train", "search", "user"].contains(&parts[2]), "{line}");
            names.push(parts[0].to_lowercase());
        }
        assert_eq!(names.len(), ai_crawlers().count());
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(names, sorted);
        assert!(names.len() > 40 && names.contains(&"gptbot".to_owned()));
    }

    #[test]
    fn a_policy_blocks_whom_it_means_and_names_win() {
        let agents = [("gptbot".to_owned(), true), ("Nosy Bot".to_owned(), false)];
        let crawlers = CrawlersConfig {
            ai: AiPolicy::NoTraining,
            agents: agents.into(),
            disallow: vec!["/private/".into(), "/*?print".into()],
            noindex: false,
        };
        let text = rules(&crawlers, "/project/");
        let head = "User-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow: /project/private/\nDisallow: /project/*?print\nAllow: /\n\nUser-agent: AI2Bot\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with("User-agent: Nosy Bot\nDisallow: /\n"), "{text}");
        assert!(!text.contains("GPTBot") && !text.contains("OAI-SearchBot") && text.contains("CCBot"), "{text}");
        let all = rules(&CrawlersConfig { ai: AiPolicy::Block, ..CrawlersConfig::default() }, "/");
        assert!(all.contains("OAI-SearchBot") && all.contains("ChatGPT-User") && all.contains("GPTBot"), "{all}");
        assert_eq!(rules(&CrawlersConfig::default(), "/"), "User-agent: *\nAllow: /\n");
    }
}
