//! Documents that speak of the code are held against it.

use std::path::Path;

use ibd_protocol::settings::SETTINGS;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()))
}

/// Writes or compares a generated document.
fn hold(path: &str, text: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&full, text).unwrap();
    }
    assert!(read(path) == text, "{path} is out of date: run `make bless`");
}

#[test]
fn every_setting_is_documented() {
    let text = read("docs/configuration.md");
    for setting in SETTINGS {
        assert!(text.contains(&format!("`{}`", setting.name)), "{} is missing", setting.name);
    }
}

#[test]
fn the_tools_are_documented_from_the_code() {
    let mut text = String::from(
        "# Tools\n\nWritten by a test from the code (`make bless`).\n\nEvery result is one JSON object, \
         as `structuredContent` and again as text. A value that is absent is not known; it is never \
         zero. Numbers are exact decimals of at most 15 significant digits.\n",
    );
    for tool in ibd_protocol::catalogue::golden() {
        text.push_str(&format!("\n## {}\n\n{}\n\n{}\n\n", tool.name, tool.title, tool.description));
        text.push_str(&fields("Arguments", &tool.input_schema));
        text.push_str(&fields("Result", &tool.output_schema));
    }
    text.push_str(&errors());
    hold("docs/tools.md", &text);
}

fn fields(title: &str, schema: &str) -> String {
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    if properties.is_empty() {
        return format!("{title}: none.\n\n");
    }
    let mut text = format!("{title}:\n\n");
    for (name, field) in properties {
        let about = field["description"].as_str().unwrap_or_default();
        text.push_str(&format!("- `{name}`: {about}\n"));
    }
    text + "\n"
}

/// The texts of all sources in a folder, without tests.
fn sources(folder: &str) -> Vec<String> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(folder)];
    let mut texts = Vec::new();
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if !path.ends_with("tests.rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// The codes of errors, found in the sources.
fn errors() -> String {
    let mut codes = std::collections::BTreeSet::new();
    for text in ["daemon/src", "shim/src"].into_iter().flat_map(sources) {
        collect(&text, &mut codes);
    }
    let mut text = String::from(
        "\n## Errors\n\nAn error is a result with `isError`, whose text is one JSON object: `error` (one \
         of these codes), `message`, `next` (what to do), and where they apply `field`, `retryAt` and \
         `candidates`.\n\n",
    );
    for code in codes {
        text.push_str(&format!("- `{code}`\n"));
    }
    text + &reasons()
}

/// The codes of reasons for which an order is not placed, or is otherwise than it looks, found in the sources.
fn reasons() -> String {
    let mut codes = std::collections::BTreeSet::new();
    for text in sources("daemon/src/orders") {
        let code = text.split("#[cfg(test)]").next().unwrap();
        // A denial whose code is decided elsewhere in its function.
        for function in
            code.split("\nfn ").filter(|one| one.contains("Denial::new(\n            code"))
        {
            codes.extend(words(function).filter(|word| word.contains("_on_wrong_side")));
        }
        for rest in code.split("Denial::new(").skip(1) {
            let first = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            codes.extend(first.map(str::to_owned));
        }
    }
    for text in sources("daemon/src/tools") {
        let reason = text.split("\nfn reason(").nth(1).and_then(|rest| rest.split("\n}\n").next());
        codes.extend(reason.into_iter().flat_map(words));
        let named = text.split("code: \"").skip(1).filter_map(|rest| rest.split('"').next());
        codes.extend(named.map(str::to_owned));
    }
    let mut text = String::from(
        "\n## Reasons\n\nAn order's result whose `status` is `not_placed` or `unknown`, and one that is `placed` \
         otherwise than it looks, has a `reason` with one of these codes, a `message`, and the `setting` that says \
         so.\n\n",
    );
    for code in codes {
        text.push_str(&format!("- `{code}`\n"));
    }
    text
}

/// The texts in a piece of code that are a code: small letters and `_`.
fn words(code: &str) -> impl Iterator<Item = String> + '_ {
    let texts = code.split('"').skip(1).step_by(2);
    let is_code =
        |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    texts.filter(is_code).map(str::to_owned)
}

fn collect(text: &str, codes: &mut std::collections::BTreeSet<String>) {
    let code = text.split("#[cfg(test)]").next().unwrap();
    for start in ["Refusal::new(", "Failure::new(", "Self::new(", "own_refusal("] {
        for rest in code.split(start).skip(1) {
            let first = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            let is_code = |c: &str| {
                c.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                    && c.contains('_')
            };
            codes.extend(
                first
                    .filter(|c| is_code(c) || matches!(*c, "internal" | "timeout" | "cancelled"))
                    .map(str::to_owned),
            );
        }
    }
    for state in [
        "gateway_down",
        "not_logged_in",
        "competing_session",
        "broker_maintenance",
        "broker_unreachable",
        "gateway_hung",
        "rate_limited",
        "wait_2fa",
        "lockout_guard",
        "browser_missing",
        "wrong_credentials",
        "wrong_mode",
        "code_refused",
        "approval_missing",
        "login_timeout",
        "login_page_changed",
        "login_failed",
        "login_not_seen",
        "login_cancelled",
        "mode_unverified",
        "gateway_not_trusted",
        "gateway_not_installed",
        "session_opening",
        "bad_configuration",
        "invalid_argument",
    ] {
        if code.contains(&format!("\"{state}\"")) {
            codes.insert(state.to_owned());
        }
    }
}
