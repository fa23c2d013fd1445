//! What happens beside the clients, drawn from the seed: a person at TWS, a broker that says one thing and does
//! another, a market that moves, a journal that vanishes.

use serde_json::{Value, json};

use crate::dice::Dice;

/// Something that is done once.
#[derive(Debug, Clone)]
pub struct Deed {
    pub at: At,
    pub act: Act,
}

/// When it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// So many milliseconds after the start.
    Start(u64),
    /// So many milliseconds after an order is there that it can be done to.
    Order(u64),
}

/// What is done.
#[derive(Debug, Clone)]
pub enum Act {
    /// A person at TWS changes this of an order.
    Change(&'static str),
    /// A person at TWS cancels one.
    Cancel,
    /// A person at TWS sells so many AAPL of the first account, at once.
    Sell(u64),
    /// A person at TWS enters an order of their own.
    Enter,
    /// The same under the name of one of ours, on the other side; ours is hidden for so many milliseconds.
    EnterAsOurs { hides: u64 },
    /// The broker shows this status for so many milliseconds, whatever is true.
    Status { status: &'static str, millis: u64 },
    /// It pushes that an order is filled, of which nothing is, and takes that back; its page cannot be read then.
    Glimpse,
    /// A cancelled order works again; whether nobody is told.
    Revive { silent: bool },
    /// A cancelled order is filled, and nobody is told.
    FillLate,
    /// The quotes of all contracts are -1 for so many milliseconds.
    NoQuotes(u64),
    /// No ledger has rates, for so many milliseconds.
    NoRates(u64),
    /// What becomes of the next change and the next end.
    Next(Value),
    /// This contract costs so many times as much from now on, and the clock goes back by 30 s, so that no look
    /// from before is taken for a fresh one.
    Jump { conid: u64, last: u64 },
}

/// How the journal's folder vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanishing {
    /// Between two daemons: moved away, or removed.
    Between { is_moved: bool },
    /// Under a running one, so many milliseconds after its start.
    Under { is_moved: bool, millis: u64 },
}

/// Deeds of one run; in most there are none.
pub fn deeds(dice: &mut Dice) -> Vec<Deed> {
    let mut deeds = Vec::new();
    if dice.percent(40) {
        for _ in 0..dice.between(1, 2) {
            deeds.push(person(dice));
        }
    }
    if dice.percent(15) {
        deeds.push(Deed { at: At::Order(dice.between(0, 150)), act: status(dice) });
    }
    if dice.percent(10) {
        deeds.push(Deed { at: At::Order(dice.between(0, 100)), act: Act::Glimpse });
    }
    if dice.percent(12) {
        deeds.push(ending(dice));
    }
    if dice.percent(6) {
        let act = Act::NoQuotes(dice.between(50, 500));
        deeds.push(Deed { at: At::Start(dice.between(0, 400)), act });
    }
    if dice.percent(5) {
        let act = Act::NoRates(dice.between(50, 800));
        deeds.push(Deed { at: At::Start(dice.between(0, 300)), act });
    }
    if dice.percent(12) {
        let words = ["ignore", "error:Request timeout", "error:Order rejected"];
        let next = if dice.percent(60) {
            json!({ "change": dice.pick(&words) })
        } else {
            json!({ "cancel": dice.pick(&words) })
        };
        deeds.push(Deed { at: At::Start(0), act: Act::Next(next) });
    }
    deeds
}

/// A person at TWS.
fn person(dice: &mut Dice) -> Deed {
    let act = match dice.between(0, 99) {
        0..60 => Act::Change(dice.pick(&["quantity", "price", "tif"])),
        60..75 => Act::Cancel,
        75..88 => Act::Enter,
        _ => Act::EnterAsOurs { hides: 0 },
    };
    let millis = dice.between(0, 200);
    let at = if dice.percent(80) { At::Order(millis) } else { At::Start(3 * millis) };
    Deed { at, act }
}

fn status(dice: &mut Dice) -> Act {
    let words = [
        "Submitted",
        "PreSubmitted",
        "PendingSubmit",
        "Cancelled",
        "Inactive",
        "Strange",
        "Filled",
    ];
    Act::Status { status: dice.pick(&words), millis: dice.between(20, 400) }
}

/// What comes after the end of an order; somebody has to end it first.
fn ending(dice: &mut Dice) -> Deed {
    let act =
        if dice.percent(50) { Act::Revive { silent: dice.percent(50) } } else { Act::FillLate };
    Deed { at: At::Order(dice.between(0, 200)), act }
}

/// More of what the broker does by chance.
pub fn chaos(dice: &mut Dice) -> Vec<(&'static str, f64)> {
    let all = [
        ("errors", 50),
        ("refusals", 30),
        ("rowOrder", 100),
        ("localIds", 100),
        ("noLocalIds", 100),
        ("declined", 80),
        ("spelling", 100),
        ("ignoredChanges", 60),
        ("ignoredCancels", 40),
    ];
    if !dice.percent(45) {
        return Vec::new();
    }
    let mut some = Vec::new();
    for (name, most) in all {
        if dice.percent(40) {
            some.push((name, dice.between(5, most) as f64 / 100.0));
        }
    }
    some
}

/// What is added to a script.
pub fn script(dice: &mut Dice, script: &mut Value) {
    let texts = [
        "Request timeout",
        "Internal Server Error",
        "Unknown error, please check order status",
        "parent accepted, child rejected",
        "Order rejected",
        "BAD REPLY ID",
    ];
    match dice.between(0, 99) {
        0..6 => script["error"] = json!(dice.pick(&texts)),
        6..12 => script["rows"] = json!("reversed"),
        12..15 => script["rows"] = json!("noIds"),
        15..25 => script["declinedRises"] = json!(true),
        _ => {}
    }
}
