//! What must be said of positions beside their numbers. Pure.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::portfolio::Position;
use ibd_cpapi::rows::Rows;

use super::columns::label;
use crate::portfolio::{Base, Valued};

/// So many are named.
const NAMED: usize = 5;

/// Of the whole list: it may be empty where the ledger is not.
pub(super) fn of_list(positions: &Rows<Position>, base: &Base) -> Option<String> {
    let stocks = base.stocks.filter(|_| positions.is_empty() && positions.is_whole())?;
    let stocks = stocks.round_dp(2).normalize();
    Some(format!(
        "IBKR lists no position, and its ledger counts {stocks} of stocks in base currency: one of them is wrong; ask again."
    ))
}

/// Of the rows that are shown: futures are no money that is invested.
pub(super) fn of_futures(shown: &[(&Position, &Valued)]) -> Option<String> {
    let all = shown.iter().map(|(one, _)| *one);
    let futures: Vec<&Position> =
        all.filter(|one| one.asset_class == Some(SecType::Future)).collect();
    (!futures.is_empty()).then(|| {
        format!(
            "Value and weight of {} are the contracts' size, not money that is invested.",
            names(&futures)
        )
    })
}

/// Of the rows that are shown: of which the day's P&L is not known. Where it is known of none, why was said.
pub(super) fn of_day(shown: &[(&Position, &Valued)]) -> Option<String> {
    let is_blank = |(_, valued): &&(&Position, &Valued)| valued.day.is_none();
    let blank: Vec<&Position> = shown.iter().filter(is_blank).map(|(one, _)| *one).collect();
    (!blank.is_empty())
        .then(|| format!("dayPnl of {} is not known: no prior close, rate or mark.", names(&blank)))
}

fn names(of: &[&Position]) -> String {
    let named =
        of.iter().take(NAMED).map(|one| label(one).unwrap_or_else(|| one.conid.to_string()));
    let mut text = named.collect::<Vec<_>>().join(", ");
    if of.len() > NAMED {
        text.push_str(&format!(" and {} more", of.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::portfolio::Ledger;
    use rust_decimal::Decimal;

    #[test]
    fn an_empty_list_beside_a_full_ledger_is_doubted() {
        let base = |stocks: &str| {
            let json = format!(r#"{{"BASE":{{"stockmarketvalue":{stocks}}}}}"#);
            Base::of(&serde_json::from_str::<Ledger>(&json).unwrap(), Some("USD".to_owned()))
        };
        let rows = |json: &str| serde_json::from_str::<Rows<Position>>(json).unwrap();
        for (list, stocks, expected) in [
            ("[]", "40210.50", true),
            ("[]", "0", false),
            ("[]", "null", false),
            // That it could not be read is said elsewhere.
            ("null", "40210.5", false),
            (r#"[{"conid":7,"assetClass":"STK","ticker":"A"}]"#, "40210.5", false),
        ] {
            let said = of_list(&rows(list), &base(stocks));
            assert_eq!(said.is_some(), expected, "{list} {stocks}: {said:?}");
            assert!(said.is_none_or(|said| said.contains("40210.5 of stocks")));
        }
    }

    #[test]
    fn futures_are_named_where_they_are_shown() {
        let rows: Rows<Position> = serde_json::from_str(
            r#"[{"conid":7,"assetClass":"STK","ticker":"A"},{"conid":8,"assetClass":"FUT","contractDesc":"ES DEC2026"}]"#,
        )
        .unwrap();
        let valued = Valued::default();
        assert_eq!(of_futures(&[(&rows[0], &valued)]), None);
        let said = of_futures(&[(&rows[0], &valued), (&rows[1], &valued)]).unwrap();
        assert!(said.contains("of ES DEC2026 are"), "{said}");
    }

    #[test]
    fn whose_day_is_not_known_is_named() {
        let rows: Rows<Position> =
            serde_json::from_str(r#"[{"conid":7,"assetClass":"STK","ticker":"VOD"},{"conid":8}]"#)
                .unwrap();
        let (known, blank) =
            (Valued { day: Some(Decimal::ONE), ..Valued::default() }, Valued::default());
        assert_eq!(of_day(&[(&rows[0], &known), (&rows[1], &known)]), None);
        let said = of_day(&[(&rows[0], &blank), (&rows[1], &blank)]).unwrap();
        assert!(said.contains("dayPnl of VOD, 8 is"), "{said}");
    }
}
