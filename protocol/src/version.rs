//! The protocol number, the build, and the handshake whose bytes never change.
//!
//! Rule: any change to a type in `message.rs` that is not a new variant at the end of an enum raises
//! [`PROTOCOL`]. Two builds with the same number understand each other; with different numbers they
//! can still read each other's `Hello`, `Welcome` and `Refused`, because those are laid out by hand
//! and frozen for ever: that is how each side can say *which* version the other one has.
//!
//! ```text
//! Hello    "IBD1" | protocol u16 LE | role u8 | 0 u8 | build [24]                      = 32 bytes
//!          role 1 a shim, 2 a person's command, 3 a newer build that asks an older daemon to make room
//! Welcome  "IBDW" | protocol u16 LE | 0 u16          | build [24] | pid u32 LE         = 36 bytes
//! Refused  "IBDR" | protocol u16 LE | reason length u16 LE | build [24] | reason utf-8 = 32 + n
//! ```

/// The number of the typed messages that follow the handshake.
pub const PROTOCOL: u16 = 7;

/// This build's version, as it was compiled.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Before the version in the program's own bytes.
const MARK: &str = "ibd-build:";
const STAMP_LEN: usize = MARK.len() + BUILD_LEN + 1;
/// What this program's version is, by its own bytes: the text, and zeros to its end.
static STAMP: [u8; STAMP_LEN] = stamp();

const fn stamp() -> [u8; STAMP_LEN] {
    let mut out = [0; STAMP_LEN];
    let (mark, build) = (MARK.as_bytes(), BUILD.as_bytes());
    let mut at = 0;
    while at < mark.len() {
        out[at] = mark[at];
        at += 1;
    }
    // A version that is too long for a greeting is cut there, too.
    while at < mark.len() + build.len() && at + 1 < STAMP_LEN {
        out[at] = build[at - mark.len()];
        at += 1;
    }
    out
}

/// This program's version, as compared by [`is_newer`] and said to others. It is read from the program's bytes as they
/// stand, so that a copy of a program with other bytes there is a program of another version: that is how the stories of
/// upgrades have two.
pub fn build() -> &'static str {
    let stamp: &'static [u8; STAMP_LEN] = std::hint::black_box(&STAMP);
    let text = &stamp[MARK.len()..];
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).unwrap_or(BUILD)
}

/// Bytes of a `Hello`.
pub const HELLO_LEN: usize = 32;
/// Bytes of a `Welcome`.
pub const WELCOME_LEN: usize = 36;
/// Bytes of a `Refused` before its reason.
pub const REFUSED_LEN: usize = 32;
/// Longest reason a `Refused` may carry, in bytes.
pub const MAX_REASON: usize = 512;

const BUILD_LEN: usize = 24;

/// Who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An MCP shim: it is listed among the clients and its calls count as use.
    Shim,
    /// A person's command: neither listed nor counted.
    Ctl,
    /// A newer build, whatever protocol it speaks: the daemon makes room for it, and says no more.
    Successor,
}

/// The first bytes a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The client's protocol number.
    pub protocol: u16,
    /// Who is calling.
    pub role: Role,
    /// The client's build.
    pub build: String,
}

/// The first bytes the daemon answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Greeting {
    /// Same protocol; messages may follow.
    Welcome {
        /// The daemon's protocol number.
        protocol: u16,
        /// The daemon's build.
        build: String,
        /// The daemon's process id.
        pid: u32,
    },
    /// The daemon will not talk, and says why.
    Refused {
        /// The daemon's protocol number.
        protocol: u16,
        /// The daemon's build.
        build: String,
        /// One sentence for a person.
        reason: String,
    },
}

/// The other end does not speak this protocol at all.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an ibd handshake")]
pub struct NotOurs;

impl Hello {
    /// The greeting of this build.
    pub fn ours(role: Role) -> Self {
        Self { protocol: PROTOCOL, role, build: build().to_owned() }
    }

    /// The frozen bytes.
    pub fn to_bytes(&self) -> [u8; HELLO_LEN] {
        let mut out = [0; HELLO_LEN];
        out[..4].copy_from_slice(b"IBD1");
        out[4..6].copy_from_slice(&self.protocol.to_le_bytes());
        out[6] = match self.role {
            Role::Shim => 1,
            Role::Ctl => 2,
            Role::Successor => 3,
        };
        put_build(&mut out[8..], &self.build);
        out
    }

    /// Reads the frozen bytes.
    pub fn from_bytes(bytes: &[u8; HELLO_LEN]) -> Result<Self, NotOurs> {
        if &bytes[..4] != b"IBD1" {
            return Err(NotOurs);
        }
        let role = match bytes[6] {
            1 => Role::Shim,
            2 => Role::Ctl,
            3 => Role::Successor,
            _ => return Err(NotOurs),
        };
        Ok(Self {
            protocol: u16::from_le_bytes([bytes[4], bytes[5]]),
            role,
            build: get_build(&bytes[8..]),
        })
    }
}

impl Greeting {
    /// The frozen bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Welcome { protocol, build, pid } => {
                let mut out = head(b"IBDW", *protocol, 0, build);
                out.extend_from_slice(&pid.to_le_bytes());
                out
            }
            Self::Refused { protocol, build, reason } => {
                let reason = clip(reason, MAX_REASON);
                let mut out = head(b"IBDR", *protocol, reason.len() as u16, build);
                out.extend_from_slice(reason.as_bytes());
                out
            }
        }
    }

    /// How many bytes follow the first [`REFUSED_LEN`], as those say themselves.
    pub fn rest_len(head: &[u8; REFUSED_LEN]) -> Result<usize, NotOurs> {
        match &head[..4] {
            b"IBDW" => Ok(WELCOME_LEN - REFUSED_LEN),
            b"IBDR" => Ok(usize::from(u16::from_le_bytes([head[6], head[7]])).min(MAX_REASON)),
            _ => Err(NotOurs),
        }
    }

    /// Reads head and rest.
    pub fn from_parts(head: &[u8; REFUSED_LEN], rest: &[u8]) -> Result<Self, NotOurs> {
        let protocol = u16::from_le_bytes([head[4], head[5]]);
        let build = get_build(&head[8..]);
        match &head[..4] {
            b"IBDW" => {
                let pid = rest.try_into().map(u32::from_le_bytes).map_err(|_| NotOurs)?;
                Ok(Self::Welcome { protocol, build, pid })
            }
            b"IBDR" => {
                let reason = String::from_utf8_lossy(rest).into_owned();
                Ok(Self::Refused { protocol, build, reason })
            }
            _ => Err(NotOurs),
        }
    }
}

/// Whether build `a` is a later release than build `b`. An unreadable version is never newer.
pub fn is_newer(a: &str, b: &str) -> bool {
    match (semver::Version::parse(a), semver::Version::parse(b)) {
        (Ok(a), Ok(b)) => a > b,
        _ => false,
    }
}

fn head(magic: &[u8; 4], protocol: u16, length: u16, build: &str) -> Vec<u8> {
    let mut out = vec![0; REFUSED_LEN];
    out[..4].copy_from_slice(magic);
    out[4..6].copy_from_slice(&protocol.to_le_bytes());
    out[6..8].copy_from_slice(&length.to_le_bytes());
    put_build(&mut out[8..], build);
    out
}

fn put_build(out: &mut [u8], build: &str) {
    let build = clip(build, BUILD_LEN).as_bytes();
    out[..build.len()].copy_from_slice(build);
}

fn get_build(bytes: &[u8]) -> String {
    let end = bytes.iter().take(BUILD_LEN).position(|b| *b == 0).unwrap_or(BUILD_LEN);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The longest prefix of at most `max` bytes that ends at a character.
fn clip(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn back(greeting: &Greeting) -> Greeting {
        let bytes = greeting.to_bytes();
        let head: [u8; REFUSED_LEN] = bytes[..REFUSED_LEN].try_into().unwrap();
        assert_eq!(Greeting::rest_len(&head).unwrap(), bytes.len() - REFUSED_LEN);
        Greeting::from_parts(&head, &bytes[REFUSED_LEN..]).unwrap()
    }

    /// These bytes are a promise to every build that was ever released.
    #[test]
    fn the_handshake_is_frozen() {
        let hello = Hello { protocol: 1, role: Role::Shim, build: "0.1.0".into() };
        let mut expected = b"IBD1\x01\x00\x01\x000.1.0".to_vec();
        expected.resize(HELLO_LEN, 0);
        assert_eq!(hello.to_bytes().to_vec(), expected);

        let successor = Hello { protocol: 9, role: Role::Successor, build: "0.2.0".into() };
        let mut expected = b"IBD1\x09\x00\x03\x000.2.0".to_vec();
        expected.resize(HELLO_LEN, 0);
        assert_eq!(successor.to_bytes().to_vec(), expected);

        let welcome = Greeting::Welcome { protocol: 1, build: "0.1.0".into(), pid: 7 };
        let mut expected = b"IBDW\x01\x00\x00\x000.1.0".to_vec();
        expected.resize(REFUSED_LEN, 0);
        expected.extend_from_slice(&[7, 0, 0, 0]);
        assert_eq!(welcome.to_bytes(), expected);

        let refused = Greeting::Refused { protocol: 2, build: "9.0.0".into(), reason: "no".into() };
        let mut expected = b"IBDR\x02\x00\x02\x009.0.0".to_vec();
        expected.resize(REFUSED_LEN, 0);
        expected.extend_from_slice(b"no");
        assert_eq!(refused.to_bytes(), expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let hello = Hello::ours(Role::Ctl);
        assert_eq!(Hello::from_bytes(&hello.to_bytes()).unwrap(), hello);
        let welcome = Greeting::Welcome { protocol: 3, build: "1.2.3".into(), pid: 99 };
        assert_eq!(back(&welcome), welcome);
        let refused =
            Greeting::Refused { protocol: 3, build: "1.2.3".into(), reason: "älter".into() };
        assert_eq!(back(&refused), refused);
    }

    #[test]
    fn an_overlong_reason_is_cut_at_a_character() {
        let reason = "ä".repeat(MAX_REASON);
        let refused = Greeting::Refused { protocol: 1, build: "1".into(), reason };
        let Greeting::Refused { reason, .. } = back(&refused) else { unreachable!() };
        assert_eq!(reason.len(), MAX_REASON);
    }

    #[test]
    fn the_version_in_the_programs_bytes_is_the_one_that_was_compiled() {
        assert_eq!(build(), BUILD);
        assert!(BUILD.len() <= BUILD_LEN, "a greeting has no room for more");
        assert_eq!(STAMP.last(), Some(&0));
    }

    #[test]
    fn garbage_is_not_ours() {
        assert_eq!(Hello::from_bytes(&[b'G'; HELLO_LEN]), Err(NotOurs));
        assert_eq!(Greeting::rest_len(&[b'G'; REFUSED_LEN]), Err(NotOurs));
    }

    #[test]
    fn only_a_later_release_is_newer() {
        assert!(is_newer("0.2.0", "0.1.9"));
        assert!(!is_newer("0.1.0", "0.1.0"));
        assert!(!is_newer("0.1.0", "0.2.0"));
        assert!(!is_newer("garbage", "0.1.0"));
    }
}
