//! Options of one day that belong to several trading classes, for instance SPX, which ends in the morning, and SPXW,
//! which ends in the evening: one class at a time, so that no strike stands twice. Pure.

use std::collections::BTreeMap;

use ibd_protocol::ErrorCode;

use super::asked::Asked;
use crate::contracts::chain::Listed;
use crate::refusal::Refusal;

/// The options of one class.
pub(super) struct OneClass {
    /// Its name, where IBKR says it.
    pub(super) class: Option<String>,
    pub(super) options: Vec<Listed>,
    /// The names of the other classes.
    pub(super) others: Vec<String>,
}

/// The class that is asked for; else the underlying's own, else the one with most options.
pub(super) fn one_class(options: Vec<Listed>, asked: &Asked) -> Result<OneClass, Refusal> {
    chosen(options, asked.class.as_deref(), &asked.wish.symbol)
}

fn chosen(options: Vec<Listed>, wanted: Option<&str>, symbol: &str) -> Result<OneClass, Refusal> {
    let mut classes: BTreeMap<Option<String>, Vec<Listed>> = BTreeMap::new();
    for option in options {
        classes.entry(option.class.clone()).or_default().push(option);
    }
    let is = |class: &Option<String>, name: &str| {
        class.as_deref().is_some_and(|class| class.eq_ignore_ascii_case(name))
    };
    let own = classes.keys().find(|class| is(class, wanted.unwrap_or(symbol))).cloned();
    let most = || classes.iter().max_by_key(|(_, options)| options.len()).map(|(class, _)| class);
    let class = match (own, wanted) {
        (Some(own), _) => own,
        (None, None) => most().cloned().flatten(),
        (None, Some(wanted)) => {
            return Err(Refusal::new(
                ErrorCode::UnknownSymbol,
                format!("No options of {symbol} of the trading class {wanted} end on that day."),
                "Use one of the candidates as tradingClass, or leave it out.",
            )
            .at("tradingClass")
            .or(classes.into_keys().flatten()));
        }
    };
    let options = classes.remove(&class).unwrap_or_default();
    Ok(OneClass { class, options, others: classes.into_keys().flatten().collect() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ibd_cpapi::contracts::Right;

    use super::*;

    fn listed(classes: &[Option<&str>]) -> Vec<Listed> {
        let option = |class: &Option<&str>| Listed {
            conid: "1".parse().unwrap(),
            expiry: "2027-01-15".parse().unwrap(),
            strike: "100".parse().unwrap(),
            right: Right::Call,
            class: class.map(str::to_owned),
        };
        classes.iter().map(option).collect()
    }

    #[test]
    fn options_are_of_one_class_and_the_others_are_named() {
        let (spx, spxw) = (Some("SPX"), Some("SPXW"));
        let told = |classes: &[Option<&str>], wanted| match chosen(listed(classes), wanted, "SPX") {
            Ok(OneClass { class, options, others }) => {
                format!("{} {} {}", class.unwrap_or_default(), options.len(), others.join(","))
            }
            Err(refusal) => format!("{} {:?}", refusal.field.unwrap(), refusal.candidates),
        };
        for (classes, wanted, expected) in [
            (vec![None, None], None, " 2 "),
            (vec![spx, spx], None, "SPX 2 "),
            (vec![spx, spxw, spxw], None, "SPX 1 SPXW"),
            (vec![spx, spxw, spxw], Some("spxw"), "SPXW 2 SPX"),
            // None of them is the underlying's own.
            (vec![Some("A"), spxw, spxw], None, "SPXW 2 A"),
            (vec![spx, spxw], Some("XSP"), r#"tradingClass [String("SPX"), String("SPXW")]"#),
        ] {
            assert_eq!(told(&classes, wanted), expected, "{classes:?} {wanted:?}");
        }
    }
}
