//! A journal's life on a tape, and what must hold whenever its power is cut.

use ibd_journal::{AppendError, Journal, OpenError};

use crate::tape::{Image, Op, Remains, Tape};

/// Sixteen sectors: small enough to roll often and to try nearly every way of tearing.
pub const SEGMENT: u64 = 8_192;

/// Of the torn images, how many are between two that are kept.
const SAMPLE_EVERY: usize = 401;

pub type Payloads = Vec<Vec<u8>>;

/// A journal and what its user was told.
pub struct Life {
    tape: Tape,
    pub journal: Journal<Tape>,
    told: Payloads,
}

impl Life {
    pub fn begin(tape: &Tape) -> Result<Life, OpenError> {
        let opened = Journal::open_sized(tape.clone(), SEGMENT)?;
        let told: Payloads = opened.entries.into_iter().map(|entry| entry.payload).collect();
        tape.note(Op::Told(told.clone()));
        Ok(Life { tape: tape.clone(), journal: opened.journal, told })
    }

    pub fn append(&mut self, payloads: &[Vec<u8>]) -> Result<(), AppendError> {
        self.tape.note(Op::Tried(payloads.to_vec()));
        let parts: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        self.journal.append(&parts)?;
        self.told.extend_from_slice(payloads);
        self.tape.note(Op::Told(self.told.clone()));
        Ok(())
    }
}

/// Text of so many bytes, like no other.
pub fn payload(number: usize, bytes: usize) -> Vec<u8> {
    let mut text = format!("{{\"n\":{number},\"text\":\"").into_bytes();
    text.extend((0..bytes).map(|at| b'a' + u8::try_from((at * 7 + number) % 26).unwrap()));
    text.extend(b"\"}");
    text
}

/// Single appends, groups, records over several sectors, and more than a segment holds.
pub fn script() -> Vec<Payloads> {
    let sizes: [&[usize]; 13] = [
        &[20],
        &[600, 10],
        &[5, 5, 300, 900],
        &[450],
        &[700, 700],
        &[1, 2, 3],
        &[1_500],
        &[5_600],
        &[7_500],
        &[900, 900, 900],
        &[700, 30, 30, 2_000, 900, 900],
        &[40],
        &[0, 1_800, 900],
    ];
    let mut number = 0;
    let mut next = |bytes: &usize| {
        number += 1;
        payload(number, *bytes)
    };
    sizes.iter().map(|sizes| sizes.iter().map(&mut next).collect()).collect()
}

pub fn live(tape: &Tape, script: &[Payloads]) {
    let mut life = Life::begin(tape).unwrap();
    script.iter().for_each(|payloads| life.append(payloads).unwrap());
}

/// Why an image is not what was promised.
#[derive(Debug)]
#[expect(dead_code, reason = "printed")]
pub enum Fault {
    NotOpened(OpenError),
    /// More, less, or others than were appended.
    Holds {
        found: usize,
        told: usize,
        tried: usize,
    },
    NotAppended(AppendError),
    NotThereAgain,
}

#[derive(Debug, Default)]
pub struct Tally {
    pub images: usize,
    /// Those whose end was torn.
    pub torn: usize,
    /// Those where the interrupted append was found whole.
    pub whole: usize,
    /// Some of the torn ones, and what they say.
    pub samples: Vec<(Image, Payloads)>,
}

/// Cuts the power at every moment of what is on `tape`, in every way. `told`: what somebody relied
/// on before that.
pub fn cut_everywhere(tape: &Tape, told: &Payloads, tally: &mut Tally) -> Result<(), Fault> {
    let mut remains = Remains::of(&tape.base());
    remains.told.clone_from(told);
    let log = tape.log();
    for moment in 0..=log.len() {
        let mut result = Ok(());
        remains.images(|image| {
            if result.is_ok() {
                result = check(image, &remains, tally);
            }
        });
        result?;
        if let Some(op) = log.get(moment) {
            remains.play(op);
        }
    }
    Ok(())
}

fn check(image: Image, remains: &Remains, tally: &mut Tally) -> Result<(), Fault> {
    tally.images += 1;
    let Remains { told, tried, .. } = remains;
    let tape = Tape::of(&image);
    let opened = Journal::open_sized(tape.clone(), SEGMENT).map_err(Fault::NotOpened)?;
    let mut found: Payloads = opened.entries.into_iter().map(|entry| entry.payload).collect();
    let both: Payloads = told.iter().chain(tried).cloned().collect();
    if found != *told && found != both {
        let (found, told, tried) = (found.len(), told.len(), tried.len());
        return Err(Fault::Holds { found, told, tried });
    }
    tally.whole += usize::from(!tried.is_empty() && found == both);

    let mut journal = opened.journal;
    let after = payload(99, 30);
    journal.append(&[&after]).map_err(Fault::NotAppended)?;
    drop(journal);
    found.push(after);
    let again = Journal::open_sized(tape, SEGMENT).map_err(Fault::NotOpened)?;
    if !again.entries.iter().map(|entry| &entry.payload).eq(&found) {
        return Err(Fault::NotThereAgain);
    }
    if opened.torn.is_some() {
        if tally.torn.is_multiple_of(SAMPLE_EVERY) {
            found.pop();
            tally.samples.push((image, found));
        }
        tally.torn += 1;
    }
    Ok(())
}
