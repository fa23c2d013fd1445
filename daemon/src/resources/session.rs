//! `ib://session`: whether the account can be worked with now, and if not, what to do.

use ibd_protocol::{GatewayMode, TradingStatus};

use super::{Follow, Following, Resource, no_arguments, none};
use crate::board::Board;
use crate::refusal::Refusal;
use crate::session::{Facts, SessionState};

/// The resource.
pub const RESOURCE: Resource = Resource {
    uri: "ib://session",
    name: "session",
    title: "Session",
    about: "Whether the Interactive Brokers login works right now: state, paper or live, accounts, whether orders may \
            be sent, and what to do if not. Told when any of that changes.",
    variable: None,
    tool: "get_session_status",
    arguments: no_arguments,
    listed: none,
    look: None,
    begin,
};

fn begin(follow: Follow) -> Result<Following, Refusal> {
    Ok(Box::pin(run(follow)))
}

async fn run(follow: Follow) {
    let board = follow.desks.board.clone();
    let mut views = board.session().subscribe();
    let mut gateways = board.gateway().subscribe();
    let mut trading = board.trading_changes();
    let mut known = Says::of(&board);
    loop {
        // Their senders are the board's, which is held here.
        tokio::select! {
            _ = views.changed() => {}
            _ = gateways.changed() => {}
            _ = trading.changed() => {}
        }
        let now = Says::of(&board);
        if now != known {
            known = now;
            follow.tell().await;
        }
    }
}

/// What the resource says, but for what only time changes.
#[derive(Debug, PartialEq, Eq)]
struct Says {
    state: SessionState,
    text: String,
    hint: String,
    since: String,
    facts: Facts,
    is_ready: bool,
    gateway: GatewayMode,
    trading: TradingStatus,
}

impl Says {
    fn of(board: &Board) -> Self {
        let gateway = board.gateway().borrow().mode();
        let view = board.session().borrow();
        Self {
            state: view.state,
            text: view.text.clone(),
            hint: view.hint.clone(),
            since: view.since.clone(),
            facts: view.facts.clone(),
            is_ready: view.lease.is_some(),
            gateway,
            trading: board.trading(),
        }
    }
}
