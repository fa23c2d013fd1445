#![allow(clippy::unwrap_used)]

use super::seen::{MISSING, UNLISTED};
use super::*;

fn id(text: &str) -> OrderId {
    text.parse().unwrap()
}

fn part(order_id: &str, status: &str, filled: u32) -> Part {
    Part {
        status: Some(status.into()),
        filled: Some(Decimal::from(filled)),
        ..Part::new(id(order_id))
    }
}

fn group(parts: &[Part]) -> Standing {
    Standing { others: parts.to_vec(), ..Standing::new(id("7"), "Filled") }
}

#[test]
fn a_part_is_followed_until_it_is_over() {
    assert!(!group(&[]).has_open_part());
    assert!(group(&[Part::new(id("8"))]).has_open_part(), "not seen is not over");
    for (status, is_open) in [
        ("PreSubmitted", true),
        ("Submitted", true),
        ("Inactive", true),
        (MISSING, true),
        ("Filled", false),
        ("Cancelled", false),
        (UNLISTED, false),
    ] {
        assert_eq!(group(&[part("8", status, 0)]).has_open_part(), is_open, "{status}");
    }
}

#[test]
fn what_is_over_comes_back_only_with_a_fill_and_fills_never_become_less() {
    let became = |known: Part, news: Part| {
        let known = group(&[known]);
        let part = known.with_parts(&[news]).others.pop().unwrap();
        (part.status.unwrap().to_string(), part.filled.unwrap())
    };
    let as_is = |status: &str, filled: u32| (status.to_owned(), Decimal::from(filled));
    let fill = became(part("8", "Submitted", 0), part("8", "Filled", 10));
    assert_eq!(fill, as_is("Filled", 10));
    let stale = became(part("8", "Filled", 10), part("8", "Submitted", 0));
    assert_eq!(stale, as_is("Filled", 10));
    let stale = became(part("8", "Cancelled", 0), part("8", "Submitted", 0));
    assert_eq!(stale, as_is("Cancelled", 0));
    let late = became(part("8", "Cancelled", 0), part("8", "Filled", 10));
    assert_eq!(late, as_is("Filled", 10), "a cancellation that came too late");
    let late = became(part("8", "Cancelled", 0), part("8", "Submitted", 4));
    assert_eq!(late, as_is("Cancelled", 4), "what was filled before it");
    let back = became(part("8", UNLISTED, 0), part("8", "Submitted", 0));
    assert_eq!(back, as_is("Submitted", 0), "a list was short, and is whole again");
}

#[test]
fn news_of_a_part_is_what_filled_or_what_ended_by_itself() {
    let before = group(&[part("8", "Submitted", 0), part("9", "Submitted", 0)]);
    let news = |parts: &[Part]| {
        let now = before.with_parts(parts);
        now.news_since(&before).iter().map(|id| id.get()).collect::<Vec<_>>()
    };
    assert!(news(&[]).is_empty());
    assert_eq!(news(&[part("8", "Submitted", 4)]), [8]);
    assert_eq!(news(&[part("8", "Filled", 10), part("9", "Cancelled", 0)]), [8]);
    assert_eq!(news(&[part("9", "Cancelled", 0)]), [9], "a position without its stop");
    assert_eq!(news(&[part("9", "Inactive", 0)]), [9]);
    assert_eq!(news(&[part("9", UNLISTED, 0)]), [9]);
    assert_eq!(news(&[part("9", MISSING, 0)]), [9]);
    assert!(news(&[part("10", "PreSubmitted", 0)]).is_empty(), "seen for the first time");

    let cancelled = Standing { status: "Cancelled".into(), ..before.clone() };
    let all = cancelled.with_parts(&[part("8", "Cancelled", 0), part("9", "Cancelled", 0)]);
    assert!(all.news_since(&before).is_empty(), "they went with the first one");
    let entered = Standing { filled: Some(Decimal::from(4)), ..cancelled };
    let stopless = entered.with_parts(&[part("9", "Cancelled", 0)]);
    assert_eq!(stopless.news_since(&entered).len(), 1, "a position is left without its stop");
    let filled = before.with_parts(&[part("8", "Filled", 10)]);
    let other_digits = Part { average: Some(Decimal::ONE), ..part("8", "Filled", 10) };
    assert!(filled.with_parts(&[other_digits]).news_since(&filled).is_empty(), "told once");
    let lost = before.with_parts(&[part("9", MISSING, 0)]);
    let found = lost.with_parts(&[part("9", "Submitted", 0)]);
    assert_eq!(found.news_since(&lost).len(), 1, "it is there again");
}

#[test]
fn a_journal_from_before_parts_were_followed_is_read() {
    let old = r#"{"order_id":7,"others":[8,9],"status":"Filled","filled":"10","average":null,"text":null}"#;
    let standing: Standing = serde_json::from_str(old).unwrap();
    assert_eq!(standing.others, [Part::new(id("8")), Part::new(id("9"))]);
    let again: Standing = serde_json::from_str(&serde_json::to_string(&standing).unwrap()).unwrap();
    assert_eq!(again, standing);
}
