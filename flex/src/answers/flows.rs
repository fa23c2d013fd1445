//! What flowed: realised P&L, dividends, tax, fees, interest and deposits, each told from the rest.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Answer;
use super::fields::{Field, Item};
use super::read::Context;
use super::sums::{BASE, Flow, Sums};
use crate::cell::clean;
use crate::question::{About, By, Question};

#[derive(Debug, Default)]
pub(super) struct Flows {
    sums: Sums,
    /// Trades whose taxes stand in their own rows.
    taxed: BTreeSet<String>,
    /// Taxes of trades from a section of their own: they count where the trade's row has none.
    of_trades: Vec<TradeTax>,
}

/// A tax on a trade, to be added once it is known that the trade's own row does not have it.
#[derive(Debug)]
struct TradeTax {
    trade: String,
    keys: Vec<String>,
    account: String,
    currency: String,
    amount: Decimal,
    day: Option<Date>,
    rate: Option<Decimal>,
}

/// A kind of cash transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cash {
    Dividend,
    /// Paid instead of one, by whoever borrowed the shares.
    InLieu,
    /// Of dividends, or of interest.
    Withheld {
        of_dividend: bool,
    },
    Interest,
    Fee,
    CommissionAdjustment,
    Deposit,
}

/// What of a row counts.
struct Part {
    kind: String,
    measure: usize,
    amount: Decimal,
    currency: String,
}

/// Days of rows: the first that there is. Trades as tax wants them, cash as IBKR's statements do.
const TRADE_DAYS: &[Field] = &[Field::TradeDate, Field::DateTime, Field::ReportDate];
const CASH_DAYS: &[Field] = &[Field::ReportDate, Field::DateTime, Field::SettleDate, Field::Date];
const TAX_DAYS: &[Field] = &[Field::Date, Field::ReportDate];

impl Flows {
    pub(super) fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        match item.section {
            "Trades" => self.trade(context, item),
            "TradeConfirms" => self.confirm(context, item),
            "CorporateActions" => self.action(context, item),
            "FIFOPerformanceSummaryInBase" => self.summary(context, item),
            "SalesTaxes" => self.tax(context, item, (Field::SalesTax, "Sales tax")),
            "TransactionTaxes" => self.trade_tax(context, item),
            "Transfers" => self.transfer(context, item),
            _ => self.cash(context, item),
        }
    }

    fn trade(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let day = context.day(item, TRADE_DAYS);
        if !context.counts(item, day) {
            return;
        }
        let about = context.question.about;
        if about == About::RealisedPnl {
            context.need(item, (Field::Realised, "realised P&L"));
            let part = plain(context, item, (Field::Realised, "Trades"));
            self.add(context, item, (day, part));
        }
        if is_of_commissions(about) {
            context.need(item, (Field::Commission, "commissions"));
            context.want(item, (Field::CommissionCurrency, "the currency of commissions"));
            let part = commission(context, item, [Field::Commission, Field::CommissionCurrency]);
            self.add(context, item, (day, part));
        }
        if is_of_fees(about) {
            context.want(item, (Field::Taxes, "taxes on trades"));
            let part = plain(context, item, (Field::Taxes, "Taxes on trades"));
            let is_taxed = part.as_ref().is_some_and(|part| !part.amount.is_zero());
            let trade = item.text(Field::TradeId).filter(|_| is_taxed);
            self.taxed.extend(trade.map(std::borrow::Cow::into_owned));
            self.add(context, item, (day, part));
        }
    }

    fn tax(
        &mut self,
        context: &mut Context<'_>,
        item: &Item<'_>,
        (field, kind): (Field, &'static str),
    ) {
        let day = context.day(item, TAX_DAYS);
        if context.counts(item, day) {
            context.want(item, (field, kind));
            let part = plain(context, item, (field, kind));
            self.add(context, item, (day, part));
        }
    }

    /// The same tax may stand in the trade's own row, before or after this.
    fn trade_tax(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let (field, kind) = (Field::TaxAmount, "Taxes on trades");
        let trade = item.text(Field::TaxedTrade).or_else(|| item.text(Field::TradeId));
        let Some(trade) = trade else { return self.tax(context, item, (field, kind)) };
        let day = context.day(item, TAX_DAYS);
        if !context.counts(item, day) {
            return;
        }
        let Some(part) = plain(context, item, (field, kind)) else { return };
        self.of_trades.push(TradeTax {
            trade: trade.into_owned(),
            keys: keys(context.question, item, (day, &part.kind)),
            account: item.account().into_owned(),
            currency: part.currency,
            amount: part.amount,
            day,
            rate: context.number(item, Field::FxRateToBase),
        });
    }

    /// Cash that came from another account or went to one.
    fn transfer(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let day = context.day(item, CASH_DAYS);
        if context.counts(item, day) {
            let part = plain(context, item, (Field::CashTransfer, "Cash transfers"));
            self.add(context, item, (day, part));
        }
    }

    fn confirm(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let day = context.day(item, TRADE_DAYS);
        if !context.counts(item, day) {
            return;
        }
        let about = context.question.about;
        if is_of_commissions(about) {
            context.need(item, (Field::ConfirmCommission, "commissions"));
            let fields = [Field::ConfirmCommission, Field::ConfirmCommissionCurrency];
            let part = commission(context, item, fields);
            self.add(context, item, (day, part));
        }
        if is_of_fees(about) {
            context.want(item, (Field::Tax, "taxes on trades"));
            let part = plain(context, item, (Field::Tax, "Taxes on trades"));
            self.add(context, item, (day, part));
        }
    }

    /// A merger for cash realises without a trade.
    fn action(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        let day = context.day(item, CASH_DAYS);
        if context.counts(item, day) {
            let part = plain(context, item, (Field::Realised, "Corporate actions"));
            self.add(context, item, (day, part));
        }
    }

    /// One row for each instrument, and some for all together, which have neither symbol nor id.
    fn summary(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        context.need(item, (Field::TotalRealised, "realised P&L"));
        let is_total = item.text(Field::Symbol).is_none() && item.text(Field::Conid).is_none();
        if is_total || !context.claim(&item.account()) {
            return;
        }
        let day =
            context.day(item, &[Field::ReportDate]).or(context.period.map(|period| period.to));
        let part = plain(context, item, (Field::TotalRealised, "Trades"))
            .map(|part| Part { currency: BASE.to_owned(), ..part });
        self.add(context, item, (day, part));
    }

    fn cash(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        context.need(item, (Field::Amount, "the amounts"));
        context.need(item, (Field::Type, "what kind of cash it is"));
        let kind = item.text(Field::Type).unwrap_or_default();
        let Some(cash) = cash(&kind, item) else {
            const MOST: usize = 20;
            if !kind.is_empty() && context.strange.len() < MOST {
                context.strange.insert(clean(&kind));
            }
            return;
        };
        let Some((measure, kind)) = place(context.question.about, (cash, &kind)) else { return };
        let day = context.day(item, CASH_DAYS);
        if context.counts(item, day) {
            let part =
                plain(context, item, (Field::Amount, &kind)).map(|part| Part { measure, ..part });
            self.add(context, item, (day, part));
        }
    }

    fn add(
        &mut self,
        context: &mut Context<'_>,
        item: &Item<'_>,
        (day, part): (Option<Date>, Option<Part>),
    ) {
        want(context, item);
        let Some(part) = part.filter(|part| !part.amount.is_zero()) else { return };
        let own = item.text(Field::Currency).unwrap_or_default();
        // The row's rate is of its own currency, and a commission may be in another.
        let rate =
            if own == part.currency { context.number(item, Field::FxRateToBase) } else { None };
        // What came and what went are told apart, and together.
        let measures: &[usize] = match (context.question.about, part.amount.is_sign_negative()) {
            (About::Deposits, false) => &[NET, DEPOSITED],
            (About::Deposits, true) => &[NET, WITHDRAWN],
            (About::Dividends | About::Interest, _) => &[part.measure, AFTER_TAX],
            _ => &[part.measure],
        };
        let flow = Flow {
            keys: keys(context.question, item, (day, &part.kind)),
            account: &item.account(),
            currency: &part.currency,
            measures,
            amount: part.amount,
            day,
            rate,
        };
        self.sums.add(flow, &mut context.rates);
    }

    pub(super) fn finish(mut self, context: &mut Context<'_>, answer: &mut Answer) {
        for tax in std::mem::take(&mut self.of_trades) {
            if self.taxed.contains(&tax.trade) {
                continue;
            }
            let flow = Flow {
                keys: tax.keys,
                account: &tax.account,
                currency: &tax.currency,
                measures: &[0],
                amount: tax.amount,
                day: tax.day,
                rate: tax.rate,
            };
            self.sums.add(flow, &mut context.rates);
        }
        let countries = &context.countries;
        self.sums.rename(|key| {
            let conid = key.strip_prefix(OPEN)?;
            Some(countries.get(conid).cloned().unwrap_or_else(|| "unknown".to_owned()))
        });
        let question = context.question;
        let keys: Vec<&str> = grouped(question).map(By::name).collect();
        let measures: Vec<(usize, &str)> = measures(question.about)
            .iter()
            .copied()
            .filter(|(at, _)| match (question.about, *at) {
                (About::Dividends, IN_LIEU) => self.sums.has(IN_LIEU),
                // Where nothing was taken off and nothing stands apart, it would say the same twice.
                (About::Dividends | About::Interest, AFTER_TAX) => {
                    self.sums.has(WITHHELD) || self.sums.has(IN_LIEU)
                }
                _ => true,
            })
            .collect();
        let is_with_in_lieu = question.about == About::Dividends && self.sums.has(IN_LIEU);
        self.sums.finish((&keys, &measures), &mut context.rates, answer);
        answer.notes.extend(remark(question).map(str::to_owned));
        if is_with_in_lieu {
            answer.notes.push("net is dividends, inLieu and withheld added up".to_owned());
        }
    }
}

/// What a reader of such an answer would ask next.
fn remark(question: &Question) -> Option<&'static str> {
    match question.about {
        About::RealisedPnl => Some(
            "as IBKR computes it, first in first out, commissions included; currency translation \
             (FxTransactions) is not in it",
        ),
        About::Withholding if question.by.contains(&By::Country) => {
            Some("the country is the one that withheld, where IBKR says it, else the issuer's")
        }
        About::Dividends if question.by.contains(&By::Country) => {
            Some("the country is the issuer's, as IBKR says it or by ISIN")
        }
        About::Deposits => Some(
            "cash only, also what was transferred between accounts where the template has Transfers; positions \
             that were transferred are not in it",
        ),
        _ => None,
    }
}

/// Of dividends and interest: what was withheld of them.
const WITHHELD: usize = 1;
/// What was paid in lieu stands apart where there is any.
const IN_LIEU: usize = 2;
/// All of these added up: what is left after tax.
const AFTER_TAX: usize = 3;
/// Of deposits.
const NET: usize = 0;
const DEPOSITED: usize = 1;
const WITHDRAWN: usize = 2;

fn measures(about: About) -> &'static [(usize, &'static str)] {
    match about {
        About::RealisedPnl => &[(0, "realised")],
        About::Dividends => {
            &[(0, "dividends"), (WITHHELD, "withheld"), (IN_LIEU, "inLieu"), (AFTER_TAX, "net")]
        }
        About::Withholding => &[(0, "withheld")],
        About::Interest => &[(0, "interest"), (WITHHELD, "withheld"), (AFTER_TAX, "net")],
        About::Deposits => &[(DEPOSITED, "deposited"), (WITHDRAWN, "withdrawn"), (NET, "net")],
        _ => &[(0, "amount")],
    }
}

fn is_of_commissions(about: About) -> bool {
    matches!(about, About::Commissions | About::FeesAndCommissions)
}

fn is_of_fees(about: About) -> bool {
    matches!(about, About::Fees | About::FeesAndCommissions)
}

fn cash(kind: &str, item: &Item<'_>) -> Option<Cash> {
    let kind = kind.to_ascii_lowercase();
    let has = |part: &str| kind.contains(part);
    Some(match () {
        () if has("withholding") || has("871(m)") => {
            Cash::Withheld { of_dividend: is_of_dividend(item) }
        }
        () if has("in lieu") => Cash::InLieu,
        () if has("dividend") => Cash::Dividend,
        () if has("interest") => Cash::Interest,
        () if has("deposit") || has("withdrawal") => Cash::Deposit,
        () if has("commission adjustment") => Cash::CommissionAdjustment,
        () if has("fee") => Cash::Fee,
        () => return None,
    })
}

/// Interest has neither symbol nor id, but for coupons of bonds.
fn is_of_dividend(item: &Item<'_>) -> bool {
    let says = |text: &str| {
        item.text(Field::Description).is_some_and(|words| words.to_uppercase().contains(text))
    };
    let is_bond =
        item.text(Field::AssetCategory).is_some_and(|kind| matches!(&*kind, "BOND" | "BILL"));
    if is_bond || says("COUPON") || says("BOND INTEREST") || says("CREDIT INTEREST") {
        return false;
    }
    item.text(Field::Symbol).is_some() || item.text(Field::Conid).is_some() || says("DIVIDEND")
}

/// Whether a row of cash is of the kind that is asked about.
pub(super) fn is_about(about: About, item: &Item<'_>) -> bool {
    if item.section != "CashTransactions" {
        return true;
    }
    let kind = item.text(Field::Type).unwrap_or_default();
    cash(&kind, item).is_some_and(|cash| place(about, (cash, &kind)).is_some())
}

/// Which of the answer's amounts it is, and what it is called.
fn place(about: About, (cash, kind): (Cash, &str)) -> Option<(usize, String)> {
    let place = match (about, cash) {
        (About::Dividends, Cash::Dividend) | (About::Interest, Cash::Interest) => (0, kind),
        (About::Dividends, Cash::InLieu) => (IN_LIEU, kind),
        (About::Dividends, Cash::Withheld { of_dividend: true })
        | (About::Interest, Cash::Withheld { of_dividend: false }) => (WITHHELD, kind),
        (About::Withholding, Cash::Withheld { of_dividend: true }) => (0, "on dividends"),
        (About::Withholding, Cash::Withheld { of_dividend: false }) => (0, "on interest"),
        (About::Deposits, Cash::Deposit) => (0, kind),
        (About::Fees | About::FeesAndCommissions, Cash::Fee) => (0, kind),
        (About::Commissions | About::FeesAndCommissions, Cash::CommissionAdjustment) => (0, kind),
        _ => return None,
    };
    Some((place.0, place.1.to_owned()))
}

fn plain(context: &mut Context<'_>, item: &Item<'_>, (field, kind): (Field, &str)) -> Option<Part> {
    let amount = context.number(item, field)?;
    let currency = item.text(Field::Currency).unwrap_or_default().into_owned();
    Some(Part { kind: kind.to_owned(), measure: 0, amount, currency })
}

fn commission(
    context: &mut Context<'_>,
    item: &Item<'_>,
    [amount, currency]: [Field; 2],
) -> Option<Part> {
    let part = plain(context, item, (amount, "Commissions"))?;
    let own = item.text(currency).map(std::borrow::Cow::into_owned);
    Some(Part { currency: own.unwrap_or(part.currency), ..part })
}

/// What the answer would be poorer without.
fn want(context: &mut Context<'_>, item: &Item<'_>) {
    let question = context.question;
    if item.section != "FIFOPerformanceSummaryInBase" {
        context.want(item, (Field::Currency, "the currency of amounts"));
        context.want(item, (Field::FxRateToBase, "amounts in base currency"));
    }
    if question.by.contains(&By::Symbol) || question.symbol.is_some() {
        context.want(item, (Field::Symbol, "what it is of"));
    }
    if question.by.contains(&By::AssetClass) {
        context.want(item, (Field::AssetCategory, "the asset class"));
    }
    if question.by.contains(&By::Country) && !item.has(Field::Country) {
        context.want(item, (Field::Isin, "the country"));
    }
}

/// Amounts are by currency in any case.
fn grouped(question: &Question) -> impl Iterator<Item = By> {
    question.by.iter().copied().filter(|by| *by != By::Currency)
}

fn keys(question: &Question, item: &Item<'_>, (day, kind): (Option<Date>, &str)) -> Vec<String> {
    let text = |field: Field| item.text(field).map(|text| clean(&text)).unwrap_or_default();
    grouped(question)
        .map(|by| match by {
            By::Symbol => {
                item.text(Field::Symbol).map_or_else(|| text(Field::Conid), |text| clean(&text))
            }
            By::Country => country(item, question.about),
            By::Year => day.map(|day| day.year().to_string()).unwrap_or_default(),
            By::Month => day.map(|day| day.strftime("%Y-%m").to_string()).unwrap_or_default(),
            By::Account => item.account().into_owned(),
            By::Type => clean(kind),
            By::AssetClass => text(Field::AssetCategory),
            By::Currency => String::new(),
        })
        .collect()
}

/// Marks a country that only SecuritiesInfo knows, by the contract's id.
pub(super) const OPEN: char = '\0';

pub(super) fn country(item: &Item<'_>, about: About) -> String {
    let description = item.text(Field::Description).unwrap_or_default();
    let withheld = || if about == About::Withholding { taxing(&description) } else { None };
    let of = |field: Field| item.text(field).and_then(|text| Some(text.get(..2)?.to_uppercase()));
    withheld()
        .or_else(|| of(Field::Country))
        .or_else(|| of(Field::Isin))
        .or_else(|| in_brackets(&description))
        .or_else(|| Some(format!("{OPEN}{}", item.text(Field::Conid)?)))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// `… - US TAX`
fn taxing(description: &str) -> Option<String> {
    let before = description.trim_end().strip_suffix(" TAX")?;
    let country = before.get(before.len().checked_sub(2)?..)?;
    let is_country = country.bytes().all(|b| b.is_ascii_uppercase())
        && before[..before.len() - 2].ends_with("- ");
    is_country.then(|| country.to_owned())
}

/// `AAPL(US0378331005) CASH DIVIDEND …`
fn in_brackets(description: &str) -> Option<String> {
    let (_, rest) = description.split_once('(')?;
    let (isin, _) = rest.split_once(')')?;
    let is_isin =
        isin.len() == 12 && isin.is_ascii() && isin[..2].bytes().all(|b| b.is_ascii_uppercase());
    is_isin.then(|| isin[..2].to_owned())
}
