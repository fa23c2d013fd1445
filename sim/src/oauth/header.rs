//! The `Authorization` header, taken apart strictly.

/// The realms there are: that of the demonstration, and everybody else's.
const REALMS: [&str; 2] = ["limited_poa", "test_realm"];

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) realm: String,
    /// All but realm and signature, decoded.
    pub(super) parameters: Vec<(String, String)>,
    pub(super) signature: String,
}

impl Header {
    /// Reads `OAuth realm="…", name="value", …`; an error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let list = text.strip_prefix("OAuth ").ok_or("the scheme is not OAuth")?;
        let (mut realm, mut signature, mut parameters) = (None, None, Vec::new());
        for item in list.split(',') {
            let (name, value) = pair(item.trim())?;
            match name.as_str() {
                "realm" if realm.is_none() => realm = Some(value),
                "oauth_signature" if signature.is_none() => signature = Some(value),
                "realm" | "oauth_signature" => return Err(format!("{name} comes twice")),
                _ if parameters.iter().any(|(known, _)| *known == name) => {
                    return Err(format!("{name} comes twice"));
                }
                _ => parameters.push((name, value)),
            }
        }
        let realm = realm.ok_or("realm is missing")?;
        let signature = signature.ok_or("oauth_signature is missing")?;
        Ok(Self { realm, parameters, signature })
    }

    /// The value of a parameter, or what is said about one that is missing.
    pub(super) fn get(&self, name: &str) -> Result<&str, String> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| format!("{name} is missing"))
    }

    /// Everything is there, nothing else is, and the realm is the consumer's.
    pub(super) fn check(&self, method: &str, more: &[&str]) -> Result<(), String> {
        let common =
            ["oauth_consumer_key", "oauth_nonce", "oauth_signature_method", "oauth_timestamp"];
        for name in common.iter().chain(more) {
            self.get(name)?;
        }
        let is_known =
            |name: &str| common.contains(&name) || more.contains(&name) || name == "oauth_version";
        if let Some((name, _)) = self.parameters.iter().find(|(name, _)| !is_known(name)) {
            return Err(format!("{name} is not known"));
        }
        if self.get("oauth_signature_method")? != method {
            return Err(format!("oauth_signature_method is not {method}"));
        }
        let [usual, demonstration] = REALMS;
        let wanted =
            if self.get("oauth_consumer_key")? == "TESTCONS" { demonstration } else { usual };
        if self.realm == wanted { Ok(()) } else { Err(format!("realm is not {wanted}")) }
    }
}

fn pair(item: &str) -> Result<(String, String), String> {
    let broken = || format!("{item:?} is not name=\"value\"");
    let (name, value) = item.split_once('=').ok_or_else(broken)?;
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).ok_or_else(broken)?;
    Ok((name.to_owned(), decode(value).ok_or_else(broken)?))
}

/// Undoes percent encoding; a plus is a plus.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const GOOD: &str = "OAuth realm=\"limited_poa\", oauth_consumer_key=\"A\", oauth_nonce=\"n\", \
oauth_signature=\"a%2Bb%3D\", oauth_signature_method=\"M\", oauth_timestamp=\"1\"";

    #[test]
    fn a_header_is_taken_apart_and_decoded() {
        let header = Header::parse(GOOD).unwrap();
        assert_eq!((header.signature.as_str(), header.get("oauth_nonce")), ("a+b=", Ok("n")));
        assert_eq!(header.check("M", &[]), Ok(()));
        assert_eq!(header.check("N", &[]), Err("oauth_signature_method is not N".to_owned()));
        assert_eq!(header.check("M", &["oauth_token"]), Err("oauth_token is missing".to_owned()));
    }

    #[test]
    fn what_is_not_exactly_so_is_refused() {
        for (from, to) in [
            ("OAuth ", "Bearer "),
            ("\"n\"", "n"),
            ("realm=\"limited_poa\", ", ""),
            ("oauth_nonce", "oauth_consumer_key"),
            ("%3D", "%3"),
        ] {
            assert!(Header::parse(&GOOD.replace(from, to)).is_err(), "{to}");
        }
        let foreign = Header::parse(&GOOD.replace("limited_poa", "test_realm")).unwrap();
        assert_eq!(foreign.check("M", &[]), Err("realm is not limited_poa".to_owned()));
        let more = Header::parse(&format!("{GOOD}, x=\"y\"")).unwrap();
        assert_eq!(more.check("M", &[]), Err("x is not known".to_owned()));
    }
}
