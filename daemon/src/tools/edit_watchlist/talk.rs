//! What is asked of IBKR, and told to it.

use ibd_cpapi::Endpoint;
use ibd_cpapi::id::Conid;
use ibd_cpapi::rows::Rows;
use ibd_cpapi::watchlists::{Heading, Watchlist};

use super::Args;
use super::plan::{self, in_doubt};
use crate::contracts::{self, Contract, find};
use crate::refusal::Refusal;
use crate::tools::instrument::Instrument;
use crate::tools::{Ctx, watchlists};

pub(super) async fn lists(ctx: &Ctx) -> Result<Rows<Heading>, Refusal> {
    let deadline = ctx.deadline;
    let (lists, _) =
        ctx.read(|lease| async move { watchlists::lists(&lease, deadline).await }).await?;
    Ok(lists)
}

/// A list whose every row could be read: what was not would be lost.
pub(super) async fn whole(ctx: &Ctx, id: &str) -> Result<Watchlist, Refusal> {
    let deadline = ctx.deadline;
    let (list, _) =
        ctx.read(|lease| async move { watchlists::list(&lease, id, deadline).await }).await?;
    match list.instruments.unread().first() {
        None => Ok(list),
        Some(unread) => Err(Refusal::argument(
            "name",
            format!(
                "A row of this list could not be read ({unread}), and would be lost. Nothing was changed."
            ),
            "Ask the user to change this list in IBKR's own app.",
        )),
    }
}

/// Sends it once. It changes no order, and is put as a whole; but what was not answered is not sent again here.
pub(super) async fn write<E: Endpoint>(ctx: &Ctx, request: &E) -> Result<(), Refusal> {
    let lease = ctx.lease().await?;
    match lease.client().ask_anew(request, ctx.deadline).await {
        Ok(_) => Ok(()),
        Err(failure) => Err(in_doubt(failure)),
    }
}

/// The contracts that are to be put in.
pub(super) async fn meant(ctx: &Ctx, args: &Args) -> Result<Vec<Contract>, Refusal> {
    let mut found = Vec::new();
    for symbol in args.symbols.iter().flatten() {
        let instrument = Instrument { symbol: Some(symbol.clone()), ..Instrument::default() };
        found.push(instrument.find(ctx).await.map_err(|refusal| refusal.unsent().at("symbols"))?);
    }
    let conids = args.conids.as_deref().unwrap_or_default();
    let (store, deadline) = (&ctx.desks.store, ctx.deadline);
    if !conids.is_empty() {
        let known = ctx
            .read(
                |lease| async move { contracts::looked_up(&lease, store, conids, deadline).await },
            )
            .await?;
        let is_there = |conid: &Conid| known.contracts.iter().any(|one| one.conid == *conid);
        if let Some(odd) = conids.iter().find(|conid| !is_there(conid)) {
            let none = find::unless_unread(find::unknown_conid(*odd), known.unread);
            return Err(none.unsent().at("conids"));
        }
        found.extend(known.contracts);
    }
    Ok(found)
}

/// The contracts that are to be taken out, each of which the list has.
pub(super) async fn there(ctx: &Ctx, args: &Args, list: &Watchlist) -> Result<Vec<Conid>, Refusal> {
    let has = watchlists::conids(list);
    let (has, store, deadline) = (has.as_slice(), &ctx.desks.store, ctx.deadline);
    let known = ctx
        .read(|lease| async move { contracts::by_conids(&lease, store, has, deadline).await })
        .await?;
    let mut gone = plan::named(args.symbols.as_deref().unwrap_or_default(), &known)?;
    for conid in args.conids.iter().flatten() {
        if !has.contains(conid) {
            return Err(plan::not_there("conids", &conid.to_string(), &known));
        }
        gone.push(*conid);
    }
    Ok(gone)
}
