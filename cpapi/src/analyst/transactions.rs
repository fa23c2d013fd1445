//! What was dealt in a contract, and what was realised on it.

use jiff::civil::Date;
use serde::Deserialize;

use super::track::day;
use crate::id::AccountId;
use crate::lenient;
use crate::money::{Amount, Price, Quantity, Ratio};
use crate::rows::{self, Rows, Unknown};

/// The reply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Transactions {
    /// Trades and dividends.
    #[serde(rename = "transactions", default = "absent", deserialize_with = "rows::field")]
    pub rows: Rows<Transaction>,
    /// What was realised.
    #[serde(rename = "rpnl", default, deserialize_with = "lenient::part")]
    pub realized: Option<Realized>,
    /// Into which rates convert.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// Whether today is in it as it happens.
    #[serde(rename = "includesRealTime", default, deserialize_with = "lenient::opt")]
    pub is_real_time: Option<bool>,
}

/// One trade, or one dividend.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Transaction {
    /// For instance `20261030`.
    #[serde(rename = "rawDate", default, deserialize_with = "lenient::opt")]
    raw: Option<String>,
    /// For instance `Fri Oct 30 00:00:00 EDT 2026`.
    #[serde(rename = "date", default, deserialize_with = "lenient::opt")]
    written: Option<String>,
    /// `Buy`, `Sell`, `Dividend`, …
    #[serde(rename = "type", default, deserialize_with = "lenient::opt")]
    pub kind: Option<String>,
    /// Above zero for what was bought.
    #[serde(rename = "qty", default, deserialize_with = "lenient::opt")]
    pub quantity: Option<Quantity>,
    /// Of one unit, in the currency of the row.
    #[serde(rename = "pr", default, deserialize_with = "lenient::opt")]
    pub price: Option<Price>,
    /// Below zero for what was paid, in the currency of the row.
    #[serde(rename = "amt", default, deserialize_with = "lenient::opt")]
    pub amount: Option<Amount>,
    /// The currency of the row.
    #[serde(rename = "cur", default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// The reply's currency for one unit of the row's.
    #[serde(rename = "fxRate", default, deserialize_with = "lenient::positive")]
    pub rate: Option<Ratio>,
    /// Whose.
    #[serde(rename = "acctid", default, deserialize_with = "lenient::opt")]
    pub account: Option<AccountId>,
}

/// What was realised.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Realized {
    /// Day by day.
    #[serde(default = "absent", deserialize_with = "rows::field")]
    pub data: Rows<Gain>,
    /// In sum, in the reply's currency.
    #[serde(rename = "amt", default, deserialize_with = "lenient::opt")]
    pub sum: Option<Amount>,
}

/// What was realised on one day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Gain {
    #[serde(rename = "date", default, deserialize_with = "lenient::opt")]
    raw: Option<String>,
    /// In the currency of the row. Whether that of a loss is below zero is written down nowhere: see [`Gain::is_loss`].
    #[serde(rename = "amt", default, deserialize_with = "lenient::opt")]
    pub amount: Option<Amount>,
    /// The reply's currency for one unit of the row's.
    #[serde(rename = "fxRate", default, deserialize_with = "lenient::positive")]
    pub rate: Option<Ratio>,
    /// `G` or `L`.
    #[serde(default, deserialize_with = "lenient::opt")]
    side: Option<String>,
}

impl Transaction {
    /// The day.
    pub fn day(&self) -> Option<Date> {
        self.raw.as_deref().and_then(day).or_else(|| written(self.written.as_deref()?))
    }
}

impl Gain {
    /// The day.
    pub fn day(&self) -> Option<Date> {
        self.raw.as_deref().and_then(day)
    }

    /// Whether IBKR calls it a loss, or a gain; nothing where it says neither.
    pub fn is_loss(&self) -> Option<bool> {
        match self.side.as_deref()?.trim() {
            "L" | "l" => Some(true),
            "G" | "g" => Some(false),
            _ => None,
        }
    }
}

/// `Fri Oct 30 00:00:00 EDT 2026`, of which the clock says nothing.
fn written(text: &str) -> Option<Date> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, month, day, _, _, year] = words.as_slice() else { return None };
    Date::strptime("%b %d %Y", format!("{month} {day} {year}")).ok()
}

/// That there is no list is not that it is empty.
fn absent<T>() -> Rows<T> {
    Rows::unknown("there is none")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn trades_and_dividends_are_read_exactly() {
        let reply: Transactions = fixtures::reply("pa_transactions");
        assert_eq!((reply.rows.len(), reply.currency.as_deref()), (3, Some("USD")));
        let bought = &reply.rows[0];
        assert_eq!(bought.day().unwrap().to_string(), "2026-08-10");
        assert_eq!(bought.amount.unwrap().to_string(), "-2686.55");
        assert_eq!(reply.rows[1].kind.as_deref(), Some("Dividend"));
        let realized = reply.realized.unwrap();
        assert_eq!(realized.sum.unwrap().to_string(), "12.25");
        assert_eq!(realized.data[0].amount.unwrap().to_string(), "12.25");
        assert_eq!(realized.data[0].day().unwrap().to_string(), "2026-10-30");
        assert_eq!(realized.data[0].is_loss(), Some(false));
    }

    #[test]
    fn a_day_is_a_loss_or_a_gain_or_nothing_is_said_of_it() {
        for (row, is_loss) in [
            (r#"{"side":"L","amt":"12.25"}"#, Some(true)),
            (r#"{"side":"G"}"#, Some(false)),
            (r#"{"side":"?"}"#, None),
            (r#"{"side":7}"#, None),
            (r#"{"amt":"-12.25"}"#, None),
        ] {
            let row: Gain = serde_json::from_str(row).unwrap();
            assert_eq!(row.is_loss(), is_loss, "{row:?}");
        }
    }

    #[test]
    fn a_day_is_read_in_either_form() {
        for (row, day) in [
            (r#"{"rawDate":"20261030"}"#, Some("2026-10-30")),
            (r#"{"rawDate":20261030}"#, Some("2026-10-30")),
            (r#"{"rawDate":"?","date":"Tue Sep 01 00:00:00 EDT 2026"}"#, Some("2026-09-01")),
            (r#"{"date":"yesterday"}"#, None),
        ] {
            let row: Transaction = serde_json::from_str(row).unwrap();
            assert_eq!(row.day().map(|day| day.to_string()).as_deref(), day);
        }
    }

    #[test]
    fn no_list_is_not_an_empty_one() {
        let none: Transactions = serde_json::from_str("{}").unwrap();
        assert!(!none.rows.is_whole() && none.realized.is_none());
        let odd: Transactions =
            serde_json::from_str(r#"{"transactions":[7,{"type":"Buy","qty":"odd"}]}"#).unwrap();
        assert_eq!((odd.rows.len(), odd.rows.unread().len()), (1, 1));
        assert_eq!(odd.rows[0].quantity, None);
    }
}
