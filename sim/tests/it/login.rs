//! The login page: what is on it, and every user's way through it.

use serde_json::{Value, json};

use crate::harness::{World, request};
use crate::page::{Mode, Visitor};

async fn logged_out() -> World {
    World::logged_out(r#"{"pacing":false,"initMillis":0}"#).await
}

async fn logins(world: &World) -> Value {
    world.control("/logins", None).await.json()
}

/// Finishes a visit that is complete and opens the brokerage session.
async fn enter(world: &World, visitor: &Visitor<'_>) {
    let end = visitor.dispatch().await;
    assert_eq!((end.status, end.text.as_str()), (200, "Client login succeeds"));
    assert!(end.head.contains("set-cookie: XYZAB_AM.LOGIN="), "{}", end.head);
    assert!(end.head.contains("content-type: text/plain"), "{}", end.head);
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": true })).await;
}

fn failed(answer: &Value) -> &str {
    assert_eq!(answer["state"], "failed", "{answer}");
    answer["message"].as_str().unwrap()
}

/// The code of the system's present window plus so many, computed in a way of its own.
fn code(windows: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let window = i64::try_from(now.as_secs()).unwrap() / 30 + windows;
    // The secret JBSWY3DPEHPK3PXP is these ten bytes.
    let key = [b'H', b'e', b'l', b'l', b'o', b'!', 0xde, 0xad, 0xbe, 0xef];
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = ring::hmac::sign(&key, &window.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

#[tokio::test]
async fn the_page_has_the_brokers_elements_and_only_relative_addresses() {
    let world = logged_out().await;
    let page = world.raw(&request("GET", "/sso/Login?forwardTo=22", None)).await.unwrap();
    assert!(page.head.contains("content-type: text/html"), "{}", page.head);
    for part in [
        "name=\"username\" id=\"xyz-field-username\"",
        "name=\"password\" id=\"xyz-field-password\"",
        "class=\"btn btn-lg btn-primary xyz-button-login\"",
        "id=\"toggle1\"",
        "for=\"toggle1\"",
        "class=\"xyz-errormessage\" role=\"alert\" hidden",
        "id=\"twofactbase\" class=\"xyz-twofactbase\" hidden",
        "id=\"xyz-field-silver-response\"",
        "id=\"xyz-field-bronze-response\"",
        "<select ",
        "class=\"login-step-notification\"",
        "onclick=\"resendNotification()",
        "class=\"ibkey-promo-skip\"",
        "action=\"Dispatcher\"",
        "fetch('Authenticator'",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("http://") && !page.text.contains("https://"));
}

#[tokio::test]
async fn without_a_complete_visit_the_dispatcher_leads_back_to_the_page() {
    let world = logged_out().await;
    let bare = world.raw(&request("GET", "/sso/Dispatcher", None)).await.unwrap();
    assert_eq!(bare.status, 302);
    assert!(bare.head.contains("location: /sso/Login?forwardTo=22"), "{}", bare.head);
    let visitor = Visitor::open(&world, Mode::Live).await;
    visitor.password("simlive", "wrong").await;
    assert_eq!(visitor.dispatch().await.status, 302);
    assert_eq!(world.get("/tickle").await.status, 401);
    let other = Visitor::open(&world, Mode::Live).await;
    assert_eq!(other.user("simlive").await["state"], "complete");
    assert_eq!(visitor.dispatch().await.status, 302, "another visitor's login is not mine");
    enter(&world, &other).await;
    assert_eq!(world.get("/tickle").await.status, 200);
    world.session("logout").await;
    assert_eq!(other.dispatch().await.status, 302, "a visit logs in once");
}

#[tokio::test]
async fn facts_follow_the_user_and_the_mode() {
    let world = logged_out().await;
    for (user, mode, kind, id) in
        [("simlive", Mode::Live, 1, "U1234567"), ("simpaper", Mode::Paper, 2, "DU1234567")]
    {
        let visitor = Visitor::open(&world, mode).await;
        assert_eq!(visitor.user(user).await, json!({ "state": "complete", "promo": false }));
        enter(&world, &visitor).await;
        let accounts = world.json("/iserver/accounts").await;
        assert_eq!(accounts["accounts"], json!([id]));
        assert_eq!(accounts["isPaper"], json!(kind == 2));
        let facts = world.json("/sso/validate").await;
        assert_eq!((&facts["USER_NAME"], &facts["LOGIN_TYPE"]), (&json!(user), &json!(kind)));
        world.json("/portfolio/accounts").await;
        assert_eq!(world.get(&format!("/portfolio/{id}/ledger")).await.status, 200);
        world.json("/iserver/account/orders").await;
        world.advance(2).await;
        let orders = world.json("/iserver/account/orders").await;
        assert_eq!(orders["orders"][0]["acct"], *id, "orders come along");
        world.session("logout").await;
    }
    assert_eq!(logins(&world).await["logins"], 2);
}

#[tokio::test]
async fn the_wrong_mode_and_the_wrong_password_are_told_apart() {
    let world = logged_out().await;
    let live = Visitor::open(&world, Mode::Live).await;
    let paper = Visitor::open(&world, Mode::Paper).await;
    assert_eq!(
        failed(&live.user("simpaper").await),
        "You have selected the Live Account Mode, but the specified user is a Paper Trading user. Please select the correct Login mode."
    );
    assert!(failed(&paper.user("simlive").await).contains("is a Live Trading user"));
    for (user, password) in [("simlive", "nope"), ("simlive", ""), ("nobody", "sim-password")] {
        let answer = live.password(user, password).await;
        assert_eq!(failed(&answer), "Invalid username password combination");
        assert_eq!(answer["restart"], true);
    }
    let counted = logins(&world).await;
    assert_eq!(counted["failures"], json!({ "nobody": 1, "simlive": 3, "simpaper": 1 }));
    let first = &counted["attempts"][0];
    assert_eq!((&first["user"], &first["mode"]), (&json!("simpaper"), &json!("live")));
    assert_eq!((&first["stage"], &first["outcome"]), (&json!("password"), &json!("wrong_mode")));
}

#[tokio::test]
async fn the_tenth_failure_in_a_day_locks_the_user() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    for _ in 0..9 {
        visitor.password("simlive", "nope").await;
    }
    world.advance(86_400).await;
    visitor.password("simlive", "nope").await;
    assert_eq!(
        visitor.user("simlive").await["state"],
        "complete",
        "a day later they are forgotten"
    );
    for _ in 0..9 {
        visitor.password("simlive", "nope").await;
    }
    assert_eq!(visitor.user("simlive").await["state"], "complete", "nine do not lock");
    for _ in 0..10 {
        visitor.password("simlive", "nope").await;
    }
    assert!(failed(&visitor.user("simlive").await).contains("locked"));
    assert_eq!(visitor.dispatch().await.status, 302);
    assert_eq!(logins(&world).await["locked"], json!(["simlive"]));
    assert_eq!(visitor.user("simtotp").await["state"], "code", "others are not");
    world.tell("/reset", json!({})).await;
    assert_eq!(visitor.user("simlive").await["state"], "complete");
}

#[tokio::test]
async fn a_locked_user_is_locked_from_the_start() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    assert!(failed(&visitor.user("simlocked").await).contains("has been locked"));
    assert_eq!(logins(&world).await["attempts"][0]["outcome"], "locked");
}

#[tokio::test]
async fn a_push_waits_for_the_phone() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    assert_eq!(world.tell("/approve", json!({})).await["ok"], false, "nothing to approve yet");
    assert_eq!(visitor.user("simpush").await["state"], "push");
    assert_eq!(visitor.look().await["state"], "push");
    assert_eq!(visitor.dispatch().await.status, 302);
    assert_eq!(logins(&world).await["waiting"][0]["stage"], "push");
    assert_eq!(world.tell("/approve", json!({ "user": "simpush" })).await["answered"], 1);
    assert_eq!(visitor.look().await["state"], "complete");
    enter(&world, &visitor).await;
    assert_eq!(world.json("/iserver/accounts").await["accounts"], json!(["U1234567"]));
}

#[tokio::test]
async fn a_push_can_be_denied_run_out_and_be_sent_again() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    visitor.user("simpush").await;
    world.tell("/deny", json!({})).await;
    assert_eq!(failed(&visitor.look().await), "failed");
    assert_eq!(visitor.dispatch().await.status, 302);

    visitor.user("simpush").await;
    world.advance(170).await;
    assert_eq!(visitor.step(&[("ACTION", "RESENDNOTIFICATION")]).await["state"], "push");
    world.advance(170).await;
    assert_eq!(visitor.look().await["state"], "push", "the second has its own three minutes");
    world.advance(11).await;
    assert_eq!(failed(&visitor.look().await), "failed");
    assert_eq!(world.tell("/approve", json!({})).await["ok"], false, "too late");
    let counted = logins(&world).await;
    assert_eq!((&counted["pushes"], &counted["resends"]), (&json!(3), &json!(1)));
    assert_eq!(counted["failures"], json!({ "simpush": 2 }));
    let last = counted["attempts"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["stage"], &last["outcome"]), (&json!("push"), &json!("expired")));
}

#[tokio::test]
async fn a_code_works_once_and_a_window_early_or_late() {
    let world = logged_out().await;
    let first = Visitor::open(&world, Mode::Live).await;
    assert_eq!(first.user("simtotp").await["state"], "code");
    let wrong = first.code("000000x").await;
    assert_eq!((failed(&wrong), &wrong["restart"]), ("failed", &json!(false)));
    assert_eq!(failed(&first.code(&code(-3)).await), "failed");
    let good = code(0);
    assert_eq!(first.code(&good).await["state"], "complete");
    let again = Visitor::open(&world, Mode::Live).await;
    again.user("simtotp").await;
    assert_eq!(failed(&again.code(&good).await), "failed", "it was used");
    assert_eq!(again.code(&code(1)).await["state"], "complete");
    enter(&world, &again).await;
    let counted = logins(&world).await;
    assert_eq!((&counted["codes"], &counted["failures"]), (&json!(5), &json!({ "simtotp": 3 })));
    assert_eq!(counted["attempts"][5]["outcome"], "replayed", "{counted}");
}

#[tokio::test]
async fn wrong_codes_lock_too() {
    let world = World::logged_out(r#"{"lockAfter":2}"#).await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    visitor.user("simtotp").await;
    assert_eq!(failed(&visitor.code("1").await), "failed");
    let locked = visitor.code("2").await;
    assert!(failed(&locked).contains("locked"));
    assert_eq!(locked["restart"], true);
}

#[tokio::test]
async fn a_challenge_wants_its_own_response() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    let asked = visitor.user("simchallenge").await;
    let number = asked["challenge"].as_str().unwrap();
    assert_eq!((asked["state"].as_str(), number.len()), (Some("challenge"), 6));
    assert_eq!(failed(&visitor.code(number).await), "failed");
    let waiting = logins(&world).await["waiting"][0].clone();
    let backwards: String = number.chars().rev().collect();
    assert_eq!(waiting["response"], json!(backwards));
    assert_eq!(visitor.code(&backwards).await["state"], "complete");
    enter(&world, &visitor).await;
}

#[tokio::test]
async fn a_chooser_gets_the_method_that_was_chosen() {
    let world = logged_out().await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    let asked = visitor.user("simchooser").await;
    assert_eq!(asked["methods"], json!(["IB Key", "Mobile Authenticator App"]));
    assert_eq!(failed(&visitor.code(&code(0)).await), "failed", "not chosen yet");
    assert_eq!(
        failed(&visitor.step(&[("ACTION", "CHOOSE"), ("METHOD", "Pigeon")]).await),
        "failed"
    );
    let app = [("ACTION", "CHOOSE"), ("METHOD", "Mobile Authenticator App")];
    assert_eq!(visitor.step(&app).await["state"], "code");
    assert_eq!(visitor.code(&code(0)).await["state"], "complete");
    enter(&world, &visitor).await;
    visitor.user("simchooser").await;
    let phone = [("ACTION", "CHOOSE"), ("METHOD", "IB Key")];
    assert_eq!(visitor.step(&phone).await["state"], "push");
    assert_eq!(world.tell("/approve", json!({ "user": "simchooser" })).await["ok"], true);
}

#[tokio::test]
async fn counts_tell_how_a_client_looks_after_its_session() {
    let world = logged_out().await;
    world.get("/tickle").await;
    let visitor = Visitor::open(&world, Mode::Live).await;
    assert_eq!(visitor.user("simpromo").await, json!({ "state": "complete", "promo": true }));
    enter(&world, &visitor).await;
    world.get("/tickle").await;
    world.post("/iserver/auth/ssodh/init", json!({ "publish": true, "compete": false })).await;
    world.post("/logout", json!({})).await;
    let counted = logins(&world).await;
    for (key, count) in [
        ("logins", 1),
        ("logouts", 1),
        ("inits", 2),
        ("initsCompete", 1),
        ("tickles", 2),
        ("ticklesLoggedOut", 1),
    ] {
        assert_eq!(counted[key], count, "{key}: {counted}");
    }
}
