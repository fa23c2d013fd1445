//! What is added to a result: how another order stands, what was dropped, what several ends came to.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;
use ibd_protocol::{ReasonCode, states};

use super::Out;
use super::at_broker::AtBroker;
use super::next::{HAS_IT, left_of, not_shown};
use super::reason::Reason;
use super::understood::Understood;
use crate::orders::told;
use crate::orders::{Intent, Part, Role, Seen};
use crate::tools::order_flow::Unseen;

/// What is said of orders that were dropped before they were sent.
pub fn dropped(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| format!("Dropped before it was sent: {}.", texts.join("; ")))
}

impl Out {
    /// The same with how another order stands: what a cancellation was about. That it was over before is no
    /// failure, and is told as what it was.
    pub fn with_standing(mut self, target: &Intent, order_id: OrderId) -> Self {
        let known = target.state.standing();
        let part = known.and_then(|known| known.part(order_id));
        let (status, filled) = match part {
            Some(part) => {
                self.standing = AtBroker::of_part(part);
                (part.status.clone(), part.filled)
            }
            None => {
                self.standing = known.map(AtBroker::of);
                self.order = target.order.as_ref().map(Understood::brief);
                (known.map(|known| known.status.clone()), known.and_then(|known| known.filled))
            }
        };
        self.mode = target.order.as_ref().map(|order| if order.paper { "paper" } else { "live" });
        let filled = filled.filter(|filled| !filled.is_zero());
        let filled = filled.map(|filled| format!(" {} of it were filled.", filled.normalize()));
        let filled = filled.unwrap_or_default();
        match status.as_ref().map(Seen::meaning) {
            Some(Meaning::Ended) => {
                self.outcome = Some("done");
                let end = status.as_ref().map_or(states::Order::Cancelled, Seen::ended);
                self.next = format!("It is {end}.{filled}{}", left_of(target, order_id));
                let is_stop = |part: &Part| {
                    target.order.as_ref()?.role_of(part).filter(|r| *r == Role::StopLoss)
                };
                let stop = part.filter(|part| is_stop(part).is_some());
                let naked = known.zip(stop).and_then(|(known, stop)| told::naked(known, stop));
                self.warnings.extend(naked);
            }
            Some(Meaning::Filled) => {
                let left = left_of(target, order_id);
                self.next = format!("It was filled before the cancellation.{left}");
            }
            _ => return self,
        }
        // Whatever became of the request itself: what it was for is so.
        if self.status == "unknown" {
            (self.status, self.reason, self.do_not_retry) = ("placed", None, None);
        }
        if self.status == "not_placed" {
            let word = status.map(|status| status.as_str().to_lowercase()).unwrap_or_default();
            self.reason = Some(Reason {
                code: ReasonCode::AlreadyOver.to_string(),
                message: format!("Order {order_id} was {word} before.{filled}"),
                setting: None,
            });
        }
        self
    }

    /// The same, where what is told is what was known before.
    pub fn with_unseen(mut self, unseen: Option<Unseen>) -> Self {
        let warning = match &unseen {
            None => return self,
            Some(Unseen::NotKnown) => {
                "IBKR does not know the order now: this is what was known before.".to_owned()
            }
            Some(Unseen::NotAsked(why)) => {
                let why = why.trim_end_matches('.');
                format!(
                    "IBKR could not be asked how it stands now ({why}): this is what was known before."
                )
            }
        };
        self.warnings.insert(0, warning);
        match unseen {
            Some(Unseen::NotKnown) => self.not_known(),
            _ => self.into_what_it_was(),
        }
    }

    /// The same of an order that IBKR was asked for, and does not know now: nobody says that it has it.
    pub fn not_known(mut self) -> Self {
        if self.next.starts_with(HAS_IT) {
            self.next = not_shown("IBKR does not know");
        }
        self
    }

    /// The same of an order that IBKR could not be asked for.
    pub fn into_what_it_was(mut self) -> Self {
        if let Some(rest) = self.next.strip_prefix(HAS_IT) {
            self.next = format!("IBKR had it when it was last seen{rest}");
        }
        self
    }

    /// The same beside IBKR's page of another order of the submission: what stands here is the first one's.
    pub fn beside_part(self, intent: &Intent, order_id: OrderId) -> Self {
        let (order, standing) = (self.order_id.clone(), self.standing);
        let told = Self { standing: None, ..self }.beside_page(None, None);
        Self { order_id: order, standing, ..told }.with_part(intent, order_id)
    }

    /// The same of another order of the submission, which is what was asked for: it goes its own way.
    pub fn with_part(mut self, intent: &Intent, order_id: OrderId) -> Self {
        let standing = intent.state.standing();
        if let (Some(first), Some(part)) = (standing, standing.and_then(|all| all.part(order_id))) {
            let role = intent.order.as_ref().and_then(|order| order.role_of(part));
            let what = role.map(|role| format!(" ({})", role.as_str()));
            let status = part.status.as_ref().map_or("not seen yet", Seen::as_str);
            let warning = format!(
                "Order {order_id}{}, which was asked for, is {status}; orderId and standing are of the first order \
                 of its submission, {}.",
                what.unwrap_or_default(),
                first.order_id
            );
            self.warnings.insert(0, warning);
        }
        self
    }

    /// The same with what was dropped before it was sent.
    pub fn with_dropped(mut self, dropped: &[String]) -> Self {
        if let Some(said) = self::dropped(dropped) {
            self.next = format!("{said} {}", self.next);
        }
        self
    }

    /// The same with what was found of several orders that were to end.
    pub fn with_ends(mut self, done: &[OrderId], open: &[OrderId], in_doubt: &[String]) -> Self {
        let list =
            |ids: &[OrderId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let is_done = open.is_empty() && in_doubt.is_empty();
        self.outcome = Some(if is_done { "done" } else { "requested" });
        let mut said = Vec::new();
        if !done.is_empty() {
            said.push(format!("Ended: {}.", list(done)));
        }
        if !open.is_empty() {
            said.push(format!(
                "Asked for, and not seen to have ended yet: {}; get_live_orders shows what becomes of them.",
                list(open)
            ));
        }
        if !in_doubt.is_empty() {
            said.push(format!(
                "Whether IBKR has {} is not known yet: call get_order_status until it is settled, then cancel it.",
                in_doubt.join(", ")
            ));
        }
        match (is_done, done.is_empty()) {
            (true, true) => said.push("No order worked there; nothing more to do.".to_owned()),
            (true, false) => said.push("Nothing works there any more.".to_owned()),
            (false, _) => {}
        }
        self.next = said.join(" ");
        self
    }
}
