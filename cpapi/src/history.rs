//! Bars of the past: `/iserver/marketdata/history`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::endpoint::{Endpoint, Path};
use crate::id::Conid;
use crate::lenient;
use crate::money::{Price, Quantity};
use crate::rows::{self, Rows};

/// Bars that one reply has at most.
pub const MAX_BARS: usize = 1_000;

/// Bars of a contract, up to some moment.
#[derive(Debug, Clone)]
pub struct GetHistory {
    /// The contract.
    pub conid: Conid,
    /// For instance `2w`: `min`, `h`, `d`, `w`, `m` (months), `y`.
    pub period: String,
    /// For instance `1d`: `min`, `h`, `d`, `w`, `m`.
    pub bar: String,
    /// Also outside regular trading hours.
    pub outside_rth: bool,
    /// The moment at which the period ends; now if left out.
    pub end: Option<Timestamp>,
}

/// The reply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct History {
    /// The bars, the oldest first.
    #[serde(default, deserialize_with = "rows::field")]
    pub data: Rows<Bar>,
    /// `S` streaming, `D` delayed.
    #[serde(rename = "mdAvailability", default, deserialize_with = "lenient::opt")]
    pub availability: Option<String>,
    /// By how many seconds it is late.
    #[serde(rename = "mktDataDelay", default, deserialize_with = "lenient::opt")]
    pub delay: Option<u64>,
    /// What a volume is multiplied by to get shares or contracts.
    #[serde(rename = "volumeFactor", default, deserialize_with = "lenient::opt")]
    pub volume_factor: Option<Quantity>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bar {
    /// When it begins.
    #[serde(rename = "t", deserialize_with = "lenient::millis")]
    pub time: Option<Timestamp>,
    /// The first price.
    #[serde(rename = "o", default, deserialize_with = "lenient::opt")]
    pub open: Option<Price>,
    /// The highest.
    #[serde(rename = "h", default, deserialize_with = "lenient::opt")]
    pub high: Option<Price>,
    /// The lowest.
    #[serde(rename = "l", default, deserialize_with = "lenient::opt")]
    pub low: Option<Price>,
    /// The last.
    #[serde(rename = "c", default, deserialize_with = "lenient::opt")]
    pub close: Option<Price>,
    /// What was traded.
    #[serde(rename = "v", default, deserialize_with = "lenient::opt")]
    pub volume: Option<Quantity>,
}

impl Endpoint for GetHistory {
    type Reply = History;
    const NAME: &'static str = "iserver/marketdata/history";

    fn path(&self) -> Path {
        let path = Path::new("/iserver/marketdata/history")
            .query("conid", self.conid)
            .query("period", &self.period)
            .query("bar", &self.bar)
            .query("outsideRth", self.outside_rth);
        match self.end {
            // In UTC, as this endpoint alone writes it.
            Some(end) => path.query("startTime", end.strftime("%Y%m%d-%H:%M:%S")),
            None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixtures;

    #[test]
    fn bars_are_read() {
        let history: History = fixtures::reply("history");
        let first = &history.data[0];
        assert!(first.time.is_some() && first.close.is_some() && first.volume.is_some());
        assert_eq!(history.availability.as_deref(), Some("S"));
    }

    #[test]
    fn the_end_of_the_period_is_written_in_utc() {
        let mut request = GetHistory {
            conid: "265598".parse().unwrap(),
            period: "2w".into(),
            bar: "1h".into(),
            outside_rth: true,
            end: Some("2026-11-02T09:30:00-05:00".parse().unwrap()),
        };
        assert_eq!(
            request.path().as_str(),
            "/iserver/marketdata/history?conid=265598&period=2w&bar=1h&outsideRth=true\
             &startTime=20261102-14%3A30%3A00"
        );
        request.end = None;
        assert!(request.path().as_str().ends_with("outsideRth=true"));
    }
}
