//! Market data: one subscription upstream however many ask, and answers out of memory that are true.

use ibd_tests::months::{option_month, quarter};
use ibd_tests::{Sim, World, until};
use serde_json::{Value, json};

const SNAPSHOT: &str = "/iserver/marketdata/snapshot";

fn quote<'q>(quotes: &'q Value, symbol: &str) -> &'q Value {
    let all = quotes["quotes"].as_array().unwrap();
    all.iter().find(|quote| quote["symbol"] == symbol).unwrap_or_else(|| panic!("{quotes}"))
}

/// The second client's quote, and each one after it, costs IBKR nothing.
#[tokio::test]
async fn a_quote_that_is_followed_is_answered_out_of_memory() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let (mut one, mut other) = (world.client().await, world.client().await);
    let both = json!({ "symbols": ["AAPL", "MSFT"] });
    one.call("get_market_data", both.clone()).await.ok();
    until("the stream tells of it", async || {
        let before = sim.count(SNAPSHOT).await;
        other.call("get_market_data", both.clone()).await.ok();
        sim.count(SNAPSHOT).await == before
    })
    .await;
    let before = sim.requests().await["requests"].as_array().unwrap().len();
    for _ in 0..20 {
        let quotes = one.call("get_market_data", both.clone()).await.ok();
        assert!(quote(&quotes, "AAPL")["bid"].is_number(), "{quotes}");
        other.call("get_market_data", json!({ "symbol": "MSFT" })).await.ok();
    }
    // What keeps the session alive goes on meanwhile.
    let session = ["/tickle", "/sso/validate", "/iserver/auth/status"];
    let requests = sim.requests().await["requests"].as_array().unwrap()[before..].to_vec();
    let paths = requests.iter().map(|request| request["path"].as_str().unwrap());
    let asked: Vec<&str> =
        paths.filter(|path| !session.iter().any(|own| path.contains(own))).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// What is told out of memory is what the market does.
#[tokio::test]
async fn a_followed_quote_moves_with_the_market() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let apple = json!({ "symbol": "AAPL" });
    client.call("get_market_data", apple.clone()).await.ok();
    sim.tell("/market", json!({ "conid": 265_598, "last": 300.5 })).await;
    until("the new price is told", async || {
        let quotes = client.call("get_market_data", apple.clone()).await.ok();
        quote(&quotes, "AAPL")["last"] == 300.5
    })
    .await;
}

/// Of many quotes what is the same stands once; and the answer says whether each market is open.
#[tokio::test]
async fn many_quotes_are_a_table() {
    let world = World::simulated();
    let mut client = world.client().await;
    let symbols = ["AAPL", "MSFT", "NVDA", "IBM", "SPY", "F", "TSLA", "7203", "EUR.USD", "NESN"];
    let table = client.call("get_market_data", json!({ "symbols": symbols })).await.ok();
    assert_eq!(table["rows"].as_array().unwrap().len(), symbols.len(), "{table}");
    assert!(table["quotes"].is_null() && table.to_string().len() <= 1_000, "{table}");
    let cols: Vec<&str> =
        table["cols"].as_array().unwrap().iter().map(|col| col.as_str().unwrap()).collect();
    for col in ["symbol", "conid", "currency", "last", "bid", "ask"] {
        assert!(cols.contains(&col), "{col}: {table}");
    }
    let more = json!({ "symbols": ["AAPL", "MSFT"], "fields": ["yearHigh", "marketCap", "open"] });
    let quotes = client.call("get_market_data", more).await.ok();
    let apple = quote(&quotes, "AAPL");
    assert!(apple["yearHigh"].as_f64().unwrap() > 300.0, "{quotes}");
    assert!(["open", "extended", "closed"].contains(&apple["market"].as_str().unwrap()));
    let wrong = json!({ "symbol": "AAPL", "fields": ["yield"] });
    let refused = client.call("get_market_data", wrong).await;
    assert_eq!((refused.error(), &refused.json["field"]), ("invalid_argument", &json!("fields")));
}

#[tokio::test]
async fn a_history_is_what_the_market_did() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let month = json!({ "symbol": "AAPL", "period": "1m", "bar": "1d" });
    let history = client.call("get_price_history", month.clone()).await.ok();
    let rows = history["rows"].as_array().unwrap();
    assert!((20..=23).contains(&rows.len()), "{history}");
    let number = |row: &Value, at: usize| row[at].as_f64().unwrap();
    for row in rows {
        assert!(number(row, 2) >= number(row, 1) && number(row, 3) <= number(row, 4), "{row}");
    }
    assert_eq!(history["whole"]["close"], rows.last().unwrap()[4]);
    let quotes = client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    let last = quote(&quotes, "AAPL")["last"].as_f64().unwrap();
    assert!((number(rows.last().unwrap(), 4) - last).abs() < last / 100.0, "{history} {quotes}");
    // The same question a moment later costs nothing.
    let before = sim.count("/marketdata/history").await;
    client.call("get_price_history", month).await.ok();
    assert_eq!(sim.count("/marketdata/history").await, before);
    // For a person there is a picture of it.
    let drawn = json!({
        "name": "get_price_history", "arguments": { "symbol": "AAPL", "period": "3m", "chart": true },
    });
    let drawn = client.request("tools/call", drawn).await["result"].take();
    let content = drawn["content"].as_array().unwrap();
    assert_eq!((content.len(), &content[1]["type"]), (2, &json!("image")), "{drawn}");
    assert_eq!(content[1]["mimeType"], "image/png");
    assert!(content[1]["data"].as_str().unwrap().starts_with("iVBORw0KGgo"), "a PNG");
    assert!(drawn["structuredContent"]["rows"].is_array(), "{drawn}");
    let few = json!({ "symbol": "AAPL", "period": "1d", "bar": "1min", "limit": 10 });
    let few = client.call("get_price_history", few).await.ok();
    assert!(few["rows"].as_array().unwrap().len() <= 10 && few["barsInRow"].is_u64(), "{few}");
    for (arguments, error, field) in [
        (json!({ "symbol": "AAPL", "period": "1w", "bar": "1min" }), "invalid_argument", "bar"),
        (json!({ "symbol": "AAPL", "period": "fortnight" }), "invalid_argument", "period"),
        (json!({ "symbol": "NOPE" }), "unknown_symbol", "symbol"),
        (json!({ "symbol": "AAPL", "expiry": quarter().code() }), "unknown_symbol", "expiry"),
    ] {
        let refused = client.call("get_price_history", arguments.clone()).await;
        assert_eq!(refused.error(), error, "{arguments}: {}", refused.json);
        assert_eq!(refused.json["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn greeks_that_ibkr_does_not_send_are_computed_and_marked() {
    let month = json!({ "symbol": "AAPL", "expiry": "2027-03", "strikes": 8 });
    let mut chains = Vec::new();
    for withheld in [false, true] {
        let sim = Sim::scenario(json!({ "withholdGreeks": withheld })).await;
        let world = World::attached(&sim);
        let mut client = world.client().await;
        chains.push(client.call("get_option_chain", month.clone()).await.ok());
    }
    let [sent, computed] = &chains[..] else { panic!("{chains:?}") };
    assert!(sent["computed"].is_null() && sent["greeks"] == "IBKR", "{sent}");
    let rows = |chain: &Value| chain["rows"].as_array().unwrap().clone();
    let ours = computed["computed"]["conids"].as_array().unwrap();
    assert_eq!(ours.len(), rows(computed).len(), "{computed}");
    assert_eq!(computed["computed"]["style"], "american");
    // iv, delta, gamma, vega of the broker's model and of ours: two models, and quotes a spread wide.
    for (column, off) in [(6, 2.0), (7, 0.05), (8, 0.005), (10, 0.1)] {
        for row in rows(computed) {
            let same = |other: &Value| other[0] == row[0] && other[1] == row[1];
            let Some(theirs) = rows(sent).into_iter().find(same) else { continue };
            let (own, theirs) = (row[column].as_f64().unwrap(), theirs[column].as_f64().unwrap());
            assert!((own - theirs).abs() < off, "{column}: {own} {theirs}: {row} {sent}");
        }
    }
}

#[tokio::test]
async fn finished_bars_are_kept_and_only_what_is_missing_is_asked_for() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |back: i64| today.checked_sub(jiff::Span::new().days(back)).unwrap().to_string();
    let asked = |from: i64, to: i64| json!({ "symbol": "AAPL", "from": day(from), "to": day(to), "bar": "1d" });
    let first = client.call("get_price_history", asked(60, 20)).await.ok();
    assert!(first["rows"].as_array().unwrap().len() > 20, "{first}");
    assert_eq!(sim.count("/marketdata/history").await, 1);
    // A part of it, also of another daemon: from the disk.
    drop(client);
    assert!(world.ctl(&["restart"]).await.status.success());
    let mut client = world.client().await;
    let part = client.call("get_price_history", asked(50, 30)).await.ok();
    let rows = |answer: &Value| answer["rows"].as_array().unwrap().clone();
    assert!(rows(&part).iter().all(|row| rows(&first).contains(row)), "{part} {first}");
    assert_eq!(sim.count("/marketdata/history").await, 1);
    // More at both ends: two short questions.
    let more = client.call("get_price_history", asked(70, 5)).await.ok();
    assert!(rows(&first).iter().all(|row| rows(&more).contains(row)), "{more}");
    assert!(rows(&more).len() > rows(&first).len() + 10, "{more}");
    let requests = sim.requests().await["requests"].as_array().unwrap().clone();
    let periods = requests.iter().filter_map(|request| {
        let query = request["query"].as_str().or(request["path"].as_str())?;
        query
            .split('&')
            .find_map(|part| part.split_once("period="))
            .map(|(_, period)| period.to_owned())
    });
    let periods: Vec<String> = periods.collect();
    assert_eq!(periods.len(), 3, "{periods:?}");
    let days = |period: &String| period.trim_end_matches('d').parse::<u32>().unwrap();
    assert!(days(&periods[1]) < 20 && days(&periods[2]) < 25, "{periods:?}");
    client.call("get_price_history", asked(70, 5)).await.ok();
    assert_eq!(sim.count("/marketdata/history").await, 3);
}

#[tokio::test]
async fn a_chain_has_its_days_then_its_prices_and_greeks() {
    let world = World::simulated();
    let mut client = world.client().await;
    let apple = json!({ "symbol": "AAPL" });
    let days = client.call("get_option_chain", apple).await.ok();
    let expiries = days["expiries"].as_array().unwrap();
    assert!(expiries.len() >= 3 && expiries[0]["days"].is_i64(), "{days}");
    let day = expiries[1]["expiry"].clone();
    let of_day = json!({ "symbol": "AAPL", "expiry": day, "strikes": 20 });
    let chain = client.call("get_option_chain", of_day).await.ok();
    assert!(chain.to_string().len() <= 6_000, "{}", chain.to_string().len());
    let rows = chain["rows"].as_array().unwrap();
    assert!(rows.len() >= 10, "{chain}");
    for row in rows {
        assert!(row[3].is_number() && row[7].is_number(), "bid and delta: {row}");
    }
    // What the chain says and what a quote by its parts says are one contract.
    let first = &rows[0];
    let parts = json!({ "symbol": "AAPL", "expiry": day, "strike": first[0], "right": first[1] });
    let one = client.call("resolve_option_conid", parts).await.ok();
    assert_eq!(one["conid"], first[2]);
    let puts = json!({ "symbol": "AAPL", "expiry": option_month(1).code(), "right": "P", "minDelta": 0.3, "maxDelta": 0.6 });
    let puts = client.call("get_option_chain", puts).await.ok();
    for row in puts["rows"].as_array().unwrap() {
        let delta = row[7].as_f64().unwrap();
        assert!(row[1] == "P" && (-0.6..=-0.3).contains(&delta), "{row}");
    }
    for (arguments, field) in [
        (json!({ "symbol": "AAPL", "expiry": option_month(7).code() }), "expiry"),
        (
            json!({ "symbol": "AAPL", "expiry": format!("{}-01", option_month(2).in_digits()[1]) }),
            "expiry",
        ),
        (json!({ "symbol": "F" }), "symbol"),
    ] {
        let refused = client.call("get_option_chain", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
    }
}

#[tokio::test]
async fn a_contract_says_how_and_when_it_trades() {
    let world = World::simulated();
    let mut client = world.client().await;
    let apple = client.call("get_contract_details", json!({ "symbol": "AAPL" })).await.ok();
    assert_eq!(apple["rules"]["ticks"], json!([[0, 0.01]]), "{apple}");
    assert_eq!(apple["timeZone"], "America/New_York");
    assert!(apple["regularHours"][0].as_str().unwrap().ends_with("09:30-16:00"), "{apple}");
    let future = json!({ "symbol": "ES", "expiry": quarter().code() });
    let future = client.call("get_contract_details", future).await.ok();
    assert_eq!((&future["multiplier"], &future["secType"]), (&json!(50), &json!("FUT")));
    let rate = client.call("get_exchange_rate", json!({ "from": "eur", "to": "USD" })).await.ok();
    assert!(rate["rate"].as_f64().unwrap() > 1.0, "{rate}");
    let none = client.call("get_exchange_rate", json!({ "from": "EUR", "to": "XXX" })).await;
    assert_eq!(none.error(), "no_data");
}

/// Every form in which people write a symbol that means one thing is that thing.
#[tokio::test]
async fn symbols_are_understood_as_other_houses_write_them() {
    let world = World::simulated();
    let mut client = world.client().await;
    for (written, conid) in [
        ("$AAPL", 265_598),
        ("NASDAQ:AAPL", 265_598),
        ("SAP.DE", 14_204),
        ("7203.T", 14_020_991),
        ("0700.HK", 57_678_684),
        ("EURUSD", 12_087_792),
        ("EURUSD=X", 12_087_792),
        ("AAPL  270115C00270000", 700_085_108),
    ] {
        let quotes = client.call("get_market_data", json!({ "symbol": written })).await.ok();
        assert_eq!(quotes["quotes"][0]["conid"], conid, "{written}: {quotes}");
    }
    let both = json!({ "symbol": "SAP.DE", "exchange": "NYSE" });
    let refused = client.call("get_market_data", both).await;
    assert_eq!(refused.error(), "contradiction", "{}", refused.json);
    let same = json!({ "symbol": "SAP.DE", "exchange": "XETRA" });
    client.call("get_market_data", same).await.ok();
}

#[tokio::test]
async fn a_scan_is_found_by_words_and_comes_with_quotes() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let gainers = json!({ "scan": "gainers", "filters": { "priceAbove": 100 }, "limit": 3 });
    let found = client.call("run_scanner", gainers).await.ok();
    let rows = found["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{found}");
    let number = |cell: &Value| cell.as_f64().unwrap();
    assert!(rows.iter().all(|row| number(&row[5]) > 100.0), "{found}");
    let values: Vec<f64> =
        rows.iter().map(|row| row[4].as_str().unwrap().parse().unwrap()).collect();
    assert!(values.is_sorted_by(|one, other| one >= other), "{found}");
    let german = json!({ "query": "dividend yield", "location": "Germany" });
    let german = client.call("run_scanner", german).await.ok();
    assert_eq!(german["rows"][0][3], "IBIS", "{german}");
    // The catalogue may be asked for once in fifteen minutes.
    assert_eq!(sim.count("/scanner/params").await, 1);
    for (arguments, field) in [
        (json!({ "scan": "top" }), "scan"),
        (json!({}), "scan"),
        (json!({ "scan": "gainers", "location": "Atlantis" }), "location"),
        (json!({ "scan": "gainers", "filters": { "priceOver": 5 } }), "filters"),
    ] {
        let refused = client.call("run_scanner", arguments.clone()).await;
        assert_eq!(refused.json["field"], field, "{arguments}: {}", refused.json);
        assert!(!refused.json["candidates"].as_array().unwrap().is_empty(), "{}", refused.json);
    }
}

/// Options on a future are found by their product and its exchange; of two trading classes on one day none is guessed.
#[tokio::test]
async fn options_on_futures_and_of_several_classes_are_told_apart() {
    let world = World::simulated();
    let mut client = world.client().await;
    let day = quarter().day();
    let on_future = json!({ "symbol": "ES", "expiry": day, "strike": 6600, "right": "C" });
    let mut there = on_future.clone();
    there["exchange"] = json!("CME");
    let found = client.call("resolve_option_conid", there.clone()).await.ok();
    assert_eq!(found["conid"], 740_000_528 + 1_000 * quarter().number(), "{found}");
    let quotes = client.call("get_market_data", there).await.ok();
    assert_eq!(quotes["quotes"][0]["secType"], "FOP", "{quotes}");
    assert!(quotes["quotes"][0]["bid"].is_number(), "{quotes}");
    let mut elsewhere = on_future;
    elsewhere["exchange"] = json!("NYMEX");
    let refused = client.call("get_market_data", elsewhere).await;
    assert_eq!((refused.error(), &refused.json["field"]), ("unknown_symbol", &json!("exchange")));

    let month = option_month(1);
    let index = json!({ "symbol": "SPX", "expiry": month.day(), "strike": 6600, "right": "C" });
    let refused = client.call("get_market_data", index).await;
    assert_eq!(refused.error(), "ambiguous_symbol", "{}", refused.json);
    assert!(refused.json["message"].as_str().unwrap().contains("SPX, SPXW"), "{}", refused.json);
    let chain = json!({ "symbol": "SPX", "expiry": month.day(), "strikes": 2 });
    let own = client.call("get_option_chain", chain.clone()).await.ok();
    assert_eq!(own["tradingClass"], "SPX", "{own}");
    assert!(own["warnings"][0].as_str().unwrap().contains("SPXW"), "{own}");
    let mut other = chain;
    other["tradingClass"] = json!("SPXW");
    let other = client.call("get_option_chain", other).await.ok();
    assert_eq!(other["tradingClass"], "SPXW", "{other}");
    assert_ne!(other["rows"][0][2], own["rows"][0][2], "{other}");
}

/// Trouble of IBKR's is told as that, and never as "there is no such option".
#[tokio::test]
async fn trouble_is_no_missing_option() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let trouble = json!({ "match": "secdef/info", "mode": "status", "status": 503, "count": 0 });
    sim.fault(trouble.clone()).await;
    let chain = json!({ "symbol": "SPY", "expiry": option_month(1).code(), "strikes": 2 });
    let refused = client.call("get_option_chain", chain.clone()).await;
    assert_eq!(refused.error(), "broker_trouble", "{}", refused.json);
    let one =
        json!({ "symbol": "SPY", "expiry": option_month(1).code(), "strike": 655, "right": "C" });
    let refused = client.call("resolve_option_conid", one.clone()).await;
    assert_eq!(refused.error(), "broker_trouble", "{}", refused.json);
    let days = client.call("get_option_chain", json!({ "symbol": "SPY" })).await.ok();
    assert!(days["warnings"][0].as_str().unwrap().contains("could not be read"), "{days}");
    sim.tell("/calm", json!({ "match": "secdef/info" })).await;
    sim.fault(json!({ "match": "secdef/info", "mode": "status", "status": 503, "count": 1 })).await;
    let part = client.call("get_option_chain", chain).await.ok();
    assert!(part["warnings"][0].as_str().unwrap().contains("1 of 4 options"), "{part}");
    client.call("resolve_option_conid", one).await.ok();
    // A price of -1 is IBKR's word for none, and no price of the underlying.
    sim.tell("/quote", json!({ "conid": 756_733, "fields": { "31": "-1" } })).await;
    until("the chain knows no last price", async || {
        let chain = json!({ "symbol": "SPY", "expiry": option_month(1).code(), "strikes": 2 });
        let chain = client.call("get_option_chain", chain).await.ok();
        chain["underlyingPriceIs"] == "middle" && chain["underlyingPrice"].as_f64().unwrap() > 600.0
    })
    .await;
}

/// Who wants more contracts than there are lines does not keep another one from its single one.
#[tokio::test]
async fn a_line_is_found_for_whoever_asks_for_one() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let (mut many, mut one) = (world.client().await, world.client().await);
    let mut conids = Vec::new();
    for (symbol, expiry) in ["AAPL", "SPY"]
        .into_iter()
        .flat_map(|s| [0, 1, 2].map(|ahead| (s, option_month(ahead).code())))
    {
        let chain = json!({ "symbol": symbol, "expiry": expiry, "strikes": 40 });
        let chain = many.call("get_option_chain", chain).await.ok();
        conids.extend(chain["rows"].as_array().unwrap().iter().map(|row| row[2].clone()));
    }
    assert!(conids.len() > 100, "{}", conids.len());
    let (first, last) = (&conids[..100], &conids[conids.len() - 100..]);
    let calls = [first, last, first];
    let mut begun = Vec::new();
    for conids in calls {
        begun.push(many.begin_call("get_market_data", json!({ "conids": conids })).await);
    }
    let quotes = one.call("get_market_data", json!({ "symbol": "IBM" })).await.ok();
    assert!(quote(&quotes, "IBM")["last"].is_number(), "{quotes}");
    for call in begun {
        assert!(!many.reply(call).await.is_error);
    }
}

/// What goes with a quote hides no price: hours that cannot be read are asked for once a market, and not known.
#[tokio::test]
async fn hours_that_cannot_be_read_hide_no_price() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let schedule = "/contract/trading-schedule";
    sim.fault(json!({ "match": schedule, "mode": "status", "status": 503, "count": 0 })).await;
    let three = json!({ "symbols": ["AAPL", "MSFT", "NVDA"] });
    let quotes = client.call("get_market_data", three.clone()).await.ok();
    let apple = quote(&quotes, "AAPL");
    assert!(apple["last"].is_number() && apple["market"].is_null(), "{quotes}");
    assert_eq!(sim.count(schedule).await, 1, "all three are at one exchange");
    sim.tell("/calm", json!({ "match": schedule })).await;
    let quotes = client.call("get_market_data", three).await.ok();
    assert!(quote(&quotes, "AAPL")["market"].is_string(), "{quotes}");
}

/// Whether prices are of now has one account: at night and on a Sunday, too, every tool says alike.
#[tokio::test]
async fn every_tool_says_alike_whether_prices_are_of_now() {
    let sim = Sim::start().await;
    let world = World::attached(&sim);
    let mut client = world.client().await;
    let expiry = option_month(1).code();
    let chain = json!({ "symbol": "AAPL", "expiry": expiry, "strikes": 2, "right": "C" });
    let chain = client.call("get_option_chain", chain).await.ok();
    let option = json!({ "conid": chain["rows"][0][2] });
    let option = client.call("get_market_data", option).await.ok();
    assert_eq!(chain["data"], option["quotes"][0]["data"], "{chain} {option}");
    let apple = client.call("get_market_data", json!({ "symbol": "AAPL" })).await.ok();
    let is_live = quote(&apple, "AAPL")["data"] == "live";
    let order = json!({
        "symbol": "AAPL", "action": "BUY", "orderType": "LMT", "quantity": 1, "price": 250,
    });
    let preview = client.call("preview_order", order).await.ok();
    assert_eq!(preview["market"]["live"], is_live, "{preview} {apple}");
    let found = json!({ "scan": "gainers", "limit": 2 });
    let found = client.call("run_scanner", found).await.ok();
    for row in found["rows"].as_array().unwrap() {
        let quoted = client.call("get_market_data", json!({ "conid": row[1] })).await.ok();
        assert_eq!(row[8], quoted["quotes"][0]["data"], "{row} {quoted}");
    }
    let lists = client.call("get_watchlists", json!({})).await.ok();
    let list = json!({ "id": lists["lists"][0]["id"], "quotes": true });
    let list = client.call("get_watchlists", list).await.ok();
    for row in list["rows"].as_array().unwrap().iter().take(3) {
        let quoted = client.call("get_market_data", json!({ "conid": row[1] })).await.ok();
        assert_eq!(row[11], quoted["quotes"][0]["data"], "{row} {quoted}");
    }
}
