//! Holds every answer against what the broker truly had when it was given, as far as that can be known: what may
//! change between is allowed for. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::beside::Done;
use crate::check::{Findings, Remains};
use crate::client::{Heard, Truth};

/// What was shown falsely is believed for a while after.
const BELIEVED: Duration = Duration::from_millis(700);
/// Fields of an order that a change may name.
const TERMS: [&str; 4] = ["quantity", "price", "stopPrice", "tif"];

/// All of them.
pub fn hold(remains: &Remains, findings: &mut Findings) {
    let judge = Judge { remains, ours: ours(remains) };
    for (at, heard) in remains.heard.iter().enumerate() {
        let (Some(answer), Some(truth)) = (&heard.answer, &heard.truth) else { continue };
        if answer["error"].is_string() {
            continue;
        }
        findings.held += 1;
        let mut told = Vec::new();
        match heard.tool {
            "get_live_orders" => judge.list(answer, truth, &remains.heard[..at], &mut told),
            "get_order_status" => {
                judge.page(answer, truth, &mut told);
                if let Some(here) = from_here(answer) {
                    judge.order(&here, truth, &mut told);
                }
            }
            _ => {
                judge.order(answer, truth, &mut told);
                judge.request(heard, answer, truth, &mut told);
            }
        }
        let tool = heard.tool;
        findings
            .untrue
            .extend(told.into_iter().map(|text| format!("{tool} {}: {text}", heard.key)));
    }
    judge.changes_stay(findings);
}

/// What is known here of an order, with what is left out of it because the page beside it says so.
pub fn from_here(answer: &Value) -> Option<Value> {
    let mut here = answer["fromHere"].as_object()?.clone();
    for name in ["orderId", "account", "asOf"] {
        here.entry(name).or_insert_with(|| answer[name].clone());
    }
    let intent = here["intentId"].as_str().unwrap_or_default();
    let own_name = Value::from(format!("ibd{intent}"));
    here.entry("clientOrderId").or_insert(own_name);
    let page = serde_json::json!({ "status": answer["status"], "filled": answer["filled"] });
    here.entry("standing").or_insert(page);
    Some(Value::Object(here))
}

struct Judge<'r> {
    remains: &'r Remains,
    /// Ids of the orders that were sent from here.
    ours: BTreeSet<u64>,
}

fn ours(remains: &Remains) -> BTreeSet<u64> {
    let rows = rows(&remains.placements, "placements").iter();
    rows.filter(|row| row["by"] != "tws").map(id).collect()
}

pub fn rows<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

/// A number, written as one or as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn id(row: &Value) -> u64 {
    number(&row["orderId"]).unwrap_or_default() as u64
}

fn row_of(orders: &Value, order: u64) -> Option<&Value> {
    rows(orders, "orders").iter().find(|row| id(row) == order)
}

fn status(row: &Value) -> &str {
    row["status"].as_str().unwrap_or_default()
}

fn is_over(row: &Value) -> bool {
    matches!(status(row), "Filled" | "Cancelled")
}

/// What a status that was told claims.
#[derive(PartialEq, Eq)]
enum Claim {
    Filled,
    Ended,
    Works,
    Nothing,
}

fn claim(told: &str) -> Claim {
    match told.to_lowercase().as_str() {
        "filled" => Claim::Filled,
        "cancelled" | "apicancelled" | "expired" | "rejected" => Claim::Ended,
        "submitted" | "presubmitted" | "pendingsubmit" | "pendingcancel" => Claim::Works,
        _ => Claim::Nothing,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => {
            one == other
                || one.as_str().zip(other.as_str()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
        }
    }
}

impl Judge<'_> {
    /// Whether the broker itself has said otherwise of this order shortly before.
    fn is_excused(&self, order: u64, truth: &Truth) -> bool {
        self.remains.deeds.iter().any(|done| {
            let is_shown = matches!(done.what, "status shown" | "glimpsed" | "hidden");
            is_shown
                && done.order == order
                && done.began <= truth.ended
                && truth.began <= done.ended + BELIEVED
        })
    }

    /// What was done to an order while a call was under way.
    fn meanwhile<'s>(&'s self, order: u64, truth: &'s Truth) -> impl Iterator<Item = &'s Done> {
        let (began, ended) = (truth.began, truth.ended + Duration::from_millis(50));
        let deeds = self.remains.deeds.iter().filter(move |done| done.order == order);
        deeds.filter(move |done| {
            done.began <= ended && began <= done.ended + Duration::from_millis(20)
        })
    }

    fn is_revived(&self, order: u64) -> bool {
        self.remains.deeds.iter().any(|done| done.order == order && done.what == "revived")
    }

    /// What an answer says about an order that was sent from here, or about what a request is about.
    fn order(&self, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        let order = number(&answer["orderId"]).map(|order| order as u64);
        if answer["request"] == "place" {
            self.placed(answer, truth, told);
            if let Some(order) = order {
                match row_of(&truth.after, order) {
                    None => told.push(format!("orderId {order}, and the broker has no such order")),
                    Some(row)
                        if row["cOID"] != answer["clientOrderId"]
                            || !self.ours.contains(&order) =>
                    {
                        told.push(format!("orderId {order} is another order: {row}"));
                    }
                    Some(_) => {}
                }
            }
        }
        if let (Some(order), Some(status)) = (order, answer["standing"]["status"].as_str()) {
            self.standing(order, status, number(&answer["standing"]["filled"]), truth, told);
        }
    }

    /// `placed` and `not_placed`, against what the broker has under the name.
    fn placed(&self, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        let placements = rows(&self.remains.placements, "placements");
        let is_risen =
            |order: u64| placements.iter().any(|p| id(p) == order && p["zombie"] == true);
        let named = rows(&truth.after, "orders")
            .iter()
            .find(|row| row["cOID"] == answer["clientOrderId"] && self.ours.contains(&id(row)));
        match (answer["status"].as_str(), named) {
            (Some("placed"), None) => {
                told.push("placed, and the broker has nothing of it".to_owned())
            }
            (Some("not_placed"), Some(row)) => {
                let is_void = is_over(row) && number(&row["filled"]) == Some(0.0);
                if !is_void && !is_risen(id(row)) {
                    told.push(format!("not placed, and the broker has it: {row}"));
                }
            }
            _ => {}
        }
    }

    /// An end that is told has come, and no more is filled than is.
    fn standing(
        &self,
        order: u64,
        word: &str,
        filled: Option<f64>,
        truth: &Truth,
        told: &mut Vec<String>,
    ) {
        let Some(row) = row_of(&truth.after, order) else { return };
        if self.is_excused(order, truth) {
            return;
        }
        let is_so = match claim(word) {
            Claim::Filled => status(row) == "Filled",
            Claim::Ended => is_over(row) || self.is_revived(order),
            Claim::Works | Claim::Nothing => true,
        };
        if !is_so {
            told.push(format!("order {order} is told as {word}: {row}"));
        }
        let has = number(&row["filled"]).unwrap_or_default();
        if filled.is_some_and(|filled| filled > has + 1e-9) {
            told.push(format!("of order {order} {filled:?} are told as filled: {row}"));
        }
    }

    /// A page is never late: what did not change while it was read is as it says.
    fn page(&self, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        let Some(word) = answer["status"].as_str() else { return };
        let order = id(answer);
        let rows = (row_of(&truth.before, order), row_of(&truth.after, order));
        let (Some(before), Some(after)) = rows else { return };
        if self.is_excused(order, truth) || self.meanwhile(order, truth).next().is_some() {
            return;
        }
        let is_so = match claim(word) {
            Claim::Filled => status(after) == "Filled",
            Claim::Ended => is_over(after),
            Claim::Works => !is_over(before),
            Claim::Nothing => true,
        };
        if !is_so {
            told.push(format!("the page of order {order} says {word}: {after}"));
        }
        for (said, field) in [("quantity", "quantity"), ("filled", "filled"), ("tif", "tif")] {
            let is_still = same(&before[field], &after[field]);
            if is_still && !answer[said].is_null() && !same(&answer[said], &after[field]) {
                told.push(format!(
                    "the page of order {order} says {said} {}: {after}",
                    answer[said]
                ));
            }
        }
        if after["type"] == "LMT" && same(&before["price"], &after["price"]) {
            let limit = &answer["price"];
            if !limit.is_null() && !same(limit, &after["price"]) {
                told.push(format!("the page of order {order} says price {limit}: {after}"));
            }
        }
    }

    /// No order twice, none of ours missing, the count that of the rows, no end that has not come, and none taken
    /// back.
    fn list(&self, answer: &Value, truth: &Truth, earlier: &[Heard], told: &mut Vec<String>) {
        let listed = rows(answer, "orders");
        let mut seen = BTreeSet::new();
        for row in listed {
            if !seen.insert(id(row)) {
                told.push(format!("order {} is listed twice", id(row)));
            }
            if let Some(word) = row["status"].as_str() {
                self.standing(id(row), word, number(&row["filled"]), truth, told);
            }
            if row_of(&truth.after, id(row)).is_none() {
                told.push(format!("order {} is listed, and the broker has no such order", id(row)));
            }
        }
        let working = listed.iter().filter(|row| row["working"] == true).count();
        if answer["working"].as_u64() != Some(working as u64) {
            told.push(format!("working is {}, and {working} rows work", answer["working"]));
        }
        for order in self.told_before(truth.began, earlier) {
            self.known(order, answer, truth, told);
        }
        for order in self.ended_before(truth.began, earlier) {
            let row = listed.iter().find(|row| id(row) == order);
            let is_dead =
                row_of(&truth.before, order).is_some_and(is_over) && !self.is_revived(order);
            if is_dead
                && row.is_some_and(|row| row["working"] == true)
                && !self.is_excused(order, truth)
            {
                told.push(format!("order {order} was told as over, and is listed as working"));
            }
        }
    }

    /// An order that was told as placed, and works, is in the list.
    fn known(&self, order: u64, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        let rows_of = (row_of(&truth.before, order), row_of(&truth.after, order));
        let (Some(before), Some(after)) = rows_of else { return };
        let works = |row: &Value| !is_over(row) && status(row) != "Inactive";
        let is_asked = rows(answer, "accounts").contains(&after["account"])
            && rows(answer, "notRead").is_empty();
        let is_there = |name: &str| rows(answer, name).iter().any(|row| id(row) == order);
        if self.is_excused(order, truth) {
            return;
        }
        if works(before) && works(after) && is_asked && !is_there("orders") && !is_there("fromHere")
        {
            told.push(format!("order {order} was told as placed, works, and is not listed"));
        }
    }

    fn told_before(&self, at: Instant, earlier: &[Heard]) -> BTreeSet<u64> {
        let placed = earlier.iter().filter(|heard| is_before(heard, at));
        let placed = placed.filter_map(|heard| heard.answer.as_ref());
        let placed =
            placed.filter(|answer| answer["request"] == "place" && answer["status"] == "placed");
        placed.map(id).filter(|order| self.ours.contains(order)).collect()
    }

    fn ended_before(&self, at: Instant, earlier: &[Heard]) -> BTreeSet<u64> {
        let answers = earlier.iter().filter(|heard| is_before(heard, at));
        let answers = answers.filter_map(|heard| heard.answer.as_ref());
        let over = answers.filter(|answer| {
            let word = answer["standing"]["status"].as_str().map(claim);
            matches!(word, Some(Claim::Filled | Claim::Ended))
        });
        over.map(id).filter(|order| *order != 0).collect()
    }

    /// What is told of a change or an end as done.
    fn request(&self, heard: &Heard, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        match (answer["request"].as_str(), answer["outcome"].as_str()) {
            (Some("modify"), Some("done")) if heard.tool == "modify_order" => {
                self.changed(&heard.arguments, id(answer), truth, told);
            }
            (Some("cancel"), Some("done")) => match id(answer) {
                0 => self.all_ended(answer, truth, told),
                order => {
                    let is_open = row_of(&truth.after, order).is_none_or(|row| !is_over(row));
                    if is_open && !self.is_revived(order) && !self.is_excused(order, truth) {
                        told.push(format!("order {order} was to end: done, and it works"));
                    }
                }
            },
            _ => {}
        }
    }

    fn all_ended(&self, answer: &Value, truth: &Truth, told: &mut Vec<String>) {
        for before in rows(&truth.before, "orders") {
            let order = id(before);
            let was_open = before["account"] == answer["account"] && !is_over(before);
            let is_open = row_of(&truth.after, order).is_some_and(|row| !is_over(row));
            let is_excused = self.is_revived(order) || self.is_excused(order, truth);
            if was_open
                && is_open
                && !is_excused
                && self.ours.contains(&order)
                && status(before) != "Inactive"
            {
                told.push(format!("all were to end: done, and order {order} works"));
            }
        }
    }

    /// What was named is there, and what was not named is as it was.
    fn changed(&self, wanted: &Value, order: u64, truth: &Truth, told: &mut Vec<String>) {
        let rows_of = (row_of(&truth.before, order), row_of(&truth.after, order));
        let (Some(before), Some(after)) = rows_of else {
            return told
                .push(format!("order {order} was changed: done, and there is no such order"));
        };
        let others: Vec<&Done> = self.meanwhile(order, truth).collect();
        if is_over(after) {
            return;
        }
        for field in TERMS {
            let by_others = others.iter().any(|done| same(&done.row[field], &after[field]));
            let (is_so, what) = if wanted[field].is_null() {
                (same(&before[field], &after[field]), "was not named")
            } else {
                (same(&wanted[field], &after[field]), "was named")
            };
            if !is_so && !by_others {
                told.push(format!(
                    "order {order} was changed: done; {field} {what}, was {}, and is {}",
                    before[field], after[field]
                ));
            }
        }
    }

    /// What a person changed at TWS stays, unless a later change from here names it.
    fn changes_stay(&self, findings: &mut Findings) {
        for field in ["quantity", "price", "tif"] {
            let what = format!("changed {field}");
            let orders: BTreeSet<u64> =
                self.remains.deeds.iter().filter(|d| d.what == what).map(|d| d.order).collect();
            for order in orders {
                let last = self.remains.deeds.iter().rfind(|d| d.what == what && d.order == order);
                let row = row_of(&self.remains.orders, order);
                let (Some(last), Some(row)) = (last, row) else { continue };
                // Two hands of a person may change it at once.
                let mut meant = self
                    .remains
                    .deeds
                    .iter()
                    .filter(|d| d.what == what && d.order == order && d.ended >= last.began);
                if !self.is_named_after(order, field, last.began)
                    && !meant.any(|done| same(&done.row[field], &row[field]))
                {
                    findings.wrong.push(format!(
                        "a person changed {field} of order {order} to {}, and it is {} again",
                        last.row[field], row[field]
                    ));
                }
            }
        }
    }

    /// Whether a change from here that may have come after this names the field.
    fn is_named_after(&self, order: u64, field: &str, at: Instant) -> bool {
        let name = row_of(&self.remains.orders, order).map(|row| &row["cOID"]);
        self.remains.heard.iter().filter(|heard| heard.tool == "modify_order").any(|heard| {
            let intent = heard.arguments["intentId"].as_str().map(|intent| format!("ibd{intent}"));
            let is_of = intent.is_none() || intent.as_deref() == name.and_then(Value::as_str);
            let is_later = heard.truth.as_ref().is_none_or(|truth| truth.ended >= at);
            is_of && is_later && !heard.arguments[field].is_null()
        })
    }
}

fn is_before(heard: &Heard, at: Instant) -> bool {
    heard.truth.as_ref().is_some_and(|truth| truth.ended < at)
}
