//! What a tool came across that somebody may type next: see `recent.rs`.

use ibd_cpapi::id::AccountId;
use ibd_cpapi::portfolio::Position;

use super::Ctx;
use crate::contracts::Contract;
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
            let named = Named { symbol: symbol.clone(), conid: contract.conid };
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
    Some(Named { symbol, conid: position.conid })
}
