//! Portfolio Analyst: its figures are those of statements, and today's those of the portfolio.

use serde_json::{Value, json};

use super::books::Books;
use super::{AGENT, Flex};
use crate::shape::assert_shape;

const ACCOUNT: &str = "DU1234567";
/// Units in numbers of statements.
const ONE: f64 = 1e12;

fn quick(more: Value) -> Flex {
    let mut scenario = json!({ "pacing": false, "orders": [] });
    for (key, value) in more.as_object().unwrap() {
        scenario[key] = value.clone();
    }
    Flex::quick(scenario)
}

fn send(flex: &mut Flex, path: &str, body: &Value) -> (u16, Value) {
    let (status, text) = flex.0.ask(AGENT, "POST", &format!("/v1/api{path}"), &body.to_string());
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}")))
}

fn post(flex: &mut Flex, path: &str, body: &Value) -> Value {
    let (status, answer) = send(flex, path, body);
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn get(flex: &mut Flex, path: &str) -> Value {
    let (status, text) = flex.0.ask(AGENT, "GET", &format!("/v1/api{path}"), "");
    assert_eq!(status, 200, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn performance(flex: &mut Flex, period: &str) -> Value {
    post(flex, "/pa/performance", &json!({ "acctIds": [ACCOUNT], "period": period }))
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Net liquidation, as the portfolio has it.
fn net(flex: &mut Flex, account: &str) -> f64 {
    get(flex, "/portfolio/accounts");
    let ledger = get(flex, &format!("/portfolio/{account}/ledger"));
    ledger["BASE"]["netliquidationvalue"].as_f64().unwrap()
}

fn near(a: f64, b: f64, by: f64) {
    assert!((a - b).abs() <= by, "{a} is not {b}");
}

#[test]
fn replies_have_the_shapes_of_their_fixtures() {
    let mut flex = quick(json!({}));
    assert_shape("pa_performance", &performance(&mut flex, "1M"), &[]);
    let all = post(&mut flex, "/pa/allperiods", &json!({ "acctIds": [ACCOUNT] }));
    assert_shape("pa_allperiods", &all, &[]);
    let body = json!({ "acctIds": [ACCOUNT], "conids": [265598], "currency": "USD", "days": 700 });
    let dealt = post(&mut flex, "/pa/transactions", &body);
    assert_shape("pa_transactions", &dealt, &[]);
    assert!(!dealt["transactions"].as_array().unwrap().is_empty(), "it is held");
}

#[test]
fn values_are_those_of_statements_and_end_with_the_portfolio() {
    let mut flex = quick(json!({}));
    let year = performance(&mut flex, "1Y");
    let row = &year["nav"]["data"][0];
    assert_eq!((&row["start"], &row["end"]), (&json!("20251102"), &json!("20261102")));
    assert_eq!(year["nd"], 366);
    let (dates, navs) = (texts(&year["nav"]["dates"]), numbers(&row["navs"]));
    assert_eq!((dates.len(), dates.last()), (navs.len(), Some(&"20261102")));
    let text = flex.statement("1001&fd=20260201&td=20261101");
    let all = Books::all(&text);
    let mut found = 0;
    for day in all[0].of("EquitySummaryByReportDateInBase") {
        let at = dates.iter().position(|date| *date == day.get("reportDate")).unwrap();
        near(navs[at], day.sum(&["cash", "stock", "options"]) as f64 / ONE, 0.001);
        found += 1;
    }
    assert!(found > 150, "{found}");
    let now = net(&mut flex, ACCOUNT);
    near(*navs.last().unwrap(), now, now * 0.001);
}

#[test]
fn a_return_is_not_the_change_in_value_where_money_came_or_went() {
    let mut flex = quick(json!({}));
    let year = performance(&mut flex, "1Y");
    let grown = *numbers(&year["cps"]["data"][0]["returns"]).last().unwrap();
    let row = &year["nav"]["data"][0];
    let first = row["startNAV"]["val"].as_f64().unwrap();
    let change = numbers(&row["navs"]).last().unwrap() / first - 1.0;
    assert!((grown - change).abs() > 0.002, "{grown} and {change}");
    // The months together are the whole.
    let months = numbers(&year["tpps"]["data"][0]["returns"]);
    assert_eq!((months.len(), texts(&year["tpps"]["dates"])[0]), (13, "202511"));
    let together = months.iter().fold(1.0, |all, month| all * (1.0 + month)) - 1.0;
    near(together, grown, 1e-6);
    // A statement has what accrued besides.
    let text = flex.statement("1001&fd=20260101&td=20261031");
    let all = Books::all(&text);
    let stated = all[0].one("ChangeInNAV").num("twr") as f64 / ONE / 100.0;
    let this_year = performance(&mut flex, "YTD");
    let at = texts(&this_year["cps"]["dates"]).iter().position(|date| *date == "20261030").unwrap();
    near(numbers(&this_year["cps"]["data"][0]["returns"])[at], stated, 0.005);
}

#[test]
fn periods_begin_where_they_should() {
    let mut flex = quick(json!({}));
    let all = post(&mut flex, "/pa/allperiods", &json!({ "acctIds": [ACCOUNT] }));
    let account = &all[ACCOUNT];
    assert_eq!(texts(&account["periods"]), ["1D", "7D", "MTD", "1M", "YTD", "1Y"]);
    for (period, before, first) in [
        ("1D", "20261030", "20261102"),
        ("7D", "20261026", "20261027"),
        ("MTD", "20261030", "20261102"),
        ("1M", "20261001", "20261002"),
        ("YTD", "20251231", "20260102"),
    ] {
        let of = &account[period];
        assert_eq!(of["startNAV"]["date"], before, "{period}");
        assert_eq!(texts(&of["dates"])[0], first, "{period}");
        let counts =
            [&of["nav"], &of["cps"], &of["dates"]].map(|list| list.as_array().unwrap().len());
        assert_eq!(counts, [counts[0]; 3], "{period}");
    }
    for wrong in ["3M", "1d", ""] {
        let body = json!({ "acctIds": [ACCOUNT], "period": wrong });
        assert_eq!(send(&mut flex, "/pa/performance", &body).0, 400, "{wrong}");
    }
}

#[test]
fn transactions_are_those_of_statements() {
    let mut flex = quick(json!({}));
    // Three hundred days until yesterday.
    let text = flex.statement("1001&fd=20260106&td=20261101");
    let all = Books::all(&text);
    let paid = all[0].of("CashTransaction").filter(|row| row.get("type") == "Dividends");
    let closed = all[0]
        .of("Order")
        .filter(|row| row.get("assetCategory") == "STK" && row.get("fifoPnlRealized") != "0");
    let mut conids: Vec<String> = paid.take(1).map(|row| row.get("conid").to_owned()).collect();
    conids.extend(closed.take(1).map(|row| row.get("conid").to_owned()));
    assert_eq!(conids.len(), 2);
    for conid in conids {
        let body = json!({ "acctIds": [ACCOUNT], "conids": [conid], "days": 300 });
        let dealt = post(&mut flex, "/pa/transactions", &body);
        assert_eq!((&dealt["nd"], &dealt["includesRealTime"]), (&json!(301), &json!(true)));
        let rows = dealt["transactions"].as_array().unwrap();
        let amounts = |wanted: &dyn Fn(&str) -> bool| -> (usize, f64) {
            let rows = rows.iter().filter(|row| wanted(row["type"].as_str().unwrap()));
            rows.fold((0, 0.0), |(n, sum), row| (n + 1, sum + row["amt"].as_f64().unwrap()))
        };
        let orders: Vec<_> = all[0].of("Order").filter(|row| row.get("conid") == conid).collect();
        let (count, sum) = amounts(&|kind| matches!(kind, "Buy" | "Sell"));
        assert_eq!(count, orders.len(), "{conid}");
        let proceeds: i128 = orders.iter().map(|row| row.num("proceeds")).sum();
        near(sum, proceeds as f64 / ONE, 0.01);
        let gains: i128 = orders.iter().map(|row| row.num("fifoPnlRealized")).sum();
        let gained = dealt["rpnl"]["data"].as_array().unwrap().iter();
        let gained: f64 =
            gained.map(|row| row["amt"].as_str().unwrap().parse::<f64>().unwrap()).sum();
        near(gained, gains as f64 / ONE, 0.01);
        let kinds = ["Dividends", "Payment In Lieu Of Dividends"];
        let paid = all[0].of("CashTransaction").filter(|row| kinds.contains(&row.get("type")));
        let paid = paid.filter(|row| row.get("conid") == conid);
        let paid: i128 = paid.map(|row| row.num("amount")).sum();
        near(amounts(&|kind| !matches!(kind, "Buy" | "Sell")).1, paid as f64 / ONE, 0.01);
        let dates: Vec<&str> = rows.iter().map(|row| row["rawDate"].as_str().unwrap()).collect();
        assert!(dates.is_sorted(), "{dates:?}");
    }
}

#[test]
fn what_was_just_traded_is_among_them() {
    let mut flex = quick(json!({ "submitMillis": 0, "questions": false }));
    get(&mut flex, "/iserver/accounts");
    let order = json!({ "orders": [{
        "conid": 265598, "side": "SELL", "orderType": "MKT", "quantity": 4, "tif": "DAY",
    }] });
    post(&mut flex, "/iserver/account/DU1234567/orders", &order);
    get(&mut flex, "/iserver/account/orders");
    let body = json!({ "acctIds": [ACCOUNT], "conids": ["265598"], "currency": "EUR", "days": 0 });
    let dealt = post(&mut flex, "/pa/transactions", &body);
    let rows = dealt["transactions"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((&row["type"], &row["qty"]), (&json!("Sell"), &json!(-4.0)));
    assert_eq!(row["date"], "Mon Nov 02 00:00:00 EST 2026");
    let (price, amount) = (row["pr"].as_f64().unwrap(), row["amt"].as_f64().unwrap());
    near(amount, 4.0 * price, 0.001);
    let rate = row["fxRate"].as_f64().unwrap();
    assert!((0.5..1.0).contains(&rate), "dollars in euros: {rate}");
    assert_eq!(dealt["currency"], "EUR");
    let today = performance(&mut flex, "1D");
    let now = net(&mut flex, ACCOUNT);
    near(numbers(&today["nav"]["data"][0]["navs"])[0], now, now * 0.001);
}

#[test]
fn several_accounts_are_one_together_and_each_by_itself() {
    let accounts = json!([{ "id": "U1111111", "currency": "EUR" }, { "id": "U2222222" }]);
    let mut flex = quick(json!({ "accounts": accounts }));
    let ids = ["U1111111", "U2222222"];
    let both = post(&mut flex, "/pa/performance", &json!({ "acctIds": ids, "period": "7D" }));
    assert_eq!(texts(&both["included"]), ids);
    let rows = both["nav"]["data"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["baseCurrency"]), (1, &json!("EUR")));
    let each = post(&mut flex, "/pa/allperiods", &json!({ "acctIds": ids }));
    assert_eq!(each["U1111111"]["baseCurrency"], "EUR");
    assert_eq!(each["U2222222"]["baseCurrency"], "USD");
    get(&mut flex, "/iserver/accounts");
    let rate = get(&mut flex, "/iserver/exchangerate?source=USD&target=EUR")["rate"].clone();
    let sum = net(&mut flex, ids[0]) + net(&mut flex, ids[1]) * rate.as_f64().unwrap();
    near(*numbers(&rows[0]["navs"]).last().unwrap(), sum, sum * 0.001);
    // The allocation of both is all that both have.
    let allocation = post(&mut flex, "/portfolio/allocation", &json!({ "acctIds": ids }));
    let side = |side: &str| -> f64 {
        let classes = allocation["assetClass"][side].as_object().unwrap();
        classes.values().map(|amount| amount.as_f64().unwrap()).sum()
    };
    near(side("long") + side("short"), sum, sum * 0.001);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut flex = quick(json!({}));
    let mine = |more: Value| {
        let mut body = json!({ "acctIds": [ACCOUNT] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (path, body, text) in [
        ("performance", json!({ "period": "1M" }), "acctIds are required"),
        ("performance", json!({ "acctIds": [], "period": "1M" }), "acctIds are required"),
        ("performance", json!({ "acctIds": ["U9"], "period": "1M" }), "accountId is not valid: U9"),
        ("performance", mine(json!({})), "period is not valid"),
        ("performance", mine(json!({ "period": "1M", "freq": "D" })), "unknown field freq"),
        ("transactions", mine(json!({})), "one contract at a time"),
        ("transactions", mine(json!({ "conids": [1, 2] })), "one contract at a time"),
        ("transactions", mine(json!({ "conids": [1], "days": "90" })), "days is not valid"),
        (
            "transactions",
            mine(json!({ "conids": [1], "currency": "XXX" })),
            "currency is not valid",
        ),
    ] {
        let (status, answer) = send(&mut flex, &format!("/pa/{path}"), &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(text), "{body}: {answer}");
    }
    let nothing = post(&mut flex, "/pa/transactions", &mine(json!({ "conids": [1] })));
    assert_eq!(nothing["rpnl"], json!({ "data": [], "amt": "0.0" }));
}
