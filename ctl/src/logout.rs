//! `ibctl logout`: ends the login at the broker and says only what was verified.

use ibd_protocol::{ToClient, ToDaemon};

use crate::daemon::{Fault, ask_patiently, started};
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut connection = started(&context.places).await?;
    let report = ask_patiently(&mut connection, &ToDaemon::Logout(1), |answer| match answer {
        ToClient::LoggedOut(_, report) => Some(report),
        _ => None,
    })
    .await?;
    match report.logged_out {
        true => {
            answer(context, &report, &report.text)?;
            Ok(Ended::Fine)
        }
        false => Err(Fault::new(report.text, "`ibctl status` shows how the session stands.")),
    }
}
