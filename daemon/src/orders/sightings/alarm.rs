//! What must not be so and is seen: told to everybody once, and kept.

use ibd_cpapi::id::OrderId;
use ibd_protocol::Level;
use ractor::ActorRef;

use crate::orders::evidence::Evidence;
use crate::orders::intent::IntentId;
use crate::orders::life::Event;
use crate::orders::record::Record;
use crate::orders::{Msg, State};

impl State {
    /// What stands under our name and cannot be ours: told once, and kept.
    pub(super) async fn look_for_alarms(&mut self, id: IntentId, evidence: &Evidence) {
        let Some(intent) = self.ledger.book.get(id) else { return };
        for text in evidence.alarms(intent) {
            if !self.watch.said.insert(text.clone()) {
                continue;
            }
            let hint = "Look at it in TWS now: another program may use these names, or an order was doubled.";
            tracing::error!(text, "an alarm about orders");
            self.board.note("order_name_clash", text.clone(), hint);
            self.say(Level::Warning, "order_name_clash", text.clone(), hint);
            let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
        }
    }

    /// The broker has an order that was told as not placed, or works one that was over. Everybody is told.
    pub(in crate::orders) async fn alarm(&mut self, me: &ActorRef<Msg>, id: IntentId) {
        let Some(standing) = self.ledger.book.get(id).and_then(|i| i.state.standing()).cloned()
        else {
            return;
        };
        let order_id = standing.order_id;
        let text = match standing.risen {
            Some(_) => format!("IBKR has order {order_id} although it was taken for not placed."),
            None => came_back(order_id, standing.status.as_str()),
        };
        self.alert(id, text).await;
        // A yes to its question would make a second one.
        if let Some(follower) = self.ledger.book.follower(id).filter(|next| !self.lane.is_of(*next))
        {
            let by = "the daemon, because the first try is at IBKR after all".to_owned();
            Box::pin(self.step(me, follower, Event::Declined(by.clone()), &by)).await;
        }
    }

    /// The same of another order of a submission.
    pub(in crate::orders) async fn alarm_part(&mut self, id: IntentId, order: OrderId) {
        let standing = self.ledger.book.get(id).and_then(|intent| intent.state.standing());
        let Some(part) = standing.and_then(|standing| standing.part(order)) else { return };
        let text = came_back(order, part.word());
        self.alert(id, text).await;
    }

    async fn alert(&mut self, id: IntentId, text: String) {
        let hint = "Look at it now; cancel it if it is not wanted.";
        self.board.note("order_came_alive", text.clone(), hint);
        self.say(Level::Warning, "order_came_alive", text.clone(), hint);
        let _ = self.write_all(vec![Record::Note { id: Some(id), text }]).await;
    }
}

fn came_back(order_id: OrderId, status: &str) -> String {
    format!("IBKR has order {order_id} as {status} after its end.")
}
