//! The broker's spelling of a ticket.

use serde::Serialize;

use super::Ticket;
use crate::id::{AccountId, ClientOrderId, Conid};
use crate::money::{Amount, Price, Quantity, Ratio};
use crate::orders::words::{OrderType, Side, Tif, TrailingType};

/// The ticket as the broker spells it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire {
    acct_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    conid: Option<Conid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conidex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    #[serde(rename = "cOID", skip_serializing_if = "Option::is_none")]
    c_oid: Option<ClientOrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<ClientOrderId>,
    order_type: OrderType,
    #[serde(skip_serializing_if = "Option::is_none")]
    listing_exchange: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_single_group: Option<bool>,
    #[serde(rename = "outsideRTH", skip_serializing_if = "Option::is_none")]
    outside_rth: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aux_price: Option<Price>,
    side: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticker: Option<String>,
    tif: Tif,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_amt: Option<Ratio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_type: Option<TrailingType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Quantity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_qty: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manual_indicator: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lenient::FromBroker;
    use crate::orders::ticket::{Deal, Instrument, Size, Terms, Trailing};

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
    fn every_kind_puts_its_prices_where_the_broker_wants_them() {
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
    }

    #[test]
    fn no_digit_is_lost_or_made_up() {
        for text in ["0.1", "123456789012.123456789", "0.00000001", "-37.63", "300000"] {
            let ticket = ticket(Terms::Limit { limit: price(text) });
            let json = json(&ticket);
            assert!(json.contains(&format!(r#""price":{text},"#)), "{json}");
        }
    }

    #[test]
    fn text_from_outside_stays_on_one_line() {
        let mut ticket = ticket(Terms::Market);
        ticket.ticker = Some("A\r\nB".into());
        assert!(!json(&ticket).contains(['\r', '\n']));
    }
}
