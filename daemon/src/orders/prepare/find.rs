//! Finds the one contract that is meant, or says what may be meant. Never takes the first hit.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::{GetContractInfo, GetOptionInfo, GetStrikes, OptionInfo};
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::Conid;
use ibd_cpapi::money::Price;
use ibd_cpapi::rows::Rows;
use ibd_protocol::ErrorCode;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Tools, today};
use crate::contracts::{self, Choice, Contract, Given, Wish};
use crate::market::Wanted;
use crate::orders::asked::Right;
use crate::orders::order::Traded;
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

/// Longest name of an exchange or a currency.
const SHORT: usize = 20;
/// More are not shown.
const CANDIDATES: usize = 10;
/// Contracts with a multiplier: without it nobody knows what one is worth.
const DERIVED: &[&str] = &["OPT", "FOP", "FUT", "WAR", "IOPT"];
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

type Found = Result<Traded, Unserved>;

/// A contract that may be meant.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    conid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
}

impl From<&Contract> for Candidate {
    fn from(contract: &Contract) -> Self {
        Self {
            conid: contract.conid,
            symbol: contract.symbol.clone(),
            name: contract.name.as_deref().map(clean),
            exchange: contract.exchange.clone(),
            currency: contract.currency.clone(),
            expiry: contract.expiry.clone(),
        }
    }
}

/// The contract of a conid, of which this was said besides.
pub(super) async fn by_conid(
    lease: &Lease,
    tools: Tools<'_>,
    conid: Conid,
    given: &Given,
) -> Found {
    let found = contracts::by_conids(lease, tools.store, &[conid], tools.deadline).await?;
    match found.into_iter().next() {
        Some(contract) => {
            given.agrees(&contract, &format!("conid {conid}"))?;
            complete(lease, tools, contract).await
        }
        None => Err(Refusal::new(
            ErrorCode::UnknownSymbol,
            format!("IBKR knows no contract with the conid {conid}."),
            "Find the right one with search_contracts.",
        )
        .at("conid")
        .into()),
    }
}

/// The contract of a symbol.
pub(super) async fn by_symbol(lease: &Lease, tools: Tools<'_>, wish: &Wish) -> Found {
    let mut found = contracts::by_symbol(lease, tools.store, wish, tools.deadline).await?;
    if let Some(expiry) = &wish.expiry {
        let all = found.clone();
        let given = Given { expiry: Some(expiry.clone()), ..Given::default() };
        Expiry::parse(expiry)?;
        found.retain(|contract| given.agrees(contract, &wish.symbol).is_ok());
        if found.is_empty() && !all.is_empty() {
            let message = format!("{} has no future that expires {expiry}.", wish.symbol);
            return Err(Refusal::new(
                ErrorCode::UnknownSymbol,
                message,
                "Use the conid of a candidate.",
            )
            .at("expiry")
            .or(all.iter().take(CANDIDATES).map(Candidate::from))
            .into());
        }
    }
    // Months of one future are different contracts: none of them is the obvious one.
    if wish.sec_type.as_deref() == Some("FUT") && found.len() > 1 {
        return Err(ambiguous(wish, &found).into());
    }
    match contracts::choose(wish, found) {
        Choice::One(contract) => {
            let given = Given {
                symbol: Some(wish.symbol.clone()),
                sec_type: wish.sec_type.clone(),
                exchange: wish.exchange.clone(),
                currency: wish.currency.clone(),
                ..Given::default()
            };
            given.agrees(&contract, &wish.symbol)?;
            complete(lease, tools, *contract).await
        }
        Choice::Several(several) => Err(ambiguous(wish, &several).into()),
        Choice::None(others) => Err(unknown(wish, &others).into()),
    }
}

fn ambiguous(wish: &Wish, several: &[Contract]) -> Refusal {
    Refusal::new(
        ErrorCode::AmbiguousSymbol,
        format!("{} may mean {} contracts.", wish.symbol, several.len()),
        "Repeat the call with the conid of the one that is meant; ask the user if unsure.",
    )
    .at("symbol")
    .or(several.iter().take(CANDIDATES).map(Candidate::from))
}

fn unknown(wish: &Wish, others: &[Contract]) -> Refusal {
    let wanted: Vec<&str> =
        wish.exchange.as_deref().into_iter().chain(wish.currency.as_deref()).collect();
    let message = if others.is_empty() {
        format!("IBKR knows no contract with the symbol {}.", wish.symbol)
    } else {
        format!("{} is not listed as {}.", wish.symbol, wanted.join(" "))
    };
    Refusal::new(ErrorCode::UnknownSymbol, message, "Look for it with search_contracts.")
        .at("symbol")
        .or(others.iter().take(CANDIDATES).map(Candidate::from))
}

/// Everything that an order needs of a contract.
async fn complete(lease: &Lease, tools: Tools<'_>, contract: Contract) -> Found {
    let sec_type = contract.sec_type.clone().unwrap_or_default();
    let currency = contract.currency.as_deref().and_then(|text| ibd_text::name(text, SHORT));
    let (Some(conid), Some(currency)) = (contract.id(), currency.map(str::to_owned)) else {
        return Err(Refusal::new(
            ErrorCode::UnknownSymbol,
            format!("IBKR does not say in which currency {} trades.", contract.conid),
            "Find another contract with search_contracts.",
        )
        .at("conid")
        .into());
    };
    if sec_type == "IND" {
        let message = "An index cannot be traded.";
        let next = "Use a future or an ETF on it.";
        return Err(Refusal::argument("symbol", message, next).into());
    }
    alive(contract.expiry.as_deref())?;
    let is_derived = DERIVED.contains(&sec_type.as_str());
    let multiplier = match multiplier(contract.multiplier.as_deref(), is_derived) {
        Some(multiplier) => multiplier,
        None => {
            let info = lease.client().ask(&GetContractInfo { conid }, tools.deadline).await?;
            match info.value.multiplier.map(|m| m.get()).filter(|m| *m > Decimal::ZERO) {
                Some(multiplier) => multiplier,
                None => {
                    return Err(Refusal::new(
                        ErrorCode::UnknownSymbol,
                        format!("IBKR does not say what one contract of {conid} stands for."),
                        "It cannot be traded here; use TWS.",
                    )
                    .at("conid")
                    .into());
                }
            }
        }
    };
    let name = name(&contract);
    Ok(Traded {
        conid: Some(conid),
        conidex: None,
        symbol: contract.symbol.as_deref().map(clean).unwrap_or_default(),
        name,
        // What is no name of an exchange is none that anybody could check.
        exchange: contract.exchange.filter(|text| ibd_text::name(text, SHORT).is_some()),
        currency,
        sec_type,
        multiplier,
        legs: Vec::new(),
        // What the rules for its orders say comes with them.
        price_magnifier: Decimal::ONE,
        negative: false,
    })
}

/// What it is called, with the day on which it ends: months have several.
fn name(contract: &Contract) -> Option<String> {
    let name = contract.description.as_deref().or(contract.name.as_deref()).map(clean);
    let day = contract.expiry.as_deref().and_then(|text| Date::strptime("%Y%m%d", text).ok());
    match (name, day) {
        (name, None) => name,
        (None, Some(day)) => Some(format!("expires {day}")),
        (Some(name), Some(day)) => Some(format!("{name}, expires {day}")),
    }
}

/// Units of the underlying in one contract. `None`: it must have some, and they are not known. One that is
/// not positive is none.
fn multiplier(text: Option<&str>, is_derived: bool) -> Option<Decimal> {
    match text {
        None if !is_derived => Some(Decimal::ONE),
        text => text?.parse().ok().filter(|multiplier| *multiplier > Decimal::ZERO),
    }
}

/// What has expired is not traded any more.
fn alive(expiry: Option<&str>) -> Result<(), Refusal> {
    let Some(date) = expiry.and_then(|text| Date::strptime("%Y%m%d", text).ok()) else {
        return Ok(());
    };
    if date < today() {
        Err(Refusal::argument(
            "expiry",
            format!("The contract expired on {date}."),
            "Use one that has not expired.",
        ))
    } else {
        Ok(())
    }
}

/// An expiry as people write it: a month, or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expiry {
    /// As the broker writes it: `JAN27`.
    month: String,
    /// `20270115`, where a day was given.
    day: Option<String>,
}

impl Expiry {
    /// Reads `JAN27`, `20270115` and `2027-01-15`. What is over is refused.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let plain = text.trim().to_ascii_uppercase();
        let day = ["%Y%m%d", "%Y-%m-%d"].iter().find_map(|form| Date::strptime(form, &plain).ok());
        if let Some(day) = day {
            alive(Some(&day.strftime("%Y%m%d").to_string()))?;
            let month = MONTHS[usize::from(day.month().unsigned_abs()) - 1];
            return Ok(Self {
                month: format!("{month}{:02}", day.year() % 100),
                day: Some(day.strftime("%Y%m%d").to_string()),
            });
        }
        let month = plain.get(..3).and_then(|m| MONTHS.iter().position(|one| *one == m));
        let year = plain.get(3..).filter(|y| y.len() == 2).and_then(|y| y.parse::<i16>().ok());
        match (month, year) {
            (Some(month), Some(year)) => {
                let now = today();
                let is_over = (2000 + year, month + 1)
                    < (now.year(), usize::from(now.month().unsigned_abs()));
                if is_over {
                    Err(Refusal::argument(
                        "expiry",
                        format!("{plain} is over."),
                        "Use an expiry that is still to come.",
                    ))
                } else {
                    Ok(Self { month: plain, day: None })
                }
            }
            _ => Err(Refusal::argument(
                "expiry",
                format!("{text:?} is no expiry."),
                "Write a day as 2027-01-15, or a month as JAN27.",
            )),
        }
    }
}

/// An option as it is asked for.
#[derive(Debug)]
pub(super) struct WantedOption<'a> {
    pub(super) symbol: &'a str,
    pub(super) expiry: Expiry,
    pub(super) strike: Decimal,
    pub(super) right: Right,
    pub(super) exchange: Option<&'a str>,
    pub(super) currency: Option<&'a str>,
    pub(super) sec_type: Option<&'a str>,
}

impl WantedOption<'_> {
    /// What the option that is found must be.
    fn given(&self) -> Given {
        Given {
            symbol: Some(self.symbol.to_owned()),
            sec_type: self.sec_type.map(str::to_owned),
            currency: self.currency.map(str::to_owned),
            strike: Some(self.strike),
            right: Some(self.right.letter().to_owned()),
            ..Given::default()
        }
    }
}

/// The contract of an option.
pub(super) async fn option(lease: &Lease, tools: Tools<'_>, wanted: &WantedOption<'_>) -> Found {
    let wish = Wish {
        symbol: wanted.symbol.to_owned(),
        currency: wanted.currency.map(str::to_owned),
        ..Wish::default()
    };
    let found = contracts::by_symbol(lease, tools.store, &wish, tools.deadline).await?;
    let underlying = match contracts::choose(&wish, found) {
        Choice::One(contract) => *contract,
        Choice::Several(several) => return Err(ambiguous(&wish, &several).into()),
        Choice::None(others) => return Err(unknown(&wish, &others).into()),
    };
    let Some(conid) = underlying.id() else { return Err(unknown(&wish, &[]).into()) };
    let prime = Wanted { conid, is_option: true, underlying: Some(wanted.symbol.to_owned()) };
    tools.underlyings.prepare(lease, &[prime], tools.deadline).await?;
    let request = GetOptionInfo {
        underlying: conid,
        sec_type: "OPT".to_owned(),
        month: wanted.expiry.month.clone(),
        strike: Some(Price::new(wanted.strike)),
        right: Some(match wanted.right {
            Right::Call => ibd_cpapi::contracts::Right::Call,
            Right::Put => ibd_cpapi::contracts::Right::Put,
        }),
        exchange: wanted.exchange.map(str::to_owned),
    };
    let options = match lease.client().ask(&request, tools.deadline).await {
        Ok(answer) => answer.value,
        // Its way of saying that there is no such month or strike.
        Err(Failure::Trouble { .. } | Failure::Refused { .. } | Failure::Garbled { .. }) => {
            Rows::default()
        }
        Err(failure) => return Err(failure.into()),
    };
    let fits = |option: &&OptionInfo| {
        let day = wanted.expiry.day.as_deref();
        day.is_none_or(|day| option.maturity_date.as_deref() == Some(day))
    };
    let fitting: Vec<&OptionInfo> = options.iter().filter(fits).collect();
    match fitting.as_slice() {
        [only] => by_conid(lease, tools, only.conid, &wanted.given()).await,
        [] => Err(no_option(lease, tools, wanted, conid, &options).await.into()),
        several => Err(several_options(wanted, several).into()),
    }
}

fn several_options(wanted: &WantedOption<'_>, several: &[&OptionInfo]) -> Refusal {
    let candidates = several.iter().take(CANDIDATES).map(|option| Candidate {
        conid: option.conid.get(),
        symbol: option.trading_class.clone(),
        name: option.description.as_deref().map(clean),
        exchange: option.exchange.clone(),
        currency: option.currency.clone(),
        expiry: option.maturity_date.clone(),
    });
    Refusal::new(
        ErrorCode::AmbiguousSymbol,
        format!("{} {} has several expiries.", wanted.symbol, wanted.expiry.month),
        "Repeat the call with the day as expiry, or with the conid.",
    )
    .at("expiry")
    .or(candidates)
}

async fn no_option(
    lease: &Lease,
    tools: Tools<'_>,
    wanted: &WantedOption<'_>,
    underlying: Conid,
    of_month: &[OptionInfo],
) -> Refusal {
    if !of_month.is_empty() {
        let days = of_month.iter().filter_map(|option| option.maturity_date.clone());
        return Refusal::new(
            ErrorCode::UnknownSymbol,
            format!("{} has no such option on that day.", wanted.symbol),
            "Use one of the candidates as expiry.",
        )
        .at("expiry")
        .or(days.take(CANDIDATES));
    }
    let request = GetStrikes {
        underlying,
        sec_type: "OPT".to_owned(),
        month: wanted.expiry.month.clone(),
        exchange: wanted.exchange.map(str::to_owned),
    };
    let strikes = lease.client().ask(&request, tools.deadline).await.map(|answer| answer.value);
    let mut strikes: Vec<Decimal> = match (strikes, wanted.right) {
        (Ok(strikes), Right::Call) => strikes.call.into_iter().map(|s| s.get()).collect(),
        (Ok(strikes), Right::Put) => strikes.put.into_iter().map(|s| s.get()).collect(),
        (Err(_), _) => Vec::new(),
    };
    strikes.sort_by_key(|strike| (*strike - wanted.strike).abs());
    let (field, message) = if strikes.is_empty() {
        ("expiry", format!("{} has no options in {}.", wanted.symbol, wanted.expiry.month))
    } else {
        (
            "strike",
            format!(
                "{} {} has no strike {}.",
                wanted.symbol,
                wanted.expiry.month,
                wanted.strike.normalize()
            ),
        )
    };
    Refusal::new(
        ErrorCode::UnknownSymbol,
        message,
        "Use one of the candidates, or search_contracts for the months.",
    )
    .at(field)
    .or(strikes.iter().take(CANDIDATES).map(|strike| strike.normalize().to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_multiplier_that_is_not_positive_is_not_known() {
        for (text, is_derived, expected) in [
            (None, false, Some("1")),
            (None, true, None),
            (Some("100"), true, Some("100")),
            (Some("0"), true, None),
            (Some("-100"), true, None),
            (Some("-1"), false, None),
        ] {
            let found = multiplier(text, is_derived).map(|m| m.to_string());
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_derivative_is_called_by_the_day_on_which_it_ends() {
        let named = |json: &str| name(&serde_json::from_str(json).unwrap());
        let option =
            r#"{"conid":7,"option_months":[],"description":"AAPL 250 Call","expiry":"20270115"}"#;
        assert_eq!(named(option).as_deref(), Some("AAPL 250 Call, expires 2027-01-15"));
        assert_eq!(
            named(r#"{"conid":7,"option_months":[],"name":"APPLE INC"}"#).as_deref(),
            Some("APPLE INC")
        );
    }

    #[test]
    fn an_expiry_is_read_however_it_is_written() {
        let day = Expiry::parse("2099-01-16").unwrap();
        assert_eq!((day.month.as_str(), day.day.as_deref()), ("JAN99", Some("20990116")));
        assert_eq!(Expiry::parse("20990116").unwrap(), day);
        let month = Expiry::parse("jan99").unwrap();
        assert_eq!((month.month.as_str(), month.day), ("JAN99", None));
        for bad in ["", "JAN", "JANUARY27", "27-01-15", "20991350", "é99", "2020-01-17", "JAN20"] {
            assert_eq!(Expiry::parse(bad).unwrap_err().field.as_deref(), Some("expiry"), "{bad}");
        }
    }
}
