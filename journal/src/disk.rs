//! The thin layer between the journal and files, so that tests can stand in for the disk.

use std::fmt;
use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;

/// One folder of files. Names are file names without a path.
///
/// What a power cut may do to it is what POSIX allows: content is there for good after `sync_data`
/// or `sync_all` returned, a name after `sync_folder` returned, and before that both may be there,
/// gone, or there in part.
pub trait Disk {
    /// A file open for writing.
    type File: fmt::Debug;

    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// The whole content of a file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Makes a file, empty; one of that name is emptied.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Opens a file that is there.
    fn open(&self, name: &str) -> io::Result<Self::File>;
    /// Gives an empty file `bytes` zeros, with their place on the disk.
    fn allocate(&self, file: &mut Self::File, bytes: u64) -> io::Result<()>;
    /// Writes all of `bytes` at an offset.
    fn write_at(&self, file: &mut Self::File, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// The one write of an append. Apart from `write_at` so that faults can be aimed at it.
    fn append_at(&self, file: &mut Self::File, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_at(file, at, bytes)
    }
    /// Makes what was written durable, in a file whose length did not change.
    fn sync_data(&self, file: &mut Self::File) -> io::Result<()>;
    /// Makes all of a file durable.
    fn sync_all(&self, file: &mut Self::File) -> io::Result<()>;
    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Whether the file of that name is the very one that is open, as long as it was made.
    fn is_in_place(&self, name: &str, file: &Self::File, bytes: u64) -> io::Result<bool> {
        let _ = (name, file, bytes);
        Ok(true)
    }
    /// Makes the names durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A folder of the real file system.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    /// Held for as long as this lives.
    lock: Option<File>,
    /// The folder as it was when this began.
    place: Option<Metadata>,
}

const LOCK: &str = "lock";

impl RealDisk {
    /// For the one writer: makes the folder if there is none, readable by this user only, and keeps
    /// others from doing the same for as long as this lives.
    pub fn writer(folder: &Path) -> Result<Self, OpenError> {
        ibd_disk::make_folder(folder)?;
        let mut options = ibd_disk::private();
        let lock = options.write(true).create(true).truncate(false).open(folder.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {
                let place = Some(fs::metadata(folder)?);
                Ok(Self { folder: folder.to_owned(), lock: Some(lock), place })
            }
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(OpenError::Io(error)),
        }
    }

    /// For reading, also while somebody writes.
    pub(crate) fn reader(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), lock: None, place: None }
    }
}

impl Disk for RealDisk {
    type File = File;

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.folder)?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .collect::<io::Result<Vec<_>>>()?;
        // A name that is not Unicode is none of ours.
        Ok(names.into_iter().flatten().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.folder.join(name))
    }

    fn create(&self, name: &str) -> io::Result<File> {
        let mut options = ibd_disk::private();
        options.write(true).create(true).truncate(true).open(self.folder.join(name))
    }

    fn open(&self, name: &str) -> io::Result<File> {
        File::options().write(true).open(self.folder.join(name))
    }

    /// Reserved first, so that a full disk is known at once and the blocks lie together; then
    /// written, because the first write into a reserved block changes metadata, which the sync of an
    /// append would have to wait for.
    fn allocate(&self, file: &mut File, bytes: u64) -> io::Result<()> {
        reserve(file, bytes)?;
        let zeros = vec![0; usize::try_from(bytes).map_err(io::Error::other)?];
        write_all_at(file, 0, &zeros)
    }

    fn write_at(&self, file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
        write_all_at(file, at, bytes)
    }

    #[cfg(feature = "faults")]
    fn append_at(&self, file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
        crate::faults::append(bytes, |from, part| write_all_at(file, at + from, part))
    }

    fn sync_data(&self, file: &mut File) -> io::Result<()> {
        #[cfg(feature = "faults")]
        crate::faults::sync()?;
        file.sync_data()
    }

    fn sync_all(&self, file: &mut File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    /// The folder and its lock, too: in another folder, or beside a lock that is gone, somebody else may
    /// write.
    fn is_in_place(&self, name: &str, file: &File, bytes: u64) -> io::Result<bool> {
        let Some(there) = found(&self.folder.join(name))? else { return Ok(false) };
        let Some(folder) = found(&self.folder)? else { return Ok(false) };
        let Some(lock) = found(&self.folder.join(LOCK))? else { return Ok(false) };
        let is_locked = match &self.lock {
            Some(held) => is_same(&held.metadata()?, &lock),
            None => true,
        };
        let is_folder = self.place.as_ref().is_none_or(|place| is_same(place, &folder));
        Ok(is_locked && is_folder && is_same(&file.metadata()?, &there) && there.len() == bytes)
    }

    fn sync_folder(&self) -> io::Result<()> {
        ibd_disk::sync_folder(&self.folder)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }
}

/// What is under a name; `None`: nothing.
fn found(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // Something else lies where a folder was.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere a file that is open cannot be moved away; that it is there, with its size, is all that is
/// asked.
#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    one.is_dir() == other.is_dir()
}

/// For writing; only this user may look into it.
/// What the file system cannot reserve, writing the zeros will.
#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)
}

#[cfg(unix)]
fn write_all_at(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                at += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
