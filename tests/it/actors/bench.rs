//! The bench: a simulator, a gateway that is up, the session's actor, and the folders of a profile, for one more actor
//! to be put on.

use std::net::SocketAddr;

use ib_sim::{Options, Scenario, Sim};
use ibd::board::Board;
use ibd::budget;
use ibd::config::{Config, GatewayChoice};
use ibd::gateway::{GatewayHandle, GatewayState, GatewayView};
use ibd::post::Post;
use ibd::session::guard::Guard;
use ibd::session::login::Wish;
use ibd::session::{self, Lease, Session, SessionHandle};
use ibd::store::Store;
use ibd_cpapi::Client;
use ibd_cpapi::client::Address;
use ibd_cpapi::pin::Pin;
use ibd_protocol::Places;
use ibd_protocol::settings::from_toml_pairs;
use ibd_tests::{PATIENCE, until};
use ractor::Actor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// When nothing here is waited for any longer.
pub(super) fn soon() -> Instant {
    Instant::now() + PATIENCE
}

/// An actor at work.
pub(super) struct Running {
    stop: Box<dyn Fn() + Send>,
    ended: JoinHandle<()>,
}

impl Running {
    /// Starts an actor; what is posted goes to it from now on.
    pub(super) async fn start<A: Actor>(
        actor: A,
        arguments: A::Arguments,
        post: &Post<A::Msg>,
    ) -> Self {
        let (me, ended) = A::spawn(None, actor, arguments).await.unwrap();
        post.install(me.clone());
        Self { stop: Box::new(move || me.stop(None)), ended }
    }

    /// Stops it. When this returns its state is gone, too.
    pub(super) async fn stop(&mut self) {
        (self.stop)();
        (&mut self.ended).await.unwrap();
    }
}

/// The simulator, in this process, and its control API.
pub(super) struct Broker {
    sim: Sim,
}

impl Broker {
    async fn start(scenario: Value) -> Self {
        let scenario: Scenario = serde_json::from_value(scenario).unwrap();
        Self { sim: Sim::start(Options { scenario, ..Options::default() }).await.unwrap() }
    }

    /// Where the gateway answers: `https://127.0.0.1:40123`.
    pub(super) fn gateway(&self) -> &str {
        self.sim.gateway()
    }

    fn address(&self) -> SocketAddr {
        self.gateway().strip_prefix("https://").unwrap().parse().unwrap()
    }

    /// Another one at the same address. It makes a certificate of its own.
    pub(super) async fn replaced(self) -> Self {
        let options = Options { listen: self.address(), ..Options::default() };
        drop(self);
        let mut started = None;
        until("the port is free again", async || {
            started = Sim::start(options.clone()).await.ok();
            started.is_some()
        })
        .await;
        Self { sim: started.unwrap() }
    }

    /// Injects a fault.
    pub(super) async fn fault(&self, fault: Value) {
        self.tell("/fault", fault).await;
    }

    /// Tells the control API something.
    pub(super) async fn tell(&self, path: &str, body: Value) -> Value {
        self.control("POST", path, &body.to_string()).await
    }

    /// Asks the control API something.
    pub(super) async fn get(&self, path: &str) -> Value {
        self.control("GET", path, "").await
    }

    /// Every ticket that was ever accepted.
    pub(super) async fn placements(&self) -> Vec<Value> {
        self.get("/placements").await["placements"].as_array().unwrap().clone()
    }

    /// How many requests to place an order there were.
    pub(super) async fn posts(&self) -> usize {
        let requests = self.get("/requests").await;
        let places = |request: &&Value| {
            request["method"] == "POST" && request["path"].as_str().unwrap().ends_with("/orders")
        };
        requests["requests"].as_array().unwrap().iter().filter(places).count()
    }

    async fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let host = self.sim.control().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }
}

/// What an actor needs around it. Dropped in this order: the folders go last.
pub(super) struct Bench {
    /// The broker.
    pub(super) broker: Broker,
    /// How everything is.
    pub(super) board: Board,
    /// The login.
    pub(super) session: SessionHandle,
    /// What is remembered.
    pub(super) store: Store,
    /// The folders of this profile.
    pub(super) places: Places,
    post: Post<session::Msg>,
    running: Running,
    _home: TempDir,
}

impl Bench {
    /// A simulator with this scenario, and a session that looks for its login.
    pub(super) async fn new(scenario: Value) -> Self {
        let broker = Broker::start(scenario).await;
        let home = tempfile::Builder::new().prefix("ibd-").tempdir_in("/tmp").unwrap();
        let places = places(&home);
        places.make().unwrap();
        let (store, _) = Store::open(&places.store()).unwrap();
        let board = Board::default();
        board.gateway().send_replace(up(&broker, &places, &store));
        let post = Post::default();
        let wish = Wish::of(&config(&places, &[]));
        let session = SessionHandle::new(board.clone(), post.clone(), wish);
        let running = start_session(&board, &session, &places, &post).await;
        Self { broker, board, session, store, places, post, running, _home: home }
    }

    /// Stops the session's actor and starts another one over the same folders.
    pub(super) async fn restart_session(&mut self) {
        self.running.stop().await;
        self.running = start_session(&self.board, &self.session, &self.places, &self.post).await;
    }

    /// A lease, once there is one.
    pub(super) async fn lease(&self) -> Lease {
        self.session.lease(soon()).await.unwrap()
    }

    /// A configuration as `config.toml` would say it.
    pub(super) fn config(&self, pairs: &[(&str, &str)]) -> Config {
        config(&self.places, pairs)
    }
}

/// None of them is in the home of whoever runs the tests.
fn places(home: &TempDir) -> Places {
    let below = |path: &str| home.path().join(path);
    Places {
        profile: "bench".to_owned(),
        config: below("config/ibd"),
        state: below("state/ibd/bench"),
        runtime: below("run/ibd"),
        data: below("data/ibd"),
    }
}

fn config(places: &Places, pairs: &[(&str, &str)]) -> Config {
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let settings = from_toml_pairs(pairs);
    assert!(settings.bad.is_empty(), "{:?}", settings.bad);
    Config { settings, places: places.clone(), auto_started: false, bound: Vec::new() }
}

/// A gateway that somebody else runs, as its owner shows it: the first certificate that is seen is pinned.
fn up(broker: &Broker, places: &Places, store: &Store) -> GatewayView {
    let at = broker.address();
    let address = Address { host: at.ip().to_string(), port: at.port(), pin: Pin::default() };
    let client = Client::new(&address, budget::door(&places.state, store)).unwrap();
    GatewayView {
        choice: Some(GatewayChoice::Attach {
            host: address.host.clone(),
            port: address.port,
            certificate: None,
        }),
        state: GatewayState::Up,
        address: Some(address.url()),
        pin: address.pin.clone(),
        client: Some(client),
        generation: 1,
        ..GatewayView::default()
    }
}

async fn start_session(
    board: &Board,
    handle: &SessionHandle,
    places: &Places,
    post: &Post<session::Msg>,
) -> Running {
    let config = config(places, &[]);
    let arguments = session::Arguments {
        board: board.clone(),
        // Nobody is at home there: a gateway of somebody else's is neither started nor ended.
        gateway: GatewayHandle::new(board.clone(), Post::default(), places.gateway()),
        settings: config.settings,
        wish: handle.wish(),
        guard: Guard::open(places.state.parent().unwrap()),
        places: places.clone(),
    };
    Running::start(Session, arguments, post).await
}

/// A live account, whose orders a person approves.
pub(super) fn live() -> Value {
    let account = json!({
        "id": "U7654321", "currency": "USD", "cash": { "USD": 1_000_000 }, "positions": [],
    });
    json!({ "accounts": [account], "orders": [] })
}
