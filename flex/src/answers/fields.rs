//! The attributes that answers are made of, each read by its number.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::statement::{Columns, Picked};
use crate::value;

macro_rules! fields {
    ($($name:ident = $text:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Field { $($name,)* }

        const NAMES: &[&str] = &[$($text,)*];
    };
}

fields! {
    Account = "accountId",
    Symbol = "symbol",
    Underlying = "underlyingSymbol",
    Conid = "conid",
    Isin = "isin",
    Country = "issuerCountryCode",
    Description = "description",
    AssetCategory = "assetCategory",
    Currency = "currency",
    FxRateToBase = "fxRateToBase",
    TradeDate = "tradeDate",
    ReportDate = "reportDate",
    DateTime = "dateTime",
    SettleDate = "settleDate",
    Date = "date",
    Type = "type",
    Amount = "amount",
    Realised = "fifoPnlRealized",
    TotalRealised = "totalRealizedPnl",
    Commission = "ibCommission",
    CommissionCurrency = "ibCommissionCurrency",
    ConfirmCommission = "commission",
    ConfirmCommissionCurrency = "commissionCurrency",
    Taxes = "taxes",
    Tax = "tax",
    BuySell = "buySell",
    Quantity = "quantity",
    TradePrice = "tradePrice",
    Price = "price",
    Proceeds = "proceeds",
    TradeId = "tradeID",
    TransactionId = "transactionID",
    ExecId = "ibExecID",
    Position = "position",
    MarkPrice = "markPrice",
    PositionValue = "positionValue",
    CostBasis = "costBasisMoney",
    Unrealised = "fifoPnlUnrealized",
    Total = "total",
    Cash = "cash",
    StartingValue = "startingValue",
    EndingValue = "endingValue",
    Twr = "twr",
    SalesTax = "salesTax",
    TaxAmount = "taxAmount",
    CashTransfer = "cashTransfer",
    TaxedTrade = "tradeId",
    FromCurrency = "fromCurrency",
    ToCurrency = "toCurrency",
    RateOfDay = "rate",
}

impl Field {
    /// As statements call it.
    pub(super) fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or_default()
    }
}

pub(super) fn columns() -> Columns {
    Columns::new(NAMES.iter().copied())
}

/// One row of a statement, with its place.
pub(super) struct Item<'a> {
    pub(super) section: &'a str,
    /// Of the statement around it.
    pub(super) account: &'a str,
    pub(super) picked: Picked<'a>,
}

impl<'a> Item<'a> {
    pub(super) fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        self.picked.get(field as usize)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.picked.has(field as usize)
    }

    /// A number; `Err` for what is none.
    pub(super) fn number(&self, field: Field) -> Result<Option<Decimal>, value::BadValue> {
        self.text(field).map_or(Ok(None), |text| value::number(&text))
    }

    /// The row's own; of a row that names none (`-`) that of the statement around it.
    pub(super) fn account(&self) -> Cow<'a, str> {
        let own = self.text(Field::Account).filter(|own| !matches!(own.trim(), "" | "-"));
        own.unwrap_or(Cow::Borrowed(self.account))
    }
}
