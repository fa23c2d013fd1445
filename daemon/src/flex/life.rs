//! What follows from what the Flex service said: one pure table.

use std::time::Duration;

use ibd_cpapi::flex::{Class, class};

/// Which of the two calls is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The statement is asked for.
    Send,
    /// It is fetched by its reference.
    Get,
}

/// What a call came to, as far as the table is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A reference.
    Reference,
    /// A code.
    Code(u32),
    /// No connection, a web page, half a statement.
    Broken,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// Failures in a row that another try may mend.
    pub failed: u32,
    /// Throttled in a row.
    pub throttled: u32,
    /// Times the service was still at it.
    pub polls: u32,
    /// The reference was lost once already.
    pub restarted: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The same call again, or the next one, after a pause.
    After(Step, Duration),
    /// Not now: a later call goes on with the same reference.
    Leave,
    /// It is over; the reference is of no use.
    GiveUp,
}

/// Between tries that may work.
const PAUSES: [u64; 3] = [5, 15, 45];
/// Throttled: the first pause; doubles.
const THROTTLED: u64 = 60;
const MAX_THROTTLED: u32 = 3;
/// IBKR takes seconds to minutes: often at first, then less so.
const MAX_POLLS: u32 = 60;

/// What follows, and how far the run is then.
pub fn next(step: Step, sign: Sign, before: Tries) -> (Next, Tries) {
    let mut tries = before;
    let seconds = Duration::from_secs;
    let sign_class = match sign {
        Sign::Reference => {
            let tries = Tries { restarted: before.restarted, ..Tries::default() };
            return (Next::After(Step::Get, seconds(1)), tries);
        }
        Sign::Code(code) => class(code),
        Sign::Broken => Class::Transient,
    };
    let next = match sign_class {
        Class::Pending => {
            tries =
                Tries { polls: before.polls + 1, restarted: before.restarted, ..Tries::default() };
            let pause = if tries.polls <= 5 { 2 } else { 8 };
            // While it is asked for, nothing can be under way yet.
            match (step, tries.polls > MAX_POLLS) {
                (_, true) => Next::Leave,
                (step, false) => Next::After(step, seconds(pause)),
            }
        }
        Class::Transient => {
            tries.failed += 1;
            match PAUSES.get(before.failed as usize) {
                Some(pause) => Next::After(step, seconds(*pause)),
                None => match step {
                    Step::Send => Next::GiveUp,
                    Step::Get => Next::Leave,
                },
            }
        }
        Class::Throttle => {
            tries.throttled += 1;
            if tries.throttled > MAX_THROTTLED {
                Next::Leave
            } else {
                Next::After(step, seconds(THROTTLED << before.throttled))
            }
        }
        Class::Restart if step == Step::Get && !before.restarted => {
            tries = Tries { restarted: true, ..Tries::default() };
            Next::After(Step::Send, seconds(2))
        }
        Class::Restart | Class::Permanent => Next::GiveUp,
    };
    (next, tries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(step: Step, seconds: u64) -> Next {
        Next::After(step, Duration::from_secs(seconds))
    }

    #[test]
    fn the_table() {
        let new = Tries::default();
        let again = Tries { failed: 2, ..new };
        let spent = Tries { failed: 3, ..new };
        for (step, sign, tries, expected) in [
            (Step::Send, Sign::Reference, new, after(Step::Get, 1)),
            (Step::Send, Sign::Code(1001), new, after(Step::Send, 5)),
            (Step::Send, Sign::Code(1009), again, after(Step::Send, 45)),
            (Step::Send, Sign::Broken, spent, Next::GiveUp),
            (Step::Get, Sign::Broken, spent, Next::Leave),
            (Step::Get, Sign::Code(1019), new, after(Step::Get, 2)),
            (Step::Get, Sign::Code(1019), Tries { polls: 60, ..new }, Next::Leave),
            (Step::Get, Sign::Code(1003), new, Next::GiveUp),
            (Step::Send, Sign::Code(1012), new, Next::GiveUp),
            (Step::Get, Sign::Code(1018), new, after(Step::Get, 60)),
            (Step::Get, Sign::Code(1018), Tries { throttled: 2, ..new }, after(Step::Get, 240)),
            (Step::Get, Sign::Code(1018), Tries { throttled: 3, ..new }, Next::Leave),
            (Step::Get, Sign::Code(1017), new, after(Step::Send, 2)),
            (Step::Get, Sign::Code(1017), Tries { restarted: true, ..new }, Next::GiveUp),
        ] {
            assert_eq!(next(step, sign, tries).0, expected, "{step:?} {sign:?} {tries:?}");
        }
    }

    #[test]
    fn a_lost_reference_is_asked_for_anew_once() {
        let (_, tries) = next(Step::Get, Sign::Code(1017), Tries::default());
        let (_, tries) = next(Step::Send, Sign::Reference, tries);
        assert_eq!(next(Step::Get, Sign::Code(1017), tries).0, Next::GiveUp);
    }
}
