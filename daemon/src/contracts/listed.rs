//! What IBKR's lists say of a symbol or a name, and what of them could not be read: a contract that is not among the
//! others may be that. Pure.

use ibd_cpapi::contracts::{
    CurrencyPairs, Futures, GetCurrencyPairs, GetFutures, GetStocks, Hit, Search, SecType, Stocks,
};
use ibd_cpapi::rows::{Entries, Rows, Unread};
use ibd_cpapi::{Endpoint, Failure};

use super::{Contract, expiry};

/// Contracts that IBKR lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Those that could be read.
    pub contracts: Vec<Contract>,
    /// What could not. That one is not among the contracts is not known to be so then.
    pub unread: Option<Failure>,
}

impl From<Vec<Contract>> for Listed {
    fn from(contracts: Vec<Contract>) -> Self {
        Self { contracts, unread: None }
    }
}

impl Listed {
    fn of(contracts: Vec<Contract>, unread: &[Unread], endpoint: &'static str) -> Self {
        let unread = unread.first().cloned().map(|row| row.in_reply_of(endpoint));
        Self { contracts, unread }
    }

    /// What another list has, where this one has nothing: what could not be read here is no more known by that.
    pub(super) fn or(self, other: Self) -> Self {
        Self { contracts: other.contracts, unread: self.unread.or(other.unread) }
    }

    pub(super) fn of_stocks(reply: &Stocks, symbol: &str) -> Self {
        let (companies, mut unread) = under(reply, symbol);
        let mut contracts = Vec::new();
        for company in companies {
            let (name, (listings, odd)) = (company.name, company.contracts.into_parts());
            unread.extend(odd);
            contracts.extend(listings.into_iter().map(|listing| Contract {
                symbol: Some(symbol.to_owned()),
                name: name.clone(),
                exchange: listing.exchange,
                sec_type: Some(SecType::Stock),
                is_us: listing.is_us,
                ..Contract::bare(listing.conid)
            }));
        }
        Self::of(contracts, &unread, GetStocks::NAME)
    }

    /// The next month first.
    pub(super) fn of_futures(reply: &Futures, symbol: &str) -> Self {
        let (mut months, unread) = under(reply, symbol);
        months.sort_by(|a, b| a.expiration.cmp(&b.expiration));
        let contracts = months.into_iter().map(|month| Contract {
            symbol: Some(symbol.to_owned()),
            sec_type: Some(SecType::Future),
            expiry: month.expiration.as_deref().and_then(expiry::day),
            ..Contract::bare(month.conid)
        });
        Self::of(contracts.collect(), &unread, GetFutures::NAME)
    }

    pub(super) fn of_pairs(reply: CurrencyPairs, (base, quote): &(String, String)) -> Self {
        let wanted = format!("{base}.{quote}");
        let (mut pairs, mut unread) = (Vec::new(), reply.unread().to_vec());
        for (_, rows) in reply {
            let (rows, odd) = rows.into_parts();
            pairs.extend(rows);
            unread.extend(odd);
        }
        // All pairs of a currency are in it: one that says which other one it is is not the one that is meant.
        unread.retain(|row| !row.of.contains("symbol ") || row.of.contains(&wanted));
        let pairs = pairs.into_iter().filter(|pair| pair.symbol == wanted);
        let contracts = pairs.map(|pair| Contract {
            symbol: Some(pair.symbol),
            exchange: Some("IDEALPRO".to_owned()),
            currency: Some(quote.clone()),
            sec_type: Some(SecType::Cash),
            ..Contract::bare(pair.conid)
        });
        Self::of(contracts.collect(), &unread, GetCurrencyPairs::NAME)
    }

    pub(super) fn of_hits(hits: Rows<Hit>) -> Self {
        let (hits, unread) = hits.into_parts();
        let contracts = hits.into_iter().map(|hit| Contract {
            symbol: hit.symbol,
            name: hit.company,
            exchange: hit.exchange,
            sec_type: hit.sec_types.into_iter().next(),
            option_months: hit.option_months,
            ..Contract::bare(hit.conid)
        });
        Self::of(contracts.collect(), &unread, Search::NAME)
    }
}

/// The rows under a name, and what could not be read where they should be.
fn under<T: Clone>(table: &Entries<Rows<T>>, name: &str) -> (Vec<T>, Vec<Unread>) {
    let (rows, mut unread) = table.get(name).cloned().unwrap_or_default().into_parts();
    unread.extend_from_slice(table.unread());
    (rows, unread)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::contracts::Hits;

    /// How many contracts there are, and whether something could not be read.
    fn told(listed: &Listed) -> (usize, bool) {
        (listed.contracts.len(), listed.unread.is_some())
    }

    #[test]
    fn a_listing_that_could_not_be_read_is_not_one_that_is_not_there() {
        for (json, expected) in [
            (r#"{"KO":[{"name":"COCA-COLA","contracts":[{"conid":7,"isUS":true}]}]}"#, (1, false)),
            (r#"{"KO":[]}"#, (0, false)),
            (r#"{"KO":null}"#, (0, false)),
            ("{}", (0, false)),
            (r#"{"KO":[{"name":"COCA-COLA","contracts":[{"conid":"x"}]}]}"#, (0, true)),
            (r#"{"KO":[{"name":"COCA-COLA","contracts":[{"conid":7},{"conid":"x"}]}]}"#, (1, true)),
            (r#"{"KO":[7]}"#, (0, true)),
            (r#"{"KO":7}"#, (0, true)),
            ("null", (0, true)),
        ] {
            let reply: Stocks = serde_json::from_str(json).unwrap();
            assert_eq!(told(&Listed::of_stocks(&reply, "KO")), expected, "{json}");
        }
        for (json, expected) in [
            (r#"{"ES":[{"conid":7,"expirationDate":20261218}]}"#, (1, false)),
            (r#"{"ES":[{"conid":"x","expirationDate":20261218}]}"#, (0, true)),
        ] {
            let reply: Futures = serde_json::from_str(json).unwrap();
            assert_eq!(told(&Listed::of_futures(&reply, "ES")), expected, "{json}");
        }
        for (json, expected) in [
            ("[]", (0, false)),
            (r#"{"error":"No symbol found"}"#, (0, false)),
            (r#"[{"conid":"7","symbol":"KO","sections":[]}]"#, (1, false)),
            (r#"[{"conid":"x","symbol":"KO","sections":[]}]"#, (0, true)),
        ] {
            let Hits(hits) = serde_json::from_str(json).unwrap();
            assert_eq!(told(&Listed::of_hits(hits)), expected, "{json}");
        }
    }

    #[test]
    fn a_pair_that_could_not_be_read_counts_where_it_may_be_the_one_that_is_meant() {
        let pair = ("EUR".to_owned(), "USD".to_owned());
        for (json, expected) in [
            (r#"{"USD":[{"symbol":"EUR.USD","conid":7}]}"#, (1, false)),
            (r#"{"USD":[{"symbol":"EUR.USD","conid":"x"}]}"#, (0, true)),
            (r#"{"USD":[{"symbol":"GBP.USD","conid":"x"}]}"#, (0, false)),
            (r#"{"USD":[{"conid":7}]}"#, (0, true)),
        ] {
            let reply: CurrencyPairs = serde_json::from_str(json).unwrap();
            assert_eq!(told(&Listed::of_pairs(reply, &pair)), expected, "{json}");
        }
    }

    #[test]
    fn what_another_list_has_says_nothing_of_what_could_not_be_read() {
        let reply: Stocks = serde_json::from_str(r#"{"KO":7}"#).unwrap();
        let odd = Listed::of_stocks(&reply, "KO");
        assert_eq!(told(&odd.clone().or(Listed::default())), (0, true));
        let found = Listed::from(vec![Contract::bare("7".parse().unwrap())]);
        assert_eq!(told(&odd.or(found.clone())), (1, true));
        assert_eq!(told(&Listed::default().or(found)), (1, false));
    }
}
