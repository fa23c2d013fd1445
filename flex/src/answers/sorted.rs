//! The order of an answer's rows, where one is asked for.

use rust_decimal::Decimal;

use super::{Answer, Table};
use crate::cell::Cell;
use crate::question::Sort;

/// Columns of amounts, the best first: those in base can be compared with each other.
const AMOUNTS: [&str; 14] = [
    "realisedInBase",
    "dividendsInBase",
    "interestInBase",
    "withheldInBase",
    "netInBase",
    "amountInBase",
    "valueInBase",
    "realised",
    "dividends",
    "interest",
    "withheld",
    "net",
    "amount",
    "value",
];
/// The same of rows that are told one by one.
const OF_ROWS: [&str; 2] = ["proceeds", "total"];
const TIMES: [&str; 5] = ["time", "day", "date", "month", "year"];

/// What the amounts of an answer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amounts {
    /// Gains and losses: the largest is the best.
    Signed,
    /// What was paid, as negative amounts: the largest is what cost most.
    Costs,
}

/// Sorts the table, and says by what; what has no amount comes last.
pub(super) fn sort(answer: &mut Answer, sort: Sort, amounts: Amounts) {
    let table = &mut answer.table;
    let is_of_time = matches!(sort, Sort::Newest | Sort::Oldest);
    let columns: Vec<&'static str> =
        if is_of_time { TIMES.to_vec() } else { AMOUNTS.into_iter().chain(OF_ROWS).collect() };
    let Some((at, name)) = column(table, &columns) else {
        return answer.notes.push("there is nothing to sort these rows by".to_owned());
    };
    let is_down = matches!(sort, Sort::Largest | Sort::Newest);
    table.rows.sort_by(|one, other| {
        let (one, other) = (one.get(at), other.get(at));
        let (has_one, has_other) = (has(one), has(other));
        let order = if amounts == Amounts::Costs && !is_of_time {
            one.and_then(cost).cmp(&other.and_then(cost))
        } else {
            one.cmp(&other)
        };
        let order = if is_down { order.reverse() } else { order };
        has_other.cmp(&has_one).then(order)
    });
    let has_currency = table.cols.iter().any(|col| col == "currency");
    if !is_of_time && has_currency && !name.ends_with("InBase") {
        answer.notes.push(format!("sorted by {name}, each amount in its own currency"));
    }
}

/// How large a cost is: what was paid is negative, and what came back makes it smaller.
fn cost(cell: &Cell) -> Option<Decimal> {
    match cell {
        Cell::Number(number) => Some(-*number),
        _ => None,
    }
}

fn column(table: &Table, names: &[&'static str]) -> Option<(usize, &'static str)> {
    names.iter().find_map(|name| {
        let at = table.cols.iter().position(|col| col == name)?;
        let is_used = table.rows.iter().any(|row| has(row.get(at)));
        is_used.then_some((at, *name))
    })
}

fn has(cell: Option<&Cell>) -> bool {
    cell.is_some_and(|cell| *cell != Cell::Missing)
}
