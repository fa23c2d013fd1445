//! What a person asked for through this connection: under way until it is over, whatever the daemon is told meanwhile.

use std::sync::Arc;

use ibd_protocol::{Progress, RequestId, ToClient};
use ractor::ActorRef;

use super::{Msg, State};
use crate::ipc::person::PersonCall;
use crate::session::OpenPage;

impl State {
    /// How to show a page to this client's person, if it has one.
    pub(super) fn page(&self, me: &ActorRef<Msg>) -> Option<OpenPage> {
        let me = me.clone();
        self.has_display.then(|| {
            OpenPage(Arc::new(move |url| {
                let _ = me.cast(Msg::Tell(Box::new(ToClient::OpenPage(url))));
            }))
        })
    }

    /// What a call of this client's person needs.
    pub(super) fn person_calls(&self, me: &ActorRef<Msg>, id: RequestId) -> PersonCall {
        let to = me.clone();
        PersonCall {
            id,
            shared: self.shared.clone(),
            page: self.page(me),
            progress: Arc::new(move |message| {
                let progress = Progress { done: 0, total: None, message };
                let _ = to.cast(Msg::Tell(Box::new(ToClient::Progress(id, progress))));
            }),
        }
    }

    /// Begins what a person asked for; the daemon does not end before it is over.
    pub(super) fn person_call(
        &mut self,
        me: &ActorRef<Msg>,
        person_call: impl Future<Output = ToClient> + Send + 'static,
    ) {
        self.person_calls += 1;
        self.shared.roster.call_begins();
        let me = me.clone();
        self.tasks.push(tokio::spawn(async move {
            let answer = person_call.await;
            let _ = me.cast(Msg::Answer(Box::new(answer)));
        }));
    }

    pub(super) fn person_call_is_over(&mut self, me: &ActorRef<Msg>, answer: &ToClient) {
        self.send(me, answer);
        self.person_calls = self.person_calls.saturating_sub(1);
        self.shared.roster.call_ends();
    }
}
