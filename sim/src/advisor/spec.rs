//! What a scenario says of an adviser's login.

use serde::Deserialize;

use super::Method;

/// An adviser's login.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvisorSpec {
    /// The adviser's own account, which is one of `accounts`; the others are clients'.
    pub master: String,
    /// Groups of clients' accounts, beside `All`.
    #[serde(default)]
    pub groups: Vec<GroupSpec>,
    /// What `/portfolio/accounts` lists.
    #[serde(default)]
    pub portfolio: Listed,
}

/// What `/portfolio/accounts` lists; `/portfolio/subaccounts` always has all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listed {
    /// The adviser's own account.
    #[default]
    Master,
    /// Clients' accounts too.
    All,
}

/// One group.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSpec {
    /// Its name.
    pub name: String,
    /// How orders are split over it.
    pub method: Method,
    /// Who is in it.
    pub accounts: Vec<MemberSpec>,
}

/// An account in a group.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberSpec {
    /// The account.
    pub name: String,
    /// Its part, by methods whose parts the adviser sets.
    #[serde(default)]
    pub amount: Option<f64>,
}
