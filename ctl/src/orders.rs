//! `ibctl orders`: what needs a person, and what works.

pub(crate) mod resolve;

use clap::Subcommand;
use ibd_protocol::{OrderReport, OrdersReport, OrdersVerb, states};

use crate::daemon::Fault;
use crate::talk::{self, Talk};
use crate::terminal::plain;
use crate::times::local;
use crate::{Context, Ended, answer, approve, columns};

/// What to do about one.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Settle by hand an order of which nobody could find out what became of it
    Resolve(resolve::Args),
}

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut talk = Talk::present(context).await?;
    let report = talk.look(OrdersVerb::List).await?;
    answer(context, &report, &text(&report))?;
    Ok(Ended::Fine)
}

/// Orders that are alike for a person, those that need one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Parked,
    Waiting,
    InDoubt,
    Working,
    Other,
}

impl Group {
    const ALL: [Self; 5] = [Self::Parked, Self::Waiting, Self::InDoubt, Self::Working, Self::Other];

    fn of(order: &OrderReport) -> Self {
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
            Self::Other => "Others",
        }
    }
}

fn text(report: &OrdersReport) -> String {
    let mut parts = vec![talk::text(report)];
    for group in Group::ALL {
        let orders = report.orders.iter().filter(|order| Group::of(order) == group);
        let mut lines = match group {
            // Their approvals say more.
            Group::Waiting => {
                let has_approval = |order: &&OrderReport| {
                    report.approvals.iter().any(|one| one.intent_id == order.intent_id)
                };
                table(&orders.filter(|order| !has_approval(order)).collect::<Vec<_>>())
            }
            _ => table(&orders.collect::<Vec<_>>()),
        };
        if group == Group::Waiting && !report.approvals.is_empty() {
            lines.insert(0, approve::list(&report.approvals));
        }
        if !lines.is_empty() {
            parts.push(format!("{}\n{}", group.title(), lines.join("\n")));
        }
    }
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        return "No order works, waits or is in doubt.".to_owned();
    }
    parts.join("\n\n")
}

/// The orders in columns, and below each what there is to say about it.
fn table(orders: &[&OrderReport]) -> Vec<String> {
    if orders.is_empty() {
        return Vec::new();
    }
    let rows: Vec<[String; 7]> = orders.iter().map(|order| row(order)).collect();
    let head = ["INTENT", "ORDER ID", "ACCOUNT", "STATE", "CLIENT", "SINCE", "ORDER"];
    let mut table = columns::lines(head, &rows).into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (line, order) in table.zip(orders) {
        lines.push(line);
        let notes = order.reason.iter().chain(&order.others).chain(&order.warnings);
        let notes = notes.chain(std::iter::once(&order.hint)).filter(|note| !note.is_empty());
        lines.extend(notes.map(|note| format!("    {}", plain(note))));
    }
    lines
}

fn row(order: &OrderReport) -> [String; 7] {
    // Where the title says it, the column would only repeat it.
    let state = match Group::of(order) {
        Group::Working | Group::Other => order.state.in_words(),
        _ => String::new(),
    };
    [
        order.intent_id.clone(),
        order.order_id.clone().unwrap_or_default(),
        order.account.clone(),
        state,
        order.client.clone(),
        local(&order.since),
        order.text.clone(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_protocol::ApprovalReport;

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
        let told = text(&report);
        let at = |what: &str| told.find(what).unwrap_or_else(|| unreachable!("{what} in {told}"));
        let order = ["Trading is open.", "BUY 10 P", "a1", "BUY 10 D", "BUY 10 K", "BUY 10 O"];
        assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{told}");
        assert!(told.contains("    Not seen.\n    Look there."), "{told}");
        assert!(told.contains("U7654321") && !told.contains("BUY 10 W"), "{told}");
    }

    #[test]
    fn an_empty_list_says_so() {
        assert_eq!(text(&OrdersReport::default()), "No order works, waits or is in doubt.");
    }
}
