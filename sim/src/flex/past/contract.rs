//! How statements name a contract.

use jiff::civil::Date;

use crate::flex::dec::Dec;
use crate::instruments::{Instrument, month_letter};

/// What a statement says about a contract.
pub(crate) trait Identity {
    fn category(&self) -> &str;
    fn sub_category(&self) -> &str;
    /// `AAPL`, `AAPL  261218C00270000`, `ESZ6`, `ESZ6 C6600`, `EUR.USD`.
    fn ticker(&self) -> String;
    /// The company, or the contract.
    fn title(&self) -> String;
    /// Invented, with a true check digit; stocks only.
    fn isin(&self) -> String;
    fn units(&self) -> Dec;
    fn expiry(&self) -> Option<Date>;
    /// `C` or `P`.
    fn right(&self) -> &'static str;
    fn strike(&self) -> Option<Dec>;
}

impl Identity for Instrument {
    fn category(&self) -> &str {
        &self.sec_type
    }

    fn sub_category(&self) -> &str {
        if !self.is("STK") {
            ""
        } else if self.class == "ETF" {
            "ETF"
        } else {
            "COMMON"
        }
    }

    fn ticker(&self) -> String {
        let Some(derivative) = &self.derivative else {
            return if self.is("CASH") { self.name.clone() } else { self.symbol.clone() };
        };
        let expiry = derivative.expiry;
        match derivative.option {
            Some(option) => self.option_symbol(expiry, option),
            None => format!("{}{}{}", self.symbol, month_letter(expiry), expiry.year() % 10),
        }
    }

    fn title(&self) -> String {
        let Some(derivative) = &self.derivative else { return self.name.clone() };
        let day = derivative.expiry.strftime("%d%b%y").to_string().to_uppercase();
        match derivative.option {
            Some((right, strike)) => {
                format!("{} {day} {strike} {}", self.symbol, right.letter())
            }
            None => format!("{} {day}", self.symbol),
        }
    }

    fn isin(&self) -> String {
        if !self.is("STK") {
            return String::new();
        }
        let body = format!("{:<2}{:09}", self.country, self.conid % 1_000_000_000);
        let digit = check_digit(&body);
        format!("{body}{digit}")
    }

    fn units(&self) -> Dec {
        Dec::near(self.size(), 4)
    }

    fn expiry(&self) -> Option<Date> {
        self.derivative.as_ref().map(|derivative| derivative.expiry)
    }

    fn right(&self) -> &'static str {
        let option = self.derivative.as_ref().and_then(|derivative| derivative.option);
        option.map_or("", |(right, _)| right.letter())
    }

    fn strike(&self) -> Option<Dec> {
        let option = self.derivative.as_ref().and_then(|derivative| derivative.option);
        option.map(|(_, strike)| Dec::near(strike, 4))
    }
}

/// Luhn's, over letters turned into numbers.
fn check_digit(body: &str) -> u32 {
    let digits: Vec<u32> = body
        .chars()
        .filter_map(|letter| letter.to_digit(36))
        .flat_map(|value| if value > 9 { vec![value / 10, value % 10] } else { vec![value] })
        .collect();
    let doubled = digits.iter().rev().enumerate().map(|(at, digit)| {
        let value = if at % 2 == 0 { digit * 2 } else { *digit };
        value / 10 + value % 10
    });
    (10 - doubled.sum::<u32>() % 10) % 10
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_digit_is_that_of_true_isins() {
        assert_eq!(super::check_digit("US037833100"), 5);
        assert_eq!(super::check_digit("DE000716460"), 0);
    }
}
