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
