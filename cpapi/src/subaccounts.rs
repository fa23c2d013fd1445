//! The accounts below an adviser's: `/portfolio/subaccounts`. Needs a login, not a brokerage session.

use std::time::Duration;

use serde::Deserialize;

use crate::endpoint::{Endpoint, Path};
use crate::pace::Window;
use crate::portfolio::Account;
use crate::rows::{self, Rows};

/// All accounts, with an adviser's clients, up to a hundred; must precede the other `/portfolio` calls of those.
#[derive(Debug, Clone, Copy)]
pub struct GetSubaccounts;

/// `GetSubaccounts` tells no more accounts than this.
pub const MOST_SUBACCOUNTS: usize = 100;

impl Endpoint for GetSubaccounts {
    type Reply = Rows<Account>;
    const NAME: &'static str = "portfolio/subaccounts";
    const WINDOW: Option<Window> = Some(Window::one_in(5));
    const CACHE: Duration = Duration::from_secs(5);

    fn path(&self) -> Path {
        Path::new("/portfolio/subaccounts")
    }
}

/// The same in pages, for however many there are.
#[derive(Debug, Clone, Copy)]
pub struct GetSubaccountPage {
    /// From 0.
    pub page: usize,
}

/// A page of accounts; an empty one is behind the last.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SubaccountPage {
    /// The accounts.
    #[serde(default, deserialize_with = "rows::field")]
    pub subaccounts: Rows<Account>,
}

impl Endpoint for GetSubaccountPage {
    type Reply = SubaccountPage;
    const NAME: &'static str = "portfolio/subaccounts2";

    fn path(&self) -> Path {
        Path::new("/portfolio/subaccounts2").query("page", self.page)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_page_of_accounts_is_read() {
        let page: SubaccountPage = serde_json::from_str(
            r#"{"metadata":{"total":21,"pageSize":20,"pageNum":1},"subaccounts":[{"id":"U1","currency":"EUR"}]}"#,
        )
        .unwrap();
        assert_eq!(page.subaccounts[0].currency.as_deref(), Some("EUR"));
        let path = GetSubaccountPage { page: 1 }.path();
        assert_eq!(path.as_str(), "/portfolio/subaccounts2?page=1");
    }
}
