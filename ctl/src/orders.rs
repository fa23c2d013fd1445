//! `ibctl orders`: what needs a person, and what works.

pub(crate) mod resolve;
mod rows;

use std::time::Duration;

use clap::Subcommand;
use ibd_protocol::{ApprovalReport, OrderReport, OrdersReport, OrdersVerb, states};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use crate::daemon::Fault;
use crate::screen::Screen;
use crate::talk::{self, Talk};
use crate::{Context, Ended, answer};

/// Characters of our ids that are shown. They begin with the time, so their ends differ.
const SHORT: usize = 6;
/// Fewer characters name no order.
const LEAST: usize = 4;
/// What was seen of other orders is known by heart, or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// What to do about one.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Settle by hand an order of which nobody could find out what became of it
    Resolve(resolve::Args),
}

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut talk = Talk::present(context).await?;
    let report = talk.look(OrdersVerb::List).await?;
    // A daemon that does not know the question is one that has nothing to tell.
    let asked = timeout(PATIENCE, talk.ask(OrdersVerb::Elsewhere)).await;
    let elsewhere = asked.ok().and_then(Result::ok);
    let text = text(&report, elsewhere.as_ref(), (Timestamp::now(), Screen::of_stdout().width()));
    let elsewhere = elsewhere.filter(|told| told.ok).map(|told| told.orders);
    answer(context, &All { report: &report, elsewhere }, &text)?;
    Ok(Ended::Fine)
}

/// The report, and what was not sent from here.
#[derive(Serialize)]
struct All<'a> {
    #[serde(flatten)]
    report: &'a OrdersReport,
    /// As last seen at IBKR; null: nothing is known of it.
    elsewhere: Option<Vec<OrderReport>>,
}

/// The end of an id of ours, as it is shown; commands take it.
pub(crate) fn short(intent: &str) -> &str {
    let from = intent.char_indices().rev().nth(SHORT - 1).map_or(0, |(at, _)| at);
    &intent[from..]
}

/// Whether somebody who says this means that order: all of its id, or its end.
pub(crate) fn is_named(intent: &str, said: &str) -> bool {
    let is_end = || {
        let from = intent.len().checked_sub(said.len());
        let end = from.and_then(|from| intent.get(from..));
        said.len() >= LEAST && end.is_some_and(|end| end.eq_ignore_ascii_case(said))
    };
    intent.eq_ignore_ascii_case(said) || is_end()
}

/// What waits for a yes, as lines.
pub(crate) fn waiting(approvals: &[ApprovalReport]) -> String {
    rows::approvals(approvals, Timestamp::now(), Screen::of_stdout().width()).join("\n")
}

/// Orders, as lines.
fn table(orders: &[&OrderReport]) -> Vec<String> {
    rows::orders(orders, Timestamp::now(), Screen::of_stdout().width())
}

/// Orders that are alike for a person, those that need one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Parked,
    Waiting,
    InDoubt,
    Working,
    Other,
    Elsewhere,
}

impl Group {
    const ALL: [Self; 6] =
        [Self::Parked, Self::Waiting, Self::InDoubt, Self::Working, Self::Other, Self::Elsewhere];

    fn of(order: &OrderReport) -> Self {
        // Of what was entered in TWS, on a phone or by another program there is no intent.
        if order.intent_id.is_empty() {
            return Self::Elsewhere;
        }
        match order.state.known() {
            Some(states::Order::Parked) => Self::Parked,
            Some(states::Order::AwaitingApproval) => Self::Waiting,
            Some(states::Order::Unknown) => Self::InDoubt,
            // Also one that is over itself, and of whose submission another one works.
            _ if order.open => Self::Working,
            _ => Self::Other,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Parked => {
                "Parked: nobody could find out whether IBKR has them; look there, then \
                 `ibctl orders resolve`"
            }
            Self::Waiting => "Waiting for your approval: `ibctl approve ID`, `ibctl deny ID`",
            Self::InDoubt => "In doubt: whether IBKR has them is being found out",
            Self::Working => "Working",
            Self::Other => "Over within a day",
            Self::Elsewhere => "At IBKR, entered elsewhere, as last seen there",
        }
    }
}

fn text(
    report: &OrdersReport,
    elsewhere: Option<&OrdersReport>,
    (now, width): (Timestamp, usize),
) -> String {
    let mut parts = vec![talk::text(report)];
    for group in Group::ALL {
        // Their approvals say more.
        let has_approval = |order: &OrderReport| {
            report.approvals.iter().any(|one| one.intent_id == order.intent_id)
        };
        let is_shown = |order: &&OrderReport| {
            Group::of(order) == group && !(group == Group::Waiting && has_approval(order))
        };
        let mut lines = Vec::new();
        if group == Group::Waiting {
            lines.extend(rows::approvals(&report.approvals, now, width));
        }
        let orders: Vec<&OrderReport> = report.orders.iter().filter(is_shown).collect();
        lines.extend(rows::orders(&orders, now, width));
        if !lines.is_empty() {
            parts.push(format!("{}\n{}", group.title(), lines.join("\n")));
        }
    }
    parts.retain(|part| !part.is_empty());
    if report.orders.is_empty() && report.approvals.is_empty() {
        parts.push("No order that was sent from here works, waits or is in doubt.".to_owned());
    }
    parts.extend(beside(elsewhere, (now, width)));
    parts.join("\n\n")
}

/// What was entered in TWS, on a phone or by another program, as far as that is known without asking IBKR.
fn beside(elsewhere: Option<&OrdersReport>, (now, width): (Timestamp, usize)) -> Option<String> {
    let told = elsewhere?;
    if !told.ok {
        return Some(talk::text(told));
    }
    let orders: Vec<&OrderReport> = told.orders.iter().collect();
    let lines = rows::orders(&orders, now, width);
    (!lines.is_empty()).then(|| format!("{}\n{}", Group::Elsewhere.title(), lines.join("\n")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn order(intent: &str, state: states::Order) -> OrderReport {
        OrderReport {
            intent_id: intent.into(),
            account: "U7654321".into(),
            state: state.into(),
            text: format!("BUY 10 {intent}"),
            client: "codex".into(),
            since: "then".into(),
            open: state != states::Order::Rejected,
            ..Default::default()
        }
    }

    #[test]
    fn what_needs_a_person_comes_first_and_accounts_are_whole() {
        let approval =
            ApprovalReport { id: "a1".into(), intent_id: "W".into(), ..Default::default() };
        let parked = OrderReport {
            reason: Some("Not seen.".into()),
            hint: "Look there.".into(),
            ..order("P", states::Order::Parked)
        };
        let report = OrdersReport {
            ok: true,
            text: "Trading is open.".into(),
            orders: vec![
                order("O", states::Order::Rejected),
                order("K", states::Order::Working),
                order("D", states::Order::Unknown),
                order("W", states::Order::AwaitingApproval),
                parked,
            ],
            approvals: vec![approval],
            ..Default::default()
        };
        let told = text(&report, None, (Timestamp::now(), 100));
        let at = |what: &str| told.find(what).unwrap_or_else(|| unreachable!("{what} in {told}"));
        let order = ["Trading is open.", "BUY 10 P", "a1", "BUY 10 D", "BUY 10 K", "BUY 10 O"];
        assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{told}");
        assert!(told.contains("    Not seen.\n    Look there."), "{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
        assert!(told.contains("U7654321") && !told.contains("BUY 10 W"), "{told}");
    }

    #[test]
    fn an_empty_list_says_so() {
        let told = |elsewhere: Option<&OrdersReport>| {
            text(&OrdersReport::default(), elsewhere, (Timestamp::now(), 100))
        };
        let none = "No order that was sent from here works, waits or is in doubt.";
        assert_eq!(told(None), none);
        // Not known is not "no".
        let unknown = OrdersReport { text: "That is not known.".into(), ..Default::default() };
        assert_eq!(told(Some(&unknown)), format!("{none}\n\nThat is not known."));
        let foreign = OrderReport {
            order_id: Some("987".into()),
            text: "SELL 5 AAPL STP 240 GTC".into(),
            since: "then".into(),
            state: states::Order::Working.into(),
            ..Default::default()
        };
        let seen = OrdersReport { ok: true, orders: vec![foreign], ..Default::default() };
        let told = told(Some(&seen));
        assert!(told.contains("entered elsewhere") && told.contains("SELL 5 AAPL"), "{told}");
    }

    #[test]
    fn an_order_is_named_by_its_id_or_the_end_that_is_shown() {
        let intent = "01M8QZ0R3DN0NV457EZ5PR9TJJ";
        assert_eq!((short(intent), short("I1"), short("")), ("PR9TJJ", "I1", ""));
        for said in [intent, "pr9tjj", "9TJJ", "01m8qz0r3dn0nv457ez5pr9tjj"] {
            assert!(is_named(intent, said), "{said}");
        }
        for said in ["", "TJJ", "PR9TJK", "01M8", "x01M8QZ0R3DN0NV457EZ5PR9TJJ"] {
            assert!(!is_named(intent, said), "{said}");
        }
        assert!(is_named("I1", "I1"));
    }
}
