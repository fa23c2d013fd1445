#![allow(clippy::unwrap_used)]
use super::*;
use Asker::{Client, Person};
use Outcome::{Failed, LoggedIn};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

#[test]
fn it_is_kept_and_counts_for_every_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let guard = Guard::open(folder.path());
    for _ in 0..2 {
        guard.begin("JDoe", now(), Client, Will::Asks).unwrap();
        guard.settle("jdoe", Failed);
    }
    let next = Guard::open(folder.path());
    assert_eq!(next.begin("jdoe", now(), Client, Will::Asks), Err(Held::Failures(2)));
    assert_eq!(next.may("other", now(), Client, Will::Asks), Ok(()));
    assert_eq!(next.counts("jdoe", now()), (2, 2));
    next.logged_in_otherwise("jdoe", now());
    assert_eq!(next.begin("jdoe", now(), Client, Will::Asks), Ok(()));
}

#[test]
fn the_daemons_of_two_profiles_share_one_account() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Guard::open(folder.path()), Guard::open(folder.path()));
    for guard in [&one, &other] {
        guard.begin("jdoe", now(), Client, Will::Asks).unwrap();
        guard.settle("jdoe", Failed);
    }
    assert_eq!(one.begin("jdoe", now(), Client, Will::Asks), Err(Held::Failures(2)));
}

#[test]
fn killed_in_the_middle_counts_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        Guard::open(folder.path()).begin("jdoe", now(), Client, Will::Asks).unwrap();
    }
    let held = Guard::open(folder.path()).begin("jdoe", now(), Client, Will::Asks);
    assert_eq!(held, Err(Held::Failures(2)));
}

#[test]
fn what_cannot_be_read_holds_everything_until_a_person_insists() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("logins.json"), "{").unwrap();
    let guard = Guard::open(folder.path());
    assert!(matches!(guard.may("jdoe", now(), Client, Will::Asks), Err(Held::Unreadable(_))));
    assert!(matches!(guard.begin("jdoe", now(), Person, Will::Asks), Err(Held::Unreadable(_))));
    guard.begin("jdoe", now(), Person, Will::Insists).unwrap();
    guard.settle("jdoe", LoggedIn);
    assert_eq!(Guard::open(folder.path()).may("jdoe", now(), Client, Will::Asks), Ok(()));
}
