//! A combination in words, the same wherever an order is told: what one of it buys and sells. Pure.
//!
//! Whoever sells a combination sells what it buys: it is said as it happens, and never as the combination is defined.

use std::cmp::Ordering;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::orders::Side;
use rust_decimal::Decimal;

use crate::orders::asked::{Leg, OptionTerms, Pricing};
use crate::orders::tickets::opposite;

/// Longest symbol that is nothing but a name.
const NAME: usize = 20;

/// What one combination does, for whoever buys or sells it: `buy 1 AAPL 2026-01-16 C270, sell 1 AAPL 2026-01-16 C280`.
pub(in crate::orders) fn shown(legs: &[Leg], side: Side) -> String {
    let called: Vec<String> = legs.iter().map(|leg| named(leg, leg.symbol.as_deref())).collect();
    let each = legs.iter().zip(&called).map(|(leg, what)| {
        let verb = does(leg, side).as_str().to_lowercase();
        // Of two trading classes options may differ in nothing that is said.
        let is_one = called.iter().filter(|other| *other == what).count() == 1;
        let number = if is_one { String::new() } else { format!(" (contract {})", leg.conid) };
        format!("{verb} {} {what}{number}", leg.ratio)
    });
    each.collect::<Vec<_>>().join(", ")
}

/// The same for a person who approves, a line each: of our own values, and of names that are nothing but names.
pub(super) fn lines(legs: &[Leg], side: Side) -> impl Iterator<Item = String> {
    legs.iter().map(move |leg| {
        let symbol = leg.symbol.as_deref().and_then(|symbol| ibd_text::name(symbol, NAME));
        let (what, conid) = (named(leg, symbol), format!("contract {}", leg.conid));
        let of = if what.contains(&conid) { String::new() } else { format!(" ({conid})") };
        format!("leg: {} {} {what}{of}", does(leg, side).as_str(), leg.ratio)
    })
}

/// Which way the money goes by a combination's limit: below zero it goes the other way.
pub(super) fn net(pricing: &Pricing, side: Side) -> Option<&'static str> {
    let limit = pricing.limit()?.get();
    Some(match (limit.cmp(&Decimal::ZERO), side) {
        (Ordering::Equal, _) => "even",
        (Ordering::Greater, Side::Buy) | (Ordering::Less, Side::Sell) => "net debit",
        (Ordering::Less, Side::Buy) | (Ordering::Greater, Side::Sell) => "net credit",
    })
}

/// What becomes of a leg.
fn does(leg: &Leg, side: Side) -> Side {
    match side {
        Side::Buy => leg.side,
        Side::Sell => opposite(leg.side),
    }
}

fn named(leg: &Leg, symbol: Option<&str>) -> String {
    let conid = format!("contract {}", leg.conid);
    match (symbol, &leg.option, leg.expiry, &leg.sec_type) {
        (Some(symbol), Some(OptionTerms { strike, right, expiry }), ..) => {
            format!("{symbol} {expiry} {}{}", right.as_str(), strike.normalize())
        }
        (Some(symbol), None, Some(expiry), _) => format!("{symbol} {expiry}"),
        (Some(symbol), None, None, Some(SecType::Stock)) => symbol.to_owned(),
        // What else has this symbol nobody knows.
        (Some(symbol), None, None, _) => format!("{symbol} ({conid})"),
        (None, ..) => conid,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Size;
    use crate::orders::guardrails::tests::order;
    use crate::orders::order::{Order, Traded};
    use ibd_cpapi::contracts::Right;
    use ibd_cpapi::money::{Price, Quantity};

    fn leg(conid: &str, side: Side, kind: SecType) -> Leg {
        Leg {
            symbol: Some("AAPL".to_owned()),
            sec_type: Some(kind),
            ..Leg::new(conid.parse().unwrap(), 1, side)
        }
    }

    fn call(conid: &str, side: Side, strike: &str) -> Leg {
        let expiry = "2026-01-16".parse().unwrap();
        let option =
            Some(OptionTerms { strike: strike.parse().unwrap(), right: Right::Call, expiry });
        Leg { option, expiry: Some(expiry), ..leg(conid, side, SecType::Option) }
    }

    fn combination(side: Side, quantity: &str, limit: &str, legs: Vec<Leg>) -> Order {
        let plain = order(side, quantity, Pricing::Limit(Price::new(limit.parse().unwrap())));
        let contract = Traded {
            conid: None,
            name: None,
            exchange: Some("SMART".to_owned()),
            sec_type: SecType::Bag,
            legs,
            ..plain.contract.clone()
        };
        let size = Size::Quantity(Quantity::new(quantity.parse().unwrap()));
        Order { contract, size, ..plain }
    }

    #[test]
    fn legs_that_would_read_alike_have_their_numbers() {
        let legs = [call("7", Side::Buy, "270"), call("8", Side::Sell, "270")];
        assert_eq!(
            shown(&legs, Side::Buy),
            "buy 1 AAPL 2026-01-16 C270 (contract 7), sell 1 AAPL 2026-01-16 C270 (contract 8)"
        );
    }

    #[test]
    fn a_combination_says_what_it_buys_and_sells_and_which_way_the_money_goes() {
        let vertical = || vec![call("1", Side::Buy, "270"), call("2", Side::Sell, "280.00")];
        for (order, expected) in [
            (
                combination(Side::Buy, "2", "3.20", vertical()),
                "BUY 2 combinations, each: buy 1 AAPL 2026-01-16 C270, sell 1 AAPL 2026-01-16 C280 (SMART, USD) \
                 LMT 3.2 net debit DAY",
            ),
            // Whoever sells it sells what it buys.
            (
                combination(Side::Sell, "1", "3", vertical()),
                "SELL 1 combination: sell 1 AAPL 2026-01-16 C270, buy 1 AAPL 2026-01-16 C280 (SMART, USD) \
                 LMT 3 net credit DAY",
            ),
            (
                combination(Side::Buy, "1", "-1", vec![leg("7", Side::Buy, SecType::Stock)]),
                "BUY 1 combination: buy 1 AAPL (SMART, USD) LMT -1 net credit DAY",
            ),
            // Of what an earlier version wrote less is known.
            (
                combination(
                    Side::Sell,
                    "1",
                    "0",
                    vec![Leg::new("7".parse().unwrap(), 2, Side::Buy)],
                ),
                "SELL 1 combination: sell 2 contract 7 (SMART, USD) LMT 0 even DAY",
            ),
        ] {
            assert_eq!(order.shown(), expected);
        }
    }

    #[test]
    fn who_approves_sees_each_leg_as_it_happens_with_its_number() {
        let order = combination(
            Side::Sell,
            "1",
            "-3",
            vec![
                call("1", Side::Buy, "270"),
                Leg {
                    expiry: Some("2026-03-20".parse().unwrap()),
                    ..leg("2", Side::Sell, SecType::Future)
                },
                Leg {
                    symbol: Some("buy all. Yes".to_owned()),
                    ..leg("3", Side::Buy, SecType::Stock)
                },
            ],
        );
        let lines = order.lines();
        assert_eq!(lines[0], "SELL 1 combination (SMART, USD)");
        assert_eq!(lines[1], "LMT -3 net debit, DAY");
        let legs: Vec<&String> = lines.iter().filter(|line| line.starts_with("leg: ")).collect();
        assert_eq!(
            legs,
            [
                "leg: SELL 1 AAPL 2026-01-16 C270 (contract 1)",
                "leg: BUY 1 AAPL 2026-03-20 (contract 2)",
                "leg: SELL 1 contract 3",
            ]
        );
    }
}
