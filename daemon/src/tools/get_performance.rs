//! `get_performance`: an account's value and time-weighted return over a period (`/pa/performance`, `/pa/allperiods`).

mod chart;
mod period;

use ibd_cpapi::analyst::{Day, Track};
use ibd_cpapi::id::AccountId;
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Num, Time};
use super::{Ctx, Tool};
use crate::analyst::{Question, Told};
use crate::refusal::Refusal;

/// Rows of one answer unless the call asks for another number.
const ROWS: usize = 30;
/// Decimal places of money, and of percent.
const CENTS: u32 = 2;
const PERCENT: u32 = 3;

/// Which account and period.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// Needed if the login has several.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// 1D, 7D, MTD, 1M, YTD (if left out), 1Y.
    #[serde(deserialize_with = "args::text")]
    period: Option<String>,
    /// Rows at most, 30 if left out: of more days some are left out.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// true: also a picture of it (PNG).
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    chart: Option<bool>,
}

/// How the account did.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// The currency of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    /// The period, as IBKR calls it.
    period: &'static str,
    /// The day at whose end navBegin was.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Time-weighted return of the period in percent: deposits and withdrawals are no gain.
    #[serde(skip_serializing_if = "Option::is_none")]
    return_pct: Option<Num>,
    /// Net asset value before the period.
    #[serde(skip_serializing_if = "Option::is_none")]
    nav_begin: Option<Num>,
    /// Net asset value at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    nav_end: Option<Num>,
    /// What lies between them, deposits and withdrawals included.
    #[serde(skip_serializing_if = "Option::is_none")]
    nav_change: Option<Num>,
    /// Column names: the end of a day, net asset value, return since the beginning of the period in percent.
    cols: [&'static str; 3],
    /// The oldest first; null where IBKR gave no value.
    rows: Vec<[Cell; 3]>,
    /// Only every so manyth day has a row, where that is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    days_in_row: Option<usize>,
    /// Seconds since IBKR gave this, which it does once in fifteen minutes; absent if just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When IBKR gave this.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct GetPerformance;

impl Tool for GetPerformance {
    const NAME: &'static str = "get_performance";
    const TITLE: &'static str = "Performance";
    const ABOUT: &'static str = "How an account did over a period: time-weighted return, net asset value at begin \
        and end, and both day by day, as a chart too: \"how did my portfolio do this year\". New \
        every fifteen minutes. For today's P&L use get_account_info, for single trades ask_flex.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Account;
    const EXAMPLE: &'static str = r#"{"period":"YTD"}"#;
    const ANSWER: usize = 1_800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let period = period::read(args.period.as_deref())?;
        let account = ctx.account(args.account_id.as_ref()).await?;
        let (whose, store, deadline) = (&account, &ctx.desks.store, ctx.deadline);
        let analyst = &ctx.desks.analyst;
        let told = ctx
            .serve(|lease| async move {
                let question = Question { lease: &lease, store, account: whose, deadline };
                analyst.performance(question, period).await
            })
            .await?;
        let mut out = Out::new(&account, &told, args.limit.unwrap_or(ROWS));
        out.period = period.as_str();
        if args.chart == Some(true) {
            match chart::picture(&out, &told.value).await {
                Ok(picture) => ctx.pictures.add(picture),
                Err(why) => out.warnings.push(format!("There is no picture: {why}.")),
            }
        }
        Ok(out)
    }
}

impl Out {
    fn new(account: &AccountId, told: &Told<Track>, limit: usize) -> Self {
        let track = &told.value;
        let (each, shown) = thinned(&track.days, limit);
        let (first, last) = (track.before, track.days.last());
        let begin = first.map(|before| before.nav.get());
        let end = last.and_then(|day| day.nav).map(|nav| nav.get());
        let change = begin.zip(end).and_then(|(begin, end)| end.checked_sub(begin));
        let money = |amount: Option<Decimal>| amount.map(|amount| Num::rounded(amount, CENTS));
        let mut warnings = Vec::new();
        if track.unread > 0 {
            warnings.push(format!("{} of IBKR's values could not be read.", track.unread));
        }
        if track.days.is_empty() {
            warnings.push("IBKR gave no day of this period.".to_owned());
        }
        warnings.extend(told.stale.as_ref().map(|why| format!("There is nothing newer: {why}.")));
        let age = told.age(Timestamp::now());
        Self {
            account: account.to_string(),
            base: track.currency.clone(),
            period: "",
            from: first.map(|before| before.date.to_string()),
            to: last.map(|day| day.date.to_string()),
            return_pct: last.and_then(percent).map(|percent| Num::rounded(percent, PERCENT)),
            nav_begin: money(begin),
            nav_end: money(end),
            nav_change: money(change),
            cols: ["date", "nav", "returnPct"],
            rows: shown.into_iter().map(row).collect(),
            days_in_row: (each > 1).then_some(each),
            age_seconds: (age > 0).then_some(age),
            warnings,
            as_of: Time(told.at),
        }
    }
}

fn row(day: &Day) -> [Cell; 3] {
    [
        Cell::text(Some(day.date.to_string())),
        Cell::number(day.nav.map(|nav| nav.get()), CENTS),
        Cell::number(percent(day), PERCENT),
    ]
}

/// The return in percent.
fn percent(day: &Day) -> Option<Decimal> {
    day.returned?.get().checked_mul(Decimal::ONE_HUNDRED)
}

/// Days such that there are at most so many: which of them has a row, and these. The last always has one: a value and
/// a return since the beginning need no others.
fn thinned(days: &[Day], most: usize) -> (usize, Vec<&Day>) {
    let each = days.len().div_ceil(most.max(1)).max(1);
    let mut shown: Vec<&Day> = days.iter().rev().step_by(each).collect();
    shown.reverse();
    (each, shown)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::analyst::Before;
    use jiff::ToSpan;
    use jiff::civil::Date;

    fn days(count: i64) -> Vec<Day> {
        let first: Date = "2026-01-01".parse().unwrap();
        let day = |i: i64| Day {
            date: first + i.days(),
            nav: Some(Decimal::from(1_000 + i).into()),
            returned: Some(Decimal::new(i, 3).into()),
        };
        (0..count).map(day).collect()
    }

    #[test]
    fn of_many_days_some_are_told_and_the_last_always() {
        for (count, most, each, shown, first) in [
            (0, 30, 1, 0, None),
            (22, 30, 1, 22, Some("2026-01-01")),
            (61, 30, 3, 21, Some("2026-01-01")),
            (60, 30, 2, 30, Some("2026-01-02")),
            (5, 1, 5, 1, Some("2026-01-05")),
        ] {
            let days = days(count);
            let (in_row, told) = thinned(&days, most);
            assert_eq!((in_row, told.len()), (each, shown), "{count}");
            assert_eq!(told.first().map(|day| day.date.to_string()).as_deref(), first, "{count}");
            assert_eq!(told.last(), days.last().as_ref(), "{count}");
        }
    }

    #[test]
    fn what_is_not_known_is_absent() {
        let at = Timestamp::now();
        let account = "DU1234567".parse().unwrap();
        let told = |track: Track| {
            let out = Out::new(&account, &Told::new(at, track), 30);
            let [begin, end, change, percent] =
                [out.nav_begin, out.nav_end, out.nav_change, out.return_pct]
                    .map(|number| number.map(|number| number.0.normalize().to_string()));
            (begin, end, change, percent, out.warnings.len())
        };
        let text = |text: &str| Some(text.to_owned());
        let nav = Decimal::from(990).into();
        let before = Some(Before { date: "2025-12-31".parse().unwrap(), nav });
        let whole = Track { before, days: days(3), ..Track::default() };
        assert_eq!(told(whole.clone()), (text("990"), text("1002"), text("12"), text("0.2"), 0));
        let headless = Track { before: None, ..whole.clone() };
        assert_eq!(told(headless), (None, text("1002"), None, text("0.2"), 0));
        let mut blind = Track { unread: 2, ..whole };
        if let Some(last) = blind.days.last_mut() {
            (last.nav, last.returned) = (None, None);
        }
        assert_eq!(told(blind), (text("990"), None, None, None, 1));
        assert_eq!(told(Track::default()), (None, None, None, None, 1));
    }
}
