//! Documents that speak of the code are held against it.

use std::path::Path;

use ibd_protocol::settings::SETTINGS;
use ibd_protocol::{ErrorCode, ReasonCode};

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
fn every_resource_is_documented() {
    let text = read("README.md");
    for resource in ibd_protocol::catalogue::resources() {
        assert!(text.contains(&format!("`{}`", resource.uri)), "{} is missing", resource.uri);
    }
}

#[test]
fn the_tools_are_documented_from_the_code() {
    let mut text = String::from(
        "# Tools\n\nWritten by a test from the code (`make bless`).\n\nEvery result is one JSON object, \
         as `structuredContent` and again as text. A value that is absent is not known; it is never \
         zero. Numbers are exact decimals of at most 15 significant digits.\n",
    );
    for one in ibd_protocol::catalogue::listed() {
        let (set, tool) = (one.set, &one.spec);
        text.push_str(&format!("\n## {}\n\n{}\n\n{}\n\n", tool.name, tool.title, tool.description));
        text.push_str(&format!("Toolset: {set}.\n\n"));
        text.push_str(&fields("Arguments", &tool.input_schema));
        text.push_str(&fields("Result", &tool.output_schema));
    }
    text.push_str(&prompts());
    text.push_str(&errors());
    hold("docs/tools.md", &text);
}

/// What a person picks in a client's menu.
fn prompts() -> String {
    let mut text = String::from(
        "\n## Prompts\n\nA client that sees the tools that a prompt needs has it in its menu; lines about tools that \
         it does not see are left out.\n\n",
    );
    for prompt in ibd_protocol::prompts::golden() {
        text.push_str(&format!("- `{}` ({}): {}\n", prompt.name, prompt.title, prompt.about));
        for argument in &prompt.arguments {
            let needed = if argument.required { ", needed" } else { "" };
            text.push_str(&format!("  - `{}`{needed}: {}\n", argument.name, argument.about));
        }
    }
    text
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

/// The codes of errors.
fn errors() -> String {
    let mut text = String::from(
        "\n## Errors\n\nAn error is a result with `isError`, whose text is one JSON object: `error` (one \
         of these codes), `message`, `next` (what to do), and where they apply `field`, `retryAt` and \
         `candidates`.\n\n",
    );
    for code in ErrorCode::ALL {
        text.push_str(&format!("- `{code}`: {}\n", code.meaning()));
    }
    text + &reasons()
}

/// The codes of reasons for which an order is not placed, or is otherwise than it looks.
fn reasons() -> String {
    let mut text = String::from(
        "\n## Reasons\n\nAn order's result whose `status` is `not_placed` or `unknown`, and one that is `placed` \
         otherwise than it looks, has a `reason` with one of these codes, a `message`, and the `setting` that says \
         so.\n\n",
    );
    for code in ReasonCode::ALL {
        text.push_str(&format!("- `{code}`: {}\n", code.meaning()));
    }
    text
}
