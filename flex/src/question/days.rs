//! Which days a text means.

use jiff::civil::Date;
use jiff::{Span as Length, ToSpan};

use super::words::Word;

/// Days, open at either end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    /// Two years beside one another: "2025 and 2026".
    pub(super) is_compared: bool,
}

/// Days that a few words name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named {
    from: Date,
    to: Date,
    /// How many words.
    words: usize,
}

/// What stands before days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Since,
    After,
    Until,
    Earlier,
    End,
    Start,
}

/// Finds the days in a text, and marks the words.
pub(super) fn find(words: &mut [Word], today: Date) -> Result<Span, String> {
    let mut all: Vec<(Before, Named)> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match named(&words[at..], today) {
            Some(named) => {
                let before = before(words, at, !all.is_empty());
                words[at..at + named.words].iter_mut().for_each(|word| word.is_used = true);
                all.push((before, named));
                at += named.words;
            }
            None => at += 1,
        }
    }
    combine(&all)
}

fn combine(all: &[(Before, Named)]) -> Result<Span, String> {
    let mut span = Span::default();
    for (number, (before, named)) in all.iter().enumerate() {
        let Named { from, to, .. } = *named;
        match before {
            Before::Since => span.from = Some(from),
            Before::After => span.from = Some(to.tomorrow().unwrap_or(to)),
            Before::Until => span.to = Some(to),
            Before::Earlier => span.to = Some(from.yesterday().unwrap_or(from)),
            Before::End => (span.from, span.to) = (span.from.or(Some(to)), Some(to)),
            Before::Start => (span.from, span.to) = (Some(from), span.to.or(Some(from))),
            Before::Nothing if number == 0 => (span.from, span.to) = (Some(from), Some(to)),
            Before::Nothing => span = beside(span, *named)?,
        }
    }
    Ok(span)
}

/// "2025 and 2026": fine, if one follows the other.
fn beside(span: Span, next: Named) -> Result<Span, String> {
    let joins = |a: Date, b: Date| a.tomorrow().is_ok_and(|tomorrow| tomorrow == b);
    match (span.from, span.to) {
        (Some(from), Some(to)) if joins(to, next.from) => {
            Ok(Span { from: Some(from), to: Some(next.to), is_compared: true })
        }
        (Some(from), Some(to)) if joins(next.to, from) => {
            Ok(Span { from: Some(next.from), to: Some(to), is_compared: true })
        }
        (Some(from), Some(to)) if next.from >= from && next.to <= to => Ok(span),
        _ => Err("several periods are named".to_owned()),
    }
}

/// What the words before `at` say; they are marked.
fn before(words: &mut [Word], at: usize, is_second: bool) -> Before {
    let word = |back: usize| {
        let at = at.checked_sub(back)?;
        Some(words[at].lower.as_str()).filter(|_| !words[at].is_used)
    };
    let (meaning, count) = match (word(2), word(1)) {
        (Some("end"), Some("of")) => (Before::End, 2),
        (Some("start" | "beginning"), Some("of")) => (Before::Start, 2),
        (_, Some("since" | "from" | "between" | "starting")) => (Before::Since, 1),
        (_, Some("after")) => (Before::After, 1),
        (_, Some("until" | "till" | "through" | "upto")) => (Before::Until, 1),
        (Some("up"), Some("to")) => (Before::Until, 2),
        (_, Some("to" | "-" | "and")) if is_second => (Before::Nothing, 1),
        (_, Some("before")) => (Before::Earlier, 1),
        _ => (Before::Nothing, 0),
    };
    let joiner = word(1).map(str::to_owned);
    words[at - count..at].iter_mut().for_each(|word| word.is_used = true);
    // "from A to B", "A to B"; but "A and B" are two periods, unless "between" went before.
    match joiner.as_deref() {
        Some("to" | "-") if is_second => Before::Until,
        Some("and") if is_second && words.iter().any(|word| word.lower == "between") => {
            Before::Until
        }
        _ => meaning,
    }
}

/// The days named at the start of some words.
fn named(words: &[Word], today: Date) -> Option<Named> {
    let text =
        |at: usize| words.get(at).filter(|word| !word.is_used).map(|word| word.lower.as_str());
    let first = text(0)?;
    let whole = |from: Date, to: Date, words: usize| Some(Named { from, to, words });
    match (first, text(1), text(2)) {
        ("today", ..) => return whole(today, today, 1),
        ("yesterday", ..) => {
            let day = today.yesterday().ok()?;
            return whole(day, day, 1);
        }
        ("ytd", ..) => return whole(today.first_of_year(), today, 1),
        ("mtd", ..) => return whole(today.first_of_month(), today, 1),
        ("year", Some("to"), Some("date")) => return whole(today.first_of_year(), today, 3),
        ("month", Some("to"), Some("date")) => return whole(today.first_of_month(), today, 3),
        ("this" | "current", Some(unit), _) => return this(unit, today),
        ("last" | "past" | "previous", Some(unit), None) => return last(unit, today),
        ("last" | "past" | "previous", Some(count), Some(unit)) => {
            return several(count, unit, today).or_else(|| last(count, today));
        }
        _ => {}
    }
    date(first)
        .and_then(|day| whole(day, day, 1))
        .or_else(|| year_month(first).and_then(|month| whole(month, month.last_of_month(), 1)))
        .or_else(|| quarter(first, text(1), today))
        .or_else(|| month_name(words, today))
        .or_else(|| year(first).and_then(|year| whole(year, year.last_of_year(), 1)))
}

fn this(unit: &str, today: Date) -> Option<Named> {
    let from = begin(unit, today)?;
    Some(Named { from, to: today, words: 2 })
}

/// The whole unit before this one.
fn last(unit: &str, today: Date) -> Option<Named> {
    let to = begin(unit, today)?.yesterday().ok()?;
    Some(Named { from: begin(unit, to)?, to, words: 2 })
}

/// "last 30 days": up to today.
fn several(count: &str, unit: &str, today: Date) -> Option<Named> {
    let count: i64 = match count {
        "two" => 2,
        "three" => 3,
        "six" => 6,
        "twelve" => 12,
        digits => digits.parse().ok().filter(|count| (1..=40_000).contains(count))?,
    };
    let length: Length = match unit.trim_end_matches('s') {
        "day" => Length::new().try_days(count),
        "week" => Length::new().try_weeks(count),
        "month" => Length::new().try_months(count),
        "quarter" => Length::new().try_months(count * 3),
        "year" => Length::new().try_years(count),
        _ => return None,
    }
    .ok()?;
    let from = today.checked_sub(length).ok()?.tomorrow().ok()?;
    Some(Named { from, to: today, words: 3 })
}

/// The first day of the unit that a day is in.
fn begin(unit: &str, day: Date) -> Option<Date> {
    Some(match unit {
        "day" => day,
        "week" => day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()?,
        "month" => day.first_of_month(),
        "quarter" => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok()?,
        "year" => day.first_of_year(),
        _ => return None,
    })
}

/// `2026-03-05` or `20260305`
fn date(text: &str) -> Option<Date> {
    let is_date = match text.len() {
        10 => text.as_bytes()[4] == b'-',
        8 => text.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    is_date.then(|| text.parse().ok())?
}

/// `2026-03`
fn year_month(text: &str) -> Option<Date> {
    let (year, month) = text.split_once('-')?;
    let is_month = year.len() == 4 && (1..=2).contains(&month.len());
    is_month.then(|| Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok())?
}

fn year(text: &str) -> Option<Date> {
    let number: i16 = text.parse().ok()?;
    (1990..=2099).contains(&number).then(|| Date::new(number, 1, 1).ok())?
}

/// `q1`, `q1 2026` or `2026q1`
fn quarter(text: &str, next: Option<&str>, today: Date) -> Option<Named> {
    let (before, number) = text.split_once('q')?;
    let number: i8 = number.parse().ok().filter(|number| (1..=4).contains(number))?;
    let said = if before.is_empty() { next.and_then(year) } else { Some(year(before)?) };
    let first = |year: i16| Date::new(year, number * 3 - 2, 1).ok();
    let from = match said {
        Some(year) => first(year.year())?,
        None => latest(first, today)?,
    };
    let to = from.checked_add(2.months()).ok()?.last_of_month();
    let words = if before.is_empty() && said.is_some() { 2 } else { 1 };
    Some(Named { from, to, words })
}

/// `march`, `march 2026`, `5 march 2026`, `march 5 2026`
fn month_name(words: &[Word], today: Date) -> Option<Named> {
    let text =
        |at: usize| words.get(at).filter(|word| !word.is_used).map(|word| word.lower.as_str());
    let day_at = |at: usize| {
        let number: i8 =
            text(at)?.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
        (1..=31).contains(&number).then_some(number)
    };
    let (month, day, mut count) = match (month(text(0)?), day_at(0)) {
        (Some(month), _) => match day_at(1) {
            Some(day) => (month, Some(day), 2),
            None => (month, None, 1),
        },
        (None, Some(day)) => (month(text(1)?)?, Some(day), 2),
        (None, None) => return None,
    };
    let said = text(count).and_then(year);
    count += usize::from(said.is_some());
    let first = |year: i16| Date::new(year, month, 1).ok();
    let from = match said {
        Some(year) => first(year.year())?,
        None => latest(first, today)?,
    };
    match day {
        Some(day) => {
            let day = Date::new(from.year(), month, day).ok()?;
            Some(Named { from: day, to: day, words: count })
        }
        None => Some(Named { from, to: from.last_of_month(), words: count }),
    }
}

fn month(word: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let is_it = |name: &str| {
        name == word || word == &name[..3] || word == "sept" && name.starts_with("sept")
    };
    let at = NAMES.iter().position(|name| is_it(name))?;
    i8::try_from(at + 1).ok()
}

/// This year's, or last year's if this year's is not yet.
fn latest(first: impl Fn(i16) -> Option<Date>, today: Date) -> Option<Date> {
    let this = first(today.year())?;
    if this <= today { Some(this) } else { first(today.year() - 1) }
}
