//! Executions: lots, gains, cash.

use std::sync::Arc;

use super::fact::{Fact, Flow, FlowKind, Traded};
use super::lots::Position;
use super::{Eye, Ledger};
use crate::flex::dec::Dec;
use crate::flex::past::{Fill, Identity, Order};

impl<'a> Ledger<'a> {
    /// Books an order's executions.
    pub(super) fn trade(&mut self, order: &Order, eye: Eye<'_>) {
        let traded: Vec<Traded<'_>> =
            order.fills.iter().map(|fill| self.execute(order, fill, eye)).collect();
        eye(Fact::Order(order, &traded));
    }

    fn execute<'o>(&mut self, order: &'o Order, fill: &'o Fill, eye: Eye<'_>) -> Traded<'o> {
        let of = &order.of;
        let money = fill.quantity.times(fill.price).times(of.units());
        let close = self.prices.close(of, self.day);
        let traded = Traded {
            fill,
            money,
            proceeds: -money,
            net: fill.commission + fill.tax,
            cost: Dec::ZERO,
            realized: Dec::ZERO,
            mtm: fill.quantity.times(close - fill.price).times(of.units()),
            close,
            rate: self.rate(&of.currency),
            indicator: "",
            lots: Vec::new(),
        };
        self.settle(order, traded, eye)
    }

    /// Cash and lots. Currencies have no lots; futures move no cash but costs.
    fn settle<'o>(&mut self, order: &Order, traded: Traded<'o>, eye: Eye<'_>) -> Traded<'o> {
        let (of, fill) = (&order.of, traded.fill);
        if of.is("CASH") {
            let kind = direction(fill.quantity);
            let other = direction(-fill.quantity);
            self.part(order, fill, (other, &of.symbol, fill.quantity), eye);
            self.part(order, fill, (kind, &of.currency, traded.proceeds), eye);
            self.costs(order, fill, eye);
            return Traded { net: Dec::ZERO, ..traded };
        }
        let is_future = of.is("FUT");
        let mut base = Dec::ZERO;
        if !is_future {
            let flow = (direction(fill.quantity), of.currency.as_str(), traded.proceeds);
            base = self.part(order, fill, flow, eye);
        }
        self.costs(order, fill, eye);
        let net = if is_future { traded.net } else { traded.net + traded.proceeds };
        let base_mtm = traded.mtm.times(traded.rate).round(9);
        let traded = self.match_lots(order, Traded { net, ..traded });
        if let Some(position) = self.positions.get_mut(&of.conid) {
            position.proceeds += traded.proceeds;
            position.base_proceeds += base;
            position.base_trades += base_mtm;
        }
        traded
    }

    /// Closes what is there on the other side, and opens what is left.
    fn match_lots<'o>(&mut self, order: &Order, mut traded: Traded<'o>) -> Traded<'o> {
        let (of, fill) = (&order.of, traded.fill);
        let position =
            self.positions.entry(of.conid).or_insert_with(|| Position::new(Arc::clone(of)));
        let got = traded.proceeds + fill.commission + fill.tax;
        let mut closing = position.close_lots(fill.quantity);
        let left = fill.quantity - closing.quantity;
        let for_closing =
            if left.is_zero() { got } else { got.share(closing.quantity, fill.quantity) };
        let for_opening = got - for_closing;
        closing.realize(for_closing, fill.at_ms);
        if !left.is_zero() {
            position.open_lot(left, -for_opening, (fill, order.id));
        }
        traded.indicator = match (closing.quantity.is_zero(), left.is_zero()) {
            (true, _) => "O",
            (_, true) => "C",
            _ => "C;O",
        };
        traded.realized = for_closing - closing.cost;
        traded.cost = -closing.cost - for_opening;
        traded.lots = closing.lots;
        traded
    }

    /// Commission and taxes.
    fn costs(&mut self, order: &Order, fill: &Fill, eye: Eye<'_>) {
        let commission = (FlowKind::Commission, fill.commission_currency.as_str(), fill.commission);
        self.part(order, fill, commission, eye);
        self.part(order, fill, (FlowKind::Tax, &order.of.currency, fill.tax), eye);
    }

    /// One part of an execution's cash; the answer is in the base currency.
    fn part(
        &mut self,
        order: &Order,
        fill: &Fill,
        (kind, currency, amount): (FlowKind, &str, Dec),
        eye: Eye<'_>,
    ) -> Dec {
        if amount.is_zero() {
            return Dec::ZERO;
        }
        let flow = self.flow(kind, currency, amount);
        let base = flow.base;
        self.put(Flow { of: Some(&order.of), at_ms: fill.at_ms, ..flow }, eye);
        base
    }
}

fn direction(quantity: Dec) -> FlowKind {
    if quantity.is_negative() { FlowKind::Sale } else { FlowKind::Purchase }
}
