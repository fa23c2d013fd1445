//! Logs in at the gateway's login page through a real browser, as a person would.
//!
//! One call of [`log_in`] is one attempt: at most one password, two codes, and nothing is tried again
//! behind the caller's back. IBKR locks accounts after a few failures, so before each password, code
//! and further push the [`Host`] is asked whether it may be sent. Retries, the persisted budget and
//! "one at a time" are the host's.
//!
//! ```text
//!   Host ◀─ may? step ─ drive ─ next(sight, memory) ─▶ move ─▶ page ─▶ pipe ─▶ Chromium ─▶ gateway
//!        ── answer ────▶            (pure)                     (CDP over two pipes)
//! ```
//!
//! What keeps the password where it belongs:
//! - The browser trusts one key, that of the gateway's pinned certificate, and otherwise the usual
//!   authorities. Web security and the sandbox stay on; as root Chromium has no sandbox and is refused.
//! - Documents of any other origin are not loaded, and the origin of the page and of its form are
//!   looked at again before each typing and each submission.
//! - Live or paper is set, read back, and read back once more before the password is submitted.
//! - The browser is driven through two pipes. There is no debugging port that other users of the
//!   machine could connect to, and no library between that logs what is typed. When the daemon dies,
//!   however it dies, the pipes close and the browser quits.
//! - The profile is made for one attempt and removed after it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod attempt;
mod browser;
mod certificate;
mod codes;
mod decide;
mod drive;
mod failed;
mod find;
mod guard;
mod host;
mod login;
mod memory;
mod page;
mod pipe;
mod sight;
mod words;

pub use attempt::{Attempt, Mode, Selectors};
pub use certificate::spki_sha256;
pub use failed::{Failed, Missing, Stage};
pub use host::{Answer, CodeKind, Host, Step, Submission};
pub use login::log_in;
