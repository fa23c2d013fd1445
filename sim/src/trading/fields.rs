//! Reads the fields of a ticket as strictly as the broker does: a null, or text in place of a number,
//! is refused; a key that does not exist is, too, where the broker would silently ignore it.

use serde_json::{Map, Value};

use crate::http::Reply;

/// Every key that a ticket may have.
const KNOWN: [&str; 34] = [
    "acctId",
    "conid",
    "conidex",
    "secType",
    "cOID",
    "parentId",
    "orderType",
    "listingExchange",
    "isSingleGroup",
    "outsideRTH",
    "price",
    "auxPrice",
    "side",
    "ticker",
    "tif",
    "trailingAmt",
    "trailingType",
    "quantity",
    "cashQty",
    "fxQty",
    "isCcyConv",
    "referrer",
    "useAdaptive",
    "allOrNone",
    "deactivated",
    "strategy",
    "strategyParameters",
    "allocationMethod",
    "manualIndicator",
    "extOperator",
    "manualOrderTime",
    "customerAccount",
    "isProCustomer",
    "isClose",
];

/// One ticket as it came.
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The ticket, if all its keys exist and have values.
    pub(super) fn read(ticket: &'a Value) -> Result<Self, Reply> {
        let Value::Object(fields) = ticket else {
            return Err(Reply::bad_request("an order is an object"));
        };
        if let Some(key) = fields.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(Reply::bad_request(&format!("unknown field {key}")));
        }
        if let Some((key, _)) = fields.iter().find(|(_, value)| value.is_null()) {
            return Err(Reply::bad_request(&format!("{key} is null")));
        }
        Ok(Self(fields))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Reply> {
        self.typed(key, Value::as_str, "text")
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, Reply> {
        self.typed(key, Value::as_f64, "a number")
    }

    pub(super) fn whole(&self, key: &str) -> Result<Option<i64>, Reply> {
        self.typed(key, Value::as_i64, "a whole number")
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Reply> {
        self.typed(key, Value::as_bool, "true or false")
    }

    /// Text that must be there.
    pub(super) fn required(&self, key: &str) -> Result<&'a str, Reply> {
        self.text(key)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(key))
    }

    fn typed<T>(
        &self,
        key: &str,
        read: impl Fn(&'a Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, Reply> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let wrong = || Reply::error(500, &format!("{key} is not {what}"));
        read(value).map(Some).ok_or_else(wrong)
    }
}

/// A field that the broker cannot do without.
pub(super) fn missing(key: &str) -> Reply {
    Reply::bad_request(&format!("{key} is required"))
}
