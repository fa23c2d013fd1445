//! Which of the user's watchlists is meant, and what is in it.

use ibd_cpapi::Failure;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::Conid;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::watchlists::{Entry, GetWatchlist, GetWatchlists, Heading, Watched, Watchlist};
use ibd_protocol::ErrorCode;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::refusal::Refusal;
use crate::session::Lease;

/// The user's lists as they are now, and when IBKR said so.
pub async fn lists(
    lease: &Lease,
    deadline: Instant,
) -> Result<(Rows<Heading>, Timestamp), Failure> {
    let answer = lease.client().ask_anew(&GetWatchlists, deadline).await?;
    Ok((answer.value.data.lists, answer.at))
}

/// One list as it is now, and when IBKR said so.
pub async fn list(
    lease: &Lease,
    id: &str,
    deadline: Instant,
) -> Result<(Watchlist, Timestamp), Failure> {
    let request = GetWatchlist { id: id.to_owned() };
    let answer = lease.client().ask_anew(&request, deadline).await?;
    Ok((answer.value, answer.at))
}

/// How a list is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// By its number.
    Id(&'a str),
    /// By its name.
    Name(&'a str),
    /// By both, which must be of one list.
    Both {
        /// Its number.
        id: &'a str,
        /// Its name.
        name: &'a str,
    },
}

impl<'a> Named<'a> {
    /// From arguments; `None`: by neither.
    pub fn of(id: Option<&'a str>, name: Option<&'a str>) -> Option<Self> {
        match (id, name) {
            (Some(id), Some(name)) => Some(Self::Both { id, name }),
            (Some(id), None) => Some(Self::Id(id)),
            (None, Some(name)) => Some(Self::Name(name)),
            (None, None) => None,
        }
    }

    /// The one list that is meant. A name is meant in any case; a part of one means none.
    pub fn choose(self, lists: &Rows<Heading>) -> Result<&Heading, Refusal> {
        if let Self::Both { id, name } = self {
            let list = Self::Id(id).choose(lists)?;
            if Self::Name(name).is(list) {
                return Ok(list);
            }
            let own = list.name.as_deref().unwrap_or("without a name");
            let message = format!("The watchlist {id} is {own:?}, and not {name:?}.");
            let next = "Nothing was done. Leave out the one that is wrong.";
            return Err(Refusal::new(ErrorCode::Contradiction, message, next).at("name"));
        }
        let found: Vec<&Heading> = lists.iter().filter(|list| self.is(list)).collect();
        let (field, named) = match self {
            Self::Id(id) | Self::Both { id, .. } => ("id", id),
            Self::Name(name) => ("name", name),
        };
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(Refusal::argument(
                field,
                match lists.unread().len() {
                    0 => format!("There is no watchlist with the {field} {named:?}."),
                    many => format!(
                        "No watchlist that could be read has the {field} {named:?}; {many} could not be read."
                    ),
                },
                "Use a candidate's name or id.",
            )
            .or(lists.iter().map(told))),
            several => Err(Refusal::new(
                ErrorCode::InvalidArgument,
                format!("{} watchlists have the name {named:?}.", several.len()),
                "Repeat the call with the id of the one that is meant.",
            )
            .at(field)
            .or(several.iter().map(|list| told(list)))),
        }
    }

    fn is(self, list: &Heading) -> bool {
        match self {
            Self::Id(id) | Self::Both { id, .. } => list.id == id,
            Self::Name(name) => list.name.as_deref().is_some_and(|own| is_same(own, name)),
        }
    }
}

/// What is not known of the lists other than `own`, and with it whether one of them has a certain name.
pub fn unknown_names(lists: &Rows<Heading>, own: Option<&str>) -> Option<String> {
    if let Some(unread) = lists.unread().first() {
        return Some(unread.to_string());
    }
    let nameless =
        lists.iter().find(|list| list.name.is_none() && own != Some(list.id.as_str()))?;
    Some(format!("IBKR does not say how the list with the id {} is called.", clean(&nameless.id)))
}

/// Whether two names are one for whoever writes them.
pub fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// A list as a candidate.
pub fn told(list: &Heading) -> String {
    format!("{} (id {})", clean(list.name.as_deref().unwrap_or_default()), clean(&list.id))
}

/// The contracts of a list, without the lines between them.
pub fn watched(list: &Watchlist) -> Vec<&Watched> {
    let contracts = list.instruments.iter().filter_map(|entry| match entry {
        Entry::Contract(watched) => Some(watched),
        Entry::Line(_) => None,
    });
    contracts.collect()
}

/// Their conids, each once.
pub fn conids(list: &Watchlist) -> Vec<Conid> {
    let mut conids: Vec<Conid> = Vec::new();
    for one in watched(list) {
        if !conids.contains(&one.conid) {
            conids.push(one.conid);
        }
    }
    conids
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_list_is_meant_by_its_number_or_its_whole_name() {
        let lists: Rows<Heading> = serde_json::from_str(
            r#"[{"id":"101","name":"Favorites"},{"id":"102","name":"Europe"},{"id":"7","name":"europe "},
                {"id":"8"}]"#,
        )
        .unwrap();
        let choose = |named: Named<'_>| match named.choose(&lists) {
            Ok(list) => list.id.clone(),
            Err(refusal) => format!("{} {}", refusal.field.unwrap(), refusal.candidates.len()),
        };
        for (named, expected) in [
            (Named::Id("102"), "102"),
            (Named::Id("8"), "8"),
            (Named::Id("9"), "id 4"),
            (Named::Name("favorites"), "101"),
            (Named::Name("Favor"), "name 4"),
            (Named::Name("Europe"), "name 2"),
            (Named::Both { id: "101", name: "FAVORITES" }, "101"),
            (Named::Both { id: "102", name: "Favorites" }, "name 0"),
        ] {
            assert_eq!(choose(named), expected, "{named:?}");
        }
        assert_eq!(Named::of(Some("1"), Some("x")), Some(Named::Both { id: "1", name: "x" }));
        assert_eq!(Named::of(None, None), None);
    }

    #[test]
    fn a_list_that_cannot_be_read_may_have_any_name() {
        let lists = |json: &str| serde_json::from_str::<Rows<Heading>>(json).unwrap();
        for (json, said) in [
            ("[]", None),
            (r#"[{"id":"101","name":"Favorites"}]"#, None),
            ("null", Some("there is none")),
            (r#"[{"id":"101","name":"Favorites"},{"name":"Mine"}]"#, Some("name Mine")),
            (r#"[{"id":"101"}]"#, Some("id 101")),
        ] {
            let unknown = unknown_names(&lists(json), None);
            match (&unknown, said) {
                (None, None) => {}
                (Some(text), Some(said)) => assert!(text.contains(said), "{json}: {text}"),
                _ => assert_eq!(unknown.as_deref(), said, "{json}"),
            }
        }
        assert_eq!(unknown_names(&lists(r#"[{"id":"101"}]"#), Some("101")), None);
        let odd = lists(r#"[{"id":"101","name":"Favorites"},{"name":"Mine"}]"#);
        let refusal = Named::Name("Mine").choose(&odd).unwrap_err();
        assert!(refusal.message.contains("1 could not be read"), "{}", refusal.message);
    }
}
