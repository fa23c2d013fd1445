//! Who is told of what fired, in which way, and when it is tried again.

use ibd_protocol::Event;
use jiff::Timestamp;
use ractor::ActorRef;
use rust_decimal::Decimal;
use tokio::task::JoinHandle;

use super::alert::{Alert, AlertId, Login};
use super::decide::Verdict;
use super::handle::may_hear;
use super::news::{Configured, News, Way};
use super::{Asking, Msg, State, words};

/// An alert that fired, and what is said of it.
#[derive(Debug)]
pub(super) struct Fired {
    alert: AlertId,
    text: String,
    login: Option<Login>,
}

impl Fired {
    /// `base`: from where a move was counted until now.
    pub(super) fn of(alert: &Alert, verdict: Verdict, base: Option<Decimal>) -> Self {
        let text = words::news(alert, verdict, base);
        Self { alert: alert.id, text, login: alert.login.clone() }
    }
}

impl State {
    /// It is on the disk before anybody hears of it.
    pub(super) fn fired(&mut self, me: &ActorRef<Msg>, fired: Vec<Fired>, now: Timestamp) {
        let ways =
            Configured { desktop: self.ways.has_desktop(), webhook: self.ways.has_webhook() };
        let memory = &mut self.kept.now;
        let mut events: Vec<Event> = Vec::new();
        for one in fired {
            memory.last_news += 1;
            let news = News::new(memory.last_news, one.alert, one.text, now);
            let news = News { login: one.login, ..news.for_ways(ways) };
            events.push(news.event());
            memory.news.push(news);
        }
        self.keep();
        events.into_iter().for_each(|event| self.board.say(event));
        self.follow(me);
        self.tell_due(me);
    }

    /// Tells what is due, in the ways that are configured.
    pub(super) fn tell_due(&mut self, me: &ActorRef<Msg>) {
        let now = Timestamp::now();
        self.telling.retain(|_, task| !task.is_finished());
        let due = self.kept.now.news.iter().flat_map(|one| {
            let ways = one.due(now).into_iter();
            ways.map(move |way| ((one.number, way), one.event(), one.id()))
        });
        let due: Vec<_> = due.filter(|(key, ..)| !self.telling.contains_key(key)).collect();
        for (key, event, id) in due {
            let task = self.attempt(me, key, (event, id));
            self.telling.insert(key, task);
        }
    }

    fn attempt(
        &self,
        me: &ActorRef<Msg>,
        (number, way): (u64, Way),
        (event, id): (Event, String),
    ) -> JoinHandle<()> {
        let (ways, me) = (self.ways.clone(), me.clone());
        tokio::spawn(async move {
            let came_of_it = match way {
                Way::Desktop => ways.desktop(&event).await,
                Way::Webhook => ways.post(&event, Some(&id)).await,
            };
            let _ = me.cast(Msg::Tried(number, way, came_of_it));
        })
    }

    pub(super) fn tried(&mut self, number: u64, way: Way, came_of_it: Result<(), String>) {
        self.telling.remove(&(number, way));
        let now = Timestamp::now();
        let news = self.kept.now.news.iter_mut().find(|one| one.number == number);
        if let Some(news) = news {
            news.tried(way, came_of_it, now);
        }
        self.keep();
        let trouble = self.kept.now.news.iter().rev().find_map(News::trouble);
        match trouble {
            Some(why) => self.board.note(
                "alert_not_told",
                format!("The news of an alert could not be told to a person: {why}."),
                "Look at IB_WEBHOOK and IB_NOTIFY in config.toml; get_alerts has the news.",
            ),
            None => self.board.clear("alert_not_told"),
        }
        self.show();
    }

    /// What this client has not heard yet.
    pub(super) fn news_for(&mut self, asking: &Asking) -> Vec<String> {
        let now = Timestamp::now();
        let mut told = Vec::new();
        let mut is_changed = false;
        for news in &mut self.kept.now.news {
            let may_hear = may_hear(&asking.policy, news.login.as_ref());
            let known = news.told.len();
            if may_hear && news.tell(&asking.client, &asking.key, now) {
                told.push(news.event().text);
                is_changed |= news.told.len() != known;
            }
        }
        if is_changed {
            self.keep();
        }
        told
    }

    /// Whoever asks sees without asking whether there is anything to ask for.
    pub(super) fn show(&self) {
        let now = Timestamp::now();
        let memory = &self.kept.now;
        let has_news = memory.news.iter().any(|news| news.is_new(now));
        let is_open = memory.news.iter().any(News::is_open);
        let is_waiting = memory.alerts.iter().any(Alert::is_active);
        self.handle.show(has_news, is_open || is_waiting);
    }
}
