//! `ibctl demo`: what a newcomer sees first is true, and leaves nothing.

use ibd_tests::World;
use serde_json::Value;

#[tokio::test]
async fn the_whole_of_it_is_shown_and_nothing_is_left() {
    // What a person has set does not reach it: no such gateway, and no such account.
    let world = World::empty().with("IB_GATEWAY_PORT", "1").with("IB_USERNAME", "nobody");
    let temporary = world.path("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = world.command("ibctl");
    command.args(["demo", "--json"]).env("TMPDIR", &temporary);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["ok"], true, "{said}");
    let steps = said["steps"].as_array().unwrap();
    let of = |tool: &str| {
        let found = steps.iter().rfind(|step| step["tool"] == tool);
        found.unwrap_or_else(|| panic!("{tool} in {said}"))
    };
    assert_eq!(of("place_order")["answer"]["status"], "needs_confirmation");
    assert_eq!(of("wait_for_order")["answer"]["standing"]["status"], "Filled");
    assert_eq!(of("get_price_history")["pictures"], 1);
    assert!(of("ask_flex")["answer"]["answer"].is_object());
    // The daemon was killed, and the same order is known afterwards.
    let killed = steps.iter().position(|step| step["killed"].is_number()).unwrap();
    let after = steps.iter().position(|step| step["tool"] == "get_order_status").unwrap();
    assert!(killed < after);
    assert_eq!(of("get_order_status")["answer"]["status"], "Filled");
    let person = |verb: &str| {
        let is_it = |step: &&Value| step["command"].as_str().is_some_and(|c| c.contains(verb));
        steps.iter().find(is_it).unwrap_or_else(|| panic!("{verb} in {said}"))
    };
    assert!(person("approve")["output"].as_str().unwrap().contains("BUY 2 AAPL"));
    assert!(person("audit verify")["output"].as_str().unwrap().contains("is whole"));
    let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!world.path("state").exists() && !world.path(".config").exists());
}

#[tokio::test]
async fn for_a_person_it_is_a_page_with_what_to_do_next() {
    let world = World::empty();
    let output = world.ctl(&["demo", "--short"]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    for part in
        ["Buy them.", "You approve it", "kill -9", "ibctl setup --name ib-demo", "ibctl login"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("get_flex_query"), "the part that takes longest is left out: {told}");
}
