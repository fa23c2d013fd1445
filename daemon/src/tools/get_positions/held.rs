//! What an account holds, and what is known of it besides.

use std::collections::BTreeMap;
use std::ops::Range;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::portfolio::Position;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::snapshot::{Field, Row};
use rust_decimal::Decimal;
use tokio::time::Instant;

use super::columns::{Sort, sorted};
use super::said;
use super::{CENTS, SOON, Totals};
use crate::contracts;
use crate::portfolio::{self, Base, Sums, Valued};
use crate::refusal::Refusal;
use crate::tools::Ctx;
use crate::tools::cell::{Num, Time};

/// What is held, and what its currencies are worth.
pub(super) struct Held {
    pub(super) positions: Rows<Position>,
    pub(super) base: Base,
    has_rates: bool,
    /// Whether prior closes could be asked for.
    pub(super) has_closes: bool,
    pub(super) warnings: Vec<String>,
    pub(super) as_of: Time,
}

impl Held {
    /// Without rates there are positions all the same.
    pub(super) async fn read(ctx: &Ctx, account: &AccountId) -> Result<Self, Refusal> {
        let deadline = ctx.deadline;
        let ((positions, at), ledger) = ctx
            .read(|lease| async move {
                let (positions, ledger) = tokio::join!(
                    portfolio::positions(&lease, account, deadline),
                    portfolio::ledger(&lease, account, deadline),
                );
                Ok((positions?, ledger))
            })
            .await?;
        Ok(match ledger {
            Ok(ledger) => {
                let base = Base::of(&ledger.ledger, ledger.base);
                let warnings = said::of_list(&positions, &base).into_iter().collect();
                let as_of = Time(at.min(ledger.at));
                Self { positions, base, has_rates: true, has_closes: false, warnings, as_of }
            }
            Err(failure) => Self {
                positions,
                base: Base::default(),
                has_rates: false,
                has_closes: false,
                warnings: vec![format!("Nothing is known in base currency: {failure}.")],
                as_of: Time(at),
            },
        })
    }

    /// The prior closes of some positions, as far as IBKR tells them.
    pub(super) async fn closes(
        &mut self,
        ctx: &Ctx,
        of: Range<usize>,
        deadline: Instant,
    ) -> BTreeMap<Conid, Decimal> {
        let of: Vec<&Position> = self.positions.iter().skip(of.start).take(of.len()).collect();
        let conids: Vec<Conid> = of.iter().map(|one| one.conid).collect();
        let found = match ctx.lease().await {
            Ok(lease) => {
                let market = &ctx.desks.market;
                let underlyings: Vec<String> =
                    of.iter().filter_map(|one| underlying(one)).collect();
                // Without it their derivatives have no quotes, and the others have.
                let _ = market.underlyings().prepare(&lease, underlyings, deadline).await;
                let rows = market.portraits(&lease, &conids, &[Field::PriorClose], deadline).await;
                rows.map_err(|failure| format!("{failure}."))
            }
            Err(refusal) => Err(refusal.message),
        };
        self.has_closes = found.is_ok();
        let rows = found.unwrap_or_else(|why| {
            self.warnings.push(format!("The day's P&L is not known: {why}"));
            BTreeMap::new()
        });
        let close = |row: &Row| row.number(Field::PriorClose).filter(|close| !close.is_zero());
        rows.iter().filter_map(|(conid, row)| Some((*conid, close(row)?))).collect()
    }

    pub(super) fn valued(&self, closes: &BTreeMap<Conid, Decimal>) -> Vec<Valued> {
        let close = |position: &Position| closes.get(&position.conid).copied();
        self.positions.iter().map(|one| self.base.value(one, close(one))).collect()
    }

    pub(super) fn sort(&mut self, sort: Option<Sort>, closes: &BTreeMap<Conid, Decimal>) {
        let Some(sort) = sort else { return };
        let valued = self.valued(closes);
        let positions = std::mem::take(&mut self.positions);
        self.positions = positions.with_rows(|rows| sorted(rows, &valued, sort));
    }

    /// The companies of some positions: where IBKR's list does not say them yet, its definitions do.
    pub(super) async fn names(&self, ctx: &Ctx, of: Range<usize>) -> BTreeMap<Conid, String> {
        let shown = self.positions.iter().skip(of.start).take(of.len());
        let (mut names, mut unnamed) = (BTreeMap::new(), Vec::new());
        for position in shown {
            match &position.name {
                Some(name) => _ = names.insert(position.conid, name.clone()),
                None => unnamed.push(position.conid),
            }
        }
        if let (Ok(lease), false) = (ctx.lease().await, unnamed.is_empty()) {
            let soon = ctx.deadline.min(Instant::now() + SOON);
            let found = contracts::by_conids(&lease, &ctx.desks.store, &unnamed, soon).await;
            let found = found.unwrap_or_default().into_iter();
            names.extend(found.filter_map(|contract| Some((contract.conid, contract.name?))));
        }
        names
    }

    pub(super) fn totals(&self, valued: &[Valued]) -> Option<Totals> {
        let sums = Sums::of(valued);
        let money = |amount: Decimal| Num::rounded(amount, CENTS);
        // A sum of nothing but what is not known is none.
        let is_known = valued.is_empty() || sums.left_out < valued.len();
        self.has_rates.then(|| Totals {
            net_liquidation: self.base.net.map(money),
            value: is_known.then(|| money(sums.value)),
            unrealized_pnl: is_known.then(|| money(sums.unrealized)),
            day_pnl: sums.day.filter(|_| !valued.is_empty()).map(money),
            left_out: (sums.left_out > 0).then_some(sums.left_out),
        })
    }
}

/// The symbol that a position is written on.
fn underlying(position: &Position) -> Option<String> {
    let is_derived = position.asset_class.as_ref().is_some_and(SecType::is_derivative);
    position.ticker.clone().filter(|_| is_derived)
}
