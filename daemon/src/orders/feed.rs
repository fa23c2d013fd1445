//! The feed: what IBKR pushes about orders and executions while they work. It only brings news sooner than
//! the next look would; nothing is concluded from its silence.

use std::time::Duration;

use ibd_cpapi::orders::OrderRow;
use ibd_cpapi::stream::{OrderDelta, Stream, Topic, Update};
use ibd_cpapi::{Failure, faults};
use ractor::ActorRef;
use tokio::time::Instant;

use super::Msg;
use crate::session::{Lease, SessionHandle};

/// What opening the stream may take.
const OPEN: Duration = Duration::from_secs(20);
/// First pause before it is opened again; doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// Executions are replayed for so many days.
const DAYS: u8 = 1;

/// Follows orders and executions of one session until it is stopped.
pub(super) async fn run(lease: Lease, session: SessionHandle, me: ActorRef<Msg>) {
    let mut pause = FIRST;
    loop {
        let begun = Instant::now();
        match follow(&lease, &session, &me).await {
            Ok(()) => return,
            Err(failure) => tracing::info!(%failure, "the orders feed broke"),
        }
        // What happened meanwhile is seen by a look.
        if me.cast(Msg::FeedBroke).is_err() {
            return;
        }
        if begun.elapsed() > faults::scaled(LONGEST) {
            pause = FIRST;
        }
        tokio::time::sleep(faults::scaled(pause)).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// `Ok`: nobody listens any more.
async fn follow(lease: &Lease, session: &SessionHandle, me: &ActorRef<Msg>) -> Result<(), Failure> {
    let mut stream = Stream::open(lease.client(), Instant::now() + faults::patience(OPEN)).await?;
    stream.subscribe(Topic::Orders).await?;
    stream.subscribe(Topic::Executions { days: DAYS }).await?;
    loop {
        let said = match stream.next().await? {
            Update::Orders(rows) => {
                me.cast(Msg::Pushed(rows.into_iter().map(row).collect(), Vec::new()))
            }
            Update::Executions(fills) => me.cast(Msg::Pushed(Vec::new(), fills)),
            Update::Status { authenticated: Some(false), .. } => {
                session.suspect(lease);
                continue;
            }
            _ => continue,
        };
        if said.is_err() {
            return Ok(());
        }
    }
}

/// A sparse row as a row: what it does not say is not known.
fn row(delta: OrderDelta) -> OrderRow {
    OrderRow {
        order_id: delta.order_id,
        account: delta.account,
        conid: delta.conid,
        ticker: delta.ticker,
        sec_type: delta.sec_type,
        contract: None,
        exchange: None,
        side: delta.side,
        conidex: delta.conidex,
        order_type: delta.order_type,
        quantity: delta.quantity,
        filled: delta.filled,
        remaining: delta.remaining,
        size_and_fills: delta.size_and_fills,
        price: delta.price,
        stop_price: delta.stop_price,
        average_price: delta.average_price,
        status: delta.status,
        order_ccp_status: delta.order_ccp_status,
        tif: delta.tif,
        currency: None,
        order_ref: delta.order_ref,
        parent_id: delta.parent_id,
        oca_group: None,
        cancel_reason: delta.cancel_reason,
        outside_rth: None,
        last_execution: delta.last_execution,
        description: delta.description,
    }
}
