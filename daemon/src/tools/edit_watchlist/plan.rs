//! What becomes of a list. Pure.

use ibd_cpapi::Failure;
use ibd_cpapi::id::Conid;
use ibd_cpapi::watchlists::{Heading, Line};
use jiff::Timestamp;

use crate::contracts::{Contract, candidates, is_same_symbol};
use crate::refusal::Refusal;

/// What to do with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Add,
    Remove,
    Rename,
    Delete,
}

const ALL: [Action; 5] =
    [Action::Create, Action::Add, Action::Remove, Action::Rename, Action::Delete];

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Delete => "delete",
        }
    }
}

/// The action that is named. None is guessed.
pub(super) fn action(text: Option<&str>) -> Result<Action, Refusal> {
    let text = text.unwrap_or_default();
    ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
        let message = if text.is_empty() {
            "action is not given.".to_owned()
        } else {
            format!("There is no action {text:?}.")
        };
        Refusal::argument("action", message, "Nothing was changed. Use one of the candidates.")
            .or(ALL.map(Action::name))
    })
}

/// The rows with more contracts at their end, and how many of these were there already.
pub(super) fn added(
    mut rows: Vec<Line>,
    more: impl IntoIterator<Item = Conid>,
) -> (Vec<Line>, usize) {
    let mut known = 0;
    for conid in more {
        let line = Line::Contract(conid);
        if rows.contains(&line) {
            known += 1;
        } else {
            rows.push(line);
        }
    }
    (rows, known)
}

/// The rows without some contracts; the lines between them stay.
pub(super) fn removed(mut rows: Vec<Line>, gone: &[Conid]) -> Vec<Line> {
    rows.retain(|line| !matches!(line, Line::Contract(conid) if gone.contains(conid)));
    rows
}

/// The contracts of a list that have these symbols: each symbol means one of them.
pub(super) fn named(symbols: &[String], has: &[Contract]) -> Result<Vec<Conid>, Refusal> {
    let one = |symbol: &String| {
        let is_it = |contract: &&Contract| {
            let is =
                |own: &Option<String>| own.as_ref().is_some_and(|own| is_same_symbol(own, symbol));
            is(&contract.symbol) || is(&contract.description)
        };
        let found: Vec<&Contract> = has.iter().filter(is_it).collect();
        match found.as_slice() {
            [only] => Ok(only.conid),
            [] => Err(not_there("symbols", symbol, has)),
            several => Err(Refusal::argument(
                "symbols",
                format!("{symbol} may mean {} contracts of this list.", several.len()),
                "Nothing was changed. Give the conid of the one that is meant in conids.",
            )
            .or(candidates(several.iter().copied()))),
        }
    };
    symbols.iter().map(one).collect()
}

/// What is to be taken out is not in the list.
pub(super) fn not_there(field: &str, what: &str, has: &[Contract]) -> Refusal {
    Refusal::argument(
        field,
        format!("{what} is not in this list."),
        "Nothing was changed. Use what it has.",
    )
    .or(candidates(has))
}

/// A number that no list has: the second in which it is made, or one of those after it.
pub(super) fn free_id(now: Timestamp, lists: &[Heading]) -> String {
    let is_free = |id: &String| lists.iter().all(|list| list.id != *id);
    let first = now.as_second();
    (first..=i64::MAX).map(|second| second.to_string()).find(is_free).unwrap_or_default()
}

/// A failure of a write: whether it was done is not known, unless it certainly was not.
pub(super) fn in_doubt(failure: Failure) -> Refusal {
    let is_undone = matches!(
        failure,
        Failure::Unreachable(_)
            | Failure::OtherCertificate
            | Failure::Queued
            | Failure::RateLimited(_)
            | Failure::NotLoggedIn
            | Failure::Denied(_)
            | Failure::NoBrokerage(_)
            | Failure::NotPrimed
            | Failure::Refused { .. }
    );
    let refusal = Refusal::from(failure);
    if is_undone {
        return Refusal { next: format!("Nothing was changed. {}", refusal.next), ..refusal };
    }
    let next =
        "Whether it was written is not known: look with get_watchlists before you do it again.";
    Refusal { next: next.to_owned(), ..refusal }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_protocol::ErrorCode;
    use std::time::Duration;

    fn conid(number: u32) -> Conid {
        number.to_string().parse().unwrap()
    }

    fn contract(number: u32, symbol: &str) -> Contract {
        serde_json::from_str(&format!(
            r#"{{"conid":{number},"symbol":"{symbol}","name":null,"exchange":null,"currency":null,"sec_type":null,
                "description":null,"expiry":null,"is_us":null,"option_months":[]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_list_keeps_its_order_and_its_lines() {
        let line = || Line::Title("US".to_owned());
        let rows = || vec![Line::Contract(conid(1)), line(), Line::Contract(conid(2))];
        let (more, known) = added(rows(), [conid(3), conid(2), conid(3)]);
        assert_eq!((more.len(), known, &more[3]), (4, 2, &Line::Contract(conid(3))));
        assert_eq!(removed(rows(), &[conid(1), conid(9)]), [line(), Line::Contract(conid(2))]);
    }

    #[test]
    fn what_is_taken_out_is_in_the_list_and_one() {
        let has =
            [contract(1, "AAPL"), contract(2, "BRK B"), contract(3, "SAN"), contract(4, "SAN")];
        let named = |symbol: &str| named(&[symbol.to_owned()], &has);
        assert_eq!(named("aapl").unwrap(), [conid(1)]);
        assert_eq!(named("BRK.B").unwrap(), [conid(2)]);
        assert_eq!(named("SAN").unwrap_err().candidates.len(), 2);
        assert_eq!(named("MSFT").unwrap_err().field.as_deref(), Some("symbols"));
    }

    #[test]
    fn no_action_is_guessed() {
        assert_eq!(action(Some("ADD")).unwrap(), Action::Add);
        for odd in [None, Some("drop"), Some("")] {
            assert_eq!(action(odd).unwrap_err().candidates.len(), 5);
        }
    }

    #[test]
    fn a_new_list_takes_the_place_of_none() {
        let now = Timestamp::from_second(1_793_633_400).unwrap();
        let lists: Vec<Heading> =
            serde_json::from_str(r#"[{"id":"1793633400"},{"id":"1793633401"}]"#).unwrap();
        assert_eq!(free_id(now, &lists), "1793633402");
    }

    #[test]
    fn a_write_without_an_answer_is_in_doubt() {
        for (failure, error, is_known) in [
            (Failure::Broke, ErrorCode::GatewayBroke, false),
            (Failure::Silent(Duration::from_secs(9)), ErrorCode::GatewaySilent, false),
            (Failure::Trouble { status: 503, text: "x".into() }, ErrorCode::BrokerTrouble, false),
            (Failure::Refused { status: 400, text: "x".into() }, ErrorCode::BrokerRefused, true),
            (Failure::Queued, ErrorCode::TooBusy, true),
        ] {
            let refusal = in_doubt(failure);
            assert_eq!(refusal.error, error);
            assert_eq!(refusal.next.starts_with("Nothing was changed"), is_known, "{error}");
        }
    }
}
