//! The last check, of our own doing: no more requests leave than the journal knows of.
//!
//! One daemon that sent what nobody had entered lost a firm its existence within 45 minutes. So what left
//! the wire's side is counted there, and held against what was let go here.

/// How many requests may have left.
#[derive(Debug, Default)]
pub struct Egress(Option<u64>);

impl Egress {
    /// Whether no more have left than were let go. Another gateway's client counts from its own beginning.
    pub fn holds(&self, left: u64) -> bool {
        self.0.is_none_or(|known| left <= known)
    }

    /// From here it is counted, unless it is already.
    pub fn begin(&mut self, left: u64) {
        self.0.get_or_insert(left);
    }

    /// One more may leave.
    pub fn let_go(&mut self, left: u64) {
        self.0 = Some(left + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_nobody_let_go_is_one_too_many() {
        let mut egress = Egress::default();
        assert!(egress.holds(7), "nothing is known of an earlier desk");
        egress.begin(7);
        assert!(egress.holds(7) && !egress.holds(8), "sent beside the desk");
        egress.let_go(7);
        assert!(egress.holds(7), "it never left");
        assert!(egress.holds(8));
        assert!(!egress.holds(9));
        egress.let_go(7);
        egress.let_go(7);
        assert!(!egress.holds(9), "what did not leave is not saved up");
    }
}
