//! The disk refuses, at every call.

use ibd_journal::{AppendError, Journal, OpenError};

use crate::life::{Life, Payloads, SEGMENT, Tally, cut_everywhere, payload, script};
use crate::tape::{Fault, Tape};

/// Opens, again if the disk refuses once, and appends all of `script`, opening anew after a failure.
fn persevere(tape: &Tape, script: &[Payloads]) {
    let mut life = open(tape);
    for payloads in script {
        match life.append(payloads) {
            Ok(()) => {}
            Err(AppendError::Io(_)) => {
                assert!(life.journal.is_poisoned());
                let head = life.journal.head();
                let after = life.journal.append(&[b"more"]);
                assert!(matches!(after, Err(AppendError::Poisoned)));
                assert_eq!(life.journal.head(), head);
                life = open(tape);
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn open(tape: &Tape) -> Life {
    match Life::begin(tape) {
        Err(OpenError::Io(_)) => Life::begin(tape).unwrap(),
        other => other.unwrap(),
    }
}

#[test]
fn whatever_call_fails_nothing_acknowledged_is_lost_then_or_by_a_later_power_cut() {
    // Not the long records: they tear in thousands of ways, and here it is the calls that count.
    let short = |payloads: &Payloads| payloads.iter().map(Vec::len).sum::<usize>() < 2_500;
    let script: Vec<_> =
        script().into_iter().filter(short).chain(script()[2..5].to_vec()).collect();
    for fault in [Fault::Refused, Fault::Half] {
        let mut tally = Tally::default();
        for call in 0.. {
            let tape = Tape::failing(call, fault);
            persevere(&tape, &script);
            if !tape.has_failed() {
                println!("{fault:?}: {call} calls, {} images", tally.images);
                assert!(call > 30);
                break;
            }
            cut_everywhere(&tape, &Vec::new(), &mut tally)
                .unwrap_or_else(|why| panic!("{fault:?} of call {call}: {why:?}"));
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let tape = Tape::default();
    let mut life = Life::begin(&tape).unwrap();
    life.append(&[payload(1, 100)]).unwrap();
    let (before, head) = (tape.cached(), life.journal.head());
    let most = usize::try_from(SEGMENT).unwrap() - 512;

    let refused = life.journal.append(&[&vec![b'x'; most - 63]]);
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })));
    let half = vec![b'x'; most / 2];
    let refused = life.journal.append(&[&half, &half]);
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })));
    let refused = life.journal.append(&vec![&b""[..]; 65_536]);
    assert!(matches!(refused, Err(AppendError::TooMany(65_536))));
    assert_eq!(life.journal.append(&[]).unwrap(), []);
    assert_eq!((tape.cached(), life.journal.head()), (before, head));

    life.append(&[vec![b'x'; most - 64]]).unwrap();
    assert_eq!(tape.cached().len(), 2);
    life.append(&[Vec::new()]).unwrap();
    assert_eq!(tape.cached().len(), 3);
    life.append(&[vec![b'x'; most - 128]]).unwrap();
    assert_eq!(tape.cached().len(), 3, "what fits to the byte needs no new file");
    assert_eq!(Journal::open_on(tape).unwrap().entries.len(), 4);
}
