//! Keys, token and secret, read and tried on one another before anything is sent with them.

use std::path::Path;

use ibd_oauth::{
    AccessToken, ConsumerKey, Credentials, DhParameters, EncryptionKey, Randomness, SigningKey,
    TokenSecret,
};
use ibd_protocol::settings::Key;
use ibd_protocol::{KeyFiles, Secret, files};

/// More than any PEM file of these has, in bytes.
const LONGEST: u64 = 64 << 10;

/// What IBKR showed, or was told, when the keys were registered.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) consumer: Secret,
    pub(super) token: Secret,
    pub(super) secret: Secret,
}

/// All that requests are signed with. An error says what is wrong with it, and nothing of it.
pub(super) fn read(
    named: &Named,
    files: &KeyFiles,
    seed: &[u8; 32],
) -> Result<Credentials, String> {
    let said = |key: Key, error: String| format!("{key}: {error}");
    let consumer = ConsumerKey::parse(named.consumer.expose())
        .map_err(|error| said(Key::OauthConsumerKey, error.to_string()))?;
    let token = AccessToken::parse(named.token.expose())
        .map_err(|error| said(Key::OauthToken, error.to_string()))?;
    let secret = TokenSecret::parse(named.secret.expose())
        .map_err(|error| said(Key::OauthTokenSecret, error.to_string()))?;
    let signing = SigningKey::from_pem(private(&files.signing)?.expose())
        .map_err(|error| of_file(&files.signing, &error))?;
    let encryption = EncryptionKey::from_pem(private(&files.encryption)?.expose())
        .map_err(|error| of_file(&files.encryption, &error))?;
    if encryption.is_also(&signing) {
        let (one, other) = (Key::OauthSigningKey, Key::OauthEncryptionKey);
        return Err(format!("{one} and {other} are one and the same key; IBKR has two"));
    }
    // No secret: it was uploaded as it is.
    let dh = files::read_text(&files.dh, LONGEST).map_err(|error| unread(&files.dh, &error))?;
    let parameters = DhParameters::read(&dh).map_err(|error| of_file(&files.dh, &error))?;
    // Swapped keys, and another user's secret, are found out here and not by a refusal of IBKR's.
    encryption
        .decrypt(&secret, &mut Randomness::from_seed(seed))
        .map_err(|error| error.to_string())?;
    Ok(Credentials { consumer, token, secret, signing, encryption, parameters })
}

fn private(path: &Path) -> Result<Secret, String> {
    files::read_private(path, LONGEST).map_err(|error| unread(path, &error))
}

fn unread(path: &Path, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        format!("{} is not there: `ibctl oauth new` makes keys", path.display())
    } else {
        format!("{} cannot be read: {}", path.display(), ibd_disk::plainly(error))
    }
}

fn of_file(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
