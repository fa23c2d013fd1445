//! Stories, driven through the true binaries; those of `actors` through one actor. One module a story.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod actors;
mod advisor;
mod alerts;
mod approval;
mod architecture;
mod ctl;
mod demo;
mod direct;
mod docs;
mod doctor;
mod family;
mod faults;
mod flex;
mod guardrails;
mod holdings;
mod hostile;
mod http;
mod inputs;
mod lifecycle;
mod live;
mod login;
mod market;
mod oauth;
mod orders;
mod orders_ctl;
mod pacing;
mod portfolio;
mod prompts;
mod road;
mod service;
mod session;
mod setup;
mod shared;
mod sizes;
mod socket;
mod stdio;
mod store;
#[path = "../tasks/mod.rs"]
mod tasks;
mod upgrade;
mod watchlists;
mod week;
