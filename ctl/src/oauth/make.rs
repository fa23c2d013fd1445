//! `ibctl oauth new`: a signing key, an encryption key and the Diffie-Hellman parameters, in the state folder.

use std::path::Path;

use ibd_oauth::{DhParameters, EncryptionKey, KeyError, Randomness, SigningKey};
use ibd_protocol::KeyFiles;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;

use super::{of_file, steps};
use crate::daemon::Fault;
use crate::{Context, Ended, answer};

pub(super) fn run(context: &Context, replace: bool) -> Result<Ended, Fault> {
    let files = KeyFiles::made(&context.places);
    if let Some(there) = files.all().into_iter().find(|path| path.exists()).filter(|_| !replace) {
        return Err(Fault::new(
            format!("there are keys already: {}", there.display()),
            "`ibctl oauth show` says what to do with them. `--replace` makes new ones, and IBKR must be given those.",
        ));
    }
    let places = &context.places;
    places.make().map_err(|error| Fault::new(error.to_string(), ""))?;
    ibd_disk::make_folder(&places.oauth()).map_err(|error| of_file(&places.oauth(), &error))?;
    write(&files)?;
    let public = [&files.signing, &files.encryption].map(|path| KeyFiles::public(path));
    let steps = steps::all(&files);
    let json = json!({
        "folder": places.oauth(),
        "publicSigningKey": public[0],
        "publicEncryptionKey": public[1],
        "dhParameters": files.dh,
        "steps": steps,
    });
    let text = format!(
        "Keys were made in {}. The private ones stay there, and nobody but you can read them.\n\n{}",
        places.oauth().display(),
        steps::numbered(&steps)
    );
    answer(context, &json, &text)?;
    Ok(Ended::Fine)
}

/// Makes them, and writes the private halves before the public ones: what can be uploaded is here whole.
fn write(files: &KeyFiles) -> Result<(), Fault> {
    let mut randomness = Randomness::from_seed(&seed()?);
    let signing = SigningKey::generate(&mut randomness).map_err(not_made)?;
    let encryption = EncryptionKey::generate(&mut randomness).map_err(not_made)?;
    let dh = DhParameters::group_14().to_pem();
    let dh = dh.map_err(|error| Fault::new(error.to_string(), ""))?;
    put(&files.signing, &signing.to_pem().map_err(not_made)?)?;
    put(&files.encryption, &encryption.to_pem().map_err(not_made)?)?;
    put(&files.dh, &dh)?;
    put(&KeyFiles::public(&files.signing), &signing.public_pem().map_err(not_made)?)?;
    put(&KeyFiles::public(&files.encryption), &encryption.public_pem().map_err(not_made)?)
}

/// For this user alone, whatever it is.
fn put(path: &Path, text: &str) -> Result<(), Fault> {
    ibd_disk::replace(path, text.as_bytes()).map_err(|error| of_file(path, &error))
}

fn not_made(error: KeyError) -> Fault {
    Fault::new(error.to_string(), "Try again.")
}

/// Bytes of the operating system's generator.
pub(super) fn seed() -> Result<[u8; 32], Fault> {
    let mut bytes = [0; 32];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Fault::new("the system has no random numbers", ""))?;
    Ok(bytes)
}
