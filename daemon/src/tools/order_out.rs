//! The result of every tool that has to do with an order: exactly one of placed, not placed, needs
//! confirmation, unknown; with our id, the broker's id, and the next step.

mod additions;
mod at_broker;
mod next;
mod question;
mod reason;
mod understood;

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::Ctx;
use super::cell::{Num, Time};
use crate::orders::told;
use crate::orders::{By, Intent, IntentState as State, Purpose};
use crate::refusal::Refusal;
pub use additions::dropped;
use at_broker::{AtBroker, Other};
use next::with_new_name;
pub use next::{next, not_shown};
use question::{Confirmation, confirmation, question};
use reason::{Reason, outcome, reason, status};
pub use understood::Understood;

/// What has become of an order, a change or a cancellation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// placed: IBKR has it. not_placed: it does not, and that is certain. needs_confirmation: nothing is sent
    /// yet. unknown: IBKR may have it; never send it again.
    status: &'static str,
    /// To be read first, and told to the user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// What was asked for: place, modify or cancel.
    request: &'static str,
    /// Of a change or a cancellation: done is seen at IBKR; requested is taken and not seen there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// Our id of it, for get_order_status and wait_for_order.
    intent_id: String,
    /// The id that IBKR knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_order_id: Option<String>,
    /// IBKR's id as text; null where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "serde_json::Value")]
    order_id: Option<Option<String>>,
    /// The other orders of the same submission: a bracket's children, the rest of a group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_orders: Vec<Other>,
    /// Why, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What to do now.
    next: String,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Whether the account is paper or live.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    /// The order as it was understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Understood>,
    /// How it stands at IBKR.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<AtBroker>,
    /// What must be said yes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<Confirmation>,
    /// The order that this one may be once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<First>,
    /// Present and true where sending it again could make two orders.
    #[serde(skip_serializing_if = "Option::is_none")]
    do_not_retry: Option<bool>,
    /// When this was so.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Time>,
}

/// An earlier order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct First {
    /// Our id of it.
    intent_id: String,
    /// IBKR's id as text; null where it has none.
    #[schemars(with = "serde_json::Value")]
    order_id: Option<String>,
    /// working, filled, unknown, awaiting_approval, …
    state: &'static str,
    /// The order in one line.
    text: String,
}

impl First {
    fn of(intent: &Intent) -> Self {
        Self {
            intent_id: intent.id.to_string(),
            order_id: intent.order_id().map(|id| id.to_string()),
            state: intent.state.name(),
            text: intent.text.clone(),
        }
    }
}

/// The result, or the question that a person must answer first.
pub async fn answer(ctx: &Ctx, intent: &Intent) -> Result<Out, Refusal> {
    let first = match intent.beside {
        Some(id) => ctx.desks.orders.look(id).await?,
        None => None,
    };
    let out = with_target(ctx, intent, Out::of(intent, first.as_ref())).await?;
    let State::Awaiting(approval) = &intent.state else { return Ok(out) };
    let was_asked = ctx.who.resumes.as_deref() == Some(approval.token.as_str());
    if approval.by == By::Client
        || was_asked
        || ctx.policy.is_ctl_only
        || !ctx.desks.orders.dialog_counts().await
    {
        return Ok(out);
    }
    Err(question(intent, approval, &out))
}

/// An intent as its caller sees it; of a cancellation also how what it was to end stands.
pub async fn out(ctx: &Ctx, intent: &Intent) -> Result<Out, Refusal> {
    with_target(ctx, intent, Out::of(intent, None)).await
}

async fn with_target(ctx: &Ctx, intent: &Intent, out: Out) -> Result<Out, Refusal> {
    let Purpose::Cancel { order_id, of: Some(of) } = intent.purpose else { return Ok(out) };
    let target = ctx.desks.orders.look(of).await?;
    Ok(match target {
        Some(target) => out.with_standing(&target, order_id),
        None => out,
    })
}

impl Out {
    /// An intent as its caller sees it.
    pub fn of(intent: &Intent, first: Option<&Intent>) -> Self {
        let standing = intent.state.standing();
        let status = status(&intent.state);
        Self {
            status,
            warnings: told::warnings(intent, Timestamp::now()),
            outcome: outcome(intent),
            request: match intent.purpose {
                Purpose::Place => "place",
                Purpose::Modify { .. } => "modify",
                Purpose::Cancel { .. } | Purpose::CancelAll => "cancel",
            },
            intent_id: intent.id.to_string(),
            client_order_id: Some(intent.client_order_id.to_string()),
            order_id: Some(intent.order_id().map(|id| id.to_string())),
            other_orders: standing
                .map(|standing| {
                    let of = |part| Other::of(part, intent.order.as_ref());
                    standing.others.iter().map(of).collect()
                })
                .unwrap_or_default(),
            reason: reason(&intent.state),
            next: with_new_name(intent, next(intent)),
            account: Some(intent.account.to_string()),
            mode: intent.order.as_ref().map(|order| if order.paper { "paper" } else { "live" }),
            order: intent.order.as_ref().map(Understood::of),
            standing: standing.map(AtBroker::of),
            confirmation: confirmation(&intent.state),
            first: first.map(First::of),
            // To ask once more for an end does no harm.
            do_not_retry: (status == "unknown" && intent.order.is_some()).then_some(true),
            as_of: Some(Time::now()),
        }
    }

    /// The same of an order that is known to its caller: in one line.
    pub fn in_brief(mut self) -> Self {
        if let Some(order) = &mut self.order {
            order.parts = None;
        }
        self
    }

    /// The same beside IBKR's page of the order: without what stands there, unless it is otherwise.
    pub fn beside_page(mut self, status: Option<&str>, filled: Option<Decimal>) -> Self {
        let is_so = |standing: &AtBroker| {
            let is_status = status.is_none_or(|status| status == standing.status);
            let is_filled = |known: Num| filled.is_none_or(|filled| filled == known.0);
            is_status && standing.filled.is_none_or(is_filled)
        };
        self.standing = self.standing.filter(|standing| !is_so(standing));
        let usual = format!("ibd{}", self.intent_id);
        self.client_order_id = self.client_order_id.filter(|name| *name != usual);
        self.order_id = None;
        (self.account, self.as_of) = (None, None);
        self.in_brief()
    }
}
