//! Which account a call means. It is never guessed, and never a group of accounts. Pure.

use ibd_cpapi::id::AccountId;
use ibd_protocol::ErrorCode;
use ibd_protocol::settings::Key;

use crate::refusal::Refusal;
use crate::session::Facts;

/// The account a call means: the one it names, else the configured one, else the only one.
pub fn pick(
    named: Option<&AccountId>,
    configured: Option<&AccountId>,
    facts: &Facts,
) -> Result<AccountId, Refusal> {
    Choice { named, configured, from: &facts.accounts }.made(facts)
}

/// The same of a call about orders, which are given for accounts that may be traded.
pub fn pick_to_trade(
    named: Option<&AccountId>,
    configured: Option<&AccountId>,
    facts: &Facts,
) -> Result<AccountId, Refusal> {
    Choice { named, configured, from: &facts.tradable }.made(facts)
}

/// Who may say which, and of which.
struct Choice<'a> {
    named: Option<&'a AccountId>,
    configured: Option<&'a AccountId>,
    from: &'a [AccountId],
}

impl Choice<'_> {
    fn made(&self, facts: &Facts) -> Result<AccountId, Refusal> {
        match (self.named.or(self.configured), self.from) {
            (Some(account), from) if from.contains(account) => Ok(account.clone()),
            (Some(account), _) => Err(self.refused(account, facts)),
            (None, [only]) => Ok(only.clone()),
            (None, []) => Err(Refusal::new(
                ErrorCode::NoAccount,
                "The broker lists no account for this login.",
                "Ask the user to look at the login in a browser.",
            )),
            (None, from) => Err(Refusal::new(
                ErrorCode::AccountNeeded,
                "This login has several accounts and the call names none.",
                "Repeat the call with one of the candidates as accountId; ask the user which one is meant.",
            )
            .at("accountId")
            .or(from.iter().map(AccountId::as_str))),
        }
    }

    fn refused(&self, account: &AccountId, facts: &Facts) -> Refusal {
        let (message, next) = if facts.is_group(account) {
            (
                format!(
                    "{account} stands for several accounts and is none itself; what is asked for or ordered here \
                     is of one account."
                ),
                "Use one of the candidates, a call for each that is meant. Orders for a whole group are given in TWS.",
            )
        } else if facts.accounts.contains(account) {
            (
                format!(
                    "IBKR lists {account} to be looked at and not to be traded: it takes no orders."
                ),
                "Use one of the candidates; ask the user which one is meant.",
            )
        } else {
            (
                format!("The account {account} does not belong to this login."),
                "Use one of the candidates.",
            )
        };
        Refusal::new(ErrorCode::UnknownAccount, message, next)
            .at(if self.named.is_some() { "accountId" } else { Key::Account.name() })
            .or(self.from.iter().map(AccountId::as_str))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    fn ids(texts: &[&str]) -> Vec<AccountId> {
        texts.iter().map(|text| id(text)).collect()
    }

    fn plain(texts: &[&str]) -> Facts {
        Facts { accounts: ids(texts), tradable: ids(texts), ..Facts::default() }
    }

    fn adviser() -> Facts {
        Facts {
            accounts: ids(&["F1", "U1", "U2"]),
            tradable: ids(&["U1", "U2"]),
            groups: ids(&["All", "Growth"]),
            ..Facts::default()
        }
    }

    #[test]
    fn an_account_is_never_guessed() {
        let (one, two) = (id("DU1"), id("DU2"));
        let both = plain(&["DU1", "DU2"]);
        assert_eq!(pick(None, None, &plain(&["DU1"])).unwrap(), one);
        assert_eq!(pick(None, Some(&two), &both).unwrap(), two);
        assert_eq!(pick(Some(&one), Some(&two), &both).unwrap(), one);
        let refusal = pick(None, None, &both).unwrap_err();
        assert_eq!((refusal.error, refusal.candidates.len()), (ErrorCode::AccountNeeded, 2));
        let refusal = pick(Some(&id("U9")), None, &both).unwrap_err();
        assert_eq!(
            (refusal.error, refusal.field.as_deref()),
            (ErrorCode::UnknownAccount, Some("accountId"))
        );
        assert_eq!(pick(None, None, &plain(&[])).unwrap_err().error, ErrorCode::NoAccount);
    }

    #[test]
    fn a_group_is_no_account_and_an_advisers_own_takes_no_orders() {
        let facts = adviser();
        for (named, to_see, to_trade) in [
            ("U1", "", ""),
            ("F1", "", "not to be traded"),
            ("All", "several accounts", "several accounts"),
            ("all", "several accounts", "several accounts"),
            ("Growth", "several accounts", "several accounts"),
            ("U9", "does not belong", "does not belong"),
        ] {
            let named = id(named);
            for (picked, says, candidates) in [
                (pick(Some(&named), None, &facts), to_see, 3),
                (pick_to_trade(Some(&named), None, &facts), to_trade, 2),
            ] {
                let Err(refusal) = picked else {
                    assert_eq!(says, "", "{named}");
                    continue;
                };
                assert!(!says.is_empty() && refusal.message.contains(says), "{named}: {refusal:?}");
                assert_eq!(refusal.field.as_deref(), Some("accountId"), "{named}");
                assert_eq!(refusal.candidates.len(), candidates, "{named}");
            }
        }
        // Of an adviser with one client that one is meant; who is bound to a group is told so.
        let one = Facts { tradable: ids(&["U1"]), ..adviser() };
        assert_eq!(pick_to_trade(None, None, &one).unwrap(), id("U1"));
        let bound = pick_to_trade(None, Some(&id("All")), &facts).unwrap_err();
        assert_eq!(bound.field.as_deref(), Some("IB_ACCOUNT"));
        // An account is an account, whatever it is called.
        assert_eq!(pick(Some(&id("ALL")), None, &plain(&["ALL"])).unwrap(), id("ALL"));
    }
}
