//! The columns of positions, and in which order rows come. Pure.

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::clean;
use ibd_cpapi::portfolio::Position;
use rust_decimal::Decimal;

use super::CENTS;
use crate::portfolio::Valued;
use crate::refusal::Refusal;
use crate::tools::cell::Cell;

/// Decimal places where the broker does not say how a price is shown.
const PLACES: u32 = 4;
/// Of a rate.
const RATE: u32 = 8;

/// A position with what is known of it.
pub(super) struct Row<'p> {
    pub(super) position: &'p Position,
    pub(super) valued: &'p Valued,
    pub(super) name: Option<&'p String>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Symbol,
    Conid,
    SecType,
    Position,
    AvgPrice,
    Price,
    Value,
    Currency,
    UnrealizedPnl,
    RealizedPnl,
    Name,
    BaseValue,
    BasePnl,
    WeightPct,
    DayPnl,
    PnlPct,
    Exchange,
    Rate,
    Sector,
    Group,
}

/// What is always told.
const USUAL: [Column; 14] = [
    Column::Symbol,
    Column::Conid,
    Column::SecType,
    Column::Position,
    Column::AvgPrice,
    Column::Price,
    Column::Value,
    Column::Currency,
    Column::UnrealizedPnl,
    Column::RealizedPnl,
    Column::Name,
    Column::BaseValue,
    Column::BasePnl,
    Column::WeightPct,
];
/// What is told where it is asked for.
const MORE: [Column; 6] =
    [Column::DayPnl, Column::PnlPct, Column::Exchange, Column::Rate, Column::Sector, Column::Group];

impl Column {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Conid => "conid",
            Self::SecType => "secType",
            Self::Position => "position",
            Self::AvgPrice => "avgPrice",
            Self::Price => "price",
            Self::Value => "value",
            Self::Currency => "currency",
            Self::UnrealizedPnl => "unrealizedPnl",
            Self::RealizedPnl => "realizedPnl",
            Self::Name => "name",
            Self::BaseValue => "baseValue",
            Self::BasePnl => "basePnl",
            Self::WeightPct => "weightPct",
            Self::DayPnl => "dayPnl",
            Self::PnlPct => "pnlPct",
            Self::Exchange => "exchange",
            Self::Rate => "rate",
            Self::Sector => "sector",
            Self::Group => "group",
        }
    }

    pub(super) fn cell(self, row: &Row<'_>) -> Cell {
        let (position, valued) = (row.position, row.valued);
        let decimals = position.decimals().unwrap_or(PLACES);
        let money = |amount: Option<Decimal>| Cell::number(amount, CENTS);
        let text = |text: &Option<String>| Cell::text(text.as_deref().map(clean));
        match self {
            Self::Symbol => Cell::text(label(position)),
            Self::Conid => Cell::number(Some(position.conid.get().into()), 0),
            Self::SecType => Cell::text(position.asset_class.as_ref().map(ToString::to_string)),
            Self::Position => Cell::number(position.position.map(|quantity| quantity.get()), 8),
            Self::AvgPrice => {
                Cell::number(position.average_price.map(|price| price.get()), decimals.max(PLACES))
            }
            Self::Price => Cell::number(position.market_price.map(|price| price.get()), decimals),
            Self::Value => money(position.market_value.map(|amount| amount.get())),
            Self::Currency => Cell::text(position.currency.clone()),
            Self::UnrealizedPnl => money(position.unrealized_pnl.map(|amount| amount.get())),
            Self::RealizedPnl => money(position.realized_pnl.map(|amount| amount.get())),
            Self::Name => Cell::text(row.name.map(|name| clean(name))),
            Self::BaseValue => money(valued.value),
            Self::BasePnl => money(valued.unrealized),
            Self::WeightPct => money(valued.weight),
            Self::DayPnl => money(valued.day),
            Self::PnlPct => money(gained(position)),
            Self::Exchange => text(&position.exchange),
            Self::Rate => Cell::number(valued.rate, RATE),
            Self::Sector => text(&position.sector),
            Self::Group => text(&position.group),
        }
    }
}

/// Unrealised P&L in percent of what the position cost.
fn gained(position: &Position) -> Option<Decimal> {
    let pnl = position.unrealized_pnl?.get();
    let cost = position.market_value?.get().checked_sub(pnl)?.abs();
    pnl.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(cost)
}

/// A stock by its symbol; what has an expiry by its description, in single spaces.
pub(super) fn label(position: &Position) -> Option<String> {
    let is_stock = position.asset_class == Some(SecType::Stock);
    let text = match (&position.ticker, &position.description) {
        (Some(ticker), _) if is_stock => ticker,
        (_, Some(description)) => description,
        (ticker, None) => ticker.as_ref()?,
    };
    Some(clean(text))
}

/// The columns that are asked for besides the usual ones.
pub(super) fn columns(fields: Option<&[String]>) -> Result<Vec<Column>, Refusal> {
    let known = |name: &String| {
        let is_it = |column: &Column| column.name().eq_ignore_ascii_case(name);
        USUAL.into_iter().chain(MORE).find(is_it).ok_or_else(|| {
            let message = format!("There is no column {name:?}.");
            Refusal::argument("fields", message, "Use names of the candidates.")
                .or(MORE.map(Column::name))
        })
    };
    fields.into_iter().flatten().map(known).collect()
}

/// The columns of an answer.
pub(super) fn told(more: &[Column], has_day: bool) -> Vec<Column> {
    let is_told = |column: &Column| match column {
        Column::DayPnl => has_day,
        column => more.contains(column),
    };
    USUAL.into_iter().chain(MORE.into_iter().filter(is_told)).collect()
}

/// By what rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Value,
    Pnl,
    Day,
    Weight,
    Symbol,
}

/// What `sort` means.
pub(super) fn sort(text: Option<&str>) -> Result<Option<Sort>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    Ok(Some(match text.to_ascii_lowercase().as_str() {
        "value" | "basevalue" => Sort::Value,
        "pnl" | "basepnl" | "unrealizedpnl" => Sort::Pnl,
        "daypnl" | "dailypnl" => Sort::Day,
        "weight" | "weightpct" => Sort::Weight,
        "symbol" => Sort::Symbol,
        _ => {
            let message = format!("Positions cannot be sorted by {text:?}.");
            let all = ["value", "pnl", "dayPnl", "weight", "symbol"];
            return Err(Refusal::argument("sort", message, "Use one of the candidates.").or(all));
        }
    }))
}

/// Positions in another order; what is not known comes last. By weight what is short counts as much as what is long.
pub(super) fn sorted(positions: Vec<Position>, valued: &[Valued], sort: Sort) -> Vec<Position> {
    let mut all: Vec<(Position, &Valued)> = positions.into_iter().zip(valued).collect();
    let number = |valued: &Valued| match sort {
        Sort::Value => valued.value,
        Sort::Pnl => valued.unrealized,
        Sort::Day => valued.day,
        Sort::Weight => valued.weight.or(valued.value).map(|weight| weight.abs()),
        Sort::Symbol => None,
    };
    all.sort_by(|(one, a), (other, b)| match (sort, number(a), number(b)) {
        (Sort::Symbol, ..) => label(one).cmp(&label(other)),
        (_, Some(a), Some(b)) => b.cmp(&a),
        (_, a, b) => b.is_some().cmp(&a.is_some()),
    });
    all.into_iter().map(|(position, _)| position).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn position(conid: u32, fields: &str) -> Position {
        serde_json::from_str(&format!(r#"{{"conid":{conid}{fields}}}"#)).unwrap()
    }

    #[test]
    fn rows_are_sorted_and_what_is_not_known_comes_last() {
        let rows = || {
            let symbols = ["B", "C", "A", "D"];
            let row = |(i, symbol): (u32, &str)| {
                position(i + 1, &format!(r#","ticker":"{symbol}","assetClass":"STK""#))
            };
            (0..).zip(symbols).map(row).collect::<Vec<_>>()
        };
        let valued: Vec<Valued> = [Some(5), Some(-9), None, Some(7)]
            .into_iter()
            .map(|number| {
                let number = number.map(Decimal::from);
                Valued { value: number, weight: number, day: number, ..Valued::default() }
            })
            .collect();
        for (by, expected) in [
            (Sort::Value, [4, 1, 2, 3]),
            (Sort::Day, [4, 1, 2, 3]),
            (Sort::Weight, [2, 4, 1, 3]),
            (Sort::Symbol, [3, 1, 2, 4]),
            // Of none anything is known: they stay as they are.
            (Sort::Pnl, [1, 2, 3, 4]),
        ] {
            let sorted = sorted(rows(), &valued, by);
            let conids: Vec<u32> = sorted.iter().map(|one| one.conid.get()).collect();
            assert_eq!(conids, expected, "{by:?}");
        }
    }

    #[test]
    fn what_is_asked_for_is_told_besides() {
        let fields =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let asked = columns(Some(&fields(&["Exchange", "pnlpct", "name"]))).unwrap();
        let told = told(&asked, false);
        let names: Vec<&str> = told.iter().map(|column| column.name()).collect();
        assert_eq!(names[..10], USUAL.map(Column::name)[..10]);
        assert_eq!(names[14..], ["pnlPct", "exchange"]);
        let wrong = columns(Some(&fields(&["colour"]))).unwrap_err();
        assert_eq!(wrong.field.as_deref(), Some("fields"));
        assert_eq!(sort(Some("colour")).unwrap_err().field.as_deref(), Some("sort"));
        assert_eq!(sort(Some("DAYPNL")).unwrap(), Some(Sort::Day));
    }

    #[test]
    fn a_cell_without_a_value_is_empty() {
        let bare = position(7, "");
        let valued = Valued::default();
        let row = Row { position: &bare, valued: &valued, name: None };
        for column in USUAL.into_iter().chain(MORE).filter(|column| *column != Column::Conid) {
            assert_eq!(column.cell(&row), Cell::Missing, "{column:?}");
        }
        let short = position(7, r#","mktValue":-90,"unrealizedPnl":10"#);
        assert_eq!(gained(&short), Some(Decimal::TEN), "it was sold for 100");
    }
}
