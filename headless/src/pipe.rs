//! The Chrome DevTools Protocol over a pair of pipes: JSON objects, each ended by a zero byte.
//!
//! Names of methods are logged, parameters never: they hold what is typed.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// Most answers take milliseconds; that a page was loaded takes as long as IBKR does.
const ANSWER: Duration = Duration::from_secs(30);
/// Nothing that is asked for is larger.
const MAX_MESSAGE: usize = 8 << 20;

/// A method and its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
}

impl Command {
    pub(crate) fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

/// What the browser tells unasked.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) params: Value,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    /// The browser is gone.
    #[error("it has ended")]
    Ended,
    /// It says no; the page may just be changing.
    #[error("it refused {method}: {text}")]
    Refused { method: &'static str, text: String },
    /// It does not answer.
    #[error("it did not answer {method} within {} s", ANSWER.as_secs())]
    Silent { method: &'static str },
}

/// Answers an event at once, without anybody being asked: what to send, if anything.
pub(crate) type Reflex = Box<dyn Fn(&Event) -> Option<Command> + Send>;

/// One browser's end of the pipes. When it is dropped, the pipes close, and the browser quits.
pub(crate) struct Pipe {
    calls: mpsc::Sender<Call>,
    _task: JoinSet<()>,
}

/// What a command led to.
type Outcome = Result<Value, Broken>;

struct Call {
    session: Option<String>,
    command: Command,
    reply: Option<oneshot::Sender<Outcome>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Option<u64>,
    session_id: Option<String>,
    #[serde(default)]
    result: Value,
    error: Option<ErrorText>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
}

#[derive(Deserialize)]
struct ErrorText {
    #[serde(default)]
    message: String,
}

impl Pipe {
    /// Speaks over these two, and answers events by `reflex`.
    pub(crate) fn new<R, W>(from: R, to: W, reflex: Reflex) -> Self
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (calls, inbox) = mpsc::channel(16);
        let mut task = JoinSet::new();
        task.spawn(async move { Wire::new(from, to, reflex).run(inbox).await });
        Self { calls, _task: task }
    }

    /// Has a command carried out, for one session of a target or for the browser.
    pub(crate) async fn call(&self, session: Option<&str>, command: Command) -> Outcome {
        let method = command.method;
        let (reply, answer) = oneshot::channel();
        let call = Call { session: session.map(str::to_owned), command, reply: Some(reply) };
        let answered = async {
            self.calls.send(call).await.map_err(|_| Broken::Ended)?;
            answer.await.map_err(|_| Broken::Ended)?
        };
        tokio::time::timeout(ANSWER, answered).await.map_err(|_| Broken::Silent { method })?
    }

    /// Whether the browser has closed its end.
    pub(crate) fn is_closed(&self) -> bool {
        self.calls.is_closed()
    }

    /// Waits until the browser has closed its end.
    pub(crate) async fn closed(&self) {
        self.calls.closed().await;
    }
}

/// The task's side.
struct Wire<R, W> {
    from: R,
    to: W,
    reflex: Reflex,
    received: Vec<u8>,
    waiting: HashMap<u64, (&'static str, oneshot::Sender<Outcome>)>,
    next: u64,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Wire<R, W> {
    fn new(from: R, to: W, reflex: Reflex) -> Self {
        Self { from, to, reflex, received: Vec::new(), waiting: HashMap::new(), next: 1 }
    }

    /// Until either end closes; whoever waits then learns it from the lost reply.
    async fn run(mut self, mut inbox: mpsc::Receiver<Call>) {
        let mut chunk = vec![0; 64 << 10];
        loop {
            let went_on = tokio::select! {
                call = inbox.recv() => match call {
                    Some(call) => self.send(call).await,
                    None => false,
                },
                count = self.from.read(&mut chunk) => match count {
                    Ok(1..) => self.receive(&chunk[..count.unwrap_or(0)]).await,
                    _ => false,
                },
            };
            if !went_on {
                return;
            }
        }
    }

    async fn send(&mut self, call: Call) -> bool {
        let id = self.next;
        self.next += 1;
        let mut message =
            json!({"id": id, "method": call.command.method, "params": call.command.params});
        if let Some(session) = call.session {
            message["sessionId"] = Value::String(session);
        }
        tracing::trace!(id, method = call.command.method, "to the browser");
        if let Some(reply) = call.reply {
            self.waiting.insert(id, (call.command.method, reply));
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).await.is_ok() && self.to.flush().await.is_ok()
    }

    async fn receive(&mut self, bytes: &[u8]) -> bool {
        self.received.extend_from_slice(bytes);
        while let Some(end) = self.received.iter().position(|&byte| byte == 0) {
            let message: Vec<u8> = self.received.drain(..=end).collect();
            let Ok(message) = serde_json::from_slice::<Message>(&message[..end]) else { continue };
            if !self.take(message).await {
                return false;
            }
        }
        self.received.len() <= MAX_MESSAGE
    }

    async fn take(&mut self, message: Message) -> bool {
        if let Some(id) = message.id {
            if let Some((method, reply)) = self.waiting.remove(&id) {
                let result = match message.error {
                    Some(error) => Err(Broken::Refused { method, text: error.message }),
                    None => Ok(message.result),
                };
                // The caller may have stopped waiting.
                let _ = reply.send(result);
            }
            return true;
        }
        let Some(method) = message.method else { return true };
        let event = Event { method, params: message.params };
        match (self.reflex)(&event) {
            Some(command) => {
                self.send(Call { session: message.session_id, command, reply: None }).await
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A browser that answers each message by what `answer` makes of it.
    fn browser(answer: fn(Value) -> Vec<String>) -> Pipe {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move {
            let (mut from, mut to) = tokio::io::split(theirs);
            let mut received = Vec::new();
            while from.read_buf(&mut received).await.is_ok_and(|count| count > 0) {
                while let Some(end) = received.iter().position(|&byte| byte == 0) {
                    let message: Vec<u8> = received.drain(..=end).collect();
                    let message = serde_json::from_slice(&message[..end]).unwrap();
                    for reply in answer(message) {
                        to.write_all(reply.as_bytes()).await.unwrap();
                        to.write_all(&[0]).await.unwrap();
                    }
                }
            }
        });
        let (from, to) = tokio::io::split(ours);
        let reflex = |event: &Event| {
            (event.method == "Ask").then(|| Command::new("Reflex", json!({"echo": event.params})))
        };
        Pipe::new(from, to, Box::new(reflex))
    }

    #[tokio::test]
    async fn a_reply_finds_its_call_among_events_and_nonsense() {
        let pipe = browser(|message| {
            let id = &message["id"];
            vec![
                r#"{"method":"Something","params":{}}"#.into(),
                "nonsense".into(),
                format!(r#"{{"id":{id},"result":{{"session":{}}}}}"#, message["sessionId"]),
            ]
        });
        let result = pipe.call(Some("s1"), Command::new("X.y", json!({}))).await.unwrap();
        assert_eq!(result["session"], "s1");
    }

    #[tokio::test]
    async fn a_refusal_names_the_method_and_not_its_parameters() {
        let pipe = browser(|message| {
            vec![format!(r#"{{"id":{},"error":{{"code":-1,"message":"no"}}}}"#, message["id"])]
        });
        let secret = Command::new("Input.insertText", json!({"text": "canary"}));
        let broken = pipe.call(None, secret).await.unwrap_err();
        assert_eq!(broken.to_string(), "it refused Input.insertText: no");
    }

    #[tokio::test]
    async fn an_event_is_answered_by_reflex_in_its_session() {
        let pipe = browser(|message| match message["method"].as_str() {
            Some("Reflex") => {
                assert_eq!(
                    (&message["sessionId"], &message["params"]["echo"]),
                    (&json!("s2"), &json!(7))
                );
                vec![r#"{"id":1,"result":{"done":true}}"#.into()]
            }
            _ => vec![r#"{"method":"Ask","sessionId":"s2","params":7}"#.into()],
        });
        assert_eq!(pipe.call(None, Command::new("X", json!({}))).await.unwrap()["done"], true);
    }

    #[tokio::test]
    async fn the_end_of_the_browser_is_noticed() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (from, to) = tokio::io::split(ours);
        let pipe = Pipe::new(from, to, Box::new(|_| None));
        drop(theirs);
        pipe.closed().await;
        let broken = pipe.call(None, Command::new("X", json!({}))).await;
        assert_eq!(broken, Err(Broken::Ended));
    }
}
