//! What the Flex Web Service says when there is no statement.

/// Every published code: number, IBKR's text.
const CODES: [(u16, &str); 20] = [
    (1001, "Statement could not be generated at this time. Please try again shortly."),
    (1003, "Statement is not available."),
    (1004, "Statement is incomplete at this time. Please try again shortly."),
    (1005, "Settlement data is not ready at this time. Please try again shortly."),
    (1006, "FIFO P/L data is not ready at this time. Please try again shortly."),
    (1007, "MTM P/L data is not ready at this time. Please try again shortly."),
    (1008, "MTM and FIFO P/L data is not ready at this time. Please try again shortly."),
    (
        1009,
        "The server is under heavy load. Statement could not be generated at this time. Please try again shortly.",
    ),
    (1010, "Legacy Flex Queries are no longer supported. Please convert over to Activity Flex."),
    (1011, "Service account is inactive."),
    (1012, "Token has expired."),
    (1013, "IP restriction."),
    (1014, "Query is invalid."),
    (1015, "Token is invalid."),
    (1016, "Account in invalid."),
    (1017, "Reference code is invalid."),
    (1018, "Too many requests have been made from this token. Please try again shortly."),
    (1019, "Statement generation in progress. Please try again shortly."),
    (1020, "Invalid request or unable to validate request."),
    (1021, "Statement could not be retrieved at this time. Please try again shortly."),
];

/// One of the published codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Code(u16);

impl Code {
    pub(crate) const NOT_GENERATED: Self = Self(1001);
    pub(crate) const NOT_AVAILABLE: Self = Self(1003);
    pub(crate) const EXPIRED: Self = Self(1012);
    pub(crate) const IP: Self = Self(1013);
    pub(crate) const QUERY: Self = Self(1014);
    pub(crate) const TOKEN: Self = Self(1015);
    pub(crate) const REFERENCE: Self = Self(1017);
    pub(crate) const TOO_MANY: Self = Self(1018);
    pub(crate) const IN_PROGRESS: Self = Self(1019);
    pub(crate) const REQUEST: Self = Self(1020);

    /// A number that is published.
    pub(crate) fn new(number: u16) -> Result<Self, String> {
        let known = CODES.iter().any(|row| row.0 == number);
        known.then_some(Self(number)).ok_or_else(|| format!("flex: there is no code {number}"))
    }

    pub(crate) fn number(self) -> u16 {
        self.0
    }

    pub(crate) fn text(self) -> &'static str {
        CODES.iter().find(|row| row.0 == self.0).map_or("", |row| row.1)
    }

    /// `Warn` for what is only not ready, else `Fail`.
    pub(crate) fn status(self) -> &'static str {
        if self == Self::IN_PROGRESS { "Warn" } else { "Fail" }
    }

    /// Only the second call gives it.
    pub(crate) fn is_about_a_reference(self) -> bool {
        self == Self::REFERENCE || self == Self::IN_PROGRESS
    }
}
