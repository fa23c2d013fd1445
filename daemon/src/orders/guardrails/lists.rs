//! Lists: whose, what and how may be traded at all. A combination is held to its legs.

use ibd_cpapi::contracts::SecType;
use ibd_protocol::ReasonCode;
use ibd_protocol::settings::Key;

use super::super::asked::Leg;
use super::super::limits::{Rules, Words};
use super::super::order::Order;
use super::{Denial, parts};

/// A list, with what it is about and whether it allows.
struct List<'a> {
    about: &'static str,
    setting: Key,
    words: &'a [Words],
    allows: bool,
}

/// Holds an order against every list.
pub(super) fn check(order: &Order, rules: &Rules) -> Result<(), Denial> {
    let list = |about, setting, words, allows| List { about, setting, words, allows };
    let contract = &order.contract;
    list("The account", Key::AllowedAccounts, &rules.accounts, true)
        .check(order.account.as_str())?;
    for symbols in [
        list("The symbol", Key::DeniedSymbols, &rules.denied_symbols, false),
        list("The symbol", Key::AllowedSymbols, &rules.symbols, true),
    ] {
        symbols.check_each(&contract.symbol, &contract.legs, |leg| leg.symbol.as_deref())?;
    }
    let denied = list("The kind of contract", Key::DeniedSecTypes, &rules.denied_sec_types, false);
    // Combinations as such can be ruled out, too.
    denied.check(contract.sec_type.as_str())?;
    for kinds in
        [denied, list("The kind of contract", Key::AllowedSecTypes, &rules.sec_types, true)]
    {
        kinds.check_each(contract.sec_type.as_str(), &contract.legs, |leg| {
            leg.sec_type.as_ref().map(SecType::as_str)
        })?;
    }
    let types = list("The order type", Key::AllowedOrderTypes, &rules.order_types, true);
    parts(order).iter().try_for_each(|part| types.check(part.pricing.order_type().as_str()))
}

impl List<'_> {
    /// Holds one word against it.
    fn check(&self, word: &str) -> Result<(), Denial> {
        match self.words.iter().find(|words| words.has(word) != self.allows) {
            Some(words) => Err(Denial::new(
                ReasonCode::NotAllowed,
                format!("{} {word} may not be traded here.", self.about),
                "Ask the user; only they can change this setting.",
            )
            .by(self.setting, words.shown())),
            None => Ok(()),
        }
    }

    /// The same for a contract, or for each leg of a combination. A leg that is not known cannot be held
    /// against a list.
    fn check_each(
        &self,
        own: &str,
        legs: &[Leg],
        word: impl Fn(&Leg) -> Option<&str>,
    ) -> Result<(), Denial> {
        if legs.is_empty() {
            return self.check(own);
        }
        let Some(first) = self.words.first() else { return Ok(()) };
        legs.iter().try_for_each(|leg| match word(leg).filter(|word| !word.is_empty()) {
            Some(word) => self.check(word),
            None => Err(Denial::new(
                ReasonCode::NotAllowed,
                format!("What the leg {} is cannot be held against this list.", leg.conid),
                "Trade the legs one by one, or ask the user; only they can change this setting.",
            )
            .by(self.setting, first.shown())),
        })
    }
}
