//! A condition of the original's `alertRequest`. Pure.

use ibd_cpapi::alerts::{AlertCondition, Kind, TIME};
use ibd_cpapi::id::Conid;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::wrong;
use crate::refusal::Refusal;
use crate::tools::args;

// As it was written.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Condition {
    #[serde(deserialize_with = "args::text")]
    conidex: Option<String>,
    #[serde(rename = "type", deserialize_with = "args::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "args::text")]
    operator: Option<String>,
    #[serde(deserialize_with = "args::text")]
    trigger_method: Option<String>,
    #[serde(deserialize_with = "args::written")]
    value: Option<String>,
    #[serde(deserialize_with = "args::text")]
    logic_bind: Option<String>,
    #[serde(deserialize_with = "args::text")]
    time_zone: Option<String>,
}

/// Words for which price triggers, and IBKR's numbers for them.
const METHODS: [(&str, &str); 7] = [
    ("default", "0"),
    ("doublebidask", "1"),
    ("last", "2"),
    ("doublelast", "3"),
    ("bidask", "4"),
    ("lastorbidask", "7"),
    ("midpoint", "8"),
];

/// Where a condition stands.
pub(super) struct Place<'a> {
    pub(super) at: usize,
    pub(super) is_last: bool,
    /// How all of them go together, if that was said once.
    pub(super) bind: Option<&'a str>,
    pub(super) is_mobile: bool,
}

impl Place<'_> {
    fn wrong(&self, field: &str, what: &str) -> Refusal {
        wrong(&format!("conditions[{}].{field}", self.at), what)
    }
}

impl Condition {
    pub(super) fn ticket(
        &self,
        place: &Place<'_>,
        said: &mut Vec<String>,
    ) -> Result<AlertCondition, Refusal> {
        let Some(kind) = &self.kind else { return Err(place.wrong("type", "is needed")) };
        let kind = Kind::of(kind).ok_or_else(|| {
            place.wrong("type", "is none of 1 price, 3 time, 4 margin, 5 trade, 6 volume")
        })?;
        if kind.is_mobile() && !place.is_mobile {
            return Err(place.wrong("type", "is for the Mobile Trading Assistant's alert only"));
        }
        Ok(AlertCondition {
            kind: kind.number(),
            conidex: self.contract(kind, place)?,
            operator: self.operator(kind, place, said)?,
            trigger_method: self.method(place)?,
            value: self.value(kind, place)?,
            logic_bind: self.bind(place)?,
            time_zone: self.time_zone.clone(),
        })
    }

    /// A number and an exchange, or none where it need not be a certain contract.
    fn contract(&self, kind: Kind, place: &Place<'_>) -> Result<Option<String>, Refusal> {
        let needs_one = matches!(kind, Kind::Price | Kind::Volume);
        match self.conidex.as_deref() {
            None if needs_one => Err(place.wrong("conidex", "is needed: 265598@SMART")),
            None => Ok(Some("*@*".to_owned())),
            Some(text) if text.starts_with('*') && !needs_one => Ok(Some(text.to_owned())),
            Some(text) => {
                let (conid, exchange) = text.split_once('@').unwrap_or((text, "SMART"));
                let conid: Conid = conid
                    .parse()
                    .map_err(|_| place.wrong("conidex", "is no contract such as 265598@SMART"))?;
                Ok(Some(format!("{conid}@{}", exchange.to_ascii_uppercase())))
            }
        }
    }

    fn operator(
        &self,
        kind: Kind,
        place: &Place<'_>,
        said: &mut Vec<String>,
    ) -> Result<Option<String>, Refusal> {
        let Some(text) = self.operator.as_deref() else {
            // An execution is neither above nor below anything.
            let is_needed = kind != Kind::Trade;
            return match is_needed {
                true => Err(place.wrong("operator", "is needed: >= or <=")),
                false => Ok(None),
            };
        };
        let meant = match text {
            ">=" | "<=" => text,
            ">" => ">=",
            "<" => "<=",
            _ => return Err(place.wrong("operator", "is neither >= nor <=")),
        };
        if meant != text {
            said.push(format!("IBKR knows {meant} only: it was taken for {text}."));
        }
        Ok(Some(meant.to_owned()))
    }

    fn method(&self, place: &Place<'_>) -> Result<String, Refusal> {
        let Some(text) = self.trigger_method.as_deref() else { return Ok("0".to_owned()) };
        let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        let word = METHODS.iter().find(|row| row.0.eq_ignore_ascii_case(&plain)).map(|row| row.1);
        let number = word.unwrap_or(plain.as_str());
        let is_known = METHODS.iter().any(|row| row.1 == number);
        is_known.then(|| number.to_owned()).ok_or_else(|| {
            place.wrong(
                "triggerMethod",
                "is none of 0 default, 2 last, 4 bid/ask, 7 last or bid/ask, 8 mid",
            )
        })
    }

    fn value(&self, kind: Kind, place: &Place<'_>) -> Result<String, Refusal> {
        let Some(text) = self.value.as_deref() else {
            return match kind {
                Kind::Trade => Ok("*".to_owned()),
                _ => Err(place.wrong("value", "is needed")),
            };
        };
        let is_fine = match kind {
            Kind::Price | Kind::Margin | Kind::Volume => text.parse::<Decimal>().is_ok(),
            Kind::Time => DateTime::strptime(TIME, text).is_ok(),
            Kind::Trade | Kind::Market | Kind::Position | Kind::DailyPnl => true,
        };
        let what = match kind {
            Kind::Time => "is no time such as 20270101-12:00:00",
            _ => "is no number",
        };
        is_fine.then(|| text.to_owned()).ok_or_else(|| place.wrong("value", what))
    }

    fn bind(&self, place: &Place<'_>) -> Result<String, Refusal> {
        let given = self.logic_bind.as_deref();
        match (given.map(str::to_ascii_lowercase).as_deref(), place.is_last) {
            (None | Some("n"), true) => Ok("n".to_owned()),
            (Some(own @ ("a" | "o")), false) => Ok(own.to_owned()),
            // What stands after the last has nothing to go with.
            (Some("a" | "o"), true) => Ok("n".to_owned()),
            (None, false) => match place.bind.map(str::to_ascii_lowercase).as_deref() {
                Some("o") => Ok("o".to_owned()),
                None | Some("a" | "n") => Ok("a".to_owned()),
                Some(_) => Err(wrong("logicBind", "is neither a (and) nor o (or)")),
            },
            (Some("n"), false) => {
                Err(place.wrong("logicBind", "is n although others follow: a or o"))
            }
            (Some(_), _) => {
                Err(place.wrong("logicBind", "is none of a (and), o (or), n (the end)"))
            }
        }
    }
}
