//! Who is told when the site changes, whoever changed it: sessions of older clients, and streams of newer ones.
//!
//! What changed is found by comparing the site with how it was when somebody was told last, so that calls of other clients,
//! hand edits and a publish are all noticed the same way. While nobody listens, nothing is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rmcp::model::{ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::{Peer, SubscriptionSink};
use rmcp::{ErrorData, RoleServer};
use tokio::runtime::Handle;

use super::uri;
use crate::error::Result;
use crate::site::Site;
use crate::site::resource::{self, Stand};

/// Changes within this time are told together.
const GATHER: Duration = Duration::from_millis(50);
/// A listener that takes longer than this to take a message is given up.
const PATIENCE: Duration = Duration::from_secs(2);
/// Listeners at once.
const MOST_LISTENERS: usize = 256;
/// Addresses one listener can wait for.
pub(super) const MOST_ADDRESSES: usize = 1_000;

#[derive(Debug, Clone)]
enum Listener {
    /// A session of a client before 2026-07-28, with the addresses it subscribed to.
    Session(Peer<RoleServer>, BTreeSet<String>),
    /// One `subscriptions/listen` request.
    Stream(SubscriptionSink),
}

#[derive(Default)]
struct Audience {
    listeners: BTreeMap<u64, Listener>,
    last: u64,
    /// The site as the listeners know it.
    known: Option<Stand>,
}

/// The listeners of one site.
pub(super) struct News {
    site: Arc<Site>,
    audience: Mutex<Audience>,
    runtime: OnceLock<Handle>,
    queued: AtomicBool,
    /// One comparison at a time, so that messages keep their order.
    telling: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for News {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("News").finish_non_exhaustive()
    }
}

/// A listener's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    id: u64,
    news: Arc<News>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.news.leave(self.id);
    }
}

impl News {
    pub(super) fn new(site: Arc<Site>) -> Arc<Self> {
        Arc::new(Self {
            site,
            audience: Mutex::default(),
            runtime: OnceLock::new(),
            queued: AtomicBool::new(false),
            telling: tokio::sync::Mutex::default(),
        })
    }

    fn audience(&self) -> MutexGuard<'_, Audience> {
        self.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for somebody who may come to listen.
    pub(super) fn seat(self: &Arc<Self>) -> Seat {
        let mut audience = self.audience();
        audience.last += 1;
        Seat { id: audience.last, news: Arc::clone(self) }
    }

    /// Remembers how the site is, unless somebody listens already. Reads the disk: call it where that is allowed.
    pub(super) fn remember(&self) -> Result<()> {
        if self.audience().known.is_some() {
            return Ok(());
        }
        let stand = resource::stand(&self.site)?;
        self.audience().known.get_or_insert(stand);
        Ok(())
    }

    fn join(&self, id: u64, listener: Listener) -> Result<(), ErrorData> {
        // The first one to listen does so inside the runtime that will tell it.
        self.runtime.get_or_init(Handle::current);
        let mut audience = self.audience();
        if audience.listeners.len() >= MOST_LISTENERS && !audience.listeners.contains_key(&id) {
            return Err(ErrorData::invalid_request(format!("{MOST_LISTENERS} clients listen already"), None));
        }
        audience.listeners.insert(id, listener);
        Ok(())
    }

    fn leave(&self, id: u64) {
        let mut audience = self.audience();
        if audience.listeners.remove(&id).is_some() && audience.listeners.is_empty() {
            audience.known = None;
        }
    }

    /// Something may have changed. Cheap, from any thread.
    pub(super) fn touch(self: &Arc<Self>) {
        if self.audience().listeners.is_empty() || self.queued.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(runtime) = self.runtime.get() {
            runtime.spawn(Arc::clone(self).tell());
        }
    }

    async fn tell(self: Arc<Self>) {
        let _one = self.telling.lock().await;
        tokio::time::sleep(GATHER).await;
        // What happens from here on is another round's.
        self.queued.store(false, Ordering::SeqCst);
        let looking = Arc::clone(&self);
        let news = match tokio::task::spawn_blocking(move || looking.look()).await {
            Ok(Ok(news)) => news,
            Ok(Err(error)) => return tracing::warn!(%error, "cannot tell what changed"),
            Err(error) => return tracing::error!(%error, "cannot tell what changed"),
        };
        if news == resource::News::default() {
            return;
        }
        let mut changed: BTreeSet<String> = news.changed.iter().map(|path| uri::of(path)).collect();
        changed.extend(news.sets.iter().map(|id| uri::of(&format!("{}{id}", uri::CHANGE_SETS))));
        if news.unpublished {
            changed.insert(uri::UNPUBLISHED.to_owned());
        }
        let listeners: Vec<(u64, Listener)> =
            self.audience().listeners.iter().map(|(id, listener)| (*id, listener.clone())).collect();
        let told = listeners.iter().map(|(id, listener)| async {
            let told = tokio::time::timeout(PATIENCE, listener.tell(&changed, news.listed)).await;
            (*id, told.unwrap_or(false))
        });
        for (id, alive) in futures::future::join_all(told).await {
            if !alive {
                tracing::debug!(id, "a listener is gone");
                self.leave(id);
            }
        }
    }

    /// What is new since the listeners were told last.
    fn look(&self) -> Result<resource::News> {
        let now = resource::stand(&self.site)?;
        let mut audience = self.audience();
        if audience.listeners.is_empty() {
            return Ok(resource::News::default());
        }
        let news = audience.known.as_ref().map(|known| now.since(known)).unwrap_or_default();
        audience.known = Some(now);
        Ok(news)
    }
}

impl Listener {
    /// Whether it could be told.
    async fn tell(&self, changed: &BTreeSet<String>, listed: bool) -> bool {
        match self {
            Self::Session(peer, _) if peer.is_transport_closed() => false,
            Self::Session(peer, wanted) => {
                for address in wanted.intersection(changed) {
                    let about = ResourceUpdatedNotificationParam::new(address.as_str());
                    if peer.notify_resource_updated(about).await.is_err() {
                        return false;
                    }
                }
                !listed || peer.notify_resource_list_changed().await.is_ok()
            }
            Self::Stream(sink) => {
                let wanted = sink.accepted();
                for address in wanted.resource_subscriptions.iter().flatten().filter(|uri| changed.contains(*uri)) {
                    if sink.notify_resource_updated(address.as_str()).await.is_err() {
                        return false;
                    }
                }
                let listed = listed && wanted.resources_list_changed == Some(true);
                !listed || sink.notify_resource_list_changed().await.is_ok()
            }
        }
    }
}

impl Seat {
    /// A session that can be told of the list of resources from now on.
    pub(super) fn session(&self, peer: Peer<RoleServer>) {
        let known = self.news.audience().listeners.contains_key(&self.id);
        if !known && let Err(error) = self.news.join(self.id, Listener::Session(peer, BTreeSet::new())) {
            tracing::warn!(%error, "a session is not told of changes");
        }
    }

    /// The session wants to know of an address.
    pub(super) fn subscribe(&self, peer: Peer<RoleServer>, address: String) -> Result<(), ErrorData> {
        let mut wanted = match self.news.audience().listeners.get(&self.id) {
            Some(Listener::Session(_, wanted)) => wanted.clone(),
            _ => BTreeSet::new(),
        };
        if wanted.len() >= MOST_ADDRESSES && !wanted.contains(&address) {
            let message = format!("{MOST_ADDRESSES} subscriptions are the most; unsubscribe from others first");
            return Err(ErrorData::invalid_params(message, None));
        }
        wanted.insert(address);
        self.news.join(self.id, Listener::Session(peer, wanted))
    }

    /// The session no longer wants to know of an address.
    pub(super) fn unsubscribe(&self, address: &str) {
        if let Some(Listener::Session(_, wanted)) = self.news.audience().listeners.get_mut(&self.id) {
            wanted.remove(address);
        }
    }

    /// A stream that is told what it accepted.
    pub(super) fn stream(&self, sink: SubscriptionSink) -> Result<(), ErrorData> {
        self.news.join(self.id, Listener::Stream(sink))
    }
}

/// What of a requested filter is served: the list of resources, and addresses of files, up to a number.
pub(super) fn accepted(requested: &SubscriptionFilter) -> SubscriptionFilter {
    let addresses = requested.resource_subscriptions.iter().flatten();
    let addresses: Vec<String> =
        addresses.filter(|uri| super::resources::is_ours(uri)).take(MOST_ADDRESSES).cloned().collect();
    let mut accepted = SubscriptionFilter::new();
    accepted.resources_list_changed = requested.resources_list_changed;
    accepted.resource_subscriptions = (!addresses.is_empty()).then_some(addresses);
    accepted
}
