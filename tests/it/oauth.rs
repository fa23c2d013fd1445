//! Our signatures, held against the simulator's own arithmetic: two people's code, two libraries.

use ib_sim::{Broker, Options, Scenario};
use ibd_oauth::{
    AccessToken, Answer, ConsumerKey, Credentials, DhParameters, EncryptionKey, Nonce, OpenError,
    Opening, Query, Randomness, Session, SessionError, SigningKey, Stamp, Target, TokenError,
    TokenSecret,
};
use jiff::Timestamp;
use serde_json::{Value, json};

const HOST: &str = "https://api.ibkr.com/v1/api";

/// A broker, and a consumer who uploaded keys there.
struct World {
    broker: Broker,
    credentials: Credentials,
    randomness: Randomness,
}

impl World {
    /// Registered, and not active yet.
    fn new() -> Self {
        let text = include_str!("../../oauth/tests/vectors/vectors.json");
        let keys: Value = serde_json::from_str(text).unwrap();
        let key = |name: &str| keys[name].as_str().unwrap();
        let scenario: Scenario = serde_json::from_value(
            json!({ "oauth": true, "pacing": false, "session": "loggedOut", "initMillis": 0 }),
        )
        .unwrap();
        let mut broker = Broker::new(Options { scenario, ..Options::default() }).unwrap();
        let upload = json!({
            "action": "register", "consumerKey": "INVENTED1", "dhPrime": key("dh_pem"),
            "signingKey": key("signing_public"), "encryptionKey": key("encryption_public"),
        });
        let shown = control(&mut broker, &upload);
        let credentials = Credentials {
            consumer: ConsumerKey::parse("INVENTED1").unwrap(),
            token: AccessToken::parse(shown["accessToken"].as_str().unwrap()).unwrap(),
            secret: TokenSecret::parse(shown["accessTokenSecret"].as_str().unwrap()).unwrap(),
            signing: SigningKey::from_pem(key("signing_pkcs1")).unwrap(),
            encryption: EncryptionKey::from_pem(key("encryption_pkcs8")).unwrap(),
            parameters: DhParameters::read(key("dh_prime")).unwrap(),
        };
        Self { broker, credentials, randomness: Randomness::from_seed(&[5; 32]) }
    }

    fn active() -> Self {
        let mut world = Self::new();
        world.control(&json!({ "action": "activate", "consumerKey": "INVENTED1" }));
        world
    }

    fn control(&mut self, body: &Value) -> Value {
        control(&mut self.broker, body)
    }

    fn stamp(&mut self) -> Stamp {
        Stamp::new(Nonce::draw(&mut self.randomness), Timestamp::now())
    }

    /// Asks for a session: what came back, and what we make of it.
    fn open(&mut self) -> (u16, Value, Option<Result<Session, SessionError>>) {
        let (exchange, stamp) = (self.credentials.exchange(&mut self.randomness), self.stamp());
        let address = format!("{HOST}/oauth/live_session_token");
        let opening = Opening { address: &address, stamp, exchange };
        let asking = self.credentials.ask(opening, &mut self.randomness).unwrap();
        let header = asking.authorization().expose().to_owned();
        let (status, text) =
            self.broker.ask_signed(&header, "POST", "/v1/api/oauth/live_session_token");
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let session = (status == 200).then(|| asking.answer(&answer(&body)));
        (status, body, session)
    }

    fn session(&mut self) -> Session {
        let (status, body, session) = self.open();
        session.unwrap_or_else(|| panic!("{status} {body}")).unwrap()
    }

    /// A signed request; `path` is below the API's.
    fn ask(
        &mut self,
        session: &Session,
        method: &str,
        (path, query): (&str, Query),
    ) -> (u16, String) {
        let target = Target::new(&format!("{HOST}{path}"), query);
        let header = session.sign(method, &target, self.stamp());
        self.broker.ask_signed(header.expose(), method, &format!("/v1/api{path}"))
    }

    fn tickle(&mut self, session: &Session) -> u16 {
        self.ask(session, "GET", ("/tickle", Query::LeftOut)).0
    }
}

fn control(broker: &mut Broker, body: &Value) -> Value {
    serde_json::from_str(&broker.control("POST", "/oauth", &body.to_string())).unwrap()
}

fn answer(body: &Value) -> Answer {
    Answer {
        response: body["diffie_hellman_response"].as_str().unwrap().to_owned(),
        signature: body["live_session_token_signature"].as_str().unwrap().to_owned(),
        expires: Timestamp::from_millisecond(
            body["live_session_token_expiration"].as_i64().unwrap(),
        )
        .unwrap(),
    }
}

#[test]
fn a_consumer_logs_in_once_it_is_active() {
    let mut world = World::new();
    let (status, body, _) = world.open();
    assert_eq!((status, &body["error"]), (401, &json!("id: 39687, error: invalid consumer")));
    world.control(&json!({ "action": "activate", "consumerKey": "INVENTED1" }));
    let session = world.session();
    let left = session.remaining(Timestamp::now()).as_secs();
    assert!((86_000..=86_401).contains(&left), "{left}");
    assert_eq!(world.tickle(&session), 200);
    let init = world.ask(&session, "POST", ("/iserver/auth/ssodh/init", Query::LeftOut));
    assert_eq!(init.0, 200, "{}", init.1);
}

/// The shared number begins with a bit that is set in every other exchange, and with a zero byte in one of 256.
#[test]
fn both_sides_have_the_same_token_time_and_again() {
    let mut world = World::active();
    for _ in 0..20 {
        world.session();
    }
}

#[test]
fn a_query_may_be_signed_in_each_of_the_known_ways() {
    let mut world = World::active();
    let session = world.session();
    for query in [Query::LeftOut, Query::Merged, Query::InAddress] {
        for path in ["/portfolio/accounts?a=b%20c&d=31,84", "/portfolio/accounts"] {
            let (status, text) = world.ask(&session, "GET", (path, query));
            assert_eq!(status, 200, "{path} {query:?} {text}");
        }
    }
}

#[test]
fn what_is_signed_otherwise_is_refused() {
    let mut world = World::active();
    let session = world.session();
    let target = Target::new(&format!("{HOST}/tickle"), Query::LeftOut);
    let header = session.sign("GET", &target, world.stamp());
    let other = session.sign("POST", &target, world.stamp());
    let late = Stamp::new(
        Nonce::draw(&mut world.randomness),
        Timestamp::now() - jiff::SignedDuration::from_mins(10),
    );
    let late = session.sign("GET", &target, late);
    let mut ask = |header: &str| world.broker.ask_signed(header, "GET", "/v1/api/tickle");
    assert_eq!(ask(header.expose()).0, 200);
    for (wrong, reason) in [
        (header.expose().to_owned(), "nonce used"),
        (other.expose().to_owned(), "Invalid signature"),
        (late.expose().to_owned(), "timestamp refused"),
        (other.expose().replace("oauth_nonce=\"", "oauth_nonce=\"a"), "Invalid signature"),
        (other.expose().replace("limited_poa", "test_realm"), "realm"),
        (String::new(), "the scheme is not OAuth"),
    ] {
        let (status, text) = ask(&wrong);
        assert_eq!(status, 401);
        assert!(text.contains(reason), "{reason}: {text}");
    }
}

#[test]
fn a_session_that_is_over_is_begun_again() {
    let mut world = World::active();
    let first = world.session();
    assert_eq!(world.tickle(&first), 200);
    world.broker.control("POST", "/clock", r#"{"advanceSeconds":86399}"#);
    world.broker.control("POST", "/clock", r#"{"advanceSeconds":2}"#);
    let (status, text) = world.ask(&first, "GET", ("/tickle", Query::LeftOut));
    assert_eq!(status, 401);
    assert!(text.contains("Access token expired"), "{text}");
    let second = world.session();
    assert_eq!((world.tickle(&first), world.tickle(&second)), (401, 200));
}

#[test]
fn what_is_wrong_behind_it_is_told_in_the_brokers_words() {
    let mut world = World::active();
    let session = world.session();
    let trouble = |world: &mut World, what: Value| {
        world.control(&json!({ "action": "trouble", "consumerKey": "INVENTED1", "trouble": what }));
    };
    let init = ("/iserver/auth/ssodh/init", Query::LeftOut);
    trouble(&mut world, json!("notEntitled"));
    let refused = world.ask(&session, "POST", init);
    assert_eq!(refused, (500, r#"{"error":"failed to generate sso dh token"}"#.to_owned()));
    trouble(&mut world, json!("gone"));
    assert_eq!(world.ask(&session, "POST", init).0, 410);
    trouble(&mut world, json!("blocked"));
    assert_eq!((world.tickle(&session), world.open().0), (403, 403));
    trouble(&mut world, json!("noSecret"));
    let words = "LST failed, error: No access secret key found for INVENTED1";
    assert_eq!(world.open().1["error"], json!(words));
    trouble(&mut world, Value::Null);
    assert_eq!(world.open().0, 200);
}

#[test]
fn a_new_token_makes_the_old_secret_useless() {
    let mut world = World::active();
    let shown = world.control(&json!({ "action": "token", "consumerKey": "INVENTED1" }));
    let old = world.credentials.secret.clone();
    world.credentials.token = AccessToken::parse(shown["accessToken"].as_str().unwrap()).unwrap();
    let (status, body, _) = world.open();
    assert_eq!((status, &body["statusCode"]), (401, &json!(401)));
    world.credentials.secret =
        TokenSecret::parse(shown["accessTokenSecret"].as_str().unwrap()).unwrap();
    world.session();
    // A secret for another key is noticed before anything is sent.
    world.credentials.secret = old;
    world.credentials.encryption = other_key();
    let (exchange, stamp) = (world.credentials.exchange(&mut world.randomness), world.stamp());
    let opening = Opening { address: HOST, stamp, exchange };
    let refused = world.credentials.ask(opening, &mut world.randomness).err();
    assert_eq!(refused, Some(OpenError::Token(TokenError::OtherKey)));
}

fn other_key() -> EncryptionKey {
    EncryptionKey::from_pem(include_str!("../../oauth/tests/vectors/forms/rsa_pkcs8.pem")).unwrap()
}
