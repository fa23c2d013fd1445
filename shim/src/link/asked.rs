//! What is asked of the daemon and not answered yet.

use std::time::Duration;

use ibd_protocol::{Call, Outcome, Progress, Read, RequestId, ToDaemon};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use ulid::Ulid;

use super::{CALL, Request};

/// What is asked, but for the time that is left.
enum Asked {
    /// A call of a tool.
    Call(Call),
    /// What a resource says.
    Read(Read),
}

/// A call or a read that is not answered.
pub(super) struct Pending {
    asked: Asked,
    deadline: Instant,
    pub(super) sends: u32,
    pub(super) progress: Option<mpsc::UnboundedSender<Progress>>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

impl Pending {
    /// A call.
    pub(super) fn of_call(
        id: RequestId,
        request: Request,
        reply: oneshot::Sender<Outcome>,
    ) -> Self {
        let Request { tool, arguments, progress, resumes, limit } = request;
        // Made once: whatever happens to the connection, the call keeps its name.
        let key = Ulid::new().to_string();
        let call = Call { id, key, tool, arguments, deadline_ms: 0, resumes };
        Self::new(Asked::Call(call), limit, progress, reply)
    }

    /// A read.
    pub(super) fn of_read(id: RequestId, uri: String, reply: oneshot::Sender<Outcome>) -> Self {
        Self::new(Asked::Read(Read { id, uri, deadline_ms: 0 }), CALL, None, reply)
    }

    fn new(
        asked: Asked,
        limit: Duration,
        progress: Option<mpsc::UnboundedSender<Progress>>,
        reply: oneshot::Sender<Outcome>,
    ) -> Self {
        Self { asked, deadline: Instant::now() + limit, sends: 0, progress, reply }
    }

    /// As it is said now.
    pub(super) fn message(&self, now: Instant) -> ToDaemon {
        let left = self.deadline.saturating_duration_since(now);
        let deadline_ms = left.as_millis() as u64;
        match &self.asked {
            Asked::Call(call) => ToDaemon::Call(Call { deadline_ms, ..call.clone() }),
            Asked::Read(read) => ToDaemon::Read(Read { deadline_ms, ..read.clone() }),
        }
    }
}
