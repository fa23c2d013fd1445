//! The difference of two texts as a person may see it: whatever is secret by its value or by its name is hidden, also that
//! of other servers beside ours.

use similar::TextDiff;

const HIDDEN: &str = "(secret)";

/// Parts of names whose values are hidden.
const TELLING: &[&str] =
    &["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "API_KEY", "AUTHORIZATION", "CREDENTIAL"];

/// The unified difference of a text before and after; empty if there is none.
pub(crate) fn diff(file: &str, (before, after): (&str, &str), secrets: &[String]) -> String {
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(file, file).to_string();
    let lines: Vec<String> = text.lines().map(|line| hide(line, secrets)).collect();
    lines.join("\n")
}

fn hide(line: &str, secrets: &[String]) -> String {
    let mut shown = hide_by_name(line);
    for secret in secrets {
        let escaped = secret.replace('\\', "\\\\").replace('"', "\\\"");
        for (found, hidden) in [
            (format!("\"{escaped}\""), format!("\"{HIDDEN}\"")),
            (format!("'{secret}'"), format!("'{HIDDEN}'")),
            (format!("={escaped}\""), format!("={HIDDEN}\"")),
            (format!("={secret}'"), format!("={HIDDEN}'")),
        ] {
            shown = shown.replace(&found, &hidden);
        }
    }
    shown
}

/// Hides the text after each `"NAME":` and `NAME =` whose name tells.
fn hide_by_name(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    let mut last = "";
    while let Some((before, text, after)) = next_text(rest) {
        let name = before.trim_end().strip_suffix([':', '=']).map(|named| {
            let bare = named.trim_end().rsplit([' ', '\t', '{', ',', '.']).next();
            bare.filter(|bare| !bare.is_empty()).unwrap_or(last)
        });
        shown.push_str(before);
        let quote = &text[..1];
        match name.filter(|name| tells(name)) {
            Some(_) => shown.extend([quote, HIDDEN, quote]),
            None => shown.push_str(text),
        }
        last = text;
        rest = after;
    }
    shown + rest
}

fn tells(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    TELLING.iter().any(|part| name.contains(part))
}

/// The next text in quotes, with what stands before and after it. `None`: there is none that ends on this line.
fn next_text(line: &str) -> Option<(&str, &str, &str)> {
    let start = line.find(['"', '\''])?;
    let quote = line[start..].chars().next()?;
    let mut is_escaped = false;
    let end = line[start + 1..].find(|c| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && quote == '"' && !is_escaped;
        ends
    })?;
    let end = start + 1 + end + 1;
    Some((&line[..start], &line[start..end], &line[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_whose_name_tells_is_hidden_in_every_form() {
        for (line, expected) in [
            (r#"+  "IB_PASSWORD_AUTH": "x","#, r#"+  "IB_PASSWORD_AUTH": "(secret)","#),
            (
                r#" {"env":{"GITHUB_TOKEN":"a\"b","A":"c"}}"#,
                r#" {"env":{"GITHUB_TOKEN":"(secret)","A":"c"}}"#,
            ),
            ("-IB_TOTP_SECRET = 'x' # y", "-IB_TOTP_SECRET = '(secret)' # y"),
            (
                r#"+env = { IB_FLEX_TOKEN = "x", IB_ACCOUNT = "DU1" }"#,
                r#"+env = { IB_FLEX_TOKEN = "(secret)", IB_ACCOUNT = "DU1" }"#,
            ),
            (r#"+env.IB_FLEX_TOKEN = "x""#, r#"+env.IB_FLEX_TOKEN = "(secret)""#),
            (
                r#" "headers": {"Authorization": "Bearer x"}"#,
                r#" "headers": {"Authorization": "(secret)"}"#,
            ),
            (r#" "command": "/token/ib-mcp""#, r#" "command": "/token/ib-mcp""#),
            (" // don't look", " // don't look"),
        ] {
            assert_eq!(hide(line, &[]), expected);
        }
    }

    #[test]
    fn a_secret_among_the_arguments_is_hidden_by_its_value() {
        let secrets = ["a\"b".to_owned()];
        for (line, expected) in [
            (r#"   "a\"b","#, r#"   "(secret)","#),
            (r#"   "--ib-password=a\"b""#, r#"   "--ib-password=(secret)""#),
            (r#"   'a"b'"#, "   '(secret)'"),
        ] {
            assert_eq!(hide(line, &secrets), expected);
        }
    }

    #[test]
    fn what_is_the_same_has_no_difference_and_a_new_file_is_all_new() {
        assert_eq!(diff("f", ("a\n", "a\n"), &[]), "");
        assert_eq!(diff("f", ("", "a\n"), &[]), "--- f\n+++ f\n@@ -0,0 +1 @@\n+a");
    }
}
