//! `get_live_orders`: the orders that the broker lists, with a list that can be trusted.

use std::time::Duration;

use ibd_cpapi::faults;
use ibd_cpapi::id::{AccountId, OrderId};
use ibd_cpapi::orders::{OrderRow, Orders, Stage};
use ibd_protocol::Effect;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::args;
use super::cell::{Num, Time};
use super::order_out;
use super::{Ctx, Tool};
use crate::orders::asked::Size;
use crate::orders::intent::{Intent, IntentId};
use crate::orders::lateness;
use crate::orders::life::{End, NotPlaced, State};
use crate::orders::order::{Purpose, Role};
use crate::orders::standing::{Part, Seen};
use crate::orders::{self, record};
use crate::refusal::Refusal;

/// What is left of a call for its answer, and for a list that takes its time.
const ANSWERED: Duration = Duration::from_secs(5);
/// How late the broker's list is, at the least.
const LAG: SignedDuration = SignedDuration::from_millis(1_500);

/// Orders of one answer unless the call asks for fewer or more.
const ROWS: usize = 50;
/// More are not given at once.
const MAX_ROWS: usize = 500;
/// What the parts of an order say in full.
const PLAIN: &[&str] = &["MKT", "LMT", "STP", "STOP_LIMIT"];

/// Which account, and which part.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance U1234567; all if left out.
    #[serde(deserialize_with = "args::account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    /// Orders at most; 50 if left out, 500 at most.
    #[serde(deserialize_with = "args::count")]
    limit: Option<usize>,
    /// From a previous answer.
    #[serde(deserialize_with = "args::count")]
    cursor: Option<usize>,
}

/// The orders.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// Accounts whose orders these are.
    accounts: Vec<String>,
    /// Orders that can still be filled come first, then today's others.
    orders: Vec<Order>,
    /// How many can still be filled, on whatever page: never by less than what was last done from here.
    working: usize,
    /// Orders in all.
    total: usize,
    /// Pass it as `cursor` for the rest; absent when this is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<usize>,
    /// Orders sent from here that IBKR does not list as working: waiting for a yes, unknown, parked, or refused
    /// within a day. An unknown one may be at IBKR; never send it again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from_here: Vec<FromHere>,
    /// Accounts whose orders could not be read, and why: nothing is known of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest of these lists was given.
    as_of: Time,
    /// Present when a list is older than this call: IBKR allows one in five seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_seconds: Option<i64>,
}

/// An order that was asked for here.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FromHere {
    /// Our id of it.
    intent_id: String,
    /// IBKR's id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// The account.
    account: String,
    /// awaiting_approval, unknown, parked, rejected, not_placed, denied, …
    state: &'static str,
    /// The order in one line.
    text: String,
    /// modify or cancel, where it is no new order.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'static str>,
    /// Names what waits for a yes, for confirm_order and `ibctl approve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_id: Option<String>,
    /// How long it has waited for a yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<&Intent> for FromHere {
    fn from(intent: &Intent) -> Self {
        let approval = match &intent.state {
            State::Awaiting(approval) => Some(approval),
            _ => None,
        };
        Self {
            intent_id: intent.id.to_string(),
            order_id: intent.order_id().map(|id| id.to_string()),
            account: intent.account.to_string(),
            state: intent.state.name(),
            text: intent.text.clone(),
            request: match intent.purpose {
                Purpose::Place => None,
                Purpose::Modify { .. } => Some("modify"),
                Purpose::Cancel { .. } | Purpose::CancelAll => Some("cancel"),
            },
            confirmation_id: approval.map(|approval| approval.id.clone()),
            age_seconds: approval.map(|approval| approval.age(Timestamp::now())),
            reason: record::why(&intent.state),
            next: (!intent.state.is_over()).then(|| order_out::next(intent)),
        }
    }
}

/// One order.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// IBKR's id as text.
    order_id: String,
    /// The whole in one line, where it was sent from here or its parts do not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// take_profit or stop_loss of a bracket, group of a one-cancels-all group.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// ibd: IBKR's list is older than what is known here, which is laid over it. Absent: as IBKR lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
    /// When that was learned; absent: as the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Time>,
    /// The account, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// STK, OPT, FUT, BAG (a combination), …
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    /// IBKR's number of the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    conid: Option<u32>,
    /// BUY or SELL.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// LMT, STP, MKT, …; IBKR's word, where it is none of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_type: Option<String>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<Num>,
    /// What has been filled.
    #[serde(skip_serializing_if = "Option::is_none")]
    filled: Option<Num>,
    /// Limit price.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Num>,
    /// Stop price.
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<Num>,
    /// Average price of the fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    avg_price: Option<Num>,
    /// Currency of the prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// DAY, GTC, …
    #[serde(skip_serializing_if = "Option::is_none")]
    tif: Option<String>,
    /// IBKR's word: PreSubmitted (a stop waits for its trigger), Submitted, Filled, Cancelled, …
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether it can still be filled; absent for a status that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    working: Option<bool>,
    /// The name that another program sent it with.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    order_ref: Option<String>,
    /// Our id, of an order that was sent from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    intent_id: Option<String>,
    /// Why IBKR ended it, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Self {
        Self {
            order_id: row.order_id.to_string(),
            text: described(&row),
            role: None,
            source: None,
            as_of: None,
            account: row.account.as_ref().map(ToString::to_string),
            conid: row.conid.map(ibd_cpapi::id::Conid::get),
            quantity: row.quantity.map(|quantity| Num(quantity.get())),
            filled: row.filled.map(|quantity| Num(quantity.get())),
            price: orders::limit_price(&row).map(|price| Num(price.get())),
            stop_price: orders::stop_price(&row).map(|price| Num(price.get())),
            avg_price: row.average_price.map(|price| Num(price.get())),
            working: row.status.as_ref().and_then(Stage::can_fill),
            tif: row.tif.as_ref().map(ToString::to_string),
            symbol: row.ticker,
            sec_type: row.sec_type.map(|kind| kind.to_string()),
            action: row.side.as_ref().map(ToString::to_string),
            order_type: row.order_type.as_ref().map(ToString::to_string),
            currency: row.currency,
            status: row.status.map(|status| status.as_str().to_owned()),
            intent_id: row
                .order_ref
                .as_deref()
                .and_then(IntentId::of_client_order_id)
                .map(|id| id.to_string()),
            reason: row.cancel_reason.as_deref().map(ibd_cpapi::failure::clean),
            order_ref: row.order_ref,
        }
    }
}

/// A row in IBKR's words, with what tells the contract from others of its symbol.
fn described(row: &OrderRow) -> Option<String> {
    let clean = |text: &Option<String>| text.as_deref().map(ibd_cpapi::failure::clean);
    let (order, contract) = (clean(&row.description)?, clean(&row.contract).unwrap_or_default());
    Some(if contract.is_empty() || order.contains(&contract) {
        order
    } else {
        format!("{order} [{contract}]")
    })
}

impl Order {
    /// Without what is said elsewhere: the one account, a name of ours beside its intentId, and the line of a
    /// plain order of somebody else's, which says what its parts say.
    fn in_brief(self, accounts: &[AccountId]) -> Self {
        let is_own = self.intent_id.is_some();
        let is_plain = self.symbol.is_some()
            && self.action.is_some()
            && self.order_type.as_deref().is_some_and(|kind| PLAIN.contains(&kind))
            && self.sec_type.as_deref() == Some("STK");
        Self {
            account: self.account.filter(|_| accounts.len() != 1),
            order_ref: self.order_ref.filter(|_| !is_own),
            text: self.text.filter(|_| is_own || !is_plain),
            ..self
        }
    }

    /// An order of ours that the broker's list does not have yet, or how it stands by what is known here.
    fn from_here(intent: &Intent, order_id: OrderId, at: Timestamp) -> Option<Self> {
        let (standing, sent) = (intent.state.standing()?, intent.order.as_ref()?);
        let part = standing.part(order_id);
        let is_first = standing.order_id == order_id;
        let (status, filled, average) = match part.filter(|_| !is_first) {
            Some(part) => (part.status.clone(), part.filled, part.average),
            None => (Some(standing.status.clone()), standing.filled, standing.average),
        };
        let quantity = match sent.size {
            Size::Quantity(quantity) => Some(Num(quantity.get())),
            Size::Cash(_) => None,
        };
        let first = is_first.then_some(sent);
        Some(Self {
            order_id: order_id.to_string(),
            text: Some(Self::line(intent, order_id)),
            role: part.and_then(|part| sent.role_of(part)).map(Role::as_str),
            source: Some("ibd"),
            as_of: Some(Time(at)),
            account: Some(intent.account.to_string()),
            symbol: Some(sent.contract.symbol.clone()),
            sec_type: Some(sent.contract.sec_type.to_string()),
            conid: sent.contract.conid.map(ibd_cpapi::id::Conid::get),
            action: first.map(|order| order.side.as_str().to_owned()),
            order_type: first.map(|order| order.pricing.order_type().as_str().to_owned()),
            quantity: quantity.filter(|_| is_first),
            filled: filled.map(Num),
            price: first.and_then(|o| o.pricing.limit()).map(|price| Num(price.get())),
            stop_price: first.and_then(|o| o.pricing.stop()).map(|price| Num(price.get())),
            avg_price: average.filter(|average| !average.is_zero()).map(Num),
            currency: Some(sent.contract.currency.clone()),
            tif: first.map(|order| order.tif.as_str().to_owned()),
            working: status.as_ref().map_or(Some(true), Seen::can_fill),
            status: status.map(|status| status.as_str().to_owned()),
            order_ref: None,
            intent_id: Some(intent.id.to_string()),
            reason: None,
        })
    }

    /// An order of ours in one line, the same everywhere.
    fn line(intent: &Intent, order_id: OrderId) -> String {
        let standing = intent.state.standing();
        let part = standing.and_then(|standing| standing.part(order_id));
        match part.filter(|_| standing.is_some_and(|s| s.order_id != order_id)) {
            Some(part) => {
                let role = role(intent, part).unwrap_or("came");
                let terms = part.terms.as_deref().map(|terms| format!(" {terms}"));
                format!(
                    "{}{} with {}",
                    role.replace('_', " "),
                    terms.unwrap_or_default(),
                    intent.text
                )
            }
            None => intent.text.clone(),
        }
    }

    /// What is known here is laid over a row of the broker's list that is older.
    fn overlaid(self, intent: &Intent, list_at: Timestamp) -> Self {
        let Ok(order_id) = self.order_id.parse::<OrderId>() else { return self };
        let known_at = intent.known_at_of(order_id);
        let line = Self::line(intent, order_id);
        let part = intent.state.standing().and_then(|standing| standing.part(order_id));
        let role = part.and_then(|part| role(intent, part));
        let this = Self { text: Some(line), role, intent_id: Some(intent.id.to_string()), ..self };
        let Some(here) = Self::from_here(intent, order_id, known_at) else { return this };
        // What has ended may go on working in a list for some seconds.
        let late = lateness::scaled(lateness::LIST);
        let is_late = here.working == Some(false)
            && this.working != Some(false)
            && list_at.duration_since(known_at) < late;
        // By a clock that was set back since, what is known here has no age: the list counts.
        let is_ageless = known_at > Timestamp::now();
        if is_ageless || known_at <= list_at && !is_late {
            return this;
        }
        Self {
            status: here.status.or(this.status),
            filled: here.filled.or(this.filled),
            avg_price: here.avg_price.or(this.avg_price),
            quantity: here.quantity.or(this.quantity),
            price: here.price.or(this.price),
            stop_price: here.stop_price.or(this.stop_price),
            tif: here.tif.or(this.tif),
            working: here.working,
            source: here.source,
            as_of: here.as_of,
            ..this
        }
    }
}

/// The rows of one account; what says no account may be of any.
fn of(account: &AccountId, rows: &[OrderRow]) -> Vec<OrderRow> {
    let is_own = |row: &&OrderRow| row.account.as_ref().is_none_or(|own| own == account);
    rows.iter().filter(is_own).cloned().collect()
}

/// Whether the broker gave more than the list of the account that was asked for.
fn is_unfiltered(rows: &[OrderRow], account: &AccountId, accounts: &[AccountId]) -> bool {
    let other = |own: &AccountId| own != account && accounts.contains(own);
    rows.iter().any(|row| row.account.as_ref().is_some_and(other))
}

/// Whether one more list can come before the caller's time is up.
fn has_time(ctx: &Ctx) -> bool {
    let left = ctx.deadline.saturating_duration_since(Instant::now());
    left > faults::scaled(lateness::LIST) + ANSWERED
}

fn role(intent: &Intent, part: &Part) -> Option<&'static str> {
    intent.order.as_ref().and_then(|order| order.role_of(part)).map(Role::as_str)
}

/// The tool.
#[derive(Debug)]
pub struct GetLiveOrders;

impl Tool for GetLiveOrders {
    const NAME: &'static str = "get_live_orders";
    const TITLE: &'static str = "Live orders";
    const ABOUT: &'static str = "The orders that Interactive Brokers lists: those still working, and \
        today's filled or cancelled ones, with type, prices, quantity filled and status: \"is my stop \
        still working\". An empty list was asked for twice and can be believed. For one order by id use \
        get_order_status.";
    const EFFECT: Effect = Effect::Reads;
    const EXAMPLE: &'static str = r#"{"accountId":"DU1234567"}"#;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let accounts = ctx.accounts(args.account_id.as_ref()).await?;
        let lists = Lists::read(&ctx, &accounts).await?;
        let recent = ctx.desks.orders.recent().await.unwrap_or_default();
        let mut rows = lists.rows(&recent);
        rows.sort_by_key(|order| order.working == Some(false));
        let is_listed = |intent: &Intent| {
            rows.iter().any(|row| row.intent_id.as_deref() == Some(&intent.id.to_string()))
        };
        // What IBKR asked about is told once: by the next try, which waits for the answer or had it.
        let is_told_by_next = |intent: &&Intent| {
            matches!(intent.state, State::Over(End::NotPlaced(NotPlaced::Asked(_))))
                && recent.iter().any(|next| {
                    next.follows == Some(intent.id) && !matches!(next.state, State::Denied(_))
                })
        };
        let from_here = recent
            .iter()
            .filter(|intent| accounts.contains(&intent.account))
            // Changes and cancellations are of interest while they are not settled.
            .filter(|intent| intent.is_order() || !intent.state.is_over())
            .filter(|intent| !is_listed(intent))
            .filter(|intent| !matches!(intent.state, State::Denied(_)))
            .filter(|intent| !is_told_by_next(intent))
            .map(FromHere::from)
            .collect();
        let at = lists.at();
        let (total, from) = (rows.len(), args.cursor.unwrap_or(0));
        let working = rows.iter().filter(|order| order.working == Some(true)).count();
        let limit = args.limit.unwrap_or(ROWS).min(MAX_ROWS);
        let page = rows.into_iter().skip(from).take(limit);
        let page: Vec<Order> = page.map(|row| row.in_brief(&accounts)).collect();
        let until = from + page.len();
        Ok(Out {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            working,
            total,
            cursor: (until < total).then_some(until),
            orders: page,
            from_here,
            not_read: lists.not_read,
            as_of: Time(at),
            cached_seconds: lists.is_cached.then(|| Timestamp::now().duration_since(at).as_secs()),
        })
    }
}

/// The broker's lists of some accounts.
#[derive(Debug, Default)]
struct Lists {
    read: Vec<(AccountId, Timestamp, Vec<OrderRow>)>,
    not_read: Vec<String>,
    is_cached: bool,
}

impl Lists {
    async fn read(ctx: &Ctx, accounts: &[AccountId]) -> Result<Self, Refusal> {
        let mut lists = Self::default();
        // A list that comes unfiltered is one of all accounts: nothing more is asked for then.
        let mut of_all: Option<(Timestamp, Vec<OrderRow>)> = None;
        for (done, account) in accounts.iter().enumerate() {
            if let Some((at, rows)) = &of_all {
                lists.read.push((account.clone(), *at, of(account, rows)));
                continue;
            }
            if done > 0 && !has_time(ctx) {
                lists.not_read.push(format!(
                    "{account}: IBKR's list can be asked for once in five seconds, and the time was up. Ask again \
                     with accountId {account}."
                ));
                continue;
            }
            ctx.tell(done as u32, Some(accounts.len() as u32), "reading the orders list");
            match list(ctx, account).await {
                Ok(answer) => {
                    let (rows, unread) = answer.value.orders.into_parts();
                    lists.not_read.extend(unread.iter().map(ToString::to_string));
                    ctx.desks.orders.listed(rows.clone(), answer.at);
                    lists.is_cached |= answer.is_cached;
                    lists.read.push((account.clone(), answer.at, of(account, &rows)));
                    of_all = is_unfiltered(&rows, account, accounts).then_some((answer.at, rows));
                }
                Err(refusal) if accounts.len() == 1 => return Err(refusal),
                Err(refusal) => lists.not_read.push(format!("{account}: {}", refusal.message)),
            }
        }
        Ok(lists)
    }

    fn at(&self) -> Timestamp {
        self.read.iter().map(|(_, at, _)| *at).min().unwrap_or_else(Timestamp::now)
    }

    /// The rows, each order once, with what is known here laid over them; and what is known here and not listed
    /// yet.
    fn rows(&self, recent: &[Intent]) -> Vec<Order> {
        let mut rows: Vec<Order> = Vec::new();
        for (account, at, listed) in &self.read {
            let own = |order_id: OrderId| {
                recent.iter().find(|intent| {
                    intent.is_order()
                        && intent.account == *account
                        && intent.state.standing().is_some_and(|standing| {
                            standing.order_id == order_id || standing.part(order_id).is_some()
                        })
                })
            };
            for row in listed {
                if rows.iter().any(|known| known.order_id == row.order_id.to_string()) {
                    continue;
                }
                // An id alone proves nothing: the name, where there is one, must be ours.
                let is_named = |intent: &&Intent| {
                    row.order_ref
                        .as_deref()
                        .is_none_or(|name| IntentId::of_client_order_id(name) == Some(intent.id))
                        && row.conid.is_none_or(|conid| {
                            let has = intent.order.as_ref().and_then(|order| order.contract.conid);
                            has.is_none_or(|has| has == conid)
                        })
                };
                let order = Order::from(row.clone());
                // It was asked for by account, so a row that names none is of that one.
                let asked = || Some(account.to_string());
                let order = Order { account: order.account.clone().or_else(asked), ..order };
                rows.push(match own(row.order_id).filter(is_named) {
                    Some(intent) => order.overlaid(intent, *at),
                    None => order,
                });
            }
            let placed =
                recent.iter().filter(|intent| intent.is_order() && intent.account == *account);
            for intent in placed {
                let Some(standing) = intent.state.standing() else { continue };
                let others = standing.others.iter().map(|part| (part.order_id, part.is_over()));
                let ids = std::iter::once((standing.order_id, standing.is_over())).chain(others);
                let missing = |(id, _): &(OrderId, bool)| {
                    !rows.iter().any(|row| row.order_id == id.to_string())
                };
                let missing: Vec<_> = ids.clone().filter(missing).collect();
                let is_newer = |id: OrderId| {
                    at.duration_since(intent.known_at_of(id)) < lateness::scaled(lateness::LIST)
                };
                // Of a submission that is told in part the rest is told, too; one that is not listed at all
                // stands in fromHere.
                let is_there =
                    missing.len() < ids.count() || missing.iter().any(|(id, _)| is_newer(*id));
                for (id, is_over) in missing {
                    let is_told = is_newer(id) || is_there && !is_over;
                    let known_at = intent.known_at_of(id);
                    rows.extend(is_told.then(|| Order::from_here(intent, id, known_at)).flatten());
                }
            }
        }
        rows
    }
}

/// The list of one account. What was done from here to orders that are not followed here, to all of them or to
/// somebody else's, only a list shows that is younger.
async fn list(ctx: &Ctx, account: &AccountId) -> Result<ibd_cpapi::Answer<Orders>, Refusal> {
    let (feeds, deadline) = (&ctx.desks.feeds, ctx.deadline);
    let answer =
        ctx.read(|lease| async move { feeds.list(&lease, account, deadline).await }).await?;
    let recent = ctx.desks.orders.recent().await.unwrap_or_default();
    let is_blind = |intent: &&Intent| {
        intent.account == *account
            && match intent.purpose {
                Purpose::CancelAll => true,
                Purpose::Cancel { of, .. } | Purpose::Modify { of, .. } => of.is_none(),
                Purpose::Place => false,
            }
    };
    // What a clock that was set back since has written is not waited for.
    let (done, now) = (recent.iter().filter(is_blind).map(|intent| intent.since), Timestamp::now());
    let last = done.filter(|since| *since <= now).max();
    let Some(young) = last.and_then(|last| last.checked_add(LAG).ok()) else { return Ok(answer) };
    if answer.at >= young {
        return Ok(answer);
    }
    let wait = Duration::try_from(young.duration_since(Timestamp::now())).unwrap_or_default();
    tokio::time::sleep(faults::scaled(wait)).await;
    let younger =
        ctx.read(|lease| async move { feeds.list_anew(&lease, account, deadline).await }).await;
    Ok(younger.unwrap_or(answer))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::asked::Pricing;
    use crate::orders::guardrails::tests::order;
    use crate::orders::intent::{Origin, Seed};
    use crate::orders::standing::{Part, Standing};
    use ibd_cpapi::orders::Side;
    use jiff::SignedDuration;

    #[test]
    fn a_list_that_comes_unfiltered_is_one_of_all_accounts() {
        let rows: Vec<OrderRow> = serde_json::from_str(
            r#"[{"orderId":1,"account":"DU1"},{"orderId":2,"account":"DU2"},{"orderId":3},
                {"orderId":4,"account":"DU9"}]"#,
        )
        .unwrap();
        let accounts: Vec<AccountId> = ["DU1", "DU2"].map(|id| id.parse().unwrap()).into();
        let ids = |account: &AccountId| {
            of(account, &rows).iter().map(|row| row.order_id.get()).collect::<Vec<_>>()
        };
        assert_eq!((ids(&accounts[0]), ids(&accounts[1])), (vec![1, 3], vec![2, 3]));
        assert!(is_unfiltered(&rows, &accounts[0], &accounts));
        assert!(!is_unfiltered(&rows[..1], &accounts[0], &accounts));
        assert!(!is_unfiltered(&rows[2..], &accounts[0], &accounts), "no account of this login");
    }

    fn bracket(known_at: Timestamp) -> Intent {
        let order = order(Side::Buy, "10", Pricing::Market);
        let part = |id: &str| Part {
            status: Some("PreSubmitted".into()),
            ..Part::new(id.parse().unwrap())
        };
        let standing = Standing {
            others: vec![part("8"), part("9")],
            ..Standing::new("7".parse().unwrap(), "Submitted")
        };
        let origin = Origin {
            client: "c".into(),
            tool: "place_order".into(),
            key: "k".into(),
            hash: "h".into(),
            bound: Vec::new(),
        };
        let seed = Seed {
            purpose: Purpose::Place,
            account: order.account.clone(),
            text: order.shown(),
            order: Some(order),
            origin,
        };
        Intent::new(IntentId::new(), seed, State::Working(standing), known_at).unwrap()
    }

    fn told(intent: &Intent, at: Timestamp, listed: &str) -> Vec<u64> {
        let listed = serde_json::from_str(listed).unwrap();
        let read = vec![(intent.account.clone(), at, listed)];
        let lists = Lists { read, ..Lists::default() };
        let rows = lists.rows(std::slice::from_ref(intent));
        rows.iter().map(|row| row.order_id.parse().unwrap()).collect()
    }

    #[test]
    fn what_a_list_is_too_late_for_is_told_and_of_a_submission_the_whole() {
        let now = Timestamp::now() - SignedDuration::from_secs(60);
        let known = |seconds| bracket(now - SignedDuration::from_secs(seconds));
        assert_eq!(told(&known(2), now, "[]"), [7, 8, 9], "a list is five seconds late");
        assert_eq!(told(&known(30), now, "[]"), [0; 0], "it stands in fromHere");
        let stop = r#"[{"orderId":9,"status":"PreSubmitted"}]"#;
        assert_eq!(told(&known(30), now, stop), [9, 7, 8]);
        // Of the children one knows more than of the first, by a page.
        let later = Intent { parts_known_at: Some(now), ..known(30) };
        assert_eq!(told(&later, now, "[]"), [7, 8, 9]);
    }
}
