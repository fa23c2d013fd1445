//! What is told of an order first, wherever it is told: what protects less than it seems, and what is not as it was
//! asked for. Pure.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::{Meaning, OrderType, Tif};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::asked::{Attached, Pricing, Size};
use super::intent::Intent;
use super::lateness;
use super::order::{self, Order, Role, Traded};
use super::page;
use super::standing::{Part, Seen, Standing};

/// Said of protection that ends with the day.
pub const STOP_ENDS: &str = "The stop ends with today's session (tif DAY), and nothing takes its place. GTC keeps it until \
    it is cancelled.";

/// What should be known of an intent before anything else, a sentence each.
pub fn warnings(intent: &Intent, now: Timestamp) -> Vec<String> {
    let known = intent.state.standing().zip(intent.order.as_ref()).filter(|_| intent.is_order());
    let Some((standing, order)) = known else { return said(intent, now) };
    let stop = stop(standing, order);
    let naked = stop.and_then(|stop| naked(standing, stop));
    // By how it is now, and not by how it was when it was sent: a change may have made it otherwise.
    let ends = naked.is_none() && intent.state.is_open() && stop_ends(intent, standing, order);
    let mut warnings: Vec<String> = naked.into_iter().collect();
    if standing.has_open_part() {
        warnings.extend(outgrown(intent, standing, order));
    }
    if intent.state.is_open() {
        warnings.extend(changed(intent, standing, order));
        warnings.extend(trail(order).filter(|_| is_past(intent, now)));
    }
    warnings.extend(ends.then(|| STOP_ENDS.to_owned()));
    warnings.extend(said(intent, now).into_iter().filter(|text| text != STOP_ENDS));
    warnings
}

/// What was to be known when it was sent. What it says of the account and of other orders was so then.
fn said(intent: &Intent, now: Timestamp) -> Vec<String> {
    let is_past = is_past(intent, now);
    let told = intent.warnings.iter().map(|text| {
        // Of a change that was so then: how its order is now, the order says.
        if is_past && (text != STOP_ENDS || !intent.is_order()) {
            format!("When it was sent: {text}")
        } else {
            text.clone()
        }
    });
    told.collect()
}

/// Whether it was sent some while ago.
fn is_past(intent: &Intent, now: Timestamp) -> bool {
    let late = lateness::scaled(lateness::LIST);
    intent.sent_at.is_some_and(|sent| now.duration_since(sent).abs() > late)
}

/// Whether a stop that works, or is still to work, ends with the day.
fn stop_ends(intent: &Intent, standing: &Standing, order: &Order) -> bool {
    let protects = |part: &&Part| match order.role_of(part) {
        Some(Role::StopLoss) => true,
        Some(Role::Group) => part.kind().is_some_and(is_stop),
        Some(Role::TakeProfit) => false,
        // Which one it is was not seen yet.
        None => attached_stop(&order.attached),
    };
    let open = || standing.others.iter().filter(|part| !part.is_over());
    let own = !standing.is_over() && is_stop(order.pricing.order_type()) && order.tif == Tif::Day;
    own || open().filter(protects).any(|part| page::tif_of(part, intent, order) == Tif::Day)
}

fn is_stop(kind: OrderType) -> bool {
    matches!(kind, OrderType::Stp | OrderType::StopLimit | OrderType::Trail | OrderType::TrailLmt)
}

/// Whether a stop comes with an order.
fn attached_stop(attached: &Attached) -> bool {
    match attached {
        Attached::Nothing => false,
        Attached::Bracket { stop_loss, .. } => stop_loss.is_some(),
        Attached::Oca(siblings) => siblings.iter().any(|one| is_stop(one.pricing.order_type())),
    }
}

fn stop<'s>(standing: &'s Standing, order: &Order) -> Option<&'s Part> {
    standing.others.iter().find(|part| order.role_of(part) == Some(Role::StopLoss))
}

/// A stop loss that does not protect what is filled, or what will be.
pub fn naked(standing: &Standing, stop: &Part) -> Option<String> {
    let is_left = !standing.others.iter().any(Part::is_filled);
    let has_fills = standing.has_fills() && is_left;
    let will_fill = !standing.is_over() && is_left;
    let meaning = stop.meaning();
    let how = match (meaning, stop.is_over()) {
        (_, true) => "",
        // Before its parent is filled one that is held is as it should be.
        (Meaning::Held, _) if has_fills => ", which IBKR does not work",
        (Meaning::Unknown, _) if has_fills && stop.status.is_some() => {
            ", and whether it works is not known"
        }
        _ => return None,
    };
    let what = match (has_fills, will_fill) {
        (true, _) => "what was filled stands without it",
        (false, true) => "what will be filled stands without it",
        (false, false) => return None,
    };
    let (order_id, status) = (stop.order_id, stop.word());
    Some(format!("The stop loss, order {order_id}, is {status}{how}: {what}."))
}

/// The children of a bracket may be for more than is held.
fn outgrown(intent: &Intent, standing: &Standing, order: &Order) -> Option<String> {
    let Attached::Bracket { .. } = order.attached else { return None };
    let first = intent.as_asked.as_deref().unwrap_or(order);
    let (Size::Quantity(sent), Size::Quantity(now)) = (first.size, order.size) else { return None };
    let filled = standing.filled.unwrap_or_default();
    let is_part = standing.is_over() && filled > Decimal::ZERO && filled < now.get();
    let what = match is_part {
        true => format!("Only {} of {now} were filled", filled.normalize()),
        false if sent != now => format!("It is for {now} now"),
        false => return None,
    };
    Some(format!(
        "{what}, and its take profit and stop loss were sent for {sent} each: where IBKR has not changed them, they \
         are for more or less than is held. Look at them in get_live_orders."
    ))
}

/// It is not any more what was asked for.
fn changed(intent: &Intent, standing: &Standing, order: &Order) -> Option<String> {
    let before = intent.as_asked.as_deref().or(Some(order)).filter(|_| !order.closes)?;
    let differences = [
        page::differences(before, order),
        page::child_differences(&before.attached, &order.attached),
        part_tifs(before, standing, order),
    ];
    let differences = differences.concat();
    let text = || format!("Since it was asked for it was changed: {}.", differences.join(", "));
    (!differences.is_empty()).then(text)
}

/// For which other time the others of a submission are good than they were sent for, in words.
fn part_tifs(before: &Order, standing: &Standing, order: &Order) -> Vec<String> {
    let open = standing.others.iter().filter(|part| !part.is_over());
    let differ = open.filter_map(|part| {
        let tif = part.tif.filter(|tif| *tif != before.tif)?;
        let what = match order.role_of(part) {
            Some(Role::TakeProfit) => "takeProfit".to_owned(),
            Some(Role::StopLoss) => "stopLoss".to_owned(),
            Some(Role::Group) | None => format!("order {}", part.order_id),
        };
        Some(format!("{what} tif {} (not {})", tif.as_str(), before.tif.as_str()))
    });
    differ.collect()
}

/// How far a trailing stop follows the broker does not show.
fn trail(order: &Order) -> Option<String> {
    let (Pricing::Trail { trail, .. } | Pricing::TrailLimit { trail, .. }) = order.pricing else {
        return None;
    };
    Some(format!(
        "How far it trails now IBKR does not show: {} is what was sent from here.",
        trail.shown()
    ))
}

/// The other orders of a submission as a person sees them, a line each.
pub fn others(intent: &Intent) -> Vec<String> {
    let parts = intent.state.standing().into_iter().flat_map(|standing| &standing.others);
    let line = |part: &Part| {
        let what = intent.order.as_ref().and_then(|order| order.role_of(part));
        let what = what.map_or("order", Role::in_words);
        let terms = part.terms.as_ref().map(|terms| format!(" {terms}")).unwrap_or_default();
        let tif = other_tif(part, intent.order.as_ref());
        let tif = tif.map(|tif| format!(" {}", tif.as_str())).unwrap_or_default();
        let status = part.status.as_ref().map_or("not seen yet", Seen::as_str);
        let filled = part.filled.filter(|filled| !filled.is_zero());
        let filled = filled.map(|filled| format!(", filled {}", filled.normalize()));
        format!(
            "{what}{terms}{tif}, order {}: {status}{}",
            part.order_id,
            filled.unwrap_or_default()
        )
    };
    parts.map(line).collect()
}

/// For how long another order of a submission is good, where that is not what the whole says.
pub fn other_tif(part: &Part, order: Option<&Order>) -> Option<Tif> {
    part.tif.filter(|tif| order.is_some_and(|order| order.tif != *tif))
}

/// What should be known of an order before it is sent: protection that ends with the day.
pub fn before_sending(order: &Order) -> Vec<String> {
    ends_with_day(order).into_iter().chain(of_combination(&order.contract)).collect()
}

/// Said of an order that protects, or brings a stop along, and is good for the day.
pub fn ends_with_day(order: &Order) -> Option<String> {
    let protects = is_stop(order.pricing.order_type()) || attached_stop(&order.attached);
    (protects && order.tif == Tif::Day).then(|| STOP_ENDS.to_owned())
}

/// In what the price of a combination is: its legs may be shares and options together.
fn of_combination(contract: &Traded) -> Option<String> {
    let unit = contract.unit().filter(|_| !contract.legs.is_empty())?;
    let currency = &contract.currency;
    Some(format!("A price of 1 is {} {currency} for one combination.", unit.normalize()))
}

/// What whoever changes the first order of a bracket should know of its children.
pub fn of_new_size(order: &Order, size: Option<Decimal>) -> Option<String> {
    let Attached::Bracket { .. } = order.attached else { return None };
    let (size, before) = (size?, order::size(order.size));
    Some(format!(
        "The take profit and stop loss were sent for {before} each, and this changes the first order alone, to {}: \
         where IBKR does not change them with it, change or cancel them yourself (get_live_orders shows them).",
        size.normalize()
    ))
}

/// A change in one line: what it changes, and the whole as it shall be.
pub fn change(order_id: OrderId, changed: &[String], order: &Order) -> String {
    let what =
        if changed.is_empty() { String::new() } else { format!(" ({})", changed.join(", ")) };
    format!("change order {order_id}{what} to {}", order.shown())
}

#[cfg(test)]
#[path = "told/tests.rs"]
mod tests;
