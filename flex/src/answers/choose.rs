//! Which statements to answer from, and which level of detail of which section.

use std::collections::{BTreeMap, BTreeSet};

use super::{NoAnswer, template};
use crate::archive::{Entry, QueryNames, coverage, coverage_name, covered, describe};
use crate::question::{ALL_QUERIES, About, By, Question};
use crate::summary::Period;

/// A section and the levels of detail that will do, the best first. `""` is a row without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) section: &'static str,
    pub(super) levels: &'static [&'static str],
}

/// A way to answer: from one section, and from others where they are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) main: Need,
    pub(super) more: &'static [Need],
}

/// A plan's statements and levels.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    /// The newest first.
    pub(super) entries: Vec<Entry>,
    /// The level of each section to be read: of the main one, then of the others.
    pub(super) levels: Vec<(&'static str, &'static str)>,
    /// Statements that were passed over, and why.
    pub(super) notes: Vec<String>,
}

/// The section whose rows are of all the days of their statement.
pub(super) const SUMMARIES: &str = "FIFOPerformanceSummaryInBase";

/// A section that has no levels.
pub(super) const ANY: &str = "*";

const EXECUTIONS: &[&str] = &["EXECUTION", "ORDER", "SYMBOL_SUMMARY"];
const DETAIL: &[&str] = &["DETAIL", "", "SUMMARY"];

const TRADES: Need = Need { section: "Trades", levels: EXECUTIONS };
const CONFIRMS: Need = Need { section: "TradeConfirms", levels: EXECUTIONS };
const CASH: Need = Need { section: "CashTransactions", levels: DETAIL };

/// Every plan of a question, the best first.
pub(super) fn plans(about: About) -> &'static [Plan] {
    const REALISED: Need =
        Need { section: "Trades", levels: &["EXECUTION", "ORDER", "CLOSED_LOT", "SYMBOL_SUMMARY"] };
    const ACTIONS: Need = Need { section: "CorporateActions", levels: DETAIL };
    const SINGLE: &[&str] = &["EXECUTION", "ORDER"];
    const TRADE_TAXES: Need = Need { section: "TransactionTaxes", levels: DETAIL };
    const SALES_TAXES: Need = Need { section: "SalesTaxes", levels: DETAIL };
    const TRANSFERS: Need =
        Need { section: "Transfers", levels: &["TRANSFER", "DETAIL", "", "SUMMARY"] };
    match about {
        About::RealisedPnl => &[
            Plan { main: REALISED, more: &[ACTIONS] },
            Plan { main: Need { section: SUMMARIES, levels: &[ANY] }, more: &[] },
        ],
        About::Dividends | About::Withholding | About::Interest => {
            &[Plan { main: CASH, more: &[] }]
        }
        About::Deposits => &[Plan { main: CASH, more: &[TRANSFERS] }],
        About::Commissions => {
            &[Plan { main: TRADES, more: &[CASH] }, Plan { main: CONFIRMS, more: &[] }]
        }
        About::FeesAndCommissions => &[
            Plan { main: TRADES, more: &[CASH, TRADE_TAXES, SALES_TAXES] },
            Plan { main: CONFIRMS, more: &[] },
        ],
        About::Fees => &[
            Plan { main: CASH, more: &[TRADES, TRADE_TAXES, SALES_TAXES] },
            Plan { main: CONFIRMS, more: &[] },
        ],
        About::Trades => &[
            Plan { main: Need { section: "Trades", levels: SINGLE }, more: &[] },
            Plan { main: Need { section: "TradeConfirms", levels: SINGLE }, more: &[] },
        ],
        About::Positions => &[Plan {
            main: Need { section: "OpenPositions", levels: &["SUMMARY", "", "LOT"] },
            more: &[],
        }],
        About::NetAssetValue => &[
            Plan { main: Need { section: "EquitySummaryInBase", levels: &[ANY] }, more: &[] },
            Plan { main: Need { section: "ChangeInNAV", levels: &[ANY] }, more: &[] },
        ],
        About::Performance => {
            &[Plan { main: Need { section: "ChangeInNAV", levels: &[ANY] }, more: &[] }]
        }
    }
}

/// Every way in which the question could be answered, the best first.
pub(super) fn choose(question: &Question, entries: &[Entry]) -> Result<Vec<Chosen>, NoAnswer> {
    let names = QueryNames::of(entries);
    let is_mine = |entry: &&Entry| is_of(question, (&names, entry));
    let mine: Vec<&Entry> = entries.iter().filter(is_mine).collect();
    if mine.is_empty() {
        return Err(NoAnswer::NoStatement(why_none(question, entries)));
    }
    let is_of_all = is_of_all(question, entries);
    let mut queries: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in &mine {
        let query = if is_of_all { String::new() } else { names.query(entry) };
        queries.entry(query).or_default().push(entry);
    }
    let accounts: BTreeSet<&str> = match question.account {
        Some(_) => BTreeSet::new(),
        None => mine.iter().flat_map(|entry| entry.accounts.iter()).map(|a| &*a.account).collect(),
    };
    let accounts_of = |chosen: &Chosen| -> BTreeSet<String> {
        let own = chosen.entries.iter().flat_map(|entry| entry.accounts.iter());
        own.filter(|own| accounts.contains(&*own.account)).map(|own| own.account.clone()).collect()
    };
    let mut all: Vec<(Score, Chosen)> = Vec::new();
    for (rank, plan) in plans(question.about).iter().enumerate() {
        for of_query in queries.values() {
            all.extend(plan_for(question, *plan, of_query).map(|chosen| {
                let days = match question.about {
                    About::Positions => behind(question, &chosen.entries),
                    _ => uncovered(question, &chosen.entries),
                };
                let rank = rank + if is_of_summaries(&chosen) { 5 } else { 0 };
                let is_empty = question.about != About::Positions && is_empty(plan, &chosen);
                let lacking = (is_empty, accounts.len() - accounts_of(&chosen).len());
                ((lacking, days, rank, newest_last(&chosen.entries)), chosen)
            }));
        }
    }
    if all.is_empty() {
        return Err(NoAnswer::NotTicked(template::sections(question.about)));
    }
    // A better plan is worth more than a day, and less than a month that is missing.
    all.sort_by_key(|((lacking, days, rank, newest), _)| {
        (*lacking, *days / 28, *rank, *days, std::cmp::Reverse(*newest))
    });
    let missing: Vec<String> = match all.first() {
        Some((_, first)) => {
            let own = accounts_of(first);
            accounts
                .iter()
                .filter(|one| !own.contains(**one))
                .map(|one| (*one).to_owned())
                .collect()
        }
        None => Vec::new(),
    };
    let others: Vec<String> = all.iter().skip(1).map(|(_, chosen)| name(chosen)).collect();
    let elsewhere = elsewhere(question, &all);
    let mut chosen: Vec<Chosen> = all.into_iter().map(|(_, chosen)| chosen).collect();
    if let Some(first) = chosen.first_mut() {
        let own = name(first);
        let mut others: Vec<String> = others.into_iter().filter(|other| *other != own).collect();
        others.sort();
        others.dedup();
        if !others.is_empty() {
            first.notes.push(format!("other queries could answer this too: {}", others.join(", ")));
        }
        first.notes.extend(elsewhere);
        if !missing.is_empty() {
            let note = format!(
                "{} is not in this: its statements are of other queries; ask with query {ALL_QUERIES:?}, or with that \
                 account",
                missing.join(", ")
            );
            first.notes.insert(0, note);
        }
    }
    Ok(chosen)
}

/// Whether it has no rows and how many accounts it lacks, days missing (of positions: how old they are), rank of the
/// plan, and when the newest statement was made.
type Score = ((bool, usize), i64, usize, Option<jiff::civil::DateTime>);

/// An empty statement never wins over one that has rows. Of positions it may: that nothing is held is said by an
/// empty one.
fn is_empty(plan: &Plan, chosen: &Chosen) -> bool {
    let section = plan.main.section;
    let rows = |entry: &Entry| entry.section(section).map_or(0, |section| section.rows);
    chosen.entries.iter().map(rows).sum::<u64>() == 0
}

fn is_of_summaries(chosen: &Chosen) -> bool {
    chosen.levels.first().is_some_and(|(_, level)| *level == SYMBOLS)
}

/// Sums by symbol over all days of their statement.
const SYMBOLS: &str = "SYMBOL_SUMMARY";

/// Whether sums over all days of the statements can answer: all of these days are asked for, and not one by one.
fn takes_summaries(question: &Question, entries: &[&Entry]) -> bool {
    let is_by_time = question.by.iter().any(|by| matches!(by, By::Year | By::Month));
    let is_within = |entry: &&Entry| {
        let Some(period) = entry.period else { return question.from.or(question.to).is_none() };
        question.from.is_none_or(|from| period.from >= from)
            && question.to.is_none_or(|to| period.to <= to)
    };
    !is_by_time && entries.iter().all(is_within)
}

fn name(chosen: &Chosen) -> String {
    let entry = chosen.entries.first();
    entry
        .map(|entry| if entry.query_name.is_empty() { entry.query() } else { &entry.query_name })
        .unwrap_or_default()
        .to_owned()
}

/// Which days that the first one has not are in statements of other queries, and how they are asked.
fn elsewhere(question: &Question, all: &[(Score, Chosen)]) -> Option<String> {
    let is_of_day = question.about == About::Positions;
    let ((_, first), others) = all.split_first().filter(|_| !is_of_day)?;
    let account = question.account.as_deref();
    let own = coverage(&first.entries, account);
    let mut told: BTreeMap<String, Vec<Period>> = BTreeMap::new();
    for (_, other) in others.iter().filter(|(_, other)| name(other) != name(first)) {
        let days = coverage(&other.entries, account).have.into_iter().filter_map(|have| {
            let from = question.from.map_or(have.from, |from| from.max(have.from));
            let to = question.to.map_or(have.to, |to| to.min(have.to));
            (from <= to).then_some(Period { from, to })
        });
        let missing = days.flat_map(|days| own.gaps(days));
        told.entry(name(other)).or_default().extend(missing);
    }
    let told: Vec<String> = told
        .into_iter()
        .filter(|(_, days)| !days.is_empty())
        .map(|(name, mut days)| {
            days.sort();
            days.dedup();
            let days: Vec<String> = days.into_iter().map(coverage_name).collect();
            format!("{} in {name:?}", days.join(", "))
        })
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "statements of other queries have days that this one has not: {}; ask with that query, or with query \
             {ALL_QUERIES:?} for all together",
            told.join("; ")
        )
    })
}

fn newest_last(entries: &[Entry]) -> Option<jiff::civil::DateTime> {
    entries.iter().filter_map(|entry| entry.generated).max()
}

/// All queries together, unless one is called that.
fn is_of_all(question: &Question, entries: &[Entry]) -> bool {
    let is_all = |query: &str| query.trim().eq_ignore_ascii_case(ALL_QUERIES);
    let asked = question.query.as_deref();
    asked.is_some_and(|query| is_all(query) && !entries.iter().any(|entry| entry.is_of(query)))
}

fn is_of(question: &Question, (names, entry): (&QueryNames, &Entry)) -> bool {
    let is_account = question.account.as_deref().is_none_or(|account| {
        entry.accounts.iter().any(|covered| covered.account.eq_ignore_ascii_case(account))
    });
    is_account
        && question.query.as_deref().is_none_or(|query| names.is_of(entry, query))
        && entry.period.is_none_or(|period| overlaps(question, period))
}

/// Of positions the last before the day will do.
fn overlaps(question: &Question, period: Period) -> bool {
    let is_early = question.to.is_some_and(|to| period.from > to);
    let is_late =
        question.about != About::Positions && question.from.is_some_and(|from| period.to < from);
    !is_early && !is_late
}

fn why_none(question: &Question, entries: &[Entry]) -> String {
    let names = QueryNames::of(entries);
    let of_query: Vec<&Entry> = entries
        .iter()
        .filter(|entry| question.query.as_deref().is_none_or(|query| names.is_of(entry, query)))
        .collect();
    if entries.is_empty() {
        return "there are none; run a query first".to_owned();
    }
    if of_query.is_empty() {
        return "there are none of this query; run it first".to_owned();
    }
    let have = describe(&coverage(of_query.iter().copied(), question.account.as_deref()));
    let account = question.account.as_deref().map(|account| format!(" of account {account}"));
    format!("{have}{}", account.unwrap_or_default())
}

/// The statements of one query that will do.
fn plan_for(question: &Question, plan: Plan, of_query: &[&Entry]) -> Option<Chosen> {
    let with: Vec<&Entry> = of_query
        .iter()
        .copied()
        .filter(|entry| entry.section(plan.main.section).is_some())
        .collect();
    let (level, mut entries) = level(question, plan.main, &with)?;
    if level == SYMBOLS && !takes_summaries(question, &entries) {
        return None;
    }
    let mut notes = Vec::new();
    let without = of_query.len() - entries.len();
    if without > 0 {
        notes.push(format!(
            "{without} statements of this query lack {}{} and are left out",
            plan.main.section,
            if matches!(level, "" | ANY) { String::new() } else { format!(" at level {level}") }
        ));
    }
    entries.sort_by(|a, b| (b.age(), &b.file).cmp(&(a.age(), &a.file)));
    let is_of_days = !matches!(plan.main.section, "OpenPositions" | "ChangeInNAV" | SUMMARIES);
    let entries = if is_of_days { needed(question, plan.main.section, &entries) } else { entries };
    let mut levels = vec![(plan.main.section, level)];
    for need in plan.more {
        let with: Vec<&Entry> =
            entries.iter().copied().filter(|entry| entry.section(need.section).is_some()).collect();
        let found = self::level(question, *need, &with);
        levels.extend(found.map(|(level, _)| (need.section, level)));
    }
    Some(Chosen { entries: entries.into_iter().cloned().collect(), levels, notes })
}

/// The level that leaves the fewest statements with rows out, then the fewest days, the best of those, and the
/// statements that have it or have no rows at all. An empty statement never wins over one that has rows.
fn level<'e>(
    question: &Question,
    need: Need,
    with: &[&'e Entry],
) -> Option<(&'static str, Vec<&'e Entry>)> {
    let at = |level: &'static str| {
        let has = |entry: &&&Entry| {
            entry.section(need.section).is_some_and(|section| match level {
                _ if section.rows == 0 || level == ANY => true,
                "" => section.levels.iter().map(|count| count.rows).sum::<u64>() < section.rows,
                level => section.of_level(level) > 0,
            })
        };
        let entries: Vec<&Entry> = with.iter().filter(has).copied().collect();
        (level, entries)
    };
    need.levels.iter().map(|level| at(level)).filter(|(_, entries)| !entries.is_empty()).min_by_key(
        |(_, entries)| {
            let has_rows = |entry: &&&Entry| {
                entry.section(need.section).is_some_and(|section| section.rows > 0)
            };
            let taken = entries.iter().filter(has_rows).count();
            let left_out = with.iter().filter(has_rows).count() - taken;
            (left_out, uncovered(question, entries.iter().copied()))
        },
    )
}

/// Without those whose days a newer one has all, with all that the section says in them: an empty or a poorer one
/// stands in for nothing. Only where rows have days of their own: what a statement says of its last day, or of
/// all its days together, a longer one does not say.
fn needed<'e>(question: &Question, section: &str, newest_first: &[&'e Entry]) -> Vec<&'e Entry> {
    let account = question.account.as_deref();
    let mut kept: Vec<&Entry> = Vec::new();
    for entry in newest_first {
        let is_covered = |newer: &&Entry| {
            let sections = newer.section(section).zip(entry.section(section));
            let has_all = sections.is_some_and(|(newer, older)| newer.has_all_of(older));
            has_all
                && entry.accounts.iter().all(|own| {
                    newer.accounts.iter().any(|other| {
                        own.account == other.account
                            && covered(newer, Some(&other.account)).iter().any(|new| {
                                own.period
                                    .is_some_and(|own| new.from <= own.from && own.to <= new.to)
                            })
                    })
                })
        };
        let is_dated = !covered(entry, account).is_empty();
        if !(is_dated && kept.iter().any(is_covered)) {
            kept.push(entry);
        }
    }
    kept
}

/// How many days lie between the day asked for, or today, and the last day whose positions these tell.
fn behind(question: &Question, entries: &[Entry]) -> i64 {
    let to = question.to.unwrap_or(question.today).min(question.today);
    let lasts = entries.iter().filter_map(|entry| entry.period).map(|period| period.to);
    let last = lasts.filter(|last| *last <= to).max();
    last.map_or(i64::MAX, |last| i64::from(to.since(last).map_or(0, |span| span.get_days())))
}

/// How many days of the period asked for, or of all that could be had, are missing.
fn uncovered<'e>(question: &Question, entries: impl IntoIterator<Item = &'e Entry>) -> i64 {
    let coverage = coverage(entries, question.account.as_deref());
    let days =
        |period: &Period| i64::from(period.to.since(period.from).map_or(0, |s| s.get_days())) + 1;
    let (Some(from), Some(to)) = (question.from, question.to.or(Some(question.today))) else {
        let covered: i64 = coverage.have.iter().map(days).sum();
        return (100 * 366 - covered).max(0);
    };
    coverage.gaps(Period { from, to: to.min(question.today) }).iter().map(days).sum()
}
