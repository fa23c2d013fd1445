//! `ibctl version`: this program's, and the running daemon's.

use ibd_protocol::{PROTOCOL, build};
use serde_json::json;

use crate::daemon::{Fault, running};
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let daemon = running(&context.places).await?.map(|connection| connection.build);
    let ours = build();
    let text = match &daemon {
        Some(daemon) => format!("ibctl {ours} (protocol {PROTOCOL}), ibd {daemon} is running"),
        None => format!("ibctl {ours} (protocol {PROTOCOL}), ibd is not running"),
    };
    answer(context, &json!({ "ibctl": ours, "protocol": PROTOCOL, "ibd": daemon }), &text)?;
    Ok(Ended::Fine)
}
