//! What others see of the desk without asking: how trading is, and what happened to orders.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
use ibd_protocol::{Event as News, Level, TradingStatus, states};

use super::State;
use super::asked::Attached;
use super::intent::IntentId;
use super::life::{self, End};
use super::order::{Purpose, Role};
use super::record::why;
use super::standing::Seen;

impl State {
    /// Something changed: whoever waits looks again.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
        self.publish();
    }

    /// How trading is, on the board.
    pub(super) fn publish(&self) {
        self.board.set_trading(self.trading());
    }

    pub(super) fn trading(&self) -> TradingStatus {
        let waiting = self.count(|state| matches!(state, life::State::Awaiting(_)));
        let in_doubt =
            self.count(|state| matches!(state, life::State::Unknown(_) | life::State::Parked(_)));
        let (state, text) = match (&self.ledger.journal, self.frozen()) {
            (Err(why), _) => (states::Trading::Closed, format!("Trading is closed: {why}.")),
            (_, Some(why)) => (
                states::Trading::Frozen,
                format!("Trading is frozen: {why}. `ibctl unfreeze` lets orders through again."),
            ),
            _ if self.controls.is_read_only() => (
                states::Trading::Closed,
                "Trading is closed: this daemon is read-only (IB_READ_ONLY_MODE).".to_owned(),
            ),
            _ if self.broker.ready.is_none() => (
                states::Trading::Closed,
                "Trading is closed: it opens some seconds after the session at IBKR is ready."
                    .to_owned(),
            ),
            _ if self.controls.claims.any_problem().is_some() => (
                states::Trading::Closed,
                format!(
                    "Trading is closed: {}.",
                    self.controls.claims.any_problem().unwrap_or_default()
                ),
            ),
            _ if self.is_recovering() => (
                states::Trading::Closed,
                "Trading opens when orders from before were looked for at IBKR.".to_owned(),
            ),
            _ => (states::Trading::Open, "Orders go through the guardrails.".to_owned()),
        };
        TradingStatus {
            state: state.into(),
            protection: self.controls.in_words(self.approvals.has_pin),
            text,
            waiting,
            in_doubt,
        }
    }

    fn count(&self, wanted: impl Fn(&life::State) -> bool) -> u32 {
        self.ledger.book.iter().filter(|intent| wanted(&intent.state)).count() as u32
    }

    pub(super) fn say(&self, level: Level, code: &str, text: String, hint: &str) {
        self.board.say(News { level, code: code.to_owned(), text, hint: hint.to_owned() });
    }

    /// What happened after the call returned is told to every client.
    pub(super) fn tell(&self, id: IntentId) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        let reason = why(&intent.state).map(|why| format!(": {why}")).unwrap_or_default();
        let (level, code, hint) = match &intent.state {
            life::State::Unknown(_) => (
                Level::Warning,
                "order_unknown",
                "It is being looked for at IBKR. Do not send it again.",
            ),
            life::State::Parked(_) => (
                Level::Warning,
                "order_parked",
                "Look in TWS or Client Portal, then `ibctl orders resolve`.",
            ),
            life::State::Working(standing) if standing.status == Seen::Missing => (
                Level::Warning,
                "order_unlisted",
                "It does not end by itself: look in TWS, and `ibctl orders resolve` if it is gone.",
            ),
            life::State::Working(standing) if standing.refused.is_some() => (
                Level::Warning,
                "order_partly_refused",
                "Of several orders IBKR refused some: look at what is protected and what is not.",
            ),
            life::State::Working(standing) if standing.meaning() == Meaning::Held => {
                (Level::Warning, "order_inactive", "IBKR holds it and does not work it.")
            }
            life::State::Working(standing)
                if standing.filled.is_some_and(|filled| !filled.is_zero()) =>
            {
                (Level::Info, "order_partly_filled", "")
            }
            life::State::Working(_) => (Level::Info, "order_working", ""),
            life::State::Over(End::Filled(_)) => (Level::Info, "order_filled", ""),
            life::State::Over(End::Cancelled(standing)) => ended(standing.ended()),
            life::State::Over(End::Unlisted(_)) => (
                Level::Warning,
                "order_unlisted",
                "IBKR no longer lists it: a DAY order ends with its day. get_trades shows what was filled.",
            ),
            life::State::Over(End::Requested) => (
                Level::Warning,
                "order_request_not_seen",
                "IBKR took the change, and the order's page shows it as before: look at it.",
            ),
            life::State::Over(End::Rejected(_)) => (Level::Warning, "order_rejected", ""),
            life::State::Denied(_) | life::State::Over(End::NotPlaced(_)) => {
                (Level::Info, "order_not_placed", "")
            }
            life::State::Over(End::Done) => (Level::Info, "order_request_taken", ""),
            life::State::Over(End::NotTaken) => (
                Level::Warning,
                "order_request_not_taken",
                "The order works as before; the request may be made again.",
            ),
            _ => return,
        };
        // That an end was asked for is not yet the end.
        let is_asked = matches!(intent.state, life::State::Over(End::Done))
            && !matches!(&intent.purpose, Purpose::Modify { change, .. } if change.unseen().is_none());
        let state = if is_asked { "taken by IBKR".to_owned() } else { intent.state.in_words() };
        let text = format!("{} ({id}) is {state}{reason}.", intent.text);
        self.say(level, code, text, hint);
    }

    /// The same, of a bracket's child or another order of a group.
    pub(super) fn tell_part(&self, id: IntentId, order: OrderId) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        let part = intent.state.standing().and_then(|standing| standing.part(order));
        let Some((part, status)) = part.and_then(|part| Some((part, part.status.as_ref()?))) else {
            return;
        };
        let is_group =
            intent.order.as_ref().is_some_and(|order| matches!(order.attached, Attached::Oca(_)));
        let (level, code, hint) = match (status, status.meaning()) {
            (Seen::Unlisted, _) => (Level::Warning, "order_unlisted", "IBKR no longer lists it."),
            (Seen::Missing, _) => (
                Level::Warning,
                "order_unlisted",
                "IBKR no longer lists it, and it does not end by itself: look in TWS.",
            ),
            (_, Meaning::Filled) => (Level::Info, "order_filled", ""),
            (_, Meaning::Held) => {
                (Level::Warning, "order_inactive", "IBKR holds it and does not work it.")
            }
            // Those of a group go when one of them is filled.
            (_, Meaning::Ended) if is_group && intent.state.is_over() => return,
            (_, Meaning::Ended) => (
                Level::Warning,
                ended(status.ended()).1,
                "The others of the submission stand without it: see get_live_orders.",
            ),
            _ if part.filled.unwrap_or_default().is_zero() => (Level::Info, "order_working", ""),
            _ => (Level::Info, "order_partly_filled", ""),
        };
        let filled = part.filled.filter(|filled| !filled.is_zero());
        let filled = filled.map(|filled| format!(", filled {}", filled.normalize()));
        let what = part.text.as_deref().map(|text| format!(" ({text:?})")).unwrap_or_default();
        let role = intent.order.as_ref().and_then(|order| order.role_of(part));
        let name = match (role, &part.terms) {
            (Some(role @ (Role::TakeProfit | Role::StopLoss)), Some(terms)) => {
                format!("The {} ({terms}), order {order}", role.in_words())
            }
            (_, Some(terms)) => format!("Order {order} ({terms})"),
            (_, None) => format!("Order {order}"),
        };
        let text = format!(
            "{name}{what}, which came with {} ({id}), is {}{}.",
            intent.text,
            status.as_str().to_lowercase(),
            filled.unwrap_or_default()
        );
        self.say(level, code, text, hint);
    }

    pub(super) fn tell_approval(&self, id: IntentId) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        let life::State::Awaiting(approval) = &intent.state else { return };
        if approval.by == super::approval::By::Client {
            return;
        }
        let text = format!("{} wants: {}.", intent.origin.client, intent.text);
        let hint = format!("`ibctl approve {0}` or `ibctl deny {0}`.", approval.id);
        self.say(Level::Warning, "approval_needed", text, &hint);
    }
}

/// How the end of an order is told: by level, code and hint.
fn ended(end: states::Order) -> (Level, &'static str, &'static str) {
    match end {
        states::Order::Rejected => (Level::Warning, "order_rejected", ""),
        states::Order::Expired => (Level::Info, "order_expired", ""),
        _ => (Level::Info, "order_cancelled", ""),
    }
}
