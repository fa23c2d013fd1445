//! Prices the options on its standard input, one a line: `RIGHT STYLE STRIKE YEARS SPOT RATE YIELD VOLATILITY
//! DIVIDENDS`, with RIGHT `C` or `P`, STYLE `A` or `E` and DIVIDENDS `years:amount;…` or `-`. For each it prints
//! `PRICE DELTA GAMMA THETA VEGA IMPLIED`, the last from that price, or why there is none. `--time` prints on its
//! standard error how long the pricing took.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::BufRead;
use std::time::{Duration, Instant};

use ibd_pricing::{Dividend, Market, Option, Right, Style, greeks, implied_volatility};

fn main() -> Result<(), Box<dyn Error>> {
    let timed = std::env::args().any(|argument| argument == "--time");
    let mut took = Duration::ZERO;
    let mut options = 0_u32;
    for line in std::io::stdin().lock().lines() {
        let (option, market, volatility) = read(&line?)?;
        let started = Instant::now();
        let said = answer(&option, &market, volatility);
        took += started.elapsed();
        options += 1;
        println!("{said}");
    }
    if timed {
        eprintln!("{options} options in {took:?}");
    }
    Ok(())
}

fn answer(option: &Option, market: &Market, volatility: f64) -> String {
    let greeks = match greeks(option, market, volatility) {
        Ok(greeks) => greeks,
        Err(invalid) => return invalid.to_string(),
    };
    let implied = match implied_volatility(option, market, greeks.price) {
        Ok(implied) => implied.to_string(),
        Err(undetermined) => format!("{undetermined:?}").replace(' ', ""),
    };
    let [price, delta, gamma, theta, vega] =
        [greeks.price, greeks.delta, greeks.gamma, greeks.theta, greeks.vega];
    format!("{price:e} {delta:e} {gamma:e} {theta:e} {vega:e} {implied}")
}

fn read(line: &str) -> Result<(Option, Market, f64), Box<dyn Error>> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [right, style, numbers @ .., dividends] = fields.as_slice() else {
        return Err(format!("not nine fields: {line}").into());
    };
    let numbers = numbers.iter().map(|field| field.parse()).collect::<Result<Vec<f64>, _>>()?;
    let [strike, years, spot, rate, dividend_yield, volatility] = *numbers.as_slice() else {
        return Err(format!("not nine fields: {line}").into());
    };
    let right = match *right {
        "C" => Right::Call,
        "P" => Right::Put,
        _ => return Err(format!("neither C nor P: {right}").into()),
    };
    let style = match *style {
        "A" => Style::American,
        "E" => Style::European,
        _ => return Err(format!("neither A nor E: {style}").into()),
    };
    let option = Option { right, style, strike, years };
    let market = Market { spot, rate, dividend_yield, dividends: read_dividends(dividends)? };
    Ok((option, market, volatility))
}

fn read_dividends(field: &str) -> Result<Vec<Dividend>, Box<dyn Error>> {
    if field == "-" {
        return Ok(Vec::new());
    }
    let one = |dividend: &str| -> Result<Dividend, Box<dyn Error>> {
        let (years, amount) = dividend.split_once(':').ok_or("a dividend is years:amount")?;
        Ok(Dividend { years: years.parse()?, amount: amount.parse()? })
    };
    field.split(';').map(one).collect()
}
