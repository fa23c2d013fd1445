//! Which statements are of one query, and what lies in others.

use super::*;

fn dividend(
    query: &'static str,
    days: (&'static str, &'static str),
    (day, amount): (&str, &str),
) -> String {
    Paper { query, days, ..YEAR }.of(&format!(
        "{BASE}<CashTransactions><CashTransaction type=\"Dividends\" symbol=\"A\" currency=\"USD\" \
         fxRateToBase=\"1\" amount=\"{amount}\" reportDate=\"{day}\"/></CashTransactions>"
    ))
}

#[test]
fn what_was_imported_is_of_the_query_of_its_name_that_is_run() {
    let old = dividend("Activity", ("20250101", "20251231"), ("20250301", "1"));
    let new = dividend("Activity", ("20260101", "20261031"), ("20260301", "2"));
    let desk = Desk::of([(None, old.as_str()), (Some("1001"), new.as_str())]);
    let since = "dividends since 2025-01-01";
    assert_eq!(lines(&desk.ask(since).totals), [r#"["USD",3,0]"#]);
    for query in ["1001", "activity"] {
        let given = Given { query: Some(query.to_owned()), ..Given::default() };
        assert_eq!(
            lines(&desk.given(since, &given).unwrap().totals),
            [r#"["USD",3,0]"#],
            "{query}"
        );
    }
    // Two queries of one name: whose the imported one is nobody can know.
    let other = dividend("Activity", ("20260101", "20261031"), ("20260301", "4"));
    let desk = Desk::of([
        (None, old.as_str()),
        (Some("1001"), new.as_str()),
        (Some("1002"), other.as_str()),
    ]);
    let given = Given { query: Some("1001".to_owned()), ..Given::default() };
    assert_eq!(lines(&desk.given(since, &given).unwrap().totals), [r#"["USD",2,0]"#]);
}

#[test]
fn days_in_other_queries_are_named_and_joined_when_asked_for() {
    let old = dividend("History 2025", ("20250101", "20251231"), ("20250301", "1"));
    let new = dividend("Activity", ("20260101", "20261031"), ("20260301", "2"));
    let again = dividend("Mine", ("20260201", "20260401"), ("20260301", "2.00"));
    let desk = Desk::of([
        (None, old.as_str()),
        (Some("1001"), new.as_str()),
        (Some("1002"), again.as_str()),
    ]);
    let since = "dividends since 2025-01-01";
    let answer = desk.ask(since);
    assert_eq!(
        (answer.query.name.as_str(), lines(&answer.totals)),
        ("History 2025", vec![r#"["USD",1,0]"#.to_owned()])
    );
    assert!(notes(&answer, "2026"), "{:?}", answer.notes);
    assert!(
        notes(&answer, r#"in "Activity""#) && notes(&answer, r#"query "all""#),
        "{:?}",
        answer.notes
    );
    // All together; what two queries tell of counts once.
    let given = Given { query: Some("all".to_owned()), ..Given::default() };
    let all = desk.given(since, &given).unwrap();
    assert_eq!(lines(&all.totals), [r#"["USD",3,0]"#], "{:?}", all.notes);
    assert_eq!(all.statements, 3);
}

#[test]
fn positions_are_of_the_query_that_knows_the_last_day() {
    let held = |query: &'static str, days: (&'static str, &'static str), quantity: &str| {
        let position = super::position(days.1, "SUMMARY", ("A", quantity, "5"));
        Paper { query, days, ..YEAR }
            .of(&format!("{BASE}<OpenPositions>{position}</OpenPositions>"))
    };
    let year = held("Year", ("20260101", "20261029"), "7");
    let day = held("Daily", ("20261030", "20261030"), "2");
    let sold = Paper { query: "Daily", days: ("20261101", "20261101"), ..YEAR }
        .of(&format!("{BASE}<OpenPositions/>"));
    // The query of a whole year has more days, and says less of the last one.
    let answer = Desk::with([year.as_str(), day.as_str()]).ask("positions");
    assert_eq!(answer.query.name, "Daily");
    assert_eq!(answer.table.column("quantity"), [&Cell::Number(Decimal::TWO)]);
    // Sold since: the empty statement is the one that knows.
    let desk = Desk::with([year.as_str(), day.as_str(), sold.as_str()]);
    let answer = desk.ask("positions");
    assert_eq!((answer.table.rows.len(), answer.period.unwrap().to), (0, date(2026, 11, 1)));
    assert!(notes(&answer, "U1 holds nothing on 2026-11-01"), "{:?}", answer.notes);
    // As of a day that only the other query reaches.
    let answer = desk.ask("positions on 2026-10-29");
    assert_eq!(answer.query.name, "Year");
    assert_eq!(answer.table.column("quantity"), [&Cell::Number(Decimal::from(7))]);
}
