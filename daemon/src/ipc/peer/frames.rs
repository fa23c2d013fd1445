//! Frames in and out: what the client says is read, and what it is told waits in a room of a fixed size.

use ibd_protocol::client::SharedStream;
use ibd_protocol::wire::{self, FrameReader, MAX_TO_CLIENT, MAX_TO_DAEMON};
use ibd_protocol::{ErrorCode, Outcome, ToClient, ToDaemon};
use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{Msg, State};
use crate::refusal::Refusal;

/// Frames that wait for a client to read; one that lets more gather is dropped.
pub(super) const MAX_UNREAD: usize = 1_024;
/// The same in bytes: room for some of the longest answers that come together.
pub(super) const MAX_UNREAD_BYTES: usize = 4 * MAX_TO_CLIENT;

/// A frame that waits to be written.
#[derive(Debug)]
pub(super) struct Waiting {
    frame: Vec<u8>,
    /// The room that it takes.
    _room: OwnedSemaphorePermit,
    /// Whoever waits until it is written hears of it by this being dropped.
    _written: Option<oneshot::Sender<()>>,
}

impl State {
    /// Whether there was room for it.
    fn queue(&self, frame: Vec<u8>, written: Option<oneshot::Sender<()>>) -> bool {
        let Some(outgoing) = &self.outgoing else { return false };
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(bytes);
        let waiting = room.map(|room| Waiting { frame, _room: room, _written: written });
        waiting.is_ok_and(|waiting| outgoing.try_send(waiting).is_ok())
    }

    pub(super) fn send(&self, me: &ActorRef<Msg>, message: &ToClient) {
        self.send_and_tell(me, message, None);
    }

    /// The same; `written` is dropped once it is written, or never will be.
    pub(super) fn send_and_tell(
        &self,
        me: &ActorRef<Msg>,
        message: &ToClient,
        written: Option<oneshot::Sender<()>>,
    ) {
        let frame = wire::frame(message, MAX_TO_CLIENT).or_else(|error| {
            tracing::error!(%error, "an answer could not be written");
            match message {
                ToClient::Done(id, _) => {
                    let refusal = Outcome::Refusal(too_large().to_json());
                    wire::frame(&ToClient::Done(*id, refusal), MAX_TO_CLIENT)
                }
                _ => Err(error),
            }
        });
        let is_sent = frame.is_ok_and(|frame| self.queue(frame, written));
        if !is_sent {
            tracing::warn!("a client does not read what it asked for; its connection is dropped");
            me.stop(None);
        }
    }
}

pub(super) async fn read(stream: SharedStream, me: ActorRef<Msg>) {
    let mut frames = FrameReader::new(stream, MAX_TO_DAEMON);
    loop {
        match frames.next::<ToDaemon>().await {
            Ok(said) => {
                if me.cast(Msg::Said(Box::new(said))).is_err() {
                    return;
                }
            }
            Err(wire::WireError::Closed) => break,
            Err(error) => {
                tracing::info!(%error, "a connection ended");
                break;
            }
        }
    }
    let _ = me.cast(Msg::Closed);
}

pub(super) async fn write(
    mut stream: SharedStream,
    mut frames: mpsc::Receiver<Waiting>,
    me: ActorRef<Msg>,
) {
    while let Some(waiting) = frames.recv().await {
        if let Err(error) = wire::write_frame(&mut stream, &waiting.frame).await {
            tracing::info!(%error, "a connection ended");
            break;
        }
    }
    let _ = me.cast(Msg::Closed);
}

fn too_large() -> Refusal {
    Refusal::new(
        ErrorCode::TooLarge,
        "The answer is too large to be sent.",
        "Ask for less, with a limit or a filter.",
    )
}
