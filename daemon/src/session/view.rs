//! What others see of the session: its state, the lease that proves it, and the handle to ask with.

use std::sync::Arc;

use ibd_cpapi::id::AccountId;
use ibd_cpapi::{Client, Failure};
use ibd_protocol::{Condition, LogoutReport};
use tokio::time::{Instant, timeout_at};

use super::Msg;
use crate::board::Board;
use crate::post::Post;
use crate::refusal::Refusal;

/// In snake_case, as `ibctl status` and `get_session_status` name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionState {
    /// No gateway.
    #[default]
    Stopped,
    /// Not known yet.
    Starting,
    /// Somebody must log in.
    NeedLogin,
    /// The trading session is being opened.
    Init,
    /// Everything works.
    Ready,
    /// It worked a moment ago.
    Degraded,
    /// Another platform holds it.
    Competing,
    /// IBKR is under maintenance.
    Maint,
    /// No way to IBKR.
    Network,
    /// The gateway hangs.
    Hung,
    /// IBKR's rate limit.
    Penalty,
}

impl SessionState {
    /// In snake_case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::NeedLogin => "need_login",
            Self::Init => "init",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Competing => "competing",
            Self::Maint => "maint",
            Self::Network => "network",
            Self::Hung => "hung",
            Self::Penalty => "penalty",
        }
    }
}

/// What the broker said about the login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Paper or live; `None`: the broker's facts contradict each other, or are not known.
    pub paper: Option<bool>,
    /// Its accounts.
    pub accounts: Vec<AccountId>,
    /// Its username.
    pub username: Option<String>,
}

/// What others may know about the session.
#[derive(Debug, Clone, Default)]
pub struct SessionView {
    /// Where it stands.
    pub state: SessionState,
    /// In one sentence.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When it came to stand there.
    pub since: String,
    /// What the broker said.
    pub facts: Facts,
    /// When the brokerage session was opened.
    pub opened: Option<Instant>,
    /// What a caller is told who cannot be served.
    pub refusal: Option<Refusal>,
    /// The proof of a live session.
    pub lease: Option<Lease>,
    /// Whether waiting a little is likely to help.
    pub is_passing: bool,
    /// Counts what was seen, so that a caller can wait for the next thing seen.
    pub seen: u64,
    /// Which life of the gateway this speaks of.
    pub generation: u64,
}

impl SessionView {
    /// The view as something a person should know, if it is not as it should be.
    pub fn condition(&self) -> Option<Condition> {
        let is_fine =
            matches!(self.state, SessionState::Ready | SessionState::Starting | SessionState::Init);
        (!is_fine || !self.hint.is_empty()).then(|| Condition {
            code: self.refusal.as_ref().map_or("session", |refusal| refusal.error).to_owned(),
            text: self.text.clone(),
            hint: self.hint.clone(),
            since: self.since.clone(),
        })
    }
}

/// Proof of a live session: only a session that is ready gives it out, and every request to the
/// broker on a caller's behalf needs one.
#[derive(Debug, Clone)]
pub struct Lease {
    pub(super) client: Client,
    pub(super) facts: Arc<Facts>,
    pub(super) epoch: u64,
    pub(super) grant: u64,
}

impl Lease {
    /// The way to the broker.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What the broker said about the login.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Names where facts come from, so that what a simulator said is never taken for what IBKR said.
    pub fn source(&self) -> String {
        let username = self.facts.username.as_deref().unwrap_or("-");
        format!("{}/{username}", self.client.url())
    }

    /// Which brokerage session it proves.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    board: Board,
    post: Post<Msg>,
}

impl SessionHandle {
    /// Reaches the actor through `post` and reads its view from `board`.
    pub fn new(board: Board, post: Post<Msg>) -> Self {
        Self { board, post }
    }

    /// A lease, waiting for one where that is likely to help.
    pub async fn lease(&self, deadline: Instant) -> Result<Lease, Refusal> {
        let mut views = self.board.session().subscribe();
        let mut asked_at = None;
        loop {
            let view = views.borrow_and_update().clone();
            if let Some(lease) = view.lease {
                return Ok(lease);
            }
            let refusal = view.refusal.clone().unwrap_or_else(unknown_yet);
            match asked_at {
                Some(asked) if view.seen > asked && self.is_settled(&view) => {
                    return Err(refusal);
                }
                Some(_) => {}
                None => {
                    asked_at = Some(view.seen);
                    self.post.send(Msg::Wanted);
                }
            }
            if timeout_at(deadline, views.changed()).await.is_err() {
                return Err(refusal);
            }
        }
    }

    /// Whether waiting is not likely to help: the state is none that passes, and it is that of the
    /// gateway as it is now.
    fn is_settled(&self, view: &SessionView) -> bool {
        let gateway = self.board.gateway().borrow().generation;
        view.generation == gateway && !view.is_passing
    }

    /// A call under `lease` failed in a way that casts doubt on the session. Returns when the lease
    /// is no longer what others would get.
    pub async fn doubt(&self, lease: &Lease, failure: &Failure, deadline: Instant) {
        let mut views = self.board.session().subscribe();
        self.post.send(Msg::Doubted(lease.grant, *failure == Failure::NotPrimed));
        let is_other =
            |view: &SessionView| view.lease.as_ref().is_none_or(|l| l.grant != lease.grant);
        let _ = timeout_at(deadline, views.wait_for(is_other)).await;
    }

    /// A call under `lease` was not answered: look, but nobody waits for it.
    pub fn suspect(&self, lease: &Lease) {
        self.post.send(Msg::Doubted(lease.grant, false));
    }

    /// The view now.
    pub fn view(&self) -> SessionView {
        self.board.session().borrow().clone()
    }

    /// Ends the login at the broker, and verifies it.
    pub async fn logout(&self) -> LogoutReport {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.post.send(Msg::Logout(reply.into()));
        answer.await.unwrap_or_else(|_| LogoutReport {
            logged_out: false,
            text: "The session is being restarted; try again in a moment.".to_owned(),
        })
    }
}

fn unknown_yet() -> Refusal {
    Refusal::new(
        "session_opening",
        "The session has not been looked at yet.",
        "Try again in a few seconds.",
    )
}
