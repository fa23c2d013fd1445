//! The words of a question and what they mean.

use super::{About, By, NotUnderstood};

/// One word of the text.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// As it was written.
    pub(super) text: String,
    pub(super) lower: String,
    /// It means something, or nothing that matters.
    pub(super) is_used: bool,
}

pub(super) fn split(text: &str) -> Vec<Word> {
    const MOST: usize = 200;
    let is_gap =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '?' | '!' | '(' | ')' | '"' | '\'');
    text.replace("’s", "")
        .replace("'s", "")
        .split(is_gap)
        .flat_map(|part| split_range(part.trim_end_matches(['.', ':'])))
        .filter(|part| !part.is_empty())
        .take(MOST)
        .map(|part| Word { lower: part.to_lowercase(), text: part, is_used: false })
        .collect()
}

/// `2025-01..2025-03` and `2025–2026` are two dates with something between.
fn split_range(part: &str) -> Vec<String> {
    for dash in ["..", "…", "–", "—"] {
        if let Some((from, to)) = part.split_once(dash) {
            return vec![from.to_owned(), "to".to_owned(), to.trim_start_matches('.').to_owned()];
        }
    }
    match part.split_once('-') {
        Some((from, to)) if is_year(from) && is_year(to) => {
            vec![from.to_owned(), "to".to_owned(), to.to_owned()]
        }
        _ => vec![part.to_owned()],
    }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())
}

/// An account as IBKR numbers them.
pub(super) fn account(words: &mut [Word]) -> Option<String> {
    let is_account = |word: &Word| {
        let digits = word.text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let letters = word.text.len() - digits.len();
        (1..=3).contains(&letters)
            && (5..=10).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && word.lower.starts_with(['u', 'd', 'f', 'i'])
    };
    let word = words.iter_mut().find(|word| is_account(word))?;
    word.is_used = true;
    Some(word.text.to_uppercase())
}

/// What follows "by" and "per", and "monthly" and the like anywhere.
pub(super) fn by(words: &mut [Word]) -> Vec<By> {
    let mut found = Vec::new();
    let mut is_after_by = false;
    for at in 0..words.len() {
        if words[at].is_used {
            is_after_by = false;
            continue;
        }
        let lower = words[at].lower.clone();
        match lower.as_str() {
            "by" | "per" | "each" => {
                is_after_by = true;
                words[at].is_used = true;
                continue;
            }
            "and" | "then" | "&" | "every" if is_after_by => {
                words[at].is_used = true;
                continue;
            }
            "monthly" => found.push(By::Month),
            "yearly" | "annual" | "annually" => found.push(By::Year),
            list if is_after_by => {
                let parts: Option<Vec<By>> = list.split(['/', '+']).map(grouping).collect();
                match parts {
                    Some(parts) => found.extend(parts),
                    None => {
                        is_after_by = false;
                        continue;
                    }
                }
                if list == "asset" {
                    let next = words.get_mut(at + 1).filter(|next| next.lower.starts_with("class"));
                    next.into_iter().for_each(|next| next.is_used = true);
                }
            }
            _ => continue,
        }
        words[at].is_used = true;
    }
    let mut seen = Vec::new();
    found.retain(|by| {
        let is_new = !seen.contains(by);
        seen.push(*by);
        is_new
    });
    found
}

fn grouping(word: &str) -> Option<By> {
    Some(match word {
        "symbol" | "symbols" | "stock" | "stocks" | "ticker" | "tickers" | "instrument"
        | "security" | "position" | "share" | "company" => By::Symbol,
        "country" | "countries" => By::Country,
        "year" | "years" => By::Year,
        "month" | "months" => By::Month,
        "account" | "accounts" => By::Account,
        "type" | "kind" | "types" => By::Type,
        "asset" | "assetclass" | "class" | "category" => By::AssetClass,
        "currency" | "currencies" => By::Currency,
        _ => return None,
    })
}

/// What the question is about.
pub(super) fn about(words: &mut [Word]) -> Result<About, NotUnderstood> {
    let mut found: Vec<About> = Vec::new();
    let mut is_unrealised = false;
    // What will be, or should, no statement knows.
    let is_advice = |word: &Word| {
        matches!(
            word.lower.as_str(),
            "should" | "will" | "recommend" | "advise" | "predict" | "forecast"
        )
    };
    if words.iter().any(is_advice) {
        return Err(NotUnderstood::Nothing);
    }
    for word in words.iter_mut().filter(|word| !word.is_used) {
        if matches!(word.lower.as_str(), "unrealised" | "unrealized") {
            is_unrealised = true;
            word.is_used = true;
        }
        if let Some(about) = topic(&word.lower) {
            word.is_used = true;
            if !found.contains(&about) {
                found.push(about);
            }
        }
    }
    // "How much did I make on NVDA": nothing else says about what.
    let gains = ["make", "made", "earn", "earned"];
    if found.is_empty() && words.iter().any(|word| gains.contains(&word.lower.as_str())) {
        found.push(About::RealisedPnl);
    }
    if is_unrealised {
        found.retain(|about| !matches!(about, About::RealisedPnl | About::Positions));
        found.push(About::Positions);
    }
    reduce(&mut found);
    match found[..] {
        [one] => Ok(one),
        [] => Err(NotUnderstood::Nothing),
        _ => Err(NotUnderstood::Several(found)),
    }
}

/// "After withholding tax", "before tax", "gross": what is told with its tax is told before and after it.
pub(super) fn around_tax(words: &mut [Word], about: About) {
    if !matches!(about, About::Dividends | About::Interest) {
        return;
    }
    let is_of_tax = |word: &Word| topic(&word.lower) == Some(About::Withholding);
    let is_between = |word: &Word| matches!(word.lower.as_str(), "the" | "any" | "all");
    for at in 0..words.len() {
        let is_meant = match words[at].lower.as_str() {
            "gross" | "after-tax" | "pre-tax" | "pretax" => true,
            "after" | "before" | "less" | "minus" => {
                words[at + 1..].iter().find(|word| !is_between(word)).is_some_and(is_of_tax)
            }
            _ => false,
        };
        words[at].is_used |= is_meant;
    }
}

fn topic(word: &str) -> Option<About> {
    Some(match word {
        "realised" | "realized" | "pnl" | "p&l" | "p/l" | "pl" | "profit" | "profits" | "loss"
        | "losses" | "gain" | "gains" | "gained" | "lose" | "lost" => About::RealisedPnl,
        "dividend" | "dividends" | "distributions" => About::Dividends,
        "withholding" | "withheld" | "tax" | "taxes" => About::Withholding,
        "commission" | "commissions" => About::Commissions,
        "fee" | "fees" | "charges" => About::Fees,
        "cost" | "costs" => About::FeesAndCommissions,
        "interest" => About::Interest,
        "deposit" | "deposits" | "deposited" | "withdrawal" | "withdrawals" | "withdrawn"
        | "withdrew" | "withdraw" | "contributions" | "funding" => About::Deposits,
        "trade" | "trades" | "traded" | "execution" | "executions" | "bought" | "sold" | "buys"
        | "sells" | "buy" | "sell" | "fills" | "transactions" => About::Trades,
        "position" | "positions" | "holding" | "holdings" | "hold" | "held" | "own" | "owned"
        | "portfolio" => About::Positions,
        "performance" | "return" | "returns" | "twr" => About::Performance,
        "nav" | "equity" | "worth" | "asset" | "value" => About::NetAssetValue,
        _ => return None,
    })
}

/// Topics that stand together for one.
fn reduce(found: &mut Vec<About>) {
    use About::*;
    const PAIRS: [(About, About, About); 12] = [
        (Fees, Commissions, FeesAndCommissions),
        (FeesAndCommissions, Fees, FeesAndCommissions),
        (FeesAndCommissions, Commissions, FeesAndCommissions),
        (Dividends, Withholding, Dividends),
        (Interest, Withholding, Interest),
        // "Realised P&L of my trades", "commissions on trades".
        (RealisedPnl, Trades, RealisedPnl),
        (Commissions, Trades, Commissions),
        (Fees, Trades, Fees),
        (FeesAndCommissions, Trades, FeesAndCommissions),
        (Deposits, Trades, Deposits),
        (Dividends, Positions, Dividends),
        (NetAssetValue, Positions, Positions),
    ];
    for (one, other, both) in PAIRS {
        if found.contains(&one) && found.contains(&other) {
            found.retain(|about| *about != one && *about != other);
            found.push(both);
        }
    }
}

/// The word after "symbol", or one in capitals.
pub(super) fn symbol(words: &mut [Word], text: &str) -> Option<String> {
    let after = |name: &str| words.iter().position(|word| word.lower == name).map(|at| at + 1);
    let named = after("symbol").or_else(|| after("ticker"));
    let is_shouted = !text.chars().any(char::is_lowercase);
    let is_capital = |word: &Word| {
        (1..=12).contains(&word.text.len())
            && word.text.starts_with(|c: char| c.is_ascii_uppercase())
            && word.text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.')
            && !matches!(
                word.text.as_str(),
                "I" | "A"
                    | "IBKR"
                    | "IB"
                    | "FIFO"
                    | "FX"
                    | "USD"
                    | "EUR"
                    | "GBP"
                    | "CHF"
                    | "JPY"
                    | "CAD"
                    | "AUD"
                    | "HKD"
                    | "SEK"
                    | "NOK"
                    | "DKK"
                    | "ETF"
                    | "US"
                    | "UK"
            )
    };
    let named = named.filter(|at| words.get(*at).is_some_and(|word| !word.is_used));
    let at = named.or_else(|| {
        let found = words.iter().position(|word| !word.is_used && is_capital(word));
        found.filter(|_| !is_shouted)
    })?;
    words[at].is_used = true;
    Some(words[at].text.to_uppercase())
}

/// Words that meant nothing and are not only there for grammar.
pub(super) fn unused(words: &[Word]) -> Vec<String> {
    const PLAIN: &[&str] = &[
        "a",
        "about",
        "account",
        "accounts",
        "all",
        "amount",
        "amounts",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "been",
        "brokerage",
        "brokers",
        "by",
        "calculate",
        "can",
        "cash",
        "compute",
        "could",
        "date",
        "day",
        "did",
        "display",
        "do",
        "does",
        "during",
        "each",
        "earn",
        "earned",
        "end",
        "ever",
        "far",
        "fifo",
        "find",
        "for",
        "from",
        "get",
        "give",
        "got",
        "had",
        "has",
        "have",
        "history",
        "how",
        "i",
        "ib",
        "ibkr",
        "in",
        "incl",
        "including",
        "interactive",
        "is",
        "it",
        "journal",
        "know",
        "list",
        "made",
        "make",
        "many",
        "me",
        "money",
        "much",
        "my",
        "of",
        "on",
        "or",
        "too",
        "also",
        "open",
        "our",
        "over",
        "overview",
        "paid",
        "pay",
        "period",
        "please",
        "receive",
        "received",
        "report",
        "show",
        "so",
        "source",
        "statement",
        "statements",
        "stock",
        "stocks",
        "sum",
        "summary",
        "symbol",
        "tell",
        "that",
        "the",
        "there",
        "these",
        "ticker",
        "time",
        "to",
        "total",
        "totals",
        "up",
        "value",
        "want",
        "was",
        "we",
        "were",
        "what",
        "which",
        "with",
        "would",
        "year",
        "you",
        "net",
    ];
    let is_plain = |word: &Word| PLAIN.contains(&word.lower.as_str());
    words
        .iter()
        .filter(|word| !word.is_used && !is_plain(word))
        .map(|word| crate::cell::clean(&word.text))
        .collect()
}
