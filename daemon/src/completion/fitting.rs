//! Which values fit what is typed. Pure.

use std::collections::HashSet;

use ibd_protocol::Completed;

/// Those that begin with what is typed, in any case, each once and in the order in which they are told.
pub fn fitting(begins: &str, values: impl IntoIterator<Item = String>) -> Completed {
    told(values.into_iter().filter(|value| is_begun(value, begins)))
}

/// The numbers of what has this number or name.
pub fn named_by(begins: &str, pairs: impl IntoIterator<Item = (String, String)>) -> Completed {
    let fit =
        |(name, number): &(String, String)| is_begun(name, begins) || is_begun(number, begins);
    told(pairs.into_iter().filter(fit).map(|(_, number)| number))
}

fn is_begun(value: &str, begins: &str) -> bool {
    let mut letters = value.chars().flat_map(char::to_lowercase);
    begins.chars().flat_map(char::to_lowercase).all(|letter| letters.next() == Some(letter))
}

fn told(values: impl Iterator<Item = String>) -> Completed {
    let mut seen = HashSet::new();
    let mut values: Vec<String> = values
        .map(|value| ibd_text::plain(&value).into_owned())
        .filter(|value| seen.insert(value.clone()))
        .collect();
    let total = u32::try_from(values.len()).unwrap_or(u32::MAX);
    values.truncate(Completed::MOST);
    Completed { values, total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_beginning_in_any_case() {
        let values = || ["AAPL", "AMD", "aapl", "BRK B", "AAPL", "ärger"].map(str::to_owned);
        for (begins, expected) in [
            ("", &["AAPL", "AMD", "aapl", "BRK B", "ärger"][..]),
            ("aa", &["AAPL", "aapl"]),
            ("AMD", &["AMD"]),
            ("brk b", &["BRK B"]),
            ("ÄR", &["ärger"]),
            ("APL", &[]),
            ("AAPLX", &[]),
        ] {
            assert_eq!(fitting(begins, values()).values, expected, "{begins}");
        }
    }

    #[test]
    fn a_number_is_found_by_its_name_too() {
        let pairs =
            || [("AAPL", "265598"), ("AMD", "4391")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        for (begins, expected) in [("265", &["265598"][..]), ("am", &["4391"]), ("x", &[])] {
            assert_eq!(named_by(begins, pairs()).values, expected, "{begins}");
        }
    }

    #[test]
    fn more_than_are_told_are_counted() {
        let all = (0..250).map(|n| format!("DU{n:03}"));
        let told = fitting("du", all);
        assert_eq!((told.values.len(), told.total), (Completed::MOST, 250));
    }
}
