#![allow(clippy::unwrap_used)]

use jiff::civil::date;

use super::*;

fn parse(text: &str) -> Result<Question, NotUnderstood> {
    Question::parse(text, &Given::default(), date(2026, 11, 2))
}

fn told(text: &str) -> String {
    match parse(text) {
        Ok(question) if question.ignored.is_empty() => question.restated(),
        Ok(question) => format!("{} [{}]", question.restated(), question.ignored.join(" ")),
        Err(error) => error.to_string().split(':').next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn short_english_is_understood() {
    for (text, expected) in [
        ("realised P&L 2026 by symbol", "realised P&L, 2026, by symbol"),
        ("Realized PnL by year", "realised P&L, by year"),
        ("what did I gain or lose on AAPL in 2025?", "realised P&L of AAPL, 2025, by symbol"),
        ("profit and loss per month this year", "realised P&L, 2026-01-01 … 2026-11-02, by month"),
        (
            "my realised gains in 2025 and 2026",
            "realised P&L, January 2025 … December 2026, by symbol and year",
        ),
        (
            "realised p&l by asset class, ytd",
            "realised P&L, 2026-01-01 … 2026-11-02, by assetClass",
        ),
        ("what dividends did I get", "dividends, by symbol"),
        (
            "dividends and withholding by country and symbol 2025",
            "dividends, 2025, by country and symbol",
        ),
        ("dividends by country/symbol", "dividends, by country and symbol"),
        ("withholding tax by country 2025", "withholding tax, 2025, by country"),
        ("How much tax was withheld last year?", "withholding tax, 2025, by country"),
        ("What dividends after withholding tax in 2026?", "dividends, 2026, by symbol"),
        ("net dividends per currency", "dividends, by currency"),
        ("gross dividends of KO less the tax", "dividends of KO, by symbol"),
        ("after-tax dividends since 2026-03-01", "dividends, from 2026-03-01, by symbol"),
        ("interest before tax in 2025", "interest, 2025, by type"),
        ("dividends after lunch", "dividends, by symbol [after lunch]"),
        (
            "dividends after fees",
            "this asks for dividends and fees at once; ask for one at a time. What can be asked",
        ),
        ("commissions last month", "commissions, October 2026, by type"),
        (
            "fees and commissions by symbol Q3",
            "fees and commissions, July 2026 … September 2026, by symbol",
        ),
        ("fees in 2026q1", "fees, January 2026 … March 2026, by type"),
        (
            "trading costs since 2026-07-01",
            "fees and commissions, from 2026-07-01, by type [trading]",
        ),
        ("interest paid and received in march", "interest, March 2026, by type"),
        ("interest in december", "interest, December 2025, by type"),
        ("deposits and withdrawals", "deposits and withdrawals"),
        ("How much did I deposit? Withdrawals too", "deposits and withdrawals"),
        ("trades yesterday", "trades, 2026-11-01"),
        ("what did I buy from 2026-01-05 to 2026-02-10", "trades, 2026-01-05 … 2026-02-10"),
        ("trades between 5 March 2026 and March 9, 2026", "trades, 2026-03-05 … 2026-03-09"),
        ("trades 2026-01..2026-03", "trades, January 2026 … March 2026"),
        ("trades in U7654321 after 2026-10-30", "trades in U7654321, from 2026-10-31"),
        ("trades before 2026", "trades, up to 2025-12-31"),
        ("positions on 2026-10-31", "positions on 2026-10-31"),
        ("what did I own at the end of 2025", "positions on 2025-12-31"),
        ("unrealised profit", "positions"),
        ("NAV over time", "net asset value"),
        ("net asset value, last 90 days", "net asset value, 2026-08-05 … 2026-11-02"),
        ("value of my account 2024-2025", "net asset value, January 2024 … December 2025"),
        (
            "dividends of symbol ko last quarter",
            "dividends of KO, July 2026 … September 2026, by symbol",
        ),
        ("DIVIDENDS BY COUNTRY", "dividends, by country"),
        (
            "realised P&L on AAPL without fees",
            "this asks for realised P&L and fees at once; ask for one at a time. What can be asked",
        ),
        (
            "realised P&L on AAPL excluding options",
            "realised P&L of AAPL, by symbol [excluding options]",
        ),
        ("dividends in EUR", "dividends, by symbol [EUR]"),
        (
            "which stock should I buy next",
            "this was not understood as a question about statements. What they tell",
        ),
        ("how much did I make on NVDA last month", "realised P&L of NVDA, October 2026, by symbol"),
        (
            "how is the weather",
            "this was not understood as a question about statements. What they tell",
        ),
        ("", "this was not understood as a question about statements. What they tell"),
        (
            "dividends and interest",
            "this asks for dividends and interest at once; ask for one at a time. What can be asked",
        ),
        ("dividends in 2023 and 2025", "it is not clear which days are meant"),
        ("dividends from 2026-05-01 to 2026-01-01", "it is not clear which days are meant"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}

#[test]
fn what_is_given_wins_over_the_text() {
    let given = Given {
        year: Some(2024),
        account: Some("U9".to_owned()),
        query: Some("daily".to_owned()),
        ..Given::default()
    };
    let question =
        Question::parse("dividends 2026 in U7654321", &given, date(2026, 11, 2)).unwrap();
    assert_eq!(question.restated(), "dividends in U9, 2024, by symbol");
    assert_eq!(question.query.as_deref(), Some("daily"));
    let given = Given { from: Some(date(2026, 3, 1)), ..Given::default() };
    let question = Question::parse("dividends 2025", &given, date(2026, 11, 2)).unwrap();
    assert_eq!((question.from, question.to), (Some(date(2026, 3, 1)), None));
    let given =
        Given { from: Some(date(2026, 3, 1)), to: Some(date(2026, 2, 1)), ..Given::default() };
    assert!(Question::parse("dividends", &given, date(2026, 11, 2)).is_err());
    let given = Given { year: Some(-20_000), ..Given::default() };
    assert!(Question::parse("dividends", &given, date(2026, 11, 2)).is_err());
}

#[test]
fn what_cannot_be_told_in_some_way_is_refused_and_not_told_otherwise() {
    let asked = |about: &str, given: Given| {
        Question::parse(about, &given, date(2026, 11, 2)).map_err(|error| error.to_string())
    };
    let none = Given::default;
    for (about, given, words) in [
        ("trades", Given { by: vec![By::Month], ..none() }, "by anything"),
        ("positions", Given { by: vec![By::Month], ..none() }, "by that"),
        ("dividends", Given { side: Some(Side::Buy), ..none() }, "purchases or sales"),
        ("interest", Given { country: Some("US".into()), ..none() }, "of one country"),
        ("nav", Given { symbol: Some("A".into()), ..none() }, "of one symbol"),
        ("dividends", Given { sort: Some(Sort::Newest), ..none() }, "in the order of time"),
    ] {
        let refused = asked(about, given).unwrap_err();
        assert!(refused.contains(words), "{about}: {refused}");
    }
    let given = Given {
        symbol: Some("BRK B".into()),
        by: vec![By::Month],
        country: Some("US".into()),
        side: Some(Side::Sell),
        sort: Some(Sort::Newest),
        options: true,
        ..none()
    };
    let question = Question::of(About::RealisedPnl, &given, date(2026, 11, 2)).unwrap();
    assert_eq!(
        question.restated(),
        "realised P&L (sales) of BRK B and its options from US, by month, the newest first"
    );
    for (name, about) in About::ALL {
        let alone = Question::of(about, &none(), date(2026, 11, 2)).unwrap();
        assert_eq!(alone.about, about, "{name}");
    }
}

#[test]
fn a_refusal_lists_what_can_be_asked() {
    let text = parse("tell me a joke").unwrap_err().to_string();
    for part in ["realised P&L", "dividends", "net asset value", "\"last month\""] {
        assert!(text.contains(part), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_words_make_it_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "dividends", "by", "and", "from", "to", "2026", "march", "31", "last", "this", "q1", "year", "end", "of",
        "between", "2026-02-30", "month", "99999", "symbol", "AAPL", "asset", "..", "-", "up", "12/2026", "é",
    ]), 0..12)) {
        let _ = parse(&words.join(" "));
    }
}
