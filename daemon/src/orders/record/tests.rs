#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use super::*;
use crate::orders::asked::{Attached, Pricing};
use crate::orders::change::Change;
use crate::orders::guardrails::tests::order;
use crate::orders::intent::{Origin, Seed};
use crate::orders::life::tests::{every_state, now};
use crate::orders::life::{End, NotPlaced, Question};
use crate::orders::order::Purpose;
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::{Side, Tif};

const ID: &str = "01KB0000000000000000000000";

fn price(text: &str) -> Price {
    Price::new(text.parse().unwrap())
}

fn bracket() -> Order {
    let mut order = order(Side::Buy, "10", Pricing::Limit(price("180.50")));
    order.attached = Attached::Bracket {
        take_profit: Some(price("190")),
        stop_loss: Some(price("175")),
        stop_loss_limit: None,
    };
    order
}

fn intent(purpose: Purpose, state: State) -> Record {
    let order = bracket();
    let seed = Seed {
        purpose,
        account: order.account.clone(),
        text: order.shown(),
        order: Some(order),
        origin: Origin {
            client: "claude".into(),
            tool: "place_order".into(),
            key: "7".into(),
            hash: "h".into(),
            bound: vec![("max_order_value".into(), "1000".into())],
        },
    };
    let mut intent = Intent::new(ID.parse().unwrap(), seed, state, now()).unwrap();
    (intent.born, intent.boot, intent.known_at) = (None, None, None);
    intent.parts_known_at = None;
    Record::Intent(Box::new(intent))
}

/// One of each kind that is written today.
fn every_record() -> Vec<Record> {
    let id: IntentId = ID.parse().unwrap();
    let mut all = vec![
        Record::Started { build: "0.1.0+abc".into() },
        intent(Purpose::Place, State::Ready),
        intent(
            Purpose::Modify {
                order_id: "7".parse().unwrap(),
                of: Some(id),
                change: Change { tif: Some(Tif::Gtc), ..Change::default() },
            },
            State::Ready,
        ),
        intent(Purpose::Cancel { order_id: "7".parse().unwrap(), of: Some(id) }, State::Ready),
        intent(Purpose::CancelAll, State::Ready),
    ];
    let asked = vec![Question { id: Some("o163".into()), text: "Sure?".into() }];
    let ends = [
        NotPlaced::Declined("a person".into()),
        NotPlaced::NotSent("no route".into()),
        NotPlaced::Asked(asked),
        NotPlaced::Restarted(true),
    ];
    let ends = ends.map(|why| State::Over(End::NotPlaced(why)));
    for state in every_state().into_iter().chain(ends) {
        let sent_at = matches!(state, State::Sending).then(now);
        let through = sent_at.map(|_| Through {
            gateway: "the gateway at localhost:5000".into(),
            login: Some("jdoe".into()),
        });
        let boot = sent_at.map(|_| Boot { id: "b".into(), millis: 7 });
        let by = "the broker".into();
        let state = Box::new(state);
        all.push(Record::Became { id, state, sent_at, through, boot, by });
    }
    all.extend([
        Record::Frozen { by: "ibctl".into() },
        Record::Unfrozen { by: "ibctl".into() },
        Record::Note { id: Some(id), text: "seen by a person".into() },
        Record::Amended { id, text: "changed".into(), order: Box::new(bracket()) },
    ]);
    all
}

fn file() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/orders/record/examples.jsonl"))
}

/// A line that was written once is never taken away: what no longer loads is lost to whoever has it in
/// a journal. With `BLESS=1` what is new is added at the end.
#[test]
fn what_was_ever_written_still_loads() {
    let mut text = std::fs::read_to_string(file()).unwrap_or_default();
    let missing: Vec<String> = every_record()
        .iter()
        .map(|record| String::from_utf8(record.to_bytes().unwrap()).unwrap())
        .filter(|line| !text.lines().any(|known| known == line))
        .collect();
    if std::env::var_os("BLESS").is_some() {
        text.extend(missing.iter().map(|line| format!("{line}\n")));
        std::fs::write(file(), &text).unwrap();
    } else {
        assert!(
            missing.is_empty(),
            "not in examples.jsonl, add them with BLESS=1:\n{}",
            missing.join("\n")
        );
    }
    for line in text.lines() {
        let record = Record::from_bytes(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
        let again = Record::from_bytes(&record.to_bytes().unwrap()).unwrap();
        assert_eq!(again, record, "{line}");
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for record in every_record() {
        assert_eq!(Record::from_bytes(&record.to_bytes().unwrap()).unwrap(), record);
    }
}
