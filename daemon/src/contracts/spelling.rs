//! Symbols as people and other houses write them, in IBKR's. Pure.

use ibd_cpapi::contracts::Right;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::expiry;

/// Exchanges in front of a symbol, as charts and news pages write them: `LON:VOD`.
const PREFIXES: &[(&str, &str)] = &[
    ("NASDAQ", "NASDAQ"),
    ("NYSE", "NYSE"),
    ("AMEX", "AMEX"),
    ("NYSEARCA", "ARCA"),
    ("ARCA", "ARCA"),
    ("LON", "LSE"),
    ("LSE", "LSE"),
    ("ETR", "IBIS"),
    ("XETR", "IBIS"),
    ("XETRA", "IBIS"),
    ("FRA", "FWB"),
    ("EPA", "SBF"),
    ("EURONEXT", "SBF"),
    ("AMS", "AEB"),
    ("SWX", "EBS"),
    ("SIX", "EBS"),
    ("BIT", "BVME"),
    ("BME", "BM"),
    ("TYO", "TSEJ"),
    ("HKG", "SEHK"),
    ("HKEX", "SEHK"),
    ("TSX", "TSE"),
    ("ASX", "ASX"),
    ("STO", "SFB"),
    ("SGX", "SGX"),
];
/// Exchanges behind a symbol: `SAP.DE`. None of them is a class of shares.
const SUFFIXES: &[(&str, &str)] = &[
    ("DE", "IBIS"),
    ("F", "FWB"),
    ("L", "LSE"),
    ("PA", "SBF"),
    ("AS", "AEB"),
    ("BR", "ENEXT.BE"),
    ("SW", "EBS"),
    ("MI", "BVME"),
    ("MC", "BM"),
    ("T", "TSEJ"),
    ("HK", "SEHK"),
    ("TO", "TSE"),
    ("AX", "ASX"),
    ("ST", "SFB"),
    ("CO", "CPH"),
    ("HE", "HEX"),
    ("OL", "OSE"),
    ("VI", "VSE"),
    ("SI", "SGX"),
    ("MX", "MEXI"),
];
/// Indices by other houses' names.
const INDICES: &[(&str, &str)] = &[
    ("^GSPC", "SPX"),
    ("^SPX", "SPX"),
    ("^DJI", "INDU"),
    ("^IXIC", "COMP"),
    ("^NDX", "NDX"),
    ("^RUT", "RUT"),
    ("^VIX", "VIX"),
    ("^GDAXI", "DAX"),
    ("^STOXX50E", "ESTX50"),
    ("^N225", "N225"),
];

/// What a symbol says, in IBKR's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spelled {
    /// The symbol, in capitals; of an option the underlying's.
    pub symbol: String,
    /// The listing exchange, where the symbol names one.
    pub exchange: Option<String>,
    /// The option that it names (OSI).
    pub option: Option<(Date, Right, Decimal)>,
}

/// Reads a symbol in any of its forms.
pub fn read(text: &str) -> Spelled {
    let plain = text.trim().to_uppercase();
    if let Some((_, own)) = INDICES.iter().find(|(name, _)| *name == plain) {
        return Spelled { symbol: (*own).to_owned(), ..Spelled::default() };
    }
    let plain = plain.strip_prefix('$').unwrap_or(&plain);
    // A pair of currencies, and a listing in the United States, elsewhere.
    let plain = plain.strip_suffix("=X").or(plain.strip_suffix(".US")).unwrap_or(plain);
    if let Some(option) = osi(plain) {
        return option;
    }
    if let Some((front, symbol)) = plain.split_once(':')
        && let Some(exchange) = named(PREFIXES, front)
    {
        return Spelled { exchange: Some(exchange.to_owned()), ..bare(symbol.trim()) };
    }
    if let Some((symbol, end)) = plain.rsplit_once('.')
        && let Some(exchange) = named(SUFFIXES, end)
        && !symbol.is_empty()
    {
        // Hong Kong's are written with zeros in front elsewhere.
        let own = if end == "HK" { symbol.trim_start_matches('0') } else { symbol };
        return Spelled { exchange: Some(exchange.to_owned()), ..bare(own) };
    }
    bare(plain)
}

fn bare(symbol: &str) -> Spelled {
    Spelled { symbol: symbol.to_owned(), ..Spelled::default() }
}

/// The exchange that a word stands for.
fn named(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == word.trim()).map(|(_, exchange)| *exchange)
}

/// `AAPL  270115C00270000`, with or without the blanks.
fn osi(text: &str) -> Option<Spelled> {
    let tail = text.len().checked_sub(15).filter(|at| text.is_char_boundary(*at))?;
    let (symbol, tail) = text.split_at(tail);
    let symbol = symbol.trim();
    let (day, rest) = tail.split_at_checked(6)?;
    let (right, strike) = rest.split_at_checked(1)?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_symbol = !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_symbol || !is_number(day) || !is_number(strike) || !matches!(right, "C" | "P") {
        return None;
    }
    let strike = Decimal::new(strike.parse().ok()?, 3).normalize();
    let day = expiry::day(&format!("20{day}"))?;
    Some(Spelled { option: Some((day, right.parse().ok()?, strike)), ..bare(symbol) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_read_however_it_is_written() {
        for (text, symbol, exchange) in [
            ("aapl", "AAPL", None),
            ("$AAPL", "AAPL", None),
            ("NASDAQ:AAPL", "AAPL", Some("NASDAQ")),
            ("nyse: BRK.B", "BRK.B", Some("NYSE")),
            ("SAP.DE", "SAP", Some("IBIS")),
            ("7203.T", "7203", Some("TSEJ")),
            ("0700.HK", "700", Some("SEHK")),
            ("VOD.L", "VOD", Some("LSE")),
            ("AAPL.US", "AAPL", None),
            ("BRK.B", "BRK.B", None),
            ("BRK B", "BRK B", None),
            ("EUR.USD", "EUR.USD", None),
            ("EURUSD=X", "EURUSD", None),
            ("^GSPC", "SPX", None),
            (".DE", ".DE", None),
            ("FOO:BAR", "FOO:BAR", None),
        ] {
            let read = read(text);
            assert_eq!(
                (read.symbol.as_str(), read.exchange.as_deref()),
                (symbol, exchange),
                "{text}"
            );
            assert_eq!(read.option, None);
        }
    }

    #[test]
    fn an_option_is_read_from_its_osi_name() {
        for text in ["AAPL  270115C00270000", "aapl270115c00270000"] {
            let read = read(text);
            let option = read.option.map(|(day, right, strike)| format!("{day} {right} {strike}"));
            assert_eq!(
                (read.symbol.as_str(), option.as_deref()),
                ("AAPL", Some("2027-01-15 C 270"))
            );
        }
        for text in
            ["AAPL271315C00270000", "270115C00270000", "AAPL270115X00270000", "ÄÖ270115C0027000"]
        {
            assert_eq!(read(text).option, None, "{text}");
        }
    }
}
