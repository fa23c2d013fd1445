//! What a period came to: everything that summaries need, and nothing that grows with the trades.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::flex::dec::Dec;
use crate::flex::ledger::{Fact, Flow, FlowKind, Ledger, Nav, Traded};
use crate::flex::past::Order;
use crate::instruments::Instrument;

/// An amount in its own currency and in the base currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Both {
    pub(super) own: Dec,
    pub(super) base: Dec,
}

impl Both {
    pub(super) fn add(&mut self, own: Dec, base: Dec) {
        self.own += own;
        self.base += base;
    }
}

/// One contract.
#[derive(Debug, Clone)]
pub(super) struct Symbol {
    pub(super) of: Arc<Instrument>,
    pub(super) quantity_before: Dec,
    pub(super) price_before: Dec,
    pub(super) quantity: Dec,
    pub(super) price: Dec,
    /// In the base currency.
    pub(super) prior_mtm: Dec,
    pub(super) trade_mtm: Dec,
    pub(super) commissions: Dec,
    /// Short-term profit and loss, long-term profit and loss, in the base currency.
    pub(super) realized: [Dec; 4],
    pub(super) trades: Sum,
}

/// Trades added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) quantity: Dec,
    pub(super) bought: Dec,
    pub(super) money: Dec,
    pub(super) proceeds: Dec,
    pub(super) commission: Dec,
    pub(super) commission_currency: String,
    pub(super) tax: Dec,
    pub(super) net: Dec,
    pub(super) net_base: Dec,
    pub(super) cost: Dec,
    pub(super) realized: Dec,
    pub(super) mtm: Dec,
    pub(super) close: Dec,
    pub(super) rate: Dec,
}

impl Sum {
    pub(super) fn add(&mut self, traded: &Traded<'_>) {
        let fill = traded.fill;
        self.count += 1;
        self.quantity += fill.quantity;
        self.bought += fill.quantity.positive();
        self.money += traded.money;
        self.proceeds += traded.proceeds;
        self.commission += fill.commission;
        self.commission_currency.clone_from(&fill.commission_currency);
        self.tax += fill.tax;
        self.net += traded.net;
        self.net_base += traded.net.times(traded.rate).round(9);
        self.cost += traded.cost;
        self.realized += traded.realized;
        self.mtm += traded.mtm;
        (self.close, self.rate) = (traded.close, traded.rate);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.commission_currency.clone_from(&other.commission_currency);
        for (sum, more) in [
            (&mut self.quantity, other.quantity),
            (&mut self.bought, other.bought),
            (&mut self.money, other.money),
            (&mut self.proceeds, other.proceeds),
            (&mut self.commission, other.commission),
            (&mut self.tax, other.tax),
            (&mut self.net, other.net),
            (&mut self.net_base, other.net_base),
            (&mut self.cost, other.cost),
            (&mut self.realized, other.realized),
            (&mut self.mtm, other.mtm),
        ] {
            *sum += more;
        }
    }
}

/// Interest of one currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Interest {
    pub(super) accrued: Both,
    pub(super) reversed: Both,
}

/// A period.
#[derive(Debug)]
pub(super) struct Totals {
    pub(super) first: Nav,
    pub(super) last: Nav,
    /// Every report day's end.
    pub(super) days: Vec<(Date, Nav)>,
    pub(super) flows: BTreeMap<(String, FlowKind), Both>,
    pub(super) symbols: BTreeMap<i64, Symbol>,
    pub(super) interest: BTreeMap<String, Interest>,
    /// In the base currency.
    pub(super) dividends_accrued: Dec,
    pub(super) fx_trading: Dec,
    pub(super) transferred: Dec,
    pub(super) cash_translation: Dec,
    pub(super) translation: Dec,
    /// What the day's accruals came to, until the day is over.
    accrued: Dec,
    /// Money from outside, of the day; and the growth so far.
    outside: Dec,
    growth: f64,
}

impl Totals {
    pub(super) fn new(before: &Ledger<'_>) -> Self {
        let mut totals = Self {
            first: before.nav,
            last: before.nav,
            days: Vec::new(),
            flows: BTreeMap::new(),
            symbols: BTreeMap::new(),
            interest: BTreeMap::new(),
            dividends_accrued: Dec::ZERO,
            fx_trading: Dec::ZERO,
            transferred: Dec::ZERO,
            cash_translation: Dec::ZERO,
            translation: Dec::ZERO,
            accrued: Dec::ZERO,
            outside: Dec::ZERO,
            growth: 1.0,
        };
        for position in before.positions.values() {
            let symbol = totals.symbol(&position.of);
            (symbol.quantity_before, symbol.price_before) = (position.quantity(), position.price);
        }
        totals
    }

    /// Takes note of a fact.
    pub(super) fn see(&mut self, fact: &Fact<'_>) {
        match fact {
            Fact::Day(_) => (self.accrued, self.outside) = (Dec::ZERO, Dec::ZERO),
            Fact::Order(order, traded) => self.trade(order, traded),
            Fact::Flow(flow) => self.flow(flow),
            Fact::Dividend { due, is_new, rate } => {
                let net = if *is_new { due.gross - due.tax } else { due.tax - due.gross };
                let base = net.times(*rate).round(9);
                self.dividends_accrued += base;
                self.accrued += base;
            }
            Fact::Interest(accrual) => {
                let of = self.interest.entry(accrual.currency.to_owned()).or_default();
                let sum = if accrual.is_reversal { &mut of.reversed } else { &mut of.accrued };
                sum.add(accrual.amount, accrual.base);
                self.accrued += accrual.base;
            }
            Fact::Action { action, acted, rate } => {
                let gain = acted.realized.times(*rate).round(9);
                self.symbol(&action.of).realize(gain, acted.is_long_term);
            }
            Fact::Transfer(_, [_, base]) => {
                self.transferred += *base;
                self.outside += *base;
            }
            Fact::Mark(mark) => {
                let symbol = self.symbol(&mark.of);
                symbol.prior_mtm += mark.base - mark.base_trades;
                symbol.trade_mtm += mark.base_trades;
                (symbol.quantity, symbol.price) = (mark.quantity, mark.price);
            }
            Fact::Translation { cash, held, accrued } => {
                self.cash_translation += *cash;
                self.translation += *cash + *held + *accrued - self.accrued;
            }
            Fact::End(ledger) => self.end(ledger),
        }
    }

    fn trade(&mut self, order: &Order, traded: &[Traded<'_>]) {
        let symbol = self.symbol(&order.of);
        for one in traded {
            symbol.trades.add(one);
            for lot in &one.lots {
                symbol.realize(lot.realized.times(one.rate).round(9), lot.is_long_term);
            }
        }
    }

    fn flow(&mut self, flow: &Flow<'_>) {
        let key = (flow.currency.to_owned(), flow.kind);
        self.flows.entry(key).or_default().add(flow.amount, flow.base);
        match (flow.kind, flow.of) {
            (FlowKind::Deposit | FlowKind::Withdrawal, _) => self.outside += flow.base,
            (FlowKind::Commission, Some(of)) => self.symbol(of).commissions += flow.base,
            (FlowKind::Purchase | FlowKind::Sale, Some(of)) if of.is("CASH") => {
                self.fx_trading += flow.base;
                self.symbol(of).trade_mtm += flow.base;
            }
            _ => {}
        }
    }

    fn end(&mut self, ledger: &Ledger<'_>) {
        // Money from outside earns nothing on the day on which it comes.
        let (before, after) = (self.last.total(), ledger.nav.total());
        if before > Dec::ZERO {
            self.growth *= (after - self.outside).float() / before.float();
        }
        self.last = ledger.nav;
        self.days.push((ledger.day, ledger.nav));
    }

    /// Time-weighted return in per cent.
    pub(super) fn twr(&self) -> Dec {
        Dec::near((self.growth - 1.0) * 100.0, 9)
    }

    /// All flows of these kinds, in the base currency.
    pub(super) fn base(&self, kinds: &[FlowKind]) -> Dec {
        let wanted = self.flows.iter().filter(|((_, kind), _)| kinds.contains(kind));
        wanted.map(|(_, both)| both.base).sum()
    }

    /// Gains of everything but currencies, without commissions, in the base currency.
    pub(super) fn mtm(&self) -> Dec {
        let symbols = self.symbols.values().filter(|symbol| !symbol.of.is("CASH"));
        symbols.map(|symbol| symbol.prior_mtm + symbol.trade_mtm).sum()
    }

    fn symbol(&mut self, of: &Arc<Instrument>) -> &mut Symbol {
        self.symbols.entry(of.conid).or_insert_with(|| Symbol {
            of: Arc::clone(of),
            quantity_before: Dec::ZERO,
            price_before: Dec::ZERO,
            quantity: Dec::ZERO,
            price: Dec::ZERO,
            prior_mtm: Dec::ZERO,
            trade_mtm: Dec::ZERO,
            commissions: Dec::ZERO,
            realized: [Dec::ZERO; 4],
            trades: Sum::default(),
        })
    }
}

impl Symbol {
    fn realize(&mut self, gain: Dec, is_long_term: bool) {
        let [short_profit, short_loss, long_profit, long_loss] = &mut self.realized;
        let (profit, loss) =
            if is_long_term { (long_profit, long_loss) } else { (short_profit, short_loss) };
        *profit += gain.positive();
        *loss += gain.negative();
    }
}
