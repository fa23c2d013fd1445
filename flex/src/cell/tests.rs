#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn a_value_is_shown_as_what_its_name_makes_it() {
    let json =
        |name: &str, text: &str| serde_json::to_string(&cell(name, text, Order::Unknown)).unwrap();
    for (name, text, expected) in [
        ("quantity", "-5", "-5"),
        ("tradePrice", "271.260", "271.26"),
        ("cost", "1,234.50", "1234.5"),
        ("cost", "0.00", "0"),
        ("notes", "12.5", "12.5"),
        ("notes", "O;P", "\"O;P\""),
        ("fdicInsuredBankSweepAccount", "0", "0"),
        ("account", "7654321", "\"7654321\""),
        ("symbol", "7203", "\"7203\""),
        ("conid", "265598", "\"265598\""),
        ("tradeID", "800001", "\"800001\""),
        ("tradeDate", "20261102", "\"2026-11-02\""),
        ("dateTime", "20261102;143003", "\"2026-11-02T14:30:03\""),
        ("tradeTime", "143003", "\"143003\""),
        ("expiry", "MULTI", "\"MULTI\""),
        ("openCloseIndicator", "-", "\"-\""),
        ("something", "007", "\"007\""),
        ("something", "", "null"),
        ("description", "a\u{202e}b\u{0}c", "\"ab c\""),
        ("tradeDate", "03/04/2026", "\"03/04/2026\""),
    ] {
        assert_eq!(json(name, text), expected, "{name}={text}");
    }
    let Cell::Text(text) = cell("description", &"x".repeat(10_000), Order::Unknown) else { return };
    assert_eq!(text.len(), 500);
}
