//! What a client subscribed to: a task of this connection each, which ends with it.
//!
//! A task tells that its resource may say something else, waits until the client was told, and then a little longer:
//! so of one resource no more than one word waits to be written, and what happens meanwhile comes to one more.

use std::collections::HashMap;
use std::time::Duration;

use ibd_protocol::{ErrorCode, Outcome, RequestId, ToClient};
use ractor::ActorRef;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Msg, State};
use crate::refusal::Refusal;
use crate::resources::{self, Following, Tell};

/// Resources that one client may follow at one time.
const MOST: usize = 128;
/// Between two words about one resource.
const PAUSE: Duration = Duration::from_millis(250);

/// What a client subscribed to, by address.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    followed: HashMap<String, Task>,
    /// Of these it is looked first whether they are there.
    looked_for: HashMap<String, Look>,
}

/// A look, and who waits to be told what came of it.
#[derive(Debug)]
struct Look {
    _task: Task,
    waiting: Vec<RequestId>,
}

/// Ends when it is dropped.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Subscriptions {
    fn has(&self, uri: &str) -> bool {
        self.followed.contains_key(uri)
    }

    fn are_all_taken(&self) -> bool {
        self.followed.len() + self.looked_for.len() >= MOST
    }
}

impl State {
    pub(super) fn subscribe(&mut self, me: &ActorRef<Msg>, id: RequestId, uri: String) {
        if let Some(look) = self.subscriptions.looked_for.get_mut(&uri) {
            return look.waiting.push(id);
        }
        let outcome = if self.subscriptions.has(&uri) {
            taken()
        } else if self.subscriptions.are_all_taken() {
            Outcome::Refusal(too_many().to_json())
        } else if let Some(task) = self.look(me, &uri) {
            self.subscriptions.looked_for.insert(uri, Look { _task: task, waiting: vec![id] });
            return;
        } else {
            self.follow(me, uri)
        };
        self.send(me, &ToClient::Done(id, outcome));
    }

    /// Looks whether there is a resource, where that must be asked for. Whoever subscribes waits for it, and nobody else.
    fn look(&self, me: &ActorRef<Msg>, uri: &str) -> Option<Task> {
        let found = resources::find(&self.policy, uri)?;
        let look = found.look(self.shared.desks.clone(), self.policy.clone())?;
        let (me, uri) = (me.clone(), uri.to_owned());
        Some(Task(tokio::spawn(async move {
            let refusal = look.await.err().map(Box::new);
            let _ = me.cast(Msg::Looked(uri, refusal));
        })))
    }

    pub(super) fn looked(
        &mut self,
        me: &ActorRef<Msg>,
        uri: String,
        refusal: Option<Box<Refusal>>,
    ) {
        // Given up since.
        let Some(look) = self.subscriptions.looked_for.remove(&uri) else { return };
        let outcome = match refusal {
            Some(refusal) => resources::outcome(Outcome::Refusal(refusal.to_json())),
            None => self.follow(me, uri),
        };
        for id in look.waiting {
            self.send(me, &ToClient::Done(id, outcome.clone()));
        }
    }

    pub(super) fn unsubscribe(&mut self, me: &ActorRef<Msg>, uri: &str) {
        self.subscriptions.followed.remove(uri);
        let waiting = self.subscriptions.looked_for.remove(uri).map(|look| look.waiting);
        for id in waiting.into_iter().flatten() {
            self.send(me, &ToClient::Done(id, taken()));
        }
    }

    /// Begins to follow a resource. What comes of it is said before anything of the resource.
    fn follow(&mut self, me: &ActorRef<Msg>, uri: String) -> Outcome {
        let Some(found) = resources::find(&self.policy, &uri) else { return resources::unknown() };
        let tell = teller(me.clone(), uri.clone());
        match found.begin(self.shared.desks.clone(), self.policy.clone(), tell) {
            Ok(following) => {
                self.subscriptions.followed.insert(uri, Task(tokio::spawn(following)));
                taken()
            }
            Err(refusal) => resources::outcome(Outcome::Refusal(refusal.to_json())),
        }
    }

    pub(super) fn changed(&self, me: &ActorRef<Msg>, uri: String, told: oneshot::Sender<()>) {
        // Given up since.
        if self.subscriptions.has(&uri) {
            self.send_and_tell(me, &ToClient::Changed(uri), Some(told));
        }
    }
}

fn teller(me: ActorRef<Msg>, uri: String) -> Tell {
    std::sync::Arc::new(move || -> Following {
        let (me, uri) = (me.clone(), uri.clone());
        Box::pin(async move {
            let (told, is_told) = oneshot::channel();
            let _ = me.cast(Msg::Changed(uri, told));
            // Nothing is ever sent: it is dropped when the word is written.
            let _ = is_told.await;
            tokio::time::sleep(PAUSE).await;
        })
    })
}

fn taken() -> Outcome {
    Outcome::Result("{}".to_owned())
}

fn too_many() -> Refusal {
    Refusal::new(
        ErrorCode::TooBusy,
        format!("This client follows {MOST} resources already."),
        "Give up one that is no longer needed.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ractor::{Actor, ActorProcessingErr};
    use tokio::sync::mpsc;

    /// Passes on what it is told, as a connection that writes when the test lets it.
    struct Ear;

    impl Actor for Ear {
        type Msg = Msg;
        type State = mpsc::UnboundedSender<oneshot::Sender<()>>;
        type Arguments = mpsc::UnboundedSender<oneshot::Sender<()>>;

        async fn pre_start(
            &self,
            _: ActorRef<Msg>,
            to_test: Self::Arguments,
        ) -> Result<Self::State, ActorProcessingErr> {
            Ok(to_test)
        }

        async fn handle(
            &self,
            _: ActorRef<Msg>,
            msg: Msg,
            to_test: &mut Self::State,
        ) -> Result<(), ActorProcessingErr> {
            if let Msg::Changed(_, told) = msg {
                let _ = to_test.send(told);
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn one_word_waits_to_be_written_and_the_next_is_said_a_while_after() {
        let (to_test, mut words) = mpsc::unbounded_channel();
        let (ear, _) = Ear::spawn(None, Ear, to_test).await.unwrap();
        let tell = teller(ear.clone(), "ib://session".to_owned());
        let telling = tokio::spawn(async move {
            tell().await;
            tokio::time::Instant::now()
        });
        let waiting = words.recv().await.unwrap();
        tokio::time::sleep(2 * PAUSE).await;
        assert!(!telling.is_finished(), "the client has not read it");
        let written = tokio::time::Instant::now();
        drop(waiting);
        assert!(telling.await.unwrap() >= written + PAUSE);
        ear.stop(None);
    }
}
