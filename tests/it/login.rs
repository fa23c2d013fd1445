//! Logins by a person in a browser, and what is said where none can be made. The headless ones, with a
//! real browser, are in `tests/real`.

use std::os::unix::fs::PermissionsExt;

use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A world with a display and a browser that writes down what it is shown.
fn with_browser(world: World) -> World {
    let folder = world.path("bin");
    std::fs::create_dir(&folder).unwrap();
    let browser = folder.join("xdg-open");
    let shown = world.path("shown");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >> '{}'\nenv > '{}'.env\n",
        shown.display(),
        shown.display()
    );
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    world.with("PATH", &path).with("DISPLAY", ":99")
}

fn shown(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(world.path("shown")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn twenty_clients_that_need_a_login_open_one_browser() {
    let sim = Sim::logged_out().await;
    let world = with_browser(World::attached(&sim)).with("IB_AUTH_WAIT_SECONDS", "3");
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(world.client().await);
    }
    let calls = clients.iter_mut().map(|client| client.call("authenticate", json!({})));
    for reply in futures_util::future::join_all(calls).await {
        let answer = reply.ok();
        assert_eq!(answer["state"], "need_login", "{answer}");
        assert_eq!(answer["mode"], "browser");
        assert!(answer["authUrl"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{answer}");
    }
    until("the browser is shown the page", async || !shown(&world).is_empty()).await;
    let pages = shown(&world);
    assert_eq!(pages, [format!("https://127.0.0.1:{}/", sim.port())], "one browser for all");
    let status = world.status().await;
    assert_eq!(status["session"]["state"], "need_login");

    sim.session("login").await;
    for client in &mut clients {
        until("the login is noticed", async || {
            client.call("authenticate", json!({ "confirm": true })).await.ok()["ready"] == true
        })
        .await;
    }
    assert_eq!(shown(&world).len(), 1);
}

#[tokio::test]
async fn a_login_that_is_under_way_is_waited_for() {
    let sim = Sim::logged_out().await;
    let world = with_browser(World::attached(&sim));
    let mut client = world.client().await;
    let first = client.call("authenticate", json!({})).await.ok();
    assert_eq!(
        (&first["ready"], &first["browserOpened"]),
        (&json!(false), &json!(true)),
        "{first}"
    );
    assert!(first["next"].as_str().unwrap().contains("call authenticate again"), "{first}");
    let login = async {
        tokio::task::yield_now().await;
        sim.session("login").await;
    };
    let (again, ()) = tokio::join!(client.call("authenticate", json!({})), login);
    let again = again.ok();
    assert_eq!((&again["ready"], &again["state"]), (&json!(true), &json!("ready")), "{again}");
    assert_eq!(again["accounts"], json!(["DU1234567"]));
    assert!(again["authUrl"].is_null());
}

#[tokio::test]
async fn the_browser_gets_no_secret() {
    let sim = Sim::logged_out().await;
    let world = with_browser(World::attached(&sim)).with("IB_PASSWORD_AUTH", "canary-77aa");
    world.client().await.call("authenticate", json!({})).await.ok();
    until("the browser ran", async || world.path("shown.env").exists()).await;
    let environment = std::fs::read_to_string(world.path("shown.env")).unwrap();
    assert!(
        environment.contains("DISPLAY=:99") && !environment.contains("canary"),
        "{environment}"
    );
}

#[tokio::test]
async fn without_a_display_the_address_is_given() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let answer = world.client().await.call("authenticate", json!({})).await.ok();
    assert_eq!(answer["browserOpened"], false);
    let next = answer["next"].as_str().unwrap();
    assert!(
        next.contains(&format!("127.0.0.1:{}", sim.port())) && next.contains("ssh -L"),
        "{next}"
    );
}

#[tokio::test]
async fn a_person_logs_in_with_ibctl() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let login = world.ctl(&["login"]);
    let person = async {
        until("it waits", async || world.status().await["session"]["text"] != Value::Null).await;
        sim.session("login").await;
    };
    let (output, ()) = tokio::join!(login, person);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.contains("Ready. Paper"), "{text}");
    let all = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in all.lines() {
        assert_eq!(all.lines().filter(|other| *other == line).count(), 1, "{all}");
    }
    let status = world.status().await;
    assert!(status["session"]["nextLoginAt"].is_string(), "{status}");
}

#[tokio::test]
async fn ibctl_waits_as_long_as_a_login_may_take() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim).with("IB_AUTH_TIMEOUT", "10");
    let output = world.ctl(&["login"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("within 10 s"), "{output:?}");
}

#[tokio::test]
async fn a_code_that_nobody_asked_for_is_refused() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim);
    let output = world.ctl(&["login", "--code", "123456"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("No login waits for a code"));
}

#[tokio::test]
async fn a_password_is_typed_only_where_somebody_vouches_for_the_gateway() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim)
        .with("IB_HEADLESS_MODE", "true")
        .with("IB_USERNAME", "simpaper")
        .with("IB_PASSWORD_AUTH", "sim-password");
    let mut client = world.client().await;
    let reply = client.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "gateway_not_trusted", "{}", reply.json);
    assert!(reply.json["next"].as_str().unwrap().contains("IB_GATEWAY_CERT"));
    let logins = sim.control_get("/logins").await;
    assert_eq!(logins["attempts"], json!([]), "nothing was typed");
}

/// One that needs no person comes back by itself, but not in the moment in which it has failed, nor after a
/// person has called it off.
#[tokio::test]
async fn what_has_just_failed_is_not_tried_again_by_itself() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim)
        .with("IB_HEADLESS_MODE", "true")
        .with("IB_PAPER_TRADING", "true")
        .with("IB_USERNAME", "simpaper")
        .with("IB_PASSWORD_AUTH", "sim-password");
    let output = world.ctl(&["login"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("IB_GATEWAY_CERT"), "{output:?}");
    world.ctl(&["login", "--cancel"]).await;
    let mut client = world.client().await;
    for _ in 0..3 {
        client.call("get_positions", json!({})).await;
        world.ctl(&["status"]).await;
    }
    let log = log(&world);
    assert_eq!(log.matches("Begin(").count(), 1, "{log}");
}

#[tokio::test]
async fn what_a_headless_login_lacks_is_named() {
    let sim = Sim::logged_out().await;
    let world = World::attached(&sim).with("IB_HEADLESS_MODE", "true");
    let reply = world.client().await.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "credentials_missing", "{}", reply.json);
    assert!(reply.json["message"].as_str().unwrap().contains("IB_USERNAME"), "{}", reply.json);
}

#[tokio::test]
async fn a_gateway_that_cannot_be_installed_is_said_at_once() {
    let world = World::empty()
        .with("IB_GATEWAY", "managed")
        .with("XDG_DATA_HOME", World::empty().path("data").to_str().unwrap());
    world.configure("gateway_archive = \"/nowhere/clientportal.gw.zip\"\n");
    let mut client = world.client().await;
    let reply = client.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "gateway_down", "{}", reply.json);
    assert_eq!(world.status().await["gateway"]["state"], "not_installed");
    let reply = client.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "gateway_not_installed", "{}", reply.json);
    assert!(reply.json["message"].as_str().unwrap().contains("/nowhere"), "{}", reply.json);
    assert!(reply.json["next"].as_str().unwrap().contains("ibctl gateway install"));
}

/// The simulator comes logged in, and nobody is to log in once more: neither because the daemon had not heard
/// of its gateway yet, nor because it had not looked at it yet.
#[tokio::test]
async fn the_first_call_of_a_fresh_daemon_begins_no_login_where_there_is_one() {
    for round in 0..20 {
        let world = match round % 2 {
            0 => World::simulated(),
            _ => World::simulated()
                .with("IB_HEADLESS_MODE", "true")
                .with("IB_USERNAME", "simpaper")
                .with("IB_PASSWORD_AUTH", "sim-password"),
        };
        let mut client = world.client().await;
        let answer = client.call("authenticate", json!({})).await.ok();
        assert_eq!(
            (&answer["ready"], &answer["authUrl"]),
            (&json!(true), &Value::Null),
            "{answer}"
        );
        let log = log(&world);
        assert!(log.contains("a login is asked for"), "{log}");
        assert!(!log.contains("Begin("), "round {round}: {log}");
    }
}

/// Everything that the daemon has logged.
fn log(world: &World) -> String {
    let files = std::fs::read_dir(world.state().join("logs")).unwrap().flatten();
    files.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
}

/// The same where the gateway is somebody else's: whatever is asked of it, nothing is promised that is not
/// there.
#[tokio::test]
async fn a_dead_gateway_is_said_alike_everywhere() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    drop(sim);
    until("it is noticed", async || {
        client.call("get_positions", json!({})).await.json["error"] == "gateway_down"
    })
    .await;
    let plain = |output: &std::process::Output| {
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        for inner in ["os error", "(Connect)", "login page", "has begun", "Waiting for a login"] {
            assert!(!text.contains(inner), "{text}");
        }
        text
    };
    let reply = client.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "gateway_down", "{}", reply.json);
    assert!(!reply.json.to_string().contains("os error"), "{}", reply.json);
    let logged_out = world.ctl(&["logout"]).await;
    plain(&logged_out);
    // It is looked at once more after that.
    until("it has been looked at", async || {
        plain(&world.ctl(&["status"]).await).contains("No gateway answers")
    })
    .await;
    for (verb, code) in [
        (&["status"][..], 4),
        (&["gateway", "status"], 4),
        (&["login"], 1),
        (&["resume"], 1),
        (&["doctor"], 1),
    ] {
        let output = world.ctl(verb).await;
        let text = plain(&output);
        assert_eq!(output.status.code(), Some(code), "{verb:?}: {text}");
        let is_said = text.contains("No gateway answers") || text.contains("gateway is down");
        assert!(is_said, "{verb:?}: {text}");
        assert!(text.contains("IB_GATEWAY_PORT"), "{verb:?}: {text}");
    }
}

/// While somebody else has the session, a model cannot take it: only a person can.
#[tokio::test]
async fn an_assistant_cannot_take_the_session_from_a_persons_phone() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.session("compete").await;
    until("it is noticed", async || {
        client.call("get_live_orders", json!({})).await.json["error"] == "competing_session"
    })
    .await;
    let opened = sim.count("/iserver/auth/ssodh/init").await;
    let reply = client.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "competing_session", "{}", reply.json);
    assert!(reply.json["next"].as_str().unwrap().contains("ibctl resume"), "{}", reply.json);
    // The login ends meanwhile: a new one would take the session as well.
    sim.session("expire").await;
    until("it is noticed", async || {
        client.call("get_positions", json!({})).await.json["error"] == "not_logged_in"
    })
    .await;
    assert_eq!(client.call("authenticate", json!({})).await.error(), "competing_session");
    assert_eq!(sim.count("/iserver/auth/ssodh/init").await, opened);
}

#[tokio::test]
async fn after_a_logout_nothing_tickles() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(world.ctl(&["logout"]).await.status.code(), Some(0));
    let tickles = sim.count("/tickle").await;
    // Every call looks whether somebody has logged in; none of them keeps anything alive.
    for _ in 0..3 {
        assert_eq!(client.call("get_positions", json!({})).await.error(), "not_logged_in");
        tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    }
    assert_eq!(sim.count("/tickle").await, tickles);
}

#[tokio::test]
async fn a_webhook_is_told_when_a_person_is_needed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    world.configure(&format!("webhook = \"http://{address}/hook/canary-91\"\n"));
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.session("compete").await;
    client.call("get_live_orders", json!({})).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut heard = String::new();
    until("the body is there", async || {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        heard.push_str(&String::from_utf8_lossy(&piece[..length]));
        heard.contains("\"code\"")
    })
    .await;
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    assert!(heard.contains("POST /hook/canary-91") && heard.contains("\"competing\""), "{heard}");
    let config = world.ctl(&["config", "--json"]).await;
    assert!(!String::from_utf8_lossy(&config.stdout).contains("canary"), "its address is a secret");
}

#[tokio::test]
async fn without_a_keyring_the_way_out_is_said() {
    let world = World::simulated();
    let output = world.ctl_with_input(&["secrets", "set", "IB_PASSWORD_AUTH"], "canary-18").await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("keyring") && text.contains("IB_PASSWORD_AUTH_FILE"), "{text}");
    assert!(!text.contains("canary"));
}

#[tokio::test]
async fn what_happens_reaches_every_client() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut one = world.client().await;
    let mut other = world.client().await;
    one.call("get_positions", json!({})).await.ok();
    other.call("get_positions", json!({})).await.ok();
    sim.session("compete").await;
    one.call("get_live_orders", json!({})).await;
    for client in [&mut one, &mut other] {
        until("the news", async || {
            client.call("get_session_status", json!({})).await;
            let codes =
                client.notifications.iter().filter(|n| n["method"] == "notifications/message");
            codes.map(|n| &n["params"]["data"]["code"]).any(|code| code == "competing")
        })
        .await;
    }
}

/// A gateway is shared: a person can log in anew at its page, as somebody else or in the other mode, while
/// everything goes on looking ready.
#[tokio::test]
async fn another_login_at_the_gateway_is_asked_anew_who_it_is() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut anyone = world.client().await;
    anyone.call("get_positions", json!({})).await.ok();
    assert_eq!(world.status().await["session"]["paper"], true);
    sim.tell("/session", json!({ "action": "login", "user": "simlive" })).await;
    // The next call to the old account fails, which is evidence enough for a look.
    until("it is noticed", async || {
        anyone.call("get_live_orders", json!({})).await;
        world.status().await["session"]["paper"] == false
    })
    .await;
    let accounts = world.status().await["session"]["accounts"].clone();
    assert_eq!(accounts, json!(["U1234567"]));
    let world = world.with("IB_PAPER_TRADING", "true");
    let reply = world.client().await.call("get_positions", json!({})).await;
    assert_eq!(reply.error(), "live_session", "{}", reply.json);
}

/// What a person has decided outlives the daemon.
#[tokio::test]
async fn that_somebody_else_has_the_session_is_remembered() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    sim.session("compete").await;
    until("it is noticed", async || {
        client.call("get_live_orders", json!({})).await.json["error"] == "competing_session"
    })
    .await;
    sim.session("expire").await;
    world.ctl(&["restart"]).await;
    until("the next daemon has looked", async || {
        client.call("get_positions", json!({})).await.json["error"] == "not_logged_in"
    })
    .await;
    let reply = client.call("authenticate", json!({})).await;
    assert_eq!(reply.error(), "competing_session", "{}", reply.json);
}
