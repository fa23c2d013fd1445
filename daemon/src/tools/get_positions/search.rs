//! Which positions are meant: a symbol, else a part of it, else the company.

use ibd_cpapi::id::Conid;
use ibd_cpapi::portfolio::Position;

use crate::contracts;
use crate::refusal::Refusal;
use crate::tools::Ctx;

/// The contracts that are meant, and what is to be said about the search.
pub(super) async fn found(
    ctx: &Ctx,
    positions: &[Position],
    wanted: &str,
) -> (Vec<Conid>, Vec<String>) {
    let mut warnings = Vec::new();
    let mut found = conids(positions.iter().filter(|one| is_symbol(one, wanted)));
    if found.is_empty() && wanted.chars().count() > 1 {
        found = conids(positions.iter().filter(|one| has(one, wanted)));
    }
    if found.is_empty() {
        match named(ctx, positions, wanted).await {
            Ok(named) => found = named,
            Err(refusal) => warnings.push(format!(
                "Names of companies could not be looked up ({}): only symbols and descriptions were \
                 searched.",
                refusal.message.trim_end_matches('.')
            )),
        }
    }
    if found.is_empty() {
        let place =
            if warnings.is_empty() { ", description or company's name" } else { " or description" };
        warnings.push(format!(
            "Of {} positions none has {wanted:?} in its symbol{place}. To find the symbol of a company use \
             search_contracts.",
            positions.len()
        ));
    }
    (found, warnings)
}

fn conids<'p>(positions: impl Iterator<Item = &'p Position>) -> Vec<Conid> {
    positions.map(|position| position.conid).collect()
}

/// The held contracts of companies with these words in their name: as the list of positions says it, or IBKR's
/// definitions do.
async fn named(ctx: &Ctx, positions: &[Position], words: &str) -> Result<Vec<Conid>, Refusal> {
    let (store, deadline) = (&ctx.desks.store, ctx.deadline);
    let held = conids(positions.iter());
    let held = held.as_slice();
    let mut found = conids(positions.iter().filter(|one| is_named(one, words)));
    if found.is_empty() {
        let known = ctx
            .read(|lease| async move { contracts::by_conids(&lease, store, held, deadline).await })
            .await?;
        let named = known.iter().filter(|contract| contract.is_named(words));
        found = named.map(|contract| contract.conid).collect();
    }
    Ok(found)
}

/// Of an option or a future the underlying's symbol.
fn is_symbol(position: &Position, wanted: &str) -> bool {
    let first = |text: &String| text.split_whitespace().next().map(str::to_owned);
    let described = position.description.as_ref().and_then(first);
    [position.ticker.clone(), described]
        .into_iter()
        .flatten()
        .any(|text| text.eq_ignore_ascii_case(wanted.trim()))
}

fn has(position: &Position, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    [&position.ticker, &position.description]
        .into_iter()
        .flatten()
        .any(|text| text.to_lowercase().contains(&wanted))
}

fn is_named(position: &Position, words: &str) -> bool {
    position.name.as_ref().is_some_and(|name| contracts::has_words(name, words))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_position_is_known_by_its_symbol_a_part_of_it_or_its_company() {
        let read = |fields: &str| -> Position {
            serde_json::from_str(&format!(r#"{{"conid":7,{fields}}}"#)).unwrap()
        };
        let stock = read(r#""ticker":"700","contractDesc":"700","name":"TENCENT HOLDINGS LTD""#);
        let option = read(r#""contractDesc":"AAPL   JAN2027 270 C","name":"APPLE INC""#);
        for (position, wanted, expected) in [
            (&stock, "700", [true, true, false]),
            (&stock, "70", [false, true, false]),
            (&stock, "Tencent", [false, false, true]),
            (&stock, "tencent-holdings", [false, false, true]),
            (&option, "aapl", [true, true, false]),
            (&option, "jan2027", [false, true, false]),
            (&option, "apple", [false, false, true]),
            (&option, "pear", [false, false, false]),
        ] {
            let told = [is_symbol, has, is_named].map(|is| is(position, wanted));
            assert_eq!(told, expected, "{wanted}");
        }
    }
}
