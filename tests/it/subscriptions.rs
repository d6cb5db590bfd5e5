//! Clients that are told what changed: by others' calls, by hand, in both eras of the protocol.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use rmcp::ClientHandler;
use rmcp::model::{ResourceUpdatedNotificationParam, ServerNotification, SubscriptionFilter};
use rmcp::service::{NotificationContext, RoleClient};
use serde_json::{Value, json};
use sitewright::store::Watch;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::harness::TestSite;
use super::wire::{Client, PATIENCE, listen};

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nText.\n-- content/b.md --\n---\ntitle: B\n---\nText.\n";
const A: &str = "site:///content/a.md";
const B: &str = "site:///content/b.md";
const DIFF: &str = "site:///unpublished.diff";
/// How long nothing has to come before it counts as nothing.
const SILENCE: Duration = Duration::from_millis(600);

/// A client that writes down what it is told: addresses, and `list`.
struct Ear(UnboundedSender<String>);

impl ClientHandler for Ear {
    async fn on_resource_updated(&self, params: ResourceUpdatedNotificationParam, _: NotificationContext<RoleClient>) {
        let _ = self.0.send(params.uri);
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        let _ = self.0.send("list".into());
    }
}

fn ear() -> (Ear, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (Ear(sender), receiver)
}

/// Waits until all of this was told, however long it takes, and then looks that nothing else is.
async fn heard(told: &mut UnboundedReceiver<String>, wanted: &[&str]) {
    let mut all: Vec<String> = Vec::new();
    while all.len() < wanted.len() {
        match tokio::time::timeout(PATIENCE, told.recv()).await {
            Ok(Some(next)) => all.push(next),
            _ => panic!("told of {all:?} and no more, not of {wanted:?}"),
        }
    }
    while let Ok(Some(next)) = tokio::time::timeout(SILENCE, told.recv()).await {
        all.push(next);
    }
    all.sort();
    assert_eq!(all, wanted);
}

async fn quiet(told: &mut UnboundedReceiver<String>) {
    if let Ok(Some(next)) = tokio::time::timeout(SILENCE, told.recv()).await {
        panic!("told of {next}");
    }
}

fn edit(path: &str, text: &str) -> Value {
    json!({"pages": [{"path": path, "body": text, "if_match": "*"}]})
}

#[expect(deprecated, reason = "older clients have nothing else")]
async fn subscribe(client: &rmcp::Peer<RoleClient>, uri: &str) -> Result<(), rmcp::service::ServiceError> {
    client.subscribe(rmcp::model::SubscribeRequestParams::new(uri)).await
}

#[expect(deprecated, reason = "older clients have nothing else")]
async fn unsubscribe(client: &rmcp::Peer<RoleClient>, uri: &str) {
    client.unsubscribe(rmcp::model::UnsubscribeRequestParams::new(uri)).await.expect("unsubscribed");
}

#[tokio::test]
async fn a_session_is_told_of_what_it_subscribed_to_and_of_the_list() {
    let site = TestSite::new(SITE).await;
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    subscribe(other.peer(), A).await.expect("subscribed");
    subscribe(other.peer(), DIFF).await.expect("subscribed");
    site.call("page_write", edit("a.md", "One.\n")).await;
    // An edit changes no list.
    heard(&mut told, &[A, DIFF]).await;
    site.call("page_write", edit("b.md", "One.\n")).await;
    // Nobody asked for b.md.
    heard(&mut told, &[DIFF]).await;
    site.call("page_write", json!({"pages": [{"path": "c.md", "create": true, "body": "C.\n"}]})).await;
    heard(&mut told, &["list", DIFF]).await;
    site.call("page_move", json!({"moves": [{"from": "c.md", "to": "d.md"}]})).await;
    heard(&mut told, &["list", DIFF]).await;
    site.call("page_delete", json!({"pages": [{"path": "a.md", "if_match": "*"}]})).await;
    heard(&mut told, &["list", A, DIFF]).await;
    unsubscribe(other.peer(), A).await;
    unsubscribe(other.peer(), DIFF).await;
    site.call("page_write", edit("b.md", "Two.\n")).await;
    quiet(&mut told).await;
}

#[tokio::test]
async fn nobody_is_told_of_a_call_that_changed_nothing() {
    let site = TestSite::new(SITE).await;
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    subscribe(other.peer(), A).await.expect("subscribed");
    subscribe(other.peer(), DIFF).await.expect("subscribed");
    site.call("page_write", edit("a.md", "Text.\n")).await;
    site.call("page_get", json!({"paths": ["a.md"]})).await;
    let mut dry = edit("a.md", "New.\n");
    dry["dry_run"] = true.into();
    site.call("page_write", dry).await;
    site.call_err("page_write", json!({"pages": [{"path": "nowhere.md", "body": "x", "if_match": "*"}]})).await;
    quiet(&mut told).await;
}

#[tokio::test]
async fn publishing_changes_the_difference_only() {
    let site = TestSite::with_remote(SITE).await;
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    subscribe(other.peer(), A).await.expect("subscribed");
    subscribe(other.peer(), DIFF).await.expect("subscribed");
    site.call("publish", json!({})).await;
    heard(&mut told, &[DIFF]).await;
    site.call("page_write", edit("a.md", "One.\n")).await;
    heard(&mut told, &[A, DIFF]).await;
    site.call("publish", json!({})).await;
    heard(&mut told, &[DIFF]).await;
}

#[tokio::test]
async fn an_address_that_is_none_cannot_be_waited_for() {
    let site = TestSite::new(SITE).await;
    for uri in ["nonsense", "", ":", "/content/a.md", &format!("site:///{}", "x".repeat(5_000))] {
        assert!(subscribe(site.client().peer(), uri).await.is_err(), "{uri}");
    }
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    let later = "site:///content/later.md";
    subscribe(other.peer(), later).await.expect("what comes later can be waited for");
    site.call("page_write", json!({"pages": [{"path": "later.md", "create": true, "body": "Here.\n"}]})).await;
    heard(&mut told, &["list", later]).await;
}

#[tokio::test]
async fn a_stream_of_a_modern_client_is_told_what_it_asked_for() {
    let site = TestSite::new(SITE).await;
    let other = site.another((), true).await;
    let filter = SubscriptionFilter::builder().resources_list_changed().resource_subscriptions([A, "nonsense"]).build();
    let mut stream = other.peer().listen(filter).await.expect("a stream");
    assert_eq!(stream.acknowledged().resource_subscriptions, Some(vec![A.to_owned()]));
    assert_eq!(stream.acknowledged().resources_list_changed, Some(true));
    assert_eq!(stream.acknowledged().tools_list_changed, None);
    site.call("page_write", edit("b.md", "One.\n")).await;
    site.call("page_write", edit("a.md", "One.\n")).await;
    let next = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").expect("it goes on");
    let Some(ServerNotification::ResourceUpdatedNotification(updated)) = next else { panic!("{next:?}") };
    assert_eq!(updated.params.uri, A);
    site.call("page_write", json!({"pages": [{"path": "c.md", "create": true, "body": "C.\n"}]})).await;
    let next = tokio::time::timeout(PATIENCE, stream.next()).await.expect("in time").expect("it goes on");
    assert!(matches!(next, Some(ServerNotification::ResourceListChangedNotification(_))), "{next:?}");
    stream.cancel().await.expect("it ends");
    site.call("page_write", edit("a.md", "Two.\n")).await;
}

#[tokio::test]
async fn a_client_that_is_gone_keeps_nobody_from_being_told() {
    let site = TestSite::new(SITE).await;
    let (gone, _) = ear();
    let gone = site.another(gone, false).await;
    subscribe(gone.peer(), A).await.expect("subscribed");
    let streaming = site.another((), true).await;
    let _stream = streaming.peer().listen(SubscriptionFilter::builder().resource_subscriptions([A]).build()).await;
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    subscribe(other.peer(), A).await.expect("subscribed");
    drop(gone.cancel().await);
    drop(streaming.cancel().await);
    for text in ["One.\n", "Two.\n"] {
        site.call("page_write", edit("a.md", text)).await;
        heard(&mut told, &[A]).await;
    }
}

#[tokio::test]
async fn hand_edits_are_noticed() {
    let site = TestSite::new(SITE).await;
    let (ear, mut told) = ear();
    let other = site.another(ear, false).await;
    subscribe(other.peer(), A).await.expect("subscribed");
    let server = site.server().clone();
    let _watch = Watch::start(&site.path(), move || server.changed());
    std::fs::write(site.path().join("content/a.md"), "---\ntitle: A\n---\nBy hand.\n").expect("written");
    heard(&mut told, &[A]).await;
    std::fs::write(site.path().join("content/by-hand.md"), "---\ntitle: New\n---\n").expect("written");
    heard(&mut told, &["list"]).await;
}

const TOKENS: &str = "one one-token-0123456 read,content\ntwo two-token-0123456 read\n";

#[tokio::test]
async fn over_http_a_session_is_told_of_another_clients_write() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let writer = Client::session(&listening, "one-token-0123456").await;
    let reader = Client::session(&listening, "two-token-0123456").await;
    let mut events = reader.listen().await;
    let answer = reader.ask("resources/subscribe", json!({"uri": A})).await;
    assert!(answer["result"].is_object(), "{answer}");
    let written = writer.call("page_write", edit("a.md", "One.\n")).await;
    assert!(written["revision"].is_string(), "{written}");
    let told = events.next().await;
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], A);
    writer.call("page_write", json!({"pages": [{"path": "c.md", "create": true, "body": "C.\n"}]})).await;
    assert_eq!(events.next().await["method"], "notifications/resources/list_changed");
    writer.call("page_write", edit("b.md", "One.\n")).await;
    assert_eq!(events.within(SILENCE).await, None);
}

#[tokio::test]
async fn over_http_a_modern_stream_is_told_of_another_clients_write() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let writer = Client::modern(&listening, "one-token-0123456");
    let reader = Client::modern(&listening, "two-token-0123456");
    let filter = json!({"resourcesListChanged": true, "resourceSubscriptions": [A, B]});
    let mut events = reader.stream("subscriptions/listen", json!({"notifications": filter})).await;
    let first = events.next().await;
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
    let written = writer.call("page_write", edit("b.md", "One.\n")).await;
    assert!(written["revision"].is_string(), "{written}");
    let told = events.next().await;
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], B);
    assert_eq!(told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7, "{told}");
    // A client that hangs up makes room and holds up nobody.
    drop(events);
    let mut again =
        reader.stream("subscriptions/listen", json!({"notifications": {"resourcesListChanged": true}})).await;
    again.next().await;
    writer.call("page_delete", json!({"pages": [{"path": "b.md", "if_match": "*"}]})).await;
    assert_eq!(again.next().await["method"], "notifications/resources/list_changed");
}
