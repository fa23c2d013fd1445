use super::*;

/// A Saturday between two sessions.
const SATURDAY: &str = "2026-11-21T15:00:00Z";
const MONDAY: &str = "2026-11-23T15:00:00Z";

/// The scene of one moment, at which it is asked for, with a last price that is so and was updated then.
fn at(moment: &str, last_is: Option<LastIs>, updated: &str) -> Scene {
    let hours = r#"{"zone":"US/Eastern","regular":[["2026-11-20T14:30:00Z","2026-11-20T21:00:00Z"],
        ["2026-11-23T14:30:00Z","2026-11-23T21:00:00Z"]],"extended":[]}"#;
    let now: Timestamp = moment.parse().unwrap();
    let told = Told {
        last: Some(decimal("100")),
        last_is,
        data: Some(Data::Live),
        updated: Some(updated.parse().unwrap()),
        ..Told::default()
    };
    Scene {
        at: Some(now),
        quote: Quote { at: Some(now), told, ..super::scene().quote },
        hours: serde_json::from_str(hours).unwrap(),
        ..super::scene()
    }
}

fn vetted(order: Order, scene: &Scene) -> Result<Vetted, Denial> {
    vet(order, scene, &rules(&[]), Counts::default(), scene.at.unwrap())
}

#[test]
fn what_goes_into_a_market_that_is_closed_or_halted_says_so_and_by_what_it_was_judged() {
    let limit = Pricing::Limit(price("100"));
    let closed = || at(SATURDAY, Some(LastIs::Close), SATURDAY);
    let paper = |order: Order| Order { paper: true, ..order };
    let buy = |pricing| order(Side::Buy, "1", pricing);
    for (order, scene, words, wants_person, market_is) in [
        (buy(limit), at(MONDAY, None, MONDAY), &[][..], false, None),
        // Nothing was traded today; the market is open all the same.
        (buy(limit), at(MONDAY, Some(LastIs::Close), MONDAY), &[], false, None),
        (
            buy(limit),
            closed(),
            &["2026-11-23T14:30:00Z", "nothing is filled before", "a person must approve"],
            true,
            Some(PriceIs::Closed),
        ),
        (
            paper(buy(limit)),
            closed(),
            &["nothing is filled before it opens"],
            false,
            Some(PriceIs::Closed),
        ),
        (
            buy(Pricing::Market),
            closed(),
            &["a MKT order waits for the opening"],
            false,
            Some(PriceIs::Closed),
        ),
        // Its last price is a trade, and from before the close.
        (
            buy(limit),
            at(SATURDAY, None, "2026-11-21T00:59:00Z"),
            &["The market is closed"],
            true,
            Some(PriceIs::Closed),
        ),
        // What trades is not closed, whatever a schedule says.
        (buy(limit), at(SATURDAY, None, SATURDAY), &[], false, None),
        (
            buy(Pricing::Market),
            at(MONDAY, Some(LastIs::Halted), MONDAY),
            &["AAPL is halted", "at whatever price"],
            false,
            Some(PriceIs::Halted),
        ),
    ] {
        let what = order.shown();
        let vetted = vetted(order, &scene).unwrap();
        let said = vetted.warnings().join(" ");
        assert!(words.iter().all(|word| said.contains(word)), "{what}: {said}");
        assert_eq!(said.is_empty(), words.is_empty(), "{what}: {said}");
        assert_eq!(vetted.wants_person(), wants_person, "{what}");
        assert_eq!(vetted.worth().market_is, market_is, "{what}");
    }
}

#[test]
fn a_collar_is_held_against_the_close_only_while_the_market_is_closed() {
    let limit = |price_: &str| order(Side::Buy, "1", Pricing::Limit(price(price_)));
    let code = |order: Order, scene: &Scene| match vetted(order, scene) {
        Ok(vetted) if vetted.wants_person() => "a person".to_owned(),
        Ok(_) => "vetted".to_owned(),
        Err(denial) => denial.code.to_string(),
    };
    let with = |moment: &str, is_live: bool, is_of_the_close: bool| {
        let mut scene = at(moment, Some(LastIs::Close), moment);
        scene.quote.is_live = is_live;
        scene.quote.told.is_of_the_close = is_of_the_close;
        scene
    };
    for (moment, is_live, is_of_the_close, expected) in [
        (MONDAY, true, false, "vetted"),
        (MONDAY, false, true, "no_fresh_quote"),
        (MONDAY, false, false, "no_fresh_quote"),
        (SATURDAY, true, false, "a person"),
        (SATURDAY, false, true, "a person"),
        // Late prices are none, also on a Saturday.
        (SATURDAY, false, false, "no_fresh_quote"),
    ] {
        let scene = with(moment, is_live, is_of_the_close);
        assert_eq!(code(limit("100"), &scene), expected, "{moment} {is_live} {is_of_the_close}");
    }
    assert_eq!(code(limit("120"), &with(SATURDAY, true, false)), "price_off_market");
}
