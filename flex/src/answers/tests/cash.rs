//! Kinds of cash, told from one another, and performance.

use super::*;
use crate::question::DatedBy;

#[test]
fn tax_on_a_coupon_belongs_to_interest() {
    let tax = |more: &str, id: u32| {
        format!(
            "<CashTransaction type=\"Withholding Tax\" {more} currency=\"USD\" fxRateToBase=\"1\" amount=\"-3\" \
             reportDate=\"20260310\" transactionID=\"{id}\" levelOfDetail=\"DETAIL\"/>"
        )
    };
    let bond =
        r#"symbol="T 4 1/2" conid="8" assetCategory="BOND" description="BOND COUPON PAYMENT""#;
    let share =
        r#"symbol="AAPL" conid="1" assetCategory="STK" description="CASH DIVIDEND - US TAX""#;
    let inside =
        format!("{BASE}<CashTransactions>{}{}</CashTransactions>", tax(bond, 1), tax(share, 2));
    let desk = Desk::with([YEAR.of(&inside).as_str()]);
    assert_eq!(lines(&desk.ask("interest").totals), [r#"["USD",0,-3,-3]"#]);
    assert_eq!(lines(&desk.ask("dividends").totals), [r#"["USD",0,-3,-3]"#]);
    assert_eq!(
        lines(&desk.ask("withholding by type").table),
        [r#"["on dividends","USD",-3,-3,1]"#, r#"["on interest","USD",-3,-3,1]"#]
    );
}

#[test]
fn what_is_left_of_dividends_after_tax_is_added_up_exactly_in_each_currency_and_in_base() {
    let row = |kind: &str, (currency, rate): (&str, &str), amount: &str, id: u32| {
        format!(
            "<CashTransaction type=\"{kind}\" symbol=\"A\" conid=\"1\" currency=\"{currency}\" fxRateToBase=\"{rate}\" \
             amount=\"{amount}\" reportDate=\"20260310\" transactionID=\"{id}\" levelOfDetail=\"DETAIL\"/>"
        )
    };
    let (dollars, euros) = (("USD", "1"), ("EUR", "1.1"));
    let inside = format!(
        "{BASE}<CashTransactions>{}{}{}{}</CashTransactions>",
        row("Dividends", dollars, "100.10", 1),
        row("Withholding Tax", dollars, "-15.015", 2),
        row("Dividends", euros, "0.3", 3),
        row("Withholding Tax", euros, "-0.1", 4),
    );
    let desk = Desk::with([YEAR.of(&inside).as_str()]);
    let answer = desk.ask("dividends after withholding tax by currency");
    assert_eq!(answer.totals.cols, ["currency", "dividends", "withheld", "net"]);
    assert_eq!(
        lines(&answer.totals),
        [r#"["EUR",0.3,-0.1,0.2]"#, r#"["USD",100.1,-15.015,85.085]"#]
    );
    // 100.10 and 0.33; 15.015 and 0.11; 85.085 and 0.22: in cents once all is added up.
    assert_eq!(lines(&answer.totals_in_base), [r#"["USD",100.43,-15.13,85.31]"#]);
    // Of what nothing was taken off, nothing is said twice.
    let plain =
        format!("{BASE}<CashTransactions>{}</CashTransactions>", row("Dividends", dollars, "7", 1));
    let untaxed = Desk::with([YEAR.of(&plain).as_str()]).ask("net dividends");
    assert_eq!(untaxed.totals.cols, ["currency", "dividends", "withheld"]);
}

#[test]
fn taxes_are_fees_and_cash_transfers_are_deposits() {
    let trade = |id: u32, taxes: &str| {
        format!(
            "<Trade levelOfDetail=\"EXECUTION\" symbol=\"MC\" currency=\"EUR\" fxRateToBase=\"1.25\" \
             tradeDate=\"20260310\" tradeID=\"{id}\" ibCommission=\"-4\" ibCommissionCurrency=\"EUR\" \
             taxes=\"{taxes}\"/>"
        )
    };
    let tax = |trade: u32, amount: &str| {
        format!(
            "<TransactionTax symbol=\"MC\" currency=\"EUR\" fxRateToBase=\"1.25\" date=\"20260310\" \
             taxDescription=\"French FTT\" taxAmount=\"{amount}\" tradeId=\"{trade}\"/>"
        )
    };
    let inside = format!(
        "{BASE}<Trades>{}{}</Trades><CashTransactions>\
         <CashTransaction type=\"Other Fees\" currency=\"USD\" fxRateToBase=\"1\" amount=\"-10\" \
         reportDate=\"20260310\" transactionID=\"1\" levelOfDetail=\"DETAIL\"/></CashTransactions>\
         <TransactionTaxes>{}{}</TransactionTaxes><SalesTaxes><SalesTax currency=\"USD\" fxRateToBase=\"1\" \
         date=\"20260311\" salesTax=\"-0.7\" transactionID=\"77\"/></SalesTaxes>\
         <Transfers><Transfer type=\"INTERNAL\" direction=\"IN\" currency=\"USD\" fxRateToBase=\"1\" \
         date=\"20260312\" cashTransfer=\"250\" transactionID=\"78\" levelOfDetail=\"TRANSFER\"/><Transfer \
         type=\"INTERNAL\" direction=\"OUT\" currency=\"USD\" fxRateToBase=\"1\" date=\"20260313\" \
         cashTransfer=\"-100\" transactionID=\"79\" levelOfDetail=\"TRANSFER\"/></Transfers>",
        trade(1, "-3"),
        trade(2, "0"),
        tax(1, "-3"),
        tax(2, "-5"),
    );
    let desk = Desk::with([YEAR.of(&inside).as_str()]);
    // Fees 10 and 0.70 in USD; taxes of 3 (once, though it stands in two sections) and 5 in EUR: 8 at 1.25.
    let fees = desk.ask("fees by type");
    assert_eq!(
        lines(&fees.table),
        [
            r#"["Other Fees","USD",-10,-10,1]"#,
            r#"["Sales tax","USD",-0.7,-0.7,1]"#,
            r#"["Taxes on trades","EUR",-8,-10,2]"#,
        ]
    );
    // What came, what went, and 150 in all.
    let deposits = desk.ask("deposits");
    assert_eq!(deposits.totals.cols, ["currency", "deposited", "withdrawn", "net"]);
    assert_eq!(lines(&deposits.totals), [r#"["USD",250,-100,150]"#]);
}

#[test]
fn rows_of_a_sub_account_answer_to_it() {
    let row = |account: &str, amount: &str, id: u32| {
        format!(
            "<CashTransaction accountId=\"{account}\" type=\"Dividends\" symbol=\"AAPL\" currency=\"USD\" \
             fxRateToBase=\"1\" amount=\"{amount}\" reportDate=\"20260310\" transactionID=\"{id}\" \
             levelOfDetail=\"DETAIL\"/>"
        )
    };
    let inside = format!(
        "{BASE}<CashTransactions>{}{}{}</CashTransactions>",
        row("U1111111", "10", 1),
        row("U2222222", "20", 2),
        row("-", "5", 3)
    );
    let text = Paper { account: "F1234567", ..YEAR }.of(&inside);
    let desk = Desk::with([text.as_str()]);
    let of = |account: &str| {
        let given = Given { account: Some(account.to_owned()), ..Given::default() };
        lines(&desk.given("dividends", &given).unwrap().totals)
    };
    assert_eq!(of("U1111111"), [r#"["USD",10,0]"#]);
    assert_eq!(of("u2222222"), [r#"["USD",20,0]"#]);
    assert_eq!(of("F1234567"), [r#"["USD",5,0]"#], "what names no account is the statement's");
}

#[test]
fn the_date_by_which_a_dividend_counts_is_said_and_can_be_chosen() {
    let inside = format!(
        "{BASE}<CashTransactions><CashTransaction type=\"Dividends\" symbol=\"AAPL\" currency=\"USD\" \
         fxRateToBase=\"1\" amount=\"10\" reportDate=\"20260402\" settleDate=\"20260331\" transactionID=\"1\" \
         levelOfDetail=\"DETAIL\"/></CashTransactions>"
    );
    let desk = Desk::with([YEAR.of(&inside).as_str()]);
    let usual = desk.ask("dividends by month");
    assert!(usual.table.column("month").contains(&&Cell::Text("2026-04".to_owned())));
    assert!(notes(&usual, "dated by reportDate"), "{:?}", usual.notes);
    let given = Given { dated_by: Some(DatedBy::Settle), ..Given::default() };
    let settled = desk.given("dividends by month", &given).unwrap();
    assert!(settled.table.column("month").contains(&&Cell::Text("2026-03".to_owned())));
    assert!(notes(&settled, "dated by settleDate"), "{:?}", settled.notes);
}

#[test]
fn performance_is_what_ibkr_computed_linked_over_statements() {
    let change = |days: (&'static str, &'static str), made: &'static str, twr: &str| {
        let inside = format!(
            "<ChangeInNAV accountId=\"U1\" startingValue=\"100\" endingValue=\"110\" twr=\"{twr}\"/>"
        );
        Paper { days, made, ..YEAR }.of(&inside)
    };
    let first = change(("20260101", "20260331"), "20260401;003105", "10");
    let second = change(("20260401", "20260630"), "20260701;003105", "-10");
    let desk = Desk::with([first.as_str(), second.as_str()]);
    let answer = desk.ask("performance");
    assert_eq!(answer.table.rows.len(), 2);
    // 1.10 x 0.90 = 0.99
    assert_eq!(lines(&answer.totals_in_base), [r#"["U1","2026-01-01","2026-06-30",-1]"#]);
    let late = change(("20260901", "20260930"), "20261001;003105", "5");
    let gap = Desk::with([first.as_str(), late.as_str()]).ask("performance");
    assert!(gap.totals_in_base.is_empty());
    assert!(notes(&gap, "leave days out"), "{:?}", gap.notes);
}
