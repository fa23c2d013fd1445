//! Which contracts are followed, by how many, and which of them take a line. Pure.

use std::collections::BTreeMap;

use ibd_cpapi::id::Conid;

/// Contracts that may be followed at one time: some lines are kept for whoever asks.
pub const MOST_FOLLOWED: usize = 80;

/// Who follows a contract.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    all: usize,
    /// Of these, those that a session serves now.
    live: usize,
}

/// Contracts that somebody follows.
#[derive(Debug, Clone, Default)]
pub(super) struct Followers(BTreeMap<Conid, Count>);

impl Followers {
    /// One more follows a contract. `false`: as many contracts as can be are followed already.
    #[must_use]
    pub(super) fn join(&mut self, conid: Conid) -> bool {
        if self.0.len() >= MOST_FOLLOWED && !self.0.contains_key(&conid) {
            return false;
        }
        self.0.entry(conid).or_default().all += 1;
        true
    }

    /// One less does, who was not live.
    pub(super) fn leave(&mut self, conid: Conid) {
        if let Some(count) = self.0.get_mut(&conid) {
            count.all = count.all.saturating_sub(1);
            if count.all == 0 {
                self.0.remove(&conid);
            }
        }
    }

    /// One more does, whatever room there is (who holds counts its own), and takes a line at once.
    pub(super) fn hold(&mut self, conid: Conid) {
        let count = self.0.entry(conid).or_default();
        (count.all, count.live) = (count.all + 1, count.live + 1);
    }

    /// One that held it does no longer.
    pub(super) fn release(&mut self, conid: Conid) {
        self.turn(conid, false);
        self.leave(conid);
    }

    /// A session serves one of them now, or no longer.
    pub(super) fn turn(&mut self, conid: Conid, is_live: bool) {
        if let Some(count) = self.0.get_mut(&conid) {
            count.live = if is_live { count.live + 1 } else { count.live.saturating_sub(1) };
        }
    }

    /// Whether anybody follows it.
    pub(super) fn has(&self, conid: Conid) -> bool {
        self.0.contains_key(&conid)
    }

    /// Whether it takes a line.
    pub(super) fn is_live(&self, conid: Conid) -> bool {
        self.0.get(&conid).is_some_and(|count| count.live > 0)
    }

    /// Those that take one.
    pub(super) fn live(&self) -> Vec<Conid> {
        let live = self.0.iter().filter(|(_, count)| count.live > 0);
        live.map(|(conid, _)| *conid).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn conid(number: usize) -> Conid {
        (number + 1).to_string().parse().unwrap()
    }

    #[test]
    fn a_contract_takes_a_line_while_a_session_serves_any_of_those_who_follow_it() {
        let (mut followers, one) = (Followers::default(), conid(0));
        assert!(followers.join(one) && followers.join(one));
        assert!(followers.has(one) && !followers.is_live(one), "nobody is logged in");
        followers.turn(one, true);
        followers.turn(one, true);
        followers.turn(one, false);
        followers.leave(one);
        assert_eq!(followers.live(), [one], "the other one goes on");
        followers.turn(one, false);
        assert!(followers.live().is_empty());
        followers.leave(one);
        assert!(!followers.has(one));
    }

    #[test]
    fn some_lines_are_kept_for_whoever_asks() {
        let mut followers = Followers::default();
        assert!((0..MOST_FOLLOWED).all(|number| followers.join(conid(number))));
        assert!(!followers.join(conid(MOST_FOLLOWED)));
        assert!(followers.join(conid(3)), "another one of the same costs nothing");
        followers.leave(conid(7));
        assert!(followers.join(conid(MOST_FOLLOWED)));
        // What is held finds room, and counts for those who come after it.
        followers.leave(conid(8));
        followers.hold(conid(200));
        assert!(followers.is_live(conid(200)) && !followers.join(conid(201)));
        followers.release(conid(200));
        assert!(followers.join(conid(201)));
    }
}
