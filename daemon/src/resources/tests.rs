#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::tools::TOOLS;

fn accounts(ids: &[&str]) -> Vec<AccountId> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn the_golden_list_is_up_to_date() {
    let specs = listed(&Policy::default(), &[]);
    let readable = ibd_protocol::catalogue::resources_to_readable(&specs).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/resources.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &readable).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(golden == readable, "protocol/resources.json is out of date: run `make bless`");
    assert_eq!(ibd_protocol::catalogue::resources(), specs);
}

#[test]
fn what_a_resource_says_a_tool_says_that_takes_its_arguments() {
    for resource in RESOURCES {
        let tool = TOOLS.iter().find(|tool| tool.name == resource.tool);
        let tool = tool.unwrap_or_else(|| panic!("{}: no {}", resource.uri, resource.tool));
        let schema: Value = serde_json::from_str(&tool.spec().input_schema).unwrap();
        let value = match resource.variable {
            None => "",
            Some(Variable::Number) => "265598",
            Some(Variable::Word) => "DU1234567",
        };
        let arguments = (resource.arguments)(value);
        // Numbers are sent as text, as some models do: the tool's reader takes both.
        let fields = arguments.as_object().unwrap();
        for name in fields.keys() {
            assert!(schema["properties"].get(name).is_some(), "{}: {name}", resource.uri);
        }
        assert_eq!(resource.variable.is_some(), resource.uri.contains('{'), "{}", resource.uri);
        assert!(resource.about.len() <= 400 && !resource.title.is_empty(), "{}", resource.uri);
    }
}

#[test]
fn an_address_names_one_resource_or_none() {
    let policy = Policy::default();
    for (uri, tool, arguments) in [
        ("ib://session", "get_session_status", "{}"),
        ("ib://orders", "get_live_orders", "{}"),
        ("ib://positions/DU1234567", "get_positions", r#"{"accountId":"DU1234567"}"#),
        ("ib://quote/265598", "get_market_data", r#"{"conid":"265598"}"#),
    ] {
        let read = Read { id: 7, uri: uri.to_owned(), deadline_ms: 5 };
        let call = find(&policy, uri).unwrap().call(&read);
        let told = (call.id, call.deadline_ms, call.tool.as_str(), call.arguments.as_str());
        assert_eq!(told, (7, 5, tool, arguments), "{uri}");
        let fitting = RESOURCES.iter().filter(|resource| resource.spec().fits(uri));
        assert_eq!(fitting.count(), 1, "{uri}");
    }
    for uri in ["ib://quote/AAPL", "ib://quote/{conid}", "ib://", "ib://positions", "https://x/"] {
        assert!(find(&policy, uri).is_none(), "{uri}");
    }
}

#[test]
fn what_an_account_holds_is_listed_for_each_account_that_an_address_can_say() {
    let specs = listed(&Policy::default(), &accounts(&["DU1", "Model A/B"]));
    let uris: Vec<&str> = specs.iter().map(|spec| spec.uri.as_str()).collect();
    let expected = [
        "ib://session",
        "ib://orders",
        "ib://positions/DU1",
        "ib://positions/{accountId}",
        "ib://quote/{conid}",
        "ib://alerts",
    ];
    assert_eq!(uris, expected);
    assert!(specs.iter().all(|spec| spec.variable.is_some() == spec.uri.contains('{')));
}

#[test]
fn what_is_not_there_is_told_apart_from_what_cannot_be_read_now() {
    let refusal = |error| Outcome::Refusal(Refusal::new(error, "Why.", "Next.").to_json());
    for (answered, expected) in [
        (refusal(ErrorCode::UnknownAccount), Outcome::UnknownResource("Why.".to_owned())),
        (refusal(ErrorCode::UnknownSymbol), Outcome::UnknownResource("Why.".to_owned())),
        (refusal(ErrorCode::NotLoggedIn), refusal(ErrorCode::NotLoggedIn)),
        (Outcome::UnknownTool, unknown()),
        (Outcome::Result("{}".to_owned()), Outcome::Result("{}".to_owned())),
    ] {
        assert_eq!(outcome(answered), expected);
    }
}
