//! The short fault campaign, for every test run; the long one is `make faults`. A failing seed is run again
//! by `target/debug/faults --only SEED`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../../daemon/src/orders/mutant/names.rs"]
mod mutants;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Once;

/// Enough for each crash point to be passed; the seeds are always the same, the moments never are.
const RUNS: &str = "240";
/// A wrong order desk is found in a handful; this many are never needed.
const MOST: &str = "150";

/// The daemon with crash points as it is now. Where the Makefile has built it, this finds nothing to do.
fn build() {
    static BUILD: Once = Once::new();
    BUILD.call_once(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "ibd", "--features", "faults", "--bin", "ibd-faults"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "ibd-faults does not build");
    });
}

fn campaign(arguments: &[&str]) -> Output {
    build();
    let output = Command::new(env!("CARGO_BIN_EXE_faults")).args(arguments).output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn no_order_is_doubled_lost_or_told_wrong_whatever_dies() {
    assert!(campaign(&["--runs", RUNS, "--seed", "1"]).status.success());
}

/// Where each wrong order desk shows itself soonest: a scene, or any run.
const MUTANTS: [(&str, &str); 14] = [
    ("new-id", ""),
    ("late-journal", ""),
    ("believes-refusals", "refused-and-there"),
    ("first-row", "other-row-first"),
    ("judges-once", "squeezed"),
    ("writes-back", "touched"),
    ("id-alone", "namesake"),
    ("blind-follower", "declined-and-alive"),
    ("agrees-by-id", "reworded"),
    ("sinks", "declined-and-alive"),
    ("trusts-pushes", "glimpsed"),
    ("believes-changes", "unheard"),
    ("counts-pence", "pence"),
    ("keeps-quantity", "closing"),
];

#[test]
fn every_wrong_order_desk_is_caught() {
    let named: Vec<&str> = MUTANTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, mutants::NAMES, "one row for each");
    for (name, scene) in MUTANTS {
        let mut arguments = vec!["--runs", MOST, "--stop-at", "1", "--jobs", "4", "--mutant", name];
        if !scene.is_empty() {
            arguments.extend(["--scene", scene]);
        }
        assert!(campaign(&arguments).status.success(), "{name} was not caught");
    }
}

#[test]
fn what_the_broker_forgot_over_night_is_over_and_nothing_else() {
    assert!(campaign(&["--night"]).status.success());
}

#[test]
fn what_is_released_has_no_crash_point_no_time_scale_and_no_mutant() {
    build();
    let folder = PathBuf::from(env!("CARGO_BIN_EXE_faults"));
    let bytes = |program: &str| {
        let path = folder.with_file_name(program);
        std::fs::read(&path).unwrap_or_else(|_| panic!("{} is not built", path.display()))
    };
    let has = |bytes: &[u8], word: &str| memory_search(bytes, word.as_bytes());
    let (released, faulty) = (bytes("ibd"), bytes("ibd-faults"));
    for word in ["IBD_CRASH", "IBD_TIME_SCALE", "IBD_ANSWER_SCALE", "IBD_DISK_FAULT", "IBD_MUTANT"]
    {
        assert!(!has(&released, word), "ibd knows {word}");
        assert!(has(&faulty, word), "ibd-faults does not know {word}: this test looks for nothing");
    }
}

fn memory_search(bytes: &[u8], word: &[u8]) -> bool {
    let first = word[0];
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(word) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
