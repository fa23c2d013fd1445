//! Executions: `/iserver/account/trades`, and the same rows on the stream.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Lane, Path};
use crate::id::{AccountId, Conid, OrderId};
use crate::lenient;
use crate::money::{Amount, Price, Quantity};
use crate::orders::Side;
use crate::pace::Window;
use crate::rows::Rows;

/// Days back that the broker keeps executions here.
pub const MAX_DAYS: u8 = 7;

/// Executions of the last days, in no order; at most once in five seconds. The first call of a
/// session may answer nothing although there are some.
#[derive(Debug, Clone, Copy)]
pub struct GetTrades {
    /// 1 is today; at most [`MAX_DAYS`].
    pub days: u8,
}

/// One fill.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Row")]
pub struct Execution {
    /// Unique; the same fill comes again, later with its commission.
    pub execution_id: String,
    /// The order it belongs to.
    pub order_id: Option<OrderId>,
    /// The client order id of that order.
    pub order_ref: Option<String>,
    /// Whose.
    pub account: Option<AccountId>,
    /// The contract.
    pub conid: Option<Conid>,
    /// The symbol.
    pub symbol: Option<String>,
    /// Which way.
    pub side: Option<Side>,
    /// How many.
    pub size: Quantity,
    /// At what price.
    pub price: Option<Price>,
    /// Missing at first.
    pub commission: Option<Amount>,
    /// Money that changed hands, without commission.
    pub net_amount: Option<Amount>,
    /// Where.
    pub exchange: Option<String>,
    /// `STK`, `OPT`, …
    pub sec_type: Option<SecType>,
    /// When.
    pub time: Option<Timestamp>,
    /// IBKR's one line about it.
    pub description: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::req")]
    execution_id: String,
    #[serde(default, deserialize_with = "lenient::opt")]
    order_id: Option<OrderId>,
    #[serde(default, deserialize_with = "lenient::opt")]
    order_ref: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    account: Option<AccountId>,
    #[serde(rename = "accountCode", default, deserialize_with = "lenient::opt")]
    account_code: Option<AccountId>,
    #[serde(default, deserialize_with = "lenient::opt")]
    conid: Option<Conid>,
    #[serde(default, deserialize_with = "lenient::opt")]
    symbol: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    side: Option<String>,
    // A fill of unknown size would make every sum wrong, so it is no fill.
    size: Quantity,
    #[serde(default, deserialize_with = "lenient::opt")]
    price: Option<Price>,
    #[serde(default, deserialize_with = "lenient::opt")]
    commission: Option<Amount>,
    #[serde(default, deserialize_with = "lenient::opt")]
    net_amount: Option<Amount>,
    #[serde(default, deserialize_with = "lenient::opt")]
    exchange: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    sec_type: Option<SecType>,
    #[serde(default, deserialize_with = "lenient::opt")]
    trade_time: Option<String>,
    #[serde(default, deserialize_with = "lenient::millis")]
    trade_time_r: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::opt")]
    order_description: Option<String>,
}

impl From<Row> for Execution {
    fn from(row: Row) -> Self {
        let written = || lenient::utc("%Y%m%d-%H:%M:%S", row.trade_time.as_deref()?);
        Self {
            time: row.trade_time_r.or_else(written),
            execution_id: row.execution_id,
            order_id: row.order_id,
            order_ref: row.order_ref,
            account: row.account.or(row.account_code),
            conid: row.conid,
            symbol: row.symbol,
            side: row.side.and_then(|side| side.parse().ok()),
            size: row.size,
            price: row.price,
            // -1 is "not known yet".
            commission: row.commission.filter(|paid| paid.get() != Decimal::NEGATIVE_ONE),
            net_amount: row.net_amount,
            exchange: row.exchange,
            sec_type: row.sec_type,
            description: row.order_description,
        }
    }
}

impl Endpoint for GetTrades {
    type Reply = Rows<Execution>;
    const NAME: &'static str = "iserver/account/trades";
    const WINDOW: Option<Window> = Some(Window::one_in(5));
    const LANE: Lane = Lane::Vital;
    const CACHE: Duration = Duration::from_secs(5);

    fn path(&self) -> Path {
        Path::new("/iserver/account/trades").query("days", self.days.clamp(1, MAX_DAYS))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn a_fill_is_read_exactly() {
        let trades: Rows<Execution> = fixtures::reply("trades");
        let fill = &trades[0];
        assert_eq!(fill.execution_id, "0000aaaa.12345678.01.01");
        assert_eq!(fill.side, Some(Side::Buy));
        assert_eq!(fill.size.to_string(), "5");
        assert_eq!(fill.price.unwrap().to_string(), "305.12");
        assert_eq!(fill.commission.unwrap().to_string(), "1");
        assert_eq!(fill.order_ref.as_deref(), Some("sim-4"));
        assert_eq!(fill.time.unwrap().to_string(), "2026-11-02T18:00:49Z");
    }

    #[test]
    fn a_fill_may_have_no_commission_yet() {
        let trades: Rows<Execution> = fixtures::reply("trades_uncharged");
        assert!(trades.iter().any(|fill| fill.commission.is_none()));
    }

    #[test]
    fn what_is_missing_stays_missing_and_the_time_is_read_from_either_field() {
        let json = r#"[{"execution_id":"a","size":"1,000.5","side":"S","order_id":0,
            "trade_time":"20261102-18:00:49","accountCode":"DU1234567","conid":-1}]"#;
        let trades: Vec<Execution> = serde_json::from_str(json).unwrap();
        let fill = &trades[0];
        assert_eq!((fill.order_id, fill.commission, fill.conid), (None, None, None));
        assert_eq!(fill.side, Some(Side::Sell));
        assert_eq!(fill.size.to_string(), "1000.5");
        assert_eq!(fill.account.as_ref().unwrap().as_str(), "DU1234567");
        assert_eq!(fill.time.unwrap().to_string(), "2026-11-02T18:00:49Z");
    }

    #[test]
    fn the_days_stay_within_what_the_broker_keeps() {
        let path = |days| GetTrades { days }.path().as_str().to_owned();
        assert_eq!(path(0), "/iserver/account/trades?days=1");
        assert_eq!(path(200), "/iserver/account/trades?days=7");
    }
}
