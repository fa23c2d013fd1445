//! Which resources are wanted, and which of them the daemon was told of. Pure.
//!
//! A resource is subscribed to once, however many want it; and again over each connection, as long as anybody does.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ibd_protocol::RequestId;

/// A resource that somebody wants to hear of.
#[derive(Debug)]
struct Want<R> {
    /// Who does, by numbers of their own.
    holders: BTreeSet<u64>,
    /// It was said over this connection.
    is_said: bool,
    /// A daemon has taken it, this one or an earlier one.
    was_taken: bool,
    /// Those who wait to be told whether it is taken.
    waiting: Vec<R>,
}

/// All of them. `R`: what somebody who waits is answered through.
#[derive(Debug)]
pub(super) struct Wants<R> {
    uris: BTreeMap<String, Want<R>>,
    /// What was said and is not answered yet.
    asked: HashMap<RequestId, String>,
}

/// What the daemon's answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled<R> {
    /// It is taken: these are told so.
    Taken(String, Vec<R>),
    /// It is taken again, and what was missed meanwhile nobody knows.
    Back(String, Vec<R>),
    /// It is not taken: these are told so, and nobody wants it any more.
    Refused(Vec<R>),
    /// It was taken before and is not now; it will be said again.
    NotNow(String),
}

impl<R> Default for Wants<R> {
    fn default() -> Self {
        Self { uris: BTreeMap::new(), asked: HashMap::new() }
    }
}

impl<R> Wants<R> {
    /// Nobody wants anything.
    pub(super) fn is_empty(&self) -> bool {
        self.uris.is_empty()
    }

    /// Whether anybody waits for an answer.
    pub(super) fn is_awaited(&self) -> bool {
        self.uris.values().any(|want| !want.waiting.is_empty())
    }

    /// One more wants this. Who needs not wait is given back.
    pub(super) fn join(&mut self, uri: String, holder: u64, reply: R) -> Option<R> {
        let want = self.uris.entry(uri).or_insert_with(|| Want {
            holders: BTreeSet::new(),
            is_said: false,
            was_taken: false,
            waiting: Vec::new(),
        });
        want.holders.insert(holder);
        if want.was_taken {
            return Some(reply);
        }
        want.waiting.push(reply);
        None
    }

    /// One less does. Whether the daemon is to be told that nobody does any more.
    #[must_use]
    pub(super) fn leave(&mut self, uri: &str, holder: u64) -> bool {
        let Some(want) = self.uris.get_mut(uri) else { return false };
        // Whoever was refused before is none of those who want it since.
        if !want.holders.remove(&holder) || !want.holders.is_empty() {
            return false;
        }
        let was_said = want.is_said;
        self.uris.remove(uri);
        self.asked.retain(|_, asked| asked != uri);
        was_said
    }

    /// What is still to be said over this connection.
    pub(super) fn unsaid(&self) -> Vec<String> {
        let unsaid = self.uris.iter().filter(|(_, want)| !want.is_said);
        unsaid.map(|(uri, _)| uri.clone()).collect()
    }

    /// It is said now.
    pub(super) fn said(&mut self, id: RequestId, uri: String) {
        if let Some(want) = self.uris.get_mut(&uri) {
            want.is_said = true;
            self.asked.insert(id, uri);
        }
    }

    /// The daemon answers. `None`: that is no answer to any of these.
    pub(super) fn answered(&mut self, id: RequestId, is_taken: bool) -> Option<Settled<R>> {
        let uri = self.asked.remove(&id)?;
        let want = self.uris.get_mut(&uri)?;
        let waiting = std::mem::take(&mut want.waiting);
        Some(match (is_taken, want.was_taken) {
            (true, true) => Settled::Back(uri, waiting),
            (true, false) => {
                want.was_taken = true;
                Settled::Taken(uri, waiting)
            }
            (false, true) => {
                want.is_said = false;
                Settled::NotNow(uri)
            }
            (false, false) => {
                self.uris.remove(&uri);
                Settled::Refused(waiting)
            }
        })
    }

    /// There is no daemon to be had: those who wait are told so, and do not want it any more.
    pub(super) fn give_up(&mut self) -> Vec<R> {
        let wants = self.uris.values_mut();
        let waiting: Vec<R> = wants.flat_map(|want| std::mem::take(&mut want.waiting)).collect();
        self.uris.retain(|_, want| want.was_taken);
        waiting
    }

    /// The connection is gone, and with it all that was said over it.
    pub(super) fn disconnected(&mut self) {
        self.asked.clear();
        self.uris.values_mut().for_each(|want| want.is_said = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "ib://orders";

    fn uri() -> String {
        URI.to_owned()
    }

    /// Wanted by one, and taken by the daemon.
    fn taken() -> Wants<&'static str> {
        let mut wants = Wants::default();
        wants.join(uri(), 1, "one");
        wants.said(7, uri());
        assert_eq!(wants.answered(7, true), Some(Settled::Taken(uri(), vec!["one"])));
        wants
    }

    #[test]
    fn a_resource_is_subscribed_to_once_however_many_want_it() {
        let mut wants = Wants::default();
        assert_eq!(wants.join(uri(), 1, "one"), None);
        assert_eq!(wants.join(uri(), 2, "two"), None);
        assert!(wants.is_awaited());
        assert_eq!(wants.unsaid(), [URI]);
        wants.said(7, uri());
        assert!(wants.unsaid().is_empty());
        assert_eq!(wants.answered(6, true), None, "an answer to something else");
        assert_eq!(wants.answered(7, true), Some(Settled::Taken(uri(), vec!["one", "two"])));
        assert_eq!(wants.join(uri(), 3, "three"), Some("three"), "it is followed already");
        assert!(!wants.leave(URI, 1) && !wants.leave(URI, 3), "somebody still wants it");
        assert!(!wants.leave(URI, 1), "it has left before");
        assert!(wants.leave(URI, 2), "the last one");
        assert!(wants.is_empty() && !wants.leave(URI, 2));
    }

    #[test]
    fn over_the_next_connection_it_is_said_again_and_is_back() {
        let mut wants = taken();
        wants.disconnected();
        assert_eq!(wants.unsaid(), [URI]);
        wants.said(8, uri());
        assert_eq!(wants.answered(8, false), Some(Settled::NotNow(uri())));
        assert_eq!(wants.unsaid(), [URI], "it will be said again");
        wants.said(9, uri());
        assert_eq!(wants.answered(9, true), Some(Settled::Back(uri(), vec![])));
        assert!(wants.give_up().is_empty() && !wants.is_empty(), "it is kept without a daemon");
        wants.disconnected();
        assert!(!wants.leave(URI, 1), "no daemon was told of it");
    }

    #[test]
    fn what_is_refused_or_cannot_be_said_is_wanted_by_nobody() {
        let mut wants = Wants::default();
        wants.join(uri(), 1, "one");
        wants.said(7, uri());
        assert_eq!(wants.answered(7, false), Some(Settled::Refused(vec!["one"])));
        assert!(wants.is_empty());
        wants.join(uri(), 2, "two");
        assert!(!wants.leave(URI, 1), "another one wants it now");
        assert_eq!(wants.give_up(), ["two"]);
        assert!(wants.is_empty());
    }

    #[test]
    fn an_answer_that_comes_when_nobody_wants_it_any_more_is_none() {
        let mut wants = Wants::default();
        wants.join(uri(), 1, "one");
        wants.said(7, uri());
        assert!(wants.leave(URI, 1), "the daemon has heard of it");
        assert_eq!(wants.answered(7, true), None);
    }
}
