//! The Flex Web Service: what it says, and that its statements add up.

mod analyst;
mod books;
mod service;
mod split;
mod statements;
mod wire;
mod xml;

use ib_sim::{Broker, Options, Scenario};
use serde_json::{Value, json};

const AGENT: &str = "Java/1.8";
const BASE: &str = "/AccountManagement/FlexWebService";
/// Half past ten in New York, on a Monday.
const MONDAY: &str = "2026-11-02T15:30:00Z";

/// A simulator that is asked in this process.
struct Flex(Broker);

impl Flex {
    /// In this world; statements are ready at once, and nobody counts requests.
    fn quick(more: Value) -> Self {
        let mut scenario = json!({
            "now": MONDAY, "flexPacing": false, "flex": { "generateMillis": 0, "polls": 0 },
        });
        for (key, value) in more.as_object().unwrap() {
            scenario[key] = value.clone();
        }
        Self::with(&scenario)
    }

    fn with(scenario: &Value) -> Self {
        let scenario: Scenario = serde_json::from_str(&scenario.to_string()).unwrap();
        Self(Broker::new(Options { scenario, ..Options::default() }).unwrap())
    }

    fn ask(&mut self, path: &str) -> String {
        let (status, text) = self.0.ask(AGENT, "GET", path, "");
        assert_eq!(status, 200, "{path}: {text}");
        text
    }

    fn send(&mut self, query: &str) -> String {
        self.ask(&format!("{BASE}/SendRequest?t=sim-flex-token&v=3&q={query}"))
    }

    fn get(&mut self, reference: &str) -> String {
        self.ask(&format!("{BASE}/GetStatement?t=sim-flex-token&v=3&q={reference}"))
    }

    /// The reference of a request that must be taken.
    fn reference(&mut self, query: &str) -> String {
        let sent = self.send(query);
        xml::inner(&sent, "ReferenceCode").unwrap_or_else(|| panic!("{sent}"))
    }

    /// The whole statement of a query, perhaps with more parameters.
    fn statement(&mut self, query: &str) -> String {
        let reference = self.reference(query);
        let text = self.get(&reference);
        assert!(text.contains("<FlexQueryResponse "), "{text}");
        text
    }

    fn tell(&mut self, body: Value) -> Value {
        let text = self.0.control("POST", "/flex", &body.to_string());
        serde_json::from_str(&text).unwrap()
    }

    fn report(&mut self) -> Value {
        serde_json::from_str(&self.0.control("GET", "/flex", "")).unwrap()
    }

    fn advance(&mut self, seconds: u32) {
        self.0.control("POST", "/clock", &json!({ "advanceSeconds": seconds }).to_string());
    }
}

/// The code of an envelope.
fn code(text: &str) -> u16 {
    xml::inner(text, "ErrorCode").unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}
