//! The end of a file: a gzip member that unpacks to nothing and says in its comment what is before it.
//!
//! ```text
//! 1f 8b 08 10 00000000 00 ff | {"version":1,…}\n<length>:<crc> 00 | 03 00 | 00000000 00000000
//! header, with comment       | entry, in ASCII; 8 + 1 + 8 digits  | empty | CRC and length of nothing
//! ```
//!
//! Length and CRC-32 are of the entry, in hexadecimal, so that it can be found from the end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{Damaged, Entry, VERSION, Why};

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 0xff];
const TAIL: [u8; 11] = [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// `\n`, length, `:`, CRC.
const SEAL: usize = 1 + 8 + 1 + 8;
/// Bytes. Thousands of accounts fit.
const LONGEST: u64 = 4 << 20;

pub(super) fn write(entry: &Entry, to: &mut impl Write) -> io::Result<()> {
    let text = ascii(&serde_json::to_string(entry)?);
    to.write_all(&HEAD)?;
    to.write_all(text.as_bytes())?;
    write!(to, "\n{:08x}:{:08x}", text.len(), crc(text.as_bytes()))?;
    to.write_all(&TAIL)
}

/// A gzip comment is no UTF-8.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\0'..='\x7f' => text.push(c),
            _ => {
                let mut units = [0; 2];
                let escaped =
                    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
                text.extend(escaped);
            }
        }
    }
    text
}

/// The entry of a file, if the file is as long as it should be and its end is sound.
pub(super) fn read(folder: &Path, file: &str) -> Result<Entry, Damaged> {
    let bad = |why| Damaged { file: file.to_owned(), why };
    let text = match text(&folder.join(file)) {
        Ok(Some(text)) => text,
        Ok(None) => return Err(bad(Why::Foot)),
        Err(error) => return Err(bad(Why::Unreadable(error.kind()))),
    };
    let entry = parse(&text.entry).map_err(bad)?;
    match entry {
        entry if entry.packed != text.at => Err(bad(Why::Foot)),
        entry if entry.file != file => Err(bad(Why::Name)),
        entry => Ok(entry),
    }
}

struct Text {
    entry: Vec<u8>,
    /// Where the foot begins.
    at: u64,
}

/// The sealed text; nothing, if there is none.
fn text(path: &Path) -> io::Result<Option<Text>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let end = (SEAL + TAIL.len()) as u64;
    if length < end + HEAD.len() as u64 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(length - end))?;
    let mut seal = [0; SEAL];
    let mut tail = [0; TAIL.len()];
    file.read_exact(&mut seal)?;
    file.read_exact(&mut tail)?;
    let Some((bytes, sum)) = unseal(&seal).filter(|_| tail == TAIL) else { return Ok(None) };
    let whole = bytes + end + HEAD.len() as u64;
    if bytes > LONGEST || whole > length {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(length - whole))?;
    let mut head = [0; HEAD.len()];
    file.read_exact(&mut head)?;
    let mut entry = Vec::new();
    file.take(bytes).read_to_end(&mut entry)?;
    let is_sound = head == HEAD && entry.len() as u64 == bytes && crc(&entry) == sum;
    Ok(is_sound.then_some(Text { entry, at: length - whole }))
}

fn unseal(seal: &[u8; SEAL]) -> Option<(u64, u32)> {
    let text = std::str::from_utf8(seal).ok()?.strip_prefix('\n')?;
    let (length, sum) = text.split_once(':')?;
    Some((u64::from_str_radix(length, 16).ok()?, u32::from_str_radix(sum, 16).ok()?))
}

/// A later version may have written anything but the version itself.
fn parse(text: &[u8]) -> Result<Entry, Why> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(text).map_err(|_| Why::Foot)?;
    if version > VERSION {
        return Err(Why::Version(version));
    }
    serde_json::from_slice(text).map_err(|_| Why::Foot)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
