//! `get_session_status`: whether the account can be worked with now, and if not, what to do.

use ibd_protocol::{Effect, Toolset, states};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args::Confirm;
use super::cell::Time;
use super::{Ctx, Tool};
use crate::refusal::Refusal;
use crate::session::calendar;

/// No arguments.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Args {
    #[schemars(skip)]
    #[allow(dead_code)]
    confirm: Confirm,
}

/// The session.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// ready: everything works. need_login: the user must log in. wait_2fa: the user must approve or give
    /// a code. init, starting, degraded: wait a few seconds. Any other: see text and next.
    state: &'static str,
    /// One sentence for the user.
    text: String,
    /// What to do; absent when there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Whether the other tools can be used now.
    ready: bool,
    /// open; closed or frozen: no order is sent; read_only: nor from this client.
    trading: String,
    /// Why it is not open.
    #[serde(skip_serializing_if = "Option::is_none")]
    trading_text: Option<String>,
    /// true: paper account; false: real money; absent: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    paper: Option<bool>,
    /// Accounts of this login.
    accounts: Vec<String>,
    /// managed, attach, or simulator (invented data, no real account).
    gateway: &'static str,
    /// Seconds since the trading session was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_age_seconds: Option<u64>,
    /// About when the user must log in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_login_at: Option<Time>,
    /// Until when IBKR's rate limit closes everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limited_until: Option<Time>,
    /// Settings of this client that are looser than what is set for all: the stricter value counts instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_applied: Vec<&'static str>,
    /// Since when the session is in this state.
    since: String,
    /// When this was written.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetSessionStatus;

impl Tool for GetSessionStatus {
    const NAME: &'static str = "get_session_status";
    const TITLE: &'static str = "Session status";
    const ABOUT: &'static str = "Whether the Interactive Brokers login works right now: state, paper or \
        live, accounts, and what to do if it does not. Use it when another tool says it cannot work, or \
        before anything that matters.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Every;
    const EXAMPLE: &'static str = "{}";
    const ANSWER: usize = 500;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, _: Args) -> Result<Out, Refusal> {
        // A state in which only a look can help is looked at; whatever comes of it is told.
        let soon =
            ctx.deadline.min(tokio::time::Instant::now() + std::time::Duration::from_secs(5));
        let lease = ctx.desks.session.look(soon).await;
        let view = ctx.desks.session.view();
        let refused = match &lease {
            Ok(lease) => ctx.admit().and_then(|()| ctx.policy.admits_login(lease.facts())).err(),
            Err(_) => ctx.admit().err(),
        };
        let (trading, trading_text) = trading(&ctx);
        let hint = (!view.hint.is_empty()).then(|| view.hint.clone());
        Ok(Out {
            state: view.state.as_str(),
            ready: lease.is_ok() && refused.is_none(),
            text: refused
                .as_ref()
                .map_or(view.text_at(jiff::Timestamp::now()), |refusal| refusal.message.clone()),
            next: refused.map(|refusal| refusal.next).or(hint),
            trading,
            trading_text,
            paper: view.facts.paper,
            accounts: view.facts.accounts.iter().map(ToString::to_string).collect(),
            gateway: ctx.desks.board.gateway().borrow().mode().as_str(),
            session_age_seconds: view.opened.map(|at| at.elapsed().as_secs()),
            next_login_at: view.facts.login_at.map(calendar::login_ends).map(Time),
            rate_limited_until: ctx.door.load().penalty_until.map(Time),
            not_applied: ctx.policy.unheard.clone(),
            since: view.since,
            as_of: Time::now(),
        })
    }
}

fn trading(ctx: &Ctx) -> (String, Option<String>) {
    let trading = ctx.desks.board.trading();
    if ctx.policy.read_only {
        let why = "IB_READ_ONLY_MODE is set: tools that send orders are not shown.";
        return ("read_only".to_owned(), Some(why.to_owned()));
    }
    let why = (!trading.state.is(states::Trading::Open)).then_some(trading.text);
    (trading.state.to_string(), why)
}
