//! What reaches the person at an MCP client: questions, events, pages. In both eras.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client;
mod daemon;

use std::sync::atomic::{AtomicBool, Ordering};

use client::{Client, modern};
use daemon::{Daemon, script};
use ibd_protocol::{
    Answer, Event, Level, Outcome, Progress, Question, ResourceSpec, Secret, ToClient, ToDaemon,
    Variable,
};
use serde_json::{Value, json};

fn question() -> Question {
    Question {
        token: "q-1".into(),
        message: "IBKR waits for a code.".into(),
        field: "code".into(),
        title: "Code".into(),
        description: "Six digits.".into(),
        choices: Vec::new(),
        fallback: r#"{"state":"wait_2fa"}"#.into(),
    }
}

/// Needs a code for every call, until it has been given one.
fn wants_a_code() -> Daemon {
    let has_code = AtomicBool::new(false);
    Daemon::start(move |message| match message {
        ToDaemon::Answer(Answer { token, value: Some(_) }) if token == "q-1" => {
            has_code.store(true, Ordering::SeqCst);
            Vec::new()
        }
        ToDaemon::Call(call) => {
            let outcome = if has_code.load(Ordering::SeqCst) {
                Outcome::Result(r#"{"state":"ready"}"#.into())
            } else {
                Outcome::NeedsInput(question())
            };
            let progress = Progress { done: 1, total: Some(2), message: "at it".into() };
            vec![ToClient::Progress(call.id, progress), ToClient::Done(call.id, outcome)]
        }
        _ => Vec::new(),
    })
}

fn answers(daemon: &Daemon) -> Vec<Answer> {
    let heard = daemon.heard().into_iter();
    heard.filter_map(|m| if let ToDaemon::Answer(a) = m { Some(a) } else { None }).collect()
}

fn calls(daemon: &Daemon) -> usize {
    daemon.heard().iter().filter(|message| matches!(message, ToDaemon::Call(_))).count()
}

fn call(meta: Value) -> Value {
    json!({ "name": "log_in", "arguments": { "a": 1 }, "_meta": meta })
}

#[tokio::test]
async fn a_client_of_today_is_asked_while_the_call_waits() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    client.initialize(json!({ "elicitation": {} })).await;
    let id = client.begin("tools/call", call(json!({ "progressToken": "p" }))).await;
    let asked = client.next_request().await;
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(asked["params"]["message"], "IBKR waits for a code.");
    let schema = &asked["params"]["requestedSchema"];
    assert_eq!(schema["properties"]["code"]["type"], "string");
    client.respond(&asked, json!({ "action": "accept", "content": { "code": "123456" } })).await;
    let result = client.answer(id).await;
    assert_eq!(result["structuredContent"], json!({ "state": "ready" }));
    let given = Answer { token: "q-1".into(), value: Some(Secret::new("123456")) };
    assert_eq!(answers(&daemon), [given]);
    assert_eq!(calls(&daemon), 2);
    let progress: Vec<f64> =
        client.notifications.iter().filter_map(|n| n["params"]["progress"].as_f64()).collect();
    assert!(progress.windows(2).all(|pair| pair[0] < pair[1]), "{progress:?}");
}

#[tokio::test]
async fn who_declines_gets_what_the_daemon_says_without_an_answer() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    client.initialize(json!({ "elicitation": { "form": {} } })).await;
    let id = client.begin("tools/call", call(json!({}))).await;
    let asked = client.next_request().await;
    client.respond(&asked, json!({ "action": "decline" })).await;
    let result = client.answer(id).await;
    assert_eq!(result["structuredContent"], json!({ "state": "wait_2fa" }));
    assert_ne!(result["isError"], true);
    daemon.hears(|message| matches!(message, ToDaemon::Answer(_))).await;
    assert_eq!(answers(&daemon), [Answer { token: "q-1".into(), value: None }]);
    assert_eq!(calls(&daemon), 1);
}

#[tokio::test]
async fn who_never_says_anything_useful_is_asked_three_times() {
    let daemon = Daemon::start(|message| match message {
        ToDaemon::Call(call) => {
            vec![ToClient::Done(call.id, Outcome::NeedsInput(question()))]
        }
        _ => Vec::new(),
    });
    let mut client = Client::start(&daemon);
    client.initialize(json!({ "elicitation": {} })).await;
    let id = client.begin("tools/call", call(json!({}))).await;
    for _ in 0..3 {
        let asked = client.next_request().await;
        client.respond(&asked, json!({ "action": "accept", "content": { "code": 1 } })).await;
    }
    let result = client.answer(id).await;
    assert_eq!(result["structuredContent"], json!({ "state": "wait_2fa" }));
    assert_eq!((answers(&daemon).len(), calls(&daemon)), (3, 4));
}

#[tokio::test]
async fn a_client_that_cannot_ask_gets_the_fallback_as_a_result() {
    let daemon = wants_a_code();
    for capabilities in [json!({}), json!({ "elicitation": { "url": {} } })] {
        let mut client = Client::start(&daemon);
        client.initialize(capabilities).await;
        let result = client.request("tools/call", call(json!({}))).await;
        assert_eq!(result["structuredContent"], json!({ "state": "wait_2fa" }));
        assert_ne!(result["isError"], true);
    }
    let mut client = Client::start(&daemon);
    let result = client.request("tools/call", call(modern(json!({})))).await;
    assert_eq!(result["structuredContent"], json!({ "state": "wait_2fa" }));
    assert_eq!(answers(&daemon), []);
}

#[tokio::test]
async fn in_the_new_era_the_question_is_a_result_and_the_next_call_brings_the_answer() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    let capabilities = json!({ "elicitation": { "form": {} } });
    let mut params = call(modern(capabilities));
    let result = client.request("tools/call", params.clone()).await;
    assert_eq!(result["resultType"], "input_required");
    assert_eq!(result["requestState"], "q-1");
    let (key, asked) = result["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(asked["params"]["message"], "IBKR waits for a code.");
    params["requestState"] = result["requestState"].clone();
    params["inputResponses"] =
        json!({ key: { "action": "accept", "content": { "code": "123456" } } });
    let result = client.request("tools/call", params).await;
    assert_eq!(result["structuredContent"], json!({ "state": "ready" }));
    let given = Answer { token: "q-1".into(), value: Some(Secret::new("123456")) };
    assert_eq!(answers(&daemon), [given]);
}

#[tokio::test]
async fn in_the_new_era_a_declined_question_is_not_asked_again() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    let mut params = call(modern(json!({ "elicitation": {} })));
    let asked = client.request("tools/call", params.clone()).await;
    params["requestState"] = asked["requestState"].clone();
    params["inputResponses"] = json!({ "answer": { "action": "cancel" } });
    let result = client.request("tools/call", params.clone()).await;
    assert_eq!(result["structuredContent"], json!({ "state": "wait_2fa" }));
    assert_eq!(calls(&daemon), 1, "the call was not made again");
    let again = client.request("tools/call", params).await;
    assert_eq!(again["isError"], true, "and a replay finds nothing: {again}");
    daemon.hears(|message| matches!(message, ToDaemon::Answer(_))).await;
    assert_eq!(answers(&daemon)[0].value, None);
}

fn event(level: Level, code: &str) -> ToClient {
    let (text, hint) = ("It happened.".into(), "Do this.".into());
    ToClient::Event(Event { level, code: code.into(), text, hint })
}

#[tokio::test]
async fn a_session_hears_of_events_from_its_level_on() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    let answer = client.initialize(json!({})).await;
    assert!(answer["capabilities"]["logging"].is_object(), "{answer}");
    daemon.hears(|message| matches!(message, ToDaemon::Wishes(_))).await;
    daemon.say(event(Level::Info, "one"));
    let heard = client.notification("notifications/message").await;
    assert_eq!(
        heard["params"],
        json!({
            "level": "info",
            "logger": "ibd",
            "data": { "code": "one", "text": "It happened.", "hint": "Do this." },
        })
    );
    client.request("logging/setLevel", json!({ "level": "warning" })).await;
    daemon.say(event(Level::Info, "two"));
    daemon.say(event(Level::Warning, "three"));
    let heard = client.notification("notifications/message").await;
    assert_eq!(heard["params"]["data"]["code"], "three");
}

#[tokio::test]
async fn in_the_new_era_only_a_request_that_asks_hears_of_events() {
    let daemon = Daemon::start(|_| Vec::new());
    let mut client = Client::start(&daemon);
    let quiet = client.begin("tools/call", call(modern(json!({})))).await;
    daemon.hears(|message| matches!(message, ToDaemon::Call(_))).await;
    daemon.say(event(Level::Warning, "unasked"));
    // It has arrived before the next request is made.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let mut meta = modern(json!({}));
    meta["io.modelcontextprotocol/logLevel"] = json!("warning");
    let loud = client.begin("tools/call", call(meta)).await;
    while calls(&daemon) < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    daemon.say(event(Level::Info, "low"));
    daemon.say(event(Level::Warning, "asked"));
    let heard = client.notification("notifications/message").await;
    assert_eq!(heard["params"]["data"]["code"], "asked");
    let refused = client
        .raw_request("logging/setLevel", json!({ "level": "info", "_meta": modern(json!({})) }))
        .await;
    assert_eq!(refused["error"]["code"], -32601, "{refused}");
    for message in daemon.heard() {
        if let ToDaemon::Call(call) = message {
            daemon.say(ToClient::Done(call.id, Outcome::Result("{}".into())));
        }
    }
    client.answer(quiet).await;
    client.answer(loud).await;
}

#[tokio::test]
async fn a_page_is_opened_without_touching_the_clients_pipes() {
    let daemon = wants_a_code();
    let opener = daemon.path("bin");
    script(
        &opener,
        "xdg-open",
        "echo noise; cat; echo \"$1 ${IB_PASSWORD_AUTH:-none}\" > \"$HOME/opened\"",
    );
    let path = format!("{}:{}", opener.display(), std::env::var("PATH").unwrap());
    let mut client = Client::start_with(
        &daemon,
        &[("DISPLAY", ":9"), ("PATH", &path), ("IB_PASSWORD_AUTH", "canary")],
    );
    client.initialize(json!({})).await;
    let wishes = daemon.hears(|message| matches!(message, ToDaemon::Wishes(_))).await;
    assert!(matches!(wishes, ToDaemon::Wishes(wishes) if wishes.has_display));
    daemon.say(ToClient::OpenPage("https://localhost:5000/".into()));
    daemon.hears(|message| *message == ToDaemon::PageOpened(true)).await;
    let opened = std::fs::read_to_string(daemon.path("opened")).unwrap();
    assert_eq!(opened.trim(), "https://localhost:5000/ none");
    daemon.say(ToClient::OpenPage("http://localhost:5000/".into()));
    daemon.hears(|message| *message == ToDaemon::PageOpened(false)).await;
    // Every line of stdout is JSON, or this panics.
    client.request("ping", json!({})).await;
}

#[tokio::test]
async fn without_a_display_no_page_is_tried() {
    let daemon = wants_a_code();
    let mut client = Client::start(&daemon);
    client.initialize(json!({})).await;
    let wishes = daemon.hears(|message| matches!(message, ToDaemon::Wishes(_))).await;
    assert!(matches!(wishes, ToDaemon::Wishes(wishes) if !wishes.has_display));
    daemon.say(ToClient::OpenPage("https://localhost:5000/".into()));
    daemon.hears(|message| *message == ToDaemon::PageOpened(false)).await;
}

/// Has one resource and one kind, and follows whatever begins with `x://`.
fn has_resources() -> Daemon {
    let spec = |uri: &str, variable| ResourceSpec {
        uri: uri.into(),
        name: "thing".into(),
        title: "Thing".into(),
        description: "A thing.".into(),
        variable,
    };
    Daemon::start(move |message| match message {
        ToDaemon::ListResources(id) => {
            let kind = spec("x://things/{name}", Some(Variable::Word));
            vec![ToClient::Resources(*id, vec![spec("x://thing", None), kind])]
        }
        ToDaemon::Subscribe(id, uri) if uri.starts_with("x://") => {
            vec![ToClient::Done(*id, Outcome::Result("{}".into()))]
        }
        ToDaemon::Subscribe(id, _) => {
            vec![ToClient::Done(*id, Outcome::UnknownResource("There is none.".into()))]
        }
        ToDaemon::Read(read) => {
            vec![ToClient::Done(read.id, Outcome::Result(r#"{"a":1}"#.into()))]
        }
        _ => Vec::new(),
    })
}

#[tokio::test]
async fn resources_are_the_daemons_whatever_they_are() {
    let daemon = has_resources();
    let mut client = Client::start(&daemon);
    let hello = client.initialize(json!({})).await;
    assert_eq!(hello["capabilities"]["resources"], json!({ "subscribe": true }));
    let listed = client.request("resources/list", json!({})).await;
    let thing = json!({ "uri": "x://thing", "name": "thing", "title": "Thing", "description": "A thing.",
        "mimeType": "application/json" });
    assert_eq!(listed["resources"], json!([thing]));
    let kinds = client.request("resources/templates/list", json!({})).await;
    assert_eq!(kinds["resourceTemplates"][0]["uriTemplate"], "x://things/{name}", "{kinds}");
    let read = client.request("resources/read", json!({ "uri": "x://thing" })).await;
    assert_eq!(read["contents"][0]["text"], r#"{"a":1}"#, "{read}");
    let refused = client.raw_request("resources/subscribe", json!({ "uri": "y://thing" })).await;
    assert_eq!(refused["error"]["code"], -32002, "{refused}");
}

#[tokio::test]
async fn a_resource_is_subscribed_to_once_for_all_who_want_it_and_given_up_with_the_last() {
    let daemon = has_resources();
    let mut client = Client::start(&daemon);
    client.initialize(json!({})).await;
    let thing = || json!({ "uri": "x://thing" });
    client.request("resources/subscribe", thing()).await;
    client.request("resources/subscribe", thing()).await;
    let subscribed = || {
        let heard = daemon.heard();
        heard.iter().filter(|message| matches!(message, ToDaemon::Subscribe(..))).count()
    };
    assert_eq!(subscribed(), 1);
    daemon.say(ToClient::Changed("x://other".into()));
    daemon.say(ToClient::Changed("x://thing".into()));
    let told = client.notification("notifications/resources/updated").await;
    assert_eq!(told["params"], thing(), "what nobody wants is not told");
    client.request("resources/unsubscribe", thing()).await;
    daemon.hears(|message| *message == ToDaemon::Unsubscribe("x://thing".into())).await;
}

#[tokio::test]
async fn whoever_listens_hears_of_what_it_named_until_it_does_not_want_to_any_more() {
    let daemon = has_resources();
    let mut client = Client::start(&daemon);
    // Which resources there are is known from a list.
    client.request("resources/list", json!({ "_meta": modern(json!({})) })).await;
    let wanted = json!({ "notifications": { "resourceSubscriptions": ["x://thing", "x://things/a", "x://no/b"] },
        "_meta": modern(json!({})) });
    let id = client.begin("subscriptions/listen", wanted).await;
    let told = client.notification("notifications/subscriptions/acknowledged").await;
    let accepted = &told["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(*accepted, json!(["x://thing", "x://things/a"]), "{told}");
    daemon
        .hears(|message| matches!(message, ToDaemon::Subscribe(_, uri) if uri == "x://things/a"))
        .await;
    daemon.say(ToClient::Changed("x://things/a".into()));
    let told = client.notification("notifications/resources/updated").await;
    assert_eq!(told["params"]["uri"], "x://things/a", "{told}");
    client.notify("notifications/cancelled", json!({ "requestId": id })).await;
    daemon.hears(|message| *message == ToDaemon::Unsubscribe("x://thing".into())).await;
    daemon.hears(|message| *message == ToDaemon::Unsubscribe("x://things/a".into())).await;
}

#[tokio::test]
async fn a_daemon_that_says_nothing_has_the_resources_of_this_build() {
    let daemon = Daemon::start(|_| Vec::new());
    let mut client = Client::start(&daemon);
    client.initialize(json!({})).await;
    let listed = client.request("resources/list", json!({})).await;
    let uris = listed["resources"].as_array().unwrap().iter().map(|one| one["uri"].clone());
    let golden = ibd_protocol::catalogue::resources();
    let golden =
        golden.into_iter().filter(|spec| spec.variable.is_none()).map(|spec| json!(spec.uri));
    assert_eq!(uris.collect::<Vec<_>>(), golden.collect::<Vec<_>>());
}
