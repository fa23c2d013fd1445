//! The actor of orders, without anything between it and whoever asks.

use std::fs::File;

use ibd::market::MarketHandle;
use ibd::orders::flags::Flags;
use ibd::orders::prepare::{self, Tools};
use ibd::orders::{self, Asked, Attached, Feeds, Needs, Orders, OrdersHandle, RuleBook};
use ibd::orders::{End, Intent, IntentId, IntentState, NAMED, Origin, Pricing, Purpose};
use ibd::orders::{Request, Seed, Size, What, gather_scene};
use ibd::post::Post;
use ibd::stream::StreamHandle;
use ibd_cpapi::lenient::FromBroker;
use ibd_cpapi::money::{Price, Quantity};
use ibd_cpapi::orders::{Side, Tif};
use ibd_protocol::places::FLAG;
use ibd_protocol::{ErrorCode, OrdersReport, OrdersVerb, ReasonCode, Resolution, Secret, states};
use ibd_tests::desk::{AAPL, PRICE};
use ibd_tests::until;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Duration, Instant};

use super::bench::{Bench, Running, live, soon};

/// Where one is set, nobody's keyring is asked for another.
const PIN: &str = "246813";
const OTHER_PIN: &str = "975310";

/// The actor of orders on its bench, with what it shares with the tools.
struct Desk {
    bench: Bench,
    orders: OrdersHandle,
    market: MarketHandle,
    feeds: Feeds,
    rules: RuleBook,
    running: Running,
}

impl Desk {
    /// With this scenario. The price of Apple stands still.
    async fn new(scenario: Value) -> Self {
        let bench = Bench::new(scenario).await;
        bench.broker.tell("/market", json!({ "conid": AAPL, "last": PRICE })).await;
        bench.lease().await;
        Self::open(bench, PIN).await
    }

    /// Everything but the folders and the session is new.
    async fn open(bench: Bench, pin: &str) -> Self {
        let config = bench.config(&[("approval_pin", pin)]);
        let (post, changes) = (Post::default(), watch::Sender::new(0));
        let orders = OrdersHandle::new(post.clone(), changes, &config);
        let (market, feeds) = (MarketHandle::default(), Feeds::default());
        let state = bench.places.state.clone();
        let above = state.parent().unwrap().to_owned();
        let arguments = orders::Arguments {
            board: bench.board.clone(),
            session: bench.session.clone(),
            stream: StreamHandle::new(Post::default()),
            market: market.clone(),
            feeds: feeds.clone(),
            settings: config.settings,
            folder: state.join("journal"),
            // Not those of whoever runs the tests: a freeze here is none there.
            flags: Flags { own: bench.places.flag(), shared: vec![above.join(FLAG)] },
            above: vec![above],
            state,
            changes: orders.changes(),
            handle: orders.clone(),
            stay_closed: None,
        };
        let running = Running::start(Orders, arguments, &post).await;
        Self { bench, orders, market, feeds, rules: RuleBook::default(), running }
    }

    /// Stops the actor and starts another one over the same journal, with this PIN.
    async fn restarted(self, pin: &str) -> Self {
        let Self { bench, mut running, .. } = self;
        running.stop().await;
        let lock = File::options()
            .write(true)
            .open(bench.places.state.join("journal").join("lock"))
            .unwrap();
        // The thread that writes it ends a moment after its actor.
        until("the journal is let go", async || lock.try_lock().is_ok()).await;
        drop(lock);
        Self::open(bench, pin).await
    }

    /// So many of Apple at a limit below the market, where they rest, as the request of this name.
    async fn request(&self, name: &str, quantity: u32) -> Request {
        let (lease, deadline) = (self.bench.lease().await, soon());
        let tools = Tools {
            store: &self.bench.store,
            underlyings: self.market.underlyings(),
            rules: &self.rules,
            account: None,
            operator: None,
            deadline,
        };
        let asked = Asked {
            account: None,
            what: What::Conid(AAPL.to_string().parse().unwrap()),
            side: Side::Buy,
            size: Size::Quantity(Quantity::from_broker(&quantity.to_string()).unwrap()),
            pricing: Pricing::Limit(Price::from_broker("265").unwrap()),
            tif: Tif::Day,
            outside_rth: false,
            attached: Attached::Nothing,
        };
        let order = prepare::order(&lease, tools, &asked).await.unwrap();
        let needs = Needs { pnl: false, fresh_list: false, feeds: self.feeds.clone(), hours: None };
        let scene = gather_scene(&lease, &self.market, &order, needs, deadline).await.unwrap();
        let seed = Seed {
            purpose: Purpose::Place,
            account: order.account.clone(),
            text: order.shown(),
            order: Some(order),
            origin: Origin {
                client: "bench".to_owned(),
                tool: "place_order".to_owned(),
                key: key(name),
                hash: asked.hash(),
                bound: Vec::new(),
            },
        };
        Request {
            seed,
            scene: Some((scene, lease)),
            suppress: true,
            beside: None,
            warnings: Vec::new(),
        }
    }

    /// What has become of a request once that is settled.
    async fn ask(&self, request: Request) -> Intent {
        self.orders.ask(request, soon()).await.unwrap()
    }

    /// The same, while something else is done.
    fn asking(&self, request: Request) -> JoinHandle<Intent> {
        let orders = self.orders.clone();
        tokio::spawn(async move { orders.ask(request, soon()).await.unwrap() })
    }

    /// An order that the simulator must have and the desk must know of.
    async fn placed(&self, request: Request) -> Intent {
        let intent = self.ask(request).await;
        assert!(is_working(&intent), "{:?}", intent.state);
        intent
    }

    /// Asks for an order that must be refused because trading is frozen.
    async fn frozen(&self, request: Request) {
        let intent = self.ask(request).await;
        let IntentState::Denied(denial) = &intent.state else { panic!("{:?}", intent.state) };
        assert!(denial.code.is(ReasonCode::TradingFrozen), "{denial:?}");
    }

    async fn look(&self, id: IntentId) -> Intent {
        self.orders.look(id).await.unwrap().unwrap()
    }

    /// The broker has so many orders from here, and no more.
    async fn has_placed(&self, count: usize) {
        let placements = self.bench.broker.placements().await;
        assert_eq!(placements.len(), count, "{placements:?}");
    }

    /// What a person with `ibctl` says an order in doubt is.
    async fn resolve(&self, id: IntentId, order_id: &str) -> OrdersReport {
        let found = Resolution::Placed(order_id.to_owned());
        let (id, pin) = (id.to_string(), Some(Secret::new(PIN)));
        self.orders.verb(OrdersVerb::Resolve { id, found, pin }).await
    }

    /// A person with `ibctl` says yes, and gives this PIN.
    async fn approve(&self, intent: &Intent, pin: &str) -> OrdersReport {
        let id = approval_of(intent).to_owned();
        let (digest, pin) = (intent.digest(), Some(Secret::new(pin)));
        self.orders.verb(OrdersVerb::Approve { id, digest, pin }).await
    }
}

fn key(name: &str) -> String {
    format!("{NAMED}bench/place_order/{name}")
}

fn is_working(intent: &Intent) -> bool {
    matches!(intent.state, IntentState::Working(_))
}

fn approval_of(intent: &Intent) -> &str {
    match &intent.state {
        IntentState::Awaiting(approval) => &approval.id,
        state => panic!("{state:?}"),
    }
}

#[tokio::test]
async fn the_same_request_after_a_restart_is_the_same_order() {
    let desk = Desk::new(json!({})).await;
    let request = desk.request("one", 1).await;
    let placed = desk.placed(request.clone()).await;

    let desk = desk.restarted(PIN).await;
    let known = desk.orders.by_key(&key("one")).await.unwrap().unwrap();
    assert_eq!((known.id, known.order_id()), (placed.id, placed.order_id()));
    assert!(is_working(&known), "{:?}", known.state);
    let again = desk.placed(request).await;
    assert_eq!((again.id, again.order_id()), (placed.id, placed.order_id()));
    assert!(desk.orders.by_key(&key("another")).await.unwrap().is_none());
    desk.has_placed(1).await;
    assert_eq!(desk.bench.broker.posts().await, 1);
}

#[tokio::test]
async fn a_freeze_outlives_the_actor_and_ends_by_a_person() {
    let desk = Desk::new(json!({})).await;
    let frozen = desk.orders.verb(OrdersVerb::Freeze { cancel_all: false }).await;
    assert!(frozen.ok && frozen.trading.is(states::Trading::Frozen), "{frozen:?}");
    desk.frozen(desk.request("one", 1).await).await;

    let desk = desk.restarted(PIN).await;
    let list = desk.orders.verb(OrdersVerb::List).await;
    assert!(list.trading.is(states::Trading::Frozen), "{list:?}");
    desk.frozen(desk.request("two", 2).await).await;
    let guessed = desk.orders.verb(OrdersVerb::Unfreeze { pin: None }).await;
    assert!(!guessed.ok && guessed.trading.is(states::Trading::Frozen), "{guessed:?}");
    desk.frozen(desk.request("three", 3).await).await;
    assert_eq!(desk.bench.broker.posts().await, 0, "IBKR heard of none of it");

    let pin = Some(Secret::new(PIN));
    let free = desk.orders.verb(OrdersVerb::Unfreeze { pin }).await;
    assert!(free.ok && free.trading.is(states::Trading::Open), "{free:?}");
    desk.placed(desk.request("four", 4).await).await;
    desk.has_placed(1).await;
    // What was refused meanwhile is not made up for, also not by the next actor.
    let desk = desk.restarted(PIN).await;
    desk.placed(desk.request("five", 5).await).await;
    desk.has_placed(2).await;
}

/// IBKR has it, its answer is lost, and its lists cannot be read: a person looks.
#[tokio::test]
async fn an_order_whose_answer_is_lost_is_in_doubt_until_a_person_names_it() {
    let desk = Desk::new(json!({})).await;
    let request = desk.request("one", 1).await;
    // While the answer is waited for nobody looks, so the lists are gone before anybody does.
    let lost = json!({
        "match": "/orders", "method": "POST", "mode": "accept_drop", "delayMs": 12_000,
    });
    desk.bench.broker.fault(lost).await;
    let asking = desk.asking(request.clone());
    until("IBKR has it", async || desk.bench.broker.placements().await.len() == 1).await;
    let unlisted = json!({
        "match": "/iserver/account/orders", "method": "GET", "mode": "status", "status": 503,
        "count": 0,
    });
    desk.bench.broker.fault(unlisted).await;
    let intent = asking.await.unwrap();
    assert!(intent.state.is_in_doubt(), "{:?}", intent.state);

    let desk = desk.restarted(PIN).await;
    let still = desk.look(intent.id).await;
    assert!(still.state.is_in_doubt(), "{:?}", still.state);
    let nobody = desk.resolve(intent.id, "7").await;
    assert!(!nobody.ok && nobody.text.contains("knows no order 7"), "{nobody:?}");
    assert!(desk.look(intent.id).await.state.is_in_doubt());

    let placements = desk.bench.broker.placements().await;
    let order_id = placements[0]["orderId"].to_string();
    let resolved = desk.resolve(intent.id, &order_id).await;
    assert!(resolved.ok, "{resolved:?}");
    let now = desk.look(intent.id).await;
    assert!(is_working(&now), "{:?}", now.state);
    assert_eq!(now.order_id().map(|id| id.to_string()), Some(order_id.clone()));
    let twice = desk.resolve(intent.id, &order_id).await;
    assert!(!twice.ok, "what is settled is settled: {twice:?}");
    // The request that had no answer has one now.
    assert_eq!(desk.placed(request).await.id, intent.id);
    desk.has_placed(1).await;
    assert_eq!(desk.bench.broker.posts().await, 1, "nothing is sent again");
}

/// Who says yes must know the PIN that is set when they say it. One that was set when it was asked for does not count
/// any more, and what waits goes on waiting.
#[tokio::test]
async fn the_pin_that_counts_is_the_one_that_is_set_when_an_order_is_approved() {
    let desk = Desk::new(live()).await;
    let waiting = desk.ask(desk.request("one", 10).await).await;
    let early = desk.approve(&waiting, OTHER_PIN).await;
    assert!(!early.ok && early.text.contains("PIN"), "not yet set: {early:?}");

    let desk = desk.restarted(OTHER_PIN).await;
    let still = desk.look(waiting.id).await;
    assert_eq!(approval_of(&still), approval_of(&waiting));
    let late = desk.approve(&waiting, PIN).await;
    assert!(!late.ok && late.text.contains("PIN"), "no longer set: {late:?}");
    assert_eq!(approval_of(&desk.look(waiting.id).await), approval_of(&waiting));
    assert_eq!(desk.bench.broker.posts().await, 0, "nothing is sent before a yes");

    let approved = desk.approve(&waiting, OTHER_PIN).await;
    assert!(approved.ok, "{approved:?}");
    let placed = desk.orders.settled(waiting.id, soon()).await.unwrap();
    assert!(is_working(&placed), "{:?}", placed.state);
    desk.has_placed(1).await;
}

/// Whoever shows another certificate is somebody else: it is told nothing, and what it would say of the order under
/// way would be no answer.
#[tokio::test]
async fn a_certificate_that_changes_while_an_order_is_under_way_leaves_it_in_doubt() {
    let mut desk = Desk::new(json!({})).await;
    let (request, further) = (desk.request("one", 1).await, desk.request("two", 2).await);
    let silent = json!({ "match": "/orders", "method": "POST", "mode": "accept_hang" });
    desk.bench.broker.fault(silent).await;
    let asking = desk.asking(request.clone());
    until("IBKR has it", async || desk.bench.broker.placements().await.len() == 1).await;
    desk.bench.broker = desk.bench.broker.replaced().await;
    let intent = asking.await.unwrap();
    assert!(intent.state.is_in_doubt(), "{:?}", intent.state);

    until("the other certificate is seen", async || {
        let refused = desk.bench.session.lease(Instant::now() + Duration::from_secs(1)).await;
        refused.err().map(|refusal| refusal.error) == Some(ErrorCode::GatewayCertificateChanged)
    })
    .await;
    // The next one waits for a session that it can be sent through, as long as its caller does, and not longer.
    let deadline = Instant::now() + Duration::from_secs(2);
    let next = desk.orders.ask(further, deadline).await.unwrap();
    let is_unsent = matches!(next.state, IntentState::Over(End::NotPlaced(_)));
    assert!(is_unsent || matches!(next.state, IntentState::Denied(_)), "{:?}", next.state);
    assert!(desk.look(intent.id).await.state.is_in_doubt());
    assert_eq!(desk.ask(request).await.id, intent.id);
    let told = desk.bench.broker.get("/requests").await;
    assert_eq!(told["count"], 0, "{told}");
}
