//! Where the keys of the direct way lie: `ibctl oauth` makes them, `ibd` reads them.

use std::path::{Path, PathBuf};

use crate::Places;
use crate::settings::{Key, Settings};

/// The files that requests are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFiles {
    /// The private key that signs.
    pub signing: PathBuf,
    /// The private key that decrypts.
    pub encryption: PathBuf,
    /// The Diffie-Hellman parameters.
    pub dh: PathBuf,
}

impl KeyFiles {
    /// Those that the settings name, and for the others the state folder's.
    pub fn of(places: &Places, settings: &Settings) -> Self {
        let own = Self::made(places);
        let named = |key, own| settings.text(key).map_or(own, PathBuf::from);
        Self {
            signing: named(Key::OauthSigningKey, own.signing),
            encryption: named(Key::OauthEncryptionKey, own.encryption),
            dh: named(Key::OauthDh, own.dh),
        }
    }

    /// Those that `ibctl oauth new` makes.
    pub fn made(places: &Places) -> Self {
        let folder = places.oauth();
        Self {
            signing: folder.join("private_signature.pem"),
            encryption: folder.join("private_encryption.pem"),
            dh: folder.join("dhparam.pem"),
        }
    }

    /// All three.
    pub fn all(&self) -> [&Path; 3] {
        [&self.signing, &self.encryption, &self.dh]
    }

    /// Where the public half of a private key that was made here lies, for the upload.
    pub fn public(private: &Path) -> PathBuf {
        let name = private.file_name().unwrap_or_default().to_string_lossy().into_owned();
        private.with_file_name(name.replace("private_", "public_"))
    }

    /// Where one of [`crate::settings::OAUTH_SECRETS`] is kept on a machine without a keyring.
    pub fn secret(places: &Places, key: Key) -> PathBuf {
        places.oauth().join(key.setting().file_key())
    }
}
