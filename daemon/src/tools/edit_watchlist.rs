//! `edit_watchlist`: creates, changes and deletes the user's lists (`/iserver/watchlist`). Each list is put as a whole,
//! read just before; nothing is sent twice, and what became of it is read back.

mod plan;
mod talk;

use ibd_cpapi::Failure;
use ibd_cpapi::id::Conid;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::watchlists::{DeleteWatchlist, Heading, Line, PutWatchlist, Watchlist};
use ibd_protocol::{Effect, ErrorCode, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::timeout_at;

use super::args;
use super::cell::{Cell, Time};
use super::watchlists::{self, Named};
use super::{Ctx, Tool};
use crate::contracts::{self, Contract};
use crate::refusal::Refusal;
use plan::{Action, action, added, removed};
use talk::{lists, meant, there, whole, write};

/// Held while a list is read and written: of two calls at once the second would write what the first has not seen, or
/// take the number of its new list.
static TURN: Mutex<()> = Mutex::const_new(());

/// What to do with which list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// What to do.
    #[serde(deserialize_with = "args::text")]
    #[schemars(extend("enum" = ["create", "add", "remove", "rename", "delete"]))]
    action: Option<String>,
    /// The list's name.
    #[serde(deserialize_with = "args::text")]
    name: Option<String>,
    /// Its id instead, of a list that exists.
    #[serde(deserialize_with = "args::text")]
    id: Option<String>,
    /// Of rename.
    #[serde(deserialize_with = "args::text")]
    new_name: Option<String>,
    /// Contracts to put in or take out.
    #[serde(deserialize_with = "args::texts")]
    symbols: Option<Vec<String>>,
    /// The same by IBKR's numbers.
    #[serde(deserialize_with = "args::conids")]
    #[schemars(with = "Option<Vec<u32>>")]
    conids: Option<Vec<Conid>>,
}

/// The list as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// What was done.
    done: &'static str,
    /// IBKR's number of the list.
    id: String,
    /// Its name.
    name: String,
    /// Column names.
    #[serde(skip_serializing_if = "Option::is_none")]
    cols: Option<[&'static str; 2]>,
    /// What it has now; absent of one that was deleted, or where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<[Cell; 2]>>,
    /// To be read first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// When IBKR said so.
    as_of: Time,
}

/// The tool.
#[derive(Debug)]
pub struct EditWatchlist;

impl Tool for EditWatchlist {
    const NAME: &'static str = "edit_watchlist";
    const TITLE: &'static str = "Edit a watchlist";
    const ABOUT: &'static str = "Create a watchlist at IBKR, add or remove contracts, rename or delete it. It trades \
        nothing. The lists there are: get_watchlists.";
    const EFFECT: Effect = Effect::Writes;
    const SET: Toolset = Toolset::Watchlists;
    const EXAMPLE: &'static str = r#"{"action":"add","name":"Favorites","symbols":["IBM"]}"#;
    const ANSWER: usize = 400;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let action = action(args.action.as_deref())?;
        args.fits(action)?;
        let turn = timeout_at(ctx.deadline, TURN.lock()).await;
        let _turn = turn.map_err(|_| Refusal::from(Failure::Queued))?;
        let lists = match (lists(&ctx).await, &args.name) {
            (Err(refusal), Some(name)) if action == Action::Create => {
                return Err(unread(name, refusal));
            }
            (lists, _) => lists?,
        };
        if action == Action::Create {
            return create(&ctx, &args, &lists).await;
        }
        let named = Named::of(args.id.as_deref(), args.name.as_deref());
        let heading = named.ok_or_else(no_name)?.choose(&lists)?;
        let name = heading.name.clone().unwrap_or_default();
        if heading.read_only == Some(true) {
            return Err(read_only(&name));
        }
        if action == Action::Delete {
            return delete(&ctx, &heading.id, name).await;
        }
        let list = whole(&ctx, &heading.id).await?;
        let rows: Vec<Line> = list.instruments.iter().map(Line::from).collect();
        let mut warnings = Vec::new();
        let (name, rows) = match action {
            Action::Rename => {
                let wanted = args.new_name.clone().unwrap_or_default();
                is_free(&wanted, &lists, Some(heading.id.as_str()))?;
                (wanted, rows)
            }
            Action::Remove => (name, removed(rows, &there(&ctx, &args, &list).await?)),
            _ => {
                let contracts = meant(&ctx, &args).await?;
                let (rows, known) = added(rows, contracts.iter().map(|one| one.conid));
                if known > 0 {
                    warnings.push(format!("{known} of them it has already."));
                }
                (name, rows)
            }
        };
        let put = PutWatchlist { id: heading.id.clone(), name, rows };
        write(&ctx, &put).await?;
        Ok(now(&ctx, action, put, warnings).await)
    }
}

impl Args {
    /// Whether what is given is what the action needs.
    fn fits(&self, action: Action) -> Result<(), Refusal> {
        let has_contracts = self.symbols.is_some() || self.conids.is_some();
        let needs_contracts = matches!(action, Action::Add | Action::Remove);
        let wrong = |field: &str, message: String| {
            Err(Refusal::argument(
                field,
                message,
                "Nothing was changed. Correct it and call again.",
            ))
        };
        if needs_contracts && !has_contracts {
            return wrong("symbols", format!("{} needs symbols or conids.", action.name()));
        }
        if has_contracts && matches!(action, Action::Rename | Action::Delete) {
            let field = if self.symbols.is_some() { "symbols" } else { "conids" };
            return wrong(field, format!("{} takes no contracts.", action.name()));
        }
        let renamed = match (action, &self.new_name) {
            (Action::Rename, None) => wrong("newName", "rename needs newName.".to_owned()),
            (Action::Rename, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => wrong("newName", format!("{} takes no newName.", action.name())),
        };
        renamed?;
        match (action, &self.name, &self.id) {
            (Action::Create, None, _) => wrong("name", "create needs a name.".to_owned()),
            (Action::Create, _, Some(_)) => {
                wrong("id", "A new list gets its id itself.".to_owned())
            }
            _ => Ok(()),
        }
    }
}

async fn create(ctx: &Ctx, args: &Args, lists: &Rows<Heading>) -> Result<Out, Refusal> {
    let name = args.name.clone().unwrap_or_default();
    is_free(&name, lists, None)?;
    let contracts = meant(ctx, args).await?;
    let (rows, _) = added(Vec::new(), contracts.iter().map(|one| one.conid));
    // IBKR wants a number, and replaces whatever has it.
    let id = plan::free_id(Timestamp::now(), lists);
    let put = PutWatchlist { id, name, rows };
    write(ctx, &put).await?;
    Ok(now(ctx, Action::Create, put, Vec::new()).await)
}

async fn delete(ctx: &Ctx, id: &str, name: String) -> Result<Out, Refusal> {
    write(ctx, &DeleteWatchlist { id: id.to_owned() }).await?;
    let mut warnings = Vec::new();
    // IBKR says that it deleted also what it did not.
    match lists(ctx).await {
        Ok(lists) if lists.iter().any(|list| list.id == id) => {
            warnings.push("IBKR says that it is deleted, and still lists it.".to_owned());
        }
        Ok(lists) => {
            // What is not among those that could be read may be among the others.
            let unread = lists.unread().first();
            warnings.extend(unread.map(|row| format!("IBKR says that it is deleted. {row}")));
        }
        Err(refusal) => warnings.push(format!("It was not looked for again: {}", refusal.message)),
    }
    Ok(Out {
        done: Action::Delete.name(),
        id: id.to_owned(),
        name: ibd_cpapi::failure::clean(&name),
        cols: None,
        rows: None,
        warnings,
        as_of: Time::now(),
    })
}

const COLS: [&str; 2] = ["symbol", "conid"];

/// The list that was put, as IBKR has it now.
async fn now(ctx: &Ctx, action: Action, put: PutWatchlist, mut warnings: Vec<String>) -> Out {
    let (id, deadline, store) = (put.id.as_str(), ctx.deadline, &ctx.desks.store);
    let read = ctx
        .read(|lease| async move {
            let (list, at) = watchlists::list(&lease, id, deadline).await?;
            let conids = watchlists::conids(&list);
            let known = contracts::by_conids(&lease, store, &conids, deadline).await;
            Ok((list, known.unwrap_or_default(), at))
        })
        .await;
    let (rows, as_of) = match read {
        Ok((list, known, at)) => {
            let has: Vec<Line> = list.instruments.iter().map(Line::from).collect();
            if has != put.rows {
                warnings.push("What IBKR shows is not what was written: compare rows.".to_owned());
            }
            (Some(rows(&list, &known)), Time(at))
        }
        Err(refusal) => {
            warnings.push(format!("It was written, and not read back: {}", refusal.message));
            (None, Time::now())
        }
    };
    let name = ibd_cpapi::failure::clean(&put.name);
    // Columns of rows that are not there would read like an empty list.
    let cols = rows.as_ref().map(|_| COLS);
    Out { done: action.name(), id: put.id, name, cols, rows, warnings, as_of }
}

fn rows(list: &Watchlist, known: &[Contract]) -> Vec<[Cell; 2]> {
    let row = |conid: Conid| {
        let contract = known.iter().find(|contract| contract.conid == conid);
        let symbol = contract.and_then(|one| one.description.as_ref().or(one.symbol.as_ref()));
        let symbol = symbol.map(|text| ibd_cpapi::failure::clean(text));
        [Cell::text(symbol), Cell::number(Some(conid.get().into()), 0)]
    };
    watchlists::conids(list).into_iter().map(row).collect()
}

/// No other list has this name, as far as all of them could be read.
fn is_free(name: &str, lists: &Rows<Heading>, own: Option<&str>) -> Result<(), Refusal> {
    let taken = lists.iter().find(|list| {
        let is_same = |other: &String| watchlists::is_same(other, name);
        own != Some(list.id.as_str()) && list.name.as_ref().is_some_and(is_same)
    });
    let field = if own.is_some() { "newName" } else { "name" };
    match (taken, watchlists::unknown_names(lists, own)) {
        (None, None) => Ok(()),
        (None, Some(why)) => Err(Refusal::new(
            ErrorCode::GatewayGarbled,
            format!(
                "The lists could not all be read, so it is not known whether one is called {name:?} already: {why} \
                 Nothing was changed."
            ),
            "Try again. If it stays, ask the user to do it in IBKR's own app.",
        )
        .at(field)),
        (Some(list), _) => Err(Refusal::argument(
            field,
            format!("There is a watchlist {name:?} already (id {}). Nothing was changed.", list.id),
            "Use action add to put contracts into it, or give another name.",
        )),
    }
}

/// A list of this name may be there, and a second one would be made.
fn unread(name: &str, refusal: Refusal) -> Refusal {
    let why = refusal.message.trim_end_matches('.');
    let message = format!(
        "The lists could not be read, so it is not known whether {name:?} exists; nothing was created. {why}."
    );
    Refusal { message, ..refusal }
}

fn no_name() -> Refusal {
    Refusal::argument("name", "Neither name nor id says which list is meant.", "Give one of them.")
}

fn read_only(name: &str) -> Refusal {
    Refusal::argument(
        "name",
        format!("IBKR lets nobody change the watchlist {name:?}."),
        "Create another one with action create.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_is_free_only_where_every_list_could_be_read() {
        for (json, own, expected) in [
            (r#"[{"id":"1","name":"Mine"}]"#, None, None),
            (r#"[{"id":"1","name":"ours"}]"#, None, Some(("name", ErrorCode::InvalidArgument))),
            (r#"[{"id":"1","name":"Ours"}]"#, Some("1"), None),
            // What could not be read may be the one.
            (r#"[{"id":"1","name":"Mine"},7]"#, None, Some(("name", ErrorCode::GatewayGarbled))),
            (
                r#"[{"id":"1","name":"Mine"},7]"#,
                Some("1"),
                Some(("newName", ErrorCode::GatewayGarbled)),
            ),
            (r#"[{"id":"1"}]"#, None, Some(("name", ErrorCode::GatewayGarbled))),
            ("null", None, Some(("name", ErrorCode::GatewayGarbled))),
            ("[]", None, None),
        ] {
            let lists: Rows<Heading> = serde_json::from_str(json).unwrap();
            let refusal = is_free("Ours", &lists, own).err();
            let told = refusal.as_ref().map(|one| (one.field.as_deref().unwrap(), one.error));
            assert_eq!(told, expected, "{json} {own:?}");
        }
    }

    #[test]
    fn where_no_list_could_be_read_none_is_created_and_the_reason_is_told() {
        let why = Refusal::new(ErrorCode::BrokerTrouble, "IBKR has a problem (500): x", "Wait.");
        let told = unread("Mine", why);
        let expected = "The lists could not be read, so it is not known whether \"Mine\" exists; nothing was \
                        created. IBKR has a problem (500): x.";
        assert_eq!((told.error, told.message.as_str()), (ErrorCode::BrokerTrouble, expected));
    }
}
