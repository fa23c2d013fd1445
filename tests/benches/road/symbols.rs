//! Stocks that every simulator has.

pub(crate) const SYMBOLS: [&str; 40] = [
    "AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "GOOG", "META", "TSLA", "IBM", "SPY", "QQQ", "VTI",
    "TLT", "GLD", "IWM", "JPM", "BAC", "GS", "V", "JNJ", "PFE", "LLY", "PG", "KO", "PEP", "WMT",
    "MCD", "DIS", "NFLX", "XOM", "CVX", "INTC", "AMD", "ORCL", "BA", "F", "T", "SIE", "ASML",
    "NESN",
];
