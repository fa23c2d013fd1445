//! Downloads that survive cut connections, and go on where they were.

mod http;
mod part;
#[cfg(test)]
mod tests;

use std::time::Duration;

use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Response, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use url::Url;

pub(crate) use part::Part;
use part::{Note, Resume};

use crate::error::{Doing, InstallError};
use crate::progress::{Reporter, Stage};
use crate::source::{Limits, bare};

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(15);
/// An address that nobody answers at all is asked this often: a person waits for the error.
const CONNECTS: u32 = 2;

/// One download.
pub(crate) struct Fetch<'a> {
    /// From there.
    pub url: &'a Url,
    /// Into this.
    pub part: &'a Part,
    /// How long and how much.
    pub limits: &'a Limits,
    /// Told about every piece.
    pub reporter: &'a Reporter,
}

/// What a server's answer means for what is here already.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The rest comes.
    GoOn(Resume),
    /// All of it comes.
    Afresh(Note),
    /// Something else than what was asked for comes: ask again, for all of it.
    AskAgain,
    /// Not the file.
    Refused(u16),
}

impl Fetch<'_> {
    /// Brings the whole file.
    pub async fn run(&self) -> Result<(), InstallError> {
        let client = http::client(self.url, self.limits)?;
        let mut attempt = 1;
        loop {
            let error = match self.once(&client).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.may_pass() || attempt >= self.patience(&error) {
                return Err(error);
            }
            tracing::debug!(%error, attempt, "the download is taken up again");
            sleep(self.pause(attempt)).await;
            attempt += 1;
        }
    }

    fn patience(&self, error: &InstallError) -> u32 {
        match error {
            InstallError::Unreachable { .. } => CONNECTS.min(self.limits.attempts),
            _ => self.limits.attempts,
        }
    }

    fn pause(&self, attempt: u32) -> Duration {
        self.limits.pause.saturating_mul(1 << attempt.min(16).saturating_sub(1)).min(MAX_PAUSE)
    }

    async fn once(&self, client: &Client) -> Result<(), InstallError> {
        let resume = self.part.resume(self.url).await;
        let response = self.ask(client, resume.as_ref()).await?;
        match judge(self.url, &response, resume) {
            Verdict::GoOn(Resume { from, note }) => self.receive(response, from, &note).await,
            Verdict::Afresh(note) => self.receive(response, 0, &note).await,
            Verdict::AskAgain => {
                self.part.discard().await;
                Err(InstallError::Changing { url: self.name() })
            }
            Verdict::Refused(status) => Err(InstallError::Refused { url: self.name(), status }),
        }
    }

    async fn ask(
        &self,
        client: &Client,
        resume: Option<&Resume>,
    ) -> Result<Response, InstallError> {
        // Compressed on the way, lengths and ranges would not be those of the file.
        let mut request = client.get(self.url.clone()).header(header::ACCEPT_ENCODING, "identity");
        if let Some(Resume { from, note }) = resume
            && let Some(validator) = note.validator()
        {
            request = request
                .header(header::RANGE, format!("bytes={from}-"))
                .header(header::IF_RANGE, validator);
        }
        match timeout(self.limits.silence, request.send()).await {
            Ok(answer) => answer.map_err(|error| http::unanswered(self.url, &error)),
            Err(_) => Err(self.silent().await),
        }
    }

    /// Writes what comes behind the first `from` bytes.
    async fn receive(
        &self,
        mut response: Response,
        from: u64,
        note: &Note,
    ) -> Result<(), InstallError> {
        self.check_size(note.length.unwrap_or_default()).await?;
        let mut file = self.part.open(from, note).await?;
        let mut done = from;
        let ended = loop {
            self.reporter.tell(Stage::Downloading, done, note.length);
            let piece = match timeout(self.limits.silence, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break Ok(()),
                Ok(Err(error)) => break Err(Some(error)),
                Err(_) => break Err(None),
            };
            done += piece.len() as u64;
            self.check_size(done).await?;
            file.write_all(&piece).await.doing("writing", &self.part.file)?;
        };
        // What has come is kept, however it ended.
        file.flush().await.doing("writing", &self.part.file)?;
        file.sync_all().await.doing("writing", &self.part.file)?;
        match ended {
            Ok(()) if note.length.is_none_or(|length| length == done) => Ok(()),
            Ok(()) => Err(InstallError::Cut { url: self.name(), done }),
            Err(None) => Err(self.silent().await),
            Err(Some(error)) => {
                tracing::debug!(%error, done, "the connection was cut");
                Err(InstallError::Cut { url: self.name(), done })
            }
        }
    }

    async fn check_size(&self, bytes: u64) -> Result<(), InstallError> {
        if bytes <= self.limits.archive {
            return Ok(());
        }
        self.part.discard().await;
        Err(InstallError::TooLarge { what: self.name(), limit: self.limits.archive })
    }

    async fn silent(&self) -> InstallError {
        let seconds = self.limits.silence.as_secs();
        InstallError::Silent { url: self.name(), seconds, done: self.part.size().await }
    }

    fn name(&self) -> String {
        bare(self.url).to_string()
    }
}

fn judge(url: &Url, response: &Response, resume: Option<Resume>) -> Verdict {
    let headers = response.headers();
    match (response.status(), resume) {
        (StatusCode::OK, _) => Verdict::Afresh(Note::of(url, headers, content_length(headers))),
        (StatusCode::PARTIAL_CONTENT, Some(resume)) => match content_range(headers) {
            Some((start, length))
                if start == resume.from
                    && resume.note.is_of_same(&Note::of(url, headers, length)) =>
            {
                Verdict::GoOn(resume)
            }
            _ => Verdict::AskAgain,
        },
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Verdict::AskAgain,
        (status, _) => Verdict::Refused(status.as_u16()),
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// First byte and whole length, of `bytes 5-9/10`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, length) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, length.trim().parse().ok()))
}
