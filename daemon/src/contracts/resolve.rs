//! Which of several contracts is meant: decided purely, never by taking the first hit.

use ibd_cpapi::contracts::SecType;

use super::{Contract, Given, is_exchange};

/// What a caller asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// In capitals.
    pub symbol: String,
    /// What kind of contract.
    pub sec_type: Option<SecType>,
    /// The listing exchange.
    pub exchange: Option<String>,
    /// The currency.
    pub currency: Option<String>,
    /// Of a future: a day or a month.
    pub expiry: Option<String>,
}

/// What the wish comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    One(Box<Contract>),
    /// One of these; the caller must say which.
    Several(Vec<Contract>),
    /// None; these have the symbol but not the exchange or currency that was asked for.
    None(Vec<Contract>),
}

impl Wish {
    /// What the contract that is found must be.
    pub(super) fn given(&self) -> Given {
        Given {
            symbol: Some(self.symbol.clone()),
            sec_type: self.sec_type.as_ref().map(ToString::to_string),
            exchange: self.exchange.clone(),
            currency: self.currency.clone(),
            ..Given::default()
        }
    }

    /// `EUR.USD`, `EUR/USD` and `EURUSD`: two currencies.
    pub fn currency_pair(&self) -> Option<(String, String)> {
        let (base, quote) = match self.symbol.split_once(['.', '/']) {
            Some(pair) => pair,
            None if self.symbol.len() == 6 && self.symbol.is_ascii() => self.symbol.split_at(3),
            None => return None,
        };
        let is_pair = is_currency(base) && is_currency(quote) && base != quote;
        is_pair.then(|| (base.to_owned(), quote.to_owned()))
    }

    /// Whether a contract has the exchange and currency that are asked for.
    pub fn fits(&self, contract: &Contract) -> bool {
        let same = |wanted: &Option<String>, has: &Option<String>| match (wanted, has) {
            (Some(wanted), Some(has)) => wanted.eq_ignore_ascii_case(has),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let is_there = |exchange: &String| is_exchange(exchange, contract.exchange.as_deref());
        self.exchange.as_ref().is_none_or(is_there) && same(&self.currency, &contract.currency)
    }
}

/// The currencies that IBKR trades pairs of.
fn is_currency(text: &str) -> bool {
    const CURRENCIES: &str = "AED AUD BGN CAD CHF CNH CNY CZK DKK EUR GBP HKD HUF ILS INR JPY KRW MXN \
         NOK NZD PLN RON RUB SAR SEK SGD TRY TWD USD ZAR";
    text.len() == 3 && CURRENCIES.split_whitespace().any(|currency| currency == text)
}

/// The one contract that is meant. Among listings of one company the United States' one is taken,
/// and every answer says which listing it speaks of; two companies with one symbol are a question,
/// unless only one of them is listed in the United States.
pub fn choose(wish: &Wish, found: Vec<Contract>) -> Choice {
    let (fitting, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|c| wish.fits(c));
    match fitting.len() {
        0 => Choice::None(others),
        1 => one(fitting),
        _ => {
            let american: Vec<Contract> =
                fitting.iter().filter(|c| c.is_us == Some(true)).cloned().collect();
            match american.len() {
                1 => one(american),
                _ => Choice::Several(fitting),
            }
        }
    }
}

fn one(contracts: Vec<Contract>) -> Choice {
    match contracts.into_iter().next() {
        Some(contract) => Choice::One(Box::new(contract)),
        None => Choice::None(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn listing(conid: u32, exchange: &str, currency: &str, is_us: bool) -> Contract {
        Contract {
            exchange: Some(exchange.into()),
            currency: Some(currency.into()),
            is_us: Some(is_us),
            ..Contract::bare(conid.to_string().parse().unwrap())
        }
    }

    fn wish(exchange: Option<&str>, currency: Option<&str>) -> Wish {
        Wish {
            symbol: "X".into(),
            exchange: exchange.map(Into::into),
            currency: currency.map(Into::into),
            ..Wish::default()
        }
    }

    fn chosen(wish: &Wish, found: &[Contract]) -> Option<u32> {
        match choose(wish, found.to_vec()) {
            Choice::One(contract) => Some(contract.conid.get()),
            _ => None,
        }
    }

    #[test]
    fn the_one_american_listing_is_meant_unless_another_is_named() {
        let apple = [listing(2, "MEXI", "MXN", false), listing(1, "NASDAQ", "USD", true)];
        assert_eq!(chosen(&wish(None, None), &apple), Some(1));
        assert_eq!(chosen(&wish(Some("mexi"), None), &apple), Some(2));
        assert_eq!(chosen(&wish(None, Some("MXN")), &apple), Some(2));
        assert_eq!(chosen(&wish(Some("SMART"), None), &apple), Some(1));
    }

    #[test]
    fn two_companies_with_one_symbol_are_a_question() {
        let san = [listing(1, "BM", "EUR", false), listing(2, "SBF", "EUR", false)];
        assert!(
            matches!(choose(&wish(None, None), san.to_vec()), Choice::Several(both) if both.len() == 2)
        );
        assert_eq!(chosen(&wish(Some("SBF"), None), &san), Some(2));
    }

    #[test]
    fn a_wrong_exchange_shows_the_right_ones() {
        let apple = [listing(1, "NASDAQ", "USD", true)];
        let choice = choose(&wish(Some("LSE"), None), apple.to_vec());
        assert!(matches!(choice, Choice::None(others) if others.len() == 1));
    }

    #[test]
    fn a_currency_pair_is_recognised() {
        for text in ["EUR.USD", "EUR/USD", "EURUSD"] {
            let wish = Wish { symbol: text.into(), ..Wish::default() };
            assert_eq!(wish.currency_pair(), Some(("EUR".into(), "USD".into())), "{text}");
        }
        for text in ["GOOGLE", "BRK.B", "EUR.EUR", "AAPL", "É123456"] {
            let wish = Wish { symbol: text.into(), ..Wish::default() };
            assert_eq!(wish.currency_pair(), None, "{text}");
        }
    }
}
