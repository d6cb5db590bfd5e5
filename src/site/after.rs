//! What is told to the world after a publish: webhooks, and search engines through IndexNow. Never part of the publish itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use super::publish::PublishReply;
use super::{Call, Site};
use crate::model::config::{IndexNowConfig, Webhook, WebhookEvent};
use crate::model::{Config, Library};
use crate::outside::Guard;
use crate::outside::deliver::Delivery;
use crate::store::ChangeKind;

/// Addresses of each kind that a webhook is told.
const MAX_URLS: usize = 500;
/// Addresses in one ping; the protocol's own limit.
const MAX_PINGED: usize = 10_000;

/// Sends what the configuration asks for, in the background. Failures are logged and change nothing.
pub(super) fn tell(site: &Site, call: &Call, library: &Library, reply: &PublishReply, message: &str) {
    let config = &library.config;
    let Some(event) = event(reply) else { return };
    let guard = Guard::new(&config.fetch);
    for webhook in config.webhooks.iter().filter(|webhook| webhook.events.contains(&event)) {
        if let Some(delivery) = notice(site, call, config, webhook, event, reply, message) {
            site.courier().send(&guard, delivery);
        }
    }
    let pushed = reply.published.pushed.as_ref().is_some_and(|pushed| pushed.ok);
    if let Some(indexnow) = config.indexnow.as_ref().filter(|_| event == WebhookEvent::Publish && pushed)
        && let Some(delivery) = ping(library, indexnow, reply)
    {
        site.courier().send(&guard, delivery);
    }
}

/// What happened; `None`: nothing that anybody outside can see.
fn event(reply: &PublishReply) -> Option<WebhookEvent> {
    let published = &reply.published;
    if reply.dry_run {
        return None;
    }
    if let Some(review) = &published.review {
        return (review.revision.is_some() && !review.unchanged).then_some(WebhookEvent::Review);
    }
    let arrived = [&published.pushed, &published.deployed].into_iter().flatten().all(|pushed| pushed.ok);
    (published.revision.is_some() && arrived).then_some(WebhookEvent::Publish)
}

fn notice(
    site: &Site,
    call: &Call,
    config: &Config,
    webhook: &Webhook,
    event: WebhookEvent,
    reply: &PublishReply,
    message: &str,
) -> Option<Delivery> {
    let secret = match &webhook.secret {
        None => None,
        Some(name) => match std::env::var(name) {
            Ok(secret) if !secret.is_empty() => Some(secret.into_bytes()),
            _ => {
                // Unsigned, it would look like somebody else's.
                tracing::warn!(variable = name, "a webhook is not sent: its secret is not set");
                return None;
            }
        },
    };
    let Ok(id) = getrandom::u64().map(|id| format!("{id:016x}")) else { return None };
    let body = body(site, call, config, event, reply, message, &id).to_string().into_bytes();
    let headers = vec![
        ("X-Sitewright-Event", event.name().to_owned()),
        ("X-Sitewright-Delivery", id),
        ("X-Sitewright-Timestamp", site.now().as_second().to_string()),
    ];
    Some(Delivery { what: format!("webhook {}", event.name()), url: webhook.url.clone(), headers, body, secret })
}

fn body(
    site: &Site,
    call: &Call,
    config: &Config,
    event: WebhookEvent,
    reply: &PublishReply,
    message: &str,
    id: &str,
) -> Value {
    let published = &reply.published;
    let urls = |kind: ChangeKind| {
        let all = reply.urls.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let first: Vec<String> = all.iter().take(MAX_URLS).filter_map(|url| absolute(config, url)).collect();
        json!({"count": all.len(), "first": first})
    };
    let review = published.review.as_ref().map(|review| json!({"branch": review.branch, "url": reply.review_url}));
    let revision = published.review.as_ref().map_or(&published.revision, |review| &review.revision);
    json!({
        "event": event.name(),
        "delivery": id,
        "time": site.now().to_string(),
        "site": {"title": config.title, "base_url": config.base_url},
        // Whole: receivers look it up elsewhere.
        "revision": revision.as_ref().map(ToString::to_string),
        "message": message,
        "by": call.client,
        "review": review,
        "urls": {
            "added": urls(ChangeKind::Added),
            "changed": urls(ChangeKind::Modified),
            "removed": urls(ChangeKind::Deleted),
        },
    })
}

/// The changed addresses for search engines, without those that ask not to be indexed.
fn ping(library: &Library, indexnow: &IndexNowConfig, reply: &PublishReply) -> Option<Delivery> {
    let config = &library.config;
    let hidden: BTreeSet<&str> =
        library.pages.iter().filter(|page| page.noindex).map(|page| page.url.as_str()).collect();
    let urls: Vec<String> = reply
        .urls
        .values()
        .flatten()
        .filter(|url| !hidden.contains(url.as_str()))
        .filter_map(|url| absolute(config, url))
        .take(MAX_PINGED)
        .collect();
    if urls.is_empty() {
        return None;
    }
    let place = absolute(config, &format!("/{}.txt", indexnow.key))?;
    let body = json!({"host": config.host_name(), "key": indexnow.key, "keyLocation": place, "urlList": urls});
    Some(Delivery {
        what: "indexnow".into(),
        url: indexnow.endpoint.clone(),
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
        secret: None,
    })
}

/// The whole address of a URL path.
fn absolute(config: &Config, path: &str) -> Option<String> {
    let base = Url::parse(&config.base_url).ok()?;
    // With the dot, no path is taken for one that begins with a scheme.
    base.join(&format!("./{}", path.trim_start_matches('/'))).ok().map(String::from)
}
