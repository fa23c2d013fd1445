//! What a row of market data says, read once for tools and guardrails alike. Pure.

use ibd_cpapi::snapshot::{Availability, Field, LastKind, Row, Signs};
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::gives_nothing;
use crate::contracts::hours::Market;

/// What kind of prices these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// As it happens.
    Live,
    /// 15 to 20 minutes late.
    Delayed,
    /// The last ones before the close.
    Frozen,
    /// There are none.
    None,
    /// IBKR did not say.
    Unknown,
}

impl Data {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Delayed => "delayed",
            Self::Frozen => "frozen",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// The same where it is known whether the market is open: nothing moves in one that is closed, whatever IBKR calls
    /// its prices.
    #[must_use]
    pub fn in_market(self, market: Option<Market>) -> Self {
        match (self, market) {
            (Self::Live, Some(Market::Closed)) => Self::Frozen,
            (data, _) => data,
        }
    }
}

/// What a last price is that is no trade of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastIs {
    /// The last session's close.
    Close,
    /// The close before the present session.
    PriorClose,
    /// The last trade before a halt.
    Halted,
}

impl LastIs {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::PriorClose => "priorClose",
            Self::Halted => "halted",
        }
    }
}

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing came in time.
    NotReceived,
    /// IBKR has no data of it.
    NoData,
    /// The agreement is not signed.
    NotAcknowledged,
    /// No subscription for its market.
    NotSubscribed,
    /// The rest came, and this did not.
    NotGiven,
    /// Nobody stands behind one now.
    Nobody,
}

impl Why {
    /// For a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReceived => {
                "not received within a few seconds; ask again (IBKR follows 100 contracts at once for a user)"
            }
            Self::NoData => "IBKR has no data for this contract",
            Self::NotAcknowledged => {
                "the market data agreement is not signed in IBKR's Client Portal"
            }
            Self::NotSubscribed => "no market data subscription for this exchange",
            Self::NotGiven => "IBKR gave no value within a few seconds",
            Self::Nobody => "nobody bids or offers at present",
        }
    }
}

/// One contract's quote. What is not known is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What kind of prices.
    pub data: Data,
    /// The last price, whatever it is.
    pub last: Option<Decimal>,
    /// What it is, where it is no trade of now.
    pub last_is: Option<LastIs>,
    /// The last trade of today, else the mark; no close of before.
    pub traded: Option<Decimal>,
    /// The best bid at which something is wanted.
    pub bid: Option<Decimal>,
    /// The best ask at which something is offered.
    pub ask: Option<Decimal>,
    /// When IBKR last updated it.
    pub updated: Option<Timestamp>,
    /// Why a price that one would expect is absent.
    pub why: Why,
    row: Option<Row>,
}

impl Quote {
    /// A quote from what has come. `signs`: which prices the contract can have.
    pub fn of(row: Option<&Row>, signs: Signs) -> Self {
        let known = row.filter(|row| row.has_data());
        Self {
            data: data(known),
            // Where prices are above zero anything else is a word for "none".
            last: known
                .and_then(|row| row.number(Field::Last))
                .filter(|last| signs == Signs::Any || *last > Decimal::ZERO),
            last_is: known.and_then(last_is),
            traded: known.and_then(|row| row.traded(signs)),
            // -1 and 0 without a size are IBKR's words for "none".
            bid: known.and_then(|row| row.bid(signs)),
            ask: known.and_then(|row| row.ask(signs)),
            updated: known.and_then(|row| row.updated),
            why: why(known),
            row: known.cloned(),
        }
    }

    /// Why a bid, an ask or a last price is absent.
    pub fn why(&self, field: Field) -> Why {
        if self.number(field).is_some() { Why::Nobody } else { self.why }
    }

    /// Any other field.
    pub fn number(&self, field: Field) -> Option<Decimal> {
        self.row.as_ref()?.number(field)
    }

    /// Whether it is what a live quote was when its market closed.
    pub fn is_of_the_close(&self) -> bool {
        self.row.as_ref().and_then(Row::availability) == Some(Availability::Frozen)
    }

    /// Whether it is of now.
    pub fn is_live(&self) -> bool {
        self.row.as_ref().and_then(Row::availability) == Some(Availability::Realtime)
    }
}

fn data(row: Option<&Row>) -> Data {
    let Some(row) = row.filter(|row| !row.is_unknown()) else { return Data::None };
    match row.availability() {
        // Whoever has live data sees the close while the market is closed.
        Some(Availability::Realtime) => match last_is(row) {
            None | Some(LastIs::Halted) => Data::Live,
            Some(LastIs::Close | LastIs::PriorClose) => Data::Frozen,
        },
        Some(Availability::Delayed) => Data::Delayed,
        Some(Availability::Frozen | Availability::FrozenDelayed) => Data::Frozen,
        Some(Availability::NotSubscribed | Availability::NotAcknowledged) => Data::None,
        None => Data::Unknown,
    }
}

/// After a close IBKR's last price is that session's close, and its prior close the one before: they are told apart.
fn last_is(row: &Row) -> Option<LastIs> {
    match row.last_kind()? {
        LastKind::Trade => None,
        LastKind::PriorClose => {
            let [last, prior] = [Field::Last, Field::PriorClose].map(|field| row.number(field));
            let is_other = prior.is_some() && last != prior;
            Some(if is_other { LastIs::Close } else { LastIs::PriorClose })
        }
        LastKind::Halted => Some(LastIs::Halted),
    }
}

fn why(row: Option<&Row>) -> Why {
    let Some(row) = row else { return Why::NotReceived };
    if row.is_unknown() {
        return Why::NoData;
    }
    match row.availability() {
        Some(Availability::NotAcknowledged) => Why::NotAcknowledged,
        Some(availability) if gives_nothing(availability) => Why::NotSubscribed,
        _ => Why::NotGiven,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_quote_says_what_its_prices_are_and_why_one_is_missing() {
        let quote = |values: &str| {
            let row: Row =
                serde_json::from_str(&format!(r#"{{"conid":1,"_updated":1{values}}}"#)).unwrap();
            let quote = Quote::of(Some(&row), Signs::Positive);
            (quote.data, quote.last_is, quote.traded.is_some(), quote.why)
        };
        for (values, expected) in [
            (r#","6509":"RpB","31":"9""#, (Data::Live, None, true, Why::NotGiven)),
            (r#","6509":"DPB","31":"9""#, (Data::Delayed, None, true, Why::NotGiven)),
            (
                r#","6509":"RpB","31":"C9","7741":"9""#,
                (Data::Frozen, Some(LastIs::PriorClose), false, Why::NotGiven),
            ),
            (
                r#","6509":"RpB","31":"C9","7741":"8""#,
                (Data::Frozen, Some(LastIs::Close), false, Why::NotGiven),
            ),
            (r#","6509":"RpB","31":"H9""#, (Data::Live, Some(LastIs::Halted), true, Why::NotGiven)),
            (r#","6509":"N""#, (Data::None, None, false, Why::NotSubscribed)),
            (r#","6509":"O""#, (Data::None, None, false, Why::NotAcknowledged)),
            (r#","31":"9""#, (Data::Unknown, None, true, Why::NotGiven)),
            (r#","55":"-","31":"N/A""#, (Data::None, None, false, Why::NoData)),
        ] {
            assert_eq!(quote(values), expected, "{values}");
        }
        let open = Market::Open(Timestamp::UNIX_EPOCH);
        for (data, market, expected) in [
            (Data::Live, Some(open), Data::Live),
            (Data::Live, Some(Market::Extended), Data::Live),
            (Data::Live, Some(Market::Closed), Data::Frozen),
            // Whether it is open is not known: it is what IBKR says.
            (Data::Live, None, Data::Live),
            (Data::Delayed, Some(Market::Closed), Data::Delayed),
            (Data::None, Some(Market::Closed), Data::None),
            (Data::Unknown, Some(Market::Closed), Data::Unknown),
            (Data::Frozen, Some(open), Data::Frozen),
        ] {
            assert_eq!(data.in_market(market), expected, "{data:?} {market:?}");
        }
        assert_eq!(Quote::of(None, Signs::Any).why, Why::NotReceived);
        let none: Row = serde_json::from_str(
            r#"{"conid":1,"_updated":1,"6509":"RpB","31":"-1","84":"-1","88":"0"}"#,
        )
        .unwrap();
        let quote = Quote::of(Some(&none), Signs::Positive);
        assert_eq!((quote.last, quote.bid), (None, None));
        assert_eq!((quote.why(Field::Bid), quote.why(Field::Ask)), (Why::Nobody, Why::NotGiven));
    }
}
