//! A conversation with the daemon about orders: what there is, and what is done about it.

use std::convert::Infallible;

use ibd_protocol::{Connection, OrdersReport, OrdersVerb, RequestId, ToClient, ToDaemon};
use serde::Serialize;

use crate::daemon::{Fault, ask_patiently, present, started};
use crate::terminal::plain;
use crate::{Context, Ended, answer};

/// The conversation.
pub(crate) struct Talk {
    connection: Connection,
    next: RequestId,
}

impl Talk {
    /// Finds the daemon, or starts it.
    pub(crate) async fn start(context: &Context) -> Result<Self, Fault> {
        Ok(Self { connection: started(&context.places).await?, next: 1 })
    }

    /// Finds the daemon; there must be one.
    pub(crate) async fn present(context: &Context) -> Result<Self, Fault> {
        Ok(Self { connection: present(&context.places).await?, next: 1 })
    }

    /// Looks at something.
    pub(crate) async fn look(&mut self, verb: OrdersVerb) -> Result<OrdersReport, Fault> {
        let report = self.ask(verb).await?;
        if report.ok { Ok(report) } else { Err(refused(&report)) }
    }

    /// Does something. Without an answer it is not known whether it was done.
    pub(crate) async fn act(&mut self, verb: OrdersVerb) -> Result<OrdersReport, Fault> {
        self.ask(verb).await.map_err(|fault| {
            Fault::new(
                format!("{}; whether it was done is not known", fault.text),
                "`ibctl orders` shows how it stands.",
            )
        })
    }

    /// Lets a person think, and hears meanwhile what the daemon says: its socket must not fill up.
    pub(crate) async fn while_person<T: Send + 'static>(
        &mut self,
        answers: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let hears = async {
            while self.connection.incoming.next().await.is_ok() {}
            // That it has gone is noticed once there is something to say.
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answered = tokio::task::spawn_blocking(answers) => {
                answered.map_err(|error| Fault::new(error.to_string(), ""))
            }
            never = hears => match never {},
        }
    }

    /// Asks, and takes a no for an answer.
    pub(crate) async fn ask(&mut self, verb: OrdersVerb) -> Result<OrdersReport, Fault> {
        let id = self.next;
        self.next += 1;
        let question = ToDaemon::Orders(id, verb);
        ask_patiently(&mut self.connection, &question, |answer| match answer {
            ToClient::Orders(of, report) if of == id => Some(*report),
            _ => None,
        })
        .await
    }
}

/// The daemon's no.
pub(crate) fn refused(report: &OrdersReport) -> Fault {
    Fault::new(plain(&report.text), plain(&report.hint)).with(report)
}

/// Says what came of it. `json` is the report, and what belongs to it.
pub(crate) fn settle(
    context: &Context,
    report: &OrdersReport,
    json: &impl Serialize,
) -> Result<Ended, Fault> {
    if !report.ok {
        return Err(refused(report).with(json));
    }
    answer(context, json, &text(report))?;
    Ok(Ended::Fine)
}

/// The report's sentence, and what to do.
pub(crate) fn text(report: &OrdersReport) -> String {
    let parts = [&report.text, &report.hint].into_iter().filter(|part| !part.is_empty());
    parts.map(|part| plain(part)).collect::<Vec<_>>().join("\n")
}
