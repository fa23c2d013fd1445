//! The conversation between `ibd` and its clients (`ib-mcp`, `ibctl`).
//!
//! Knows no tool, no MCP and no broker: an envelope, a handshake, a socket, and the settings that
//! all our binaries read alike. A tool's arguments and result travel through here as JSON text.

pub mod catalogue;
pub mod client;
mod codes;
pub mod display;
pub mod files;
mod key_files;
pub mod logging;
pub mod message;
pub mod places;
pub mod prompts;
pub mod secret;
pub mod service;
pub mod settings;
pub mod socket;
pub mod stamp;
pub mod start;
pub mod states;
mod toolset;
pub mod version;
pub mod wire;
mod words;

pub use client::{ConnectError, Connection};
pub use codes::{ErrorCode, ReasonCode};
pub use key_files::KeyFiles;
pub use message::*;
pub use places::Places;
pub use secret::Secret;
pub use toolset::{Toolset, Toolsets};
pub use version::{BUILD, PROTOCOL, build};
