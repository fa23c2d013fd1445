//! `ibctl clients`: who is connected now, and what each may do.

use ibd_protocol::{ClientStatus, Status, ToClient, ToDaemon};
use serde_json::json;

use crate::daemon::{Fault, ask, present};
use crate::{Context, Ended, answer, columns};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut connection = present(&context.places).await?;
    let status: Status = ask(&mut connection, &ToDaemon::Status(1), |answer| match answer {
        ToClient::Status(_, status) => Some(*status),
        _ => None,
    })
    .await?;
    answer(context, &json!({ "clients": status.clients }), &text(&status.clients))?;
    Ok(Ended::Fine)
}

fn text(clients: &[ClientStatus]) -> String {
    if clients.is_empty() {
        return "No client is connected.".to_owned();
    }
    let rows: Vec<[String; 3]> = clients.iter().map(row).collect();
    columns::lines(["CLIENT", "MAY", "CALLS"], &rows).join("\n")
}

fn row(client: &ClientStatus) -> [String; 3] {
    let may = if client.read_only { "read only" } else { "read and trade" };
    [name(client), may.to_owned(), client.calls.to_string()]
}

/// Its own word for itself.
pub(crate) fn name(client: &ClientStatus) -> String {
    if client.name.is_empty() { "(unnamed)".to_owned() } else { client.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_is_a_line_that_says_what_it_may() {
        let client =
            |name: &str, read_only, calls| ClientStatus { name: name.into(), read_only, calls };
        let told = text(&[client("claude-code", false, 12), client("", true, 0)]);
        let expected = "CLIENT       MAY             CALLS\n\
            claude-code  read and trade  12\n\
            (unnamed)    read only       0";
        assert_eq!(told, expected);
        assert_eq!(text(&[]), "No client is connected.");
    }
}
