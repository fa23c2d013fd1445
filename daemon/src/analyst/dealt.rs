//! What was dealt in a contract, as it is kept, and its sums. Pure.

use ibd_cpapi::analyst::Transactions;
use ibd_cpapi::exact;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::AccountId;
use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What IBKR told of the last days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dealt {
    /// How many days were asked for.
    pub days: u32,
    /// Into which `rate` of a deal converts.
    pub currency: Option<String>,
    /// Trades and dividends, as IBKR orders them.
    pub deals: Vec<Deal>,
    /// What was realised, day by day; none where IBKR did not tell it in full.
    pub gains: Option<Vec<Gain>>,
    /// What could not be read.
    pub not_read: Vec<String>,
}

/// One trade or dividend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// Its day.
    pub day: Option<Date>,
    /// IBKR's word: Buy, Sell, Dividend, …
    pub kind: Option<String>,
    /// Above zero for what was bought.
    #[serde(with = "exact::opt")]
    pub quantity: Option<Decimal>,
    /// Of one unit.
    #[serde(with = "exact::opt")]
    pub price: Option<Decimal>,
    /// Below zero for what was paid.
    #[serde(with = "exact::opt")]
    pub amount: Option<Decimal>,
    /// Of price and amount.
    pub currency: Option<String>,
    /// Base currency for one unit of it.
    #[serde(with = "exact::opt")]
    pub rate: Option<Decimal>,
}

/// What was realised on a day, in base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gain {
    /// The day.
    pub day: Date,
    /// How much; below zero for a loss.
    #[serde(with = "exact")]
    pub amount: Decimal,
}

/// A sum over deals of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// IBKR's word for the kind.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Units; absent where one is not known.
    pub quantity: Option<Decimal>,
    /// Amounts; absent where one is not known, or they are in several currencies.
    pub amount: Option<Decimal>,
}

impl Dealt {
    /// What a reply says of this account.
    pub fn of(reply: Transactions, account: &AccountId, days: u32) -> Self {
        let unread = reply.rows.unread().iter().map(ToString::to_string);
        let mut not_read: Vec<String> = unread.collect();
        let is_own = |one: &Option<AccountId>| one.as_ref().is_none_or(|one| one == account);
        let deals = reply.rows.into_iter().filter(|row| is_own(&row.account)).map(|row| Deal {
            day: row.day(),
            kind: row.kind.as_deref().map(clean),
            quantity: row.quantity.map(|quantity| quantity.get()),
            price: row.price.map(|price| price.get()),
            amount: row.amount.map(|amount| amount.get()),
            currency: row.currency,
            rate: row.rate.map(|rate| rate.get()),
        });
        let deals = deals.collect();
        let gains = reply.realized.and_then(|realized| {
            not_read.extend(realized.data.unread().iter().map(|row| format!("realised: {row}")));
            if !realized.data.is_whole() {
                return None;
            }
            let said = realized.sum.map(|sum| sum.get());
            let gain = |one: &ibd_cpapi::analyst::Gain| {
                let written = one.amount?.get().checked_mul(one.rate?.get())?;
                let (day, amount) = (one.day()?, signed(written, one.is_loss()));
                Some((Gain { day, amount }, amount != written))
            };
            let gains = realized.data.iter().map(gain).collect::<Option<Vec<_>>>()?;
            let turned = gains.iter().find(|(_, is_turned)| *is_turned).map(|(gain, _)| gain.day);
            let gains: Vec<Gain> = gains.into_iter().map(|(gain, _)| gain).collect();
            if let Some(doubt) = doubt(&gains, said, turned) {
                not_read.push(format!("realised: {doubt}"));
                return None;
            }
            Some(gains)
        });
        Self { days, currency: reply.currency, deals, gains, not_read }
    }

    /// The first day of which anything is told, if it was told on that one.
    pub fn first(&self, told: Date) -> Date {
        told.checked_sub(i64::from(self.days).days()).unwrap_or(told)
    }

    /// The deals of these days, the newest first, and those whose day is not known.
    pub fn between(&self, from: Date, to: Date) -> Vec<&Deal> {
        let is_within = |deal: &&Deal| deal.day.is_none_or(|day| (from..=to).contains(&day));
        let mut deals: Vec<&Deal> = self.deals.iter().filter(is_within).collect();
        deals.sort_by_key(|deal| std::cmp::Reverse(deal.day));
        deals
    }

    /// What was realised in these days, in base currency; absent where IBKR did not tell it in full.
    pub fn realized(&self, from: Date, to: Date) -> Option<Decimal> {
        let within = self.gains.as_ref()?.iter().filter(|gain| (from..=to).contains(&gain.day));
        within.map(|gain| gain.amount).try_fold(Decimal::ZERO, Decimal::checked_add)
    }
}

/// An amount with the sign of what IBKR calls it: whether it writes losses below zero is documented nowhere.
fn signed(amount: Decimal, is_loss: Option<bool>) -> Decimal {
    match is_loss {
        Some(true) if amount > Decimal::ZERO => -amount,
        Some(false) if amount < Decimal::ZERO => -amount,
        _ => amount,
    }
}

/// Why it is not known what was realised. `turned`: a day that is called the other of what its amount says. Its sign is
/// that of what it is called only where IBKR's sum says so, too.
fn doubt(gains: &[Gain], said: Option<Decimal>, turned: Option<Date>) -> Option<String> {
    match turned {
        Some(_) if said.is_some() && agrees(gains, said) => None,
        Some(day) => Some(format!(
            "whether {day} was a gain or a loss is not known: what IBKR calls it and the sign of its amount \
             contradict each other, and IBKR's sum does not say which of them is right"
        )),
        None if agrees(gains, said) => None,
        None => Some("IBKR's sum is not that of its days".to_owned()),
    }
}

/// Whether days are what their sum says, but for a hundredth each. That there are no days is nothing realised only where
/// the sum says so too.
fn agrees(gains: &[Gain], said: Option<Decimal>) -> bool {
    let sum = gains.iter().map(|gain| gain.amount).try_fold(Decimal::ZERO, Decimal::checked_add);
    let Some(sum) = sum else { return false };
    let Some(said) = said else { return !gains.is_empty() };
    let rounding = Decimal::new(i64::try_from(gains.len()).unwrap_or(i64::MAX), 2);
    sum.checked_sub(said).is_some_and(|off| off.abs() <= rounding)
}

impl Sum {
    /// Of deals whose day is known by their kind, in the order in which kinds first come.
    pub fn by_kind(deals: &[&Deal]) -> Vec<Self> {
        let deals: Vec<&Deal> = deals.iter().copied().filter(|deal| deal.day.is_some()).collect();
        let mut kinds: Vec<&String> = Vec::new();
        for kind in deals.iter().filter_map(|deal| deal.kind.as_ref()) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds.into_iter().map(|kind| Self::of(kind, &deals)).collect()
    }

    fn of(kind: &str, deals: &[&Deal]) -> Self {
        let own: Vec<&&Deal> =
            deals.iter().filter(|deal| deal.kind.as_deref() == Some(kind)).collect();
        let sum = |part: fn(&Deal) -> Option<Decimal>| {
            own.iter().try_fold(Decimal::ZERO, |sum, deal| sum.checked_add(part(deal)?))
        };
        let first = own.first().map(|deal| &deal.currency);
        let is_one = own.iter().all(|deal| Some(&deal.currency) == first);
        Self {
            kind: kind.to_owned(),
            count: own.len(),
            quantity: sum(|deal| deal.quantity),
            amount: sum(|deal| deal.amount).filter(|_| is_one),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn dealt(json: &str) -> Dealt {
        let reply: Transactions = serde_json::from_str(json).unwrap();
        Dealt::of(reply, &"DU1234567".parse().unwrap(), 90)
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    const ROWS: &str = r#"{"currency":"USD","rpnl":{"amt":"1.25","data":[
            {"date":"20261030","fxRate":1.0,"amt":"12.25","conid":"7"},
            {"date":"20260901","fxRate":1.1,"amt":"-10","conid":"7"}]},
        "transactions":[
            {"rawDate":"20260901","type":"Buy","qty":10,"pr":5,"amt":-50,"cur":"EUR","fxRate":1.1,"acctid":"DU1234567"},
            {"rawDate":"20261001","type":"Buy","qty":5,"pr":6,"amt":-30,"cur":"EUR","fxRate":1.2},
            {"rawDate":"20261002","type":"Buy","qty":1,"pr":6,"amt":-6,"cur":"EUR","acctid":"DU7"},
            {"rawDate":"20261030","type":"Sell","qty":-5,"pr":7,"amt":"odd","cur":"EUR","fxRate":1.2},
            7]}"#;

    #[test]
    fn deals_of_a_span_are_told_with_their_sums() {
        let dealt = dealt(ROWS);
        assert_eq!((dealt.deals.len(), dealt.not_read.len()), (3, 1));
        let deals = dealt.between(day("2026-08-01"), day("2026-11-02"));
        let days: Vec<String> = deals.iter().map(|deal| deal.day.unwrap().to_string()).collect();
        assert_eq!(days, ["2026-10-30", "2026-10-01", "2026-09-01"]);
        let sums = Sum::by_kind(&deals);
        assert_eq!((sums[0].kind.as_str(), sums[0].count, sums[0].amount), ("Sell", 1, None));
        assert_eq!(sums[0].quantity, Some(Decimal::from(-5)));
        assert_eq!((sums[1].kind.as_str(), sums[1].amount), ("Buy", Some(Decimal::from(-80))));
        assert_eq!(dealt.between(day("2026-10-01"), day("2026-10-01")).len(), 1);
    }

    #[test]
    fn a_deal_without_a_day_is_told_and_is_in_no_sum() {
        let dealt = dealt(
            r#"{"transactions":[{"rawDate":"?","type":"Buy","qty":10,"amt":-50,"cur":"EUR"},
                {"rawDate":"20261001","type":"Buy","qty":5,"amt":-30,"cur":"EUR"}]}"#,
        );
        let deals = dealt.between(day("2026-10-01"), day("2026-11-02"));
        assert_eq!(deals.len(), 2);
        let sums = Sum::by_kind(&deals);
        assert_eq!((sums.len(), sums[0].count, sums[0].amount), (1, 1, Some(Decimal::from(-30))));
        assert_eq!(dealt.first(day("2026-11-02")), day("2026-08-04"));
    }

    #[test]
    fn what_was_realised_is_in_base_currency_and_whole_or_not_known() {
        let all = dealt(ROWS);
        let span = (day("2026-08-01"), day("2026-11-02"));
        assert_eq!(all.realized(span.0, span.1).unwrap().normalize().to_string(), "1.25");
        let late = all.realized(day("2026-10-01"), span.1).unwrap();
        assert_eq!(late.normalize().to_string(), "12.25");
        for odd in [
            r#"{"transactions":[]}"#,
            r#"{"transactions":[],"rpnl":{"data":[{"date":"20261030","amt":"1"}]}}"#,
            r#"{"transactions":[],"rpnl":{"data":[7]}}"#,
            r#"{"transactions":[],"rpnl":{"data":[],"amt":"odd"}}"#,
            r#"{"transactions":[],"rpnl":{"data":[],"amt":"12.25"}}"#,
            r#"{"transactions":[],"rpnl":{"data":[{"date":"20261030","fxRate":1,"amt":"7"}],"amt":"-7"}}"#,
        ] {
            assert_eq!(dealt(odd).realized(span.0, span.1), None, "{odd}");
        }
        let none = dealt(r#"{"transactions":[],"rpnl":{"data":[],"amt":"0.0"}}"#);
        assert_eq!(none.realized(span.0, span.1), Some(Decimal::ZERO));
    }

    #[test]
    fn a_loss_is_never_told_as_a_gain() {
        let row = |side: &str, amount: &str| {
            format!(r#"{{"date":"20261030","fxRate":1,"side":"{side}","amt":"{amount}"}}"#)
        };
        let (gain, loss) = (row("G", "20"), row("L", "12.25"));
        let minus = row("L", "-12.25");
        for (days, sum, expected) in [
            (vec![&gain], Some("20"), Some("20")),
            (vec![&minus], Some("-12.25"), Some("-12.25")),
            (vec![&gain, &minus], Some("7.75"), Some("7.75")),
            // A loss without its sign: the sum says whether it is one.
            (vec![&loss], Some("-12.25"), Some("-12.25")),
            (vec![&gain, &loss], Some("7.75"), Some("7.75")),
            (vec![&loss], Some("12.25"), None),
            (vec![&gain, &loss], Some("32.25"), None),
            (vec![&loss], None, None),
            (vec![&row("G", "-3")], Some("-3"), None),
            (vec![&row("G", "-3")], Some("3"), Some("3")),
            // Nothing has no sign, and what is called neither has its own.
            (vec![&row("L", "0.0")], Some("0"), Some("0")),
            (vec![&row("?", "-3")], Some("-3"), Some("-3")),
        ] {
            let days: Vec<&str> = days.into_iter().map(String::as_str).collect();
            let sum = sum.map(|sum| format!(r#","amt":"{sum}""#)).unwrap_or_default();
            let json =
                format!(r#"{{"transactions":[],"rpnl":{{"data":[{}]{sum}}}}}"#, days.join(","));
            let dealt = dealt(&json);
            let told = dealt.realized(day("2026-10-01"), day("2026-11-02"));
            let told = told.map(|sum| sum.normalize().to_string());
            assert_eq!(told.as_deref(), expected, "{json}");
            assert_eq!(dealt.not_read.is_empty(), expected.is_some(), "{json}");
        }
    }

    #[test]
    fn what_is_kept_is_what_was_told() {
        let dealt = dealt(ROWS);
        let kept = serde_json::to_string(&dealt).unwrap();
        assert_eq!(serde_json::from_str::<Dealt>(&kept).unwrap(), dealt);
    }
}
