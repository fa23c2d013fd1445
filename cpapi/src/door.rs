//! The one door: requests wait here for their turn in the budget.
//!
//! It outlives every [`crate::Client`], because the broker counts by address and session and does not
//! care how often we reconnect.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::failure::Failure;
use crate::pace::{Ending, Limits, Pace, Verdict, Want};

tokio::task_local! {
    /// For whom a task asks: callers take turns. What asks outside of such a scope asks for the daemon itself.
    pub static CALLER: u64;
}

/// Counts for `ibctl status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Requests at the gateway.
    pub in_flight: usize,
    /// Requests waiting for their turn.
    pub queued: usize,
    /// End of the penalty.
    pub penalty_until: Option<Timestamp>,
}

/// Where it is noted when which endpoint was asked, so that a next daemon can go on counting.
pub trait Notebook: std::fmt::Debug + Send + Sync {
    /// A request begins or ends now. Must not take long.
    fn note(&self, endpoint: &'static str, at: Timestamp);
}

/// The queue in front of the budget.
#[derive(Debug)]
pub struct Door {
    notebook: Option<Box<dyn Notebook>>,
    queue: Mutex<Queue>,
    changed: Notify,
    penalty: watch::Sender<Option<Timestamp>>,
    /// Requests that make, change or confirm an order and were handed to the wire.
    orders_left: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    pace: Pace,
    waiting: VecDeque<Waiting>,
    /// The turn that is being served.
    turn: u64,
    /// The next turn of each caller that has had one later than that.
    next: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Waiting {
    want: Want,
    /// A caller's first request has the present turn, each further one the turn after its last.
    turn: u64,
    go: oneshot::Sender<Result<Pass, Failure>>,
}

/// A place in the budget; dropping it gives the place back.
#[derive(Debug)]
pub struct Pass {
    door: Arc<Door>,
    want: Want,
    ending: Ending,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            notebook: None,
            queue: Mutex::default(),
            changed: Notify::new(),
            penalty: watch::Sender::new(None),
            orders_left: AtomicU64::new(0),
        }
    }
}

impl Door {
    /// A door that notes its requests.
    pub fn with(notebook: Box<dyn Notebook>) -> Self {
        Self { notebook: Some(notebook), ..Self::default() }
    }

    /// Takes over what an earlier daemon asked last.
    pub fn resume_request(&self, endpoint: &str, at: Timestamp) {
        let age = Duration::try_from(Timestamp::now().duration_since(at)).unwrap_or_default();
        if let Some(at) = Instant::now().checked_sub(age) {
            self.lock().pace.resume_request(endpoint, at);
        }
    }

    /// From now on the way to the broker bears so much.
    pub fn limit(&self, limits: Limits) {
        self.lock().pace.limits = limits;
        self.changed.notify_waiters();
    }

    /// How much it bears.
    pub fn limits(&self) -> Limits {
        self.lock().pace.limits
    }

    fn note(&self, endpoint: &'static str) {
        if let Some(notebook) = &self.notebook {
            notebook.note(endpoint, Timestamp::now());
        }
    }

    /// How many requests that make, change or confirm an order were handed to the wire, whatever became of
    /// them. For whoever knows how many there should be.
    pub fn orders_left(&self) -> u64 {
        self.orders_left.load(Ordering::SeqCst)
    }

    pub(crate) fn order_leaves(&self) {
        self.orders_left.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits for this request's turn; dropping the future leaves the queue.
    pub async fn enter(self: &Arc<Self>, want: Want) -> Result<Pass, Failure> {
        let (go, mut turn) = oneshot::channel();
        let caller = CALLER.try_with(|caller| *caller).unwrap_or_default();
        self.lock().join(want, caller, go);
        loop {
            let changed = self.changed.notified();
            let next = self.admit();
            tokio::select! {
                biased;
                pass = &mut turn => return pass.unwrap_or(Err(Failure::Queued)),
                () = changed => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
    }

    /// From when on the endpoint's own limit lets a request go; `None`: it does already.
    pub fn opens(&self, want: &Want) -> Option<Timestamp> {
        let now = Instant::now();
        self.lock().pace.opens(now, want).map(|until| wall(now, until))
    }

    /// What is going on now.
    pub fn load(&self) -> Load {
        let mut queue = self.lock();
        let now = Instant::now();
        Load {
            in_flight: queue.pace.in_flight(),
            queued: queue.waiting.iter().filter(|w| !w.go.is_closed()).count(),
            penalty_until: queue.pace.penalty(now).map(|until| wall(now, until)),
        }
    }

    /// Tells when a penalty begins, so that it can be remembered.
    pub fn penalties(&self) -> watch::Receiver<Option<Timestamp>> {
        self.penalty.subscribe()
    }

    /// Takes over a penalty that an earlier daemon had noted; one that is over changes nothing.
    pub fn resume_penalty(&self, until: Timestamp) {
        let left = until.duration_since(Timestamp::now());
        if let Ok(left) = left.try_into() {
            self.lock().pace.resume_penalty(Instant::now() + left);
        }
    }

    /// Lets everyone go who may, in order; when to look again, if time alone will help someone.
    fn admit(self: &Arc<Self>) -> Option<Instant> {
        let mut queue = self.lock();
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        let mut still = VecDeque::with_capacity(queue.waiting.len());
        let mut unclaimed = Vec::new();
        let mut waiting: Vec<Waiting> =
            queue.waiting.drain(..).filter(|w| !w.go.is_closed()).collect();
        // By lane, then each caller's first before anybody's second, then as they came.
        waiting.sort_by_key(|one| (one.want.lane, one.turn));
        for one in waiting {
            match queue.pace.admit(now, &one.want) {
                Verdict::Go => {
                    self.note(one.want.endpoint);
                    queue.turn = queue.turn.max(one.turn);
                    let pass = Pass { door: self.clone(), want: one.want, ending: Ending::Over };
                    unclaimed.extend(one.go.send(Ok(pass)).err());
                }
                Verdict::Penalty(until) => {
                    let _ = one.go.send(Err(Failure::RateLimited(wall(now, until))));
                }
                Verdict::Until(at) => {
                    next = Some(next.map_or(at, |n| n.min(at)));
                    still.push_back(one);
                }
                Verdict::AfterAnswer => still.push_back(one),
            }
        }
        queue.waiting = still;
        drop(queue);
        // Passes of those who left meanwhile give their places back, which needs the lock.
        drop(unclaimed);
        next
    }

    fn over(&self, want: &Want, ending: Ending) {
        self.note(want.endpoint);
        let penalty = {
            let mut queue = self.lock();
            let now = Instant::now();
            queue.pace.over(now, want, ending);
            queue.pace.penalty(now).map(|until| wall(now, until))
        };
        if ending != Ending::Over {
            self.penalty.send_replace(penalty);
        }
        self.changed.notify_waiters();
    }

    /// The queue is plain data: a panic elsewhere leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Notes that the broker refused for its rate limit.
    pub fn rate_limited(mut self, asked: Option<Duration>) {
        self.ending = Ending::RateLimited(asked);
    }
}

impl Queue {
    /// Fair queueing by start times: whoever asks for much takes later and later turns, and whoever comes takes the
    /// present one.
    fn join(&mut self, want: Want, caller: u64, go: oneshot::Sender<Result<Pass, Failure>>) {
        let present = self.turn;
        self.next.retain(|_, next| *next > present);
        let next = self.next.entry(caller).or_insert(present);
        let turn = *next;
        *next += 1;
        self.waiting.push_back(Waiting { want, turn, go });
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.door.over(&self.want, self.ending);
    }
}

fn wall(now: Instant, until: Instant) -> Timestamp {
    let left = SignedDuration::try_from(until.saturating_duration_since(now)).unwrap_or_default();
    Timestamp::now().saturating_add(left).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::endpoint::Lane;
    use crate::pace::Window;

    const DATA: Want = Want { endpoint: "data", window: None, lane: Lane::Data };
    const SLOW: Want = Want { endpoint: "slow", window: Some(Window::one_in(5)), lane: Lane::Data };

    #[tokio::test(start_paused = true)]
    async fn fifty_at_once_all_get_their_turn_at_nine_a_second() {
        let door = Arc::new(Door::default());
        let start = Instant::now();
        let all = (0..50).map(|_| {
            let door = door.clone();
            tokio::spawn(async move {
                let pass = door.enter(DATA).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
                drop(pass);
            })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
        assert_eq!(door.load().in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_much_does_not_hold_up_who_asks_for_one() {
        let door = Arc::new(Door::default());
        let ask = |caller: u64, many: usize| {
            let all = (0..many).map(|_| {
                let door = door.clone();
                tokio::spawn(CALLER.scope(caller, async move {
                    let pass = door.enter(DATA).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    drop(pass);
                }))
            });
            all.collect::<Vec<_>>()
        };
        let start = Instant::now();
        let many = ask(1, 500);
        tokio::time::sleep(Duration::from_secs(3)).await;
        for caller in 2..5 {
            let asked = start.elapsed();
            for one in ask(caller, 1) {
                one.await.unwrap();
            }
            let took = start.elapsed() - asked;
            assert!(took <= Duration::from_millis(1_100), "{caller}: {took:?}");
        }
        for one in many {
            one.await.unwrap();
        }
        assert_eq!(door.load().queued, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_one_by_one_does_not_hold_up_who_asks_at_once() {
        async fn ask(door: &Arc<Door>) {
            let pass = door.enter(DATA).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(pass);
        }
        let door = Arc::new(Door::default());
        // Eight callers that never stop, each one request after the other.
        let others: Vec<_> = (10..18)
            .map(|caller| {
                let door = door.clone();
                tokio::spawn(CALLER.scope(caller, async move {
                    loop {
                        ask(&door).await;
                    }
                }))
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let start = Instant::now();
        let nine = (0..9).map(|_| {
            let door = door.clone();
            tokio::spawn(CALLER.scope(1, async move { ask(&door).await }))
        });
        for one in nine.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        // Its nine are a ninth of all that is served meanwhile.
        assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
        others.iter().for_each(tokio::task::JoinHandle::abort);
    }

    #[tokio::test(start_paused = true)]
    async fn someone_who_waits_for_an_answer_and_then_for_time_is_woken() {
        let door = Arc::new(Door::default());
        let first = door.enter(SLOW).await.unwrap();
        let second = tokio::spawn({
            let door = door.clone();
            async move { door.enter(SLOW).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let start = Instant::now();
        drop(first);
        second.await.unwrap().unwrap();
        assert!(start.elapsed() >= Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_leaves_the_queue_leaves_no_trace() {
        let door = Arc::new(Door::default());
        let held: Vec<_> = futures_util::future::join_all((0..3).map(|_| door.enter(DATA))).await;
        let gone = tokio::time::timeout(Duration::from_millis(10), door.enter(DATA)).await;
        assert!(gone.is_err());
        assert_eq!(door.load().queued, 0);
        drop(held);
        door.enter(DATA).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_penalty_is_told_and_can_be_taken_over() {
        let door = Arc::new(Door::default());
        for _ in 0..2 {
            door.enter(DATA).await.unwrap().rate_limited(Some(Duration::ZERO));
            tokio::time::sleep(Duration::from_secs(11)).await;
        }
        let until = door.penalties().borrow().unwrap();
        assert!(matches!(door.enter(DATA).await, Err(Failure::RateLimited(_))));

        let next = Arc::new(Door::default());
        next.resume_penalty(until);
        assert!(matches!(next.enter(DATA).await, Err(Failure::RateLimited(_))));
    }
}
