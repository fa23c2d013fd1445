//! `ibctl status --watch`: the same page again and again. On a terminal it is drawn where it was; anywhere else pages
//! follow each other.

use std::pin::pin;
use std::time::Duration;

use super::{ended, look, page, shown};
use crate::daemon::Fault;
use crate::screen::{Screen, Tone};
use crate::{Context, Ended, put};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(context: &Context) -> Result<Ended, Fault> {
    if context.json {
        return Err(Fault::usage(
            "--watch has no end, and --json is one object",
            "Call `ibctl status --json` again and again instead.",
        ));
    }
    let mut end = pin!(tokio::signal::ctrl_c());
    let mut drawn = 0;
    loop {
        // One that does not answer is seen as such, and looked at again.
        let (page, came) = match look(context).await {
            Ok(seen) => (page(context, &seen), ended(&seen)),
            Err(fault) => (format!("{}\n{}", fault.text, fault.hint), Ended::Fine),
        };
        // The window may have been made larger meanwhile.
        let screen = Screen::of_stdout();
        let (text, lines) = frame(&shown(&page, screen), screen, drawn);
        put(&text);
        drawn = lines;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = &mut end => return Ok(came),
        }
    }
}

/// What is written so that this page stands in the place of the one of so many lines before; and how many lines it
/// has. A page that is longer than the screen is cut: the cursor cannot go above the first line.
fn frame(page: &str, screen: Screen, drawn: usize) -> (String, usize) {
    if !screen.is_terminal {
        return (format!("{page}\n"), 0);
    }
    let most = screen.height().map_or(usize::MAX, |height| height.saturating_sub(2));
    let lines: Vec<&str> = page.lines().take(most).collect();
    let up = if drawn > 0 { format!("\x1b[{drawn}A") } else { String::new() };
    let foot = screen.paint(Tone::Quiet, "Every 2 s; Ctrl-C ends it.");
    (format!("{up}\r\x1b[J{}\n{foot}\n", lines.join("\n")), lines.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_the_one_before_and_never_more_than_the_screen() {
        let screen = Screen::terminal(80, false);
        let (first, drawn) = frame("one\ntwo\n", screen, 0);
        assert_eq!((first.as_str(), drawn), ("\r\x1b[Jone\ntwo\nEvery 2 s; Ctrl-C ends it.\n", 3));
        let (second, _) = frame("one\n", screen, drawn);
        assert!(second.starts_with("\x1b[3A\r\x1b[J"), "{second:?}");
        let (_, drawn) = frame(&"line\n".repeat(100), screen, 0);
        assert!(drawn <= 23, "{drawn} lines of 24");
    }

    #[test]
    fn into_a_file_pages_follow_each_other() {
        assert_eq!(frame("one\n", Screen::PLAIN, 5), ("one\n\n".to_owned(), 0));
    }
}
