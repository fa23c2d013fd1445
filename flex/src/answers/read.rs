//! Reads the chosen statements, the newest first, and hands their rows to what adds them up.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use jiff::civil::Date;

use super::choose::{ANY, Chosen, SUMMARIES};
use super::fields::{self, Field, Item};
use super::flows::{self, Flows};
use super::instrument::Sought;
use super::nav::Nav;
use super::performance::Performance;
use super::positions::Positions;
use super::rates::Rates;
use super::seen::{self, Seen};
use super::sorted::{self, Amounts};
use super::trades::Trades;
use super::{Answer, Named, NoAnswer, Tick};
use crate::archive::{Coverage, Entry, coverage, coverage_name};
use crate::question::{About, By, DatedBy, Question, Side};
use crate::statement::{Event, Reader, Row, Statement, StatementError};
use crate::summary::Period;
use crate::value::{self, BadValue, Order};

/// What is known while rows are read.
pub(super) struct Context<'q> {
    pub(super) question: &'q Question,
    /// Rows that the table may have.
    pub(super) rows: usize,
    /// Whole statements are added up, and no rows with days of their own.
    is_of_summaries: bool,
    pub(super) rates: Rates,
    /// Which statement is read: 0 is the newest.
    pub(super) number: usize,
    /// The days of the statement around the row.
    pub(super) period: Option<Period>,
    /// Of instruments, by contract id.
    pub(super) countries: BTreeMap<String, String>,
    /// Types of cash transactions that belong to no question.
    pub(super) strange: BTreeSet<String>,
    order: Order,
    wanted: BTreeMap<(String, Field), Wanted>,
    unreadable: u64,
    undated: u64,
    is_ambiguous: bool,
    /// Accounts and days for which the word of a statement was taken, with its number.
    claimed: Vec<(String, Period, usize)>,
    overlapping: u64,
    beyond: u64,
    /// What is known of the symbol that is asked for.
    sought: Sought,
    /// Rows of which it is not known of which country they are.
    unknown_country: u64,
    /// What rows were dated by.
    dated: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Wanted {
    is_there: bool,
    is_vital: bool,
    why: &'static str,
}

/// What becomes of the rows.
enum Collector {
    Flows(Flows),
    Trades(Trades),
    Positions(Positions),
    Nav(Nav),
    Performance(Performance),
}

pub(super) fn answer<B: BufRead>(
    question: &Question,
    chosen: &Chosen,
    (open, rows): (&mut impl FnMut(&Entry) -> io::Result<B>, usize),
) -> Result<Answer, NoAnswer> {
    let company = match attempt(question, chosen, (open, rows))? {
        Tried::Answer(answer) => return Ok(*answer),
        Tried::Company(company) => company,
    };
    // Where rows do not say the company's name, another section has told its symbol.
    let named = question.symbol.clone().unwrap_or_default();
    let by_symbol = Question { symbol: Some(company.clone()), ..question.clone() };
    match attempt(&by_symbol, chosen, (open, rows))? {
        Tried::Answer(mut answer) => {
            answer.notes.insert(0, format!("{named} is {company} in these statements"));
            Ok(*answer)
        }
        Tried::Company(_) => Err(NoAnswer::NoSymbol { asked: named, known: vec![company] }),
    }
}

/// What reading came to.
enum Tried {
    Answer(Box<Answer>),
    /// No row has that name, and it is this symbol's.
    Company(String),
}

fn attempt<B: BufRead>(
    question: &Question,
    chosen: &Chosen,
    (open, rows): (&mut impl FnMut(&Entry) -> io::Result<B>, usize),
) -> Result<Tried, NoAnswer> {
    // Which are the first ones is known once all are there.
    let kept = if question.sort.is_some() { usize::MAX } else { rows };
    let mut context = Context::new(question, kept);
    context.is_of_summaries = chosen.levels.iter().any(|(section, _)| *section == SUMMARIES);
    let mut collector = Collector::of(question);
    let mut seen = Seen::of(chosen.entries.len());
    for (number, entry) in chosen.entries.iter().enumerate() {
        let file = || entry.file.clone();
        let source = open(entry).map_err(|error| NoAnswer::Open { file: file(), error })?;
        (context.number, context.order) = (number, entry.date_order);
        seen.begin(number, entry.date_order);
        let mut reading =
            Reading { chosen, context: &mut context, collector: &mut collector, seen: &mut seen };
        reading.read(source).map_err(|error| NoAnswer::Statement { file: file(), error })?;
    }
    let lacking = context.lacking(true);
    if !lacking.is_empty() {
        return Err(NoAnswer::NotTicked(lacking));
    }
    if let Some(company) = context.sought.company() {
        return Ok(Tried::Company(company.clone()));
    }
    context.has_found()?;
    let mut answer = frame(question, chosen);
    if context.is_of_summaries {
        answer.not_covered = context.not_claimed(answer.period);
    }
    collector.finish(&mut context, &mut answer);
    context.explain(&mut answer);
    if let Some(sort) = question.sort {
        let costs = matches!(
            question.about,
            About::Commissions | About::Fees | About::FeesAndCommissions | About::Withholding
        );
        sorted::sort(&mut answer, sort, if costs { Amounts::Costs } else { Amounts::Signed });
    }
    if seen.repeated() > 0 {
        let many = seen.repeated();
        answer
            .notes
            .push(format!("{many} rows are in more than one statement and were counted once"));
    }
    answer.notes.extend(undecided(seen.lost()));
    answer.rows_in_all = answer.rows_in_all.max(answer.table.rows.len() as u64);
    if answer.table.rows.len() > rows {
        answer.table.rows.truncate(rows);
        let all = answer.rows_in_all;
        answer.notes.push(format!("{rows} of {all} rows are shown; totals are over all of them"));
    }
    Ok(Tried::Answer(Box::new(answer)))
}

/// Rows that only an older statement has, although a newer one tells of their days.
fn undecided(lost: &BTreeSet<Date>) -> Option<String> {
    let (first, last) = (lost.first()?, lost.last()?);
    let days = match lost.len() {
        1 => first.to_string(),
        many => format!("{many} days between {first} and {last}"),
    };
    Some(format!(
        "of {days} an older statement has rows that a newer one of the same days does not have: they are counted; \
         whether IBKR took them back cannot be told"
    ))
}

/// One statement being read.
struct Reading<'r, 'q> {
    chosen: &'r Chosen,
    context: &'r mut Context<'q>,
    collector: &'r mut Collector,
    seen: &'r mut Seen,
}

impl Reading<'_, '_> {
    fn read(&mut self, source: impl BufRead) -> Result<(), StatementError> {
        let mut reader = Reader::new(source);
        let mut columns = fields::columns();
        let mut account = String::new();
        loop {
            match reader.next()? {
                Event::Statement(statement) => {
                    account.clone_from(&statement.account);
                    self.context.begin(statement);
                    if let Collector::Positions(positions) = self.collector {
                        positions.begin(self.context, &account);
                    }
                }
                Event::Row(row) => {
                    if let Some(wanted) = self.context.question.symbol.as_deref() {
                        let picked = columns.pick(&row);
                        let item = Item { section: row.section, account: &account, picked };
                        self.context.sought.hear(&item, wanted);
                    }
                    if let Some(level) = self.use_of(&row) {
                        let picked = columns.pick(&row);
                        let item = Item { section: row.section, account: &account, picked };
                        self.take(&row, &item, level);
                    }
                }
                Event::End => return Ok(()),
                _ => {}
            }
        }
    }

    /// The level that rows of this section are wanted at.
    fn use_of(&self, row: &Row<'_>) -> Option<&'static str> {
        if matches!(row.section, "AccountInformation" | "ConversionRates" | "SecuritiesInfo") {
            return Some(ANY);
        }
        let (_, level) = self.chosen.levels.iter().find(|(section, _)| *section == row.section)?;
        (*level == ANY || *level == row.level()).then_some(*level)
    }

    fn take(&mut self, row: &Row<'_>, item: &Item<'_>, level: &str) {
        match row.section {
            "AccountInformation" => self.context.learn_base(item),
            "ConversionRates" => self.context.learn_rate(item),
            "SecuritiesInfo" => self.context.learn_country(item),
            _ if !self.context.is_wanted(item) => {}
            _ if level != ANY
                && self.collector.is_counting()
                && self.seen.is_repeated(item, level, self.context.period) => {}
            _ => self.collector.take(self.context, item),
        }
    }
}

impl Collector {
    fn of(question: &Question) -> Self {
        match question.about {
            About::Trades => Self::Trades(Trades::default()),
            About::Positions => Self::Positions(Positions::default()),
            About::NetAssetValue => Self::Nav(Nav::default()),
            About::Performance => Self::Performance(Performance::default()),
            _ => Self::Flows(Flows::default()),
        }
    }

    /// Whether the same row in two statements would count twice.
    fn is_counting(&self) -> bool {
        matches!(self, Self::Flows(_) | Self::Trades(_))
    }

    fn take(&mut self, context: &mut Context<'_>, item: &Item<'_>) {
        match self {
            Self::Flows(flows) => flows.take(context, item),
            Self::Trades(trades) => trades.take(context, item),
            Self::Positions(positions) => positions.take(context, item),
            Self::Nav(nav) => nav.take(context, item),
            Self::Performance(performance) => performance.take(context, item),
        }
    }

    fn finish(self, context: &mut Context<'_>, answer: &mut Answer) {
        match self {
            Self::Flows(flows) => flows.finish(context, answer),
            Self::Trades(trades) => trades.finish(context, answer),
            Self::Positions(positions) => positions.finish(context, answer),
            Self::Nav(nav) => nav.finish(context, answer),
            Self::Performance(performance) => performance.finish(context, answer),
        }
    }
}

impl<'q> Context<'q> {
    fn new(question: &'q Question, rows: usize) -> Self {
        Self {
            question,
            rows,
            is_of_summaries: false,
            rates: Rates::default(),
            number: 0,
            period: None,
            countries: BTreeMap::new(),
            strange: BTreeSet::new(),
            order: Order::Unknown,
            wanted: BTreeMap::new(),
            unreadable: 0,
            undated: 0,
            is_ambiguous: false,
            claimed: Vec::new(),
            overlapping: 0,
            beyond: 0,
            sought: Sought::default(),
            unknown_country: 0,
            dated: BTreeMap::new(),
        }
    }

    fn begin(&mut self, statement: &Statement) {
        let read = |text: &str| value::date(text, self.order).ok().flatten();
        self.period = match (read(&statement.from), read(&statement.to)) {
            (Some(from), Some(to)) => Some(Period { from, to }),
            _ => None,
        };
        if self.is_of_summaries {
            self.claim(&statement.account);
        }
    }

    fn learn_base(&mut self, item: &Item<'_>) {
        if let Some(currency) = item.text(Field::Currency) {
            self.rates.set_base(&item.account(), &currency);
        }
    }

    fn learn_rate(&mut self, item: &Item<'_>) {
        // Rates are no rows of an answer: by what those are dated says nothing of them.
        let date = item.text(Field::ReportDate);
        let day = date.and_then(|text| value::date(&text, self.order).ok().flatten());
        let rate = self.number(item, Field::RateOfDay);
        let (from, to) = (item.text(Field::FromCurrency), item.text(Field::ToCurrency));
        if let (Some(day), Some(rate), Some(from), Some(to)) = (day, rate, from, to) {
            self.rates.add_day((&from, &to), (day, rate));
        }
    }

    fn learn_country(&mut self, item: &Item<'_>) {
        let is_asked = self.question.by.contains(&By::Country) || self.question.country.is_some();
        if let (true, Some(conid)) = (is_asked, item.text(Field::Conid)) {
            let country = item.text(Field::Country).or_else(|| item.text(Field::Isin));
            if let Some(country) = country.as_deref().and_then(|text| text.get(..2)) {
                self.countries.entry(conid.into_owned()).or_insert_with(|| country.to_uppercase());
            }
        }
    }

    /// Of the account, instrument, country and side asked for.
    fn is_wanted(&mut self, item: &Item<'_>) -> bool {
        let account = self.question.account.as_deref();
        if account.is_some_and(|account| !item.account().eq_ignore_ascii_case(account)) {
            return false;
        }
        self.is_of_symbol(item) && self.is_of_country(item) && self.is_of_side(item)
    }

    fn is_of_symbol(&mut self, item: &Item<'_>) -> bool {
        let Some(wanted) = self.question.symbol.as_deref() else { return true };
        self.sought.is_it(item, wanted, self.question.options)
    }

    fn is_of_country(&mut self, item: &Item<'_>) -> bool {
        let Some(wanted) = self.question.country.as_deref() else { return true };
        // Of what is not asked about nobody needs the country.
        if !flows::is_about(self.question.about, item) {
            return true;
        }
        let found = flows::country(item, self.question.about);
        let found = match found.strip_prefix(flows::OPEN) {
            Some(conid) => self.countries.get(conid).cloned(),
            None => Some(found).filter(|found| found != "unknown"),
        };
        self.unknown_country += u64::from(found.is_none());
        found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    }

    fn is_of_side(&self, item: &Item<'_>) -> bool {
        let Some(side) = self.question.side else { return true };
        let word = if side == Side::Buy { "BUY" } else { "SELL" };
        item.text(Field::BuySell).is_some_and(|text| text.to_uppercase().starts_with(word))
    }

    /// An instrument that no row is of is none that nothing happened to.
    fn has_found(&self) -> Result<(), NoAnswer> {
        match &self.question.symbol {
            Some(asked) => self.sought.found(asked),
            None => Ok(()),
        }
    }

    /// The first of some dates that the row has; before them the one that is asked for.
    pub(super) fn day(&mut self, item: &Item<'_>, fields: &[Field]) -> Option<Date> {
        let asked: &[Field] = match self.question.dated_by {
            Some(DatedBy::Report) => &[Field::ReportDate],
            Some(DatedBy::Settle) => &[Field::SettleDate],
            Some(DatedBy::Trade) => &[Field::TradeDate, Field::DateTime],
            None => &[],
        };
        for field in asked.iter().chain(fields) {
            let Some(text) = item.text(*field) else { continue };
            match value::date(&text, self.order) {
                Ok(Some(day)) => {
                    *self.dated.entry(field.name()).or_default() += 1;
                    return Some(day);
                }
                Ok(None) => {}
                Err(error) => self.is_ambiguous |= matches!(error, BadValue::Ambiguous(_)),
            }
        }
        None
    }

    /// The time, or the day.
    pub(super) fn moment(&self, item: &Item<'_>, field: Field) -> Option<value::Moment> {
        value::moment(&item.text(field)?, self.order).ok().flatten()
    }

    /// Whether a row of that day is asked for. One without a day counts if all its statement does.
    pub(super) fn is_in_period(&mut self, day: Option<Date>) -> bool {
        let is_anything = self.question.from.is_none() && self.question.to.is_none();
        match (day, self.period) {
            _ if is_anything => true,
            (Some(day), _) => self.is_asked(Period { from: day, to: day }),
            (None, Some(period)) if self.is_asked(period) => true,
            _ => {
                self.undated += 1;
                false
            }
        }
    }

    /// As `is_in_period`, for what is added up: a row with neither day nor id may be in another
    /// statement too, and only one of them may count.
    pub(super) fn counts(&mut self, item: &Item<'_>, day: Option<Date>) -> bool {
        let has_id = seen::IDS.iter().any(|field| item.text(*field).is_some());
        if day.is_some() || has_id { self.is_in_period(day) } else { self.claim(&item.account()) }
    }

    /// Whether what a statement says of its days as a whole may be added: all of them are asked for,
    /// and no other statement's word was taken for any of them.
    pub(super) fn claim(&mut self, account: &str) -> bool {
        let Some(period) = self.period else { return self.is_in_period(None) };
        if !self.is_asked(period) {
            self.beyond += 1;
            return false;
        }
        let number = self.number;
        let mut others = self.claimed.iter().filter(|(name, ..)| name == account);
        if others.clone().any(|(_, other, by)| *by == number && *other == period) {
            return true;
        }
        let overlaps = |other: &Period| period.from <= other.to && other.from <= period.to;
        if others.any(|(_, other, by)| *by != number && overlaps(other)) {
            self.overlapping += 1;
            return false;
        }
        self.claimed.push((account.to_owned(), period, number));
        true
    }

    /// Days of which no statement's word was taken.
    fn not_claimed(&self, asked: Option<Period>) -> Vec<String> {
        let coverage = Coverage::of(self.claimed.iter().map(|(_, period, _)| *period).collect());
        asked.map(|asked| missing(&coverage, asked, self.question)).unwrap_or_default()
    }

    fn is_asked(&self, days: Period) -> bool {
        self.question.from.is_none_or(|from| days.from >= from)
            && self.question.to.is_none_or(|to| days.to <= to)
    }

    pub(super) fn number(
        &mut self,
        item: &Item<'_>,
        field: Field,
    ) -> Option<rust_decimal::Decimal> {
        item.number(field).unwrap_or_else(|_| {
            self.unreadable += 1;
            None
        })
    }

    /// Notes that a field is needed: if no row has it, its box has to be ticked.
    pub(super) fn want(&mut self, item: &Item<'_>, (field, why): (Field, &'static str)) {
        self.wanted(item, field, Wanted { is_there: false, is_vital: false, why });
    }

    /// As `want`, for what there is no answer without.
    pub(super) fn need(&mut self, item: &Item<'_>, (field, why): (Field, &'static str)) {
        self.wanted(item, field, Wanted { is_there: false, is_vital: true, why });
    }

    fn wanted(&mut self, item: &Item<'_>, field: Field, wanted: Wanted) {
        let known = self
            .wanted
            .iter_mut()
            .find(|((section, of), _)| *of == field && section == item.section);
        match known {
            Some((_, known)) => known.is_there |= item.has(field),
            None => {
                let wanted = Wanted { is_there: item.has(field), ..wanted };
                self.wanted.insert((item.section.to_owned(), field), wanted);
            }
        }
    }

    fn lacking(&self, is_vital: bool) -> Vec<Tick> {
        let lacking = self
            .wanted
            .iter()
            .filter(|(_, wanted)| !wanted.is_there && wanted.is_vital == is_vital);
        lacking.map(|((section, field), wanted)| Tick::new(section, *field, wanted.why)).collect()
    }

    /// By which of their days rows were counted: a dividend has several.
    fn dating(&self) -> Option<String> {
        let is_of_flows = !matches!(
            self.question.about,
            About::Positions | About::NetAssetValue | About::Performance | About::Trades
        );
        let mut fields: Vec<(&str, u64)> = self.dated.iter().map(|(name, n)| (*name, *n)).collect();
        fields.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        let named: Vec<String> = match fields.as_slice() {
            [(only, _)] => vec![(*only).to_owned()],
            several => several.iter().map(|(name, rows)| format!("{name} ({rows} rows)")).collect(),
        };
        (is_of_flows && !named.is_empty()).then(|| format!("dated by {}", named.join(", ")))
    }

    fn explain(&self, answer: &mut Answer) {
        self.lacking(false).into_iter().for_each(|tick| tick.push(&mut answer.tick));
        answer.notes.extend(self.sought.left_out());
        if self.unknown_country > 0 {
            answer.notes.push(format!(
                "of {} rows the country is not known; they are left out",
                self.unknown_country
            ));
        }
        answer.notes.extend(self.dating());
        if self.unreadable > 0 {
            answer
                .notes
                .push(format!("{} values are no numbers and were left out", self.unreadable));
        }
        if self.is_ambiguous {
            answer.notes.push(
                "dates may be day/month or month/day and nothing tells which; set the template's date \
                 format to yyyy-MM-dd"
                    .to_owned(),
            );
        }
        if self.undated > 0 {
            let many = self.undated;
            answer.notes.push(format!(
                "{many} rows have no date that says whether they belong here; they are left out"
            ));
        }
        if self.overlapping > 0 {
            answer
                .notes
                .push("summaries of overlapping days were left out; the newest counts".to_owned());
        }
        if self.beyond > 0 {
            answer.notes.push(
                "some statements tell of more days than were asked for, and only of all of them \
                 together; they are left out"
                    .to_owned(),
            );
        }
        if !self.strange.is_empty() {
            let names: Vec<&str> = self.strange.iter().map(String::as_str).collect();
            answer.notes.push(format!(
                "types of cash transactions that belong to no question: {}",
                names.join(", ")
            ));
        }
    }
}

/// All that is known of an answer before anything is read.
fn frame(question: &Question, chosen: &Chosen) -> Answer {
    let newest = chosen.entries.first();
    let coverage = coverage(&chosen.entries, question.account.as_deref());
    let ends = coverage.have.first().zip(coverage.have.last());
    let from = question.from.or(ends.map(|(first, _)| first.from));
    let to = question.to.or(ends.map(|(_, last)| last.to));
    let period = from
        .zip(to)
        .map(|(from, to)| Period { from, to })
        .filter(|period| period.from <= period.to);
    let is_of_day = question.about == About::Positions;
    let mut notes = chosen.notes.clone();
    if !question.ignored.is_empty() {
        notes.push(format!("not understood, and not heeded: {}", question.ignored.join(" ")));
    }
    let mut accounts: Vec<String> = chosen
        .entries
        .iter()
        .flat_map(|entry| entry.accounts.iter().map(|covered| covered.account.clone()))
        .filter(|name| {
            question.account.as_deref().is_none_or(|account| account.eq_ignore_ascii_case(name))
        })
        .collect();
    accounts.sort();
    accounts.dedup();
    notes.extend(chosen.levels.iter().filter_map(|(section, level)| level_note(section, level)));
    let not_covered = match period {
        Some(period) if !is_of_day => not_covered(question, (chosen, &accounts), period),
        _ => Vec::new(),
    };
    Answer {
        question: question.restated(),
        query: Named {
            id: newest.and_then(|entry| entry.query_id.clone()),
            name: newest.map(|entry| entry.query_name.clone()).unwrap_or_default(),
        },
        accounts,
        period: period.filter(|_| !is_of_day),
        source: source(chosen),
        generated: newest.and_then(|entry| entry.generated).map(|made| made.to_string()),
        statements: chosen.entries.len(),
        not_covered,
        notes,
        ..Answer::default()
    }
}

/// With the account, where accounts differ.
fn not_covered(
    question: &Question,
    (chosen, accounts): (&Chosen, &[String]),
    asked: Period,
) -> Vec<String> {
    let of = |account: &str| missing(&coverage(&chosen.entries, Some(account)), asked, question);
    let each: Vec<(&String, Vec<String>)> = accounts.iter().map(|name| (name, of(name))).collect();
    match each.split_first() {
        Some(((_, first), rest)) if rest.iter().all(|(_, other)| other == first) => first.clone(),
        _ => each
            .iter()
            .flat_map(|(name, gaps)| gaps.iter().map(move |gap| format!("{name}: {gap}")))
            .collect(),
    }
}

/// What has not happened yet is not missing.
fn missing(coverage: &Coverage, asked: Period, question: &Question) -> Vec<String> {
    let until = asked.to.min(question.today);
    let gaps = coverage.gaps(Period { from: asked.from, to: until });
    gaps.into_iter().map(coverage_name).collect()
}

/// Why it is not the level that one would expect.
fn level_note(section: &str, level: &str) -> Option<String> {
    let why = match level {
        "ORDER" => {
            "executions are not in the template: orders are added up, each the sum of its executions"
        }
        "CLOSED_LOT" => {
            "neither executions nor orders are in the template: closed lots are added up, each dated by \
             the trade that closed it"
        }
        "SYMBOL_SUMMARY" => "only summaries by symbol are in the template",
        "LOT" => "only lots are in the template: those of one instrument are added up",
        "SUMMARY" if section == "CashTransactions" => {
            "only summaries are in the template, without details"
        }
        _ => return None,
    };
    Some(format!("{section}: {why}"))
}

fn source(chosen: &Chosen) -> String {
    let part = |(section, level): &(&'static str, &'static str)| match *level {
        ANY | "" => (*section).to_owned(),
        level => format!("{section} at level {level}"),
    };
    let parts: Vec<String> = chosen.levels.iter().map(part).collect();
    parts.join(", and ")
}
