//! When a contract trades: `/contract/trading-schedule`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::endpoint::{Endpoint, Path};
use crate::id::Conid;
use crate::lenient;
use crate::rows::{self, Entries, Rows};

/// The trading hours of a contract, some days around today; days without trading are left out.
#[derive(Debug, Clone)]
pub struct GetSchedule {
    /// The contract.
    pub conid: Conid,
}

/// The reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Schedule {
    /// For instance `US/Eastern`.
    #[serde(rename = "exchange_time_zone", default, deserialize_with = "lenient::opt")]
    pub zone: Option<String>,
    /// By day, `YYYYMMDD` in the exchange's zone.
    #[serde(default, deserialize_with = "lenient::part")]
    pub schedules: Option<Entries<Day>>,
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Day {
    /// Regular hours.
    #[serde(rename = "liquid_hours", default, deserialize_with = "rows::field")]
    pub regular: Rows<Hours>,
    /// All hours, the regular ones among them.
    #[serde(rename = "extended_hours", default, deserialize_with = "rows::field")]
    pub extended: Rows<Hours>,
}

/// From one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Hours {
    /// When it begins, seconds of the epoch.
    #[serde(deserialize_with = "lenient::req")]
    opening: u64,
    /// When it ends.
    #[serde(deserialize_with = "lenient::req")]
    closing: u64,
}

impl Hours {
    /// When it begins.
    pub fn from(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::try_from(self.opening).ok()?).ok()
    }

    /// When it ends.
    pub fn to(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::try_from(self.closing).ok()?).ok()
    }
}

impl Endpoint for GetSchedule {
    type Reply = Schedule;
    const NAME: &'static str = "contract/trading-schedule";

    fn path(&self) -> Path {
        Path::new("/contract/trading-schedule").query("conid", self.conid)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hours_are_read_day_by_day() {
        let schedule: Schedule = serde_json::from_str(
            r#"{"exchange_time_zone":"US/Eastern","schedules":{"20261123":{
                "liquid_hours":[{"opening":1795444200,"closing":1795467600}],
                "extended_hours":[{"opening":1795424400,"closing":1795482000,"cancel_daily_orders":true}]}}}"#,
        )
        .unwrap();
        let days = schedule.schedules.unwrap();
        let day = days.get("20261123").unwrap();
        assert_eq!(day.regular[0].from().unwrap().to_string(), "2026-11-23T14:30:00Z");
        assert_eq!(day.extended[0].to().unwrap().to_string(), "2026-11-24T01:00:00Z");
        let odd: Schedule = serde_json::from_str(r#"{"schedules":null}"#).unwrap();
        assert_eq!(odd, Schedule::default());
    }
}
