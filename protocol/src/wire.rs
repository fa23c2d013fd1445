//! Frames: a length, then bincode. The only file that names the codec.
//!
//! bincode is not self-describing: see `message.rs` for what may not appear in a message. Limits are
//! checked before anything is allocated, and a frame must be used up to its last byte.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Largest frame a client may send, in bytes: 1 MiB of arguments and their envelope.
pub const MAX_TO_DAEMON: usize = 1 << 20 | 1 << 16;
/// Largest frame the daemon may send, in bytes.
pub const MAX_TO_CLIENT: usize = 8 << 20;

/// A frame that has begun must be complete within this time.
const STARTED_FRAME: Duration = Duration::from_secs(5);
/// A peer that does not read for this long is dropped.
const WRITE_STALL: Duration = Duration::from_secs(10);

/// Bytes asked of the socket at once; the buffer grows only as bytes really arrive.
const READ_AHEAD: usize = 16 << 10;

const DECODE_LIMIT: usize = MAX_TO_CLIENT;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The peer closed the connection between two frames.
    #[error("the connection was closed")]
    Closed,
    /// A frame is longer than this direction allows.
    #[error("a frame of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes announced or produced.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The bytes are not a message of this protocol.
    #[error("a frame could not be decoded: {0}")]
    Undecodable(String),
    /// The message cannot be written by this codec.
    #[error("a message could not be encoded: {0}")]
    Unencodable(String),
    /// The peer stalled in the middle of a frame.
    #[error("the peer stalled in the middle of a frame")]
    Stalled,
    /// The socket failed.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
}

/// One message as bytes, without its length.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    bincode::serde::encode_to_vec(message, bincode::config::standard())
        .map_err(|e| WireError::Unencodable(e.to_string()))
}

/// One message from exactly these bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let config = bincode::config::standard().with_limit::<DECODE_LIMIT>();
    let (message, used) = bincode::serde::decode_from_slice(bytes, config)
        .map_err(|e| WireError::Undecodable(e.to_string()))?;
    if used != bytes.len() {
        return Err(WireError::Undecodable(format!("{} bytes left over", bytes.len() - used)));
    }
    Ok(message)
}

/// Reads frames; a cancelled `next` loses nothing, because bytes gather in `buffer`.
#[derive(Debug)]
pub struct FrameReader<R> {
    from: R,
    limit: usize,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Frames of at most `limit` bytes from `from`.
    pub fn new(from: R, limit: usize) -> Self {
        Self { from, limit, buffer: Vec::new() }
    }

    /// The next message. Waits for ever for a frame to begin, but not for one to end.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<T, WireError> {
        if self.buffer.is_empty() {
            self.more().await?;
        }
        let frame = timeout(STARTED_FRAME, self.complete()).await;
        let length = frame.map_err(|_| WireError::Stalled)??;
        let message = decode(&self.buffer[4..4 + length]);
        self.buffer.drain(..4 + length);
        message
    }

    /// Reads until one whole frame is in the buffer; its payload length.
    async fn complete(&mut self) -> Result<usize, WireError> {
        loop {
            if let Some(head) = self.buffer.first_chunk::<4>() {
                let length = u32::from_le_bytes(*head) as usize;
                if length > self.limit {
                    return Err(WireError::TooLarge { size: length, limit: self.limit });
                }
                if self.buffer.len() >= 4 + length {
                    return Ok(length);
                }
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), WireError> {
        self.buffer.reserve(READ_AHEAD);
        match self.from.read_buf(&mut self.buffer).await? {
            0 => Err(WireError::Closed),
            _ => Ok(()),
        }
    }
}

/// Writes one frame of at most `limit` bytes.
pub async fn write<W, T>(to: &mut W, message: &T, limit: usize) -> Result<(), WireError>
where
    W: AsyncWrite + Unpin,
    T: Serialize,
{
    let frame = frame(message, limit)?;
    write_frame(to, &frame).await
}

/// A message with its length in front, ready to be written.
pub fn frame<T: Serialize>(message: &T, limit: usize) -> Result<Vec<u8>, WireError> {
    let payload = encode(message)?;
    if payload.len() > limit {
        return Err(WireError::TooLarge { size: payload.len(), limit });
    }
    let mut out = Vec::with_capacity(payload.len() + 4);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&payload);
    Ok(out)
}

/// Writes a finished frame, or drops a peer that does not read.
pub async fn write_frame<W: AsyncWrite + Unpin>(to: &mut W, frame: &[u8]) -> Result<(), WireError> {
    let write = async {
        to.write_all(frame).await?;
        to.flush().await
    };
    timeout(WRITE_STALL, write).await.map_err(|_| WireError::Stalled)??;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_frame_arrives_whole_however_it_is_cut() {
        let bytes = frame(&("hello".to_owned(), 7u32), 100).unwrap();
        for cut in 0..bytes.len() {
            let (left, right) = bytes.split_at(cut);
            let mut reader = FrameReader::new(left.chain(right), 100);
            let message: (String, u32) = reader.next().await.unwrap();
            assert_eq!(message, ("hello".into(), 7));
            assert!(matches!(reader.next::<u8>().await, Err(WireError::Closed)));
        }
    }

    #[tokio::test]
    async fn a_forged_length_is_refused_before_it_is_allocated() {
        let mut reader = FrameReader::new(&[0xff, 0xff, 0xff, 0xff, 1][..], 1000);
        let refused = reader.next::<String>().await.unwrap_err();
        assert!(matches!(refused, WireError::TooLarge { size: 0xffff_ffff, limit: 1000 }));
    }

    #[test]
    fn a_frame_with_something_left_over_is_refused() {
        let mut bytes = encode(&7u32).unwrap();
        bytes.push(0);
        assert!(matches!(decode::<u32>(&bytes), Err(WireError::Undecodable(_))));
    }

    #[test]
    fn a_forged_inner_length_does_not_allocate() {
        // A string that claims 2^63 bytes.
        let forged = [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(decode::<String>(&forged).is_err());
    }

    #[tokio::test]
    async fn an_oversized_message_is_not_written() {
        let mut sink = Vec::new();
        let refused = write(&mut sink, &"x".repeat(50), 10).await.unwrap_err();
        assert!(matches!(refused, WireError::TooLarge { limit: 10, .. }));
        assert!(sink.is_empty());
    }
}
