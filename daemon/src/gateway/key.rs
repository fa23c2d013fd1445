//! The gateway's own key and certificate, made once per profile.
//!
//! IBKR's distribution carries one key for everybody, so anybody could show its certificate. Ours is made
//! here by the Java runtime's own `keytool`, which writes what that runtime can read.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ibd_cpapi::pin::Pin;
use ring::rand::{SecureRandom, SystemRandom};

use super::{conf, process};

/// A cold Java on a slow disk is ready within this time.
const LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "keystore.pass";
const CERTIFICATE: &str = "certificate.pem";

/// The key that a gateway starts with.
#[derive(Debug)]
pub(super) struct Key {
    /// Of the key store.
    pub(super) password: String,
    /// Of the certificate.
    pub(super) pin: Pin,
}

impl Key {
    /// The key in `home`, if there is a whole one.
    pub(super) fn read(home: &Path) -> Option<Self> {
        let password = fs::read_to_string(home.join(PASSWORD)).ok()?;
        let pin = Pin::from_pem(&fs::read(home.join(CERTIFICATE)).ok()?)?;
        home.join(conf::KEYSTORE).is_file().then_some(Self { password, pin })
    }

    /// The key in `home`; made with the `keytool` beside `java` if there is none.
    pub(super) async fn ensure(home: &Path, java: &Path) -> Result<Self, String> {
        if let Some(key) = Self::read(home) {
            return Ok(key);
        }
        make(home, &java.with_file_name(keytool())).await?;
        Self::read(home).ok_or_else(|| "the gateway's new key cannot be read".to_owned())
    }
}

fn keytool() -> &'static str {
    if cfg!(windows) { "keytool.exe" } else { "keytool" }
}

async fn make(home: &Path, keytool: &Path) -> Result<(), String> {
    let said = |error: std::io::Error| {
        format!("the gateway's key cannot be made: {}", ibd_disk::plainly(&error))
    };
    // What a broken attempt left behind would be in the way.
    for file in [conf::KEYSTORE, CERTIFICATE, PASSWORD] {
        let _ = fs::remove_file(home.join(file));
    }
    ibd_disk::replace(&home.join(PASSWORD), password()?.as_bytes()).map_err(said)?;
    let store = [
        "-alias".into(),
        "ibd".into(),
        "-keystore".into(),
        home.join(conf::KEYSTORE).into_os_string(),
        "-storetype".into(),
        "PKCS12".into(),
        // From a file: an argument could be read by other users.
        "-storepass:file".into(),
        home.join(PASSWORD).into_os_string(),
    ];
    let generate = [
        "-genkeypair",
        "-keyalg",
        "EC",
        "-keysize",
        "256",
        "-validity",
        "3650",
        "-dname",
        "CN=ibd gateway",
        "-ext",
        "san=dns:localhost,ip:127.0.0.1",
    ];
    run(keytool, &generate, &store).await?;
    // keytool asks nobody how readable it shall be.
    ibd_disk::close(&home.join(conf::KEYSTORE)).map_err(said)?;
    let pem = run(keytool, &["-exportcert", "-rfc"], &store).await?;
    ibd_disk::replace(&home.join(CERTIFICATE), &pem).map_err(said)
}

async fn run(keytool: &Path, verb: &[&str], store: &[OsString]) -> Result<Vec<u8>, String> {
    let arguments: Vec<OsString> =
        verb.iter().map(Into::into).chain(store.iter().cloned()).collect();
    let output = process::run(keytool, &arguments, LIMIT)
        .await
        .map_err(|error| format!("{} cannot be run: {error}", keytool.display()))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!(
            "keytool made no key: {}",
            String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("it said nothing")
        ))
    }
}

fn password() -> Result<String, String> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
