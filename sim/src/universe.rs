//! The instruments: a table of real names, and the derivatives generated from it.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::classes::{Class, futures_on};
use crate::instruments::{Instrument, Quality, month_code};
use crate::pricing::Smile;

/// All instruments, by conid.
#[derive(Debug)]
pub(crate) struct Universe {
    all: Vec<Instrument>,
    by_conid: HashMap<i64, usize>,
}

impl Universe {
    /// The table plus its derivatives as of `today`, plus `extra` invented stocks.
    pub(crate) fn new(today: Date, extra: u32) -> Self {
        let table = include_str!("../fixtures/instruments.json");
        let mut all: Vec<Instrument> = serde_json::from_str(table).unwrap_or_default();
        let mut derived: Vec<Instrument> = Vec::new();
        for (at, root) in all.iter().filter(|i| i.options).enumerate() {
            derived.extend(Class::usual(root, at).options((root, &[]), today));
        }
        let mut futures: Vec<Instrument> = Vec::new();
        for (at, root) in all.iter().filter(|i| !i.futures.is_empty()).enumerate() {
            futures.extend(futures_on(root, at, today));
        }
        derived.extend(futures.iter().cloned());
        // Behind the others, so that nobody's first one becomes another.
        for class in Class::others() {
            let Some(root) = all.iter_mut().find(|i| i.conid == class.root) else { continue };
            root.options |= !class.is_on_futures();
            derived.extend(class.options((root, &futures), today));
        }
        all.append(&mut derived);
        all.extend((0..extra).map(invented));
        let by_conid = all.iter().enumerate().map(|(at, i)| (i.conid, at)).collect();
        Self { all, by_conid }
    }

    /// The instrument with this conid.
    pub(crate) fn get(&self, conid: i64) -> Option<&Instrument> {
        self.all.get(*self.by_conid.get(&conid)?)
    }

    /// All of them; US listings come before foreign ones of the same symbol.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.all.iter()
    }

    /// The first with this symbol and kind.
    pub(crate) fn named(&self, symbol: &str, sec_type: &str) -> Option<&Instrument> {
        self.all.iter().find(|i| i.symbol == symbol && i.is(sec_type))
    }

    /// Options or futures of an underlying. Those on a future are those of what it is on.
    pub(crate) fn derivatives<'a>(
        &'a self,
        conid: i64,
        sec_type: &'a str,
    ) -> impl Iterator<Item = &'a Instrument> {
        self.all.iter().filter(move |i| i.is(sec_type) && i.root() == conid)
    }

    /// The months of an underlying's derivatives, nearest first, each once.
    pub(crate) fn months(&self, conid: i64, sec_type: &str) -> Vec<String> {
        let derivatives = self.derivatives(conid, sec_type).filter_map(|i| i.derivative.as_ref());
        let mut days: Vec<Date> = derivatives.map(|derivative| derivative.expiry).collect();
        days.sort_unstable();
        let mut months: Vec<String> = days.into_iter().map(month_code).collect();
        months.dedup();
        months
    }
}

/// An invented stock, for accounts with very many positions.
fn invented(number: u32) -> Instrument {
    Instrument {
        conid: 900_000_001 + i64::from(number),
        symbol: format!("X{number:04}"),
        name: format!("SIMULATED COMPANY {number:04}"),
        sec_type: "STK".to_owned(),
        class: "COMMON".to_owned(),
        exchange: "NYSE".to_owned(),
        currency: "USD".to_owned(),
        country: "US".to_owned(),
        multiplier: 0.0,
        tick: 0.01,
        lot: 1,
        base: 5.0 + f64::from(number % 95),
        options: false,
        strike_step: 0,
        futures: String::new(),
        sector: Some("Industrial".to_owned()),
        group: Some("Simulated".to_owned()),
        chinese: None,
        quote: Quality::Live,
        smile: Smile::default(),
        dividend_yield: 0.0,
        trading_class: String::new(),
        derivative: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_table_is_read_and_every_conid_is_used_once() {
        let universe = Universe::new(date(2026, 11, 22), 250);
        assert!(universe.iter().filter(|i| i.derivative.is_none()).count() > 60 + 250);
        assert_eq!(universe.all.len(), universe.by_conid.len());
        assert_eq!(universe.months(265_598, "OPT"), ["DEC26", "JAN27", "FEB27", "MAR27"]);
        assert_eq!(universe.months(11_004_968, "FUT"), ["DEC26", "MAR27", "JUN27", "SEP27"]);
        let of_both_classes = ["NOV26", "DEC26", "JAN27", "FEB27", "MAR27", "JUN27", "SEP27"];
        assert_eq!(universe.months(11_004_968, "FOP"), of_both_classes);
        assert_eq!(universe.months(416_904, "OPT"), of_both_classes[..5]);
    }

    #[test]
    fn an_option_is_described_by_its_class() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        let description = |conid| universe.get(conid).unwrap().description();
        for (conid, expected) in [
            (700_084_108, "AAPL   DEC2026 270 C [AAPL  261218C00270000 100]"),
            (720_084_529, "SPX    DEC2026 6600 P [SPXW  261218P06600000 100]"),
            (723_084_080, "T      DEC2026 26.67 C [T1    261218C00026670 150]"),
            (741_084_528, "ES     DEC2026 6600 C [EWZ6 C6600 50]"),
        ] {
            assert_eq!(description(conid), expected);
        }
    }

    #[test]
    fn decimals_follow_the_tick() {
        let universe = Universe::new(date(2026, 11, 22), 0);
        assert_eq!(universe.get(265_598).unwrap().show(271.5), "271.50");
        assert_eq!(universe.get(12_087_792).unwrap().show(1.1512), "1.15120");
        assert_eq!(universe.get(14_020_991).unwrap().show(3125.0), "3125");
    }
}
