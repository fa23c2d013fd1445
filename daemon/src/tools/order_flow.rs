//! The road of an order from its arguments to the desk: the same for every tool that sends something.

use ibd_protocol::ErrorCode;
use std::time::Duration;

use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::orders::OrderStatus;
use ibd_cpapi::session::GetAuthStatus;
use ibd_cpapi::{Answer, Failure, faults};
use jiff::Timestamp;
use tokio::time::Instant;

use super::Ctx;
use super::order_out::{Out, answer};
use crate::contracts::hours;
pub use crate::orders::NAMED;
use crate::orders::lateness;
use crate::orders::page::Page;
use crate::orders::prepare::{self, Prepared};
use crate::orders::{Asked, Intent, IntentId, Order, Origin, Purpose, Scene, Seed, Wanted};
use crate::orders::{Known, Needs, Request, gather_scene, told};
use crate::refusal::Refusal;
use crate::session::Lease;

/// An order must be settled so long before its caller stops waiting, so that what became of it is said.
const MARGIN: Duration = Duration::from_secs(2);

/// Why what is told of an order is what was known before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unseen {
    /// IBKR was asked, and does not know it now.
    NotKnown,
    /// IBKR could not be asked: why.
    NotAsked(String),
}

/// An order with everything that was found out about it.
pub struct Ready {
    /// As understood.
    pub order: Order,
    /// The market and the account.
    pub scene: Scene,
    /// Through which session.
    pub lease: Lease,
}

/// How a request is known again: by the caller's own name for it, else by the call's.
pub fn origin(ctx: &Ctx, tool: &str, request_id: Option<&str>, hash: String) -> Origin {
    let client = match ctx.who.client.as_str() {
        "" => "a client",
        name => name,
    };
    let key = match request_id {
        Some(id) => format!("{NAMED}{client}/{tool}/{id}"),
        None => format!("call/{}", ctx.who.key),
    };
    Origin {
        client: client.to_owned(),
        tool: tool.to_owned(),
        key,
        hash,
        bound: ctx.policy.bound.clone(),
    }
}

/// When an order must be settled.
pub fn soon(ctx: &Ctx) -> Instant {
    ctx.deadline.checked_sub(MARGIN).unwrap_or(ctx.deadline)
}

/// The outcome of the same request, if it was made before.
pub async fn earlier(ctx: &Ctx, origin: &Origin) -> Result<Option<Out>, Refusal> {
    let orders = &ctx.desks.orders;
    match orders.known(&origin.key, &origin.hash, ctx.who.resumes.as_deref()).await? {
        Known::New => Ok(None),
        Known::Intent(intent) => {
            let settled = orders.settled(intent.id, soon(ctx)).await?;
            let (now, unseen) = told_again(ctx, settled).await?;
            Ok(Some(answer(ctx, &now).await?.with_unseen(unseen)))
        }
    }
}

/// The same as [`wanted`] for an order in full.
pub async fn ready(ctx: &Ctx, asked: &Asked) -> Result<Ready, Refusal> {
    wanted(ctx, &Wanted::Order(asked.clone())).await
}

/// Understands an order and looks at its market, its account and its session, all at once.
pub async fn wanted(ctx: &Ctx, wanted: &Wanted) -> Result<Ready, Refusal> {
    ctx.tell(1, Some(3), "finding the contract and its market");
    let (ctx_, deadline) = (ctx, soon(ctx));
    ctx.serve(|lease| async move {
        let order = prepared(ctx_, &lease, wanted, deadline).await?;
        Ok(look(ctx_, lease, order, deadline).await?)
    })
    .await
}

async fn prepared(ctx: &Ctx, lease: &Lease, wanted: &Wanted, deadline: Instant) -> Prepared {
    let tools = prepare::Tools {
        store: &ctx.desks.store,
        underlyings: ctx.desks.market.underlyings(),
        rules: &ctx.desks.rules,
        account: ctx.policy.account.as_ref(),
        operator: ctx.policy.operator.as_deref(),
        deadline,
    };
    match wanted {
        Wanted::Order(asked) => prepare::order(lease, tools, asked).await,
        Wanted::Close(closing) => prepare::close(lease, tools, closing).await,
    }
}

/// What is known about an order's market and account, through a session that was asked just now.
pub async fn look(
    ctx: &Ctx,
    lease: Lease,
    order: Order,
    deadline: Instant,
) -> Result<Ready, Failure> {
    // Cheap where nobody set a limit for it: the answer is remembered for five seconds.
    let (pnl, feeds) = (ctx.policy.watches_loss(), ctx.desks.feeds.clone());
    // The last look before it is sent reads it anew where that matters.
    let needs = Needs { pnl, fresh_list: false, feeds, hours: None };
    let legs = order.contract.legs.iter().map(|leg| leg.conid);
    let conids: Vec<Conid> = order.contract.conid.into_iter().chain(legs).collect();
    let (status, hours, scene) = tokio::join!(
        lease.client().ask(&GetAuthStatus, deadline),
        hours::of_order(&lease, &ctx.desks.store, &conids, deadline),
        gather_scene(&lease, &ctx.desks.market, &order, needs, deadline),
    );
    let status = status?.value;
    if status.authenticated != Some(true) || status.competing == Some(true) {
        return Err(Failure::NoBrokerage("its status says so".to_owned()));
    }
    let steps = ctx.desks.rules.steps(&lease, &order);
    Ok(Ready { order, scene: Scene { hours, steps, ..scene? }, lease })
}

/// How an order is to be sent.
pub struct Delivery {
    /// Which tool, and how the request is known again.
    pub origin: Origin,
    /// A new order, or the change of one.
    pub purpose: Purpose,
    /// Whether the allow-list answers the broker's questions.
    pub suppress: bool,
    /// The alike intent that is meant to stand beside it.
    pub beside: Option<IntentId>,
    /// What whoever asks should hear first.
    pub warnings: Vec<String>,
    /// Of a change, what it changes, in words.
    pub changed: Vec<String>,
}

/// What is handed to the desk.
pub fn request(ready: Ready, delivery: Delivery) -> Request {
    let Ready { order, scene, lease } = ready;
    // What closes a position does so when it is placed; a change of it says itself what it shall be.
    let closes = order.closes && delivery.purpose == Purpose::Place;
    let order = Order { closes, ..order };
    let text = match &delivery.purpose {
        Purpose::Modify { order_id, .. } => told::change(*order_id, &delivery.changed, &order),
        _ => order.shown(),
    };
    Request {
        seed: Seed {
            purpose: delivery.purpose,
            account: order.account.clone(),
            text,
            order: Some(order),
            origin: delivery.origin,
        },
        scene: Some((scene, lease)),
        suppress: delivery.suppress,
        beside: delivery.beside,
        warnings: delivery.warnings,
    }
}

/// The intent that somebody names: by our id, or by the name that the client gave the request that became it.
pub async fn named(ctx: &Ctx, field: &str, text: &str) -> Result<Intent, Refusal> {
    let orders = &ctx.desks.orders;
    let found = match text.trim().parse::<IntentId>() {
        Ok(id) => orders.look(id).await?,
        Err(_) => by_request(ctx, text).await?,
    };
    found.ok_or_else(|| {
        Refusal::new(
            ErrorCode::UnknownOrder,
            format!("Nothing was asked for here under {text:?}."),
            "Take intentId from an order's result, or use orderId from get_live_orders.",
        )
        .at(field)
    })
}

/// An intent that is told of a second time, and why IBKR could not be asked for that, if it could not: what the
/// journal says may be from before a restart; what is over may work again, or be filled after all. Of a cancellation
/// that is the order that was to end. Nobody waits for a session here.
pub async fn told_again(ctx: &Ctx, intent: Intent) -> Result<(Intent, Option<Unseen>), Refusal> {
    let target = match intent.purpose {
        Purpose::Cancel { order_id, of: Some(of) } => {
            ctx.desks.orders.look(of).await?.map(|target| (target, order_id))
        }
        Purpose::Place => intent.order_id().map(|order_id| (intent.clone(), order_id)),
        _ => None,
    };
    let unseen = match target {
        None => None,
        Some(_) if !ctx.has_session() => Some(Unseen::NotAsked("there is no session".to_owned())),
        Some((target, order_id)) => look_again(ctx, &target, order_id).await,
    };
    Ok((ctx.desks.orders.look(intent.id).await?.unwrap_or(intent), unseen))
}

/// An order as it stands once its own page at the broker was read, or why it could not be.
pub async fn seen_again(ctx: &Ctx, intent: Intent) -> Result<(Intent, Option<Unseen>), Refusal> {
    let Some(order_id) = intent.order_id().filter(|_| intent.is_order()) else {
        return Ok((intent, None));
    };
    let unseen = look_again(ctx, &intent, order_id).await;
    Ok((ctx.desks.orders.look(intent.id).await?.unwrap_or(intent), unseen))
}

/// Reads the page of one order of a submission; why it could not be read, if it could not.
async fn look_again(ctx: &Ctx, intent: &Intent, order_id: OrderId) -> Option<Unseen> {
    let began = Timestamp::now();
    let deadline = soon(ctx).min(Instant::now() + faults::patience(lateness::PAGE_ANSWER));
    match page(ctx, Some(&intent.account), order_id, deadline).await {
        Ok(Some(answer)) => {
            ctx.desks.orders.paged(Page::of(&answer.value), began);
            None
        }
        // IBKR forgets over night what has ended.
        Ok(None) if intent.has_ended(order_id) => None,
        Ok(None) => Some(Unseen::NotKnown),
        Err(refusal) => Some(Unseen::NotAsked(refusal.message)),
    }
}

/// An order's own page at the broker, in this account or in any; nothing if the broker does not know it.
pub async fn page(
    ctx: &Ctx,
    account: Option<&AccountId>,
    order_id: OrderId,
    deadline: Instant,
) -> Result<Option<Answer<OrderStatus>>, Refusal> {
    let feeds = &ctx.desks.feeds;
    ctx.read(|lease| async move {
        match account {
            Some(account) => feeds.page(&lease, account, order_id, deadline).await,
            None => feeds.page_of_any(&lease, order_id, deadline).await,
        }
    })
    .await
}

/// What a request of this client became that it gave a name.
pub async fn by_request(ctx: &Ctx, name: &str) -> Result<Option<Intent>, Refusal> {
    for tool in ["place_order", "modify_order", "cancel_order"] {
        let key = origin(ctx, tool, Some(name), String::new()).key;
        if let Some(intent) = ctx.desks.orders.by_key(&key).await? {
            return Ok(Some(intent));
        }
    }
    Ok(None)
}

/// Hands an order to the desk, and says what became of it.
pub async fn send(ctx: &Ctx, request: Request) -> Result<Out, Refusal> {
    ctx.tell(2, Some(3), "sending");
    let intent = ctx.desks.orders.ask(request, soon(ctx)).await?;
    answer(ctx, &intent).await
}
