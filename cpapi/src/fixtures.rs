//! The simulator's example replies: the one thing both sides are held to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

/// The text of `sim/fixtures/<name>.json`.
pub(crate) fn text(name: &str) -> String {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../sim/fixtures/{name}.json"));
    std::fs::read_to_string(&path).expect("a fixture of the simulator")
}

/// A fixture as the reply of an endpoint.
pub(crate) fn reply<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&text(name)).expect("the endpoint reads its fixture")
}

/// Status and body of `sim/fixtures/error_<name>.json`.
pub(crate) fn error(name: &str) -> (u16, String) {
    let value: serde_json::Value = reply(&format!("error_{name}"));
    let status = u16::try_from(value["status"].as_u64().unwrap()).unwrap();
    (status, value["body"].to_string())
}
