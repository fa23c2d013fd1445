use super::*;
use ibd_protocol::settings::from_toml_pairs;

fn limits(pairs: &[(&str, &str)]) -> Limits {
    let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Limits::of(&from_toml_pairs(pairs))
}

#[test]
fn the_defaults_are_those_of_the_mode() {
    let none = Limits::default();
    let (live, paper) = (
        none.strictest(std::slice::from_ref(&none), false),
        none.strictest(std::slice::from_ref(&none), true),
    );
    assert_eq!((live.max_percent, live.collar), (Decimal::from(10), Decimal::from(5)));
    assert_eq!((live.per_minute, live.per_day), (10, 50));
    assert_eq!((paper.max_percent, paper.collar), (Decimal::from(100), Decimal::from(50)));
    assert!(live.needs_approval(false, Decimal::ONE));
    assert!(!paper.needs_approval(true, Decimal::from(1_000_000)));
}

#[test]
fn a_client_can_only_bind_itself_further() {
    let daemon = limits(&[("max_order_value", "5000"), ("confirm_orders", "above:1000")]);
    let loose = limits(&[
        ("max_order_value", "9000"),
        ("max_order_percent", "100"),
        ("confirm_orders", "never"),
        ("max_orders_per_day", "100000"),
        ("duplicate_seconds", "1"),
        ("allowed_questions", "o1 o163"),
    ]);
    let rules = daemon.strictest(std::slice::from_ref(&loose), false);
    assert_eq!(rules.max_value, Some(Decimal::from(5000)));
    assert_eq!(rules.max_percent, Decimal::from(10));
    assert_eq!((rules.per_day, rules.duplicate_seconds), (50, 120));
    assert!(rules.needs_approval(true, Decimal::from(1001)), "the daemon's word stays");
    assert!(rules.questions.iter().all(|words| words.has("o163")));
    assert!(!rules.questions.iter().all(|words| words.has("o1")), "o1 is the client's alone");
    let strict = limits(&[("max_order_value", "100"), ("confirm_orders", "always")]);
    let rules = daemon.strictest(std::slice::from_ref(&strict), false);
    assert_eq!(rules.max_value, Some(Decimal::from(100)));
    assert!(rules.needs_approval(true, Decimal::ONE));
}

/// For each limit: the daemon's, a client's that binds further, and one that would loosen.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("IB_CONFIRM_ORDERS", "above:1000", "always", "never"),
    ("IB_APPROVE_BY", "ibctl", "ibctl", "any"),
    ("IB_APPROVE_BY", "any", "ibctl", "any"),
    ("IB_APPROVAL_SECONDS", "300", "60", "600"),
    ("IB_BREAKER_REJECTS", "5", "3", "1000"),
    ("IB_MAX_ORDER_PERCENT", "5", "2", "50"),
    ("IB_MAX_ORDER_VALUE", "100", "50", "5000"),
    ("IB_MAX_ORDER_QUANTITY", "100", "50", "5000"),
    ("IB_PRICE_COLLAR_PERCENT", "2", "1", "100"),
    ("IB_MAX_ORDERS_PER_MINUTE", "5", "1", "1000"),
    ("IB_MAX_ORDERS_PER_DAY", "5", "1", "1000"),
    ("IB_MAX_DAILY_LOSS", "100", "50", "5000"),
    ("IB_DUPLICATE_SECONDS", "120", "600", "1"),
    ("IB_ALLOWED_ACCOUNTS", "DU1 DU2", "DU1", "DU1 DU2 DU3"),
    ("IB_ALLOWED_SYMBOLS", "A B", "A", "A B C"),
    ("IB_DENIED_SYMBOLS", "A", "A B", "B"),
    ("IB_ALLOWED_SEC_TYPES", "STK OPT", "STK", "STK OPT FUT"),
    ("IB_DENIED_SEC_TYPES", "OPT", "OPT FUT", "FUT"),
    ("IB_ALLOWED_ORDER_TYPES", "LMT MKT", "LMT", "LMT MKT STP"),
    ("IB_ALLOWED_QUESTIONS", "o163 o354", "o163", "o163 o354 o1"),
];

/// Over the whole table: what a client brings along binds it further, and loosens nothing.
#[test]
fn every_limit_of_a_client_is_applied_if_it_is_stricter_and_only_then() {
    use ibd_protocol::settings::{LIMITS, find};
    for (name, own, strict, loose) in ROWS {
        let key = find(name).map(|setting| setting.key);
        assert!(key.is_some_and(|key| LIMITS.contains(&key)), "{name}");
        let pair = |value: &str| ((*name).to_owned(), value.to_owned());
        let mut settings = Settings::default();
        settings.take_limits(&[pair(own)]);
        let daemon = Limits::of(&settings);
        let rules = |bound: &[(String, String)]| daemon.strictest(&Limits::of_client(bound), false);
        let alone = rules(&[]);
        if own != strict {
            assert_ne!(shape(&rules(&[pair(strict)])), shape(&alone), "{name}={strict} is dropped");
        }
        // A list that loosens is one more that has to agree.
        let loosened = shape(&rules(&[pair(loose)]));
        assert!(
            loosened.iter().zip(shape(&alone)).all(|(with, without)| *with >= without),
            "{name}={loose}"
        );
        // Bound twice, the stricter one counts, in whatever order.
        let twice = [pair(loose), pair(strict)];
        let reversed = [pair(strict), pair(loose)];
        assert_eq!(shape(&rules(&twice)), shape(&rules(&reversed)), "{name}");
        let (once, both) = (shape(&rules(&[pair(strict)])), shape(&rules(&twice)));
        assert!(both.iter().zip(once).all(|(both, once)| *both >= once), "{name}");
    }
    for key in LIMITS {
        assert!(ROWS.iter().any(|row| row.0 == key.name()), "{key} has no row");
    }
}

/// How strict rules are, each number the larger the stricter.
fn shape(rules: &Rules) -> Vec<Decimal> {
    let number = |n: u64| Decimal::from(n);
    let allows = |lists: &[Words], words: &[&str]| {
        let all = words.iter().filter(|word| lists.iter().all(|list| list.has(word))).count();
        -Decimal::from(all)
    };
    let denies = |lists: &[Words], words: &[&str]| {
        Decimal::from(words.iter().filter(|word| lists.iter().any(|list| list.has(word))).count())
    };
    let asks =
        |value: u32| Decimal::from(u8::from(rules.needs_approval(true, Decimal::from(value))));
    let none = Decimal::from(1_000_000);
    let kinds = ["STK", "OPT", "FUT"];
    vec![
        asks(1) + asks(2_000),
        Decimal::from(u8::from(rules.is_ctl_only)),
        -number(rules.approval_seconds),
        -number(rules.breaker),
        -rules.max_percent,
        -rules.max_value.unwrap_or(none),
        -rules.max_quantity.unwrap_or(none),
        -rules.collar,
        -number(rules.per_minute),
        -number(rules.per_day),
        -rules.max_loss.unwrap_or(none),
        number(rules.duplicate_seconds),
        allows(&rules.accounts, &["DU1", "DU2", "DU3"]),
        allows(&rules.symbols, &["A", "B", "C"]),
        denies(&rules.denied_symbols, &["A", "B", "C"]),
        allows(&rules.sec_types, &kinds),
        denies(&rules.denied_sec_types, &kinds),
        allows(&rules.order_types, &["LMT", "MKT", "STP"]),
        allows(&rules.questions, &["o163", "o354", "o1"]),
    ]
}

#[test]
fn lists_must_all_agree() {
    let daemon = limits(&[("allowed_symbols", "AAPL, msft")]);
    let client = limits(&[("allowed_symbols", "MSFT"), ("denied_sec_types", "opt")]);
    let rules = daemon.strictest(std::slice::from_ref(&client), true);
    let allowed = |symbol: &str| rules.symbols.iter().all(|words| words.has(symbol));
    assert!(allowed("msft") && !allowed("AAPL"));
    assert!(rules.denied_sec_types.iter().any(|words| words.has("OPT")));
}

#[test]
fn a_list_holds_names_with_blanks() {
    for text in ["BRK B, AAPL", "\"BRK B\" AAPL", "brk.b aapl", "BRK-B;AAPL"] {
        let rules = limits(&[("allowed_symbols", text)]).strictest(&[Limits::default()], true);
        let has = |symbol: &str| rules.symbols.iter().all(|words| words.has(symbol));
        assert!(has("BRK B") && has("BRK.B") && has("AAPL"), "{text}");
        assert!(!has("BRK") && !has("B") && !has("BRK A"), "{text}");
    }
}
