//! `get_contract_details`: what a contract is, how it can be traded, and when.

use ibd_cpapi::contracts::{ContractInfo, GetContractInfo, Rules};
use ibd_cpapi::id::Conid;
use ibd_protocol::{Effect, Toolset};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Num, Time};
use super::instrument::Instrument;
use super::{Ctx, Tool};
use crate::contracts::hours::{Hours, Market, hours};
use crate::contracts::{Contract, expiry};
use crate::refusal::Refusal;

/// Sessions that are told.
const SESSIONS: usize = 3;

/// Which contract.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// For instance AAPL, EUR.USD; of an option or future with expiry.
    #[serde(deserialize_with = "args::text")]
    symbol: Option<String>,
    /// IBKR's number instead.
    #[serde(deserialize_with = "args::conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    /// The listing exchange.
    #[serde(deserialize_with = "args::text")]
    exchange: Option<String>,
    /// The currency.
    #[serde(deserialize_with = "args::text")]
    currency: Option<String>,
    /// 2027-01-15 or JAN27.
    #[serde(deserialize_with = "args::text")]
    expiry: Option<String>,
    /// Of an option.
    #[serde(deserialize_with = "args::decimal")]
    #[schemars(with = "Option<Num>")]
    strike: Option<Decimal>,
    /// Of an option.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["C", "P"]))]
    right: Option<String>,
}

/// The contract.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// IBKR's number.
    #[schemars(with = "u32")]
    conid: Conid,
    /// The symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<String>,
    /// Company or product.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Kind of contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    sec_type: Option<String>,
    /// Kind of stock: COMMON, ETF, ADR, …
    #[serde(skip_serializing_if = "Option::is_none")]
    stock_type: Option<String>,
    /// The listing exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    /// Where it can be routed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<String>,
    /// The currency it trades in.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Units of the underlying in one contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    multiplier: Option<Num>,
    /// The day on which it ends, YYYYMMDD.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<String>,
    /// The strike.
    #[serde(skip_serializing_if = "Option::is_none")]
    strike: Option<Num>,
    /// C or P.
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<&'static str>,
    /// What it is written on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u32>")]
    underlying_conid: Option<Conid>,
    /// Tells weeklies and adjusted options apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    trading_class: Option<String>,
    /// How it can be traded.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<RulesOut>,
    /// open (regular hours), extended, or closed; absent where IBKR does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    market: Option<&'static str>,
    /// When regular hours begin next.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_at: Option<String>,
    /// Regular hours, the present or next first, in the exchange's zone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regular_hours: Vec<String>,
    /// The exchange's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// Parts that could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When this was answered; what contracts are is remembered for up to a day.
    as_of: Time,
}

/// IBKR's rules for orders in a contract.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesOut {
    /// From a price on, prices are multiples of a step: pairs of both.
    ticks: Vec<[Num; 2]>,
    /// The usual lot.
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<Num>,
    /// Whether parts of a unit can be traded.
    fractions: bool,
    /// Kinds of order.
    order_types: Vec<String>,
    /// Those of them that are possible outside regular hours.
    outside_rth: Vec<String>,
    /// How long orders can work.
    tifs: Vec<String>,
    /// What prices are divided by to get the currency's unit, where that is not one.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_magnifier: Option<Num>,
}

/// The tool.
#[derive(Debug)]
pub struct GetContractDetails;

impl Tool for GetContractDetails {
    const NAME: &'static str = "get_contract_details";
    const TITLE: &'static str = "Contract details";
    const ABOUT: &'static str = "What a contract is and how it trades: price steps, lots, order types, multiplier, \
        routes, and whether its market is open now and when it opens next.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Market;
    const EXAMPLE: &'static str = r#"{"symbol":"AAPL"}"#;
    const ANSWER: usize = 1_000;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let instrument = Instrument {
            conid: args.conid,
            symbol: args.symbol,
            exchange: args.exchange,
            currency: args.currency,
            expiry: args.expiry,
            strike: args.strike,
            right: args.right,
            ..Instrument::default()
        };
        let contract = instrument.find(&ctx).await?;
        let (of, store, deadline) = (&contract, &ctx.desks.store, ctx.deadline);
        let (book, request) = (&ctx.desks.rules, &GetContractInfo { conid: contract.conid });
        let (info, rules, hours) = ctx
            .read(|lease| async move {
                let parts = tokio::join!(
                    lease.client().ask(request, deadline),
                    book.of(&lease, of.conid, true, deadline),
                    hours(&lease, store, of, deadline),
                );
                Ok(parts)
            })
            .await?;
        let mut not_read = Vec::new();
        let info = part(&mut not_read, "what it is in full", info.map(|answer| answer.value));
        let rules = part(&mut not_read, "the rules for its orders", rules);
        let hours = part(&mut not_read, "its trading hours", hours);
        Ok(Out::new(contract, info, rules.as_deref(), hours, not_read))
    }
}

/// A part that can be done without: what is missing is said.
fn part<T>(
    not_read: &mut Vec<String>,
    what: &str,
    read: Result<T, ibd_cpapi::Failure>,
) -> Option<T> {
    read.inspect_err(|failure| not_read.push(format!("{what}: {failure}"))).ok()
}

impl Out {
    fn new(
        contract: Contract,
        info: Option<ContractInfo>,
        rules: Option<&Rules>,
        hours: Option<Hours>,
        not_read: Vec<String>,
    ) -> Self {
        let clean = |text: String| ibd_cpapi::failure::clean(&text);
        let now = Timestamp::now();
        let market = hours.as_ref().and_then(|hours| hours.at(now));
        let opens = hours.as_ref().and_then(|hours| hours.opens(now));
        let is_open = matches!(market, Some(Market::Open(_)));
        let info = info.as_ref();
        Self {
            conid: contract.conid,
            symbol: contract.symbol.map(clean),
            name: contract.description.or(contract.name).map(clean),
            sec_type: contract.sec_type.map(|kind| kind.to_string()),
            stock_type: contract.class.map(clean),
            exchange: contract.exchange,
            routes: info.map(|info| info.valid_exchanges.clone()).unwrap_or_default(),
            currency: contract.currency,
            multiplier: contract
                .multiplier
                .or_else(|| info?.multiplier.map(|multiplier| multiplier.get()))
                .map(Num),
            expiry: contract.expiry.map(expiry::plain),
            strike: contract.strike.map(Num),
            right: contract.right.map(|right| right.as_str()),
            underlying_conid: info.and_then(|info| info.underlying),
            trading_class: info.and_then(|info| info.trading_class.clone()).map(clean),
            rules: rules.map(RulesOut::of),
            market: market.map(Market::as_str),
            opens_at: opens.filter(|_| !is_open).map(|at| at.to_string()),
            regular_hours: hours.as_ref().map(|hours| sessions(hours, now)).unwrap_or_default(),
            time_zone: hours.and_then(|hours| hours.zone),
            not_read,
            as_of: Time(now),
        }
    }
}

/// `2026-11-30 09:30-16:00`, in the exchange's zone; in UTC where that is not known.
fn sessions(hours: &Hours, now: Timestamp) -> Vec<String> {
    let zone = hours.zone.as_deref().and_then(|zone| TimeZone::get(zone).ok());
    let zone = zone.unwrap_or(TimeZone::UTC);
    let shown = |(from, to): (Timestamp, Timestamp)| {
        let minute = |at: Timestamp| at.round(Unit::Minute).unwrap_or(at).to_zoned(zone.clone());
        format!("{}-{}", minute(from).strftime("%Y-%m-%d %H:%M"), minute(to).strftime("%H:%M"))
    };
    hours.next(now).take(SESSIONS).map(shown).collect()
}

impl RulesOut {
    fn of(rules: &Rules) -> Self {
        let steps = rules.increments.iter();
        let mut ticks: Vec<[Num; 2]> =
            steps.map(|step| [Num(step.lower_edge.get()), Num(step.increment.get())]).collect();
        if ticks.is_empty() {
            ticks.extend(rules.increment.map(|step| [Num(Decimal::ZERO), Num(step.get())]));
        }
        Self {
            ticks,
            lot: rules.size_increment.map(|lot| Num(lot.get())),
            fractions: !rules.fraction_types.is_empty(),
            order_types: rules.order_types.clone(),
            outside_rth: rules.order_types_outside.clone(),
            tifs: rules.tif_types.iter().map(|rule| rule.tif.clone()).collect(),
            price_magnifier: rules
                .price_magnifier
                .map(|magnifier| magnifier.get())
                .filter(|magnifier| *magnifier != Decimal::ONE)
                .map(Num),
        }
    }
}
