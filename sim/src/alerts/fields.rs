//! Fields of a request about an alert, read strictly: what has the wrong type is refused, and so is a key that
//! does not exist. A null is as good as nothing.

use serde_json::{Map, Value};

use crate::http::Reply;

/// An object as it came.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// Stands before every complaint.
    place: String,
}

impl<'a> Fields<'a> {
    /// The object, if all its keys are known.
    pub(super) fn new(
        map: &'a Map<String, Value>,
        place: String,
        known: &[&str],
    ) -> Result<Self, Reply> {
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(Reply::bad_request(&format!("{place}unknown field {key}"))),
            None => Ok(Self { map, place }),
        }
    }

    /// What is wrong, and where.
    pub(super) fn wrong(&self, what: &str) -> Reply {
        Reply::error(500, &format!("{}{what}", self.place))
    }

    /// What must be there.
    pub(super) fn needed<T>(&self, key: &str, found: Option<T>) -> Result<T, Reply> {
        found.ok_or_else(|| self.wrong(&format!("{key} is required")))
    }

    /// Text; an empty one is as good as none.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Reply> {
        let text = self.typed(key, "text", Value::as_str)?;
        Ok(text.filter(|text| !text.is_empty()))
    }

    pub(super) fn whole(&self, key: &str) -> Result<Option<i64>, Reply> {
        self.typed(key, "a whole number", Value::as_i64)
    }

    /// Yes and no are numbers here.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, Reply> {
        self.typed(key, "0 or 1", |value| match value.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        })
    }

    /// A list, which may be empty or missing.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], Reply> {
        let list = self.typed(key, "a list", Value::as_array)?;
        Ok(list.map_or(&[][..], Vec::as_slice))
    }

    fn typed<T>(
        &self,
        key: &str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Reply> {
        match self.map.get(key).filter(|value| !value.is_null()) {
            None => Ok(None),
            Some(value) => {
                let wrong = || self.wrong(&format!("{key} is not {what}"));
                read(value).map(Some).ok_or_else(wrong)
            }
        }
    }
}
