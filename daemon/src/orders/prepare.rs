//! From what is asked for to an order in which nothing is left to guess: whose, which contract exactly,
//! and whether it fits. What does not is refused here, with the argument named, and never reaches the
//! broker.

mod find;

use ibd_cpapi::Failure;
use ibd_cpapi::id::AccountId;
use ibd_cpapi::orders::Side;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::asked::{Asked, Attached, Leg, What};
use super::fits;
use super::order::{Order, Traded};
use super::scene::{RuleBook, SMART};
use crate::market::Underlyings;
use crate::portfolio;
use crate::refusal::Refusal;
use crate::session::Lease;
use crate::store::Store;

/// The order, or why there is none: the broker could not be asked, or the arguments are wrong.
pub type Prepared = Result<Result<Order, Refusal>, Failure>;

/// What preparing needs.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// What is remembered of contracts.
    pub store: &'a Store,
    /// What underlyings were searched for.
    pub underlyings: &'a Underlyings,
    /// What the broker said about contracts.
    pub rules: &'a RuleBook,
    /// The account of calls that name none.
    pub account: Option<&'a AccountId>,
    /// Who is named to exchanges of futures.
    pub operator: Option<&'a str>,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

/// `?` for what is a refusal inside an answer.
macro_rules! refused {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}
pub(super) use refused;

/// Prepares an order.
pub async fn order(lease: &Lease, tools: Tools<'_>, asked: &Asked) -> Prepared {
    let facts = lease.facts();
    let account = refused!(portfolio::pick(asked.account.as_ref(), tools.account, &facts.accounts));
    let contract = refused!(traded(lease, tools, &asked.what).await?);
    let operator = tools.operator.map(str::to_owned).or_else(|| facts.username.clone());
    let order = Order {
        account,
        // What is not known to be paper counts as live.
        paper: facts.paper == Some(true),
        operator: operator.filter(|_| contract.wants_operator()),
        contract,
        side: asked.side,
        size: asked.size,
        pricing: asked.pricing,
        tif: asked.tif,
        outside_rth: Some(asked.outside_rth),
        attached: asked.attached.clone(),
    };
    refused!(sides(&order));
    refused!(check(lease, tools.rules, &order, tools.deadline).await?);
    Ok(Ok(order))
}

/// Holds an order against the broker's rules for its contract.
pub async fn check(
    lease: &Lease,
    rules: &RuleBook,
    order: &Order,
    deadline: Instant,
) -> Result<Result<(), Refusal>, Failure> {
    let Some(conid) = order.contract.conid else { return Ok(Ok(())) };
    let rules = rules.of(lease, conid, order.side == Side::Buy, deadline).await?;
    Ok(fits::check(order, &rules))
}

async fn traded(
    lease: &Lease,
    tools: Tools<'_>,
    what: &What,
) -> Result<Result<Traded, Refusal>, Failure> {
    match what {
        What::Conid(conid) => find::by_conid(lease, tools, *conid).await,
        What::Symbol { symbol, sec_type, exchange, currency } => {
            let wish = crate::contracts::Wish {
                symbol: symbol.clone(),
                sec_type: sec_type.clone(),
                exchange: exchange.clone(),
                currency: currency.clone(),
            };
            find::by_symbol(lease, tools, &wish).await
        }
        What::Option { symbol, expiry, strike, right, exchange } => {
            let expiry = refused!(find::Expiry::parse(expiry));
            let wanted = find::WantedOption {
                symbol,
                expiry,
                strike: *strike,
                right: *right,
                exchange: exchange.as_deref(),
            };
            find::option(lease, tools, &wanted).await
        }
        What::Combo { legs } => combo(lease, tools, legs).await,
    }
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

async fn combo(
    lease: &Lease,
    tools: Tools<'_>,
    legs: &[Leg],
) -> Result<Result<Traded, Refusal>, Failure> {
    let mut parts = Vec::with_capacity(legs.len());
    for leg in legs {
        parts.push(refused!(find::by_conid(lease, tools, leg.conid).await?));
    }
    let Some(first) = parts.first() else {
        return Ok(Err(Refusal::argument(
            "legs",
            "A combination needs legs.",
            "Give at least two.",
        )));
    };
    if let Some(other) = parts.iter().find(|part| part.currency != first.currency) {
        let message = format!("The legs are in {} and {}.", first.currency, other.currency);
        return Ok(Err(Refusal::argument("legs", message, "Use legs of one currency.")));
    }
    let Some(spread) = spread_conid(&first.currency) else {
        let message = format!("IBKR takes no combination in {}.", first.currency);
        return Ok(Err(Refusal::argument("legs", message, "Place the legs one by one.")));
    };
    let ratios: Vec<String> = legs.iter().map(|leg| ratio(*leg)).collect();
    let symbols: Vec<&str> = parts.iter().map(|part| part.symbol.as_str()).collect();
    let name: Vec<String> = legs
        .iter()
        .zip(&parts)
        .map(|(leg, part)| {
            let what = part.name.as_deref().unwrap_or(&part.symbol);
            format!("{} {} {what}", leg.side.as_str(), leg.ratio)
        })
        .collect();
    Ok(Ok(Traded {
        conid: None,
        conidex: Some(format!("{spread};;;{}", ratios.join(","))),
        symbol: symbols.first().copied().unwrap_or_default().to_owned(),
        name: Some(name.join(" + ")),
        exchange: Some(SMART.to_owned()),
        currency: first.currency.clone(),
        sec_type: "BAG".to_owned(),
        multiplier: parts.iter().map(|part| part.multiplier).max().unwrap_or(Decimal::ONE),
        legs: legs.to_vec(),
    }))
}

/// `conid/ratio`; the sign says what buying the combination does with the leg.
fn ratio(leg: Leg) -> String {
    match leg.side {
        Side::Buy => format!("{}/{}", leg.conid, leg.ratio),
        Side::Sell => format!("{}/-{}", leg.conid, leg.ratio),
    }
}

/// The prices of a bracket are on the right sides of each other.
fn sides(order: &Order) -> Result<(), Refusal> {
    let Attached::Bracket { take_profit, stop_loss, .. } = &order.attached else { return Ok(()) };
    let up = order.side == Side::Buy;
    let is_beyond = |price: Decimal, from: Decimal| if up { price > from } else { price < from };
    let wrong = |field: &str, word: &str| {
        Err(Refusal::argument(
            field,
            format!("{field} must be {word} for a {} order.", order.side.as_str()),
            "Correct the price.",
        ))
    };
    let (above, below) = if up {
        ("above the price", "below the price")
    } else {
        ("below the price", "above the price")
    };
    if let Some(limit) = order.pricing.limit().or(order.pricing.stop()) {
        if take_profit.is_some_and(|price| !is_beyond(price.get(), limit.get())) {
            return wrong("takeProfit", above);
        }
        if stop_loss.is_some_and(|price| !is_beyond(limit.get(), price.get())) {
            return wrong("stopLoss", below);
        }
    }
    match (take_profit, stop_loss) {
        (Some(profit), Some(loss)) if !is_beyond(profit.get(), loss.get()) => {
            wrong("takeProfit", if up { "above stopLoss" } else { "below stopLoss" })
        }
        _ => Ok(()),
    }
}

/// Today at the exchanges of the United States.
pub fn today() -> Date {
    let zone = TimeZone::get("America/New_York").unwrap_or(TimeZone::UTC);
    Timestamp::now().to_zoned(zone).date()
}
