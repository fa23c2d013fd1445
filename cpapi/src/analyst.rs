//! Portfolio Analyst: `/pa/*`. Needs the web login only; each endpoint answers one request in fifteen minutes, whoever
//! it is about, so that answers are remembered by whoever asks ([`crate::Client::opens`] says when the next may go).

mod track;
mod transactions;

use serde_json::json;

use crate::endpoint::{Endpoint, Method, Path};
use crate::id::{AccountId, Conid};
use crate::pace::Window;

pub use track::{AllPeriods, Before, Day, Performance, Period, Track};
pub use transactions::{Gain, Realized, Transaction, Transactions};

/// Of each endpoint.
const WINDOW: Window = Window::one_in(15 * 60);

/// How an account did over one period.
#[derive(Debug, Clone)]
pub struct GetPerformance {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub period: Period,
}

impl Endpoint for GetPerformance {
    type Reply = Performance;
    const NAME: &'static str = "pa/performance";
    const METHOD: Method = Method::Post;
    const WINDOW: Option<Window> = Some(WINDOW);

    fn path(&self) -> Path {
        Path::new("/pa/performance")
    }

    fn body(&self) -> Option<String> {
        let body = json!({ "acctIds": [&self.account], "period": self.period.as_str() });
        Some(body.to_string())
    }
}

/// How accounts did over all periods, each by itself.
#[derive(Debug, Clone)]
pub struct GetAllPeriods {
    /// Whose.
    pub accounts: Vec<AccountId>,
}

impl Endpoint for GetAllPeriods {
    type Reply = AllPeriods;
    const NAME: &'static str = "pa/allperiods";
    const METHOD: Method = Method::Post;
    const WINDOW: Option<Window> = Some(WINDOW);

    fn path(&self) -> Path {
        Path::new("/pa/allperiods")
    }

    fn body(&self) -> Option<String> {
        Some(json!({ "acctIds": &self.accounts }).to_string())
    }
}

/// What was dealt in a contract. IBKR takes one contract at a time.
#[derive(Debug, Clone)]
pub struct GetTransactions {
    /// Whose.
    pub account: AccountId,
    /// In which.
    pub conid: Conid,
    /// Into which rates convert; IBKR's choice if left out.
    pub currency: Option<String>,
    /// How far back.
    pub days: u32,
}

impl Endpoint for GetTransactions {
    type Reply = Transactions;
    const NAME: &'static str = "pa/transactions";
    const METHOD: Method = Method::Post;
    const WINDOW: Option<Window> = Some(WINDOW);

    fn path(&self) -> Path {
        Path::new("/pa/transactions")
    }

    fn body(&self) -> Option<String> {
        let mut body = json!({
            "acctIds": [&self.account], "conids": [self.conid.get()], "days": self.days,
        });
        if let (Some(body), Some(currency)) = (body.as_object_mut(), &self.currency) {
            body.insert("currency".to_owned(), json!(currency));
        }
        Some(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn requests_say_whose_and_what() {
        let account: AccountId = "DU1234567".parse().unwrap();
        let period = GetPerformance { account: account.clone(), period: Period::YearToDate };
        assert_eq!(period.body().unwrap(), r#"{"acctIds":["DU1234567"],"period":"YTD"}"#);
        let all = GetAllPeriods { accounts: vec![account.clone()] };
        assert_eq!(all.body().unwrap(), r#"{"acctIds":["DU1234567"]}"#);
        let conid = "265598".parse().unwrap();
        let mut dealt = GetTransactions { account, conid, currency: None, days: 90 };
        assert_eq!(
            dealt.body().unwrap(),
            r#"{"acctIds":["DU1234567"],"conids":[265598],"days":90}"#
        );
        dealt.currency = Some("USD".into());
        assert!(dealt.body().unwrap().ends_with(r#""days":90,"currency":"USD"}"#));
    }
}
