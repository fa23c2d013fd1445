//! What a person sees while something takes time: on stderr, and not at all with `--json`.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where nobody watches a bar, the same thing is said again after this time.
const AGAIN: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(120);

/// How far something is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) text: String,
    pub(crate) done: u64,
    pub(crate) total: Option<u64>,
}

impl From<ibd_protocol::Progress> for Step {
    fn from(progress: ibd_protocol::Progress) -> Self {
        Self {
            text: progress.message,
            done: progress.done.into(),
            total: progress.total.map(Into::into),
        }
    }
}

/// Shows progress.
pub(crate) enum Shown {
    /// With `--json`.
    Nothing,
    /// Into a file or a pipe.
    Lines(Lines),
    /// On a terminal.
    Bar(ProgressBar),
}

impl Shown {
    pub(crate) fn new(json: bool) -> Self {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Self::Nothing,
            (false, false) => Self::Lines(Lines::default()),
            (false, true) => Self::Bar(ProgressBar::hidden()),
        }
    }

    /// How far it is.
    pub(crate) fn step(&mut self, step: Step) {
        match self {
            Self::Nothing => {}
            Self::Lines(lines) => {
                if lines.is_due(&step.text, Instant::now()) {
                    eprintln!("{}", step.text);
                }
            }
            Self::Bar(bar) => draw(bar, step),
        }
    }

    /// One line that stays.
    pub(crate) fn say(&mut self, text: &str) {
        match self {
            Self::Nothing => {}
            Self::Lines(lines) => {
                if let Some(text) = lines.new_of(text, Instant::now()) {
                    eprintln!("{text}");
                }
            }
            Self::Bar(bar) => bar.suspend(|| eprintln!("{text}")),
        }
    }

    /// Nothing more for now.
    pub(crate) fn clear(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
            *bar = ProgressBar::hidden();
        }
    }
}

fn draw(bar: &mut ProgressBar, step: Step) {
    let is_first = bar.is_hidden();
    if is_first {
        *bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    }
    // A bar that cannot be drawn as wanted is drawn as the library does.
    let template =
        if step.total.is_some() { "{spinner} {msg} {bar:30}" } else { "{spinner} {msg}" };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_length(step.total.unwrap_or(0));
    bar.set_position(step.done);
    bar.set_message(step.text);
    if is_first {
        bar.enable_steady_tick(TICK);
    }
}

/// Says each thing once, and again now and then if its numbers have changed.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The line itself, and when it was said.
    last: Option<(String, Instant)>,
}

/// A line without its numbers.
fn thing(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect()
}

impl Lines {
    /// Numbers that count up make no new thing.
    fn is_due(&mut self, text: &str, now: Instant) -> bool {
        let is_due = match &self.last {
            Some((last, _)) if last == text => false,
            Some((last, at)) => thing(last) != thing(text) || now.duration_since(*at) >= AGAIN,
            None => true,
        };
        if is_due {
            self.last = Some((text.to_owned(), now));
        }
        is_due
    }

    /// What stays of several lines whose first may have been said a moment ago.
    fn new_of<'a>(&mut self, text: &'a str, now: Instant) -> Option<&'a str> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let is_said = self.last.as_ref().is_some_and(|(last, _)| last == first);
        self.last = Some((first.to_owned(), now));
        if is_said { (!rest.is_empty()).then_some(rest) } else { Some(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_count_up_fill_no_log() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        assert!(lines.is_due("downloading: 1.5 of 12 MB", now));
        assert!(!lines.is_due("downloading: 2.5 of 12 MB", now));
        assert!(lines.is_due("unpacking", now));
        assert!(!lines.is_due("unpacking", now + AGAIN / 2));
        assert!(!lines.is_due("unpacking", now + AGAIN), "it was said, and nothing is new");
        assert!(lines.is_due("unpacking: 5 of 7 files", now));
        assert!(lines.is_due("unpacking: 6 of 7 files", now + AGAIN));
    }

    #[test]
    fn what_was_just_said_is_not_said_again_with_the_rest() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        assert!(lines.is_due("Waiting for you.", now));
        assert_eq!(lines.new_of("Waiting for you.\nLog in.", now), Some("Log in."));
        assert_eq!(lines.new_of("Waiting for you.", now), None);
        assert_eq!(
            lines.new_of("Approve it.\nOn the phone.", now),
            Some("Approve it.\nOn the phone.")
        );
        assert!(!lines.is_due("Approve it.", now + AGAIN));
    }
}
