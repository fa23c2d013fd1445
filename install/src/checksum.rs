//! SHA-256 of archives and of folders.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Doing, InstallError};
use crate::progress::{Reporter, Stage};
use crate::tree;

/// Bytes read at once.
const PIECE: usize = 256 << 10;
/// Hexadecimal digits that name a folder: enough that two archives never share one by chance.
const SHORT: usize = 16;

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Checksum([u8; 32]);

/// A text that is no SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct NoChecksum;

impl Checksum {
    /// Of a file, told to `reporter` as it is read.
    pub(crate) fn of_file(file: &Path, reporter: &Reporter) -> Result<Self, InstallError> {
        let mut input = File::open(file).doing("reading", file)?;
        let total = input.metadata().doing("reading", file)?.len();
        let mut digest = Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut done = 0;
        loop {
            reporter.tell(Stage::Checking, done, Some(total));
            let read = input.read(&mut piece).doing("reading", file)?;
            if read == 0 {
                return Ok(Self(digest.finalize().into()));
            }
            digest.update(&piece[..read]);
            done += read as u64;
        }
    }

    /// Of a folder: of the names, lengths and contents of its files in the order of their names.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, InstallError> {
        let mut digest = Sha256::new();
        for name in tree::files(folder)? {
            let file = folder.join(&name);
            // A NUL cannot be in a name: no two trees give the same bytes.
            digest.update(name.as_os_str().as_encoded_bytes());
            digest.update([0, u8::from(tree::is_executable(&file))]);
            let mut input = File::open(&file).doing("reading", &file)?;
            digest.update(input.metadata().doing("reading", &file)?.len().to_be_bytes());
            let mut piece = vec![0; PIECE];
            loop {
                let read = input.read(&mut piece).doing("reading", &file)?;
                if read == 0 {
                    break;
                }
                digest.update(&piece[..read]);
            }
        }
        Ok(Self(digest.finalize().into()))
    }

    /// Of a short text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The first digits, which name a folder.
    pub(crate) fn short(&self) -> String {
        let mut digits = self.to_string();
        digits.truncate(SHORT);
        digits
    }
}

/// Whether `name` is one that [`Checksum::short`] makes.
pub(crate) fn is_short(name: &str) -> bool {
    name.len() == SHORT && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl FromStr for Checksum {
    type Err = NoChecksum;

    fn from_str(text: &str) -> Result<Self, NoChecksum> {
        let digits = text.trim().as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() {
            return Err(NoChecksum);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or(NoChecksum);
            *byte = (digit(0)? << 4 | digit(1)?) as u8;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Checksum {
    type Error = NoChecksum;

    fn try_from(text: String) -> Result<Self, NoChecksum> {
        text.parse()
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = String::with_capacity(64);
        for byte in self.0 {
            write!(digits, "{byte:02x}")?;
        }
        f.write_str(&digits)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_checksum_of_a_file_is_the_one_that_sha256sum_tells() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("abc");
        std::fs::write(&file, "abc").unwrap();
        let checksum = Checksum::of_file(&file, &Reporter::silent()).unwrap();
        assert_eq!(checksum.to_string(), ABC);
        assert_eq!(checksum.short(), "ba7816bf8f01cfea");
        assert!(is_short(&checksum.short()));
    }

    #[test]
    fn text_becomes_a_checksum_or_is_refused() {
        assert_eq!(ABC.parse::<Checksum>().unwrap().to_string(), ABC);
        assert_eq!(ABC.to_uppercase().parse::<Checksum>().unwrap().to_string(), ABC);
        for wrong in ["", "ba78", &ABC.replace('b', "x"), &format!("{ABC}00"), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Checksum>(), Err(NoChecksum), "{wrong}");
        }
    }

    #[test]
    fn a_folder_with_another_file_name_or_content_has_another_checksum() {
        let folder = tempfile::tempdir().unwrap();
        let of = || Checksum::of_folder(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("in/one"), "1").unwrap();
        let first = of();
        assert_eq!(of(), first);
        std::fs::write(folder.path().join("in/one"), "2").unwrap();
        let second = of();
        assert_ne!(second, first);
        std::fs::rename(folder.path().join("in/one"), folder.path().join("in/two")).unwrap();
        assert!(of() != second && of() != first);
    }
}
