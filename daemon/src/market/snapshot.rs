//! Snapshots: asked as often as it takes to be warm, and no oftener.

use ibd_cpapi::Failure;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::{Availability, Field, GetSnapshot, Row};
use tokio::time::Instant;

use super::Wanted;
use crate::session::Lease;

/// The greeks come some seconds after the prices.
const GREEKS: &[Field] = &[Field::Delta, Field::ImpliedVolatility];
/// Looks after which a contract with any price at all is taken as it is: many have no bid at night.
pub(super) const LOOKS: u32 = 4;

/// The quotes of some contracts. Where one of them makes the whole fail, the others are asked without it.
pub(super) async fn ask(
    lease: &Lease,
    conids: Vec<Conid>,
    fields: &'static [Field],
    deadline: Instant,
) -> Result<Vec<Row>, Failure> {
    let (mut found, mut parts, mut failed) = (Vec::new(), vec![conids], None);
    while let Some(part) = parts.pop() {
        let request = GetSnapshot { conids: part.clone(), fields };
        match lease.client().ask(&request, deadline).await {
            Ok(answer) => found.extend(answer.value),
            Err(
                failure @ (Failure::Refused { .. }
                | Failure::Trouble { .. }
                | Failure::Garbled { .. }),
            ) => {
                if let (one, two) = part.split_at(part.len() / 2)
                    && !one.is_empty()
                {
                    parts.extend([one.to_vec(), two.to_vec()]);
                }
                failed = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    match failed.filter(|_| found.is_empty()) {
        Some(failure) => Err(failure),
        None => Ok(found),
    }
}

/// Whether another look is not likely to show more.
pub(super) fn is_settled(wanted: &Wanted, row: Option<&Row>, looks: u32) -> bool {
    let Some(row) = row.filter(|row| row.has_data()) else { return false };
    if row.is_unknown() || row.availability().is_some_and(gives_nothing) {
        return true;
    }
    let has = |field: &Field| row.number(*field).is_some();
    let is_whole = [Field::Last, Field::Bid, Field::Ask].iter().all(has);
    let has_any =
        [Field::Last, Field::Bid, Field::Ask, Field::Mark, Field::PriorClose].iter().any(has);
    let has_prices = row.availability().is_some() && (is_whole || has_any && looks >= LOOKS);
    has_prices && (!wanted.is_option || GREEKS.iter().all(has))
}

/// No subscription, so nothing will come.
pub fn gives_nothing(availability: Availability) -> bool {
    matches!(availability, Availability::NotSubscribed | Availability::NotAcknowledged)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settled(is_option: bool, values: &str) -> bool {
        let row: Row = serde_json::from_str(&format!(r#"{{"conid":1{values}}}"#)).unwrap();
        is_settled(&Wanted { conid: "1".parse().unwrap(), is_option }, Some(&row), 1)
    }

    const PRICES: &str =
        r#","_updated":1790000000123,"6509":"RpB","31":"12.3","84":"12.2","86":"12.4""#;

    #[test]
    fn a_stub_is_asked_again_and_whole_prices_are_not() {
        assert!(!settled(false, ""));
        assert!(!settled(false, r#","_updated":1790000000123"#));
        assert!(
            !settled(false, r#","_updated":1790000000123,"6509":"RpB","31":"271.5""#),
            "bid and ask are on their way"
        );
        assert!(settled(false, PRICES));
    }

    #[test]
    fn an_option_waits_for_its_greeks() {
        assert!(!settled(true, PRICES));
        assert!(settled(true, &format!(r#"{PRICES},"7308":"0.5","7633":"25%""#)));
    }

    #[test]
    fn nobody_waits_for_what_will_not_come() {
        assert!(settled(false, r#","_updated":1790000000123,"6509":"N""#));
        assert!(settled(false, r#","_updated":1790000000123,"55":"-","31":"N/A""#));
    }
}
