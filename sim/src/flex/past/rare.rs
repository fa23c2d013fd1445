//! What happens seldom: a split, a merger, a transfer, a trade that is taken back.

use std::sync::Arc;

use jiff::civil::Date;

use super::event::{Action, Event, Order, Transfer};
use super::plan::Draft;
use crate::flex::days::{business_from, plus};
use crate::flex::dec::Dec;
use crate::flex::prices::Split;
use crate::instruments::{Instrument, Universe};

/// Days after the beginning.
const SPLIT: i64 = 410;
const MERGER: i64 = 520;
const SPLIT_RATIO: i64 = 3;

/// The splits of a history that begins on `first`.
pub(super) fn splits(universe: &Universe, first: Date) -> Vec<Split> {
    let of = universe.named("WMT", "STK");
    let day = business_from(plus(first, SPLIT));
    of.map(|of| Split { conid: of.conid, day, ratio: SPLIT_RATIO }).into_iter().collect()
}

/// All of them, each once.
pub(super) fn events(draft: &mut Draft<'_>) {
    split(draft);
    merger(draft);
    transfer(draft);
    cancelled(draft);
}

fn stock(draft: &Draft<'_>, symbol: &str) -> Option<Arc<Instrument>> {
    draft.prices.universe().named(symbol, "STK").cloned().map(Arc::new)
}

fn after(draft: &Draft<'_>, days: i64) -> Date {
    business_from(plus(draft.plan.first, days))
}

/// Thirty shares become ninety, which are sold in two steps.
fn split(draft: &mut Draft<'_>) {
    let (Some(of), Some(split)) = (stock(draft, "WMT"), draft.prices.splits.first().copied())
    else {
        return;
    };
    draft.trade(&of, (after(draft, 60), Dec::whole(30)), None, 3);
    let at_ms = draft.prices.clock().moment(plus(split.day, -1), 73_500);
    let id = draft.trade_id();
    let action = Action { id, of: Arc::clone(&of), ratio: split.ratio, cash: Dec::ZERO, at_ms };
    draft.add(split.day, Event::Split(action));
    draft.trade(&of, (after(draft, SPLIT + 30), Dec::whole(-40)), None, 2);
    draft.trade(&of, (after(draft, SPLIT + 190), Dec::whole(-50)), None, 1);
}

/// A company that is bought for money.
fn merger(draft: &mut Draft<'_>) {
    let Some(template) = stock(draft, "KO") else { return };
    let of = Arc::new(Instrument {
        conid: 899_000_001,
        symbol: "MRGC".to_owned(),
        name: "MERGE & CO \"HOLDINGS\"".to_owned(),
        base: 41.0,
        ..(*template).clone()
    });
    draft.trade(&of, (after(draft, 90), Dec::whole(50)), None, 2);
    let day = after(draft, MERGER);
    let at_ms = draft.prices.clock().moment(day, 73_500);
    let (id, cash) = (draft.trade_id(), Dec::parts(4650, 2));
    draft.add(day, Event::Merger(Action { id, of, ratio: 1, cash, at_ms }));
}

/// Shares that came from another broker, and were sold later.
fn transfer(draft: &mut Draft<'_>) {
    let Some(of) = stock(draft, "KO") else { return };
    let day = after(draft, 150);
    let at_ms = draft.prices.clock().moment(day, 7200);
    let id = draft.trade_id();
    let (quantity, cost) = (Dec::whole(40), Dec::whole(40 * 58));
    draft.add(day, Event::Transfer(Transfer { id, of: Arc::clone(&of), quantity, cost, at_ms }));
    draft.trade(&of, (after(draft, 640), Dec::whole(-40)), None, 2);
}

/// An execution that is taken back on the same day, with its commission.
fn cancelled(draft: &mut Draft<'_>) {
    let Some(of) = stock(draft, "QQQ") else { return };
    let day = after(draft, 620);
    let at = draft.moment(day);
    let price = draft.prices.at(&of, day, at);
    for (transaction, size, note) in [("ExchTrade", 7, ""), ("TradeCancel", -7, "Ca")] {
        let order = draft.order_id();
        let mut fill = draft.fill(&of, (order, 0), (at, Dec::whole(size), price));
        if size < 0 {
            fill.commission = -fill.commission;
        }
        let of = Arc::clone(&of);
        let (kind, reference, fills) = ("LMT", String::new(), vec![fill]);
        let (is_api, entered_ms) = (false, at - 5000);
        draft.add(
            day,
            Event::Order(Order {
                id: order,
                of,
                kind,
                reference,
                is_api,
                transaction,
                note,
                entered_ms,
                fills,
            }),
        );
    }
}
