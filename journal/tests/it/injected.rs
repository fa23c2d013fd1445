//! What the feature `faults` does, in a process of its own: the plan is read once.

use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use ibd_journal::{AppendError, Journal, read, set_point_hook};

const FOLDER: &str = "IBD_JOURNAL_TEST_FOLDER";
const DIE_AT: &str = "IBD_JOURNAL_TEST_DIE_AT";

/// Not a test: what the others run. Appends until it is refused or dies at its third append.
#[test]
#[ignore = "run by the other tests here"]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    set_point_hook(die);
    let mut journal = Journal::open(Path::new(&folder)).unwrap().journal;
    for number in 1..=5 {
        let text = format!("{{\"append\":{number}}}");
        match journal.append(&[text.as_bytes(), text.as_bytes()]) {
            Ok(_) => println!("acknowledged {number}"),
            Err(AppendError::Io(error)) => {
                println!("refused {number}: {:?}", error.kind());
                assert!(matches!(journal.append(&[b"{}"]), Err(AppendError::Poisoned)));
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn die(point: &'static str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    if std::env::var(DIE_AT).is_ok_and(|at| at == point)
        && PASSED.fetch_add(1, Ordering::Relaxed) == 2
    {
        std::process::abort();
    }
}

/// What the child said.
fn run(folder: &Path, variable: &str, value: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "injected::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(variable, value)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_fault_hits_the_append_it_was_meant_for() {
    for (fault, kind, found) in [
        ("enospc:3", ErrorKind::StorageFull, 4),
        ("eio:1", ErrorKind::Other, 0),
        ("short:2", ErrorKind::WriteZero, 2),
        // Written, and only its sync failed: it is found, and may have been lost.
        ("fsync:4", ErrorKind::Other, 8),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = run(folder.path(), "IBD_DISK_FAULT", fault);
        assert!(said.contains(&format!(": {kind:?}")), "{fault}: {said}");
        let opened = Journal::open(folder.path()).unwrap();
        assert_eq!(opened.entries.len(), found, "{fault}");
        assert_eq!(opened.torn.is_some(), fault.starts_with("short"), "{fault}");
    }
}

#[test]
fn a_process_that_dies_at_a_point_leaves_what_the_point_says() {
    for (point, found, torn) in [
        ("journal.before_write", 4, false),
        ("journal.half_written", 4, true),
        ("journal.before_sync", 6, false),
        ("journal.after_sync", 6, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = run(folder.path(), DIE_AT, point);
        assert!(said.contains("acknowledged 2") && !said.contains("acknowledged 3"), "{said}");
        let opened = Journal::open(folder.path()).unwrap();
        assert_eq!((opened.entries.len(), opened.torn.is_some()), (found, torn), "{point}");
        assert_eq!(read(folder.path(), 100).unwrap(), opened.entries);
    }
}
