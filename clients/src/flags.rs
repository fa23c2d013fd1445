//! The words of a command line, put together as the flags that they are.

/// A flag with its value, or a word that belongs to none.
pub(crate) struct Flag<'a> {
    /// Without a value that `=` gives it.
    pub name: &'a str,
    /// One or two words, as they stand.
    pub words: &'a [String],
}

impl Flag<'_> {
    /// Its value, if it has one.
    pub(crate) fn value(&self) -> Option<&str> {
        let of_word = || self.words.first()?.split_once('=').map(|(_, value)| value);
        self.words.get(1).map(String::as_str).or_else(of_word)
    }
}

/// All words, none left out. Only flags of ours have values: those of others are not known.
pub(crate) fn flags(words: &[String]) -> Vec<Flag<'_>> {
    let mut found = Vec::new();
    let mut rest = words;
    while let Some(first) = rest.first() {
        let name = first.split_once('=').map_or(first.as_str(), |(name, _)| name);
        let takes_next = name.len() == first.len()
            && first.starts_with("--ib-")
            && rest.get(1).is_some_and(|next| !next.starts_with("--"));
        let (own, others) = rest.split_at(if takes_next { 2 } else { 1 });
        found.push(Flag { name, words: own });
        rest = others;
    }
    found
}

/// The variable that means the same as a flag.
pub(crate) fn variable(flag: &str) -> String {
    flag.trim_start_matches("--").replace('-', "_").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_put_together_and_none_is_lost() {
        let words = "-d x --ib-username u --ib-paper-trading --ib-account=DU1 y";
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let found = flags(&words);
        let shown: Vec<(&str, Option<&str>)> =
            found.iter().map(|flag| (flag.name, flag.value())).collect();
        assert_eq!(
            shown,
            [
                ("-d", None),
                ("x", None),
                ("--ib-username", Some("u")),
                ("--ib-paper-trading", None),
                ("--ib-account", Some("DU1")),
                ("y", None),
            ]
        );
        let all: Vec<String> = found.iter().flat_map(|flag| flag.words.to_vec()).collect();
        assert_eq!(all, words);
        assert_eq!(variable("--ib-paper-trading"), "IB_PAPER_TRADING");
    }
}
