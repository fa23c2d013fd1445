#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use tempfile::TempDir;

use super::*;
use crate::archive::{Archive, Incoming};
use crate::question::{Given, Sort};

mod cash;
mod queries;

/// An archive and what is asked of it on 2 November 2026.
struct Desk {
    _folder: TempDir,
    archive: Archive,
}

/// A statement of one account.
struct Paper<'a> {
    query: &'a str,
    account: &'a str,
    days: (&'a str, &'a str),
    made: &'a str,
}

const YEAR: Paper<'_> =
    Paper { query: "tax", account: "U1", days: ("20260101", "20261031"), made: "20261101;003105" };

impl Paper<'_> {
    fn of(&self, inside: &str) -> String {
        let Paper { query, account, days: (from, to), made } = self;
        format!(
            "<FlexQueryResponse queryName=\"{query}\" type=\"AF\"><FlexStatements count=\"1\">\
             <FlexStatement accountId=\"{account}\" fromDate=\"{from}\" toDate=\"{to}\" whenGenerated=\"{made}\">\
             {inside}</FlexStatement></FlexStatements></FlexQueryResponse>"
        )
    }
}

impl Desk {
    fn with<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::of(texts.into_iter().map(|text| (None, text)))
    }

    /// Of statements that were run, with the query's number, or imported.
    fn of<'t>(texts: impl IntoIterator<Item = (Option<&'t str>, &'t str)>) -> Self {
        let folder = TempDir::new().unwrap();
        let archive = Archive::open(folder.path()).unwrap();
        for (query_id, text) in texts {
            let now = "2026-11-02T12:00:00Z".parse().unwrap();
            let incoming = Incoming { query_id, name: None, now, known: &[] };
            archive.add(text.as_bytes(), &incoming).unwrap();
        }
        Self { _folder: folder, archive }
    }

    fn given(&self, text: &str, given: &Given) -> Result<Answer, NoAnswer> {
        let question = Question::parse(text, given, date(2026, 11, 2)).unwrap();
        let entries = self.archive.scan().unwrap().entries;
        answer(&question, &entries, (|entry| self.archive.read(entry), ROWS))
    }

    fn ask(&self, text: &str) -> Answer {
        self.given(text, &Given::default()).unwrap()
    }

    fn refused(&self, text: &str) -> String {
        self.given(text, &Given::default()).unwrap_err().to_string()
    }
}

fn lines(table: &Table) -> Vec<String> {
    table.rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect()
}

fn ticks(answer: &Answer) -> Vec<String> {
    answer.tick.iter().map(|tick| format!("{} > {}", tick.section, tick.field)).collect()
}

fn notes(answer: &Answer, part: &str) -> bool {
    answer.notes.iter().any(|note| note.contains(part))
}

const BASE: &str = "<AccountInformation accountId=\"U1\" currency=\"USD\"/>";

/// Executions of a year, with the order and the lots that are the same again.
fn trades(inside: &str) -> String {
    YEAR.of(&format!("{BASE}<Trades>{inside}</Trades>"))
}

fn trade(
    element: &str,
    symbol: &str,
    day: &str,
    (realised, currency, rate): (&str, &str, &str),
) -> String {
    format!(
        "<{element} symbol=\"{symbol}\" assetCategory=\"STK\" currency=\"{currency}\" fxRateToBase=\"{rate}\" \
         tradeDate=\"{day}\" fifoPnlRealized=\"{realised}\"/>"
    )
}

#[test]
fn realised_profit_is_of_one_level_by_currency_and_in_base() {
    let inside = [
        trade("Trade", "AAPL", "20260105", ("10.5", "USD", "1")),
        trade("Order", "AAPL", "20260105", ("10.5", "USD", "1")),
        trade("Lot", "AAPL", "20260105", ("10.5", "USD", "1")),
        trade("Trade", "SAP", "20260206", ("20", "EUR", "1.1")),
        trade("Trade", "SAP", "20260306", ("-5", "EUR", "1.2")),
        trade("Trade", "SAP", "20260307", ("0", "EUR", "1.2")),
    ]
    .concat();
    let desk = Desk::with([trades(&inside).as_str()]);
    let answer = desk.ask("realised P&L 2026 by symbol");
    assert_eq!(answer.table.cols, ["symbol", "currency", "realised", "realisedInBase", "rows"]);
    assert_eq!(lines(&answer.table), [r#"["AAPL","USD",10.5,10.5,1]"#, r#"["SAP","EUR",15,16,2]"#]);
    assert_eq!(lines(&answer.totals), [r#"["EUR",15]"#, r#"["USD",10.5]"#]);
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",26.5]"#]);
    assert_eq!(
        serde_json::to_string(&answer.rates).unwrap(),
        r#"[{"currency":"EUR","base":"USD","lowest":1.1,"highest":1.2,"source":"fxRateToBase of each row"}]"#
    );
    assert_eq!(answer.source, "Trades at level EXECUTION");
    assert_eq!(answer.generated.as_deref(), Some("2026-11-01T00:31:05"));
    // Up to the day of asking; the first of November is a Sunday, and the second is not over.
    assert_eq!(answer.not_covered, ["2026-11-01 … 2026-11-02"]);
    assert!(answer.tick.is_empty(), "{:?}", answer.tick);

    let months = desk.ask("realised P&L by month and asset class in EUR");
    assert_eq!(
        lines(&months.table)[1..],
        [r#"["2026-02","STK","EUR",20,22,1]"#, r#"["2026-03","STK","EUR",-5,-6,1]"#]
    );
    assert!(notes(&months, "not heeded: EUR"));
    assert_eq!(
        lines(&desk.ask("realised P&L of SAP in March").table),
        [r#"["SAP","EUR",-5,-6,1]"#]
    );
}

#[test]
fn the_best_level_there_is_is_taken() {
    for (elements, level) in [
        (vec!["Order", "Lot", "SymbolSummary"], "ORDER"),
        (vec!["Lot", "SymbolSummary"], "CLOSED_LOT"),
        (vec!["SymbolSummary"], "SYMBOL_SUMMARY"),
    ] {
        let inside: String = elements
            .iter()
            .map(|element| trade(element, "A", "20260105", ("7", "USD", "1")))
            .collect();
        let answer = Desk::with([trades(&inside).as_str()]).ask("realised P&L by symbol");
        assert_eq!(lines(&answer.table), [r#"["A","USD",7,7,1]"#], "{level}");
        assert_eq!(answer.source, format!("Trades at level {level}"));
    }
}

#[test]
fn the_performance_summary_stands_in_for_trades() {
    let summary = "<FIFOPerformanceSummaryInBase>\
        <FIFOPerformanceSummaryUnderlying symbol=\"A\" conid=\"1\" totalRealizedPnl=\"5\"/>\
        <FIFOPerformanceSummaryUnderlying symbol=\"B\" conid=\"2\" totalRealizedPnl=\"-2\"/>\
        <FIFOPerformanceSummaryUnderlying symbol=\"\" conid=\"\" totalRealizedPnl=\"3\"/></FIFOPerformanceSummaryInBase>";
    let desk = Desk::with([YEAR.of(&format!("{BASE}{summary}")).as_str()]);
    let answer = desk.ask("realised P&L 2026");
    assert_eq!(lines(&answer.table), [r#"["A","USD",5,5,1]"#, r#"["B","USD",-2,-2,1]"#]);
    assert_eq!(answer.source, "FIFOPerformanceSummaryInBase");
    // Of a part of its days it says nothing.
    let part = desk.ask("realised P&L in March");
    assert!(notes(&part, "left out") && lines(&part.table).is_empty());
    assert_eq!(part.not_covered, ["March 2026"]);
    // A statement of just those days does, also where a longer one is newer.
    let march = Paper { days: ("20260301", "20260331"), made: "20260401;003105", ..YEAR };
    let texts = [YEAR.of(&format!("{BASE}{summary}")), march.of(&format!("{BASE}{summary}"))];
    let desk = Desk::with(texts.iter().map(String::as_str));
    let part = desk.ask("realised P&L in March");
    assert_eq!((lines(&part.totals), part.not_covered), (vec![r#"["USD",3]"#.to_owned()], vec![]));
    let whole = desk.ask("realised P&L 2026");
    assert!(notes(&whole, "overlapping days"));
    assert_eq!(lines(&whole.totals), [r#"["USD",3]"#]);
    // Trades without the field leave the summary as the next best.
    let both = YEAR.of(&format!(
        "{BASE}<Trades><Trade symbol=\"A\" tradeDate=\"20260105\"/></Trades>{summary}"
    ));
    assert_eq!(desk_source(&both, "realised P&L 2026"), "FIFOPerformanceSummaryInBase");
}

fn desk_source(text: &str, question: &str) -> String {
    Desk::with([text]).ask(question).source
}

#[test]
fn mergers_for_cash_are_realised_too() {
    let inside = format!(
        "{BASE}<Trades>{}</Trades><CorporateActions><CorporateAction symbol=\"B\" currency=\"USD\" fxRateToBase=\"1\" \
         reportDate=\"20260301\" fifoPnlRealized=\"9\"/></CorporateActions>",
        trade("Trade", "A", "20260105", ("1", "USD", "1"))
    );
    let answer = Desk::with([YEAR.of(&inside).as_str()]).ask("realised P&L by type");
    assert_eq!(
        lines(&answer.table),
        [r#"["Corporate actions","USD",9,9,1]"#, r#"["Trades","USD",1,1,1]"#]
    );
}

const CASH: &str = "<CashTransactions>\
    <CashTransaction type=\"Dividends\" symbol=\"AAPL\" conid=\"1\" isin=\"US0378331005\" currency=\"USD\" amount=\"100\" reportDate=\"20260310\" transactionID=\"1\" levelOfDetail=\"DETAIL\" description=\"AAPL(US0378331005) CASH DIVIDEND USD 0.25 PER SHARE\"/>\
    <CashTransaction type=\"Withholding Tax\" symbol=\"AAPL\" conid=\"1\" isin=\"US0378331005\" currency=\"USD\" amount=\"-15\" reportDate=\"20260310\" transactionID=\"2\" levelOfDetail=\"DETAIL\" description=\"AAPL(US0378331005) CASH DIVIDEND USD 0.25 PER SHARE - US TAX\"/>\
    <CashTransaction type=\"Payment In Lieu Of Dividends\" symbol=\"SAP\" conid=\"2\" issuerCountryCode=\"DE\" currency=\"EUR\" amount=\"40\" reportDate=\"20260401\" transactionID=\"3\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Dividends\" symbol=\"NESN\" conid=\"3\" currency=\"CHF\" amount=\"1,000\" reportDate=\"20260402\" transactionID=\"4\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Withholding Tax\" currency=\"USD\" amount=\"-2\" reportDate=\"20260402\" transactionID=\"5\" levelOfDetail=\"DETAIL\" description=\"WITHHOLDING @ 20% ON CREDIT INT FOR MAR-2026\"/>\
    <CashTransaction type=\"Broker Interest Received\" currency=\"USD\" amount=\"10\" reportDate=\"20260402\" transactionID=\"6\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Deposits &amp; Withdrawals\" currency=\"USD\" amount=\"5000\" reportDate=\"20260501\" transactionID=\"7\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Other Fees\" currency=\"USD\" amount=\"-4.5\" reportDate=\"20260501\" transactionID=\"8\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Moon Dust\" currency=\"USD\" amount=\"1\" reportDate=\"20260501\" transactionID=\"9\" levelOfDetail=\"DETAIL\"/>\
    <CashTransaction type=\"Dividends\" symbol=\"AAPL\" currency=\"USD\" amount=\"100\" reportDate=\"20260310\" levelOfDetail=\"SUMMARY\"/>\
    </CashTransactions>";
const SECURITIES: &str =
    "<SecuritiesInfo><SecurityInfo conid=\"3\" isin=\"CH0038863350\"/></SecuritiesInfo>";
const RATES: &str = "<ConversionRates>\
    <ConversionRate reportDate=\"20260331\" fromCurrency=\"EUR\" toCurrency=\"USD\" rate=\"1.25\"/>\
    <ConversionRate reportDate=\"20260402\" fromCurrency=\"CHF\" toCurrency=\"USD\" rate=\"1.5\"/></ConversionRates>";

#[test]
fn dividends_come_with_what_was_withheld_and_rates_of_their_day() {
    let desk = Desk::with([YEAR.of(&format!("{CASH}{SECURITIES}{RATES}")).as_str()]);
    let answer = desk.ask("what dividends did I get by country and symbol");
    assert_eq!(
        answer.table.cols,
        [
            "country",
            "symbol",
            "currency",
            "dividends",
            "withheld",
            "inLieu",
            "net",
            "dividendsInBase",
            "withheldInBase",
            "inLieuInBase",
            "netInBase",
            "rows"
        ]
    );
    assert_eq!(
        lines(&answer.table),
        [
            r#"["CH","NESN","CHF",1000,0,0,1000,1500,0,0,1500,1]"#,
            r#"["DE","SAP","EUR",0,0,40,40,0,0,50,50,1]"#,
            r#"["US","AAPL","USD",100,-15,0,85,100,-15,0,85,2]"#,
        ]
    );
    // 100 + 1000 CHF at 1.5; what was paid in lieu, 40 EUR at 1.25, stands apart.
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",1600,-15,50,1635]"#]);
    assert!(notes(&answer, "net is dividends, inLieu and withheld added up"), "{:?}", answer.notes);
    for asked in ["net dividends", "dividends after withholding tax", "gross dividends before tax"]
    {
        assert_eq!(
            lines(&desk.ask(asked).totals_in_base),
            lines(&answer.totals_in_base),
            "{asked}"
        );
    }
    assert_eq!(answer.rates.iter().map(|rate| rate.source).collect::<Vec<_>>(), [rates::OF_DAY; 2]);
    assert_eq!(answer.source, "CashTransactions at level DETAIL");
    assert!(notes(&answer, "Moon Dust"));

    let told = |text: &str| lines(&desk.ask(text).table);
    assert_eq!(
        told("withholding tax by country"),
        [r#"["US","USD",-15,-15,1]"#, r#"["unknown","USD",-2,-2,1]"#]
    );
    assert_eq!(
        told("withholding by type"),
        [r#"["on dividends","USD",-15,-15,1]"#, r#"["on interest","USD",-2,-2,1]"#]
    );
    assert_eq!(
        told("interest"),
        [
            r#"["Broker Interest Received","USD",10,0,10,10,0,10,1]"#,
            r#"["Withholding Tax","USD",0,-2,-2,0,-2,-2,1]"#,
        ]
    );
    assert_eq!(told("deposits"), [r#"["USD",5000,0,5000,5000,0,5000,1]"#]);
    assert_eq!(told("fees"), [r#"["Other Fees","USD",-4.5,-4.5,1]"#]);
    assert_eq!(told("dividends in April of NESN"), [r#"["NESN","CHF",1000,0,1500,0,1]"#]);
}

#[test]
fn without_a_rate_nothing_is_made_up() {
    let answer =
        Desk::with([YEAR.of(&format!("{BASE}{CASH}")).as_str()]).ask("dividends by symbol");
    assert_eq!(
        lines(&answer.table)[1..],
        [
            r#"["NESN","CHF",1000,0,0,1000,null,null,null,null,1]"#,
            r#"["SAP","EUR",0,0,40,40,null,null,null,null,1]"#,
        ]
    );
    assert_eq!(
        lines(&answer.totals),
        [r#"["CHF",1000,0,0,1000]"#, r#"["EUR",0,0,40,40]"#, r#"["USD",100,-15,0,85]"#]
    );
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",null,null,null,null]"#]);
    assert!(
        notes(&answer, "no rate to base is known for amounts in CHF, EUR"),
        "{:?}",
        answer.notes
    );
    assert_eq!(
        ticks(&answer),
        [
            "General Configuration > Include Currency Rates? Yes",
            "Cash Transactions > FX Rate to Base",
        ]
    );
    // A rate of last month is none.
    let old = RATES.replace("20260331", "20260301").replace("20260402", "20260301");
    let answer =
        Desk::with([YEAR.of(&format!("{BASE}{CASH}{old}")).as_str()]).ask("dividends by symbol");
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",null,null,null,null]"#]);
}

#[test]
fn commissions_have_a_currency_of_their_own() {
    let text = YEAR.of(&format!(
        "{BASE}<Trades><Trade symbol=\"SAP\" currency=\"EUR\" fxRateToBase=\"1.2\" tradeDate=\"20260105\" taxes=\"-3\" \
         ibCommission=\"-2\" ibCommissionCurrency=\"USD\"/><Trade symbol=\"SAP\" currency=\"EUR\" fxRateToBase=\"1.2\" \
         tradeDate=\"20260105\" taxes=\"0\" ibCommission=\"-5\" ibCommissionCurrency=\"EUR\"/></Trades>{CASH}"
    ));
    let desk = Desk::with([text.as_str()]);
    assert_eq!(
        lines(&desk.ask("commissions").table),
        [r#"["Commissions","EUR",-5,-6,1]"#, r#"["Commissions","USD",-2,-2,1]"#,]
    );
    let answer = desk.ask("fees and commissions");
    assert_eq!(
        lines(&answer.table)[2..],
        [r#"["Other Fees","USD",-4.5,-4.5,1]"#, r#"["Taxes on trades","EUR",-3,-3.6,1]"#]
    );
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",-16.1]"#]);
    assert_eq!(answer.source, "Trades at level EXECUTION, and CashTransactions at level DETAIL");
    let confirms = YEAR.of(
        "<TradeConfirms><TradeConfirm symbol=\"A\" currency=\"USD\" tradeDate=\"20260105\" commission=\"-1\" \
         commissionCurrency=\"USD\" tax=\"-2\" quantity=\"3\" price=\"4\" proceeds=\"-12\" buySell=\"BUY\"/></TradeConfirms>",
    );
    let desk = Desk::with([confirms.as_str()]);
    assert_eq!(lines(&desk.ask("commissions").totals), [r#"["USD",-1]"#]);
    assert_eq!(lines(&desk.ask("trades").table), [r#"["2026-01-05","A","BUY",3,4,"USD",-12,-1]"#]);
}

#[test]
fn overlapping_statements_count_once_and_the_newest_counts() {
    let row = |id: &str, day: &str, amount: &str| {
        format!(
            "<CashTransaction type=\"Dividends\" symbol=\"A\" currency=\"USD\" amount=\"{amount}\" reportDate=\"{day}\" \
             transactionID=\"{id}\"/>"
        )
    };
    let paper = |from, to, made, rows: String| {
        Paper { days: (from, to), made, ..YEAR }
            .of(&format!("{BASE}<CashTransactions>{rows}</CashTransactions>"))
    };
    let old = paper(
        "20260101",
        "20260630",
        "20260701;003105",
        row("1", "20260301", "10") + &row("2", "20260601", "20"),
    );
    let new = paper(
        "20260501",
        "20261031",
        "20261101;003105",
        row("2", "20260601", "25") + &row("3", "20260901", "40"),
    );
    let desk = Desk::with([old.as_str(), new.as_str()]);
    let answer = desk.ask("dividends 2026 by month");
    assert_eq!(
        lines(&answer.table),
        [
            r#"["2026-03","USD",10,0,10,0,1]"#,
            r#"["2026-06","USD",25,0,25,0,1]"#,
            r#"["2026-09","USD",40,0,40,0,1]"#,
        ]
    );
    assert_eq!(answer.statements, 2);
    assert!(notes(&answer, "1 rows are in more than one statement"));
    // Without ids a row is told by all that it says; what one statement says twice happened twice.
    let twice = |text: &str| {
        text.replace(" transactionID=\"2\"", "").replace("amount=\"25\"", "amount=\"20\"")
    };
    let plain = row("2", "20260601", "20").replace(" transactionID=\"2\"", "");
    let (old, new) = (twice(&old), twice(&new).replace(&plain, &(plain.clone() + &plain)));
    let answer = Desk::with([old.as_str(), new.as_str()]).ask("dividends 2026");
    assert_eq!(lines(&answer.totals), [r#"["USD",90,0]"#]);
    // A newer statement that has all the days of an older one is enough.
    let whole = paper("20260101", "20261031", "20261102;003105", row("9", "20260601", "1"));
    let answer = Desk::with([old.as_str(), whole.as_str()]).ask("dividends 2026");
    assert_eq!((answer.statements, lines(&answer.totals)), (1, vec![r#"["USD",1,0]"#.to_owned()]));
}

/// Statements of executions, the days and the time of making of each, and what they realise in all.
fn realised_of(statements: &[(&str, &str, &str, String)]) -> Answer {
    let papers: Vec<String> = statements
        .iter()
        .map(|(from, to, made, rows)| {
            Paper { days: (from, to), made, ..YEAR }.of(&format!("{BASE}<Trades>{rows}</Trades>"))
        })
        .collect();
    Desk::with(papers.iter().map(String::as_str)).ask("realised 2026")
}

fn executed(ids: &str, side: &str, quantity: &str, realised: &str) -> String {
    format!(
        "<Trade {ids} levelOfDetail=\"EXECUTION\" symbol=\"A\" assetCategory=\"STK\" currency=\"USD\" \
         fxRateToBase=\"1\" tradeDate=\"20260601\" buySell=\"{side}\" quantity=\"{quantity}\" \
         fifoPnlRealized=\"{realised}\"/>"
    )
}

#[test]
fn a_trade_that_is_cancelled_and_booked_anew_is_all_its_bookings() {
    let first = ("20260101", "20260630", "20260701;003105");
    let second = ("20260601", "20261031", "20261101;003105");
    let with_all = [
        "transactionID=\"1\" tradeID=\"7\"",
        "transactionID=\"2\" tradeID=\"7\"",
        "transactionID=\"3\" tradeID=\"7\"",
    ];
    let with_trade = ["tradeID=\"7\""; 3];
    for ids in [with_all, with_trade] {
        let original = executed(ids[0], "SELL", "-10", "500");
        let cancelled = executed(ids[1], "SELL (Ca.)", "10", "-500");
        let anew = executed(ids[2], "SELL", "-10", "300");
        let answer = realised_of(&[
            (first.0, first.1, first.2, original.clone()),
            (second.0, second.1, second.2, cancelled.clone() + &anew),
        ]);
        assert_eq!(lines(&answer.totals), [r#"["USD",300]"#], "{ids:?}");
        // The newer one has all of it: 500 - 500 + 300.
        let answer = realised_of(&[
            (first.0, first.1, first.2, original.clone()),
            (second.0, second.1, second.2, original + &cancelled + &anew),
        ]);
        assert_eq!(lines(&answer.totals), [r#"["USD",300]"#], "{ids:?}");
        assert!(notes(&answer, "1 rows are in more than one statement"), "{:?}", answer.notes);
    }
    // Two bookings of one trade are two.
    let halves = executed("transactionID=\"4\" tradeID=\"8\"", "SELL", "-5", "10")
        + &executed("transactionID=\"5\" tradeID=\"8\"", "SELL", "-5", "10");
    let answer = realised_of(&[
        (first.0, first.1, first.2, halves.clone()),
        (second.0, second.1, second.2, halves),
    ]);
    assert_eq!(lines(&answer.totals), [r#"["USD",20]"#]);
}

#[test]
fn an_empty_or_poorer_statement_stands_in_for_nothing() {
    let dividend = |kind: &str, amount: &str| {
        format!(
            "<CashTransaction type=\"{kind}\" symbol=\"A\" currency=\"USD\" amount=\"{amount}\" reportDate=\"20260301\"/>"
        )
    };
    let cash = |made, rows: &str| {
        Paper { made, ..YEAR }.of(&format!("{BASE}<CashTransactions>{rows}</CashTransactions>"))
    };
    let old = cash(
        "20261101;003105",
        &(dividend("Dividends", "10") + &dividend("Withholding Tax", "-2")),
    );
    for newer in ["".to_owned(), dividend("Dividends", "10")] {
        let newer = cash("20261102;003105", &newer);
        let desk = Desk::with([old.as_str(), newer.as_str()]);
        assert_eq!(lines(&desk.ask("dividends 2026").totals), [r#"["USD",10,-2,8]"#], "{newer}");
    }
}

#[test]
fn rows_of_a_template_that_changed_are_compared_by_what_they_mean() {
    let first = ("20260101", "20260630", "20260701;003105");
    let second = ("20260601", "20261031", "20261101;003105");
    let old = executed("", "SELL", "-10", "500");
    // A column more, other ways to write a number and a day, and no id in common.
    let new = old
        .replace("<Trade ", "<Trade tradeID=\"7\" isin=\"US0378331005\" ")
        .replace("\"500\"", "\"500.00\"")
        .replace("\"1\"", "\"1.10000\"")
        .replace("20260601", "2026-06-01");
    let of = |new: String| {
        realised_of(&[
            (first.0, first.1, first.2, old.clone()),
            (second.0, second.1, second.2, new),
        ])
    };
    let answer = of(new.clone());
    assert_eq!(lines(&answer.table).len(), 1, "{:?}", answer.table);
    assert!(notes(&answer, "1 rows are in more than one statement"), "{:?}", answer.notes);
    // Another amount is another row; that the newer statement lacks the first one is said with its day.
    let answer = of(new.replace("500.00", "501"));
    assert!(notes(&answer, "of 2026-06-01 an older statement has rows"), "{:?}", answer.notes);
    // What one statement says twice happened twice, also where two others say it once.
    let third = ("20260601", "20261130", "20261201;003105");
    let answer = realised_of(&[
        (first.0, first.1, first.2, old.clone() + &old),
        (second.0, second.1, second.2, old.clone()),
        (third.0, third.1, third.2, old.clone()),
    ]);
    assert_eq!(lines(&answer.totals), [r#"["USD",1000]"#]);
}

#[test]
fn one_query_answers_and_the_others_are_named() {
    let of = |query, days, amount: &str| {
        Paper { query, days, ..YEAR }.of(&format!(
            "{BASE}<CashTransactions><CashTransaction type=\"Dividends\" symbol=\"A\" currency=\"USD\" amount=\"{amount}\" \
             reportDate=\"20260301\"/></CashTransactions>"
        ))
    };
    let (long, short) =
        (of("tax", ("20260101", "20261031"), "1"), of("daily", ("20260201", "20260401"), "1"));
    let desk = Desk::with([long.as_str(), short.as_str()]);
    let answer = desk.ask("dividends 2026");
    assert_eq!(
        (answer.query.name.as_str(), lines(&answer.totals)),
        ("tax", vec![r#"["USD",1,0]"#.to_owned()])
    );
    assert!(notes(&answer, "other queries could answer this too: daily"), "{:?}", answer.notes);
    let given = Given { query: Some("DAILY".to_owned()), ..Given::default() };
    let answer = desk.given("dividends 2026", &given).unwrap();
    assert_eq!(answer.query.name, "daily");
    assert_eq!(answer.not_covered, ["January 2026", "2026-04-02 … 2026-11-02"]);
    let none = Given { query: Some("weekly".to_owned()), ..Given::default() };
    assert!(desk.given("dividends", &none).unwrap_err().to_string().contains("none of this query"));
    assert!(
        desk.refused("dividends 2024").contains("have 2026-02-01")
            || desk.refused("dividends 2024").contains("have 2026-01-01")
    );
    assert!(desk.refused("dividends in U99999").contains("account U99999"));
    assert!(Desk::with([]).refused("dividends").contains("run a query first"));
}

#[test]
fn what_the_template_lacks_is_said_with_its_box() {
    let desk = Desk::with([YEAR.of(BASE).as_str()]);
    assert!(
        desk.refused("realised P&L").contains("Trades > Executions"),
        "{}",
        desk.refused("realised P&L")
    );
    assert!(
        desk.refused("dividends").contains("Cash Transactions > Dividends"),
        "{}",
        desk.refused("dividends")
    );
    assert!(desk.refused("positions").contains("Open Positions > Summary"));
    assert!(desk.refused("NAV").contains("Net Asset Value (NAV) in Base"));
    let bare = trades("<Trade tradeDate=\"20260105\" fifoPnlRealized=\"3\"/>");
    let answer = Desk::with([bare.as_str()]).ask("realised P&L by symbol");
    assert_eq!(
        ticks(&answer),
        ["Trades > Symbol", "Trades > Currency", "Trades > FX Rate to Base",]
    );
    assert_eq!(lines(&answer.table), [r#"[null,null,3,null,1]"#]);
    let without = trades("<Trade symbol=\"A\" tradeDate=\"20260105\"/>");
    assert!(
        Desk::with([without.as_str()]).refused("realised P&L").contains("Trades > Realized P/L")
    );
    // The section is ticked, and nothing happened: that is an answer.
    let empty = Desk::with([trades("").as_str()]).ask("realised P&L 2026");
    assert_eq!((lines(&empty.table), ticks(&empty)), (vec![], vec![]));
}

#[test]
fn accounts_are_kept_apart_by_their_base() {
    let of = |account, base: &str| {
        Paper { account, ..YEAR }.of(&format!(
            "<AccountInformation accountId=\"{account}\" currency=\"{base}\"/><Trades>{}</Trades>",
            trade("Trade", "A", "20260105", ("10", "CHF", if base == "CHF" { "1" } else { "1.1" }))
        ))
    };
    let desk = Desk::with([of("U1", "USD").as_str(), of("U2", "CHF").as_str()]);
    let answer = desk.ask("realised P&L");
    assert_eq!(
        answer.table.cols,
        ["symbol", "currency", "realised", "base", "realisedInBase", "rows"]
    );
    assert_eq!(
        lines(&answer.table),
        [r#"["A","CHF",10,"CHF",10,1]"#, r#"["A","CHF",10,"USD",11,1]"#]
    );
    assert_eq!(lines(&answer.totals), [r#"["CHF",20]"#]);
    assert_eq!(lines(&answer.totals_in_base), [r#"["CHF",10]"#, r#"["USD",11]"#]);
    assert_eq!(answer.accounts, ["U1", "U2"]);
    assert_eq!(answer.not_covered, Vec::<String>::new());
    let short = Paper { account: "U3", days: ("20260101", "20260831"), ..YEAR }.of("<Trades/>");
    let answer = Desk::with([of("U1", "USD").as_str(), short.as_str()]).ask("realised P&L");
    assert_eq!(answer.not_covered, ["U3: September 2026 … October 2026"]);
    let one = desk
        .given(
            "realised P&L by account",
            &Given { account: Some("u2".to_owned()), ..Given::default() },
        )
        .unwrap();
    assert_eq!(lines(&one.table), [r#"["U2","CHF",10,10,1]"#]);
    assert_eq!(one.accounts, ["U2"]);
}

fn position(day: &str, level: &str, (symbol, quantity, value): (&str, &str, &str)) -> String {
    format!(
        "<OpenPosition symbol=\"{symbol}\" conid=\"{symbol}\" assetCategory=\"STK\" currency=\"EUR\" fxRateToBase=\"2\" \
         reportDate=\"{day}\" position=\"{quantity}\" markPrice=\"5\" positionValue=\"{value}\" costBasisMoney=\"1\" \
         fifoPnlUnrealized=\"3\" levelOfDetail=\"{level}\"/>"
    )
}

#[test]
fn positions_are_of_the_last_day_that_is_known() {
    let inside = [
        position("20260930", "SUMMARY", ("A", "1", "5")),
        position("20261030", "SUMMARY", ("A", "2", "10")),
        position("20261030", "SUMMARY", ("B", "3", "15")),
        position("20261030", "LOT", ("B", "3", "15")),
    ]
    .concat();
    let desk =
        Desk::with([YEAR.of(&format!("{BASE}<OpenPositions>{inside}</OpenPositions>")).as_str()]);
    let answer = desk.ask("positions on 2026-10-31");
    assert_eq!(
        lines(&answer.table),
        [r#"["U1","A","STK",2,5,"EUR",10,1,3,20]"#, r#"["U1","B","STK",3,5,"EUR",15,1,3,30]"#,]
    );
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",50,12]"#]);
    assert!(notes(&answer, "positions are of 2026-10-30"), "{:?}", answer.notes);
    assert_eq!(
        lines(&desk.ask("positions on 2026-09-30").table),
        [r#"["U1","A","STK",1,5,"EUR",5,1,3,10]"#]
    );
    assert!(notes(&desk.ask("positions on 2026-02-01"), "no statement has a position"));
    // What an older statement says of its last day, a newer and longer one does not say.
    let of = |days, made, day: &str| {
        Paper { days, made, ..YEAR }.of(&format!(
            "{BASE}<OpenPositions>{}</OpenPositions>",
            position(day, "SUMMARY", ("A", "7", "35"))
        ))
    };
    let june = of(("20260601", "20260630"), "20260701;003105", "20260630");
    let year = of(("20260101", "20261031"), "20261101;003105", "20261031");
    let answer = Desk::with([june.as_str(), year.as_str()]).ask("positions on 2026-07-01");
    assert_eq!((lines(&answer.table).len(), answer.period.unwrap().to), (1, date(2026, 6, 30)));
    // Everything was sold since: an empty section of a later day says so, and of one instrument, too.
    let empty = Paper { days: ("20261101", "20261101"), made: "20261102;003105", ..YEAR }
        .of(&format!("{BASE}<OpenPositions/>"));
    let sold = Desk::with([year.as_str(), empty.as_str()]);
    let answer = sold.ask("positions");
    assert_eq!((lines(&answer.table).len(), answer.period.unwrap().to), (0, date(2026, 11, 1)));
    assert!(notes(&answer, "U1 holds nothing on 2026-11-01"), "{:?}", answer.notes);
    assert_eq!(lines(&sold.ask("positions on 2026-10-31").table).len(), 1);
    let other =
        Paper { days: ("20261101", "20261101"), made: "20261102;003105", ..YEAR }.of(&format!(
            "{BASE}<OpenPositions>{}</OpenPositions>",
            position("20261101", "SUMMARY", ("B", "1", "5"))
        ));
    let had = year.replace("\"A\"", "\"TSLA\"");
    let answer = Desk::with([had.as_str(), other.as_str()]).ask("positions TSLA");
    assert_eq!(lines(&answer.table).len(), 0, "it was sold");
    assert!(notes(&answer, "holds nothing of TSLA"), "{:?}", answer.notes);
    // Lots of one instrument are added up where there is nothing else.
    let lots = [
        position("20261030", "LOT", ("A", "2", "10")),
        position("20261030", "LOT", ("A", "3", "15")),
    ]
    .concat();
    let answer =
        Desk::with([YEAR.of(&format!("{BASE}<OpenPositions>{lots}</OpenPositions>")).as_str()])
            .ask("positions");
    assert_eq!(lines(&answer.table), [r#"["U1","A","STK",5,5,"EUR",25,2,6,50]"#]);
}

#[test]
fn net_asset_value_is_told_day_by_day() {
    let day = |day: &str, total: &str| {
        format!(
            "<EquitySummaryByReportDateInBase currency=\"USD\" reportDate=\"{day}\" cash=\"1\" total=\"{total}\"/>"
        )
    };
    let of = |days, made, inside: String| {
        Paper { days, made, ..YEAR }
            .of(&format!("<EquitySummaryInBase>{inside}</EquitySummaryInBase>"))
    };
    let old = of(
        ("20260101", "20260131"),
        "20260201;003105",
        day("20260105", "100") + &day("20260130", "110"),
    );
    let new = of(
        ("20260130", "20260228"),
        "20260301;003105",
        day("20260130", "111") + &day("20260227", "130"),
    );
    let desk = Desk::with([old.as_str(), new.as_str()]);
    let answer = desk.ask("NAV in 2026");
    assert_eq!(
        lines(&answer.table),
        [
            r#"["2026-01-05","U1","USD",100,1]"#,
            r#"["2026-01-30","U1","USD",111,1]"#,
            r#"["2026-02-27","U1","USD",130,1]"#,
        ]
    );
    assert_eq!(
        lines(&answer.totals_in_base),
        [r#"["U1","USD","2026-01-05",100,"2026-02-27",130,30]"#]
    );
    // A month's change begins with the value at the end of the month before.
    assert_eq!(
        lines(&desk.ask("NAV in February").totals_in_base),
        [r#"["U1","USD","2026-01-30",111,"2026-02-27",130,19]"#]
    );
    assert_eq!(answer.not_covered, ["2026-03-01 … 2026-11-02"]);
    assert_eq!(lines(&desk.ask("NAV by month").table).len(), 2);
    let change = YEAR.of(&format!("{BASE}<ChangeInNAV startingValue=\"90\" endingValue=\"120\"/>"));
    assert_eq!(
        lines(&Desk::with([change.as_str()]).ask("NAV").table),
        [r#"["2025-12-31","U1","USD",90,null]"#, r#"["2026-10-31","U1","USD",120,null]"#,]
    );
}

#[test]
fn trades_are_listed_in_the_order_of_their_times() {
    let trade = |time: &str, side: &str, proceeds: &str| {
        format!(
            "<Trade symbol=\"A\" currency=\"EUR\" fxRateToBase=\"2\" dateTime=\"{time}\" buySell=\"{side}\" quantity=\"1\" \
             tradePrice=\"4\" proceeds=\"{proceeds}\" ibCommission=\"-1\"/>"
        )
    };
    let inside =
        [trade("20260106;093000", "SELL", "9"), trade("20260105;093000", "BUY", "-4")].concat();
    let answer = Desk::with([trades(&inside).as_str()]).ask("trades in January");
    assert_eq!(
        lines(&answer.table),
        [
            r#"["2026-01-05T09:30:00","A","BUY",1,4,"EUR",-4,-1]"#,
            r#"["2026-01-06T09:30:00","A","SELL",1,4,"EUR",9,-1]"#,
        ]
    );
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",-8,18]"#]);
}

/// What a future stands for is not paid: 100 contracts of it are no money.
#[test]
fn what_futures_stand_for_is_in_no_total() {
    let trade = |category: &str, proceeds: &str| {
        format!(
            "<Trade assetCategory=\"{category}\" symbol=\"A\" currency=\"EUR\" fxRateToBase=\"2\" \
             dateTime=\"20260106;093000\" buySell=\"BUY\" quantity=\"1\" proceeds=\"{proceeds}\" ibCommission=\"-1\"/>"
        )
    };
    let inside = [trade("STK", "-9"), trade("FUT", "-330000")].concat();
    let answer = Desk::with([trades(&inside).as_str()]).ask("trades in January");
    assert_eq!(lines(&answer.totals), [r#"["EUR",-9,0]"#], "{:?}", answer.totals);
    assert!(notes(&answer, "1 trades of futures"), "{:?}", answer.notes);
}

/// The largest commission is the one that cost most, and is written as a negative amount.
#[test]
fn the_largest_cost_comes_first() {
    let trade = |symbol: &str, commission: &str| {
        format!(
            "<Trade symbol=\"{symbol}\" currency=\"EUR\" fxRateToBase=\"2\" dateTime=\"20260106;093000\" \
             buySell=\"BUY\" quantity=\"1\" proceeds=\"-9\" ibCommission=\"{commission}\" \
             ibCommissionCurrency=\"EUR\"/>"
        )
    };
    let inside = [trade("A", "-1"), trade("B", "-97.5"), trade("C", "-3")].concat();
    let desk = Desk::with([trades(&inside).as_str()]);
    for (sort, expected) in [(Sort::Largest, "B"), (Sort::Smallest, "A")] {
        let given = Given { sort: Some(sort), ..Given::default() };
        let answer = of(&desk, "commissions by symbol", given).unwrap();
        let first = serde_json::to_string(&answer.table.column("symbol")[0]).unwrap();
        assert_eq!(first, format!("\"{expected}\""));
    }
}

#[test]
fn a_long_table_is_cut_and_its_totals_are_not() {
    let inside: String = (0..30)
        .map(|n| trade("Trade", &format!("S{n:02}"), "20260105", ("1", "USD", "1")))
        .collect();
    let desk = Desk::with([trades(&inside).as_str()]);
    let question = Question::parse("realised P&L", &Given::default(), date(2026, 11, 2)).unwrap();
    let entries = desk.archive.scan().unwrap().entries;
    let answer = answer(&question, &entries, (|entry| desk.archive.read(entry), 10)).unwrap();
    assert_eq!((answer.table.rows.len(), answer.rows_in_all), (10, 30));
    assert_eq!(lines(&answer.totals), [r#"["USD",30]"#]);
    assert!(notes(&answer, "10 of 30 rows"));
}

#[test]
fn a_damaged_statement_is_named() {
    let desk = Desk::with([trades("").as_str()]);
    let entry = desk.archive.scan().unwrap().entries.remove(0);
    let path = desk.archive.folder().join(&entry.file);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[30] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    assert!(desk.refused("realised P&L").contains(&entry.file), "{}", desk.refused("realised P&L"));
}

/// One execution, made up.
#[derive(Debug, Clone)]
struct Made {
    symbol: usize,
    currency: usize,
    /// Of 2026.
    day: i32,
    /// Cents.
    realised: i64,
}

fn made() -> impl Strategy<Value = Made> {
    (0_usize..4, 0_usize..3, 0_i32..300, -100_000_i64..100_000)
        .prop_map(|(symbol, currency, day, realised)| Made { symbol, currency, day, realised })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Statements that overlap in any way, made in any order, answer as the executions do that they
    /// were written from: added up here by other means, in whole cents.
    #[test]
    fn sums_agree_with_the_executions(
        all in prop::collection::vec(made(), 0..40),
        cuts in prop::collection::vec((0_i32..300, 0_i32..200), 1..4),
        asked in (0_i32..300, 0_i32..200),
    ) {
        let (currencies, rates) = (["USD", "EUR", "JPY"], [100_i64, 125, 2]);
        let first = date(2026, 1, 1);
        let day = |n: i32| first.checked_add(jiff::Span::new().days(n)).unwrap();
        let texts: Vec<String> = cuts.iter().enumerate().map(|(number, (from, length))| {
            let mut inside = String::new();
            for (id, made) in all.iter().enumerate().filter(|(_, m)| (*from..=from + length).contains(&m.day)) {
                let amount = Decimal::new(made.realised, 2);
                let rate = Decimal::new(rates[made.currency], 2);
                let (symbol, currency) = (made.symbol, currencies[made.currency]);
                for element in ["Trade", "Order"] {
                    inside += &format!(
                        "<{element} symbol=\"S{symbol}\" currency=\"{currency}\" fxRateToBase=\"{rate}\" \
                         tradeDate=\"{}\" fifoPnlRealized=\"{amount}\" tradeID=\"{}\"/>",
                        day(made.day), if element == "Trade" { id.to_string() } else { String::new() }
                    );
                }
            }
            let made = format!("2027-01-{:02};003105", number + 1);
            let (from, to) = (day(*from).to_string(), day(from + length).to_string());
            Paper { days: (&from, &to), made: &made, ..YEAR }.of(&format!("{BASE}<Trades>{inside}</Trades>"))
        }).collect();
        let desk = Desk::with(texts.iter().map(String::as_str));
        let (from, to) = (asked.0, asked.0 + asked.1);
        let given = Given { from: Some(day(from)), to: Some(day(to)), ..Given::default() };
        let is_covered = |n: i32| cuts.iter().any(|(from, length)| (*from..=from + length).contains(&n));
        let mut expected: BTreeMap<(String, String), (i64, i64)> = BTreeMap::new();
        for made in all.iter().filter(|m| (from..=to).contains(&m.day) && is_covered(m.day) && m.realised != 0) {
            let key = (format!("S{}", made.symbol), currencies[made.currency].to_owned());
            let sum = expected.entry(key).or_default();
            *sum = (sum.0 + made.realised, sum.1 + made.realised * rates[made.currency]);
        }
        match desk.given("realised P&L by symbol", &given) {
            Ok(answer) => {
                let found: BTreeMap<(String, String), (i64, i64)> = answer.table.rows.iter().map(|row| {
                    let [Cell::Text(symbol), Cell::Text(currency), Cell::Number(sum), Cell::Number(base), _] = &row[..] else {
                        return Default::default();
                    };
                    let whole = |n: &Decimal, scale: i64| i64::try_from((n * Decimal::from(scale)).normalize()).unwrap();
                    ((symbol.clone(), currency.clone()), (whole(sum, 100), whole(base, 10_000)))
                }).collect();
                // What is converted is told in cents.
                let cents = |base: i64| (base.abs() + 50) / 100 * 100 * base.signum();
                for sum in expected.values_mut() {
                    sum.1 = cents(sum.1);
                }
                prop_assert_eq!(found, expected);
            }
            Err(NoAnswer::NoStatement(_)) => prop_assert!(expected.is_empty()),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

/// Trades of a year with everything that they can be chosen by.
fn chosen_trades() -> Desk {
    let trade = |symbol: &str, more: &str, side: &str, (proceeds, realised): (&str, &str)| {
        format!(
            "<Trade levelOfDetail=\"EXECUTION\" symbol=\"{symbol}\" {more} currency=\"USD\" fxRateToBase=\"1\" \
             tradeDate=\"20260601\" buySell=\"{side}\" quantity=\"1\" proceeds=\"{proceeds}\" \
             fifoPnlRealized=\"{realised}\"/>"
        )
    };
    let stock = |name: &str, isin: &str| {
        format!("assetCategory=\"STK\" description=\"{name}\" isin=\"{isin}\"")
    };
    let rows = [
        trade("TSLA", &stock("TESLA INC", "US88160R1014"), "SELL", ("300", "40")),
        trade("TSLA", &stock("TESLA INC", "US88160R1014"), "BUY", ("-200", "0")),
        trade(
            "BRK B",
            &stock("BERKSHIRE HATHAWAY INC-CL B", "US0846707026"),
            "SELL",
            ("500", "-70"),
        ),
        trade("NESN", &stock("NESTLE SA-REG", "CH0038863350"), "SELL", ("90", "9")),
        trade(
            "TSLA  260116C00250000",
            "assetCategory=\"OPT\" underlyingSymbol=\"TSLA\" description=\"TSLA 16JAN26 250 C\"",
            "SELL",
            ("7", "5"),
        ),
        trade("TSLA", &stock("TESLA INC", "US88160R1014"), "SELL (Ca.)", ("-100", "-10")),
        trade("EUR.USD", "assetCategory=\"CASH\"", "BUY", ("-1000", "0")),
    ];
    Desk::with([trades(&rows.concat()).as_str()])
}

fn of(desk: &Desk, about: &str, given: Given) -> Result<Answer, NoAnswer> {
    desk.given(about, &given)
}

#[test]
fn an_instrument_is_found_by_every_name_and_what_there_is_not_is_no_zero() {
    let desk = chosen_trades();
    let total = |symbol: &str, options: bool| {
        let given = Given { symbol: Some(symbol.to_owned()), options, ..Given::default() };
        let answer = of(&desk, "realised", given).unwrap();
        (lines(&answer.totals), answer.notes)
    };
    for name in ["TSLA", "tsla", "Tesla", "US88160R1014"] {
        let (totals, notes) = total(name, false);
        assert_eq!(totals, [r#"["USD",30]"#], "{name}");
        let has_options = notes.iter().any(|note| note.contains("1 rows are of options"));
        assert_eq!(has_options, name.eq_ignore_ascii_case("TSLA"), "{name}: {notes:?}");
    }
    assert_eq!(total("TSLA", true).0, [r#"["USD",35]"#]);
    for name in ["BRK B", "BRK.B", "brk-b", "berkshire"] {
        assert_eq!(total(name, false).0, [r#"["USD",-70]"#], "{name}");
    }
    let given = Given { symbol: Some("TSM".to_owned()), ..Given::default() };
    let refused = of(&desk, "realised", given).unwrap_err().to_string();
    assert!(refused.contains("no row of these statements is of TSM; there are: TSLA"), "{refused}");
}

#[test]
fn country_side_and_order_are_what_was_asked_for() {
    let desk = chosen_trades();
    let swiss = Given { country: Some("CH".to_owned()), ..Given::default() };
    assert_eq!(lines(&of(&desk, "realised", swiss).unwrap().totals), [r#"["USD",9]"#]);
    let sold = Given { side: Some(crate::question::Side::Sell), ..Given::default() };
    let answer = of(&desk, "trades", sold).unwrap();
    // What is taken back belongs to what it was, and an exchange of currencies to neither.
    assert_eq!(lines(&answer.totals), [r#"["USD",0,797]"#], "{:?}", answer.totals);
    let all = of(&desk, "trades", Given::default()).unwrap();
    assert_eq!(lines(&all.totals), [r#"["USD",-200,797]"#], "{:?}", all.totals);
    assert!(notes(&all, "1 exchanges of currencies"), "{:?}", all.notes);
    let symbols = |sort| {
        let given = Given { sort: Some(sort), ..Given::default() };
        let answer = of(&desk, "realised by symbol", given).unwrap();
        let first = answer.table.column("symbol")[0].clone();
        serde_json::to_string(&first).unwrap()
    };
    assert_eq!(symbols(Sort::Smallest), "\"BRK B\"");
    assert_eq!(symbols(Sort::Largest), "\"TSLA\"");
}
