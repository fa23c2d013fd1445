//! What happens in one run, drawn from its seed: nothing here is decided later.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::moves::{self, Deed, Vanishing};
use crate::scenes;

/// Seconds of ours in one of the daemon's, where it waits.
pub const SCALE: u64 = 50;
/// Seconds after which the daemon gives an order in doubt to a person, by its scaled clock, and one more.
pub const PARK: i64 = 600 / SCALE as i64 + 1;
/// Crash points of the daemon, in the order in which an order passes them.
pub const POINTS: [&str; 14] = [
    "journal.before",
    "journal.before_write",
    "journal.half_written",
    "journal.before_sync",
    "journal.after_sync",
    "journal.after",
    "send.before",
    "http.before",
    "http.sent",
    "http.answered",
    "send.after",
    "reply.before",
    "reply.after",
    "look.seen",
];

/// One run.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    pub through: Through,
    /// Daemons that meet a bad end, one after the other. The one after them lives.
    pub lives: Vec<Life>,
    /// Faults at the broker.
    pub broker: Broker,
    /// What clients want.
    pub wishes: Vec<Wish>,
    /// Something happens to the session, so many milliseconds after the start.
    pub session: Option<(u64, &'static str)>,
    /// A person freezes trading, so many milliseconds after the start.
    pub freeze: Option<u64>,
    /// A person approves every order, most of them with yes.
    pub approves: bool,
    /// Bytes of the journal's first segment. A small one makes the daemon begin a second.
    pub segment: u64,
    /// What happens beside all that.
    pub deeds: Vec<Deed>,
    /// A person must approve what is worth more than this.
    pub above: Option<u64>,
    /// No order may be worth more than this.
    pub max_value: Option<u64>,
    /// Prices of AAPL are in such parts of its currency.
    pub magnifier: Option<u64>,
    /// The journal's folder vanishes.
    pub vanishing: Option<Vanishing>,
}

/// How clients reach the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// The daemon's own protocol, over its socket.
    Socket,
    /// The true `ib-mcp`.
    Shim,
}

/// A daemon's life.
#[derive(Debug, Clone)]
pub struct Life {
    pub end: End,
    /// What `IBD_DISK_FAULT` says.
    pub disk: Option<String>,
    /// Seconds by which the wall clock is wrong.
    pub clock: i64,
    /// The clock jumps so many milliseconds after the start, by so many seconds.
    pub jump: Option<(u64, i64)>,
    /// What happens to the end of the journal before it begins.
    pub tear: Tear,
}

/// How a daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At a crash point, the n-th time that it is passed.
    Crash(&'static str, u64),
    /// By `kill -9`, so many milliseconds after the start.
    Kill(u64),
}

/// What happens to the journal between two daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    Nothing,
    /// So many bytes of an append that was begun stand behind the last one.
    Begun(u64),
    /// The last append, if it was not acknowledged, is there in part.
    Halved,
}

/// Faults at the broker.
#[derive(Debug, Clone, Default)]
pub struct Broker {
    /// Body of `POST /chaos`.
    pub chaos: Option<Value>,
    /// Bodies of `POST /fault`.
    pub faults: Vec<Value>,
    /// Entries of `POST /script`.
    pub scripts: Vec<Value>,
}

/// One order that somebody wants once.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which one of this run: decides quantity and key.
    pub number: u64,
    /// Milliseconds after the start.
    pub at: u64,
    pub account: &'static str,
    pub symbol: &'static str,
    pub side: &'static str,
    pub kind: Kind,
    pub price: &'static str,
    pub quantity: u64,
    pub manner: Manner,
    pub then: Then,
    /// Milliseconds before what it does then, and between its yeses.
    pub pause: u64,
    /// It looks at the order between.
    pub looks: bool,
    /// It begins only when somebody's order is there.
    pub waits: bool,
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Limit,
    Market,
    Stop,
    /// With a take-profit and a stop-loss.
    Bracket,
    /// All that is held, at the market.
    Close,
}

/// How a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As the shim does: the same key until there is an answer.
    Steady,
    /// The same key twice at once.
    Echo,
    /// A model: no answer, or none that it likes, and it calls again with a new key.
    Blind,
    /// Two clients, the same order, the same moment.
    Both,
    /// Gives up after so many milliseconds and asks again, with the same key or a new one.
    Impatient(u64, bool),
    /// Gone so many milliseconds after it asked, for good.
    Dies(u64),
    /// Says its own name for the order instead, in each of two calls.
    Named,
    /// Wants it twice, and says so.
    Twice,
}

/// What a client does once its order is at the broker, or a question has come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Nothing,
    Cancel,
    /// The same by the broker's id.
    CancelById,
    /// Every order of the account.
    CancelAll,
    /// Changes this of it.
    Modify(&'static str),
    /// Answers the question: with yes or no.
    Confirm(bool),
    /// The same with yes, twice at once.
    ConfirmTwice,
    /// The same with yes, three times, with daemons that end between.
    ConfirmOn,
}

/// The first account, and the second.
pub const ACCOUNTS: [&str; 2] = ["DU1111111", "DU2222222"];
/// Shares of each that an account holds at the beginning.
pub const HELD: i64 = 10_000;
/// Symbols, a price far below the market, one far above, and one of the market's neighbourhood.
const STOCKS: [(&str, &str, &str); 3] =
    [("AAPL", "200.00", "340.00"), ("MSFT", "350.00", "600.00"), ("IBM", "220.00", "380.00")];

impl Plan {
    /// The run of a seed.
    pub fn of(seed: u64, scene: Option<&str>) -> Self {
        let mut dice = Dice::new(seed);
        let through = if dice.percent(5) { Through::Shim } else { Through::Socket };
        let wishes = wishes(&mut dice, through);
        let mut lives = Vec::new();
        for number in 0..dice.between(1, 3) {
            // Most runs kill once or twice; the third is for those that begin to end in recovery.
            if number == 2 && dice.percent(50) {
                break;
            }
            lives.push(life(&mut dice, number > 0));
        }
        let session = ["drop", "compete", "maintenance", "logout"];
        let plan = Self {
            seed,
            through,
            broker: broker(&mut dice),
            wishes,
            session: dice.percent(8).then(|| (dice.between(20, 400), dice.pick(&session))),
            freeze: dice.percent(3).then(|| dice.between(20, 400)),
            approves: dice.percent(7),
            segment: if dice.percent(4) { 6 << 10 } else { 256 << 10 },
            lives,
            deeds: Vec::new(),
            above: None,
            max_value: None,
            magnifier: None,
            vanishing: None,
        };
        plan.with_moves(Dice::new(seed ^ 0x3e0f), scene)
    }

    /// The same with what came to the campaign later, which has dice of its own: the rest of a seed stays.
    fn with_moves(mut self, mut dice: Dice, scene: Option<&str>) -> Self {
        for wish in &mut self.wishes {
            more_wishes(&mut dice, wish);
        }
        let chaos = moves::chaos(&mut dice);
        if !chaos.is_empty() {
            let seed = dice.next() >> 12;
            let all =
                self.broker.chaos.get_or_insert_with(|| json!({ "seed": seed, "stallMs": 30 }));
            chaos.into_iter().for_each(|(name, part)| all[name] = json!(part));
        }
        for script in &mut self.broker.scripts {
            moves::script(&mut dice, script);
        }
        self.deeds = moves::deeds(&mut dice);
        let by_chance = dice.percent(25).then(|| dice.pick(&scenes::NAMES));
        if let Some(name) = scene.or(by_chance.filter(|_| self.through == Through::Socket)) {
            self.through = Through::Socket;
            scenes::set(name, &mut dice, &mut self);
        }
        self
    }

    /// Whether something may still appear at the broker when nobody speaks to it any more.
    pub fn has_late_truth(&self) -> bool {
        let text = format!("{:?}", self.broker);
        ["late", "zombie", "declined"].iter().any(|word| text.contains(word))
    }
}

/// What clients do later in the campaign's life.
fn more_wishes(dice: &mut Dice, wish: &mut Wish) {
    wish.looks = dice.percent(30);
    wish.pause = dice.between(0, 400);
    let other = dice.pick(&[
        Then::CancelById,
        Then::CancelAll,
        Then::Modify("quantity"),
        Then::Modify("tif"),
        Then::Modify("price"),
        Then::Modify("tif"),
        Then::ConfirmOn,
    ]);
    if dice.percent(40) {
        wish.then = other;
    }
}

fn life(dice: &mut Dice, is_later: bool) -> Life {
    let end = if dice.percent(65) {
        let point = dice.pick(&POINTS);
        // How often each is passed in a life, and a little more.
        let most = match point {
            "look.seen" => 1,
            point if point.starts_with("journal") => dice.pick(&[1, 2, 3, 3, 6]),
            _ => dice.pick(&[1, 1, 2, 3]),
        };
        End::Crash(point, dice.between(1, most))
    } else {
        End::Kill(dice.between(1, 600))
    };
    let disk = dice.percent(12).then(|| {
        let kind = dice.pick(&["enospc", "eio", "short", "fsync"]);
        format!("{kind}:{}{}", dice.between(1, 6), if dice.percent(50) { "+" } else { "" })
    });
    const DAY: i64 = 86_400;
    let days = [-DAY, -3_600, -30, 30, 3_600, DAY];
    let (clock, jump) = match dice.percent(12) {
        true if dice.percent(50) => (dice.pick(&days), None),
        true => (0, Some((dice.between(10, 400), dice.pick(&days)))),
        false => (0, None),
    };
    let tear = match is_later {
        true if dice.percent(15) => Tear::Begun(dice.between(1, 60)),
        true if dice.percent(50) => Tear::Halved,
        _ => Tear::Nothing,
    };
    Life { end, disk, clock, jump, tear }
}

fn wishes(dice: &mut Dice, through: Through) -> Vec<Wish> {
    let count = if through == Through::Shim { 2 } else { dice.between(1, 4) };
    (0..count)
        .map(|number| {
            let (symbol, low, high) = dice.pick(&STOCKS);
            let kind = match dice.between(0, 99) {
                0..80 => Kind::Limit,
                80..87 => Kind::Market,
                87..92 => Kind::Stop,
                _ => Kind::Bracket,
            };
            let side = if kind == Kind::Limit { dice.pick(&["BUY", "SELL"]) } else { "BUY" };
            // A limit that rests: buys below the market, sells above it. A stop to buy stands above.
            let price = if side == "SELL" || kind == Kind::Stop { high } else { low };
            Wish {
                number,
                at: if dice.percent(60) { 0 } else { dice.between(0, 500) },
                account: dice.pick(&ACCOUNTS),
                symbol,
                side,
                kind,
                price,
                quantity: 10 * (number + 1) + dice.between(1, 9),
                manner: manner(dice, through),
                then: then(dice),
                pause: 0,
                looks: false,
                waits: false,
            }
        })
        .collect()
}

fn manner(dice: &mut Dice, through: Through) -> Manner {
    match (dice.between(0, 99), through) {
        (0..60, Through::Shim) => Manner::Steady,
        (60..80, Through::Shim) => Manner::Blind,
        (_, Through::Shim) => Manner::Dies(dice.between(0, 400)),
        (0..40, _) => Manner::Steady,
        (40..50, _) => Manner::Echo,
        (50..68, _) => Manner::Blind,
        (68..76, _) => Manner::Both,
        (76..86, _) => Manner::Impatient(dice.between(5, 300), dice.percent(50)),
        (86..91, _) => Manner::Dies(dice.between(0, 120)),
        (91..96, _) => Manner::Named,
        _ => Manner::Twice,
    }
}

fn then(dice: &mut Dice) -> Then {
    match dice.between(0, 99) {
        0..60 => Then::Nothing,
        60..72 => Then::Cancel,
        72..80 => Then::Modify("price"),
        80..92 => Then::Confirm(dice.percent(70)),
        _ => Then::ConfirmTwice,
    }
}

fn broker(dice: &mut Dice) -> Broker {
    let mut broker = Broker::default();
    match dice.between(0, 99) {
        0..35 => broker.chaos = Some(chaos(dice)),
        35..75 => broker.faults = (0..dice.between(1, 3)).map(|_| fault(dice)).collect(),
        _ => {}
    }
    broker.scripts = (0..dice.between(0, 6)).map(|_| script(dice)).collect();
    broker
}

fn chaos(dice: &mut Dice) -> Value {
    let all = ["orders", "reply", "modify", "cancel", "list", "status", "trades"];
    let some = ["orders", "reply"];
    let paths: &[&str] = if dice.percent(40) { &all } else { &some };
    let part = |dice: &mut Dice, most: u64| dice.between(0, most) as f64 / 100.0;
    json!({
        "seed": dice.next() >> 12,
        "before": part(dice, 25),
        "after": part(dice, 25),
        "late": if dice.percent(30) { part(dice, 20) } else { 0.0 },
        "lateMs": dice.between(5, 150),
        // Shorter and longer than what the daemon waits for an answer.
        "stallMs": dice.pick(&[30, 400]),
        "questions": part(dice, 40),
        "zombie": if dice.percent(50) { part(dice, 60) } else { 0.0 },
        "paths": paths,
    })
}

/// Faults that are chosen, of what is sent to the broker's order endpoints only.
fn fault(dice: &mut Dice) -> Value {
    let matching = dice.pick(&["/orders", "/orders", "/orders", "/reply/", "/order/"]);
    let method = if matching == "/order/" { dice.pick(&["DELETE", "POST"]) } else { "POST" };
    let skip = dice.between(0, 2);
    let base =
        |mode: &str| json!({ "match": matching, "method": method, "mode": mode, "skip": skip });
    let with = |mode: &str, status: u16, body: Value| {
        let mut fault = base(mode);
        fault["status"] = json!(status);
        fault["body"] = body;
        fault
    };
    let duplicate = json!({
        "error": "Order couldn't be submitted: Local order ID=ibd0 is already registered."
    });
    let lost = json!({ "error": "reply id not found: '0'" });
    match dice.between(0, 19) {
        0 => base("drop"),
        1 => with("status", 503, json!({ "error": "Service Unavailable", "statusCode": 503 })),
        2 => with("status", 500, json!({ "error": "Internal Server Error" })),
        3 => base("hang"),
        4 => base("empty"),
        5 => base("malformed"),
        6 => base("html"),
        7 | 8 => base("accept_drop"),
        9 => base("accept_hang"),
        10 | 11 => base("accept_status"),
        12 => base("truncate"),
        13 => {
            let mut fault = base("delay");
            fault["delayMs"] = json!(dice.pick(&[40, 200, 450]));
            fault
        }
        14 => {
            let mut fault = base("late");
            fault["delayMs"] = json!(dice.between(1, 150));
            fault
        }
        15 => with("status", 200, duplicate),
        16 => with("accept_status", 200, duplicate),
        17 => with(dice.pick(&["status", "accept_status"]), 400, lost),
        18 => with(dice.pick(&["status", "accept_status"]), 401, json!("")),
        _ => with(
            dice.pick(&["status", "accept_status"]),
            429,
            json!({ "error": "Too many requests" }),
        ),
    }
}

fn script(dice: &mut Dice) -> Value {
    let chains: [&[&str]; 9] = [
        &[],
        &[],
        &["o163"],
        &["o163", "o354"],
        &["o451", "o383", "o10153"],
        &["o999"],
        &["o163", "o999"],
        &["o10151"],
        &["o163", "o163", "o163", "o163", "o163", "o163", "o163", "o163", "o163", "o163"],
    ];
    let mut script = json!({ "questions": dice.pick(&chains) });
    match dice.between(0, 29) {
        0 => {
            script["reject"] =
                json!("YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION")
        }
        1 => {
            script["rowStatus"] = json!(dice.pick(&["Failed", "Inactive"]));
            script["reject"] = json!("Order rejected");
        }
        2 => script["advancedReject"] = json!({ "orderId": 0, "rejectDesc": "no" }),
        3 => script["empty"] = json!(true),
        4 => script["prompt"] = json!(true),
        5..8 => script["zombie"] = json!(true),
        _ => {}
    }
    let then = dice.pick(&["market", "rest", "rest", "fill", "fill", "partial", "late_reject"]);
    script["then"] = json!(then);
    if then == "late_reject" {
        script["lateStatus"] = json!(dice.pick(&["Cancelled", "Inactive"]));
        script["reason"] = json!("No trading permissions");
    }
    script
}
