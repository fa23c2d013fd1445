//! Looks where requests are signed: what comes first is a session token.

use ibd_cpapi::direct::Begun;
use ibd_cpapi::session::{GetUser, SsoLogin, User};
use ibd_cpapi::{Client, Denial, Failure};

use super::{deadline, shortly, sight_of, tickle};
use crate::session::known::Identity;
use crate::session::life::Sight;

/// Makes sure that there is a session token, and looks with it. One that IBKR has forgotten is replaced, once; one that
/// it does not know although it has just issued it will not be known the next time.
pub(super) async fn enter(client: &Client) -> (Sight, Option<Identity>) {
    for _ in 0..2 {
        let begun = match client.begin_session(deadline()).await {
            Ok(begun) => begun,
            Err(failure) => return (sight_of(client, &failure).await, None),
        };
        match (tickle(client).await, begun) {
            ((Sight::NoLogin, _), Begun::New) => return (Sight::Denied(Denial::Signature), None),
            ((Sight::NoLogin, _), Begun::There) => {}
            (seen, _) => return seen,
        }
    }
    (Sight::NoLogin, None)
}

/// Whether IBKR was not reached: there is nothing between it and us that could be gone.
pub(super) fn is_away(failure: &Failure) -> bool {
    matches!(failure, Failure::Unreachable(_))
}

/// Whether it was refused before anybody looked who asks.
pub(super) fn is_blocked(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { status: 403, .. })
}

/// What a refusal to open the trading session means to whoever signs.
pub(super) fn denial(client: &Client, failure: &Failure) -> Option<Denial> {
    client.signer()?;
    match failure {
        Failure::Trouble { status, text } | Failure::Refused { status, text } => {
            Denial::of_opening(*status, text)
        }
        _ => None,
    }
}

/// The user whose keys these are.
pub(super) async fn user(client: &Client) -> Option<User> {
    client.ask(&GetUser, shortly()).await.map(|answer| answer.value).ok()
}

/// The same as a login, which cannot be asked about here. It is renewed by itself, so it is of no time.
pub(super) async fn login(client: &Client) -> Option<SsoLogin> {
    let user = user(client).await?;
    let login_type = user.is_paper.map(|is_paper| if is_paper { 2 } else { 1 });
    Some(SsoLogin { user_name: user.username, login_type, auth_time: None })
}
