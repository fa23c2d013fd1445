//! The local socket: made private, published by rename, and checked at both ends.
//!
//! Or a service manager made it, and listens in the daemon's place: then it is only taken over, and stays when we end.
//!
//! A socket file says nothing about whether a daemon lives; the lock in the state folder does. So a
//! stale file is simply replaced by the next daemon, and nobody unlinks what may be another's.

use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio::Listener as RawListener;
use interprocess::local_socket::traits::StreamCommon;
use interprocess::local_socket::traits::tokio::{Listener as _, Stream as _};
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};

pub use interprocess::local_socket::tokio::Stream;

/// A listening socket at its published place.
#[derive(Debug)]
pub struct Listener {
    raw: RawListener,
    path: PathBuf,
    mark: Option<Mark>,
    /// It is somebody else's, who listens on it also when we are gone.
    is_passed: bool,
}

/// Tells our socket file from another's at the same path.
type Mark = (u64, u64);

/// A socket that a service manager listens on, as it was handed to us.
#[cfg(unix)]
#[derive(Debug)]
pub struct Passed(pub std::os::unix::net::UnixListener);

/// No service manager hands over anything here.
#[cfg(not(unix))]
#[derive(Debug)]
pub enum Passed {}

impl Listener {
    /// Binds beside `path` and renames over it. Only the holder of the daemon lock may do this.
    pub fn publish(path: &Path) -> io::Result<Self> {
        if cfg!(windows) {
            return Ok(Self {
                raw: bind(path)?,
                path: path.to_owned(),
                mark: None,
                is_passed: false,
            });
        }
        let hidden = path.with_extension(format!("{}.tmp", std::process::id()));
        let _ = std::fs::remove_file(&hidden);
        let raw = bind(&hidden)?;
        ibd_disk::close(&hidden)?;
        let mark = mark_of(&hidden);
        std::fs::rename(&hidden, path)?;
        Ok(Self { raw, path: path.to_owned(), mark, is_passed: false })
    }

    /// Accepts from a socket that was handed to us, if it is what clients reach at `path`. `None`: they reach another one
    /// there, or none, and one of our own has to be published. Only the holder of the daemon lock may do this: nobody
    /// else listens there then.
    #[cfg(unix)]
    pub async fn take_over(passed: Passed, path: &Path) -> io::Result<Option<Self>> {
        let at = passed.0.local_addr()?;
        // Whoever took its place, or removed it, has left the service manager a socket that nobody finds. What is
        // asked here waits in the socket, and is seen to be nothing when its turn comes.
        if at.as_pathname() != Some(path) || connect(path).await.is_err() {
            return Ok(None);
        }
        use interprocess::os::unix::uds_local_socket::tokio::Listener as Raw;
        let raw = Raw::try_from(std::os::fd::OwnedFd::from(passed.0))?.into();
        Ok(Some(Self { raw, path: path.to_owned(), mark: mark_of(path), is_passed: true }))
    }

    /// There is nothing to take over here.
    #[cfg(not(unix))]
    pub async fn take_over(passed: Passed, _: &Path) -> io::Result<Option<Self>> {
        match passed {}
    }

    /// The next client of the same user; anybody else is dropped without a word.
    pub async fn accept(&self) -> io::Result<Stream> {
        loop {
            let stream = self.raw.accept().await?;
            match same_user(&stream) {
                Ok(()) => return Ok(stream),
                Err(why) => tracing::warn!(%why, "a connection was refused"),
            }
        }
    }

    /// Whether the file at the published path is still this socket. Cleaners of temporary folders
    /// remove sockets; the daemon then publishes again.
    pub fn is_published(&self) -> bool {
        self.mark.is_none() || mark_of(&self.path) == self.mark
    }

    /// Removes the file if it is still ours.
    pub fn unpublish(&self) {
        if !self.is_passed && self.mark.is_some() && self.is_published() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Connects to a daemon of the same user.
pub async fn connect(path: &Path) -> io::Result<Stream> {
    let stream = Stream::connect(path.to_fs_name::<GenericFilePath>()?).await?;
    same_user(&stream)?;
    Ok(stream)
}

/// Whether an error of [`connect`] means that nobody listens there.
pub fn means_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn bind(path: &Path) -> io::Result<RawListener> {
    let name = path.to_fs_name::<GenericFilePath>()?;
    // Reclaiming would unlink by path at drop, and by then the path may be a successor's.
    let options = ListenerOptions::new().name(name).reclaim_name(false);
    #[cfg(target_os = "linux")]
    let options = {
        use interprocess::os::unix::local_socket::ListenerOptionsExt;
        options.mode(0o600)
    };
    options.create_tokio()
}

#[cfg(unix)]
fn mark_of(path: &Path) -> Option<Mark> {
    use std::os::unix::fs::MetadataExt;
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn mark_of(_: &Path) -> Option<Mark> {
    None
}

/// A uid check is no boundary against a program of the same user; it is one against every other.
#[cfg(unix)]
fn same_user(stream: &Stream) -> io::Result<()> {
    let ours = rustix::process::geteuid().as_raw();
    match stream.peer_creds()?.euid() {
        Some(theirs) if theirs == ours => Ok(()),
        theirs => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the other end runs as user {theirs:?}, not {ours}"),
        )),
    }
}

/// The pipe's own descriptor keeps other users out on Windows.
#[cfg(not(unix))]
fn same_user(_: &Stream) -> io::Result<()> {
    Ok(())
}
