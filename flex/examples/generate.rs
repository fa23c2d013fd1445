//! Writes a statement like IBKR's, of any size: `generate SIZE_MB SEED > file.xml`.
//!
//! The same arguments give the same bytes. All is invented; what hangs together in a true statement
//! (quantity, price and proceeds, a position and its value) does so here.

#![allow(clippy::print_stdout, missing_docs)]

use std::io::{self, BufWriter, Write};

const DAYS: u64 = 304;

/// Symbol, name, conid, ISIN, currency, country, exchange.
const STOCKS: [[&str; 7]; 10] = [
    ["AAPL", "APPLE INC", "265598", "US0378331005", "USD", "US", "NASDAQ"],
    ["MSFT", "MICROSOFT CORP", "272093", "US5949181045", "USD", "US", "NASDAQ"],
    ["T", "AT&amp;T INC", "37018770", "US00206R1023", "USD", "US", "NYSE"],
    ["SAP", "SAP SE", "14204", "DE0007164600", "EUR", "DE", "IBIS"],
    ["NESN", "NESTLE SA-REG", "38576487", "CH0038863350", "CHF", "CH", "EBS"],
    ["SHEL", "SHELL PLC", "541079309", "GB00BP6MXD84", "GBP", "GB", "LSE"],
    ["7203", "TOYOTA MOTOR CORP", "13905863", "JP3633400001", "JPY", "JP", "TSEJ"],
    ["BN", "DANONE", "29612249", "FR0000120644", "EUR", "FR", "SBF"],
    ["VWRL", "VANG FTSE AW USDD", "104545410", "IE00B3RBWM25", "USD", "IE", "LSEETF"],
    ["RY", "ROYAL BANK OF CANADA", "4458964", "CA7800871021", "CAD", "CA", "TSE"],
];

const RATES: [(&str, &str); 6] = [
    ("USD", "1"),
    ("EUR", "1.08415"),
    ("CHF", "1.13321"),
    ("GBP", "1.29077"),
    ("JPY", "0.0065713"),
    ("CAD", "0.71294"),
];

/// The rest of the attributes of a trade with all boxes ticked, most of them empty, as they are.
const REST: &str = "acctAlias=\"\" model=\"\" securityIDType=\"ISIN\" figi=\"BBG000B9XRY4\" \
    underlyingConid=\"\" underlyingSymbol=\"\" underlyingSecurityID=\"\" underlyingListingExchange=\"\" \
    strike=\"\" expiry=\"\" putCall=\"\" principalAdjustFactor=\"\" origTradePrice=\"0\" \
    origTradeDate=\"\" origTradeID=\"\" origOrderID=\"0\" origTransactionID=\"0\" clearingFirmID=\"\" \
    relatedTradeID=\"\" relatedTransactionID=\"\" openDateTime=\"\" holdingPeriodDateTime=\"\" \
    whenRealized=\"\" whenReopened=\"\" orderReference=\"\" volatilityOrderLink=\"\" changeInPrice=\"0\" \
    changeInQuantity=\"0\" traderID=\"\" accruedInt=\"0\" initialInvestment=\"\" serialNumber=\"\" \
    deliveryType=\"\" commodityType=\"\" fineness=\"0.0\" weight=\"0.0\"";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// Counts what it lets through.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<f64>());
    let (Some(Ok(size)), Some(Ok(seed))) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other("usage: generate SIZE_MB SEED > file.xml"));
    };
    let mut out = Counted { to: BufWriter::new(io::stdout().lock()), bytes: 0 };
    write_all(&mut out, (size * 1e6) as u64, &mut Dice(seed as u64))?;
    out.flush()
}

fn write_all<W: Write>(out: &mut Counted<W>, size: u64, dice: &mut Dice) -> io::Result<()> {
    write!(
        out,
        "<FlexQueryResponse queryName=\"everything\" type=\"AF\">\n<FlexStatements count=\"1\">\n\
         <FlexStatement accountId=\"U7654321\" fromDate=\"20260101\" toDate=\"20261031\" period=\"\" \
         whenGenerated=\"20261102;003105\">\n\
         <AccountInformation accountId=\"U7654321\" acctAlias=\"\" currency=\"USD\" name=\"J &amp; J Doe\" \
         accountType=\"Individual\" customerType=\"Individual\" dateOpened=\"20230315\" />\n"
    )?;
    nav(out, dice)?;
    positions(out, dice)?;
    trades(out, size * 85 / 100, dice)?;
    cash(out, size.saturating_sub(60_000), dice)?;
    rates(out)?;
    write!(out, "</FlexStatement>\n</FlexStatements>\n</FlexQueryResponse>\n")
}

/// A day of 2026, as `yyyyMMdd`.
fn day(number: u64) -> String {
    let mut rest = number % DAYS;
    for (month, days) in [31, 28, 31, 30, 31, 30, 31, 31, 30, 31].into_iter().enumerate() {
        if rest < days {
            return format!("2026{:02}{:02}", month + 1, rest + 1);
        }
        rest -= days;
    }
    "20261031".to_owned()
}

fn rate(currency: &str) -> &'static str {
    RATES.iter().find(|(name, _)| *name == currency).map_or("1", |(_, rate)| rate)
}

/// Hundredths as a decimal.
fn cents(value: i64) -> String {
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    match value % 100 {
        0 => format!("{sign}{}", value / 100),
        rest => format!("{sign}{}.{rest:02}", value / 100),
    }
}

fn nav<W: Write>(out: &mut Counted<W>, dice: &mut Dice) -> io::Result<()> {
    writeln!(out, "<EquitySummaryInBase>")?;
    let mut total = 100_000_000_i64;
    for number in 0..DAYS {
        total += dice.roll(2_000_000) as i64 - 950_000;
        let cash = total / 5;
        writeln!(
            out,
            "<EquitySummaryByReportDateInBase accountId=\"U7654321\" acctAlias=\"\" model=\"\" \
             currency=\"USD\" reportDate=\"{}\" cash=\"{}\" stock=\"{}\" options=\"0\" bonds=\"0\" \
             funds=\"0\" dividendAccruals=\"0\" interestAccruals=\"0\" total=\"{}\" />",
            day(number),
            cents(cash),
            cents(total - cash),
            cents(total)
        )?;
    }
    writeln!(out, "</EquitySummaryInBase>")
}

fn positions<W: Write>(out: &mut Counted<W>, dice: &mut Dice) -> io::Result<()> {
    writeln!(out, "<OpenPositions>")?;
    for [symbol, name, conid, isin, currency, country, exchange] in STOCKS {
        let (held, price, cost) =
            (dice.roll(900) as i64 + 1, dice.roll(30_000) as i64 + 100, dice.roll(30_000) as i64);
        writeln!(
            out,
            "<OpenPosition accountId=\"U7654321\" acctAlias=\"\" model=\"\" currency=\"{currency}\" \
             fxRateToBase=\"{}\" assetCategory=\"STK\" subCategory=\"COMMON\" symbol=\"{symbol}\" \
             description=\"{name}\" conid=\"{conid}\" securityID=\"{isin}\" securityIDType=\"ISIN\" \
             isin=\"{isin}\" listingExchange=\"{exchange}\" issuerCountryCode=\"{country}\" \
             multiplier=\"1\" reportDate=\"20261031\" position=\"{held}\" markPrice=\"{}\" \
             positionValue=\"{}\" openPrice=\"{}\" costBasisPrice=\"{}\" costBasisMoney=\"{}\" \
             percentOfNAV=\"4.2\" fifoPnlUnrealized=\"{}\" side=\"Long\" levelOfDetail=\"SUMMARY\" \
             openDateTime=\"\" holdingPeriodDateTime=\"\" code=\"\" originatingOrderID=\"\" \
             originatingTransactionID=\"\" accruedInt=\"\" />",
            rate(currency),
            cents(price),
            cents(held * price),
            cents(cost),
            cents(cost),
            cents(held * cost),
            cents(held * (price - cost)),
        )?;
    }
    writeln!(out, "</OpenPositions>")
}

/// Executions, and every ninth time the order they add up to.
fn trades<W: Write>(out: &mut Counted<W>, until: u64, dice: &mut Dice) -> io::Result<()> {
    writeln!(out, "<Trades>")?;
    let mut number = 800_000_u64;
    while out.bytes < until || number < 800_040 {
        number += 1;
        let [symbol, name, conid, isin, currency, country, exchange] =
            STOCKS[dice.roll(STOCKS.len() as u64) as usize];
        let is_order = number.is_multiple_of(9);
        let (element, level) = if is_order { ("Order", "ORDER") } else { ("Trade", "EXECUTION") };
        let buys = dice.roll(2) == 0;
        let quantity = (dice.roll(500) as i64 + 1) * if buys { 1 } else { -1 };
        let price = dice.roll(40_000) as i64 + 50;
        let profit = if buys { 0 } else { dice.roll(100_000) as i64 - 45_000 };
        let fee = -(dice.roll(300) as i64) - 35;
        let (date, second) = (day(dice.roll(DAYS)), dice.roll(60));
        let id = |known: String| if is_order { String::new() } else { known };
        write!(
            out,
            "<{element} accountId=\"U7654321\" currency=\"{currency}\" fxRateToBase=\"{}\" \
             assetCategory=\"STK\" subCategory=\"COMMON\" symbol=\"{symbol}\" description=\"{name}\" \
             conid=\"{conid}\" securityID=\"{isin}\" cusip=\"\" isin=\"{isin}\" \
             listingExchange=\"{exchange}\" issuer=\"\" issuerCountryCode=\"{country}\" multiplier=\"1\" \
             tradeID=\"{}\" transactionID=\"{}\" ibExecID=\"{}\" reportDate=\"{date}\" \
             tradeDate=\"{date}\" dateTime=\"{date};1430{second:02}\" settleDateTarget=\"{date}\" ",
            rate(currency),
            id(format!("{number}")),
            id(format!("2{number:010}")),
            id(format!("0000e0d5.{number:08x}.01.01")),
        )?;
        write!(
            out,
            "transactionType=\"{}\" exchange=\"{}\" quantity=\"{quantity}\" tradePrice=\"{}\" \
             tradeMoney=\"{}\" proceeds=\"{}\" taxes=\"0\" ibCommission=\"{}\" \
             ibCommissionCurrency=\"{currency}\" netCash=\"{}\" closePrice=\"{}\" \
             openCloseIndicator=\"{}\" notes=\"{}\" cost=\"{}\" fifoPnlRealized=\"{}\" mtmPnl=\"{}\" \
             capitalGainsPnl=\"0\" fxPnl=\"0\" buySell=\"{}\" ibOrderID=\"{}\" \
             brokerageOrderID=\"002ce642.00014e60.65f{number:05x}.0001\" exchOrderId=\"N/A\" \
             extExecID=\"{number}AB\" orderTime=\"{date};1429{second:02}\" orderType=\"LMT\" \
             levelOfDetail=\"{level}\" isAPIOrder=\"N\" ",
            if is_order { "" } else { "ExchTrade" },
            if is_order { "" } else { "IBKRATS" },
            cents(price),
            cents(quantity * price),
            cents(-quantity * price),
            cents(fee),
            cents(-quantity * price + fee),
            cents(price + 7),
            if buys { "O" } else { "C" },
            if number.is_multiple_of(3) { "P" } else { "" },
            cents(quantity * price - profit),
            cents(profit),
            cents(quantity * 7),
            if buys { "BUY" } else { "SELL" },
            number / 9,
        )?;
        writeln!(out, "{REST} />")?;
    }
    writeln!(out, "</Trades>")
}

fn cash<W: Write>(out: &mut Counted<W>, until: u64, dice: &mut Dice) -> io::Result<()> {
    writeln!(out, "<CashTransactions>")?;
    let mut number = 700_000_u64;
    while out.bytes < until || number < 700_080 {
        number += 1;
        let [symbol, name, conid, isin, currency, country, exchange] =
            STOCKS[dice.roll(STOCKS.len() as u64) as usize];
        let gross = dice.roll(90_000) as i64 + 10;
        let (kind, amount, text) = match dice.roll(10) {
            0..4 => (
                "Dividends",
                gross,
                format!(
                    "{symbol}({isin}) CASH DIVIDEND {currency} 0.25 PER SHARE (Ordinary Dividend)"
                ),
            ),
            4..7 => (
                "Withholding Tax",
                -gross * 15 / 100,
                format!("{symbol}({isin}) CASH DIVIDEND {currency} 0.25 PER SHARE - {country} TAX"),
            ),
            7 => (
                "Broker Interest Received",
                gross / 9,
                format!("{currency} CREDIT INT FOR SEP-2026"),
            ),
            8 => ("Other Fees", -gross / 20, "S********21:NASDAQ (NP,L1) FOR OCT 2026".to_owned()),
            _ => (
                "Deposits/Withdrawals",
                gross * 9,
                "CASH RECEIPTS / ELECTRONIC FUND TRANSFERS".to_owned(),
            ),
        };
        let is_of_stock = matches!(kind, "Dividends" | "Withholding Tax");
        let of = |value: &'static str| if is_of_stock { value } else { "" };
        let date = day(dice.roll(DAYS));
        writeln!(
            out,
            "<CashTransaction accountId=\"U7654321\" acctAlias=\"\" model=\"\" currency=\"{currency}\" \
             fxRateToBase=\"{}\" assetCategory=\"{}\" symbol=\"{}\" description=\"{text}\" conid=\"{}\" \
             securityID=\"{}\" securityIDType=\"{}\" isin=\"{}\" listingExchange=\"{}\" issuer=\"\" \
             issuerCountryCode=\"{}\" multiplier=\"0\" dateTime=\"{date};202000\" settleDate=\"{date}\" \
             amount=\"{}\" type=\"{kind}\" tradeID=\"\" code=\"\" transactionID=\"{number}\" \
             reportDate=\"{date}\" clientReference=\"\" actionID=\"\" levelOfDetail=\"DETAIL\" \
             exDate=\"\" />",
            rate(currency),
            of("STK"),
            of(symbol),
            of(conid),
            of(isin),
            of("ISIN"),
            of(isin),
            of(exchange),
            of(country),
            cents(amount),
        )?;
        let _ = name;
    }
    writeln!(out, "</CashTransactions>")
}

fn rates<W: Write>(out: &mut Counted<W>) -> io::Result<()> {
    writeln!(out, "<ConversionRates>")?;
    for number in (0..DAYS).step_by(3) {
        for (currency, rate) in RATES {
            writeln!(
                out,
                "<ConversionRate reportDate=\"{}\" fromCurrency=\"{currency}\" toCurrency=\"USD\" \
                 rate=\"{rate}\" />",
                day(number)
            )?;
        }
    }
    writeln!(out, "</ConversionRates>")
}
