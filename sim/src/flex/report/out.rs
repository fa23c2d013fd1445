//! Where text goes; after the first error nowhere.

use std::io::{self, Write};

/// A writer that remembers what went wrong.
#[derive(Debug)]
pub(crate) struct Out<'w> {
    to: Writer<'w>,
    error: Option<io::Error>,
}

struct Writer<'w>(&'w mut dyn Write);

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl<'w> Out<'w> {
    pub(crate) fn new(to: &'w mut dyn Write) -> Self {
        Self { to: Writer(to), error: None }
    }

    pub(crate) fn put(&mut self, text: &str) {
        if self.error.is_none() {
            self.error = self.to.0.write_all(text.as_bytes()).err();
        }
    }

    /// Nobody listens any more.
    pub(crate) fn is_over(&self) -> bool {
        self.error.is_some()
    }

    pub(crate) fn finish(self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }
}
