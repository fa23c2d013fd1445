//! Jitter: what many do at the same moment after the same event, they should not repeat in step.

use ring::rand::{SecureRandom, SystemRandom};

/// A factor from 0.75 to 1.25.
pub fn quarter() -> f64 {
    let mut byte = [0];
    // Without random numbers everybody is in step, which is no harm to one machine.
    match SystemRandom::new().fill(&mut byte) {
        Ok(()) => 0.75 + f64::from(byte[0]) / 510.0,
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::quarter;

    #[test]
    fn stays_within_a_quarter() {
        for _ in 0..1_000 {
            let factor = quarter();
            assert!((0.75..=1.25).contains(&factor), "{factor}");
        }
    }
}
