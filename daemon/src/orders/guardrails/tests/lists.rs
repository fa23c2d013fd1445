//! What the lists allow of a combination.

use super::*;

#[test]
fn a_combination_is_held_to_what_its_legs_are() {
    let combo = |kinds: [Option<&str>; 2], symbols: [Option<&str>; 2]| {
        let mut combo = order(Side::Buy, "1", Pricing::Limit(price("2")));
        combo.contract.sec_type = SecType::Bag;
        combo.contract.legs = [("1", 0), ("2", 1)]
            .map(|(conid, at): (&str, usize)| Leg {
                sec_type: kinds[at].map(SecType::of),
                symbol: symbols[at].map(Into::into),
                ..leg(conid, Side::Buy, 1)
            })
            .into();
        combo
    };
    let known = Scene { legs: Some(legs("20", "2")), ..scene() };
    let options = [Some("OPT"), Some("OPT")];
    let covered = [Some("STK"), Some("OPT")];
    let same = [Some("AAPL"), Some("AAPL")];
    let pair = [Some("AAPL"), Some("BRK B")];
    for (kinds, symbols, list, code) in [
        (options, same, ("allowed_sec_types", "OPT"), "vetted"),
        (covered, same, ("allowed_sec_types", "OPT"), "not_allowed"),
        (covered, same, ("allowed_sec_types", "OPT STK"), "vetted"),
        (covered, same, ("allowed_sec_types", "BAG"), "not_allowed"),
        (covered, same, ("denied_sec_types", "OPT"), "not_allowed"),
        (covered, same, ("denied_sec_types", "BAG"), "not_allowed"),
        (covered, same, ("denied_sec_types", "FUT"), "vetted"),
        (options, pair, ("allowed_symbols", "AAPL"), "not_allowed"),
        (options, pair, ("allowed_symbols", "BRK B, AAPL"), "vetted"),
        (options, pair, ("denied_symbols", "brk.b"), "not_allowed"),
        (options, [Some("AAPL"), None], ("denied_symbols", "IBM"), "not_allowed"),
        ([None, Some("OPT")], same, ("allowed_sec_types", "OPT"), "not_allowed"),
    ] {
        let verdict = denied(combo(kinds, symbols), &known, &rules(&[list]));
        assert_eq!(verdict.0, code, "{kinds:?} {symbols:?} {list:?}");
    }
}
