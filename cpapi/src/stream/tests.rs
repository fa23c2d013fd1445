//! A conversation with a server in the same process, and the frames that were seen on the wire.
#![allow(clippy::unwrap_used, clippy::panic)]

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::*;
use crate::client::Address;
use crate::pin::Pin;
use crate::testing::{Gateway, Then};

type Server = WebSocketStream<DuplexStream>;

const HELLO: &str = r#"{"topic":"system","success":"jdoe1","isFT":false,"isPaper":false}"#;
const BEAT: &str = r#"{"topic":"system","hb":1790000010501}"#;

/// Both ends of a websocket: ours only shaken hands, and the server's.
async fn pair() -> (WebSocketStream<dial::Connection>, Server) {
    let (ours, theirs) = tokio::io::duplex(1 << 18);
    let url = "ws://localhost/v1/api/ws".to_owned();
    let (ours, theirs) =
        tokio::join!(dial::shake_hands(url, None, Box::new(ours)), accept_async(theirs));
    (ours.unwrap(), theirs.unwrap())
}

/// A stream that has been greeted, and its server.
async fn open() -> (Stream, Server) {
    let (ours, mut server) = pair().await;
    server.send(Message::binary(HELLO)).await.unwrap();
    let mut stream = Stream::begin(ours, &SessionName("5e55".into())).await.unwrap();
    assert_eq!(heard(&mut server).await, r#"{"session":"5e55"}"#);
    assert_eq!(stream.next().await, Ok(Update::System));
    (stream, server)
}

async fn heard(server: &mut Server) -> String {
    match server.next().await.unwrap().unwrap() {
        Message::Text(text) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_before_the_brokers_side_is_there() {
    let (ours, mut server) = pair().await;
    let opening =
        tokio::spawn(async move { Stream::begin(ours, &SessionName("5e55".into())).await });
    server.send(Message::Ping(vec![1].into())).await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_secs(5), async {
        // The answer to the ping is the library's; it proves nothing.
        while !matches!(server.next().await, Some(Ok(Message::Text(_)))) {}
    });
    assert!(quiet.await.is_err());
    server.send(Message::text(r#"{"message":"waiting for session"}"#)).await.unwrap();
    assert_eq!(heard(&mut server).await, r#"{"session":"5e55"}"#);
    assert_eq!(opening.await.unwrap().unwrap().next().await, Ok(Update::Other(String::new())));
}

#[tokio::test(start_paused = true)]
async fn topics_are_subscribed_in_the_brokers_grammar() {
    let (mut stream, mut server) = open().await;
    stream.subscribe(Topic::Orders).await.unwrap();
    stream.subscribe(Topic::Executions { days: 3 }).await.unwrap();
    assert_eq!(heard(&mut server).await, "sor+{}");
    assert_eq!(heard(&mut server).await, r#"str+{"realtimeUpdatesOnly":false,"days":3}"#);
    let quotes = Topic::Quotes { conid: "265598".parse().unwrap() };
    stream.subscribe(quotes).await.unwrap();
    let said = heard(&mut server).await;
    assert!(said.starts_with(r#"smd+265598+{"fields":["31","84","86","#), "{said}");
    for (topic, words) in [
        (Topic::Orders, "uor+{}"),
        (Topic::Executions { days: 3 }, "utr"),
        (quotes, "umd+265598+{}"),
    ] {
        stream.unsubscribe(topic).await.unwrap();
        assert_eq!(heard(&mut server).await, words);
    }
}

#[tokio::test(start_paused = true)]
async fn values_of_a_contract_come_first_whole_and_then_as_they_change() {
    let (mut stream, mut server) = open().await;
    let quotes = Topic::Quotes { conid: "265598".parse().unwrap() };
    for (frame, last, bid) in [
        (
            r#"{"topic":"smd+265598","conid":265598,"conidEx":"265598","server_id":"q12","6119":"q12",
                "_updated":1790000000123,"31":"271.55","83":0.56,"84":"271.54"}"#,
            Some("271.55"),
            Some("271.54"),
        ),
        (
            r#"{"topic":"smd+265598","conid":265598,"_updated":1790000000456,"84":"271.53"}"#,
            None,
            Some("271.53"),
        ),
    ] {
        server.send(Message::binary(frame)).await.unwrap();
        let update = stream.next().await.unwrap();
        assert!(quotes.tells(&update) && !Topic::Orders.tells(&update));
        let Update::Quotes(row) = update else { panic!("{update:?}") };
        let number = |field| row.number(field).map(|number| number.to_string());
        assert_eq!((number(Field::Last).as_deref(), number(Field::Bid).as_deref()), (last, bid));
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_beats_is_kept_alive_and_one_that_does_not_is_dead() {
    let (mut stream, mut server) = open().await;
    let start = Instant::now();
    let serving = tokio::spawn(async move {
        let mut tics = 0;
        for _ in 0..13 {
            tokio::time::sleep(Duration::from_secs(10)).await;
            server.send(Message::binary(BEAT)).await.unwrap();
        }
        while let Ok(Some(Ok(Message::Text(text)))) =
            tokio::time::timeout(Duration::from_secs(1), server.next()).await
        {
            assert_eq!(text.as_str(), "tic");
            tics += 1;
        }
        (tics, server)
    });
    for _ in 0..13 {
        assert_eq!(stream.next().await, Ok(Update::Heartbeat(1_790_000_010_501)));
    }
    assert_eq!(stream.next().await, Err(Failure::Silent(SILENCE)));
    assert_eq!(start.elapsed().as_secs(), 155);
    assert_eq!(serving.await.unwrap().0, 2, "one a minute");
}

#[tokio::test(start_paused = true)]
async fn a_next_that_is_dropped_loses_nothing() {
    let (mut stream, mut server) = open().await;
    let dropped = tokio::time::timeout(Duration::from_secs(1), stream.next()).await;
    assert!(dropped.is_err());
    server.send(Message::binary(BEAT)).await.unwrap();
    assert_eq!(stream.next().await, Ok(Update::Heartbeat(1_790_000_010_501)));
}

#[tokio::test(start_paused = true)]
async fn a_close_is_the_end_and_so_is_a_broken_connection() {
    let (mut stream, mut server) = open().await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    server.close(Some(frame)).await.unwrap();
    assert_eq!(stream.next().await, Err(Failure::Broke));
    assert_eq!(stream.next().await, Err(Failure::Broke));

    let (mut stream, server) = open().await;
    drop(server);
    assert_eq!(stream.next().await, Err(Failure::Broke));
    assert!(stream.subscribe(Topic::Orders).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text_and_frames_of_the_gateways_full_size_do_no_harm() {
    let (mut stream, mut server) = open().await;
    server.send(Message::binary(vec![0xff, 0xfe, b'{'])).await.unwrap();
    let broken = [br#"{"topic":"ntf","args":{"text":"a"#, &[0xff][..], br#"b"}}"#].concat();
    server.send(Message::binary(broken)).await.unwrap();
    let row = r#"{"orderId":1,"status":"Submitted"}"#;
    let rows = vec![row; 65_000 / (row.len() + 1)].join(",");
    server.send(Message::binary(format!(r#"{{"topic":"sor","args":[{rows}]}}"#))).await.unwrap();
    assert_eq!(stream.next().await, Ok(Update::Other(String::new())));
    assert_eq!(stream.next().await, Ok(Update::Notice("a\u{fffd}b".into())));
    let Ok(Update::Orders(deltas)) = stream.next().await else { panic!("orders") };
    assert!(deltas.len() > 1_800);
}

/// The socket's side of a test's gateway: greets, wants the session, and tells of one order.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, request: &str) {
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key").then_some(value)
    });
    let accept = derive_accept_key(key.unwrap().as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    io.write_all(head.as_bytes()).await.unwrap();
    let mut server = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    server.send(Message::binary(HELLO)).await.unwrap();
    let session = server.next().await.unwrap().unwrap();
    assert_eq!(session, Message::text(r#"{"session":"5e55"}"#));
    assert_eq!(server.next().await.unwrap().unwrap(), Message::text("sor+{}"));
    let row = r#"{"topic":"sor","args":[{"orderId":7,"status":"Filled"}]}"#;
    server.send(Message::binary(row)).await.unwrap();
    let _ = server.next().await;
}

#[tokio::test]
async fn a_stream_is_opened_with_the_session_of_a_tickle_and_the_trust_of_every_request() {
    let mut gateway = Gateway::start_with(|request| {
        if request.contains("GET /v1/api/ws ") {
            Then::Socket
        } else {
            Then::Answer(200, r#"{"session":"5e55","userId":1}"#)
        }
    })
    .await;
    let pin = Pin::default();
    let (client, _) = gateway.client(pin.clone());
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut stream = Stream::open(&client, deadline).await.unwrap();
    assert!(gateway.requests.recv().await.unwrap().starts_with("GET /v1/api/tickle "));
    stream.subscribe(Topic::Orders).await.unwrap();
    assert_eq!(stream.next().await, Ok(Update::System));
    let Ok(Update::Orders(deltas)) = stream.next().await else { panic!("orders") };
    assert_eq!(deltas[0].status, Some(crate::orders::Stage::Filled));

    // Another gateway at the place of the first one shows another certificate.
    let other = Gateway::start(Then::Socket).await;
    let address = Address { host: "127.0.0.1".into(), port: other.port, pin };
    let refused = dial::dial(&address, None).await.err().unwrap();
    assert_eq!(refused, Failure::OtherCertificate);
}

#[tokio::test]
async fn a_stream_that_does_not_open_says_why() {
    let open = async |then, millis| {
        let gateway = Gateway::start_with(move |request| {
            if request.contains("/tickle ") {
                Then::Answer(200, r#"{"session":"5e55"}"#)
            } else {
                then
            }
        });
        let (client, _) = gateway.await.client(Pin::default());
        Stream::open(&client, Instant::now() + Duration::from_millis(millis)).await.err().unwrap()
    };
    assert_eq!(open(Then::Answer(401, ""), 20_000).await, Failure::NotLoggedIn);
    assert!(matches!(
        open(Then::Answer(503, "x"), 20_000).await,
        Failure::Trouble { status: 503, .. }
    ));
    assert!(matches!(open(Then::Hang, 700).await, Failure::Silent(_)));

    let gateway = Gateway::start(Then::Answer(200, r#"{"error":"no session"}"#)).await;
    let (client, _) = gateway.client(Pin::default());
    let refused = Stream::open(&client, Instant::now() + Duration::from_secs(5)).await.err();
    assert_eq!(refused, Some(Failure::NotLoggedIn));
}

#[test]
fn every_frame_that_was_seen_has_its_meaning() {
    let status = |authenticated, competing| Update::Status { authenticated, competing };
    let other = |topic: &str| Update::Other(topic.to_owned());
    for (text, expected) in [
        (HELLO, Update::System),
        (BEAT, Update::Heartbeat(1_790_000_010_501)),
        (
            r#"{"topic":"tic","alive":true,"id":"0123","lastAccessed":1790000012345}"#,
            Update::System,
        ),
        (
            r#"{"topic":"sts","args":{"connected":true,"authenticated":true,"competing":false,"message":"","fail":""}}"#,
            status(Some(true), Some(false)),
        ),
        (r#"{"topic":"sts","args":{"competing":false}}"#, status(None, Some(false))),
        (r#"{"args":{"authenticated":false}}"#, status(Some(false), None)),
        (r#"{"topic":"sts","args":{"connected":true}}"#, other("sts")),
        (r#"{"topic":"act","args":{"accounts":["DU1"]}}"#, other("act")),
        (
            r#"{"topic":"ntf","args":{"id":"1","title":"FYI","text":"<b>Hello</b>","url":"x"}}"#,
            Update::Notice("FYI: Hello".into()),
        ),
        (
            r#"{"topic":"blt","args":{"id":"1","message":"Closed"}}"#,
            Update::Notice("Closed".into()),
        ),
        (r#"{"topic":"error","error":"no permission"}"#, Update::Error("no permission".into())),
        (r#"{"topic":"sor","args":[]}"#, Update::Orders(vec![])),
        (r#"{"topic":"sor","args":[{"conid":1},{"orderId":"x"}]}"#, Update::Orders(vec![])),
        (r#"{"topic":"str","args":[]}"#, Update::Executions(vec![])),
        (r#"{"topic":"sor"}"#, other("sor")),
        (r#"{"topic":"smd+265598","31":"271.55"}"#, other("smd+265598")),
        (r#"{"topic":"spl","args":{"U1.Core":{"dpl":-12.3}}}"#, other("spl")),
        (r#"{"result":"unsubscribed from summary"}"#, other("")),
        ("ech+hb", other("")),
        ("", other("")),
        ("[1]", other("")),
        ("null", other("")),
    ] {
        assert_eq!(frame::read(text), expected, "{text}");
    }
}

#[test]
fn an_order_that_lives_is_told_in_pieces() {
    let read = |text: &str| match frame::read(text) {
        Update::Orders(mut rows) => rows.remove(0),
        other => panic!("{other:?}"),
    };
    let full = read(
        r#"{"topic":"sor","args":[{"acct":"U7654321","conid":265598,"orderId":1234567890,"totalSize":1.0,
        "filledQuantity":0.0,"remainingQuantity":1.0,"sizeAndFills":"0/1","status":"Inactive","price":"150.00",
        "order_ccp_status":"Pending Submit","order_ref":"my-1","side":"BUY","origOrderType":"LIMIT",
        "avgPrice":"","lastExecutionTime_r":1793630000000,"somethingNew":{"a":1}}]}"#,
    );
    assert_eq!(full.order_ref.as_deref(), Some("my-1"));
    assert_eq!(full.price.unwrap().to_string(), "150");
    assert_eq!((full.average_price, full.quantity.unwrap().to_string()), (None, "1".into()));
    let mark = read(
        r#"{"topic":"sor","args":[{"conid":1,"conidex":"1","orderId":7,"isEventTrading":"0"}]}"#,
    );
    assert_eq!((mark.status, mark.filled), (None, None));
    let fill = read(
        r#"{"topic":"sor","args":{"acct":"U7654321","orderId":1234567890,"status":"Filled","filledQuantity":1.0,
        "remainingQuantity":0.0,"sizeAndFills":"1","avgPrice":"149.98"}}"#,
    );
    assert_eq!(fill.average_price.unwrap().to_string(), "149.98");
    assert_eq!(fill.account.unwrap().as_str(), "U7654321");
}

#[test]
fn an_execution_comes_first_without_and_then_with_its_commission() {
    let read = |commission: &str| {
        let text = format!(
            r#"{{"topic":"str","args":[{{"execution_id":"0000aaaa.1","symbol":"AAPL","side":"B","size":1.0,
            "price":"271.55"{commission},"order_id":1234567890,"trade_time_r":1793642449000}}]}}"#
        );
        match frame::read(&text) {
            Update::Executions(mut rows) => rows.remove(0),
            other => panic!("{other:?}"),
        }
    };
    let (first, then) = (read(""), read(r#","commission":"1.0""#));
    assert_eq!(first.execution_id, then.execution_id);
    assert_eq!((first.commission, then.commission.unwrap().to_string()), (None, "1".into()));
}
