//! What options cost.

use serde_json::Value;

use crate::harness::World;
use crate::hours::{frozen, quote};
use crate::tickets::APPLE;

const OPEN: &str = "2026-11-25T18:00:00Z";

/// Strikes of Apple's second month with the quotes of call and put.
async fn chain(world: &World) -> Vec<(f64, Value, Value)> {
    // So that no time passes between one quote and the next.
    world.market(271.5).await;
    let found = world.json("/iserver/secdef/search?symbol=AAPL").await;
    let months = found[0]["sections"][1]["months"].as_str().unwrap().to_owned();
    let month = months.split(';').nth(1).unwrap();
    let of = format!("conid={APPLE}&sectype=OPT&month={month}");
    let strikes = world.json(&format!("/iserver/secdef/strikes?{of}")).await;
    let mut chain = Vec::new();
    for strike in strikes["call"].as_array().unwrap() {
        let mut both = Vec::new();
        for right in ["C", "P"] {
            let path = format!("/iserver/secdef/info?{of}&strike={strike}&right={right}");
            let conid = world.json(&path).await[0]["conid"].as_i64().unwrap();
            both.push(quote(world, conid).await);
        }
        let put = both.pop().unwrap();
        chain.push((strike.as_f64().unwrap(), both.pop().unwrap(), put));
    }
    chain
}

fn number(quote: &Value, field: &str) -> f64 {
    let text = quote[field].as_str().unwrap_or_else(|| panic!("{field}: {quote}"));
    text.trim_end_matches(['%', 'K']).parse().unwrap()
}

#[tokio::test]
async fn prices_and_greeks_hold_together() {
    let world = frozen(OPEN, "open").await;
    let chain = chain(&world).await;
    assert_eq!(chain.len(), 11);
    let spot = number(&quote(&world, APPLE).await, "31");
    for (strike, call, put) in &chain {
        for option in [call, put] {
            let [bid, last, ask] = ["84", "31", "86"].map(|field| number(option, field));
            assert!(bid < last && last < ask, "{strike}: {option}");
            assert!(number(option, "7309") > 0.0 && number(option, "7311") > 0.0, "{option}");
            assert!(number(option, "7310") < 0.0, "{option}");
            assert!(
                number(option, "7638") > 0.0 && option["7633"].as_str().unwrap().ends_with('%')
            );
        }
        let (up, down) = (number(call, "7308"), number(put, "7308"));
        assert!((up - down - 1.0).abs() < 0.01 && up > 0.0 && down < 0.0, "{strike}");
        // Interest on the strike less dividends on the share: above nothing, and below a year's.
        let carry = number(call, "31") - number(put, "31") - (spot - strike);
        assert!((0.0..strike * 0.042).contains(&carry), "{strike}: {carry}");
    }
    let deltas: Vec<f64> = chain.iter().map(|(_, call, _)| number(call, "7308")).collect();
    assert!(deltas.is_sorted_by(|one, next| one > next), "{deltas:?}");
    let dear =
        chain.iter().map(|(_, call, _)| call).find(|call| number(call, "31") > 20.0).unwrap();
    assert!(number(dear, "86") - number(dear, "84") > 0.1, "a dear option has a wide spread");
}

#[tokio::test]
async fn volatility_smiles_and_is_higher_where_prices_fall() {
    let world = frozen(OPEN, "open").await;
    let chain = chain(&world).await;
    let implied: Vec<f64> = chain.iter().map(|(_, call, _)| number(call, "7633")).collect();
    let (low, middle, high) = (implied[0], implied[5], implied[10]);
    assert!(low > middle + 1.0 && low > high, "{implied:?}");
    assert!(low - middle > middle - high, "it curves: {implied:?}");
    for (strike, call, put) in &chain {
        assert_eq!(call["7633"], put["7633"], "one volatility for one strike: {strike}");
    }
}
