//! One visit to the login page, step by step. No sockets and no clock here: the moment is given.
//!
//! ```text
//! Fresh ──password──▶ Done                                     (no second factor)
//!    ▲      ├───────▶ Choosing ──choose──▶ Pushed | Code
//!    │      ├───────▶ Pushed ──approve──▶ Done
//!    │      │            └──deny, time──▶ Failed
//!    │      └───────▶ Code | Challenge ──right──▶ Done          (wrong: once more)
//!    └── the password again, from anywhere
//! ```

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::answer::{
    Answer, Credentials, FAILED, LIVE_AS_PAPER, LOCKED, METHODS, Moment, PAPER_AS_LIVE, WRONG,
};
use super::ledger::{Ledger, Stage, Verdict, Who};
use super::totp;
use super::users::{self, PASSWORD, Second, TOTP_SECRET, User};

/// How far a visit has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Choosing,
    /// Waits for the phone until then.
    Pushed(i64),
    Code,
    Challenge(String),
    Failed,
    Done,
}

/// One visit past the password.
#[derive(Debug)]
struct Visit {
    user: &'static User,
    step: Step,
}

impl Visit {
    fn who(&self) -> Who {
        Who { name: self.user.name.to_owned(), paper: self.user.is_paper }
    }
}

/// All visits, by the cookie that tells them apart, and the account of them.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    visits: HashMap<String, Visit>,
    /// Windows whose code was accepted: a code works once.
    used: HashSet<(&'static str, i64)>,
    challenges: u32,
    pub(crate) ledger: Ledger,
}

impl Logins {
    /// The first form is sent.
    pub(crate) fn password(&mut self, id: &str, typed: &Credentials, at: Moment) -> Answer {
        self.visits.remove(id);
        let user = users::find(&typed.user);
        let name = user.map_or(typed.user.trim(), |user| user.name).to_owned();
        let verdict = self.check(user, &name, typed);
        let who = Who { name, paper: typed.paper };
        self.ledger.note(&who, (Stage::Password, verdict), (at.now, at.lock_after));
        match (verdict, user) {
            (Verdict::Ok, Some(user)) => self.after_password(id, user, at),
            (Verdict::Locked, _) => Answer::Failed(LOCKED),
            (Verdict::WrongMode, _) if typed.paper => Answer::Failed(LIVE_AS_PAPER),
            (Verdict::WrongMode, _) => Answer::Failed(PAPER_AS_LIVE),
            _ => Answer::Failed(WRONG),
        }
    }

    fn check(&self, user: Option<&User>, name: &str, typed: &Credentials) -> Verdict {
        if self.ledger.is_locked(name) || user.is_some_and(|user| user.is_locked) {
            return Verdict::Locked;
        }
        match user {
            Some(user) if typed.password == PASSWORD && user.is_paper == typed.paper => Verdict::Ok,
            Some(_) if typed.password == PASSWORD => Verdict::WrongMode,
            _ => Verdict::Wrong,
        }
    }

    fn after_password(&mut self, id: &str, user: &'static User, at: Moment) -> Answer {
        let step = match user.second {
            Second::Nothing => Step::Done,
            Second::Push => self.push(user, at),
            Second::Totp => Step::Code,
            Second::Challenge => Step::Challenge(self.next_challenge()),
            Second::Choice => Step::Choosing,
        };
        self.enter(id, user, step)
    }

    /// The visit has come to this step; what the page is told about it.
    fn enter(&mut self, id: &str, user: &'static User, step: Step) -> Answer {
        if step == Step::Done {
            self.ledger.forgive(user.name);
        }
        let visit = Visit { user, step };
        let answer = visit.answer();
        self.visits.insert(id.to_owned(), visit);
        answer
    }

    /// Sends a push. The phone shows one at a time, so an earlier one is gone.
    fn push(&mut self, user: &'static User, at: Moment) -> Step {
        self.end_pushes(user.name, Verdict::Superseded, at);
        self.ledger.pushes += 1;
        Step::Pushed(at.now + at.push_ms)
    }

    fn next_challenge(&mut self) -> String {
        self.challenges += 1;
        // Any six digits will do, as long as they differ from the last ones.
        format!("{:06}", (482_913 + u64::from(self.challenges) * 104_729) % 1_000_000)
    }

    /// A method is chosen from the drop-down.
    pub(crate) fn choose(&mut self, id: &str, method: &str, at: Moment) -> Answer {
        let Some(visit) = self.visits.get(id).filter(|v| v.step == Step::Choosing) else {
            return Answer::Failed(FAILED);
        };
        let user = visit.user;
        let step = match METHODS.iter().position(|known| *known == method) {
            Some(0) => self.push(user, at),
            Some(_) => Step::Code,
            None => return Answer::Again(FAILED),
        };
        self.enter(id, user, step)
    }

    /// A code or a response is sent.
    pub(crate) fn code(&mut self, id: &str, typed: &str, at: Moment) -> Answer {
        let Some(visit) = self.visits.get(id) else { return Answer::Failed(FAILED) };
        let (user, who) = (visit.user, visit.who());
        let attempt = match &visit.step {
            Step::Challenge(number) => (Stage::Challenge, check_response(number, typed)),
            Step::Code => (Stage::Totp, self.check_code(user, typed, at)),
            _ => return Answer::Failed(FAILED),
        };
        self.ledger.codes += 1;
        self.ledger.note(&who, attempt, (at.now, at.lock_after));
        if attempt.1 == Verdict::Ok {
            return self.enter(id, user, Step::Done);
        }
        if self.ledger.is_locked(user.name) {
            self.visits.remove(id);
            return Answer::Failed(LOCKED);
        }
        Answer::Again(FAILED)
    }

    /// Checks a code, and remembers one that was right.
    fn check_code(&mut self, user: &'static User, typed: &str, at: Moment) -> Verdict {
        match totp::window_of(TOTP_SECRET, typed.trim(), at.epoch_s) {
            None => Verdict::Wrong,
            Some(window) if self.used.insert((user.name, window)) => Verdict::Ok,
            Some(_) => Verdict::Replayed,
        }
    }

    /// The link below the push notice.
    pub(crate) fn resend(&mut self, id: &str, at: Moment) -> Answer {
        self.settle(at);
        let Some(visit) = self.visits.get_mut(id) else { return Answer::Failed(FAILED) };
        if matches!(visit.step, Step::Pushed(_)) {
            visit.step = Step::Pushed(at.now + at.push_ms);
            self.ledger.pushes += 1;
            self.ledger.resends += 1;
        }
        visit.answer()
    }

    /// How the visit stands; the page asks while it waits for the phone.
    pub(crate) fn look(&mut self, id: &str, at: Moment) -> Answer {
        self.settle(at);
        self.visits.get(id).map_or(Answer::Failed(FAILED), Visit::answer)
    }

    /// Pushes that nobody answered in time are over.
    pub(crate) fn settle(&mut self, at: Moment) {
        for visit in self.visits.values_mut() {
            if matches!(visit.step, Step::Pushed(until) if at.now >= until) {
                visit.step = Step::Failed;
                let expired = (Stage::Push, Verdict::Expired);
                self.ledger.note(&visit.who(), expired, (at.now, at.lock_after));
            }
        }
    }

    /// The person with the phone decides; how many visits that ended.
    pub(crate) fn decide(&mut self, name: &str, yes: bool, at: Moment) -> usize {
        self.settle(at);
        self.end_pushes(name, if yes { Verdict::Ok } else { Verdict::Denied }, at)
    }

    fn end_pushes(&mut self, name: &str, verdict: Verdict, at: Moment) -> usize {
        let waits = |v: &&mut Visit| v.user.name == name && matches!(v.step, Step::Pushed(_));
        let mut ended = 0;
        for visit in self.visits.values_mut().filter(waits) {
            let is_ok = verdict == Verdict::Ok;
            visit.step = if is_ok { Step::Done } else { Step::Failed };
            self.ledger.note(&visit.who(), (Stage::Push, verdict), (at.now, at.lock_after));
            ended += 1;
        }
        if verdict == Verdict::Ok && ended > 0 {
            self.ledger.forgive(name);
        }
        ended
    }

    /// Who completed this visit; a visit logs in once.
    pub(crate) fn take_done(&mut self, id: &str) -> Option<&'static User> {
        let user = self.visits.get(id).filter(|v| v.step == Step::Done)?.user;
        self.visits.remove(id);
        Some(user)
    }

    /// The account and what is waiting for a person, for the control API.
    pub(crate) fn report(&self) -> Value {
        let mut report = self.ledger.report();
        let waiting = self.visits.values().filter_map(Visit::waits_for);
        report["waiting"] = waiting.collect();
        report
    }
}

impl Visit {
    fn answer(&self) -> Answer {
        match &self.step {
            Step::Choosing => Answer::Choose,
            Step::Pushed(_) => Answer::Push,
            Step::Code => Answer::Code,
            Step::Challenge(number) => Answer::Challenge(number.clone()),
            Step::Failed => Answer::Failed(FAILED),
            Step::Done => Answer::Complete(self.user.sees_promo),
        }
    }

    fn waits_for(&self) -> Option<Value> {
        let user = self.user.name;
        match &self.step {
            Step::Pushed(until) => Some(json!({ "user": user, "stage": "push", "untilMs": until })),
            Step::Code => Some(json!({ "user": user, "stage": "totp" })),
            Step::Challenge(number) => Some(json!({
                "user": user, "stage": "challenge", "challenge": number, "response": response(number),
            })),
            _ => None,
        }
    }
}

/// The right response to a challenge: its digits backwards.
fn response(challenge: &str) -> String {
    challenge.chars().rev().collect()
}

fn check_response(challenge: &str, typed: &str) -> Verdict {
    if typed.trim() == response(challenge) { Verdict::Ok } else { Verdict::Wrong }
}
