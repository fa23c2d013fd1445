//! What belongs to an account and not to a profile, and what no client's environment walks round.

use ibd_tests::desk::{Desk, limit, resting};
use ibd_tests::{Shim, until};
use serde_json::{Value, json};

/// A client with other variables.
async fn other(desk: &Desk, variables: &[(&str, &str)]) -> Shim {
    let mut command = desk.world.command("ib-mcp");
    command.envs(variables.iter().copied());
    let mut shim = Shim::spawn(command);
    shim.initialize().await;
    shim
}

/// Why an order was not sent, by whichever way that is said.
async fn refused(client: &mut Shim, order: Value) -> (String, String) {
    let reply = client.call("place_order", order).await;
    let reason = if reply.is_error { reply.json.clone() } else { reply.json["reason"].clone() };
    let code = reason["code"].as_str().or(reason["error"].as_str()).unwrap_or_default().to_owned();
    (code, reply.json.to_string())
}

#[tokio::test]
async fn another_profile_walks_round_neither_freeze_nor_holds_nor_counts() {
    // Two daemons ask more than IBKR lets one login ask.
    let mut desk = Desk::new(json!({ "pacing": false }), "max_orders_per_day = 2\n").await;
    desk.placed(resting(1)).await;
    let mut paper = other(&desk, &[("IB_PROFILE", "paper")]).await;
    // Two daemons at one account: the second one only looks.
    paper.call("get_session_status", json!({})).await;
    let (code, text) = refused(&mut paper, resting(7)).await;
    assert_eq!(code, "trading_closed", "{text}");
    assert!(text.contains("another ibd"), "{text}");
    assert!(!paper.call("get_live_orders", json!({})).await.is_error);
    // The first one ends, and its orders count all the same.
    desk.world.kill_daemon().await;
    until("the account is free", async || {
        refused(&mut paper, resting(1)).await.0 != "trading_closed"
    })
    .await;
    let (code, text) = refused(&mut paper, resting(1)).await;
    assert_eq!(code, "possible_duplicate", "{text}");
    assert!(text.contains("profile default"), "{text}");
    assert_eq!(paper.call("place_order", resting(3)).await.ok()["status"], "placed");
    let (code, text) = refused(&mut paper, resting(4)).await;
    assert!(text.contains("IB_MAX_ORDERS_PER_DAY"), "{code} {text}");
    // A freeze of one profile is one of the account, with or without its daemon.
    assert_eq!(desk.ctl(&["freeze"]).await.1, 0);
    let (code, text) = refused(&mut paper, resting(5)).await;
    assert_eq!(code, "trading_frozen", "{text}");
    assert_eq!(desk.posts().await, 2);
    assert_eq!(desk.ctl(&["unfreeze", "--profile", "paper"]).await.1, 0);
    let (code, text) = refused(&mut paper, resting(5)).await;
    assert!(text.contains("IB_MAX_ORDERS_PER_DAY"), "{code} {text}");
    desk.world.ctl(&["stop", "--profile", "paper"]).await;
}

#[tokio::test]
async fn a_journal_that_vanishes_closes_trading_until_it_is_back() {
    let mut desk = Desk::paper().await;
    desk.placed(resting(1)).await;
    let (journal, away) = (desk.world.state().join("journal"), desk.world.state().join("away"));
    std::fs::rename(&journal, &away).unwrap();
    // Known without an order that would find it out.
    until("it is seen", async || desk.world.status().await["trading"]["state"] == "closed").await;
    let reply = desk.refused("place_order", resting(2)).await;
    assert_eq!(reply.error(), "trading_closed", "{}", reply.json);
    for verb in [&["audit", "verify"][..], &["audit"]] {
        let (report, code) = desk.ctl(verb).await;
        assert_eq!(code, 1, "{report}");
        assert!(!report.to_string().contains("whole"), "{report}");
    }
    // The next daemon does not take it for a fresh start.
    desk.world.kill_daemon().await;
    let reply = desk.refused("place_order", resting(2)).await;
    assert_eq!(reply.error(), "trading_closed", "{}", reply.json);
    assert!(reply.json.to_string().contains("journal.head"), "{}", reply.json);
    assert!(!journal.exists());
    // What was moved is put back, and goes on.
    std::fs::rename(&away, &journal).unwrap();
    desk.world.kill_daemon().await;
    assert_eq!(desk.held(resting(1)).await["code"], "possible_duplicate");
    desk.placed(resting(2)).await;
    assert_eq!(desk.ctl(&["audit", "verify"]).await.1, 0);
}

#[tokio::test]
async fn a_place_for_configuration_that_only_a_client_names_loosens_nothing() {
    let desk = Desk::configured("max_order_quantity = 5\n").await;
    let elsewhere = desk.world.path("elsewhere");
    std::fs::create_dir_all(elsewhere.join("ibd")).unwrap();
    let file = elsewhere.join("ibd/config.toml");
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let named = elsewhere.to_string_lossy().into_owned();
    write("max_order_quantity = 500\nconfirm_orders = \"never\"\n");
    let mut client = other(&desk, &[("XDG_CONFIG_HOME", &named)]).await;
    let (_, text) = refused(&mut client, limit(9, 265.0)).await;
    assert!(text.contains("IB_MAX_ORDER_QUANTITY"), "{text}");
    desk.world.ctl(&["stop"]).await;
    write("max_order_quantity = 2\n");
    let (_, text) = refused(&mut client, limit(3, 265.0)).await;
    assert!(text.contains("IB_MAX_ORDER_QUANTITY"), "{text}");
    assert_eq!(client.call("place_order", resting(2)).await.ok()["status"], "placed");
    desk.world.ctl(&["stop"]).await;
    write("compete = \"take\"\n");
    let (_, text) = refused(&mut client, resting(1)).await;
    assert!(text.contains("compete") && text.contains("~/.config/ibd"), "{text}");
    drop(client);
}

#[tokio::test]
async fn a_client_is_bound_by_what_it_brings_or_told_that_it_does_not_count() {
    let mut desk = Desk::live("").await;
    for (name, value) in
        [("IB_APPROVAL_PIN", "1234"), ("IB_COMPETE", "take"), ("IB_WEBHOOK", "https://example.com")]
    {
        let mut client = other(&desk, &[(name, value)]).await;
        let reply = client.call("get_session_status", json!({})).await;
        assert_eq!(reply.error(), "bad_configuration", "{}", reply.json);
        assert!(reply.json.to_string().contains(name), "{}", reply.json);
    }
    desk.call("get_session_status", json!({})).await;
    let mut client = other(&desk, &[("IB_APPROVAL_SECONDS", "900")]).await;
    let session = client.call("get_session_status", json!({})).await.ok();
    assert_eq!(session["notApplied"], json!(["IB_APPROVAL_SECONDS"]), "{session}");
    let mut client = other(&desk, &[("IB_APPROVAL_SECONDS", "1")]).await;
    let out = client.call("place_order", resting(1)).await.ok();
    assert_eq!(out["status"], "needs_confirmation", "{out}");
    let look = json!({ "intentId": out["intentId"] });
    until("its second is over", async || {
        let now = client.call("get_order_status", look.clone()).await.ok();
        now["fromHere"]["status"] == "not_placed"
    })
    .await;
    assert_eq!(desk.posts().await, 0);
}
