//! What a person asked for through this connection: under way until it is over, whatever the daemon is told meanwhile.

use std::sync::Arc;

use ibd_protocol::{Completed, Completing, Progress, RequestId, ToClient};
use ractor::ActorRef;

use super::{Msg, State};
use crate::completion::complete;
use crate::ipc::person::PersonCall;
use crate::session::OpenPage;

/// Tasks of a connection beyond which nothing is completed.
const MOST_TASKS: usize = 64;

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

    /// What a value may be that is typed at this moment: whoever types on asks again, so no more than some wait.
    pub(super) fn complete(&mut self, me: &ActorRef<Msg>, id: RequestId, typed: Completing) {
        self.tasks.retain(|task| !task.is_finished());
        if self.tasks.len() > MOST_TASKS {
            return self.send(me, &ToClient::Completed(id, Completed::default()));
        }
        let (desks, policy) = (self.shared.desks.clone(), self.policy.clone());
        let me = me.clone();
        self.tasks.push(tokio::spawn(async move {
            let completed = complete(&desks, &policy, typed).await;
            let _ = me.cast(Msg::Tell(Box::new(ToClient::Completed(id, completed))));
        }));
    }

    pub(super) fn person_call_is_over(&mut self, me: &ActorRef<Msg>, answer: &ToClient) {
        self.send(me, answer);
        self.person_calls = self.person_calls.saturating_sub(1);
        self.shared.roster.call_ends();
    }
}
