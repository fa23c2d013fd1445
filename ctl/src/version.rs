//! `ibctl version`: this program's, and the running daemon's.

use ibd_protocol::{BUILD, PROTOCOL};
use serde_json::json;

use crate::daemon::{Fault, running};
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let daemon = running(&context.places).await?.map(|connection| connection.build);
    let text = match &daemon {
        Some(build) => format!("ibctl {BUILD} (protocol {PROTOCOL}), ibd {build} is running"),
        None => format!("ibctl {BUILD} (protocol {PROTOCOL}), ibd is not running"),
    };
    answer(context, &json!({ "ibctl": BUILD, "protocol": PROTOCOL, "ibd": daemon }), &text)?;
    Ok(Ended::Fine)
}
