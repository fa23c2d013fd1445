//! One run: a world, its bad ends, and what is left of it.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

use ibd_protocol::{OrderReport, OrdersVerb, states};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::beside::{self, Diary};
use crate::check::{Findings, Remains, check};
use crate::client::{Client, Heard, Log, Person};
use crate::dice::Dice;
use crate::moves::Vanishing;
use crate::plan::{End, Life, Manner, PARK, Plan, Tear, Through};
use crate::rig::{Control, Daemon, Home, PATIENCE, Sim, Tools, slowness};
use crate::scenes;
use crate::shims;
use crate::tally::{Tally, more};
use crate::tear::tear;
use crate::vanish::{self, Vanished};

/// A daemon that does not come to its crash point is killed after this.
const LIFE: Duration = Duration::from_millis(900);
/// The same, when nobody wants anything any more.
const AFTERLIFE: Duration = Duration::from_millis(200);
/// By then everything that the broker does late has happened: see the simulator's scenario.
const LATE: Duration = Duration::from_millis(450);
/// What can be found is looked for so long before the clock is moved so that the rest is parked.
const FIND: Duration = Duration::from_millis(350);
/// A list that is asked for so long after another one is a new one.
const LISTS: Duration = Duration::from_millis(130);
/// An end that the daemon tells otherwise than the broker is waited for so long; then it is judged.
const AGREES: Duration = Duration::from_secs(4);
/// Between looks at whether all is settled.
const LOOK: Duration = Duration::from_millis(12);

/// What a run came to.
pub struct Outcome {
    pub tally: Tally,
    pub problems: Vec<String>,
}

struct World<'a> {
    tools: &'a Tools,
    plan: &'a Plan,
    home: Home,
    port: u16,
    tally: Tally,
    problems: Vec<String>,
    /// The most that the wall clock was ahead.
    ahead: i64,
    clock_jumped: bool,
    disk_failed: bool,
    /// Where the last daemon died, if it was at a point.
    died_at: Option<&'static str>,
    dice: Dice,
    /// What was done beside the clients.
    diary: Diary,
    /// When the journal's folder was taken away.
    vanished: Vanished,
}

/// Runs a seed.
pub async fn run(tools: &Tools, sim: &mut Sim, plan: &Plan) -> Outcome {
    let before = prepare(tools, sim, plan).await;
    let mut world = World {
        tools,
        plan,
        home: Home::make(tools, plan.seed, plan.segment),
        port: sim.port,
        tally: Tally { runs: 1, ..Tally::default() },
        problems: Vec::new(),
        ahead: 0,
        clock_jumped: false,
        disk_failed: false,
        died_at: None,
        dice: Dice::new(plan.seed ^ 0xdead),
        diary: Diary::default(),
        vanished: Vanished::default(),
    };
    let log = Log::default();
    let (mut clients, wanting) = begin_clients(&world, &log, &sim.control);
    if plan.approves {
        clients.spawn(approve(world.home.socket(), plan.seed, wanting.clone()));
    }
    let disturbance = plan.session.filter(|_| tools.outside.is_none());
    let control = sim.control.clone();
    let (begins, over) = watch::channel(false);
    let (clock, diary) = (world.home.path.join("clock"), world.diary.clone());
    let lives = async {
        world.lives(wanting.clone()).await;
        begins.send_replace(true);
    };
    let beside = beside::act(&control, &plan.deeds, (plan.seed, clock), &diary, over);
    tokio::join!(lives, disturb(sim, disturbance), beside);
    let remains = match plan.vanishing {
        None => world.last_life(sim, &mut clients, &log, before).await,
        Some(vanishing) => {
            world.without_journal(sim, &mut clients, &log, vanishing).await;
            None
        }
    };
    world.count_faults(sim).await;
    if let Some(remains) = remains {
        world.judge(&remains);
    }
    let World { home, mut tally, problems, .. } = world;
    if problems.is_empty() && !tools.is_loud {
        let _ = std::fs::remove_dir_all(&home.path);
    } else {
        tally.failed.extend((!problems.is_empty()).then_some(plan.seed));
    }
    Outcome { tally, problems }
}

/// What was at the broker before.
async fn prepare(tools: &Tools, sim: &mut Sim, plan: &Plan) -> usize {
    let is_outside = tools.outside.is_some();
    let mut before = 0;
    if is_outside {
        // The login is the gateway's; it must not end.
        let placements = sim.get("/placements").await;
        before = placements["placements"].as_array().map_or(0, Vec::len);
    } else {
        drop(sim.tell("/reset", &json!({})).await)
    }
    if let Some(chaos) = &plan.broker.chaos {
        sim.tell("/chaos", chaos).await;
    }
    for fault in &plan.broker.faults {
        sim.tell("/fault", fault).await;
    }
    sim.tell("/script", &json!({ "orders": plan.broker.scripts })).await;
    let rules = plan.magnifier.map(|magnifier| json!({ "priceMagnifier": magnifier }));
    sim.tell("/rules", &json!({ "conid": scenes::CONID, "set": rules })).await;
    before
}

fn begin_clients(
    world: &World<'_>,
    log: &Log,
    control: &Control,
) -> (JoinSet<()>, watch::Receiver<usize>) {
    let (left, wanting) = watch::channel(world.plan.wishes.len());
    let mut clients = JoinSet::new();
    for wish in &world.plan.wishes {
        let client = Client {
            socket: world.home.socket(),
            log: log.clone(),
            wish: wish.clone(),
            deadline: Instant::now() + Duration::from_secs(20),
            call: crate::client::CALL,
            control: control.clone(),
        };
        let command = || shims::command(world.tools, &world.home);
        let shim = (world.plan.through == Through::Shim).then(|| (command(), command()));
        let left = left.clone();
        clients.spawn(async move {
            match shim {
                Some((shim, again)) => shims::want(shim, again, client).await,
                None => client.want().await,
            }
            left.send_modify(|count| *count -= 1);
        });
    }
    (clients, wanting)
}

/// What happens to the session, and what a person does about it a little later.
async fn disturb(sim: &mut Sim, disturbance: Option<(u64, &str)>) {
    let Some((millis, action)) = disturbance else { return };
    sleep(Duration::from_millis(millis)).await;
    sim.tell("/session", &json!({ "action": action })).await;
    sleep(Duration::from_millis(100)).await;
    let remedy = match action {
        "compete" => "uncompete",
        "maintenance" => "up",
        "logout" => "login",
        _ => return,
    };
    sim.tell("/session", &json!({ "action": remedy })).await;
}

/// A person who approves whatever waits for one, and declines some, as long as somebody wants something.
async fn approve(socket: PathBuf, seed: u64, wanting: watch::Receiver<usize>) {
    let mut dice = Dice::new(seed ^ 0xa99);
    while *wanting.borrow() > 0 {
        sleep(Duration::from_millis(dice.between(3, 40))).await;
        let Some(mut person) = Person::at(&socket).await else { continue };
        let Some(report) = person.orders(OrdersVerb::List).await else { continue };
        for waiting in report.approvals {
            let verb = if dice.percent(85) {
                OrdersVerb::Approve { id: waiting.id, digest: waiting.digest, pin: None }
            } else {
                OrdersVerb::Deny(waiting.id)
            };
            let _ = person.orders(verb).await;
        }
    }
}

impl World<'_> {
    /// Those daemons that meet a bad end.
    async fn lives(&mut self, mut wanting: watch::Receiver<usize>) {
        let flag = self.home.state().join("FROZEN");
        let begun = Instant::now();
        if let Some(vanishing @ Vanishing::Under { millis, .. }) = self.plan.vanishing {
            self.vanished.take_later(&self.home, vanishing, millis);
        }
        for life in &self.plan.lives {
            self.tear(life.tear);
            self.move_clock(life.clock);
            let mut daemon = self.start(life);
            if let Some(millis) = self.plan.freeze
                && begun.elapsed() < Duration::from_millis(millis)
            {
                let flag = flag.clone();
                tokio::spawn(async move {
                    sleep(Duration::from_millis(millis)).await;
                    let _ = std::fs::write(flag, "");
                });
            }
            self.live(life, &mut daemon, &mut wanting).await;
        }
    }

    fn tear(&mut self, wanted: Tear) {
        let is_possible = match wanted {
            // Only what nobody was told of may be lost.
            Tear::Halved => self.died_at == Some("journal.before_sync"),
            _ => true,
        };
        if is_possible && tear(&self.home.journal(), wanted, &mut self.dice) {
            let name = match wanted {
                Tear::Halved => "end of the journal: torn",
                _ => "end of the journal: garbage behind it",
            };
            more(&mut self.tally.troubles, name, 1);
        }
    }

    fn move_clock(&mut self, seconds: i64) {
        if self.tools.clock.is_none() || seconds == self.home.clock() {
            return;
        }
        self.home.set_clock(seconds);
        self.ahead = self.ahead.max(seconds);
        self.clock_jumped = true;
        more(&mut self.tally.troubles, "clock: jumps", 1);
    }

    fn start(&mut self, life: &Life) -> Daemon {
        let mut faults = self.variables();
        if let End::Crash(point, nth) = life.end {
            faults.push(("IBD_CRASH", format!("{point}:{nth}")));
        }
        if let Some(disk) = &life.disk {
            faults.push(("IBD_DISK_FAULT", disk.clone()));
            self.disk_failed = true;
            let kind = disk.split(':').next().unwrap_or_default();
            more(&mut self.tally.troubles, format!("disk: {kind}"), 1);
        }
        self.tally.starts += 1;
        Daemon::start(self.tools, &self.home, self.port, &faults)
    }

    /// What every daemon of this run is told.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let when = match (self.plan.approves, self.plan.above) {
            (true, _) => Some("always".to_owned()),
            (false, Some(amount)) => Some(format!("above:{amount}")),
            (false, None) => None,
        };
        let when = when.map(|when| ("IB_CONFIRM_ORDERS", when));
        let most = self.plan.max_value.map(|most| ("IB_MAX_ORDER_VALUE", most.to_string()));
        when.into_iter().chain(most).collect()
    }

    /// One life, to its end.
    async fn live(
        &mut self,
        life: &Life,
        daemon: &mut Daemon,
        wanting: &mut watch::Receiver<usize>,
    ) {
        let (begun, slow) = (Instant::now(), slowness());
        let limit = match life.end {
            End::Kill(millis) => begun + Duration::from_millis(millis),
            End::Crash(..) => begun + LIFE * slow,
        };
        let is_crash = matches!(life.end, End::Crash(..));
        let (jump_at, jump_to) = match life.jump {
            Some((millis, to)) => (Some(begun + Duration::from_millis(millis)), to),
            None => (None, 0),
        };
        let mut jump_at = jump_at;
        let mut is_unwanted = false;
        self.died_at = None;
        let status = loop {
            let soon =
                if is_unwanted && is_crash { Instant::now() + AFTERLIFE * slow } else { limit };
            tokio::select! {
                status = daemon.ended() => break Some(status),
                () = sleep_until(soon.min(limit)) => break None,
                () = sleep_until(jump_at.unwrap_or(limit)), if jump_at.is_some() => {
                    jump_at = None;
                    self.move_clock(jump_to);
                }
                done = wanting.wait_for(|left| *left == 0), if !is_unwanted => {
                    drop(done);
                    is_unwanted = true;
                }
            }
        };
        match (status, life.end) {
            (None, _) => {
                daemon.kill().await;
                self.tally.missed += u64::from(is_crash);
                more(&mut self.tally.kills, "a random moment", 1);
            }
            (Some(status), End::Crash(point, _)) if status.signal() == Some(9) => {
                self.died_at = Some(point);
                more(&mut self.tally.kills, point, 1);
            }
            (Some(status), _) => {
                self.problems.push(format!("the daemon ended by itself: {status}"));
            }
        }
    }

    /// The daemon after all the faults: it must bring everything to an end.
    async fn last_life(
        &mut self,
        sim: &mut Sim,
        clients: &mut JoinSet<()>,
        log: &Log,
        before: usize,
    ) -> Option<Remains> {
        self.count_chaos(sim).await;
        sim.tell("/chaos", &json!({})).await;
        let _ = std::fs::remove_file(self.home.state().join("FROZEN"));
        let _ = std::fs::remove_file(self.home.path.join("state/ibd/FROZEN"));
        self.tear(if self.plan.seed.is_multiple_of(2) { Tear::Halved } else { Tear::Nothing });
        self.move_clock(0);
        if self.plan.above.is_some() {
            // Moved by the deed that made the market jump.
            self.home.set_clock(0);
            self.clock_jumped = true;
        }
        self.tally.starts += 1;
        let variables = self.variables();
        let mut daemon = Daemon::start(self.tools, &self.home, self.port, &variables);
        if let Err(why) = daemon.ready().await {
            self.problems.push(format!("the last daemon does not begin: {why}"));
            return None;
        }
        let begun = Instant::now();
        while let Some(client) = clients.join_next().await {
            if let Err(error) = client {
                self.problems.push(format!("a client failed: {error}"));
            }
        }
        let quiet = Instant::now();
        let mut settled = self.settle(sim, quiet).await;
        self.tally.settling.push(begun.elapsed().as_millis() as u64);
        let again = Log::default();
        if settled.is_some() {
            self.ask_again(log, &again, &sim.control).await;
            self.look_at_all(sim, log).await;
            settled = self.settle(sim, quiet).await;
        }
        daemon.kill().await;
        let (orders, placements) = (sim.get("/orders").await, sim.get("/placements").await);
        let requests = sim.get("/requests").await;
        let journal = self.home.journal();
        let read =
            ibd_journal::verify(&journal).and_then(|_| ibd_journal::read(&journal, usize::MAX));
        match read {
            Ok(entries) => Some(Remains {
                entries,
                heard: log.all(),
                again: again.all(),
                placements: since(placements, before),
                orders_before: settled.unwrap_or_else(|| orders.clone()),
                orders,
                requests,
                deeds: self.diary.all(),
                clock_jumped: self.clock_jumped,
                disk_failed: self.disk_failed,
                is_outside: self.tools.outside.is_some(),
            }),
            Err(error) => {
                self.problems.push(format!("the journal does not verify: {error}"));
                None
            }
        }
    }

    /// The same where the journal is gone: clients are answered, and nothing goes.
    async fn without_journal(
        &mut self,
        sim: &mut Sim,
        clients: &mut JoinSet<()>,
        log: &Log,
        vanishing: Vanishing,
    ) {
        if matches!(vanishing, Vanishing::Between { .. }) {
            self.vanished.take(&self.home, vanishing);
        }
        sim.tell("/chaos", &json!({})).await;
        self.move_clock(0);
        self.tally.starts += 1;
        let variables = self.variables();
        let mut daemon = Daemon::start(self.tools, &self.home, self.port, &variables);
        if let Err(why) = daemon.ready().await {
            self.problems.push(format!("without its journal the daemon does not begin: {why}"));
        }
        while clients.join_next().await.is_some() {}
        daemon.kill().await;
        if let Some(at) = self.vanished.at().filter(|_| !self.clock_jumped) {
            let placements = sim.get("/placements").await;
            self.tally.orders += placements["count"].as_u64().unwrap_or_default();
            for heard in log.all() {
                self.tally.calls += 1;
                more(&mut self.tally.answers, format!("no journal: {}", heard.status()), 1);
            }
            let went = vanish::went(&placements, at);
            self.tally.duplicates += went.len() as u64;
            self.problems.extend(went);
            more(&mut self.tally.troubles, "journal: gone", 1);
        }
    }

    /// Waits until the broker and the daemon agree about everything; the broker's orders then.
    async fn settle(&mut self, sim: &mut Sim, quiet: Instant) -> Option<Value> {
        let slow = slowness();
        let earliest = if self.plan.has_late_truth() { quiet + LATE * slow } else { quiet };
        let deadline = Instant::now() + PATIENCE * slow;
        let mut person = None;
        loop {
            if person.is_none() {
                person = Person::at(&self.home.socket()).await;
            }
            let report = match &mut person {
                Some(at) => at.orders(OrdersVerb::List).await,
                None => None,
            };
            if report.is_none() {
                person = None;
            }
            let venue = sim.get("/orders").await;
            let differs: Vec<String> = report
                .iter()
                .flat_map(|report| &report.orders)
                .filter(|order| !is_as_at(order, &venue))
                .map(|order| order.intent_id.clone())
                .collect();
            let open: Option<Vec<String>> = report.map(|report| {
                let open = report.orders.iter().filter(|order| !is_settled(order, &venue));
                open.map(|order| format!("{} {}: {:?}", order.intent_id, order.state, order.reason))
                    .collect()
            });
            let is_late = Instant::now() >= earliest;
            let is_agreed = quiet.elapsed() > (AGREES + LATE) * slow || differs.is_empty();
            if is_late && is_agreed && open.as_ref().is_some_and(Vec::is_empty) {
                return Some(venue);
            }
            if Instant::now() > deadline {
                self.problems.push(format!("it does not settle: {open:?}"));
                return None;
            }
            let is_found = open.as_ref().is_some_and(|open| !open.is_empty());
            if is_found && quiet.elapsed() > FIND * slow && self.home.clock() < self.ahead + PARK {
                self.move_on();
            }
            sleep(LOOK).await;
        }
    }

    /// Makes it late enough for what is in doubt to be given to a person.
    fn move_on(&mut self) {
        if self.tools.clock.is_some() {
            self.home.set_clock(self.ahead + PARK);
        }
    }

    /// Every call once more, with the same key.
    async fn ask_again(&self, log: &Log, again: &Log, control: &Control) {
        if self.plan.through == Through::Shim {
            return;
        }
        let heard = log.all();
        for wish in &self.plan.wishes {
            if matches!(wish.manner, Manner::Named | Manner::Twice) {
                continue;
            }
            let client = Client {
                socket: self.home.socket(),
                log: again.clone(),
                wish: wish.clone(),
                deadline: Instant::now() + Duration::from_secs(10),
                call: crate::client::CALL,
                control: control.clone(),
            };
            for key in ["a", "b", "c"] {
                let full = client.key(key);
                let was_told =
                    |h: &Heard| h.key == full && h.tool == "place_order" && h.intent().is_some();
                if heard.iter().any(was_told) {
                    client.insist("place_order", key, &client.arguments()).await;
                }
            }
        }
    }

    /// The list, and the page of each order of ours: whatever became of one unseen is seen now.
    async fn look_at_all(&self, sim: &mut Sim, log: &Log) {
        let Some(wish) = self.plan.wishes.first() else { return };
        let client = Client {
            socket: self.home.socket(),
            log: log.clone(),
            wish: wish.clone(),
            deadline: Instant::now() + Duration::from_secs(10),
            call: crate::client::CALL,
            control: sim.control.clone(),
        };
        // Once more when the first list is too old to be given again.
        for key in ["end-list-1", "end-list-2"] {
            client.insist("get_live_orders", key, &json!({})).await;
            sleep(LISTS).await;
        }
        let orders = sim.get("/orders").await;
        for row in orders["orders"].as_array().into_iter().flatten() {
            let is_ours = row["cOID"].as_str().is_some_and(|name| name.starts_with("ibd"));
            if is_ours {
                let key = format!("end-{}", row["orderId"]);
                let order = json!({ "orderId": row["orderId"] });
                client.insist("get_order_status", &key, &order).await;
            }
        }
    }

    /// What chance did at the broker.
    async fn count_chaos(&mut self, sim: &mut Sim) {
        let chaos = sim.get("/chaos").await;
        for (name, shown) in [
            ("drops", "by chance: drop"),
            ("unavailable", "by chance: 503"),
            ("stalls", "by chance: stall"),
            ("late", "by chance: late"),
            ("questioned", "by chance: questions"),
            ("zombies", "by chance: zombie"),
            ("errors", "by chance: error after acceptance"),
            ("refusals", "by chance: refusal"),
            ("rowOrder", "by chance: rows in another order"),
            ("localIds", "by chance: rows with local ids"),
            ("noLocalIds", "by chance: rows without parents"),
            ("declined", "by chance: declined and alive"),
            ("spelling", "by chance: spelling"),
            ("ignoredChanges", "by chance: change ignored"),
            ("ignoredCancels", "by chance: end ignored"),
        ] {
            let count = chaos["struck"][name].as_u64().unwrap_or_default();
            more(&mut self.tally.faults, shown, count);
        }
    }

    /// What was to go wrong there, and did.
    async fn count_faults(&mut self, sim: &mut Sim) {
        let waiting = sim.get("/faults").await;
        let left = waiting["faults"].as_array().cloned().unwrap_or_default();
        for fault in &self.plan.broker.faults {
            // Those that still wait have not struck.
            let is_left = left.iter().any(|one| one["mode"] == fault["mode"]);
            let mode = fault["mode"].as_str().unwrap_or_default();
            let mode = match fault["status"].as_u64() {
                Some(status) => format!("{mode} {status}"),
                None => mode.to_owned(),
            };
            more(&mut self.tally.faults, mode, u64::from(!is_left));
        }
        if self.tools.outside.is_some() && !left.is_empty() {
            // Nothing may be left for the next run; there is no reset here.
            more(&mut self.tally.troubles, "faults left over", left.len() as u64);
        }
    }

    fn judge(&mut self, remains: &Remains) {
        let findings: Findings = check(self.plan, remains);
        self.problems.extend(findings.all());
        if self.tools.is_loud {
            for heard in &remains.heard {
                println!(
                    "{} {}: {}",
                    heard.key,
                    heard.tool,
                    heard.answer.clone().unwrap_or_default()
                );
            }
        }
        let tally = &mut self.tally;
        tally.duplicates += findings.duplicates.len() as u64;
        tally.lost += findings.lost.len() as u64;
        tally.wrong += findings.wrong.len() as u64;
        tally.untrue += findings.untrue.len() as u64;
        tally.held += findings.held;
        for done in &remains.deeds {
            more(&mut tally.deeds, done.what, 1);
        }
        tally.intents += findings.intents;
        tally.parked += findings.parked;
        tally.unwritten += findings.unwritten;
        tally.unknown_settled += findings.unknown_settled;
        for (state, count) in findings.states {
            more(&mut tally.states, state, count);
        }
        tally.unknown.extend(findings.unknown_times.iter().filter(|_| !self.clock_jumped).map(
            |millis| {
                let park = PARK as u64 * 1000;
                if *millis >= park { millis - park } else { *millis }
            },
        ));
        tally.calls += remains.heard.len() as u64;
        for heard in &remains.heard {
            let name = match heard.tool {
                "place_order" => heard.status().to_owned(),
                tool => format!("{tool}: {}", heard.status()),
            };
            more(&mut tally.answers, name, 1);
        }
        let placements = remains.placements["placements"].as_array().cloned().unwrap_or_default();
        tally.orders += placements.len() as u64;
        tally.zombies += placements.iter().filter(|row| row["zombie"] == true).count() as u64;
    }
}

/// Only what came since.
fn since(mut placements: Value, before: usize) -> Value {
    if let Some(rows) = placements["placements"].as_array_mut() {
        rows.drain(..before.min(rows.len()));
    }
    placements
}

/// Whether what the daemon says of an order is the end of it, or how it is at the broker.
fn is_settled(order: &OrderReport, venue: &Value) -> bool {
    let row =
        venue["orders"].as_array().and_then(|rows| rows.iter().find(|row| is_row_of(row, order)));
    let status = row.and_then(|row| row["status"].as_str());
    use states::Order::{Declining, Parked, Ready, Replying, Sending, Unknown, Working};
    match order.state.known() {
        Some(Ready | Sending | Replying | Declining | Unknown) => false,
        Some(Working) => status.is_some_and(|status| !matches!(status, "Filled" | "Cancelled")),
        Some(Parked) => status.is_none(),
        _ => true,
    }
}

/// Whether this is an order's row: its name, and not another order that a person gave its name.
fn is_row_of(row: &Value, order: &OrderReport) -> bool {
    row["cOID"] == order.client_order_id.as_str() && row["quantity"] != 7.0
}

/// Whether an end that the daemon tells is how it is at the broker.
fn is_as_at(order: &OrderReport, venue: &Value) -> bool {
    let rows = venue["orders"].as_array().map_or(&[][..], Vec::as_slice);
    let row = rows.iter().find(|row| is_row_of(row, order));
    let status = row.and_then(|row| row["status"].as_str());
    use states::Order::{Cancelled, Denied, Expired, Filled, NotPlaced, Rejected};
    match (order.state.known(), status) {
        (Some(Filled), status) => status == Some("Filled"),
        (Some(Cancelled | Expired), status) => status == Some("Cancelled"),
        (Some(Rejected), status) if order.order_id.is_some() => status == Some("Cancelled"),
        (Some(Denied | Rejected | NotPlaced), Some(status)) => {
            status == "Cancelled" && row.is_some_and(|row| row["filled"] == 0.0)
        }
        _ => true,
    }
}
