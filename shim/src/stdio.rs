//! Lines in, lines out. Answers what the SDK would drop without a word: what is no JSON, what is no
//! message, and what is too long.
//!
//! stdin and stdout each have a thread of their own: a hop over a channel is cheaper than tokio's
//! pool for blocking reads, and a client that does not read cannot stall anything but its own output.

use std::io::{BufRead, BufReader, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, mpsc as blocking};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use rmcp::RoleServer;
use rmcp::model::{ClientNotification, JsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// Longest line that is read, in bytes.
const MAX_LINE: usize = 16 << 20;
/// How much of a longer line is looked at for its id.
const HEAD: usize = 64 << 10;
/// Lines that may wait to be handled.
const WAITING: usize = 256;
/// When stdin has closed, requests that are under way are still answered for so long.
const LAST_WORDS: Duration = Duration::from_secs(5);

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

static OUT: OnceLock<blocking::Sender<Out>> = OnceLock::new();
/// Requests that have come and not been answered.
static OPEN: AtomicUsize = AtomicUsize::new(0);

enum Line {
    Whole(Vec<u8>),
    TooLong(Vec<u8>),
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

fn send(out: Out) {
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
            }
            Out::Flush(done) => {
                let _ = done.send(());
            }
        }
    }
}

fn read_lines(mut input: impl BufRead, lines: &mpsc::Sender<Line>) {
    while let Some(line) = read_line(&mut input) {
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
        let is_answer = matches!(message, JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_));
        let mut line = serde_json::to_vec(&message).map_err(|_| Never)?;
        line.push(b'\n');
        send(Out::Line(line));
        if is_answer {
            close_one();
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

fn close_one() {
    let _ = OPEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| open.checked_sub(1));
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
                    if let Some(message) = understand(&line) {
                        return Poll::Ready(Some(message));
                    }
                }
                None => self.is_over = true,
            }
        }
        let last_words = self.last_words.get_or_insert_with(|| Box::pin(answered()));
        last_words.as_mut().poll(cx).map(|()| None)
    }
}

async fn answered() {
    let wait = async {
        while OPEN.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, wait).await;
}

/// A line as a message. What is none is answered here.
fn understand(line: &Line) -> Option<RxJsonRpcMessage<RoleServer>> {
    let bytes = match line {
        Line::Whole(bytes) => bytes,
        Line::TooLong(head) => {
            let what = format!("a line of more than {} MiB is not read", MAX_LINE >> 20);
            refuse(&id_in(head), INVALID_REQUEST, &what);
            return None;
        }
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    match serde_json::from_slice::<RxJsonRpcMessage<RoleServer>>(bytes) {
        Ok(message) => {
            count(&message);
            Some(message)
        }
        Err(_) => {
            match serde_json::from_slice::<Value>(bytes) {
                // A broken notification or response has nobody who waits for an answer.
                Ok(Value::Object(object)) if object.get("id").is_none() => {}
                Ok(value) => {
                    let id = value.get("id").cloned().unwrap_or(Value::Null);
                    refuse(&id, INVALID_REQUEST, "this is JSON, but not an MCP message");
                }
                Err(error) => {
                    refuse(&Value::Null, PARSE_ERROR, &format!("this is not JSON: {error}"))
                }
            }
            None
        }
    }
}

/// A request is open until it is answered, or until its caller does not want the answer any more.
fn count(message: &RxJsonRpcMessage<RoleServer>) {
    match message {
        JsonRpcMessage::Request(_) => {
            OPEN.fetch_add(1, Ordering::Relaxed);
        }
        JsonRpcMessage::Notification(notification)
            if matches!(
                notification.notification,
                ClientNotification::CancelledNotification(_)
            ) =>
        {
            close_one();
        }
        _ => {}
    }
}

/// The id in the beginning of a line that was not kept, if it stands there at the top level.
fn id_in(head: &[u8]) -> Value {
    let text = String::from_utf8_lossy(head);
    let Some(at) = text.find("\"id\"") else { return Value::Null };
    let rest = text[at + 4..].trim_start().trim_start_matches(':');
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    match values.next() {
        Some(Ok(id @ (Value::Number(_) | Value::String(_)))) => id,
        _ => Value::Null,
    }
}

fn refuse(id: &Value, code: i32, message: &str) {
    tracing::warn!(code, message, "a line was not understood");
    let error =
        json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    send(Out::Line(format!("{error}\n").into_bytes()));
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
    fn the_id_of_a_long_line_is_found() {
        assert_eq!(
            id_in(br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":"#),
            json!(7)
        );
        assert_eq!(id_in(br#"{"id": "a-1", "params":"#), json!("a-1"));
        assert_eq!(id_in(br#"{"method":"x"#), Value::Null);
    }
}
