//! What the next daemon must know of alerts: a small file, replaced as a whole. It is written before anybody is told,
//! so that a daemon that dies between the two tells it when it starts again.

use std::fs;
use std::path::{Path, PathBuf};

use ibd_cpapi::rows::{self, Rows};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, AlertId};
use super::blind::{self, Blind, Shorter, Why};
use super::news::News;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// The number of the last alert.
    pub last: u64,
    /// The number of the last news.
    pub last_news: u64,
    /// The alerts, the oldest first.
    pub alerts: Vec<Alert>,
    /// The news, the oldest first.
    pub news: Vec<News>,
    /// When nothing was watched, the newest last.
    pub blinds: Vec<Blind>,
    /// Those that were too short to be kept among many.
    pub shorter: Option<Shorter>,
    /// When a daemon was last at work here.
    pub alive_at: Option<Timestamp>,
    /// Since when there was no session, while a daemon was at work.
    pub gone_since: Option<Timestamp>,
    /// Since when of that time nothing is among `blinds` yet: since a daemon began in it.
    pub dark_since: Option<Timestamp>,
    /// Why there was none since then, as far as was seen.
    pub gone_why: Option<Why>,
}

/// The same as it is read: row by row.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    last: u64,
    last_news: u64,
    #[serde(deserialize_with = "rows::field")]
    alerts: Rows<Alert>,
    #[serde(deserialize_with = "rows::field")]
    news: Rows<News>,
    #[serde(deserialize_with = "rows::field")]
    blinds: Rows<Blind>,
    shorter: Option<Shorter>,
    alive_at: Option<Timestamp>,
    gone_since: Option<Timestamp>,
    dark_since: Option<Timestamp>,
    gone_why: Option<Why>,
}

impl Memory {
    /// The number of the next alert.
    pub fn next_id(&mut self) -> AlertId {
        self.last += 1;
        AlertId(self.last)
    }

    /// Another time in which nothing was watched.
    pub fn blind(&mut self, blind: Blind) {
        blind::add(&mut self.blinds, &mut self.shorter, blind);
    }

    /// What of these times no alert has missed goes.
    pub fn sweep_blinds(&mut self) {
        let oldest = self.alerts.iter().map(|alert| alert.made_at).min();
        blind::forget(&mut self.blinds, &mut self.shorter, oldest);
    }
}

/// The memory and its file.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    /// What is remembered now.
    pub now: Memory,
    /// What could not be read, in a sentence.
    pub lost: Option<String>,
    written: Option<Vec<u8>>,
}

impl Kept {
    /// Reads the file in `folder`. One that cannot be read, in whole or in part, stays beside the new one.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("alerts.json");
        let Ok(bytes) = fs::read(&path) else {
            return Self { path, now: Memory::default(), lost: None, written: None };
        };
        let (now, lost) = match serde_json::from_slice::<Written>(&bytes) {
            Ok(written) => read(written),
            Err(error) => (Memory::default(), Some(format!("it cannot be read ({error})"))),
        };
        let lost = lost.map(|why| {
            let beside = path.with_extension("json.unreadable");
            let kept = ibd_disk::replace(&beside, &bytes);
            let place = kept.map_or_else(
                |error| format!("could not be kept ({error})"),
                |()| format!("is kept as {}", beside.display()),
            );
            format!("Of the alerts that ibd watches, {why}; the file {place}.")
        });
        Self { path, now, lost, written: Some(bytes) }
    }

    /// Writes what is remembered, if it is anything new; durable when this returns.
    pub fn write(&mut self) -> Result<(), String> {
        let bytes = serde_json::to_vec(&self.now).map_err(|error| error.to_string())?;
        if self.written.as_ref() == Some(&bytes) {
            return Ok(());
        }
        ibd_disk::replace(&self.path, &bytes).map_err(|error| ibd_disk::plainly(&error))?;
        self.written = Some(bytes);
        Ok(())
    }

    /// An alert.
    pub fn alert(&mut self, id: AlertId) -> Option<&mut Alert> {
        self.now.alerts.iter_mut().find(|alert| alert.id == id)
    }
}

fn read(written: Written) -> (Memory, Option<String>) {
    let unread = written.alerts.unread().len() + written.news.unread().len();
    let highest = written.alerts.iter().map(|alert| alert.id.0).max().unwrap_or_default();
    let newest = written.news.iter().map(|news| news.number).max().unwrap_or_default();
    let now = Memory {
        // A number is never given twice, also where some row could not be read.
        last: written.last.max(highest),
        last_news: written.last_news.max(newest),
        alerts: written.alerts.into_rows(),
        news: written.news.into_rows(),
        blinds: written.blinds.into_rows(),
        shorter: written.shorter,
        alive_at: written.alive_at,
        gone_since: written.gone_since,
        dark_since: written.dark_since,
        gone_why: written.gone_why,
    };
    (now, (unread > 0).then(|| format!("{unread} entries cannot be read")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::alerts::alert::{Draft, Watch};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn draft() -> Draft {
        Draft {
            watch: Watch::Gap { minutes: 10 },
            account: None,
            login: None,
            message: Some("look".into()),
            pause: None,
            seen: None,
            client: "harness".into(),
        }
    }

    #[test]
    fn it_outlives_the_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path());
        let id = kept.now.next_id();
        kept.now.alerts.push(Alert::new(id, draft(), at(0)));
        kept.now.news.push(News::new(1, id, "x".into(), at(1)));
        kept.now.last_news = 1;
        kept.write().unwrap();
        let mut next = Kept::open(folder.path());
        assert_eq!((&next.now, &next.lost), (&kept.now, &None));
        assert_eq!(next.now.next_id(), AlertId(2), "a number is given once");
        assert!(next.alert(id).is_some());
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_no_other_and_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(folder.path());
        for _ in 0..2 {
            let id = kept.now.next_id();
            kept.now.alerts.push(Alert::new(id, draft(), at(0)));
        }
        kept.write().unwrap();
        let path = folder.path().join("alerts.json");
        let text = fs::read_to_string(&path).unwrap().replacen("\"gap\"", "\"gone\"", 1);
        fs::write(&path, &text).unwrap();
        let next = Kept::open(folder.path());
        assert_eq!(next.now.alerts.len(), 1);
        assert!(next.lost.unwrap().contains("1 entries"));
        let beside = folder.path().join("alerts.json.unreadable");
        assert_eq!(fs::read_to_string(beside).unwrap(), text);
        fs::write(&path, "{").unwrap();
        let none = Kept::open(folder.path());
        assert!(none.now.alerts.is_empty() && none.lost.is_some());
    }
}
