//! Trades without end, to make a statement as large as somebody wants it.

use std::sync::Arc;

use jiff::civil::Date;

use super::event::{Event, Fill, Order};
use crate::flex::days::between;
use crate::flex::dec::Dec;
use crate::flex::prices::Prices;
use crate::instruments::Instrument;
use crate::trading::commission;

/// Different shares.
const SHARES: u64 = 200;
/// Executions of one order.
const FILLS: u64 = 5;
const FIRST_ORDER: u64 = 70_000_000_000;

/// So many round trips a day, each a purchase and a sale of five executions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bulk {
    pub(crate) rounds: f64,
    shares: Vec<Arc<Instrument>>,
}

impl Bulk {
    /// Shares like this one, with names of their own.
    pub(crate) fn like(template: &Instrument) -> Self {
        let share = |number: u64| {
            Arc::new(Instrument {
                conid: 890_000_000 + number.cast_signed(),
                symbol: format!("BLK{number}"),
                name: format!("BULK & SONS NO {number}"),
                base: 10.0 + number as f64,
                currency: "USD".to_owned(),
                lot: 1,
                tick: 0.01,
                ..template.clone()
            })
        };
        Self { rounds: 0.0, shares: (0..SHARES).map(share).collect() }
    }

    /// Whether this order is one of these. They are known at once, whatever their time says.
    pub(crate) fn made(order: u64) -> bool {
        order >= FIRST_ORDER
    }

    /// The trades of a day, one order after the other.
    pub(crate) fn on<'a>(
        &'a self,
        prices: &'a Prices,
        day: Date,
    ) -> impl Iterator<Item = Event> + 'a {
        // A fraction of a round comes on some days only.
        let number = number(day) as f64;
        let rounds = ((number + 1.0) * self.rounds).floor() - (number * self.rounds).floor();
        (0..rounds as u64 * 2).filter_map(move |n| self.order(prices, day, n))
    }

    fn order(&self, prices: &Prices, day: Date, n: u64) -> Option<Event> {
        let round = n / 2;
        let of = self.shares.get(usize::try_from(round % SHARES).ok()?)?;
        let id = FIRST_ORDER + number(day) * 10_000_000 + n;
        let second = 34_300 + (n % 22_000).cast_signed();
        let at = prices.clock().moment(day, 0) + second * 1000;
        let price = prices.close(of, day) + Dec::parts((n % 7).cast_signed(), 2);
        let size = Dec::whole(5 + (round % 40).cast_signed());
        let size = if n.is_multiple_of(2) { size } else { -size };
        let fills = (0..FILLS).map(|part| Fill {
            id: id * 10 + part,
            execution: format!("0000b01c.{id:08x}.01.{:02}", part + 1),
            at_ms: at + part.cast_signed(),
            exchange: "ISLAND",
            quantity: size,
            price,
            commission: -Dec::near(commission(of, size.abs().float(), 10.0), 4),
            commission_currency: "USD".to_owned(),
            tax: Dec::ZERO,
        });
        Some(Event::Order(Order {
            id,
            of: Arc::clone(of),
            kind: "LMT",
            reference: String::new(),
            is_api: true,
            transaction: "ExchTrade",
            note: "P",
            entered_ms: at - 1000,
            fills: fills.collect(),
        }))
    }
}

/// Days since the beginning of the century.
fn number(day: Date) -> u64 {
    between(jiff::civil::date(2000, 1, 1), day).cast_unsigned()
}
