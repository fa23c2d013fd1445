//! The report: a statement's sections, each written while the ledger runs through the days once more.

mod accruals;
mod actions;
mod cash;
mod confirms;
mod funds;
mod identity;
mod information;
mod nav;
mod out;
mod performance;
mod positions;
mod securities;
mod totals;
mod trades;

use jiff::civil::Date;

pub(super) use out::Out;
use totals::Totals;

use super::dec::Dec;
use super::form::Form;
use super::ledger::{Fact, Ledger};
use super::past::Bulk;
use super::spec::{QuerySpec, QueryType};
use super::xml::Row;

/// Writes a section's content.
type Section = fn(&Page<'_>, &mut Out<'_>);

/// Every section, in the order of a statement; the first two are elements without a container.
const WRITERS: [(&str, Section); 20] = [
    ("AccountInformation", information::write),
    ("ChangeInNAV", nav::change),
    ("CashReport", cash::report),
    ("MTMPerformanceSummaryInBase", performance::mtm),
    ("EquitySummaryInBase", nav::equity),
    ("FIFOPerformanceSummaryInBase", performance::fifo),
    ("StmtFunds", funds::write),
    ("OpenPositions", positions::write),
    ("Trades", trades::write),
    ("TradeConfirms", confirms::write),
    ("TransactionTaxes", actions::taxes),
    ("CorporateActions", actions::corporate),
    ("CashTransactions", cash::transactions),
    ("InterestAccruals", accruals::interest),
    ("Transfers", actions::transfers),
    ("ChangeInDividendAccruals", accruals::dividends),
    ("OpenDividendAccruals", accruals::open_dividends),
    ("OptionEAE", actions::expirations),
    ("SecuritiesInfo", securities::write),
    ("ConversionRates", securities::rates),
];
/// The names of all sections.
pub(super) const SECTIONS: [&str; 20] = names();

const fn names() -> [&'static str; 20] {
    let mut names = [""; 20];
    let mut at = 0;
    while at < 20 {
        names[at] = WRITERS[at].0;
        at += 1;
    }
    names
}

/// Elements that stand for themselves.
const BARE: [&str; 2] = ["AccountInformation", "ChangeInNAV"];

/// Whose statement it is.
#[derive(Debug, Clone)]
pub(super) struct Party {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) alias: String,
    pub(super) currency: String,
}

/// One account and one period.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) query: &'a QuerySpec,
    pub(super) form: &'a Form,
    pub(super) party: &'a Party,
    /// The account at the end of the day before the period.
    pub(super) before: &'a Ledger<'a>,
    pub(super) bulk: &'a Bulk,
    pub(super) from: Date,
    pub(super) to: Date,
    pub(super) period: &'a str,
    pub(super) generated_ms: i64,
    pub(super) opened: Date,
    /// Trade confirmations are known until this moment.
    pub(super) known_ms: i64,
    pub(super) surprises: bool,
}

impl Page<'_> {
    /// Writes the whole `FlexStatement`.
    pub(super) fn write(&self, out: &mut Out<'_>) {
        let head = Row::new("FlexStatement", self.form)
            .text("accountId", &self.party.id)
            .date("fromDate", self.from)
            .date("toDate", self.to)
            .text("period", self.period)
            .moment("whenGenerated", self.generated_ms);
        out.put(&head.open());
        for (name, section) in WRITERS {
            if self.query.has_section(name) && !out.is_over() {
                self.section(name, section, out);
            }
        }
        if self.surprises {
            let row =
                self.row("NovelItem").text("novelty", "a < b & \"c\"").num("amount", Dec::ZERO);
            out.put(&format!("<NovelSection>\n{}</NovelSection>\n", row.done()));
        }
        out.put("</FlexStatement>\n");
    }

    fn section(&self, name: &str, section: Section, out: &mut Out<'_>) {
        if self.query.empty && name != "AccountInformation" {
            return out.put(&format!("<{name} />\n"));
        }
        if BARE.contains(&name) {
            return section(self, out);
        }
        out.put(&format!("<{name}>\n"));
        section(self, out);
        out.put(&format!("</{name}>\n"));
    }

    /// Runs through the period once more.
    fn walk(&self, see: &mut dyn FnMut(Fact<'_>)) -> Ledger<'_> {
        let mut ledger = self.before.clone();
        ledger.run(self.to, self.bulk, see);
        ledger
    }

    /// What the period came to.
    fn totals(&self) -> Totals {
        let mut totals = Totals::new(self.before);
        self.walk(&mut |fact| totals.see(&fact));
        totals
    }

    /// An element that begins as all do.
    fn row<'f>(&'f self, tag: &str) -> Row<'f> {
        let row = Row::new(tag, self.form)
            .text("accountId", &self.party.id)
            .text("acctAlias", &self.party.alias)
            .text("model", "");
        if self.surprises { row.text("unheardOf", "1.5") } else { row }
    }

    fn is_activity(&self) -> bool {
        self.query.kind == QueryType::Activity
    }
}

/// The frame around all statements.
pub(super) fn open(query: &QuerySpec, count: usize, form: &Form) -> String {
    let root = Row::new("FlexQueryResponse", form)
        .text("queryName", &query.name)
        .text("type", query.kind.word());
    let all = Row::new("FlexStatements", form).show("count", count);
    format!("{}{}", root.open(), all.open())
}

pub(super) const CLOSE: &str = "</FlexStatements>\n</FlexQueryResponse>\n";
