#![allow(clippy::unwrap_used)]
use super::*;

fn at(base: &str) -> Service {
    Service::new(base, Token::new("very-secret")).unwrap()
}

#[test]
fn every_code_of_the_table_has_its_class() {
    use Class::{Pending, Permanent, Restart, Throttle, Transient};
    for (codes, expected) in [
        (&[1001, 1004, 1005, 1006, 1007, 1008, 1009, 1021, 1999][..], Transient),
        (&[1003, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1020], Permanent),
        (&[1017], Restart),
        (&[1018], Throttle),
        (&[1019], Pending),
    ] {
        assert!(codes.iter().all(|code| class(*code) == expected), "{expected:?}");
    }
}

#[test]
fn a_token_goes_only_to_ibkr_or_to_where_it_was_configured_for() {
    let ibkr = at(PUBLISHED);
    for good in [
        "https://gdcdyn.interactivebrokers.com/AccountManagement/FlexWebService/GetStatement",
        "https://www.ibkr.com/x",
    ] {
        assert!(ibkr.followed(good).is_ok(), "{good}");
    }
    for bad in [
        "http://gdcdyn.interactivebrokers.com/x",
        "https://interactivebrokers.com.example.org/x",
        "https://notinteractivebrokers.com/x",
        "https://user:word@gdcdyn.interactivebrokers.com/x",
        "https://127.0.0.1/x",
        "file:///etc/passwd",
        "",
    ] {
        assert!(matches!(ibkr.followed(bad), Err(FlexFailure::Foreign(_))), "{bad}");
    }
    let here = at("http://127.0.0.1:4000/AccountManagement/FlexWebService");
    assert!(here.followed("https://localhost:4001/GetStatement").is_ok());
    assert!(here.followed("https://gdcdyn.interactivebrokers.com/x").is_err());
}

#[test]
fn only_this_machine_may_be_asked_in_the_clear() {
    let new = |base| Service::new(base, Token::new("t"));
    assert!(matches!(new("http://example.com/FlexWebService"), Err(FlexFailure::Address)));
    assert!(matches!(new("nonsense"), Err(FlexFailure::Address)));
    assert!(new("http://[::1]:1/FlexWebService").is_ok());
}

#[tokio::test]
async fn no_error_and_no_debug_text_shows_the_token() {
    // Nobody listens at this port.
    let service = at("http://127.0.0.1:1/FlexWebService");
    let error = service.send("1001", Path::new("/nowhere/at/all")).await.unwrap_err();
    for shown in [format!("{error} {error:?}"), format!("{service:?}")] {
        assert!(!shown.contains("very-secret"), "{shown}");
    }
}
