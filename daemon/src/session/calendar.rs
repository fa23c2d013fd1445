//! IBKR's clock: when its servers are reset, and what that means for looks and logins. Pure.
//!
//! From IBKR's published windows and users' reports: the brokerage servers of each region go down for
//! some minutes at about 01:00 local time; logins may end at midnight; on Saturday night the whole
//! system is maintained; a login lasts 24 hours at most.

use std::time::Duration;

use jiff::civil::{Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// The longest that a login lasts.
pub const LOGIN_LASTS: SignedDuration = SignedDuration::from_hours(24);
/// So long before its end it is said that a login is needed.
pub const SAID_AHEAD: SignedDuration = SignedDuration::from_hours(1);
/// IBKR's nightly reset of the brokerage servers, local time of the region.
const RESET: Time = time(1, 0, 0, 0);
/// No automatic login from so long before a reset …
const BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// … to so long after it.
const AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Between looks at a ready session that nobody else watches.
const ATTACHED: Duration = Duration::from_secs(55);
/// Our own gateway ends its login when its tickle, every 30 s, finds the brokerage session closed: it
/// must be opened again before that.
const MANAGED: Duration = Duration::from_secs(10);
/// At the hour of the reset it is a matter of seconds.
const AT_RESET: Duration = Duration::from_millis(1_500);

/// Where IBKR keeps a login.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Region {
    /// New York.
    #[default]
    Us,
    /// Zug.
    Eu,
    /// Hong Kong.
    Hk,
}

impl Region {
    /// As configured.
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("eu") => Self::Eu,
            Some("hk") => Self::Hk,
            _ => Self::Us,
        }
    }

    fn zone(self) -> TimeZone {
        let name = match self {
            Self::Us => "America/New_York",
            Self::Eu => "Europe/Zurich",
            Self::Hk => "Asia/Hong_Kong",
        };
        TimeZone::get(name).unwrap_or(TimeZone::UTC)
    }

    fn at(self, now: Timestamp) -> Zoned {
        now.to_zoned(self.zone())
    }
}

/// The window of a maintenance that is going on, and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The nightly reset.
    Night(Timestamp),
    /// The weekend's maintenance.
    Weekend(Timestamp),
}

impl Window {
    /// Its end, about.
    pub fn end(self) -> Timestamp {
        match self {
            Self::Night(end) | Self::Weekend(end) => end,
        }
    }
}

/// The window that `now` lies in.
pub fn window(region: Region, now: Timestamp) -> Option<Window> {
    let local = region.at(now);
    // The reset of today; just before midnight none is near.
    let reset = local.date().to_zoned(local.time_zone().clone()).ok();
    let reset = reset.and_then(|day| day.with().time(RESET).build().ok())?.timestamp();
    if (reset - BEFORE..reset + AFTER).contains(&now) {
        return Some(Window::Night(reset + AFTER));
    }
    weekend(now).map(Window::Weekend)
}

/// The whole system is maintained on Saturday evening in New York. IBKR names 23:00 to 03:00; users saw it
/// begin from 18:00 on, and a login in between does not last.
fn weekend(now: Timestamp) -> Option<Timestamp> {
    let local = Region::Us.at(now);
    let (begins, ends) = (time(18, 0, 0, 0), time(3, 0, 0, 0));
    let is_evening = local.weekday() == Weekday::Saturday && local.time() >= begins;
    let is_morning = local.weekday() == Weekday::Sunday && local.time() < ends;
    let sunday = match (is_evening, is_morning) {
        (true, _) => local.tomorrow().ok()?,
        (_, true) => local,
        _ => return None,
    };
    Some(sunday.with().time(ends).build().ok()?.timestamp())
}

/// Logins end around midnight of the region: so long before and after it that is no surprise.
const MIDNIGHT: SignedDuration = SignedDuration::from_mins(10);
/// A login that lived so long has come to its end.
const OLD: SignedDuration = SignedDuration::from_mins(23 * 60 + 30);

/// Whether IBKR's own hours explain that a login made then is over now. If they do not, somebody may
/// have taken the session: the gateway gives up its login when it is thrown out.
pub fn explains_an_end(region: Region, now: Timestamp, login_at: Option<Timestamp>) -> bool {
    let local = region.at(now);
    let since_midnight = local.start_of_day().map(|day| now.duration_since(day.timestamp()));
    let is_midnight = since_midnight
        .is_ok_and(|since| since < MIDNIGHT || since > SignedDuration::from_hours(24) - MIDNIGHT);
    let is_old = login_at.is_some_and(|at| now.duration_since(at) > OLD);
    // Saturday evening is when the weekend's maintenance begins, at no fixed hour.
    let new_york = Region::Us.at(now);
    let is_saturday = new_york.weekday() == Weekday::Saturday && new_york.hour() >= 17;
    is_midnight || is_old || is_saturday || window(region, now).is_some()
}

/// How often a ready session is looked at.
pub fn between_looks(region: Region, now: Timestamp, is_managed: bool) -> Duration {
    match (is_managed, window(region, now)) {
        (false, _) => ATTACHED,
        (true, Some(Window::Night(_))) => AT_RESET,
        (true, _) => MANAGED,
    }
}

/// About when a login made then will be over.
pub fn login_ends(login_at: Timestamp) -> Timestamp {
    login_at.checked_add(LOGIN_LASTS).unwrap_or(Timestamp::MAX)
}

/// The next moment at which the clock on the wall shows this time.
pub fn next(at: Time, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let local = now.to_zoned(zone.clone());
    let today = local.with().time(at).build().ok()?;
    let when = if today.timestamp() > now {
        today
    } else {
        local.tomorrow().ok()?.with().time(at).build().ok()?
    };
    Some(when.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_windows() {
        // 01:00 in New York is 05:00 UTC in summer and 06:00 in winter.
        for (region, now, expected) in [
            (Region::Us, "2026-07-15T04:54:59Z", None),
            (Region::Us, "2026-07-15T04:55:00Z", Some(Window::Night(at("2026-07-15T05:15:00Z")))),
            (Region::Us, "2026-07-15T05:15:00Z", None),
            (Region::Us, "2026-12-15T06:10:00Z", Some(Window::Night(at("2026-12-15T06:15:00Z")))),
            (Region::Eu, "2026-07-15T23:00:00Z", Some(Window::Night(at("2026-07-15T23:15:00Z")))),
            (Region::Hk, "2026-07-15T17:14:00Z", Some(Window::Night(at("2026-07-15T17:15:00Z")))),
            // Saturday 18:00 and 23:30, and Sunday 02:00 in New York.
            (Region::Us, "2026-07-18T21:59:59Z", None),
            (Region::Us, "2026-07-18T22:00:00Z", Some(Window::Weekend(at("2026-07-19T07:00:00Z")))),
            (Region::Eu, "2026-07-19T01:00:00Z", Some(Window::Weekend(at("2026-07-19T07:00:00Z")))),
            (Region::Us, "2026-07-19T03:30:00Z", Some(Window::Weekend(at("2026-07-19T07:00:00Z")))),
            (Region::Hk, "2026-07-19T06:00:00Z", Some(Window::Weekend(at("2026-07-19T07:00:00Z")))),
            (Region::Us, "2026-07-19T07:00:00Z", None),
        ] {
            assert_eq!(window(region, at(now)), expected, "{region:?} {now}");
        }
    }

    #[test]
    fn our_own_gateway_is_watched_closely_and_most_closely_at_the_reset() {
        let (day, night) = (at("2026-07-15T15:00:00Z"), at("2026-07-15T05:00:00Z"));
        assert_eq!(between_looks(Region::Us, day, false), ATTACHED);
        assert_eq!(between_looks(Region::Us, night, false), ATTACHED);
        assert_eq!(between_looks(Region::Us, day, true), MANAGED);
        assert_eq!(between_looks(Region::Us, night, true), AT_RESET);
    }

    #[test]
    fn an_end_that_the_hours_do_not_explain_may_be_somebodys_doing() {
        let login_at = Some(at("2026-07-14T12:00:00Z"));
        for (now, login_at, expected) in [
            ("2026-07-14T19:00:00Z", login_at, false),
            ("2026-07-15T04:03:00Z", login_at, true),
            ("2026-07-15T03:55:00Z", login_at, true),
            ("2026-07-15T05:01:00Z", login_at, true),
            ("2026-07-15T11:45:00Z", login_at, true),
            ("2026-07-18T22:00:00Z", Some(at("2026-07-18T12:00:00Z")), true),
            ("2026-07-18T15:00:00Z", Some(at("2026-07-18T12:00:00Z")), false),
        ] {
            assert_eq!(explains_an_end(Region::Us, at(now), login_at), expected, "{now}");
        }
    }

    #[test]
    fn the_next_seven_thirty() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        let half_past_seven = time(7, 30, 0, 0);
        let next = |now| next(half_past_seven, &zone, at(now)).unwrap();
        assert_eq!(next("2026-07-15T05:00:00Z"), at("2026-07-15T05:30:00Z"));
        assert_eq!(next("2026-07-15T05:30:00Z"), at("2026-07-16T05:30:00Z"));
        // The night in which the clocks go back.
        assert_eq!(next("2026-10-24T06:00:00Z"), at("2026-10-25T06:30:00Z"));
    }
}
