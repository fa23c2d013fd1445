//! Against published values and what must hold for any option.

use ibd_pricing::{
    Dividend, Greeks, Invalid, Market, Option, Right, Style, Undetermined, greeks,
    implied_volatility, price,
};

type Tested = Result<(), Box<dyn std::error::Error>>;

fn option(right: Right, style: Style, strike: f64, years: f64) -> Option {
    Option { right, style, strike, years }
}

fn market(spot: f64, rate: f64, dividend_yield: f64) -> Market {
    Market { spot, rate, dividend_yield, dividends: Vec::new() }
}

fn paying(spot: f64, rate: f64, dividends: &[(f64, f64)]) -> Market {
    let one = |&(years, amount): &(f64, f64)| Dividend { years, amount };
    Market { dividends: dividends.iter().map(one).collect(), ..market(spot, rate, 0.0) }
}

#[track_caller]
fn near(value: f64, expected: f64, error: f64) {
    assert!((value - expected).abs() <= error, "{value} is not {expected}");
}

/// Numbers from 0 to 1, the same in every run (Knuth's MMIX generator).
struct Draw(u64);

impl Draw {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn case(&mut self, style: Style) -> (Option, Market, f64) {
        let right = if self.between(0.0, 1.0) < 0.5 { Right::Call } else { Right::Put };
        let option = option(right, style, self.between(70.0, 140.0), self.between(0.02, 2.0));
        let market = market(100.0, self.between(0.0, 0.08), self.between(0.0, 0.06));
        (option, market, self.between(0.08, 1.2))
    }
}

/// Hull, "Options, Futures, and Other Derivatives", example 15.6.
#[test]
fn european_on_a_stock() -> Tested {
    let market = market(42.0, 0.1, 0.0);
    near(price(&option(Right::Call, Style::European, 40.0, 0.5), &market, 0.2)?, 4.76, 0.005);
    near(price(&option(Right::Put, Style::European, 40.0, 0.5), &market, 0.2)?, 0.81, 0.005);
    Ok(())
}

/// Hull, example 15.9: dividends of 0.50 in two and five months.
#[test]
fn european_with_dividends() -> Tested {
    let market = paying(40.0, 0.09, &[(2.0 / 12.0, 0.5), (5.0 / 12.0, 0.5)]);
    near(price(&option(Right::Call, Style::European, 40.0, 0.5), &market, 0.3)?, 3.67, 0.005);
    Ok(())
}

/// Hull, example 17.1: an index.
#[test]
fn european_on_an_index() -> Tested {
    let call = option(Right::Call, Style::European, 900.0, 2.0 / 12.0);
    near(price(&call, &market(930.0, 0.08, 0.03), 0.2)?, 51.83, 0.005);
    Ok(())
}

/// Hull, example 18.6: a put on a future.
#[test]
fn european_on_a_future() -> Tested {
    let put = option(Right::Put, Style::European, 20.0, 4.0 / 12.0);
    near(price(&put, &market(20.0, 0.09, 0.09), 0.25)?, 1.12, 0.005);
    Ok(())
}

/// Hull, examples 19.1, 19.4 and 19.6: delta 0.522, gamma 0.066, theta -4.31 a year, vega 12.1 per 1.00.
#[test]
fn greeks_as_a_broker_shows_them() -> Tested {
    let call = option(Right::Call, Style::European, 50.0, 20.0 / 52.0);
    let Greeks { price, delta, gamma, theta, vega } = greeks(&call, &market(49.0, 0.05, 0.0), 0.2)?;
    near(price, 2.40, 0.005);
    near(delta, 0.522, 0.0005);
    near(gamma, 0.066, 0.0005);
    near(theta * 365.0, -4.31, 0.005);
    near(vega * 100.0, 12.1, 0.05);
    Ok(())
}

/// F. Longstaff and E. Schwartz, "Valuing American options by simulation" (2001), table 1: puts of strike 40 at 6 %,
/// by finite differences. They may be exercised fifty times a year there, which makes them a little cheaper.
#[test]
fn american_puts() -> Tested {
    for (spot, volatility, years, expected) in [
        (36.0, 0.2, 1.0, 4.478),
        (36.0, 0.4, 2.0, 8.508),
        (40.0, 0.2, 1.0, 2.314),
        (40.0, 0.4, 2.0, 6.920),
        (44.0, 0.2, 2.0, 1.690),
        (44.0, 0.4, 1.0, 3.948),
    ] {
        let put = option(Right::Put, Style::American, 40.0, years);
        let value = price(&put, &market(spot, 0.06, 0.0), volatility)?;
        assert!(value > expected - 0.001 && value < expected + 0.012, "{value} {expected}");
    }
    Ok(())
}

/// Hull, example 21.1: a tree of 500 steps gives 4.283.
#[test]
fn american_put_of_the_tree() -> Tested {
    let put = option(Right::Put, Style::American, 50.0, 5.0 / 12.0);
    near(price(&put, &market(50.0, 0.1, 0.0), 0.4)?, 4.283, 0.002);
    Ok(())
}

/// Andersen, Lake and Offengenden (2016), the early exercise premium of a put at the money at 5 % of both.
#[test]
fn early_exercise_premium() -> Tested {
    let put = option(Right::Put, Style::American, 100.0, 1.0);
    let market = market(100.0, 0.05, 0.05);
    let european = price(&Option { style: Style::European, ..put }, &market, 0.25)?;
    near(price(&put, &market, 0.25)? - european, 0.106_952_702_747, 2e-5);
    Ok(())
}

#[test]
fn calls_and_puts_are_at_parity() -> Tested {
    let mut draw = Draw(1);
    for _ in 0..200 {
        let (one, market, volatility) = draw.case(Style::European);
        let call = price(&Option { right: Right::Call, ..one }, &market, volatility)?;
        let put = price(&Option { right: Right::Put, ..one }, &market, volatility)?;
        let forward = market.spot * (-market.dividend_yield * one.years).exp()
            - one.strike * (-market.rate * one.years).exp();
        near(call - put, forward, 1e-10);
    }
    Ok(())
}

#[test]
fn american_call_without_dividends_is_european() -> Tested {
    let mut draw = Draw(2);
    for _ in 0..50 {
        let (one, market, volatility) = draw.case(Style::American);
        let american = Option { right: Right::Call, ..one };
        let market = Market { dividend_yield: 0.0, ..market };
        let european = Option { style: Style::European, ..american };
        assert_eq!(price(&american, &market, volatility)?, price(&european, &market, volatility)?);
    }
    Ok(())
}

/// The two methods for American options know nothing of each other.
#[test]
fn methods_agree_where_a_dividend_is_next_to_nothing() -> Tested {
    let mut draw = Draw(3);
    for _ in 0..100 {
        let (one, market, volatility) = draw.case(Style::American);
        let collocated = greeks(&one, &market, volatility)?;
        let dividends = vec![Dividend { years: 0.5 * one.years, amount: 1e-9 }];
        let differences = greeks(&one, &Market { dividends, ..market }, volatility)?;
        near(differences.price, collocated.price, 1e-4 * collocated.price + 1e-4);
        near(differences.delta, collocated.delta, 1e-3);
        near(differences.vega, collocated.vega, 2e-3 * collocated.vega + 1e-3);
    }
    Ok(())
}

#[test]
fn american_is_worth_at_least_european_and_exercise() -> Tested {
    let mut draw = Draw(4);
    for round in 0..100 {
        let (one, mut market, volatility) = draw.case(Style::American);
        if round % 2 == 0 {
            market.dividends = vec![Dividend { years: 0.4 * one.years, amount: 1.5 }];
        }
        let american = price(&one, &market, volatility)?;
        let european = price(&Option { style: Style::European, ..one }, &market, volatility)?;
        let exercise = match one.right {
            Right::Call => market.spot - one.strike,
            Right::Put => one.strike - market.spot,
        };
        assert!(american >= european - 2e-3 && american >= exercise, "{one:?} {market:?}");
    }
    Ok(())
}

#[test]
fn prices_rise_with_the_volatility() -> Tested {
    let mut draw = Draw(5);
    for _ in 0..50 {
        let (one, market, volatility) = draw.case(Style::American);
        let higher = price(&one, &market, volatility + 0.02)?;
        assert!(higher >= price(&one, &market, volatility)?, "{one:?} {market:?} {volatility}");
    }
    Ok(())
}

/// With a dividend large enough, the call is exercised the moment before it: then it is worth a call to that day.
#[test]
fn call_is_exercised_before_a_large_dividend() -> Tested {
    let long = option(Right::Call, Style::American, 60.0, 0.5);
    let market_paying = paying(100.0, 0.03, &[(0.4, 30.0)]);
    let expected = 100.0 - 60.0 * (-0.03_f64 * 0.4).exp();
    near(price(&long, &market_paying, 0.1)?, expected, 0.005);
    Ok(())
}

#[test]
fn volatility_is_found_again() -> Tested {
    let mut draw = Draw(6);
    for round in 0..400 {
        let style = if round % 2 == 0 { Style::European } else { Style::American };
        let (one, mut market, volatility) = draw.case(style);
        if round % 8 == 1 {
            market.dividends = vec![Dividend { years: 0.3 * one.years, amount: 1.0 }];
        }
        let values = greeks(&one, &market, volatility)?;
        match implied_volatility(&one, &market, values.price) {
            Ok(found) => near(found, volatility, 2e-5),
            Err(why) => assert!(values.vega < 5e-3, "{why}: {one:?} {market:?} {volatility}"),
        }
    }
    Ok(())
}

#[test]
fn volatility_is_never_made_up() -> Tested {
    let market = market(100.0, 0.05, 0.0);
    let call = option(Right::Call, Style::European, 90.0, 0.5);
    let put = option(Right::Put, Style::American, 120.0, 0.5);
    let bound = 100.0 - 90.0 * (-0.025_f64).exp();
    for (one, price) in [(call, 0.99 * bound), (put, 20.0), (put, 19.0)] {
        let why = implied_volatility(&one, &market, price);
        assert!(matches!(why, Err(Undetermined::NoTimeValue { .. })), "{why:?}");
    }
    for (one, price) in [(call, 100.0), (put, 120.0), (put, 500.0)] {
        let why = implied_volatility(&one, &market, price);
        assert!(matches!(why, Err(Undetermined::AboveBound { .. })), "{why:?}");
    }
    let short = option(Right::Call, Style::European, 100.0, 1.0 / 365.0);
    assert_eq!(implied_volatility(&short, &market, 60.0), Err(Undetermined::TooVolatile));
    for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(implied_volatility(&call, &market, price), Err(Undetermined::Price));
    }
    let deep = option(Right::Call, Style::European, 10.0, 0.1);
    let bound = 100.0 - 10.0 * (-0.005_f64).exp();
    let why = implied_volatility(&deep, &market, bound + 1e-12);
    assert!(why.is_err(), "{why:?}");
    Ok(())
}

#[test]
fn nonsense_is_refused() {
    let good = option(Right::Put, Style::American, 100.0, 0.5);
    let fine = market(100.0, 0.05, 0.0);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(price(&Option { strike: bad, ..good }, &fine, 0.2), Err(Invalid::Strike));
        assert_eq!(price(&Option { years: bad, ..good }, &fine, 0.2), Err(Invalid::Years));
        assert_eq!(price(&good, &Market { spot: bad, ..fine.clone() }, 0.2), Err(Invalid::Spot));
        assert_eq!(price(&good, &fine, bad), Err(Invalid::Volatility));
        let dividend = paying(100.0, 0.05, &[(bad, 1.0)]);
        assert_eq!(price(&good, &dividend, 0.2), Err(Invalid::Dividend));
    }
    assert_eq!(price(&good, &Market { rate: f64::NAN, ..fine.clone() }, 0.2), Err(Invalid::Rate));
    let yields = Market { dividend_yield: 3.0, ..fine };
    assert_eq!(price(&good, &yields, 0.2), Err(Invalid::DividendYield));
    let all = paying(100.0, 0.05, &[(0.1, 101.0)]);
    assert_eq!(price(&good, &all, 0.2), Err(Invalid::DividendsExceedSpot));
}

const EXTREMES: [f64; 7] = [1e-300, 1e-8, 1e-3, 1.0, 99.0, 1e8, 1e300];
const RATES: [(f64, f64); 6] =
    [(0.0, 0.0), (2.0, 0.0), (0.0, 2.0), (-0.01, -0.02), (1e-9, 1e-9), (-2.0, 2.0)];

/// Whatever comes in, what comes out is a finite number or an error.
#[test]
fn extremes_give_a_number_or_an_error() {
    let mut draw = Draw(7);
    let mut pick = |from: &[f64]| {
        let index = draw.between(0.0, from.len() as f64) as usize;
        from.get(index).copied().unwrap_or(1.0)
    };
    for round in 0..1000 {
        let right = if round % 2 == 0 { Right::Call } else { Right::Put };
        let style = if round % 5 == 0 { Style::European } else { Style::American };
        let one = option(right, style, pick(&EXTREMES), pick(&[1e-9, 1e-3, 1.0, 100.0]));
        let (rate, carry) = RATES.get(round % 6).copied().unwrap_or_default();
        let mut market = market(pick(&EXTREMES), rate, carry);
        if round % 3 == 0 {
            let amount = market.spot * pick(&[1e-9, 0.01, 0.5, 0.9]);
            market.dividends.push(Dividend { years: one.years * pick(&[1e-6, 0.5, 1.0]), amount });
        }
        if let Ok(values) = greeks(&one, &market, pick(&[1e-9, 1e-3, 0.3, 10.0])) {
            let Greeks { price, delta, gamma, theta, vega } = values;
            let finite = [price, delta, gamma, theta, vega].iter().all(|value| value.is_finite());
            assert!(finite && price >= 0.0, "{one:?} {market:?} {values:?}");
        }
        let found =
            implied_volatility(&one, &market, market.spot * pick(&[1e-9, 0.01, 0.3, 0.999]));
        assert!(found.is_ok_and(|found| found > 0.0 && found <= 10.0) || found.is_err());
    }
}
