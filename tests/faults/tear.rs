//! What a power cut may leave at the end of a journal; with the format's numbers written down once more, so
//! that a change of the format is noticed.

use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::dice::Dice;
use crate::plan::Tear;

/// Where records begin in a segment.
const HEAD: usize = 512;
/// Bytes of a record before its payload.
const RECORD_HEAD: usize = 64;

/// Damages the end of the journal as `tear` says; whether there was something to damage.
pub fn tear(journal: &Path, tear: Tear, dice: &mut Dice) -> bool {
    // An end that is torn already is not torn once more: the next daemon cuts it off before it appends.
    let is_whole = ibd_journal::verify(journal).is_ok_and(|verified| verified.torn.is_none());
    let Some(path) = newest(journal).filter(|_| is_whole && tear != Tear::Nothing) else {
        return false;
    };
    let Ok(bytes) = std::fs::read(&path) else { return false };
    let Some((start, end)) = last_append(&bytes) else { return false };
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    match tear {
        Tear::Nothing => false,
        Tear::Begun(count) => {
            let room = bytes.len() - end;
            let garbage: Vec<u8> = (0..count).map(|_| dice.between(1, 255) as u8).collect();
            file.write_all_at(&garbage[..garbage.len().min(room)], end as u64).unwrap();
            true
        }
        Tear::Halved if start == end => false,
        Tear::Halved => {
            let from = dice.between(start as u64 + 1, end as u64 - 1);
            file.write_all_at(&vec![0; end - from as usize], from).unwrap();
            true
        }
    }
}

fn newest(journal: &Path) -> Option<std::path::PathBuf> {
    let files = std::fs::read_dir(journal).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| path.file_name().is_some_and(|name| name != "lock")).max()
}

/// The bytes of the last append, whole or not.
fn last_append(bytes: &[u8]) -> Option<(usize, usize)> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let (mut start, mut end) = (HEAD, HEAD);
    while let Some(length) = number(end).map(|length| length as usize) {
        if length < RECORD_HEAD || end + length > bytes.len() {
            break;
        }
        if half(end + 12)? == 0 {
            start = end;
        }
        end += length;
    }
    Some((start, end))
}
