//! What may be done with a contract: `/iserver/contract/rules`, `/iserver/contract/{conid}/info`.

use serde::{Deserialize, Deserializer};

use crate::endpoint::{Endpoint, Method, Path};
use crate::id::Conid;
use crate::lenient;
use crate::money::{Amount, Price, Quantity, Ratio};
use crate::rows::{self, Rows};

/// The rules for orders in a contract.
#[derive(Debug, Clone)]
pub struct GetRules {
    /// The contract.
    pub conid: Conid,
    /// For instance `SMART`.
    pub exchange: String,
    /// For buying or for selling.
    pub is_buy: bool,
}

/// The rules. An empty list of types: the server does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Rules {
    /// Price steps, by price.
    #[serde(rename = "incrementRules", default, deserialize_with = "rows::field")]
    pub increments: Rows<Increment>,
    /// The step where there are no rules by price.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub increment: Option<Price>,
    /// Kinds of order, in the broker's words for screens: `limit`, `stop_limit`, …
    #[serde(rename = "orderTypes", default, deserialize_with = "lenient::list")]
    pub order_types: Vec<String>,
    /// Those of them that are possible outside regular hours.
    #[serde(rename = "orderTypesOutside", default, deserialize_with = "lenient::list")]
    pub order_types_outside: Vec<String>,
    /// How long orders can work.
    #[serde(rename = "tifTypes", default, deserialize_with = "lenient::list")]
    pub tif_types: Vec<TifRule>,
    /// The usual lot.
    #[serde(rename = "sizeIncrement", default, deserialize_with = "lenient::opt")]
    pub size_increment: Option<Quantity>,
    /// Kinds of order that take parts of a unit.
    #[serde(rename = "fraqTypes", default, deserialize_with = "lenient::list")]
    pub fraction_types: Vec<String>,
    /// Decimal places of such a part.
    #[serde(rename = "fraqInt", default, deserialize_with = "lenient::opt")]
    pub fraction_digits: Option<u32>,
    /// Kinds of order that take an amount of money.
    #[serde(rename = "cqtTypes", default, deserialize_with = "lenient::list")]
    pub cash_types: Vec<String>,
    /// The currency of that amount.
    #[serde(rename = "cashCcy", default, deserialize_with = "lenient::opt")]
    pub cash_currency: Option<String>,
    /// Steps of that amount.
    #[serde(rename = "cashQtyIncr", default, deserialize_with = "lenient::opt")]
    pub cash_increment: Option<Amount>,
    /// What prices are divided by to get the currency's unit: 100 where prices are in pence.
    #[serde(rename = "priceMagnifier", default, deserialize_with = "lenient::opt")]
    pub price_magnifier: Option<Ratio>,
    /// Whether its price can be negative.
    #[serde(rename = "negativeCapable", default, deserialize_with = "lenient::opt")]
    pub negative_capable: Option<bool>,
    /// Why there are no rules: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub error: Option<String>,
}

/// A price step from some price on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Increment {
    /// From this price on.
    #[serde(rename = "lowerEdge")]
    pub lower_edge: Price,
    /// Prices are multiples of this.
    pub increment: Price,
}

/// How long orders can work, and which. Written as `IOC/MARKET,LIMIT` or `GTC/o,a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TifRule {
    /// `DAY`, `GTC`, …
    pub tif: String,
    /// Only these kinds of order, in capitals; empty: all.
    pub order_types: Vec<String>,
    /// The small letters, whose meaning is not written down; `o` seems to be "outside regular hours".
    pub flags: Vec<String>,
}

impl lenient::FromBroker for TifRule {
    fn from_broker(text: &str) -> Option<Self> {
        let (tif, rest) = text.split_once('/').unwrap_or((text, ""));
        let is_flag = |word: &String| word.chars().all(|c| c.is_ascii_lowercase());
        let words = rest.split(',').filter(|word| !word.is_empty()).map(str::to_owned);
        let (flags, order_types) = words.partition(is_flag);
        Some(Self { tif: tif.to_owned(), order_types, flags })
    }
}

impl Rules {
    /// The price step at this price, of which it must be a multiple.
    pub fn tick_at(&self, price: Price) -> Option<Price> {
        // A negative price has the steps of the same price above zero.
        let height = price.get().abs();
        let by_edge = |rule: &&Increment| rule.lower_edge;
        let below = self.increments.iter().filter(|rule| rule.lower_edge.get() <= height);
        let rule = below.max_by_key(by_edge).or_else(|| self.increments.iter().min_by_key(by_edge));
        let tick = rule.map(|rule| rule.increment).or(self.increment);
        tick.filter(|tick| tick.get() > rust_decimal::Decimal::ZERO)
    }
}

impl Rules {
    /// What prices are divided by to get the currency's unit; one where the broker names none. `None`: what
    /// it says is no divisor, so it is not known.
    pub fn magnifier(&self) -> Option<rust_decimal::Decimal> {
        match self.price_magnifier {
            None => Some(rust_decimal::Decimal::ONE),
            Some(magnifier) => {
                Some(magnifier.get()).filter(|magnifier| *magnifier > rust_decimal::Decimal::ZERO)
            }
        }
    }
}

impl Endpoint for GetRules {
    type Reply = Rules;
    const NAME: &'static str = "iserver/contract/rules";
    const METHOD: Method = Method::Post;

    fn path(&self) -> Path {
        Path::new("/iserver/contract/rules")
    }

    fn body(&self) -> Option<String> {
        let exchange = serde_json::Value::from(self.exchange.as_str());
        Some(format!(
            r#"{{"conid":{},"exchange":{exchange},"isBuy":{},"modifyOrder":false,"orderId":0}}"#,
            self.conid, self.is_buy
        ))
    }
}

/// What a contract is, in full.
#[derive(Debug, Clone, Copy)]
pub struct GetContractInfo {
    /// The contract.
    pub conid: Conid,
}

/// What a contract is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ContractInfo {
    /// The contract.
    #[serde(rename = "con_id")]
    pub conid: Conid,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub symbol: Option<String>,
    /// The symbol at its exchange.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub local_symbol: Option<String>,
    /// `STK`, `OPT`, …
    #[serde(default, deserialize_with = "lenient::opt")]
    pub instrument_type: Option<String>,
    /// The currency it trades in.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub currency: Option<String>,
    /// Where it is routed.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// Where it can be routed.
    #[serde(default, deserialize_with = "comma_list")]
    pub valid_exchanges: Vec<String>,
    /// Tells weeklies and adjusted options apart.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub trading_class: Option<String>,
    /// Units of the underlying in one contract.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub multiplier: Option<Quantity>,
    /// `YYYYMMDD`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub maturity_date: Option<String>,
    /// For instance `202701`.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub contract_month: Option<String>,
    /// The underlying, if there is one.
    #[serde(rename = "underlying_con_id", default, deserialize_with = "lenient::opt")]
    pub underlying: Option<Conid>,
    /// The company or product: untrusted text.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub company_name: Option<String>,
    /// Whether SMART can route it.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub smart_available: Option<bool>,
}

fn comma_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = lenient::opt::<D, String>(deserializer)?.unwrap_or_default();
    Ok(text.split([',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

impl Endpoint for GetContractInfo {
    type Reply = ContractInfo;
    const NAME: &'static str = "iserver/contract/info";

    fn path(&self) -> Path {
        Path::new("/iserver/contract").segment(self.conid).then("/info")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;
    use crate::lenient::FromBroker;

    #[test]
    fn rules_are_read() {
        let rules: Rules = fixtures::reply("contract_rules");
        assert!(rules.order_types.contains(&"stop_limit".to_owned()));
        assert_eq!(rules.size_increment.unwrap().to_string(), "100");
        assert_eq!(rules.fraction_types, ["limit", "market"]);
        assert_eq!(rules.fraction_digits, Some(4));
        assert_eq!(rules.cash_currency.as_deref(), Some("USD"));
        assert_eq!((rules.price_magnifier, rules.negative_capable), (None, Some(false)));
        assert_eq!(rules.error, None);
        let ioc = &rules.tif_types[0];
        assert_eq!((ioc.tif.as_str(), ioc.order_types.len(), ioc.flags.len()), ("IOC", 2, 0));
        let opg = &rules.tif_types[2];
        assert_eq!((opg.order_types.len(), opg.flags.as_slice()), (2, &["a".to_owned()][..]));
    }

    #[test]
    fn the_step_depends_on_the_price() {
        let rules: Rules = serde_json::from_str(
            r#"{"incrementRules":[{"lowerEdge":3,"increment":0.05},{"lowerEdge":0.0,"increment":0.01}]}"#,
        )
        .unwrap();
        let tick = |text| rules.tick_at(Price::from_broker(text).unwrap()).unwrap().to_string();
        assert_eq!(
            (tick("2.99"), tick("3"), tick("-5")),
            ("0.01".into(), "0.05".into(), "0.05".into())
        );
        let plain: Rules = serde_json::from_str(r#"{"increment":0.25}"#).unwrap();
        assert_eq!(plain.tick_at(Price::from_broker("1").unwrap()).unwrap().to_string(), "0.25");
        assert_eq!(Rules::default().tick_at(Price::from_broker("1").unwrap()), None);
    }

    #[test]
    fn a_magnifier_that_divides_nothing_is_not_known() {
        for (json, expected) in [
            ("{}", Some("1")),
            (r#"{"priceMagnifier":null}"#, Some("1")),
            (r#"{"priceMagnifier":100}"#, Some("100")),
            (r#"{"priceMagnifier":0}"#, None),
            (r#"{"priceMagnifier":-1}"#, None),
        ] {
            let rules: Rules = serde_json::from_str(json).unwrap();
            assert_eq!(rules.magnifier().map(|m| m.to_string()).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn rules_are_asked_for_a_side_and_an_exchange() {
        let rules =
            GetRules { conid: "265598".parse().unwrap(), exchange: "S\"".into(), is_buy: true };
        assert_eq!(
            rules.body().unwrap(),
            r#"{"conid":265598,"exchange":"S\"","isBuy":true,"modifyOrder":false,"orderId":0}"#
        );
    }

    #[test]
    fn a_contract_is_read_in_full() {
        let info: ContractInfo = fixtures::reply("contract_info");
        assert_eq!(info.conid.get(), 265_598);
        assert_eq!(info.valid_exchanges.len(), 5);
        assert_eq!((info.multiplier, info.underlying), (None, None));
    }
}
