//! The handle to ask the session with: a lease, a look, a login, a logout.

mod followed;
mod logins;

use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::Failure;
use ibd_protocol::{ErrorCode, LogoutReport, Wishes};
use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::login::Wish;
use super::{Doubt, Lease, Msg, SessionView};
use crate::board::Board;
use crate::post::Post;
use crate::refusal::Refusal;

const RESTARTING: &str = "The session is being restarted; try again in a moment.";

/// Tells whenever a session becomes ready, or ceases to be, until `tell` says that nobody listens.
pub async fn each_lease(board: Board, tell: impl Fn(Option<Lease>) -> bool + Send) {
    let mut views = board.session().subscribe();
    views.mark_changed();
    let mut last: Option<u64> = None;
    while views.changed().await.is_ok() {
        let lease = views.borrow_and_update().lease.clone();
        let epoch = lease.as_ref().map(Lease::epoch);
        if epoch == last && last.is_some() {
            continue;
        }
        last = epoch;
        if !tell(lease) {
            return;
        }
    }
}

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct SessionHandle {
    board: Board,
    post: Post<Msg>,
    /// Outlives the actor: clients say it once.
    wish: Arc<Mutex<Wish>>,
    last_doubt: Arc<Mutex<Option<(Timestamp, String)>>>,
}

impl SessionHandle {
    /// Reaches the actor through `post` and reads its view from `board`; `wish` is what the daemon's own
    /// configuration says about logins.
    pub fn new(board: Board, post: Post<Msg>, wish: Wish) -> Self {
        Self { board, post, wish: Arc::new(Mutex::new(wish)), last_doubt: Arc::default() }
    }

    /// What is known about how to log in.
    pub fn wish(&self) -> Wish {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A lease, waiting for one where that is likely to help.
    pub async fn lease(&self, deadline: Instant) -> Result<Lease, Refusal> {
        self.lease_after(Msg::Wanted, deadline).await
    }

    /// The same for somebody who only wants to know: no login is begun for that.
    pub async fn look(&self, deadline: Instant) -> Result<Lease, Refusal> {
        self.lease_after(Msg::LookAgain, deadline).await
    }

    async fn lease_after(&self, wish: Msg, deadline: Instant) -> Result<Lease, Refusal> {
        let mut wish = Some(wish);
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
                    if let Some(wish) = wish.take() {
                        self.post.send(wish);
                    }
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
        self.suspect_after(lease, failure);
        let is_other =
            |view: &SessionView| view.lease.as_ref().is_none_or(|l| l.grant != lease.grant);
        let _ = timeout_at(deadline, views.wait_for(is_other)).await;
    }

    /// A call under `lease` was not answered: look, but nobody waits for it.
    pub fn suspect(&self, lease: &Lease) {
        self.post.send(Msg::Doubted(lease.grant, Doubt::Session));
    }

    /// The same of a call that failed in a way that casts doubt on the session.
    pub fn suspect_after(&self, lease: &Lease, failure: &Failure) {
        let mut last = self.last_doubt.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Timestamp::now(), failure.to_string()));
        drop(last);
        self.post.send(Msg::Doubted(lease.grant, Doubt::of(failure)));
    }

    /// The last failure that cast doubt on the session, and when.
    pub fn last_doubt(&self) -> Option<(Timestamp, String)> {
        self.last_doubt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The view now.
    pub fn view(&self) -> SessionView {
        self.board.session().borrow().clone()
    }

    /// Ends the login at the broker, and verifies it.
    pub async fn logout(&self) -> LogoutReport {
        let (reply, answer) = oneshot::channel();
        self.post.send(Msg::Logout(reply.into()));
        answer
            .await
            .unwrap_or_else(|_| LogoutReport { logged_out: false, text: RESTARTING.to_owned() })
    }

    /// What a client says about logins.
    pub fn wishes(&self, wishes: &Wishes) {
        self.change_wish(|wish| wish.add(wishes));
    }

    /// The same of what a person's own shell says, brought along by `ibctl`.
    pub fn wishes_of_person(&self, wishes: &Wishes) {
        self.change_wish(|wish| wish.add_of_person(wishes));
    }

    fn change_wish(&self, add: impl FnOnce(&mut Wish)) {
        let wish = {
            let mut wish = self.wish.lock().unwrap_or_else(PoisonError::into_inner);
            add(&mut wish);
            wish.clone()
        };
        self.post.send(Msg::Wish(Box::new(wish)));
    }
}

fn unknown_yet() -> Refusal {
    Refusal::new(
        ErrorCode::SessionOpening,
        "The session has not been looked at yet.",
        "Try again in a few seconds.",
    )
}
