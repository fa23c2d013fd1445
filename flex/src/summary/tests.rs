#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn of_text(text: &str) -> Summary {
    of(text.as_bytes()).unwrap()
}

fn statement(inside: &str) -> String {
    format!(
        "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatements count=\"1\"><FlexStatement \
         accountId=\"U1\" fromDate=\"20260101\" toDate=\"20260131\" whenGenerated=\"20260201;003105\">\
         {inside}</FlexStatement></FlexStatements></FlexQueryResponse>"
    )
}

#[test]
fn a_statement_is_summed_up_in_a_few_lines() {
    let text = statement(
        "<AccountInformation currency=\"USD\"/>\
         <Trades>\
         <Trade currency=\"USD\" ibCommission=\"-1\" ibCommissionCurrency=\"EUR\" proceeds=\"10.50\" levelOfDetail=\"EXECUTION\"/>\
         <Trade currency=\"USD\" ibCommission=\"-1.25\" ibCommissionCurrency=\"EUR\" proceeds=\"1,000\" levelOfDetail=\"EXECUTION\"/>\
         <Order currency=\"USD\" ibCommission=\"-2.25\" proceeds=\"1010.5\" levelOfDetail=\"ORDER\"/>\
         </Trades>\
         <CashTransactions><CashTransaction type=\"Dividends\" currency=\"CHF\" amount=\"3\"/>\
         <CashTransaction type=\"Dividends\" currency=\"CHF\" amount=\"oops\"/></CashTransactions>\
         <OpenPositions><OpenPosition currency=\"USD\" positionValue=\"5\" levelOfDetail=\"SUMMARY\"/></OpenPositions>\
         <Transfers/>",
    );
    let json = serde_json::to_string(&of_text(&text)).unwrap();
    let expected = concat!(
        r#"{"queryName":"q","type":"AF","period":{"from":"2026-01-01","to":"2026-01-31"},"#,
        r#""generated":"2026-02-01T00:31:05","#,
        r#""accounts":[{"account":"U1","period":{"from":"2026-01-01","to":"2026-01-31"},"statements":1}],"#,
        r#""sections":[{"name":"AccountInformation","rows":1},"#,
        r#"{"name":"Trades","rows":3,"levels":[{"name":"EXECUTION","rows":2},{"name":"ORDER","rows":1}],"totals":["#,
        r#"{"level":"EXECUTION","cols":["currency","ibCommission","proceeds"],"#,
        r#""rows":[["EUR",-2.25,null],["USD",null,1010.5]]}]},"#,
        r#"{"name":"CashTransactions","rows":2,"totals":["#,
        r#"{"cols":["type","currency","amount"],"rows":[["Dividends","CHF",3]]}]},"#,
        r#"{"name":"OpenPositions","rows":1,"levels":[{"name":"SUMMARY","rows":1}]},"#,
        r#"{"name":"Transfers","rows":0}],"#,
        r#""notes":["1 amounts in CashTransactions are no numbers and not in its totals"]}"#,
    );
    assert_eq!(json, expected);
}

/// What only another level has is told at that one, and nothing twice.
#[test]
fn each_sum_is_told_once_at_the_closest_level_that_has_it() {
    let text = statement(
        "<Trades><Trade currency=\"USD\" proceeds=\"10\" levelOfDetail=\"EXECUTION\"/>\
         <Order currency=\"USD\" proceeds=\"10\" levelOfDetail=\"ORDER\"/>\
         <Lot currency=\"USD\" fifoPnlRealized=\"4\" levelOfDetail=\"CLOSED_LOT\"/></Trades>",
    );
    let summary = serde_json::to_value(of_text(&text)).unwrap();
    assert_eq!(
        summary["sections"][0]["totals"].to_string(),
        concat!(
            r#"[{"level":"EXECUTION","cols":["currency","proceeds"],"rows":[["USD",10]]},"#,
            r#"{"level":"CLOSED_LOT","cols":["currency","fifoPnlRealized"],"rows":[["USD",4]]}]"#
        )
    );
}

#[test]
fn accounts_and_days_of_a_breakout_are_joined() {
    let day = |account: &str, day: &str| {
        format!(
            "<FlexStatement accountId=\"{account}\" fromDate=\"{day}\" toDate=\"{day}\" whenGenerated=\"2026-02-01;00:31:05\"/>"
        )
    };
    let text = format!(
        "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatements count=\"4\">{}{}{}</FlexStatements></FlexQueryResponse>",
        day("U1", "2026-01-05"),
        day("U2", "2026-01-06"),
        day("U1", "2026-01-07")
    );
    let summary = of_text(&text);
    let accounts: Vec<_> = summary
        .accounts
        .iter()
        .map(|a| {
            format!(
                "{} {} {} {}",
                a.account,
                a.period.unwrap().from,
                a.period.unwrap().to,
                a.statements
            )
        })
        .collect();
    assert_eq!(accounts, ["U1 2026-01-05 2026-01-07 2", "U2 2026-01-06 2026-01-06 1"]);
    assert_eq!(summary.notes, ["it says that it has 4 statements, and has 3"]);
}

#[test]
fn the_order_of_dates_may_be_told_by_a_row() {
    let text = |row: &str| {
        format!(
            "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatement accountId=\"U1\" \
             fromDate=\"02/02/2026\" toDate=\"03/03/2026\" whenGenerated=\"04/05/2026;003105\"><Trades>\
             <Trade tradeDate=\"{row}\"/></Trades></FlexStatement></FlexQueryResponse>"
        )
    };
    let known = of_text(&text("14/02/2026"));
    assert_eq!(known.date_order, Order::DayFirst);
    assert_eq!(known.generated.as_deref(), Some("2026-05-04T00:31:05"));
    let unknown = of_text(&text("02/03/2026"));
    assert_eq!((unknown.date_order, unknown.generated), (Order::Unknown, None));
    // These read the same either way.
    assert!(unknown.period.is_some());
    assert!(unknown.notes[0].contains("yyyy-MM-dd"), "{:?}", unknown.notes);
}

#[test]
fn an_empty_statement_says_so() {
    let text = "<FlexQueryResponse queryName=\"q\" type=\"AF\"><FlexStatements count=\"0\"/></FlexQueryResponse>";
    assert!(of_text(text).notes[0].contains("empty"));
}

#[test]
fn thousands_of_sections_and_fields_are_cut_and_said() {
    let sections: String = (0..2_000).map(|n| format!("<S{n}><R a{n}=\"1\"/></S{n}>")).collect();
    let summary = of_text(&statement(&sections));
    assert_eq!(summary.sections.len(), 500);
    assert!(summary.notes.iter().any(|note| note.contains("1500 rows")), "{:?}", summary.notes);
    let fields: String = (0..5_000).map(|n| format!(" a{n}=\"1\"")).collect();
    let summary = of_text(&statement(&format!("<S><R{fields}/></S>")));
    assert_eq!(summary.section("s").unwrap().fields.len(), 2_000);
}

proptest! {
    /// The sums are made again, by a map over what was written.
    #[test]
    fn totals_are_the_sums_of_what_was_written(
        rows in prop::collection::vec((0_usize..3, 0_usize..3, -1_000_000_i64..1_000_000, 0_u32..4), 0..60),
    ) {
        let (levels, currencies) = (["EXECUTION", "ORDER", "CLOSED_LOT"], ["USD", "EUR", "JPY"]);
        let mut expected: BTreeMap<(&str, &str), Decimal> = BTreeMap::new();
        let mut inside = String::from("<Trades>");
        for (level, currency, mantissa, scale) in rows {
            let amount = Decimal::new(mantissa, scale);
            *expected.entry((levels[level], currencies[currency])).or_default() += amount;
            inside += &format!(
                "<Trade levelOfDetail=\"{}\" currency=\"{}\" fifoPnlRealized=\"{amount}\" cost=\"7\"/>",
                levels[level], currencies[currency]
            );
        }
        expected.retain(|_, sum| !sum.is_zero());
        let summary = of_text(&statement(&(inside + "</Trades>")));
        let found: BTreeMap<_, _> = summary.section("Trades").unwrap().totals.iter()
            .map(|total| ((total.level.as_str(), total.currency.as_str()), total.sum)).collect();
        prop_assert_eq!(found, expected);
    }
}
