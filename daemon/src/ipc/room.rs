//! Room for connections: there are only so many, and what said nothing for longest makes room for who comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// Connections at one time; each costs buffers and a descriptor, and there is a handful of clients.
const MOST: usize = 128;
/// Descriptors for each connection: its own, and its share of the broker's, the store's and the gateway's.
const PER_CONNECTION: usize = 4;
/// Fewer descriptors than this are not enough for the broker, the store and some clients.
const FEWEST: usize = 64;
/// As many as are asked of the system.
const WANTED: u64 = 4_096;

/// What one connection is about, shared between its actor and whoever makes room.
#[derive(Debug, Clone)]
pub struct Activity(Arc<Seen>);

#[derive(Debug)]
struct Seen {
    heard: Mutex<Instant>,
    under_way: AtomicUsize,
}

impl Default for Activity {
    fn default() -> Self {
        let heard = Mutex::new(Instant::now());
        Self(Arc::new(Seen { heard, under_way: AtomicUsize::new(0) }))
    }
}

impl Activity {
    /// It said something.
    pub fn heard(&self) {
        *self.0.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// So many of its calls are under way.
    pub fn set_under_way(&self, under_way: usize) {
        self.0.under_way.store(under_way, Ordering::Relaxed);
    }

    /// Since when it has been idle. `None`: it waits for something.
    fn idle_since(&self) -> Option<Instant> {
        let is_idle = self.0.under_way.load(Ordering::Relaxed) == 0;
        is_idle.then(|| *self.0.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What becomes of one more connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room.
    Free,
    /// This one makes room: of those that wait for nothing the one that was silent for longest. Its client connects
    /// again when it has something to ask.
    InPlaceOf(usize),
    /// Everybody waits for something.
    Full,
}

/// Decides it.
pub fn room<'a>(connected: impl Iterator<Item = &'a Activity>, most: usize) -> Room {
    let (mut count, mut idlest) = (0, None);
    for (at, activity) in connected.enumerate() {
        count += 1;
        if let Some(since) = activity.idle_since()
            && idlest.is_none_or(|(_, idlest)| since < idlest)
        {
            idlest = Some((at, since));
        }
    }
    match idlest {
        _ if count < most => Room::Free,
        Some((at, _)) => Room::InPlaceOf(at),
        None => Room::Full,
    }
}

/// How many connections there may be with so many descriptors.
pub fn most(descriptors: u64) -> usize {
    let share = usize::try_from(descriptors).unwrap_or(usize::MAX) / PER_CONNECTION;
    share.clamp(1, MOST)
}

/// Asks the system for descriptors; how many there are, or why these are too few.
#[cfg(unix)]
pub fn descriptors() -> Result<u64, String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(WANTED);
    if now < FEWEST as u64 {
        Err(format!(
            "this process may open {now} files, and {FEWEST} are needed at least: raise the limit where it is started \
             (`ulimit -n 1024`, or LimitNOFILE= of the unit)"
        ))
    } else {
        Ok(now)
    }
}

/// The same where there is no such limit.
#[cfg(not(unix))]
pub fn descriptors() -> Result<u64, String> {
    Ok(WANTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn who_was_silent_for_longest_and_waits_for_nothing_makes_room() {
        let connected: Vec<Activity> = (0..3).map(|_| Activity::default()).collect();
        let decided = |most| room(connected.iter(), most);
        assert_eq!(decided(4), Room::Free);
        tokio::time::advance(Duration::from_secs(1)).await;
        connected[0].heard();
        connected[1].set_under_way(1);
        assert_eq!(decided(3), Room::InPlaceOf(2));
        tokio::time::advance(Duration::from_secs(1)).await;
        connected[2].heard();
        assert_eq!(decided(3), Room::InPlaceOf(0));
        for one in &connected {
            one.set_under_way(2);
        }
        assert_eq!(decided(3), Room::Full);
        connected[1].set_under_way(0);
        assert_eq!(decided(3), Room::InPlaceOf(1));
    }

    #[test]
    fn connections_leave_descriptors_for_the_broker() {
        assert_eq!((most(1_024), most(256), most(64)), (MOST, 64, 16));
    }
}
