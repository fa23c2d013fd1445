//! The text that is signed.

use crate::encode::percent;

/// The "signature base string" of RFC 5849 §3.4.1: method, address and parameters, each encoded, the parameters encoded
/// one by one and sorted before. IBKR's own instructions encode the list of parameters only as a whole; for the
/// characters that our parameters have, that is the same, and others are refused where they are read.
///
/// Parameters are given as they are, not encoded. The realm and the signature are none of them.
pub fn base_string(method: &str, address: &str, parameters: &[(String, String)]) -> String {
    let encoded = parameters.iter().map(|(name, value)| (percent(name), percent(value)));
    let mut encoded: Vec<(String, String)> = encoded.collect();
    encoded.sort();
    let list: Vec<String> =
        encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let method = method.to_ascii_uppercase();
    format!("{method}&{}&{}", percent(address), percent(&list.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// RFC 5849 §3.4.1.1, with the parameters of §3.4.1.3.1 decoded.
    #[test]
    fn the_base_string_is_that_of_the_standards_example() {
        let parameters = pairs(&[
            ("b5", "=%3D"),
            ("a3", "a"),
            ("c@", ""),
            ("a2", "r b"),
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ]);
        let expected = "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D\
            %26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26\
            oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7";
        assert_eq!(base_string("post", "http://example.com/request", &parameters), expected);
    }

    #[test]
    fn ibkrs_parameters_are_sorted_by_name() {
        let parameters = pairs(&[
            ("oauth_token", "tok0123456789abcdef"),
            ("oauth_timestamp", "1700000000"),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_nonce", "abcdefgh12345678"),
            ("oauth_consumer_key", "TESTCONS1"),
        ]);
        let address = "https://api.ibkr.com/v1/api/portfolio/accounts";
        let expected = "GET&https%3A%2F%2Fapi.ibkr.com%2Fv1%2Fapi%2Fportfolio%2Faccounts&oauth_consumer_key%3D\
            TESTCONS1%26oauth_nonce%3Dabcdefgh12345678%26oauth_signature_method%3DHMAC-SHA256%26\
            oauth_timestamp%3D1700000000%26oauth_token%3Dtok0123456789abcdef";
        assert_eq!(base_string("GET", address, &parameters), expected);
    }
}
