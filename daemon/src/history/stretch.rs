//! Finished days of one contract's bars as they are kept: what of a question they answer, and whether what comes
//! new fits them. Pure.

use ibd_cpapi::exact;
use ibd_cpapi::history::Bar;
use ibd_cpapi::money::{Price, Quantity};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// What was not held against IBKR's own for so long may have been adjusted for a split since.
const TRUSTED: SignedDuration = SignedDuration::from_hours(24);

/// Days of the exchange, both ends in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

/// Days of which all bars are known and do not change any more, but for an adjustment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Which days.
    pub days: Days,
    /// Their bars, the oldest first.
    pub bars: Vec<Kept>,
    /// When a part of it was last what IBKR said.
    pub checked: Timestamp,
}

/// A bar as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When it begins, and on which day of the exchange that is.
    #[serde(rename = "t")]
    time: Timestamp,
    #[serde(rename = "d")]
    day: Date,
    #[serde(rename = "o", with = "exact::opt")]
    open: Option<Price>,
    #[serde(rename = "h", with = "exact::opt")]
    high: Option<Price>,
    #[serde(rename = "l", with = "exact::opt")]
    low: Option<Price>,
    #[serde(rename = "c", with = "exact::opt")]
    close: Option<Price>,
    #[serde(rename = "v", with = "exact::opt")]
    volume: Option<Quantity>,
}

/// What came does not agree with what was kept: prices were adjusted since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted;

impl Days {
    /// Whether a day is one of them.
    pub fn contains(self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl Kept {
    /// A bar of that day; none without its time.
    pub fn of(bar: &Bar, day: impl FnOnce(Timestamp) -> Date) -> Option<Self> {
        let Bar { time, open, high, low, close, volume } = bar.clone();
        let time = time?;
        Some(Self { time, day: day(time), open, high, low, close, volume })
    }

    /// As IBKR tells it.
    pub fn bar(&self) -> Bar {
        let Self { time, open, high, low, close, volume, .. } = self.clone();
        Bar { time: Some(time), open, high, low, close, volume }
    }

    /// Its day at the exchange.
    pub fn day(&self) -> Date {
        self.day
    }

    fn prices(&self) -> [Option<Price>; 4] {
        [self.open, self.high, self.low, self.close]
    }
}

/// What must be asked for so that these days are known; nothing where all of it is kept and was checked lately.
/// A missing part begins or ends in a day that is kept, so that an adjustment shows.
pub fn missing(kept: Option<&Stretch>, asked: Days, now: Timestamp) -> Vec<Days> {
    let known = kept.and_then(|kept| {
        let (first, last) = (kept.bars.first()?.day, kept.bars.last()?.day);
        let touches = |day: Date| day.checked_add(1.day()).unwrap_or(day);
        let is_near =
            asked.first <= touches(kept.days.last) && kept.days.first <= touches(asked.last);
        is_near.then_some((kept, first, last))
    });
    let Some((kept, first_bar, last_bar)) = known else { return vec![asked] };
    let before =
        (asked.first < kept.days.first).then_some(Days { first: asked.first, last: first_bar });
    let after = (asked.last > kept.days.last).then_some(Days { first: last_bar, last: asked.last });
    let is_checked = now.duration_since(kept.checked).abs() < TRUSTED;
    let check = (before.is_none() && after.is_none() && !is_checked)
        .then_some(Days { first: last_bar, last: last_bar });
    before.into_iter().chain(after).chain(check).collect()
}

/// What is known once the bars of `asked` have come: `kept` with them.
pub fn merged(
    kept: Option<Stretch>,
    asked: Days,
    came: Vec<Kept>,
    now: Timestamp,
) -> Result<Stretch, Adjusted> {
    let came: Vec<Kept> = came.into_iter().filter(|bar| asked.contains(bar.day)).collect();
    let Some(kept) = kept else { return Ok(Stretch { days: asked, bars: came, checked: now }) };
    let mut old = kept.bars.iter().filter(|bar| asked.contains(bar.day));
    let is_same = |old: &Kept| {
        let new = came.iter().find(|new| new.time == old.time);
        new.is_some_and(|new| new.prices() == old.prices())
    };
    if !old.all(is_same) {
        return Err(Adjusted);
    }
    let days =
        Days { first: kept.days.first.min(asked.first), last: kept.days.last.max(asked.last) };
    let mut bars: Vec<Kept> =
        kept.bars.into_iter().filter(|bar| !asked.contains(bar.day)).chain(came).collect();
    bars.sort_by_key(|bar| bar.time);
    Ok(Stretch { days, bars, checked: now })
}

/// The part of a stretch that is finished, which is what can be kept; none where no day is.
pub fn finished(stretch: &Stretch, last: Date) -> Option<Stretch> {
    let days = Days { last: stretch.days.last.min(last), ..stretch.days };
    let bars: Vec<Kept> =
        stretch.bars.iter().filter(|bar| days.contains(bar.day)).cloned().collect();
    (days.first <= days.last && !bars.is_empty()).then_some(Stretch {
        days,
        bars,
        checked: stretch.checked,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Date {
        format!("2026-11-{text}").parse().unwrap()
    }

    fn days(first: &str, last: &str) -> Days {
        Days { first: day(first), last: day(last) }
    }

    fn bar(on: &str, close: &str) -> Kept {
        let price = Some(Price::new(close.parse().unwrap()));
        Kept {
            time: format!("2026-11-{on}T14:30:00Z").parse().unwrap(),
            day: day(on),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: None,
        }
    }

    fn now() -> Timestamp {
        "2026-11-30T15:00:00Z".parse().unwrap()
    }

    /// 2 to 6 November, a Monday to a Friday, without the Wednesday.
    fn kept() -> Stretch {
        let bars = ["02", "03", "05", "06"].map(|on| bar(on, "10"));
        Stretch { days: days("02", "06"), bars: bars.into(), checked: now() }
    }

    #[test]
    fn only_what_is_missing_is_asked_for_and_it_meets_what_is_kept() {
        let old = Stretch { checked: "2026-11-20T00:00:00Z".parse().unwrap(), ..kept() };
        let no_bars = Stretch { bars: vec![], ..kept() };
        for (kept, asked, expected) in [
            (None, days("02", "06"), vec![days("02", "06")]),
            (Some(kept()), days("02", "06"), vec![]),
            (Some(kept()), days("03", "04"), vec![]),
            (Some(kept()), days("03", "10"), vec![days("06", "10")]),
            (Some(kept()), days("07", "10"), vec![days("06", "10")]),
            (Some(kept()), days("01", "05"), vec![days("01", "02")]),
            (Some(kept()), days("01", "10"), vec![days("01", "02"), days("06", "10")]),
            // Not beside it.
            (Some(kept()), days("10", "12"), vec![days("10", "12")]),
            // Long unchecked: one day shows whether it was adjusted.
            (Some(old), days("02", "06"), vec![days("06", "06")]),
            (Some(no_bars), days("02", "06"), vec![days("02", "06")]),
        ] {
            assert_eq!(missing(kept.as_ref(), asked, now()), expected, "{asked:?}");
        }
    }

    #[test]
    fn what_comes_is_put_to_what_is_kept_once_it_agrees() {
        let came = vec![bar("06", "10"), bar("09", "11"), bar("11", "99")];
        let all = merged(Some(kept()), days("06", "10"), came, now()).unwrap();
        assert_eq!(all.days, days("02", "10"));
        let shown: Vec<i8> = all.bars.iter().map(|bar| bar.day.day()).collect();
        assert_eq!(shown, [2, 3, 5, 6, 9], "each once, in order, and none of another day");
        // After a split one for two.
        let came = vec![bar("06", "5"), bar("09", "5.5")];
        assert_eq!(merged(Some(kept()), days("06", "10"), came, now()), Err(Adjusted));
        let gone = merged(Some(kept()), days("06", "10"), vec![bar("09", "11")], now());
        assert_eq!(gone, Err(Adjusted), "a bar that is not there any more");
    }

    #[test]
    fn a_day_that_is_not_over_is_not_kept() {
        let ended = finished(&kept(), day("05")).unwrap();
        assert_eq!((ended.days, ended.bars.len()), (days("02", "05"), 3));
        assert_eq!(finished(&kept(), day("01")), None);
        let text = serde_json::to_string(&ended).unwrap();
        assert_eq!(serde_json::from_str::<Stretch>(&text).unwrap(), ended);
    }
}
