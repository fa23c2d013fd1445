//! What the broker answers to what was sent, and what that means for the intent.

use ibd_cpapi::orders::{CancelAnswer, OrderAnswer, Stage};
use ractor::ActorRef;

use super::evidence::{Evidence, is_carried_out};
use super::intent::{Intent, IntentId};
use super::life::{Decision, Event};
use super::order::Purpose;
use super::page;
use super::peeks::Until;
use super::round::{Heard, HeardEnd};
use super::standing::{Part, Seen, Standing};
use super::{Msg, State, identify, questions};

impl State {
    /// What the broker answered to an order, a change or a reply.
    pub(super) async fn answered(&mut self, me: &ActorRef<Msg>, id: IntentId, heard: Heard) {
        // A change that was seen is known of its order, too, before anybody asks for that.
        let changed = match (self.ledger.book.get(id).map(|intent| &intent.purpose), &heard.seen) {
            (Some(Purpose::Modify { .. }), Some(Ok(seen))) => Some(seen.clone()),
            _ => None,
        };
        let Some(intent) = self.ledger.book.get(id).cloned() else { return };
        if let Some(lease) = self.lane.lease.clone() {
            self.broker.doubt(&lease, &heard.answer);
            self.check_egress(&lease).await;
        }
        let event = self.meaning(&intent, heard);
        self.step(me, id, event, "IBKR").await;
        if let Some(changed) = changed {
            self.sighted(me, changed).await;
        }
        // What an order is after a change, and after one that was refused, its page says.
        if let Purpose::Modify { order_id, .. } = intent.purpose {
            self.expect_now(me, order_id);
        }
    }

    fn meaning(&self, intent: &Intent, heard: Heard) -> Event {
        let seen = heard.seen.as_ref().and_then(|seen| seen.as_ref().ok());
        match heard.answer {
            OrderAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            OrderAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
            #[cfg(feature = "faults")]
            OrderAnswer::Accepted(_)
                if !intent.is_order() && super::mutant::is("believes-changes") =>
            {
                Event::Applied
            }
            OrderAnswer::Accepted(_) if !intent.is_order() => match shows_change(intent, seen) {
                Some(true) => Event::Applied,
                // Not seen is not done.
                _ => Event::Taken,
            },
            OrderAnswer::Accepted(rows) => accepted(&rows, None, intent, seen),
            OrderAnswer::PartlyAccepted { accepted: rows, refused } => {
                let texts: Vec<&str> =
                    refused.iter().map(|refusal| refusal.text.as_str()).collect();
                accepted(&rows, Some(texts.join("; ")), intent, seen)
            }
            OrderAnswer::Refused(refusal) if refusal.is_certain() => Event::Rejected(refusal.text),
            OrderAnswer::Refused(refusal) => match &heard.seen {
                Some(Ok(seen)) => claimed(intent, &refusal, seen),
                Some(Err(failure)) => Event::Silence(format!(
                    "IBKR answered {:?}, and whether it has the order could not be seen: {failure}",
                    refusal.text
                )),
                None => Event::Silence(format!("IBKR answered {:?}", refusal.text)),
            },
            OrderAnswer::Asked(asked) if asked.is_prompt() || !asked.further.is_empty() => {
                let texts: Vec<&str> = asked.questions.iter().map(|q| q.text.as_str()).collect();
                Event::Silence(format!(
                    "IBKR asks what cannot be answered here: {}",
                    texts.join("; ")
                ))
            }
            OrderAnswer::Asked(asked) => {
                let questions = questions::of(&asked);
                let rules = self.controls.rules_of(intent);
                let is_yes = self.frozen().is_none()
                    && questions::is_yes(&questions, &intent.agreed_to, intent.suppress, &rules);
                Event::Asked(asked.reply_id, questions, Decision::yes_if(is_yes))
            }
        }
    }

    pub(super) async fn cancel_answered(
        &mut self,
        me: &ActorRef<Msg>,
        id: IntentId,
        heard: HeardEnd,
    ) {
        let event = match heard.answer {
            CancelAnswer::NotSent(failure) => Event::NotSent(failure.to_string()),
            CancelAnswer::Requested { .. } => Event::Applied,
            CancelAnswer::Refused(text) => Event::Rejected(match &heard.page {
                Some(page) if page.standing.is_over() => ended_before(page),
                _ => text,
            }),
            CancelAnswer::Ambiguous(why) => Event::Silence(why.to_string()),
        };
        self.step(me, id, event, "IBKR").await;
        // What becomes of the cancelled order is seen at the broker, not assumed.
        match self.ledger.book.get(id).map(|intent| intent.purpose.clone()) {
            Some(Purpose::Cancel { order_id, .. }) => self.expect(me, order_id, Until::Over),
            _ => self.watch.wants_look = true,
        }
    }
}

/// Whether an order's page shows what a change wanted; nothing if it was not seen.
fn shows_change(intent: &Intent, seen: Option<&Evidence>) -> Option<bool> {
    let (Purpose::Modify { order_id, change, .. }, Some(order)) = (&intent.purpose, &intent.order)
    else {
        return None;
    };
    let page = seen?.pages.iter().find(|page| page.order_id == *order_id)?;
    Some(is_carried_out(page, order, change))
}

/// A refusal that nobody has on a list, after a look: it is believed only where the order is not there.
fn claimed(intent: &Intent, refusal: &ibd_cpapi::orders::Refusal, seen: &Evidence) -> Event {
    let text = refusal.text.clone();
    let Some(order) = intent.order.as_ref().filter(|_| intent.is_order()) else {
        return match shows_change(intent, Some(seen)) {
            Some(true) => Event::Applied,
            _ => Event::Rejected(text),
        };
    };
    let page = seen.pages.iter().find(|page| Some(page.order_id) == refusal.order_id);
    let page = page.filter(|page| page.is_other(&intent.account, order, &[order.side]).is_none());
    let standing = match (page, seen.about(intent)) {
        (Some(page), _) => page.standing.clone(),
        (None, Some(Event::Found(standing) | Event::Shown(standing))) => standing,
        _ => return Event::Rejected(text),
    };
    // One that it calls rejected is refused, as it said. One that is cancelled was there, and may be filled yet.
    let is_rejected = standing.status == Seen::Listed(Stage::Rejected);
    if is_rejected && !standing.has_any_fill() && !standing.has_open_part() {
        Event::Rejected(text)
    } else {
        Event::Accepted(Standing { text: Some(text), ..standing })
    }
}

/// How an order ended, for whoever wanted to end it.
fn ended_before(page: &page::Page) -> String {
    let filled = page.filled.filter(|filled| !filled.is_zero());
    let filled = filled.map(|filled| format!(", {} filled", filled.normalize()));
    format!(
        "it was {} before{}",
        page.standing.status.as_str().to_lowercase(),
        filled.unwrap_or_default()
    )
}

fn accepted(
    rows: &[ibd_cpapi::orders::AcceptedRow],
    refused: Option<String>,
    intent: &Intent,
    seen: Option<&Evidence>,
) -> Event {
    let Some(order) = &intent.order else {
        return Event::Silence("the broker took an order where none was sent".to_owned());
    };
    #[cfg(feature = "faults")]
    let first_counts = super::mutant::is("first-row");
    #[cfg(not(feature = "faults"))]
    let first_counts = false;
    let main = if first_counts { Some(0) } else { identify::main_row(rows, seen, intent, order) };
    let Some(first) = main.and_then(|at| rows.get(at)) else {
        let words = refused.map(|text| format!(", and refused others: {text}"));
        return Event::Silence(format!(
            "IBKR took {} orders and does not say which is which{}",
            rows.len(),
            words.unwrap_or_default()
        ));
    };
    let warning = rows.iter().find_map(|row| row.warning.clone());
    let others = rows.iter().filter(|row| row.order_id != first.order_id);
    Event::Accepted(Standing {
        others: others.map(|row| Part::new(row.order_id)).collect(),
        text: warning,
        refused,
        ..Standing::new(first.order_id, first.status.clone().unwrap_or(Stage::PendingSubmit))
    })
}
