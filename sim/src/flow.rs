//! Bodies that are written while they are sent, so that they may be of any size.

use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// Bytes that travel together.
const PIECE: usize = 64 * 1024;
/// Pieces that wait for the client.
const WAITING: usize = 4;

/// Something that can write itself, the same way each time.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// Writes all of it; an error is the reader's.
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// A body yet to be written.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    source: Arc<dyn Source>,
    /// Only this part of it.
    part: Option<f64>,
}

impl Flow {
    pub(crate) fn new(source: impl Source + 'static) -> Self {
        Self { source: Arc::new(source), part: None }
    }

    /// Only this part of it, as if it were the whole.
    pub(crate) fn cut(mut self, part: f64) -> Self {
        self.part = Some(part * self.part.unwrap_or(1.0));
        self
    }

    /// Writes it, or the part of it.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(part) = self.part else { return self.source.write(out) };
        let mut whole = Measured { out: &mut io::sink(), left: u64::MAX };
        self.source.write(&mut whole)?;
        let length = u64::MAX - whole.left;
        let mut half = Measured { out, left: (length as f64 * part) as u64 };
        match self.source.write(&mut half) {
            Err(error) if error.kind() != io::ErrorKind::WriteZero => Err(error),
            // It is as long as it may be.
            _ => Ok(()),
        }
    }

    /// Starts to write on a thread of its own.
    pub(crate) fn start(self) -> Outgoing {
        let (to, from) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces { to, piece: Vec::with_capacity(PIECE) };
            // An error is a client that went.
            let _ = self.write(&mut pieces).and_then(|()| pieces.flush());
        });
        Outgoing::Flow(from)
    }
}

/// Takes so many bytes, and no more.
struct Measured<'a> {
    out: &'a mut dyn Write,
    left: u64,
}

impl Write for Measured<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let taken = self.out.write(bytes.get(..room).unwrap_or_default())?;
        self.left -= taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Hands pieces over to whoever sends them.
struct Pieces {
    to: mpsc::Sender<Bytes>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        if piece.is_empty() {
            return Ok(());
        }
        self.to.blocking_send(piece.into()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A body on its way.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// All of it is there.
    Whole(Full<Bytes>),
    /// It is being written.
    Flow(mpsc::Receiver<Bytes>),
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Flow(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Flow(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Flow(_) => SizeHint::default(),
        }
    }
}
