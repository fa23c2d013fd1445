//! A login as others see it. Pure.

use jiff::Timestamp;

use crate::refusal::Refusal;

/// How a login is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A person, in a browser.
    Browser,
    /// We, in a browser that nobody sees.
    Headless,
    /// Nobody: requests are signed.
    Direct,
}

impl Way {
    /// As tools and `ibctl` name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Headless => "headless",
            Self::Direct => "direct",
        }
    }
}

/// How far a login is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// The gateway is being made ready; how far that is.
    Preparing(String),
    /// A person logs in at the gateway's page.
    Person,
    /// The page is being worked through; where that is.
    Typing(String),
    /// Somebody must approve on the phone, until then.
    Approval(Timestamp),
    /// A person must give a code; what kind, and the name of the question.
    Code(String, String),
    /// The page says that it is done; the session is looked at.
    Checking,
    /// Somebody is logged in already: it is over, and nothing was typed.
    Found,
    /// It is over without a login.
    Failed(Refusal),
}

/// A login, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginView {
    /// Tells it from the one before.
    pub number: u64,
    /// In which way.
    pub way: Way,
    /// How far.
    pub stage: Stage,
    /// Whether a browser was opened at the page: not asked, asked, or the answer.
    pub page: Page,
}

/// Whether a browser was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Nobody who could has asked for the login.
    Closed,
    /// A client was asked to.
    Asked,
    /// It was.
    Open,
    /// It could not be.
    Failed,
}

impl LoginView {
    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        !matches!(self.stage, Stage::Failed(_))
    }

    /// Why it failed.
    pub fn failure(&self) -> Option<&Refusal> {
        match &self.stage {
            Stage::Failed(failure) => Some(failure),
            _ => None,
        }
    }

    /// Whether a person has to do something.
    pub fn needs_person(&self) -> bool {
        matches!(self.stage, Stage::Person | Stage::Approval(_) | Stage::Code(..))
    }
}
