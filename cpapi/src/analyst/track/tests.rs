#![allow(clippy::unwrap_used)]
use super::*;
use crate::fixtures;

fn account() -> AccountId {
    "DU1234567".parse().unwrap()
}

#[test]
fn a_period_is_read_exactly() {
    let reply: Performance = fixtures::reply("pa_performance");
    let track = reply.track(&account()).unwrap();
    assert_eq!(track.currency.as_deref(), Some("USD"));
    let before = track.before.unwrap();
    assert_eq!(before.date.to_string(), "2026-10-27");
    assert_eq!(before.nav.to_string(), "101032.6");
    let kept = serde_json::to_string(&track).unwrap();
    assert_eq!(serde_json::from_str::<Track>(&kept).unwrap(), track, "it can be kept");
    assert_eq!((track.days.len(), track.unread), (4, 0));
    let last = track.days.last().unwrap();
    assert_eq!(last.date.to_string(), "2026-11-02");
    assert_eq!(last.nav.unwrap().to_string(), "101871.3305");
    assert_eq!(last.returned.unwrap().to_string(), "0.00830158");
    assert_eq!(reply.track(&"DU7".parse().unwrap()), None, "nothing is said of another one");
}

#[test]
fn all_periods_are_read_of_each_account() {
    let reply: AllPeriods = fixtures::reply("pa_allperiods");
    let tracks = reply.tracks(&account());
    assert_eq!(tracks.len(), Period::ALL.len());
    let (period, week) = &tracks[1];
    assert_eq!((*period, week.days.len()), (Period::Week, 2));
    assert_eq!(week.days[0].returned.unwrap().to_string(), "-0.00238764");
    assert!(reply.tracks(&"DU7".parse().unwrap()).is_empty());
}

#[test]
fn a_value_that_cannot_be_read_is_one_that_is_not_known() {
    let read = |navs: &str, returns: &str| {
        let reply: Performance = serde_json::from_str(&format!(
            r#"{{"nav":{{"data":[{{"id":"DU1234567","navs":{navs}}}],"dates":["20261030","20261102"]}},
                "cps":{{"data":[{{"id":"DU1234567","returns":{returns}}}],"dates":["20261030","20261102"]}}}}"#
        ))
        .unwrap();
        let track = reply.track(&account()).unwrap();
        let known = track.days.iter().map(|day| (day.nav.is_some(), day.returned.is_some()));
        (known.collect::<Vec<_>>(), track.unread)
    };
    for (navs, returns, days, unread) in [
        ("[1,2]", "[0,0.1]", vec![(true, true), (true, true)], 0),
        ("[1,\"odd\"]", "[0,0.1]", vec![(true, true), (false, true)], 1),
        ("[1]", "[0,0.1]", vec![(false, true), (false, true)], 1),
        ("7", "[null,0.1]", vec![(false, true)], 1),
    ] {
        assert_eq!(read(navs, returns), (days, unread), "{navs} {returns}");
    }
}
