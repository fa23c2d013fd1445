//! Combinations: their legs, the spread contract of their currency, and the whole as one contract.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::orders::Side;
use rust_decimal::Decimal;

use super::{Tools, ruled, traded};
use crate::contracts::Contract;
use crate::orders::asked::Leg;
use crate::orders::order::{Traded, legs};
use crate::orders::scene::SMART;
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

pub(super) async fn combo(
    lease: &Lease,
    tools: Tools<'_>,
    legs: &[Leg],
    contracts: Vec<Contract>,
) -> Result<Traded, Unserved> {
    let mut parts: Vec<Traded> = Vec::with_capacity(legs.len());
    for (leg, contract) in legs.iter().zip(contracts) {
        let part = traded::traded(lease, contract, tools.deadline).await?;
        parts.push(ruled(lease, tools, part, leg.side).await?);
    }
    let Some(first) = parts.first() else {
        return Err(
            Refusal::argument("legs", "A combination needs legs.", "Give at least two.").into()
        );
    };
    if let Some(other) = parts.iter().find(|part| part.currency != first.currency) {
        let message = format!("The legs are in {} and {}.", first.currency, other.currency);
        return Err(Refusal::argument("legs", message, "Use legs of one currency.").into());
    }
    let Some(spread) = spread_conid(&first.currency) else {
        let message = format!("IBKR takes no combination in {}.", first.currency);
        return Err(Refusal::argument("legs", message, "Place the legs one by one.").into());
    };
    if let Some(other) = parts.iter().find(|p| p.price_magnifier != first.price_magnifier) {
        let unit = |part: &Traded| part.price_unit().unwrap_or_else(|| part.currency.clone());
        let message = format!("The legs' prices are in {} and {}.", unit(first), unit(other));
        return Err(Refusal::argument("legs", message, "Place the legs one by one.").into());
    }
    Ok(combined(spread, first, legs, &parts))
}

/// IBKR's spread conid of a currency.
fn spread_conid(currency: &str) -> Option<u32> {
    Some(match currency {
        "USD" => 28_812_380,
        "AUD" => 61_227_077,
        "CAD" => 61_227_082,
        "CHF" => 61_227_087,
        "CNH" => 136_000_441,
        "GBP" => 58_666_491,
        "HKD" => 61_227_072,
        "INR" => 136_000_444,
        "JPY" => 61_227_069,
        "KRW" => 136_000_424,
        "MXN" => 136_000_449,
        "SEK" => 136_000_429,
        "SGD" => 426_116_555,
        _ => return None,
    })
}

/// The combination of some contracts as one.
fn combined(spread: u32, first: &Traded, legs: &[Leg], parts: &[Traded]) -> Traded {
    let ratios: Vec<String> = legs.iter().map(ratio).collect();
    let known = legs.iter().zip(parts).map(|(leg, part)| Leg {
        symbol: Some(part.symbol.clone()),
        sec_type: Some(part.sec_type.clone()),
        unit: part.unit(),
        negative: part.negative,
        ..leg.clone()
    });
    let known: Vec<Leg> = known.collect();
    Traded {
        conid: None,
        conidex: Some(format!("{spread};;;{}", ratios.join(","))),
        symbol: first.symbol.clone(),
        name: Some(legs::shown(&known, Side::Buy)),
        exchange: route(parts),
        currency: first.currency.clone(),
        sec_type: SecType::Bag,
        multiplier: parts.iter().map(|part| part.multiplier).max().unwrap_or(Decimal::ONE),
        legs: known,
        price_magnifier: first.price_magnifier,
        negative: true,
    }
}

/// Futures are traded at their exchange alone; everything else IBKR routes.
fn route(parts: &[Traded]) -> Option<String> {
    let exchange = parts.first()?.exchange.clone();
    let is_there = |part: &Traded| part.wants_operator() && part.exchange == exchange;
    if parts.iter().all(is_there) { exchange } else { Some(SMART.to_owned()) }
}

/// `conid/ratio`; the sign says what buying the combination does with the leg.
fn ratio(leg: &Leg) -> String {
    match leg.side {
        Side::Buy => format!("{}/{}", leg.conid, leg.ratio),
        Side::Sell => format!("{}/-{}", leg.conid, leg.ratio),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Pricing;
    use crate::orders::guardrails::tests::order;

    #[test]
    fn a_combination_keeps_what_its_legs_are() {
        let part = order(Side::Buy, "1", Pricing::Market).contract;
        let option = Traded {
            symbol: "MSFT".into(),
            sec_type: SecType::Option,
            multiplier: Decimal::ONE_HUNDRED,
            ..part.clone()
        };
        let leg = |conid: &str, side| Leg::new(conid.parse().unwrap(), 1, side);
        let legs = [leg("265598", Side::Buy), leg("8314", Side::Sell)];
        let combo = combined(28_812_380, &part, &legs, &[part.clone(), option]);
        assert_eq!(combo.conidex.as_deref(), Some("28812380;;;265598/1,8314/-1"));
        assert_eq!(combo.legs[1].symbol.as_deref(), Some("MSFT"));
        assert_eq!(combo.legs[1].sec_type, Some(SecType::Option));
        assert_eq!(combo.legs[0].unit, Some(Decimal::ONE));
        assert_eq!(combo.legs[1].unit, Some(Decimal::ONE_HUNDRED));
        assert_eq!(combo.name.as_deref(), Some("buy 1 AAPL, sell 1 MSFT (contract 8314)"));
    }
}
