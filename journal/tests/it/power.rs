//! The power is cut at every moment, in every way a disk allows.

use ibd_journal::OpenError;

use crate::life::{Fault, Life, Tally, cut_everywhere, live, payload, script};
use crate::tape::{Lie, Tape};

#[test]
fn whenever_the_power_is_cut_what_was_acknowledged_is_there_and_nothing_else() {
    let tape = Tape::default();
    live(&tape, &script());
    let mut tally = Tally::default();
    cut_everywhere(&tape, &Vec::new(), &mut tally).unwrap();
    println!("{} images, {} torn ends, {} found whole", tally.images, tally.torn, tally.whole);
    // The search is not empty: it found torn ends and unacknowledged appends that survived.
    assert!(tally.images > 2_000, "{}", tally.images);
    assert!(tally.torn > 1_000, "{}", tally.torn);
    assert!(tally.whole > 20, "{}", tally.whole);
}

#[test]
fn a_torn_end_can_be_cut_off_through_any_number_of_power_cuts() {
    let tape = Tape::default();
    live(&tape, &script());
    let mut first = Tally::default();
    cut_everywhere(&tape, &Vec::new(), &mut first).unwrap();
    let mut second = Tally::default();
    for (image, told) in &first.samples {
        let tape = Tape::of(image);
        live(&tape, &[vec![payload(50, 600)], vec![payload(51, 900); 3], vec![payload(52, 7_000)]]);
        cut_everywhere(&tape, told, &mut second).unwrap();
    }
    println!("{} second lives, {} images", first.samples.len(), second.images);
    assert!(first.samples.len() > 10 && second.torn > 1_000);
}

#[test]
fn a_disk_that_does_not_sync_is_caught() {
    for lie in [Lie::Data, Lie::All, Lie::Folder] {
        let tape = Tape::lying(lie);
        live(&tape, &script());
        let fault = cut_everywhere(&tape, &Vec::new(), &mut Tally::default()).unwrap_err();
        println!("{lie:?}: {fault:?}");
        assert!(matches!(
            fault,
            Fault::Holds { .. } | Fault::NotOpened(OpenError::Damaged(_)) | Fault::NotThereAgain
        ));
    }
}

/// A process that dies writing has written a beginning, of any length.
#[test]
fn an_append_cut_at_any_byte_is_dropped_whole() {
    let tape = Tape::default();
    let mut life = Life::begin(&tape).unwrap();
    life.append(&[payload(1, 300)]).unwrap();
    let before = tape.cached();
    life.append(&[payload(2, 200), payload(3, 400), payload(4, 10)]).unwrap();
    let after = tape.cached();
    let (name, old) = before.first_key_value().unwrap();
    let new = &after[name];
    let start = (0..old.len()).find(|at| old[*at] != new[*at]).unwrap();
    let end = (0..old.len()).rfind(|at| old[*at] != new[*at]).unwrap() + 1;
    for cut in start..=end {
        let mut image = before.clone();
        image.get_mut(name).unwrap()[start..cut].copy_from_slice(&new[start..cut]);
        let opened = ibd_journal::Journal::open_on(Tape::of(&image)).unwrap();
        assert_eq!(opened.entries.len(), if cut == end { 4 } else { 1 }, "cut at {cut}");
        assert_eq!(opened.torn.is_some(), start < cut && cut < end, "cut at {cut}");
    }
}
