//! `ibd`: the long-lived daemon between AI assistants and an Interactive Brokers account.
//!
//! `docs/architecture.md` tells who owns what, who may import whom, and how one call travels.

pub mod alerts;
pub mod analyst;
pub mod board;
pub mod budget;
pub mod completion;
pub mod config;
pub mod contracts;
pub mod desks;
pub mod flex;
pub mod gateway;
pub mod greeks;
pub mod history;
pub mod ipc;
mod jitter;
pub mod market;
mod notify;
pub mod orders;
pub mod policy;
pub mod portfolio;
pub mod post;
pub mod program;
pub mod prompts;
pub mod recent;
pub mod refusal;
pub mod resources;
pub mod root;
pub mod scanner;
mod secrets;
mod service;
pub mod session;
pub mod store;
pub mod stream;
pub mod tools;
