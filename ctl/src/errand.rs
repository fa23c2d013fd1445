//! A request to the daemon that takes time: its progress is shown, its pages are opened.

use std::time::Duration;

use ibd_protocol::{Connection, RequestId, ToClient, ToDaemon};
use tokio::time::timeout;

use crate::Context;
use crate::daemon::{Fault, present, silent, started};
use crate::page;
use crate::progress::Shown;

/// A conversation in which something is done.
pub(crate) struct Errand {
    connection: Connection,
    /// What the person sees meanwhile.
    pub(crate) shown: Shown,
    /// How long the daemon may say nothing at all.
    silence: Duration,
    next: RequestId,
}

impl Errand {
    /// Finds the daemon, or starts it.
    pub(crate) async fn start(context: &Context, silence: Duration) -> Result<Self, Fault> {
        let connection = started(&context.places).await?;
        Ok(Self { connection, shown: Shown::new(context.json), silence, next: 1 })
    }

    /// Finds the daemon; there must be one.
    pub(crate) async fn present(context: &Context, silence: Duration) -> Result<Self, Fault> {
        let connection = present(&context.places).await?;
        Ok(Self { connection, shown: Shown::new(context.json), silence, next: 1 })
    }

    /// Asks, and waits for the answer that has this question's number. May be dropped and asked anew.
    pub(crate) async fn ask<T>(
        &mut self,
        question: impl FnOnce(RequestId) -> ToDaemon,
        mut pick: impl FnMut(RequestId, ToClient) -> Option<T>,
    ) -> Result<T, Fault> {
        let id = self.next;
        self.next += 1;
        self.connection.outgoing.send(&question(id)).await?;
        loop {
            let heard = timeout(self.silence, self.connection.incoming.next()).await;
            match heard.map_err(|_| silent())?? {
                ToClient::Progress(_, progress) => self.shown.step(progress.into()),
                ToClient::OpenPage(address) => {
                    let opened = page::open(address).await;
                    self.connection.outgoing.send(&ToDaemon::PageOpened(opened)).await?;
                }
                answer => {
                    if let Some(answer) = pick(id, answer) {
                        self.shown.clear();
                        return Ok(answer);
                    }
                }
            }
        }
    }
}
