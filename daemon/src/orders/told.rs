//! What is told of an order first, wherever it is told: what protects less than it seems, and what is not as it was
//! asked for. Pure.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
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
    let has_stop = naked.is_none() && intent.state.is_open();
    let mut warnings: Vec<String> = naked.into_iter().collect();
    if standing.has_open_part() {
        warnings.extend(outgrown(intent, standing, order));
    }
    if intent.state.is_open() {
        warnings.extend(changed(intent, order));
        warnings.extend(trail(order).filter(|_| is_past(intent, now)));
    }
    let is_so = |text: &String| has_stop || text != STOP_ENDS;
    warnings.extend(said(intent, now).into_iter().filter(is_so));
    warnings
}

/// What was to be known when it was sent. What it says of the account and of other orders was so then.
fn said(intent: &Intent, now: Timestamp) -> Vec<String> {
    let is_past = is_past(intent, now);
    let told = intent.warnings.iter().map(|text| {
        if is_past && text != STOP_ENDS {
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
fn changed(intent: &Intent, order: &Order) -> Option<String> {
    let before = intent.as_asked.as_deref().filter(|_| !order.closes)?;
    let differences = [
        page::differences(before, order),
        page::child_differences(&before.attached, &order.attached),
    ];
    let differences = differences.concat();
    let text = || format!("Since it was asked for it was changed: {}.", differences.join(", "));
    (!differences.is_empty()).then(text)
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
        let status = part.status.as_ref().map_or("not seen yet", Seen::as_str);
        let filled = part.filled.filter(|filled| !filled.is_zero());
        let filled = filled.map(|filled| format!(", filled {}", filled.normalize()));
        format!("{what}{terms}, order {}: {status}{}", part.order_id, filled.unwrap_or_default())
    };
    parts.map(line).collect()
}

/// What should be known of an order before it is sent: protection that ends with the day.
pub fn before_sending(order: &Order) -> Vec<String> {
    let is_stop = |pricing: &Pricing| {
        matches!(
            pricing,
            Pricing::Stop(_)
                | Pricing::StopLimit { .. }
                | Pricing::Trail { .. }
                | Pricing::TrailLimit { .. }
        )
    };
    let protects = is_stop(&order.pricing)
        || match &order.attached {
            Attached::Nothing => false,
            Attached::Bracket { stop_loss, .. } => stop_loss.is_some(),
            Attached::Oca(siblings) => siblings.iter().any(|one| is_stop(&one.pricing)),
        };
    let ends = (protects && order.tif == ibd_cpapi::orders::Tif::Day).then(|| STOP_ENDS.to_owned());
    ends.into_iter().chain(of_combination(&order.contract)).collect()
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
