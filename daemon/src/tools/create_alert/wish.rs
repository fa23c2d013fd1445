//! The simple form: what is to be watched, by whom, until what. Read in full before anybody is asked. Pure.

use ibd_cpapi::alerts::Kind;
use ibd_cpapi::id::{Conid, OrderId};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use rust_decimal::Decimal;

use super::Args;
use crate::alerts::{Limit, Measure, Side};
use crate::refusal::Refusal;
use crate::tools::alert::Which;

/// The shortest pause, in seconds.
const SHORTEST: u64 = 10;

/// Who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Ibkr,
    Ibd,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A value of a quote.
    Quote(Measure, Limit),
    /// The account's cushion.
    Margin(Limit),
    /// An execution.
    Trade,
    /// A moment.
    Time(Timestamp),
    /// A move in per cent.
    Move(Decimal),
    /// A position's P&L.
    Pnl(Limit),
    /// An order's fill.
    Order(OrderId),
    /// Minutes without a session.
    Gap(u64),
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) what: What,
    pub(super) place: Place,
    pub(super) symbol: Option<String>,
    pub(super) conid: Option<Conid>,
    pub(super) message: Option<String>,
    /// Seconds.
    pub(super) pause: Option<u64>,
}

impl Wish {
    pub(super) fn of(args: &Args, replaced: Option<Which>) -> Result<Self, Refusal> {
        let what = what(args)?;
        let pause = args.repeat.as_deref().map(pause).transpose()?;
        let place = place(args, &what, replaced)?;
        let wish = Self {
            place,
            symbol: args.symbol.clone(),
            conid: args.conid,
            message: args.message.clone(),
            pause,
            what,
        };
        wish.fits(args)?;
        Ok(wish)
    }

    /// Whether it is about a certain contract; an execution may be of any.
    pub(super) fn has_contract(&self) -> bool {
        self.symbol.is_some() || self.conid.is_some()
    }

    fn fits(&self, args: &Args) -> Result<(), Refusal> {
        let needs = matches!(self.what, What::Quote(..) | What::Move(_) | What::Pnl(_));
        let may = needs || self.what == What::Trade;
        if needs && !self.has_contract() {
            return Err(Refusal::argument(
                "symbol",
                "Neither symbol nor conid is given.",
                "Nothing was done. Say which contract is meant.",
            ));
        }
        let extra = [
            ("symbol", args.symbol.is_some() && !may),
            ("conid", args.conid.is_some() && !may),
            ("time", args.time.is_some() && !matches!(self.what, What::Time(_))),
            ("orderId", args.order_id.is_some() && !matches!(self.what, What::Order(_))),
            ("repeat", self.pause.is_some() && matches!(self.what, What::Order(_))),
        ];
        match extra.iter().find(|(_, is_extra)| *is_extra) {
            None => Ok(()),
            Some((field, _)) => Err(Refusal::argument(
                field,
                format!("{field} says nothing for what is watched here."),
                format!("Nothing was done. Leave out {field}, or choose another watch."),
            )),
        }
    }
}

fn what(args: &Args) -> Result<What, Refusal> {
    let word = args.watch.as_deref().unwrap_or("price").trim();
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if let Some(measure) = Measure::named(word) {
        return Ok(What::Quote(measure, limit(args)?));
    }
    if is("margin") {
        return Ok(What::Margin(limit(args)?));
    }
    if is("pnl") {
        return Ok(What::Pnl(limit(args)?));
    }
    if is("move") {
        return Ok(What::Move(positive(args, "percent")?));
    }
    if is("gap") {
        let minutes = positive(args, "minutes")?.ceil();
        return u64::try_from(minutes).map(What::Gap).map_err(|_| wrong("above", "is too long"));
    }
    if !["trade", "time", "order"].into_iter().any(is) {
        return Err(unknown(word));
    }
    no_limit(args)?;
    if is("trade") {
        return Ok(What::Trade);
    }
    if is("time") {
        return moment(args).map(What::Time);
    }
    let missing = || wrong("orderId", "is needed: which order is to be filled");
    args.order_id.map(What::Order).ok_or_else(missing)
}

fn unknown(word: &str) -> Refusal {
    let names: Vec<&str> = ["margin", "trade", "time", "move", "pnl", "order", "gap"]
        .into_iter()
        .chain(Measure::names())
        .collect();
    let message = format!("{word:?} is nothing that can be watched.");
    let next = format!("Nothing was done. Use one of {}.", names.join(", "));
    Refusal::argument("watch", message, next)
}

fn wrong(field: &str, what: &str) -> Refusal {
    Refusal::argument(field, format!("{field} {what}."), "Nothing was done. Correct it.")
}

fn limit(args: &Args) -> Result<Limit, Refusal> {
    match (args.above, args.below) {
        (Some(value), None) => Ok(Limit { side: Side::Above, value }),
        (None, Some(value)) => Ok(Limit { side: Side::Below, value }),
        (None, None) => Err(Refusal::argument(
            "above",
            "Neither above nor below is given.",
            "Nothing was done. Give one of them.",
        )),
        (Some(_), Some(_)) => Err(Refusal::new(
            ErrorCode::Contradiction,
            "above and below are both given.",
            "Nothing was done. Give one of them, and make two alerts for both.",
        )
        .at("below")),
    }
}

/// What counts in one direction only.
fn positive(args: &Args, unit: &str) -> Result<Decimal, Refusal> {
    if args.below.is_some() {
        return Err(wrong("below", &format!("says nothing here; above has the {unit}")));
    }
    args.above
        .filter(|above| *above > Decimal::ZERO)
        .ok_or_else(|| wrong("above", &format!("must be {unit}, more than zero")))
}

fn no_limit(args: &Args) -> Result<(), Refusal> {
    let given = [("above", args.above), ("below", args.below)];
    match given.iter().find(|(_, value)| value.is_some()) {
        Some((field, _)) => Err(wrong(field, "says nothing for what is watched here")),
        None => Ok(()),
    }
}

fn moment(args: &Args) -> Result<Timestamp, Refusal> {
    let Some(text) = &args.time else {
        return Err(wrong("time", "is needed, for instance 2027-01-15T14:30:00Z"));
    };
    text.parse().map_err(|_| wrong("time", "is no moment such as 2027-01-15T14:30:00Z"))
}

/// `90s`, `30min`, `2h`, `1d`.
fn pause(text: &str) -> Result<u64, Refusal> {
    let plain = text.trim().to_ascii_lowercase();
    let digits = plain.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match plain[digits.len()..].trim() {
        "s" | "sec" | "seconds" => 1,
        "m" | "min" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds
        .filter(|seconds| (SHORTEST..=366 * 86_400).contains(seconds))
        .ok_or_else(|| wrong("repeat", "is no pause such as 30min, 2h or 1d (10 s at least)"))
}

/// Who can, and who is asked to.
fn place(args: &Args, what: &What, replaced: Option<Which>) -> Result<Place, Refusal> {
    let asked = match args.at.as_deref().map(|at| at.trim().to_ascii_lowercase()) {
        None => None,
        Some(at) if at == "ibkr" => Some(Place::Ibkr),
        Some(at) if at == "ibd" => Some(Place::Ibd),
        Some(_) => return Err(wrong("at", "is neither ibkr nor ibd")),
    };
    // One that is replaced stays where it is.
    let of_old = match replaced {
        None => None,
        Some(Which::Ibd(_)) => Some(Place::Ibd),
        Some(Which::Ibkr(_)) => Some(Place::Ibkr),
        Some(Which::Mobile) => {
            return Err(Refusal::argument(
                "alertId",
                "The Mobile Trading Assistant's alert is changed in IBKR's own form only.",
                "Nothing was done. Use alertRequest with its toolId, from get_alerts.",
            ));
        }
    };
    if let (Some(asked), Some(old)) = (asked, of_old)
        && asked != old
    {
        return Err(wrong("at", "is another place than that of the alert that is replaced"));
    }
    let at_ibkr = kind(what).is_some();
    let at_ibd = !matches!(what, What::Margin(_) | What::Trade | What::Time(_));
    let repeats = args.repeat.is_some();
    let usual = if at_ibkr && !(repeats && at_ibd) { Place::Ibkr } else { Place::Ibd };
    match asked.or(of_old).unwrap_or(usual) {
        Place::Ibkr if !at_ibkr => Err(wrong(
            "watch",
            "is nothing that IBKR's alerts can wait for; with at:\"ibd\" ibd watches it itself",
        )),
        Place::Ibkr if repeats => {
            Err(wrong("repeat", "is for at:\"ibd\"; at IBKR use alertRequest with alertRepeatable"))
        }
        Place::Ibd if !at_ibd => Err(wrong("watch", "is watched by IBKR only; use at:\"ibkr\"")),
        place => Ok(place),
    }
}

/// What IBKR calls it, if it can watch it.
pub(super) fn kind(what: &What) -> Option<Kind> {
    match what {
        What::Quote(Measure::Price, _) => Some(Kind::Price),
        What::Quote(Measure::Volume, _) => Some(Kind::Volume),
        What::Margin(_) => Some(Kind::Margin),
        What::Trade => Some(Kind::Trade),
        What::Time(_) => Some(Kind::Time),
        What::Quote(..) | What::Move(_) | What::Pnl(_) | What::Order(_) | What::Gap(_) => None,
    }
}

#[cfg(test)]
#[path = "wish/tests.rs"]
mod tests;
