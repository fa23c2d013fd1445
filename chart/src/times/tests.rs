use super::*;
use jiff::civil::date;
use jiff::{Span, ToSpan};

fn width(text: &str) -> f32 {
    text.chars().count() as f32 * 10.0
}

fn drawn(times: &[DateTime], wide: f32) -> Vec<Label> {
    let slot = wide / times.len() as f32;
    let middles: Vec<f32> = (0..times.len()).map(|i| (i as f32 + 0.5) * slot).collect();
    labels(times, &Axis { middles: &middles, left: -20.0, right: wide, width: &width })
}

/// "12@14:30/30 Nov 2026": the bar, its label, and what stands below.
fn words(labels: &[Label]) -> String {
    let words = labels.iter().map(|label| match &label.context {
        Some((context, _)) => format!("{}@{}/{context}", label.bar, label.text),
        None => format!("{}@{}", label.bar, label.text),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn every(from: DateTime, step: Span, count: usize) -> Vec<DateTime> {
    from.series(step).take(count).collect()
}

/// Days of trading: a week has five.
fn weekdays(from: DateTime, count: usize) -> Vec<DateTime> {
    from.series(1.day()).filter(|at| at.weekday().to_monday_zero_offset() < 5).take(count).collect()
}

/// Sessions from half past nine to four.
fn sessions(from: DateTime, minutes: i64, days: usize) -> Vec<DateTime> {
    let count = usize::try_from(390 / minutes).unwrap_or(1);
    let days = weekdays(from, days);
    days.into_iter().flat_map(|day| every(day, minutes.minutes(), count)).collect()
}

#[test]
fn labels_say_what_begins() {
    let monday = date(2026, 11, 30).at(9, 30, 0, 0);
    let table = [
        (
            "a day of 5 minutes",
            sessions(monday, 5, 1),
            "0@09:30/30 Nov 2026 6@10:00 12@10:30 18@11:00 24@11:30 30@12:00 36@12:30 42@13:00 48@13:30 54@14:00 \
             60@14:30 66@15:00 72@15:30",
        ),
        (
            "three days of 15 minutes",
            sessions(monday, 15, 3),
            "0@09:30/30 Nov 2026 10@12:00 18@14:00 26@09:30/1 Dec 2026 36@12:00 44@14:00 52@09:30/2 Dec 2026 \
             62@12:00 70@14:00",
        ),
        (
            "a month of hours",
            sessions(monday, 60, 21),
            "6@1/Dec 2026 12@2 18@3 24@4 30@7 36@8 42@9 48@10 54@11 60@14 66@15 72@16 78@17 84@18 \
             90@21 96@22 102@23 108@24 114@25 120@28",
        ),
        (
            "a quarter of days",
            weekdays(date(2026, 9, 1).at(0, 0, 0, 0), 64),
            "4@7/Sep 2026 9@14 14@21 19@28 24@5/Oct 2026 29@12 34@19 39@26 44@2/Nov 2026 49@9 54@16 59@23",
        ),
        (
            "a year of days",
            weekdays(date(2025, 12, 1).at(0, 0, 0, 0), 252),
            "0@Dec/2025 23@Jan/2026 45@Feb 65@Mar 87@Apr 109@May 130@Jun 152@Jul 175@Aug 196@Sep 218@Oct 240@Nov",
        ),
        (
            "five years of weeks",
            every(date(2021, 12, 6).at(0, 0, 0, 0), 7.days(), 260),
            "4@Jan/2022 17@Apr 30@Jul 43@Oct 56@Jan/2023 69@Apr 82@Jul 95@Oct 108@Jan/2024 121@Apr 134@Jul 148@Oct \
             161@Jan/2025 174@Apr 187@Jul 200@Oct 213@Jan/2026 226@Apr 239@Jul 252@Oct",
        ),
        (
            "fifty years of months",
            every(date(1976, 1, 1).at(0, 0, 0, 0), 1.month(), 600),
            "48@1980 108@1985 168@1990 228@1995 288@2000 348@2005 408@2010 468@2015 528@2020 588@2025",
        ),
        (
            "days, and today until now",
            [weekdays(date(2026, 11, 23).at(0, 0, 0, 0), 6), vec![monday]].concat(),
            "0@23/Nov 2026 1@24 2@25 3@26 4@27 5@30",
        ),
        ("one day", weekdays(monday, 1), "0@30/Nov 2026"),
        (
            "ten seconds",
            every(date(2026, 11, 30).at(9, 30, 11, 0), 1.second(), 10),
            "0@09:30/30 Nov 2026",
        ),
        ("none", Vec::new(), ""),
    ];
    for (name, times, wanted) in table {
        assert_eq!(words(&drawn(&times, 870.0)), wanted, "{name}");
    }
}

#[test]
fn nothing_overlaps_nor_leaves_the_picture() {
    let from = date(2023, 3, 1).at(9, 30, 0, 0);
    let steps: [Span; 9] = [
        1.second(),
        1.minute(),
        7.minutes(),
        30.minutes(),
        1.hour(),
        1.day(),
        7.days(),
        1.month(),
        1.year(),
    ];
    for step in steps {
        for count in [1, 2, 3, 7, 40, 150, 151, 1000, 5000] {
            for wide in [150.0, 870.0] {
                let labels = drawn(&every(from, step, count), wide);
                let name = format!("{count} of {step}: {}", words(&labels));
                assert!(!labels.is_empty(), "{name}");
                let firsts = labels.iter().map(|label| (label.left, width(&label.text)));
                let seconds = labels.iter().filter_map(|label| label.context.as_ref());
                apart(&firsts.collect::<Vec<_>>(), wide, &name);
                apart(
                    &seconds.map(|(text, left)| (*left, width(text))).collect::<Vec<_>>(),
                    wide,
                    &name,
                );
            }
        }
    }
}

fn apart(texts: &[(f32, f32)], wide: f32, name: &str) {
    assert!(texts.iter().all(|(left, width)| *left >= -20.0 && left + width <= wide), "{name}");
    assert!(texts.is_sorted_by(|a, b| a.0 + a.1 + AIR <= b.0), "{name}");
}
