//! Accounts: who owns what.

use std::collections::BTreeMap;

use crate::instruments::{Instrument, Universe};
use crate::scenario::{AccountSpec, PositionSpec, Scenario};

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) alias: Option<String>,
    pub(crate) currency: String,
    pub(crate) cash: BTreeMap<String, f64>,
    pub(crate) holdings: Vec<Holding>,
    /// What is held for a model, by contract.
    pub(crate) models: BTreeMap<i64, String>,
    /// What closing positions gained since the start, by currency.
    pub(crate) realized: BTreeMap<String, f64>,
}

/// One position. The price paid is per unit, without the multiplier.
#[derive(Debug, Clone)]
pub(crate) struct Holding {
    pub(crate) conid: i64,
    pub(crate) quantity: f64,
    pub(crate) avg_price: f64,
}

/// Symbol, quantity and price paid of the default account's stocks.
const STOCKS: [(&str, f64, f64); 12] = [
    ("AAPL", 10.0, 250.1),
    ("MSFT", 15.0, 431.25),
    ("NVDA", 40.0, 121.4),
    ("IBM", 20.0, 188.3),
    ("SPY", 12.0, 598.75),
    ("SAP", 10.0, 214.6),
    ("ASML", 3.0, 702.0),
    ("NESN", 25.0, 88.12),
    ("VOD", 2000.0, 0.7312),
    ("7203", 100.0, 2874.0),
    ("700", 100.0, 498.6),
    ("F", -100.0, 11.35),
];

/// Cash of the default account.
const CASH: [(&str, f64); 6] = [
    ("USD", 25_000.0),
    ("EUR", 8000.5),
    ("GBP", 1200.25),
    ("JPY", 150_000.0),
    ("CHF", 640.0),
    ("HKD", -2400.0),
];

/// The accounts that the scenario wants, or the default one.
pub(crate) fn build(scenario: &Scenario, universe: &Universe) -> Result<Vec<Account>, String> {
    let mut accounts = if scenario.accounts.is_empty() {
        vec![usual_account(universe)]
    } else {
        let numbered = scenario.accounts.iter().enumerate();
        numbered.map(|(at, spec)| from_spec(spec, at == 0, universe)).collect::<Result<_, _>>()?
    };
    if let Some(first) = accounts.first_mut() {
        first.holdings.extend(extra(universe));
    }
    Ok(accounts)
}

fn usual_account(universe: &Universe) -> Account {
    Account {
        id: "DU1234567".to_owned(),
        title: "Sim Paper".to_owned(),
        alias: None,
        currency: "USD".to_owned(),
        cash: CASH.iter().map(|(currency, amount)| ((*currency).to_owned(), *amount)).collect(),
        holdings: usual_holdings(universe),
        models: BTreeMap::new(),
        realized: BTreeMap::new(),
    }
}

fn usual_holdings(universe: &Universe) -> Vec<Holding> {
    let stocks = STOCKS.iter().filter_map(|(symbol, quantity, avg_price)| {
        let conid = universe.named(symbol, "STK")?.conid;
        Some(Holding { conid, quantity: *quantity, avg_price: *avg_price })
    });
    stocks.chain(usual_derivatives(universe)).collect()
}

/// A long AAPL call, a short SPY put, both of the second month, and one ES future.
fn usual_derivatives(universe: &Universe) -> Vec<Holding> {
    let option = |underlying: &str, letter: &str, strike: f64| {
        let conid = universe.named(underlying, "STK")?.conid;
        let fits = |i: &&Instrument| {
            let option = i.derivative.as_ref().and_then(|d| d.option);
            option.is_some_and(|(right, at)| right.letter() == letter && (at - strike).abs() < 0.01)
        };
        universe.derivatives(conid, "OPT").filter(fits).nth(1)
    };
    let future =
        universe.named("ES", "IND").and_then(|root| universe.derivatives(root.conid, "FUT").next());
    let wanted = [
        (option("AAPL", "C", 270.0), 2.0, 9.85),
        (option("SPY", "P", 650.0), -1.0, 14.2),
        (future, 1.0, 6590.25),
    ];
    let made = wanted.into_iter().filter_map(|(instrument, quantity, avg_price)| {
        Some(Holding { conid: instrument?.conid, quantity, avg_price })
    });
    made.collect()
}

/// The invented positions that a scenario asked for.
fn extra(universe: &Universe) -> Vec<Holding> {
    let invented = universe.iter().filter(|i| i.conid > 900_000_000);
    invented.map(|i| Holding { conid: i.conid, quantity: 10.0, avg_price: i.base * 0.9 }).collect()
}

fn from_spec(spec: &AccountSpec, first: bool, universe: &Universe) -> Result<Account, String> {
    let currency = spec.currency.clone().unwrap_or_else(|| "USD".to_owned());
    let holdings = match &spec.positions {
        Some(positions) => {
            positions.iter().map(|p| holding(p, universe)).collect::<Result<_, _>>()?
        }
        None if first => usual_holdings(universe),
        None => usual_holdings(universe).into_iter().take(3).collect(),
    };
    let mut models = BTreeMap::new();
    for position in spec.positions.iter().flatten() {
        let Some(model) = &position.model else { continue };
        let of = resolve(position.conid, position.symbol.as_deref(), universe)?;
        models.insert(of.conid, model.clone());
    }
    let cash = spec.cash.clone().unwrap_or_else(|| [(currency.clone(), 50_000.0)].into());
    Ok(Account {
        id: spec.id.clone(),
        title: spec.title.clone().unwrap_or_else(|| format!("Sim {}", spec.id)),
        alias: spec.alias.clone(),
        currency,
        cash,
        holdings,
        models,
        realized: BTreeMap::new(),
    })
}

fn holding(spec: &PositionSpec, universe: &Universe) -> Result<Holding, String> {
    let found = resolve(spec.conid, spec.symbol.as_deref(), universe)?;
    let avg_price = spec.avg_price.unwrap_or(found.base);
    Ok(Holding { conid: found.conid, quantity: spec.quantity, avg_price })
}

/// The contract that a scenario names by conid or by a stock's symbol.
pub(crate) fn resolve<'a>(
    conid: Option<i64>,
    symbol: Option<&str>,
    universe: &'a Universe,
) -> Result<&'a Instrument, String> {
    let found = match (conid, symbol) {
        (Some(conid), _) => universe.get(conid),
        (None, Some(symbol)) => universe.named(symbol, "STK"),
        (None, None) => None,
    };
    found.ok_or_else(|| format!("scenario: there is no instrument {conid:?} {symbol:?}"))
}
