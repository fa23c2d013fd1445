//! The queries that are there unless a scenario has its own.

use super::spec::{Call, QuerySpec, QueryType};

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|word| (*word).to_owned()).collect()
}

/// One of every sort that a client must cope with.
pub(super) fn queries() -> Vec<QuerySpec> {
    let named = QuerySpec::named;
    let period = |name: &str| Some(name.to_owned());
    vec![
        QuerySpec {
            levels: words(&["EXECUTION", "ORDER", "CLOSED_LOT", "SYMBOL_SUMMARY"]),
            ..named("1001", "Activity")
        },
        QuerySpec {
            kind: QueryType::Confirmations,
            levels: words(&["EXECUTION", "ORDER"]),
            ..named("1002", "Trade Confirmations")
        },
        QuerySpec { empty: true, ..named("1003", "Nothing in it") },
        QuerySpec {
            sections: words(&["AccountInformation", "Trades", "CashTransactions"]),
            period: period("LastMonth"),
            ..named("1004", "activity")
        },
        QuerySpec {
            breakout_by_day: true,
            period: period("Last30CalendarDays"),
            ..named("1005", "Daily & by day")
        },
        QuerySpec {
            date_format: "dd/MM/yyyy".to_owned(),
            time_format: "HH:mm:ss TimeZone".to_owned(),
            separator: " ".to_owned(),
            period: period("YearToDate"),
            ..named("1006", "European dates")
        },
        QuerySpec {
            sections: words(&["Trades", "TransactionTaxes", "CorporateActions"]),
            date_format: "yyyy-MM-dd".to_owned(),
            time_format: "HH:mm:ss".to_owned(),
            levels: words(&["EXECUTION"]),
            ..named("1007", "Trades only")
        },
        QuerySpec { fails: Some(1010), ..named("1010", "Legacy") },
        QuerySpec { fails: Some(1016), ..named("1016", "Account closed") },
        QuerySpec { fails: Some(1003), fails_at: Call::Get, ..named("1030", "Never available") },
    ]
}
