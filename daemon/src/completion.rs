//! What a value may be of which a part is typed: only what is known here. A completion asks IBKR for nothing.

mod fitting;

use ibd_protocol::{Completable, Completed, Completing};
use jiff::civil::Date;

use crate::contracts;
use crate::contracts::remembered::expiries;
use crate::desks::Desks;
use crate::flex::{View, listed};
use crate::orders::Intent;
use crate::policy::Policy;
use crate::recent::{Known, Named};
use fitting::{fitting, named_by};

/// What it may be, for a client that may be told.
pub async fn complete(desks: &Desks, policy: &Policy, typed: Completing) -> Completed {
    let begins = typed.begins.trim();
    match typed.what {
        Completable::FlexQuery => fitting(begins, queries(&desks.flex.view(), begins)),
        Completable::Year => {
            fitting(begins, years(&desks.flex.view(), typed.account.as_deref(), contracts::today()))
        }
        _ if !is_admitted(desks, policy) => Completed::default(),
        Completable::Account => fitting(begins, accounts(desks)),
        Completable::Order => fitting(begins, orders(desks, typed.account.as_deref()).await),
        Completable::Symbol => {
            let known = known(desks);
            let names = known.names(typed.account.as_deref());
            fitting(begins, names.map(|named| named.symbol.clone()))
        }
        Completable::Conid => {
            let known = known(desks);
            named_by(begins, known.names(typed.account.as_deref()).map(Named::pair))
        }
        Completable::Alert => fitting(begins, alerts(known(desks), typed.account.as_deref())),
        Completable::Expiry => {
            let symbol = typed.symbol.as_deref().unwrap_or_default().trim().to_uppercase();
            let source = source(desks).unwrap_or_default();
            fitting(begins, expiries(&desks.store, &source, &symbol, contracts::today()))
        }
    }
}

/// Whether this client may know of the login that there is.
fn is_admitted(desks: &Desks, policy: &Policy) -> bool {
    let gateway = desks.board.gateway().borrow().clone();
    let facts = desks.session.view().facts;
    policy.admits_gateway(&gateway).is_ok() && policy.admits_login(&facts).is_ok()
}

fn accounts(desks: &Desks) -> Vec<String> {
    desks.session.view().facts.accounts.iter().map(ToString::to_string).collect()
}

/// Where facts come from now.
fn source(desks: &Desks) -> Option<String> {
    desks.session.view().lease.map(|lease| lease.source())
}

fn known(desks: &Desks) -> Known {
    source(desks).map(|source| desks.recent.known(&source)).unwrap_or_default()
}

/// Orders of this login's accounts that were sent from here and are not over: what IBKR calls them, else what we do.
async fn orders(desks: &Desks, account: Option<&str>) -> Vec<String> {
    let own = accounts(desks);
    let intents = desks.orders.recent().await.unwrap_or_default();
    let is_meant = |intent: &&Intent| {
        let of = intent.account.to_string();
        let is_own = account.map_or_else(|| own.contains(&of), |account| account == of);
        is_own && intent.is_order() && intent.state.is_open()
    };
    let name = |intent: &Intent| {
        intent.order_id().map_or_else(|| intent.id.to_string(), |order| order.to_string())
    };
    intents.iter().filter(is_meant).map(name).collect()
}

/// Names of alerts of one account, or of all.
fn alerts(known: Known, account: Option<&str>) -> Vec<String> {
    let is_meant = |of: &str| account.is_none_or(|account| account == of);
    let all = known.alerts.into_iter().filter(|(of, _)| is_meant(of));
    all.flat_map(|(_, names)| names).collect()
}

/// Names of Flex queries; their numbers where a number is typed.
fn queries(view: &View, begins: &str) -> Vec<String> {
    let is_number = !begins.is_empty() && begins.bytes().all(|byte| byte.is_ascii_digit());
    let queries = listed(view);
    let numbers = queries.iter().filter_map(|query| query.id.clone()).filter(|_| is_number);
    let names = queries.iter().map(|query| query.name.clone());
    names.chain(numbers).filter(|name| !name.is_empty()).collect()
}

/// Years of which a day is covered by a statement, the latest first.
fn years(view: &View, account: Option<&str>, today: Date) -> Vec<String> {
    let of = |name: &str| account.is_none_or(|account| account.eq_ignore_ascii_case(name));
    let periods = view
        .entries
        .iter()
        .flat_map(|entry| &entry.accounts)
        .filter(|covered| of(&covered.account))
        .filter_map(|covered| covered.period);
    let years: Vec<(i16, i16)> = periods.map(|one| (one.from.year(), one.to.year())).collect();
    let first = years.iter().map(|(from, _)| *from).min().unwrap_or(today.year());
    let is_covered = |year: &i16| years.iter().any(|(from, to)| (*from..=*to).contains(year));
    (first..=today.year()).rev().filter(is_covered).map(|year| year.to_string()).collect()
}

impl Named {
    fn pair(&self) -> (String, String) {
        (self.symbol.clone(), self.conid.to_string())
    }
}
