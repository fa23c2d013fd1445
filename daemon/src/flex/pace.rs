//! IBKR's limits for one token: a request a second, ten a minute.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

const BETWEEN: Duration = Duration::from_millis(1_100);
const MINUTE: Duration = Duration::from_secs(61);
const IN_A_MINUTE: usize = 10;

/// When requests go. Each has its turn, in the order in which they were asked for.
#[derive(Debug)]
pub struct Pace {
    turns: VecDeque<Instant>,
}

impl Pace {
    /// Of what was sent by a daemon before us nothing is known but that it may have been just now.
    pub fn new(now: Instant) -> Self {
        Self { turns: VecDeque::from([now]) }
    }

    /// The turn of a request that should go at `wanted`.
    pub fn turn(&mut self, wanted: Instant) -> Instant {
        let mut turn = wanted;
        if let Some(last) = self.turns.back() {
            turn = turn.max(*last + BETWEEN);
        }
        if self.turns.len() >= IN_A_MINUTE {
            turn = turn.max(self.turns[self.turns.len() - IN_A_MINUTE] + MINUTE);
        }
        self.turns.push_back(turn);
        while self.turns.len() > IN_A_MINUTE {
            self.turns.pop_front();
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_a_second_and_ten_a_minute() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        let turns: Vec<Duration> =
            std::iter::repeat_with(|| pace.turn(now) - now).take(30).collect();
        assert_eq!(turns[0], BETWEEN);
        assert!(turns.windows(2).all(|two| two[1] - two[0] >= BETWEEN), "{turns:?}");
        assert!(turns.windows(11).all(|many| many[10] - many[0] >= MINUTE), "{turns:?}");
    }
}
