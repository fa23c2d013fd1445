//! What this crate makes of given keys, chances and times, to be held against another implementation.
//!
//! Each line of its standard input is an object; each line of its output what came of it:
//!
//! ```text
//! {"signing": PEM, "encryption": PEM, "prime": HEX, "consumer", "token", "secret": BASE64, "address": URL,
//!  "nonce", "seconds", "dhSecret": 64 HEX, "response": HEX, "proof": HEX,
//!  "requests": [{"method", "url", "nonce", "seconds"}]}
//! → {"challenge", "opening": "OAuth …", "session": BASE64, "requests": ["OAuth …"]}
//! ```
//!
//! It prints the session token, and so is for invented keys. A query of a request is left out of what is signed.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::BufRead;

use ibd_oauth::{
    AccessToken, Answer, ConsumerKey, Credentials, DhParameters, EncryptionKey, Exchange, Nonce,
    Opening, Query, Randomness, SigningKey, Stamp, Target, TokenSecret,
};
use serde_json::{Value, json};

type Told<T> = Result<T, Box<dyn Error>>;

fn main() -> Told<()> {
    for line in std::io::stdin().lock().lines() {
        println!("{}", answer(&serde_json::from_str(&line?)?)?);
    }
    Ok(())
}

fn answer(given: &Value) -> Told<Value> {
    let credentials = Credentials {
        consumer: ConsumerKey::parse(text(given, "consumer")?)?,
        token: AccessToken::parse(text(given, "token")?)?,
        secret: TokenSecret::parse(text(given, "secret")?)?,
        signing: SigningKey::from_pem(text(given, "signing")?)?,
        encryption: EncryptionKey::from_pem(text(given, "encryption")?)?,
        parameters: DhParameters::read(text(given, "prime")?)?,
    };
    let exchange = Exchange::begin(&credentials.parameters, &bytes(text(given, "dhSecret")?)?);
    let challenge = exchange.challenge().to_owned();
    let opening = Opening { address: text(given, "address")?, stamp: stamp(given)?, exchange };
    let asking = credentials.ask(opening, &mut Randomness::from_seed(&[1; 32]))?;
    let header = asking.authorization().expose().to_owned();
    let session = asking.answer(&Answer {
        response: text(given, "response")?.to_owned(),
        signature: text(given, "proof")?.to_owned(),
        expires: jiff::Timestamp::MAX,
    })?;
    let requests = given["requests"].as_array().ok_or("no requests")?;
    let signed = requests.iter().map(|request| {
        let target = Target::new(text(request, "url")?, Query::LeftOut);
        let header = session.sign(text(request, "method")?, &target, stamp(request)?);
        Ok(header.expose().to_owned())
    });
    Ok(json!({
        "challenge": challenge,
        "opening": header,
        "session": session.expose().as_str(),
        "requests": signed.collect::<Told<Vec<String>>>()?,
    }))
}

fn text<'a>(value: &'a Value, key: &str) -> Told<&'a str> {
    value[key].as_str().ok_or_else(|| format!("{key} is no text").into())
}

fn stamp(value: &Value) -> Told<Stamp> {
    let seconds = value["seconds"].as_i64().ok_or("seconds is no number")?;
    let nonce = Nonce::given(text(value, "nonce")?).ok_or("no nonce")?;
    Ok(Stamp::new(nonce, jiff::Timestamp::from_second(seconds)?))
}

fn bytes(hex: &str) -> Told<[u8; 32]> {
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes())?;
    bytes.try_into().map_err(|_| "dhSecret is not 32 bytes".into())
}
