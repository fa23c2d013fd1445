//! What `tests/vectors/make.py` comes to, with nothing of ours and no library.

use ibd_oauth::{
    AccessToken, Answer, Asking, ConsumerKey, Credentials, DhParameters, EncryptionKey, Exchange,
    Nonce, OpenError, Opening, Query, Session, SessionError, SigningKey, Stamp, Target, TokenError,
    TokenSecret,
};
use serde_json::Value;

use crate::randomness;

pub fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/vectors.json")).unwrap()
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text"))
}

fn credentials(all: &Value, opening: &Value) -> Credentials {
    Credentials {
        consumer: ConsumerKey::parse(text(all, "consumer_key")).unwrap(),
        token: AccessToken::parse(text(all, "access_token")).unwrap(),
        secret: TokenSecret::parse(text(opening, "access_token_secret")).unwrap(),
        signing: SigningKey::from_pem(text(all, "signing_pkcs1")).unwrap(),
        encryption: EncryptionKey::from_pem(text(all, "encryption_pkcs8")).unwrap(),
        parameters: DhParameters::read(text(all, "dh_prime")).unwrap(),
    }
}

fn bytes(hex: &str) -> [u8; 32] {
    let digits = hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    let bytes: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

fn stamp(nonce: &str, seconds: i64) -> Stamp {
    Stamp::new(Nonce::given(nonce).unwrap(), jiff::Timestamp::from_second(seconds).unwrap())
}

fn ask(all: &Value, opening: &Value) -> Asking {
    let credentials = credentials(all, opening);
    let secret = bytes(text(opening, "dh_secret"));
    let exchange = Exchange::begin(&credentials.parameters, &secret);
    assert_eq!(exchange.challenge(), text(opening, "dh_challenge"));
    let (address, stamp) = (text(all, "lst_url"), stamp("abcdefgh12345678", 1_790_000_000));
    credentials.ask(Opening { address, stamp, exchange }, &mut randomness(1)).unwrap()
}

fn answer(opening: &Value) -> Answer {
    Answer {
        response: text(opening, "dh_response").to_owned(),
        signature: text(opening, "token_signature").to_owned(),
        expires: jiff::Timestamp::from_millisecond(1_790_086_400_000).unwrap(),
    }
}

fn openings(all: &Value) -> &[Value] {
    all["openings"].as_array().unwrap()
}

#[test]
fn asking_for_a_session_says_what_another_implementation_says() {
    let all = vectors();
    assert_eq!(openings(&all).len(), 4);
    for opening in openings(&all) {
        let asking = ask(&all, opening);
        assert_eq!(asking.expose_base(), text(opening, "base"));
        assert_eq!(asking.authorization().expose(), text(opening, "header"));
        let (shown, secret) = (format!("{asking:?}"), text(opening, "prepend"));
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// The four differ in how many zeros the shared number begins with, which decides about the zero in front.
#[test]
fn the_session_token_is_the_same_on_both_sides() {
    let all = vectors();
    for opening in openings(&all) {
        let session = ask(&all, opening).answer(&answer(opening)).unwrap();
        assert_eq!(session.expose().as_str(), text(opening, "token"));
        assert_eq!(session.expires(), answer(opening).expires);
        let shown = format!("{session:?}");
        assert!(!shown.contains(text(opening, "token")), "{shown}");
    }
}

#[test]
fn requests_are_signed_as_another_implementation_signs_them() {
    let all = vectors();
    for opening in openings(&all) {
        let session = ask(&all, opening).answer(&answer(opening)).unwrap();
        let requests = opening["requests"].as_array().unwrap();
        assert_eq!(requests.len(), 7);
        for request in requests {
            check(&session, request);
        }
    }
}

fn check(session: &Session, request: &Value) {
    let query = match text(request, "query") {
        "left_out" => Query::LeftOut,
        "merged" => Query::Merged,
        _ => Query::InAddress,
    };
    let target = Target::new(text(request, "url"), query);
    let stamp = || stamp(text(request, "nonce"), request["timestamp"].as_i64().unwrap());
    let method = text(request, "method");
    assert_eq!(session.base(method, &target, stamp()), text(request, "base"));
    assert_eq!(session.sign(method, &target, stamp()).expose(), text(request, "header"));
}

#[test]
fn a_proof_that_does_not_match_begins_no_session() {
    let all = vectors();
    let opening = &openings(&all)[0];
    let right = answer(opening);
    let other = text(&openings(&all)[1], "token_signature").to_owned();
    for signature in [other, String::new(), "zz".to_owned(), right.signature[2..].to_owned()] {
        let wrong = Answer { signature, ..right.clone() };
        assert_eq!(ask(&all, opening).answer(&wrong).err(), Some(SessionError::Signature));
    }
    let capitals = Answer { signature: right.signature.to_uppercase(), ..right.clone() };
    assert!(ask(&all, opening).answer(&capitals).is_ok());
}

#[test]
fn another_prime_than_the_uploaded_one_shows_as_a_proof_that_does_not_match() {
    let all = vectors();
    let opening = &openings(&all)[0];
    let credentials =
        Credentials { parameters: DhParameters::group_14(), ..credentials(&all, opening) };
    let exchange = Exchange::begin(&credentials.parameters, &bytes(text(opening, "dh_secret")));
    let (address, stamp) = (text(&all, "lst_url"), stamp("abcdefgh12345678", 1_790_000_000));
    let opened = Opening { address, stamp, exchange };
    let asking = credentials.ask(opened, &mut randomness(1)).unwrap();
    assert_eq!(asking.answer(&answer(opening)).err(), Some(SessionError::Signature));
}

#[test]
fn swapped_keys_and_another_users_secret_are_noticed_before_anything_is_sent() {
    let all = vectors();
    let opening = &openings(&all)[0];
    let right = credentials(&all, opening);
    let swapped = Credentials {
        signing: SigningKey::from_pem(text(&all, "encryption_pkcs1")).unwrap(),
        encryption: EncryptionKey::from_pem(text(&all, "signing_pkcs1")).unwrap(),
        ..right.clone()
    };
    for seed in 0..4 {
        let exchange = swapped.exchange(&mut randomness(seed));
        let stamp = stamp("abcdefgh12345678", 1_790_000_000);
        let opened = Opening { address: text(&all, "lst_url"), stamp, exchange };
        let refused = swapped.ask(opened, &mut randomness(seed)).err();
        assert_eq!(refused, Some(OpenError::Token(TokenError::OtherKey)));
    }
    for opening in openings(&all) {
        let secret = TokenSecret::parse(text(opening, "access_token_secret")).unwrap();
        let refused = swapped.encryption.decrypt(&secret, &mut randomness(9)).err();
        assert_eq!(refused, Some(TokenError::OtherKey));
        let found = right.encryption.decrypt(&secret, &mut randomness(9)).unwrap();
        assert_eq!(found.expose().as_str(), text(opening, "prepend"));
    }
}

#[test]
fn a_secret_that_lost_its_end_is_told_from_one_of_another_key() {
    let all = vectors();
    let opening = &openings(&all)[0];
    let key = EncryptionKey::from_pem(text(&all, "encryption_pkcs1")).unwrap();
    let cut = &text(opening, "access_token_secret")[..128];
    let refused = key.decrypt(&TokenSecret::parse(cut).unwrap(), &mut randomness(1)).err();
    assert_eq!(refused, Some(TokenError::WrongLength { found: 96, wanted: 256 }));
}
