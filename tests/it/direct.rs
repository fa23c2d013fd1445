//! The way to IBKR without a gateway: requests that are signed with a person's own keys.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ibd_tests::desk::{AAPL, PRICE, and, resting};
use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};

const CONSUMER: &str = "INVENTED1";

/// A broker where keys are registered, and a home that has them.
struct Direct {
    world: World,
    sim: Sim,
    /// What the broker's page showed: the access token and its secret.
    shown: Value,
}

fn keys() -> Value {
    serde_json::from_str(include_str!("../../oauth/tests/vectors/vectors.json")).unwrap()
}

async fn broker() -> Sim {
    let sim =
        Sim::scenario(json!({ "oauth": true, "session": "loggedOut", "initMillis": 0 })).await;
    sim.tell("/market", json!({ "conid": AAPL, "last": PRICE })).await;
    sim
}

fn private(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

impl Direct {
    /// In force.
    async fn active() -> Self {
        Self::with(json!({ "active": true })).await
    }

    /// Registered with this besides.
    async fn with(more: Value) -> Self {
        let (keys, sim) = (keys(), broker().await);
        let register = json!({
            "action": "register", "consumerKey": CONSUMER, "user": "simpaper", "dhPrime": keys["dh_pem"],
            "signingKey": keys["signing_public"], "encryptionKey": keys["encryption_public"],
        });
        let shown = sim.tell("/oauth", and(register, more)).await;
        let world = World::empty();
        let of = |name: &str| keys[name].as_str().unwrap().to_owned();
        private(&world.path("keys/signing.pem"), &of("signing_pkcs1"));
        // As it comes from a Windows machine.
        private(&world.path("keys/encryption.pem"), &of("encryption_pkcs8").replace('\n', "\r\n"));
        private(&world.path("keys/dh.pem"), &of("dh_pem"));
        let direct = Self { world, sim, shown };
        direct.configure("");
        direct
    }

    fn configure(&self, more: &str) {
        let path = |name: &str| self.world.path("keys").join(name).display().to_string();
        self.world.configure(&format!(
            "gateway = \"direct\"\noauth_url = \"https://127.0.0.1:{}\"\noauth_consumer_key = \"{CONSUMER}\"\n\
             oauth_token = {}\noauth_token_secret = {}\noauth_signing_key = \"{}\"\n\
             oauth_encryption_key = \"{}\"\noauth_dh = \"{}\"\n{more}",
            self.sim.port(),
            self.shown["accessToken"],
            self.shown["accessTokenSecret"],
            path("signing.pem"),
            path("encryption.pem"),
            path("dh.pem"),
        ));
    }

    async fn control(&self, body: Value) {
        self.sim.tell("/oauth", body).await;
    }

    async fn trouble(&self, trouble: Value) {
        self.control(json!({ "action": "trouble", "consumerKey": CONSUMER, "trouble": trouble }))
            .await;
    }

    /// How many session tokens were issued, and how many requests were refused.
    async fn counts(&self) -> (u64, usize) {
        let report = self.sim.control_get("/oauth").await;
        (report["issued"].as_u64().unwrap(), report["refused"].as_array().unwrap().len())
    }

    async fn condition(&self) -> String {
        let status = self.world.status().await;
        status["conditions"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_login_a_read_a_quote_and_an_order_without_any_gateway() {
    let direct = Direct::active().await;
    let mut client = direct.world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let status = direct.world.status().await;
    assert_eq!(status["gateway"]["mode"], "direct", "{status}");
    assert_eq!(status["gateway"]["pid"], Value::Null);
    assert_eq!(
        (&status["session"]["state"], &status["session"]["paper"]),
        (&json!("ready"), &json!(true))
    );
    assert_eq!(status["session"]["username"], "simpaper");
    assert_eq!(status["budgets"]["perSecond"], 50);
    let quotes = client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    assert!(quotes["quotes"][0]["last"].is_number(), "{quotes}");
    until("quotes are followed on the websocket", async || direct.sim.said("smd+").await > 0).await;
    let out = client.call("place_order", resting(10)).await.ok();
    assert_eq!(out["status"], "placed", "{out}");
    let placed = direct.sim.control_get("/placements").await;
    assert_eq!(placed["placements"].as_array().unwrap().len(), 1);
    assert_eq!(direct.counts().await, (1, 0), "one token, and nothing refused");
    let authenticated = client.call("authenticate", json!({})).await.ok();
    assert_eq!(authenticated["ready"], true);
}

#[tokio::test]
async fn a_token_that_is_over_is_replaced_and_nothing_is_sent_twice() {
    let direct = Direct::active().await;
    let mut client = direct.world.client().await;
    client.call("place_order", resting(10)).await.ok();
    direct.control(json!({ "action": "expire" })).await;
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(direct.counts().await.0, 2);
    direct.sim.tell("/clock", json!({ "advanceSeconds": 86_401 })).await;
    client.call("get_account_info", json!({})).await.ok();
    assert_eq!(direct.counts().await.0, 3);
    let placed = direct.sim.control_get("/placements").await;
    assert_eq!(placed["placements"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_and_said() {
    for seconds in [600, -600] {
        let direct = Direct::active().await;
        direct.control(json!({ "action": "clock", "seconds": seconds })).await;
        direct.world.client().await.call("get_positions", json!({})).await.ok();
        let status = direct.world.status().await;
        let conditions = status["conditions"].as_array().unwrap();
        assert!(conditions.iter().any(|one| one["code"] == "clock_off"), "{conditions:?}");
        assert_eq!(direct.counts().await, (1, 1), "refused once, and right after that");
    }
}

#[tokio::test]
async fn a_key_that_is_not_in_force_yet_is_said_and_needs_no_restart_once_it_is() {
    let direct = Direct::with(json!({})).await;
    let mut client = direct.world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "oauth_not_active", "{}", refused.json);
    assert_eq!(client.call("authenticate", json!({})).await.error(), "oauth_not_active");
    assert_eq!(direct.condition().await, "oauth_not_active");
    assert_eq!(direct.world.ctl(&["status"]).await.status.code(), Some(4), "it needs a person");
    let pid = direct.world.daemon_pid().await;
    direct.control(json!({ "action": "activate", "consumerKey": CONSUMER })).await;
    let login = direct.world.ctl(&["login"]).await;
    assert_eq!(login.status.code(), Some(0), "{login:?}");
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(direct.world.daemon_pid().await, pid);
}

#[tokio::test]
async fn a_refused_signature_is_not_tried_at_every_call() {
    let direct =
        Direct::with(json!({ "active": true, "signingKey": keys()["encryption_public"] })).await;
    let mut client = direct.world.client().await;
    for _ in 0..10 {
        let refused = client.call("get_positions", json!({})).await;
        assert_eq!(refused.error(), "oauth_signature", "{}", refused.json);
    }
    assert_eq!(direct.counts().await, (0, 1));
}

#[tokio::test]
async fn what_is_wrong_at_the_broker_is_told_apart() {
    let direct = Direct::active().await;
    for (trouble, code) in [
        ("blocked", "oauth_blocked"),
        ("noSecret", "oauth_token"),
        ("notEntitled", "oauth_not_entitled"),
        ("gone", "oauth_other_host"),
    ] {
        direct.trouble(json!(trouble)).await;
        let tested = direct.world.ctl(&["oauth", "test"]).await;
        assert_eq!(tested.status.code(), Some(1), "{trouble}: {tested:?}");
        assert_eq!(direct.condition().await, code, "{trouble}");
    }
    direct.trouble(Value::Null).await;
    let tested = direct.world.ctl(&["oauth", "test"]).await;
    assert_eq!(tested.status.code(), Some(0), "{tested:?}");
    assert!(String::from_utf8_lossy(&tested.stdout).contains("a paper account"), "{tested:?}");
}

#[tokio::test]
async fn keys_that_do_not_go_together_are_noticed_before_anything_is_sent() {
    let direct = Direct::active().await;
    let path = |name: &str| direct.world.path("keys").join(name);
    let swap = |one: PathBuf, other: PathBuf| {
        let (first, second) =
            (std::fs::read_to_string(&one).unwrap(), std::fs::read_to_string(&other).unwrap());
        private(&one, &second);
        private(&other, &first);
    };
    swap(path("signing.pem"), path("encryption.pem"));
    let mut client = direct.world.client().await;
    let refused = client.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "oauth_incomplete", "{}", refused.json);
    assert!(refused.json["message"].as_str().unwrap().contains("swapped"), "{}", refused.json);
    swap(path("signing.pem"), path("encryption.pem"));
    let whole = std::fs::read_to_string(path("signing.pem")).unwrap();
    private(&path("signing.pem"), &whole[..900]);
    let login = direct.world.ctl(&["login"]).await;
    assert!(String::from_utf8_lossy(&login.stderr).contains("cut off"), "{login:?}");
    private(&path("signing.pem"), &whole);
    std::fs::set_permissions(path("signing.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let login = direct.world.ctl(&["login"]).await;
    assert!(String::from_utf8_lossy(&login.stderr).contains("chmod 600"), "{login:?}");
    assert_eq!(direct.sim.count("/oauth/").await, 0);
    private(&path("signing.pem"), &whole);
    let login = direct.world.ctl(&["login"]).await;
    assert_eq!(login.status.code(), Some(0), "{login:?}");
    client.call("get_positions", json!({})).await.ok();
}

#[tokio::test]
async fn after_a_logout_nothing_is_asked_for_until_somebody_logs_in() {
    let direct = Direct::active().await;
    let mut client = direct.world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let logout = direct.world.ctl(&["logout"]).await;
    assert_eq!(logout.status.code(), Some(0), "{logout:?}");
    assert_eq!(client.call("get_positions", json!({})).await.error(), "not_logged_in");
    assert_eq!(direct.counts().await.0, 1);
    client.call("authenticate", json!({})).await.ok();
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(direct.counts().await.0, 2);
}

/// Every file below a folder, with its bytes as text.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files(&path)),
            kind if kind.is_file() => {
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test]
async fn a_restart_asks_for_a_new_token_and_no_secret_is_written_or_said() {
    let direct = Direct::active().await;
    direct.configure("log = \"trace\"\n");
    let mut client = direct.world.client().await;
    client.call("get_positions", json!({})).await.ok();
    client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    direct.world.kill_daemon().await;
    client.call("get_positions", json!({})).await.ok();
    assert_eq!(direct.counts().await.0, 2);
    let secrets =
        ["accessToken", "accessTokenSecret"].map(|key| direct.shown[key].as_str().unwrap());
    let mut said = files(&direct.world.path("state"));
    assert!(said.iter().any(|(path, _)| path.ends_with("ibd.log")), "the log is among them");
    for command in [
        &["status", "--json"][..],
        &["config"],
        &["secrets", "list"],
        &["oauth", "show"],
        &["logs"],
    ] {
        let output = direct.world.ctl(command).await;
        said.push((command.join(" ").into(), String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    for (place, text) in &said {
        for secret in secrets.iter().chain(&["oauth_signature", "PRIVATE KEY"]) {
            assert!(!text.contains(secret), "{secret} in {}", place.display());
        }
    }
}

/// From nothing to the first session and back, with `ibctl` alone.
#[tokio::test]
async fn keys_are_made_registered_tried_and_taken_back() {
    let sim = broker().await;
    let world = World::empty();
    world.configure(&format!(
        "gateway = \"direct\"\noauth_url = \"https://127.0.0.1:{}\"\n",
        sim.port()
    ));
    let output = world.ctl(&["oauth", "new", "--json"]).await;
    let made: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let text = |key: &str| std::fs::read_to_string(made[key].as_str().unwrap()).unwrap();
    let mode = |name: &str| {
        let path = world.state().join("oauth").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("private_signature.pem"), mode("private_encryption.pem")), (0o600, 0o600));
    assert_eq!(world.ctl(&["oauth", "new"]).await.status.code(), Some(1), "they are not replaced");
    let shown = sim
        .tell("/oauth", json!({
            "action": "register", "consumerKey": "MADEHERE1", "user": "simpaper", "active": true,
            "signingKey": text("publicSigningKey"), "encryptionKey": text("publicEncryptionKey"),
            "dhPrime": text("dhParameters"),
        }))
        .await;
    let lines =
        |secret: &str| format!("MADEHERE1\n{}\n{secret}\n", shown["accessToken"].as_str().unwrap());
    let other = broker_secret_of_others();
    let refused = world.ctl_with_input(&["oauth", "set", "--file"], &lines(&other)).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let secret = shown["accessTokenSecret"].as_str().unwrap();
    let set = world.ctl_with_input(&["oauth", "set", "--file"], &lines(secret)).await;
    assert_eq!(set.status.code(), Some(0), "{set:?}");
    let tested = world.ctl(&["oauth", "test"]).await;
    assert_eq!(tested.status.code(), Some(0), "{tested:?}");
    world.client().await.call("get_positions", json!({})).await.ok();
    let revoked = world.ctl(&["oauth", "revoke", "--yes"]).await;
    assert_eq!(revoked.status.code(), Some(0), "{revoked:?}");
    assert!(String::from_utf8_lossy(&revoked.stdout).contains("ndcdyn.interactivebrokers.com"));
    assert_eq!(files(&world.state().join("oauth")).len(), 0);
    let refused = world.client().await.call("get_positions", json!({})).await;
    assert_eq!(refused.error(), "oauth_incomplete", "{}", refused.json);
}

/// A secret of the right length that was made for another key.
fn broker_secret_of_others() -> String {
    format!("{}==", "A".repeat(342))
}
