//! What a person does at IBKR, step by step.

use ibd_protocol::KeyFiles;

/// Where keys are registered.
pub(super) const PAGE: &str = "https://ndcdyn.interactivebrokers.com/sso/Login?action=OAUTH";

/// All steps, from the login at IBKR's page to the first session.
pub(super) fn all(files: &KeyFiles) -> Vec<String> {
    let public = |path| KeyFiles::public(path).display().to_string();
    vec![
        format!(
            "Log in at {PAGE} as the user whose account ibd shall work with. A paper user and a live user have keys of \
             their own; make a profile for each (IB_PROFILE)."
        ),
        "Choose a consumer key there: nine capital letters or digits.".to_owned(),
        format!("Upload as public signing key:    {}", public(&files.signing)),
        format!("Upload as public encryption key: {}", public(&files.encryption)),
        format!("Upload as Diffie-Hellman parameters: {}", files.dh.display()),
        "Let IBKR make an access token. It shows the token and its secret, the secret only once: `ibctl oauth set` \
         takes both, and the consumer key."
            .to_owned(),
        "Put `gateway = \"direct\"` into config.toml (or set IB_GATEWAY=direct), then `ibctl restart`.".to_owned(),
        "Wait. Keys are in force after IBKR's next nightly reset: a working day as a rule, at times two weeks. Until \
         then IBKR answers `invalid consumer`; ibd asks again by itself, and `ibctl oauth test` asks at once."
            .to_owned(),
    ]
}

/// With their numbers, a line each.
pub(super) fn numbered(steps: &[String]) -> String {
    let lines = steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_uploaded_is_never_a_private_key() {
        let files = KeyFiles {
            signing: "/s/private_signature.pem".into(),
            encryption: "/s/private_encryption.pem".into(),
            dh: "/s/dhparam.pem".into(),
        };
        let text = numbered(&all(&files));
        assert!(
            text.contains("/s/public_signature.pem") && text.contains("/s/public_encryption.pem")
        );
        assert!(!text.contains("/s/private"), "{text}");
        assert!(text.contains(PAGE) && text.lines().count() == 8);
    }
}
