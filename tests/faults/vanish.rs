//! Runs in which the journal's folder vanishes: from then on no order goes, and none is doubled. What else is told is
//! not judged: there is no journal to hold it against.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::moves::Vanishing;
use crate::rig::Home;

/// Milliseconds in which what was journalled before is still sent.
const ON_THE_WAY: i64 = 400;

/// When it vanished, in milliseconds since 1970; nothing if it has not, or if no daemon had kept a head of it.
#[derive(Debug, Clone, Default)]
pub struct Vanished(Arc<Mutex<Option<i64>>>);

impl Vanished {
    pub fn at(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the folder away.
    pub fn take(&self, home: &Home, vanishing: Vanishing) {
        take(&home.path, &home.journal(), vanishing, self);
    }

    /// The same after so many milliseconds, whatever runs then.
    pub fn take_later(&self, home: &Home, vanishing: Vanishing, millis: u64) {
        let (path, journal, vanished) = (home.path.clone(), home.journal(), self.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            take(&path, &journal, vanishing, &vanished);
        });
    }
}

fn take(home: &Path, journal: &Path, vanishing: Vanishing, vanished: &Vanished) {
    let has_head = has_head(home);
    let (Vanishing::Between { is_moved } | Vanishing::Under { is_moved, .. }) = vanishing;
    let gone = if is_moved {
        std::fs::rename(journal, home.join("taken"))
    } else {
        std::fs::remove_dir_all(journal)
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis() as i64;
    if gone.is_ok() && has_head {
        *vanished.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// Whether a daemon has written somewhere how far the journal goes.
fn has_head(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        if entry.path().is_dir() {
            has_head(&entry.path())
        } else {
            // One that is still being written says nothing yet: nothing was acknowledged before it.
            entry.file_name() == "journal.head" && is_whole(&entry.path())
        }
    })
}

fn is_whole(head: &Path) -> bool {
    std::fs::read_to_string(head).is_ok_and(|text| text.ends_with('\n'))
}

/// Orders that went all the same.
pub fn went(placements: &Value, at: i64) -> Vec<String> {
    let rows = placements["placements"].as_array().map_or(&[][..], Vec::as_slice);
    let late = rows.iter().filter(|row| {
        row["by"] != "tws"
            && row["zombie"] != true
            && row["acceptedMs"].as_i64().unwrap_or_default() > at + ON_THE_WAY
    });
    late.map(|row| format!("DUPLICATE: the journal is gone since {at}, and this went: {row}"))
        .collect()
}
