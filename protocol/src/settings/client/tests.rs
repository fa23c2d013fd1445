#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::settings::{Key, Kind, LOGIN, Origin, from_environment, from_toml_pairs};

/// For each setting that binds further: what a person has set, what binds further, what would loosen.
const SAMPLES: &[(&str, &str, &str, &str)] = &[
    ("IB_PAPER_TRADING", "true", "true", "false"),
    ("IB_READ_ONLY_MODE", "true", "true", "false"),
    ("IB_TOOLSETS", "market orders", "market", "market orders flex"),
    ("IB_CONFIRM_ORDERS", "above:1000", "above:900.5", "above:1000.01"),
    ("IB_CONFIRM_ORDERS", "live", "always", "never"),
    ("IB_CONFIRM_ORDERS", "always", "always", "live"),
    ("IB_CONFIRM_ORDERS", "never", "above:5", "never"),
    ("IB_APPROVE_BY", "ibctl", "ibctl", "any"),
    ("IB_APPROVAL_SECONDS", "300", "60", "301"),
    ("IB_MAX_ORDER_PERCENT", "5", "4.99", "50"),
    ("IB_MAX_ORDER_VALUE", "5000", "0900", "5000.5"),
    ("IB_MAX_ORDER_QUANTITY", "10", "9", "11"),
    ("IB_PRICE_COLLAR_PERCENT", "2", "0.5", "2.5"),
    ("IB_MAX_ORDERS_PER_MINUTE", "5", "1", "10"),
    ("IB_MAX_ORDERS_PER_DAY", "20", "2", "100"),
    ("IB_MAX_DAILY_LOSS", "100", "50", "1000"),
    ("IB_DUPLICATE_SECONDS", "300", "600", "1"),
    ("IB_BREAKER_REJECTS", "5", "3", "6"),
    ("IB_ALLOWED_ACCOUNTS", "DU1 DU2", "DU1", "DU1 DU3"),
    ("IB_ALLOWED_SYMBOLS", "AAPL MSFT", "msft", "GME"),
    ("IB_DENIED_SYMBOLS", "GME", "AMC gme", "AMC"),
    ("IB_ALLOWED_SEC_TYPES", "STK", "STK", "STK OPT"),
    ("IB_DENIED_SEC_TYPES", "OPT", "OPT FUT", "FUT"),
    ("IB_ALLOWED_ORDER_TYPES", "LMT MKT", "LMT", "LMT STP"),
    ("IB_ALLOWED_QUESTIONS", "o163 o354", "o163", "o163 o1"),
];

/// A value of a setting that its kind takes.
fn some_value(kind: Kind) -> &'static str {
    match kind {
        Kind::Flag => "true",
        Kind::Port | Kind::Seconds(_) | Kind::SecondsUpTo(_) | Kind::Count(_) => "7",
        Kind::Choice(words) | Kind::Several(words) => words[0],
        Kind::Confirm => "always",
        Kind::Fingerprint => "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        Kind::Clock => "07:30",
        Kind::Day => "2027-03-01",
        Kind::Webhook | Kind::Upstream | Kind::Https => "https://example.com",
        Kind::Base32 => "ABCDEFGHIJKLMNOP",
        Kind::Amount | Kind::Percent => "7",
        Kind::Filter => "debug",
        _ => "word",
    }
}

fn settings(name: &str, value: &str) -> Settings {
    let given = from_environment([(name, value)]);
    assert!(given.bad.is_empty(), "{name}={value}: {:?}", given.bad);
    given
}

fn file(name: &'static str, value: &str) -> Settings {
    let key = SETTINGS.iter().find(|setting| setting.name == name).unwrap().file_key();
    from_toml_pairs([(key, value.to_owned())])
}

/// Whether anything of it leaves the client.
fn is_carried(name: &str) -> bool {
    let value = some_value(crate::settings::find(name).unwrap().kind);
    let (with, without) = (settings(name, value).wishes(), Settings::default().wishes());
    serde_json::to_string(&with).unwrap() != serde_json::to_string(&without).unwrap()
}

#[test]
fn every_setting_is_held_to_what_a_client_may_do_with_it() {
    for setting in SETTINGS {
        let name = setting.name;
        let value = some_value(setting.kind);
        let mut client = settings(name, value);
        client.refuse_what_no_client_may();
        let is_refused = client.bad.iter().any(|bad| bad.field == name);
        assert_eq!(is_refused, setting.client == Client::Never, "{name}");
        let is_limit = LIMITS.contains(&setting.key);
        match setting.client {
            Client::Never => {
                assert!(client.bad[0].problem.contains("config.toml"), "{name}");
                assert!(!is_carried(name), "{name} is refused, and sent all the same");
                assert!(!is_limit && !LOGIN.contains(&setting.key), "{name}");
            }
            Client::Stricter(_) => {
                assert!(is_carried(name), "{name} would be dropped in silence");
                assert!(SAMPLES.iter().any(|sample| sample.0 == name), "{name} has no sample");
            }
            Client::Start => assert!(is_carried(name) && !is_limit, "{name}"),
            Client::Own => assert!(!is_limit, "{name}"),
            Client::WithLogin => {
                assert!(is_carried(name) && LOGIN.contains(&setting.key), "{name}")
            }
        }
    }
    for key in LIMITS {
        assert!(matches!(key.setting().client, Client::Stricter(_)), "{key}");
    }
}

#[test]
fn what_is_stricter_is_told_from_what_loosens() {
    for (name, own, strict, loose) in SAMPLES {
        let setting = crate::settings::find(name).unwrap();
        let Client::Stricter(sense) = setting.client else { panic!("{name}") };
        let checked = |value: &str| setting.kind.check(value).unwrap();
        assert!(!sense.loosens(&checked(strict), &checked(own)), "{name}={strict} than {own}");
        assert!(!sense.loosens(&checked(own), &checked(own)), "{name}");
        assert_eq!(sense.loosens(&checked(loose), &checked(own)), loose != own, "{name}={loose}");
    }
}

#[test]
fn a_name_with_a_blank_is_one_name() {
    assert!(Strict::Fewer.loosens("\"BRK B\"", "BRK B"));
    assert!(!Strict::Fewer.loosens("\"brk b\"", "AAPL \"BRK B\""));
    assert!(Strict::Longer.loosens("BRK", "\"BRK B\""));
}

#[test]
fn a_limit_that_would_loosen_is_named() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let daemon = file("IB_MAX_ORDER_VALUE", "5000");
    assert_eq!(daemon.loosened_by(&[pair("IB_MAX_ORDER_VALUE", "9000")]), ["IB_MAX_ORDER_VALUE"]);
    assert!(daemon.loosened_by(&[pair("IB_MAX_ORDER_VALUE", "10")]).is_empty());
    assert!(daemon.loosened_by(&[pair("IB_MAX_ORDERS_PER_DAY", "10")]).is_empty());
    // What nobody set has a default, and one for live and one for paper.
    for (name, loose, strict) in [
        ("IB_APPROVAL_SECONDS", "900", "30"),
        ("IB_MAX_ORDERS_PER_DAY", "1001", "1000"),
        ("IB_CONFIRM_ORDERS", "never", "always"),
        ("IB_DUPLICATE_SECONDS", "1", "121"),
    ] {
        assert_eq!(daemon.loosened_by(&[pair(name, loose)]), [name]);
        assert!(daemon.loosened_by(&[pair(name, strict)]).is_empty(), "{name}");
    }
    assert!(daemon.loosened_by(&[pair("IB_ALLOWED_SYMBOLS", "AAPL")]).is_empty());
}

/// Over the whole table: no file in a place that a client named changes what a person has set to something
/// looser, and none of it is dropped without a word.
#[test]
fn a_file_that_only_a_client_named_loosens_nothing() {
    for (name, own, _, loose) in SAMPLES {
        let setting = crate::settings::find(name).unwrap();
        let bound = bind(file(setting.name, own), &file(setting.name, loose));
        let kept = setting.kind.check(own).unwrap();
        assert_eq!(bound.settings.text(setting.key), Some(kept.as_str()), "{name}={loose}");
    }
    // No file names a profile: that is refused where it is read.
    for setting in SETTINGS.iter().filter(|setting| setting.key != Key::Profile) {
        let named = file(setting.name, some_value(setting.kind));
        let bound = bind(Settings::default(), &named);
        let counts = bound.settings.text(setting.key).is_some();
        let binds = bound.limits.iter().any(|(name, _)| name == setting.name);
        let is_refused = bound.refused.iter().any(|bad| bad.field == setting.file_key());
        assert_eq!(
            [counts, binds, is_refused].iter().filter(|one| **one).count(),
            1,
            "{}: {bound:?}",
            setting.name
        );
        if is_refused {
            let is_nobodys =
                matches!(setting.client, Client::Own | Client::WithLogin | Client::Never);
            assert!(is_nobodys, "{}", setting.name);
        }
    }
}

#[test]
fn what_a_person_has_set_is_not_replaced_and_what_binds_further_is_taken() {
    let base = from_toml_pairs(
        [("gateway_host", "own.example"), ("paper_trading", "false"), ("max_order_value", "9")]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let named = from_toml_pairs(
        [
            ("gateway_host", "evil.example"),
            ("gateway_port", "1"),
            ("paper_trading", "true"),
            ("max_order_value", "5"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let bound = bind(base, &named);
    assert_eq!(bound.settings.text(Key::GatewayHost), Some("own.example"));
    assert_eq!(bound.settings.text(Key::GatewayPort), Some("1"));
    assert_eq!(bound.settings.flag(Key::PaperTrading), Some(true));
    assert_eq!(bound.settings.text(Key::MaxOrderValue), Some("9"), "the limit binds as a client's");
    assert_eq!(bound.limits, [("IB_MAX_ORDER_VALUE".to_owned(), "5".to_owned())]);
    assert_eq!(bound.settings.origin(Key::GatewayPort), Some(Origin::File));
}

/// Whatever is run as a program, or says where a secret goes, is one of those that count only with its secrets.
#[test]
fn what_is_run_or_typed_into_is_never_a_clients_alone() {
    for setting in SETTINGS {
        let name = setting.name;
        let is_one = setting.key == Key::Browser
            || name.starts_with("IB_SELECTOR_")
            || [Key::OauthSigningKey, Key::OauthEncryptionKey, Key::OauthDh, Key::OauthUrl]
                .contains(&setting.key);
        assert_eq!(setting.client == Client::WithLogin, is_one, "{name}");
        for word in ["_ARCHIVE", "_CERT", "WEBHOOK", "NOTIFY"] {
            assert!(!name.contains(word) || setting.client == Client::Never, "{name}");
        }
    }
}
