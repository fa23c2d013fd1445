//! Nothing that matters is lost by `kill -9`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use ibd::store::Store;
use ibd_tests::world::binary;

/// Deaths; a few thousand. Each leaves the store to the next writer.
const KILLS: u64 = 2_000;

#[test]
fn thousands_of_kills_lose_no_promise() {
    let folder = tempfile::tempdir().unwrap();
    let mut promised: HashMap<u64, u64> = HashMap::new();
    let (mut next, mut random, mut set_aside) = (0u64, 0x9e37_79b9_7f4a_7c15_u64, 0);
    for kill in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(kill | 1);
        let writes = (random >> 33) % 12;
        let last = write_until_killed(folder.path(), next, writes);
        for n in next..=last.unwrap_or(next) {
            if last.is_some() {
                promised.insert(n % 7, n);
            }
        }
        next = last.map_or(next, |last| last + 1);
        if kill % 50 == 49 {
            set_aside += u64::from(check(folder.path(), &promised, next));
        }
    }
    eprintln!("{KILLS} kills, {next} promises kept, index set aside {set_aside} times");
}

/// Starts a writer, lets it make so many promises, kills it; the last promise it made.
fn write_until_killed(folder: &std::path::Path, from: u64, writes: u64) -> Option<u64> {
    let mut child = Command::new(binary("store-writer"))
        .arg(folder)
        .arg(from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = None;
    for line in lines.by_ref().take(writes as usize) {
        last = line.unwrap().parse().ok().or(last);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it still said before it died was promised, too.
    lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).last().or(last)
}

/// Every promise is kept: the value promised last, or one that was written and not yet promised.
fn check(folder: &std::path::Path, promised: &HashMap<u64, u64>, next: u64) -> bool {
    let (store, opened) = Store::open(folder).unwrap();
    for (key, value) in promised {
        let found: u64 =
            store.kept(&format!("key/{key}")).unwrap_or_else(|| panic!("key/{key} is lost"));
        assert!(
            found == *value || found >= next && found % 7 == *key,
            "key/{key}: {found}, not {value}"
        );
    }
    matches!(opened, ibd::store::Opened::SetAside(_))
}
