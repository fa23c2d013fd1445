//! The handle to ask orders with.

use std::path::PathBuf;
use std::time::Duration;

use ibd_cpapi::id::OrderId;
use ibd_cpapi::orders::OrderRow;
use ibd_protocol::settings::Key;
use ibd_protocol::{ErrorCode, OrdersReport, OrdersVerb, Secret, states};
use jiff::Timestamp;
use ractor::RpcReplyPort;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};

use super::desk::{Answerer, Pin, Request};
use super::evidence::Evidence;
use super::intent::{Intent, IntentId};
use super::life::{Decision, End, State};
use super::page::Page;
use super::record::why;
use super::{Msg, pins};
use crate::config::Config;
use crate::post::Post;
use crate::refusal::{Refusal, for_person};
use crate::secrets;

/// How long it is waited for what becomes of what a person approved.
const SENT: Duration = Duration::from_secs(20);

/// A handle; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct OrdersHandle {
    post: Post<Msg>,
    changes: watch::Sender<u64>,
    /// The PIN of the configuration; else the keyring of this profile may have one.
    pin: Option<Secret>,
    profile: String,
    /// A file that is there since a PIN was last seen in the keyring.
    seen: PathBuf,
    /// Folders above profiles: another one may have a PIN.
    above: Vec<PathBuf>,
    /// Only `ibctl` may approve.
    is_ctl_only: bool,
}

/// What a request came to that was made before.
#[derive(Debug, Clone)]
pub enum Known {
    /// Nothing: it is new.
    New,
    /// This.
    Intent(Box<Intent>),
}

impl OrdersHandle {
    /// Reaches the actor through `post`; hears of changes through `changes`.
    pub fn new(post: Post<Msg>, changes: watch::Sender<u64>, config: &Config) -> Self {
        let pin = config.settings.text(Key::ApprovalPin).map(Secret::new);
        let is_ctl_only = config.settings.text(Key::ApproveBy) == Some("ibctl");
        let (profile, seen) = (config.places.profile.clone(), config.places.state.join(pins::MARK));
        let above = config.places.shared();
        Self { post, changes, pin, profile, seen, above, is_ctl_only }
    }

    /// A keyring that does not answer is no proof that it has no PIN: where one was seen, it is wanted.
    async fn pin(&self) -> Result<Pin, Refusal> {
        if let Some(pin) = &self.pin {
            return Ok(Pin(Some(pin.clone())));
        }
        match secrets::look(&self.profile, Key::ApprovalPin).await {
            Ok(Some(pin)) => {
                if let Err(error) = ibd_disk::raise(&self.seen, "") {
                    tracing::warn!(%error, "that a PIN is set could not be kept");
                }
                Ok(Pin(Some(pin)))
            }
            Ok(None) => {
                let _ = std::fs::remove_file(&self.seen);
                pins::of_another(&self.above, &self.profile).await.map(Pin)
            }
            Err(error) if self.seen.exists() => Err(Refusal::new(
                ErrorCode::PinUnavailable,
                format!("A PIN is set, and the keyring that has it cannot be read ({error})."),
                "Unlock the keyring; or remove the PIN with `ibctl secrets forget IB_APPROVAL_PIN`.",
            )),
            Err(_) => pins::of_another(&self.above, &self.profile).await.map(Pin),
        }
    }

    /// Whether a yes in a client's dialog counts: a PIN cannot be asked for there.
    pub async fn dialog_counts(&self) -> bool {
        !self.is_ctl_only && !self.has_pin().await
    }

    /// Whether whoever approves must know a PIN.
    pub async fn has_pin(&self) -> bool {
        self.pin().await.map_or(true, |pin| pin.0.is_some())
    }

    /// Where the actor says that something changed.
    pub fn changes(&self) -> watch::Sender<u64> {
        self.changes.clone()
    }

    async fn call<T: Send + 'static>(
        &self,
        msg: impl FnOnce(RpcReplyPort<T>) -> Msg,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.post.send(msg(reply.into()));
        answer.await.map_err(|_| unanswered())
    }

    /// Waits for an answer. `false`: the actor is not there, and is being started again.
    pub async fn is_answering(&self) -> bool {
        self.call(Msg::Alive).await.is_ok()
    }

    /// What a request came to that was made before: by its key, or by the question that was answered.
    /// The same key with another hash is an error.
    pub async fn known(
        &self,
        key: &str,
        hash: &str,
        resumes: Option<&str>,
    ) -> Result<Known, Refusal> {
        let (key, token) = (key.to_owned(), resumes.map(str::to_owned));
        match self.call(|reply| Msg::Known(key, token, reply)).await? {
            None => Ok(Known::New),
            Some(intent) if intent.origin.hash == hash => Ok(Known::Intent(Box::new(intent))),
            Some(intent) => Err(Refusal::new(
                ErrorCode::RequestIdReused,
                format!(
                    "This requestId was used for another order: {} in {}.",
                    intent.text, intent.account
                ),
                "Use a new requestId for a new order. Nothing was done.",
            )
            .at("requestId")),
        }
    }

    /// What a request would come to by our own rules; nothing is entered or sent.
    pub async fn judge(&self, request: Request) -> Result<Option<Intent>, Refusal> {
        let request = Box::new(request);
        self.call(|reply| Msg::Judge(request, reply)).await
    }

    /// Asks for something; what has become of it when the caller's time is up, or it is settled.
    pub async fn ask(&self, request: Request, deadline: Instant) -> Result<Intent, Refusal> {
        let request = Box::new(request);
        let id = self.call(|reply| Msg::Ask(request, reply)).await??;
        self.settled(id, deadline).await
    }

    /// Waits until an intent is settled. What only waits for its turn at the deadline is withdrawn.
    pub async fn settled(&self, id: IntentId, deadline: Instant) -> Result<Intent, Refusal> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let intent = self.look(id).await?.ok_or_else(|| unknown(id))?;
            if intent.state.is_settled() {
                return Ok(intent);
            }
            if timeout_at(deadline, changes.changed()).await.is_err() {
                return self.withdraw(id).await;
            }
        }
    }

    /// Takes back what was not sent yet; what was sent stays as it is. What has become of it.
    pub async fn withdraw(&self, id: IntentId) -> Result<Intent, Refusal> {
        let withdrawn = self.call(|reply| Msg::Withdraw(id, reply)).await?;
        withdrawn.ok_or_else(|| unknown(id))
    }

    /// Waits until `done` says so, or the deadline.
    pub async fn follow(
        &self,
        id: IntentId,
        deadline: Instant,
        done: impl Fn(&Intent) -> bool,
        tell: impl Fn(&Intent),
    ) -> Result<Intent, Refusal> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let intent = self.look(id).await?.ok_or_else(|| unknown(id))?;
            tell(&intent);
            if done(&intent) || timeout_at(deadline, changes.changed()).await.is_err() {
                return Ok(intent);
            }
        }
    }

    /// An intent, or the last of those that follow it.
    pub async fn look(&self, id: IntentId) -> Result<Option<Intent>, Refusal> {
        self.call(|reply| Msg::Look(id, reply)).await
    }

    /// The intent that a request became, by its key, or the last of those that follow it.
    pub async fn by_key(&self, key: &str) -> Result<Option<Intent>, Refusal> {
        let key = key.to_owned();
        self.call(|reply| Msg::Known(key, None, reply)).await
    }

    /// The intent that a broker's order belongs to.
    pub async fn of_order(&self, order_id: OrderId) -> Result<Option<Intent>, Refusal> {
        self.call(|reply| Msg::OfOrder(order_id, reply)).await
    }

    /// The last change of a broker's order that was sent from here and taken.
    pub async fn last_change(&self, order_id: OrderId) -> Result<Option<Intent>, Refusal> {
        self.call(|reply| Msg::LastChange(order_id, reply)).await
    }

    /// Every intent that is open or ended within a day.
    pub async fn recent(&self) -> Result<Vec<Intent>, Refusal> {
        self.call(Msg::Recent).await
    }

    /// Answers what waits for a yes.
    pub async fn decide(&self, name: &str, yes: bool, who: Answerer) -> Result<IntentId, Refusal> {
        let (name, pin) = (name.to_owned(), self.pin_for(yes).await?);
        let decision = Decision::yes_if(yes);
        self.call(|reply| Msg::Decide(name, decision, who, pin, reply)).await?
    }

    /// Nobody needs a PIN to say no, or to look.
    async fn pin_for(&self, is_yes: bool) -> Result<Pin, Refusal> {
        match self.pin().await {
            Err(_) if !is_yes => Ok(Pin(None)),
            pin => pin,
        }
    }

    /// What a person said in a client's dialog. A refusal is seen by the call that follows.
    pub async fn dialog(&self, token: &str, yes: bool) {
        if let Err(refusal) = self.decide(token, yes, Answerer::Dialog).await {
            tracing::info!(refusal.message, "a dialog's answer changed nothing");
        }
    }

    /// What has become of what was approved, as far as it shows within some seconds: that it is queued is not
    /// that it is sent.
    async fn approved(&self, report: &OrdersReport) -> Option<OrdersReport> {
        let id: IntentId = report.orders.first()?.intent_id.parse().ok()?;
        let deadline = Instant::now() + SENT;
        let is_settled = |intent: &Intent| intent.state.is_settled();
        let intent = self.follow(id, deadline, is_settled, |_| ()).await.ok()?;
        let order = intent.order_id().map(|id| format!(", order {id}")).unwrap_or_default();
        let text = if intent.state.is_settled() {
            match &intent.state {
                State::Working(_) | State::Over(End::Filled(_) | End::Cancelled(_) | End::Done) => {
                    format!(
                        "Approved and sent: {}{order}; it is {}.",
                        intent.text,
                        intent.state.in_words()
                    )
                }
                State::Awaiting(again) => format!(
                    "Not sent: it is no longer what was approved, and waits for another yes: {}. Look at it and run \
                     `ibctl approve {}`.",
                    intent.text, again.id
                ),
                state => {
                    let why = why(state).map(|why| format!(": {why}")).unwrap_or_default();
                    format!("Approved: {}; it is {}{why}.", intent.text, intent.state.in_words())
                }
            }
        } else {
            format!(
                "Approved, and not sent yet: {} waits for its turn. `ibctl status` says whether trading is open.",
                intent.text
            )
        };
        self.call(|reply| Msg::Shown(id, text, reply)).await.ok()
    }

    /// A list that was read, for whoever owns its orders; and when the gateway gave it.
    pub fn listed(&self, rows: Vec<OrderRow>, at: Timestamp) {
        let evidence = Evidence { rows, listed_at: Some(at), ..Evidence::begin(0, None) };
        self.post.send(Msg::Sighted(Box::new(evidence)));
    }

    /// An order's page that was read, and when it was asked for.
    pub fn paged(&self, page: Page, began: Timestamp) {
        let evidence = Evidence { pages: vec![page], began, ..Evidence::begin(0, None) };
        self.post.send(Msg::Sighted(Box::new(evidence)));
    }

    /// What a person does about orders.
    pub async fn verb(&self, verb: OrdersVerb) -> OrdersReport {
        let is_yes = matches!(
            verb,
            OrdersVerb::Approve { .. } | OrdersVerb::Unfreeze { .. } | OrdersVerb::Resolve { .. }
        );
        let is_approval = matches!(verb, OrdersVerb::Approve { .. });
        let mut reported = match self.pin_for(is_yes).await {
            Ok(pin) => self.call(|reply| Msg::Verb(verb, pin, reply)).await,
            Err(refusal) => Err(refusal),
        };
        if let Ok(report) = &reported
            && let Some(sent) = self.approved(report).await.filter(|_| is_approval && report.ok)
        {
            reported = Ok(sent);
        }
        match reported {
            Ok(report) => report,
            Err(refusal) => OrdersReport {
                ok: false,
                text: refusal.message,
                hint: for_person(&refusal.next),
                trading: states::Trading::Closed.into(),
                ..OrdersReport::default()
            },
        }
    }
}

/// The actor ended with the question: what it had done by then is in the journal.
fn unanswered() -> Refusal {
    Refusal::new(
        ErrorCode::Timeout,
        "The part of the daemon that owns orders was restarted before it answered. Whether anything was sent \
         is not known here.",
        "Do not send it again. Call get_live_orders: it shows what the journal and IBKR say.",
    )
}

fn unknown(id: IntentId) -> Refusal {
    Refusal::new(
        ErrorCode::UnknownOrder,
        format!("There is no intent {id}."),
        "Look in get_live_orders for the orders of all accounts.",
    )
    .at("intentId")
}
