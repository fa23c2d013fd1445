//! What a combination can be worth at all: where its options end on one day, its payoff then has a least and a
//! greatest value, whatever the market does. Pure.

use ibd_cpapi::contracts::{Right, SecType};
use ibd_cpapi::orders::Side;
use rust_decimal::Decimal;

use super::super::asked::Leg;
use super::super::order::Traded;

/// Between what a combination can be worth, in the unit of its price; nothing where there is no end to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Payoff {
    /// The least.
    pub least: Option<Decimal>,
    /// The most.
    pub most: Option<Decimal>,
}

/// One leg as far as its payoff goes: so many units of something, less where it is sold.
struct Part {
    count: Decimal,
    kind: Kind,
}

enum Kind {
    Stock,
    Call(Decimal),
    Put(Decimal),
}

impl Payoff {
    /// Of options on one symbol that end on one day, with or without its shares. `None`: of anything else no end can be
    /// told, or not everything is known.
    pub(super) fn of(contract: &Traded) -> Option<Self> {
        let legs = &contract.legs;
        let first = legs.iter().find_map(|leg| leg.option)?;
        let symbol = legs.first()?.symbol.as_ref()?;
        let is_alike = |leg: &Leg| {
            leg.symbol.as_ref() == Some(symbol)
                && leg.option.is_none_or(|option| option.expiry == first.expiry)
        };
        if !legs.iter().all(is_alike) {
            return None;
        }
        let whole = contract.unit()?;
        let parts: Vec<Part> = legs.iter().map(|leg| part(leg, whole)).collect::<Option<_>>()?;
        let strikes = parts.iter().filter_map(|part| match part.kind {
            Kind::Call(strike) | Kind::Put(strike) => Some(strike),
            Kind::Stock => None,
        });
        let values: Vec<Decimal> = std::iter::once(Decimal::ZERO)
            .chain(strikes)
            .map(|price| value(&parts, price))
            .collect::<Option<_>>()?;
        let rises = |part: &Part| match part.kind {
            Kind::Stock | Kind::Call(_) => part.count,
            Kind::Put(_) => Decimal::ZERO,
        };
        // Above the highest strike it goes on as it does there.
        let slope: Decimal = parts.iter().map(rises).sum();
        let (least, most) = (values.iter().min().copied(), values.iter().max().copied());
        Some(Self {
            least: least.filter(|_| slope >= Decimal::ZERO),
            most: most.filter(|_| slope <= Decimal::ZERO),
        })
    }

    /// How far apart the two are.
    pub(super) fn range(self) -> Option<Decimal> {
        self.most?.checked_sub(self.least?).filter(|range| *range > Decimal::ZERO)
    }
}

fn part(leg: &Leg, whole: Decimal) -> Option<Part> {
    let count = Decimal::from(leg.ratio).checked_mul(leg.unit?)?.checked_div(whole)?;
    let count = match leg.side {
        Side::Buy => count,
        Side::Sell => -count,
    };
    let kind = match (leg.sec_type.as_ref()?, leg.option) {
        (SecType::Stock, None) => Kind::Stock,
        (SecType::Option, Some(option)) if option.right == Right::Call => Kind::Call(option.strike),
        (SecType::Option, Some(option)) if option.right == Right::Put => Kind::Put(option.strike),
        _ => return None,
    };
    Some(Part { count, kind })
}

fn value(parts: &[Part], price: Decimal) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for part in parts {
        let one = match part.kind {
            Kind::Stock => price,
            Kind::Call(strike) => (price - strike).max(Decimal::ZERO),
            Kind::Put(strike) => (strike - price).max(Decimal::ZERO),
        };
        sum = sum.checked_add(one.checked_mul(part.count)?)?;
    }
    Some(sum)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::asked::{OptionTerms, Pricing};
    use super::super::tests::order;
    use super::*;
    use jiff::civil::{Date, date};

    const JANUARY: Date = date(2027, 1, 15);

    fn leg(what: &str, expiry: Date) -> Leg {
        let words: Vec<&str> = what.split(' ').collect();
        let side = if words[0] == "+" { Side::Buy } else { Side::Sell };
        let ratio = words[1].parse().unwrap();
        let option = (words[2] != "S").then(|| OptionTerms {
            strike: words[3].parse().unwrap(),
            right: if words[2] == "C" { Right::Call } else { Right::Put },
            expiry,
        });
        let is_option = option.is_some();
        Leg {
            symbol: Some("AAPL".into()),
            sec_type: Some(if is_option { SecType::Option } else { SecType::Stock }),
            unit: Some(if is_option { Decimal::ONE_HUNDRED } else { Decimal::ONE }),
            option,
            ..Leg::new("8314".parse().unwrap(), ratio, side)
        }
    }

    /// A combination, each leg as `+ 1 C 250` (bought or sold, ratio, call, put or share, strike).
    pub(in super::super) fn combination(legs: &[&str]) -> Traded {
        Traded {
            sec_type: SecType::Bag,
            multiplier: Decimal::ONE_HUNDRED,
            legs: legs.iter().map(|what| leg(what, JANUARY)).collect(),
            ..order(Side::Buy, "1", Pricing::Market).contract
        }
    }

    #[test]
    fn what_ends_on_one_day_has_a_least_and_a_greatest_value() {
        let number = |text: &str| text.parse::<Decimal>().ok();
        for (legs, least, most) in [
            (&["+ 1 C 250", "- 1 C 260"][..], "0", "10"),
            (&["- 1 C 250", "+ 1 C 260"], "-10", "0"),
            (&["+ 1 P 260", "- 1 P 250"], "0", "10"),
            // A straddle that is bought has no end above, one that is sold none below.
            (&["+ 1 C 250", "+ 1 P 250"], "0", ""),
            (&["- 1 C 250", "- 1 P 250"], "", "0"),
            // A butterfly, an iron condor, a back spread.
            (&["+ 1 C 240", "- 2 C 250", "+ 1 C 260"], "0", "10"),
            (&["+ 1 P 230", "- 1 P 240", "- 1 C 260", "+ 1 C 270"], "-10", "0"),
            (&["- 1 C 250", "+ 2 C 260"], "-10", ""),
            // Shares with a call sold, and with a collar about them.
            (&["+ 100 S", "- 1 C 260"], "0", "260"),
            (&["+ 100 S", "- 1 C 260", "+ 1 P 240"], "240", "260"),
            (&["- 100 S", "+ 1 C 260"], "-260", "0"),
            // One and a half times.
            (&["+ 3 C 250", "- 3 C 255"], "0", "15"),
        ] {
            let payoff = Payoff::of(&combination(legs)).unwrap();
            assert_eq!((payoff.least, payoff.most), (number(least), number(most)), "{legs:?}");
        }
    }

    #[test]
    fn what_ends_on_several_days_or_is_not_known_has_no_ends() {
        let mut calendar = combination(&["- 1 C 250", "+ 1 C 250"]);
        calendar.legs[1] = leg("+ 1 C 250", date(2027, 2, 19));
        assert_eq!(Payoff::of(&calendar), None);
        let mut pair = combination(&["+ 1 C 250", "- 1 C 260"]);
        pair.legs[1].symbol = Some("MSFT".into());
        assert_eq!(Payoff::of(&pair), None);
        let mut early = combination(&["+ 1 C 250", "- 1 C 260"]);
        early.legs[0].unit = None;
        assert_eq!(Payoff::of(&early), None);
        assert_eq!(Payoff::of(&combination(&["+ 1 S", "- 1 S"])), None);
    }
}
