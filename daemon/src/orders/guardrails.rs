//! Guardrails: whether an order may go to the broker at all. Pure; every refusal names the setting and
//! its value. A [`Vetted`] order comes from here and from nowhere else.

use ibd_cpapi::orders::Side;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::asked::{Attached, Pricing, Size};
use super::exact;
use super::limits::{Rules, Words};
use super::order::Order;

/// A quote older than this is none.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// A market order is valued this much beyond the quote, in percent.
const BAND: u32 = 5;
/// A collar of so many percent is none.
const OPEN: u32 = 100;

/// Why an order is not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// In snake_case, stable.
    pub code: String,
    /// What and why.
    pub message: String,
    /// What to do.
    pub next: String,
    /// The setting that says so, with its value.
    pub setting: Option<String>,
}

impl Denial {
    /// A denial with the three things that each one has.
    pub fn new(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: next.into(), setting: None }
    }

    fn by(mut self, setting: &str, value: impl std::fmt::Display) -> Self {
        self.setting = Some(format!("{setting}={value}"));
        self
    }
}

/// What is known at the moment when an order is looked at. What is missing is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// When this was gathered.
    pub at: Option<Timestamp>,
    /// The market of the contract.
    pub quote: Quote,
    /// Sum of the legs' prices, each by its ratio and multiplier: what a combination moves, in currency.
    pub legs_value: Option<Decimal>,
    /// Units of base currency for one of the contract's.
    pub rate: Option<Decimal>,
    /// The base currency.
    pub base: Option<String>,
    /// Net liquidation value, in base currency.
    pub nlv: Option<Decimal>,
    /// The day's profit or loss, in base currency; only where a limit asks for it.
    pub day_pnl: Option<Decimal>,
}

/// A market, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Best bid.
    #[serde(with = "exact::opt")]
    pub bid: Option<Decimal>,
    /// Best ask.
    #[serde(with = "exact::opt")]
    pub ask: Option<Decimal>,
    /// Last trade, else the mark or the prior close.
    #[serde(with = "exact::opt")]
    pub last: Option<Decimal>,
    /// When the broker last updated it.
    pub at: Option<Timestamp>,
    /// As it happens, and not late or frozen.
    pub is_live: bool,
}

impl Quote {
    /// Between bid and ask, else the last price.
    pub fn middle(&self) -> Option<Decimal> {
        match (self.bid, self.ask) {
            (Some(bid), Some(ask)) => Some((bid + ask) / Decimal::TWO),
            _ => self.last.or(self.ask).or(self.bid),
        }
    }

    /// What buying costs, or what selling is valued at: the worse of what is known.
    fn worst(&self, side: Side) -> Option<Decimal> {
        let near = match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        };
        [near, self.last].into_iter().flatten().max()
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.is_live && self.at.is_some_and(|at| now.duration_since(at) <= FRESH)
    }
}

/// Orders that were sent lately, by the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In the last minute.
    pub minute: u64,
    /// Today, New York time.
    pub day: u64,
}

/// An order that may be sent, and what it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vetted {
    order: Order,
    worth: Worth,
}

/// What an order is worth, in base currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worth {
    /// The amount.
    #[serde(with = "exact::opt")]
    pub value: Option<Decimal>,
    /// In percent of the NLV.
    #[serde(with = "exact::opt")]
    pub percent: Option<Decimal>,
    /// The base currency.
    pub base: Option<String>,
    /// The middle of the market at that moment.
    #[serde(with = "exact::opt")]
    pub market: Option<Decimal>,
}

impl Vetted {
    /// The order.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// What it is worth.
    pub fn worth(&self) -> &Worth {
        &self.worth
    }
}

/// Looks at an order in its scene.
pub fn vet(
    order: Order,
    scene: &Scene,
    rules: &Rules,
    counts: Counts,
    now: Timestamp,
) -> Result<Vetted, Denial> {
    lists(&order, rules)?;
    quantity(&order, scene, rules)?;
    frequency(&order, rules, counts)?;
    for part in parts(&order) {
        stop_side(&order, &part, scene, rules)?;
        collar(&order, &part, scene, rules, now)?;
    }
    let worth = value(&order, scene, rules)?;
    loss(scene, rules)?;
    Ok(Vetted { order, worth })
}

fn lists(order: &Order, rules: &Rules) -> Result<(), Denial> {
    let refuse = |what: &str, word: &str, setting: &str, words: &Words| {
        Denial::new(
            "not_allowed",
            format!("{what} {word} may not be traded here."),
            "Ask the user; only they can change this setting.",
        )
        .by(setting, words.shown())
    };
    let must =
        |what, word: &str, setting, lists: &[Words]| match lists.iter().find(|l| !l.has(word)) {
            Some(words) => Err(refuse(what, word, setting, words)),
            None => Ok(()),
        };
    let must_not =
        |what, word: &str, setting, lists: &[Words]| match lists.iter().find(|l| l.has(word)) {
            Some(words) => Err(refuse(what, word, setting, words)),
            None => Ok(()),
        };
    let (symbol, kind) = (order.contract.symbol.as_str(), order.contract.sec_type.as_str());
    must("The account", order.account.as_str(), "IB_ALLOWED_ACCOUNTS", &rules.accounts)?;
    must_not("The symbol", symbol, "IB_DENIED_SYMBOLS", &rules.denied_symbols)?;
    must("The symbol", symbol, "IB_ALLOWED_SYMBOLS", &rules.symbols)?;
    must_not("The kind of contract", kind, "IB_DENIED_SEC_TYPES", &rules.denied_sec_types)?;
    must("The kind of contract", kind, "IB_ALLOWED_SEC_TYPES", &rules.sec_types)?;
    for part in parts(order) {
        let order_type = part.pricing.order_type();
        must("The order type", order_type.as_str(), "IB_ALLOWED_ORDER_TYPES", &rules.order_types)?;
    }
    unlisted_combination(order, rules)
}

/// What the legs of a combination are is not known here, so no list can be held against them.
fn unlisted_combination(order: &Order, rules: &Rules) -> Result<(), Denial> {
    if order.contract.legs.is_empty() {
        return Ok(());
    }
    let about_legs = [
        ("IB_DENIED_SYMBOLS", &rules.denied_symbols),
        ("IB_ALLOWED_SYMBOLS", &rules.symbols),
        ("IB_DENIED_SEC_TYPES", &rules.denied_sec_types),
    ];
    let list = about_legs
        .iter()
        .find_map(|(setting, lists)| lists.first().map(|words| (*setting, words.shown())));
    match list {
        None => Ok(()),
        Some((setting, shown)) => Err(Denial::new(
            "not_allowed",
            "A combination's legs cannot be held against this list, so combinations may not be traded here.",
            "Trade the legs one by one, or ask the user; only they can change this setting.",
        )
        .by(setting, shown)),
    }
}

/// One order of a submission.
struct Part {
    side: Side,
    pricing: Pricing,
    /// It works once its parent is filled, and not before.
    is_child: bool,
}

/// Every order of a submission.
fn parts(order: &Order) -> Vec<Part> {
    let mut parts = vec![Part { side: order.side, pricing: order.pricing, is_child: false }];
    match &order.attached {
        Attached::Nothing => {}
        Attached::Bracket { take_profit, stop_loss, stop_loss_limit } => {
            let side = match order.side {
                Side::Buy => Side::Sell,
                Side::Sell => Side::Buy,
            };
            let child = |pricing| Part { side, pricing, is_child: true };
            parts.extend(take_profit.map(|price| child(Pricing::Limit(price))));
            parts.extend(stop_loss.map(|stop| match *stop_loss_limit {
                Some(limit) => child(Pricing::StopLimit { stop, limit }),
                None => child(Pricing::Stop(stop)),
            }));
        }
        Attached::Oca(siblings) => parts.extend(siblings.iter().map(|one| Part {
            side: one.side,
            pricing: one.pricing,
            is_child: false,
        })),
    }
    parts
}

fn quantity(order: &Order, scene: &Scene, rules: &Rules) -> Result<(), Denial> {
    let Some(limit) = rules.max_quantity else { return Ok(()) };
    let quantity = moved(order, scene).ok_or_else(|| {
        Denial::new(
            "value_unknown",
            "How much the order is cannot be told: there is no price for its amount of money.",
            "Say a quantity instead of cashQuantity.",
        )
        .by("IB_MAX_ORDER_QUANTITY", limit)
    })?;
    if quantity <= limit {
        return Ok(());
    }
    Err(Denial::new(
        "over_max_quantity",
        format!("{} is more than the {limit} that one order may have.", quantity.normalize()),
        "Order less, or ask the user to change the setting.",
    )
    .by("IB_MAX_ORDER_QUANTITY", limit))
}

/// How much of anything an order moves: of a combination its largest leg, of several orders the largest,
/// of an amount of money what it buys.
fn moved(order: &Order, scene: &Scene) -> Option<Decimal> {
    let of = |size: Size| match size {
        Size::Quantity(quantity) => Some(quantity.get()),
        Size::Cash(amount) => {
            let price = scene.quote.middle().filter(|price| *price > Decimal::ZERO)?;
            amount
                .get()
                .checked_div(price)?
                .checked_div(order.contract.multiplier)
                .map(|q| q.round_dp(4))
        }
    };
    let mut largest = of(order.size)?;
    if let Attached::Oca(siblings) = &order.attached {
        for one in siblings {
            largest = largest.max(of(one.size)?);
        }
    }
    let ratio = order.contract.legs.iter().map(|leg| Decimal::from(leg.ratio).abs()).max();
    largest.checked_mul(ratio.unwrap_or(Decimal::ONE))
}

fn frequency(order: &Order, rules: &Rules, counts: Counts) -> Result<(), Denial> {
    let count = order.count();
    if counts.minute + count > rules.per_minute {
        let message = format!("{} orders were sent within the last minute.", counts.minute);
        let next = "Wait a minute. If this was not meant, tell the user.";
        return Err(Denial::new("too_many_orders", message, next)
            .by("IB_MAX_ORDERS_PER_MINUTE", rules.per_minute));
    }
    if counts.day + count > rules.per_day {
        let message = format!("{} orders were sent today.", counts.day);
        let next = "Tell the user; only they can change this setting.";
        return Err(Denial::new("too_many_orders", message, next)
            .by("IB_MAX_ORDERS_PER_DAY", rules.per_day));
    }
    Ok(())
}

/// A stop on the wrong side of the market would trigger at once. A child's is held against its parent's
/// price, when the order is put together.
fn stop_side(order: &Order, part: &Part, scene: &Scene, rules: &Rules) -> Result<(), Denial> {
    let stop = match part.pricing {
        Pricing::Stop(stop) | Pricing::StopLimit { stop, .. } => stop,
        Pricing::Trail { stop: Some(stop), .. } | Pricing::TrailLimit { stop: Some(stop), .. } => {
            stop
        }
        _ => return Ok(()),
    };
    let is_held_elsewhere = part.is_child && order.pricing != Pricing::Market;
    if is_held_elsewhere {
        return Ok(());
    }
    let Some(market) = scene.quote.middle() else {
        let is_open = rules.collar >= Decimal::from(OPEN);
        return match order.paper || is_open || !order.contract.legs.is_empty() {
            true => Ok(()),
            false => Err(no_fresh_quote(rules)),
        };
    };
    let (stop, is_wrong, must) = match part.side {
        Side::Buy => (stop.get(), stop.get() <= market, "above"),
        Side::Sell => (stop.get(), stop.get() >= market, "below"),
    };
    match is_wrong {
        true => Err(Denial::new(
            "stop_on_wrong_side",
            format!(
                "A {} stop must be {must} the market ({}): at {stop} it would trigger at once.",
                part.side.as_str(),
                market.normalize()
            ),
            "Correct stopPrice, or use a market or limit order if that is what is meant.",
        )),
        false => Ok(()),
    }
}

fn collar(
    order: &Order,
    part: &Part,
    scene: &Scene,
    rules: &Rules,
    now: Timestamp,
) -> Result<(), Denial> {
    let is_open = rules.collar >= Decimal::from(OPEN);
    // A combination's price is a difference: percents of it mean nothing.
    if is_open || !order.contract.legs.is_empty() {
        return Ok(());
    }
    let fresh = scene.quote.is_fresh(now);
    let market = || match scene.quote.middle() {
        Some(market) if fresh || order.paper => Ok(Some(market)),
        _ if order.paper => Ok(None),
        _ => Err(no_fresh_quote(rules)),
    };
    let (limit, market) = match part.pricing {
        // A profit is taken as far away as anybody likes.
        Pricing::Limit(_) if part.is_child => return Ok(()),
        Pricing::Limit(limit) | Pricing::MidPrice(Some(limit)) => (limit, market()?),
        // It becomes a limit order there, and not at today's market.
        Pricing::StopLimit { stop, limit } => (limit, Some(stop.get())),
        Pricing::TrailLimit { stop, limit, .. } => match stop {
            Some(stop) => (limit, Some(stop.get())),
            None => (limit, market()?),
        },
        _ => return Ok(()),
    };
    let Some(market) = market else { return Ok(()) };
    let away = (limit.get() - market).abs();
    if away * Decimal::ONE_HUNDRED <= rules.collar * market.abs() {
        return Ok(());
    }
    Err(Denial::new(
        "price_off_market",
        format!(
            "The limit {limit} is {} % away from where it would work ({}); at most {} % are allowed.",
            percent(away, market),
            market.normalize(),
            rules.collar.normalize()
        ),
        "Check the price; if it is meant, ask the user to change the setting.",
    )
    .by("IB_PRICE_COLLAR_PERCENT", rules.collar.normalize()))
}

fn no_fresh_quote(rules: &Rules) -> Denial {
    Denial::new(
        "no_fresh_quote",
        "There is no live quote to compare the price with.",
        "Try again when the market is open. Without a subscription for this market the user can set the \
         collar to 100, which switches it off.",
    )
    .by("IB_PRICE_COLLAR_PERCENT", rules.collar.normalize())
}

fn percent(part: Decimal, whole: Decimal) -> Decimal {
    part.checked_mul(Decimal::ONE_HUNDRED)
        .and_then(|part| part.checked_div(whole.abs()))
        .unwrap_or_default()
        .round_dp(1)
        .normalize()
}

/// The value in base currency, held against the limits.
fn value(order: &Order, scene: &Scene, rules: &Rules) -> Result<Worth, Denial> {
    let value = worth(order, scene).ok_or_else(|| {
        Denial::new(
            "value_unknown",
            "What the order is worth cannot be told: there is no price, or no rate to base currency.",
            "Use a limit order, or try again when there are quotes.",
        )
        .by("IB_MAX_ORDER_PERCENT", rules.max_percent.normalize())
    })?;
    let base = scene.base.as_deref().unwrap_or("base currency");
    if let Some(limit) = rules.max_value.filter(|limit| value > *limit) {
        return Err(Denial::new(
            "over_max_value",
            format!(
                "The order is worth about {} {base}; at most {limit} is allowed.",
                whole(value)
            ),
            "Order less, or ask the user to change the setting.",
        )
        .by("IB_MAX_ORDER_VALUE", limit));
    }
    let nlv = scene.nlv.filter(|nlv| *nlv > Decimal::ZERO).ok_or_else(|| {
        Denial::new(
            "value_unknown",
            "The account's net liquidation value is not known, so the order's size cannot be judged.",
            "Try again in a minute.",
        )
        .by("IB_MAX_ORDER_PERCENT", rules.max_percent.normalize())
    })?;
    if value * Decimal::ONE_HUNDRED > rules.max_percent * nlv {
        return Err(Denial::new(
            "over_max_percent",
            format!(
                "The order is worth about {} {base}, {} % of the account's {} {base}; at most {} % are \
                 allowed.",
                whole(value),
                percent(value, nlv),
                whole(nlv),
                rules.max_percent.normalize()
            ),
            "Order less, or ask the user to change the setting.",
        )
        .by("IB_MAX_ORDER_PERCENT", rules.max_percent.normalize()));
    }
    Ok(Worth {
        value: Some(value.round_dp(2)),
        percent: Some(percent(value, nlv)),
        base: scene.base.clone(),
        market: scene.quote.middle(),
    })
}

fn whole(amount: Decimal) -> Decimal {
    amount.round_dp(0)
}

/// What is at stake, in base currency; of several orders of which only one can be filled, the largest.
fn worth(order: &Order, scene: &Scene) -> Option<Decimal> {
    let rate = scene.rate?;
    let own = worth_of(order, scene, order.side, order.size, &order.pricing)?;
    let siblings: &[_] = match &order.attached {
        Attached::Oca(siblings) => siblings,
        _ => &[],
    };
    let mut largest = own;
    for one in siblings {
        largest = largest.max(worth_of(order, scene, one.side, one.size, &one.pricing)?);
    }
    largest.checked_mul(rate)
}

fn worth_of(
    order: &Order,
    scene: &Scene,
    side: Side,
    size: Size,
    pricing: &Pricing,
) -> Option<Decimal> {
    let quantity = match size {
        Size::Cash(amount) => return Some(amount.get()),
        Size::Quantity(quantity) => quantity.get(),
    };
    if !order.contract.legs.is_empty() {
        // What moves are the legs, whatever the difference between them costs.
        let legs = scene.legs_value?.checked_mul(quantity)?;
        // A limit that is far off costs what it says.
        let limit = match pricing {
            Pricing::Limit(limit) => limit.get().abs(),
            _ => Decimal::ZERO,
        };
        return Some(
            legs.max(limit.checked_mul(quantity)?.checked_mul(order.contract.multiplier)?),
        );
    }
    let banded = |price: Decimal| price * Decimal::from(100 + BAND) / Decimal::ONE_HUNDRED;
    let market = || scene.quote.worst(side).or_else(|| scene.quote.middle());
    let price = match pricing {
        // A sale at a low limit is a sale at the market. Without a market a live one cannot be valued.
        Pricing::Limit(limit) if side == Side::Sell => match market() {
            Some(market) => limit.get().max(market),
            None if order.paper => limit.get(),
            None => return None,
        },
        Pricing::StopLimit { stop, limit } if side == Side::Sell => limit.get().max(stop.get()),
        Pricing::Limit(limit) | Pricing::StopLimit { limit, .. } => limit.get(),
        Pricing::TrailLimit { limit, .. } => limit.get().max(market().unwrap_or_default()),
        Pricing::MidPrice(Some(cap)) if side == Side::Buy => cap.get(),
        Pricing::Stop(stop) => banded(stop.get().max(market().unwrap_or_default())),
        Pricing::Market | Pricing::Trail { .. } | Pricing::MidPrice(_) => banded(market()?),
    };
    price.abs().checked_mul(quantity)?.checked_mul(order.contract.multiplier)
}

fn loss(scene: &Scene, rules: &Rules) -> Result<(), Denial> {
    let Some(limit) = rules.max_loss else { return Ok(()) };
    let refuse = |message: String| {
        Err(Denial::new("daily_loss", message, "Tell the user; only they can change this setting.")
            .by("IB_MAX_DAILY_LOSS", limit))
    };
    match scene.day_pnl {
        None => {
            refuse("The day's profit or loss is not known, and a limit is set for it.".to_owned())
        }
        Some(pnl) if -pnl > limit => refuse(format!("The day's loss is {}.", whole(-pnl))),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
#[path = "guardrails/tests.rs"]
pub(crate) mod tests;
