//! Where in the template of a query a thing is ticked: names as IBKR's template editor has them.

use serde::Serialize;

use super::choose::{self, Need};
use super::fields::Field;
use crate::question::About;

/// A box to tick in the template of a query (Client Portal, Performance & Reports, Flex Queries).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tick {
    /// The section, or `General Configuration`.
    pub section: String,
    /// The box: a field, or an option of the section.
    pub field: String,
    /// What it gives.
    #[serde(rename = "for")]
    pub why: String,
}

impl Tick {
    pub(super) fn new(section: &str, field: Field, why: &str) -> Self {
        Self {
            section: section_name(section).to_owned(),
            field: field_name(field).to_owned(),
            why: why.to_owned(),
        }
    }

    pub(super) fn rates() -> Self {
        Self {
            section: "General Configuration".to_owned(),
            field: "Include Currency Rates? Yes".to_owned(),
            why: "amounts in base currency".to_owned(),
        }
    }

    pub(super) fn section(need: Need, about: About) -> Self {
        Self {
            section: section_name(need.section).to_owned(),
            field: option_name(need, about).to_owned(),
            why: about.name().to_owned(),
        }
    }
}

/// What has to be ticked for a question that nothing there answers.
pub(super) fn sections(about: About) -> Vec<Tick> {
    choose::plans(about).iter().take(1).map(|plan| Tick::section(plan.main, about)).collect()
}

pub(super) fn list(ticks: &[Tick]) -> String {
    let all: Vec<String> = ticks
        .iter()
        .map(|tick| format!("{} > {} ({})", tick.section, tick.field, tick.why))
        .collect();
    all.join("; ")
}

fn section_name(section: &str) -> &str {
    match section {
        "Trades" => "Trades",
        "TradeConfirms" => "Trade Confirmations",
        "CashTransactions" => "Cash Transactions",
        "OpenPositions" => "Open Positions",
        "EquitySummaryInBase" => "Net Asset Value (NAV) in Base",
        "ChangeInNAV" => "Change in NAV",
        "FIFOPerformanceSummaryInBase" => "Realized and Unrealized Performance Summary in Base",
        "CorporateActions" => "Corporate Actions",
        "TransactionTaxes" => "Transaction Fees",
        "SalesTaxes" => "Sales Tax",
        "Transfers" => "Transfers",
        "AccountInformation" => "Account Information",
        "SecuritiesInfo" => "Financial Instrument Information",
        other => other,
    }
}

/// The options above a section's fields.
fn option_name(need: Need, about: About) -> &'static str {
    match (need.section, about) {
        ("Trades", _) => "Executions, with all fields",
        ("CashTransactions", About::Dividends) => {
            "Dividends, Payment in Lieu of Dividends, Withholding Tax, Detail; all fields"
        }
        ("CashTransactions", About::Withholding) => "Withholding Tax, Detail; all fields",
        ("CashTransactions", About::Interest) => {
            "Broker Interest Paid, Broker Interest Received, Bond Interest Paid, Bond Interest Received, Detail; all fields"
        }
        ("CashTransactions", About::Deposits) => "Deposits & Withdrawals, Detail; all fields",
        ("CashTransactions", _) => {
            "Other Fees, Commission Adjustments, Advisor Fees, Detail; all fields"
        }
        ("OpenPositions", _) => "Summary, with all fields",
        _ => "all fields",
    }
}

fn field_name(field: Field) -> &'static str {
    match field {
        Field::Account => "Account ID",
        Field::Symbol => "Symbol",
        Field::Underlying => "Underlying Symbol",
        Field::Conid => "Conid",
        Field::Isin => "ISIN",
        Field::Country => "Issuer Country Code",
        Field::Description => "Description",
        Field::AssetCategory => "Asset Class",
        Field::Currency => "Currency",
        Field::FxRateToBase => "FX Rate to Base",
        Field::TradeDate => "Trade Date",
        Field::ReportDate => "Report Date",
        Field::DateTime => "Date/Time",
        Field::SettleDate => "Settle Date",
        Field::Date => "Date",
        Field::Type => "Type",
        Field::Amount => "Amount",
        Field::Realised => "Realized P/L",
        Field::TotalRealised => "Realized Total",
        Field::Commission => "IB Commission",
        Field::CommissionCurrency => "IB Commission Currency",
        Field::ConfirmCommission => "Commission",
        Field::ConfirmCommissionCurrency => "Commission Currency",
        Field::Taxes | Field::Tax => "Taxes",
        Field::BuySell => "Buy/Sell",
        Field::Quantity | Field::Position => "Quantity",
        Field::TradePrice => "Trade Price",
        Field::Price => "Price",
        Field::Proceeds => "Proceeds",
        Field::TradeId => "Trade ID",
        Field::TransactionId => "Transaction ID",
        Field::ExecId => "IB Execution ID",
        Field::MarkPrice => "Mark Price",
        Field::PositionValue => "Position Value",
        Field::CostBasis => "Cost Basis Money",
        Field::Unrealised => "FIFO Unrealized PNL",
        Field::Total => "Total",
        Field::Cash => "Cash",
        Field::StartingValue => "Starting Value",
        Field::EndingValue => "Ending Value",
        Field::Twr => "TWR",
        Field::SalesTax => "Sales Tax",
        Field::TaxAmount => "Tax Amount",
        Field::CashTransfer => "Cash Transfer",
        Field::TaxedTrade => "Trade ID",
        Field::FromCurrency | Field::ToCurrency | Field::RateOfDay => "Include Currency Rates? Yes",
    }
}
