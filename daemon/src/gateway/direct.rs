//! No gateway: requests go to IBKR itself, signed with what a person registered there.
//!
//! What that is stands in settings, in the keyring or in the state folder, and is read when this way is chosen and when
//! somebody says that it has changed. There is no process, and nothing is asked of IBKR here: the session does that.

mod keys;

use std::sync::{Arc, Mutex, PoisonError};

use ibd_cpapi::Client;
use ibd_cpapi::client::Address;
use ibd_cpapi::direct::Signer;
use ibd_cpapi::door::Door;
use ibd_cpapi::pace::Limits;
use ibd_cpapi::pin::Pin;
use ibd_protocol::settings::{Key, OAUTH, OAUTH_SECRETS, Settings};
use ibd_protocol::{KeyFiles, Places, Secret, Wishes, files};
use ractor::ActorRef;
use ring::rand::{SecureRandom, SystemRandom};

use super::{GatewayState, Msg, State};
use crate::config::{Config, GatewayChoice};
use crate::secrets;
use keys::Named;

/// IBKR's own address.
const IBKR: &str = "https://api.ibkr.com";
/// More than any of the secrets has, in bytes.
const LONGEST: u64 = 4_096;

/// What clients bring along. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Brought(Arc<Mutex<Settings>>);

impl Brought {
    /// Takes what a client brings along, if it is all of it. The first one's stays, and of the same consumer the newest:
    /// its token may have been made again.
    pub fn take(&self, wishes: &Wishes) {
        let is_ours = |name: &str| OAUTH.iter().any(|key| key.name() == name);
        let ours: Vec<(String, Secret)> =
            wishes.login.iter().filter(|(name, _)| is_ours(name)).cloned().collect();
        let mut brought = Settings::default();
        brought.take_login(&ours);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let consumer = known.text(Key::OauthConsumerKey);
        let is_same =
            consumer.is_none_or(|known| Some(known) == brought.text(Key::OauthConsumerKey));
        if is_whole(&brought) && is_same {
            *known = brought;
        }
    }

    fn get(&self) -> Settings {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn is_whole(settings: &Settings) -> bool {
    OAUTH_SECRETS.iter().all(|key| settings.text(*key).is_some())
}

/// Where it stands what was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    own: Settings,
    brought: Brought,
    places: Places,
}

/// The way to IBKR, with what it takes to go it.
#[derive(Debug)]
pub struct Direct {
    address: Address,
    client: Client,
}

impl Registered {
    /// In the daemon's own configuration, or with what clients bring along.
    pub fn new(config: &Config, brought: Brought) -> Self {
        Self { own: config.settings.clone(), brought, places: config.places.clone() }
    }

    /// What counts as a whole: the daemon's own, or if it says nothing at all, a client's. So nothing that a client names
    /// (an address, a file) is ever used with the daemon's own secrets.
    fn settings(&self) -> (Settings, Owner) {
        let brought = self.brought.get();
        let says_nothing = OAUTH.iter().all(|key| self.own.text(*key).is_none());
        if says_nothing && is_whole(&brought) {
            (brought, Owner::Client)
        } else {
            (self.own.clone(), Owner::Daemon)
        }
    }

    /// Reads all of it. An error says what is missing or cannot be used, and nothing of it.
    async fn connect(&self, door: Arc<Door>) -> Result<Box<Direct>, String> {
        let (settings, owner) = self.settings();
        let address = address(settings.text(Key::OauthUrl).unwrap_or(IBKR))?;
        let named = Named {
            consumer: self.secret(&settings, owner, Key::OauthConsumerKey).await?,
            token: self.secret(&settings, owner, Key::OauthToken).await?,
            secret: self.secret(&settings, owner, Key::OauthTokenSecret).await?,
        };
        let files = KeyFiles::of(&self.places, &settings);
        let (for_now, for_signing) = (seed()?, seed()?);
        // Looks at large primes, and reads files.
        let read = tokio::task::spawn_blocking(move || keys::read(&named, &files, &for_now));
        let credentials = read.await.map_err(|error| error.to_string())??;
        let signer = Signer::new(credentials, &for_signing);
        let client = Client::direct(&address, door, signer).map_err(|error| error.to_string())?;
        Ok(Box::new(Direct { address, client }))
    }

    async fn secret(&self, settings: &Settings, owner: Owner, key: Key) -> Result<Secret, String> {
        if let Some(secret) = settings.text(key) {
            return Ok(Secret::new(secret));
        }
        let path = KeyFiles::secret(&self.places, key);
        match files::read_private(&path, LONGEST) {
            _ if owner == Owner::Client => {}
            Ok(secret) => return Ok(Secret::new(secret.expose().trim())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if let Some(secret) = secrets::get(&self.places.profile, key).await {
                    return Ok(secret);
                }
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        Err(format!("{key} is not set: `ibctl oauth set` takes it"))
    }
}

/// Whose settings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Daemon,
    Client,
}

/// Bytes of the operating system's generator.
fn seed() -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no random numbers")?;
    Ok(bytes)
}

/// Host and port of an https address. On this machine the first certificate that is seen is trusted, elsewhere only what
/// an authority vouches for.
fn address(url: &str) -> Result<Address, String> {
    let unreadable = || format!("{}: {url} is no https address", Key::OauthUrl);
    let rest = url.strip_prefix("https://").ok_or_else(unreadable)?;
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| unreadable())?),
        None => (rest, 443),
    };
    Ok(Address { host: host.to_owned(), port, pin: Pin::default() })
}

impl State {
    /// Reads what requests are signed with, off the actor: a keyring may want to be unlocked.
    pub(super) fn reach(&mut self, me: &ActorRef<Msg>) {
        self.publish(GatewayState::Starting);
        let (me, generation) = (me.clone(), self.generation);
        let (registered, door) = (self.registered.clone(), self.door.clone());
        self.task = Some(tokio::spawn(async move {
            let outcome = registered.connect(door).await;
            let _ = me.cast(Msg::Reached(generation, outcome));
        }));
    }

    pub(super) fn reached(&mut self, outcome: Result<Box<Direct>, String>) {
        self.is_wanted = false;
        match outcome {
            Ok(direct) => {
                let Direct { address, client } = *direct;
                self.door.limit(Limits::SIGNED);
                self.up_with(&address, None, Ok(client));
            }
            Err(why) => {
                tracing::warn!(why, "requests to IBKR cannot be signed");
                self.publish(GatewayState::NotInstalled(why));
            }
        }
    }

    /// Where nothing is signed there is nothing to read.
    pub(super) fn reread(&mut self, me: &ActorRef<Msg>) {
        if self.choice == Some(GatewayChoice::Direct) {
            self.start(me);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_protocol::settings::from_toml_pairs;

    fn places() -> Places {
        Places {
            profile: "default".into(),
            config: "/x".into(),
            state: "/x".into(),
            runtime: "/x".into(),
            data: "/x".into(),
        }
    }

    fn registered(pairs: &[(&str, &str)], brought: Brought) -> Registered {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Registered { own: from_toml_pairs(pairs), brought, places: places() }
    }

    fn wishes(pairs: &[(&str, &str)]) -> Wishes {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::new(*value));
        Wishes { login: pairs.iter().map(pair).collect(), ..Wishes::default() }
    }

    const WHOLE: &[(&str, &str)] = &[
        ("IB_OAUTH_CONSUMER_KEY", "THEIRS123"),
        ("IB_OAUTH_TOKEN", "t"),
        ("IB_OAUTH_TOKEN_SECRET", "s"),
        ("IB_OAUTH_URL", "https://127.0.0.1:5001"),
    ];

    #[test]
    fn what_a_client_names_counts_with_all_of_its_own_secrets_and_no_other() {
        let url = |registered: &Registered| {
            registered.settings().0.text(Key::OauthUrl).map(str::to_owned)
        };
        let brought = Brought::default();
        brought.take(&wishes(&WHOLE[1..]));
        assert_eq!(url(&registered(&[], brought.clone())), None, "the consumer key is missing");
        brought.take(&wishes(WHOLE));
        let theirs = Some("https://127.0.0.1:5001".to_owned());
        assert_eq!(url(&registered(&[], brought.clone())), theirs);
        let own = registered(&[("oauth_token", "own")], brought.clone());
        assert_eq!(url(&own), None, "the daemon's own are never sent there");
        let mut other = WHOLE.to_vec();
        other[0].1 = "OTHERS123";
        other[3].1 = "https://127.0.0.1:5002";
        brought.take(&wishes(&other));
        assert_eq!(url(&registered(&[], brought)), theirs, "the first one's stays");
    }

    #[test]
    fn an_address_is_taken_apart() {
        for (url, host, port, shown) in [
            ("https://api.ibkr.com", "api.ibkr.com", 443, "https://api.ibkr.com"),
            ("https://127.0.0.1:5001", "127.0.0.1", 5001, "https://127.0.0.1:5001"),
        ] {
            let address = address(url).unwrap();
            assert_eq!((address.host.as_str(), address.port), (host, port));
            assert_eq!(address.url(), shown);
        }
        for wrong in ["http://api.ibkr.com", "https://a:b"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
