//! One ticket, read and found to make sense by itself.

use serde_json::Value;

use super::contract::Contract;
use super::fields::{Fields, missing};
use crate::book::{Kind, Trail};
use crate::http::Reply;
use crate::instruments::Instrument;
use crate::state::World;

pub(super) const TIFS: [&str; 7] = ["DAY", "GTC", "OPG", "IOC", "PAX", "OVT", "OND"];

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Size {
    /// Units.
    Units(f64),
    /// Money, for as many units as it buys.
    Cash(f64),
}

/// Prices of a ticket.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Prices {
    pub(crate) limit: Option<f64>,
    pub(crate) stop: Option<f64>,
    pub(crate) trail: Option<Trail>,
}

/// What a ticket asks for.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) client_id: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) contract: Contract,
    pub(crate) is_buy: bool,
    pub(crate) kind: Kind,
    pub(crate) prices: Prices,
    pub(crate) tif: String,
    pub(crate) size: Size,
    pub(crate) outside_rth: bool,
    pub(crate) is_grouped: bool,
    pub(crate) is_deactivated: bool,
}

impl Ticket {
    /// Reads a ticket for this account.
    pub(super) fn read(world: &World, account: &str, ticket: &Value) -> Result<Self, Reply> {
        let fields = Fields::read(ticket)?;
        check_account(world, account, &fields)?;
        let contract = Contract::read(&fields, &world.universe)?;
        let of = world.universe.contract(contract.conid, &contract.legs);
        let of = of.ok_or_else(|| missing("conid"))?;
        check_kind(&fields, &of)?;
        check_operator(&fields, &of)?;
        check_the_rest(&fields)?;
        let word = fields.required("orderType")?;
        let unknown = || Reply::bad_request(&format!("orderType is not valid: {word}"));
        let kind = Kind::parse(&word.to_ascii_uppercase()).ok_or_else(unknown)?;
        let prices = prices(kind, &fields)?;
        let is_positive = contract.legs.is_empty() && !world.masks.may_be_negative(of.conid);
        check_ticks(&prices, &of, is_positive)?;
        let size = size(&fields, &of)?;
        check_split(world, account, size)?;
        Ok(Self {
            client_id: fields.text("cOID")?.map(str::to_owned),
            parent: fields.text("parentId")?.map(str::to_owned),
            is_buy: side(fields.required("side")?)?,
            kind,
            prices,
            tif: tif(fields.required("tif")?)?,
            size,
            outside_rth: fields.flag("outsideRTH")?.unwrap_or_default(),
            is_grouped: fields.flag("isSingleGroup")?.unwrap_or_default(),
            is_deactivated: fields.flag("deactivated")?.unwrap_or_default(),
            contract,
        })
    }
}

fn check_account(world: &World, account: &str, fields: &Fields<'_>) -> Result<(), Reply> {
    match fields.text("acctId")? {
        Some(id) if id != account || !world.takes_orders(id) => {
            Err(Reply::bad_request(&format!("accountId is not valid: {id}")))
        }
        _ => Ok(()),
    }
}

/// What is split over a group is a number of whole units.
fn check_split(world: &World, account: &str, size: Size) -> Result<(), Reply> {
    let is_whole = matches!(size, Size::Units(units) if units.fract() == 0.0);
    if is_whole || world.group(account).is_none() {
        return Ok(());
    }
    Err(Reply::error(500, &format!("{account} takes whole quantities only.")))
}

/// `265598:STK`, or with an `@`.
fn check_kind(fields: &Fields<'_>, of: &Instrument) -> Result<(), Reply> {
    let Some(text) = fields.text("secType")? else { return Ok(()) };
    let kind = text.rsplit([':', '@']).next().unwrap_or_default();
    if kind == of.sec_type {
        return Ok(());
    }
    Err(Reply::bad_request(&format!("secType is not valid: {text}")))
}

/// The futures exchanges want to know whether a person decided.
fn check_operator(fields: &Fields<'_>, of: &Instrument) -> Result<(), Reply> {
    fields.text("extOperator")?;
    let manual = fields.flag("manualIndicator")?;
    if manual.is_none() && (of.is("FUT") || of.is("FOP")) {
        return Err(missing("manualIndicator"));
    }
    Ok(())
}

/// Fields that change nothing here must still be of the right type.
fn check_the_rest(fields: &Fields<'_>) -> Result<(), Reply> {
    for key in ["useAdaptive", "allOrNone", "isCcyConv", "isClose", "isProCustomer"] {
        fields.flag(key)?;
    }
    for key in
        ["ticker", "listingExchange", "referrer", "strategy", "customerAccount", "allocationMethod"]
    {
        fields.text(key)?;
    }
    fields.whole("manualOrderTime").map(|_| ())
}

fn side(word: &str) -> Result<bool, Reply> {
    match word.to_ascii_uppercase().as_str() {
        "BUY" => Ok(true),
        "SELL" => Ok(false),
        _ => Err(Reply::bad_request(&format!("side is not valid: {word}"))),
    }
}

fn tif(word: &str) -> Result<String, Reply> {
    if TIFS.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(Reply::bad_request(&format!("tif is not valid: {word}")))
}

/// Which price is which depends on the type: a stop order's trigger is called `price`.
fn prices(kind: Kind, fields: &Fields<'_>) -> Result<Prices, Reply> {
    let (price, aux) = (fields.number("price")?, fields.number("auxPrice")?);
    let need = |value: Option<f64>, key: &str| value.map(Some).ok_or_else(|| missing(key));
    let plain = Prices::default();
    Ok(match kind {
        Kind::Market => plain,
        Kind::Limit => Prices { limit: need(price, "price")?, ..plain },
        Kind::MidPrice => Prices { limit: price, ..plain },
        Kind::Stop => Prices { stop: need(price, "price")?, ..plain },
        Kind::StopLimit => {
            Prices { limit: need(price, "price")?, stop: need(aux, "auxPrice")?, ..plain }
        }
        Kind::Trail => Prices { stop: price, trail: Some(trail(fields)?), ..plain },
        Kind::TrailLimit => Prices {
            limit: need(price, "price")?,
            stop: need(aux, "auxPrice")?,
            trail: Some(trail(fields)?),
        },
    })
}

fn trail(fields: &Fields<'_>) -> Result<Trail, Reply> {
    let amount = fields.number("trailingAmt")?.ok_or_else(|| missing("trailingAmt"))?;
    if amount <= 0.0 {
        return Err(Reply::bad_request("trailingAmt is not valid"));
    }
    match fields.required("trailingType")? {
        "amt" => Ok(Trail::Amount(amount)),
        "%" => Ok(Trail::Percent(amount)),
        other => Err(Reply::bad_request(&format!("trailingType is not valid: {other}"))),
    }
}

/// Prices lie on ticks, and above zero where they must.
fn check_ticks(prices: &Prices, of: &Instrument, is_positive: bool) -> Result<(), Reply> {
    for price in [prices.limit, prices.stop].into_iter().flatten() {
        let ticks = price / of.tick;
        if (ticks - ticks.round()).abs() > 1e-6 {
            return Err(Reply::error(
                500,
                &format!(
                    "The price {price} does not conform to the minimum price variation of {} for this instrument.",
                    of.tick
                ),
            ));
        }
        if is_positive && price <= 0.0 {
            return Err(Reply::error(500, &format!("The price {price} is not valid.")));
        }
    }
    Ok(())
}

fn size(fields: &Fields<'_>, of: &Instrument) -> Result<Size, Reply> {
    let units = fields.number("quantity")?;
    let money = match fields.number("cashQty")? {
        Some(cash) => Some(cash),
        None => fields.number("fxQty")?,
    };
    match (units, money) {
        (Some(_), Some(_)) => Err(Reply::bad_request("quantity and cashQty exclude each other")),
        (None, None) => Err(missing("quantity")),
        // Nobody can say how many combinations an amount buys: their price may be zero, or less.
        (None, Some(_)) if of.is("BAG") => Err(missing("quantity")),
        (None, Some(cash)) if cash > 0.0 => Ok(Size::Cash(cash)),
        (Some(units), None) if units > 0.0 => whole_units(units, of),
        (Some(wrong), None) | (None, Some(wrong)) => Err(Reply::error(
            500,
            &format!("Order size {wrong} is not valid. Please enter size greater than 0."),
        )),
    }
}

/// Parts of a share exist in the United States only.
fn whole_units(units: f64, of: &Instrument) -> Result<Size, Reply> {
    let may_be_fraction = of.is("STK") && of.is_us();
    if units.fract() == 0.0 || may_be_fraction {
        return Ok(Size::Units(units));
    }
    Err(Reply::error(
        500,
        &format!(
            "The size {units} does not conform to the minimum size variation of 1 for this instrument."
        ),
    ))
}
