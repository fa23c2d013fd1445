//! Who owns the attempt: what it is asked, told, and what it may answer.

use ibd_protocol::Secret;

/// The caller of an attempt.
pub trait Host: Send + Sync {
    /// Whether this may be sent now. It counts, whatever comes of it: a `true` must be on disk before
    /// it is given, a `false` ends the attempt with [`crate::Failed::Held`].
    fn may(&self, submission: Submission) -> impl Future<Output = bool> + Send;

    /// Told of each step as it begins.
    fn step(&self, step: Step);

    /// The next answer of a person; waits for ever if there is none. It is dropped and called anew
    /// many times, and must not lose an answer by that.
    fn answer(&self) -> impl Future<Output = Answer> + Send;
}

/// Something that IBKR counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// Username and password. With a phone it causes a push.
    Password,
    /// A code.
    Code,
    /// A further push.
    Push,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The browser is being started.
    Browser,
    /// The login page is being loaded.
    Page,
    /// Username and password are being typed.
    Password,
    /// A device or method is being chosen, by this text of the page.
    Device(String),
    /// IBKR asks for approval on the phone.
    Push {
        /// Further pushes so far.
        resent: u32,
    },
    /// A person must give a code.
    CodeWanted(CodeKind),
    /// What the person gave cannot be one; why not. Another is awaited.
    CodeUnusable(String),
    /// A code is being sent.
    CodeGiven,
    /// The page says that the login succeeded. That it did is for the gateway's status to say.
    Succeeded,
}

/// What kind of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeKind {
    /// Of an authenticator app, or what the page does not tell apart from one.
    Totp,
    /// Sent as a text message.
    Sms,
    /// The response of IB Key to this challenge.
    Challenge(String),
}

/// What a person may say.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The code. One given before it is asked for is kept until it is.
    Code(Secret),
    /// Send another push.
    Resend,
    /// Give up.
    Cancel,
}
