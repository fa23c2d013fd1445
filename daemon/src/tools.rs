//! Tools: what an assistant may ask. One file each, one line in the catalogue.

mod alert;
pub mod args;
pub mod cell;
mod instrument;
mod names;
mod noted;
mod order_args;
mod order_flow;
mod order_out;
pub mod schema;
mod watchlists;

#[cfg(test)]
mod limits;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use ibd_cpapi::Failure;
use ibd_cpapi::door::CALLER;
use ibd_cpapi::id::AccountId;
use ibd_protocol::catalogue::Listed;
use ibd_protocol::settings::Key;
use ibd_protocol::{Effect, ErrorCode, Outcome, Picture, Progress, ToolSpec, Toolset};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::alerts::Asking;
use crate::desks::Desks;
use crate::policy::Policy;
use crate::portfolio;
use crate::refusal::{Refusal, Unserved};
use crate::session::{Lease, OpenPage};
use schema::Contract;

macro_rules! catalogue {
    ($($file:ident :: $tool:ident,)*) => {
        $(mod $file;)*

        /// The catalogue: every tool, in the order in which clients list them.
        pub const TOOLS: &[Entry] = &[$(entry::<$file::$tool>()),*];
    };
}

// One line a tool.
catalogue! {
    authenticate::Authenticate,
    get_session_status::GetSessionStatus,
    get_account_info::GetAccountInfo,
    get_ledger::GetLedger,
    get_positions::GetPositions,
    get_allocation::GetAllocation,
    get_performance::GetPerformance,
    get_transactions::GetTransactions,
    search_contracts::SearchContracts,
    get_market_data::GetMarketData,
    get_price_history::GetPriceHistory,
    get_option_chain::GetOptionChain,
    resolve_option_conid::ResolveOptionConid,
    get_contract_details::GetContractDetails,
    get_exchange_rate::GetExchangeRate,
    run_scanner::RunScanner,
    get_watchlists::GetWatchlists,
    edit_watchlist::EditWatchlist,
    get_live_orders::GetLiveOrders,
    get_order_status::GetOrderStatus,
    get_trades::GetTrades,
    preview_order::PreviewOrder,
    place_order::PlaceOrder,
    confirm_order::ConfirmOrder,
    modify_order::ModifyOrder,
    cancel_order::CancelOrder,
    wait_for_order::WaitForOrder,
    get_flex_query::GetFlexQuery,
    list_flex_queries::ListFlexQueries,
    forget_flex_query::ForgetFlexQuery,
    ask_flex::AskFlex,
    get_alerts::GetAlerts,
    create_alert::CreateAlert,
    activate_alert::ActivateAlert,
    delete_alert::DeleteAlert,
}

/// Arguments longer than this are refused before they are read, in bytes.
pub const MAX_ARGUMENTS: usize = 1 << 20;

/// One tool. Everything about it stands in its own file.
pub trait Tool: Send + Sync + 'static {
    /// `verb_noun`.
    const NAME: &'static str;
    /// For a person's menu.
    const TITLE: &'static str;
    /// For the model: when to use it, when not, what it answers. The first sentence must do alone.
    const ABOUT: &'static str;
    /// Reads, trades, or what it does besides.
    const EFFECT: Effect;
    /// Whose tools it is listed with.
    const SET: Toolset;
    /// Arguments that fit the schema.
    const EXAMPLE: &'static str;
    /// What a typical answer may take of a client's context, in characters.
    const ANSWER: usize;
    /// Its arguments.
    type Args: DeserializeOwned + JsonSchema + Send;
    /// Its result.
    type Out: Serialize + JsonSchema + Send;

    /// Does it.
    fn call(ctx: Ctx, args: Self::Args) -> impl Future<Output = Result<Self::Out, Refusal>> + Send;
}

/// What a call has beside its arguments.
#[derive(Clone)]
pub struct Ctx {
    /// What it may ask.
    pub desks: Desks,
    /// What its client may do.
    pub policy: Arc<Policy>,
    /// When its caller stops waiting.
    pub deadline: Instant,
    /// Tells the caller what is going on.
    pub progress: Arc<dyn Fn(Progress) + Send + Sync>,
    /// Opens a page at this client's person, if it has one.
    pub page: Option<OpenPage>,
    /// The pacing budget, for the status tool.
    pub door: Arc<ibd_cpapi::door::Door>,
    /// Who calls, and how the call is known again.
    pub who: Who,
    /// What a person is shown beside the result.
    pub pictures: Pictures,
}

/// Pictures of one call. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Pictures(Arc<Mutex<Vec<Picture>>>);

impl Pictures {
    /// One more.
    pub fn add(&self, picture: Picture) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(picture);
    }

    fn taken(&self) -> Vec<Picture> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who calls.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// Which connection it is: connections take turns at the broker.
    pub connection: u64,
    /// The client's own name.
    pub client: String,
    /// Names the call for ever: the same when its shim sends it again.
    pub key: String,
    /// The question that was answered before this call was made again.
    pub resumes: Option<String>,
}

impl Ctx {
    /// Whether this client may be served through the gateway as it is.
    pub fn admit(&self) -> Result<(), Refusal> {
        let gateway = self.desks.board.gateway().borrow().clone();
        self.policy.admits_gateway(&gateway)
    }

    /// A lease of a login that this client is admitted to.
    pub async fn lease(&self) -> Result<Lease, Refusal> {
        self.admit()?;
        let lease = self.desks.session.lease(self.deadline).await;
        let lease = lease?;
        self.policy.admits_login(lease.facts())?;
        Ok(lease)
    }

    /// Whether there is a session now, for what is not worth waiting for one.
    pub fn has_session(&self) -> bool {
        self.desks.session.view().lease.is_some()
    }

    /// Does a read under a lease. If it fails in a way that casts doubt on the session, the session
    /// is looked at, and the read is done once more under the next lease.
    pub async fn read<T, F, R>(&self, read: F) -> Result<T, Refusal>
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Result<T, Failure>>,
    {
        let read = &read;
        self.serve(|lease| async move { read(lease).await.map_err(Unserved::Failed) }).await
    }

    /// The same of what may be refused after a look.
    pub async fn serve<T, F, R>(&self, serve: F) -> Result<T, Refusal>
    where
        F: Fn(Lease) -> R,
        R: Future<Output = Result<T, Unserved>>,
    {
        let lease = self.lease().await?;
        match serve(lease.clone()).await {
            Err(Unserved::Failed(failure)) if failure.casts_doubt() => {
                self.desks.session.doubt(&lease, &failure, self.deadline).await;
                let lease = self.lease().await.map_err(|refusal| refusal.after(&failure))?;
                Ok(serve(lease).await?)
            }
            Err(Unserved::Failed(failure @ Failure::Silent(_))) => {
                self.desks.session.suspect(&lease);
                Err(failure.into())
            }
            served => Ok(served?),
        }
    }

    /// The account a call means.
    pub async fn account(&self, named: Option<&AccountId>) -> Result<AccountId, Refusal> {
        let lease = self.lease().await?;
        portfolio::pick(named, self.policy.account.as_ref(), lease.facts())
    }

    /// The account that a call about orders means, or about what else is kept with them.
    pub async fn trading_account(&self, named: Option<&AccountId>) -> Result<AccountId, Refusal> {
        let lease = self.lease().await?;
        portfolio::pick_to_trade(named, self.policy.account.as_ref(), lease.facts())
    }

    /// The accounts of a call that shows all unless it names one, or the client is bound to one.
    pub async fn accounts(&self, named: Option<&AccountId>) -> Result<Vec<AccountId>, Refusal> {
        let lease = self.lease().await?;
        let facts = lease.facts();
        match named {
            Some(_) => Ok(vec![portfolio::pick(named, None, facts).map_err(or_none)?]),
            None => Ok(facts.accounts.clone()),
        }
    }

    /// The same of orders and executions.
    pub async fn trading_accounts(
        &self,
        named: Option<&AccountId>,
    ) -> Result<Vec<AccountId>, Refusal> {
        let lease = self.lease().await?;
        let facts = lease.facts();
        match named {
            Some(_) => Ok(vec![portfolio::pick_to_trade(named, None, facts).map_err(or_none)?]),
            None => Ok(facts.tradable.clone()),
        }
    }

    /// For whom news is asked: a client hears each piece once, whichever call it is told with.
    fn asking(&self) -> Asking {
        let client = match self.who.client.as_str() {
            "" => "a client",
            name => name,
        };
        let (client, key) = (client.to_owned(), self.who.key.clone());
        Asking { client, key, policy: self.policy.clone() }
    }

    /// Tells the caller what is going on.
    pub fn tell(&self, done: u32, total: Option<u32>, message: &str) {
        (self.progress)(Progress { done, total, message: message.to_owned() });
    }
}

/// Who names no account is told of all.
fn or_none(refusal: Refusal) -> Refusal {
    let next = format!("{} Without accountId all accounts are told of.", refusal.next);
    Refusal { next, ..refusal }
}

type Run = fn(Ctx, String) -> Pin<Box<dyn Future<Output = Result<String, Refusal>> + Send>>;

/// A tool without its types.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Reads or trades.
    pub effect: Effect,
    /// Whose tools it is listed with.
    pub set: Toolset,
    /// Arguments that fit.
    pub example: &'static str,
    /// What a typical answer may take, in characters.
    pub answer: usize,
    spec: fn() -> ToolSpec,
    run: Run,
}

/// The entry of a tool.
pub const fn entry<T: Tool>() -> Entry {
    Entry {
        name: T::NAME,
        effect: T::EFFECT,
        set: T::SET,
        example: T::EXAMPLE,
        answer: T::ANSWER,
        spec: spec::<T>,
        run: run::<T>,
    }
}

impl Entry {
    /// As a client sees it.
    pub fn spec(&self) -> ToolSpec {
        (self.spec)()
    }
}

fn spec<T: Tool>() -> ToolSpec {
    ToolSpec {
        name: T::NAME.to_owned(),
        title: T::TITLE.to_owned(),
        description: match T::EXAMPLE {
            "{}" => T::ABOUT.to_owned(),
            example => format!("{} Example: {example}", T::ABOUT),
        },
        effect: T::EFFECT,
        input_schema: schema::of_arguments::<T::Args>(T::EFFECT),
        output_schema: schema::of::<T::Out>(Contract::Serialize),
    }
}

fn run<T: Tool>(
    ctx: Ctx,
    arguments: String,
) -> Pin<Box<dyn Future<Output = Result<String, Refusal>> + Send>> {
    Box::pin(async move {
        let args::Read { args, warnings } = args::read::<T::Args>(&arguments, T::EFFECT)?;
        let out = T::call(ctx, args).await.map_err(|refusal| warned(refusal, &warnings))?;
        match serde_json::to_string(&out) {
            Ok(result) => Ok(names::warned(result, &warnings)),
            Err(error) => {
                tracing::error!(tool = T::NAME, %error, "a result could not be written");
                let what = "The result could not be written.";
                Err(Refusal::new(ErrorCode::Internal, what, "See `ibctl logs`."))
            }
        }
    })
}

/// A refusal that says, too, how the arguments were read.
fn warned(mut refusal: Refusal, warnings: &[String]) -> Refusal {
    match &mut refusal.question {
        // What is told if nobody can be asked is a result.
        Some(question) => {
            question.fallback = names::warned(std::mem::take(&mut question.fallback), warnings);
        }
        None if warnings.is_empty() => {}
        None => refusal.message = format!("{} {}", refusal.message, warnings.join(" ")),
    }
    refusal
}

/// The tools that a client may see, in a fixed order.
pub fn list(policy: &Policy) -> Vec<ToolSpec> {
    let is_shown = |one: &&Listed| policy.shows(one.set, one.spec.effect);
    listed().iter().filter(is_shown).map(|one| one.spec.clone()).collect()
}

/// All tools, with their sets.
pub fn listed() -> &'static [Listed] {
    // Made once: schemas take their time, and a client may ask for the list as often as it likes.
    static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
        TOOLS.iter().map(|entry| Listed { set: entry.set, spec: entry.spec() }).collect()
    });
    &LISTED
}

/// Calls a tool by name.
pub async fn call(ctx: Ctx, name: &str, arguments: String) -> Outcome {
    let entry = match called(&ctx.policy, name) {
        Ok(entry) => entry,
        Err(Some(why)) => return Outcome::Hidden(why),
        Err(None) => return Outcome::UnknownTool,
    };
    if arguments.len() > MAX_ARGUMENTS {
        return Outcome::Refusal(args::too_long(arguments.len()).to_json());
    }
    let (deadline, connection, pictures) = (ctx.deadline, ctx.who.connection, ctx.pictures.clone());
    let (alerts, asking) = (ctx.desks.alerts.clone(), ctx.asking());
    let run = CALLER.scope(connection, (entry.run)(ctx, arguments));
    match tokio::time::timeout_at(deadline, run).await {
        Ok(Ok(result)) => {
            let result = harmless(names::warned(result, &alerts.news(asking).await));
            match pictures.taken() {
                none if none.is_empty() => Outcome::Result(result),
                pictures => Outcome::Pictured(result, pictures),
            }
        }
        Ok(Err(Refusal { question: Some(mut question), .. })) => {
            question.fallback = harmless(question.fallback);
            Outcome::NeedsInput(*question)
        }
        Ok(Err(refusal)) => {
            let refusal = warned(refusal, &alerts.news(asking).await);
            Outcome::Refusal(harmless(refusal.to_json()))
        }
        Err(_) if entry.effect == Effect::Trades => Outcome::Refusal(lost().to_json()),
        Err(_) if entry.effect == Effect::Writes => Outcome::Refusal(unseen().to_json()),
        Err(_) => Outcome::Refusal(out_of_time().to_json()),
    }
}

/// What leaves for a model has nothing in it that is not seen, and no line that others began: whatever a broker, a
/// statement or a client wrote. JSON writes such characters as they are, or behind a backslash.
fn harmless(json: String) -> String {
    if !json.contains('\\') && ibd_text::is_plain(&json) {
        return json;
    }
    match serde_json::from_str::<Value>(&json) {
        Ok(mut value) => {
            cleanse(&mut value);
            value.to_string()
        }
        Err(_) => json,
    }
}

fn cleanse(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(plain) = ibd_text::plain(text) {
                *text = plain;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cleanse),
        Value::Object(fields) => {
            for (name, mut field) in std::mem::take(fields) {
                cleanse(&mut field);
                fields.insert(ibd_text::plain(&name).into_owned(), field);
            }
        }
        _ => {}
    }
}

/// The tool of this name, if the client may see it; else what hides it, where only the choice of sets does.
fn called(policy: &Policy, name: &str) -> Result<&'static Entry, Option<String>> {
    let entry = TOOLS.iter().find(|entry| entry.name == name);
    let Some(entry) = entry else { return Err(None) };
    if !policy.allows(entry.effect) {
        return Err(Some(format!(
            "it changes something, and this client only reads ({})",
            Key::ReadOnlyMode
        )));
    }
    match policy.hides(entry.set) {
        Some(why) => Err(Some(why)),
        None => Ok(entry),
    }
}

/// Whether a client may see a tool.
pub fn is_visible(policy: &Policy, name: &str) -> bool {
    called(policy, name).is_ok()
}

/// Whether an order was sent is in the journal, and not in this answer.
fn lost() -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        "The answer did not come in time. Whether anything was sent is not known here.",
        "Do not send it again. Call get_live_orders: it shows what the journal and IBKR say.",
    )
}

/// What was to be changed at IBKR, which is no order, can be looked at there.
fn unseen() -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        "The answer did not come in time. Whether anything was changed at IBKR is not known here.",
        "Look at what is there now before you do it again.",
    )
}

fn out_of_time() -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        "The answer did not come in time.",
        "Call get_session_status; if it is ready, ask for less at once and try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ibd_protocol::Toolsets;

    #[test]
    fn a_tool_of_another_set_is_unknown_and_says_which_set_it_is_in() {
        let mut market = Policy::default();
        market.toolsets = Toolsets::of("market");
        let mut reader = market.clone();
        reader.read_only = true;
        for (policy, name, expected) in [
            (&market, "get_market_data", "there"),
            (&market, "get_session_status", "there"),
            (&market, "place_order", "hidden"),
            (&reader, "place_order", "unknown"),
            (&market, "get_quote", "unknown"),
        ] {
            let found = match called(policy, name) {
                Ok(_) => "there",
                Err(Some(why)) if why.contains("toolset orders") => "hidden",
                Err(_) => "unknown",
            };
            assert_eq!(found, expected, "{name}");
            let is_listed = list(policy).iter().any(|spec| spec.name == name);
            assert_eq!(is_listed, expected == "there", "{name}");
        }
    }

    #[test]
    fn nothing_that_is_not_seen_leaves_for_a_model() {
        for (json, expected) in [
            (r#"{"a":1.50,"b":"x"}"#, r#"{"a":1.50,"b":"x"}"#),
            (r#"{"a":1.5,"b":"x\ny \u001b[2J"}"#, r#"{"a":1.5,"b":"x y  [2J"}"#),
            ("{\"b\u{200b}\":[\"\u{e0041}x\"]}", r#"{"b":["x"]}"#),
            ("{\"a\":\"\u{9b}2J\u{7f}\u{a0}x\"}", r#"{"a":" 2J  x"}"#),
            (r#"{"q":"say \"no\""}"#, r#"{"q":"say \"no\""}"#),
        ] {
            assert_eq!(harmless(json.to_owned()), expected, "{json}");
        }
    }
}
