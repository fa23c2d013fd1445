//! The stamp of a state folder: which build wrote there last, and in which format. An older build that reads a newer
//! one's journal, store or alerts could misread them, and then act upon that; so it is refused instead.
//!
//! ```text
//! format 1
//! build 0.1.0
//! ```
//!
//! The first line is frozen for ever. [`FORMAT`] goes up when something is written that a build of before would not read
//! rightly; a new field that it leaves out of account is nothing of that kind.

use std::io;
use std::path::{Path, PathBuf};

use crate::files;
use crate::version::build;

/// The format of what this build writes. It reads this one and all before it.
pub const FORMAT: u32 = 1;

/// In the state folder of a profile.
const FILE: &str = "written-by";
/// More than a stamp has, in bytes.
const LONGEST: u64 = 4_096;

/// What a stamp says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The format.
    pub format: u32,
    /// The build that wrote it.
    pub build: String,
}

/// A later build wrote there, in a format that this one does not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the state in {folder} was written by ibd {theirs} (format {format}), which is newer than this ibd {ours} (format \
     {ours_format}) can read: install ibd {theirs} or later again; nothing was changed",
    ours = build(), ours_format = FORMAT
)]
pub struct Newer {
    /// The state folder.
    pub folder: PathBuf,
    /// The format that it has.
    pub format: u32,
    /// The build that wrote it.
    pub theirs: String,
}

impl Stamp {
    /// This build's.
    pub fn ours() -> Self {
        Self { format: FORMAT, build: build().to_owned() }
    }

    /// The stamp of a state folder. `None`: it has none, or none that could be read.
    pub fn of(state: &Path) -> Option<Self> {
        Self::parse(&files::read_text(&state.join(FILE), LONGEST).ok()?)
    }

    /// What is put down.
    fn text(&self) -> String {
        format!("format {}\nbuild {}\n", self.format, self.build)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let format = lines.next()?.strip_prefix("format ")?.trim().parse().ok()?;
        // Later formats may have something else here.
        let build = lines.next().and_then(|line| line.strip_prefix("build "));
        Some(Self { format, build: build.unwrap_or("of a later release").trim().to_owned() })
    }
}

/// Whether this build may work with what lies in a state folder.
pub fn check(state: &Path) -> Result<(), Newer> {
    match Stamp::of(state) {
        Some(Stamp { format, build }) if format > FORMAT => {
            Err(Newer { folder: state.to_owned(), format, theirs: build })
        }
        _ => Ok(()),
    }
}

/// Puts this build's stamp there, before anything else is written. Only the holder of the daemon's lock may do this.
pub fn put(state: &Path) -> io::Result<()> {
    let ours = Stamp::ours();
    if Stamp::of(state).as_ref() == Some(&ours) {
        return Ok(());
    }
    ibd_disk::replace(&state.join(FILE), ours.text().as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_put_is_read_and_may_be_put_again() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(Stamp::of(state.path()), None);
        assert_eq!(check(state.path()), Ok(()));
        put(state.path()).unwrap();
        put(state.path()).unwrap();
        assert_eq!(Stamp::of(state.path()), Some(Stamp::ours()));
        assert_eq!(check(state.path()), Ok(()));
    }

    #[test]
    fn a_later_format_is_refused_in_words_that_say_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        let put = |text: &str| std::fs::write(state.path().join(FILE), text).unwrap();
        put(&format!("format {}\nbuild 9.1.0\nand more\n", FORMAT + 1));
        let newer = check(state.path()).unwrap_err();
        let said = newer.to_string();
        for word in ["9.1.0", build(), "install", state.path().to_str().unwrap()] {
            assert!(said.contains(word), "{word}: {said}");
        }
        put(&format!("format {}\nbuilt otherwise\n", FORMAT + 1));
        assert!(check(state.path()).unwrap_err().to_string().contains("later release"));
    }

    #[test]
    fn an_earlier_format_and_another_build_of_the_same_are_read() {
        let state = tempfile::tempdir().unwrap();
        for text in ["format 0\nbuild 0.0.1\n", "format 1\nbuild 99.0.0\n", "", "no stamp\n"] {
            std::fs::write(state.path().join(FILE), text).unwrap();
            assert_eq!(check(state.path()), Ok(()), "{text}");
        }
    }
}
