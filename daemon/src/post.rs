//! Post: how an actor is reached by those who must not see its mailbox.

use std::sync::{Arc, Mutex, PoisonError};

use ractor::{ActorRef, Message};

/// The address of an actor that survives the actor's restarts. Mail to nobody is lost, as it would
/// be to an actor that is being restarted.
#[derive(Debug)]
pub struct Post<M>(Arc<Mutex<Option<ActorRef<M>>>>);

impl<M> Clone for Post<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M> Default for Post<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Message> Post<M> {
    /// From now on mail goes to `actor`.
    pub fn install(&self, actor: ActorRef<M>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(actor);
    }

    /// Sends, without waiting.
    pub fn send(&self, message: M) {
        let to = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(actor) = to {
            let _ = actor.cast(message);
        }
    }
}
