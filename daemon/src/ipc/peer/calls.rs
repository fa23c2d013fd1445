//! Calls of tools under way: each is a task of this connection, and is answered once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use ibd_protocol::{Call, DrainReason, ErrorCode, Outcome, Progress, Read, RequestId, ToClient};
use ractor::ActorRef;
use tokio::time::Instant;

use super::{Msg, State};
use crate::refusal::Refusal;
use crate::resources;
use crate::tools::{self, Ctx, Pictures, Who};

/// Calls of one client under way at one time.
const MAX_CALLS: usize = 64;
/// No client waits longer for one call; several give up after 60 s themselves.
const LONGEST_CALL: Duration = Duration::from_secs(45);

impl State {
    pub(super) fn call(&mut self, me: &ActorRef<Msg>, call: Call) {
        self.begin(me, call, |outcome| outcome);
    }

    /// What a resource says is what a tool says.
    pub(super) fn read(&mut self, me: &ActorRef<Msg>, read: &Read) {
        match resources::find(&self.policy, &read.uri) {
            Some(found) => self.begin(me, found.call(read), resources::outcome),
            None => self.send(me, &ToClient::Done(read.id, resources::unknown())),
        }
    }

    fn begin(&mut self, me: &ActorRef<Msg>, call: Call, told: fn(Outcome) -> Outcome) {
        if self.ending.is_some() {
            // Its shim asks the next daemon.
            return;
        }
        if self.calls.len() >= MAX_CALLS || self.calls.contains_key(&call.id) {
            return self.send(me, &ToClient::Done(call.id, Outcome::Refusal(too_many().to_json())));
        }
        self.change(|status| status.calls += 1);
        self.shared.roster.call_begins();
        let id = call.id;
        let (ctx, me) = (self.ctx(me, &call), me.clone());
        let task = tokio::spawn(async move {
            let outcome = told(run(ctx, call).await);
            let _ = me.cast(Msg::Finished(id, outcome));
        });
        self.calls.insert(id, task);
    }

    fn ctx(&self, me: &ActorRef<Msg>, call: &Call) -> Ctx {
        let (to, id) = (me.clone(), call.id);
        let patience = Duration::from_millis(call.deadline_ms).min(LONGEST_CALL);
        Ctx {
            desks: self.shared.desks.clone(),
            policy: self.policy.clone(),
            deadline: Instant::now() + patience,
            progress: Arc::new(move |progress| {
                let _ = to.cast(Msg::Progress(id, progress));
            }),
            page: self.page(me),
            door: self.shared.door.clone(),
            who: Who {
                // Zero is the daemon itself.
                connection: self.id.map_or(0, |id| id + 1),
                client: self.name.clone(),
                key: call.key.clone(),
                resumes: call.resumes.clone(),
            },
            pictures: Pictures::default(),
        }
    }

    pub(super) fn cancel(&mut self, id: RequestId) {
        if let Some(call) = self.calls.remove(&id) {
            call.abort();
            self.shared.roster.call_ends();
        }
    }

    pub(super) fn progress(&self, me: &ActorRef<Msg>, id: RequestId, progress: Progress) {
        if self.calls.contains_key(&id) {
            self.send(me, &ToClient::Progress(id, progress));
        }
    }

    pub(super) fn finished(&mut self, me: &ActorRef<Msg>, id: RequestId, outcome: Outcome) {
        if self.calls.remove(&id).is_some() {
            self.send(me, &ToClient::Done(id, outcome));
            self.shared.roster.call_ends();
        }
    }

    /// When a person said stop, what is not answered by now is answered with that; otherwise its shim
    /// asks the next daemon.
    pub(super) fn give_up_calls(&mut self, me: &ActorRef<Msg>) {
        let calls: Vec<_> = self.calls.drain().collect();
        for (id, call) in calls {
            call.abort();
            if self.ending == Some(DrainReason::Stop) {
                self.send(me, &ToClient::Done(id, Outcome::Refusal(stopped().to_json())));
            }
            self.shared.roster.call_ends();
        }
    }
}

async fn run(ctx: Ctx, call: Call) -> Outcome {
    let started = Instant::now();
    let name = call.tool.clone();
    let outcome =
        AssertUnwindSafe(tools::call(ctx, &call.tool, call.arguments)).catch_unwind().await;
    let outcome = outcome.unwrap_or_else(|_| Outcome::Refusal(panicked().to_json()));
    let ended = match &outcome {
        Outcome::Result(_) | Outcome::Pictured(..) => "result",
        Outcome::Refusal(_) => "refusal",
        Outcome::UnknownTool | Outcome::Hidden(_) | Outcome::UnknownResource(_) => "unknown",
        Outcome::NeedsInput(_) => "needs input",
    };
    tracing::info!(
        tool = name,
        ended,
        millis = started.elapsed().as_millis(),
        key = call.key,
        "call"
    );
    outcome
}

fn stopped() -> Refusal {
    Refusal::new(
        ErrorCode::DaemonUnavailable,
        "The daemon was stopped before this was answered.",
        "If it was an order, a change or a cancellation, whether it was sent is not known here: do not repeat \
         it; get_live_orders shows it once the daemon runs again. Ask the user before calling again: a call \
         starts the daemon.",
    )
}

fn too_many() -> Refusal {
    Refusal::new(
        ErrorCode::TooBusy,
        format!("{MAX_CALLS} calls of this client are under way."),
        "Wait for some of them to be answered.",
    )
}

fn panicked() -> Refusal {
    Refusal::new(
        ErrorCode::Internal,
        "The daemon has a defect in this tool; nothing else is affected.",
        "Try another way; the user can find it in `ibctl logs`.",
    )
}
