//! What other profiles of this user sent: an account may be traded in through several of them, so what is
//! counted, alike or in doubt is looked for in their journals, too. They are only read.
//!
//! A journal is read again when its files changed, and then only what is new in it.

use ibd_protocol::ReasonCode;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ibd_cpapi::id::AccountId;
use ibd_journal::{Entry, Hash};
use jiff::SignedDuration;

use super::book::{Book, counts_of};
use super::clock::Now;
use super::guardrails::{Counts, Denial};
use super::intent::{Intent, IntentId};
use super::life::{self, Event, State};
use super::order::Order;
use super::record::Record;

/// What waited so long for its turn was not sent: its daemon is gone, and says so when it is back.
const WAITED: SignedDuration = SignedDuration::from_secs(5 * 60);
/// Records that are looked through for what is new, before all of them are.
const NEWEST: usize = 64;
/// A profile's journal, in its folder.
const JOURNAL: &str = "journal";

/// The journals of other profiles.
#[derive(Debug, Default)]
pub struct Siblings {
    /// Folders above profiles.
    roots: Vec<PathBuf>,
    /// This profile's own, which is none of them.
    own: PathBuf,
    read: BTreeMap<PathBuf, Sibling>,
}

/// One of them, as it was last read.
#[derive(Debug)]
struct Sibling {
    profile: String,
    mark: Mark,
    told: Told,
    /// Why nothing is known of it.
    unreadable: Option<String>,
}

/// What a journal's records say.
#[derive(Debug, Default)]
struct Told {
    book: Book,
    /// The last record that was taken.
    last: Option<(u64, Hash)>,
}

/// What changes when a journal does: its files, and the head beside it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mark(Vec<(String, u64, Option<SystemTime>)>, Vec<u8>);

/// An alike order of another profile.
#[derive(Debug)]
pub struct Elsewhere<'a> {
    profile: &'a str,
    intent: &'a Intent,
    in_doubt: bool,
}

impl Siblings {
    /// Those in `roots` beside the profile whose state folder is `own`.
    pub fn beside(own: &Path, roots: Vec<PathBuf>) -> Self {
        Self { roots, own: own.to_owned(), read: BTreeMap::new() }
    }

    /// Reads what changed.
    pub fn look(&mut self, now: &Now) {
        let found = self.found();
        self.read.retain(|folder, _| found.iter().any(|(there, _)| there == folder));
        for (folder, profile) in found {
            let mark = mark(&folder);
            let sibling = self.read.entry(folder.clone()).or_insert_with(|| Sibling {
                profile,
                mark: Mark::default(),
                told: Told::default(),
                unreadable: None,
            });
            if sibling.mark != mark {
                sibling.mark = mark;
                sibling.unreadable = sibling.told.read(&folder).err();
            }
            sibling.told.settle(now);
        }
    }

    /// Profiles whose journals cannot be read, each with the reason.
    pub fn unreadable(&self) -> Vec<String> {
        let each = self.read.values();
        each.filter_map(|one| Some(format!("{} ({})", one.profile, one.unreadable.as_ref()?)))
            .collect()
    }

    /// Orders that they sent lately for an account.
    pub fn counts(&self, account: &AccountId, now: &Now) -> Counts {
        let intents = self.read.values().flat_map(|sibling| sibling.told.book.iter());
        counts_of(intents.filter(|intent| intent.account == *account), now)
    }

    /// An order of another profile that may be the same one: of several, one that is in doubt.
    pub fn alike(&self, order: &Order, window: Duration, now: &Now) -> Option<Elsewhere<'_>> {
        let found = self.read.values().filter_map(|sibling| {
            let (intent, in_doubt) = sibling.told.book.alike(order, window, now)?;
            Some(Elsewhere { profile: &sibling.profile, intent, in_doubt })
        });
        found.max_by_key(|elsewhere| elsewhere.in_doubt)
    }

    /// The same at the last look before `intent` is sent: what only waits there asks for itself when its
    /// turn comes, and what was meant to stand beside the other does.
    pub fn was_sent(&self, intent: &Intent, window: Duration, now: &Now) -> Option<Elsewhere<'_>> {
        let order = intent.order.as_ref().filter(|_| intent.is_order())?;
        self.alike(order, window, now).filter(|elsewhere| {
            let is_meant =
                intent.beside == Some(elsewhere.id()) || elsewhere.intent.beside == Some(intent.id);
            elsewhere.in_doubt || (elsewhere.intent.sent_at.is_some() && !is_meant)
        })
    }

    /// The profiles' folders that have a journal.
    fn found(&self) -> Vec<(PathBuf, String)> {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let own = real(&self.own);
        let entries = self.roots.iter().filter_map(|root| std::fs::read_dir(root).ok());
        let mut found: Vec<(PathBuf, String)> = entries
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.path(), entry.file_name().into_string().ok()?)))
            .filter(|(folder, profile)| {
                ibd_protocol::places::is_profile(profile) && folder.join(JOURNAL).is_dir()
            })
            .map(|(folder, profile)| (real(&folder), profile))
            .filter(|(folder, _)| *folder != own)
            .collect();
        found.sort();
        found.dedup_by(|one, other| one.0 == other.0);
        found
    }
}

impl Told {
    /// Takes what is new; everything, if that does not go on from what was taken.
    fn read(&mut self, folder: &Path) -> Result<(), String> {
        let read = |most| {
            ibd_journal::read(&folder.join(JOURNAL), most).map_err(|broken| broken.to_string())
        };
        if let Some((last, hash)) = self.last {
            let newest = read(NEWEST)?;
            if let Some(at) =
                newest.iter().position(|entry| (entry.seq, entry.hash) == (last, hash))
            {
                return self.take(&newest[at + 1..]);
            }
        }
        *self = Self::default();
        self.take(&read(usize::MAX)?)
    }

    fn take(&mut self, entries: &[Entry]) -> Result<(), String> {
        for entry in entries {
            let record = Record::from_bytes(&entry.payload)
                .map_err(|error| format!("record {}: {error}", entry.seq))?;
            self.book.apply(record, entry.at);
            self.last = Some((entry.seq, entry.hash));
        }
        Ok(())
    }

    /// What waits for a yes or its turn, and has waited too long, is not sent any more.
    fn settle(&mut self, now: &Now) {
        let is_stale = |intent: &&Intent| match &intent.state {
            State::Awaiting(approval) => approval.is_expired(now),
            State::Ready => now.wall.duration_since(intent.since) > WAITED,
            _ => false,
        };
        let stale: Vec<(IntentId, State)> = self
            .book
            .iter()
            .filter(is_stale)
            .filter_map(|one| Some((one.id, life::step(&one.state, Event::Expired, now.wall)?.0)))
            .collect();
        for (id, state) in stale {
            let by = "its age".to_owned();
            let state = Box::new(state);
            let expired =
                Record::Became { id, state, sent_at: None, by, through: None, boot: None };
            self.book.apply(expired, now.wall);
        }
    }
}

impl Elsewhere<'_> {
    /// Its name.
    pub fn id(&self) -> IntentId {
        self.intent.id
    }

    /// Whether `beside` says that another one is really wanted.
    pub fn is_meant(&self, beside: Option<IntentId>) -> bool {
        !self.in_doubt && beside == Some(self.id())
    }

    /// What is said of an order that may be the same one.
    pub fn denial(&self) -> Denial {
        let Self { profile, intent, in_doubt } = self;
        let (text, state) = (&intent.text, intent.state.in_words());
        if *in_doubt {
            Denial::new(
                ReasonCode::SameOrderInDoubt,
                format!(
                    "An order like this one ({text}) of the profile {profile} is {state}: whether IBKR has it is not \
                     known here."
                ),
                format!(
                    "Do not send it again. Tell the user: `ibctl orders --profile {profile}` starts that profile's \
                     daemon, which looks for it; `orders resolve` there settles {}.",
                    intent.id
                ),
            )
        } else {
            Denial::new(
                ReasonCode::PossibleDuplicate,
                format!(
                    "An order like this one ({text}) was asked for through the profile {profile}; it is {state}."
                ),
                format!(
                    "Look at it with `ibctl orders --profile {profile}`. Only if a second one is really wanted, \
                     repeat the call with allowDuplicateOf {}.",
                    intent.id
                ),
            )
        }
    }
}

impl super::State {
    /// Orders sent lately: those of this daemon, and what other profiles sent for the same account.
    pub(super) fn counts(&self, account: &AccountId, now: &Now) -> Counts {
        let (own, others) =
            (self.ledger.book.counts(now), self.controls.siblings.counts(account, now));
        Counts { minute: own.minute + others.minute, day: own.day + others.day }
    }

    /// Reads what other profiles wrote, before anything is decided by it.
    pub(super) fn look_beside(&mut self) {
        let before = self.controls.siblings.unreadable();
        self.controls.siblings.look(&Now::get());
        let unreadable = self.controls.siblings.unreadable();
        match unreadable.is_empty() {
            true if !before.is_empty() => self.board.clear(NOTE),
            false if before != unreadable => self.board.note(
                NOTE,
                format!(
                    "What other profiles sent is not counted here: their journals cannot be read: {}.",
                    unreadable.join("; ")
                ),
                "`ibctl audit verify --profile NAME` says what is wrong.",
            ),
            _ => {}
        }
    }
}

const NOTE: &str = "other_profile_unreadable";

/// Cheap, and different after each append.
fn mark(folder: &Path) -> Mark {
    let journal = std::fs::read_dir(folder.join(JOURNAL));
    let mut files: Vec<(String, u64, Option<SystemTime>)> = journal
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let data = entry.metadata().ok()?;
            Some((entry.file_name().into_string().ok()?, data.len(), data.modified().ok()))
        })
        .collect();
    files.sort();
    Mark(files, std::fs::read(folder.join("journal.head")).unwrap_or_default())
}

#[cfg(test)]
#[path = "siblings/tests.rs"]
mod tests;
