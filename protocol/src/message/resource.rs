//! Resources: what a client reads by an address, and may be told of when it changes. Pure.

use serde::{Deserialize, Serialize};

use super::RequestId;

/// Longest text that may stand for a variable, in bytes.
const LONGEST: usize = 32;

/// A resource, or a kind of them, as a client sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSpec {
    /// Its address; that of a kind has a variable in braces.
    pub uri: String,
    /// What programs call it.
    pub name: String,
    /// For a person's menu.
    pub title: String,
    /// For the model: what it says, and when it is told to have changed.
    pub description: String,
    /// Of a kind: what may stand for the variable.
    pub variable: Option<Variable>,
}

/// What may stand for the variable of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Digits.
    Number,
    /// Letters and digits.
    Word,
}

impl Variable {
    fn takes(self, text: &str) -> bool {
        let is_of_it = |byte: u8| match self {
            Self::Number => byte.is_ascii_digit(),
            Self::Word => byte.is_ascii_alphanumeric(),
        };
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_of_it)
    }
}

impl ResourceSpec {
    /// Whether this address is its own, or one of its kind.
    pub fn fits(&self, uri: &str) -> bool {
        self.read(uri).is_some()
    }

    /// What stands for the variable in an address of this kind; nothing in the address of a single resource.
    pub fn read<'u>(&self, uri: &'u str) -> Option<&'u str> {
        let Some(variable) = self.variable else {
            return (uri == self.uri).then_some("");
        };
        let (before, rest) = self.uri.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        let value = uri.strip_prefix(before)?.strip_suffix(after)?;
        variable.takes(value).then_some(value)
    }

    /// The address of one of its kind.
    pub fn with(&self, value: &str) -> String {
        match self
            .uri
            .split_once('{')
            .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            Some((before, (_, after))) => format!("{before}{value}{after}"),
            None => self.uri.clone(),
        }
    }
}

/// A question what a resource says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Names the question on this connection.
    pub id: RequestId,
    /// The address.
    pub uri: String,
    /// Milliseconds the caller will still wait.
    pub deadline_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(uri: &str, variable: Option<Variable>) -> ResourceSpec {
        let text = String::new;
        ResourceSpec {
            uri: uri.to_owned(),
            name: text(),
            title: text(),
            description: text(),
            variable,
        }
    }

    #[test]
    fn an_address_is_one_of_its_kind_only_where_the_variable_is_what_it_may_be() {
        let orders = spec("ib://orders", None);
        let quote = spec("ib://quote/{conid}", Some(Variable::Number));
        let positions = spec("ib://positions/{accountId}", Some(Variable::Word));
        let long = format!("ib://quote/{}", "1".repeat(33));
        for (spec, uri, expected) in [
            (&orders, "ib://orders", Some("")),
            (&orders, "ib://orders/", None),
            (&orders, "IB://orders", None),
            (&quote, "ib://quote/265598", Some("265598")),
            (&quote, "ib://quote/", None),
            (&quote, "ib://quote/AAPL", None),
            (&quote, "ib://quote/1/2", None),
            (&quote, "ib://quote/{conid}", None),
            (&quote, &long, None),
            (&positions, "ib://positions/DU1234567", Some("DU1234567")),
            (&positions, "ib://positions/DU1?x=1", None),
            (&positions, "ib://position/DU1", None),
        ] {
            assert_eq!(spec.read(uri), expected, "{uri}");
        }
        assert_eq!(quote.with("7"), "ib://quote/7");
        assert_eq!(orders.with("7"), "ib://orders");
    }
}
