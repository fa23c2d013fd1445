//! What can go wrong, each in words that name what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::Checksum;

/// Why nothing was installed. Whatever was installed before is untouched.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Nobody answers there.
    #[error(
        "cannot reach {url} ({why}). Check this machine's connection and proxy; or fetch the file \
         elsewhere and give it with --from PATH, or another address with --from URL"
    )]
    Unreachable {
        /// The address that was asked.
        url: String,
        /// What the system said.
        why: String,
    },
    /// Its certificate is not vouched for.
    #[error(
        "the server at {url} cannot be trusted ({why}). If your company's proxy signs for it, name \
         that proxy's certificate in SSL_CERT_FILE in the shell of `ibctl`; else fetch the file elsewhere and give it with \
         --from PATH"
    )]
    Untrusted {
        /// The address that was asked.
        url: String,
        /// What is wrong with its certificate.
        why: String,
    },
    /// It answers, but does not give the file.
    #[error(
        "{url} answers {status} instead of the file. Look whether the address is right, or give \
         the file with --from PATH, or another address with --from URL"
    )]
    Refused {
        /// The address that was asked.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// It sends elsewhere, to where we do not go.
    #[error("{url} sends on to {to}, which is no https address. Give another with --from URL")]
    Redirected {
        /// The address that was asked.
        url: String,
        /// Where it sends.
        to: String,
    },
    /// The connection broke too often.
    #[error(
        "the connection to {url} was cut again and again ({done} bytes are here). Run it again: it \
         goes on from there where the server allows"
    )]
    Cut {
        /// The address that was asked.
        url: String,
        /// What has arrived, in bytes.
        done: u64,
    },
    /// No byte for too long.
    #[error(
        "{url} has sent nothing for {seconds} s ({done} bytes are here). Run it again: it goes on \
         from there where the server allows"
    )]
    Silent {
        /// The address that was asked.
        url: String,
        /// The limit, in seconds.
        seconds: u64,
        /// What has arrived, in bytes.
        done: u64,
    },
    /// The file was replaced while it came.
    #[error("the file at {url} changes while it is being fetched. Run it again in a minute")]
    Changing {
        /// The address that was asked.
        url: String,
    },
    /// More than anything we install has.
    #[error(
        "{what} is larger than {limit} bytes: this is not what it should be. Nothing was installed"
    )]
    TooLarge {
        /// An address or a file.
        what: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// No room.
    #[error("the disk that holds {} is full. Make room and run it again", .0.display())]
    NoSpace(PathBuf),
    /// The system said no.
    #[error("{doing} {}: {}", .path.display(), ibd_disk::plainly(.why))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// A path that leads nowhere.
    #[error("there is nothing at {}. Give the path of a zip, a .tar.gz or a folder", .0.display())]
    NoSuchPath(PathBuf),
    /// Neither a zip nor a gzipped tar.
    #[error("{what} is no zip and no .tar.gz{hint}. Nothing was installed")]
    NoArchive {
        /// An address or a file.
        what: String,
        /// What it looks like, if that is known.
        hint: &'static str,
    },
    /// An archive that cannot be read to its end.
    #[error("the archive is damaged or incomplete ({0}). Fetch it again. Nothing was installed")]
    Damaged(String),
    /// An archive that would write where it must not.
    #[error(
        "the archive holds {entry:?}, {why}. No archive of IBKR or of a Java does that: do not use \
         it. Nothing was installed"
    )]
    Unsafe {
        /// The name within the archive.
        entry: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More files than anything we install has.
    #[error("{0} holds more than {1} files: this is not what it should be. Nothing was installed")]
    TooManyFiles(String, usize),
    /// Not what the person expects.
    #[error(
        "the archive's SHA-256 is {actual}, not {expected} as you said. Nothing was installed. \
         Compare with where you have that checksum from"
    )]
    Checksum {
        /// What was asked for.
        expected: Checksum,
        /// What there is.
        actual: Checksum,
    },
    /// A checksum can be told for an archive only.
    #[error("a checksum belongs to an archive, and {} is a folder. Leave out --sha256", .0.display())]
    ChecksumOfFolder(PathBuf),
    /// Something else than the gateway.
    #[error(
        "there is no Client Portal Gateway in {0}: it needs dist/ibgroup.web.core.iblink.router.\
         clientportal.gw.jar, build/lib/runtime/*.jar and root/. Give IBKR's clientportal.gw.zip"
    )]
    NoGateway(String),
    /// Something else than a Java runtime.
    #[error(
        "there is no Java runtime in {0}: it needs bin/java and lib/modules (or lib/rt.jar). Give \
         the archive or the folder of a JRE"
    )]
    NoRuntime(String),
    /// A Java that cannot be used here.
    #[error("the Java runtime cannot be used: {0}. Give another one, for this system")]
    UnfitJava(String),
    /// Adoptium has none for this machine.
    #[error(
        "no Java runtime is published for this machine ({0}). Install Java 11 or later with your \
         system's packages, or give one with --from PATH"
    )]
    NoPublishedJava(String),
    /// Somebody else installs.
    #[error(
        "another install has been under way for too long. Wait for it or end it, then run it again"
    )]
    Busy,
    /// A task of ours ended by force.
    #[error("the install was interrupted. Run it again")]
    Interrupted,
}

impl InstallError {
    /// Whether the same request may go well in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Cut { .. } | Self::Silent { .. } | Self::Changing { .. } => true,
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }
}

/// Turns a system's error into ours, once it is known what was being done.
pub(crate) trait Doing<T> {
    /// Says what was being done, and to which file.
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, InstallError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, InstallError> {
        self.map_err(|why| io_error(why, doing, path))
    }
}

/// A full disk is named as such: it is the one that people can mend.
pub(crate) fn io_error(why: io::Error, doing: &'static str, path: &Path) -> InstallError {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            InstallError::NoSpace(path.to_owned())
        }
        _ => InstallError::Io { doing, path: path.to_owned(), why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_in_words() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = io_error(full, "writing", Path::new("/data/x.part"));
        assert!(error.to_string().contains("is full"), "{error}");
        assert!(error.to_string().contains("/data/x.part"), "{error}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let refused = |status| InstallError::Refused { url: String::new(), status };
        assert!(refused(503).may_pass() && refused(429).may_pass());
        assert!(!refused(404).may_pass() && !refused(403).may_pass());
        assert!(!InstallError::Damaged(String::new()).may_pass());
    }
}
