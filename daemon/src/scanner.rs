//! The market scanner: IBKR's catalogue, remembered for a day, and what words mean in it.

use std::time::Duration;

use ibd_cpapi::Failure;
use ibd_cpapi::scanner::{Catalogue as Reply, GetScannerParams, Place};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::session::Lease;
use crate::store::Store;

/// It may be asked for once in fifteen minutes, and changes with IBKR's releases.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// Something of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// IBKR's code.
    pub code: String,
    /// Its name for screens.
    pub name: String,
}

/// A scan, and the kinds of instrument that it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// Code and name.
    pub named: Named,
    /// Kinds of instrument.
    pub instruments: Vec<String>,
}

/// A place, and the kind of instrument that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Code and name.
    pub named: Named,
    /// The kind of instrument.
    pub instrument: String,
}

/// What can be scanned for, where, and with which filters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Scans.
    pub scans: Vec<Scan>,
    /// Places.
    pub locations: Vec<Location>,
    /// Filters.
    pub filters: Vec<Named>,
}

impl Catalogue {
    fn of(reply: &Reply) -> Self {
        let named = |code: &str, name: &Option<String>| Named {
            code: code.to_owned(),
            name: name.as_deref().map(ibd_cpapi::failure::clean).unwrap_or_default(),
        };
        let scans = reply.scans.iter().map(|scan| Scan {
            named: named(&scan.code, &scan.name),
            instruments: scan.instruments.clone(),
        });
        let mut locations = Vec::new();
        for kind in reply.places.iter() {
            collect(kind, &kind.code, kind.name.as_deref().unwrap_or_default(), &mut locations);
        }
        Self {
            scans: scans.collect(),
            locations,
            filters: reply.filters.iter().map(|one| named(&one.code, &one.name)).collect(),
        }
    }

    /// Scans whose code or name has all of some words; the code itself is one alone.
    pub fn scans_named(&self, words: &str) -> Vec<&Scan> {
        let exact = |scan: &&Scan| scan.named.code.eq_ignore_ascii_case(words.trim());
        if let Some(scan) = self.scans.iter().find(exact) {
            return vec![scan];
        }
        self.scans.iter().filter(|scan| scan.named.has(words)).collect()
    }

    /// Places by code or by words of their names.
    pub fn locations_named(&self, words: &str) -> Vec<&Location> {
        let exact = |place: &&Location| place.named.code.eq_ignore_ascii_case(words.trim());
        if let Some(place) = self.locations.iter().find(exact) {
            return vec![place];
        }
        self.locations.iter().filter(|place| place.named.has(words)).collect()
    }

    /// A filter by its code.
    pub fn filter(&self, code: &str) -> Option<&Named> {
        self.filters.iter().find(|filter| filter.code.eq_ignore_ascii_case(code.trim()))
    }
}

impl Named {
    /// Whether code and name have all of some words, in any order.
    fn has(&self, words: &str) -> bool {
        let own = format!("{} {}", self.code, self.name).to_lowercase();
        let plain: String =
            own.chars().map(|c| if c.is_alphanumeric() || c == '%' { c } else { ' ' }).collect();
        let mut wanted = words.split_whitespace().map(str::to_lowercase).peekable();
        wanted.peek().is_some() && wanted.all(|word| plain.contains(&word))
    }
}

/// The places within a kind of instrument, whose own name belongs to theirs.
fn collect(place: &Place, instrument: &str, above: &str, into: &mut Vec<Location>) {
    for one in place.locations.iter() {
        let own = one.name.as_deref().unwrap_or_default();
        let name = ibd_cpapi::failure::clean(&format!("{above} {own}"));
        let named = Named { code: one.code.clone(), name: name.trim().to_owned() };
        into.push(Location { named, instrument: instrument.to_owned() });
        collect(one, instrument, above, into);
    }
}

/// The catalogue.
pub async fn catalogue(
    lease: &Lease,
    store: &Store,
    deadline: Instant,
) -> Result<Catalogue, Failure> {
    let key = format!("scanner/{}", lease.source());
    if let Some(known) = store.recall::<Catalogue>(&key, MEMORY) {
        return Ok(known);
    }
    let reply = lease.client().ask(&GetScannerParams, deadline).await?.value;
    let catalogue = Catalogue::of(&reply);
    let _ = store.remember(&key, &catalogue);
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_find_scans_and_places() {
        let reply: Reply = serde_json::from_str(
            r#"{"scan_type_list":[{"display_name":"Top % Gainers","code":"TOP_PERC_GAIN","instruments":["STK"]},
                    {"display_name":"Top % Losers","code":"TOP_PERC_LOSE","instruments":["STK"]}],
                "location_tree":[{"display_name":"European Stocks","type":"STOCK.EU","locations":[
                    {"display_name":"Germany","type":"STK.EU.IBIS","locations":[]}]}],
                "filter_list":[{"display_name":"Price Above","code":"priceAbove"}]}"#,
        )
        .unwrap();
        let catalogue = Catalogue::of(&reply);
        let scans = |words: &str| catalogue.scans_named(words).len();
        assert_eq!(
            (scans("gainers"), scans("top"), scans("TOP_PERC_LOSE"), scans("x"), scans("")),
            (1, 2, 1, 0, 0)
        );
        assert_eq!(catalogue.locations_named("germany")[0].instrument, "STOCK.EU");
        assert_eq!(catalogue.locations_named("european germany").len(), 1);
        assert!(catalogue.filter("priceabove").is_some());
    }
}
