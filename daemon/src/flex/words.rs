//! What is said when there is no statement: what happened, and what to do.

use ibd_cpapi::failure::clean;
use ibd_cpapi::flex::{Class, class};
use ibd_flex::archive::{AddError, Added, Outcome};
use ibd_flex::statement::StatementError;
use ibd_protocol::ErrorCode;
use ibd_protocol::settings::Key;
use jiff::civil::Date;

use super::memory::{Query, QueryId};
use crate::refusal::Refusal;

/// How one gets a token.
pub const GET_A_TOKEN: &str = "Ask the user to log in to IBKR's Client Portal, open Performance & \
    Reports, Flex Queries, Flex Web Service Configuration, generate a token there, and give it with \
    `ibctl secrets set IB_FLEX_TOKEN`; then try again.";

/// Nobody has given a token.
pub fn no_token() -> Refusal {
    Refusal::new(
        ErrorCode::FlexNoToken,
        "No token for IBKR's Flex Web Service is configured.",
        GET_A_TOKEN,
    )
    .at(Key::FlexToken.name())
}

/// Days before its end at which a token's end is said.
const AHEAD: i32 = 14;
/// No token is good for longer.
const YEAR: i32 = 365;

/// What is to be said ahead of a token's end. Which day that is, IBKR does not tell: whoever made the token
/// knows, and without their word it is at most a year after its first use.
pub fn expiring(expires: Option<Date>, since: Option<Date>, today: Date) -> Option<String> {
    let days_to = |day: Date| today.until(day).map_or(i32::MAX, |span| span.get_days());
    if let Some(expires) = expires {
        return match days_to(expires) {
            ..0 => Some(format!(
                "The Flex token expired on {expires}, says IB_FLEX_TOKEN_EXPIRES; change that with the token."
            )),
            left @ 0..=AHEAD => {
                Some(format!("The Flex token expires on {expires}, in {left} days."))
            }
            _ => None,
        };
    }
    let since = since.filter(|since| -days_to(*since) >= YEAR - AHEAD)?;
    Some(format!(
        "The Flex token was first used here on {since}; none is valid for more than a year after it was made."
    ))
}

/// What is to be run by itself has to have run once.
pub fn never_ran(text: &str) -> Refusal {
    Refusal::new(
        ErrorCode::FlexQueryUnknown,
        format!("The query {text:?} has never given a statement here."),
        "Run it once with get_flex_query; then it can be run daily.",
    )
    .at("queryId")
}

/// IBKR gave a code that ends the run.
pub fn code(code: u32, text: &str) -> Refusal {
    let said = format!("IBKR's Flex service says: {text} (code {code}).");
    match code {
        1003 => Refusal::new(
            ErrorCode::FlexNotAvailable,
            said,
            "IBKR has no statement for this query's period yet. Activity statements are made once a day \
             after the close; try again tomorrow, or change the period in the query's template.",
        ),
        1010 => Refusal::new(
            ErrorCode::FlexLegacyQuery,
            said,
            "Ask the user to convert this legacy query to an Activity Flex Query in the Client Portal.",
        ),
        1011 => Refusal::new(
            ErrorCode::FlexServiceInactive,
            said,
            "Ask the user to enable the Flex Web Service in the Client Portal (Flex Queries, Flex Web \
             Service Configuration).",
        ),
        1012 => Refusal::new(ErrorCode::FlexTokenExpired, said, GET_A_TOKEN),
        1013 => Refusal::new(
            ErrorCode::FlexIpRestricted,
            said,
            "The token may not be used from this address. Ask the user to make one without an IP \
             restriction, or for this address, and give it with `ibctl secrets set IB_FLEX_TOKEN`.",
        ),
        1014 => Refusal::new(
            ErrorCode::FlexQueryInvalid,
            said,
            "IBKR knows no such query for this token. Ask the user for its number: Client Portal, \
             Performance & Reports, Flex Queries, the (i) beside the query.",
        ),
        1015 => Refusal::new(ErrorCode::FlexTokenInvalid, said, GET_A_TOKEN),
        1016 => Refusal::new(
            ErrorCode::FlexAccountInvalid,
            said,
            "Ask the user to look at which accounts the query's template names: one is closed or not theirs.",
        ),
        1017 => Refusal::new(
            ErrorCode::FlexReferenceLost,
            said,
            "Try again: the statement is then asked for anew.",
        ),
        1018 => Refusal::new(
            ErrorCode::FlexThrottled,
            said,
            "IBKR counts too many requests with this token, maybe another program's. Try again in half an \
             hour; archived statements can be read meanwhile.",
        ),
        1020 => Refusal::new(
            ErrorCode::FlexRequestInvalid,
            said,
            "Ask the user to check the query's number and the token (`ibctl secrets list`).",
        ),
        _ => Refusal::new(
            ErrorCode::FlexNotReady,
            said,
            "IBKR cannot make the statement at the moment. Try again in an hour; archived statements can \
             be read meanwhile.",
        ),
    }
}

/// What is going on, for whoever waits.
pub fn waiting(code: u32, seconds: u64) -> String {
    match class(code) {
        Class::Pending => "IBKR is making the statement.".to_owned(),
        Class::Throttle => format!("IBKR wants fewer requests; going on in {seconds} s."),
        Class::Restart => "IBKR lost the request; the statement is asked for anew.".to_owned(),
        _ => format!(
            "IBKR cannot make the statement yet (code {code}); trying again in {seconds} s."
        ),
    }
}

/// No connection, a web page, or half a statement; and no more tries.
pub fn broken(text: &str) -> Refusal {
    Refusal::new(
        ErrorCode::FlexUnreachable,
        format!("No statement came: {text}."),
        "IBKR's Flex service may be under maintenance. Try again in an hour; the statements that were \
         archived before are untouched.",
    )
}

/// IBKR is still at it.
pub fn left() -> Refusal {
    Refusal::new(
        ErrorCode::FlexNotReady,
        "IBKR has not made the statement yet, after many looks.",
        "Call get_flex_query again later: it goes on with the same request.",
    )
}

/// The disk or the store.
pub fn not_stored(text: &str) -> Refusal {
    Refusal::new(
        ErrorCode::FlexNotStored,
        format!("The statement could not be stored: {text}."),
        "Ask the user to look at the disk and at `ibctl logs`; then try again.",
    )
}

/// The part of the daemon is being restarted.
pub fn away() -> Refusal {
    Refusal::new(
        ErrorCode::Internal,
        "The part of the daemon that runs Flex queries is being restarted.",
        "Try again in a few seconds; if it stays, see `ibctl logs`.",
    )
}

/// There is nothing to forget but statements.
pub fn only_imported(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::FlexOnlyImported,
        format!("Of {name:?} there are only statements that were imported from files; no query is remembered."),
        "With statements:true they are removed from the archive; the files they came from stay.",
    )
    .at("statements")
}

/// What was imported cannot be run.
pub fn cannot_run(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::FlexOnlyImported,
        format!("Of {name:?} there are only statements that were imported from files: IBKR's number of it is not known."),
        "Leave refresh out to see what is archived, or give the query's number (Client Portal, Performance & \
         Reports, Flex Queries, the (i) beside the query) as queryId.",
    )
    .at("refresh")
}

/// IBKR sent the statement in another format than XML.
pub fn not_xml() -> Refusal {
    Refusal::new(
        ErrorCode::FlexNotXml,
        "The query's template has the format CSV or text, and only XML can be read here.",
        "Ask the user to edit the query in the Client Portal (Performance & Reports, Flex Queries) and set the \
         format to XML; then try again.",
    )
}

/// One file of several that could not be taken over.
pub fn in_member(member: Option<&str>, error: &AddError) -> String {
    let at = member.map(|name| format!("{}: ", clean(name))).unwrap_or_default();
    if is_csv(error) {
        format!("{at}this is no XML: export it from the Client Portal in the format XML.")
    } else {
        format!("{at}{error}.")
    }
}

/// Whether what came begins as no XML does: the template has another format.
pub fn is_csv(error: &AddError) -> bool {
    matches!(error, AddError::Statement(StatementError::NotXml { .. }))
}

/// No query is called that.
pub fn unknown(text: &str, queries: &[Query]) -> Refusal {
    Refusal::new(
        ErrorCode::FlexQueryUnknown,
        format!("No query is remembered as {text:?}."),
        "Give its number (Client Portal, Performance & Reports, Flex Queries, the (i) beside the query), \
         or one of the candidates. Use list_flex_queries to see all.",
    )
    .at("queryId")
    .or(queries.iter().map(candidate))
}

/// Several are.
pub fn several(text: &str, queries: &[&Query]) -> Refusal {
    Refusal::new(
        ErrorCode::FlexQueryAmbiguous,
        format!("Several queries are called {text:?}."),
        "Give the number of the one that is meant.",
    )
    .at("queryId")
    .or(queries.iter().map(|query| candidate(query)))
}

/// The name that one is to get belongs to another.
pub fn name_taken(name: &str, other: &QueryId) -> Refusal {
    Refusal::argument(
        "queryName",
        format!("Query {other} is called {name:?} already."),
        "Choose another name, or leave queryName out.",
    )
}

fn candidate(query: &Query) -> serde_json::Value {
    serde_json::json!({ "queryId": query.id, "name": query.name })
}

/// What came of a statement that was taken over.
pub fn imported(added: &Added) -> String {
    let entry = &added.entry;
    let days = entry.period.map(|p| format!(", {} … {}", p.from, p.to)).unwrap_or_default();
    let name = &entry.query_name;
    let what = match &added.outcome {
        Outcome::New => format!("A statement of {name:?}{days} is in the archive."),
        Outcome::Same => format!("This statement of {name:?}{days} was in the archive before."),
        Outcome::Restored(_) => {
            format!("A statement of {name:?}{days} is in the archive again; it was damaged there.")
        }
    };
    let rows: u64 = entry.sections.iter().map(|section| section.rows).sum();
    let empty = if rows == 0 { " It has no rows." } else { "" };
    let replaced = match added.replaced.len() {
        0 => String::new(),
        many => format!(" It replaces {many} older of the same days."),
    };
    let kept = match added.richer.len() {
        0 => String::new(),
        many => format!(" {many} older of the same days have more in them, and stay beside it."),
    };
    let notes: String =
        added.summary.notes.iter().map(|note| format!(" Of this file: {note}.")).collect();
    format!("{what}{empty}{replaced}{kept}{notes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_said_ahead() {
        let day = |text: &str| text.parse::<Date>().ok();
        for (expires, since, today, part) in [
            (None, None, "2026-11-24", ""),
            (day("2026-12-24"), None, "2026-11-24", ""),
            (day("2026-12-01"), None, "2026-11-24", "in 7 days"),
            (day("2026-11-24"), None, "2026-11-24", "in 0 days"),
            (day("2026-11-23"), None, "2026-11-24", "expired on"),
            (None, day("2025-12-20"), "2026-11-24", ""),
            (None, day("2025-12-01"), "2026-11-24", "first used here on 2025-12-01"),
            // Whoever made it knows better.
            (day("2027-11-01"), day("2025-12-01"), "2026-11-24", ""),
        ] {
            let said = day(today).and_then(|today| expiring(expires, since, today));
            let said = said.unwrap_or_default();
            let is_right = if part.is_empty() { said.is_empty() } else { said.contains(part) };
            assert!(is_right, "{expires:?} {since:?}: {said}");
        }
    }

    #[test]
    fn every_code_says_what_to_do() {
        for number in 1001..=1021 {
            let refusal = code(number, "x");
            assert!(
                refusal.error.as_str().starts_with("flex_") && refusal.next.len() > 20,
                "{number}"
            );
        }
    }
}
