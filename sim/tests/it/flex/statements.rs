//! Statements: their numbers, their days, their forms.

use serde_json::json;

use super::books::Books;
use super::xml::elements;
use super::{AGENT, Flex, MONDAY};

#[test]
fn a_statement_of_a_year_agrees_with_itself() {
    let mut flex = Flex::quick(json!({}));
    let text = flex.statement("1001");
    let all = Books::all(&text);
    let [books] = &all[..] else { panic!("one account, one statement") };
    books.check();
    assert_eq!(books.head().get("fromDate"), "20251102");
    assert_eq!(books.head().get("toDate"), "20261101");
    assert_eq!(books.head().get("period"), "Last365CalendarDays");
    for category in ["STK", "OPT", "FUT", "CASH"] {
        assert!(books.of("Trade").any(|t| t.get("assetCategory") == category), "{category}");
    }
    for (name, value) in [("notes", "P"), ("notes", "Ep"), ("buySell", "SELL"), ("isAPIOrder", "Y")]
    {
        assert!(books.of("Trade").any(|trade| trade.get(name) == value), "{name} {value}");
    }
    assert!(books.of("Trade").count() > books.of("Order").count() + 100, "partial fills");
    let lots = |term: &str| books.of("Lot").filter(|lot| lot.get("notes") == term).count();
    assert!(lots("ST") > 20 && lots("LT") > 5);
    assert!(text.contains("AT&amp;T") || text.contains("JOHNSON &amp; JOHNSON"));
    let countries: Vec<&str> = books
        .of("CashTransaction")
        .filter(|row| row.get("type") == "Withholding Tax")
        .map(|row| row.get("issuerCountryCode"))
        .collect();
    assert!(countries.contains(&"US") && countries.contains(&"DE") && countries.contains(&"CH"));
}

#[test]
fn the_years_before_have_what_is_rare_and_end_where_the_account_begins() {
    let mut flex = Flex::quick(json!({}));
    let text = flex.statement("1001&fd=20250101&td=20251231");
    let all = Books::all(&text);
    let books = &all[0];
    books.check();
    assert_eq!(books.head().get("period"), "", "the request named the days");
    let kinds: Vec<&str> = books.of("CorporateAction").map(|action| action.get("type")).collect();
    assert_eq!(kinds, ["FS", "TC"]);
    assert!(books.of("Trade").any(|trade| trade.get("buySell") == "BUY (Ca.)"));
    assert!(books.of("Trade").any(|trade| trade.get("symbol") == "WMT"));
    let text = flex.statement("1001&fd=20231215&td=20241201");
    let first = Books::all(&text);
    first[0].check();
    assert_eq!(first[0].of("Transfer").count(), 1);
    assert_eq!(first[0].one("ChangeInNAV").num("startingValue"), 0);
    let before = flex.statement("1001&fd=20230101&td=20230601");
    assert!(before.contains("<FlexStatements count=\"0\">"), "{before}");
}

#[test]
fn the_account_has_at_the_end_what_the_portfolio_says() {
    let mut flex = Flex::quick(json!({ "orders": [] }));
    let text = flex.statement("1001");
    let all = Books::all(&text);
    let cash = |currency: &str| {
        let mut rows = all[0].of("CashReportCurrency");
        rows.find(|row| row.get("currency") == currency).unwrap().get("endingCash").to_owned()
    };
    assert_eq!((cash("EUR"), cash("HKD")), ("8000.5".to_owned(), "-2400".to_owned()));
    let held = all[0].of("OpenPosition").map(|row| (row.get("symbol"), row.get("position")));
    let held: Vec<_> = held.collect();
    assert!(held.contains(&("AAPL", "10")) && held.contains(&("F", "-100")), "{held:?}");
    assert_eq!(held.len(), 15);
}

#[test]
fn what_was_traded_is_confirmed_after_a_lag_and_in_the_activity_tomorrow() {
    let mut flex = Flex::quick(json!({ "submitMillis": 0, "questions": false, "orders": [] }));
    let ask = |flex: &mut Flex, method: &str, path: &str, body: &str| {
        let (status, text) = flex.0.ask(AGENT, method, &format!("/v1/api{path}"), body);
        assert_eq!(status, 200, "{text}");
    };
    ask(&mut flex, "GET", "/iserver/accounts", "");
    let order = r#"{"orders":[{"conid":265598,"side":"SELL","orderType":"MKT","quantity":25,"tif":"DAY","cOID":"mine"}]}"#;
    ask(&mut flex, "POST", "/iserver/account/DU1234567/orders", order);
    ask(&mut flex, "GET", "/iserver/account/orders", "");
    assert!(!flex.statement("1002").contains("<TradeConfirm "), "not yet");
    flex.advance(360);
    let confirmed = flex.statement("1002");
    let rows = elements(&confirmed);
    let row = rows.iter().find(|row| row.tag == "TradeConfirm").unwrap();
    assert_eq!((row.get("quantity"), row.get("orderReference")), ("-25", "mine"));
    assert!(!flex.statement("1001").contains("mine"));
    flex.advance(86_400);
    assert!(!flex.statement("1002").contains("<TradeConfirm "), "that was yesterday");
    let text = flex.statement("1001&fd=20261102&td=20261102");
    let all = Books::all(&text);
    all[0].check();
    let trade = all[0].of("Trade").find(|trade| trade.get("orderReference") == "mine").unwrap();
    assert_eq!((trade.get("openCloseIndicator"), trade.get("quantity")), ("C;O", "-25"));
    assert!(all[0].of("OpenPosition").any(|held| held.get("position") == "-15"));
}

#[test]
fn by_day_there_is_a_statement_for_every_open_day_and_they_join() {
    let mut flex = Flex::quick(json!({}));
    flex.tell(json!({ "queries": [{
        "id": "7", "name": "days", "breakoutByDay": true, "period": "Last10BusinessDays",
        "levels": ["EXECUTION", "ORDER", "CLOSED_LOT", "SYMBOL_SUMMARY"],
    }] }));
    let text = flex.statement("7");
    let all = Books::all(&text);
    assert_eq!(all.len(), 10);
    for pair in all.windows(2) {
        pair[1].check();
        let value = |at: usize, name: &str| pair[at].one("ChangeInNAV").num(name);
        assert_eq!(value(0, "endingValue"), value(1, "startingValue"));
    }
}

#[test]
fn several_accounts_have_a_statement_each_in_their_own_currency() {
    let mut flex = Flex::quick(json!({ "accounts": [
        { "id": "U1111111", "currency": "EUR", "title": "A & B \"Söhne\" <x>", "alias": "al'ias" },
        { "id": "U2222222" },
    ] }));
    let text = flex.statement("1001");
    let all = Books::all(&text);
    all.iter().for_each(Books::check);
    let of = |at: usize, name: &str| all[at].one("AccountInformation").get(name).to_owned();
    assert_eq!((of(0, "accountId"), of(0, "currency")), ("U1111111".into(), "EUR".into()));
    assert_eq!(
        (of(0, "name"), of(0, "acctAlias")),
        ("A & B \"Söhne\" <x>".into(), "al'ias".into())
    );
    assert_eq!((of(1, "accountId"), of(1, "currency")), ("U2222222".into(), "USD".into()));
}

#[test]
fn dates_are_written_as_the_template_wants() {
    let mut flex = Flex::quick(json!({}));
    let text = flex.statement("1006");
    assert!(text.contains("fromDate=\"01/01/2026\" toDate=\"01/11/2026\" period=\"YearToDate\""));
    assert!(text.contains("whenGenerated=\"02/11/2026 10:30:0"));
    let rows = elements(&text);
    let summer = rows.iter().find(|r| r.tag == "Trade" && r.get("tradeDate").contains("/07/"));
    assert!(summer.unwrap().get("dateTime").ends_with(" EDT"));
    let text = flex.statement("1007");
    assert!(text.contains("fromDate=\"2025-11-02\""));
}

#[test]
fn the_usual_queries_are_of_every_sort() {
    let mut flex = Flex::quick(json!({}));
    let empty = flex.statement("1003");
    assert!(empty.contains("<Trades />") && !empty.contains("<Trade "));
    let clash = flex.statement("1004");
    assert!(clash.contains("queryName=\"activity\"") && !clash.contains("<CashReport>"));
    assert!(flex.statement("1005").contains("queryName=\"Daily &amp; by day\""));
    assert!(flex.statement("1002").contains("type=\"TCF\""));
}

#[test]
fn surprises_are_well_formed() {
    let mut flex = Flex::quick(json!({}));
    flex.tell(json!({ "surprises": true }));
    let rows = elements(&flex.statement("1004"));
    assert!(rows.iter().any(|row| row.tag == "NovelItem" && row.get("novelty") == "a < b & \"c\""));
    assert!(rows.iter().any(|row| row.tag == "Trade" && row.get("unheardOf") == "1.5"));
}

#[test]
fn the_same_seed_has_the_same_past() {
    let scenario =
        json!({ "now": MONDAY, "flexPacing": false, "flex": { "generateMillis": 0, "polls": 0 } });
    let text = |seed: u64| {
        let scenario = serde_json::from_value(scenario.clone()).unwrap();
        let options = ib_sim::Options { seed, scenario, ..ib_sim::Options::default() };
        let mut flex = Flex(ib_sim::Broker::new(options).unwrap());
        let text = flex.statement("1007");
        text.split_once("<Trades>").unwrap().1.to_owned()
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn a_statement_is_about_as_large_as_wanted_and_still_adds_up() {
    let mut flex = Flex::quick(json!({}));
    flex.tell(json!({ "sizeMb": 7.0 }));
    let text = flex.statement("1001");
    let size = text.len() as f64 / 1e6;
    assert!((6.6..7.4).contains(&size), "{size}");
    Books::all(&text)[0].check();
}
