//! What a scenario says about the Flex Web Service.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::codes::Code;
use super::defaults;
use super::form::Form;
use super::period::Period;
use super::report::SECTIONS;

/// The levels of detail that trades and positions may have.
pub(super) const LEVELS: [&str; 6] =
    ["EXECUTION", "ORDER", "CLOSED_LOT", "SYMBOL_SUMMARY", "ASSET_SUMMARY", "LOT"];

/// The service: tokens, queries, and how it behaves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FlexSpec {
    /// The token that is good.
    pub token: String,
    /// Tokens that were good once.
    pub expired: Vec<String>,
    /// Tokens that are good, but not from here.
    pub ip_restricted: Vec<String>,
    /// The first day (New York) on which the token is no longer good.
    pub expires: Option<Date>,
    /// Replaces the usual queries.
    pub queries: Vec<QuerySpec>,
    /// Simulated milliseconds until a statement is ready.
    pub generate_millis: i64,
    /// How many polls are told to wait, at least.
    pub polls: u32,
    /// Host, perhaps with a port, of the returned address; by default the one that was asked.
    pub url_host: Option<String>,
    /// The returned address names the twin: `localhost` for `127.0.0.1`, and the reverse.
    pub url_swap: bool,
    /// What the wrong twin says: 1017 or 1003.
    pub twin_code: u16,
    /// Statements are made about this large, in millions of bytes.
    pub size_mb: f64,
    /// Attributes and sections that nobody knows.
    pub surprises: bool,
    /// A web page instead of any reply.
    pub html: bool,
    /// Only this part of a statement is sent, as if it were the whole.
    pub truncate: f64,
    /// Real milliseconds before every reply.
    pub delay_ms: u64,
    /// Every request is told this code; 0 is none.
    pub state: u16,
    /// How long trade confirmations stay behind the trades.
    pub trade_lag_millis: i64,
}

impl Default for FlexSpec {
    fn default() -> Self {
        Self {
            token: "sim-flex-token".to_owned(),
            expired: vec!["old-token".to_owned()],
            ip_restricted: vec!["elsewhere-token".to_owned()],
            expires: None,
            queries: defaults::queries(),
            generate_millis: 1500,
            polls: 2,
            url_host: None,
            url_swap: false,
            twin_code: 1017,
            size_mb: 0.0,
            surprises: false,
            html: false,
            truncate: 0.0,
            delay_ms: 0,
            state: 0,
            trade_lag_millis: 300_000,
        }
    }
}

impl FlexSpec {
    /// An error names what makes no sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.queries.iter().try_for_each(QuerySpec::check)?;
        let codes = [self.state, self.twin_code];
        codes
            .iter()
            .filter(|code| **code != 0)
            .try_for_each(|code| Code::new(*code).map(|_| ()))?;
        if !(0.0..=4000.0).contains(&self.size_mb) || !(0.0..1.0).contains(&self.truncate) {
            return Err("flex: sizeMb is 0 to 4000, truncate from 0 to less than 1".to_owned());
        }
        Ok(())
    }

    pub(super) fn query(&self, id: &str) -> Option<&QuerySpec> {
        self.queries.iter().find(|query| query.id == id)
    }
}

/// `AF` or `TCF`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueryType {
    /// Activity: up to yesterday.
    #[default]
    #[serde(rename = "AF")]
    Activity,
    /// Trade confirmations: today.
    #[serde(rename = "TCF")]
    Confirmations,
}

impl QueryType {
    pub(super) fn word(self) -> &'static str {
        if self == Self::Activity { "AF" } else { "TCF" }
    }
}

/// The call at which a query fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Call {
    /// `SendRequest`
    #[default]
    Send,
    /// `GetStatement`
    Get,
}

/// A query template.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuerySpec {
    /// Digits.
    pub id: String,
    /// As the user called it.
    pub name: String,
    /// Which kind.
    #[serde(default, rename = "type")]
    pub kind: QueryType,
    /// Names of containers; all of the kind if empty.
    #[serde(default)]
    pub sections: Vec<String>,
    /// Levels of detail.
    #[serde(default = "executions")]
    pub levels: Vec<String>,
    /// `yyyyMMdd`, `yyyy-MM-dd`, …
    #[serde(default = "date_format")]
    pub date_format: String,
    /// `HHmmss` or `HH:mm:ss`, perhaps with ` TimeZone`.
    #[serde(default = "time_format")]
    pub time_format: String,
    /// Between date and time: `;`, `,`, a space or nothing.
    #[serde(default = "separator")]
    pub separator: String,
    /// One statement per day.
    #[serde(default)]
    pub breakout_by_day: bool,
    /// Name of the period; a year, or today for trade confirmations, if missing.
    #[serde(default)]
    pub period: Option<String>,
    /// Only these accounts; all if empty.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// All sections are there and nothing is in them.
    #[serde(default)]
    pub empty: bool,
    /// It never works, and this is the code.
    #[serde(default)]
    pub fails: Option<u16>,
    /// Where it fails.
    #[serde(default)]
    pub fails_at: Call,
}

fn executions() -> Vec<String> {
    vec!["EXECUTION".to_owned()]
}

fn date_format() -> String {
    "yyyyMMdd".to_owned()
}

fn time_format() -> String {
    "HHmmss".to_owned()
}

fn separator() -> String {
    ";".to_owned()
}

impl QuerySpec {
    /// A query with all defaults.
    pub(super) fn named(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: QueryType::Activity,
            sections: Vec::new(),
            levels: executions(),
            date_format: date_format(),
            time_format: time_format(),
            separator: separator(),
            breakout_by_day: false,
            period: None,
            accounts: Vec::new(),
            empty: false,
            fails: None,
            fails_at: Call::Send,
        }
    }

    pub(super) fn form(&self) -> Result<Form, String> {
        Form::new(&self.date_format, &self.time_format, &self.separator)
    }

    /// The period's name.
    pub(super) fn period(&self) -> &str {
        let usual = match self.kind {
            QueryType::Activity => "Last365CalendarDays",
            QueryType::Confirmations => "Today",
        };
        self.period.as_deref().unwrap_or(usual)
    }

    pub(super) fn has_level(&self, level: &str) -> bool {
        self.levels.iter().any(|known| known == level)
    }

    /// Whether the template has this section.
    pub(super) fn has_section(&self, name: &str) -> bool {
        match self.kind {
            QueryType::Confirmations if self.sections.is_empty() => name == "TradeConfirms",
            QueryType::Activity if self.sections.is_empty() => name != "TradeConfirms",
            _ => self.sections.iter().any(|known| known == name),
        }
    }

    fn check(&self) -> Result<(), String> {
        let (id, is_number) = (&self.id, self.id.bytes().all(|byte| byte.is_ascii_digit()));
        if id.is_empty() || !is_number {
            return Err(format!("flex: a query's id is digits, not {id:?}"));
        }
        let odd = self.sections.iter().find(|name| !SECTIONS.contains(&name.as_str()));
        if let Some(odd) = odd {
            return Err(format!("flex: there is no section {odd}; there are {SECTIONS:?}"));
        }
        if let Some(odd) = self.levels.iter().find(|level| !LEVELS.contains(&level.as_str())) {
            return Err(format!("flex: there is no level {odd}; there are {LEVELS:?}"));
        }
        self.fails.map_or(Ok(()), |code| Code::new(code).map(|_| ()))?;
        Period::parse(self.period())?;
        self.form().map(|_| ())
    }
}
