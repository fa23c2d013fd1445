//! The attributes that name a contract, the same in every section.

use crate::flex::dec::Dec;
use crate::flex::past::Identity;
use crate::flex::xml::Row;
use crate::instruments::Instrument;

/// The usual block. Sections that came later have more of it than old ones.
pub(super) fn contract<'a>(row: Row<'a>, of: &Instrument, is_new: bool) -> Row<'a> {
    described(row, of, (is_new, &of.title()))
}

/// The same with a description of its own.
pub(super) fn described<'a>(
    row: Row<'a>,
    of: &Instrument,
    (is_new, text): (bool, &str),
) -> Row<'a> {
    let isin = of.isin();
    let underlying = of.underlying();
    let row = row.text("assetCategory", of.category());
    let row = if is_new { row.text("subCategory", of.sub_category()) } else { row };
    let row = row
        .text("symbol", &of.ticker())
        .text("description", text)
        .show("conid", of.conid)
        .text("securityID", &isin)
        .text("securityIDType", if isin.is_empty() { "" } else { "ISIN" })
        .text("cusip", "")
        .text("isin", &isin);
    let row = if is_new { row.text("figi", "") } else { row };
    let row = row
        .text("listingExchange", &of.exchange)
        .text("underlyingConid", &number(underlying))
        .text("underlyingSymbol", if underlying == 0 { "" } else { &of.symbol })
        .blank(&["underlyingSecurityID", "underlyingListingExchange", "issuer"]);
    let row = if is_new { row.text("issuerCountryCode", country(of)) } else { row };
    let row = row.num("multiplier", of.units());
    let row = row.text("strike", &of.strike().map(|strike| strike.to_string()).unwrap_or_default());
    let row = match of.expiry() {
        Some(day) => row.date("expiry", day),
        None => row.text("expiry", ""),
    };
    row.text("putCall", of.right()).text("principalAdjustFactor", "")
}

/// No contract at all.
pub(super) fn nothing<'a>(row: Row<'a>, (is_new, text): (bool, &str)) -> Row<'a> {
    let row = row.text("assetCategory", "");
    let row = if is_new { row.text("subCategory", "") } else { row };
    let row = row.text("symbol", "").text("description", text);
    let row = row.blank(&["conid", "securityID", "securityIDType", "cusip"]);
    let row = row.text("isin", "");
    let row = if is_new { row.text("figi", "") } else { row };
    let row = row.blank(&[
        "listingExchange",
        "underlyingConid",
        "underlyingSymbol",
        "underlyingSecurityID",
        "underlyingListingExchange",
        "issuer",
    ]);
    let row = if is_new { row.text("issuerCountryCode", "") } else { row };
    row.num("multiplier", Dec::ZERO).blank(&[
        "strike",
        "expiry",
        "putCall",
        "principalAdjustFactor",
    ])
}

fn country(of: &Instrument) -> &str {
    if of.is("STK") { &of.country } else { "" }
}

/// Nothing instead of zero.
pub(super) fn number(value: i64) -> String {
    if value == 0 { String::new() } else { value.to_string() }
}

/// What precious metals have.
pub(super) fn metal(row: Row<'_>) -> Row<'_> {
    row.blank(&["serialNumber", "deliveryType", "commodityType"])
        .text("fineness", "0.0")
        .text("weight", "0.0")
}
