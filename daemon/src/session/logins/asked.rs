//! Somebody asks for a login: what that leads to, and how one begins.

use std::sync::Arc;

use ibd_protocol::{ErrorCode, GatewayMode, Report};
use jiff::Timestamp;
use ractor::{ActorRef, RpcReplyPort};
use tokio::sync::mpsc;

use super::current::Current;
use super::{Begun, OpenPage};
use crate::gateway::GatewayState;
use crate::refusal::{Refusal, for_person};
use crate::session::guard::{Asker, Will};
use crate::session::life::{Event, Phase};
use crate::session::login::{
    self, Ask, LoginPage, LoginView, Page, Situation, Stage, Start, Way, browser, direct, headless,
};
use crate::session::{Msg, State};

impl State {
    /// Somebody asks for a login.
    pub(in crate::session) fn login(
        &mut self,
        me: &ActorRef<Msg>,
        ask: Ask,
        page: Option<OpenPage>,
    ) -> Begun {
        self.catch_up(me);
        let is_unasked = ask.asker == Asker::Nobody;
        let has_answered = self.logins.has_answered();
        let join_only = ask.join_only || (ask.asker == Asker::Client && has_answered);
        let ask = Ask { join_only, ..ask };
        if !is_unasked && !join_only {
            self.logins.memory.change(|memory| memory.logged_out = false);
        }
        let user = self.logins.user().to_owned();
        let current = self.logins.current.as_ref();
        let situation = Situation {
            phase: &self.life.phase,
            login_page: self.login_page(),
            is_paper: self.known.facts.paper,
            running: current.filter(|current| current.view.is_running()).map(|c| c.paper),
            last: current.and_then(|current| current.view.failure()),
            is_news: current.is_some_and(Current::is_news),
            headless: self.logins.wish.headless,
            is_direct: self.gateway.mode() == GatewayMode::Direct,
            denied: matches!(self.life.phase, Phase::Denied { .. })
                .then(|| self.words_now().refusal(&self.life.phase, None)),
            taken: self.logins.memory.get().taken,
            compete: self.logins.compete,
            guard: self.logins.guard.may(&user, Timestamp::now(), ask.asker, Will::of(ask.forced)),
        };
        let start = login::decide(&situation, ask);
        tracing::info!(?ask, ?start, "a login is asked for");
        match start {
            Start::Wait => {
                self.handle.want();
                Begun::Wait
            }
            Start::Refuse(failure) => Begun::Refused(failure),
            Start::Join => {
                self.offer_page(page);
                Begun::Run(self.logins.number, false)
            }
            Start::Begin(way) => {
                self.begin(me, way, ask, page);
                Begun::Run(self.logins.number, true)
            }
        }
    }

    /// Whether there is a page to log in at.
    fn login_page(&self) -> LoginPage {
        match (&self.life.phase, &self.gateway.state) {
            (_, GatewayState::Starting) | (Phase::Stopped, GatewayState::Up) => LoginPage::Unknown,
            (Phase::Gone { .. }, _) if self.gateway.mode() == GatewayMode::Attach => {
                let words = self.words_now();
                LoginPage::Gone(Refusal::new(ErrorCode::GatewayDown, words.text, words.hint))
            }
            _ => LoginPage::Open,
        }
    }

    fn begin(&mut self, me: &ActorRef<Msg>, way: Way, ask: Ask, page: Option<OpenPage>) {
        self.logins.end();
        self.logins.number += 1;
        let number = self.logins.number;
        let (answers, from_persons) = mpsc::unbounded_channel();
        let paper = self.logins.wish.paper || ask.paper;
        self.logins.memory.change(|memory| memory.paper = paper);
        let tell: browser::Tell = {
            let me = me.clone();
            Arc::new(move |stage| {
                let _ = me.cast(Msg::Stage(number, stage));
            })
        };
        let task = match way {
            Way::Browser => {
                let limit = self.logins.wish.limit();
                tokio::spawn(browser::run(self.handle.clone(), limit, ask.renew, tell))
            }
            Way::Direct => {
                // A new token is wanted although there is one that is good.
                let signer = self.gateway.client.as_ref().and_then(|client| client.signer());
                if let Some(signer) = signer.filter(|_| ask.renew) {
                    signer.forget();
                }
                let keys = match self.life.phase {
                    Phase::Denied { .. } => direct::Keys::Anew,
                    _ => direct::Keys::AsBefore,
                };
                tokio::spawn(direct::run(self.handle.clone(), keys, tell))
            }
            Way::Headless => tokio::spawn(headless::run(headless::Run {
                gateway: self.handle.clone(),
                wish: self.logins.wish.clone(),
                profile: self.logins.places.profile.clone(),
                paper,
                guard: self.logins.guard.clone(),
                asker: ask.asker,
                will: Will::of(ask.forced),
                renews: ask.renew,
                scratch: self.logins.places.state.join("browser"),
                answers: from_persons,
                tell,
            })),
        };
        let looking = match way {
            Way::Direct => "Reading what requests to IBKR are signed with.",
            Way::Browser | Way::Headless => "Looking for the gateway.",
        };
        let stage = Stage::Preparing(looking.to_owned());
        let view = LoginView { number, way, stage, page: Page::Closed };
        let is_ready = matches!(self.life.phase, Phase::Ready | Phase::Doubtful);
        // A new token may go on with the session of the one before.
        let may_replace = ask.renew && is_ready && way != Way::Direct;
        let replaces = self.known.identity.filter(|_| may_replace);
        self.logins.current = Some(Current {
            view,
            paper,
            failed: None,
            is_told: false,
            replaces,
            answers,
            opener: page,
            task,
        });
        self.publish();
    }

    /// A person says to go on, whoever has the session.
    pub(in crate::session) fn resume(&mut self, me: &ActorRef<Msg>, reply: RpcReplyPort<Report>) {
        self.catch_up(me);
        let report = match self.life.phase {
            Phase::Competing | Phase::Refused => {
                self.event(me, &Event::Resume);
                Report { ok: true, text: "Taking the trading session.".into(), hint: String::new() }
            }
            Phase::Denied { .. } => {
                self.event(me, &Event::Resume);
                Report { ok: true, text: "Asking IBKR again.".into(), hint: String::new() }
            }
            Phase::Ready => Report {
                ok: true,
                text: "The session is here already.".into(),
                hint: String::new(),
            },
            // A gateway is brought by a login, which somebody asks for.
            _ if matches!(self.board.gateway().borrow().state, GatewayState::NotInstalled(_))
                && self.gateway.mode() != GatewayMode::Direct =>
            {
                Report {
                    ok: false,
                    text: "No gateway is installed, so there is no session to take back.".into(),
                    hint: "`ibctl login` installs it and logs in.".into(),
                }
            }
            _ => {
                self.logins.memory.change(|memory| memory.taken = None);
                let ask = Ask {
                    asker: Asker::Person,
                    forced: false,
                    paper: false,
                    headless: false,
                    renew: false,
                    join_only: false,
                };
                match self.login(me, ask, None) {
                    Begun::Refused(failure) => {
                        Report { ok: false, text: failure.message, hint: for_person(&failure.next) }
                    }
                    // Nothing can be done now but to wait; the state says for what.
                    Begun::Wait => Report { ok: true, text: String::new(), hint: String::new() },
                    Begun::Run(..) => Report {
                        ok: true,
                        text: "A new login is needed, and has begun.".into(),
                        hint: "`ibctl login` follows it.".into(),
                    },
                }
            }
        };
        let _ = reply.send(report);
    }
}
