//! A source that refuses to fill memory with one element.

use std::io::{self, BufRead, Read};

use super::LONGEST_ELEMENT;

#[derive(Debug)]
pub(super) struct Limited<R> {
    source: R,
    /// Bytes since the last `begin`.
    used: u64,
    is_exceeded: bool,
    is_at_end: bool,
}

impl<R> Limited<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, used: 0, is_exceeded: false, is_at_end: false }
    }

    /// An element begins.
    pub(super) fn begin(&mut self) {
        self.used = 0;
    }

    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used > LONGEST_ELEMENT {
            self.is_exceeded = true;
            return Err(io::Error::other("an element is too long"));
        }
        let bytes = self.source.fill_buf()?;
        self.is_at_end = bytes.is_empty();
        Ok(bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.used += amount as u64;
        self.source.consume(amount);
    }
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}
