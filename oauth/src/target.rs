//! What a request is sent to, split into what is signed as address and what as parameters.

use form_urlencoded::parse;

/// What becomes of a query in the signature.
///
/// IBKR's document says that its parameters are signed like the others, as RFC 5849 has it. The client that most people
/// use signs the address without them and leaves them out, another puts the whole address in, and all three are
/// answered. What has run for years with the most users is taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Query {
    /// It is not signed.
    #[default]
    LeftOut,
    /// Its parameters are signed among the others (RFC 5849 §3.4.1.3).
    Merged,
    /// It stays in the address.
    InAddress,
}

/// The address of a request, as it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    address: String,
    parameters: Vec<(String, String)>,
}

impl Target {
    /// Splits an address. It must be the one that is called, letter for letter, with the true name of the host: IBKR
    /// has several, and compares. A fragment is never sent, and so is not signed.
    pub fn new(address: &str, query: Query) -> Self {
        let whole = address.split('#').next().unwrap_or_default();
        let (path, parameters) = whole.split_once('?').unwrap_or((whole, ""));
        match query {
            Query::LeftOut => Self::bare(path),
            Query::InAddress => Self::bare(whole),
            Query::Merged => {
                let parameters = parse(parameters.as_bytes()).into_owned().collect();
                Self { address: path.to_owned(), parameters }
            }
        }
    }

    fn bare(address: &str) -> Self {
        Self { address: address.to_owned(), parameters: Vec::new() }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://api.ibkr.com/v1/api/x?fields=31,84&q=a%20b+c&empty=#top";

    #[test]
    fn a_query_is_left_out_merged_or_kept() {
        let bare = "https://api.ibkr.com/v1/api/x";
        let left_out = Target::new(ADDRESS, Query::default());
        assert_eq!((left_out.address(), left_out.parameters().len()), (bare, 0));
        let kept = Target::new(ADDRESS, Query::InAddress);
        assert_eq!(kept.address(), ADDRESS.trim_end_matches("#top"));
        assert!(kept.parameters().is_empty());
        let merged = Target::new(ADDRESS, Query::Merged);
        let pairs = [("fields", "31,84"), ("q", "a b c"), ("empty", "")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((merged.address(), merged.parameters()), (bare, &pairs[..]));
    }
}
