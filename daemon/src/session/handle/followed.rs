//! How far a login was followed, and what a person is told of that.

use ibd_protocol::{GatewayMode, LoginReport};
use jiff::Timestamp;

use crate::board::Board;
use crate::refusal::Refusal;
use crate::session::login::{Page, Stage};
use crate::session::{SessionState, SessionView};

/// How far a login was followed.
#[derive(Debug, Clone)]
pub struct Followed {
    /// How everything stands now.
    pub view: SessionView,
    /// The login page.
    pub address: Option<String>,
    /// Whose gateway it is.
    pub gateway: GatewayMode,
    /// The caller's time was up.
    pub is_pending: bool,
    /// It is over without a login.
    pub failed: Option<Refusal>,
}

impl Followed {
    pub(super) fn of(view: &SessionView, board: &Board) -> Self {
        let gateway = board.gateway().borrow();
        let address = gateway.address.as_ref().map(|address| format!("{address}/"));
        let gateway = gateway.mode();
        Self { view: view.clone(), address, gateway, is_pending: false, failed: None }
    }

    /// The name and the words of the question that a person must answer.
    pub fn question(&self) -> Option<(&str, &str)> {
        match &self.view.login.as_ref()?.stage {
            Stage::Code(what, token) => Some((token, what)),
            _ => None,
        }
    }

    /// For a person.
    pub fn report(&self) -> LoginReport {
        let view = &self.view;
        let login = view.login.as_deref();
        // A page or a phone helps only where the state says so too: the gateway may be gone meanwhile.
        let waiting_for = login.filter(|_| self.failed.is_none()).and_then(|login| {
            match (&login.stage, view.state) {
                (Stage::Approval(_), SessionState::Wait2fa) => Some("approval"),
                (Stage::Code(..), SessionState::Wait2fa) => Some("code"),
                (Stage::Person, SessionState::NeedLogin) => Some("login"),
                _ => None,
            }
        });
        let (text, next) = match &self.failed {
            Some(failure) => (failure.message.clone(), failure.next.clone()),
            None => (view.text_at(Timestamp::now()), view.hint.clone()),
        };
        LoginReport {
            state: view.state.into(),
            ready: view.lease.is_some() && self.failed.is_none(),
            text,
            next,
            mode: login.map(|login| login.way.as_str().to_owned()).unwrap_or_default(),
            auth_url: self.address.clone().filter(|_| waiting_for == Some("login")),
            browser_opened: login.is_some_and(|login| login.page == Page::Open),
            waiting_for: waiting_for.map(str::to_owned),
            failed: self.failed.as_ref().map(|failure| failure.error.as_str().to_owned()),
        }
    }
}
