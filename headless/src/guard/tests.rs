use super::*;

#[test]
fn an_origin_is_read_as_a_browser_reads_it() {
    for (url, expected) in [
        ("https://127.0.0.1:5055/", Some("https://127.0.0.1:5055")),
        ("https://127.0.0.1:5055/sso/Login?forwardTo=22#x", Some("https://127.0.0.1:5055")),
        ("https://LOCALHOST", Some("https://localhost")),
        ("https://localhost:443/", Some("https://localhost")),
        ("https://[::1]:5055/x", Some("https://[::1]:5055")),
        ("https://127.0.0.1:5055@evil.example/", None),
        (r"https://evil.example\@127.0.0.1:5055/", None),
        ("http://127.0.0.1:5055/", None),
        ("https:///x", None),
        ("about:blank", None),
    ] {
        assert_eq!(origin(url).as_deref(), expected, "{url}");
    }
}

fn paused(url: &str, frame: &str) -> Event {
    let params = json!({"requestId": "7", "frameId": frame, "request": {"url": url}});
    Event { method: "Fetch.requestPaused".into(), params }
}

#[test]
fn only_documents_of_the_gateway_are_loaded() {
    let guard = Guard::new("https://127.0.0.1:5055".into());
    guard.watch("main".into());
    let own = guard.answer(&paused("https://127.0.0.1:5055/sso/Dispatcher", "main")).unwrap();
    assert_eq!(own.method, "Fetch.continueRequest");
    for url in [
        "https://127.0.0.1:5056/",
        "https://127.0.0.1:5055.evil.example/",
        "https://127.0.0.1:50555/",
        "http://127.0.0.1:5055/",
        "data:text/html,hello",
        "",
    ] {
        let other = guard.answer(&paused(url, "inner")).unwrap();
        assert_eq!(other.method, "Fetch.failRequest", "{url}");
    }
    assert_eq!(guard.refused(), None, "an inner frame does not move the page");
    guard.answer(&paused("https://evil.example/x?y", "main"));
    assert_eq!(guard.refused().as_deref(), Some("https://evil.example"));
}

#[test]
fn dialogs_are_closed_and_other_events_left_alone() {
    let guard = Guard::new(String::new());
    let event = |method: &str| Event { method: method.into(), params: json!({}) };
    let closed = guard.answer(&event("Page.javascriptDialogOpening")).unwrap();
    assert_eq!(closed.params["accept"], false);
    assert_eq!(guard.answer(&event("Page.loadEventFired")), None);
}
