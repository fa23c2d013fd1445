//! Which contract an order's arguments name, and what they say of it besides.

use ibd_cpapi::contracts::Right;

use super::{Args, LegArgs, more_than_nothing, side, wrong};
use crate::contracts::Given;
use crate::orders::{Leg, SpreadLeg, What, prepare};
use crate::refusal::Refusal;

/// Legs of a combination, as IBKR allows them.
const MAX_LEGS: usize = 6;

fn upper(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_uppercase())
}

impl Args {
    /// What is to be traded. What is said twice is kept, and held against the contract once it is found.
    pub(super) fn what(&self) -> Result<What, Refusal> {
        let kind = upper(self.sec_type.as_ref());
        // A future has an expiry, and nothing else of an option's.
        let is_future = kind.as_deref() == Some("FUT");
        let is_option =
            self.strike.is_some() || self.right.is_some() || self.expiry.is_some() && !is_future;
        match (&self.legs, self.conid, upper(self.symbol.as_ref())) {
            (Some(legs), ..) => {
                self.nothing_beside_legs()?;
                self::legs(legs)
            }
            (None, Some(conid), _) => {
                let given = self.given()?;
                Ok(if given.is_empty() {
                    What::Conid(conid)
                } else {
                    What::Named { conid, given: Box::new(given) }
                })
            }
            (None, None, Some(symbol)) if is_option => self.option(symbol),
            (None, None, Some(_)) if matches!(kind.as_deref(), Some("OPT" | "FOP")) => {
                Err(wrong("expiry", "An option needs expiry, strike and right.", "Give all three."))
            }
            (None, None, Some(symbol)) => Ok(What::Symbol {
                symbol,
                sec_type: kind,
                exchange: upper(self.exchange.as_ref()),
                currency: upper(self.currency.as_ref()),
                expiry: upper(self.expiry.as_ref()),
            }),
            (None, None, None) => Err(wrong(
                "symbol",
                "Neither conid nor symbol is given.",
                "Give conid from search_contracts, or symbol.",
            )),
        }
    }

    /// What is said of the contract beside its conid.
    fn given(&self) -> Result<Given, Refusal> {
        if let Some(strike) = self.strike {
            more_than_nothing("strike", strike)?;
        }
        Ok(Given {
            symbol: upper(self.symbol.as_ref()),
            sec_type: upper(self.sec_type.as_ref()),
            exchange: upper(self.exchange.as_ref()),
            currency: upper(self.currency.as_ref()),
            expiry: upper(self.expiry.as_ref()),
            strike: self.strike,
            right: self.right()?.map(|right| right.to_string()),
        })
    }

    /// A combination is what its legs are: anything else that is said would be dropped in silence.
    fn nothing_beside_legs(&self) -> Result<(), Refusal> {
        // IBKR turns an amount into so many combinations by their net price: that is no limit to what moves.
        if self.cash_quantity.is_some() {
            return Err(wrong(
                "cashQuantity",
                "A combination cannot be ordered for an amount of money.",
                "Give quantity, the number of combinations.",
            ));
        }
        let kind = self.sec_type.as_deref().filter(|kind| !kind.trim().eq_ignore_ascii_case("BAG"));
        let given = [
            ("legs", self.conid.is_some() || self.symbol.is_some()),
            ("secType", kind.is_some()),
            ("exchange", self.exchange.is_some()),
            ("currency", self.currency.is_some()),
            ("expiry", self.expiry.is_some()),
            ("strike", self.strike.is_some()),
            ("right", self.right.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((field, _)) => Err(wrong(
                field,
                "legs stand alone: each leg names its own contract.",
                "Leave out everything else that names a contract.",
            )),
            None => Ok(()),
        }
    }

    fn right(&self) -> Result<Option<Right>, Refusal> {
        let right = self.right.as_deref().map(str::parse).transpose();
        right.map_err(|_| wrong("right", "right is neither C nor P.", "Give C or P."))
    }

    fn option(&self, symbol: String) -> Result<What, Refusal> {
        if upper(self.sec_type.as_ref()).as_deref() == Some("FUT") {
            let field = if self.strike.is_some() { "strike" } else { "right" };
            return Err(wrong(
                field,
                format!("A future has no {field}."),
                format!("Leave {field} out; an option on a future is named by its conid."),
            ));
        }
        let missing = |field: &str| {
            wrong(field, "An option needs expiry, strike and right.", "Give all three.")
        };
        // One that was forgotten must not become an order for the future.
        if self.strike.is_none() && self.right.is_none() && self.sec_type.is_none() {
            return Err(wrong(
                "strike",
                "An expiry alone may be that of an option or of a future.",
                "Of an option give strike and right as well; of a future secType FUT.",
            ));
        }
        let expiry = self.expiry.clone().ok_or_else(|| missing("expiry"))?;
        let strike = self.strike.ok_or_else(|| missing("strike"))?;
        more_than_nothing("strike", strike)?;
        let right = self.right()?.ok_or_else(|| missing("right"))?;
        Ok(What::Option {
            symbol,
            expiry,
            strike,
            right,
            exchange: upper(self.exchange.as_ref()),
            currency: upper(self.currency.as_ref()),
            sec_type: upper(self.sec_type.as_ref()),
        })
    }
}

/// Legs as they are named: all by conid, or some by what they are.
fn legs(legs: &[LegArgs]) -> Result<What, Refusal> {
    if !(2..=MAX_LEGS).contains(&legs.len()) {
        return Err(wrong(
            "legs",
            format!("{} legs are given.", legs.len()),
            format!("A combination has 2 to {MAX_LEGS} legs."),
        ));
    }
    let of_leg = |(at, one): (usize, &LegArgs)| {
        leg(one).map_err(|refusal| {
            let message = format!("Leg {}: {}", at + 1, refusal.message);
            Refusal { message, ..refusal }
        })
    };
    let named = legs.iter().enumerate().map(of_leg).collect::<Result<Vec<_>, _>>()?;
    let by_conid = named.iter().map(|leg| match leg.what {
        What::Conid(conid) => Some(Leg::new(conid, leg.ratio, leg.side)),
        _ => None,
    });
    match by_conid.collect::<Option<Vec<Leg>>>() {
        Some(legs) => Ok(What::Combo { legs: prepare::distinct(legs)? }),
        None => Ok(What::Spread { legs: named }),
    }
}

fn leg(leg: &LegArgs) -> Result<SpreadLeg, Refusal> {
    let ratio = u32::try_from(leg.ratio.unwrap_or(1))
        .ok()
        .filter(|ratio| *ratio <= 100)
        .ok_or_else(|| wrong("legs.ratio", "A ratio is from 1 to 100.", "Correct it."))?;
    let side = side(leg.action.as_deref()).map_err(|refusal| refusal.at("legs.action"))?;
    // Of a leg there is no doubt what an expiry alone means.
    let is_future = leg.expiry.is_some() && leg.strike.is_none() && leg.right.is_none();
    let named = Args {
        conid: leg.conid,
        symbol: leg.symbol.clone(),
        expiry: leg.expiry.clone(),
        strike: leg.strike,
        right: leg.right.clone(),
        sec_type: is_future.then(|| "FUT".to_owned()),
        ..Args::default()
    };
    let what = named.what().map_err(|refusal| {
        let field = refusal.field.clone().unwrap_or_else(|| "conid".to_owned());
        refusal.at(&format!("legs.{field}"))
    })?;
    Ok(SpreadLeg { what, ratio, side })
}
