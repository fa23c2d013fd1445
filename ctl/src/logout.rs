//! `ibctl logout`: ends the login at the broker and says only what was verified.

use ibd_protocol::{ToClient, ToDaemon};

use crate::daemon::{Fault, ask_patiently, present};
use crate::{Context, Ended, answer};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut connection = present(&context.places).await.map_err(|fault| match fault.code {
        // The gateway may run on without it, with the login.
        3 => Fault {
            hint: "A gateway that was started from here may run on with its login: `ibctl gateway stop` ends both."
                .to_owned(),
            ..fault
        },
        _ => fault,
    })?;
    let report = ask_patiently(&mut connection, &ToDaemon::Logout(1), |answer| match answer {
        ToClient::LoggedOut(_, report) => Some(report),
        _ => None,
    })
    .await?;
    if report.logged_out {
        answer(context, &report, &report.text)?;
        Ok(Ended::Fine)
    } else {
        Err(Fault::new(report.text, "`ibctl status` shows how the session stands."))
    }
}
