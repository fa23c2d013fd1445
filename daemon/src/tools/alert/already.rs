//! Whether an alert's condition is met already when it is made or switched on: then it fires at once, and that is said
//! before somebody wonders.

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::alerts::{AlertPage, AlertTicket, Kind, PageCondition, TIME};
use ibd_cpapi::contracts::SecType;
use ibd_cpapi::id::{AccountId, Conid};
use ibd_cpapi::lenient::FromBroker;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};
use tokio::time::{Duration, Instant, timeout_at};

use super::name;
use crate::alerts::{Limit, Measure, Of, Seen, Side};
use crate::contracts;
use crate::market::{self, Freshness, Quote, Wanted};
use crate::portfolio;
use crate::refusal::Refusal;
use crate::tools::Ctx;

/// So long something that is to be sent waits for what is so now.
const LOOK: Duration = Duration::from_secs(5);

/// What is known before it is waited for.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The value now.
    pub seen: Option<Seen>,
    /// What is to be said of it.
    pub warnings: Vec<String>,
}

/// Whether a value of a quote is there already, or nothing comes.
pub async fn quoted(ctx: &Ctx, of: &Of, measure: Measure, limit: Option<&Limit>) -> Ahead {
    let wanted = [Wanted { conid: of.conid, is_option: of.is_option() }];
    let (wanted, lines, deadline) = (wanted.as_slice(), &ctx.desks.market, ctx.deadline);
    let rows =
        ctx.read(|lease| async move {
            lines.quotes(&lease, wanted, Freshness::Streamed, deadline).await
        })
        .await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(refusal) => {
            let why = format!("Its value now could not be read: {}", refusal.message);
            return Ahead { seen: None, warnings: vec![why] };
        }
    };
    let quote: Quote = rows.quote(of.conid, market::signs(of.kind.as_ref()));
    let is_late = quote.data == market::Data::Delayed;
    let Some(value) = measure.read(&quote) else {
        let (name, why) = (measure.name(), measure.missing(&quote).unwrap_or_default());
        let text = format!("There is no {name} now ({why}): it is watched until one comes.");
        return Ahead { seen: None, warnings: vec![text] };
    };
    let at = rows.as_of.unwrap_or_else(Timestamp::now);
    let mut warnings = Vec::new();
    if limit.is_some_and(|limit| limit.is_met(value)) {
        warnings.push(so_already(measure.name(), value));
    }
    if is_late {
        warnings.push("Its data is delayed by 15 to 20 minutes: so is the alert.".to_owned());
    }
    Ahead { seen: Some(Seen { value, at, is_late }), warnings }
}

fn so_already(what: &str, value: Decimal) -> String {
    format!("It is so already ({what} is {}): it fires at once.", shown(value))
}

fn shown(value: Decimal) -> Decimal {
    value.round_dp(6).normalize()
}

/// The same of a position's P&L; refused where nothing is held.
pub async fn held(
    ctx: &Ctx,
    account: &AccountId,
    of: &Of,
    limit: &Limit,
) -> Result<Vec<String>, Refusal> {
    let deadline = ctx.deadline;
    let (positions, _) = ctx
        .read(|lease| async move { portfolio::positions(&lease, account, deadline).await })
        .await?;
    let Some(position) = positions.iter().find(|position| position.conid == of.conid) else {
        // One that could not be read is not one that is not there.
        let message = match positions.unread().first() {
            None => format!("Nothing of {} is held in {account}.", of.name),
            Some(unread) => format!(
                "{} is not among the positions of {account} that could be read. {unread}",
                of.name
            ),
        };
        let next = "Nothing was done. get_positions shows what is held.";
        return Err(Refusal::argument("symbol", message, next));
    };
    let pnl = position
        .unrealized_pnl
        .map(|pnl| pnl.get().round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
    Ok(match pnl {
        None => vec!["IBKR says no P&L of it now: it is watched until one comes.".to_owned()],
        Some(pnl) if limit.is_met(pnl) => vec![so_already("its P&L", pnl)],
        Some(_) => Vec::new(),
    })
}

/// A condition of an alert at IBKR, as much of it as can be looked at here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    kind: Option<Kind>,
    conid: Option<Conid>,
    limit: Option<Limit>,
    /// Of a condition that waits for it.
    moment: Option<Timestamp>,
    /// What follows is another way for the alert to be met.
    ends_row: bool,
}

/// The conditions of an alert that is to be sent.
pub fn of_ticket(ticket: &AlertTicket) -> Vec<Term> {
    let conditions = ticket.conditions.iter().map(|sent| PageCondition {
        kind: Some(sent.kind.into()),
        conidex: sent.conidex.clone(),
        operator: sent.operator.clone(),
        value: Some(sent.value.clone()),
        bind: Some(sent.logic_bind.clone()),
        zone: sent.time_zone.clone(),
        ..PageCondition::default()
    });
    conditions.map(|condition| Term::of(&condition)).collect()
}

/// The conditions of one that is there; none where not all of them could be read.
pub fn of_page(page: &AlertPage) -> Vec<Term> {
    match page.conditions.is_whole() {
        true => page.conditions.iter().map(Term::of).collect(),
        false => Vec::new(),
    }
}

impl Term {
    fn of(condition: &PageCondition) -> Self {
        let kind = condition.kind.and_then(|kind| Kind::of(&kind.to_string()));
        let conid = condition.conidex.as_deref().and_then(|text| text.split('@').next());
        let side = match condition.operator.as_deref() {
            Some(">=") => Some(Side::Above),
            Some("<=") => Some(Side::Below),
            _ => None,
        };
        let value = condition.value.as_deref();
        let number = value.and_then(Decimal::from_broker);
        let is_time = kind == Some(Kind::Time) && side == Some(Side::Above);
        let moment = value.filter(|_| is_time);
        Self {
            kind,
            conid: conid.and_then(|conid| conid.parse().ok()),
            limit: side.zip(number).map(|(side, value)| Limit { side, value }),
            moment: moment.and_then(|text| moment_in(text, condition.zone.as_deref())),
            ends_row: condition.bind.as_deref() == Some("o"),
        }
    }

    /// What of a quote it waits for.
    fn measure(&self) -> Option<Measure> {
        match self.kind? {
            Kind::Price => Some(Measure::Price),
            Kind::Volume => Some(Measure::Volume),
            _ => None,
        }
    }

    fn found(&self, now: &Present) -> Found {
        if let Some(moment) = self.moment {
            let met = || Found::Met(format!("it is {} already", crate::alerts::moment(now.at)));
            return if moment <= now.at { met() } else { Found::NotMet };
        }
        if self.kind == Some(Kind::Margin) {
            return self.margin(now.cushion);
        }
        let (Some(measure), Some(conid), Some(limit)) = (self.measure(), self.conid, &self.limit)
        else {
            return Found::NotKnown(None);
        };
        let (name, quote) = match &now.quotes {
            Err(why) => return Found::NotKnown(Some(why.clone())),
            Ok(known) => match known.get(&conid) {
                Some(pair) => pair,
                None => return Found::NotKnown(None),
            },
        };
        // After the close its price is what IBKR has before the next trade.
        let is_price = measure == Measure::Price;
        match measure.read(quote).or(quote.last.filter(|_| is_price)) {
            Some(value) if limit.is_met(value) => {
                Found::Met(format!("{name} {} is {}", measure.name(), shown(value)))
            }
            Some(_) => Found::NotMet,
            None => {
                let why = measure.missing(quote).unwrap_or_default();
                Found::NotKnown(Some(format!("no {} of {name} ({why})", measure.name())))
            }
        }
    }

    /// Whether an account's cushion, in percent, is what it waits for.
    fn margin(&self, cushion: Option<Decimal>) -> Found {
        match cushion.zip(self.limit.as_ref()) {
            Some((cushion, limit)) if limit.is_met(cushion) => {
                Found::Met(format!("the margin cushion is {} %", shown(cushion)))
            }
            Some(_) => Found::NotMet,
            None => Found::NotKnown(None),
        }
    }
}

/// As IBKR writes it, in a zone, or in UTC.
fn moment_in(text: &str, zone: Option<&str>) -> Option<Timestamp> {
    let zone = zone.map_or(Some(TimeZone::UTC), |name| TimeZone::get(name).ok())?;
    Some(DateTime::strptime(TIME, text).ok()?.to_zoned(zone).ok()?.timestamp())
}

/// How each contract is called, and its quote; or why there are none.
type Quotes = Result<BTreeMap<Conid, (String, Quote)>, String>;

/// What is so now.
struct Present {
    quotes: Quotes,
    /// The account's, in percent, where it is known.
    cushion: Option<Decimal>,
    at: Timestamp,
}

/// What is seen of one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Met(String),
    NotMet,
    /// With the reason, where something was looked for.
    NotKnown(Option<String>),
}

/// Until when is looked before something is sent: what is left after it must do for the sending.
pub fn soon(ctx: &Ctx) -> Instant {
    let now = Instant::now();
    now + LOOK.min(ctx.deadline.saturating_duration_since(now) / 2)
}

/// What is to be said of an account's alert at IBKR before it waits, if anything.
pub async fn at_ibkr(
    ctx: &Ctx,
    (account, terms): (&AccountId, &[Term]),
    soon: Instant,
) -> Option<String> {
    let quoted = terms.iter().filter(|term| term.measure().is_some());
    let conids: BTreeSet<Conid> = quoted.filter_map(|term| term.conid).collect();
    let conids: Vec<Conid> = conids.into_iter().collect();
    let has_margin = terms.iter().any(|term| term.kind == Some(Kind::Margin));
    let (quotes, cushion) = tokio::join!(
        async {
            match conids.is_empty() {
                true => Ok(BTreeMap::new()),
                false => quotes(ctx, &conids, soon).await,
            }
        },
        async { if has_margin { cushion(ctx, account, soon).await } else { None } },
    );
    let now = Present { quotes, cushion, at: Timestamp::now() };
    let found: Vec<Found> = terms.iter().map(|term| term.found(&now)).collect();
    judged(terms, &found)
}

/// Where it cannot be read nothing is said of it.
async fn cushion(ctx: &Ctx, account: &AccountId, soon: Instant) -> Option<Decimal> {
    let lease = timeout_at(soon, ctx.lease()).await.ok()?.ok()?;
    portfolio::cushion(&lease, account, soon).await.ok()?
}

/// One row of conditions bound by AND is met; OR begins the next row.
fn judged(terms: &[Term], found: &[Found]) -> Option<String> {
    let mut rows: Vec<Vec<&Found>> = vec![Vec::new()];
    for (term, found) in terms.iter().zip(found) {
        if let Some(row) = rows.last_mut() {
            row.push(found);
        }
        if term.ends_row {
            rows.push(Vec::new());
        }
    }
    let words = |row: &Vec<&Found>| -> Option<Vec<String>> {
        let each = row.iter().map(|found| match found {
            Found::Met(words) => Some(words.clone()),
            Found::NotMet | Found::NotKnown(_) => None,
        });
        each.collect::<Option<Vec<_>>>().filter(|words| !words.is_empty())
    };
    if let Some(words) = rows.iter().find_map(words) {
        let words = words.join(", ");
        return Some(format!(
            "It is so already ({words}): IBKR fires it at once, or when its market opens."
        ));
    }
    let may_be = rows.iter().filter(|row| !row.contains(&&Found::NotMet));
    let why = may_be.flatten().find_map(|found| match found {
        Found::NotKnown(why) => why.as_ref(),
        Found::Met(_) | Found::NotMet => None,
    })?;
    Some(format!("Whether it is so already is not known: {why}."))
}

async fn quotes(ctx: &Ctx, conids: &[Conid], soon: Instant) -> Quotes {
    let lease = timeout_at(soon, ctx.lease()).await;
    let lease = lease.map_err(|_| "there is no session yet".to_owned())?;
    let lease = lease.map_err(|refusal| refusal.message)?;
    let known = contracts::by_conids(&lease, &ctx.desks.store, conids, soon).await;
    let known = known.unwrap_or_default();
    let contract = |conid: Conid| known.iter().find(|one| one.conid == conid);
    let kind = |conid: Conid| contract(conid).and_then(|one| one.sec_type.as_ref());
    let wanted = conids.iter().map(|conid| Wanted {
        conid: *conid,
        is_option: kind(*conid).is_some_and(SecType::is_option),
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let rows = ctx.desks.market.quotes(&lease, &wanted, Freshness::Streamed, soon).await;
    let rows = rows.map_err(|failure| failure.to_string())?;
    let pair = |conid: &Conid| {
        let called = contract(*conid).map_or_else(|| format!("contract {conid}"), name);
        (*conid, (called, rows.quote(*conid, market::signs(kind(*conid)))))
    };
    Ok(conids.iter().map(pair).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_cpapi::snapshot::{Row, Signs};

    fn page(conditions: &str) -> AlertPage {
        serde_json::from_str(&format!(r#"{{"order_id":7,"conditions":[{conditions}]}}"#)).unwrap()
    }

    fn price(operator: &str, value: &str, bind: &str) -> String {
        format!(
            r#"{{"condition_type":1,"conidex":"265598@SMART","condition_operator":"{operator}",
                "condition_value":"{value}","condition_logic_bind":"{bind}"}}"#
        )
    }

    const TRADE: &str =
        r#"{"condition_type":5,"conidex":"*@*","condition_operator":">=","condition_value":"*"}"#;

    fn present(quotes: Quotes, cushion: Option<&str>) -> Present {
        let cushion = cushion.map(|percent| percent.parse().unwrap());
        Present { quotes, cushion, at: "2026-11-24T12:00:00Z".parse().unwrap() }
    }

    fn said(conditions: &str, now: &Present) -> String {
        let terms = of_page(&page(conditions));
        let found: Vec<Found> = terms.iter().map(|term| term.found(now)).collect();
        judged(&terms, &found).unwrap_or_default()
    }

    fn told(conditions: &str, values: &str) -> String {
        let row: Row =
            serde_json::from_str(&format!(r#"{{"conid":265598,"_updated":1{values}}}"#)).unwrap();
        let quote = Quote::of(Some(&row), Signs::Positive);
        let known: Quotes =
            Ok(BTreeMap::from([("265598".parse().unwrap(), ("AAPL".to_owned(), quote))]));
        said(conditions, &present(known, None))
    }

    #[test]
    fn a_cushion_that_is_there_already_is_said_where_it_is_known() {
        let margin = |operator: &str, value: &str, bind: &str| {
            format!(
                r#"{{"condition_type":4,"conidex":"*@*","condition_operator":"{operator}",
                    "condition_value":"{value}","condition_logic_bind":"{bind}"}}"#
            )
        };
        let so = "It is so already (the margin cushion is 64 %)";
        for (conditions, cushion, expected) in [
            (margin("<=", "70", "n"), Some("64.00"), so),
            (margin(">=", "64", "n"), Some("64"), so),
            (margin("<=", "10", "n"), Some("64"), ""),
            (margin("<=", "10", "n"), None, ""),
            (margin("<=", "odd", "n"), Some("64"), ""),
            (format!("{},{TRADE}", margin("<=", "70", "a")), Some("64"), ""),
            (format!("{},{TRADE}", margin("<=", "70", "o")), Some("64"), so),
        ] {
            let told = said(&conditions, &present(Ok(BTreeMap::new()), cushion));
            let is_it = if expected.is_empty() { told.is_empty() } else { told.contains(expected) };
            assert!(is_it, "{conditions} {cushion:?}: {told:?}");
        }
    }

    #[test]
    fn what_is_met_already_fires_at_once_and_what_cannot_be_seen_is_not_known() {
        let live = r#","6509":"RpB","31":"270""#;
        let so = "It is so already (AAPL price is 270)";
        for (conditions, values, expected) in [
            (price(">=", "260", "n"), live, so),
            (price("<=", "280", "n"), live, so),
            (price(">=", "280", "n"), live, ""),
            // The close is what it begins with.
            (price(">=", "260", "n"), r#","6509":"RpB","31":"C270","7741":"270""#, so),
            (
                price(">=", "260", "n"),
                r#","6509":"N""#,
                "not known: no price of AAPL (no market data",
            ),
            // Both, or either.
            (format!("{},{}", price(">=", "260", "a"), price(">=", "280", "n")), live, ""),
            (format!("{},{}", price(">=", "280", "o"), price(">=", "260", "n")), live, so),
            (format!("{},{TRADE}", price(">=", "260", "a")), live, ""),
            (TRADE.to_owned(), live, ""),
            (String::new(), live, ""),
        ] {
            let told = told(&conditions, values);
            let is_it = if expected.is_empty() { told.is_empty() } else { told.contains(expected) };
            assert!(is_it, "{conditions} {values}: {told:?}");
        }
    }

    #[test]
    fn a_moment_that_is_over_is_met() {
        let time = |value: &str, zone: &str| {
            format!(
                r#"{{"condition_type":3,"conidex":"*@*","condition_operator":">=","condition_value":"{value}",
                    "condition_time_zone":"{zone}"}}"#
            )
        };
        for (value, zone, is_met) in [
            ("20261124-11:59:00", "GMT", true),
            ("20261124-12:01:00", "GMT", false),
            ("20261124-06:59:00", "US/Eastern", true),
            ("20261124-07:01:00", "US/Eastern", false),
            ("soon", "GMT", false),
            ("20200101-00:00:00", "Nowhere", false),
        ] {
            let told = told(&time(value, zone), "");
            assert_eq!(told.contains("so already"), is_met, "{value} {zone}: {told:?}");
        }
    }

    #[test]
    fn a_ticket_is_looked_at_as_its_page_will_be() {
        let condition = ibd_cpapi::alerts::AlertCondition {
            kind: 1,
            conidex: Some("265598@SMART".into()),
            operator: Some("<=".into()),
            trigger_method: "0".into(),
            value: "183.34".into(),
            logic_bind: "n".into(),
            time_zone: None,
        };
        let ticket = AlertTicket { conditions: vec![condition], ..AlertTicket::default() };
        assert_eq!(of_ticket(&ticket), of_page(&page(&price("<=", "183.34", "n"))));
        // A condition that cannot be read may be the one that counts.
        assert!(of_page(&page(&format!("{},7", price("<=", "183.34", "n")))).is_empty());
    }
}
