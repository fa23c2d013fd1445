//! What libraries and the system say, as a person says it.

/// What stands in their words, in small letters, and what it means; the first that fits counts.
const MEANINGS: &[(&str, &str)] = &[
    ("connection refused", "connection refused"),
    ("connection reset", "the connection was cut off"),
    ("timed out", "no answer in time"),
    ("network is unreachable", "no network"),
    ("no route to host", "no way to that machine"),
    ("dns", "that name is not known"),
    ("failed to lookup", "that name is not known"),
    ("name or service not known", "that name is not known"),
    ("invalidcontenttype", "it does not speak TLS"),
    ("corrupt message", "it does not speak TLS"),
    ("unexpected eof", "the connection was cut off"),
    ("handshake", "TLS failed"),
    ("no such file", "there is no such file"),
    ("permission denied", "permission denied"),
];

/// Why something failed, in plain words. What is plain already stays as it is.
pub fn plain(why: &str) -> String {
    let is_technical = why.contains("os error") || why.contains("(Connect)");
    let small = why.to_lowercase();
    let meaning = MEANINGS.iter().find(|(words, _)| small.contains(words));
    match (is_technical, meaning) {
        (true, Some((_, meaning))) => {
            // What was being done is worth keeping, what the libraries call it is not.
            let doing = why.split(": ").next().unwrap_or_default();
            if doing.contains("(Connect)") || doing.contains("os error") {
                (*meaning).to_owned()
            } else {
                format!("{doing}: {meaning}")
            }
        }
        (true, None) => without_numbers(why),
        (false, _) => why.to_owned(),
    }
}

fn without_numbers(why: &str) -> String {
    let mut text =
        why.replace("client error (Connect): ", "").replace("client error (Connect)", "");
    while let Some(start) = text.find(" (os error ") {
        let end = text[start..].find(')').map_or(text.len(), |length| start + length + 1);
        text.replace_range(start..end, "");
    }
    match text.trim() {
        "" => "it cannot be reached".to_owned(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libraries_say_is_said_plainly() {
        for (why, expected) in [
            (
                "client error (Connect): tcp connect error: Connection refused (os error 111)",
                "connection refused",
            ),
            (
                "client error (Connect): dns error: failed to lookup address",
                "that name is not known",
            ),
            (
                "client error (Connect): received corrupt message of type InvalidContentType",
                "it does not speak TLS",
            ),
            ("client error (Connect)", "it cannot be reached"),
            ("client error (Connect): something new (os error 7)", "something new"),
            (
                "ib-sim cannot be started: No such file or directory (os error 2)",
                "ib-sim cannot be started: there is no such file",
            ),
            ("ib-sim ended (exit status: 1)", "ib-sim ended (exit status: 1)"),
            ("no Java was found", "no Java was found"),
        ] {
            assert_eq!(plain(why), expected, "{why}");
        }
    }
}
