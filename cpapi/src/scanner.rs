//! The market scanner: `/iserver/scanner/*`.

use serde::Deserialize;
use serde_json::json;

use crate::contracts::SecType;
use crate::endpoint::{Endpoint, Method, Path};
use crate::id::Conid;
use crate::lenient;
use crate::pace::Window;
use crate::rows::{self, Rows};

/// What can be scanned for, where, and with which filters. Once in fifteen minutes.
#[derive(Debug, Clone, Copy)]
pub struct GetScannerParams;

/// The catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Catalogue {
    /// Scans.
    #[serde(rename = "scan_type_list", default, deserialize_with = "rows::field")]
    pub scans: Rows<Scan>,
    /// Filters.
    #[serde(rename = "filter_list", default, deserialize_with = "rows::field")]
    pub filters: Rows<Filter>,
    /// Kinds of instrument, each with places within it.
    #[serde(rename = "location_tree", default, deserialize_with = "rows::field")]
    pub places: Rows<Place>,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scan {
    /// For instance `TOP_PERC_GAIN`.
    #[serde(deserialize_with = "lenient::req")]
    pub code: String,
    /// For instance `Top % Gainers`.
    #[serde(rename = "display_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// Kinds of instrument that it is for.
    #[serde(default, deserialize_with = "lenient::list")]
    pub instruments: Vec<String>,
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Filter {
    /// For instance `priceAbove`.
    #[serde(deserialize_with = "lenient::req")]
    pub code: String,
    /// For instance `Price Above`.
    #[serde(rename = "display_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
}

/// A place, or a kind of instrument with places within it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// For instance `STK.US.MAJOR`, or the kind `STK`.
    #[serde(rename = "type", deserialize_with = "lenient::req")]
    pub code: String,
    /// For instance `US Major`.
    #[serde(rename = "display_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// The places within.
    #[serde(default, deserialize_with = "rows::field")]
    pub locations: Rows<Place>,
}

impl Endpoint for GetScannerParams {
    type Reply = Catalogue;
    const NAME: &'static str = "iserver/scanner/params";
    const WINDOW: Option<Window> = Some(Window::one_in(15 * 60));

    fn path(&self) -> Path {
        Path::new("/iserver/scanner/params")
    }
}

/// Runs a scan; at most fifty contracts come.
#[derive(Debug, Clone)]
pub struct RunScanner {
    /// A kind of instrument, for instance `STK`.
    pub instrument: String,
    /// A scan's code.
    pub scan: String,
    /// A place's code.
    pub location: String,
    /// Filters by code.
    pub filters: Vec<(String, serde_json::Value)>,
}

/// What was found, the best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Found {
    /// The contracts.
    #[serde(default, deserialize_with = "rows::field")]
    pub contracts: Rows<FoundContract>,
    /// What `value` is.
    #[serde(rename = "scan_data_column_name", default, deserialize_with = "lenient::opt")]
    pub column: Option<String>,
}

/// One contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FoundContract {
    /// IBKR's number.
    #[serde(rename = "con_id")]
    pub conid: Conid,
    /// The symbol.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub symbol: Option<String>,
    /// The company: untrusted text.
    #[serde(rename = "company_name", default, deserialize_with = "lenient::opt")]
    pub name: Option<String>,
    /// The listing exchange.
    #[serde(rename = "listing_exchange", default, deserialize_with = "lenient::opt")]
    pub exchange: Option<String>,
    /// What kind of contract it is.
    #[serde(default, deserialize_with = "lenient::opt")]
    pub sec_type: Option<SecType>,
    /// What the scan sorted by.
    #[serde(rename = "scan_data", default, deserialize_with = "lenient::opt")]
    pub value: Option<String>,
}

impl Endpoint for RunScanner {
    type Reply = Found;
    const NAME: &'static str = "iserver/scanner/run";
    const METHOD: Method = Method::Post;
    const WINDOW: Option<Window> = Some(Window::one_in(1));

    fn path(&self) -> Path {
        Path::new("/iserver/scanner/run")
    }

    fn body(&self) -> Option<String> {
        let filters =
            self.filters.iter().map(|(code, value)| json!({ "code": code, "value": value }));
        let body = json!({
            "instrument": self.instrument,
            "type": self.scan,
            "location": self.location,
            "filter": filters.collect::<Vec<_>>(),
        });
        Some(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_catalogue_and_what_is_found_are_read() {
        let catalogue: Catalogue = serde_json::from_str(
            r#"{"scan_type_list":[{"display_name":"Top % Gainers","code":"TOP_PERC_GAIN","instruments":["STK"]},null],
                "filter_list":[{"group":"price","display_name":"Price Above","code":"priceAbove","type":"value"}],
                "location_tree":[{"display_name":"US Stocks","type":"STK","locations":[
                    {"display_name":"US Major","type":"STK.US.MAJOR","locations":[]}]}]}"#,
        )
        .unwrap();
        assert_eq!(catalogue.scans.len(), 1);
        assert_eq!(catalogue.places[0].locations[0].code, "STK.US.MAJOR");
        let found: Found = serde_json::from_str(
            r#"{"contracts":[{"symbol":"ABCD","con_id":700000002,"company_name":"ABCD INC","scan_data":"12.1",
                "listing_exchange":"NASDAQ.SCM","sec_type":"STK"}],"scan_data_column_name":"Chg%"}"#,
        )
        .unwrap();
        assert_eq!(found.contracts[0].value.as_deref(), Some("12.1"));
    }
}
