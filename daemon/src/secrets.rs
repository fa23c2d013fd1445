//! Secrets in the system's keyring, one entry per profile and variable.
//!
//! A keyring may ask its owner to unlock it, so every access is off the actors and has a limit. Where
//! there is none (a server without a desktop), secrets come from files or systemd credentials.

use std::time::Duration;

use ibd_protocol::Secret;
use ibd_protocol::settings::Key;
use keyring::Entry;
use tokio::time::timeout;

const SERVICE: &str = "ibd";
/// Long enough for a person to type the keyring's password.
const LIMIT: Duration = Duration::from_secs(60);

/// The secret, if the keyring has it; an error if the keyring cannot be asked.
pub async fn look(profile: &str, key: Key) -> Result<Option<Secret>, String> {
    let read = with(profile, key, |entry| match entry.get_password() {
        Ok(secret) => Ok(Some(Secret::new(secret))),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(error),
    });
    read.await
}

/// The secret, if the keyring has it and can be asked.
pub async fn get(profile: &str, key: Key) -> Option<Secret> {
    look(profile, key).await.unwrap_or_else(|error| {
        tracing::info!(%key, error, "the keyring was not read");
        None
    })
}

/// Keeps it.
pub async fn set(profile: &str, key: Key, secret: Secret) -> Result<(), String> {
    with(profile, key, move |entry| entry.set_password(secret.expose())).await
}

/// Forgets it; whether there was one.
pub async fn forget(profile: &str, key: Key) -> Result<bool, String> {
    with(profile, key, |entry| match entry.delete_credential() {
        Ok(()) => Ok(true),
        Err(keyring::Error::NoEntry) => Ok(false),
        Err(error) => Err(error),
    })
    .await
}

async fn with<T: Send + 'static>(
    profile: &str,
    key: Key,
    act: impl FnOnce(Entry) -> Result<T, keyring::Error> + Send + 'static,
) -> Result<T, String> {
    let user = format!("{profile}/{key}");
    let work = tokio::task::spawn_blocking(move || Entry::new(SERVICE, &user).and_then(act));
    match timeout(LIMIT, work).await {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the keyring did not answer".to_owned()),
    }
}
