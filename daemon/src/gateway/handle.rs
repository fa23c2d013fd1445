//! The handle to ask the gateway with, and what is said of it.

use std::path::PathBuf;

use ibd_protocol::{GatewayMode, GatewayReport, Wishes, states};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::direct::Brought;
use super::state::{GatewayState, GatewayView};
use super::{Msg, java};
use crate::board::Board;
use crate::config::GatewayChoice;
use crate::post::Post;
use crate::session::view::SessionState;

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct GatewayHandle {
    board: Board,
    post: Post<Msg>,
    home: PathBuf,
    brought: Brought,
}

impl GatewayHandle {
    /// Reaches the actor through `post`; the managed gateway lives in `home`.
    pub fn new(board: Board, post: Post<Msg>, home: PathBuf) -> Self {
        Self { board, post, home, brought: Brought::default() }
    }

    /// Uses this gateway, unless another was chosen before.
    pub async fn choose(&self, choice: GatewayChoice) {
        let (reply, chosen) = oneshot::channel();
        self.post.send(Msg::Choose(choice, reply.into()));
        let _ = chosen.await;
    }

    /// What clients bring along of what requests are signed with.
    pub fn brought(&self) -> Brought {
        self.brought.clone()
    }

    /// Takes what a client brings along of it.
    pub fn bring(&self, wishes: &Wishes) {
        self.brought.take(wishes);
    }

    /// What requests are signed with has changed: it is read again, if it is in use.
    pub async fn reread(&self) {
        let (reply, begun) = oneshot::channel();
        self.post.send(Msg::Reread(reply.into()));
        let _ = begun.await;
    }

    /// Somebody wants to log in: what is missing is installed and started.
    pub fn want(&self) {
        self.post.send(Msg::Wanted);
    }

    /// It accepts connections and does not answer.
    pub fn hangs(&self, generation: u64) {
        self.post.send(Msg::Hangs(generation));
    }

    /// Ends a managed gateway, and with it the login that it holds; its process, if there was one.
    pub async fn stop(&self) -> Result<Option<u32>, String> {
        let (reply, stopped) = oneshot::channel();
        self.post.send(Msg::Stop(reply.into()));
        stopped.await.unwrap_or_else(|_| Err("the gateway's owner is being restarted".to_owned()))
    }

    /// Installs and starts what is missing; `tell` hears how far that is. Ends when it is up, or will
    /// not be.
    pub async fn start(&self, deadline: Instant, tell: impl Fn(&str)) -> GatewayView {
        let mut views = self.board.gateway().subscribe();
        let before = views.borrow_and_update().clone();
        if before.state == GatewayState::Up {
            return before;
        }
        self.want();
        loop {
            let changed = timeout_at(deadline, views.changed()).await;
            let view = views.borrow_and_update().clone();
            match &view.state {
                _ if !matches!(changed, Ok(Ok(()))) => return view,
                GatewayState::Installing(how_far) => tell(how_far),
                GatewayState::Starting => tell(&words(&view).0),
                _ => return view,
            }
        }
    }

    /// Waits while it is on its way to another state by itself.
    pub async fn settled(&self, deadline: Instant) {
        let mut views = self.board.gateway().subscribe();
        let is_settled = |view: &GatewayView| !view.state.is_passing();
        let view = match timeout_at(deadline, views.wait_for(is_settled)).await {
            Ok(Ok(view)) => view.clone(),
            _ => return,
        };
        if view.mode() == GatewayMode::Attach {
            // Whether it is there is known when the session has looked.
            let mut sessions = self.board.session().subscribe();
            let is_seen = timeout_at(
                deadline,
                sessions.wait_for(|session| {
                    session.generation == view.generation && session.state != SessionState::Starting
                }),
            );
            let _ = is_seen.await;
        }
    }

    /// What the session's looks say of a gateway that is not ours: nobody else knows whether it answers.
    /// Nothing, if it does.
    fn seen(&self, generation: u64) -> Option<(states::Gateway, String, String)> {
        let session = self.board.session().borrow().clone();
        let is = match session.state {
            SessionState::Stopped => states::Gateway::Down,
            SessionState::Hung => states::Gateway::Hung,
            _ => return None,
        };
        (session.generation == generation).then_some((is, session.text, session.hint))
    }

    /// Everything about it, for a person.
    pub fn report(&self) -> GatewayReport {
        let view = self.board.gateway().borrow().clone();
        let is_managed = view.mode() == GatewayMode::Managed;
        let (mut state, (mut text, mut hint)) = (view.state.word(), words(&view));
        if view.mode() == GatewayMode::Attach
            && let Some((is, says, next)) = self.seen(view.generation)
        {
            (state, text, hint) = (is, says, next);
        }
        GatewayReport {
            ok: state == states::Gateway::Up,
            state: state.into(),
            text,
            hint,
            pid: view.pid,
            certificate: view.pin.sha256(),
            address: view.address,
            log: is_managed.then(|| java::log_path(&self.home).display().to_string()),
        }
    }
}

/// The gateway's own news, for a person: what it is, and what to do.
pub fn words(view: &GatewayView) -> (String, String) {
    let text = |text: &str, hint: &str| (text.to_owned(), hint.to_owned());
    match (&view.state, view.mode()) {
        (GatewayState::Starting, GatewayMode::Direct) => {
            text("Reading what requests to IBKR are signed with.", "")
        }
        (GatewayState::Starting, _) => text("Starting the gateway (usually 2-3 s).", ""),
        (GatewayState::Installing(how_far), _) => text(how_far, ""),
        (GatewayState::Stopped, _) => {
            text("Gateway is not running.", "Run `ibctl login`, which starts it.")
        }
        (GatewayState::NotInstalled(why), _) if why.is_empty() => text(
            "No gateway is in use yet.",
            "Run `ibctl login`; IBKR's gateway is installed at the first login. Or try the \
             simulator with IB_GATEWAY=simulator.",
        ),
        (GatewayState::NotInstalled(why) | GatewayState::Down(why), GatewayMode::Direct) => (
            format!("IBKR cannot be asked directly: {}.", why.trim_end_matches('.')),
            "`ibctl oauth show` tells what is there and what to do; then run `ibctl login`."
                .to_owned(),
        ),
        (GatewayState::NotInstalled(why), _) => (
            format!("IBKR's gateway cannot be started: {}.", why.trim_end_matches('.')),
            "Run `ibctl gateway install` (`--from` takes an archive from elsewhere), then `ibctl \
             login`. Or try the simulator with IB_GATEWAY=simulator."
                .to_owned(),
        ),
        (GatewayState::Down(why), GatewayMode::Simulator) => (
            format!("The simulator is down: {}. It is started again.", why),
            "Try again in a few seconds.".to_owned(),
        ),
        (GatewayState::Down(why), _) => (
            format!("The gateway is down: {}. It is started again.", why.trim_end_matches('.')),
            "If this stays, look at `ibctl gateway logs`.".to_owned(),
        ),
        (GatewayState::Up, GatewayMode::Direct) => {
            let at = view.address.as_deref().map(|address| format!(" at {address}"));
            (format!("Requests go to IBKR itself{}.", at.unwrap_or_default()), String::new())
        }
        (GatewayState::Up, _) => {
            let at = view.address.as_deref().map(|address| format!(" at {address}"));
            (format!("The gateway answers{}.", at.unwrap_or_default()), String::new())
        }
    }
}
