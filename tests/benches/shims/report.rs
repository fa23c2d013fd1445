//! What came of a hundred shims, and whether it is what was promised.

use crate::Bench;
use crate::hundred::HUNDRED;
use crate::process;
use crate::stats::Samples;
use crate::table::mib;

/// What is measured in each round.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) pipe: Samples,
    pub(crate) socket: Samples,
    pub(crate) status: Samples,
    pub(crate) one: Samples,
    pub(crate) ten: Samples,
    pub(crate) storm: Samples,
    pub(crate) flood: Samples,
    /// Quotes that were answered, and requests that `ib-sim` had meanwhile.
    pub(crate) quotes: usize,
    pub(crate) requests: usize,
    pub(crate) failed: usize,
}

impl Bench {
    pub(crate) fn report(&mut self, times: Times) {
        let road = times.pipe.p50() + times.socket.p50();
        let rows = &mut self.table.times;
        rows.push(times.pipe.row("floor: pipe to `cat` and back, 64 B", None));
        rows.push(times.socket.row("floor: unix socket and back, 64 B, two threads", None));
        rows.push(times.status.row("`get_session_status` (floor: pipe + socket)", Some(road)));
        rows.push(times.one.row("a warm quote of one contract, each of 100 shims", Some(road)));
        rows.push(times.ten.row("warm quotes of ten in one call, each of 100 shims", Some(road)));
        rows.push(times.storm.row("20 clients × 10 quotes of ten symbols, at once", None));
        rows.push(times.flood.row("100 clients × 10 quotes of 100 contracts, at once", None));
        let daemon = self.runtime.block_on(self.world.daemon_pid()).expect("a daemon runs");
        let (now, most) = (process::rss(daemon), process::peak(daemon));
        let memory = format!("{}, at most {}", mib(now), mib(most));
        self.table.other("daemon with 100 shims and 100 contracts: RSS", memory);
        let said = self.front.said();
        let subscriptions: usize = said.begun.values().sum();
        let is_each_once = self.contracts.iter().all(|conid| said.begun.get(conid) == Some(&1))
            && said.begun.len() == HUNDRED;
        let subscribed = format!(
            "{subscriptions} of {} contracts, {} ended, {} websockets",
            said.begun.len(),
            said.ended,
            said.sockets
        );
        let is_shared = is_each_once && said.ended == 0 && said.sockets == 1;
        let refused = self.runtime.block_on(self.sim.requests())["status429"].as_u64();
        for (name, what, holds) in [
            ("one upstream subscription per contract", subscribed, is_shared),
            (
                "no upstream request per warm quote",
                format!("{} for {} quotes", times.requests, times.quotes),
                times.requests == 0,
            ),
            (
                "every warm call was answered",
                format!("{} of those at once were refused", times.failed),
                times.failed == 0,
            ),
            (
                "nothing was too much for IBKR",
                format!("{} × 429", refused.unwrap_or_default()),
                refused == Some(0),
            ),
        ] {
            let verdict = if holds { "holds" } else { "FAILS" };
            self.table.other(format!("check: {name}"), format!("{what}: {verdict}"));
        }
    }
}
