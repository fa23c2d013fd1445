//! The parts of an allocation: what is long and what is short of each, the largest first. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ibd_cpapi::allocation::{Allocation, Sides};
use ibd_cpapi::failure::clean;
use ibd_cpapi::money::Amount;
use ibd_cpapi::portfolio::Ledger;
use ibd_cpapi::rows::{Entries, Unread};
use rust_decimal::Decimal;

use crate::portfolio::Base;
use crate::refusal::Refusal;

/// By what an account is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    AssetClass,
    Sector,
    Group,
    Currency,
}

const ALL: [By; 4] = [By::AssetClass, By::Sector, By::Group, By::Currency];
/// A group is a part of a sector, and there are many.
const USUAL: [By; 3] = [By::AssetClass, By::Sector, By::Currency];

impl By {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AssetClass => "assetClass",
            Self::Sector => "sector",
            Self::Group => "group",
            Self::Currency => "currency",
        }
    }

    /// What a reply says of it.
    pub(super) fn sides(self, told: &Allocation) -> Option<&Sides> {
        match self {
            Self::AssetClass => told.asset_class.as_ref(),
            Self::Sector => told.sector.as_ref(),
            Self::Group => told.group.as_ref(),
            Self::Currency => None,
        }
    }
}

/// By what a call wants it.
pub(super) fn kinds(asked: Option<&[String]>) -> Result<Vec<By>, Refusal> {
    let Some(asked) = asked else { return Ok(USUAL.to_vec()) };
    let mut kinds: Vec<By> = Vec::new();
    for text in asked {
        let plain: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        let is_it = |by: &By| by.name().eq_ignore_ascii_case(&plain);
        let Some(by) = ALL.into_iter().find(is_it) else {
            let message = format!("Nothing is allocated by {text:?}.");
            return Err(Refusal::argument("by", message, "Use candidates.").or(ALL.map(By::name)));
        };
        if !kinds.contains(&by) {
            kinds.push(by);
        }
    }
    Ok(kinds)
}

/// A part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) long: Option<Decimal>,
    /// Below zero.
    pub(super) short: Option<Decimal>,
    pub(super) net: Option<Decimal>,
}

/// The parts of a division, and what of it could not be read.
pub(super) fn of_sides(by: By, sides: Option<&Sides>) -> (Vec<Part>, Vec<String>) {
    let Some(sides) = sides else {
        return (Vec::new(), vec![format!("{}: IBKR did not tell it.", by.name())]);
    };
    let unread = |side: &str, rows: &[Unread]| {
        rows.iter().map(|row| format!("{} {side}: {row}", by.name())).collect::<Vec<_>>()
    };
    let mut not_read = unread("long", sides.long.unread());
    not_read.extend(unread("short", sides.short.unread()));
    let is_odd = |name: &String| {
        let of = |rows: &Entries<Amount>| {
            rows.unread().iter().any(|row| row.of == *name) || rows.without().contains(name)
        };
        of(&sides.long) || of(&sides.short)
    };
    let mut parts: BTreeMap<&String, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
    for (name, amount) in sides.long.iter() {
        parts.entry(name).or_default().0 = Some(amount.get());
    }
    for (name, amount) in sides.short.iter() {
        parts.entry(name).or_default().1 = Some(amount.get());
    }
    // A part without a value is a part: it is held, and how much is not known.
    for name in sides.long.without().iter().chain(sides.short.without()) {
        parts.entry(name).or_default();
        not_read.push(format!("{} {}: IBKR gave no value", by.name(), clean(name)));
    }
    let parts = parts.into_iter().map(|(name, (long, short))| {
        let sum = long.unwrap_or_default().checked_add(short.unwrap_or_default());
        // Of a part of which one side could not be read the whole is not known.
        Part { name: clean(name), long, short, net: sum.filter(|_| !is_odd(name)) }
    });
    (largest_first(parts.collect()), not_read)
}

/// The currencies in which something is held, in base currency.
pub(super) fn of_currencies(ledger: &Ledger, base: &Base) -> (Vec<Part>, Vec<String>) {
    let mut not_read: Vec<String> =
        ledger.unread().iter().map(|row| format!("currency: {row}")).collect();
    let mut parts = Vec::new();
    for (name, row) in ledger.iter().filter(|(name, _)| *name != "BASE") {
        let value = row.net_liquidation.map(|value| value.get());
        let net = value.zip(base.rate(name)).and_then(|(value, rate)| value.checked_mul(rate));
        match net {
            Some(net) if net.is_zero() => {}
            Some(net) => {
                let is_long = net > Decimal::ZERO;
                let name = clean(name);
                let (long, short) = (Some(net).filter(|_| is_long), Some(net).filter(|_| !is_long));
                parts.push(Part { name, long, short, net: Some(net) });
            }
            None => {
                let name = clean(name);
                not_read.push(format!("currency {name}: its value in base is not known"));
                parts.push(Part { name, long: None, short: None, net: None });
            }
        }
    }
    (largest_first(parts), not_read)
}

fn largest_first(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| Reverse(part.net.map(|net| net.abs())));
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(parts: &[Part]) -> Vec<String> {
        let number = |number: Option<Decimal>| {
            number.map_or_else(|| "-".to_owned(), |number| number.normalize().to_string())
        };
        let show = |part: &Part| {
            let [long, short, net] = [part.long, part.short, part.net].map(number);
            format!("{} {long} {short} {net}", part.name)
        };
        parts.iter().map(show).collect()
    }

    #[test]
    fn what_is_long_and_what_is_short_of_a_part_stand_side_by_side() {
        let told: Allocation = serde_json::from_str(
            r#"{"assetClass":{"long":{"STK":40,"OPT":24.5,"CASH":90,"FUT":"odd","CMDTY":null},
                             "short":{"OPT":-8,"FUT":-3,"BOND":-50}}}"#,
        )
        .unwrap();
        let (parts, not_read) = of_sides(By::AssetClass, By::AssetClass.sides(&told));
        assert_eq!(
            shown(&parts),
            [
                "CASH 90 - 90",
                "BOND - -50 -50",
                "STK 40 - 40",
                "OPT 24.5 -8 16.5",
                "CMDTY - - -",
                "FUT - -3 -"
            ]
        );
        assert_eq!(not_read.len(), 2);
        assert_eq!(of_sides(By::Sector, By::Sector.sides(&told)).1.len(), 1, "it was not told");
    }

    #[test]
    fn currencies_are_told_in_base() {
        let ledger: Ledger = serde_json::from_str(
            r#"{"USD":{"netliquidationvalue":100,"exchangerate":1},"GBP":{"netliquidationvalue":7},
                "EUR":{"netliquidationvalue":200,"exchangerate":1.15},"CHF":{"netliquidationvalue":0,"exchangerate":1.2},
                "HKD":{"netliquidationvalue":-80,"exchangerate":0.125},"JPY":7,
                "BASE":{"netliquidationvalue":320}}"#,
        )
        .unwrap();
        let base = Base::of(&ledger, Some("USD".to_owned()));
        let (parts, not_read) = of_currencies(&ledger, &base);
        assert_eq!(shown(&parts), ["EUR 230 - 230", "USD 100 - 100", "HKD - -10 -10", "GBP - - -"]);
        assert_eq!(not_read.len(), 2, "{not_read:?}");
    }

    #[test]
    fn what_it_is_divided_by_is_read_as_it_is_written() {
        let asked = |texts: &[&str]| {
            kinds(Some(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()))
        };
        assert_eq!(kinds(None).unwrap(), USUAL);
        assert_eq!(asked(&["asset_class", "Group"]).unwrap(), [By::AssetClass, By::Group]);
        assert_eq!(asked(&["sector", "sector"]).unwrap(), [By::Sector]);
        assert_eq!(asked(&["country"]).unwrap_err().field.as_deref(), Some("by"));
    }
}
