//! What a client takes for this machine, and order writes against a gateway that does what gateways do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{Address, Sent, unreadable};
use crate::failure::Failure;
use crate::orders::{CancelOrder, CancelTarget, SendReply};
use crate::pin::Pin;
use crate::testing::{Gateway, Then, client, until};

fn reply() -> SendReply {
    SendReply { reply_id: "07a1".parse().unwrap(), confirmed: true }
}

fn soon(millis: u64) -> Instant {
    Instant::now() + Duration::from_millis(millis)
}

#[tokio::test]
async fn an_answer_is_handed_on_whatever_it_says() {
    for (status, body) in [(200, "[]"), (400, "{}"), (401, ""), (503, "<html>")] {
        let mut gateway = Gateway::start(Then::Answer(status, body)).await;
        let (client, door) = gateway.client(Pin::default());
        let sent = client.send(&reply(), soon(5_000)).await;
        assert_eq!(sent, Sent::Answered { status, body: body.to_owned() });
        let request = gateway.requests.recv().await.unwrap();
        assert!(request.starts_with("POST /v1/api/iserver/reply/07a1 HTTP/1.1"), "{request}");
        assert!(request.contains("content-length: 18"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"confirmed\":true}"), "{request}");
        assert_eq!(door.load().in_flight, 0);
    }
}

#[tokio::test]
async fn a_cancellation_is_a_delete_without_a_body() {
    let mut gateway = Gateway::start(Then::Answer(200, "{}")).await;
    let (client, _) = gateway.client(Pin::default());
    let cancel = CancelOrder {
        account: "DU1234567".parse().unwrap(),
        target: CancelTarget::Order("7".parse().unwrap()),
        manual_indicator: None,
        ext_operator: None,
    };
    assert!(matches!(client.send(&cancel, soon(5_000)).await, Sent::Answered { .. }));
    let request = gateway.requests.recv().await.unwrap();
    assert!(request.starts_with("DELETE /v1/api/iserver/account/DU1234567/order/7 HTTP/1.1"));
    assert!(request.ends_with("\r\n\r\n"), "{request}");
}

#[tokio::test]
async fn what_breaks_on_the_way_is_ambiguous_and_is_not_sent_again() {
    for then in [Then::Drop, Then::DropInside] {
        let mut gateway = Gateway::start(then).await;
        let (client, door) = gateway.client(Pin::default());
        let sent = client.send(&reply(), soon(5_000)).await;
        assert_eq!(sent, Sent::Ambiguous(Failure::Broke), "{then:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(gateway.count(), 1, "{then:?}");
        assert_eq!(door.load().in_flight, 0);
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_not_read_to_its_end() {
    let gateway = Gateway::start(Then::Endless).await;
    let (client, door) = gateway.client(Pin::default());
    let sent = client.send(&reply(), soon(60_000)).await;
    let Sent::Ambiguous(Failure::Garbled { what, .. }) = sent else { panic!("{sent:?}") };
    assert!(what.contains("16 MiB"), "{what}");
    assert_eq!(door.load().in_flight, 0);
}

#[tokio::test]
async fn a_deadline_while_it_is_under_way_is_ambiguous_and_the_place_stays_taken() {
    let mut gateway = Gateway::start(Then::AnswerAfter(Duration::from_secs(1), "[]")).await;
    let (client, door) = gateway.client(Pin::default());
    let sent = client.send(&reply(), soon(300)).await;
    assert!(matches!(sent, Sent::Ambiguous(Failure::Silent(_))), "{sent:?}");
    assert_eq!(door.load().in_flight, 1);
    until(|| door.load().in_flight == 0).await;
    assert_eq!(gateway.count(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_stop_what_is_under_way() {
    let mut gateway = Gateway::start(Then::AnswerAfter(Duration::from_secs(1), "[]")).await;
    let (client, door) = gateway.client(Pin::default());
    let (reply, patience) = (reply(), Duration::from_millis(200));
    let left = tokio::time::timeout(patience, client.send(&reply, soon(9_000))).await;
    assert!(left.is_err());
    assert_eq!(door.load().in_flight, 1);
    until(|| door.load().in_flight == 0).await;
    assert_eq!(gateway.count(), 1);
}

#[tokio::test]
async fn identical_writes_are_two_writes() {
    let mut gateway = Gateway::start(Then::AnswerAfter(Duration::from_millis(50), "[]")).await;
    let (client, _) = gateway.client(Pin::default());
    let reply = reply();
    tokio::join!(client.send(&reply, soon(5_000)), client.send(&reply, soon(5_000)));
    assert_eq!(gateway.count(), 2);
}

#[tokio::test]
async fn what_certainly_did_not_leave_is_not_sent() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (nobody, door) = client(free, Pin::default());
    let sent = nobody.send(&reply(), soon(5_000)).await;
    assert!(matches!(sent, Sent::NotSent(Failure::Unreachable(_))), "{sent:?}");
    assert_eq!(door.load().in_flight, 0);

    let mut gateway = Gateway::start(Then::Answer(200, "[]")).await;
    let (stranger, _) = gateway.client(Pin::fingerprint("00"));
    let sent = stranger.send(&reply(), soon(5_000)).await;
    assert_eq!(sent, Sent::NotSent(Failure::OtherCertificate));

    let (late, _) = gateway.client(Pin::default());
    let sent = late.send(&reply(), Instant::now() - Duration::from_millis(1)).await;
    assert_eq!(sent, Sent::NotSent(Failure::Queued));
    assert_eq!(gateway.count(), 0);
}

#[tokio::test]
async fn a_write_that_gets_no_turn_in_time_is_not_sent() {
    let mut gateway = Gateway::start(Then::Hang).await;
    let (client, door) = gateway.client(Pin::default());
    let reply = reply();
    let hanging = || client.send(&reply, soon(200));
    tokio::join!(hanging(), hanging(), hanging(), hanging());
    let sent = client.send(&reply, soon(200)).await;
    assert_eq!(sent, Sent::NotSent(Failure::Queued));
    assert_eq!(door.load().queued, 0);
    for _ in 0..4 {
        gateway.requests.recv().await.unwrap();
    }
    assert_eq!(gateway.count(), 0);
}

#[tokio::test]
async fn a_rate_limit_is_an_answer_and_closes_the_door() {
    let mut gateway = Gateway::start(Then::Answer(429, "Too Many Requests")).await;
    let (client, _) = gateway.client(Pin::default());
    let sent = client.send(&reply(), soon(5_000)).await;
    assert_eq!(sent, Sent::Answered { status: 429, body: "Too Many Requests".into() });
    let again = client.send(&reply(), soon(5_000)).await;
    assert!(matches!(again, Sent::NotSent(Failure::RateLimited(_))), "{again:?}");
    assert_eq!(gateway.count(), 1);
}

fn address(host: &str) -> Address {
    Address { host: host.into(), port: 5000, pin: Pin::default() }
}

#[test]
fn only_this_machine_is_loopback() {
    for host in ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST"] {
        assert!(address(host).is_loopback(), "{host}");
    }
    for host in ["10.0.0.1", "localhost.evil.example", "example.com", "0.0.0.0"] {
        assert!(!address(host).is_loopback(), "{host}");
    }
    assert_eq!(address("::1").url(), "https://[::1]:5000");
    let usual = Address { port: 443, ..address("api.ibkr.com") };
    assert_eq!(usual.url(), "https://api.ibkr.com", "as it is signed");
}

#[test]
fn what_was_no_data_is_named() {
    fn name(body: &str) -> String {
        match serde_json::from_str::<Vec<u8>>(body) {
            Ok(_) => String::new(),
            Err(error) => unreadable(body, &error),
        }
    }
    assert_eq!(name(""), "an empty body");
    assert_eq!(name("<html>"), "an HTML page instead of data");
    assert_eq!(name("[1,"), "data that is cut off in the middle");
    assert!(name("{}").starts_with("data of another shape"));
}
