//! The logout: at the broker, and of our own gateway, whose memory holds the login. Only what was verified is said.

use ibd_cpapi::Failure;
use ibd_protocol::{GatewayMode, LogoutReport};
use ractor::{ActorRef, RpcReplyPort};

use super::life::Event;
use super::{Facts, Msg, State, look, words};
use crate::gateway::GatewayState;

/// What came of a logout.
#[derive(Debug)]
pub struct LoggedOut {
    /// Whether the broker confirms it; nothing if there was no gateway to ask through.
    pub(super) at_broker: Option<Result<bool, Failure>>,
    /// Whether our own gateway ended; nothing if it is not ours.
    pub(super) gateway: Option<Result<Option<u32>, String>>,
}

impl State {
    pub(super) fn logout(&mut self, me: &ActorRef<Msg>, reply: RpcReplyPort<LogoutReport>) {
        self.logins.end();
        self.logins.memory.change(|memory| {
            memory.logged_out = true;
            memory.taken = None;
        });
        // Read where it is written: the news of a gateway just chosen may still be on its way to us.
        let gateway = self.board.gateway().borrow().clone();
        let is_managed = gateway.mode() == GatewayMode::Managed;
        let is_unknown =
            gateway.choice.is_none() && matches!(gateway.state, GatewayState::NotInstalled(_));
        if gateway.client.is_none() && (!is_managed || is_unknown) {
            let text =
                "No gateway is in use here, so nothing was logged out and nothing is verified. If \
                        you run one yourself, set IB_GATEWAY_PORT and try again."
                    .to_owned();
            let _ = reply.send(LogoutReport { logged_out: false, text });
            return;
        }
        self.errands.stop();
        let signer = gateway.client.as_ref().and_then(|client| client.signer());
        if signer.is_some_and(|signer| !signer.has_token()) {
            self.event(me, &Event::LoggedOut);
            let text = "This daemon holds no session token, so nothing was logged out at IBKR. It asks for none \
                        until somebody logs in."
                .to_owned();
            let _ = reply.send(LogoutReport { logged_out: true, text });
            return;
        }
        self.event(me, &Event::LoggingOut);
        let (me, handle) = (me.clone(), self.handle.clone());
        self.errands.log_out(tokio::spawn(async move {
            let at_broker = match &gateway.client {
                Some(client) => Some(look::logout(client).await),
                None => None,
            };
            // The login lives in its memory, and so do the cookies: whatever IBKR said, they go.
            let gateway = if is_managed { Some(handle.stop().await) } else { None };
            let _ = me.cast(Msg::LoggedOut(LoggedOut { at_broker, gateway }, reply));
        }));
    }

    pub(super) fn logged_out(
        &mut self,
        me: &ActorRef<Msg>,
        outcome: &LoggedOut,
        reply: RpcReplyPort<LogoutReport>,
    ) {
        let report = words::logged_out(outcome);
        if report.logged_out {
            self.known.facts = Facts::default();
        }
        let is_up = self.board.gateway().borrow().state == GatewayState::Up;
        let event = match (&outcome.at_broker, is_up) {
            (_, false) => Event::GatewayDown,
            (Some(Ok(true)), true) => Event::LoggedOut,
            // How it stands is not known: it is looked at.
            (_, true) => Event::GatewayUp,
        };
        self.gateway = self.board.gateway().borrow().clone();
        self.event(me, &event);
        let _ = reply.send(report);
    }
}
