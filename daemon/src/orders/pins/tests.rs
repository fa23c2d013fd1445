#![allow(clippy::unwrap_used)]

use super::*;
use jiff::SignedDuration;

fn clocks(wall: i64, up: u64) -> Clocks {
    Clocks { at: Timestamp::from_second(1_795_446_000 + wall).unwrap(), up: Some(up) }
}

fn said(pins: &mut Pins, pin: &str, now: Clocks) -> &'static str {
    let wanted = Pin(Some(Secret::new("2468")));
    let checked = pins.check_at(&wanted, Some(&Secret::new(pin)), now);
    checked.map_or_else(|refusal| refusal.error.as_str(), |()| "right")
}

fn guessed(folder: &Path, times: usize, now: Clocks) -> Pins {
    let mut pins = Pins::above(&[folder.to_owned(), folder.join("none")]);
    for _ in 0..times {
        assert_eq!(said(&mut pins, "0000", now), "wrong_pin");
    }
    pins
}

#[test]
fn pins_are_compared_whole() {
    assert!(is_same("2468", "2468"));
    for other in ["2469", "246", "24680", ""] {
        assert!(!is_same("2468", other), "{other}");
    }
}

#[test]
fn a_restart_or_another_profile_gives_no_new_tries() {
    let home = tempfile::tempdir().unwrap();
    let now = clocks(0, 5_000);
    guessed(home.path(), 3, now);
    let mut pins = guessed(home.path(), 2, now);
    assert_eq!(said(&mut pins, "2468", now), "pin_locked");
    assert_eq!(said(&mut guessed(home.path(), 0, now), "2468", now), "pin_locked");
    // Nor does a file that is removed under a daemon.
    std::fs::remove_file(home.path().join(FILE)).unwrap();
    assert_eq!(said(&mut pins, "0000", now), "wrong_pin", "its own were two");
}

#[test]
fn the_lock_ends_when_both_clocks_say_so() {
    for (now, expected, case) in [
        (clocks(899, 5_899), "pin_locked", "not yet"),
        (clocks(900, 5_900), "right", "a quarter of an hour"),
        (clocks(86_400, 5_001), "pin_locked", "the clock on the wall was set ahead"),
        (clocks(0, 5_900), "pin_locked", "it was set back to the moment of the tries"),
        (clocks(-86_400, 5_001), "pin_locked", "it was set back before them"),
        (clocks(-86_400, 5_900), "right", "it was set back, and the time has passed"),
        (clocks(60, 50), "pin_locked", "the machine was started anew"),
        (clocks(86_400, 50), "pin_locked", "and its clock set ahead"),
        (clocks(86_400, 900), "right", "and the time has passed"),
    ] {
        let home = tempfile::tempdir().unwrap();
        guessed(home.path(), MOST, clocks(0, 5_000));
        let mut later = Pins::above(&[home.path().to_owned()]);
        assert_eq!(said(&mut later, "2468", now), expected, "{case}");
    }
}

#[test]
fn without_the_second_clock_one_that_was_set_back_ends_no_lock() {
    let at = |wall| Clocks { up: None, ..clocks(wall, 0) };
    assert!(at(0).is_recent(at(-5)) && at(0).is_recent(at(899)) && !at(0).is_recent(at(900)));
}

#[test]
fn a_right_pin_is_no_try_and_one_that_was_cut_short_is() {
    let home = tempfile::tempdir().unwrap();
    let now = clocks(0, 5_000);
    let mut pins = guessed(home.path(), MOST - 1, now);
    assert_eq!(said(&mut pins, "2468", now), "right");
    assert_eq!(said(&mut pins, "2468", now), "right");
    // Killed between the try and its outcome.
    pins.keep(&Line::Tried { id: "cut".into(), clocks: now }).unwrap();
    assert_eq!(said(&mut guessed(home.path(), 0, now), "2468", now), "pin_locked");
}

#[test]
fn what_cannot_be_counted_is_not_looked_at() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(FILE)).unwrap();
    let mut pins = Pins::above(&[home.path().to_owned()]);
    assert_eq!(said(&mut pins, "2468", clocks(0, 1)), "pin_not_counted");
    // A torn line hides no other.
    let home = tempfile::tempdir().unwrap();
    guessed(home.path(), MOST, clocks(0, 5_000));
    append(&home.path().join(FILE), b"{\"tried\":{\"id\"").unwrap();
    let mut pins = Pins::above(&[home.path().to_owned()]);
    assert_eq!(said(&mut pins, "2468", clocks(1, 5_001)), "pin_locked");
}

#[test]
fn a_long_file_with_nothing_recent_is_begun_anew() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(FILE);
    let then = clocks(0, 5_000);
    let line = serde_json::to_string(&Line::Tried { id: "x".into(), clocks: then }).unwrap();
    std::fs::write(&file, format!("{line}\n").repeat(1_000)).unwrap();
    let mut pins = Pins::above(&[home.path().to_owned()]);
    assert_eq!(said(&mut pins, "2468", clocks(86_400, 91_400)), "right");
    assert!(std::fs::metadata(&file).unwrap().len() < LONG);
}

#[test]
fn another_profile_with_a_pin_is_found() {
    let home = tempfile::tempdir().unwrap();
    for profile in ["default", "paper", "no pin here"] {
        std::fs::create_dir(home.path().join(profile)).unwrap();
    }
    std::fs::write(home.path().join("default").join(MARK), "").unwrap();
    let above = [home.path().to_owned()];
    assert_eq!(with_pin(&above, "paper"), ["default"]);
    assert!(with_pin(&above, "default").is_empty());
    assert!(
        Clocks::read()
            .is_recent(Clocks { at: Timestamp::now() + SignedDuration::from_secs(1), up: up() })
    );
}
