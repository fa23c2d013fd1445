//! What newer word of an order makes of an intent: seen, come back, or no longer listed. Pure: a list may be late, an
//! order's own page is not.

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::Meaning;

use super::state::{End, State};
use super::{Effect, Term};
use crate::orders::standing::{Part, Seen, Standing};

/// Whether what was seen may be late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Lists lag behind, and pushes and executions come late.
    Late,
    /// The order's own page, or a list so late that it cannot be from before.
    Now,
    /// The order's own page, asked for well after everything that is known.
    Since,
}

/// What was told as not placed, and the broker has it. One that has ended without a fill is as good as none.
pub(super) fn rise(state: &State, news: Standing) -> Option<(State, Vec<Effect>)> {
    #[cfg(feature = "faults")]
    if crate::orders::mutant::is("sinks") {
        return None;
    }
    let works = !news.is_over() || news.has_open_part();
    if !works && !news.has_any_fill() {
        return None;
    }
    let told = crate::orders::record::why(state).unwrap_or_else(|| "not placed".to_owned());
    let risen = Standing { risen: Some(told), ..news };
    Some((State::at_broker(risen), vec![Effect::Alarm]))
}

/// What newer word of an order that the broker has, or had, makes of it.
pub(super) fn seen(
    state: &State,
    mut news: Standing,
    sight: Sight,
) -> Option<(State, Vec<Effect>)> {
    let known = &state.last_standing()?;
    let is_further = news.filled.unwrap_or_default() > known.filled.unwrap_or_default();
    let is_older = sight != Sight::Since && news.is_older_than(known);
    let is_back = sight != Sight::Late && !news.is_over() && !is_older;
    let is_otherwise = news.meaning() != known.meaning()
        || news.filled.is_some_and(|filled| known.filled.is_some_and(|known| known != filled));
    let moves = match state {
        State::Working(_) => !is_older,
        // What was told before, filled or cancelled, was not so.
        State::Over(End::Cancelled(_) | End::Filled(_))
            if sight == Sight::Since && is_otherwise =>
        {
            true
        }
        // Called cancelled, and filled all the same: that was seen.
        State::Over(End::Cancelled(_)) if news.meaning() == Meaning::Filled => true,
        // It works again: a list that says so may only be late, its own page is not.
        State::Over(End::Cancelled(_) | End::Filled(_)) if is_back => true,
        // A part that was filled before the end may be told after it, in the words of before.
        State::Over(End::Cancelled(_)) => {
            news.status.clone_from(&known.status);
            is_further
        }
        // Executions alone do not say that it works again.
        State::Over(End::Unlisted(_)) => news.status != Seen::Unlisted || is_further,
        _ => false,
    };
    let standing = if moves { known.updated(news) } else { known.with_parts(&news.others) };
    if *known == standing {
        return None;
    }
    // That it moves from one waiting room to the next is no news to anybody.
    let has_moved = standing.status != known.status
        && matches!(standing.meaning(), Meaning::Filled | Meaning::Ended | Meaning::Held);
    let is_back = standing.status != known.status && known.has_come_back(&standing);
    let is_news = standing.filled != known.filled || has_moved || is_back;
    let came_alive = is_back && state.is_over() && known.status != Seen::Unlisted;
    let told = is_news.then_some(if came_alive { Effect::Alarm } else { Effect::Tell });
    let parts = standing.news_since(known).into_iter().map(Effect::TellPart);
    let effects = told.into_iter().chain(parts).collect();
    let state = if moves { State::at_broker(standing) } else { state.standing_as(standing)? };
    Some((state, effects))
}

/// What its own page makes of another order of the submission.
pub(super) fn part_shown(state: &State, page: &Part, sight: Sight) -> Option<(State, Vec<Effect>)> {
    let known = state.standing()?;
    let before = known.part(page.order_id)?;
    let now = before.shown(page, sight);
    let standing = known.with_part(now);
    if standing == *known {
        return None;
    }
    let is_back = before.is_over()
        && !before.is_unlisted()
        && standing.part(page.order_id).is_some_and(|part| !part.is_over());
    let told = standing.news_since(known).into_iter().map(|order| match is_back {
        true if order == page.order_id => Effect::AlarmPart(order),
        _ => Effect::TellPart(order),
    });
    let told = told.collect();
    Some((state.standing_as(standing)?, told))
}

/// What it means that the broker's lists no longer have an order. What does not end by itself may be there all
/// the same, or was ended elsewhere: which, a person finds out.
pub(super) fn unlisted(
    state: &State,
    order_id: OrderId,
    term: Term,
) -> Option<(State, Vec<Effect>)> {
    let known = state.standing()?;
    let is_main = known.order_id == order_id;
    let ends = term == Term::Over || !is_main && known.has_no_use_for(order_id);
    let word = if ends { Seen::Unlisted } else { Seen::Missing };
    if is_main {
        let State::Working(standing) = state else { return None };
        if standing.status == word {
            return None;
        }
        let gone = Standing { status: word, ..standing.clone() };
        let state = if ends { State::Over(End::Unlisted(gone)) } else { State::Working(gone) };
        return Some((state, vec![Effect::Tell]));
    }
    let part = known.part(order_id).filter(|part| !part.is_over())?;
    let standing = known.with_parts(&[Part { status: Some(word), ..part.clone() }]);
    if standing == *known {
        return None;
    }
    let told = standing.news_since(known).into_iter().map(Effect::TellPart).collect();
    Some((state.standing_as(standing)?, told))
}
