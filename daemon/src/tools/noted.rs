//! What a tool came across that somebody may type next: see `recent.rs`.

use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::Position;
use jiff::civil::Date;

use super::Ctx;
use crate::contracts::{Contract, spelling};
use crate::recent::Named;

impl Ctx {
    /// An account's positions were read, all of them.
    pub fn note_held<'p>(
        &self,
        account: &AccountId,
        positions: impl Iterator<Item = &'p Position>,
    ) {
        let Some(source) = self.source() else { return };
        self.desks.recent.held(&source, account.as_str(), positions.filter_map(held).collect());
    }

    /// An account has alerts of these names.
    pub fn note_alerts(&self, account: &AccountId, names: Vec<String>) {
        if let Some(source) = self.source() {
            self.desks.recent.alerts(&source, account.as_str(), names);
        }
    }

    /// A contract was asked for and found.
    pub fn note_asked(&self, contract: &Contract) {
        if let (Some(source), Some(symbol)) = (self.source(), &contract.symbol) {
            let (conid, expiry) = (contract.conid, contract.expiry);
            let named = Named { symbol: symbol.clone(), conid, expiry };
            self.desks.recent.asked(&source, named);
        }
    }

    fn source(&self) -> Option<String> {
        self.desks.session.view().lease.map(|lease| lease.source())
    }
}

/// The symbol of what is held; of an option or a future the underlying's, which its description begins with.
fn held(position: &Position) -> Option<Named> {
    let described = || position.description.as_ref()?.split_whitespace().next().map(str::to_owned);
    let symbol = position.ticker.clone().or_else(described)?;
    let expiry = position.description.as_deref().and_then(ends);
    Some(Named { symbol, conid: position.conid, expiry })
}

/// The day on which an option ends, by the name of it that stands in brackets: `AAPL JAN2027 250 C [AAPL
/// 270115C00250000 100]`.
fn ends(description: &str) -> Option<Date> {
    let (_, rest) = description.split_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    // The multiplier stands behind it.
    let name = inside.trim().rsplit_once(' ').map_or(inside, |(name, _)| name);
    let of = |name: &str| spelling::read(name).option.map(|(day, ..)| day);
    of(name).or_else(|| of(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_on_which_an_option_ends_stands_in_its_description() {
        let told = |text: &str| ends(text).map(|day| day.to_string());
        for (text, expected) in [
            ("AAPL   JAN2027 250 C [AAPL  270115C00250000 100]", Some("2027-01-15")),
            ("SPY DEC2026 650 P [SPY   261218P00650000]", Some("2026-12-18")),
            ("AAPL", None),
            ("ES DEC2026 [ESZ6 50]", None),
        ] {
            assert_eq!(told(text).as_deref(), expected, "{text}");
        }
    }
}
