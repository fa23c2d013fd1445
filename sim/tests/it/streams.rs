//! Subscriptions on the websocket: histories, profit and loss, summary, ledger, as ibind takes them.

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::feeds::{row_of_tic, subscribed};
use crate::harness::World;
use crate::hours::frozen;
use crate::socket::{Socket, next};
use crate::tickets::ACCOUNT;

pub(crate) const OPEN: &str = "2026-11-25T18:00:00Z";

/// The next frame of which this is true.
async fn frame(socket: &mut Socket, is_it: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = next(socket).await.unwrap();
        if is_it(&frame) {
            return frame;
        }
    }
}

pub(crate) async fn of_topic(socket: &mut Socket, topic: &str) -> Value {
    frame(socket, |frame| frame["topic"] == topic).await
}

pub(crate) async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text.to_owned())).await.unwrap();
}

/// How often this topic is told of within a minute. A ledger on the same socket shows when that is over.
pub(crate) async fn heard(world: &World, socket: &mut Socket, topic: &str) -> usize {
    let witness = format!("sld+{ACCOUNT}");
    say(socket, &format!("{witness}+{{}}")).await;
    of_topic(socket, &witness).await;
    world.advance(60).await;
    let (mut count, mut end) = (0, witness.as_str());
    loop {
        let frame = next(socket).await.unwrap();
        count += usize::from(frame["topic"] == topic);
        if frame["topic"] == "tic" {
            break;
        }
        if frame["topic"] == end {
            // What was told with it is behind the answer to this.
            say(socket, "tic").await;
            end = "tic";
        }
    }
    say(socket, &format!("uld+{ACCOUNT}+{{}}")).await;
    for _ in 0..3 {
        row_of_tic(socket).await;
    }
    count
}

/// The four answers to the `tic` of `subscribed`.
pub(crate) async fn tics(socket: &mut Socket) {
    for _ in 0..4 {
        row_of_tic(socket).await;
    }
}

fn of_key<'a>(frame: &'a Value, key: &str) -> &'a Value {
    let rows = frame["result"].as_array().unwrap();
    rows.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}: {frame}"))
}

#[tokio::test]
async fn profit_and_loss_is_whole_first_and_then_what_changed() {
    let world = frozen(OPEN, "open").await;
    let mut socket = subscribed(&world, "spl").await;
    let core = format!("{ACCOUNT}.Core");
    let whole = of_topic(&mut socket, "spl").await["args"][&core].clone();
    for key in ["rowType", "dpl", "nl", "upl", "uel", "mv"] {
        assert!(whole[key].is_number(), "{key}: {whole}");
    }
    tics(&mut socket).await;
    world.market(300.0).await;
    world.advance(1).await;
    let changed = of_topic(&mut socket, "spl").await["args"][&core].clone();
    assert!(changed["upl"].as_f64().unwrap() > whole["upl"].as_f64().unwrap() + 200.0);
    for (key, value) in changed.as_object().unwrap() {
        assert!(key == "rowType" || whole[key] != *value, "{key} did not change");
    }
    assert!(heard(&world, &mut socket, "spl").await > 0);
    say(&mut socket, "upl").await;
    assert_eq!(heard(&world, &mut socket, "spl").await, 0);
}

#[tokio::test]
async fn a_summary_tells_its_keys_and_names_what_did_not_change() {
    let world = frozen(OPEN, "open").await;
    let topic = format!("ssd+{ACCOUNT}");
    let asked = r#"{"keys":["AccountCode","AccruedCash-S","NetLiquidation"],"fields":["value","currency","monetaryValue"]}"#;
    let mut socket = subscribed(&world, &format!("{topic}+{asked}")).await;
    let first = of_topic(&mut socket, &topic).await;
    assert_eq!(first["result"].as_array().unwrap().len(), 3);
    assert_eq!(of_key(&first, "AccountCode")["value"], ACCOUNT);
    let accrued = of_key(&first, "AccruedCash-S");
    assert_eq!((&accrued["monetaryValue"], &accrued["severity"]), (&json!(0.0), &json!(0)));
    tics(&mut socket).await;
    world.market(300.0).await;
    world.advance(10).await;
    let second = of_topic(&mut socket, &topic).await;
    assert_eq!(of_key(&second, "AccruedCash-S").as_object().unwrap().len(), 2, "{second}");
    assert_eq!(of_key(&second, "AccountCode")["value"], ACCOUNT, "ibind needs it every time");
    let net = |frame: &Value| of_key(frame, "NetLiquidation")["monetaryValue"].as_f64().unwrap();
    assert!(net(&second) > net(&first) + 100.0);
    say(&mut socket, &format!("usd+{ACCOUNT}")).await;
    let confirmed = frame(&mut socket, |frame| frame.get("topic").is_none()).await;
    assert_eq!(confirmed, json!({ "result": "unsubscribed from summary" }));
    say(&mut socket, "ssd+U1+{}").await;
    assert!(of_topic(&mut socket, "error").await["error"].as_str().unwrap().contains("ssd"));
}

#[tokio::test]
async fn a_ledger_comes_every_ten_seconds() {
    let world = frozen(OPEN, "open").await;
    let topic = format!("sld+{ACCOUNT}");
    let asked = r#"{"keys":["LedgerListUSD"],"fields":["cashBalance"]}"#;
    let mut socket = subscribed(&world, &format!("{topic}+{asked}")).await;
    let first = of_topic(&mut socket, &topic).await;
    let row = of_key(&first, "LedgerListUSD");
    assert_eq!((&row["acctCode"], &row["secondKey"]), (&json!(ACCOUNT), &json!("USD")));
    assert_eq!((&row["cashbalance"], row.get("exchangeRate")), (&json!(25_000.0), None));
    tics(&mut socket).await;
    world.advance(10).await;
    let second = of_topic(&mut socket, &topic).await;
    assert_eq!(of_key(&second, "LedgerListUSD").as_object().unwrap().len(), 2, "{second}");
    say(&mut socket, &format!("uld+{ACCOUNT}+{{}}")).await;
    let confirmed = frame(&mut socket, |frame| frame.get("topic").is_none()).await;
    assert_eq!(confirmed, json!({ "result": "unsubscribed from ledger" }));
    say(&mut socket, &format!("{topic}+{{}}")).await;
    let all = of_topic(&mut socket, &topic).await;
    assert!(of_key(&all, "LedgerListBASE")["netLiquidationValue"].is_number());
}

#[tokio::test]
async fn a_history_goes_on_until_it_is_ended_by_the_servers_id() {
    let world = frozen(OPEN, "open").await;
    let asked = r#"{"exchange":"NASDAQ","period":"2h","bar":"5min","outsideRth":false,"source":"trades","format":"%o/%c/%h/%l"}"#;
    let mut socket = subscribed(&world, &format!("smh+265598+{asked}")).await;
    let whole = of_topic(&mut socket, "smh+265598").await;
    let server = whole["serverId"].as_str().unwrap().to_owned();
    assert_eq!((&whole["timePeriod"], &whole["barLength"]), (&json!("7200s"), &json!(300)));
    assert_eq!((whole["data"].as_array().unwrap().len(), &whole["points"]), (24, &json!(23)));
    let bar = &whole["data"][23];
    assert!(bar["o"].is_number() && bar["t"].is_i64() && bar.get("v").is_none(), "{bar}");
    tics(&mut socket).await;
    world.market(300.0).await;
    world.advance(2).await;
    let later = of_topic(&mut socket, "smh+265598").await;
    assert_eq!(later["serverId"], server);
    assert_eq!(later["data"].as_array().unwrap().last().unwrap()["c"], 300.0);
    say(&mut socket, "umh+265598").await;
    assert!(heard(&world, &mut socket, "smh+265598").await > 0, "no id of the server's");
    say(&mut socket, &format!("umh+{server}")).await;
    let confirmed = frame(&mut socket, |frame| frame.get("message").is_some()).await;
    assert_eq!(confirmed, json!({ "message": format!("Unsubscribed {server}") }));
    assert_eq!(heard(&world, &mut socket, "smh+265598").await, 0);
}

#[tokio::test]
async fn there_are_five_histories_at_once_and_nonsense_is_the_usual() {
    let world = frozen(OPEN, "open").await;
    let mut socket = subscribed(&world, r#"smh+8314+{"period":"ever","bar":"7min"}"#).await;
    let first = of_topic(&mut socket, "smh+8314").await;
    assert_eq!((&first["timePeriod"], &first["barLength"]), (&json!("86400s"), &json!(60)));
    for conid in [265_598, 272_093, 4_815_747, 3_691_937] {
        say(&mut socket, &format!("smh+{conid}+{{}}")).await;
        let next = of_topic(&mut socket, &format!("smh+{conid}")).await;
        assert_ne!(next["serverId"], first["serverId"]);
    }
    say(&mut socket, "smh+11031+{}").await;
    assert!(of_topic(&mut socket, "error").await["error"].as_str().unwrap().starts_with("smh"));
    say(&mut socket, &format!("umh+{}", first["serverId"].as_str().unwrap())).await;
    frame(&mut socket, |frame| frame.get("message").is_some()).await;
    say(&mut socket, "smh+11031+{}").await;
    of_topic(&mut socket, "smh+11031").await;
}
