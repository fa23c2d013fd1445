//! A real MCP conversation with a simulated account: the official Rust SDK as the client, `ib-mcp`
//! over stdio, `ibd`, and `ib-sim` in the place of IBKR.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use ibd_tests::world::binary;
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};
use tokio::process::Command;

/// The demo has a daemon of its own, so that it never meets a real account's.
const PROFILE: &str = "demo";
/// Rows and characters of an answer that are shown.
const ROWS: usize = 6;
const WIDTH: usize = 110;

type Client = RunningService<RoleClient, ()>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let shim = binary("ib-mcp");
    let mut command = Command::new(&shim);
    command.env("IB_GATEWAY", "simulator").env("IB_PROFILE", PROFILE).env("IB_LOG", "error");
    let client = ().serve(TokioChildProcess::new(command)?).await?;

    let tools = client.list_all_tools().await?;
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    println!("\nA client (the official Rust SDK) has launched ib-mcp over stdio.");
    println!("It lists {} tools: {}\n", names.len(), names.join(", "));

    ask(&client, "Am I connected to my account?", "get_session_status", json!({})).await?;
    ask(&client, "What is my P&L, and how much cash do I have?", "get_account_info", json!({}))
        .await?;
    ask(&client, "What do I hold?", "get_positions", json!({ "limit": 50 })).await?;
    let symbols = json!({ "symbols": ["AAPL", "SAP", "7203", "EUR.USD"] });
    ask(&client, "Where do Apple, SAP, Toyota and the euro stand?", "get_market_data", symbols)
        .await?;
    ask(&client, "Is my stop still working?", "get_live_orders", json!({})).await?;
    let ambiguous = json!({ "symbol": "SAN" });
    ask(&client, "And SAN? (two companies have that symbol)", "get_market_data", ambiguous).await?;

    client.cancel().await?;
    // The simulated account ends with its daemon; a client that uses it starts it again.
    Command::new(binary("ibctl")).args(["stop", "--profile", PROFILE]).output().await?;
    print_configuration(&shim);
    Ok(())
}

async fn ask(
    client: &Client,
    question: &str,
    tool: &'static str,
    arguments: Value,
) -> Result<(), Box<dyn Error>> {
    println!("── {question}");
    println!("   {tool} {arguments}");
    let mut request = CallToolRequestParams::new(tool);
    request.arguments = arguments.as_object().cloned();
    let result = client.call_tool(request).await?;
    let text =
        result.content.first().and_then(|block| block.as_text()).map_or("", |text| &text.text);
    let answer: Value = serde_json::from_str(text)?;
    if result.is_error == Some(true) {
        println!("   (an error, which says what to do)");
    }
    for line in readable(&answer, 0).iter().flat_map(|line| wrapped(line)) {
        println!("   {line}");
    }
    println!();
    Ok(())
}

/// A long line cut between words; what follows is set in deeper.
fn wrapped(line: &str) -> Vec<String> {
    let indent = line.len() - line.trim_start().len();
    let mut lines = vec![" ".repeat(indent)];
    for word in line.trim_start().split_inclusive(", ") {
        let last = lines.len() - 1;
        if lines[last].len() + word.trim_end().len() > WIDTH && !lines[last].trim().is_empty() {
            lines.push(" ".repeat(indent + 4));
        }
        let last = lines.len() - 1;
        lines[last].push_str(word);
    }
    lines
}

/// An answer as lines: tables as tables, the rest as `name: value`.
fn readable(value: &Value, depth: usize) -> Vec<String> {
    let Some(object) = value.as_object() else { return vec![value.to_string()] };
    let indent = "  ".repeat(depth);
    let mut lines = Vec::new();
    if let (Some(cols), Some(rows)) = (object.get("cols"), object.get("rows")) {
        lines.extend(table(cols, rows));
    }
    for (name, value) in object.iter().filter(|(name, _)| !matches!(name.as_str(), "cols" | "rows"))
    {
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                lines.push(format!("{indent}{name}:"));
                lines.extend(
                    items.iter().take(ROWS).map(|item| format!("{indent}  {}", on_one_line(item))),
                );
                if items.len() > ROWS {
                    lines.push(format!("{indent}  … and {} more", items.len() - ROWS));
                }
            }
            Value::String(text) => lines.push(format!("{indent}{name}: {text}")),
            other => lines.push(format!("{indent}{name}: {other}")),
        }
    }
    lines
}

fn on_one_line(item: &Value) -> String {
    let Some(object) = item.as_object() else { return item.to_string() };
    let fields =
        object.iter().filter(|(_, value)| !value.is_array()).map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        });
    fields.collect::<Vec<_>>().join(", ")
}

fn table(cols: &Value, rows: &Value) -> Vec<String> {
    let empty = Vec::new();
    let (cols, rows) = (cols.as_array().unwrap_or(&empty), rows.as_array().unwrap_or(&empty));
    let cell = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let line = |row: &[Value]| {
        let cells = row.iter().enumerate().map(|(n, value)| {
            let width = if n == 0 { 26 } else { 11 };
            format!("{:<width$.width$}", cell(value))
        });
        cells.collect::<Vec<_>>().join(" ").trim_end().to_owned()
    };
    let mut lines = vec![line(cols)];
    lines.extend(rows.iter().take(ROWS).filter_map(Value::as_array).map(|row| line(row)));
    if rows.len() > ROWS {
        lines.push(format!("… and {} more", rows.len() - ROWS));
    }
    lines
}

fn print_configuration(shim: &Path) {
    let shim = shim.display();
    let server = json!({
        "command": shim.to_string(),
        "env": { "IB_GATEWAY": "simulator", "IB_PROFILE": PROFILE },
    });
    println!("To use the same simulated account from your client:\n");
    println!("Claude Code:");
    println!(
        "  claude mcp add -s user -e IB_GATEWAY=simulator -e IB_PROFILE={PROFILE} ib-demo -- {shim}\n"
    );
    println!("Claude Desktop (claude_desktop_config.json) and Cursor (~/.cursor/mcp.json):");
    println!("  {}\n", json!({ "mcpServers": { "ib-demo": server } }));
    println!("VS Code (.vscode/mcp.json):");
    let mut stdio = server;
    stdio["type"] = json!("stdio");
    println!("  {}\n", json!({ "servers": { "ib-demo": stdio } }));
    println!(
        "With IB_GATEWAY_PORT=5000 in the place of both variables it works with the Client Portal"
    );
    println!("Gateway that you run yourself. README.md tells more.");
}
