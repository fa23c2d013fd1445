//! Periods in the spellings that people use. Pure.

use ibd_cpapi::analyst::Period;

use crate::refusal::Refusal;

/// The period that is meant; the year to date if none is named.
pub(super) fn read(text: Option<&str>) -> Result<Period, Refusal> {
    let Some(text) = text else { return Ok(Period::YearToDate) };
    let plain: String =
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let plain = plain.strip_prefix("past").unwrap_or(&plain);
    Ok(match plain {
        "1d" | "d" | "day" | "1day" | "today" | "daily" => Period::Day,
        "7d" | "7days" | "1w" | "w" | "week" | "1week" => Period::Week,
        "mtd" | "monthtodate" | "thismonth" => Period::MonthToDate,
        "1m" | "m" | "month" | "1month" | "1mo" | "30d" | "30days" => Period::Month,
        "ytd" | "yeartodate" | "thisyear" => Period::YearToDate,
        "1y" | "y" | "year" | "1year" | "12m" | "12months" | "365d" => Period::Year,
        _ => {
            return Err(Refusal::argument(
                "period",
                format!("IBKR's Portfolio Analyst has no period {text:?}."),
                "Use a candidate; ask_flex with topic performance knows others, from statements.",
            )
            .or(Period::ALL.map(Period::as_str)));
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_period_is_read_as_people_write_it() {
        for (text, period) in [
            ("1D", Period::Day),
            ("today", Period::Day),
            ("7d", Period::Week),
            ("1 week", Period::Week),
            ("past week", Period::Week),
            ("MTD", Period::MonthToDate),
            ("month-to-date", Period::MonthToDate),
            ("1M", Period::Month),
            ("ytd", Period::YearToDate),
            ("this year", Period::YearToDate),
            ("1Y", Period::Year),
            ("12 months", Period::Year),
        ] {
            assert_eq!(read(Some(text)).unwrap(), period, "{text}");
        }
        assert_eq!(read(None).unwrap(), Period::YearToDate);
        for odd in ["5y", "last year", "", "2026", "fortnight"] {
            let refusal = read(Some(odd)).unwrap_err();
            assert_eq!((refusal.field.as_deref(), refusal.candidates.len()), (Some("period"), 6));
        }
    }
}
