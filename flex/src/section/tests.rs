#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const TEXT: &str = "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatements count=\"2\">\
    <FlexStatement accountId=\"U1\"><AccountInformation currency=\"USD\"/><Trades>\
    <Trade accountId=\"U1\" symbol=\"AAPL\" conid=\"1\" tradeDate=\"20260105\" quantity=\"5\" notes=\"\" description=\"A, &quot;B&quot;\" buySell=\"BUY\"/>\
    <Order accountId=\"U1\" symbol=\"AAPL\" conid=\"1\" tradeDate=\"20260105\" quantity=\"5\" notes=\"\"/>\
    <Trade accountId=\"U1\" symbol=\"MSFT\" conid=\"2\" tradeDate=\"20260106\" quantity=\"-3\" notes=\"\" buySell=\"SELL\"/>\
    <Trade accountId=\"U1\" symbol=\"T\" conid=\"3\" tradeDate=\"\" quantity=\"1\"/>\
    </Trades><FxPositions><FxLots><FxLot quantity=\"9\"/></FxLots></FxPositions></FlexStatement>\
    <FlexStatement accountId=\"U2\"><Trades><Trade symbol=\"AAPL\" conid=\"1\" tradeDate=\"20260107\" quantity=\"2\" extra=\"x\"/></Trades></FlexStatement>\
    </FlexStatements></FlexQueryResponse>";

fn ask(section: &str) -> Ask {
    Ask { section: section.to_owned(), limit: 10, ..Ask::default() }
}

fn rows(ask: &Ask) -> Vec<String> {
    let page = page(TEXT.as_bytes(), ask).unwrap();
    page.rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
}

fn of_columns(mut ask: Ask, columns: &[&str]) -> Vec<String> {
    ask.columns = columns.iter().map(|name| (*name).to_owned()).collect();
    rows(&ask)
}

#[test]
fn a_page_has_the_columns_that_hold_something() {
    let page = page(TEXT.as_bytes(), &ask("trades")).unwrap();
    let cols = [
        "accountId",
        "symbol",
        "conid",
        "tradeDate",
        "quantity",
        "description",
        "buySell",
        "extra",
    ];
    assert_eq!(page.cols, cols);
    assert_eq!(page.more_columns, ["notes"]);
    assert_eq!(
        (page.matched, page.next, page.levels),
        (5, None, vec!["EXECUTION".to_owned(), "ORDER".to_owned()])
    );
    assert!(page.notes[0].contains("levels of detail"));
    assert_eq!(
        serde_json::to_string(&page.rows[0]).unwrap(),
        r#"["U1","AAPL","1","2026-01-05",5,"A, \"B\"","BUY",null]"#
    );
}

#[test]
fn rows_are_chosen_by_what_they_say() {
    let symbols = |ask: Ask| of_columns(ask, &["symbol", "Quantity"]);
    let all = symbols(ask("Trades"));
    assert_eq!(all.len(), 5);
    let of = |change: fn(&mut Ask)| {
        let mut ask = ask("Trades");
        change(&mut ask);
        symbols(ask)
    };
    assert_eq!(of(|ask| ask.symbol = Some("msft".to_owned())), [r#"["MSFT",-3]"#]);
    assert_eq!(of(|ask| ask.symbol = Some("2".to_owned())), [r#"["MSFT",-3]"#]);
    assert_eq!(of(|ask| ask.account = Some("u2".to_owned())), [r#"["AAPL",2]"#]);
    assert_eq!(of(|ask| ask.level = Some("order".to_owned())), [r#"["AAPL",5]"#]);
    assert_eq!(of(|ask| ask.kind = Some("sell".to_owned())), [r#"["MSFT",-3]"#]);
    assert_eq!(of(|ask| ask.from = Some(jiff::civil::date(2026, 1, 7))), [r#"["AAPL",2]"#]);
    assert_eq!(
        of(|ask| ask.to = Some(jiff::civil::date(2026, 1, 5))),
        [r#"["AAPL",5]"#, r#"["AAPL",5]"#]
    );
    assert_eq!(symbols(ask("Order")), [r#"["AAPL",5]"#]);
    assert_eq!(rows(&ask("FxPositions")), ["[9]"]);
    assert_eq!(rows(&ask("fxlots")), ["[9]"]);
    assert_eq!(rows(&ask("FxPositions/FxLots")), ["[9]"]);
    assert_eq!(rows(&ask("AccountInformation")), [r#"["USD"]"#]);
}

#[test]
fn pages_follow_one_another() {
    let mut ask = ask("Trades");
    (ask.limit, ask.columns) = (2, vec!["symbol".to_owned()]);
    let mut all = Vec::new();
    loop {
        let page = page(TEXT.as_bytes(), &ask).unwrap();
        all.extend(page.rows.iter().map(|row| serde_json::to_string(row).unwrap()));
        match page.next {
            Some(next) => ask.skip = next,
            None => break,
        }
    }
    assert_eq!(all, [r#"["AAPL"]"#, r#"["AAPL"]"#, r#"["MSFT"]"#, r#"["T"]"#, r#"["AAPL"]"#]);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let error = |ask: &Ask| page(TEXT.as_bytes(), ask).unwrap_err().to_string();
    let text = error(&ask("Dividends"));
    assert!(text.contains("AccountInformation, Trades, FxPositions, FxPositions/FxLots"), "{text}");
    let mut unknown = ask("Trades");
    unknown.columns = vec!["price".to_owned()];
    assert!(error(&unknown).contains("quantity"), "{}", error(&unknown));
    let mut undated = ask("FxLots");
    undated.from = Some(jiff::civil::date(2026, 1, 1));
    assert!(error(&undated).contains("Report Date"), "{}", error(&undated));
    let mut some = ask("Trades");
    some.from = Some(jiff::civil::date(2026, 1, 1));
    assert_eq!(
        page(TEXT.as_bytes(), &some).unwrap().notes[0],
        "1 rows have no date and are left out"
    );
}

fn exported(ask: &Ask, format: Format) -> (u64, String) {
    let mut to = Vec::new();
    let rows = export(|| Ok(TEXT.as_bytes()), ask, (format, &mut to)).unwrap();
    (rows, String::from_utf8(to).unwrap())
}

#[test]
fn a_file_has_all_rows() {
    let mut msft = ask("Trades");
    (msft.account, msft.limit) = (Some("U1".to_owned()), 0);
    let (rows, csv) = exported(&msft, Format::Csv);
    let expected = "accountId,symbol,conid,tradeDate,quantity,notes,description,buySell,extra\r\n\
        U1,AAPL,1,2026-01-05,5,,\"A, \"\"B\"\"\",BUY,\r\n\
        U1,AAPL,1,2026-01-05,5,,,,\r\n\
        U1,MSFT,2,2026-01-06,-3,,,SELL,\r\n\
        U1,T,3,,1,,,,\r\n";
    assert_eq!((rows, csv.as_str()), (4, expected));
    msft.columns = vec!["QUANTITY".to_owned(), "symbol".to_owned()];
    let (_, csv) = exported(&msft, Format::Csv);
    assert!(csv.starts_with("quantity,symbol\r\n5,AAPL\r\n"), "{csv}");
    let (rows, lines) = exported(&msft, Format::JsonLines);
    assert_eq!(rows, 4);
    assert!(lines.starts_with("{\"symbol\":\"AAPL\",\"quantity\":5}\n"), "{lines}");
}

proptest! {
    /// What a program reads is what was written; in CSV without what would be a formula or is not seen.
    #[test]
    fn csv_and_json_lines_give_back_every_text(texts in prop::collection::vec("[ -~\\n\\PC]{0,12}", 1..12)) {
        let mut inside = String::new();
        for text in &texts {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;");
            inside += &format!("<X nameOfIt=\"x\" description=\"{escaped}\"/>");
        }
        let whole = format!("<FlexQueryResponse><FlexStatement><S>{inside}</S></FlexStatement></FlexQueryResponse>");
        let ask = ask("S");
        let mut lines = Vec::new();
        export(|| Ok(whole.as_bytes()), &ask, (Format::JsonLines, &mut lines)).unwrap();
        let read: Vec<String> = String::from_utf8(lines).unwrap().lines()
            .map(|line| serde_json::from_str::<BTreeMap<String, String>>(line).unwrap())
            .map(|row| row.get("description").cloned().unwrap_or_default())
            .collect();
        prop_assert_eq!(&read, &texts);
        let mut csv = Vec::new();
        export(|| Ok(whole.as_bytes()), &ask, (Format::Csv, &mut csv)).unwrap();
        let read = parsed(&String::from_utf8(csv).unwrap());
        let column: Vec<String> = read.into_iter().skip(1).map(|row| row[1].clone()).collect();
        let expected: Vec<_> = texts.iter().map(|text| ibd_text::csv_cell(text)).collect();
        prop_assert_eq!(column, expected);
    }
}

/// RFC 4180, written for this test.
fn parsed(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut chars, mut quoted) = (csv.chars().peekable(), false);
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {
                chars.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    rows
}
