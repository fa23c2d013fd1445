//! What an attempt remembers between two looks.

use std::time::Duration;

use crate::decide::Move;
use crate::failed::Stage;
use crate::sight::Sight;

/// What was done so far. Times are since the attempt began.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Where it is.
    pub(crate) stage: Stage,
    /// Further pushes.
    pub(crate) resent: u32,
    /// When the stage began.
    pub(crate) since: Duration,
    /// When the page last asked for what is being waited for.
    pub(crate) asked: Duration,
    /// When the form was first complete.
    pub(crate) form: Option<Duration>,
    /// Where the switch stands, and since when.
    pub(crate) switch: Option<(bool, Duration)>,
    /// Clicks on the switch.
    pub(crate) clicks: u32,
    /// The last of them.
    pub(crate) clicked: Duration,
    /// Username and password are in their fields.
    pub(crate) is_typed: bool,
    /// A method was chosen.
    pub(crate) has_chosen: bool,
    /// Advertisements skipped.
    pub(crate) promos: u32,
    /// Codes sent.
    pub(crate) codes: u32,
    /// Error at the time of the last submission, as long as it stays.
    pub(crate) error: Option<String>,
}

impl Memory {
    /// At the beginning of the page.
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            stage: Stage::Page,
            resent: 0,
            since: now,
            asked: now,
            form: None,
            switch: None,
            clicks: 0,
            clicked: Duration::ZERO,
            is_typed: false,
            has_chosen: false,
            promos: 0,
            codes: 0,
            error: None,
        }
    }

    /// Notes since when things are as they are.
    pub(crate) fn saw(&mut self, sight: &Sight, now: Duration) {
        if self.form.is_none() && sight.has_form() {
            self.form = Some(now);
            self.enter(Stage::Form, now);
        }
        if self.switch.map(|(paper, _)| paper) != sight.paper {
            self.switch = sight.paper.map(|paper| (paper, now));
        }
        if sight.error.is_none() {
            self.error = None;
        }
        match self.stage {
            Stage::Push if sight.notice.is_some() => self.asked = now,
            Stage::CodeWanted if sight.code => self.asked = now,
            _ => {}
        }
    }

    /// Notes that a move was made.
    pub(crate) fn did(&mut self, done: &Move, sight: &Sight, now: Duration) {
        match done {
            Move::Switch => {
                self.clicks += 1;
                self.clicked = now;
            }
            Move::Type => self.is_typed = true,
            Move::Submit => self.sent(Stage::Password, sight, now),
            Move::Device(_) => {
                self.has_chosen = true;
                self.enter(Stage::Password, now);
            }
            Move::SkipPromo => {
                self.promos += 1;
                self.enter(Stage::Password, now);
            }
            Move::Push => self.enter(Stage::Push, now),
            Move::Code(_) => {
                self.codes += 1;
                self.sent(Stage::Code, sight, now);
            }
            Move::Wait | Move::Done | Move::Fail(_) => {}
        }
    }

    /// A code is being waited for.
    pub(crate) fn wants_code(&mut self, now: Duration) {
        if self.stage != Stage::CodeWanted {
            self.enter(Stage::CodeWanted, now);
        }
    }

    /// Another push was sent.
    pub(crate) fn resent(&mut self, now: Duration) {
        self.resent += 1;
        self.enter(Stage::Push, now);
    }

    fn sent(&mut self, stage: Stage, sight: &Sight, now: Duration) {
        self.error = sight.error.clone();
        self.enter(stage, now);
    }

    fn enter(&mut self, stage: Stage, now: Duration) {
        self.stage = stage;
        self.since = now;
        self.asked = now;
    }
}
