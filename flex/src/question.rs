//! What can be asked of archived statements, and short English texts understood as that.
//!
//! A text is understood word by word: what is asked about, by what, of which days, symbol and account.
//! A word that means nothing here is kept, and the answer names it: whoever asked for "AAPL without
//! fees" should see that "without fees" was not heard.

mod days;
mod words;

use jiff::civil::Date;
use serde::Serialize;

use crate::archive::coverage_name;
use crate::summary::Period;

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Realised profit and loss, first in first out, as IBKR reports it.
    RealisedPnl,
    /// Dividends, with what was withheld of them, and what is left.
    Dividends,
    /// Withholding tax.
    Withholding,
    /// Commissions.
    Commissions,
    /// Fees and taxes on trades.
    Fees,
    /// Both of them.
    FeesAndCommissions,
    /// Interest paid and received.
    Interest,
    /// Deposits and withdrawals of cash.
    Deposits,
    /// Trades, one by one.
    Trades,
    /// Open positions on a day.
    Positions,
    /// Net asset value, day by day.
    NetAssetValue,
    /// Time-weighted return, as IBKR computes it.
    Performance,
}

/// What amounts are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The instrument.
    Symbol,
    /// Of the issuer, or of who withheld.
    Country,
    /// Calendar years.
    Year,
    /// Calendar months.
    Month,
    /// Accounts.
    Account,
    /// For instance `Dividends` and `Payment In Lieu Of Dividends`.
    Type,
    /// For instance `STK` and `OPT`.
    AssetClass,
    /// Currencies: amounts always are.
    Currency,
}

/// Which way trades go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Bought.
    Buy,
    /// Sold.
    Sell,
}

/// In which order rows are shown; the first ones, if not all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The largest amounts first.
    Largest,
    /// The smallest, so the greatest losses, first.
    Smallest,
    /// The latest first.
    Newest,
    /// The earliest first.
    Oldest,
}

/// Which of its days a row counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DatedBy {
    /// On which it came into IBKR's reports.
    Report,
    /// On which it is paid or settled.
    Settle,
    /// On which it happened.
    Trade,
}

/// Asked of all queries together.
pub const ALL_QUERIES: &str = "all";

/// A question, understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// What is asked about.
    pub about: About,
    /// What amounts are grouped by, besides their currency.
    pub by: Vec<By>,
    /// The first day; missing: from the first that is covered.
    pub from: Option<Date>,
    /// The last day; missing: up to the last that is covered.
    pub to: Option<Date>,
    /// Only this account.
    pub account: Option<String>,
    /// Only this symbol, contract id, ISIN, or what the name of a company begins with.
    pub symbol: Option<String>,
    /// With that symbol also its options and futures options.
    pub options: bool,
    /// Only of issuers of this country, by its two letters.
    pub country: Option<String>,
    /// Only purchases, or only sales.
    pub side: Option<Side>,
    /// In which order; without it in the order of what they are grouped by.
    pub sort: Option<Sort>,
    /// Only from this query, by number or name; from all together by [`ALL_QUERIES`].
    pub query: Option<String>,
    /// Which of its days a row counts by, if not the usual one.
    pub dated_by: Option<DatedBy>,
    /// Words that were not understood.
    pub ignored: Vec<String>,
    /// The day of asking: what is after it cannot be missing.
    pub today: Date,
}

/// What is given besides the text. It wins over the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
    /// A calendar year.
    pub year: Option<i16>,
    /// An account.
    pub account: Option<String>,
    /// A query, by number or name.
    pub query: Option<String>,
    /// A symbol, contract id, ISIN or company.
    pub symbol: Option<String>,
    /// With its options.
    pub options: bool,
    /// What amounts are grouped by.
    pub by: Vec<By>,
    /// A country, by its two letters.
    pub country: Option<String>,
    /// Purchases or sales.
    pub side: Option<Side>,
    /// In which order.
    pub sort: Option<Sort>,
    /// Which of its days a row counts by.
    pub dated_by: Option<DatedBy>,
}

/// Why a text is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// It is about nothing that can be asked.
    #[error("this was not understood as a question about statements. What they tell: {CAN}")]
    Nothing,
    /// About several things at once.
    #[error("this asks for {} at once; ask for one at a time. What can be asked: {CAN}", join(.0))]
    Several(Vec<About>),
    /// About days that do not follow one another, or none.
    #[error("it is not clear which days are meant: {0}; give from and to, or a year")]
    Days(String),
    /// What is asked about is not told in that way.
    #[error("{} cannot be asked {what}", about.name())]
    Cannot {
        /// About what.
        about: About,
        /// In which way.
        what: &'static str,
    },
}

/// One line of what can be asked.
pub const CAN: &str = "realised P&L (by symbol, year, month, asset class), dividends before and after \
    tax (by symbol, country), withholding tax (by country, symbol), fees and commissions (by type, symbol), interest \
    (by type), deposits and withdrawals, trades of a period, positions on a day, net asset value over \
    time, performance (time-weighted return); each for a period (\"2026\", \"last month\", \"since 2025-07-01\"), a symbol and an account";

impl About {
    /// Everything that can be asked about, by its name as an argument.
    pub const ALL: [(&'static str, Self); 12] = [
        ("realized", Self::RealisedPnl),
        ("dividends", Self::Dividends),
        ("withholding", Self::Withholding),
        ("commissions", Self::Commissions),
        ("fees", Self::Fees),
        ("fees_and_commissions", Self::FeesAndCommissions),
        ("interest", Self::Interest),
        ("deposits", Self::Deposits),
        ("trades", Self::Trades),
        ("positions", Self::Positions),
        ("nav", Self::NetAssetValue),
        ("performance", Self::Performance),
    ];
    /// Other names for some of them.
    pub const ALSO: [(&'static str, Self); 8] = [
        ("realised", Self::RealisedPnl),
        ("realised_pnl", Self::RealisedPnl),
        ("realized_pnl", Self::RealisedPnl),
        ("net_dividends", Self::Dividends),
        ("withholding_tax", Self::Withholding),
        ("tax", Self::Withholding),
        ("net_asset_value", Self::NetAssetValue),
        ("twr", Self::Performance),
    ];

    /// As people say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RealisedPnl => "realised P&L",
            Self::Dividends => "dividends",
            Self::Withholding => "withholding tax",
            Self::Commissions => "commissions",
            Self::Fees => "fees",
            Self::FeesAndCommissions => "fees and commissions",
            Self::Interest => "interest",
            Self::Deposits => "deposits and withdrawals",
            Self::Trades => "trades",
            Self::Positions => "positions",
            Self::NetAssetValue => "net asset value",
            Self::Performance => "performance",
        }
    }

    /// What amounts are grouped by if nobody says.
    fn usual(self) -> &'static [By] {
        match self {
            Self::RealisedPnl | Self::Dividends => &[By::Symbol],
            Self::Withholding => &[By::Country],
            Self::Commissions | Self::Fees | Self::FeesAndCommissions | Self::Interest => {
                &[By::Type]
            }
            Self::Deposits
            | Self::Trades
            | Self::Positions
            | Self::NetAssetValue
            | Self::Performance => &[],
        }
    }
}

impl By {
    /// Everything that amounts can be grouped by, by its name as an argument.
    pub const ALL: [Self; 8] = [
        Self::Symbol,
        Self::Country,
        Self::Year,
        Self::Month,
        Self::Account,
        Self::Type,
        Self::AssetClass,
        Self::Currency,
    ];

    /// The name of its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Country => "country",
            Self::Year => "year",
            Self::Month => "month",
            Self::Account => "account",
            Self::Type => "type",
            Self::AssetClass => "assetClass",
            Self::Currency => "currency",
        }
    }
}

impl Question {
    /// A question about something, in which everything else is given.
    pub fn of(about: About, given: &Given, today: Date) -> Result<Self, NotUnderstood> {
        let mut question = Self {
            about,
            by: about.usual().to_vec(),
            from: None,
            to: None,
            account: None,
            symbol: None,
            options: false,
            country: None,
            side: None,
            sort: None,
            query: None,
            dated_by: None,
            ignored: Vec::new(),
            today,
        };
        question.give(given)?;
        Ok(question)
    }

    /// Understands a text. `today` is where "last month" counts from.
    pub fn parse(text: &str, given: &Given, today: Date) -> Result<Self, NotUnderstood> {
        let mut words = words::split(text);
        let account = words::account(&mut words);
        let span = days::find(&mut words, today).map_err(NotUnderstood::Days)?;
        let mut by = words::by(&mut words);
        let about = words::about(&mut words)?;
        words::around_tax(&mut words, about);
        let symbol = words::symbol(&mut words, text);
        if by.is_empty() {
            by.extend(about.usual());
            if span.is_compared && !by.contains(&By::Year) {
                by.push(By::Year);
            }
        }
        let mut question = Self {
            by,
            from: span.from,
            to: span.to,
            account,
            symbol,
            ignored: words::unused(&words),
            ..Self::of(about, &Given::default(), today)?
        };
        question.give(given)?;
        Ok(question)
    }

    /// Lets what is given win.
    fn give(&mut self, given: &Given) -> Result<(), NotUnderstood> {
        if let Some(year) = given.year {
            let first =
                Date::new(year, 1, 1).map_err(|error| NotUnderstood::Days(error.to_string()))?;
            (self.from, self.to) = (Some(first), Some(first.last_of_year()));
        }
        if given.from.is_some() || given.to.is_some() {
            let is_only = given.year.is_none();
            self.from = given.from.or(self.from.filter(|_| !is_only));
            self.to = given.to.or(self.to.filter(|_| !is_only));
        }
        self.account = given.account.clone().or(self.account.take());
        self.query = given.query.clone().or(self.query.take());
        self.symbol = given.symbol.clone().or(self.symbol.take());
        self.options |= given.options;
        self.country = given.country.clone().or(self.country.take());
        self.side = given.side.or(self.side);
        self.sort = given.sort.or(self.sort);
        self.dated_by = given.dated_by.or(self.dated_by);
        if !given.by.is_empty() {
            self.by.clone_from(&given.by);
        }
        self.check()?;
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => {
                Err(NotUnderstood::Days(format!("{from} is after {to}")))
            }
            _ => Ok(()),
        }
    }

    /// Whether what it is about can be told in this way.
    fn check(&self) -> Result<(), NotUnderstood> {
        let cannot = |what| Err(NotUnderstood::Cannot { about: self.about, what });
        let has_rows_of_trades = matches!(
            self.about,
            About::Trades | About::RealisedPnl | About::Commissions | About::FeesAndCommissions
        );
        let has_times = matches!(self.about, About::Trades | About::NetAssetValue);
        let is_dated = has_times || self.by.iter().any(|by| matches!(by, By::Year | By::Month));
        match (self.about, self.sort) {
            (About::Trades, _) if !self.by.is_empty() => {
                cannot("by anything: they are told one by one")
            }
            (About::NetAssetValue, _)
                if self
                    .by
                    .iter()
                    .any(|by| !matches!(by, By::Month | By::Account | By::Currency)) =>
            {
                cannot("by that: it is of whole accounts, by day or month")
            }
            (About::Positions, _)
                if self.by.iter().any(|by| {
                    !matches!(by, By::Symbol | By::Account | By::Currency | By::AssetClass)
                }) =>
            {
                cannot("by that: each position is a row of its own")
            }
            (About::Performance, _) if self.by.iter().any(|by| *by != By::Account) => {
                cannot("by that: it is of whole accounts")
            }
            (About::NetAssetValue | About::Deposits | About::Performance, _)
                if self.symbol.is_some() =>
            {
                cannot("of one symbol")
            }
            (About::NetAssetValue | About::Deposits | About::Interest | About::Performance, _)
                if self.country.is_some() =>
            {
                cannot("of one country")
            }
            _ if self.side.is_some() && !has_rows_of_trades => {
                cannot("for purchases or sales alone")
            }
            (About::Positions | About::NetAssetValue | About::Performance, _)
                if self.dated_by.is_some() =>
            {
                cannot("by another date: its rows have only one")
            }
            (_, Some(Sort::Newest | Sort::Oldest)) if !is_dated => {
                cannot("in the order of time, unless by month or year")
            }
            _ => Ok(()),
        }
    }

    /// The question as it was understood.
    pub fn restated(&self) -> String {
        let mut text = self.about.name().to_owned();
        text += match self.side {
            Some(Side::Buy) => " (purchases)",
            Some(Side::Sell) => " (sales)",
            None => "",
        };
        if let Some(symbol) = &self.symbol {
            text += &format!(" of {symbol}{}", if self.options { " and its options" } else { "" });
        }
        if let Some(country) = &self.country {
            text += &format!(" from {country}");
        }
        if let Some(account) = &self.account {
            text += &format!(" in {account}");
        }
        let is_of_day = self.about == About::Positions;
        text += &match (self.from, self.to) {
            (_, Some(to)) if is_of_day => format!(" on {to}"),
            (Some(from), Some(to)) => format!(", {}", coverage_name(Period { from, to })),
            (Some(from), None) if !is_of_day => format!(", from {from}"),
            (None, Some(to)) => format!(", up to {to}"),
            _ => String::new(),
        };
        let by: Vec<&str> = self.by.iter().map(|by| by.name()).collect();
        if !by.is_empty() {
            text += &format!(", by {}", by.join(" and "));
        }
        text += match self.sort {
            Some(Sort::Largest) => ", the largest first",
            Some(Sort::Smallest) => ", the smallest first",
            Some(Sort::Newest) => ", the newest first",
            Some(Sort::Oldest) => ", the oldest first",
            None => "",
        };
        text += match self.dated_by {
            Some(DatedBy::Report) => ", by report date",
            Some(DatedBy::Settle) => ", by settle date",
            Some(DatedBy::Trade) => ", by trade date",
            None => "",
        };
        text
    }
}

fn join(abouts: &[About]) -> String {
    abouts.iter().map(|about| about.name()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
