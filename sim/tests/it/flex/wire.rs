//! What only shows on a socket: hosts, pieces, faults.

use serde_json::json;
use std::time::{Duration, Instant};

use super::xml::inner;
use super::{BASE, code};
use crate::harness::{Answer, World};

const QUICK: &str = r#"{"flexPacing":false,"flex":{"generateMillis":0,"polls":0}}"#;

/// One request for this host; the body without its chunks.
async fn ask(world: &World, host: &str, path: &str) -> Answer {
    let request = format!(
        "GET {BASE}/{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Java/1.8\r\nConnection: close\r\n\r\n"
    );
    let mut answer = world.raw(&request).await.unwrap();
    if answer.head.contains("transfer-encoding: chunked") {
        answer.text = joined(&answer.text);
    }
    answer
}

fn joined(text: &str) -> String {
    let (mut whole, mut rest) = (Vec::new(), text.as_bytes());
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return String::from_utf8(whole).unwrap();
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
}

async fn send(world: &World, query: &str) -> String {
    let path = format!("SendRequest?t=sim-flex-token&v=3&q={query}");
    ask(world, world.address(), &path).await.text
}

async fn get(world: &World, host: &str, sent: &str) -> String {
    let reference = inner(sent, "ReferenceCode").unwrap();
    ask(world, host, &format!("GetStatement?t=sim-flex-token&v=3&q={reference}")).await.text
}

#[tokio::test]
async fn the_address_is_the_one_that_was_asked_or_its_twin() {
    let world = World::start(QUICK).await;
    let (here, twin) = (world.address(), world.address().replace("127.0.0.1", "localhost"));
    let sent = send(&world, "1003").await;
    assert_eq!(inner(&sent, "Url").unwrap(), format!("http://{here}{BASE}/GetStatement"));
    assert!(get(&world, &twin, &sent).await.contains("<FlexQueryResponse "));
    world.tell("/flex", json!({ "urlSwap": true })).await;
    let sent = send(&world, "1003").await;
    assert_eq!(inner(&sent, "Url").unwrap(), format!("http://{twin}{BASE}/GetStatement"));
    assert_eq!(code(&get(&world, here, &sent).await), 1017);
    assert!(get(&world, &twin, &sent).await.contains("<FlexQueryResponse "));
    world.tell("/flex", json!({ "twinCode": 1003 })).await;
    assert_eq!(code(&get(&world, here, &sent).await), 1003);
    world.tell("/flex", json!({ "urlSwap": false, "urlHost": "flex.example" })).await;
    let sent = send(&world, "1003").await;
    assert_eq!(inner(&sent, "Url").unwrap(), format!("http://flex.example{BASE}/GetStatement"));
}

#[tokio::test]
async fn replies_go_wrong_as_asked() {
    let world = World::start(QUICK).await;
    let sent = send(&world, "1004").await;
    let whole = get(&world, world.address(), &sent).await;
    world.tell("/flex", json!({ "truncate": 0.25 })).await;
    let part = get(&world, world.address(), &sent).await;
    assert!(part.len() == whole.len() / 4 && whole.starts_with(&part));
    world.tell("/flex", json!({ "truncate": 0, "html": true })).await;
    let page = ask(&world, world.address(), "SendRequest?t=sim-flex-token&v=3&q=1003").await;
    assert!(page.status == 200 && page.head.contains("text/html"));
    assert!(page.text.contains("maintenance"));
    world.tell("/flex", json!({ "html": false, "delayMs": 150 })).await;
    let before = Instant::now();
    send(&world, "1003").await;
    assert!(before.elapsed() >= Duration::from_millis(150));
    world.tell("/flex", json!({ "delayMs": 0 })).await;
    world.tell("/fault", json!({ "match": "GetStatement", "mode": "truncate" })).await;
    let half = get(&world, world.address(), &sent).await;
    assert_eq!(half.len(), whole.len() / 2);
    world.tell("/fault", json!({ "match": "FlexWebService", "mode": "status" })).await;
    let refused = ask(&world, world.address(), "SendRequest?t=sim-flex-token&v=3&q=1003").await;
    assert_eq!(refused.status, 503);
    world.tell("/fault", json!({ "match": "FlexWebService", "mode": "drop" })).await;
    let request = format!("GET {BASE}/SendRequest HTTP/1.1\r\nHost: x\r\nUser-Agent: a/1\r\n\r\n");
    assert!(world.raw(&request).await.is_none());
}

#[tokio::test]
async fn a_large_statement_comes_in_pieces_and_a_client_that_goes_ends_it() {
    let world = World::start(QUICK).await;
    world.tell("/flex", json!({ "sizeMb": 4 })).await;
    let sent = send(&world, "1007").await;
    let reference = inner(&sent, "ReferenceCode").unwrap();
    let path = format!("GetStatement?t=sim-flex-token&v=3&q={reference}");
    let whole = ask(&world, world.address(), &path).await;
    assert!(whole.head.contains("text/xml") && whole.head.contains("chunked"), "{}", whole.head);
    assert!(whole.text.len() > 3_000_000 && whole.text.ends_with("</FlexQueryResponse>\n"));
    let going = Duration::from_millis(5);
    let _ = tokio::time::timeout(going, ask(&world, world.address(), &path)).await;
    assert!(send(&world, "1003").await.contains("Success"), "it goes on");
}

#[tokio::test]
async fn it_is_not_paced_with_the_other_service() {
    let world = World::start(r#"{"perSecond":1,"flexPacing":false}"#).await;
    world.get("/tickle").await;
    for _ in 0..5 {
        assert!(send(&world, "1003").await.contains("Success"));
    }
}
