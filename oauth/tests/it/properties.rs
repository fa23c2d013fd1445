//! What must hold for whatever random bytes.

use ibd_oauth::{DhParameters, Exchange, Nonce, Query, Target, base_string};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// With the true prime; that both sides come to one number is tested beside the code, with a small one.
    #[test]
    fn a_challenge_is_a_number_below_the_prime(secret in any::<[u8; 32]>()) {
        prop_assume!(secret != [0; 32]);
        let parameters = DhParameters::group_14();
        let exchange = Exchange::begin(&parameters, &secret);
        let (challenge, prime) = (exchange.challenge(), parameters.to_hex());
        prop_assert!(!challenge.starts_with('0') && challenge.chars().all(|c| c.is_ascii_hexdigit()));
        prop_assert!((challenge.len(), challenge) < (prime.len(), prime.as_str()));
    }

    #[test]
    fn a_nonce_needs_no_encoding(random in any::<[u8; 16]>()) {
        let shown = format!("{:?}", Nonce::from_random(random));
        let text = shown.trim_start_matches("Nonce(\"").trim_end_matches("\")");
        prop_assert_eq!(text.len(), 16);
        prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn the_order_of_parameters_does_not_matter(
        mut pairs in proptest::collection::vec((".{0,6}", ".{0,6}"), 0..8),
    ) {
        let first = base_string("GET", "https://api.ibkr.com/", &pairs);
        pairs.reverse();
        prop_assert_eq!(&first, &base_string("GET", "https://api.ibkr.com/", &pairs));
        prop_assert_eq!(first.matches('&').count(), 2);
    }

    #[test]
    fn any_address_is_split_without_a_panic(address in ".{0,40}") {
        for query in [Query::LeftOut, Query::Merged, Query::InAddress] {
            let _ = Target::new(&address, query);
        }
    }
}
