//! `get_watchlists`: the user's lists, or one of them with its quotes (`/iserver/watchlists`, `/iserver/watchlist`).

use std::collections::BTreeMap;

use ibd_cpapi::contracts::SecType;
use ibd_cpapi::failure::clean;
use ibd_cpapi::id::Conid;
use ibd_cpapi::snapshot::Field;
use ibd_cpapi::watchlists::{Heading, Watched, Watchlist};
use ibd_protocol::{Effect, Toolset};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::args;
use super::cell::{Cell, Time};
use super::watchlists::{self, Named};
use super::{Ctx, Tool};
use crate::contracts::{self, Contract, hours};
use crate::market::{self, Freshness, Quote, Wanted};
use crate::refusal::{Refusal, Unserved};
use crate::session::Lease;

/// Contracts that IBKR quotes at one time.
const MOST: usize = 100;

/// Which list.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Args {
    /// A list's name; with neither name nor id all lists are told.
    #[serde(deserialize_with = "args::text")]
    name: Option<String>,
    /// Its id instead.
    #[serde(deserialize_with = "args::text")]
    id: Option<String>,
    /// true: with quotes.
    #[serde(deserialize_with = "args::yes_no")]
    #[schemars(with = "Option<bool>")]
    quotes: Option<bool>,
}

/// The lists, or one of them.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Out {
    /// All lists, where none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    lists: Option<Vec<ListOut>>,
    /// The one that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<ListOut>,
    /// Column names.
    #[serde(skip_serializing_if = "Option::is_none")]
    cols: Option<Vec<&'static str>>,
    /// One row a contract, in the list's order; null where there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Vec<Cell>>>,
    /// What could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_read: Vec<String>,
    /// When the oldest part of this was given.
    as_of: Time,
}

/// A list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListOut {
    /// IBKR's number of it.
    id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// When it was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<Time>,
    /// true: it cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
}

impl From<&Heading> for ListOut {
    fn from(list: &Heading) -> Self {
        Self {
            id: clean(&list.id),
            name: list.name.as_deref().map(clean),
            modified: list.modified.map(Time),
            read_only: list.read_only.filter(|is_so| *is_so),
        }
    }
}

const COLS: [&str; 6] = ["symbol", "conid", "name", "secType", "exchange", "currency"];
const QUOTES: [&str; 6] = ["last", "changePct", "bid", "ask", "volume", "data"];

/// The tool.
#[derive(Debug)]
pub struct GetWatchlists;

impl Tool for GetWatchlists {
    const NAME: &'static str = "get_watchlists";
    const TITLE: &'static str = "Watchlists";
    const ABOUT: &'static str = "The user's watchlists at IBKR: their names, or one list's contracts, with quotes if \
        wanted. To change one use edit_watchlist.";
    const EFFECT: Effect = Effect::Reads;
    const SET: Toolset = Toolset::Watchlists;
    const EXAMPLE: &'static str = r#"{"name":"Favorites","quotes":true}"#;
    const ANSWER: usize = 500;
    type Args = Args;
    type Out = Out;

    async fn call(ctx: Ctx, args: Args) -> Result<Out, Refusal> {
        let (ctx_, args) = (&ctx, &args);
        ctx.serve(|lease| async move { answer(&lease, ctx_, args).await }).await
    }
}

async fn answer(lease: &Lease, ctx: &Ctx, args: &Args) -> Result<Out, Unserved> {
    let (lists, at) = watchlists::lists(lease, ctx.deadline).await?;
    let mut not_read: Vec<String> = lists.unread().iter().map(ToString::to_string).collect();
    let Some(named) = Named::of(args.id.as_deref(), args.name.as_deref()) else {
        if args.quotes == Some(true) {
            return Err(of_no_list(&lists).into());
        }
        let all = lists.iter().map(ListOut::from).collect();
        return Ok(Out { lists: Some(all), not_read, as_of: Time(at), ..Out::default() });
    };
    let heading = named.choose(&lists)?;
    let (list, list_at) = watchlists::list(lease, &heading.id, ctx.deadline).await?;
    not_read.extend(list.instruments.unread().iter().map(ToString::to_string));
    let conids = watchlists::conids(&list);
    let defined = contracts::by_conids(lease, &ctx.desks.store, &conids, ctx.deadline).await;
    let defined = defined.unwrap_or_else(|failure| {
        not_read.push(format!("what the contracts are: {failure}"));
        Vec::new()
    });
    let known = Known { list: &list, defined: &defined };
    let mut as_of = at.min(list_at);
    let quotes = match args.quotes {
        Some(true) => Some(quotes(lease, ctx, &known, &mut not_read).await?),
        _ => None,
    };
    if let Some(told) = quotes.as_ref().and_then(|quotes| quotes.as_of) {
        as_of = as_of.min(told);
    }
    let rows = watchlists::watched(&list).into_iter().map(|watched| {
        let contract = known.contract(watched.conid);
        let mut row = cells(watched, contract);
        if let Some(quotes) = &quotes {
            row.extend(quoted(quotes.by_conid.get(&watched.conid)));
        }
        row
    });
    let rows = rows.collect();
    let more: &[&str] = if quotes.is_some() { &QUOTES } else { &[] };
    Ok(Out {
        list: Some(ListOut::from(heading)),
        cols: Some([&COLS[..], more].concat()),
        rows: Some(rows),
        not_read,
        as_of: Time(as_of),
        ..Out::default()
    })
}

/// Quotes of which list?
fn of_no_list(lists: &[Heading]) -> Refusal {
    Refusal::argument(
        "quotes",
        "quotes are those of one list, and neither name nor id is given.",
        "Repeat the call with the name or id of a candidate; without quotes all lists are told.",
    )
    .or(lists.iter().map(watchlists::told))
}

/// A list, and what its contracts are.
struct Known<'a> {
    list: &'a Watchlist,
    defined: &'a [Contract],
}

impl Known<'_> {
    fn contract(&self, conid: Conid) -> Option<&Contract> {
        self.defined.iter().find(|contract| contract.conid == conid)
    }

    fn sec_type(&self, conid: Conid) -> Option<&SecType> {
        self.contract(conid).and_then(|contract| contract.sec_type.as_ref())
    }
}

/// Quotes, and when the oldest of them was last confirmed.
struct Quotes {
    by_conid: BTreeMap<Conid, Quote>,
    as_of: Option<Timestamp>,
}

/// The quotes of a list; what cannot be quoted is said, and hides no contract.
async fn quotes(
    lease: &Lease,
    ctx: &Ctx,
    known: &Known<'_>,
    not_read: &mut Vec<String>,
) -> Result<Quotes, Unserved> {
    let conids = watchlists::conids(known.list);
    if conids.len() > MOST {
        not_read.push(format!("quotes of more than the first {MOST} contracts"));
    }
    let wanted = conids.into_iter().take(MOST).map(|conid| Wanted {
        conid,
        is_option: known.sec_type(conid).is_some_and(SecType::is_option),
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let derived = known
        .defined
        .iter()
        .filter(|contract| contract.sec_type.as_ref().is_some_and(SecType::is_derivative));
    let underlyings: Vec<String> = derived.filter_map(|one| one.symbol.clone()).collect();
    let (market, wanted) = (&ctx.desks.market, wanted.as_slice());
    let told = async {
        market.underlyings().prepare(lease, underlyings, ctx.deadline).await?;
        market.quotes(lease, wanted, Freshness::Streamed, ctx.deadline).await
    };
    let markets = hours::open_now(lease, &ctx.desks.store, known.defined, ctx.deadline);
    let (told, markets) = tokio::join!(told, markets);
    match told {
        Err(failure) if failure.casts_doubt() => Err(failure.into()),
        Err(failure) => {
            not_read.push(format!("quotes: {failure}"));
            Ok(Quotes { by_conid: BTreeMap::new(), as_of: None })
        }
        Ok(told) => {
            let quote = |one: &Wanted| {
                let signs = market::signs(known.sec_type(one.conid));
                let mut quote = told.quote(one.conid, signs);
                quote.data = quote.data.in_market(markets.get(&one.conid).copied());
                (one.conid, quote)
            };
            let by_conid = wanted.iter().map(quote).collect();
            Ok(Quotes { by_conid, as_of: told.as_of })
        }
    }
}

/// What a list says of a contract, and its definition where the list is silent.
fn cells(watched: &Watched, contract: Option<&Contract>) -> Vec<Cell> {
    let text = |text: Option<&str>| Cell::text(text.map(clean));
    let described = contract.and_then(|one| one.description.as_deref().or(one.symbol.as_deref()));
    let sec_type = contract.and_then(|one| one.sec_type.as_ref()).or(watched.sec_type.as_ref());
    vec![
        text(described.or(watched.symbol.as_deref())),
        Cell::number(Some(watched.conid.get().into()), 0),
        text(watched.name.as_deref().or(contract.and_then(|one| one.name.as_deref()))),
        Cell::text(sec_type.map(ToString::to_string)),
        text(contract.and_then(|one| one.exchange.as_deref())),
        text(contract.and_then(|one| one.currency.as_deref())),
    ]
}

fn quoted(quote: Option<&Quote>) -> Vec<Cell> {
    let Some(quote) = quote else { return vec![Cell::Missing; QUOTES.len()] };
    vec![
        Cell::number(quote.last, 8),
        Cell::number(quote.number(Field::ChangePercent), 2),
        Cell::number(quote.bid, 8),
        Cell::number(quote.ask, 8),
        Cell::number(quote.number(Field::Volume), 0),
        Cell::text(Some(quote.data.as_str())),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::rows::Rows;

    #[test]
    fn quotes_of_no_list_are_asked_back_for() {
        let lists: Rows<Heading> =
            serde_json::from_str(r#"[{"id":"101","name":"Favorites"}]"#).unwrap();
        let refusal = of_no_list(&lists);
        assert_eq!(refusal.field.as_deref(), Some("quotes"));
        assert_eq!(refusal.candidates, ["Favorites (id 101)"]);
    }
}
