//! How others reach the stream: whoever subscribes hears, until the subscription is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ibd_cpapi::snapshot::Row;
use ibd_cpapi::stream::{Topic, Update};

use super::Msg;
use crate::post::Post;

/// What a subscriber hears.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Something of its topics other than quotes.
    Update(Update),
    /// Values of contracts, in the order in which they came; also of contracts that another subscriber wants.
    Quotes(Arc<[Row]>),
    /// The stream broke: what it would have told must be asked for.
    Gap,
}

/// Takes what is heard.
pub(super) type Ear = Arc<dyn Fn(Heard) + Send + Sync>;

pub(super) struct Subscriber {
    pub(super) topics: BTreeSet<Topic>,
    pub(super) ear: Ear,
}

/// Whoever wants something, by a number. It outlives the actor.
pub(super) type Subscribers = Arc<Mutex<BTreeMap<u64, Subscriber>>>;

/// How others reach the stream.
#[derive(Clone)]
pub struct StreamHandle {
    post: Post<Msg>,
    pub(super) subscribers: Subscribers,
}

impl fmt::Debug for StreamHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamHandle").field("subscribers", &lock(&self.subscribers).len()).finish()
    }
}

impl StreamHandle {
    /// Reaches the actor through `post`.
    pub fn new(post: Post<Msg>) -> Self {
        Self { post, subscribers: Subscribers::default() }
    }

    /// From now on `ear` hears of these topics, until what is returned is dropped.
    pub fn subscribe(
        &self,
        topics: impl IntoIterator<Item = Topic>,
        ear: impl Fn(Heard) + Send + Sync + 'static,
    ) -> Subscription {
        let mut subscribers = lock(&self.subscribers);
        let number = subscribers.last_key_value().map_or(0, |(last, _)| last + 1);
        subscribers.insert(
            number,
            Subscriber { topics: topics.into_iter().collect(), ear: Arc::new(ear) },
        );
        drop(subscribers);
        self.post.send(Msg::Wanted);
        Subscription { number, stream: self.clone() }
    }
}

/// Ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    number: u64,
    stream: StreamHandle,
}

impl Subscription {
    /// From now on it is these topics that are heard of.
    pub fn want(&self, topics: BTreeSet<Topic>) {
        if let Some(subscriber) = lock(&self.stream.subscribers).get_mut(&self.number) {
            subscriber.topics = topics;
        }
        self.stream.post.send(Msg::Wanted);
    }

    /// The broker has ended this in silence: it is asked for again.
    pub fn again(&self, topic: Topic) {
        self.stream.post.send(Msg::Again(topic));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.stream.subscribers).remove(&self.number);
        self.stream.post.send(Msg::Wanted);
    }
}

pub(super) fn lock(subscribers: &Subscribers) -> MutexGuard<'_, BTreeMap<u64, Subscriber>> {
    subscribers.lock().unwrap_or_else(PoisonError::into_inner)
}
