//! The checker: what clients were told, what the journal says and what the broker did, held against the
//! invariants of docs/faults.md. Pure; it knows nothing of how a run went.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ibd::orders::{
    End, Intent, IntentId, IntentState as State, NotPlaced, Part, Purpose, Record, Seen, Standing,
};
use ibd_journal::Entry;
use serde_json::Value;

use crate::beside::Done;
use crate::client::Heard;
use crate::limits;
use crate::plan::{Manner, PARK, Plan};
use crate::truth::{self, rows};

/// What is left of a run.
#[derive(Debug)]
pub struct Remains {
    pub entries: Vec<Entry>,
    pub heard: Vec<Heard>,
    /// What the same keys answer when all is over.
    pub again: Vec<Heard>,
    /// `GET /placements`
    pub placements: Value,
    /// `GET /orders`, when all was settled.
    pub orders_before: Value,
    /// The same, when the daemon was gone: the broker may have gone on between.
    pub orders: Value,
    /// `GET /requests`
    pub requests: Value,
    /// What was done beside the clients.
    pub deeds: Vec<Done>,
    /// The wall clock was wrong at some time, so that times cannot be compared.
    pub clock_jumped: bool,
    /// The journal's disk failed at some time, so that steps may be missing at the end of a life.
    pub disk_failed: bool,
    /// Somebody else is in front of the simulator: its record of requests is not ours alone.
    pub is_outside: bool,
}

/// What the checker found.
#[derive(Debug, Default)]
pub struct Findings {
    pub duplicates: Vec<String>,
    pub lost: Vec<String>,
    pub wrong: Vec<String>,
    /// Answers that contradict what the broker had then.
    pub untrue: Vec<String>,
    /// Answers that were held against it.
    pub held: u64,
    pub intents: u64,
    pub parked: u64,
    /// Outcomes that were told and could not be journalled, because the disk failed.
    pub unwritten: u64,
    pub unknown_settled: u64,
    /// Milliseconds from unknown to settled, by the journal's clock.
    pub unknown_times: Vec<u64>,
    pub states: BTreeMap<&'static str, u64>,
}

impl Findings {
    pub fn all(&self) -> impl Iterator<Item = String> {
        let tagged = |tag: &'static str, list: &[String]| {
            list.iter().map(move |text| format!("{tag}: {text}")).collect::<Vec<_>>()
        };
        let all = [
            tagged("DUPLICATE", &self.duplicates),
            tagged("LOST", &self.lost),
            tagged("WRONG", &self.wrong),
            tagged("UNTRUE", &self.untrue),
        ];
        all.into_iter().flatten()
    }
}

/// An intent's life, as the journal tells it.
pub struct Told {
    pub intent: Intent,
    /// Number, time (milliseconds since 1970) and state of each step, the first included.
    pub steps: Vec<(u64, i64, State)>,
}

impl Told {
    pub fn last(&self) -> &State {
        &self.steps[self.steps.len() - 1].2
    }

    fn sent(&self) -> Option<(u64, i64)> {
        let sent = self.steps.iter().find(|(.., state)| matches!(state, State::Sending));
        sent.map(|(seq, at, _)| (*seq, *at))
    }
}

/// Holds what is left of a run against the invariants.
pub fn check(plan: &Plan, remains: &Remains) -> Findings {
    let mut findings = Findings::default();
    let told = read(remains, &mut findings);
    count(&told, &mut findings);
    once(plan, &told, remains, &mut findings);
    sending_precedes(&told, remains, &mut findings);
    nothing_told_is_lost(plan, &told, remains, &mut findings);
    ends_are_true(&told, remains, &mut findings);
    egress(&told, remains, &mut findings);
    same_key_same_intent(&told, remains, &mut findings);
    targets_are_meant(&told, remains, &mut findings);
    limits::hold(plan, &told, remains, &mut findings);
    truth::hold(remains, &mut findings);
    findings
}

/// Reads the journal; I4, I6 and I8 on the way.
fn read(remains: &Remains, findings: &mut Findings) -> BTreeMap<IntentId, Told> {
    let mut told: BTreeMap<IntentId, Told> = BTreeMap::new();
    for entry in &remains.entries {
        let at = entry.at.as_millisecond();
        match Record::from_bytes(&entry.payload) {
            Err(error) => findings.wrong.push(format!("record {}: {error}", entry.seq)),
            Ok(Record::Intent(intent)) => {
                let steps = vec![(entry.seq, at, intent.state.clone())];
                let id = intent.id;
                if told.insert(id, Told { intent: *intent, steps }).is_some() {
                    findings.wrong.push(format!("I7: {id} is entered twice"));
                }
            }
            Ok(Record::Became { id, state, .. }) => {
                let state = *state;
                let in_round = told.values().find(|other| {
                    other.intent.id != id && other.last().is_in_round() && !remains.disk_failed
                });
                if let (State::Sending, Some(other)) = (&state, in_round) {
                    let text =
                        format!("I6: {id} is sent while {} is in its round", other.intent.id);
                    findings.wrong.push(text);
                }
                match told.get_mut(&id) {
                    None => {
                        findings.wrong.push(format!("{id} becomes something before it is entered"))
                    }
                    Some(one) => {
                        let may_be = |state| {
                            is_sighting(one.last(), state) || is_of_its_parts(one.last(), state)
                        };
                        let may_be = |state| may_be(state) || is_shown_falsely(state, remains);
                        if one.last().is_over() && !may_be(&state) {
                            let text =
                                format!("I4: {id} was {:?} and became {state:?}", one.last());
                            findings.wrong.push(text);
                        }
                        if let (State::Awaiting(approval), State::Ready) = (one.last(), &state)
                            && approval.digest != one.intent.digest()
                        {
                            findings.wrong.push(format!("I8: {id} is not what was approved"));
                        }
                        one.holds(&state, remains, findings);
                        one.steps.push((entry.seq, at, state));
                    }
                }
            }
            Ok(_) => {}
        }
    }
    told
}

/// What was told as not placed is there after all, or what was called cancelled goes on: the ends that may still
/// become something, because the broker shows it.
fn is_sighting(before: &State, after: &State) -> bool {
    match before {
        State::Denied(_) | State::Over(End::Rejected(_) | End::NotPlaced(_)) => {
            after.standing().is_some_and(|standing| standing.risen.is_some())
        }
        State::Over(End::Cancelled(before)) => after.standing().is_some_and(|after| {
            after.filled.unwrap_or_default() >= before.filled.unwrap_or_default()
        }),
        _ => false,
    }
}

/// Whether the broker itself said something else of this order at some time than was true.
fn is_shown_falsely(state: &State, remains: &Remains) -> bool {
    let order = state.standing().map(|standing| standing.order_id.get());
    let is_it = |done: &&Done| Some(done.order) == order;
    remains
        .deeds
        .iter()
        .filter(is_it)
        .any(|done| matches!(done.what, "status shown" | "glimpsed" | "hidden"))
}

impl Told {
    /// What a step says by itself: nothing is filled of which nothing is, and no question is answered with yes
    /// that somebody agreed to in other words.
    fn holds(&self, state: &State, remains: &Remains, findings: &mut Findings) {
        let id = self.intent.id;
        if let State::Over(End::Filled(standing)) = state
            && standing.filled.unwrap_or_default().is_zero()
            && !remains.deeds.iter().any(|done| done.what == "status shown")
        {
            findings.wrong.push(format!("{id} is filled, and nothing of it is: {standing:?}"));
        }
        if let State::Replying { questions, .. } = state {
            let agreed = &self.intent.agreed_to;
            let is_reworded = questions.iter().any(|question| {
                agreed.iter().any(|one| one.id == question.id)
                    && !agreed.contains(question)
                    && question.id.as_deref() == Some("o999")
            });
            if is_reworded {
                findings.wrong.push(format!("{id}: yes to what nobody agreed to: {questions:?}"));
            }
        }
    }
}

/// A change and an end go to the order that was meant, or to one that came with it.
fn targets_are_meant(told: &BTreeMap<IntentId, Told>, remains: &Remains, findings: &mut Findings) {
    let by_tws: BTreeSet<u64> = rows(&remains.placements, "placements")
        .iter()
        .filter(|row| row["by"] == "tws")
        .filter_map(|row| row["orderId"].as_u64())
        .collect();
    for one in told.values().filter(|one| one.sent().is_some()) {
        let (of, order_id) = match &one.intent.purpose {
            Purpose::Cancel { order_id, of: Some(of) } => (of, order_id.get()),
            Purpose::Modify { order_id, of: Some(of), .. } => (of, order_id.get()),
            _ => continue,
        };
        let orders = rows(&remains.orders, "orders");
        let find = |order: u64| orders.iter().find(|row| row["orderId"].as_u64() == Some(order));
        let is_named = |row: &Value| {
            id_of(row) == Some(*of)
                && !by_tws.contains(&row["orderId"].as_u64().unwrap_or_default())
        };
        let is_meant = find(order_id).is_some_and(|row| {
            let parent = row["parentId"].as_u64().and_then(find);
            is_named(row) || parent.is_some_and(is_named)
        });
        if !is_meant {
            findings.wrong.push(format!(
                "{} ({}) was sent for {of}, and order {order_id} is another: {:?}",
                one.intent.id,
                one.intent.text,
                find(order_id)
            ));
        }
    }
}

fn count(told: &BTreeMap<IntentId, Told>, findings: &mut Findings) {
    for one in told.values() {
        findings.intents += 1;
        *findings.states.entry(one.last().name()).or_default() += 1;
        findings.parked += u64::from(matches!(one.last(), State::Parked(_)));
        let is_doubt = |s: &State| matches!(s, State::Unknown(_) | State::Parked(_));
        let doubted = one.steps.iter().position(|(.., s)| is_doubt(s));
        let Some(doubted) = doubted.filter(|_| !is_doubt(one.last())) else { continue };
        findings.unknown_settled += 1;
        if let Some((_, settled, _)) = one.steps[doubted..].iter().find(|(.., s)| !is_doubt(s)) {
            let millis = settled - one.steps[doubted].1;
            findings.unknown_times.push(u64::try_from(millis).unwrap_or_default());
        }
    }
}

pub fn id_of(row: &Value) -> Option<IntentId> {
    IntentId::of_client_order_id(row["cOID"].as_str()?)
}

/// Whether a declined question's order came alive.
fn has_risen(remains: &Remains, one: &Told) -> bool {
    rows(&remains.placements, "placements")
        .iter()
        .any(|placement| placement["zombie"] == true && id_of(placement) == Some(one.intent.id))
}

/// I1, and more: of each thing that a client wanted there is at most one order.
fn once(plan: &Plan, told: &BTreeMap<IntentId, Told>, remains: &Remains, findings: &mut Findings) {
    let all = rows(&remains.placements, "placements");
    // What a person entered at TWS is nobody's second order, whatever its name.
    let placements: Vec<&Value> = all.iter().filter(|row| row["by"] != "tws").collect();
    let mut by_name: HashMap<&str, u32> = HashMap::new();
    for row in &placements {
        if let Some(name) = row["cOID"].as_str() {
            *by_name.entry(name).or_default() += 1;
        }
    }
    for (name, count) in by_name.iter().filter(|(_, count)| **count > 1) {
        findings.duplicates.push(format!("I1: {name} was accepted {count} times"));
    }
    let parents: HashMap<&Value, bool> = rows(&remains.orders, "orders")
        .iter()
        .map(|row| (&row["orderId"], row["parentId"].is_null()))
        .collect();
    // Refused, and seen to have ended without a fill before that was said: the next try is no second order.
    let is_refused = |placement: &&Value| {
        let is_said = id_of(placement)
            .and_then(|id| told.get(&id))
            .is_some_and(|one| matches!(one.last(), State::Over(End::Rejected(_))));
        let orders = rows(&remains.orders, "orders");
        let order = orders.iter().find(|row| row["orderId"] == placement["orderId"]);
        let has_ended = |row: &Value| {
            matches!(row["status"].as_str(), Some("Cancelled" | "Inactive"))
                && row["filled"].as_f64() == Some(0.0)
        };
        is_said && order.is_some_and(has_ended)
    };
    for wish in &plan.wishes {
        let most = if wish.manner == Manner::Twice { 2 } else { 1 };
        let own: Vec<&Value> = placements
            .iter()
            .copied()
            .filter(|row| row["quantity"].as_f64() == Some(wish.quantity as f64))
            .filter(|row| parents.get(&row["orderId"]).copied().unwrap_or(true))
            .filter(|row| !is_refused(row))
            .collect();
        if own.len() > most {
            let names: Vec<String> =
                own.iter().map(|row| format!("{}={}", row["orderId"], row["cOID"])).collect();
            findings.duplicates.push(format!(
                "wish {} ({} of {}, {:?}) became {} orders: {}",
                wish.number,
                wish.quantity,
                wish.symbol,
                wish.manner,
                own.len(),
                names.join(", ")
            ));
        }
    }
}

/// I2 and I5: before anything is at the broker, the journal says that it is being sent.
fn sending_precedes(told: &BTreeMap<IntentId, Told>, remains: &Remains, findings: &mut Findings) {
    for row in rows(&remains.placements, "placements").iter().filter(|row| row["by"] != "tws") {
        let Some(id) = id_of(row) else { continue };
        let Some(one) = told.get(&id) else {
            findings.lost.push(format!("I2: the broker has {row}, the journal knows no {id}"));
            continue;
        };
        let Some((_, at)) = one.sent() else {
            findings.lost.push(format!("I2: the broker has {row}, {id} was never being sent"));
            continue;
        };
        let accepted = row["acceptedMs"].as_i64().unwrap_or_default();
        // The simulator's clock counts from its reset, so its milliseconds may be one off.
        // Where it was moved on at the end, that much is no delay.
        let late = at - accepted;
        let is_moved_on = (-3_000..=2).contains(&(late - PARK * 1_000));
        if !remains.clock_jumped && !is_moved_on && late > 2 {
            findings.lost.push(format!(
                "I2: {id} was accepted at {accepted} and journalled {} ms later",
                at - accepted
            ));
        }
    }
}

/// I3: what a client was told of is in the journal, and as it was told.
fn nothing_told_is_lost(
    plan: &Plan,
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    let placed = placed(remains);
    for heard in &remains.heard {
        let Some(text) = heard.intent() else { continue };
        let Some(one) = text.parse::<IntentId>().ok().and_then(|id| told.get(&id)) else {
            // An end of an order goes out although the journal cannot be written: orders.md, decision 9.
            let is_end = heard.tool == "cancel_order" && remains.disk_failed;
            // A refusal of our own that the journal cannot say either.
            let is_refusal = heard.status() == "not_placed" && remains.disk_failed;
            if is_refusal || is_end {
                // That nothing of it was sent is seen at the broker: no order there is without an intent.
                continue;
            }
            findings.lost.push(format!("I3: {} was told of {text}: {}", heard.key, heard.status()));
            continue;
        };
        let names = one.steps.iter().map(|(.., state)| state.name());
        let steps: Vec<&str> = names.collect();
        let is_so = match heard.status() {
            "placed" => one.steps.iter().any(|(.., s)| {
                matches!(
                    s,
                    State::Working(_)
                        | State::Over(
                            End::Filled(_) | End::Cancelled(_) | End::Done | End::Requested
                        )
                )
            }),
            // That it was not sent, or what the broker said, could not be written: the next daemon has its
            // doubts, and what was told is true.
            "not_placed" if remains.disk_failed && one.last().is_in_doubt() => {
                findings.unwritten += 1;
                !placed.contains(&one.intent.id)
            }
            // That it was declined, or that nobody answered in time: the next daemon waits for an answer again.
            "not_placed" if remains.disk_failed && matches!(one.last(), State::Awaiting(_)) => {
                findings.unwritten += 1;
                !placed.contains(&one.intent.id)
            }
            // Declined, which could not be written either; and the order came alive all the same.
            "not_placed" if remains.disk_failed && has_risen(remains, one) => {
                findings.unwritten += 1;
                true
            }
            // The same of an end or a change: what the order itself became is held below.
            "not_placed" if remains.disk_failed && heard.tool != "place_order" => true,
            "not_placed" => {
                matches!(
                    one.last(),
                    State::Denied(_)
                        | State::Over(End::Rejected(_) | End::NotPlaced(_) | End::NotTaken)
                ) || one.steps.iter().any(|(.., state)| {
                    state.standing().is_some_and(|standing| standing.risen.is_some())
                })
            }
            "needs_confirmation" => one.steps.iter().any(|(.., s)| matches!(s, State::Awaiting(_))),
            // Written or not: it is honest.
            _ => true,
        };
        if !is_so {
            findings.lost.push(format!(
                "I3: {} was told {} of {text}, the journal says {}",
                heard.key,
                heard.status(),
                steps.join(" → ")
            ));
        }
    }
    // What was refused, for the last time, with "nothing was sent".
    let mut last: BTreeMap<&str, &Heard> = BTreeMap::new();
    for heard in remains.heard.iter().filter(|heard| heard.tool == "place_order") {
        last.insert(&heard.key, heard);
    }
    let sure = ["trading_closed", "no_session", "invalid_argument", "trading_frozen"];
    for heard in last.values().filter(|heard| sure.contains(&heard.status())) {
        let is_named =
            plan.wishes.iter().any(|w| w.number == heard.wish && w.manner == Manner::Named);
        let key = format!("call/{}", heard.key);
        let sent = told.values().find(|one| one.intent.origin.key == key && one.sent().is_some());
        // What the failing disk took all the same waited for a person, who has said yes since.
        let is_approved = |one: &&Told| {
            let was_shown = |step: &(u64, i64, State)| matches!(step.2, State::Awaiting(_));
            remains.disk_failed && one.steps.iter().any(was_shown)
        };
        let sent = sent.filter(|one| !is_approved(one));
        if let (Some(one), false) = (sent, is_named) {
            findings.wrong.push(format!(
                "{} was refused ({}), and {} was sent all the same",
                heard.key,
                heard.status(),
                one.intent.id
            ));
        }
    }
}

/// What the broker accepted, ever.
fn placed(remains: &Remains) -> BTreeSet<IntentId> {
    let own = rows(&remains.placements, "placements").iter().filter(|row| row["by"] != "tws");
    own.filter_map(id_of).collect()
}

/// I9 and I11: how it ended is how it is at the broker.
fn ends_are_true(told: &BTreeMap<IntentId, Told>, remains: &Remains, findings: &mut Findings) {
    let placed = placed(remains);
    let by_id = |orders: &Value| -> HashMap<IntentId, Value> {
        let of_tws: Vec<&Value> = rows(&remains.placements, "placements")
            .iter()
            .filter(|row| row["by"] == "tws")
            .map(|row| &row["orderId"])
            .collect();
        let rows = rows(orders, "orders").iter().filter(|row| !of_tws.contains(&&row["orderId"]));
        rows.filter_map(|row| Some((id_of(row)?, row.clone()))).collect()
    };
    let (before, orders) = (by_id(&remains.orders_before), by_id(&remains.orders));
    for (id, one) in told.iter().filter(|(_, one)| one.intent.purpose == Purpose::Place) {
        let row = orders.get(id);
        let problem = match one.last() {
            State::Denied(_) | State::Over(End::Rejected(_) | End::NotPlaced(_))
                if placed.contains(id) && !is_void(row) =>
            {
                Some("I11: and the broker accepted it")
            }
            State::Over(End::NotPlaced(NotPlaced::ByPerson)) => Some("nobody resolved anything"),
            state if is_true(state, row) || is_true(state, before.get(id)) => None,
            _ => Some("I9: and the broker says otherwise"),
        };
        if let Some(problem) = problem {
            findings.wrong.push(format!("{id} is {:?}: {problem}: {row:?}", one.last()));
        }
        let parts = one.last().standing().map(|standing| standing.others.as_slice());
        for part in parts.unwrap_or_default() {
            let is_it = |row: &&Value| row["orderId"].as_u64() == Some(part.order_id.get());
            let is_so = |rows_of: &Value| {
                let row = rows(rows_of, "orders").iter().find(is_it);
                is_true_of_part(part, row)
            };
            if !is_so(&remains.orders) && !is_so(&remains.orders_before) {
                findings.wrong.push(format!("{id}: {part:?} is not so"));
            }
        }
    }
    for (id, one) in told {
        let is_settled = one.last().is_settled() && !matches!(one.last(), State::Unknown(_));
        if !is_settled {
            findings.wrong.push(format!("{id} is not settled: {:?}", one.last()));
        }
    }
}

/// The broker has it, and it ended without a fill: as good as nothing.
fn is_void(row: Option<&Value>) -> bool {
    row.is_some_and(|row| row["status"] == "Cancelled" && row["filled"].as_f64() == Some(0.0))
}

/// Whether only other orders of the submission moved, and none of them came back.
fn is_of_its_parts(before: &State, after: &State) -> bool {
    let (Some(one), Some(other)) = (before.standing(), after.standing()) else { return false };
    let alone = |standing: &Standing| Standing { others: Vec::new(), ..standing.clone() };
    let is_kept = |part: &Part| {
        let now = other.part(part.order_id);
        now.is_some_and(|now| !part.is_over() || now.is_over())
    };
    before.name() == after.name() && alone(one) == alone(other) && one.others.iter().all(is_kept)
}

/// Whether what is said to be over of a submission's other orders is, and nothing else.
fn is_true_of_part(part: &Part, row: Option<&Value>) -> bool {
    let status = row.and_then(|row| row["status"].as_str());
    match part.status.as_ref().map(Seen::as_str) {
        Some(over @ ("Filled" | "Cancelled")) => status == Some(over),
        Some("Unlisted" | "Missing") => status.is_none(),
        // Its end may have come since the last look.
        _ => status.is_some(),
    }
}

/// Whether a state and the broker's row agree.
pub fn is_true(state: &State, row: Option<&Value>) -> bool {
    let status = row.and_then(|row| row["status"].as_str());
    let filled = row.and_then(|row| row["filled"].as_f64());
    let says = |standing: &Standing| {
        let known: f64 = standing.filled.map_or(0.0, |f| f.to_string().parse().unwrap_or(f64::NAN));
        filled.is_none_or(|filled| (filled - known).abs() < 1e-9)
    };
    match state {
        State::Working(_) => status.is_some_and(|status| !matches!(status, "Filled" | "Cancelled")),
        State::Over(End::Filled(standing)) => status == Some("Filled") && says(standing),
        State::Over(End::Cancelled(standing)) => status == Some("Cancelled") && says(standing),
        State::Parked(_) => status.is_none(),
        _ => status.is_none() || is_void(row),
    }
}

/// No more requests left than the journal knows of (the check that Knight Capital lacked).
fn egress(told: &BTreeMap<IntentId, Told>, remains: &Remains, findings: &mut Findings) {
    if remains.is_outside {
        return;
    }
    let requests = rows(&remains.requests, "requests");
    let sent = |wanted: &str, is: fn(&str) -> bool| {
        let matching = requests.iter().filter(|request| {
            request["method"] == wanted && request["path"].as_str().is_some_and(is)
        });
        matching.count()
    };
    let steps = |is: fn(&Told, &State) -> bool| {
        told.values()
            .map(|one| one.steps.iter().filter(|(.., state)| is(one, state)).count())
            .sum::<usize>()
    };
    let orders = sent("POST", |path| path.ends_with("/orders"));
    let sendings =
        steps(|one, state| one.intent.purpose == Purpose::Place && matches!(state, State::Sending));
    let replies = sent("POST", |path| path.contains("/iserver/reply/"));
    let answers =
        steps(|_, state| matches!(state, State::Replying { .. } | State::Declining { .. }));
    if orders > sendings {
        findings.wrong.push(format!("I5: {orders} orders left, the journal knows of {sendings}"));
    }
    if replies > answers {
        findings.wrong.push(format!("I5: {replies} replies left, the journal knows of {answers}"));
    }
}

/// I7: the same key is the same intent, for ever.
fn same_key_same_intent(
    told: &BTreeMap<IntentId, Told>,
    remains: &Remains,
    findings: &mut Findings,
) {
    let mut by_key: BTreeMap<(&str, &str), BTreeSet<IntentId>> = BTreeMap::new();
    for heard in remains.heard.iter().chain(&remains.again) {
        let id = heard.intent().and_then(|text| text.parse::<IntentId>().ok());
        if let Some(id) = id.filter(|id| told.contains_key(id)) {
            by_key.entry((heard.tool, &heard.key)).or_default().insert(first(told, id));
        }
    }
    for ((tool, key), ids) in by_key.iter().filter(|(_, ids)| ids.len() > 1) {
        findings.wrong.push(format!("I7: {tool} {key} became {ids:?}"));
    }
}

/// The intent whose question this one, in the end, is the answer to.
fn first(told: &BTreeMap<IntentId, Told>, id: IntentId) -> IntentId {
    let mut id = id;
    while let Some(before) = told.get(&id).and_then(|one| one.intent.follows) {
        id = before;
    }
    id
}
