//! Lines in, lines out. What the SDK would drop without a word is answered here: see [`crate::line`].
//!
//! stdin and stdout each have a thread of their own: a hop over a channel is cheaper than tokio's
//! pool for blocking reads. A client that does not read what it asked for is not read from either, until it
//! does: what waits for it stays small.

use std::io::{BufRead, BufReader, Write};
use std::pin::Pin;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, mpsc as blocking};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use rmcp::RoleServer;
use rmcp::model::{JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use tokio::sync::{mpsc, oneshot, watch};

use crate::line::{self, Ledger, Understood};

/// Longest line that is read, in bytes.
const MAX_LINE: usize = 16 << 20;
/// How much of a longer line is looked at for its id.
const HEAD: usize = 64 << 10;
/// Lines that may wait to be handled, and bytes of them.
const WAITING: usize = 256;
const WAITING_BYTES: usize = 2 * MAX_LINE;
/// Bytes that may wait for a client to read them before nothing more is read from it.
const UNREAD_BYTES: usize = 8 << 20;
/// Less than this is nearly nothing.
const NEARLY_READ: usize = 64 << 10;
/// Between two looks whether a client has read.
const LOOK: Duration = Duration::from_millis(50);
/// When stdin has closed, requests that are under way are still answered for so long.
const LAST_WORDS: Duration = Duration::from_secs(5);

static OUT: OnceLock<blocking::Sender<Out>> = OnceLock::new();
/// Requests that have come and not been answered.
static LEDGER: LazyLock<Mutex<Ledger>> = LazyLock::new(Mutex::default);
/// Whether stdin has closed.
static IS_OVER: LazyLock<watch::Sender<bool>> = LazyLock::new(watch::Sender::default);
/// What was said and not read yet.
static UNREAD: Waiting = Waiting::new();
/// What was read and not handled yet.
static UNHANDLED: Waiting = Waiting::new();

/// Bytes that wait for somebody.
struct Waiting {
    bytes: Mutex<usize>,
    fewer: Condvar,
}

impl Waiting {
    const fn new() -> Self {
        Self { bytes: Mutex::new(0), fewer: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, count: usize) {
        *self.lock() += count;
    }

    fn take(&self, count: usize) {
        let mut bytes = self.lock();
        *bytes = bytes.saturating_sub(count);
        self.fewer.notify_all();
    }

    fn is_more_than(&self, most: usize) -> bool {
        *self.lock() > most
    }

    /// Blocks this thread until no more than that waits.
    fn wait(&self, most: usize) {
        let bytes = self.lock();
        drop(self.fewer.wait_while(bytes, |bytes| *bytes > most));
    }
}

fn ledger() -> MutexGuard<'static, Ledger> {
    LEDGER.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Line {
    Whole(Vec<u8>),
    TooLong(Vec<u8>),
}

impl Line {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::TooLong(bytes) => bytes,
        }
    }
}

enum Out {
    Line(Vec<u8>),
    Flush(oneshot::Sender<()>),
}

/// The transport for the SDK.
pub(crate) fn transport() -> (Lines, Messages) {
    let (to_out, out) = blocking::channel();
    let _ = OUT.set(to_out);
    std::thread::spawn(move || write_lines(&out));
    let (lines, from_in) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        read_lines(BufReader::with_capacity(64 << 10, std::io::stdin()), &lines)
    });
    (Lines, Messages { lines: from_in, is_over: false, last_words: None })
}

/// Waits until everything said has been written.
pub(crate) async fn flush() {
    let (done, wait) = oneshot::channel();
    send(Out::Flush(done));
    let _ = tokio::time::timeout(Duration::from_secs(1), wait).await;
}

/// Waits until the client says nothing any more: whoever only listens is not waited for, and the SDK would.
pub(crate) async fn is_over() {
    // Its sender lives as long as the process.
    let _ = IS_OVER.subscribe().wait_for(|is_over| *is_over).await;
}

/// Waits until the client has read nearly all that was said to it.
pub(crate) async fn is_read() {
    while UNREAD.is_more_than(NEARLY_READ) {
        tokio::time::sleep(LOOK).await;
    }
}

fn send(out: Out) {
    if let Out::Line(line) = &out {
        UNREAD.add(line.len());
    }
    if let Some(sender) = OUT.get() {
        let _ = sender.send(out);
    }
}

fn write_lines(out: &blocking::Receiver<Out>) {
    let mut stdout = std::io::stdout().lock();
    for one in out {
        match one {
            Out::Line(line) => {
                if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
                    // Nobody reads any more: there is nothing left to serve.
                    std::process::exit(0);
                }
                UNREAD.take(line.len());
            }
            Out::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

fn read_lines(mut input: impl BufRead, lines: &mpsc::Sender<Line>) {
    while let Some(line) = read_line(&mut input) {
        UNREAD.wait(UNREAD_BYTES);
        UNHANDLED.wait(WAITING_BYTES);
        UNHANDLED.add(line.bytes().len());
        if lines.blocking_send(line).is_err() {
            return;
        }
    }
}

/// The next line without its end; of a line that is too long only the head is kept.
fn read_line(input: &mut impl BufRead) -> Option<Line> {
    let (mut line, mut is_too_long) = (Vec::new(), false);
    loop {
        let available = match input.fill_buf() {
            Ok([]) | Err(_) if line.is_empty() => return None,
            Ok([]) | Err(_) => break,
            Ok(available) => available,
        };
        let end = available.iter().position(|byte| *byte == b'\n');
        let (piece, used) = match end {
            Some(end) => (&available[..end], end + 1),
            None => (available, available.len()),
        };
        if !is_too_long {
            line.extend_from_slice(piece);
        }
        input.consume(used);
        if line.len() > MAX_LINE {
            is_too_long = true;
            line.truncate(HEAD);
            line.shrink_to_fit();
        }
        if end.is_some() {
            break;
        }
    }
    Some(if is_too_long { Line::TooLong(line) } else { Line::Whole(line) })
}

/// Outgoing messages.
pub(crate) struct Lines;

/// Nothing here can fail: stdout's end ends the process.
#[derive(Debug)]
pub(crate) struct Never;

impl std::fmt::Display for Never {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message could not be written")
    }
}

impl std::error::Error for Never {}

impl Sink<TxJsonRpcMessage<RoleServer>> for Lines {
    type Error = Never;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Never>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(
        self: Pin<&mut Self>,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> Result<(), Never> {
        let is_news = matches!(message, JsonRpcMessage::Notification(_));
        if is_news && UNREAD.is_more_than(UNREAD_BYTES) {
            // Whoever does not read misses nothing that it waits for.
            return Ok(());
        }
        let answered: Option<RequestId> = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let mut line = serde_json::to_vec(&message).map_err(|_| Never)?;
        line.push(b'\n');
        send(Out::Line(line));
        if let Some(id) = answered {
            ledger().close(&id);
        }
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Never>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Never>> {
        Poll::Ready(Ok(()))
    }
}

/// Incoming messages; over when stdin is closed and what was asked before is answered.
pub(crate) struct Messages {
    lines: mpsc::Receiver<Line>,
    is_over: bool,
    last_words: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Stream for Messages {
    type Item = RxJsonRpcMessage<RoleServer>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while !self.is_over {
            match std::task::ready!(self.lines.poll_recv(cx)) {
                Some(line) => {
                    UNHANDLED.take(line.bytes().len());
                    let understood = match &line {
                        Line::Whole(line) => ledger().understand(line),
                        Line::TooLong(head) => line::too_long(head, MAX_LINE),
                    };
                    match understood {
                        Understood::Message(message) | Understood::Repaired(message) => {
                            return Poll::Ready(Some(*message));
                        }
                        Understood::Answer(answer) => {
                            send(Out::Line(format!("{answer}\n").into_bytes()));
                        }
                        Understood::Nothing => {}
                    }
                }
                None => {
                    self.is_over = true;
                    IS_OVER.send_replace(true);
                }
            }
        }
        let last_words = self.last_words.get_or_insert_with(|| Box::pin(answered()));
        last_words.as_mut().poll(cx).map(|()| None)
    }
}

async fn answered() {
    let wait = async {
        while !ledger().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, wait).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<usize> {
        let mut input = BufReader::new(input);
        std::iter::from_fn(|| read_line(&mut input))
            .map(|line| match line {
                Line::Whole(bytes) => bytes.len(),
                Line::TooLong(_) => usize::MAX,
            })
            .collect()
    }

    #[test]
    fn lines_are_cut_at_their_ends() {
        assert_eq!(lines(b"a\nbc\n\nd"), [1, 2, 0, 1]);
    }

    #[test]
    fn a_line_that_is_too_long_does_not_hide_the_next() {
        let mut input = vec![b'x'; MAX_LINE + 10];
        input.extend_from_slice(b"\nshort\n");
        assert_eq!(lines(&input), [usize::MAX, 5]);
    }

    #[test]
    fn who_waits_for_less_to_wait_goes_on_when_there_is_less() {
        static BYTES: Waiting = Waiting::new();
        BYTES.add(10);
        // No more than that waits: nobody is held.
        BYTES.wait(10);
        BYTES.add(5);
        assert!(BYTES.is_more_than(10));
        let (to_us, said) = blocking::channel();
        let waiting = std::thread::spawn(move || {
            BYTES.wait(10);
            let _ = to_us.send(*BYTES.lock());
        });
        BYTES.take(3);
        BYTES.take(4);
        assert_eq!(said.recv().ok(), Some(8), "not before it is less");
        assert!(waiting.join().is_ok());
    }
}
