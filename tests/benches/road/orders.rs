//! What an order costs beside the broker: two durable steps, and the rest of the road.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::stats::Samples;
use crate::stdio::Server;
use crate::table;
use crate::{Bench, shim};

/// Orders in one round; so far apart that nobody waits for the budget of ten requests a second.
const ORDERS: usize = 20;
const APART: Duration = Duration::from_millis(1_100);
/// About what a step of an order writes, in bytes.
const STEP: usize = 900;
/// Steps that are durable before an order without questions is answered: sending, and what came of it.
const STEPS: u32 = 2;
/// Appends in one round.
const APPENDS: usize = 200;

pub(crate) fn measure(bench: &mut Bench) {
    let (sim, world) = bench.ready(json!({ "pacing": false, "questions": false }));
    let mut server = Server::spawn(shim(&world));
    server.greet();
    let client = crate::floors::direct(&sim);
    let (mut floor, mut journal, mut reads, mut orders) =
        (Samples::default(), Samples::default(), Samples::default(), Samples::default());
    // The first order finds the contract; nothing of that is asked again.
    let mut cents = 0u32;
    let mut next = || {
        cents += 300;
        // Far enough apart not to be taken for the same order once more.
        json!({ "conid": 265_598, "action": "BUY", "orderType": "LMT", "quantity": 1 + cents / 300,
                "price": 200 })
    };
    server.timed_call("place_order", &next());
    let folder = world.state().join("bench");
    for round in 1..=bench.rounds {
        bench.say(&format!("orders, round {round}"));
        floor.add(raw(&folder));
        journal.add(appends(&folder));
        let mut times = Vec::with_capacity(ORDERS);
        let mut direct = Vec::with_capacity(ORDERS);
        for _ in 0..ORDERS {
            std::thread::sleep(APART);
            direct.push(bench.runtime.block_on(crate::floors::ask(&client, crate::ORDER)));
            times.push(server.timed_call("place_order", &next()));
        }
        reads.add(direct);
        orders.add(times);
    }
    server.close();
    let share = 100.0 * f64::from(STEPS) * journal.p50().as_secs_f64() / orders.p50().as_secs_f64();
    let times = &mut bench.table.times;
    times.push(floor.row("floor: 900 B written and fdatasync, preallocated", None));
    times.push(journal.row("journal: append and flush of one step", Some(floor.p50())));
    times.push(reads.row("floor: one request straight to ib-sim, every 1.1 s", None));
    times.push(orders.row("`place_order`, every 1.1 s (scene, proof, send)", Some(reads.p50())));
    bench.table.other(
        "journal's share of `place_order`: two steps",
        format!(
            "{share:.0} % ({} of {})",
            table::time(journal.p50() * STEPS),
            table::time(orders.p50())
        ),
    );
}

/// What the disk does at best.
fn raw(folder: &std::path::Path) -> Vec<Duration> {
    use std::io::{Seek, SeekFrom, Write};
    std::fs::create_dir_all(folder).unwrap();
    let mut file = std::fs::File::create(folder.join("floor")).unwrap();
    file.write_all(&vec![0; STEP * APPENDS]).unwrap();
    file.sync_all().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let one = |_| {
        let begun = Instant::now();
        file.write_all(&[b'x'; STEP]).unwrap();
        file.sync_data().unwrap();
        begun.elapsed()
    };
    (0..APPENDS).map(one).collect()
}

fn appends(folder: &std::path::Path) -> Vec<Duration> {
    let folder = folder.join("journal");
    std::fs::create_dir_all(&folder).unwrap();
    let mut journal = ibd_journal::Journal::open(&folder).unwrap().journal;
    let step = [b'x'; STEP];
    let one = |_| {
        let begun = Instant::now();
        journal.append(&[&step]).unwrap();
        begun.elapsed()
    };
    (0..APPENDS).map(one).collect()
}
