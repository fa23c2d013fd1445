//! Options and futures of an underlying: `/iserver/secdef/strikes`, `/iserver/secdef/info`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::SecType;
use crate::endpoint::{Endpoint, Path};
use crate::id::{Conid, NotAnId};
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::rows::Rows;

/// The strikes of a month. Empty unless [`super::Search`] found this underlying by its symbol before,
/// in this session.
#[derive(Debug, Clone)]
pub struct GetStrikes {
    /// The underlying.
    pub underlying: Conid,
    /// `OPT`, `FOP` or `WAR`.
    pub sec_type: SecType,
    /// For instance `JAN27`.
    pub month: String,
    /// `SMART` if it is left out.
    pub exchange: Option<String>,
}

/// Strikes of calls and of puts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Strikes {
    /// Of calls.
    #[serde(default, deserialize_with = "lenient::list")]
    pub call: Vec<Price>,
    /// Of puts.
    #[serde(default, deserialize_with = "lenient::list")]
    pub put: Vec<Price>,
}

impl Endpoint for GetStrikes {
    type Reply = Strikes;
    const NAME: &'static str = "iserver/secdef/strikes";

    fn path(&self) -> Path {
        let path = Path::new("/iserver/secdef/strikes")
            .query("conid", self.underlying)
            .query("sectype", &self.sec_type)
            .query("month", &self.month);
        match &self.exchange {
            Some(exchange) => path.query("exchange", exchange),
            None => path,
        }
    }
}

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

impl Right {
    /// `C` or `P`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "C",
            Self::Put => "P",
        }
    }
}

impl FromStr for Right {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.trim().to_ascii_uppercase().as_str() {
            "C" | "CALL" => Ok(Self::Call),
            "P" | "PUT" => Ok(Self::Put),
            _ => Err(NotAnId::new(format!("{text:?} is neither C (call) nor P (put)"))),
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Right {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Right {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl lenient::FromBroker for Right {
    fn from_broker(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The contracts of a month: for an option one for each expiry and trading class with this strike and
/// right, for a future one.
#[derive(Debug, Clone)]
pub struct GetOptionInfo {
    /// The underlying.
    pub underlying: Conid,
    /// `OPT`, `FOP`, `WAR` or `FUT`.
    pub sec_type: SecType,
    /// For instance `JAN27`.
    pub month: String,
    /// Not for a future.
    pub strike: Option<Price>,
    /// Not for a future.
    pub right: Option<Right>,
    /// `SMART` if it is left out.
    pub exchange: Option<String>,
}

/// One contract of a month.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OptionInfo {
    /// The contract.
    pub conid: Conid,
    /// The underlying's symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub symbol: Option<String>,
    /// `OPT`, …
    #[serde(rename = "secType", default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<SecType>,
    /// The exchange it was asked for.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// Call or put.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub right: Option<Right>,
    /// The strike.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub strike: Option<Price>,
    /// The currency it trades in.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// `YYYYMMDD`.
    #[serde(rename = "maturityDate", default, deserialize_with = "lenient::opt")]
    pub maturity_date: Option<String>,
    /// Units of the underlying in one contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub multiplier: Option<Quantity>,
    /// Tells weeklies and adjusted options apart.
    #[serde(rename = "tradingClass", default, deserialize_with = "lenient::opt")]
    pub trading_class: Option<String>,
    /// In words: `JAN 15 '27 250 Call`.
    #[serde(rename = "desc2", default, deserialize_with = "lenient::opt")]
    pub description: Option<String>,
}

impl Endpoint for GetOptionInfo {
    type Reply = Rows<OptionInfo>;
    const NAME: &'static str = "iserver/secdef/info";

    fn path(&self) -> Path {
        let mut path = Path::new("/iserver/secdef/info")
            .query("conid", self.underlying)
            .query("sectype", &self.sec_type)
            .query("month", &self.month);
        if let Some(strike) = self.strike {
            path = path.query("strike", strike);
        }
        if let Some(right) = self.right {
            path = path.query("right", right);
        }
        match &self.exchange {
            Some(exchange) => path.query("exchange", exchange),
            None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;
    use crate::lenient::FromBroker;

    #[test]
    fn strikes_are_read() {
        let strikes: Strikes = fixtures::reply("secdef_strikes");
        assert_eq!(strikes.call.len(), 5);
        assert_eq!(strikes.put[0].to_string(), "260");
    }

    #[test]
    fn an_option_is_read() {
        let options: Rows<OptionInfo> = fixtures::reply("secdef_info");
        let option = &options[0];
        assert_eq!(option.maturity_date.as_deref(), Some("20270115"));
        assert_eq!(option.strike.unwrap().to_string(), "270");
        assert_eq!(option.right, Some(Right::Call));
        assert_eq!(option.multiplier.unwrap().to_string(), "100");
        assert_eq!(option.trading_class.as_deref(), Some("AAPL"));
    }

    #[test]
    fn an_option_is_asked_for_by_month_strike_and_right() {
        let mut info = GetOptionInfo {
            underlying: "265598".parse().unwrap(),
            sec_type: SecType::Option,
            month: "JAN27".into(),
            strike: Price::from_broker("252.50"),
            right: Some(Right::Put),
            exchange: None,
        };
        assert_eq!(
            info.path().as_str(),
            "/iserver/secdef/info?conid=265598&sectype=OPT&month=JAN27&strike=252.5&right=P"
        );
        (info.strike, info.right, info.exchange) = (None, None, Some("CME".into()));
        assert!(info.path().as_str().ends_with("month=JAN27&exchange=CME"));
    }
}
