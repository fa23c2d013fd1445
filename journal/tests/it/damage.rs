//! Bytes that change later.

use ibd_journal::{Broken, Journal, OpenError, Why};

use crate::life::{SEGMENT, live, payload, script};
use crate::tape::{Image, Tape};

fn open(image: &Image) -> Result<usize, Broken> {
    match Journal::open_sized(Tape::of(image), SEGMENT) {
        Ok(opened) => Ok(opened.entries.len()),
        Err(OpenError::Damaged(broken)) => Err(broken),
        Err(other) => panic!("{other}"),
    }
}

fn lived() -> (Image, usize) {
    let (tape, script) = (Tape::default(), script());
    live(&tape, &script);
    (tape.cached(), script.iter().map(Vec::len).sum())
}

/// Where the last record ends, and zeros begin.
fn end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1
}

/// Also one of the last append: an interrupted write leaves holes, and this is none.
#[test]
fn a_flipped_bit_in_any_record_is_damage() {
    let (image, _) = lived();
    assert!(image.len() > 1, "the script rolls");
    for (name, bytes) in &image {
        for at in 0..end(bytes) {
            let mut image = image.clone();
            image.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            let found = open(&image);
            assert!(found.is_err(), "{name}, byte {at}: {found:?}");
        }
    }
}

#[test]
fn a_flipped_bit_after_the_last_record_costs_nothing() {
    let (image, records) = lived();
    let (name, bytes) = image.last_key_value().unwrap();
    for at in end(bytes) + 64..bytes.len() {
        let mut image = image.clone();
        image.get_mut(name).unwrap()[at] ^= 1;
        assert_eq!(open(&image), Ok(records), "byte {at}");
    }
    let (name, bytes) = image.first_key_value().unwrap();
    for at in end(bytes) + 64..bytes.len() {
        let mut image = image.clone();
        image.get_mut(name).unwrap()[at] ^= 1;
        assert_eq!(open(&image).unwrap_err().why, Why::NotAtTheEnd, "byte {at}");
    }
}

/// A lost sector looks like a tear; what was appended later shows that it is none.
#[test]
fn a_lost_sector_is_damage_when_later_records_are_there() {
    let (tape, mut numbers) = (Tape::default(), 1..);
    let script: Vec<_> = numbers.by_ref().take(5).map(|n| vec![payload(n, 500)]).collect();
    live(&tape, &script);
    let image = tape.cached();
    let (name, bytes) = image.first_key_value().unwrap();
    let last = 512 + 4 * (64 + payload(1, 500).len());
    for sector in (512..last - 512).step_by(512) {
        let mut image = image.clone();
        image.get_mut(name).unwrap()[sector..sector + 512].fill(0);
        assert_eq!(open(&image).unwrap_err().why, Why::FollowedBy, "sector at {sector}");
    }
    assert!(end(bytes) > last);
}

#[test]
fn files_that_are_missing_short_or_changed_about_are_damage() {
    let (image, _) = lived();
    let names: Vec<String> = image.keys().cloned().collect();
    let why = |change: &dyn Fn(&mut Image)| {
        let mut image = image.clone();
        change(&mut image);
        open(&image).unwrap_err().why
    };
    assert_eq!(why(&|image| drop(image.remove(&names[0]))), Why::Missing);
    assert_eq!(why(&|image| image.get_mut(&names[0]).unwrap().truncate(8_191)), Why::Length);
    assert_eq!(why(&|image| image.get_mut(&names[1]).unwrap().push(0)), Why::Length);
    assert_eq!(why(&|image| image.get_mut(&names[1]).unwrap().clear()), Why::Head);
    assert_eq!(
        why(&|image| drop(image.insert(names[0].clone(), image[&names[1]].clone()))),
        Why::Chain
    );
    let far = "00000009.journal".to_owned();
    assert_eq!(
        why(&|image| drop(image.insert(far.clone(), image[&names[1]].clone()))),
        Why::Missing
    );
}

#[test]
fn two_histories_cannot_be_spliced() {
    let (one, other) = (Tape::default(), Tape::default());
    live(&one, &script());
    let mut script = script();
    script[0][0][10] ^= 1;
    live(&other, &script);
    let mut image = one.cached();
    let (name, bytes) = other.cached().pop_last().unwrap();
    image.insert(name, bytes);
    assert_eq!(open(&image).unwrap_err().why, Why::Chain);
}

#[test]
fn nothing_is_changed_where_damage_is_found() {
    let (mut image, _) = lived();
    image.insert("00000007.journal.new".to_owned(), vec![1]);
    let (name, _) = image.first_key_value().unwrap();
    let name = name.clone();
    image.get_mut(&name).unwrap()[700] ^= 1;
    let tape = Tape::of(&image);
    assert!(Journal::open_on(tape.clone()).is_err());
    assert_eq!(tape.cached(), image);
}

#[test]
fn foreign_files_are_left_alone() {
    let (mut image, records) = lived();
    for name in ["lock", "1.journal", "0000000x.journal", "notes.txt", "00000001.journal~"] {
        image.insert(name.to_owned(), b"mine".to_vec());
    }
    image.insert("00000007.journal.new".to_owned(), Vec::new());
    let tape = Tape::of(&image);
    assert_eq!(Journal::open_on(tape.clone()).unwrap().entries.len(), records);
    image.remove("00000007.journal.new");
    assert_eq!(tape.cached(), image);
}
