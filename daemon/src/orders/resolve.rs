//! An order in doubt, resolved by a person who has seen what is at IBKR.

use std::time::Duration;

use ibd_cpapi::id::{AccountId, OrderId};
use ibd_protocol::{OrdersReport, Resolution};
use ractor::{ActorRef, RpcReplyPort};
use tokio::time::Instant;

use super::intent::{Intent, IntentId};
use super::life::{self, Event};
use super::order::Order;
use super::page::Page;
use super::standing::Standing;
use super::{Msg, State};

/// What looking at one order may take.
const PAGE: Duration = Duration::from_secs(12);

impl State {
    pub(super) async fn resolve(
        &mut self,
        me: &ActorRef<Msg>,
        id: &str,
        resolution: &Resolution,
    ) -> Resolved {
        let intent = id.parse::<IntentId>().ok().and_then(|id| self.ledger.book.get(id)).cloned();
        let Some(intent) = intent else {
            let text = format!("There is no order {id}.");
            return Resolved::no(self.report(false, text, "`ibctl orders` lists them."));
        };
        let is_in_doubt = match &intent.state {
            life::State::Unknown(_) | life::State::Parked(_) => true,
            state => {
                let is_missing = state.standing().is_some_and(Standing::has_missing);
                is_missing && *resolution == Resolution::NotPlaced
            }
        };
        if !is_in_doubt {
            let text = format!(
                "{} is {}: there is nothing to resolve.",
                intent.text,
                intent.state.in_words()
            );
            return Resolved::no(self.report(false, text, ""));
        }
        match resolution {
            Resolution::NotPlaced => {
                Resolved::no(self.settle_by_person(me, &intent, Event::Resolved(None)).await)
            }
            Resolution::Placed(order_id) => match order_id.parse() {
                Ok(order_id) => Resolved::Look(Named {
                    id: intent.id,
                    account: intent.account,
                    order: order_id,
                }),
                Err(error) => Resolved::no(self.report(false, format!("{error}"), "")),
            },
        }
    }

    /// Reads the page of the order that a person names, and goes on with what it shows.
    pub(super) fn look_to_resolve(
        &mut self,
        me: &ActorRef<Msg>,
        named: Named,
        reply: RpcReplyPort<OrdersReport>,
    ) {
        let Named { id, account, order } = named;
        let (me, feeds, session) =
            (me.clone(), self.broker.feeds.clone(), self.broker.session.clone());
        tokio::spawn(async move {
            let deadline = Instant::now() + PAGE;
            let lease = match session.look(deadline).await {
                Ok(lease) => lease,
                Err(refusal) => {
                    let why = format!("order {order} cannot be looked at: {}", refusal.message);
                    let _ = me.cast(Msg::Resolve(id, Err(why), reply));
                    return;
                }
            };
            let page = match feeds.page(&lease, &account, order, deadline).await {
                Ok(Some(page)) => Ok(Box::new(Page::of(&page.value))),
                Ok(None) => Err(format!("IBKR knows no order {order} of the account {account}")),
                Err(failure) => Err(format!("order {order} could not be looked at: {failure}")),
            };
            let _ = me.cast(Msg::Resolve(id, page, reply));
        });
    }

    /// An order in doubt is the one whose page was read, if that fits.
    pub(super) async fn resolve_placed(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        page: Result<Box<Page>, String>,
    ) -> OrdersReport {
        let Some(intent) = self.ledger.book.get(id).cloned() else {
            return self.report(false, format!("There is no order {id}."), "");
        };
        let hint = "Nothing was changed. `ibctl orders` and TWS show what is there.";
        let page = match page {
            Ok(page) => page,
            Err(why) => return self.report(false, format!("{why}."), hint),
        };
        if let Some(why) = intent.order.as_ref().and_then(|order| misfit(&page, &intent, order)) {
            let text = format!("Order {} is not {}: {why}.", page.order_id, intent.text);
            return self.report(false, text, hint);
        }
        let event = if intent.is_order() {
            Event::Resolved(Some(page.standing.clone()))
        } else {
            Event::Applied
        };
        self.settle_by_person(me, &intent, event).await
    }

    async fn settle_by_person(
        &mut self,
        me: &ActorRef<Msg>,
        intent: &Intent,
        event: Event,
    ) -> OrdersReport {
        self.step(me, intent.id, event, "a person with ibctl").await;
        self.watch.wants_look = true;
        let mut report = self.report(true, format!("Resolved: {}.", intent.text), "");
        report.orders =
            self.ledger.book.get(intent.id).map(|i| self.shown_order(i)).into_iter().collect();
        report
    }
}

/// What comes of a person's word about an order in doubt.
pub(super) enum Resolved {
    /// That is all.
    Report(Box<OrdersReport>),
    /// The order that is named is to be looked at first.
    Look(Named),
}

/// The order at the broker that a person names for an intent in doubt.
pub(super) struct Named {
    id: IntentId,
    account: AccountId,
    order: OrderId,
}

impl Resolved {
    fn no(report: OrdersReport) -> Self {
        Self::Report(Box::new(report))
    }
}

/// Why an order at the broker cannot be the one that an intent is in doubt about.
fn misfit(page: &Page, intent: &Intent, order: &Order) -> Option<String> {
    if let Some(why) = page.is_other(&intent.account, order, &[order.side]) {
        return Some(why);
    }
    let wanted = intent.client_order_id.as_str();
    let other = page.order_ref.as_deref().filter(|name| *name != wanted && intent.is_order())?;
    Some(format!("it was sent under the name {other}"))
}
