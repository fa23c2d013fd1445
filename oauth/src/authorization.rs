//! The `Authorization` header of a signed request.

use zeroize::Zeroizing;

use crate::encode::percent;
use crate::names::{AccessToken, ConsumerKey};
use crate::nonce::Stamp;

/// A header's value. Whoever reads it could send this one request for a few minutes, so it cannot be printed.
#[derive(Clone)]
pub struct Authorization(Zeroizing<String>);

impl Authorization {
    /// Realm first, then all parameters by name, encoded, in quotes.
    pub(crate) fn new(realm: &str, parameters: &[(String, String)]) -> Self {
        let mut sorted: Vec<&(String, String)> = parameters.iter().collect();
        sorted.sort();
        let quoted = |(name, value): &(String, String)| format!(", {name}=\"{}\"", percent(value));
        let list: String = sorted.into_iter().map(quoted).collect();
        Self(Zeroizing::new(format!("OAuth realm=\"{realm}\"{list}")))
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authorization(…)")
    }
}

/// Who we are at IBKR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) consumer: ConsumerKey,
    pub(crate) token: AccessToken,
}

impl Identity {
    /// The parameters that every signed request has.
    pub(crate) fn parameters(&self, method: &str, stamp: Stamp) -> Vec<(String, String)> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        vec![
            pair("oauth_consumer_key", self.consumer.as_str().to_owned()),
            pair("oauth_nonce", stamp.nonce.into_text()),
            pair("oauth_signature_method", method.to_owned()),
            pair("oauth_timestamp", stamp.seconds.to_string()),
            pair("oauth_token", self.token.expose().to_owned()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_realm_first_and_the_rest_by_name_and_encoded() {
        let pairs = [("oauth_token", "t"), ("oauth_signature", "a+b/c="), ("diffie", "8")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let header = Authorization::new("limited_poa", &pairs);
        let expected = "OAuth realm=\"limited_poa\", diffie=\"8\", oauth_signature=\"a%2Bb%2Fc%3D\", oauth_token=\"t\"";
        assert_eq!(header.expose(), expected);
        assert_eq!(format!("{header:?}"), "Authorization(…)");
    }
}
