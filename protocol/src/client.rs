//! A connection to the daemon, from greeting to last frame.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::message::{ToClient, ToDaemon};
use crate::places::Places;
use crate::service;
use crate::socket::{self, Stream};
use crate::version::{Greeting, Hello, NotOurs, PROTOCOL, REFUSED_LEN, Role};
use crate::wire::{self, FrameReader, MAX_TO_CLIENT, MAX_TO_DAEMON, WireError};

/// The daemon answers a greeting within this time, or it is taken to hang.
const GREETING: Duration = Duration::from_secs(2);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens.
    #[error("no ibd is running")]
    Absent,
    /// Somebody listens and does not answer.
    #[error("ibd does not answer its socket")]
    Silent,
    /// Another protocol number.
    #[error(
        "ibd {theirs} speaks protocol {theirs_protocol}, this program {ours} speaks {ours_protocol}: \
         {reason}",
        ours = crate::build(), ours_protocol = PROTOCOL
    )]
    OtherProtocol {
        /// The daemon's build.
        theirs: String,
        /// The daemon's protocol number.
        theirs_protocol: u16,
        /// What the daemon said.
        reason: String,
    },
    /// The daemon refuses this client, in its own words.
    #[error("ibd refused the connection: {0}")]
    Refused(String),
    /// Something else listens there.
    #[error("what listens on ibd's socket is not ibd")]
    NotIbd,
    /// The socket failed.
    #[error("the socket of ibd: {0}")]
    Io(io::Error),
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        if socket::means_absent(&error) { Self::Absent } else { Self::Io(error) }
    }
}

impl From<NotOurs> for ConnectError {
    fn from(_: NotOurs) -> Self {
        Self::NotIbd
    }
}

/// A greeted connection.
#[derive(Debug)]
pub struct Connection {
    /// Reads what the daemon says.
    pub incoming: Incoming,
    /// Writes to the daemon; may be shared.
    pub outgoing: Outgoing,
    /// The daemon's build.
    pub build: String,
    /// The daemon's process id.
    pub pid: u32,
}

/// The reading half.
#[derive(Debug)]
pub struct Incoming(FrameReader<SharedStream>);

/// The writing half. Clones write to the same connection, one frame at a time.
#[derive(Debug, Clone)]
pub struct Outgoing(Arc<Mutex<SharedStream>>);

impl Connection {
    /// Connects and greets.
    pub async fn open(path: &Path, role: Role) -> Result<Self, ConnectError> {
        let stream = socket::connect(path).await?;
        timeout(GREETING, Self::greet(stream, role)).await.map_err(|_| ConnectError::Silent)?
    }

    /// The same, and no daemon begins to run for it: where a service manager listens in its place, a connection would
    /// start one.
    pub async fn open_present(places: &Places, role: Role) -> Result<Self, ConnectError> {
        if service::listens(places) && !places.has_daemon() {
            return Err(ConnectError::Absent);
        }
        Self::open(&places.socket(), role).await
    }

    async fn greet(stream: Stream, role: Role) -> Result<Self, ConnectError> {
        let stream = Arc::new(stream);
        let (to, from) = (SharedStream(stream.clone()), SharedStream(stream));
        match shake_hands((to.clone(), from.clone()), role).await? {
            Greeting::Welcome { protocol, build, pid } if protocol == PROTOCOL => Ok(Self {
                incoming: Incoming(FrameReader::new(from, MAX_TO_CLIENT)),
                outgoing: Outgoing(Arc::new(Mutex::new(to))),
                build,
                pid,
            }),
            Greeting::Welcome { protocol, build, .. } => Err(ConnectError::OtherProtocol {
                theirs: build,
                theirs_protocol: protocol,
                reason: "it answered with another protocol number".to_owned(),
            }),
            Greeting::Refused { protocol, build, reason } if protocol != PROTOCOL => {
                Err(ConnectError::OtherProtocol {
                    theirs: build,
                    theirs_protocol: protocol,
                    reason,
                })
            }
            Greeting::Refused { reason, .. } => Err(ConnectError::Refused(reason)),
        }
    }

    /// Sends one request and waits for the first answer that `pick` takes.
    pub async fn ask<T>(
        &mut self,
        request: &ToDaemon,
        mut pick: impl FnMut(ToClient) -> Option<T>,
    ) -> Result<T, WireError> {
        self.outgoing.send(request).await?;
        loop {
            if let Some(answer) = pick(self.incoming.next().await?) {
                return Ok(answer);
            }
        }
    }
}

impl Incoming {
    /// The next message; may be cancelled and asked again.
    pub async fn next(&mut self) -> Result<ToClient, WireError> {
        self.0.next().await
    }
}

impl Outgoing {
    /// Writes one message.
    pub async fn send(&self, message: &ToDaemon) -> Result<(), WireError> {
        let frame = wire::frame(message, MAX_TO_DAEMON)?;
        wire::write_frame(&mut *self.0.lock().await, &frame).await
    }
}

/// Asks an older daemon to make room for this build. It need not understand more than the greeting. `false`: it will
/// not, or is from before there was this question.
pub async fn ask_for_room(path: &Path) -> bool {
    let asked = async {
        let stream = Arc::new(socket::connect(path).await?);
        let ends = (SharedStream(stream.clone()), SharedStream(stream));
        shake_hands(ends, Role::Successor).await
    };
    matches!(timeout(GREETING, asked).await, Ok(Ok(Greeting::Welcome { .. })))
}

/// Says hello, and what is answered to it.
async fn shake_hands(
    (mut to, mut from): (SharedStream, SharedStream),
    role: Role,
) -> Result<Greeting, ConnectError> {
    to.write_all(&Hello::ours(role).to_bytes()).await.map_err(cut_short)?;
    let mut head = [0; REFUSED_LEN];
    from.read_exact(&mut head).await.map_err(cut_short)?;
    let mut rest = vec![0; Greeting::rest_len(&head)?];
    from.read_exact(&mut rest).await.map_err(cut_short)?;
    Ok(Greeting::from_parts(&head, &rest)?)
}

/// A daemon that dies while it greets is as absent as one that never was.
fn cut_short(error: io::Error) -> ConnectError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::BrokenPipe => ConnectError::Absent,
        _ => ConnectError::Io(error),
    }
}

/// One end of a stream whose other end is read or written elsewhere.
#[derive(Debug, Clone)]
pub struct SharedStream(pub Arc<Stream>);

mod shared {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::SharedStream;

    impl AsyncRead for SharedStream {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut &*self.0).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for SharedStream {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut &*self.0).poll_write(cx, bytes)
        }

        fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut &*self.0).poll_flush(cx)
        }

        fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut &*self.0).poll_shutdown(cx)
        }
    }
}
