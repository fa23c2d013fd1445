//! MCP over HTTP, for clients that cannot launch a program: who is let in, what they may do, and what it costs others.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ibd_tests::http::{self, Http, LEGACY, MODERN, heard, request};
use ibd_tests::{PATIENCE, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// Connections that a server has at most.
const CONNECTIONS: usize = 128;

/// A tool that sends orders.
const WRITES: &str = "place_order";

/// A request that says nothing of an era.
fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

#[tokio::test]
async fn a_session_lists_and_calls_and_ends() {
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    assert_eq!(world.daemon_pid().await, None, "nobody has asked for anything");
    let session = web.session(&[]).await;
    assert!(session.tools().await.contains(&"get_positions".to_owned()));
    let positions = session.call("get_positions", json!({})).await.ok();
    assert_eq!(positions["account"], "DU1234567");
    // What clients of the wild write is understood as over stdio.
    let call = json!({ "name": "get_market_data", "arguments": "{\"symbol\":\"AAPL\"}" });
    let answer = session.request("tools/call", call).await;
    assert_eq!(answer["result"]["isError"], json!(false), "{answer}");
    let status = world.status().await;
    assert!(status["clients"].to_string().contains("web"), "{status}");
    // What nobody asked for comes over a stream of its own, which the end of the session ends.
    let mut stream = web.connect().await;
    let headers = session.headers();
    stream.write_all(format!("{}\r\n", web.head("GET", &headers)).as_bytes()).await.unwrap();
    let mut begins = [0; 12];
    stream.read_exact(&mut begins).await.unwrap();
    assert_eq!(&begins, b"HTTP/1.1 200");
    assert!(web.bare("DELETE", &headers).await.status < 300);
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    let gone = session.post(&request(2, "tools/list", json!({}))).await;
    assert_eq!(gone.status, 404, "{gone:?}");
}

#[tokio::test]
async fn a_session_is_told_what_changes_over_its_stream() {
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    let session = web.session(&[]).await;
    session.call("get_positions", json!({})).await.ok();
    let headers = session.headers();
    let mut stream = web.connect().await;
    stream.write_all(format!("{}\r\n", web.head("GET", &headers)).as_bytes()).await.unwrap();
    let followed = session.request("resources/subscribe", json!({ "uri": "ib://session" })).await;
    assert!(followed["result"].is_object(), "{followed}");
    // Whoever follows something has the next daemon started, and hears that it may say something else.
    world.kill_daemon().await;
    let mut told = String::new();
    let mut piece = vec![0; 4_096];
    let hears = async {
        while !told.contains("notifications/resources/updated") {
            let read = stream.read(&mut piece).await.unwrap();
            assert_ne!(read, 0, "the stream stays: {told}");
            told.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };
    timeout(PATIENCE, hears).await.expect("it is told");
}

#[tokio::test]
async fn the_era_without_sessions_is_served_too() {
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    let found = web.modern(&[], "server/discover", json!({})).await;
    assert_eq!((found.status, found.header("mcp-session-id")), (200, None), "{found:?}");
    let listed = web.modern(&[], "tools/list", json!({})).await.json();
    assert!(http::tools(&listed).contains(&"get_positions".to_owned()));
    for _ in 0..2 {
        let call = json!({ "name": "get_positions", "arguments": {} });
        let answer = web.modern(&[], "tools/call", call).await;
        assert_eq!(http::reply(&answer.json()).ok()["account"], "DU1234567");
    }
    let status = world.status().await;
    let clients = status["clients"].as_array().unwrap().iter();
    let modern = clients.filter(|client| client.to_string().contains("modern")).count();
    assert_eq!(modern, 1, "all of them are one client of the daemon: {status}");
    // It has no handshake, and what a header repeats must agree.
    let hello = json!({ "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": { "name": "x", "version": "1" } });
    assert_eq!(web.modern(&[], "initialize", hello).await.status, 404);
    let lie = [("mcp-method", "tools/call")];
    let params = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let headers = [("mcp-protocol-version", MODERN), lie[0]];
    let answer = web.post(&headers, &request(1, "tools/list", params)).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

#[tokio::test]
async fn without_the_token_nobody_is_let_in_and_another_one_voids_it() {
    let world = World::simulated();
    let mut web = Http::start(&world, &[]).await;
    for given in ["", "Bearer", "Bearer ", "Bearer ibd_wrong", &format!("Basic {}", web.token)] {
        for method in ["GET", "DELETE", "OPTIONS"] {
            assert_eq!(web.bare(method, &[("authorization", given)]).await.status, 401, "{method}");
        }
        let answer = web.post(&[("authorization", given)], &ping()).await;
        assert_eq!(answer.status, 401, "{given}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("bearer"));
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("--new-token") && message.contains("Bearer TOKEN"), "{message}");
    }
    assert_eq!(world.daemon_pid().await, None, "and no daemon is started for anybody");
    // The token is nowhere but with who has it.
    let kept = std::fs::read_to_string(world.state().join("http-token")).unwrap();
    assert!(!kept.contains(&web.token), "{kept}");
    let mode = std::fs::metadata(world.state().join("http-token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A session that has begun, and a stream that is open, end with the token that let them in.
    let session = web.session(&[]).await;
    let mut stream = web.connect().await;
    let head = web.head("GET", &session.headers());
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 12]).await.unwrap();
    let next = Http::new_token(&world).await;
    assert_eq!(session.post(&ping()).await.status, 401, "at once");
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the stream ends");
    let bearer = format!("Bearer {next}");
    let of_before = [("authorization", bearer.as_str()), ("mcp-session-id", session.id.as_str())];
    assert_eq!(web.post(&of_before, &ping()).await.status, 404);
    web.token = next;
    web.session(&[]).await;
}

#[tokio::test]
async fn pages_and_names_of_others_are_refused_before_a_token_is_looked_at() {
    let world = World::simulated();
    let web = Http::start(&world, &["--allow-host", "mcp.example"]).await;
    let own = web.address.to_string();
    for (headers, status) in [
        (&[("host", "evil.example")][..], 403),
        (&[("host", "127.0.0.1.evil.example:8000")], 403),
        (&[("host", "192.168.1.5:8000")], 403),
        (&[("origin", "https://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("host", "evil.example"), ("authorization", "")], 403),
        (&[("origin", "https://evil.example"), ("authorization", "")], 403),
        (&[("origin", "http://localhost:3000")], 200),
        (&[("origin", "https://mcp.example")], 200),
        (&[("host", "localhost")], 200),
        (&[("host", "[::1]:1")], 200),
        (&[("host", "MCP.example:443")], 200),
        (&[("host", own.as_str())], 200),
    ] {
        let answer = web.modern(headers, "tools/list", json!({})).await;
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        if status == 403 {
            assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty());
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    // Twice is as good as another one.
    let twice = web.head("POST", &[]).replace("accept:", "host: evil.example\r\naccept:");
    let twice =
        http::exchange(web.connect().await, &format!("{twice}content-length: 0\r\n\r\n")).await;
    assert!([400, 403].contains(&twice.status), "{twice:?}");
}

/// The page for people has every flag that the program has.
#[tokio::test]
async fn every_flag_is_explained() {
    let output = World::empty().command("ib-mcp").arg("--help").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let (_, http) = help.split_once("HTTP:\n").unwrap_or_else(|| panic!("{help}"));
    let lines = http.lines().take_while(|line| !line.is_empty());
    let flags: Vec<&str> = lines.map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(flags.contains(&"--listen"), "{help}");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/http.md");
    let page = std::fs::read_to_string(page).unwrap();
    for flag in flags {
        assert!(page.contains(&format!("`{flag}")), "{flag} is missing");
    }
}

/// Starts a server that does not start; its exit code and words.
async fn refused(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let output = world.command("ib-mcp").args(arguments).output();
    let output = timeout(PATIENCE, output).await.expect("it ends").unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn what_would_open_more_than_was_asked_for_is_refused_at_the_start() {
    let world = World::simulated();
    for place in ["0.0.0.0:0", "192.0.2.1:8000", "[::]:0"] {
        let (code, words) = refused(&world, &["--listen", place]).await;
        assert!(code == Some(2) && words.contains("--cert"), "{code:?} {words}");
    }
    let (code, words) = refused(&world, &["--listen", "127.0.0.1:0"]).await;
    assert!(code == Some(1) && words.contains("--new-token"), "a log is no place for it: {words}");
    Http::new_token(&world).await;
    let (code, words) = refused(&world, &["--listen=1", "--cert", "/none", "--key", "/none"]).await;
    assert!(code == Some(1) && words.contains("/none"), "{words}");
    let (code, words) = refused(&world, &["--allow-writes"]).await;
    assert!(code == Some(2) && words.contains("--listen"), "{words}");
    let mistyped = World::simulated().with("IB_READONLY", "true");
    Http::new_token(&mistyped).await;
    let (code, words) = refused(&mistyped, &["--listen=127.0.0.1:0"]).await;
    assert!(code == Some(1) && words.contains("IB_READ_ONLY_MODE"), "{words}");
}

#[tokio::test]
async fn with_a_certificate_it_is_https() {
    let world = World::simulated();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (world.path("chain.pem"), world.path("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let files = ["--cert", chain.to_str().unwrap(), "--key", key.to_str().unwrap()];
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    Http::new_token(&world).await;
    let arguments: Vec<&str> = ["--listen", "127.0.0.1:0"].into_iter().chain(files).collect();
    let (code, words) = refused(&world, &arguments).await;
    assert!(code == Some(1) && words.contains("chmod 600"), "{words}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let web = Http::start(&world, &files).await;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config));
    let stream = stream.connect(name, web.connect().await).await.unwrap();
    let body = ping().to_string();
    let head = web.head("POST", &[("authorization", "")]);
    let sent = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(http::exchange(stream, &sent).await.status, 401);
    // Who speaks no TLS gets no word of HTTP.
    let mut plain = web.connect().await;
    plain.write_all(sent.as_bytes()).await.unwrap();
    let mut told = Vec::new();
    let _ = timeout(PATIENCE, plain.read_to_end(&mut told)).await.unwrap();
    assert!(!told.starts_with(b"HTTP"), "{told:?}");
}

#[tokio::test]
async fn clients_only_read_unless_it_is_said_and_can_ask_for_less_only() {
    let world = World::simulated();
    let reads = Http::start(&world, &[]).await;
    // What a client sends loosens nothing.
    let nothing: &[(&str, &str)] = &[];
    for headers in [nothing, &[("x-ib-read-only-mode", "false")]] {
        let session = reads.session(headers).await;
        let tools = session.tools().await;
        assert!(!tools.contains(&WRITES.to_owned()) && tools.len() < ibd_tests::tools());
        let order = json!({ "symbol": "AAPL", "action": "BUY", "orderType": "MKT", "quantity": 1 });
        let answer =
            session.request("tools/call", json!({ "name": WRITES, "arguments": order })).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let listed = reads.modern(headers, "tools/list", json!({})).await.json();
        assert!(!http::tools(&listed).contains(&WRITES.to_owned()));
    }
    drop(reads);
    let writes = Http::start(&world, &["--allow-writes"]).await;
    assert_eq!(writes.session(&[]).await.tools().await.len(), ibd_tests::tools());
    let less = [("x-ib-read-only-mode", "yes"), ("x-ib-toolsets", "market")];
    let tools = writes.session(&less).await.tools().await;
    assert!(!tools.contains(&WRITES.to_owned()) && !tools.contains(&"get_positions".to_owned()));
    let listed = writes.modern(&less, "tools/list", json!({})).await.json();
    assert_eq!(http::tools(&listed), tools);
    let wrong = writes.modern(&[("x-ib-toolsets", "everything")], "tools/list", json!({})).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    drop(writes);
    // The settings bind as ever.
    let bound = World::simulated().with("IB_READ_ONLY_MODE", "true");
    let web = Http::start(&bound, &["--allow-writes"]).await;
    assert!(!web.session(&[]).await.tools().await.contains(&WRITES.to_owned()));
}

#[tokio::test]
async fn a_session_outlives_its_daemon() {
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    let session = web.session(&[]).await;
    let before = session.call("get_positions", json!({})).await.ok();
    for _ in 0..2 {
        world.kill_daemon().await;
        let after = session.call("get_positions", json!({})).await.ok();
        assert_eq!(after["total"], before["total"]);
        let call = json!({ "name": "get_positions", "arguments": {} });
        let answer = web.modern(&[], "tools/call", call).await.json();
        assert_eq!(http::reply(&answer).ok()["total"], before["total"]);
    }
}

#[tokio::test]
async fn more_than_a_message_is_not_read() {
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    // It is said beforehand: not a byte of it is waited for.
    let said = format!("{}content-length: 3000000\r\n\r\n", web.head("POST", &[]));
    let answer = http::exchange(web.connect().await, &said).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("bytes"));
    // It has no end.
    let mut stream = web.connect().await;
    let head = format!("{}transfer-encoding: chunked\r\n\r\n", web.head("POST", &[]));
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    let mut sent = 0;
    while sent < 64 << 20 {
        let wrote = timeout(Duration::from_secs(2), stream.write_all(chunk.as_bytes())).await;
        let Ok(Ok(())) = wrote else { break };
        sent += chunk.len();
    }
    assert!(sent < 64 << 20, "it is not read for ever");
    assert_eq!(heard(stream).await.status, 413);
    // What is no message is answered as what it is.
    for (body, status) in [("{", 400), ("[]", 400), (r#"{"jsonrpc":"2.0","id":1}"#, 400)] {
        let sent = format!("{}content-length: {}\r\n\r\n{body}", web.head("POST", &[]), body.len());
        let answer = http::exchange(web.connect().await, &sent).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let elsewhere = web.head("POST", &[]).replace("/mcp", "/.well-known/oauth-protected-resource");
    let sent = format!("{elsewhere}content-length: 0\r\n\r\n");
    assert_eq!(http::exchange(web.connect().await, &sent).await.status, 404);
}

/// How many of these the server has ended.
async fn ended(streams: &mut Vec<TcpStream>) -> usize {
    let before = streams.len();
    streams.retain(|stream| {
        let read = stream.try_read(&mut [0; 1_024]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    });
    before - streams.len()
}

#[tokio::test]
async fn whoever_only_knocks_keeps_nobody_out_and_does_not_stay() {
    const KNOCKS: usize = 400;
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    let session = web.session(&[]).await;
    session.call("get_positions", json!({})).await.ok();
    let mut streams = Vec::with_capacity(KNOCKS);
    for number in 0..KNOCKS {
        let mut stream = web.connect().await;
        // Some say nothing, some begin and never end.
        if number % 2 == 0 {
            let _ = stream.write_all(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
        }
        streams.push(stream);
    }
    let positions = session.call("get_positions", json!({})).await.ok();
    assert_eq!(positions["account"], "DU1234567");
    let mut gone = 0;
    until("most of them have given way", async || {
        gone += ended(&mut streams).await;
        gone >= KNOCKS - CONNECTIONS
    })
    .await;
    #[cfg(target_os = "linux")]
    {
        let open = std::fs::read_dir(format!("/proc/{}/fd", web.child.id().unwrap())).unwrap();
        let open = open.count();
        assert!(open < CONNECTIONS + 64, "{open} descriptors");
    }
    until("the rest were too slow", async || {
        gone += ended(&mut streams).await;
        gone == KNOCKS
    })
    .await;
    session.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn sessions_are_so_many_and_one_that_nobody_uses_gives_way() {
    const SESSIONS: usize = 32;
    let world = World::simulated();
    let web = Http::start(&world, &[]).await;
    let mut all = Vec::new();
    for _ in 0..SESSIONS {
        let session = web.session(&[]).await;
        // Whoever listens uses it.
        let mut stream = web.connect().await;
        let head = web.head("GET", &session.headers());
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        all.push((session, stream));
    }
    let hello = json!({ "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": { "name": "one more", "version": "1" } });
    let hello = request(0, "initialize", hello);
    let answer = web.post(&[], &hello).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    // Whoever needs none is served.
    assert_eq!(web.modern(&[], "tools/list", json!({})).await.status, 200);
    // One client is gone without a word.
    let (left, stream) = all.remove(7);
    drop(stream);
    until("there is room", async || web.post(&[], &hello).await.status == 200).await;
    assert_eq!(left.post(&ping()).await.status, 404);
    assert_eq!(all[0].0.post(&ping()).await.status, 200);
}

#[tokio::test]
async fn the_original_s_variables_mean_it_too() {
    let world = World::simulated().with("MCP_HTTP_SERVER", "true").with("MCP_PORT", "0");
    Http::new_token(&world).await;
    let mut command = world.command("ib-mcp");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut line = vec![0; 64];
    let read = child.stdout.as_mut().unwrap().read(&mut line);
    let read = timeout(PATIENCE, read).await.unwrap().unwrap();
    let line = String::from_utf8_lossy(&line[..read]).into_owned();
    assert!(line.starts_with(r#"{"url":"http://127.0.0.1:"#), "{line}");
}
