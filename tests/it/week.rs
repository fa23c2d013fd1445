//! A week in the simulator, with nobody and nothing waiting: the daemon's own decisions (life, guard,
//! logins, calendar) against the simulated broker's calendar, stepped through by a virtual clock. The
//! gateway between them does what the real one does: it tickles every 30 s, and logs out when it is the
//! first to see that the brokerage session is closed.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use ib_sim::{Broker, Options, Scenario};
use ibd::session::calendar::{self, Region, Window};
use ibd::session::guard::{Asker, Guard, Outcome, Will};
use ibd::session::life::{Claim, Compete, Effect, Event, Life, Opening, Phase, Sight, Watch};
use ibd::session::login::{self, Ask, LoginPage, Situation, Start, Taken, Unasked};
use ibd::session::sight;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

const US: &str = "ibd";
const GATEWAY: &str = "ClientPortalGW/1";
const GATEWAY_TICKLE: SignedDuration = SignedDuration::from_secs(30);

/// How a person of the story logs in.
struct Plan {
    user: &'static str,
    paper: bool,
    /// Neither phone nor person is needed.
    is_alone: bool,
    login_time: Option<&'static str>,
    nights: Nights,
}

/// What the nights of a story are like; users tell of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nights {
    /// Logins end at midnight, and at the reset no brokerage session can be had for ten minutes.
    Hard,
    /// The brokerage session breaks off at the reset and can be had again at once.
    Mild,
}

/// What was counted.
#[derive(Debug, Default)]
struct Counts {
    looks: u32,
    inits: u32,
    losses: Vec<Loss>,
    /// Brokerage sessions that broke off at the reset and were opened again under the same login.
    kept_through_reset: u32,
    logins: u32,
    attempts: Vec<Timestamp>,
    busiest_minute: u32,
    ready_seconds: i64,
}

/// A login that ended, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Midnight, or what the reset an hour later left of it.
    Night,
    /// 24 hours.
    Cap,
    /// The weekend's maintenance.
    Weekend,
    /// Nothing that IBKR's hours explain.
    Other,
}

impl Loss {
    fn of(now: Timestamp, login_at: Option<Timestamp>) -> Self {
        let local = now.to_zoned(zone());
        let age = login_at.map(|at| now.duration_since(at));
        match local.hour() {
            _ if age.is_some_and(|age| age > SignedDuration::from_mins(24 * 60 - 2)) => Self::Cap,
            18..20 if local.weekday() == jiff::civil::Weekday::Saturday => Self::Weekend,
            0..2 => Self::Night,
            _ => Self::Other,
        }
    }
}

struct Story {
    plan: Plan,
    broker: Broker,
    now: Timestamp,
    life: Life,
    guard: Guard,
    due: Option<Timestamp>,
    gateway_due: Option<Timestamp>,
    login_at: Option<Timestamp>,
    /// Of which login the last brokerage session was.
    opened_for: Option<Timestamp>,
    taken: Option<Taken>,
    last_tickle: Timestamp,
    last_unasked: Option<Timestamp>,
    failures: u32,
    /// Whether anybody looks at the phone.
    is_phone_answered: bool,
    counts: Counts,
    minute: (i64, u32),
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The person's clock: New York, as the broker's.
fn zone() -> TimeZone {
    TimeZone::get("America/New_York").unwrap()
}

impl Story {
    fn begin(plan: Plan, now: Timestamp, folder: &Path) -> Self {
        let scenario = Scenario {
            calendar: true,
            midnight_reset: plan.nights == Nights::Hard,
            nightly_minutes: if plan.nights == Nights::Hard { 10 } else { 0 },
            now: Some(now),
            clock_rate: 1e-6,
            idle_seconds: 0,
            ..Scenario::default()
        };
        let options = Options { scenario, require_login: true, ..Options::default() };
        let broker = Broker::new(options).unwrap();
        let mut story = Self {
            plan,
            broker,
            now,
            life: Life::new(Compete::Ask, 0),
            guard: Guard::open(folder),
            due: None,
            gateway_due: None,
            login_at: None,
            opened_for: None,
            taken: None,
            last_tickle: Timestamp::UNIX_EPOCH,
            last_unasked: None,
            failures: 0,
            is_phone_answered: true,
            counts: Counts::default(),
            minute: (0, 0),
        };
        story.event(&Event::GatewayUp);
        story
    }

    /// Lets time pass, and everything that is due by then happen.
    fn until(&mut self, end: Timestamp) {
        while let Some(next) = [self.due, self.gateway_due].into_iter().flatten().min() {
            if next > end {
                break;
            }
            self.pass(next);
            if self.gateway_due.is_some_and(|due| due <= self.now) {
                self.gateway_tickles();
            }
            if self.due.is_some_and(|due| due <= self.now) {
                self.due = None;
                self.event(&Event::Due);
            }
        }
        self.pass(end);
    }

    fn pass(&mut self, to: Timestamp) {
        let seconds = to.duration_since(self.now).as_secs();
        if seconds > 0 {
            if self.life.phase == Phase::Ready {
                self.counts.ready_seconds += seconds;
            }
            self.control("/clock", &format!(r#"{{"advanceSeconds":{seconds}}}"#));
            self.now += SignedDuration::from_secs(seconds);
        }
    }

    fn control(&mut self, path: &str, body: &str) -> Value {
        let answer = self.broker.control("POST", path, body);
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{path}: {answer}"))
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let minute = self.now.as_second() / 60;
        self.minute =
            if self.minute.0 == minute { (minute, self.minute.1 + 1) } else { (minute, 1) };
        self.counts.busiest_minute = self.counts.busiest_minute.max(self.minute.1);
        self.broker.ask(US, method, path, body)
    }

    fn event(&mut self, event: &Event) {
        let window = calendar::window(Region::Us, self.now);
        self.life.watch = Watch {
            ready: calendar::between_looks(Region::Us, self.now, true),
            is_urgent: matches!(window, Some(Window::Night(_))),
            is_maintained: window.is_some(),
            ..Watch::default()
        };
        self.life.now = Duration::from_secs(self.now.as_second().unsigned_abs());
        let before = self.life.phase.clone();
        let effects = self.life.step(event);
        let after = self.life.phase.clone();
        if before != after {
            let explained = calendar::explains_an_end(Region::Us, self.now, self.login_at);
            match after {
                Phase::Competing => self.taken = Some(Taken { at: self.now, is_sure: true }),
                Phase::Ready => {
                    self.taken = None;
                    let is_kept = self.opened_for == self.login_at && self.login_at.is_some();
                    let is_reset = matches!(window, Some(Window::Night(_)));
                    self.counts.kept_through_reset += u32::from(is_kept && is_reset);
                    self.opened_for = self.login_at;
                }
                Phase::NeedLogin if before.has_login() => {
                    self.counts.losses.push(Loss::of(self.now, self.login_at));
                    if !explained {
                        self.taken = Some(Taken { at: self.now, is_sure: false });
                    }
                }
                _ => {}
            }
        }
        for effect in effects {
            self.perform(&effect);
        }
        self.consider();
    }

    fn perform(&mut self, effect: &Effect) {
        match effect {
            Effect::Wait(pause) => self.due = Some(self.now + whole_seconds(*pause)),
            Effect::Look => {
                let sight = self.look();
                self.event(&Event::Looked(sight));
            }
            Effect::Probe => {
                let mut sight = self.look();
                if matches!(sight, Sight::Login { authenticated: true, .. })
                    && self.ask("GET", "/v1/api/iserver/accounts", "").0 >= 500
                {
                    sight = Sight::Trouble;
                }
                self.event(&Event::Looked(sight));
            }
            Effect::Open(claim) => {
                let compete = *claim == Claim::FromOthers;
                self.counts.inits += 1;
                let body = format!(r#"{{"publish":true,"compete":{compete}}}"#);
                let (status, text) = self.ask("POST", "/v1/api/iserver/auth/ssodh/init", &body);
                let opening = match status {
                    200 if text.contains("compete flag") => Opening::Held,
                    200 => Opening::Accepted,
                    _ => Opening::Failed,
                };
                self.event(&Event::Opened(opening));
            }
            Effect::Prime => {
                let (first, _) = self.ask("GET", "/v1/api/iserver/accounts", "");
                let (second, _) = self.ask("GET", "/v1/api/portfolio/accounts", "");
                self.event(&match first.max(second) {
                    200 => Event::Primed(true),
                    500..=599 => Event::Troubled,
                    _ => Event::Primed(false),
                });
            }
            Effect::Escalate => panic!("nothing hangs here"),
        }
    }

    fn look(&mut self) -> Sight {
        self.counts.looks += 1;
        let is_tickle = self.life.phase.has_login();
        // The door lets one tickle pass in a second.
        if is_tickle && self.last_tickle == self.now {
            self.pass(self.now + SignedDuration::from_secs(1));
        }
        if is_tickle {
            self.last_tickle = self.now;
        }
        let path = if is_tickle { "/v1/api/tickle" } else { "/v1/api/iserver/auth/status" };
        let (status, text) = self.ask("GET", path, "");
        match status {
            200 if is_tickle => sight(&serde_json::from_str(&text).unwrap()),
            200 => {
                let wrapped = format!(r#"{{"session":"0","iserver":{{"authStatus":{text}}}}}"#);
                sight(&serde_json::from_str(&wrapped).unwrap())
            }
            401 => Sight::NoLogin,
            500..=599 => Sight::Trouble,
            other => panic!("{other}: {text}"),
        }
    }

    /// gateway.md: every 30 s; closed and yet connected means logout; no login means no more tickles.
    fn gateway_tickles(&mut self) {
        let (status, text) = self.broker.ask(GATEWAY, "GET", "/v1/portal/tickle", "");
        self.gateway_due = Some(self.now + GATEWAY_TICKLE);
        if status == 401 {
            self.gateway_due = None;
        } else if text.contains(r#""authenticated":false"#) && text.contains(r#""connected":true"#)
        {
            self.broker.ask(GATEWAY, "GET", "/v1/portal/logout", "");
            self.gateway_due = None;
        }
    }

    /// As the session does after everything that happens.
    fn consider(&mut self) {
        let situation = Unasked {
            now: self.now,
            zone: zone(),
            phase: &self.life.phase,
            headless: true,
            is_alone: self.plan.is_alone,
            login_time: self.plan.login_time.map(|text| text.parse().unwrap()),
            login_at: self.login_at,
            is_wanted: false,
            last: self.last_unasked,
            failures: self.failures,
            window: calendar::window(Region::Us, self.now),
            is_unwanted: self.taken.is_some(),
        };
        if let Some(renew) = login::unasked(&situation) {
            self.last_unasked = Some(self.now);
            self.login(Asker::Nobody, false, renew);
        }
    }

    fn login(&mut self, asker: Asker, forced: bool, renew: bool) {
        let situation = Situation {
            phase: &self.life.phase,
            login_page: LoginPage::Open,
            is_paper: None,
            running: None,
            last: None,
            is_news: false,
            headless: true,
            taken: self.taken,
            denied: None,
            is_direct: false,
            compete: Compete::Ask,
            guard: self.guard.may(self.plan.user, self.now, asker, Will::of(forced)),
        };
        let ask = Ask { asker, forced, paper: false, headless: true, renew, join_only: false };
        if !matches!(login::decide(&situation, ask), Start::Begin(_))
            || self.guard.begin(self.plan.user, self.now, asker, Will::of(forced)).is_err()
        {
            return;
        }
        self.counts.attempts.push(self.now);
        let outcome = if self.page() { Outcome::LoggedIn } else { Outcome::Failed };
        self.guard.settle(self.plan.user, outcome);
        self.failures = if outcome == Outcome::LoggedIn { 0 } else { self.failures + 1 };
        if outcome == Outcome::Failed {
            self.last_unasked = Some(self.now);
        }
        if outcome == Outcome::LoggedIn {
            self.counts.logins += 1;
            self.login_at = Some(self.now);
            // The gateway opens the brokerage session itself after a login, taking it from anybody.
            let init = r#"{"publish":true,"compete":true}"#;
            self.broker.ask(GATEWAY, "POST", "/v1/portal/iserver/auth/ssodh/init", init);
            self.gateway_due = Some(self.now + GATEWAY_TICKLE);
            self.event(&Event::Wanted);
        }
    }

    /// The login page, as a browser works through it.
    fn page(&mut self) -> bool {
        let kind = if self.plan.paper { 2 } else { 1 };
        self.broker.ask("Chrome", "GET", "/sso/Login?forwardTo=22", "");
        let step = |story: &mut Self, body: String| -> Value {
            let body = format!("{body}&LOGIN_TYPE={kind}&RESP_TYPE=JSON");
            let (_, text) = story.broker.ask("Chrome", "POST", "/sso/Authenticator", &body);
            serde_json::from_str(&text).unwrap_or(Value::Null)
        };
        let user = self.plan.user;
        step(self, format!("ACTION=INIT&USER={user}&SERVICE=AM.LOGIN"));
        let password = format!("ACTION=COMPLETEAUTH&USER={user}&PASSWORD=sim-password&VERSION=1");
        let mut answer = step(self, password);
        if answer["state"] == "push" {
            if self.is_phone_answered {
                drop(self.control("/approve", "{}"))
            } else {
                // The phone lies on the table until IBKR gives up.
                self.pass(self.now + SignedDuration::from_secs(181))
            }
            answer = step(self, "ACTION=PUSHSTATUS".to_owned());
        }
        let form = format!("loginType={kind}&forwardTo=22");
        answer["state"] == "complete"
            && self.broker.ask("Chrome", "POST", "/sso/Dispatcher", &form).1.contains("succeeds")
    }

    /// Attempts of the busiest 24 hours.
    fn busiest_day(&self) -> usize {
        let day = SignedDuration::from_hours(24);
        let attempts = &self.counts.attempts;
        let of_day = |from: &Timestamp| {
            attempts.iter().filter(|at| **at >= *from && at.duration_since(*from) < day).count()
        };
        attempts.iter().map(of_day).max().unwrap_or(0)
    }

    fn logins(&mut self) -> Value {
        serde_json::from_str(&self.broker.control("GET", "/logins", "")).unwrap()
    }

    fn lost(&self, why: Loss) -> usize {
        self.counts.losses.iter().filter(|loss| **loss == why).count()
    }

    /// What every week must keep.
    fn is_within_bounds(&mut self, name: &str) {
        let logins = self.logins();
        let broker_counts: Vec<String> =
            ["logins", "pushes", "inits", "tickles", "ticklesLoggedOut"]
                .iter()
                .map(|name| format!("{name} {}", logins[name]))
                .collect();
        // Past the test harness, which would swallow it: the counts are to be seen.
        let counts = &self.counts;
        let line = format!(
            "a week of {name}: {} h ready, {} logins of {} attempts ({} on the busiest day), lost at night {}, at \
             24 h {}, at the weekend {}, otherwise {}; kept through the reset {}; {} looks, {} inits, at most {} \
             requests a minute; the broker counted {}\n",
            counts.ready_seconds / 3_600,
            counts.logins,
            counts.attempts.len(),
            self.busiest_day(),
            self.lost(Loss::Night),
            self.lost(Loss::Cap),
            self.lost(Loss::Weekend),
            self.lost(Loss::Other),
            counts.kept_through_reset,
            counts.looks,
            counts.inits,
            counts.busiest_minute,
            broker_counts.join(", ")
        );
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        assert_eq!(logins["locked"], serde_json::json!([]), "{logins}");
        assert!(self.busiest_day() <= 5, "{} attempts in a day", self.busiest_day());
        // The tickle that finds the login gone is the last; the gateway may find it at the same time.
        let lost = logins["ticklesLoggedOut"].as_u64().unwrap();
        assert!(lost <= self.counts.losses.len() as u64 * 3, "{lost} tickles without a login");
        assert!(
            self.counts.busiest_minute <= 60,
            "{} requests in a minute",
            self.counts.busiest_minute
        );
        // A minute's maintenance is not answered with an init a second.
        assert!(self.counts.inits <= 200, "{} inits", self.counts.inits);
    }
}

fn whole_seconds(pause: Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(pause.as_millis().div_ceil(1000)).unwrap().max(1))
}

/// An unattended paper account: nothing but IBKR's own hours keeps it from working.
#[test]
fn a_week_of_an_unattended_paper_bot() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        user: "simpaper",
        paper: true,
        is_alone: true,
        login_time: None,
        nights: Nights::Hard,
    };
    let (monday, end) = (at("2026-11-16T12:00:00Z"), at("2026-11-23T12:00:00Z"));
    let mut story = Story::begin(plan, monday, folder.path());
    story.until(end);
    story.is_within_bounds("a paper bot");
    assert_eq!(story.life.phase, Phase::Ready, "logged in at the end");
    // All of it did happen: seven nights, one of them the weekend's, and each time it came back.
    assert!(story.lost(Loss::Night) >= 6, "{:?}", story.counts.losses);
    assert_eq!(story.lost(Loss::Weekend), 1, "{:?}", story.counts.losses);
    assert_eq!(story.lost(Loss::Other), 0, "{:?}", story.counts.losses);
    assert_eq!(story.counts.logins as usize, story.counts.losses.len() + 1);
    let hours = story.counts.ready_seconds / 3_600;
    // 168 hours less the nights' and the weekend's maintenance.
    assert!((150..167).contains(&hours), "ready for {hours} of 168 hours");
}

/// The same where nights hardly cost a login: the brokerage session is opened again before our gateway gives up, and
/// what ends logins is their 24 hours.
#[test]
fn a_week_of_logins_that_last_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        user: "simpaper",
        paper: true,
        is_alone: true,
        login_time: None,
        nights: Nights::Mild,
    };
    let (monday, end) = (at("2026-11-16T12:00:00Z"), at("2026-11-23T12:00:00Z"));
    let mut story = Story::begin(plan, monday, folder.path());
    story.until(end);
    story.is_within_bounds("logins that last a day");
    assert_eq!(story.life.phase, Phase::Ready, "logged in at the end");
    assert!(story.lost(Loss::Cap) >= 3, "{:?}", story.counts.losses);
    assert_eq!(story.lost(Loss::Weekend), 1, "{:?}", story.counts.losses);
    assert_eq!(story.lost(Loss::Other), 0, "{:?}", story.counts.losses);
    // In one night the gateway's own tickle comes first, in the very second of the reset.
    assert!(story.lost(Loss::Night) <= 1, "{:?}", story.counts.losses);
    assert!(story.counts.kept_through_reset >= 5, "{:?}", story.counts);
    let hours = story.counts.ready_seconds / 3_600;
    assert!((150..167).contains(&hours), "ready for {hours} of 168 hours");
}

/// A live account with a phone: approvals in the morning, a takeover by TWS, a push that nobody answers.
#[test]
fn a_week_of_a_person_with_a_phone() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        user: "simpush",
        paper: false,
        is_alone: false,
        login_time: Some("07:30"),
        nights: Nights::Hard,
    };
    let mut story = Story::begin(plan, at("2026-11-16T12:00:00Z"), folder.path());
    // 07:30 in New York is 12:30 UTC.
    story.until(at("2026-11-16T12:40:00Z"));
    assert_eq!(story.life.phase, Phase::Ready, "the first morning's login");
    story.until(at("2026-11-17T12:20:00Z"));
    assert_eq!(story.lost(Loss::Night), 1, "the first night's end");
    assert_eq!(story.counts.attempts.len(), 1, "the phone rings in the morning only");

    // Wednesday 14:00: the person opens TWS; nobody fights them, and nothing comes back by itself.
    story.until(at("2026-11-18T19:00:00Z"));
    assert_eq!(story.life.phase, Phase::Ready);
    assert_eq!(story.counts.attempts.len(), 3, "one each morning");
    let (attempts, inits) = (story.counts.attempts.len(), story.counts.inits);
    story.control("/session", r#"{"action":"compete","seconds":7200}"#);
    story.until(at("2026-11-18T21:30:00Z"));
    assert!(story.taken.is_some() && story.life.phase != Phase::Ready);
    assert_eq!((story.counts.attempts.len(), story.counts.inits), (attempts, inits));
    // `ibctl resume`: here a login, because the gateway has given up its own.
    match story.life.phase {
        Phase::Competing => story.event(&Event::Resume),
        _ => {
            assert_eq!(story.lost(Loss::Other), 1, "{:?}", story.counts.losses);
            story.taken = None;
            story.login(Asker::Person, false, false);
        }
    }
    story.until(at("2026-11-18T21:35:00Z"));
    assert_eq!(story.life.phase, Phase::Ready, "after the person said so");

    // Thursday and Friday: the phone is off.
    story.is_phone_answered = false;
    let pushes = story.logins()["pushes"].as_u64().unwrap();
    story.until(at("2026-11-20T12:00:00Z"));
    assert_eq!(story.life.phase, Phase::NeedLogin);
    let failed = story.guard.counts("simpush", story.now).1;
    assert!((1..=2).contains(&failed), "{failed} failed attempts, then it waits for a person");
    let unanswered = story.logins()["pushes"].as_u64().unwrap() - pushes;
    assert!((1..=2).contains(&unanswered), "{unanswered} pushes that nobody answered");
    story.is_phone_answered = true;
    story.login(Asker::Person, true, false);
    story.until(at("2026-11-20T12:10:00Z"));
    assert_eq!(story.life.phase, Phase::Ready);

    // The weekend's maintenance, and Monday morning.
    story.until(at("2026-11-23T12:45:00Z"));
    story.is_within_bounds("a person with a phone");
    assert_eq!(story.life.phase, Phase::Ready, "logged in at the end");
    assert_eq!(story.lost(Loss::Weekend), 1, "{:?}", story.counts.losses);
    assert!(story.lost(Loss::Night) >= 4, "{:?}", story.counts.losses);
    let hours: Vec<i8> =
        story.counts.attempts.iter().map(|at| at.to_zoned(zone()).hour()).collect();
    assert!(hours.iter().all(|hour| (7..22).contains(hour)), "never at night: {hours:?}");
}
