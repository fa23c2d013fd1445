//! The search: `/iserver/secdef/search`.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::SecType;
use crate::endpoint::{Endpoint, Path};
use crate::id::Conid;
use crate::lenient;
use crate::rows::{self, Rows};

/// The conid of a stub that stands for "bonds of this issuer".
const BOND_STUB: u32 = 2_147_483_647;

/// Searches by symbol, or by words of a company's name.
#[derive(Debug, Clone)]
pub struct Search {
    /// A symbol or words.
    pub text: String,
    /// Whether `text` is words of a name. IBKR then lists no derivatives, and `/strikes` stays empty
    /// for the rest of the session.
    pub by_name: bool,
}

/// The hits, or an object that says there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits(pub Rows<Hit>);

#[derive(Deserialize)]
struct HitText {
    #[serde(deserialize_with = "lenient::req")]
    conid: Conid,
    #[serde(rename = "companyName", default, deserialize_with = "lenient::opt")]
    company: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    symbol: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    description: Option<String>,
    #[serde(default, deserialize_with = "rows::field")]
    sections: Rows<Section>,
}

#[derive(Deserialize)]
struct Section {
    #[serde(rename = "secType", default, deserialize_with = "lenient::opt")]
    sec_type: Option<SecType>,
    #[serde(default, deserialize_with = "lenient::opt")]
    months: Option<String>,
    #[serde(default, deserialize_with = "lenient::opt")]
    exchange: Option<String>,
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The contract: a stock, an index, or the product that futures are written on.
    pub conid: Conid,
    /// The company: untrusted text.
    pub company: Option<String>,
    /// The symbol.
    pub symbol: Option<String>,
    /// The listing exchange.
    pub exchange: Option<String>,
    /// Kinds of contract under this hit, such as `STK`, `OPT`, `FUT`.
    pub sec_types: Vec<SecType>,
    /// Months for which options exist, such as `JAN27`.
    pub option_months: Vec<String>,
    /// Where these are traded, such as `SMART` and `CBOE`.
    pub option_exchanges: Vec<String>,
    /// Where options on its futures are traded, such as `CME`.
    pub future_option_exchanges: Vec<String>,
}

impl<'de> Deserialize<'de> for Hits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // Where nothing is found there is an object with an error, and no list.
        if !raw.get().starts_with('[') {
            return Ok(Self(Rows::default()));
        }
        let hits: Rows<HitText> = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        Ok(Self(hits.filter_map(Hit::from_text)))
    }
}

impl Hit {
    fn from_text(hit: HitText) -> Option<Self> {
        let conid = Some(hit.conid).filter(|conid| conid.get() != BOND_STUB)?;
        let section =
            |kind: SecType| hit.sections.iter().find(|s| s.sec_type.as_ref() == Some(&kind));
        let (options, on_futures) = (section(SecType::Option), section(SecType::FutureOption));
        let list = |text: Option<&String>| -> Vec<String> {
            let words = text.map_or("", String::as_str).split(';').map(str::trim);
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        Some(Self {
            conid,
            company: hit.company,
            symbol: hit.symbol,
            exchange: hit.description,
            option_months: list(options.and_then(|section| section.months.as_ref())),
            option_exchanges: list(options.and_then(|section| section.exchange.as_ref())),
            future_option_exchanges: list(on_futures.and_then(|section| section.exchange.as_ref())),
            sec_types: hit.sections.into_iter().filter_map(|section| section.sec_type).collect(),
        })
    }
}

impl Endpoint for Search {
    type Reply = Hits;
    const NAME: &'static str = "iserver/secdef/search";

    fn path(&self) -> Path {
        let path = Path::new("/iserver/secdef/search").query("symbol", &self.text);
        if self.by_name { path.query("name", true) } else { path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_bond_stub_is_no_hit() {
        let Hits(hits) = fixtures::reply("secdef_search");
        assert_eq!(hits.len(), 2);
        assert_eq!(hits[0].exchange.as_deref(), Some("NASDAQ"));
        assert_eq!(hits[0].option_months[0], "DEC26");
    }

    #[test]
    fn nothing_found_is_no_error() {
        let Hits(hits) = fixtures::reply("secdef_search_none");
        assert!(hits.is_empty());
    }
}
