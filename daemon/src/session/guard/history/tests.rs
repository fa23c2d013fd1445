#![allow(clippy::unwrap_used)]
use super::*;
use Asker::{Client, Nobody, Person};
use Outcome::{Failed, Locked, LoggedIn, Open};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// Attempts as (hours ago, asker, outcome, factors).
fn history(attempts: &[(i64, Asker, Outcome, usize)]) -> History {
    let attempt = |&(hours, asker, outcome, factors): &(i64, Asker, Outcome, usize)| Attempt {
        at: now() - SignedDuration::from_hours(hours),
        asker,
        outcome,
        factors,
    };
    History(attempts.iter().map(attempt).collect())
}

#[test]
fn who_may_when() {
    let soon = |hours| Held::Soon(now() + SignedDuration::from_hours(hours));
    for (attempts, asker, expected) in [
        (&[][..], Nobody, Ok(())),
        (&[(1, Client, Failed, 0)], Client, Ok(())),
        (&[(2, Client, Failed, 0), (1, Client, Failed, 0)], Client, Err(Held::Failures(2))),
        (&[(2, Client, Failed, 0), (1, Client, Failed, 0)], Person, Err(Held::Failures(2))),
        // Cut off counts as failed.
        (&[(2, Client, Open, 0), (1, Client, Failed, 0)], Client, Err(Held::Failures(2))),
        // A login between them ends the row, but not the day.
        (
            &[(3, Client, Failed, 0), (2, Client, LoggedIn, 0), (1, Client, Failed, 0)],
            Client,
            Ok(()),
        ),
        (
            &[
                (9, Client, Failed, 0),
                (8, Client, LoggedIn, 0),
                (7, Client, Failed, 0),
                (6, Client, LoggedIn, 0),
                (5, Client, Failed, 0),
                (4, Client, LoggedIn, 0),
                (3, Client, Failed, 0),
                (2, Client, LoggedIn, 0),
            ],
            Client,
            Err(Held::Failures(4)),
        ),
        (&[(26, Client, Failed, 0), (25, Client, Failed, 0)], Client, Ok(())),
        // That it is locked does not end with the day.
        (&[(50, Client, Locked, 0)], Client, Err(Held::Locked)),
        (&[(50, Client, Locked, 0), (49, Person, LoggedIn, 0)], Client, Ok(())),
        (&[(2, Client, LoggedIn, 4), (1, Client, LoggedIn, 2)], Client, Err(Held::Factors)),
        // Unasked logins are rare even if they succeed.
        (&[(0, Nobody, LoggedIn, 0)], Nobody, Err(Held::Soon(now() + BETWEEN))),
        (&[(0, Nobody, LoggedIn, 0)], Client, Ok(())),
        (&[(0, Client, Failed, 0)], Nobody, Err(Held::Soon(now() + BETWEEN))),
        (
            &[(9, Nobody, LoggedIn, 0), (6, Nobody, LoggedIn, 0), (3, Nobody, LoggedIn, 0)],
            Nobody,
            Err(soon(15)),
        ),
    ] {
        assert_eq!(
            history(attempts).may(now(), asker, Will::Asks),
            expected,
            "{attempts:?} {asker:?}"
        );
    }
}

#[test]
fn only_a_person_can_insist() {
    let locked = history(&[(1, Client, Locked, 0)]);
    assert_eq!(locked.may(now(), Person, Will::Insists), Ok(()));
    assert_eq!(locked.may(now(), Client, Will::Insists), Err(Held::Locked));
}
