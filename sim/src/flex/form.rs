//! How a query writes dates and times: each template chooses.

use jiff::civil::Date;

use super::days::NewYork;

/// A template's word and the pattern for it.
const DATES: [(&str, &str); 7] = [
    ("yyyyMMdd", "%Y%m%d"),
    ("yyyy-MM-dd", "%Y-%m-%d"),
    ("MM/dd/yyyy", "%m/%d/%Y"),
    ("MM/dd/yy", "%m/%d/%y"),
    ("dd/MM/yyyy", "%d/%m/%Y"),
    ("dd/MM/yy", "%d/%m/%y"),
    ("dd-MMM-yy", "%d-%b-%y"),
];
/// `TimeZone` makes the zone follow, as in `143003 EST`.
const TIMES: [(&str, &str); 4] = [
    ("HHmmss", "%H%M%S"),
    ("HH:mm:ss", "%H:%M:%S"),
    ("HHmmss TimeZone", "%H%M%S %Z"),
    ("HH:mm:ss TimeZone", "%H:%M:%S %Z"),
];
const SEPARATORS: [&str; 4] = [";", ",", " ", ""];

/// Dates and times of one query.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) clock: NewYork,
    date: &'static str,
    time: &'static str,
    separator: &'static str,
}

impl Default for Form {
    fn default() -> Self {
        let (clock, date, time, separator) = (NewYork::default(), "%Y%m%d", "%H%M%S", ";");
        Self { clock, date, time, separator }
    }
}

impl Form {
    /// The form of these three words; an error lists what there is.
    pub(crate) fn new(date: &str, time: &str, separator: &str) -> Result<Self, String> {
        let find = |table: &[(&str, &'static str)], word: &str| {
            let known: Vec<&str> = table.iter().map(|row| row.0).collect();
            let found = table.iter().find(|row| row.0 == word).map(|row| row.1);
            found.ok_or_else(|| format!("flex: {word:?} is none of {known:?}"))
        };
        let separator = SEPARATORS.into_iter().find(|known| *known == separator);
        Ok(Self {
            clock: NewYork::default(),
            date: find(&DATES, date)?,
            time: find(&TIMES, time)?,
            separator: separator.ok_or_else(|| format!("flex: separators are {SEPARATORS:?}"))?,
        })
    }

    pub(crate) fn date(&self, day: Date) -> String {
        day.strftime(self.date).to_string()
    }

    pub(crate) fn moment(&self, ms: i64) -> String {
        self.clock.format(ms, &format!("{}{}{}", self.date, self.separator, self.time))
    }
}
