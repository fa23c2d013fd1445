//! Price ladders: the whole first, and then the rows that changed. An account has one at a time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::ladder::{self, Window};
use crate::api::socket as words;
use crate::state::World;

/// The ladders of one socket, by account.
#[derive(Debug, Default)]
pub(super) struct Ladders(BTreeMap<String, Ladder>);

/// One of them.
#[derive(Debug)]
struct Ladder {
    conid: i64,
    /// Step of the market that was told last.
    step: i64,
    window: Option<Window>,
    told: Vec<Value>,
}

impl Ladders {
    /// Begins one, in place of the account's other one: `DU1234567+265598`, perhaps with an exchange behind.
    pub(super) fn begin(&mut self, world: &World, rest: &str) -> Vec<Value> {
        let mut parts = rest.split('+');
        let account = parts.next().unwrap_or_default();
        let conid = parts.next().and_then(|conid| conid.parse().ok());
        let of = conid.and_then(|conid| world.universe.get(conid));
        let is_known = world.tradable(account).is_some();
        let exchange = parts.next().filter(|exchange| !exchange.is_empty());
        let is_routed = |exchange: &str| of.is_some_and(|of| of.is_routed_to(exchange));
        let Some(of) = of.filter(|_| is_known && exchange.is_none_or(is_routed)) else {
            return vec![words::bad_subscription("sbd")];
        };
        if !ladder::has_book(of) {
            let error = "sbd: there is no market depth for this contract";
            return vec![json!({ "topic": "error", "error": error })];
        }
        let ladder = Ladder { conid: of.conid, step: i64::MIN, window: None, told: Vec::new() };
        self.0.insert(account.to_owned(), ladder);
        self.news(world)
    }

    /// Ends that of an account. Nothing confirms it.
    pub(super) fn end(&mut self, rest: &str) {
        self.0.remove(rest.split('+').next().unwrap_or_default());
    }

    /// The rows that changed since they were told.
    pub(super) fn news(&mut self, world: &World) -> Vec<Value> {
        let step = world.market.step(world.clock.now_ms());
        let news = |(account, ladder): (&String, &mut Ladder)| {
            let rows = ladder.news(world, step)?;
            // The exchange is not said again.
            Some(json!({ "topic": format!("sbd+{account}+{}", ladder.conid), "data": rows }))
        };
        self.0.iter_mut().filter_map(news).collect()
    }
}

impl Ladder {
    fn news(&mut self, world: &World, step: i64) -> Option<Vec<Value>> {
        if self.step == step {
            return None;
        }
        self.step = step;
        let of = world.universe.get(self.conid)?;
        let (window, rows) = ladder::rows(world, of, self.window);
        let is_news = |(number, row): &(usize, &Value)| self.told.get(*number) != Some(*row);
        let changed: Vec<Value> =
            rows.iter().enumerate().filter(is_news).map(|(_, row)| row.clone()).collect();
        (self.window, self.told) = (Some(window), rows);
        Some(changed).filter(|changed| !changed.is_empty())
    }
}
