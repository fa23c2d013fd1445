//! Wrong PINs: counted on the disk above the profiles, before each is looked at, so that neither another
//! profile, nor a restart, nor a clock that is set gives new tries. The lock ends when the clock on the wall
//! and the one that counts from the machine's start both say so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ibd_protocol::settings::Key;
use ibd_protocol::{ErrorCode, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::desk::Pin;
use crate::refusal::Refusal;
use crate::secrets;

/// Wrong PINs within [`PER`] before no more are looked at.
const MOST: usize = 5;
const PER: Duration = Duration::from_secs(15 * 60);
const FILE: &str = "pin-tries.jsonl";
/// A file with nothing recent in it is begun anew from this size on, in bytes.
const LONG: u64 = 16 << 10;
/// In the state folder of a profile whose keyring has a PIN.
pub(super) const MARK: &str = "pin-is-set";

/// What two clocks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Clocks {
    /// May be set.
    at: Timestamp,
    /// Seconds since the machine started, also while it slept; where it is known.
    up: Option<u64>,
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// A PIN is about to be looked at.
    Tried {
        id: String,
        #[serde(flatten)]
        clocks: Clocks,
    },
    /// It was right.
    Right { id: String },
}

/// Who guessed a PIN lately.
#[derive(Debug, Default)]
pub struct Pins {
    files: Vec<PathBuf>,
    /// Of this daemon: a file that is removed takes nothing back.
    seen: BTreeMap<String, Clocks>,
}

impl Pins {
    /// Counted in these folders above profiles.
    pub fn above(folders: &[PathBuf]) -> Self {
        let files = folders.iter().map(|folder| folder.join(FILE)).collect();
        Self { files, seen: BTreeMap::new() }
    }

    /// Whether this PIN is the one that is wanted.
    pub fn check(&mut self, wanted: &Pin, pin: Option<&Secret>) -> Result<(), Refusal> {
        self.check_at(wanted, pin, Clocks::read())
    }

    fn check_at(&mut self, wanted: &Pin, pin: Option<&Secret>, now: Clocks) -> Result<(), Refusal> {
        let Some(wanted) = &wanted.0 else { return Ok(()) };
        if self.wrong(now).map_err(|why| uncounted(&why))? >= MOST {
            return Err(locked());
        }
        let id = ulid::Ulid::new().to_string();
        self.keep(&Line::Tried { id: id.clone(), clocks: now }).map_err(|why| uncounted(&why))?;
        self.seen.insert(id.clone(), now);
        if !pin.is_some_and(|pin| is_same(pin.expose(), wanted.expose())) {
            return Err(Refusal::new(
                ErrorCode::WrongPin,
                "The PIN is missing or wrong.",
                "Give the PIN.",
            ));
        }
        self.seen.remove(&id);
        if let Err(why) = self.keep(&Line::Right { id }) {
            // It then counts as a wrong one, which errs on the safe side.
            tracing::warn!(why, "a right PIN was not written down");
        }
        Ok(())
    }

    /// Wrong ones that still count.
    fn wrong(&mut self, now: Clocks) -> Result<usize, String> {
        let (mut tries, mut right) = (self.seen.clone(), BTreeSet::new());
        for file in &self.files {
            for line in read(file)? {
                match line {
                    Line::Tried { id, clocks } => drop(tries.insert(id, clocks)),
                    Line::Right { id } => drop(right.insert(id)),
                }
            }
        }
        tries.retain(|id, then| !right.contains(id) && then.is_recent(now));
        self.seen.retain(|_, then| then.is_recent(now));
        if tries.is_empty() {
            self.files.iter().for_each(|file| begin_anew(file));
        }
        Ok(tries.len())
    }

    /// Durable when this returns, in every folder that is there.
    fn keep(&self, line: &Line) -> Result<(), String> {
        let mut text = serde_json::to_string(line).map_err(|error| error.to_string())?;
        text.push('\n');
        let there = |file: &&PathBuf| file.parent().is_some_and(Path::is_dir);
        self.files.iter().filter(there).try_for_each(|file| {
            append(file, text.as_bytes()).map_err(|error| format!("{}: {error}", file.display()))
        })
    }
}

impl Clocks {
    fn read() -> Self {
        Self { at: Timestamp::now(), up: up() }
    }

    /// Whether either clock says that it was not long ago. A wall clock that was set back says nothing where
    /// there is the other one, which after a restart counts from there.
    fn is_recent(self, now: Self) -> bool {
        let wall = Duration::try_from(now.at.duration_since(self.at)).ok();
        let up = self.up.zip(now.up).map(|(then, now)| now.checked_sub(then).unwrap_or(now));
        match (wall, up) {
            (Some(wall), Some(up)) => wall < PER || Duration::from_secs(up) < PER,
            (None, Some(up)) => Duration::from_secs(up) < PER,
            (Some(wall), None) => wall < PER,
            (None, None) => true,
        }
    }
}

fn up() -> Option<u64> {
    super::clock::since_boot().map(|millis| millis / 1_000)
}

/// What a crash tore is no line; the try that it was is counted in memory, or its daemon is gone before it
/// could say anything.
fn read(file: &Path) -> Result<Vec<Line>, String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// In one write, behind what other daemons wrote.
fn append(file: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = ibd_disk::private().create(true).append(true).open(file)?;
    file.write_all(line)?;
    file.sync_data()
}

fn begin_anew(file: &Path) {
    if std::fs::metadata(file).is_ok_and(|there| there.len() > LONG) {
        let _ = ibd_disk::replace(file, b"");
    }
}

/// Takes as long whether the first or the last character differs.
fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn locked() -> Refusal {
    Refusal::new(
        ErrorCode::PinLocked,
        "Too many wrong PINs; none is looked at for a quarter of an hour.",
        "Wait. A restart or another clock gives no new tries.",
    )
}

fn uncounted(why: &str) -> Refusal {
    Refusal::new(
        ErrorCode::PinNotCounted,
        format!("Wrong PINs could not be counted ({why}), so none is looked at."),
        "Make that file readable and writable for you, then give the PIN again.",
    )
}

/// The PIN of another profile: they may trade in the same account, and what one asks for the other does not
/// let through without.
pub async fn of_another(above: &[PathBuf], own: &str) -> Result<Option<Secret>, Refusal> {
    for profile in with_pin(above, own) {
        match secrets::look(&profile, Key::ApprovalPin).await {
            Ok(Some(pin)) => return Ok(Some(pin)),
            Ok(None) => {}
            Err(error) => {
                return Err(Refusal::new(
                    ErrorCode::PinUnavailable,
                    format!(
                        "The profile {profile} has a PIN, and the keyring that has it cannot be read ({error})."
                    ),
                    "Unlock the keyring; or remove the PIN with `ibctl secrets forget IB_APPROVAL_PIN` there.",
                ));
            }
        }
    }
    Ok(None)
}

/// Other profiles in whose keyring a PIN was seen.
fn with_pin(above: &[PathBuf], own: &str) -> Vec<String> {
    let entries = above.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    let mut profiles: Vec<String> = entries
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join(MARK).exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != own && ibd_protocol::places::is_profile(name))
        .collect();
    profiles.sort();
    profiles.dedup();
    profiles
}

#[cfg(test)]
mod tests;
