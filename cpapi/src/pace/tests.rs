//! The budget, decision by decision, and under a storm of delays.

use super::*;

const DATA: Want = Want { endpoint: "data", window: None, lane: Lane::Data };
const VITAL: Want = Want { endpoint: "vital", window: None, lane: Lane::Vital };
const TICKLE: Want =
    Want { endpoint: "tickle", window: Some(Window::one_in(1)), lane: Lane::Tickle };
const SLOW: Want = Want { endpoint: "slow", window: Some(Window::one_in(5)), lane: Lane::Data };

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[tokio::test]
async fn room_in_flight_is_kept_for_orders() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    for _ in 0..3 {
        assert_eq!(pace.admit(now, &DATA), Verdict::Go);
    }
    assert_eq!(pace.admit(now, &DATA), Verdict::AfterAnswer);
    assert_eq!(pace.admit(now, &VITAL), Verdict::Go);
    assert_eq!(pace.admit(now, &VITAL), Verdict::AfterAnswer);
}

#[tokio::test]
async fn a_place_comes_back_one_second_after_the_answer() {
    let (mut pace, start) = (Pace::default(), Instant::now());
    for n in 0..9 {
        let now = start + ms(n * 10);
        assert_eq!(pace.admit(now, &DATA), Verdict::Go);
        pace.over(now + ms(5), &DATA, Ending::Over);
    }
    assert_eq!(pace.admit(start + ms(100), &DATA), Verdict::Until(start + ms(1005)));
    assert_eq!(pace.admit(start + ms(100), &VITAL), Verdict::Go, "the tenth is kept");
    assert_eq!(pace.admit(start + ms(1014), &DATA), Verdict::Until(start + ms(1015)));
    assert_eq!(pace.admit(start + ms(1015), &DATA), Verdict::Go);
}

#[tokio::test]
async fn an_endpoint_has_its_own_window() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    assert_eq!(pace.admit(now, &SLOW), Verdict::Go);
    assert_eq!(pace.admit(now, &SLOW), Verdict::AfterAnswer);
    assert_eq!(pace.opens(now, &SLOW), Some(now + ms(5000)), "at the earliest");
    pace.over(now + ms(100), &SLOW, Ending::Over);
    assert_eq!(pace.admit(now + ms(200), &SLOW), Verdict::Until(now + ms(5100)));
    assert_eq!(pace.opens(now + ms(200), &SLOW), Some(now + ms(5100)));
    assert_eq!(pace.opens(now + ms(5100), &SLOW), None);
    assert_eq!(pace.admit(now + ms(200), &DATA), Verdict::Go);
    assert_eq!(pace.admit(now + ms(5100), &SLOW), Verdict::Go);
}

#[tokio::test]
async fn a_second_refusal_closes_everything_but_the_tickle() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.admit(now, &SLOW);
    pace.over(now, &SLOW, Ending::RateLimited(None));
    assert_eq!(pace.admit(now, &SLOW), Verdict::Penalty(now + ms(10_000)));
    assert_eq!(pace.admit(now, &DATA), Verdict::Go, "one refusal closes one endpoint");
    pace.over(now, &DATA, Ending::RateLimited(None));
    assert_eq!(pace.admit(now, &VITAL), Verdict::Penalty(now + PENALTY));
    assert_eq!(pace.admit(now, &TICKLE), Verdict::Go);
    assert_eq!(pace.admit(now + PENALTY, &VITAL), Verdict::Go);
}

#[tokio::test]
async fn the_broker_may_ask_for_longer() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.admit(now, &DATA);
    pace.over(now, &DATA, Ending::RateLimited(Some(ms(60_000))));
    assert_eq!(pace.admit(now, &DATA), Verdict::Penalty(now + ms(60_000)));
}

#[tokio::test]
async fn what_an_earlier_daemon_asked_still_counts() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.resume_request("slow", now);
    assert_eq!(pace.admit(now, &DATA), Verdict::Until(now + ms(1_000)));
    assert_eq!(pace.admit(now + ms(1_000), &DATA), Verdict::Go);
    assert_eq!(pace.admit(now + ms(1_000), &SLOW), Verdict::Until(now + ms(5_000)));
}

#[tokio::test]
async fn who_signs_has_more_room_and_the_same_windows() {
    let (mut pace, now) = (Pace { limits: Limits::SIGNED, ..Pace::default() }, Instant::now());
    for n in 0..49 {
        assert_eq!(pace.admit(now, &DATA), Verdict::Go, "{n}");
        pace.over(now, &DATA, Ending::Over);
    }
    assert_eq!(pace.admit(now, &DATA), Verdict::Until(now + ms(1_000)));
    assert_eq!(pace.admit(now, &VITAL), Verdict::Go, "the fiftieth is kept");
    pace.over(now, &VITAL, Ending::Over);
    let later = now + ms(1_000);
    for _ in 0..5 {
        assert_eq!(pace.admit(later, &DATA), Verdict::Go);
    }
    assert_eq!(pace.admit(later, &DATA), Verdict::AfterAnswer, "five histories, and no more");
    assert_eq!(pace.admit(later, &VITAL), Verdict::Go);
    let mut pace = Pace { limits: Limits::SIGNED, ..Pace::default() };
    assert_eq!(pace.admit(now, &SLOW), Verdict::Go);
    pace.over(now, &SLOW, Ending::Over);
    assert_eq!(pace.admit(now, &SLOW), Verdict::Until(now + ms(5_000)));
}

/// However long each request is on its way there and back, the server never sees eleven in a second.
#[tokio::test]
async fn eleven_never_arrive_within_a_second() {
    let start = Instant::now();
    for seed in 1..200u64 {
        let arrivals = storm(seed, start);
        for window in arrivals.windows(PER_SECOND + 1) {
            let apart = window[PER_SECOND] - window[0];
            assert!(apart >= SECOND, "seed {seed}: eleven within {apart:?}");
        }
    }
}

/// Two hundred requests, each delayed at random on both ways; their sorted arrivals.
fn storm(seed: u64, start: Instant) -> Vec<Instant> {
    let mut random = seed;
    let mut next = |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % limit
    };
    let (mut pace, mut arrivals) = (Pace::default(), Vec::new());
    let mut running: Vec<(Instant, Want)> = Vec::new();
    let mut now = start;
    while arrivals.len() < 200 {
        running.retain(|(ends, want)| {
            let ended = *ends <= now;
            if ended {
                pace.over(now, want, Ending::Over);
            }
            !ended
        });
        let want = if next(4) == 0 { VITAL } else { DATA };
        if pace.admit(now, &want) == Verdict::Go {
            let arrives = now + ms(next(400));
            arrivals.push(arrives);
            running.push((arrives + ms(next(100)), want));
        }
        now += ms(1 + next(5));
    }
    arrivals.sort();
    arrivals
}
