//! The true `ib-mcp` as a client. It would start a daemon where none is; the one beside it says only that
//! somebody else has, and that is so.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ibd_tests::Shim;
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout_at};

use crate::client::{Client, Heard, Truth};
use crate::plan::{Manner, Then};
use crate::rig::{Home, Tools};

/// A shim's call may take 45 seconds, whatever the daemon's clock says.
const MORE: Duration = Duration::from_secs(30);

/// Makes a folder with `ib-mcp` and an `ibd` that leaves it to the campaign to start one.
pub fn install(base: &Path, shim: &Path) -> PathBuf {
    let folder = base.join("programs");
    std::fs::create_dir_all(&folder).unwrap();
    let own = folder.join("ib-mcp");
    std::fs::copy(shim, &own).unwrap();
    let ibd = folder.join("ibd");
    std::fs::write(&ibd, "#!/bin/sh\necho 'BUSY the campaign starts it'\n").unwrap();
    std::fs::set_permissions(&ibd, std::fs::Permissions::from_mode(0o755)).unwrap();
    own
}

/// A client's `ib-mcp` in this home.
pub fn command(tools: &Tools, home: &Home) -> Command {
    home.command(&tools.shim)
}

/// Wants an order through it. `again`: through the next one, where a client starts one anew.
pub async fn want(command: Command, again: Command, client: Client) {
    sleep(Duration::from_millis(client.wish.at)).await;
    match client.wish.manner {
        Manner::Dies(millis) => {
            let until = Instant::now() + Duration::from_millis(millis);
            talk(command, &client, until, "a").await;
        }
        Manner::Blind => {
            let until = Instant::now() + Duration::from_millis(client.wish.quantity * 5);
            talk(command, &client, until, "a").await;
            talk(again, &client, client.deadline + MORE, "b").await;
        }
        _ => talk(command, &client, client.deadline + MORE, "a").await,
    }
}

/// One shim's life, which ends at the latest then, with a kill.
async fn talk(command: Command, client: &Client, until: Instant, key: &str) {
    let mut shim = Shim::spawn(command);
    let talk = async {
        shim.initialize().await;
        let answer = call(&mut shim, client, "place_order", client.arguments(), key).await;
        let id = answer["intentId"].clone();
        let follows = match (client.wish.then, answer["status"].as_str()) {
            (Then::Cancel, Some("placed" | "unknown")) => {
                Some(("cancel_order", json!({ "intentId": id })))
            }
            (Then::Confirm(yes), Some("needs_confirmation")) => {
                let id = answer["confirmation"]["id"].clone();
                Some(("confirm_order", json!({ "confirmationId": id, "accept": yes })))
            }
            _ => None,
        };
        if let Some((tool, arguments)) = follows {
            call(&mut shim, client, tool, arguments, key).await;
        }
    };
    let _ = timeout_at(until, talk).await;
    let _ = shim.child.start_kill();
    let _ = shim.child.wait().await;
}

async fn call(
    shim: &mut Shim,
    client: &Client,
    tool: &'static str,
    arguments: Value,
    key: &str,
) -> Value {
    let mut control = client.control.clone();
    let (before, began) = (control.get("/orders").await, Instant::now());
    let reply = shim.call(tool, arguments.clone()).await;
    let ended = Instant::now();
    let truth = Truth { before, after: control.get("/orders").await, began, ended };
    let key = format!("shim-{}{key}-{tool}", client.wish.number);
    let answer = Some(reply.json.clone());
    let (wish, truth) = (client.wish.number, Some(truth));
    client.log.note(Heard { wish, key, tool, arguments, answer, truth });
    reply.json
}
