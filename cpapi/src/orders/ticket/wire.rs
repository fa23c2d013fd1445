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
        let pricing = ticket.pricing;
        Self {
            acct_id: ticket.acct_id,
            conid: ticket.conid,
            conidex: ticket.conidex,
            sec_type: ticket.sec_type,
            c_oid: ticket.c_oid,
            parent_id: ticket.parent_id,
            order_type: pricing.order_type(),
            listing_exchange: ticket.listing_exchange,
            is_single_group: ticket.is_single_group,
            outside_rth: ticket.outside_rth,
            price: pricing.price(),
            aux_price: pricing.aux_price(),
            side: ticket.side,
            ticker: ticket.ticker,
            tif: ticket.tif,
            trailing_amt: pricing.trail().map(|trail| Ratio::new(trail.by)),
            trailing_type: pricing.trail().map(|trail| trail.of),
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
    use crate::orders::{Deal, Instrument, Pricing, Size, Trail};

    fn price(text: &str) -> Price {
        Price::from_broker(text).unwrap()
    }

    fn ticket(pricing: Pricing) -> Ticket {
        let size = Size::Quantity(Quantity::from_broker("5").unwrap());
        let deal = Deal { side: Side::Buy, size, pricing, tif: Tif::Day };
        let instrument = Instrument::Conid("265598".parse().unwrap());
        Ticket::new("DU1234567".parse().unwrap(), instrument, deal)
    }

    fn json(ticket: &Ticket) -> String {
        serde_json::to_string(ticket).unwrap()
    }

    #[test]
    fn every_kind_puts_its_prices_where_the_broker_wants_them() {
        let trail = Trail { by: "2.5".parse().unwrap(), of: TrailingType::Percent };
        let (stop, limit) = (price("149.00"), price("150.05"));
        for (pricing, expected) in [
            (Pricing::Market, r#""orderType":"MKT","side""#),
            (Pricing::Limit(limit), r#""orderType":"LMT","price":150.05,"side""#),
            (Pricing::Stop(stop), r#""orderType":"STP","price":149,"side""#),
            (
                Pricing::StopLimit { stop, limit },
                r#""orderType":"STOP_LIMIT","price":150.05,"auxPrice":149,"side""#,
            ),
            (
                Pricing::Trail { trail, stop: Some(stop) },
                r#""orderType":"TRAIL","price":149,"side":"BUY","tif":"DAY","trailingAmt":2.5,"trailingType":"%""#,
            ),
            (Pricing::Trail { trail, stop: None }, r#""orderType":"TRAIL","side":"BUY""#),
            (
                Pricing::TrailLimit { trail, stop: Some(stop), limit },
                r#""orderType":"TRAILLMT","price":150.05,"auxPrice":149,"side":"BUY","tif":"DAY","trailingAmt":2.5,"#,
            ),
            (Pricing::MidPrice(None), r#""orderType":"MIDPRICE","side""#),
            (Pricing::MidPrice(Some(limit)), r#""orderType":"MIDPRICE","price":150.05,"side""#),
        ] {
            let ticket = ticket(pricing);
            let json = json(&ticket);
            assert!(json.contains(expected), "{json}");
        }
    }

    #[test]
    fn only_what_is_set_is_sent_and_every_key_is_spelled_as_the_broker_spells_it() {
        let mut full = ticket(Pricing::Market);
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
            let ticket = ticket(Pricing::Limit(price(text)));
            let json = json(&ticket);
            assert!(json.contains(&format!(r#""price":{text},"#)), "{json}");
        }
    }

    #[test]
    fn text_from_outside_stays_on_one_line() {
        let mut ticket = ticket(Pricing::Market);
        ticket.ticker = Some("A\r\nB".into());
        assert!(!json(&ticket).contains(['\r', '\n']));
    }
}
