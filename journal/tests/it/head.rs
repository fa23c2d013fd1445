//! A journal that is not the one that was there: removed, moved, replaced, emptied or put back.

use std::path::{Path, PathBuf};

use ibd_journal::{AppendError, Head, Journal, OpenError, Why, read, verify, verify_after};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn segment(folder: &Path) -> PathBuf {
    folder.join("00000001.journal")
}

/// Nothing goes into a file that nobody will find again.
#[test]
fn nothing_is_appended_to_a_journal_that_is_no_longer_there() {
    type Deed = fn(&Path, &Path);
    let deeds: [(&str, Deed); 8] = [
        ("removed", |folder, _| std::fs::remove_dir_all(folder).unwrap()),
        ("moved", |folder, away| std::fs::rename(folder, away).unwrap()),
        ("moved, and a copy in its place", |folder, away| {
            std::fs::rename(folder, away).unwrap();
            copy(away, folder);
        }),
        ("moved, and a file in its place", |folder, away| {
            std::fs::rename(folder, away).unwrap();
            std::fs::write(folder, "").unwrap();
        }),
        ("its file removed", |folder, _| std::fs::remove_file(segment(folder)).unwrap()),
        ("its file replaced", |folder, away| {
            std::fs::copy(segment(folder), away).unwrap();
            std::fs::rename(away, segment(folder)).unwrap();
        }),
        ("its file emptied", |folder, _| std::fs::write(segment(folder), "").unwrap()),
        ("its lock removed", |folder, _| std::fs::remove_file(folder.join("lock")).unwrap()),
    ];
    for (deed, act) in deeds {
        let home = tempfile::tempdir().unwrap();
        let (folder, away) = (home.path().join("journal"), home.path().join("away"));
        let mut journal = Journal::open(&folder).unwrap().journal;
        journal.append(&[b"one"]).unwrap();
        act(&folder, &away);
        for payloads in [&[&b"two"[..]][..], &[]] {
            let refused = journal.append(payloads);
            assert!(matches!(refused, Err(AppendError::Displaced)), "{deed}: {refused:?}");
        }
        assert_eq!(journal.head().seq, 1, "{deed}");
    }
}

#[test]
fn a_folder_that_was_moved_and_came_back_is_the_same_one() {
    let home = tempfile::tempdir().unwrap();
    let (folder, away) = (home.path().join("journal"), home.path().join("away"));
    let mut journal = Journal::open(&folder).unwrap().journal;
    std::fs::rename(&folder, &away).unwrap();
    journal.append(&[b"lost"]).unwrap_err();
    std::fs::rename(&away, &folder).unwrap();
    journal.append(&[b"found"]).unwrap();
    assert_eq!(read(&folder, 9).unwrap()[0].payload, b"found");
}

#[test]
fn a_journal_that_ends_before_what_was_acknowledged_is_damage() {
    type Deed = fn(&Path, &Path);
    let deeds: [(&str, Deed, Why); 6] = [
        ("as it is", |_, _| (), Why::Head),
        ("removed", |folder, _| std::fs::remove_dir_all(folder).unwrap(), Why::Behind(0)),
        (
            "emptied",
            |folder, _| {
                std::fs::remove_dir_all(folder).unwrap();
                std::fs::create_dir(folder).unwrap();
            },
            Why::Behind(0),
        ),
        (
            "put back",
            |folder, early| {
                std::fs::remove_dir_all(folder).unwrap();
                copy(early, folder);
            },
            Why::Behind(1),
        ),
        (
            "its last group zeroed",
            |folder, early| {
                let early = std::fs::read(segment(early)).unwrap();
                let end = early.iter().rposition(|byte| *byte != 0).unwrap() + 1;
                let mut bytes = std::fs::read(segment(folder)).unwrap();
                bytes[end..].fill(0);
                std::fs::write(segment(folder), bytes).unwrap();
            },
            Why::Behind(1),
        ),
        (
            "another one",
            |folder, _| {
                std::fs::remove_dir_all(folder).unwrap();
                let mut other = Journal::open(folder).unwrap().journal;
                (0..9).for_each(|_| drop(other.append(&[b"other"]).unwrap()));
            },
            Why::Another,
        ),
    ];
    for (deed, act, why) in deeds {
        let home = tempfile::tempdir().unwrap();
        let (folder, early) = (home.path().join("journal"), home.path().join("early"));
        let mut journal = Journal::open(&folder).unwrap().journal;
        journal.append(&[b"one"]).unwrap();
        copy(&folder, &early);
        journal.append(&[b"two", b"three"]).unwrap();
        let head = journal.head();
        drop(journal);
        act(&folder, &early);
        let was_there = folder.exists();
        let (verified, opened) =
            (verify_after(&folder, &[head]), Journal::open_after(&folder, Some(head)));
        if why == Why::Head {
            assert_eq!(verified.unwrap().records, 3);
            assert_eq!(opened.unwrap().entries.len(), 3);
            continue;
        }
        assert_eq!(verified.unwrap_err().why, why, "{deed}");
        let Err(OpenError::Damaged(broken)) = opened else { panic!("{deed}") };
        assert_eq!((broken.why, broken.seq), (why, 3), "{deed}");
        assert_eq!(folder.exists(), was_there, "{deed}: nothing was changed");
        if was_there {
            verify(&folder).unwrap();
        }
    }
}

#[test]
fn a_head_that_lags_behind_is_met_and_none_promises_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("journal");
    drop(Journal::open_after(&folder, Some(Head::NONE)).unwrap());
    let mut journal = Journal::open_after(&folder, None).unwrap().journal;
    journal.append(&[b"one"]).unwrap();
    let early = journal.head();
    journal.append(&[b"two"]).unwrap();
    verify_after(&folder, &[early, journal.head(), Head::NONE]).unwrap();
    drop(journal);
    assert_eq!(Journal::open_after(&folder, Some(early)).unwrap().entries.len(), 2);
}
