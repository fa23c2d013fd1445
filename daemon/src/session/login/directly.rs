//! What an ask for a login leads to where requests are signed: there is nothing to approve, and nothing that IBKR counts,
//! but what it has refused is not tried again at every call. Pure.

use super::{Ask, Asker, Phase, Situation, Start, Way, live_is_logged_in, taken};

pub(super) fn start(situation: &Situation<'_>, ask: Ask) -> Start {
    let is_live = situation.is_paper == Some(false);
    match situation.phase {
        Phase::Ready | Phase::Doubtful if ask.paper && is_live => {
            Start::Refuse(live_is_logged_in())
        }
        Phase::Ready if ask.renew && !ask.join_only => Start::Begin(Way::Direct),
        Phase::NeedLogin | Phase::Stopped if ask.join_only => Start::Wait,
        Phase::NeedLogin | Phase::Stopped => Start::Begin(Way::Direct),
        // A person has changed something, or wants to know. An assistant is told what they have to do.
        Phase::Denied { .. } if ask.asker == Asker::Person && !ask.join_only => {
            Start::Begin(Way::Direct)
        }
        Phase::Denied { .. } => situation.denied.clone().map_or(Start::Wait, Start::Refuse),
        // Signing takes nothing from anybody; the trading session is taken with `ibctl resume`.
        Phase::Competing => Start::Refuse(taken(situation.taken)),
        _ => Start::Wait,
    }
}
