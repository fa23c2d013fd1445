//! What is asked for of a chain, read from the arguments.

use ibd_cpapi::contracts::Right;
use rust_decimal::Decimal;

use super::Args;
use crate::contracts::expiry::Expiry;
use crate::contracts::{self, Wish};
use crate::refusal::Refusal;

/// Strikes of one answer unless the call asks for fewer or more.
const STRIKES: usize = 10;
/// Strikes that a call may ask for: with calls and puts they fit the lines of market data.
const MAX_STRIKES: usize = 40;
/// Expiries of one answer unless the call asks for fewer or more.
const EXPIRIES: usize = 12;

/// What is asked for, read.
pub(super) struct Asked {
    pub(super) wish: Wish,
    pub(super) exchange: Option<String>,
    pub(super) expiry: Option<Expiry>,
    pub(super) right: Option<Right>,
    pub(super) strikes: usize,
    /// How far from zero a delta may be.
    pub(super) delta: (Option<Decimal>, Option<Decimal>),
    pub(super) limit: usize,
    pub(super) class: Option<String>,
    /// Words that say nothing beside the others, by their field.
    pub(super) idle: Vec<&'static str>,
}

impl Asked {
    pub(super) fn of(args: Args) -> Result<Self, Refusal> {
        let upper = |text: Option<String>| text.map(|text| text.trim().to_uppercase());
        let symbol = upper(args.symbol).ok_or_else(|| {
            let next = "Give the underlying's, for instance AAPL.";
            Refusal::argument("symbol", "No symbol is given.", next)
        })?;
        let right = args.right.as_deref().map(str::parse::<Right>).transpose();
        let right = right.map_err(|_| {
            Refusal::argument("right", "right is neither C nor P.", "Give C or P, or leave it out.")
        })?;
        let strikes = args.strikes.unwrap_or(STRIKES);
        if strikes > MAX_STRIKES {
            return Err(Refusal::argument(
                "strikes",
                format!("{strikes} strikes were asked for; at most {MAX_STRIKES} fit one answer."),
                "Ask for fewer around the money, or for one right.",
            ));
        }
        for (field, delta) in [("minDelta", args.min_delta), ("maxDelta", args.max_delta)] {
            if delta.is_some_and(|delta| delta < Decimal::ZERO || delta > Decimal::ONE) {
                let message = format!("{field} is how far a delta is from zero: from 0 to 1.");
                return Err(Refusal::argument(field, message, "Give it as 0.3."));
            }
        }
        if let (Some(least), Some(most)) = (args.min_delta, args.max_delta)
            && least > most
        {
            let message = format!("minDelta, {least}, is more than maxDelta, {most}.");
            return Err(Refusal::argument("minDelta", message, "Exchange them."));
        }
        let expiry = args.expiry.as_deref();
        let expiry = expiry.map(|text| Expiry::read_alive(text, contracts::today())).transpose()?;
        if expiry.is_none() && (args.min_delta.is_some() || args.max_delta.is_some()) {
            return Err(Refusal::argument(
                "expiry",
                "Deltas are of the options of one expiry, and none is given.",
                "Give expiry; without it the expiries are listed.",
            ));
        }
        let is_given = [
            ("right", right.is_some(), expiry.is_none()),
            ("strikes", args.strikes.is_some(), expiry.is_none()),
            ("tradingClass", args.trading_class.is_some(), expiry.is_none()),
            ("limit", args.limit.is_some(), expiry.is_some()),
        ];
        let idle = is_given.into_iter().filter(|(_, is_given, is_idle)| *is_given && *is_idle);
        Ok(Self {
            idle: idle.map(|(field, ..)| field).collect(),
            wish: Wish { symbol, currency: upper(args.currency), ..Wish::default() },
            exchange: upper(args.exchange),
            expiry,
            right,
            strikes,
            delta: (args.min_delta, args.max_delta),
            limit: args.limit.unwrap_or(EXPIRIES),
            class: upper(args.trading_class),
        })
    }

    /// What is said of words that the answer does not heed.
    pub(super) fn unheeded(&self) -> Option<String> {
        let (fields, they) =
            (self.idle.join(", "), if self.idle.len() > 1 { "go" } else { "goes" });
        let other = match self.expiry {
            None => "expiry, which is not given: this lists the expiries",
            Some(_) => "the list of expiries, which is told where expiry is left out",
        };
        (!self.idle.is_empty()).then(|| format!("Not heeded: {fields} {they} with {other}."))
    }

    /// Whether a call could take more strikes than this one.
    pub(super) fn can_widen(&self) -> bool {
        self.strikes < MAX_STRIKES
    }

    pub(super) fn has_delta(&self) -> bool {
        self.delta.0.is_some() || self.delta.1.is_some()
    }

    pub(super) fn is_wanted(&self, delta: Option<Decimal>) -> bool {
        let (least, most) = self.delta;
        let Some(delta) = delta.map(|delta| delta.abs()) else {
            return least.is_none() && most.is_none();
        };
        least.is_none_or(|least| delta >= least) && most.is_none_or(|most| delta <= most)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tools::args;
    use ibd_protocol::Effect;

    #[test]
    fn bad_arguments_name_their_field() {
        for (json, field) in [
            ("{}", "symbol"),
            (r#"{"symbol":"AAPL","right":"X"}"#, "right"),
            (r#"{"symbol":"AAPL","strikes":41}"#, "strikes"),
            (r#"{"symbol":"AAPL","expiry":"JAN20"}"#, "expiry"),
            (r#"{"symbol":"AAPL","expiry":"JAN99","minDelta":2}"#, "minDelta"),
            (r#"{"symbol":"AAPL","maxDelta":0.5}"#, "expiry"),
            (r#"{"symbol":"AAPL","expiry":"JAN99","minDelta":0.6,"maxDelta":0.3}"#, "minDelta"),
        ] {
            let args = args::read::<Args>(json, Effect::Reads).unwrap().args;
            let refused = Asked::of(args).err().unwrap();
            assert_eq!(refused.field.as_deref(), Some(field), "{json}");
        }
    }

    #[test]
    fn no_word_is_dropped_without_a_word() {
        let told = |json: &str| {
            let args = args::read::<Args>(json, Effect::Reads).unwrap().args;
            Asked::of(args).ok().unwrap().unheeded().unwrap_or_default()
        };
        for (json, begin) in [
            (r#"{"symbol":"A"}"#, ""),
            (r#"{"symbol":"A","right":"C"}"#, "Not heeded: right goes with expiry"),
            (
                r#"{"symbol":"A","right":"C","strikes":3,"tradingClass":"A"}"#,
                "Not heeded: right, strikes, tradingClass go with expiry",
            ),
            (r#"{"symbol":"A","limit":3}"#, ""),
            (
                r#"{"symbol":"A","expiry":"JAN99","limit":3}"#,
                "Not heeded: limit goes with the list",
            ),
            (r#"{"symbol":"A","expiry":"JAN99","right":"C","strikes":3}"#, ""),
        ] {
            assert!(told(json).starts_with(begin), "{json}: {}", told(json));
            assert_eq!(told(json).is_empty(), begin.is_empty(), "{json}");
        }
    }

    #[test]
    fn a_delta_is_how_far_it_is_from_zero() {
        let asked = |json: &str| {
            Asked::of(args::read::<Args>(json, Effect::Reads).unwrap().args).ok().unwrap()
        };
        let some = asked(r#"{"symbol":"A","expiry":"JAN99","minDelta":0.2,"maxDelta":0.4}"#);
        let delta = |text: &str| Some(text.parse().unwrap());
        assert!(some.is_wanted(delta("0.3")) && some.is_wanted(delta("-0.3")));
        assert!(!some.is_wanted(delta("0.5")) && !some.is_wanted(None));
        assert!(asked(r#"{"symbol":"A","expiry":"JAN99"}"#).is_wanted(None));
    }
}
