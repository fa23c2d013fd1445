//! What to do now, for each way in which an order, a change or a cancellation can stand.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
use ibd_protocol::states;

use super::super::order_flow;
use super::status;
use crate::orders::{
    By, End, Intent, IntentId, IntentState as State, NotPlaced, Part, Purpose, Seen, Standing,
};

/// Under the caller's own name the outcome stays what it is: another try needs another name.
pub(super) fn with_new_name(intent: &Intent, next: String) -> String {
    let is_named = intent.origin.key.starts_with(order_flow::NAMED);
    if is_named && status(&intent.state) == "not_placed" {
        format!("{next} Another try needs a new requestId.")
    } else {
        next
    }
}

/// How what is told of an order begins that works, as far as is known.
pub(super) const HAS_IT: &str = "IBKR has it";

/// What to do about an order that was known to work, and that IBKR does not show now.
pub fn not_shown(place: &str) -> String {
    format!(
        "{place} it now: it may have ended elsewhere, or work all the same. Do not place it again; ask once more with \
         get_order_status, and if it stays so, tell the user to look in TWS."
    )
}

/// What to do about an intent.
pub fn next(intent: &Intent) -> String {
    let id = intent.id;
    match (&intent.state, &intent.purpose) {
        (State::Denied(denial), _) => denial.next.clone(),
        (State::Awaiting(approval), _) if approval.by == By::Person => format!(
            "{1} Tell the user to run `ibctl approve {0}` (or `ibctl deny {0}`), then call wait_for_order with \
             this intentId. You cannot approve it.",
            approval.id,
            so_far(intent)
        ),
        (State::Awaiting(approval), _) => format!(
            "{1} Read IBKR's questions; call confirm_order with confirmationId {0} and accept true or false.",
            approval.id,
            so_far(intent)
        ),
        (State::Parked(_), Purpose::Place | Purpose::Modify { .. }) => format!(
            "Never send it again. Tell the user to look in TWS or Client Portal and to run `ibctl orders \
             resolve {id}`."
        ),
        // A change or an end that did not come about leaves an order that works.
        (
            State::Over(End::Rejected(_) | End::NotPlaced(_) | End::NotTaken),
            Purpose::Modify { order_id, .. } | Purpose::Cancel { order_id, .. },
        ) => format!(
            "Order {order_id} is as it was before this request: get_order_status with orderId {order_id} \
             shows it."
        ),
        (State::Over(End::Rejected(_) | End::NotPlaced(_) | End::NotTaken), Purpose::CancelAll) => {
            "Nothing was cancelled by this request; get_live_orders shows what works.".to_owned()
        }
        (State::Over(End::NotPlaced(NotPlaced::Restarted(true))), _) => {
            "It was approved, and the daemon was started anew before it was sent: nothing is at IBKR. Ask the \
             user whether it is still wanted; then place it again."
                .to_owned()
        }
        (State::Over(End::Rejected(_)), _) => {
            "Read IBKR's reason. Nothing is at IBKR; correct the order before another try."
                .to_owned()
        }
        (State::Over(End::NotPlaced(NotPlaced::Declined(_))), _) => {
            "Do not place it again unless the user asks for it.".to_owned()
        }
        (State::Over(End::NotPlaced(_)), _) => {
            "Nothing is at IBKR. Place it again only if it is still wanted.".to_owned()
        }
        (State::Working(standing), Purpose::Place) if standing.status == Seen::Missing => {
            "IBKR's lists no longer have it, though it does not end by itself: it was cancelled elsewhere, or \
             they are short. Do not place it again; tell the user to look in TWS."
                .to_owned()
        }
        (State::Working(standing) | State::Over(End::Filled(standing)), Purpose::Place)
            if standing.refused.is_some() =>
        {
            "IBKR refused a part of this submission (see reason): what it was to protect may stand \
             unprotected. Tell the user, and look at get_live_orders."
                .to_owned()
        }
        (State::Working(standing), Purpose::Place) if standing.risen.is_some() => format!(
            "IBKR has it although it was told as not placed: tell the user now. cancel_order with intentId \
             {id} ends it; wait_for_order follows it."
        ),
        (State::Working(standing), Purpose::Place) if standing.is_inactive() => {
            "IBKR has it as inactive and does not work it; most such orders were refused late (see \
             standing.text). Tell the user. Cancel it before another try."
                .to_owned()
        }
        (State::Working(standing), Purpose::Place) if standing.meaning() == Meaning::Unknown => format!(
            "IBKR has it and calls it {:?}, a word that is not known here: whether it works is not known. Look in \
             TWS, or ask again with get_order_status.",
            standing.status.as_str()
        ),
        (State::Working(standing), Purpose::Place) if standing.meaning() == Meaning::Ending => format!(
            "Its cancellation was asked for; until it is cancelled it can still be filled. wait_for_order with \
             intentId {id} waits for what becomes of it."
        ),
        (State::Working(_), Purpose::Place) => {
            "IBKR has it. wait_for_order waits for its fill.".to_owned()
        }
        (State::Working(_), _) => "IBKR has it.".to_owned(),
        (State::Over(End::Unlisted(standing)), _) => unlisted(intent, standing),
        (State::Over(End::Filled(standing) | End::Cancelled(standing)), _)
            if !standing.others.is_empty() =>
        {
            of_group(id, standing)
        }
        (State::Over(End::Filled(_)), _) => "It is filled; nothing more to do.".to_owned(),
        (State::Over(End::Cancelled(standing)), _) => ended(standing),
        (State::Over(End::Done), Purpose::Modify { change, .. }) => match change.unseen() {
            Some(what) => format!("IBKR took the change; {what} its page does not show: TWS does."),
            None => "The change was done: the order's page at IBKR showed it.".to_owned(),
        },
        (State::Over(End::Requested), Purpose::Modify { order_id, .. }) => format!(
            "IBKR took the change, and the order's page does not show it: the old terms count until it does. \
             Look again with get_order_status, orderId {order_id}."
        ),
        (State::Over(End::Done), Purpose::Cancel { order_id, .. }) => format!(
            "IBKR took the cancellation; it may still be filled before that. get_order_status with orderId \
             {order_id} shows what became of it."
        ),
        (State::Over(End::Done), _) => {
            "IBKR took it; whether everything has ended, get_live_orders shows.".to_owned()
        }
        (_, Purpose::Cancel { order_id, .. }) => format!(
            "Whether IBKR took the cancellation is not known: get_order_status with orderId {order_id} shows how \
             the order stands. To ask for it again does no harm."
        ),
        (_, Purpose::CancelAll) => {
            "Whether IBKR took the cancellation is not known: get_live_orders shows what works. To ask for it again \
             does no harm."
                .to_owned()
        }
        _ => format!(
            "IBKR may have it. Never send it again: call get_order_status with intentId {id} until it is \
             settled."
        ),
    }
}

/// How an order ended of which not everything was filled.
fn ended(standing: &Standing) -> String {
    let how = match standing.ended() {
        states::Order::Rejected => "IBKR or the exchange rejected it (see standing.text)",
        states::Order::Expired => "Its time was over",
        _ => "It was cancelled, by IBKR or on request",
    };
    match standing.filled {
        Some(filled) if !filled.is_zero() => {
            format!("{how}; {} were filled before.", filled.normalize())
        }
        Some(_) => format!("{how}; nothing of it was filled."),
        None => {
            format!("{how}; whether anything of it was filled IBKR does not say: see get_trades.")
        }
    }
}

/// What has been sent of what waits for a yes.
fn so_far(intent: &Intent) -> &'static str {
    match intent.follows {
        Some(_) => {
            "IBKR asked about it and was told no for now; as far as was seen it has nothing of it."
        }
        None => "Nothing is sent yet.",
    }
}

/// What of a submission may still be filled once one of its orders is over.
pub(super) fn left_of(target: &Intent, order_id: OrderId) -> String {
    let Some(standing) = target.state.standing() else { return String::new() };
    let first = (!standing.is_over()).then_some(standing.order_id);
    let others = standing.others.iter().filter(|part| !part.is_over()).map(|part| part.order_id);
    let open = first.into_iter().chain(others).filter(|open| *open != order_id);
    let open: Vec<String> = open.map(|open| open.to_string()).collect();
    if open.is_empty() {
        " Nothing more to do.".to_owned()
    } else {
        format!(
            " Others of its submission may still be filled: {}. Cancel those that are not wanted, and see that they \
             are not for more than is held.",
            open.join(", ")
        )
    }
}

/// An order of a submission is over; what of the others?
fn of_group(id: IntentId, standing: &Standing) -> String {
    let first =
        format!("Order {} is {}.", standing.order_id, standing.status.as_str().to_lowercase());
    let open = standing.others.iter().filter(|part| !part.is_over());
    let (held, open): (Vec<&Part>, Vec<&Part>) =
        open.partition(|part| part.meaning() == Meaning::Held);
    let list = |parts: &[&Part]| {
        parts.iter().map(|part| part.order_id.to_string()).collect::<Vec<_>>().join(", ")
    };
    let idle = if held.is_empty() {
        String::new()
    } else {
        format!(
            " IBKR holds {} and does not work it: look at its text, and tell the user.",
            list(&held)
        )
    };
    match (open.is_empty(), held.is_empty()) {
        (true, true) => {
            format!("{first} So are the others of its submission over: see otherOrders.")
        }
        (true, false) => format!("{first}{idle}"),
        (false, _) => format!(
            "{first} Of its submission {} may still be filled: wait_for_order with that orderId, or \
             get_order_status with intentId {id}.{idle}",
            list(&open)
        ),
    }
}

/// How it ended is not known; what of it was filled stands in the trades of a week, and in statements.
fn unlisted(intent: &Intent, standing: &Standing) -> String {
    let tif = intent.order.as_ref().map_or("", |order| order.tif.as_str());
    let why = match tif {
        "GTC" => "A person found that it does not work any more".to_owned(),
        _ => format!("A {tif} order ends by itself, and IBKR's lists no longer have it"),
    };
    let filled = match standing.filled.filter(|filled| !filled.is_zero()) {
        Some(filled) => format!("{} of it were seen filled", filled.normalize()),
        None => "no fill of it was seen here".to_owned(),
    };
    format!(
        "{why}; {filled}. get_trades with days 7, and for what is older ask_flex, show every fill."
    )
}
