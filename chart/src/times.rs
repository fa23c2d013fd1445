//! The axis of time. Bars stand side by side, so nights and weekends take no room, and the labels are at those bars
//! where a minute, a day, a month or a year begins.

use jiff::civil::DateTime;

/// What begins at a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Minutes(i64),
    Day,
    Week,
    Months(i64),
    Years(i64),
}

use Unit::{Day, Minutes, Months, Week, Years};

/// The finest first.
const UNITS: [Unit; 22] = [
    Minutes(1),
    Minutes(2),
    Minutes(5),
    Minutes(10),
    Minutes(15),
    Minutes(30),
    Minutes(60),
    Minutes(120),
    Minutes(180),
    Minutes(240),
    Minutes(360),
    Minutes(720),
    Day,
    Week,
    Months(1),
    Months(3),
    Months(6),
    Years(1),
    Years(2),
    Years(5),
    Years(10),
    Years(50),
];

/// Between two labels, in pixels.
const AIR: f32 = 12.0;

/// Where labels can be: the middles of the bars, and the ends that no label crosses.
pub struct Axis<'a> {
    pub middles: &'a [f32],
    pub left: f32,
    pub right: f32,
    /// How wide a text is.
    pub width: &'a dyn Fn(&str) -> f32,
}

/// A label in two lines. The second says what the first leaves out, where that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub bar: usize,
    pub text: String,
    pub left: f32,
    pub context: Option<(String, f32)>,
}

/// Labels as fine as they fit, from left to right.
pub fn labels(times: &[DateTime], axis: &Axis<'_>) -> Vec<Label> {
    let shared =
        times.windows(2).filter(|pair| matches!(pair, [a, b] if a.date() == b.date())).count();
    // The day that is not over can be there twice, which makes no minutes of days.
    let is_intraday = shared > 0 && shared * 4 >= times.len() - 1;
    let mut allowed = UNITS.into_iter().filter(|unit| is_intraday || !matches!(unit, Minutes(_)));
    let unit = allowed.find(|unit| fits(*unit, times, axis)).unwrap_or(Years(50));
    let mut bars = starts(unit, times);
    // Where two would collide, the one stays where more begins: a day rather than its first full hour.
    bars.sort_by_key(|bar| (std::cmp::Reverse(weight(*bar, times)), *bar));
    place(bars, unit, times, axis)
}

/// Whether all find room, but for those beside one at which more begins: a few gaps are well, a random choice is not.
fn fits(unit: Unit, times: &[DateTime], axis: &Axis<'_>) -> bool {
    let starts = starts(unit, times);
    let room = axis.right - axis.left;
    // Most units of long histories are refused here, without a text written.
    if starts.len() as f32 * AIR > room {
        return false;
    }
    let spots = starts.iter().filter_map(|bar| {
        let width = (axis.width)(&text(unit, times.get(*bar)?)) + AIR;
        Some((axis.middles.get(*bar)? - width / 2.0, width, weight(*bar, times)))
    });
    let spots: Vec<_> = spots.collect();
    let is_apart = |pair: &[(f32, f32, u8)]| match pair {
        [(a, width, a_weight), (b, _, b_weight)] => a + width <= *b || a_weight != b_weight,
        _ => true,
    };
    spots.iter().map(|spot| spot.1).sum::<f32>() <= room && spots.windows(2).all(is_apart)
}

/// Places those that fit, the first first, and returns them from left to right.
fn place(bars: Vec<usize>, unit: Unit, times: &[DateTime], axis: &Axis<'_>) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let mut taken = Vec::new();
    for bar in bars {
        let Some(text) = times.get(bar).map(|at| text(unit, at)) else { continue };
        if let Some(left) = room(&text, bar, axis, &mut taken) {
            labels.push(Label { bar, text, left, context: None });
        }
    }
    labels.sort_by_key(|label| label.bar);
    let contexts: Vec<Option<String>> =
        labels.iter().map(|label| context(unit, times.get(label.bar)?)).collect();
    let mut taken = Vec::new();
    // The first of them is seldom whole, so it gives way to the second.
    for i in (1..labels.len()).chain([0]) {
        let before = i.checked_sub(1).and_then(|before| contexts.get(before));
        let (Some(label), Some(Some(context))) = (labels.get_mut(i), contexts.get(i)) else {
            continue;
        };
        if before.is_none_or(|before| before.as_ref() != Some(context)) {
            label.context =
                room(context, label.bar, axis, &mut taken).map(|left| (context.clone(), left));
        }
    }
    // A 31 that has lost its August would seem to be one of the September beside it.
    let told = labels.iter().position(|label| label.context.is_some()).unwrap_or(0);
    labels.drain(..told);
    labels
}

/// Where a text begins that stands in the middle of its bar, if nothing else is there.
fn room(text: &str, bar: usize, axis: &Axis<'_>, taken: &mut Vec<(f32, f32)>) -> Option<f32> {
    let width = (axis.width)(text);
    let left = (axis.middles.get(bar)? - width / 2.0).min(axis.right - width).max(axis.left);
    let is_free = taken.iter().all(|(from, to)| left + width + AIR <= *from || to + AIR <= left);
    is_free.then(|| {
        taken.push((left, left + width));
        left
    })
}

/// The bars at which another one begins.
fn starts(unit: Unit, times: &[DateTime]) -> Vec<usize> {
    let first = times.first().filter(|at| is_start(unit, at)).map(|_| 0);
    let later = times.windows(2).enumerate().filter_map(|(i, pair)| match pair {
        [a, b] => (number(unit, a) != number(unit, b)).then_some(i + 1),
        _ => None,
    });
    first.into_iter().chain(later).collect()
}

/// A number that is another one for every span of that unit.
fn number(unit: Unit, at: &DateTime) -> i64 {
    let (year, month) = (i64::from(at.year()), i64::from(at.month()));
    let day = year * 366 + i64::from(at.day_of_year());
    match unit {
        Minutes(n) => {
            (day * 1440 + i64::from(at.hour()) * 60 + i64::from(at.minute())).div_euclid(n)
        }
        Day => day,
        Week => {
            let week = at.date().iso_week_date();
            i64::from(week.year()) * 60 + i64::from(week.week())
        }
        Months(n) => (year * 12 + month - 1).div_euclid(n),
        Years(n) => year.div_euclid(n),
    }
}

/// Whether the first bar begins one: nothing stands before it to tell.
fn is_start(unit: Unit, at: &DateTime) -> bool {
    // Months begin on a weekday that is no holiday.
    let is_early = at.day() <= 3;
    match unit {
        // A session seldom opens at a full hour, and its day must be told.
        Minutes(_) | Day => true,
        Week => at.date().weekday() == jiff::civil::Weekday::Monday,
        Months(n) => is_early && i64::from(at.month() - 1) % n == 0,
        Years(n) => is_early && at.month() == 1 && i64::from(at.year()) % n == 0,
    }
}

/// How much begins at a bar.
fn weight(bar: usize, times: &[DateTime]) -> u8 {
    let Some(at) = times.get(bar) else { return 0 };
    let Some(before) = bar.checked_sub(1).and_then(|before| times.get(before)) else { return 1 };
    match () {
        () if before.year() != at.year() => 3,
        () if before.month() != at.month() => 2,
        () if before.date() != at.date() => 1,
        () => 0,
    }
}

fn text(unit: Unit, at: &DateTime) -> String {
    match unit {
        Minutes(_) => at.strftime("%H:%M").to_string(),
        Day | Week => at.day().to_string(),
        Months(_) => at.strftime("%b").to_string(),
        Years(_) => at.year().to_string(),
    }
}

fn context(unit: Unit, at: &DateTime) -> Option<String> {
    match unit {
        Minutes(_) => Some(at.strftime("%-d %b %Y").to_string()),
        Day | Week => Some(at.strftime("%b %Y").to_string()),
        Months(_) => Some(at.year().to_string()),
        Years(_) => None,
    }
}

#[cfg(test)]
mod tests;
