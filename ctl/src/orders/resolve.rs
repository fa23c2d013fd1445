//! `ibctl orders resolve`: a person who has looked at the broker's own pages says what became of an
//! order. Nothing is sent to the broker.

use ibd_protocol::{OrderReport, OrdersVerb, Resolution};
use serde_json::json;

use super::{Group, is_named, table};
use crate::daemon::Fault;
use crate::talk::{Talk, settle};
use crate::terminal::{self, plain};
use crate::{Context, Ended, answer, say};

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The order's own id, or its end as `ibctl orders` shows it.
    #[arg(value_name = "INTENT_ID")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    intent: String,
    #[command(flatten)]
    found: Found,
    /// Do not ask; a PIN, where one is set, is asked for all the same.
    #[arg(long)]
    yes: bool,
}

/// What the person found out.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Found {
    /// IBKR never had it.
    #[arg(long)]
    not_placed: bool,
    /// IBKR has it, or had it, under this order id.
    #[arg(long, value_name = "ORDER_ID")]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    placed: Option<String>,
}

impl Found {
    fn resolution(&self) -> Resolution {
        self.placed.clone().map_or(Resolution::NotPlaced, Resolution::Placed)
    }

    fn question(&self) -> String {
        match &self.placed {
            Some(id) => format!("Record that IBKR has this order as {}?", plain(id)),
            None => "Record that IBKR never had this order?".to_owned(),
        }
    }
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let is_asked = !args.yes;
    if is_asked && !terminal::is_there() {
        return Err(Fault::usage(
            "there is no terminal to ask at, so nothing was settled",
            "Run it in a terminal, or add `--yes` if you have looked at IBKR's own pages.",
        ));
    }
    let mut talk = Talk::start(context).await?;
    let list = talk.look(OrdersVerb::List).await?;
    if list.needs_pin && !terminal::is_there() {
        return Err(terminal::pin_needs_terminal(&format!(
            "orders resolve {}",
            plain(&args.intent)
        )));
    }
    let order = find(&args.intent, &list.orders)?;
    let shown = table(&[order]).join("\n");
    match (is_asked, context.json) {
        (true, _) => eprintln!("{shown}"),
        (false, false) => say(&shown),
        (false, true) => {}
    }
    let question = args.found.question();
    if is_asked && !talk.while_person(move || terminal::agrees(&question)).await? {
        let text = "Nothing was settled; the order stands as before.";
        answer(context, &json!({ "ok": false, "text": text, "order": order }), text)?;
        return Ok(Ended::NeedsPerson);
    }
    let pin = if list.needs_pin { Some(talk.while_person(terminal::pin).await??) } else { None };
    let (id, found) = (order.intent_id.clone(), args.found.resolution());
    let verb = OrdersVerb::Resolve { id, found, pin };
    let report = talk.act(verb).await?;
    settle(context, &report, &report)
}

fn find<'a>(intent: &str, orders: &'a [OrderReport]) -> Result<&'a OrderReport, Fault> {
    let named = || orders.iter().filter(|order| is_named(&order.intent_id, intent));
    let exact = orders.iter().find(|order| order.intent_id == intent);
    let found = exact.or_else(|| named().next());
    if exact.is_none() && named().count() > 1 {
        let ids: Vec<String> = named().map(|order| plain(&order.intent_id)).collect();
        let hint = format!("Say which: {}", ids.join(", "));
        return Err(Fault::new(format!("several orders end with {intent:?}"), hint));
    }
    found.ok_or_else(|| {
        let in_doubt = orders
            .iter()
            .filter(|order| matches!(Group::of(order), Group::Parked | Group::InDoubt));
        let ids: Vec<String> = in_doubt.map(|order| plain(&order.intent_id)).collect();
        let hint = if ids.is_empty() {
            "No order is in doubt.".to_owned()
        } else {
            format!("In doubt: {}", ids.join(", "))
        };
        Fault::new(format!("there is no order {intent:?} to settle"), hint)
            .with(&json!({ "inDoubt": ids }))
    })
}
