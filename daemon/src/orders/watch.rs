//! What happens without being asked for: a daemon that starts, a session that comes and goes, looks at the
//! broker, and the passing of time.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::AccountId;
use jiff::{SignedDuration, Timestamp};
use ractor::ActorRef;
use tokio::time::Instant;

use super::evidence::{self, Care, Evidence};
use super::intent::IntentId;
use super::life::{self, Event, Standing};
use super::record::Record;
use super::{Msg, State};
use crate::board::Board;
use crate::session::Lease;

/// What could not be found for so long is given to a person.
const PARK: Duration = Duration::from_secs(10 * 60);
/// Complete looks before that, at least.
const LOOKS: u32 = 2;
/// Between looks while something is in doubt.
const IN_DOUBT: Duration = Duration::from_secs(6);
/// Between looks while something is parked.
const PARKED: Duration = Duration::from_secs(60);
/// Between looks while something works.
const WORKING: Duration = Duration::from_secs(15);
/// What one look may take.
const LOOK: Duration = Duration::from_secs(60);
/// What waited so long for its turn is not sent any more: prices have moved.
const STALE: Duration = Duration::from_secs(60);

/// Tells the actor when there is a session, and when there is none.
pub(super) async fn session(board: Board, me: ActorRef<Msg>) {
    let mut views = board.session().subscribe();
    views.mark_changed();
    let mut last: Option<u64> = None;
    while views.changed().await.is_ok() {
        let lease = views.borrow_and_update().lease.clone();
        let epoch = lease.as_ref().map(Lease::epoch);
        if epoch == last && last.is_some() {
            continue;
        }
        last = epoch;
        if me.cast(Msg::Session(lease)).is_err() {
            return;
        }
    }
}

impl State {
    /// What was under way when the last daemon ended may be at the broker; what was not sent is not sent
    /// any more.
    pub(super) async fn recover(&mut self) {
        let open: Vec<(IntentId, life::State)> = self
            .book
            .iter()
            .filter(|intent| !intent.state.is_over())
            .map(|intent| (intent.id, intent.state.clone()))
            .collect();
        let now = Timestamp::now();
        let mut records = vec![Record::Started { build: ibd_protocol::BUILD.to_owned() }];
        for (id, state) in open {
            if let Some((state, _)) = life::step(&state, Event::Restarted, now) {
                let by = "the daemon's start".to_owned();
                records.push(Record::Became { id, state, sent_at: None, by });
            }
        }
        if self.flag.exists() && self.book.frozen().is_none() {
            records.push(Record::Frozen { by: "a person".to_owned() });
        }
        if self.trail.is_ok()
            && let Err(why) = self.write_all(records).await
        {
            tracing::error!(why, "the journal cannot be written");
        }
        self.wants_look = self.book.iter().any(|intent| !intent.state.is_over());
        self.changed();
    }

    /// Whether something in doubt has not been looked for in this session: new orders wait for that.
    pub(super) fn is_recovering(&self) -> bool {
        let epoch = self.ready.as_ref().map(Lease::epoch);
        let is_examined = epoch.is_some() && epoch == self.examined;
        let has_doubts = self.book.iter().any(|intent| matches!(intent.state, life::State::Unknown(_)));
        has_doubts && !is_examined
    }

    pub(super) fn session_changed(&mut self, me: &ActorRef<Msg>, lease: Option<Lease>) {
        self.ready = lease;
        if self.ready.is_some() {
            self.wants_look |= self.book.iter().any(|intent| !intent.state.is_over());
            self.look(me);
            self.next_turn(me);
        }
        self.publish();
    }

    pub(super) async fn tick(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        let stale = SignedDuration::try_from(faults::scaled(STALE)).unwrap_or_default();
        let due: Vec<IntentId> = self
            .book
            .iter()
            .filter(|intent| match &intent.state {
                life::State::Awaiting(approval) => approval.is_expired(now),
                life::State::Ready => {
                    self.lane != Some(intent.id) && now.duration_since(intent.since) > stale
                }
                _ => false,
            })
            .map(|intent| intent.id)
            .collect();
        for id in due {
            self.queue.retain(|one| *one != id);
            self.step(me, id, Event::Expired, "the daemon").await;
        }
        self.watch_flag().await;
        if self.is_look_due() {
            self.wants_look = true;
        }
        self.look(me);
    }

    /// The file freezes trading even if nobody could tell us.
    async fn watch_flag(&mut self) {
        if self.book.frozen().is_none() && self.flag.exists() {
            let _ = self.write_all(vec![Record::Frozen { by: "a person".to_owned() }]).await;
            self.changed();
        }
    }

    fn is_look_due(&self) -> bool {
        let Some(pause) = self.pause() else { return false };
        self.looked_at.is_none_or(|at| at.elapsed() >= faults::scaled(pause))
    }

    /// How long until the next look; nothing if there is nothing to look for.
    fn pause(&self) -> Option<Duration> {
        let mut pause = None;
        for intent in self.book.iter() {
            let own = match &intent.state {
                life::State::Unknown(_) => IN_DOUBT,
                life::State::Working(_) => WORKING,
                life::State::Parked(_) => PARKED,
                _ => continue,
            };
            pause = Some(pause.map_or(own, |other: Duration| other.min(own)));
        }
        pause
    }

    /// Begins a look, if one is wanted and possible. Not in the middle of a round: nothing else goes to the
    /// order endpoints then.
    pub(super) fn look(&mut self, me: &ActorRef<Msg>) {
        let is_running = self.look.as_ref().is_some_and(|task| !task.is_finished());
        let is_in_round = self.lane.is_some();
        if !self.wants_look || is_running || is_in_round {
            return;
        }
        let Some(lease) = self.ready.clone() else { return };
        self.wants_look = false;
        self.looked_at = Some(Instant::now());
        let is_in_doubt = |state: &life::State| {
            matches!(state, life::State::Unknown(_) | life::State::Parked(_))
        };
        let care = match self.book.iter().any(|intent| is_in_doubt(&intent.state)) {
            true => Care::Thorough,
            false => Care::Glance,
        };
        let accounts = self.accounts_of_interest(&lease);
        let (feeds, me) = (self.feeds.clone(), me.clone());
        self.look = Some(tokio::spawn(async move {
            let deadline = Instant::now() + faults::scaled(LOOK);
            let seen = evidence::gather(&lease, &feeds, &accounts, care, deadline).await;
            let seen = match seen {
                Ok(evidence) => Some(Box::new(evidence)),
                Err(failure) => {
                    tracing::info!(%failure, "a look at the orders failed");
                    None
                }
            };
            let _ = me.cast(Msg::Seen(seen));
        }));
    }

    /// Accounts with something open; only those that this login has.
    fn accounts_of_interest(&self, lease: &Lease) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> = self
            .book
            .iter()
            .filter(|intent| !intent.state.is_over())
            .map(|intent| intent.account.clone())
            .filter(|account| lease.facts().accounts.contains(account))
            .collect();
        accounts.sort();
        accounts.dedup();
        accounts
    }

    /// What a look means for each intent.
    pub(super) async fn seen(&mut self, me: &ActorRef<Msg>, evidence: Option<Box<Evidence>>) {
        let Some(evidence) = evidence else {
            // Tried again when it is due; a session that is gone is found out by its owner.
            return;
        };
        faults::point("look.seen");
        let open: Vec<IntentId> = self
            .book
            .iter()
            .filter(|intent| !intent.state.is_over() && !intent.state.is_in_round())
            .map(|intent| intent.id)
            .collect();
        for id in open {
            self.hold_against(me, id, &evidence).await;
        }
        self.look_for_strays(me, &evidence).await;
        let is_whole = !self.book.iter().any(|intent| match &intent.state {
            life::State::Unknown(doubt) => doubt.since >= evidence.began,
            _ => false,
        });
        if evidence.is_complete && is_whole {
            self.examined = Some(evidence.epoch);
        }
        self.publish();
        self.next_turn(me);
    }

    async fn hold_against(&mut self, me: &ActorRef<Msg>, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.book.get(id) else { return };
        let event = match (evidence.about(intent), &intent.state) {
            (Some(event), _) => event,
            // What was sent after the look had begun could not be seen by it.
            (None, life::State::Unknown(doubt))
                if evidence.is_complete && doubt.since < evidence.began =>
            {
                let park = SignedDuration::try_from(faults::scaled(PARK)).unwrap_or_default();
                let is_long = Timestamp::now().duration_since(doubt.since) >= park;
                let looks = self.absences.entry(id).or_default();
                *looks += 1;
                match (*looks, is_long) {
                    (looks, true) if looks >= LOOKS => Event::Absent(looks),
                    _ => return,
                }
            }
            _ => return,
        };
        self.step(me, id, event, "a look at IBKR").await;
    }

    /// What carries our name and should not be there, or is in no journal.
    async fn look_for_strays(&mut self, me: &ActorRef<Msg>, evidence: &Evidence) {
        let found: Vec<(IntentId, Standing)> = evidence.ours().collect();
        for (id, standing) in found {
            let is_over = self.book.get(id).map(|intent| intent.state.is_over());
            match is_over {
                Some(true) => self.step(me, id, Event::Found(standing), "a look at IBKR").await,
                Some(false) => {}
                None => self.stray(id, &standing),
            }
        }
    }

    fn stray(&self, id: IntentId, standing: &Standing) {
        self.board.note(
            "unknown_order",
            format!(
                "IBKR has order {} with our name {id}, and this journal does not know it.",
                standing.order_id
            ),
            "Another machine or profile may have sent it. Look at it in TWS or Client Portal.",
        );
    }

    /// The broker has an order that was not to be placed.
    pub(super) async fn alarm(&mut self, id: IntentId, standing: &Standing) {
        if list_is_over(standing) {
            return;
        }
        let text = format!(
            "IBKR has order {} although it was taken for not placed.",
            standing.order_id
        );
        self.board.note(
            "order_came_alive",
            text.clone(),
            "Look at it now; cancel it if it is not wanted.",
        );
        let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
    }
}

fn list_is_over(standing: &Standing) -> bool {
    super::list::is_working(&standing.status) == Some(false)
}
