//! What IBKR tells by itself, for whoever follows a resource: one subscription upstream, however many listen.

use std::sync::Arc;

use ibd_cpapi::stream::{Topic, Update};
use tokio::sync::watch;

use crate::stream::{Heard, StreamHandle, Subscription};

/// What is pushed of one topic, while a session serves the client.
pub(super) struct Pushes {
    stream: StreamHandle,
    topic: Topic,
    ear: Arc<dyn Fn(Heard) + Send + Sync>,
    feed: Option<Subscription>,
    count: watch::Receiver<u64>,
}

impl Pushes {
    /// Of these updates those that are news; a break of the stream is, because what it hid is not known.
    pub(super) fn of(
        stream: &StreamHandle,
        topic: Topic,
        is_news: impl Fn(&Update) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (counter, count) = watch::channel(0_u64);
        let ear = move |heard: Heard| {
            let counts = match &heard {
                Heard::Update(update) => is_news(update),
                Heard::Quotes(_) => false,
                Heard::Gap => true,
            };
            if counts {
                counter.send_modify(|count| *count = count.wrapping_add(1));
            }
        };
        Self { stream: stream.clone(), topic, ear: Arc::new(ear), feed: None, count }
    }

    /// Listens while that is so.
    pub(super) fn listen_if(&mut self, is_served: bool) {
        if !is_served {
            self.feed = None;
        } else if self.feed.is_none() {
            let ear = self.ear.clone();
            self.feed = Some(self.stream.subscribe([self.topic], move |heard| ear(heard)));
        }
    }

    /// Until there is news.
    pub(super) async fn came(&mut self) {
        // The counter lives as long as the ear.
        let _ = self.count.changed().await;
    }
}
