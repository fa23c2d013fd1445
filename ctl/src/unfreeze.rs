//! `ibctl unfreeze`: lets orders through again. The daemon does it, so that the journal knows.

use ibd_protocol::OrdersVerb;

use crate::daemon::Fault;
use crate::talk::{Talk, settle};
use crate::{Context, Ended, terminal};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut talk = Talk::start(context).await?;
    // A list that has troubles of its own tells all the same whether a PIN is wanted.
    let needs_pin = talk.ask(OrdersVerb::List).await?.needs_pin;
    let pin = match (needs_pin, terminal::is_there()) {
        (false, _) => None,
        (true, true) => Some(talk.while_person(terminal::pin).await??),
        (true, false) => return Err(terminal::pin_needs_terminal("unfreeze")),
    };
    let report = talk.act(OrdersVerb::Unfreeze { pin }).await?;
    settle(context, &report, &report)
}
