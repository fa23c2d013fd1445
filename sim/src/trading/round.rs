//! A round: an order is sent, questions come back one by one, and each wants an answer.
//!
//! There is one round at a time. Another order request, time, or the end of the brokerage session gives
//! it up; what was given up is mostly gone, but sometimes goes live all the same.

use std::collections::{HashMap, VecDeque};

use super::checks::duplicate;
use super::questions::Question;
use super::script::Script;
use super::ticket::Ticket;
use super::whims::{LocalIds, Whim};
use crate::book::Origin;
use crate::http::Reply;
use crate::state::World;

/// Tickets that are placed together.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) account: String,
    pub(crate) tickets: Vec<Ticket>,
}

/// What will happen when all questions are answered.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    Place(Set),
    Modify { order: i64, ticket: Box<Ticket> },
}

/// One round.
#[derive(Debug)]
struct Round {
    /// The reply id of the question that waits.
    id: String,
    purpose: Purpose,
    questions: VecDeque<Question>,
    script: Script,
    asked_ms: i64,
    /// Which brokerage session it belongs to.
    generation: u64,
}

/// The round that is open, and all that comes with it.
#[derive(Debug, Default)]
pub(crate) struct Rounds {
    open: Option<Round>,
    /// Given up, and going live at this moment (epoch milliseconds).
    zombies: Vec<(i64, Round)>,
    /// Scripts for the next requests.
    pub(crate) scripts: VecDeque<Script>,
    /// Orders that wait for the answer to a prompt, by its request id.
    pub(crate) prompts: HashMap<String, i64>,
    /// How many zombies went live.
    pub(crate) risen: u64,
    asked: u64,
}

/// What a round leads to.
#[derive(Debug)]
pub(crate) enum Answer {
    Question {
        id: String,
        question: Question,
    },
    Placed {
        orders: Vec<i64>,
        ids: LocalIds,
    },
    /// It was carried out, and this is said.
    Told(Reply),
    /// A row that failed, behind those that did not.
    Failed {
        placed: Vec<i64>,
        status: String,
        text: String,
    },
    Prompt(i64),
    Modified(i64),
    Refused(Reply),
}

impl World {
    /// Begins a round; an open one is given up.
    pub(crate) fn begin(&mut self, purpose: Purpose, ids: Vec<String>, script: Script) -> Answer {
        self.give_up();
        let ticket = match &purpose {
            Purpose::Place(set) => set.tickets.first(),
            Purpose::Modify { ticket, .. } => Some(&**ticket),
        };
        let Some(ticket) = ticket else {
            return Answer::Refused(Reply::bad_request("orders are required"));
        };
        let questions = ids.iter().map(|id| self.word(id, ticket)).collect();
        let (asked_ms, generation) = (self.clock.now_ms(), self.session.generation);
        let id = String::new();
        let round = Round { id, purpose, questions, script, asked_ms, generation };
        if self.rules.register_pending && !round.questions.is_empty() {
            self.register(&round.purpose);
        }
        self.go_on(round)
    }

    /// Answers the question with this reply id.
    pub(crate) fn reply_to(&mut self, id: &str, confirmed: bool) -> Answer {
        self.expire_round();
        if self.rounds.zombies.iter().any(|(_, round)| round.id == id) {
            return Answer::Refused(Reply::refusal(503, "Service Unavailable"));
        }
        let Some(mut round) = self.rounds.open.take_if(|round| round.id == id) else {
            return Answer::Refused(Reply::error(400, &format!("reply id not found: '{id}'")));
        };
        if !confirmed {
            self.decline(round);
            return Answer::Refused(Reply::error(200, "Order not confirmed "));
        }
        if let Some(question) = round.questions.pop_front() {
            self.release(&question.id);
        }
        self.go_on(round)
    }

    /// The client said no, and mostly that is the end of it.
    fn decline(&mut self, round: Round) {
        let is_new = matches!(round.purpose, Purpose::Place(_));
        if is_new && (round.script.declined_rises || self.chaos.rolls_declined()) {
            self.rise_later(round);
        }
    }

    /// Confirming a question lets rise what was given up at the same one.
    fn release(&mut self, question: &str) {
        let now = self.clock.now_ms();
        for (at, round) in &mut self.rounds.zombies {
            if round.questions.front().is_some_and(|waiting| waiting.id == question) {
                *at = now;
            }
        }
    }

    /// Asks the next question, or does what the round was for.
    fn go_on(&mut self, mut round: Round) -> Answer {
        let Some(question) = round.questions.front().cloned() else { return self.finish(round) };
        self.rounds.asked += 1;
        let id = reply_id(self.seed(), self.rounds.asked);
        round.id.clone_from(&id);
        round.asked_ms = self.clock.now_ms();
        self.rounds.open = Some(round);
        Answer::Question { id, question }
    }

    fn finish(&mut self, round: Round) -> Answer {
        let Round { purpose, script, questions: _, .. } = round;
        match purpose {
            Purpose::Modify { order, ticket } => {
                let whim = self.whim_of_change();
                if whim == Whim::Ignore {
                    return Answer::Modified(order);
                }
                self.change(order, &ticket);
                self.tell_of_change(order, whim)
            }
            Purpose::Place(set) => self.place(set, &script),
        }
    }

    fn place(&mut self, mut set: Set, script: &Script) -> Answer {
        if let Some(refusal) = refusal(script) {
            return Answer::Refused(refusal);
        }
        if !self.rules.register_pending
            && let Some(taken) = self.taken(&set.tickets)
        {
            return Answer::Refused(duplicate(taken));
        }
        let Some(status) = script.row_status.clone() else {
            let placed = self.accept(&set, script, Origin::Answered);
            return match placed.first().filter(|_| script.prompt) {
                Some(order) => Answer::Prompt(*order),
                None => self.tell_of_placement(placed, script),
            };
        };
        // Of a bracket the broker takes what it can: the parent is live and the child is not.
        set.tickets.pop();
        let placed = self.accept(&set, script, Origin::Answered);
        let text = script.reject.clone().unwrap_or_else(|| "Order rejected".to_owned());
        Answer::Failed { placed, status, text }
    }

    /// The open round is over without an answer.
    pub(crate) fn give_up(&mut self) {
        self.expire_round();
        if let Some(round) = self.rounds.open.take() {
            self.bury(round);
        }
    }

    /// The open round waited too long, or its session is gone.
    fn expire_round(&mut self) {
        let (now, generation) = (self.clock.now_ms(), self.session.generation);
        let ttl = self.rules.reply_ttl_millis;
        let is_over = |r: &mut Round| now - r.asked_ms > ttl || r.generation != generation;
        if let Some(round) = self.rounds.open.take_if(is_over) {
            self.bury(round);
        }
    }

    /// What was given up is gone, unless it comes back.
    fn bury(&mut self, round: Round) {
        if round.script.zombie || self.chaos.rolls_zombie() {
            self.rise_later(round);
        }
    }

    fn rise_later(&mut self, round: Round) {
        let at = self.clock.now_ms() + self.rules.zombie_millis;
        self.rounds.zombies.push((at, round));
    }

    /// Lets happen what was due: rounds end, and the dead go live.
    pub(super) fn keep_rounds(&mut self) {
        self.expire_round();
        let now = self.clock.now_ms();
        let all = std::mem::take(&mut self.rounds.zombies);
        let (due, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| *at <= now);
        self.rounds.zombies = waiting;
        for (_, round) in due {
            self.rise(round);
        }
    }

    /// A zombie goes live, unless its client id was taken meanwhile.
    fn rise(&mut self, round: Round) {
        let Purpose::Place(set) = round.purpose else { return };
        if self.rules.register_pending || self.taken(&set.tickets).is_none() {
            self.accept(&set, &round.script, Origin::Zombie);
            self.rounds.risen += 1;
        }
    }

    /// Takes the client ids of a round before it is accepted.
    fn register(&mut self, purpose: &Purpose) {
        let Purpose::Place(set) = purpose else { return };
        let now = self.clock.now_ms();
        for id in set.tickets.iter().filter_map(|ticket| ticket.client_id.as_deref()) {
            self.book.register(id, now);
        }
    }
}

/// A refusal that was scripted, if one was.
fn refusal(script: &Script) -> Option<Reply> {
    if script.empty {
        return Some(Reply::empty(200));
    }
    if let Some(object) = &script.advanced_reject {
        return Some(Reply::json(object));
    }
    script.reject.as_deref().filter(|_| script.row_status.is_none()).map(|t| Reply::error(200, t))
}

/// Looks like the broker's: a UUID.
fn reply_id(seed: u64, number: u64) -> String {
    let mixed = (seed ^ (number << 32) ^ 0x07a1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{number:012x}",
        mixed >> 32,
        (mixed >> 16) & 0xffff,
        (mixed >> 4) & 0xfff,
        mixed & 0xfff
    )
}
