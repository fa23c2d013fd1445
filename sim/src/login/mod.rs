//! Logins at the page: who may log in, the steps of one visit, and the account of them all.

mod answer;
mod ledger;
mod page;
mod totp;
mod users;
mod visit;

pub(crate) use answer::{Answer, Credentials, Moment};
pub(crate) use page::{closed_page, login_page};
pub(crate) use users::{User, find};
pub(crate) use visit::Logins;
