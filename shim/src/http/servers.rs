//! Which server answers a request: a session has its own, and with it its own connection to the daemon, as a client that
//! launches `ib-mcp` has. Requests of the era without sessions share one.
//!
//! What a client asks for itself in headers makes its own connection stricter, and nothing looser.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use ibd_protocol::Toolsets;
use ibd_protocol::settings::Key;
use tokio::time::Instant;

use crate::link::{Link, Setup};
use crate::server::{Server, Tells};

/// Headers by which a client asks for less.
const READ_ONLY: &str = "x-ib-read-only-mode";
const TOOLSETS: &str = "x-ib-toolsets";
/// Servers that are shared, each by those who ask for the same: each is a connection to the daemon.
const MOST: usize = 8;
/// One that nobody uses ends after so long.
const IDLE: Duration = Duration::from_secs(1_800);

tokio::task_local! {
    /// What the request that is being served asks for: the SDK asks for a server and says nothing of what for.
    pub(crate) static ASKS: Asks;
}

/// What a request asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asks {
    /// What begins with it.
    pub(crate) begins: Begins,
    /// What its client asks for itself.
    pub(crate) stricter: Stricter,
}

/// What begins with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Begins {
    /// Nothing that outlasts it.
    #[default]
    Nothing,
    /// A session.
    Session,
}

/// What a client asks for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stricter {
    reads_only: bool,
    toolsets: Option<Toolsets>,
}

impl Stricter {
    /// What stands in the headers, or what is wrong there: who asks for less and is not understood gets nothing.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, String> {
        let read_only = checked(headers, READ_ONLY, Key::ReadOnlyMode)?;
        let toolsets = checked(headers, TOOLSETS, Key::Toolsets)?;
        Ok(Self {
            reads_only: read_only.is_some_and(|value| value == "true"),
            toolsets: toolsets.map(|names| Toolsets::of(&names)),
        })
    }

    fn bind(&self, setup: &Setup) -> Setup {
        let mut bound = setup.clone();
        if self.reads_only {
            bound.wishes.read_only = Some(true);
        }
        if let Some(toolsets) = &self.toolsets {
            let own = bound.wishes.toolsets.take().unwrap_or_default();
            bound.wishes.toolsets = Some(own.both(toolsets));
        }
        bound
    }
}

/// The values of a header, which all count, as one of a setting.
fn checked(headers: &HeaderMap, name: &str, key: Key) -> Result<Option<String>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| format!("{name}: its value is no text"))?;
    if values.next().is_some() {
        return Err(format!("{name}: it stands there twice"));
    }
    let checked = key.setting().kind.check(text.trim());
    checked.map(Some).map_err(|problem| format!("{name}: {problem}"))
}

/// All that serve.
#[derive(Debug)]
pub(crate) struct Servers {
    setup: Setup,
    shared: Mutex<Vec<Shared>>,
}

#[derive(Debug)]
struct Shared {
    stricter: Stricter,
    server: Arc<Server>,
    used: Instant,
}

impl Servers {
    pub(crate) fn new(setup: Setup) -> Self {
        Self { setup, shared: Mutex::default() }
    }

    /// The server for the request that is being served.
    pub(crate) fn serve(&self) -> Arc<Server> {
        let asks = ASKS.try_with(Clone::clone).unwrap_or_default();
        match asks.begins {
            Begins::Session => self.make(&asks.stricter, Tells::Server),
            Begins::Nothing => self.shared(asks.stricter),
        }
    }

    fn make(&self, stricter: &Stricter, tells: Tells) -> Arc<Server> {
        Arc::new(Server::new(Link::start(stricter.bind(&self.setup)), tells))
    }

    fn shared(&self, stricter: Stricter) -> Arc<Server> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = shared.iter_mut().find(|one| one.stricter == stricter) {
            one.used = Instant::now();
            return Arc::clone(&one.server);
        }
        if shared.len() >= MOST {
            let oldest = (0..shared.len()).min_by_key(|at| shared[*at].used);
            // What it has under way is answered: whoever asked holds it.
            if let Some(at) = oldest {
                drop(shared.swap_remove(at));
            }
        }
        let server = self.make(&stricter, Tells::Maker);
        shared.push(Shared { stricter, server: Arc::clone(&server), used: Instant::now() });
        server
    }

    /// Ends those that nobody uses.
    pub(crate) fn sweep(&self) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever listens holds it.
        shared.retain(|one| Arc::strong_count(&one.server) > 1 || one.used.elapsed() < IDLE);
    }

    /// Ends all that are shared.
    pub(crate) fn end(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hyper::http::HeaderValue;
    use ibd_protocol::{Toolset, Wishes};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (hyper::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        });
        // One that stands twice must stay so.
        let mut headers = HeaderMap::new();
        pairs.for_each(|(name, value)| _ = headers.append(name, value));
        headers
    }

    fn setup(wishes: Wishes) -> Setup {
        Setup { places: Err("none".to_owned()), wishes, bad: Vec::new() }
    }

    #[test]
    fn a_client_asks_for_less_and_never_gets_more() {
        let strict = Wishes {
            read_only: Some(true),
            toolsets: Some(Toolsets::of("market account")),
            ..Wishes::default()
        };
        let asked = Stricter::of(&headers(&[(READ_ONLY, "no"), (TOOLSETS, "all")])).unwrap();
        assert_eq!(asked.bind(&setup(strict.clone())).wishes, strict, "nothing is loosened");
        let asked =
            Stricter::of(&headers(&[(READ_ONLY, "1"), (TOOLSETS, "orders,market")])).unwrap();
        let bound = asked.bind(&setup(Wishes::default())).wishes;
        assert_eq!(bound.read_only, Some(true));
        assert_eq!(bound.toolsets, Some(Toolsets::of("market orders")));
        let bound = asked.bind(&setup(strict)).wishes.toolsets.unwrap();
        assert!(bound.has(Toolset::Market) && !bound.has(Toolset::Orders));
        assert_eq!(Stricter::of(&headers(&[])), Ok(Stricter::default()));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (given, told) in [
            (&[(READ_ONLY, "perhaps")][..], "x-ib-read-only-mode: perhaps"),
            (&[(TOOLSETS, "marker")], "did you mean market"),
            (&[(READ_ONLY, "yes"), (READ_ONLY, "no")], "twice"),
        ] {
            let wrong = Stricter::of(&headers(given)).unwrap_err();
            assert!(wrong.contains(told), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_the_same_shares_a_server_and_a_session_has_its_own() {
        let servers = Servers::new(setup(Wishes::default()));
        let asks = |begins, sets: &str| {
            let toolsets = Some(Toolsets::of(sets));
            Asks { begins, stricter: Stricter { reads_only: false, toolsets } }
        };
        let serve = |asks| ASKS.sync_scope(asks, || servers.serve());
        let one = serve(asks(Begins::Nothing, "market"));
        assert!(Arc::ptr_eq(&one, &serve(asks(Begins::Nothing, "market"))));
        assert!(!Arc::ptr_eq(&one, &serve(asks(Begins::Nothing, "orders"))));
        assert!(!Arc::ptr_eq(&one, &serve(asks(Begins::Session, "market"))));
        let count = || servers.shared.lock().unwrap().len();
        assert_eq!(count(), 2);
        tokio::time::advance(IDLE).await;
        servers.sweep();
        assert_eq!(count(), 1, "it is held");
        for reads_only in [true, false] {
            for sets in ["", "market", "orders", "flex", "alerts", "watchlists"] {
                let toolsets = Some(Toolsets::of(sets));
                let stricter = Stricter { reads_only, toolsets };
                serve(Asks { begins: Begins::Nothing, stricter });
            }
        }
        assert_eq!(count(), MOST);
    }
}
