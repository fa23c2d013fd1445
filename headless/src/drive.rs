//! Looks, and makes the moves. It decides nothing; see `decide`.

use std::time::Duration;

use ibd_protocol::Secret;
use tokio::time::Instant;

use crate::codes::{self, Authenticator};
use crate::decide::{Goal, Move, foreign, next};
use crate::failed::{Failed, Missing, Stage};
use crate::host::{Answer, CodeKind, Host, Step, Submission};
use crate::memory::Memory;
use crate::page::{Page, Place};
use crate::sight::Sight;

/// Between looks at the page.
const LOOK: Duration = Duration::from_millis(200);
/// A page that cannot be read for so long is not one that is just changing.
const BLIND: Duration = Duration::from_secs(30);
/// A code that was given before it was asked for is worth so much of its time.
const FRESH: Duration = Duration::from_secs(60);

/// Makes the moves.
pub(crate) struct Driver<'a, P, H> {
    pub(crate) page: &'a P,
    pub(crate) host: &'a H,
    pub(crate) password: &'a Secret,
    pub(crate) goal: &'a Goal,
    pub(crate) memory: &'a mut Memory,
    pub(crate) authenticator: Option<Authenticator>,
    /// What a person gave and nobody has used yet.
    pub(crate) given: Option<(Secret, Instant)>,
    /// What a person is being asked for.
    pub(crate) asked: Option<CodeKind>,
    pub(crate) began: Instant,
    /// Seconds since 1970.
    pub(crate) unix: fn() -> u64,
}

impl<P: Page, H: Host> Driver<'_, P, H> {
    /// Until the end of the attempt.
    pub(crate) async fn drive(&mut self) -> Result<(), Failed> {
        let mut seen = Instant::now();
        loop {
            if let Some(sight) = self.page.look().await? {
                seen = Instant::now();
                let now = self.began.elapsed();
                self.memory.saw(&sight, now);
                let todo = next(&sight, self.memory, self.goal, now);
                if todo == Move::Done {
                    self.host.step(Step::Succeeded);
                    return Ok(());
                }
                self.make(todo, &sight).await?;
            } else if seen.elapsed() > BLIND {
                return Err(Failed::BrowserFailed("the page cannot be read".into()));
            }
            self.rest().await?;
        }
    }

    async fn make(&mut self, todo: Move, sight: &Sight) -> Result<(), Failed> {
        match &todo {
            Move::Wait | Move::Done => return Ok(()),
            Move::Fail(failed) => return Err(failed.clone()),
            Move::Switch => {
                self.page.click(Place::Switch).await?;
            }
            Move::Type => self.type_password().await?,
            Move::Submit => self.submit().await?,
            Move::Device(index) => {
                let text = sight.devices.get(*index).map(String::as_str).unwrap_or_default();
                self.host.step(Step::Device(crate::words::short(text)));
                self.page.choose(*index).await?;
            }
            Move::SkipPromo => {
                self.page.click(Place::Promo).await?;
            }
            Move::Push => self.host.step(Step::Push { resent: self.memory.resent }),
            Move::Code(kind) => {
                let Some(code) = self.code(kind) else {
                    self.memory.wants_code(self.began.elapsed());
                    return Ok(());
                };
                self.give(&code).await?;
            }
        }
        self.memory.did(&todo, sight, self.began.elapsed());
        Ok(())
    }

    async fn type_password(&mut self) -> Result<(), Failed> {
        self.permit(Submission::Password).await?;
        self.host.step(Step::Password);
        self.is_ours().await?;
        self.page.fill(Place::Username, &Secret::new(&self.goal.username)).await?;
        self.is_ours().await?;
        self.page.fill(Place::Password, self.password).await
    }

    async fn submit(&self) -> Result<(), Failed> {
        if self.page.click(Place::LoginSubmit).await? {
            Ok(())
        } else {
            Err(Failed::PageUnknown(Missing::LoginSubmit))
        }
    }

    /// The code to give now, if there is one.
    fn code(&mut self, kind: &CodeKind) -> Option<Secret> {
        if let (CodeKind::Totp, Some(authenticator)) = (kind, &self.authenticator) {
            return authenticator.code((self.unix)());
        }
        let given = self.given.take().filter(|(_, since)| since.elapsed() < FRESH);
        let is_asked = self.asked.as_ref() == Some(kind);
        let given = match (given, kind) {
            // Given before its challenge was shown, it is the response to another one.
            (Some(_), CodeKind::Challenge(_)) if !is_asked => None,
            (given, _) => given,
        };
        let Some((given, _)) = given else {
            if !is_asked {
                self.asked = Some(kind.clone());
                self.host.step(Step::CodeWanted(kind.clone()));
            }
            return None;
        };
        match codes::typed(&given, kind) {
            Ok(code) => Some(code),
            Err(why) => {
                self.asked = Some(kind.clone());
                self.host.step(Step::CodeUnusable(why.to_owned()));
                None
            }
        }
    }

    async fn give(&mut self, code: &Secret) -> Result<(), Failed> {
        // Before the wait for permission: the code may belong to an earlier window after it.
        if let Some(authenticator) = &mut self.authenticator {
            authenticator.spend((self.unix)());
        }
        self.permit(Submission::Code).await?;
        self.host.step(Step::CodeGiven);
        self.asked = None;
        self.is_ours().await?;
        self.page.fill(Place::TotpInput, code).await?;
        self.is_ours().await?;
        if !self.page.click(Place::TotpSubmit).await? {
            self.page.enter().await?;
        }
        Ok(())
    }

    async fn permit(&self, submission: Submission) -> Result<(), Failed> {
        if self.host.may(submission).await { Ok(()) } else { Err(Failed::Held) }
    }

    /// The page is still the gateway's.
    async fn is_ours(&self) -> Result<(), Failed> {
        let sight = self.page.look().await?;
        let sight = sight.ok_or(Failed::PageUnknown(Missing::Typed))?;
        foreign(&sight, self.goal).map_or(Ok(()), Err)
    }

    /// Gives the page a moment, and a person a chance to say something.
    async fn rest(&mut self) -> Result<(), Failed> {
        let answer = tokio::select! {
            () = tokio::time::sleep(LOOK) => return Ok(()),
            answer = self.host.answer() => answer,
        };
        match answer {
            Answer::Cancel => Err(Failed::Cancelled),
            Answer::Code(code) => {
                self.given = Some((code, Instant::now()));
                Ok(())
            }
            Answer::Resend => self.resend().await,
        }
    }

    async fn resend(&mut self) -> Result<(), Failed> {
        let sight = self.page.look().await?;
        if self.memory.stage != Stage::Push || !sight.is_some_and(|sight| sight.resend) {
            tracing::debug!("no push to send again");
            return Ok(());
        }
        self.permit(Submission::Push).await?;
        self.is_ours().await?;
        if self.page.click(Place::Resend).await? {
            self.memory.resent(self.began.elapsed());
            self.host.step(Step::Push { resent: self.memory.resent });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
