//! `preview_order`: what an order would cost and do. Nothing is sent.

use ibd_cpapi::Failure;
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::money::{Amount, Money};
use ibd_cpapi::orders::Side;
use ibd_cpapi::whatif::{Impact, Preview, WhatIf};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::cell::{Num, Time};
use super::order_args::Args;
use super::order_flow::{self, Delivery};
use super::order_out::Understood;
use super::schema::Bare;
use super::{Ctx, Tool};
use crate::contracts::hours;
use crate::market::{Data, LastIs};
use crate::orders::tickets_of;
use crate::orders::told;
use crate::orders::{Intent, IntentId, IntentState as State, Legs, Order, Purpose, Quote, Size};
use crate::refusal::Refusal;

/// What an order would cost and do.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// The account.
    account: String,
    /// Whether it is paper or live.
    mode: &'static str,
    /// The order as it is understood.
    order: Understood,
    /// send: place_order would send it. approve: a person would have to approve it. refuse: the guardrails
    /// would refuse it.
    verdict: &'static str,
    /// Why it would be refused, with the setting.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    /// The bid, ask and last price, as far as they are known.
    market: Market,
    /// The unit of all prices here, where it is not the currency itself: pence, cents.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_unit: Option<String>,
    /// The value that the limits judge, in base currency and in percent of the account: the most that the
    /// order may come to, with a margin beyond the market where it has no limit. Not what it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged_value: Option<Judged>,
    /// pays: cost and total go out, as for a purchase. receives: they come in, as for a sale. A combination at a price below
    /// zero is the other way round.
    direction: &'static str,
    /// What IBKR says that it is bought or sold for, without commission, with its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Sum>,
    /// IBKR's commission.
    #[serde(skip_serializing_if = "Option::is_none")]
    commission: Option<Sum>,
    /// What goes out in all (cost and commission), or what comes in (cost less commission).
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Sum>,
    /// The position before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Change>,
    /// Equity with loan value before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    equity: Option<Change>,
    /// Initial margin before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    initial_margin: Option<Change>,
    /// Maintenance margin before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    maintenance_margin: Option<Change>,
    /// Equity after, less the initial margin after: what could still be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_after: Option<Num>,
    /// Why IBKR did not say what it would cost and do: no cost, commission, margin or position is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_read: Option<String>,
    /// What should be known before, and what IBKR warns of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Why IBKR would not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<String>,
    /// What to do now.
    next: String,
    /// When this was so.
    as_of: Time,
}

/// A market; of a combination the net of its legs.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Market {
    /// Bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<Num>,
    /// Ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<Num>,
    /// Last price.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Num>,
    /// Present when `last` is no trade of now: close (the last session's), priorClose, or halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_is: Option<&'static str>,
    /// IBKR's mark price, where it is not the last price.
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Num>,
    /// Whether these are live.
    live: bool,
    /// What they are otherwise: delayed, frozen, none, unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'static str>,
}

impl Market {
    /// Of one contract, as `get_market_data` says it. `hours`: whether it is open.
    fn of(quote: &Quote, hours: Option<hours::Market>) -> Self {
        let told = &quote.told;
        let data = told.data.unwrap_or(Data::None).in_market(hours);
        Self {
            bid: quote.bid.map(Num),
            ask: quote.ask.map(Num),
            last: told.last.map(Num),
            last_is: told.last_is.filter(|_| told.last.is_some()).map(LastIs::as_str),
            mark: told.mark.filter(|mark| told.last != Some(*mark)).map(Num),
            live: data == Data::Live,
            data: (data != Data::Live).then(|| data.as_str()),
        }
    }

    /// Of a combination the legs make the market.
    fn of_legs(legs: &Legs, hours: Option<hours::Market>) -> Self {
        Self {
            bid: legs.bid.map(Num),
            ask: legs.ask.map(Num),
            last: None,
            last_is: None,
            mark: None,
            live: legs.is_live && legs.is_traded && hours != Some(hours::Market::Closed),
            data: None,
        }
    }
}

/// The value that the limits judge.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Judged {
    /// The amount.
    amount: Num,
    /// Its currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// In percent of the account's net liquidation value.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Num>,
}

/// An amount of money.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sum {
    /// The amount.
    amount: Num,
    /// Its currency.
    currency: String,
}

/// Before and after.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Now.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Num>,
    /// Then.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Num>,
}

impl From<Money> for Sum {
    fn from(money: Money) -> Self {
        Self { amount: Num(money.amount.get()), currency: money.currency }
    }
}

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Pays,
    Receives,
}

impl Direction {
    /// Of a combination the price may be below zero: who buys it then is paid for it.
    fn of(order: &Order, market: &Market) -> Self {
        let near = match order.side {
            Side::Buy => &market.ask,
            Side::Sell => &market.bid,
        };
        let limit = order.pricing.limit().map(|price| price.get());
        let price = limit.or(near.as_ref().map(|price| price.0));
        let is_turned = price.is_some_and(|price| price < Decimal::ZERO);
        match (order.side, is_turned) {
            (Side::Buy, false) | (Side::Sell, true) => Self::Pays,
            (Side::Sell, false) | (Side::Buy, true) => Self::Receives,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Pays => "pays",
            Self::Receives => "receives",
        }
    }
}

/// So much, whichever way it goes.
fn unsigned(money: Money) -> Money {
    Money { amount: Amount::new(money.amount.get().abs()), ..money }
}

/// What goes out in all, or what comes in. IBKR adds the commission of a sale to it, too, so its own
/// total counts only where it is the right sum, or where nothing can be added up and it is paid.
fn total(direction: Direction, preview: &Preview) -> Option<Money> {
    let sum = preview.amount.as_ref().zip(preview.commission.as_ref());
    let sum = sum.filter(|(amount, commission)| amount.currency == commission.currency);
    let Some((amount, commission)) = sum else {
        let whole = preview.total.clone().filter(|total| total.amount.get() >= Decimal::ZERO);
        return whole.filter(|_| direction == Direction::Pays);
    };
    let (whole, part) = (amount.amount.get().abs(), commission.amount.get().abs());
    let sum = match direction {
        Direction::Pays => whole.checked_add(part)?,
        Direction::Receives => whole.checked_sub(part)?,
    };
    Some(Money { amount: Amount::new(sum), currency: amount.currency.clone() })
}

/// Where IBKR counts another amount for a combination than its limit comes to: which of the two is meant by its price
/// only IBKR knows.
fn counted_otherwise(order: &Order, preview: &Preview) -> Option<String> {
    let (limit, Size::Quantity(quantity)) = (order.pricing.limit()?, order.size) else {
        return None;
    };
    let said = preview.amount.as_ref().filter(|_| !order.contract.legs.is_empty())?;
    let own = order.contract.value(limit.get(), quantity.get())?;
    let apart = (said.amount.get().abs() - own).abs();
    // A cent more or less is rounding.
    let is_other = apart > Decimal::ONE && apart * Decimal::ONE_HUNDRED > own;
    is_other.then(|| {
        format!(
            "IBKR counts {} {} for it, and its limit comes to {} {}: do not rely on cost and total here.",
            said.amount.get().normalize(),
            said.currency,
            own.normalize(),
            order.contract.currency
        )
    })
}

fn change<T>(impact: Option<Impact<T>>, number: impl Fn(T) -> Decimal) -> Option<Change> {
    let impact = impact?;
    let now = impact.current.map(|value| Num(number(value)));
    let after = impact.after.map(|value| Num(number(value)));
    (now.is_some() || after.is_some()).then_some(Change { now, after })
}

/// The tool.
#[derive(Debug)]
pub struct PreviewOrder;

impl Tool for PreviewOrder {
    const NAME: &'static str = "preview_order";
    const TITLE: &'static str = "Preview an order";
    const ABOUT: &'static str = "What an order would cost and do, without sending it: cost, commission, \
        margin and position after, IBKR's warnings, and whether the guardrails or a person stand before \
        it. Takes what place_order takes. Use it before an order that matters.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Orders;
    const EXAMPLE: &'static str =
        r#"{"symbol":"AAPL","action":"BUY","orderType":"LMT","quantity":10,"price":190.5}"#;
    const ANSWER: usize = 1_250;
    type Args = Bare<Args>;
    type Out = Out;

    async fn call(ctx: Ctx, Bare(args): Bare<Args>) -> Result<Out, Refusal> {
        let wanted = args.wanted()?;
        let ready = order_flow::wanted(&ctx, &wanted).await?;
        let notes = told::before_sending(&ready.order);
        let (order, scene) = (ready.order.clone(), &ready.scene);
        // Nothing moves in a market that is closed, whatever IBKR calls its prices.
        let open = scene.hours.as_ref().and_then(|hours| hours.at(Timestamp::now()));
        let market = match &scene.legs {
            Some(legs) => Market::of_legs(legs, open),
            None => Market::of(&scene.quote, open),
        };
        ctx.tell(2, Some(3), "asking IBKR what it would do");
        let name = IntentId::new().client_order_id().ok_or_else(no_name)?;
        let what = WhatIf { account: order.account.clone(), tickets: tickets_of(&order, &name) };
        let (what, deadline) = (&what, order_flow::soon(&ctx));
        let asked = ctx
            .read(|lease| async move {
                match lease.client().ask(what, deadline).await {
                    Ok(answer) => Ok(Ok(answer.value)),
                    // What it does not tell of a contract that is halted is no trouble of the session, which was asked
                    // just now.
                    Err(Failure::Trouble { status, text }) => Ok(Err(not_told(status, &text))),
                    Err(failure) => Err(failure),
                }
            })
            .await?;
        let (preview, not_read) = match asked {
            Ok(preview) => (preview, None),
            Err(why) => (Preview::default(), Some(why)),
        };
        let delivery = Delivery {
            origin: order_flow::origin(&ctx, Self::NAME, None, wanted.hash()),
            purpose: Purpose::Place,
            suppress: true,
            beside: None,
            warnings: notes,
            changed: Vec::new(),
        };
        let judged = ctx.desks.orders.judge(order_flow::request(ready, delivery)).await?;
        let out = Out::new(&order, market, preview, judged.as_ref());
        let out = Out { not_read, ..out };
        Ok(if ctx.policy.read_only { out.for_readers() } else { out })
    }
}

/// Why cost and margin are not there.
fn not_told(status: u16, text: &str) -> String {
    let text = text.trim_end_matches('.');
    format!(
        "IBKR's what-if answered {status}: {text}. Cost, commission, margin and position after are not known; whether \
         IBKR takes the order, it says when it is placed."
    )
}

fn no_name() -> Refusal {
    Refusal::new(ErrorCode::Internal, "No client order id could be made.", "See `ibctl logs`.")
}

impl Out {
    /// The same for a client that may send nothing.
    fn for_readers(self) -> Self {
        let why = "This client only reads (IB_READ_ONLY_MODE): it has no tool that sends an order.";
        Self {
            verdict: "refuse",
            refusal: Some(why.to_owned()),
            next: "Nothing was sent. Tell the user which setting says so.".to_owned(),
            ..self
        }
    }

    fn new(order: &Order, market: Market, preview: Preview, judged: Option<&Intent>) -> Self {
        let denial = judged.and_then(|intent| match &intent.state {
            State::Denied(denial) => Some(denial),
            _ => None,
        });
        let refusal = denial.map(|denial| {
            let setting = denial.setting.as_deref().map(|s| format!(" [{s}]"));
            format!("{}{}", denial.message, setting.unwrap_or_default())
        });
        let is_future = order.contract.sec_type == SecType::Future;
        let direction = Direction::of(order, &market);
        let otherwise = counted_otherwise(order, &preview);
        let verdict = match judged.map(|intent| &intent.state) {
            Some(State::Denied(_)) => "refuse",
            Some(State::Awaiting(_)) => "approve",
            _ => "send",
        };
        let available =
            preview.equity.and_then(|e| e.after).zip(preview.initial.and_then(|i| i.after));
        let next = match (&preview.error, denial, verdict) {
            (Some(_), ..) => "IBKR would refuse it; read blocked.".to_owned(),
            (None, Some(denial), _) if denial.setting.is_some() => {
                "The guardrails would refuse it; tell the user which setting says so.".to_owned()
            }
            (None, Some(denial), _) => format!("place_order would refuse it. {}", denial.next),
            (None, None, "approve") => "place_order would ask a person to approve it.".to_owned(),
            (None, None, _) => {
                "Nothing was sent. place_order with the same arguments sends it.".to_owned()
            }
        };
        Self {
            account: order.account.to_string(),
            mode: if order.paper { "paper" } else { "live" },
            order: Understood::of(order),
            verdict,
            refusal,
            market,
            price_unit: order.contract.price_unit(),
            judged_value: judged.and_then(|intent| {
                Some(Judged {
                    amount: Num(intent.worth.value?),
                    currency: intent.worth.base.clone(),
                    percent: intent.worth.percent.map(Num),
                })
            }),
            direction: direction.as_str(),
            // A future is not paid for: its commission and margin are what it takes.
            total: total(direction, &preview).filter(|_| !is_future).map(Sum::from),
            cost: preview.amount.filter(|_| !is_future).map(unsigned).map(Sum::from),
            commission: preview.commission.map(Sum::from),
            position: change(preview.position, |quantity| quantity.get()),
            equity: change(preview.equity, Amount::get),
            initial_margin: change(preview.initial, Amount::get),
            maintenance_margin: change(preview.maintenance, Amount::get),
            available_after: available.map(|(equity, margin)| Num(equity.get() - margin.get())),
            warnings: judged
                .map(|intent| intent.warnings.clone())
                .unwrap_or_default()
                .into_iter()
                .chain(otherwise)
                .chain(preview.warnings)
                .collect(),
            not_read: None,
            blocked: preview.error,
            next: next.to_owned(),
            as_of: Time(Timestamp::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::orders::tests::order;
    use crate::orders::{Leg, Pricing};
    use ibd_cpapi::money::Price;

    #[test]
    fn the_commission_of_a_sale_is_taken_off() {
        let told = |amounts: &str, direction| {
            let json = format!(r#"{{"amount":{amounts}}}"#);
            let preview: Preview = serde_json::from_str(&json).unwrap();
            total(direction, &preview).map(|sum| format!("{} {}", sum.amount, sum.currency))
        };
        let (pays, receives) = (Direction::Pays, Direction::Receives);
        let credit = r#"{"amount":"-400.00 USD","commission":"1 USD","total":"-399.00 USD"}"#;
        let both = r#"{"amount":"2,650.00 USD","commission":"1.25 USD","total":"2,651.25 USD"}"#;
        let abroad = r#"{"amount":"2,650.00 USD","commission":"1 EUR","total":"2,651 USD"}"#;
        let bare = r#"{"amount":"2,650.00 USD","commission":"NA","total":"2,650 USD"}"#;
        for (amounts, direction, expected) in [
            (both, pays, Some("2651.25 USD")),
            (both, receives, Some("2648.75 USD")),
            (abroad, pays, Some("2651 USD")),
            (abroad, receives, None),
            (bare, pays, Some("2650 USD")),
            (bare, receives, None),
            (credit, pays, Some("401 USD")),
            (credit, receives, Some("399 USD")),
            ("{}", pays, None),
        ] {
            assert_eq!(told(amounts, direction).as_deref(), expected, "{direction:?} {amounts}");
        }
    }

    #[test]
    fn the_money_goes_by_the_side_and_the_sign_of_the_price() {
        let market = |price: Option<&str>| {
            let price = price.map(|price| Num(price.parse().unwrap()));
            Market { bid: price, ask: price, ..Market::of(&Quote::default(), None) }
        };
        let limit = |text: &str| Pricing::Limit(Price::new(text.parse().unwrap()));
        for (side, pricing, quoted, expected) in [
            (Side::Buy, limit("4"), None, "pays"),
            (Side::Buy, limit("-1"), Some("2"), "receives"),
            (Side::Buy, limit("0"), None, "pays"),
            (Side::Sell, limit("4"), None, "receives"),
            (Side::Sell, limit("-4"), Some("5"), "pays"),
            (Side::Buy, Pricing::Market, Some("-1"), "receives"),
            (Side::Sell, Pricing::Market, Some("-1"), "pays"),
            (Side::Buy, Pricing::Market, Some("1"), "pays"),
            (Side::Buy, Pricing::Market, None, "pays"),
            (Side::Sell, Pricing::Market, None, "receives"),
        ] {
            let order = order(side, "1", pricing);
            assert_eq!(
                Direction::of(&order, &market(quoted)).as_str(),
                expected,
                "{}",
                order.shown()
            );
        }
    }

    #[test]
    fn a_market_is_told_as_a_quote_is() {
        use crate::orders::Told;
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let told = |last: Option<&str>, last_is, data, market| {
            let told = Told {
                last: last.map(number),
                last_is,
                mark: Some(number("178.97")),
                data: Some(data),
                ..Told::default()
            };
            // What an order is judged by is none of what is told.
            let quote = Quote { last: Some(number("178.97")), told, ..Quote::default() };
            serde_json::to_string(&Market::of(&quote, market)).unwrap()
        };
        for (last, last_is, data, market, expected) in [
            (
                Some("170"),
                Some(LastIs::Close),
                Data::Frozen,
                None,
                r#"{"last":170,"lastIs":"close","mark":178.97,"live":false,"data":"frozen"}"#,
            ),
            (None, None, Data::Live, None, r#"{"mark":178.97,"live":true}"#),
            (Some("178.97"), None, Data::Live, None, r#"{"last":178.97,"live":true}"#),
            (
                Some("178.97"),
                None,
                Data::Live,
                Some(hours::Market::Closed),
                r#"{"last":178.97,"live":false,"data":"frozen"}"#,
            ),
            (
                Some("48.1"),
                Some(LastIs::Halted),
                Data::Live,
                None,
                r#"{"last":48.1,"lastIs":"halted","mark":178.97,"live":true}"#,
            ),
        ] {
            assert_eq!(told(last, last_is, data, market), expected);
        }
        assert_eq!(
            not_told(500, "Details currently unavailable."),
            "IBKR's what-if answered 500: Details currently unavailable. Cost, commission, margin and position after \
             are not known; whether IBKR takes the order, it says when it is placed."
        );
    }

    #[test]
    fn another_amount_of_ibkrs_for_a_combination_is_said() {
        let mut combo = order(Side::Buy, "2", Pricing::Limit(Price::new("1.5".parse().unwrap())));
        combo.contract.multiplier = Decimal::ONE_HUNDRED;
        let said = |order: &Order, amount: &str| {
            let json = format!(r#"{{"amount":{{"amount":"{amount}"}}}}"#);
            counted_otherwise(order, &serde_json::from_str(&json).unwrap()).is_some()
        };
        assert!(!said(&combo, "3 USD"), "of one contract IBKR knows it");
        combo.contract.legs = vec![Leg::new("8314".parse().unwrap(), 1, Side::Buy)];
        for (amount, expected) in [("300 USD", false), ("-300.40 USD", false), ("3 USD", true)] {
            assert_eq!(said(&combo, amount), expected, "{amount}");
        }
    }
}
