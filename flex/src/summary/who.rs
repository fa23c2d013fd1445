//! Accounts and the days that are covered of them.

use jiff::civil::Date;

use super::{Account, Period};
use crate::statement::Statement;
use crate::value::{self, Moment, Order};

/// What dates mean if the month comes first, and if the day does. Which it is shows only in the end.
#[derive(Debug, Clone, Copy, Default)]
struct Both<T> {
    month_first: T,
    day_first: T,
}

#[derive(Debug, Default)]
pub(super) struct Who {
    accounts: Vec<Frame>,
    generated: Both<Option<Moment>>,
}

#[derive(Debug)]
struct Frame {
    account: String,
    statements: u64,
    periods: Both<Option<Period>>,
}

/// More accounts than any consolidated statement has.
const MOST: usize = 10_000;

impl Who {
    pub(super) fn take(&mut self, statement: &Statement) {
        self.frame(statement, &statement.account).statements += 1;
        self.generated.update(|order, latest| {
            let made = value::moment(&statement.generated, order).ok().flatten();
            *latest = (*latest).max(made);
        });
    }

    /// Under a consolidated statement rows are of other accounts than it names.
    pub(super) fn take_row(&mut self, statement: &Statement, account: &str) {
        let is_other = !matches!(account.trim(), "" | "-") && account != statement.account;
        let is_known = || self.accounts.iter().any(|frame| frame.account == account);
        if is_other && !is_known() && self.accounts.len() < MOST {
            self.frame(statement, account);
        }
    }

    fn frame(&mut self, statement: &Statement, account: &str) -> &mut Frame {
        let known = self.accounts.iter().rposition(|frame| frame.account == account);
        let at = known.unwrap_or_else(|| {
            self.accounts.push(Frame {
                account: account.to_owned(),
                statements: 0,
                periods: Both::default(),
            });
            self.accounts.len() - 1
        });
        let frame = &mut self.accounts[at];
        frame.periods.update(|order, period| {
            let read = |text: &str| value::date(text, order).ok().flatten();
            if let (Some(from), Some(to)) = (read(&statement.from), read(&statement.to)) {
                *period = Some(joined(*period, Period { from, to }));
            }
        });
        frame
    }

    pub(super) fn finish(self, order: Order) -> (Vec<Account>, Option<Period>, Option<Moment>) {
        let accounts: Vec<Account> = self
            .accounts
            .into_iter()
            .map(|frame| Account {
                account: frame.account,
                period: frame.periods.get(order),
                statements: frame.statements,
            })
            .collect();
        let period = accounts
            .iter()
            .filter_map(|account| account.period)
            .fold(None, |all, period| Some(joined(all, period)));
        (accounts, period, self.generated.get(order))
    }
}

impl<T: Copy + PartialEq> Both<Option<T>> {
    fn update(&mut self, mut with: impl FnMut(Order, &mut Option<T>)) {
        with(Order::MonthFirst, &mut self.month_first);
        with(Order::DayFirst, &mut self.day_first);
    }

    fn get(self, order: Order) -> Option<T> {
        match order {
            Order::MonthFirst => self.month_first,
            Order::DayFirst => self.day_first,
            Order::Unknown => self.month_first.filter(|_| self.month_first == self.day_first),
        }
    }
}

fn joined(all: Option<Period>, one: Period) -> Period {
    let earlier = |a: Date, b: Date| if a < b { a } else { b };
    let later = |a: Date, b: Date| if a > b { a } else { b };
    match all {
        Some(all) => Period { from: earlier(all.from, one.from), to: later(all.to, one.to) },
        None => one,
    }
}
