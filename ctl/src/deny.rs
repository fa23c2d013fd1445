//! `ibctl deny`: declines an order that waits. No is always safe, so it is not asked about.

use ibd_protocol::OrdersVerb;

use crate::daemon::Fault;
use crate::talk::{Talk, settle};
use crate::{Context, Ended};

pub(crate) async fn run(context: &Context, id: &str) -> Result<Ended, Fault> {
    let mut talk = Talk::present(context).await?;
    let report = talk.act(OrdersVerb::Deny(id.to_owned())).await?;
    settle(context, &report, &report)
}
