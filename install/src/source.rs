//! Where a thing is taken from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use url::{Host, Url};

use crate::checksum::Checksum;

/// Where the gateway or a Java is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Where its maker publishes it: IBKR's gateway, Adoptium's Java.
    Published,
    /// An address: https, or http on this machine.
    Url(Url),
    /// A zip, a .tar.gz or a folder; for Java also a `java` program.
    Path(PathBuf),
}

/// A text that names no place we would take something from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSource {
    /// Anybody on the way could replace it.
    #[error("{0} is not encrypted, so anybody on the way could replace the file: use https")]
    Plain(String),
    /// Neither https nor a path.
    #[error("{0}: addresses begin with https://; everything else is the path of a file or folder")]
    Scheme(String),
    /// It would be written into a record.
    #[error("leave name and password out of the address: it is written into a record")]
    Password,
    /// Unreadable.
    #[error("{0} is no address: {1}")]
    Url(String, String),
    /// Nothing there.
    #[error("give a path or an address")]
    Empty,
}

impl Source {
    /// As it is written into the record and shown: without what may be a secret.
    pub(crate) fn name(&self, published: &Url) -> String {
        match self {
            Self::Published => bare(published).to_string(),
            Self::Url(url) => bare(url).to_string(),
            Self::Path(path) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
        }
    }
}

/// Without query and fragment, where tokens are.
pub(crate) fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url
}

impl FromStr for Source {
    type Err = NoSource;

    fn from_str(text: &str) -> Result<Self, NoSource> {
        let text = text.trim();
        match text.split_once("://") {
            None if text.is_empty() => Err(NoSource::Empty),
            None if text == "published" => Ok(Self::Published),
            None => Ok(Self::Path(text.into())),
            Some((scheme, _)) => match scheme.to_ascii_lowercase().as_str() {
                "file" => file(text),
                "https" | "http" => address(text).map(Self::Url),
                _ => Err(NoSource::Scheme(text.to_owned())),
            },
        }
    }
}

fn file(text: &str) -> Result<Source, NoSource> {
    Url::parse(text)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .map(Source::Path)
        .ok_or_else(|| NoSource::Url(text.to_owned(), "it names no file of this machine".into()))
}

fn address(text: &str) -> Result<Url, NoSource> {
    let url = Url::parse(text).map_err(|why| NoSource::Url(text.to_owned(), why.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NoSource::Password);
    }
    if url.scheme() == "https" || is_loopback(&url) {
        Ok(url)
    } else {
        Err(NoSource::Plain(text.to_owned()))
    }
}

/// Whether it is this machine, where nobody is on the way.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published => f.write_str("published"),
            Self::Url(url) => bare(url).fmt(f),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

/// What to install.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where it is taken from.
    pub source: Source,
    /// What the archive's SHA-256 must be, if somebody knows.
    pub sha256: Option<Checksum>,
    /// How long and how much.
    pub limits: Limits,
}

impl Order {
    /// From there, with whatever checksum it has, within the usual limits.
    pub fn from(source: Source) -> Self {
        Self { source, sha256: None, limits: Limits::default() }
    }
}

/// How long is waited, and how much is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// Without one byte.
    pub silence: Duration,
    /// For another install to end.
    pub others: Duration,
    /// How often a broken download is taken up, at most.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub pause: Duration,
    /// Size of an archive, in bytes.
    pub archive: u64,
    /// Size of what is in it, in bytes.
    pub unpacked: u64,
    /// Files and folders in it.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            others: Duration::from_secs(30 * 60),
            attempts: 8,
            pause: Duration::from_millis(500),
            archive: 1 << 30,
            unpacked: 2 << 30,
            entries: 20_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<Source, NoSource> {
        text.parse()
    }

    #[test]
    fn text_becomes_an_address_or_a_path() {
        assert_eq!(source("published"), Ok(Source::Published));
        assert_eq!(source(" ./gw.zip "), Ok(Source::Path("./gw.zip".into())));
        assert_eq!(source("/a b/gw"), Ok(Source::Path("/a b/gw".into())));
        assert_eq!(source("C:\\gw.zip"), Ok(Source::Path("C:\\gw.zip".into())));
        #[cfg(unix)]
        assert_eq!(source("file:///a%20b/gw.zip"), Ok(Source::Path("/a b/gw.zip".into())));
        assert!(matches!(source("HTTPS://Example.com/x.zip"), Ok(Source::Url(_))));
        assert_eq!(source("  "), Err(NoSource::Empty));
    }

    #[test]
    fn unencrypted_addresses_are_for_this_machine_only() {
        for here in ["http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:80/x"] {
            assert!(matches!(source(here), Ok(Source::Url(_))), "{here}");
        }
        for there in ["http://example.com/x", "http://localhost.example/x", "http://10.0.0.1/x"] {
            let refused = source(there).unwrap_err();
            assert!(refused.to_string().ends_with("use https"), "{refused}");
        }
    }

    #[test]
    fn other_schemes_and_passwords_are_refused() {
        assert!(matches!(source("ftp://example.com/x"), Err(NoSource::Scheme(_))));
        assert_eq!(source("https://me:secret@example.com/x"), Err(NoSource::Password));
        assert_eq!(source("https://me@example.com/x"), Err(NoSource::Password));
        assert!(matches!(source("https://"), Err(NoSource::Url(..))));
    }

    #[test]
    fn a_token_in_the_address_is_not_shown() {
        let source = source("https://example.com/gw.zip?token=secret#x").unwrap();
        assert_eq!(source.to_string(), "https://example.com/gw.zip");
        let published = Url::parse("https://example.org/").unwrap();
        assert_eq!(source.name(&published), "https://example.com/gw.zip");
    }
}
