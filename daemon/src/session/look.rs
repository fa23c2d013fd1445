//! The session's errands at the gateway: one look, one opening, the first calls, the logout.

mod direct;

use std::time::Duration;

use ibd_cpapi::accounts::{GetBrokerageAccounts, GetPnl};
use ibd_cpapi::id::AccountId;
use ibd_cpapi::orders::GetOrders;
use ibd_cpapi::session::{
    AuthStatus, GetAuthStatus, Logout, OpenBrokerage, SsoLogin, Tickle, Tickled, ValidateSso,
};
use ibd_cpapi::{Client, Denial, Failure, faults};
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::known::Identity;
use super::life::{Claim, Opening, Sight};
use super::{Facts, accounts};

/// An errand ends within this time.
const ERRAND: Duration = Duration::from_secs(30);

/// An answer that is not there by now may be none.
const SOON: Duration = Duration::from_secs(5);

fn deadline() -> Instant {
    Instant::now() + ERRAND
}

/// For what a session can do without.
fn shortly() -> Instant {
    Instant::now() + faults::patience(Duration::from_secs(1))
}

/// How a look comes to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// There is one at the gateway, as far as is known.
    Known,
    /// There may be one at the gateway.
    Unknown,
    /// Where there is no session token, one is asked for.
    Token,
    /// Only a session token that is there counts.
    OldToken,
}

/// One look.
pub(super) async fn look(client: &Client, entry: Entry) -> (Sight, Option<Identity>) {
    match entry {
        Entry::Known | Entry::OldToken => tickle(client).await,
        Entry::Unknown => find(client).await,
        Entry::Token => direct::enter(client).await,
    }
}

/// One look at a login: a tickle keeps it alive, and tells whether there is one, how its brokerage
/// session stands, and the number of whoever is logged in.
async fn tickle(client: &Client) -> (Sight, Option<Identity>) {
    match patiently(client, client.ask(&Tickle, deadline())).await {
        Some(Ok(answer)) => (sight(&answer.value), identity(&answer.value)),
        Some(Err(failure)) => (sight_of(client, &failure).await, None),
        None => (Sight::SilentGateway, None),
    }
}

/// A tickle, and if that shows a session that works, one thing more that needs it: during IBKR's maintenance
/// tickles go on being answered.
pub(super) async fn probe(client: &Client, entry: Entry) -> (Sight, Option<Identity>) {
    let (sight, identity) = match entry {
        Entry::Token => direct::enter(client).await,
        _ => tickle(client).await,
    };
    let seems_well = matches!(
        sight,
        Sight::Login { authenticated: true, established: None | Some(true), competing: false }
    );
    if !seems_well {
        return (sight, identity);
    }
    match patiently(client, client.ask(&GetBrokerageAccounts, deadline())).await {
        Some(Ok(_)) => (sight, identity),
        Some(Err(failure)) => (sight_of(client, &failure).await, identity),
        None => (Sight::SilentGateway, identity),
    }
}

/// IBKR may take its time, and the gateway then has none of the blame. But one that does not even show its
/// own front page is not waited for any longer: `None`.
async fn patiently<T>(client: &Client, asking: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(asking);
    match timeout(SOON, &mut asking).await {
        Ok(answer) => Some(answer),
        Err(_) => {
            if client.answers_itself().await {
                Some(asking.await)
            } else {
                None
            }
        }
    }
}

/// One look where no login is known of: there is nothing to be kept alive.
pub(super) async fn peek(client: &Client) -> (Sight, Option<Identity>) {
    match patiently(client, client.ask(&GetAuthStatus, deadline())).await {
        Some(Ok(answer)) => (sight_of_status(&answer.value), None),
        Some(Err(failure)) => (sight_of(client, &failure).await, None),
        None => (Sight::SilentGateway, None),
    }
}

/// The same, and where there is one after all, which one: that must be known before it is used.
async fn find(client: &Client) -> (Sight, Option<Identity>) {
    match peek(client).await {
        (seen @ Sight::Login { .. }, _) => match tickle(client).await {
            (sight @ Sight::Login { .. }, identity) => (sight, identity),
            _ => (seen, None),
        },
        none => none,
    }
}

/// Which login it is: the session's name at the broker, which a new login changes, and the user.
fn identity(tickled: &Tickled) -> Option<Identity> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let session = tickled.session.as_ref()?;
    let mut hasher = DefaultHasher::new();
    session.hash(&mut hasher);
    Some(Identity { session: hasher.finish(), user: tickled.user_id })
}

/// What a tickle's answer shows.
pub fn sight(tickled: &Tickled) -> Sight {
    match &tickled.iserver {
        Some(iserver) => sight_of_status(&iserver.auth_status),
        None => Sight::Trouble,
    }
}

fn sight_of_status(status: &AuthStatus) -> Sight {
    Sight::Login {
        authenticated: status.authenticated == Some(true),
        established: status.established,
        competing: status.competing == Some(true),
    }
}

/// Who is logged in and since when, where the first calls did not get to know: it may be asked once a
/// minute.
pub(super) async fn who(client: &Client) -> Option<(Option<String>, Option<Timestamp>)> {
    if client.signer().is_some() {
        return Some((direct::user(client).await?.username, None));
    }
    let asked = client.ask(&ValidateSso, shortly()).await.ok()?;
    let since = login_at(&asked.value);
    Some((asked.value.user_name, since))
}

fn login_at(login: &SsoLogin) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(login.auth_time?).ok()?).ok()
}

/// What a failed look shows.
async fn sight_of(client: &Client, failure: &Failure) -> Sight {
    match failure {
        Failure::NotLoggedIn => Sight::NoLogin,
        Failure::Denied(denial) => Sight::Denied(*denial),
        _ if client.signer().is_some() && direct::is_away(failure) => Sight::SilentUpstream,
        _ if client.signer().is_some() && direct::is_blocked(failure) => {
            Sight::Denied(Denial::Blocked)
        }
        Failure::Unreachable(why) => Sight::Gone(why.to_string()),
        Failure::OtherCertificate => Sight::Untrusted,
        Failure::RateLimited(until) => Sight::Limited(*until),
        Failure::NoBrokerage(_) | Failure::NotPrimed => {
            Sight::Login { authenticated: false, established: None, competing: false }
        }
        Failure::Silent(_) | Failure::Broke | Failure::Queued => {
            if client.answers_itself().await {
                Sight::SilentUpstream
            } else {
                Sight::SilentGateway
            }
        }
        Failure::Refused { .. } | Failure::Trouble { .. } | Failure::Garbled { .. } => {
            Sight::Trouble
        }
    }
}

/// Asks for the brokerage session.
pub(super) async fn open(client: &Client, claim: Claim) -> Opening {
    let compete = claim == Claim::FromOthers;
    match client.ask(&OpenBrokerage { compete }, deadline()).await {
        // Accepted is not yet authenticated: the next looks tell. A refusal says so in `fail`; the only
        // one known is that somebody else has it and that we did not want to compete.
        Ok(answer) => match answer.value.fail {
            None => Opening::Accepted,
            Some(fail) if fail.to_ascii_lowercase().contains("compete") => Opening::Held,
            Some(fail) => {
                tracing::warn!(fail, "the brokerage session was refused");
                Opening::Failed
            }
        },
        Err(failure) => {
            tracing::warn!(%failure, "the brokerage session could not be opened");
            let denial = direct::denial(client, &failure);
            denial.map_or(Opening::Failed, Opening::Denied)
        }
    }
}

/// The calls that must come first in every brokerage session, and what they tell.
pub(super) async fn prime(client: &Client) -> Result<Facts, Failure> {
    // Nothing that an earlier brokerage session answered counts in this one.
    client.forget();
    let brokerage = client.ask(&GetBrokerageAccounts, deadline()).await?.value;
    let facts = accounts::listed(client, &brokerage, deadline()).await?;
    // Starts the orders feed; the next list, some seconds later, is a true one. What fails here is
    // found again by whoever asks for orders.
    if let Err(failure) = client.ask(&GetOrders { account: None, force: true }, deadline()).await {
        tracing::info!(%failure, "the orders feed did not start");
    }
    // The same for the P&L, whose first answer of a session is empty.
    if let Err(failure) = client.ask(&GetPnl, deadline()).await {
        tracing::info!(%failure, "the P&L feed did not start");
    }
    // Only for a name: a session works without.
    let login = login(client).await;
    let login_type = login.as_ref().and_then(|login| login.login_type);
    Ok(Facts {
        paper: mode(&facts.accounts, brokerage.is_paper, login_type),
        login_at: login.as_ref().and_then(login_at),
        username: login.and_then(|login| login.user_name),
        ..facts
    })
}

/// Who it is; where a login can be asked about, that is at most once a minute.
async fn login(client: &Client) -> Option<SsoLogin> {
    if client.signer().is_some() {
        return direct::login(client).await;
    }
    client.ask(&ValidateSso, shortly()).await.map(|answer| answer.value).ok()
}

/// Paper or live, by everything the broker says about it; contradictory or missing: unclear.
fn mode(accounts: &[AccountId], is_paper: Option<bool>, login_type: Option<u32>) -> Option<bool> {
    let by_type = login_type.and_then(|kind| match kind {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    });
    let by_id = accounts.iter().map(|id| Some(id.as_str().starts_with('D')));
    let mut says = by_id.chain([is_paper, by_type]).flatten();
    let first = says.next()?;
    says.all(|paper| paper == first).then_some(first)
}

/// Ends the login, and looks whether it is ended.
pub(super) async fn logout(client: &Client) -> Result<bool, Failure> {
    match client.ask(&Logout, deadline()).await {
        Ok(_) | Err(Failure::NotLoggedIn) => {}
        // The real service answers without a body at times; the look below decides.
        Err(Failure::Garbled { .. }) => {}
        Err(failure) => return Err(failure),
    }
    let seen = client.ask(&GetAuthStatus, deadline()).await;
    if let Some(signer) = client.signer() {
        // Whatever it was good for: it is not used again.
        signer.forget();
    }
    match seen {
        Err(Failure::NotLoggedIn) => Ok(true),
        Ok(answer) => {
            Ok(answer.value.authenticated != Some(true) && answer.value.connected != Some(true))
        }
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paper_or_live_must_be_beyond_doubt() {
        let ids =
            |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<AccountId>>();
        for (accounts, is_paper, login_type, expected) in [
            (&["DU1234567"][..], Some(true), Some(2), Some(true)),
            (&["U1234567"], Some(false), Some(1), Some(false)),
            (&["DU1234567"], None, None, Some(true)),
            (&["U1234567"], Some(true), Some(2), None),
            (&["DU1234567", "U1234567"], None, None, None),
            (&["DU1234567"], Some(true), Some(1), None),
            (&["DF1234567", "DU1234567"], Some(true), Some(2), Some(true)),
            (&["F1234567", "U1234567"], Some(false), Some(1), Some(false)),
            (&[], None, None, None),
        ] {
            assert_eq!(mode(&ids(accounts), is_paper, login_type), expected, "{accounts:?}");
        }
    }
}
