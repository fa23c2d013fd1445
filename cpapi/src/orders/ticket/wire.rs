//! The broker's spelling of a ticket.

use serde::{Deserialize, Serialize};

use super::{Terms, Ticket, Trailing};
use crate::id::{AccountId, ClientOrderId, Conid};
use crate::lenient;
use crate::money::{Amount, Price, Quantity, Ratio};
use crate::orders::words::{OrderType, Side, Tif, TrailingType};

/// The ticket as the broker spells it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    acct_id: AccountId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conid: Option<Conid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conidex: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    #[serde(rename = "cOID", default, skip_serializing_if = "Option::is_none")]
    c_oid: Option<ClientOrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_id: Option<ClientOrderId>,
    order_type: OrderType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listing_exchange: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_single_group: Option<bool>,
    #[serde(rename = "outsideRTH", default, skip_serializing_if = "Option::is_none")]
    outside_rth: Option<bool>,
    #[serde(default, deserialize_with = "lenient::opt", skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(default, deserialize_with = "lenient::opt", skip_serializing_if = "Option::is_none")]
    aux_price: Option<Price>,
    side: Side,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ticker: Option<String>,
    tif: Tif,
    #[serde(default, deserialize_with = "lenient::opt", skip_serializing_if = "Option::is_none")]
    trailing_amt: Option<Ratio>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trailing_type: Option<TrailingType>,
    #[serde(default, deserialize_with = "lenient::opt", skip_serializing_if = "Option::is_none")]
    quantity: Option<Quantity>,
    #[serde(default, deserialize_with = "lenient::opt", skip_serializing_if = "Option::is_none")]
    cash_qty: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manual_indicator: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ext_operator: Option<String>,
}

impl From<Ticket> for Wire {
    fn from(ticket: Ticket) -> Self {
        let terms = ticket.terms;
        Self {
            acct_id: ticket.acct_id,
            conid: ticket.conid,
            conidex: ticket.conidex,
            sec_type: ticket.sec_type,
            c_oid: ticket.c_oid,
            parent_id: ticket.parent_id,
            order_type: terms.order_type(),
            listing_exchange: ticket.listing_exchange,
            is_single_group: ticket.is_single_group,
            outside_rth: ticket.outside_rth,
            price: terms.price(),
            aux_price: terms.aux_price(),
            side: ticket.side,
            ticker: ticket.ticker,
            tif: ticket.tif,
            trailing_amt: terms.trailing().map(|trailing| trailing.distance),
            trailing_type: terms.trailing().map(|trailing| trailing.unit),
            quantity: ticket.quantity,
            cash_qty: ticket.cash_qty,
            manual_indicator: ticket.manual_indicator,
            ext_operator: ticket.ext_operator,
        }
    }
}

/// Why a text is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these prices do not belong to a {0} order")]
pub struct NotATicket(OrderType);

impl TryFrom<Wire> for Ticket {
    type Error = NotATicket;

    fn try_from(wire: Wire) -> Result<Self, NotATicket> {
        let terms = wire.terms().ok_or(NotATicket(wire.order_type))?;
        Ok(Self {
            acct_id: wire.acct_id,
            conid: wire.conid,
            conidex: wire.conidex,
            sec_type: wire.sec_type,
            c_oid: wire.c_oid,
            parent_id: wire.parent_id,
            listing_exchange: wire.listing_exchange,
            is_single_group: wire.is_single_group,
            outside_rth: wire.outside_rth,
            terms,
            side: wire.side,
            ticker: wire.ticker,
            tif: wire.tif,
            quantity: wire.quantity,
            cash_qty: wire.cash_qty,
            manual_indicator: wire.manual_indicator,
            ext_operator: wire.ext_operator,
        })
    }
}

impl Wire {
    /// The kind with exactly the prices it needs. Anything else is not read, because it was not
    /// written by us.
    fn terms(&self) -> Option<Terms> {
        let by = match (self.trailing_amt, self.trailing_type) {
            (Some(distance), Some(unit)) => Some(Trailing { distance, unit }),
            (None, None) => None,
            _ => return None,
        };
        match (self.order_type, self.price, self.aux_price, by) {
            (OrderType::Mkt, None, None, None) => Some(Terms::Market),
            (OrderType::Lmt, Some(limit), None, None) => Some(Terms::Limit { limit }),
            (OrderType::Stp, Some(stop), None, None) => Some(Terms::Stop { stop }),
            (OrderType::StopLimit, Some(limit), Some(stop), None) => {
                Some(Terms::StopLimit { stop, limit })
            }
            (OrderType::Trail, stop, None, Some(by)) => Some(Terms::Trail { stop, by }),
            (OrderType::TrailLmt, Some(limit), Some(stop), Some(by)) => {
                Some(Terms::TrailLimit { stop, limit, by })
            }
            (OrderType::MidPrice, cap, None, None) => Some(Terms::MidPrice { cap }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lenient::FromBroker;
    use crate::orders::ticket::{Deal, Instrument, Size};

    fn price(text: &str) -> Price {
        Price::from_broker(text).unwrap()
    }

    fn ticket(terms: Terms) -> Ticket {
        let size = Size::Units(Quantity::from_broker("5").unwrap());
        let deal = Deal { side: Side::Buy, size, terms, tif: Tif::Day };
        let instrument = Instrument::Conid("265598".parse().unwrap());
        Ticket::new("DU1234567".parse().unwrap(), instrument, deal)
    }

    fn json(ticket: &Ticket) -> String {
        serde_json::to_string(ticket).unwrap()
    }

    #[test]
    fn every_kind_puts_its_prices_where_the_broker_wants_them_and_is_read_back() {
        let by =
            Trailing { distance: Ratio::from_broker("2.5").unwrap(), unit: TrailingType::Percent };
        let (stop, limit) = (price("149.00"), price("150.05"));
        for (terms, expected) in [
            (Terms::Market, r#""orderType":"MKT","side""#),
            (Terms::Limit { limit }, r#""orderType":"LMT","price":150.05,"side""#),
            (Terms::Stop { stop }, r#""orderType":"STP","price":149,"side""#),
            (
                Terms::StopLimit { stop, limit },
                r#""orderType":"STOP_LIMIT","price":150.05,"auxPrice":149,"side""#,
            ),
            (
                Terms::Trail { stop: Some(stop), by },
                r#""orderType":"TRAIL","price":149,"side":"BUY","tif":"DAY","trailingAmt":2.5,"trailingType":"%""#,
            ),
            (Terms::Trail { stop: None, by }, r#""orderType":"TRAIL","side":"BUY""#),
            (
                Terms::TrailLimit { stop, limit, by },
                r#""orderType":"TRAILLMT","price":150.05,"auxPrice":149,"side":"BUY","tif":"DAY","trailingAmt":2.5,"#,
            ),
            (Terms::MidPrice { cap: None }, r#""orderType":"MIDPRICE","side""#),
            (
                Terms::MidPrice { cap: Some(limit) },
                r#""orderType":"MIDPRICE","price":150.05,"side""#,
            ),
        ] {
            let ticket = ticket(terms);
            let json = json(&ticket);
            assert!(json.contains(expected), "{json}");
            assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket, "{json}");
        }
    }

    #[test]
    fn only_what_is_set_is_sent_and_every_key_is_spelled_as_the_broker_spells_it() {
        let mut full = ticket(Terms::Market);
        assert_eq!(
            json(&full),
            r#"{"acctId":"DU1234567","conid":265598,"orderType":"MKT","side":"BUY","tif":"DAY","quantity":5}"#
        );
        full.conid = None;
        full.conidex = Some("265598@NYSE".into());
        full.sec_type = Some("265598:STK".into());
        full.c_oid = Some("ibd1".parse().unwrap());
        full.parent_id = Some("ibd0".parse().unwrap());
        full.listing_exchange = Some("NYSE".into());
        full.is_single_group = Some(true);
        full.outside_rth = Some(false);
        full.ticker = Some("AAPL".into());
        full.quantity = None;
        full.cash_qty = Some(Amount::from_broker("100.10").unwrap());
        full.manual_indicator = Some(false);
        full.ext_operator = Some("ibd".into());
        let json = json(&full);
        assert_eq!(
            json,
            concat!(
                r#"{"acctId":"DU1234567","conidex":"265598@NYSE","secType":"265598:STK","cOID":"ibd1","#,
                r#""parentId":"ibd0","orderType":"MKT","listingExchange":"NYSE","isSingleGroup":true,"#,
                r#""outsideRTH":false,"side":"BUY","ticker":"AAPL","tif":"DAY","cashQty":100.1,"#,
                r#""manualIndicator":false,"extOperator":"ibd"}"#
            )
        );
        assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), full);
    }

    #[test]
    fn no_digit_is_lost_or_made_up() {
        for text in ["0.1", "123456789012.123456789", "0.00000001", "-37.63", "300000"] {
            let ticket = ticket(Terms::Limit { limit: price(text) });
            let json = json(&ticket);
            assert!(json.contains(&format!(r#""price":{text},"#)), "{json}");
            assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ticket);
        }
    }

    #[test]
    fn text_from_outside_stays_on_one_line() {
        let mut ticket = ticket(Terms::Market);
        ticket.ticker = Some("A\r\nB".into());
        assert!(!json(&ticket).contains(['\r', '\n']));
    }

    #[test]
    fn prices_of_another_kind_are_not_read() {
        for rest in [
            r#""orderType":"STP","auxPrice":149"#,
            r#""orderType":"STP"#,
            r#""orderType":"MKT","price":149"#,
            r#""orderType":"LMT","price":149,"auxPrice":1"#,
            r#""orderType":"STOP_LIMIT","price":149"#,
            r#""orderType":"TRAIL","price":149"#,
            r#""orderType":"TRAIL","price":149,"trailingAmt":1"#,
            r#""orderType":"LMT","price":149,"trailingAmt":1,"trailingType":"amt""#,
        ] {
            let json = format!(r#"{{"acctId":"DU1","side":"BUY","tif":"DAY",{rest}}}"#);
            assert!(serde_json::from_str::<Ticket>(&json).is_err(), "{json}");
        }
    }
}
