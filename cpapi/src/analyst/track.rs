//! How an account did: its value and its time-weighted return, day by day.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::exact;
use crate::id::AccountId;
use crate::lenient;
use crate::money::{Amount, Ratio};
use crate::rows::{self, Rows};

/// The periods that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// `1D`
    Day,
    /// `7D`
    Week,
    /// `MTD`
    MonthToDate,
    /// `1M`
    Month,
    /// `YTD`
    YearToDate,
    /// `1Y`
    Year,
}

impl Period {
    /// All, the shortest first.
    pub const ALL: [Self; 6] =
        [Self::Day, Self::Week, Self::MonthToDate, Self::Month, Self::YearToDate, Self::Year];

    /// As IBKR writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "1D",
            Self::Week => "7D",
            Self::MonthToDate => "MTD",
            Self::Month => "1M",
            Self::YearToDate => "YTD",
            Self::Year => "1Y",
        }
    }
}

/// What became of an account over a period. It can be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// In which the values are.
    pub currency: Option<String>,
    /// The last day before the period.
    pub before: Option<Before>,
    /// Its days, the oldest first.
    pub days: Vec<Day>,
    /// Values that could not be read, or said no day.
    pub unread: usize,
}

/// The end of the last day before a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Which.
    pub date: Date,
    /// Net asset value.
    #[serde(with = "exact")]
    pub nav: Amount,
}

/// The end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Net asset value.
    #[serde(with = "exact::opt")]
    pub nav: Option<Amount>,
    /// Time-weighted return since the beginning of the period, as a part of one.
    #[serde(with = "exact::opt")]
    pub returned: Option<Ratio>,
}

/// The reply about one period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Performance {
    /// Values.
    #[serde(default, deserialize_with = "lenient::part")]
    nav: Option<Series<NavRow>>,
    /// Cumulative returns.
    #[serde(rename = "cps", default, deserialize_with = "lenient::part")]
    returns: Option<Series<ReturnRow>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
struct Series<T> {
    #[serde(deserialize_with = "rows::field")]
    data: Rows<T>,
    #[serde(default, deserialize_with = "lenient::places")]
    dates: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct NavRow {
    #[serde(default, deserialize_with = "lenient::opt")]
    id: Option<String>,
    #[serde(rename = "baseCurrency", default, deserialize_with = "lenient::opt")]
    currency: Option<String>,
    #[serde(default, deserialize_with = "lenient::places")]
    navs: Vec<Option<Amount>>,
    #[serde(rename = "startNAV", default, deserialize_with = "lenient::part")]
    start: Option<Start>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ReturnRow {
    #[serde(default, deserialize_with = "lenient::opt")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient::places")]
    returns: Vec<Option<Ratio>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Start {
    #[serde(default, deserialize_with = "lenient::opt")]
    date: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    val: Option<Amount>,
}

impl Start {
    fn known(&self) -> Option<Before> {
        Some(Before { date: day(self.date.as_deref()?)?, nav: self.val? })
    }
}

impl Performance {
    /// What it says of this account; `None`: nothing.
    pub fn track(&self, account: &AccountId) -> Option<Track> {
        let (navs, returns) = (self.nav.as_ref(), self.returns.as_ref());
        let nav = navs.and_then(|navs| own(&navs.data, |row| row.id.as_deref(), account));
        let returned = returns.and_then(|all| own(&all.data, |row| row.id.as_deref(), account));
        if nav.is_none() && returned.is_none() {
            return None;
        }
        let mut days = Days::default();
        if let (Some(navs), Some(row)) = (navs, nav) {
            days.add(&navs.dates, &row.navs, |day, nav| day.nav = Some(nav));
        }
        if let (Some(returns), Some(row)) = (returns, returned) {
            days.add(&returns.dates, &row.returns, |day, ratio| day.returned = Some(ratio));
        }
        Some(Track {
            currency: nav.and_then(|row| row.currency.clone()),
            before: nav.and_then(|row| row.start.as_ref()?.known()),
            ..days.track()
        })
    }
}

/// The row of an account: the one that has its name, or the only one if that has none.
fn own<'r, T>(
    rows: &'r [T],
    id: impl Fn(&T) -> Option<&str>,
    account: &AccountId,
) -> Option<&'r T> {
    let named = rows.iter().find(|row| id(*row) == Some(account.as_str()));
    named.or(match rows {
        [only] if id(only).is_none() => Some(only),
        _ => None,
    })
}

/// The reply about all periods: beside what is about the whole a table for each account.
#[derive(Debug, Deserialize)]
pub struct AllPeriods(BTreeMap<String, Box<RawValue>>);

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default, deserialize_with = "lenient::places")]
    nav: Vec<Option<Amount>>,
    #[serde(default, deserialize_with = "lenient::places")]
    cps: Vec<Option<Ratio>>,
    #[serde(default, deserialize_with = "lenient::places")]
    dates: Vec<Option<String>>,
    #[serde(rename = "startNAV", default, deserialize_with = "lenient::part")]
    start: Option<Start>,
}

impl AllPeriods {
    /// What it says of an account, period by period; of what cannot be read nothing.
    pub fn tracks(&self, account: &AccountId) -> Vec<(Period, Track)> {
        let table = self.0.get(account.as_str()).and_then(|raw| {
            serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(raw.get()).ok()
        });
        let Some(table) = table else { return Vec::new() };
        let currency: Option<String> =
            table.get("baseCurrency").and_then(|raw| lenient::read(raw).ok().flatten());
        let track = |period: Period| {
            let raw = table.get(period.as_str())?;
            let part: Part = serde_json::from_str(raw.get()).ok()?;
            let mut days = Days::default();
            days.add(&part.dates, &part.nav, |day, nav| day.nav = Some(nav));
            days.add(&part.dates, &part.cps, |day, ratio| day.returned = Some(ratio));
            let before = part.start.as_ref().and_then(Start::known);
            Some((period, Track { currency: currency.clone(), before, ..days.track() }))
        };
        Period::ALL.into_iter().filter_map(track).collect()
    }
}

/// Values and returns come in lists of their own, each beside a list of dates.
#[derive(Debug, Default)]
struct Days {
    days: BTreeMap<Date, Day>,
    unread: usize,
}

impl Days {
    fn add<V: Copy>(
        &mut self,
        dates: &[Option<String>],
        values: &[Option<V>],
        set: impl Fn(&mut Day, V),
    ) {
        // Which value is of which day is then not known of any.
        if dates.len() != values.len() {
            self.unread += values.len();
            return;
        }
        for (date, value) in dates.iter().zip(values) {
            let date = date.as_deref().and_then(day);
            let (Some(date), Some(value)) = (date, *value) else {
                self.unread += 1;
                continue;
            };
            let empty = Day { date, nav: None, returned: None };
            set(self.days.entry(date).or_insert(empty), value);
        }
    }

    fn track(self) -> Track {
        let days = self.days.into_values().collect();
        Track { days, unread: self.unread, ..Track::default() }
    }
}

/// `20261102`.
pub(super) fn day(text: &str) -> Option<Date> {
    Date::strptime("%Y%m%d", text).ok()
}

#[cfg(test)]
mod tests;
