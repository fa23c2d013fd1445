//! News of alerts, and who has heard them. Pure: what is told to whom and when next, and that nobody hears it twice.

use std::collections::BTreeMap;
use std::time::Duration;

use ibd_cpapi::faults::scaled;
use ibd_protocol::{Event, Level};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::alert::{AlertId, Login};
use super::words;
use crate::notify::ALERT;

/// Pauses before it is tried again; the last one from then on.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// What nobody could be told in this time is not tried any more.
const TRIED: SignedDuration = SignedDuration::from_hours(24);
/// News older than this is none: a client that connects later is not told.
const NEW: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Of more news than this the oldest goes.
const MOST: usize = 200;

/// A way to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A notification on the desktop.
    Desktop,
    /// The webhook.
    Webhook,
}

/// How far one way has come with one piece of news.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ear {
    /// It was not configured.
    #[default]
    None,
    /// It is to be told.
    Due {
        /// How often it was tried.
        tries: u32,
        /// When it is tried next.
        at: Timestamp,
        /// Why it was not told yet.
        why: Option<String>,
    },
    /// It was told.
    Told,
    /// It was tried for a day, in vain.
    GivenUp {
        /// Why it could not be told.
        why: String,
    },
}

/// Whether a way is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Configured {
    /// The desktop is told.
    pub desktop: bool,
    /// A webhook is told.
    pub webhook: bool,
}

/// An alert fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// Its number.
    pub number: u64,
    /// Which alert.
    pub alert: AlertId,
    /// When it fired.
    pub at: Timestamp,
    /// In words.
    pub text: String,
    /// Under which login the alert was made; who may not be served under that does not hear of it.
    pub login: Option<Login>,
    /// The desktop.
    #[serde(default)]
    pub desktop: Ear,
    /// The webhook.
    #[serde(default)]
    pub webhook: Ear,
    /// Clients that an answer has told, and in which call: one that is sent again is answered as before.
    #[serde(default)]
    pub told: BTreeMap<String, String>,
}

impl News {
    /// Of something that happened just now.
    pub fn new(number: u64, alert: AlertId, text: String, at: Timestamp) -> Self {
        Self {
            number,
            alert,
            at,
            text,
            login: None,
            desktop: Ear::None,
            webhook: Ear::None,
            told: BTreeMap::new(),
        }
    }

    /// The same, to be told in these ways.
    pub fn for_ways(mut self, ways: Configured) -> Self {
        let due = |is_there: bool| match is_there {
            true => Ear::Due { tries: 0, at: self.at, why: None },
            false => Ear::None,
        };
        (self.desktop, self.webhook) = (due(ways.desktop), due(ways.webhook));
        self
    }

    /// As clients, the desktop and the webhook are told it.
    pub fn event(&self) -> Event {
        Event {
            level: Level::Warning,
            code: ALERT.to_owned(),
            text: format!("{} ({})", self.text, words::moment(self.at)),
            hint: String::new(),
        }
    }

    /// The same each time that it is told: whoever hears it twice can tell.
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.alert, self.number, words::moment(self.at))
    }

    /// The ways that are to be tried now.
    pub fn due(&self, now: Timestamp) -> Vec<Way> {
        let is_due = |ear: &Ear| matches!(ear, Ear::Due { at, .. } if *at <= now);
        let ways = [(Way::Desktop, &self.desktop), (Way::Webhook, &self.webhook)];
        ways.into_iter().filter(|(_, ear)| is_due(ear)).map(|(way, _)| way).collect()
    }

    /// Whether somebody is still to be told.
    pub fn is_open(&self) -> bool {
        [&self.desktop, &self.webhook].into_iter().any(|ear| matches!(ear, Ear::Due { .. }))
    }

    /// What came of an attempt.
    pub fn tried(&mut self, way: Way, came_of_it: Result<(), String>, now: Timestamp) {
        let fired = self.at;
        let ear = match way {
            Way::Desktop => &mut self.desktop,
            Way::Webhook => &mut self.webhook,
        };
        let Ear::Due { tries, .. } = ear else { return };
        let tries = tries.saturating_add(1);
        *ear = match came_of_it {
            Ok(()) => Ear::Told,
            Err(why) if now.duration_since(fired) >= TRIED => Ear::GivenUp { why },
            Err(why) => Ear::Due { tries, at: after(tries, now), why: Some(why) },
        };
    }

    /// Why somebody has not heard it, if it was tried.
    pub fn trouble(&self) -> Option<String> {
        [&self.desktop, &self.webhook].into_iter().find_map(|ear| match ear {
            Ear::Due { tries, at, why: Some(why) } => {
                Some(format!("{why}, {tries} times; next try {}", words::moment(*at)))
            }
            Ear::GivenUp { why } => Some(format!("{why}, for a day; given up")),
            Ear::None | Ear::Told | Ear::Due { .. } => None,
        })
    }

    /// Whether a client is to be told in the answer to this call; afterwards it was. A call that is sent again, because
    /// its answer was lost, is told again.
    pub fn tell(&mut self, client: &str, key: &str, now: Timestamp) -> bool {
        if !self.is_new(now) {
            return false;
        }
        match self.told.get(client) {
            Some(known) => known == key,
            None => {
                self.told.insert(client.to_owned(), key.to_owned());
                true
            }
        }
    }

    /// Whether it is worth telling somebody who comes now.
    pub fn is_new(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < NEW
    }
}

/// What is kept of news: what is new, or open, and not too much.
pub fn sweep(news: &mut Vec<News>, now: Timestamp) {
    news.retain(|one| one.is_new(now) || one.is_open());
    let many = news.len().saturating_sub(MOST);
    drop(news.drain(..many));
}

fn after(tries: u32, now: Timestamp) -> Timestamp {
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = scaled(PAUSES[at.min(PAUSES.len() - 1)]);
    let pause = SignedDuration::try_from(pause).unwrap_or_default();
    now.saturating_add(pause).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn news() -> News {
        let ways = Configured { desktop: false, webhook: true };
        News::new(3, AlertId(7), "Alert ibd-7: x.".into(), at(0)).for_ways(ways)
    }

    #[test]
    fn a_way_that_fails_is_tried_again_later_and_later_and_then_no_more() {
        let mut one = news();
        assert_eq!(one.due(at(0)), [Way::Webhook]);
        one.tried(Way::Webhook, Err("it answered 503".into()), at(0));
        assert_eq!((one.due(at(1)), one.due(at(2))), (vec![], vec![Way::Webhook]));
        assert!(one.trouble().unwrap().contains("it answered 503, 1 times"));
        one.tried(Way::Webhook, Err("it answered 503".into()), at(2));
        assert_eq!(one.due(at(11)), []);
        assert_eq!(one.due(at(12)), [Way::Webhook]);
        assert!(one.is_open());
        let mut given_up = one.clone();
        given_up.tried(Way::Webhook, Err("gone".into()), at(86_400));
        assert_eq!(given_up.webhook, Ear::GivenUp { why: "gone".into() });
        assert!(given_up.due(at(1_000_000)).is_empty() && given_up.trouble().is_some());
        one.tried(Way::Webhook, Ok(()), at(12));
        assert!(!one.is_open() && one.due(at(1_000_000)).is_empty() && one.trouble().is_none());
        one.tried(Way::Webhook, Err("late".into()), at(13));
        assert_eq!(one.webhook, Ear::Told, "what was told is told");
    }

    #[test]
    fn each_client_hears_it_once_and_again_only_in_the_same_call() {
        let mut one = news();
        for (client, key, seconds, expected) in [
            ("codex", "a", 1, true),
            ("codex", "a", 2, true),
            ("codex", "b", 3, false),
            ("cursor", "c", 4, true),
            ("late", "d", 8 * 86_400, false),
        ] {
            assert_eq!(one.tell(client, key, at(seconds)), expected, "{client} {key}");
        }
    }

    #[test]
    fn news_goes_when_it_is_old_and_nobody_waits_for_it() {
        let (mut told, open) = (news(), news());
        told.webhook = Ear::Told;
        let mut all = vec![told.clone(), open.clone()];
        sweep(&mut all, at(60));
        assert_eq!(all.len(), 2);
        sweep(&mut all, at(8 * 86_400));
        assert_eq!(all, [open]);
        let mut many = vec![told; MOST + 3];
        sweep(&mut many, at(60));
        assert_eq!(many.len(), MOST);
    }

    #[test]
    fn what_is_told_says_when_and_is_known_again() {
        let one = news();
        assert!(one.event().text.ends_with("x. (2026-09-21T14:13:20Z)"), "{}", one.event().text);
        assert_eq!(one.id(), "ibd-7/3/2026-09-21T14:13:20Z");
    }
}
