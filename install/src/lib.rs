//! Finds or installs what a managed gateway needs: IBKR's archive and a Java runtime.
//!
//! It knows a data folder and nothing else of ours. Below it are
//!
//! - `gateway/<16 digits of the SHA-256>/`: this gateway and the one before it
//! - `java/<16 digits of the SHA-256>/`: the same for Java runtimes
//! - `<kind>/installed.json`: which one is installed, and where it is from
//! - `<kind>/install.lock`: one installer at a time
//! - `downloads/`: archives while they come; what was cut is gone on with the next time
//!
//! A version is complete when its folder has its name: it is unpacked under another one, and the
//! record is written last. An interrupted install leaves the one before it as it was.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod checksum;
mod error;
mod fetch;
mod gateway;
mod install;
mod java;
mod place;
mod progress;
mod record;
mod source;
#[cfg(test)]
mod testing;
mod tree;
mod unpack;

pub use checksum::{Checksum, NoChecksum};
pub use error::InstallError;
pub use gateway::{Build, Installed, NotInstalled, install_gateway, installed_gateway};
pub use install::Done;
pub use java::{Finding, Java, JavaVersion, Looked, NoJava, Origin, find_java, install_java};
pub use progress::{Progress, Stage};
pub use record::Earlier;
pub use source::{Limits, NoSource, Order, Source};
