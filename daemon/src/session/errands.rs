//! Errands at the gateway, and the pauses between them: one at a time, and only what comes of the last one counts.

use std::time::Duration;

use ibd_cpapi::{Client, faults};
use ractor::ActorRef;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Msg;
use super::life::{Effect, Event};
use super::look::{self, Entry};

/// Looks for a caller's sake are at least this far apart; a tickle is allowed once a second.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// What is under way, or waited for.
#[derive(Debug, Default)]
pub(super) struct Errands {
    /// The number of the one errand whose outcome still counts.
    number: u64,
    is_looking: bool,
    last_look: Option<Instant>,
    timer: Option<JoinHandle<()>>,
    task: Option<JoinHandle<()>>,
    /// Asks who is logged in.
    naming: Option<JoinHandle<()>>,
}

impl Errands {
    /// Whether what comes of the errand of this number still counts.
    pub(super) fn is_current(&self, errand: u64) -> bool {
        errand == self.number
    }

    /// Whether a look is under way.
    pub(super) fn is_looking(&self) -> bool {
        self.is_looking
    }

    /// Whether a look is only just over.
    pub(super) fn has_looked(&self) -> bool {
        self.last_look.is_some_and(|at| at.elapsed() < faults::scaled(BETWEEN_LOOKS))
    }

    /// A look is over.
    pub(super) fn looked(&mut self) {
        self.is_looking = false;
        self.last_look = Some(Instant::now());
    }

    /// After this pause it goes on.
    pub(super) fn wait(&mut self, me: &ActorRef<Msg>, pause: Duration) {
        self.stop();
        let (me, errand) = (me.clone(), self.number);
        // What matters within seconds is not spread.
        let is_spread = pause >= Duration::from_secs(5);
        let pause = if is_spread { pause.mul_f64(crate::jitter::quarter()) } else { pause };
        self.timer = Some(tokio::spawn(async move {
            tokio::time::sleep(faults::scaled(pause)).await;
            let _ = me.cast(Msg::Due(errand));
        }));
    }

    /// Begins an errand, instead of whatever was under way.
    pub(super) fn begin(
        &mut self,
        me: &ActorRef<Msg>,
        client: Client,
        effect: Effect,
        entry: Entry,
    ) {
        self.stop();
        let (me, errand) = (me.clone(), self.number);
        self.is_looking = matches!(effect, Effect::Look | Effect::Probe);
        self.task = Some(tokio::spawn(async move {
            let done = match effect {
                Effect::Open(claim) => {
                    Msg::Done(errand, Event::Opened(look::open(&client, claim).await))
                }
                Effect::Prime => Msg::Primed(errand, look::prime(&client).await),
                Effect::Probe => {
                    let (sight, user) = look::probe(&client, entry).await;
                    Msg::Looked(errand, sight, user)
                }
                _ => {
                    let (sight, user) = look::look(&client, entry).await;
                    Msg::Looked(errand, sight, user)
                }
            };
            let _ = me.cast(done);
        }));
    }

    /// A logout, which is an errand too.
    pub(super) fn log_out(&mut self, task: JoinHandle<()>) {
        self.task = Some(task);
    }

    /// Asks who is logged in, beside whatever is under way.
    pub(super) fn ask_who(&mut self, me: &ActorRef<Msg>, client: Client, epoch: u64) {
        let me = me.clone();
        self.naming = Some(tokio::spawn(async move {
            let _ = me.cast(Msg::Named(epoch, look::who(&client).await));
        }));
    }

    /// From now on nothing that is still under way counts.
    pub(super) fn stop(&mut self) {
        self.number += 1;
        self.is_looking = false;
        for task in [self.timer.take(), self.task.take(), self.naming.take()].into_iter().flatten()
        {
            task.abort();
        }
    }
}
