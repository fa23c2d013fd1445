//! `confirm_order`: answers what IBKR asks about an order, or declines what waits for a person.

use ibd_protocol::{Effect, Toolset};
use schemars::JsonSchema;
use serde::Deserialize;

use super::args;
use super::order_flow;
use super::order_out::{Out, answer};
use super::{Ctx, Tool};
use crate::orders::Answerer;
use crate::refusal::Refusal;

/// What is answered, and how.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// confirmation.id of the order's result.
    #[serde(deserialize_with = "args::text")]
    confirmation_id: Option<String>,
    /// true: yes to the questions. false: no, and nothing is sent.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    accept: Option<bool>,
    /// The same as confirmationId; accept is true then.
    #[serde(deserialize_with = "args::text")]
    reply_id: Option<String>,
    /// Need not be said.
    #[serde(deserialize_with = "args::texts")]
    message_ids: Option<Vec<String>>,
}

/// The tool.
#[derive(Debug)]
pub struct ConfirmOrder;

impl Tool for ConfirmOrder {
    const NAME: &'static str = "confirm_order";
    const TITLE: &'static str = "Answer an order's questions";
    const ABOUT: &'static str = "Answer an order whose result was needs_confirmation: accept true says \
        yes to IBKR's questions and sends it once, accept false drops it. Tell the user first what the \
        questions say. Where confirmation.by is person, only the user can say yes (`ibctl approve`).";
    const EFFECT: Effect = Effect::Trades;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str = r#"{"confirmationId":"7F3K9","accept":true}"#;
    const ANSWER: usize = 800;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let (name, accept) = args.read()?;
        let client = match ctx.who.client.as_str() {
            "" => "a client".to_owned(),
            client => client.to_owned(),
        };
        if accept {
            // What this client may not place it may not confirm either.
            ctx.lease().await?;
        }
        let orders = &ctx.desks.orders;
        let id = orders.decide(&name, accept, Answerer::Client(client)).await?;
        let intent = orders.settled(id, order_flow::soon(&ctx)).await?;
        answer(&ctx, &intent).await
    }
}

impl Args {
    fn read(self) -> Result<(String, bool), Refusal> {
        let is_original = self.reply_id.is_some();
        let _ = self.message_ids;
        let name = self.confirmation_id.or(self.reply_id).ok_or_else(|| {
            Refusal::argument(
                "confirmationId",
                "confirmationId is missing.",
                "Take confirmation.id from the order's result.",
            )
        })?;
        match self.accept {
            Some(accept) => Ok((name, accept)),
            None if is_original => Ok((name, true)),
            None => Err(Refusal::argument("accept", "accept is missing.", "Say true or false.")),
        }
    }
}
