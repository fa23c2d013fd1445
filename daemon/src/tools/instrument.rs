//! An instrument as a reading tool's arguments name it, and the contract that is meant.

use ibd_cpapi::contracts::{Right, SecType};
use ibd_cpapi::id::Conid;
use ibd_protocol::ErrorCode;
use rust_decimal::Decimal;

use super::Ctx;
use crate::contracts::expiry::Expiry;
use crate::contracts::option::WantedOption;
use crate::contracts::{self, Contract, Finder, Given, Wish, spelling};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

/// What was said of an instrument.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instrument {
    /// IBKR's number.
    pub conid: Option<Conid>,
    /// A symbol; of an option the underlying's.
    pub symbol: Option<String>,
    /// What kind it is.
    pub sec_type: Option<String>,
    /// The listing exchange.
    pub exchange: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// Of an option or a future.
    pub expiry: Option<String>,
    /// Of an option.
    pub strike: Option<Decimal>,
    /// Of an option.
    pub right: Option<String>,
}

/// How the contract is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meant {
    Conid(Conid, Given),
    Symbol(Wish),
    Option(WantedOption),
}

impl Instrument {
    /// The one contract that is meant, or what may be meant.
    pub async fn find(&self, ctx: &Ctx) -> Result<Contract, Refusal> {
        let meant = &self.meant()?;
        let contract = ctx.serve(|lease| async move { found(&lease, ctx, meant).await }).await?;
        ctx.note_asked(&contract);
        Ok(contract)
    }

    fn meant(&self) -> Result<Meant, Refusal> {
        let upper = |text: &Option<String>| text.as_ref().map(|text| text.trim().to_uppercase());
        let right = self.right.as_deref().map(str::parse::<Right>).transpose();
        let right = right
            .map_err(|_| Refusal::argument("right", "right is neither C nor P.", "Give C or P."))?;
        if self.strike.is_some_and(|strike| strike <= Decimal::ZERO) {
            let message = "strike must be more than zero.";
            return Err(Refusal::argument("strike", message, "Correct it."));
        }
        if let Some(conid) = self.conid {
            let given = Given {
                symbol: upper(&self.symbol),
                sec_type: upper(&self.sec_type),
                exchange: upper(&self.exchange),
                currency: upper(&self.currency),
                expiry: upper(&self.expiry),
                strike: self.strike,
                right: right.map(|right| right.to_string()),
            };
            return Ok(Meant::Conid(conid, given));
        }
        let Some(written) = &self.symbol else {
            return Err(Refusal::argument(
                "symbol",
                "Neither conid nor symbol is given.",
                "Give conid from search_contracts, or symbol.",
            ));
        };
        let spelled = spelling::read(written);
        let exchange = self.exchange_of(written, spelled.exchange)?;
        let symbol = spelled.symbol;
        if let Some((day, own_right, strike)) = spelled.option {
            self.alone(written)?;
            return Ok(Meant::Option(WantedOption {
                symbol,
                expiry: Expiry::read_alive(&day.to_string(), contracts::today())?,
                strike,
                right: own_right,
                exchange,
                currency: upper(&self.currency),
                sec_type: None,
            }));
        }
        let sec_type = self.sec_type.as_deref().map(SecType::of);
        let is_option = self.strike.is_some()
            || right.is_some()
            || sec_type.as_ref().is_some_and(SecType::is_option);
        if !is_option {
            return Ok(Meant::Symbol(Wish {
                symbol,
                // What expires and is no option is a future.
                sec_type: sec_type.or(self.expiry.is_some().then_some(SecType::Future)),
                exchange,
                currency: upper(&self.currency),
                expiry: upper(&self.expiry),
            }));
        }
        let missing = |field: &str| {
            Refusal::argument(
                field,
                "An option needs expiry, strike and right.",
                "Give all three, or the option's conid.",
            )
        };
        let expiry = self.expiry.as_deref().ok_or_else(|| missing("expiry"))?;
        Ok(Meant::Option(WantedOption {
            symbol,
            expiry: Expiry::read_alive(expiry, contracts::today())?,
            strike: self.strike.ok_or_else(|| missing("strike"))?,
            right: right.ok_or_else(|| missing("right"))?,
            exchange,
            currency: upper(&self.currency),
            sec_type: upper(&self.sec_type),
        }))
    }
}

impl Instrument {
    /// The exchange that is named beside the symbol or in it; two must be one.
    fn exchange_of(
        &self,
        written: &str,
        in_symbol: Option<String>,
    ) -> Result<Option<String>, Refusal> {
        let beside = self.exchange.as_ref().map(|text| text.trim().to_uppercase());
        match (beside, in_symbol) {
            (Some(beside), Some(within)) if !contracts::is_exchange(&beside, Some(&within)) => {
                Err(Refusal::new(
                    ErrorCode::Contradiction,
                    format!("exchange says {beside}, and {written} is a symbol at {within}."),
                    "Leave out exchange, or write the symbol without it.",
                )
                .at("exchange"))
            }
            (beside, within) => Ok(within.or(beside)),
        }
    }

    /// The first part of a derivative that is named.
    pub fn part(&self) -> Option<&'static str> {
        let said = [
            ("expiry", self.expiry.is_some()),
            ("strike", self.strike.is_some()),
            ("right", self.right.is_some()),
        ];
        said.iter().find(|(_, is_said)| *is_said).map(|(field, _)| *field)
    }

    /// An option that its symbol names in full has nothing beside it.
    fn alone(&self, written: &str) -> Result<(), Refusal> {
        match self.part() {
            Some(field) => Err(Refusal::argument(
                field,
                format!("{written} names the option in full, and {field} is given besides."),
                format!("Leave out {field}."),
            )),
            None => Ok(()),
        }
    }
}

async fn found(lease: &Lease, ctx: &Ctx, meant: &Meant) -> Result<Contract, Unserved> {
    let (store, underlyings) = (&ctx.desks.store, ctx.desks.market.underlyings());
    let finder = Finder { lease, store, underlyings, deadline: ctx.deadline };
    match meant {
        Meant::Conid(conid, given) => finder.by_conid(*conid, given).await,
        Meant::Symbol(wish) => finder.by_symbol(wish).await,
        Meant::Option(wanted) => finder.option(wanted).await,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned()).filter(|text| !text.is_empty())
    }

    #[test]
    fn what_is_said_of_an_instrument_makes_it_one_kind() {
        let meant = |symbol: &str, kind: &str, expiry: &str, strike: i64, right: &str| {
            let instrument = Instrument {
                symbol: text(symbol),
                sec_type: text(kind),
                expiry: text(expiry),
                strike: (strike > 0).then(|| Decimal::from(strike)),
                right: text(right),
                ..Instrument::default()
            };
            match instrument.meant() {
                Ok(Meant::Conid(..)) => "conid".to_owned(),
                Ok(Meant::Symbol(wish)) => {
                    wish.sec_type.map_or_else(|| "any".to_owned(), |kind| kind.to_string())
                }
                Ok(Meant::Option(_)) => "option".to_owned(),
                Err(refusal) => refusal.field.unwrap(),
            }
        };
        for (symbol, kind, expiry, strike, right, expected) in [
            ("aapl", "", "", 0, "", "any"),
            ("es", "", "DEC99", 0, "", "FUT"),
            ("aapl", "", "JAN99", 270, "call", "option"),
            ("aapl", "", "", 270, "C", "expiry"),
            ("aapl", "", "JAN99", 0, "C", "strike"),
            ("aapl", "OPT", "JAN99", 270, "", "right"),
            ("aapl", "", "JAN99", 270, "X", "right"),
            ("aapl", "", "JAN20", 270, "P", "expiry"),
            ("", "", "", 0, "", "symbol"),
        ] {
            assert_eq!(meant(symbol, kind, expiry, strike, right), expected, "{symbol} {kind}");
        }
    }
}
