//! Against a plain list.

use proptest::prelude::*;

use ibd_journal::Journal;

use crate::life::SEGMENT;
use crate::tape::Tape;

#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Vec<u8>>),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let payload = prop::collection::vec(any::<u8>(), 0..700);
    prop_oneof![
        4 => prop::collection::vec(payload, 0..5).prop_map(Step::Append),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Payloads are any bytes here, zeros too.
    #[test]
    fn a_journal_is_a_list_that_only_grows(steps in prop::collection::vec(step(), 0..30)) {
        let tape = Tape::default();
        let mut journal = Journal::open_sized(tape.clone(), SEGMENT).unwrap().journal;
        let mut list: Vec<(u64, ibd_journal::Hash, Vec<u8>)> = Vec::new();
        for step in steps.into_iter().chain([Step::Reopen]) {
            match step {
                Step::Append(payloads) => {
                    let parts: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
                    let records = journal.append(&parts).unwrap();
                    prop_assert_eq!(records.len(), payloads.len());
                    list.extend(records.into_iter().zip(payloads).map(|((seq, hash), p)| (seq, hash, p)));
                }
                Step::Reopen => {
                    let opened = Journal::open_sized(tape.clone(), SEGMENT).unwrap();
                    let found: Vec<_> =
                        opened.entries.into_iter().map(|e| (e.seq, e.hash, e.payload)).collect();
                    prop_assert_eq!(&found, &list);
                    prop_assert_eq!(opened.torn, None);
                    journal = opened.journal;
                }
            }
            prop_assert_eq!(journal.head().seq, list.len() as u64);
        }
    }
}
