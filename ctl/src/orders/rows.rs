//! Orders as lines: what is ordered first, and below it whose it is and what is to be said of it.

use ibd_protocol::{ApprovalReport, OrderReport};
use jiff::Timestamp;

use super::{Group, short};
use crate::screen::wrapped;
use crate::terminal::plain;
use crate::times::{ago, until};

/// How far what is said of an order is set in.
const INDENT: usize = 4;
/// Between columns.
const GAP: usize = 2;
/// An order in fewer characters than these is not readable any more.
const LEAST: usize = 30;

/// What stands beside the order's own words.
type Cells = [String; 4];

/// Orders in columns, never wider than `width`, each with what is to be said of it.
pub(super) fn orders(orders: &[&OrderReport], now: Timestamp, width: usize) -> Vec<String> {
    if orders.is_empty() {
        return Vec::new();
    }
    let cells: Vec<Cells> = orders.iter().map(|order| cells(order, now)).collect();
    let columns = Columns::of(orders, &cells, width);
    let mut lines =
        vec![columns.line("ORDER", &["STATE", "SINCE", "ID", "IBKR ID"].map(str::to_owned))];
    for (order, cells) in orders.iter().zip(&cells) {
        lines.extend(columns.row(&plain(&order.text), cells));
        for note in notes(order) {
            lines.extend(set_in(&note, width));
        }
    }
    lines
}

/// What waits for a yes.
pub(super) fn approvals(approvals: &[ApprovalReport], now: Timestamp, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for one in approvals {
        lines.extend(wrapped(&plain(&one.lines.join("; ")), width, INDENT));
        let left = until(&one.expires_at, now).unwrap_or_else(|| one.expires_at.clone());
        let (id, account, client) = (&one.id, &one.account, client(&one.client));
        let kind = if one.paper { "paper" } else { "LIVE" };
        let about =
            format!("approval {id}, {account} ({kind}), asked for by {client}, expires {left}");
        lines.extend(set_in(&plain(&about), width));
    }
    lines
}

fn cells(order: &OrderReport, now: Timestamp) -> Cells {
    // Where the title says it, the column would only repeat it.
    let state = match Group::of(order) {
        Group::Working | Group::Other | Group::Elsewhere => order.state.in_words(),
        Group::Parked | Group::Waiting | Group::InDoubt => String::new(),
    };
    let id = short(&order.intent_id).to_owned();
    let cells = [state, ago(&order.since, now), id, order.order_id.clone().unwrap_or_default()];
    cells.map(|cell| plain(&cell))
}

/// Whose it is and who asked for it; then what there is to say, a sentence a line.
fn notes(order: &OrderReport) -> Vec<String> {
    let whose = match (order.account.as_str(), order.intent_id.as_str()) {
        ("", _) => String::new(),
        (account, "") => account.to_owned(),
        (account, _) => format!("{account}, asked for by {}", client(&order.client)),
    };
    let said = order.reason.iter().chain(&order.others).chain(&order.warnings);
    let said = said.chain(std::iter::once(&order.hint));
    let all = std::iter::once(&whose).chain(said).filter(|note| !note.is_empty());
    all.map(|note| plain(note)).collect()
}

fn client(name: &str) -> &str {
    if name.is_empty() { "(unnamed)" } else { name }
}

fn set_in(note: &str, width: usize) -> Vec<String> {
    wrapped(&format!("{}{note}", " ".repeat(INDENT)), width, INDENT)
}

/// How wide each column is. One in which nothing stands has no width.
struct Columns {
    order: usize,
    cells: [usize; 4],
}

impl Columns {
    fn of(orders: &[&OrderReport], cells: &[Cells], width: usize) -> Self {
        let heads = ["STATE", "SINCE", "ID", "IBKR ID"];
        let mut widths = [0; 4];
        for (at, head) in heads.iter().enumerate() {
            let longest = cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
            widths[at] = if longest == 0 { 0 } else { longest.max(head.len()) };
        }
        let beside: usize = widths.iter().filter(|one| **one > 0).map(|one| one + GAP).sum();
        let longest = orders.iter().map(|order| plain(&order.text).chars().count()).max();
        let room = width.saturating_sub(beside).max(LEAST);
        Self { order: longest.unwrap_or(0).max("ORDER".len()).min(room), cells: widths }
    }

    fn line(&self, order: &str, cells: &Cells) -> String {
        let mut line = format!("{order:<width$}", width = self.order);
        for (cell, width) in cells.iter().zip(self.cells).filter(|(_, width)| *width > 0) {
            let cell = if cell.is_empty() { "-" } else { cell.as_str() };
            line.push_str(&" ".repeat(GAP));
            line.push_str(&format!("{cell:<width$}"));
        }
        line.trim_end().to_owned()
    }

    /// An order that is longer than its column goes on below.
    fn row(&self, order: &str, cells: &Cells) -> Vec<String> {
        let mut parts = wrapped(order, self.order, INDENT).into_iter();
        let first = self.line(&parts.next().unwrap_or_default(), cells);
        std::iter::once(first).chain(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_protocol::states;

    fn now() -> Timestamp {
        "2026-11-23T07:35:00Z".parse().unwrap()
    }

    fn order(text: &str, state: states::Order) -> OrderReport {
        OrderReport {
            intent_id: "01M8QZ0R3DN0NV457EZ5PR9TJJ".into(),
            order_id: Some("1234567895".into()),
            account: "DU1234567".into(),
            state: state.into(),
            text: text.into(),
            client: "claude-code".into(),
            since: "2026-11-23T07:30:00Z".into(),
            reason: Some("order 1234567895 Submitted, filled 0".into()),
            open: true,
            ..Default::default()
        }
    }

    #[test]
    fn the_order_comes_first_and_below_it_whose_it_is() {
        let one = order("BUY 1 AAPL (NASDAQ, USD) LMT 255 DAY", states::Order::Working);
        let expected = [
            "ORDER                                 STATE    SINCE      ID      IBKR ID",
            "BUY 1 AAPL (NASDAQ, USD) LMT 255 DAY  working  5 min ago  PR9TJJ  1234567895",
            "    DU1234567, asked for by claude-code",
            "    order 1234567895 Submitted, filled 0",
        ];
        assert_eq!(orders(&[&one], now(), 100), expected);
    }

    #[test]
    fn whatever_is_ordered_fits_the_width() {
        let legs = "BUY 10 IRON CONDOR SPX (CBOE, USD) 18DEC26 5900P/5950P/6300C/6350C LMT -12.35 GTC ALGO ADAPTIVE";
        let mut long = order(legs, states::Order::NoLongerListed);
        long.hint =
            "IBKR's lists no longer have it. Look at it in TWS, then settle it by hand. ".repeat(3);
        let short = order("BUY 1 AAPL", states::Order::Working);
        for width in [100, 80] {
            let lines = orders(&[&long, &short], now(), width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:#?}");
            let said = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            for word in legs.split(' ') {
                assert!(said.contains(word), "{word} is not lost: {said}");
            }
        }
    }

    #[test]
    fn what_was_entered_elsewhere_is_nobodys_here() {
        let mut one = order("SELL 5 AAPL STP 240 GTC", states::Order::Working);
        (one.intent_id, one.client, one.reason) = (String::new(), String::new(), None);
        let told = orders(&[&one], now(), 100).join("\n");
        assert!(told.ends_with("\n    DU1234567") && !told.contains("ID  "), "{told}");
    }

    #[test]
    fn what_waits_says_for_how_long() {
        let one = ApprovalReport {
            id: "a1".into(),
            account: "U7654321".into(),
            lines: vec!["BUY 10 AAPL".into(), "LMT 200.00 USD, DAY".into()],
            expires_at: "2026-11-23T07:39:30Z".into(),
            ..Default::default()
        };
        let expected = [
            "BUY 10 AAPL; LMT 200.00 USD, DAY",
            "    approval a1, U7654321 (LIVE), asked for by (unnamed), expires in 4 min",
        ];
        assert_eq!(approvals(&[one], now(), 100), expected);
    }
}
