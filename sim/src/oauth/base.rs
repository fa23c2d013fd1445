//! The texts that a client may have signed. The broker is known to accept several, and no other.

/// What was called.
#[derive(Debug)]
pub(super) struct Called<'a> {
    pub(super) method: &'a str,
    /// Scheme and host, in each way in which the client may have named us.
    pub(super) origins: &'a [String],
    pub(super) path: &'a str,
    /// As it came, encoded.
    pub(super) query: &'a str,
}

/// All of them. With a query there are four for each origin: it is left out, it is part of the address, or its
/// parameters are among the others, encoded one by one (RFC 5849) or only as a whole.
pub(super) fn all(called: &Called<'_>, parameters: &[(String, String)]) -> Vec<String> {
    let mut texts = Vec::new();
    for origin in called.origins {
        let bare = format!("{origin}{}", called.path);
        texts.push(text(called.method, &bare, &whole(parameters)));
        if called.query.is_empty() {
            continue;
        }
        texts.push(text(called.method, &format!("{bare}?{}", called.query), &whole(parameters)));
        let mut merged = parameters.to_vec();
        merged.extend(form_urlencoded::parse(called.query.as_bytes()).into_owned());
        texts.push(text(called.method, &bare, &one_by_one(&merged)));
        texts.push(text(called.method, &bare, &whole(&merged)));
    }
    texts
}

fn text(method: &str, address: &str, list: &str) -> String {
    format!("{}&{}&{}", method.to_ascii_uppercase(), encode(address, "%20"), list)
}

/// `k=v&k=v`, encoded once, a blank as a plus.
fn whole(parameters: &[(String, String)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort();
    encode(&join(&sorted), "+")
}

/// Each encoded, sorted, and the list encoded once more.
fn one_by_one(parameters: &[(String, String)]) -> String {
    let encoded =
        parameters.iter().map(|(name, value)| (encode(name, "%20"), encode(value, "%20")));
    let mut sorted: Vec<(String, String)> = encoded.collect();
    sorted.sort();
    encode(&join(&sorted), "%20")
}

fn join(parameters: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encode(text: &str, blank: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push_str(blank),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn four_texts_for_a_query_and_one_without() {
        let origins = ["https://a".to_owned()];
        let parameters = [("o".to_owned(), "1".to_owned())];
        let called = |query| Called { method: "get", origins: &origins, path: "/p", query };
        assert_eq!(all(&called(""), &parameters), ["GET&https%3A%2F%2Fa%2Fp&o%3D1"]);
        let expected = [
            "GET&https%3A%2F%2Fa%2Fp&o%3D1",
            "GET&https%3A%2F%2Fa%2Fp%3Fb%3Dx%252Cy%2Bz&o%3D1",
            "GET&https%3A%2F%2Fa%2Fp&b%3Dx%252Cy%2520z%26o%3D1",
            "GET&https%3A%2F%2Fa%2Fp&b%3Dx%2Cy+z%26o%3D1",
        ];
        assert_eq!(all(&called("b=x%2Cy+z"), &parameters), expected);
    }
}
