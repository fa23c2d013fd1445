//! One condition of an alert, as it was sent and as it is understood.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::fields::Fields;
use crate::http::Reply;
use crate::instruments::Universe;

/// Every key that a condition may have.
const KNOWN: [&str; 7] =
    ["type", "conidex", "operator", "triggerMethod", "value", "logicBind", "timeZone"];
/// Anything will do: any contract, any value.
const ANY: &str = "*";
/// The highest number of a trigger method.
const MOST_METHODS: u8 = 8;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The last price.
    Price,
    /// The moment.
    Time,
    /// The account's cushion: excess liquidity in per cent of net liquidation.
    Margin,
    /// An execution.
    Trade,
    /// The day's volume.
    Volume,
    /// For the Mobile Trading Assistant only, and nothing here ever meets them.
    Market,
    Position,
    DailyPnl,
}

/// Every kind and its number.
const KINDS: [(Kind, i64); 8] = [
    (Kind::Price, 1),
    (Kind::Time, 3),
    (Kind::Margin, 4),
    (Kind::Trade, 5),
    (Kind::Volume, 6),
    (Kind::Market, 7),
    (Kind::Position, 8),
    (Kind::DailyPnl, 9),
];

impl Kind {
    fn of(number: i64) -> Option<Self> {
        KINDS.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    /// The broker's number.
    pub(crate) fn number(self) -> i64 {
        KINDS.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
    }

    /// Only the Mobile Trading Assistant knows it.
    pub(super) fn is_mobile(self) -> bool {
        matches!(self, Self::Market | Self::Position | Self::DailyPnl)
    }
}

/// How a condition goes together with the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bind {
    And,
    Or,
    /// There is none.
    End,
}

impl Bind {
    fn of(letter: &str) -> Option<Self> {
        Some(match letter {
            "a" => Self::And,
            "o" => Self::Or,
            "n" => Self::End,
            _ => return None,
        })
    }

    /// The broker's letter.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::And => "a",
            Self::Or => "o",
            Self::End => "n",
        }
    }
}

/// One condition.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) kind: Kind,
    /// As it was sent.
    pub(crate) conidex: String,
    /// Any contract, or none, if missing.
    pub(crate) conid: Option<i64>,
    /// At least the limit, or at most.
    pub(crate) is_above: bool,
    pub(crate) method: String,
    /// As it was sent.
    pub(crate) value: String,
    /// The value as a number; of a moment, epoch milliseconds.
    pub(super) limit: Option<f64>,
    pub(crate) bind: Bind,
    pub(crate) zone: Option<String>,
}

impl Condition {
    /// Reads the condition with this number, the first being 1.
    pub(super) fn read(universe: &Universe, value: &Value, number: usize) -> Result<Self, Reply> {
        let place = format!("Condition #{number}:");
        let Value::Object(map) = value else {
            return Err(Reply::error(500, &format!("{place}it is not an object")));
        };
        let fields = Fields::new(map, place, &KNOWN)?;
        let number = fields.needed("type", fields.whole("type")?)?;
        let unknown = || fields.wrong(&format!("there is no type [{number}]"));
        let kind = Kind::of(number).ok_or_else(unknown)?;
        let is_above = is_above(&fields, kind)?;
        let (conidex, conid) = contract(&fields, kind, universe)?;
        let zone = fields.text("timeZone")?;
        if kind.is_mobile() {
            fields.needed("timeZone", zone)?;
        }
        let (value, limit) = limit(&fields, kind, zone)?;
        let letter = fields.needed("logicBind", fields.text("logicBind")?)?;
        let wrong = || fields.wrong("logicBind is a, o or n");
        Ok(Self {
            kind,
            conidex,
            conid,
            is_above,
            method: method(&fields)?,
            value,
            limit,
            bind: Bind::of(letter).ok_or_else(wrong)?,
            zone: zone.map(str::to_owned),
        })
    }
}

/// An execution is neither above nor below anything.
fn is_above(fields: &Fields<'_>, kind: Kind) -> Result<bool, Reply> {
    match fields.text("operator")? {
        Some(">=") => Ok(true),
        Some("<=") => Ok(false),
        Some(other) => Err(fields.wrong(&format!("can't recognize fix [{other}]"))),
        None if kind == Kind::Trade => Ok(true),
        None => Err(fields.wrong("operator is required")),
    }
}

/// `265598`, `265598@SMART`, or `*@*` where it need not be a certain one.
fn contract(
    fields: &Fields<'_>,
    kind: Kind,
    universe: &Universe,
) -> Result<(String, Option<i64>), Reply> {
    let needs_one = matches!(kind, Kind::Price | Kind::Volume);
    let text = match fields.text("conidex")? {
        Some(text) => text,
        None if needs_one => return Err(fields.wrong("conidex is required")),
        None => return Ok((String::new(), None)),
    };
    if text.starts_with(ANY) && !needs_one {
        return Ok((text.to_owned(), None));
    }
    let (conid, exchange) = text.split_once('@').unwrap_or((text, "SMART"));
    let of = conid.parse().ok().and_then(|conid| universe.get(conid));
    let is_there = |list: String| list.split(',').any(|valid| valid == exchange);
    match of.filter(|of| exchange == "SMART" || is_there(of.valid_exchanges())) {
        Some(of) => Ok((text.to_owned(), Some(of.conid))),
        None => Err(fields.wrong(&format!("contract [{text}] is not found"))),
    }
}

/// What is compared with: as it came, and as a number.
fn limit(
    fields: &Fields<'_>,
    kind: Kind,
    zone: Option<&str>,
) -> Result<(String, Option<f64>), Reply> {
    let text = fields.needed("value", fields.text("value")?)?;
    let wrong = || fields.wrong(&format!("value [{text}] is not valid"));
    let clock = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .map_err(|_| fields.wrong(&format!("there is no timeZone [{name}]")))?,
    };
    let number = match kind {
        Kind::Time => Some(moment(text, clock).ok_or_else(wrong)? as f64),
        Kind::Price | Kind::Margin | Kind::Volume => {
            let number: Option<f64> = text.parse().ok();
            Some(number.filter(|number| number.is_finite()).ok_or_else(wrong)?)
        }
        Kind::Trade | Kind::Market | Kind::Position | Kind::DailyPnl => None,
    };
    Ok((text.to_owned(), number))
}

/// `0` is the usual.
fn method(fields: &Fields<'_>) -> Result<String, Reply> {
    let text = fields.text("triggerMethod")?.unwrap_or("0");
    let is_known = text.parse::<u8>().is_ok_and(|number| number <= MOST_METHODS);
    if is_known { Ok(text.to_owned()) } else { Err(fields.wrong("triggerMethod is not valid")) }
}

/// The moment that `20270101-12:00:00` names there (epoch milliseconds).
pub(super) fn moment(text: &str, clock: TimeZone) -> Option<i64> {
    let at = DateTime::strptime("%Y%m%d-%H:%M:%S", text).ok()?;
    Some(at.to_zoned(clock).ok()?.timestamp().as_millisecond())
}
