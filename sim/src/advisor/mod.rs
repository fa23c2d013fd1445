//! An adviser's login: an account of the adviser's own, clients' accounts, and groups of these, over which orders are
//! split. `All` is always one of the groups, and means every client's account.

mod spec;
mod split;

use serde::Deserialize;

use crate::accounts::Account;
use crate::book::Order;
use crate::state::World;
pub use spec::{AdvisorSpec, GroupSpec, Listed, MemberSpec};

/// The group that everybody is in.
pub(crate) const ALL: &str = "All";

/// How an order is split over a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Method {
    /// By available equity.
    #[serde(rename = "A")]
    Available,
    /// Evenly.
    #[serde(rename = "E")]
    Equal,
    /// By net liquidation value.
    #[serde(rename = "N")]
    Net,
    /// By amounts of money that the adviser sets.
    #[serde(rename = "C")]
    Cash,
    /// By percentages that the adviser sets.
    #[serde(rename = "P")]
    Percentages,
    /// By ratios that the adviser sets.
    #[serde(rename = "R")]
    Ratios,
    /// By numbers of shares that the adviser sets.
    #[serde(rename = "S")]
    Shares,
}

impl Method {
    const EVERY: [(Self, &'static str); 7] = [
        (Self::Available, "A"),
        (Self::Equal, "E"),
        (Self::Net, "N"),
        (Self::Cash, "C"),
        (Self::Percentages, "P"),
        (Self::Ratios, "R"),
        (Self::Shares, "S"),
    ];

    /// The broker's letter.
    pub(crate) fn code(self) -> &'static str {
        Self::EVERY.iter().find(|(method, _)| *method == self).map_or("E", |(_, code)| *code)
    }

    /// The method of a letter.
    pub(crate) fn parse(code: &str) -> Option<Self> {
        Self::EVERY.iter().find(|(_, letter)| *letter == code).map(|(method, _)| *method)
    }

    /// Whether each account's part is a number that the adviser sets.
    pub(crate) fn is_set_by_hand(self) -> bool {
        matches!(self, Self::Cash | Self::Percentages | Self::Ratios | Self::Shares)
    }
}

/// A group of accounts.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) members: Vec<Member>,
}

/// An account in a group, and its part where that is set.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) account: String,
    pub(crate) amount: Option<f64>,
}

/// What the broker does with groups unless told otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Presets {
    pub(crate) method: Method,
    pub(crate) groups_close: bool,
    pub(crate) profiles_close: bool,
    pub(crate) checks_credit: bool,
    pub(crate) is_proportional: bool,
}

/// The adviser whose login it is.
#[derive(Debug)]
pub(crate) struct Advisor {
    /// The adviser's own account.
    pub(crate) master: String,
    pub(crate) listed: Listed,
    pub(crate) groups: Vec<Group>,
    pub(crate) presets: Presets,
}

impl Advisor {
    /// The adviser that a scenario wants; its own account comes to stand behind all others.
    pub(crate) fn new(spec: &AdvisorSpec, accounts: &mut Vec<Account>) -> Result<Self, String> {
        let at = accounts.iter().position(|account| account.id == spec.master);
        let at = at.ok_or_else(|| format!("scenario: master {} is no account", spec.master))?;
        let master = accounts.remove(at);
        if accounts.is_empty() {
            return Err("scenario: an adviser has clients".to_owned());
        }
        for member in spec.groups.iter().flat_map(|group| &group.accounts) {
            if !accounts.iter().any(|account| account.id == member.name) {
                return Err(format!("scenario: {} is no client's account", member.name));
            }
        }
        accounts.push(master);
        let member = |m: &MemberSpec| Member { account: m.name.clone(), amount: m.amount };
        let group = |group: &GroupSpec| Group {
            name: group.name.clone(),
            method: group.method,
            members: group.accounts.iter().map(member).collect(),
        };
        Ok(Self {
            master: spec.master.clone(),
            listed: spec.portfolio,
            groups: spec.groups.iter().map(group).collect(),
            presets: Presets {
                method: Method::Net,
                groups_close: false,
                profiles_close: false,
                checks_credit: false,
                is_proportional: false,
            },
        })
    }

    /// Changes all accounts' names, as another login does.
    pub(crate) fn rename(&mut self, change: impl Fn(&str) -> String) {
        self.master = change(&self.master);
        for member in self.groups.iter_mut().flat_map(|group| &mut group.members) {
            member.account = change(&member.account);
        }
    }
}

impl World {
    /// The account with this id, if this login may trade it: an adviser's own is to be looked at only.
    pub(crate) fn tradable(&self, id: &str) -> Option<&Account> {
        let is_master = self.advisor.as_ref().is_some_and(|advisor| advisor.master == id);
        self.account(id).filter(|_| !is_master)
    }

    /// All accounts that this login may trade.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| self.tradable(&account.id).is_some())
    }

    /// A group by its name.
    pub(crate) fn group(&self, name: &str) -> Option<Group> {
        let advisor = self.advisor.as_ref()?;
        if name != ALL {
            return advisor.groups.iter().find(|group| group.name == name).cloned();
        }
        let member = |account: &Account| Member { account: account.id.clone(), amount: None };
        let members = self.clients().map(member).collect();
        // Nobody has set parts for all of them.
        let method = Some(advisor.presets.method).filter(|method| !method.is_set_by_hand());
        Some(Group { name: ALL.to_owned(), method: method.unwrap_or(Method::Equal), members })
    }

    /// The names of all groups but `All`.
    pub(crate) fn group_names(&self) -> Vec<String> {
        let groups = self.advisor.iter().flat_map(|advisor| &advisor.groups);
        groups.map(|group| group.name.clone()).collect()
    }

    /// Whether orders can be given for this name.
    pub(crate) fn takes_orders(&self, name: &str) -> bool {
        self.tradable(name).is_some() || self.group(name).is_some()
    }

    /// All that lists show of this name: an account itself; of a group what was given for it and what its members
    /// have; of `All` everything.
    pub(crate) fn covered(&self, name: &str) -> Vec<String> {
        let Some(group) = self.group(name) else { return vec![name.to_owned()] };
        let mut names = vec![name.to_owned()];
        if name == ALL {
            names.extend(self.group_names());
        }
        names.extend(group.members.into_iter().map(|member| member.account));
        names
    }

    /// The name that lists follow: the selected account, or a group.
    pub(crate) fn followed(&self) -> String {
        let group = self.session.group.clone();
        group.or_else(|| Some(self.selected()?.id.clone())).unwrap_or_default()
    }

    /// Whose so much of an order is: its account's, or each one's of its group.
    pub(crate) fn owners(&self, order: &Order, quantity: f64) -> Vec<(Order, f64)> {
        let Some(group) = self.group(&order.account) else {
            return vec![(order.clone(), quantity)];
        };
        let weights: Vec<f64> = group.members.iter().map(|m| self.weight(&group, m)).collect();
        let shares = split::shares(quantity, &weights);
        let of = |(member, share): (&Member, f64)| {
            (Order { account: member.account.clone(), ..order.clone() }, share)
        };
        let all = group.members.iter().zip(shares).map(of);
        all.filter(|(_, share)| *share > 0.0).collect()
    }

    /// Values in different currencies are compared in dollars.
    fn weight(&self, group: &Group, member: &Member) -> f64 {
        let Some(account) = self.account(&member.account) else { return 0.0 };
        let worth = |amount: f64| amount * self.rate(&account.currency, "USD").unwrap_or(1.0);
        let weight = match group.method {
            Method::Equal => 1.0,
            Method::Net => worth(self.worth(account).base.net()),
            Method::Available => worth(self.worth(account).available()),
            _ => member.amount.unwrap_or(0.0),
        };
        weight.max(0.0)
    }
}
