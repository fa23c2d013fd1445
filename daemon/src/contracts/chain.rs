//! The options of an underlying: months, days, strikes and contracts, each asked for once a day.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use ibd_cpapi::Failure;
use ibd_cpapi::contracts::{
    GetOptionInfo, GetStrikes, Hit, Hits, OptionInfo, Right, Search, SecType, Strikes,
};
use ibd_cpapi::id::Conid;
use ibd_cpapi::money::Price;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::expiry;
use super::find::Finder;
use ibd_cpapi::exact;

/// New strikes and days are listed overnight.
pub(super) const MEMORY: Duration = Duration::from_secs(12 * 60 * 60);
/// Requests of a chain that are under way at once; others want their turn, too.
const AT_ONCE: usize = 3;

/// One option of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// IBKR's number.
    pub conid: Conid,
    /// The day on which it ends.
    pub expiry: Date,
    /// The strike.
    #[serde(with = "exact")]
    pub strike: Decimal,
    /// Call or put.
    pub right: Right,
    /// Tells weeklies and adjusted options apart.
    pub class: Option<String>,
}

/// A chain's underlying.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    /// How it is asked.
    pub finder: Finder<'a>,
    /// The underlying.
    pub underlying: Conid,
    /// Its symbol.
    pub symbol: &'a str,
    /// Where the options are routed; SMART if left out.
    pub exchange: Option<&'a str>,
}

impl Chain<'_> {
    /// The months that have options, the next one first.
    pub async fn months(self) -> Result<Vec<String>, Failure> {
        Ok(self.hit().await?.map(|hit| hit.option_months).unwrap_or_default())
    }

    /// Where its options are traded, as far as IBKR says.
    pub async fn exchanges(self) -> Result<Vec<String>, Failure> {
        Ok(self.hit().await?.map(|hit| hit.option_exchanges).unwrap_or_default())
    }

    async fn hit(self) -> Result<Option<Hit>, Failure> {
        let search = Search { text: self.symbol.to_owned(), by_name: false };
        let Hits(hits) = self.finder.lease.client().ask(&search, self.finder.deadline).await?.value;
        Ok(hits.into_iter().find(|hit| hit.conid == self.underlying))
    }

    /// The strikes of a month, of calls and of puts.
    pub async fn strikes(self, month: &str) -> Result<Strikes, Failure> {
        let request = GetStrikes {
            underlying: self.underlying,
            sec_type: SecType::Option,
            month: month.to_owned(),
            exchange: self.exchange.map(str::to_owned),
        };
        Ok(self.finder.lease.client().ask(&request, self.finder.deadline).await?.value)
    }

    /// The options of a month with some strikes, of every day that has them; and how many of these IBKR did not
    /// answer for. It fails where that is all of them.
    pub async fn options(
        self,
        month: &str,
        wanted: &[(Decimal, Right)],
    ) -> Result<(Vec<Listed>, usize), Failure> {
        let each = stream::iter(wanted.iter().copied())
            .map(|(strike, right)| self.with_strike(month, strike, right));
        let answers: Vec<Result<Vec<Listed>, Failure>> = each.buffered(AT_ONCE).collect().await;
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(listed) => found.extend(listed),
                // The strike is one of the month's own, so this says nothing of it.
                Err(
                    failure @ (Failure::Refused { .. }
                    | Failure::Trouble { .. }
                    | Failure::Garbled { .. }),
                ) => failed.push(failure),
                Err(failure) => return Err(failure),
            }
        }
        let unanswered = failed.len();
        match failed.into_iter().next().filter(|_| found.is_empty()) {
            Some(failure) => Err(failure),
            None => Ok((found, unanswered)),
        }
    }

    async fn with_strike(
        self,
        month: &str,
        strike: Decimal,
        right: Right,
    ) -> Result<Vec<Listed>, Failure> {
        let (lease, store) = (self.finder.lease, self.finder.store);
        let route = self.exchange.unwrap_or("SMART");
        let key = format!(
            "chain/{}/{}/{route}/{month}/{}/{right}",
            lease.source(),
            self.underlying,
            strike.normalize()
        );
        if let Some(known) = store.recall::<Vec<Listed>>(&key, MEMORY) {
            return Ok(known);
        }
        let request = GetOptionInfo {
            underlying: self.underlying,
            sec_type: SecType::Option,
            month: month.to_owned(),
            strike: Some(Price::new(strike)),
            right: Some(right),
            exchange: self.exchange.map(str::to_owned),
        };
        let options = lease.client().ask(&request, self.finder.deadline).await?.value.into_rows();
        let listed = |option: &OptionInfo| {
            let expiry = expiry::day(option.maturity_date.as_deref()?)?;
            let class = option.trading_class.clone();
            Some(Listed { conid: option.conid, expiry, strike, right, class })
        };
        let listed: Vec<Listed> = options.iter().filter_map(listed).collect();
        if !listed.is_empty() {
            let _ = store.remember(&key, &listed);
        }
        Ok(listed)
    }

    /// The days on which options of a month end.
    pub async fn days(self, month: &str, money: Option<Decimal>) -> Result<Vec<Date>, Failure> {
        let route = self.exchange.unwrap_or("SMART");
        let key = days_key(&self.finder.lease.source(), self.underlying, route, month);
        if let Some(known) = self.finder.store.recall::<Vec<Date>>(&key, MEMORY) {
            return Ok(known);
        }
        let strikes = self.strikes(month).await?;
        // The strike at the money is listed for every day.
        let middle = around(&strikes.call, money, 1);
        let wanted: Vec<_> = middle.into_iter().map(|strike| (strike, Right::Call)).collect();
        let (options, _) = self.options(month, &wanted).await?;
        let days: BTreeSet<Date> = options.iter().map(|option| option.expiry).collect();
        let days: Vec<Date> = days.into_iter().collect();
        // A strike away from the money may not be listed for every day.
        if !days.is_empty() && money.is_some() {
            let _ = self.finder.store.remember(&key, &days);
        }
        Ok(days)
    }
}

impl Chain<'_> {
    /// The days of a month on which options around the money end, as they were found with these: for whoever asks for
    /// them alone, or types one.
    pub fn note_days(self, month: &str, days: &[Date]) {
        let route = self.exchange.unwrap_or("SMART");
        let key = days_key(&self.finder.lease.source(), self.underlying, route, month);
        if !days.is_empty() {
            let _ = self.finder.store.remember(&key, &days);
        }
    }
}

/// Under what the days of a month are remembered on which options end.
pub(super) fn days_key(source: &str, underlying: Conid, route: &str, month: &str) -> String {
    format!("expiries/{source}/{underlying}/{route}/{month}")
}

/// So many strikes around the money, in order; around the middle one where the money is not known.
pub fn around(strikes: &[Price], money: Option<Decimal>, count: usize) -> Vec<Decimal> {
    let mut strikes: Vec<Decimal> = strikes.iter().map(|strike| strike.get()).collect();
    strikes.sort_unstable();
    strikes.dedup();
    let Some(money) = money.or(strikes.get(strikes.len() / 2).copied()) else { return strikes };
    let above = strikes.partition_point(|strike| *strike < money);
    let first = above.saturating_sub(count.div_ceil(2)).min(strikes.len().saturating_sub(count));
    strikes.into_iter().skip(first).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_are_those_around_the_money() {
        let strikes: Vec<Price> =
            [90, 95, 100, 105, 110].map(|strike| Price::new(Decimal::from(strike))).to_vec();
        let chosen = |money: Option<i64>, count| -> Vec<String> {
            let found = around(&strikes, money.map(Decimal::from), count);
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(chosen(Some(101), 2), ["100", "105"]);
        assert_eq!(chosen(Some(101), 4), ["95", "100", "105", "110"]);
        assert_eq!(chosen(Some(1), 2), ["90", "95"]);
        assert_eq!(chosen(Some(500), 2), ["105", "110"]);
        assert_eq!(chosen(Some(100), 50).len(), 5);
        assert_eq!(chosen(None, 1), ["95"], "the middle of what there is");
        assert!(around(&[], Some(Decimal::ONE), 3).is_empty());
    }
}
