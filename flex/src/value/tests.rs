#![allow(clippy::unwrap_used)]

use jiff::civil::{Date, Time, date as day, time};
use proptest::prelude::*;

use super::*;

fn read(text: &str, order: Order) -> Result<String, BadValue> {
    moment(text, order)
        .map(|moment| moment.map_or_else(|| "-".to_owned(), |moment| moment.to_string()))
}

#[test]
fn every_form_of_a_date_is_read() {
    use Order::{DayFirst, MonthFirst, Unknown};
    for (text, order, expected) in [
        ("20261102", Unknown, "2026-11-02"),
        ("2026-11-02", Unknown, "2026-11-02"),
        ("11/02/2026", MonthFirst, "2026-11-02"),
        ("11/02/26", MonthFirst, "2026-11-02"),
        ("02/11/2026", DayFirst, "2026-11-02"),
        ("02/11/26", DayFirst, "2026-11-02"),
        ("02-NOV-26", Unknown, "2026-11-02"),
        ("2-Nov-2026", Unknown, "2026-11-02"),
        ("13/02/2026", Unknown, "2026-02-13"),
        ("02/13/26", Unknown, "2026-02-13"),
        ("05/05/26", Unknown, "2026-05-05"),
        ("15-Mar-93", Unknown, "1993-03-15"),
        ("20261102;143003", Unknown, "2026-11-02T14:30:03"),
        ("20261102,143003", Unknown, "2026-11-02T14:30:03"),
        ("20261102, 143003", Unknown, "2026-11-02T14:30:03"),
        ("20261102 143003", Unknown, "2026-11-02T14:30:03"),
        ("20261102143003", Unknown, "2026-11-02T14:30:03"),
        ("2026110214:30:03", Unknown, "2026-11-02T14:30:03"),
        ("20261102T143003", Unknown, "2026-11-02T14:30:03"),
        ("2026-11-02;14:30:03", Unknown, "2026-11-02T14:30:03"),
        ("2026-11-02143003", Unknown, "2026-11-02T14:30:03"),
        ("2026-11-0214:30:03", Unknown, "2026-11-02T14:30:03"),
        ("20261102;143003 EST", Unknown, "2026-11-02T14:30:03-05:00"),
        ("2026-06-02;14:30:03 EDT", Unknown, "2026-06-02T14:30:03-04:00"),
        ("2026-06-02T14:30:03+0200", Unknown, "2026-06-02T14:30:03+02:00"),
        ("2026-06-02T14:30:03-04:00", Unknown, "2026-06-02T14:30:03-04:00"),
        ("20260602;143003 GMT", Unknown, "2026-06-02T14:30:03Z"),
        ("20260602;143003 Europe/Zurich", Unknown, "2026-06-02T14:30:03"),
        ("11/02/2026;143003", MonthFirst, "2026-11-02T14:30:03"),
        ("11/02/2026143003", MonthFirst, "2026-11-02T14:30:03"),
        ("11/02/26143003", MonthFirst, "2026-11-02T14:30:03"),
        ("11/02/2614:30:03", MonthFirst, "2026-11-02T14:30:03"),
        ("11/02/202614:30:03", MonthFirst, "2026-11-02T14:30:03"),
        ("02-NOV-26;14:30:03", Unknown, "2026-11-02T14:30:03"),
        ("02-NOV-26143003", Unknown, "2026-11-02T14:30:03"),
        ("MULTI", Unknown, "-"),
        ("", Unknown, "-"),
        (" ", Unknown, "-"),
        ("--", Unknown, "-"),
    ] {
        assert_eq!(read(text, order).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_may_be_two_days_is_neither() {
    assert_eq!(
        read("03/04/2026", Order::Unknown),
        Err(BadValue::Ambiguous("03/04/2026".to_owned()))
    );
    assert_eq!(read("03/04/2026", Order::DayFirst).as_deref(), Ok("2026-04-03"));
    assert_eq!(read("03/04/2026", Order::MonthFirst).as_deref(), Ok("2026-03-04"));
}

#[test]
fn what_is_no_date_is_an_error() {
    for text in [
        "2026",
        "20261302",
        "20260230",
        "2026-13-01",
        "31/31/2026",
        "13/02/2026 x",
        "20261102;1430",
        "20261102;993003",
        "02-FOO-26",
        "yesterday",
        "2026/11/02",
        "20261102;143003 -99:00",
        "1/2/3",
        "٢٠٢٦١١٠٢",
        "2026-11-0é",
    ] {
        assert!(
            matches!(read(text, Order::Unknown), Err(BadValue::Date(_))),
            "{text}: {:?}",
            read(text, Order::Unknown)
        );
    }
    assert!(matches!(read("13/02/2026", Order::MonthFirst), Err(BadValue::Date(_))));
}

#[test]
fn times_without_a_zone_are_eastern() {
    let stamp = |text: &str| {
        moment(text, Order::Unknown).unwrap().unwrap().timestamp().map(|t| t.to_string())
    };
    assert_eq!(stamp("20261102;143003").as_deref(), Some("2026-11-02T19:30:03Z"));
    assert_eq!(stamp("20260602;143003").as_deref(), Some("2026-06-02T18:30:03Z"));
    assert_eq!(stamp("20260602;143003 GMT").as_deref(), Some("2026-06-02T14:30:03Z"));
    assert_eq!(stamp("20260602;143003 CET"), None);
    assert_eq!(stamp("20260602"), None);
}

#[test]
fn numbers_are_read_exactly() {
    for (text, expected) in [
        ("0", "0"),
        ("-1.01", "-1.01"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("271.55000305", "271.55000305"),
        ("1,234,567.50", "1234567.50"),
        ("-1,000", "-1000"),
        ("1E-7", "0.0000001"),
        ("1.5E3", "1500"),
        ("999999999999999999", "999999999999999999"),
        ("9223372036854775808", "9223372036854775808"),
        ("12345678901234567890.12345678", "12345678901234567890.12345678"),
    ] {
        assert_eq!(number(text).unwrap().unwrap().to_string(), expected, "{text}");
    }
    for text in ["", "-", "--", "N/A", "MULTI"] {
        assert_eq!(number(text), Ok(None), "{text}");
    }
    for text in [
        "1,5",
        "1,23,456",
        "1.5,000",
        "twelve",
        "1.2.3",
        ".",
        "1e",
        "0x10",
        "1_000",
        "٣",
        "∞",
        "1e99",
        "0.12345678901234567890123456789012",
    ] {
        assert!(matches!(number(text), Err(BadValue::Number(_))), "{text}: {:?}", number(text));
    }
}

#[test]
fn the_order_of_day_and_month_comes_from_evidence() {
    let frame = |from: &str, to: &str, made: &str| {
        let mut evidence = Evidence::default();
        evidence.frame(from, to, made);
        (evidence.order(), evidence.is_ambiguous())
    };
    assert_eq!(frame("20261101", "20261102", "20261103;003105"), (Order::Unknown, false));
    assert_eq!(frame("11/01/2026", "11/30/2026", "12/01/2026;003105"), (Order::MonthFirst, false));
    assert_eq!(frame("01/11/2026", "30/11/2026", "01/12/2026;003105"), (Order::DayFirst, false));
    // No part is above 12: only one way round is from before to.
    assert_eq!(frame("12/01/2025", "02/02/2026", "02/03/2026"), (Order::MonthFirst, false));
    // Only one way round is from the past.
    assert_eq!(frame("01/02/2026", "01/03/2026", "02/01/2026;003105"), (Order::MonthFirst, false));
    assert_eq!(frame("03/03/2026", "03/03/2026", "04/04/2026"), (Order::Unknown, true));
    let mut evidence = Evidence::default();
    evidence.frame("02/02/2026", "03/03/2026", "04/04/2026;003105");
    assert!(!evidence.is_settled());
    evidence.observe("03/17/2026;101500");
    assert_eq!((evidence.order(), evidence.is_settled()), (Order::MonthFirst, true));
    // Two that contradict each other decide nothing.
    evidence.observe("17/03/2026");
    assert_eq!((evidence.order(), evidence.is_ambiguous()), (Order::Unknown, true));
}

fn days() -> impl Strategy<Value = Date> {
    (1980_i16..2079, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| day(y, m, d))
}

fn times() -> impl Strategy<Value = Time> {
    (0_i8..24, 0_i8..60, 0_i8..60).prop_map(|(h, m, s)| time(h, m, s, 0))
}

proptest! {
    #[test]
    fn every_date_and_time_is_read_in_every_form(
        date in days(),
        time in times(),
        date_form in 0_usize..7,
        time_form in 0_usize..2,
        separator in prop::sample::select(vec![";", ",", " ", ", ", ""]),
        zone in prop::sample::select(vec![("", Zone::Unsaid), (" EST", Zone::Minutes(-300)), (" EDT", Zone::Minutes(-240))]),
        with_time in any::<bool>(),
    ) {
        let forms = [
            ("%Y%m%d", Order::Unknown), ("%Y-%m-%d", Order::Unknown), ("%m/%d/%Y", Order::MonthFirst),
            ("%m/%d/%y", Order::MonthFirst), ("%d/%m/%Y", Order::DayFirst), ("%d/%m/%y", Order::DayFirst),
            ("%d-%b-%y", Order::Unknown),
        ];
        let (form, order) = forms[date_form];
        let written = date.strftime(form).to_string();
        if !with_time {
            let read = moment(&written, order).unwrap().unwrap();
            prop_assert_eq!((read.date, read.time), (date, None));
            return Ok(());
        }
        let written = format!("{written}{separator}{}{}", time.strftime(["%H%M%S", "%H:%M:%S"][time_form]), zone.0);
        let read = moment(&written, order).unwrap().unwrap();
        prop_assert_eq!((read.date, read.time, read.zone), (date, Some(time), zone.1), "{}", written);
        prop_assert_eq!(super::date(&written, order).unwrap(), Some(date));
    }

    #[test]
    fn every_short_decimal_is_read_as_it_was_written(mantissa in any::<i64>(), scale in 0_u32..19) {
        let decimal = Decimal::new(mantissa, scale);
        prop_assert_eq!(number(&decimal.to_string()).unwrap().unwrap(), decimal);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,24}") {
        for order in [Order::Unknown, Order::MonthFirst, Order::DayFirst] {
            let _ = moment(&text, order);
        }
        let _ = number(&text);
    }

    #[test]
    fn near_dates_never_panic(text in "[0-9/;:,A-Za-z+. -]{0,24}") {
        let mut evidence = Evidence::default();
        evidence.frame(&text, &text, &text);
        let _ = moment(&text, Order::Unknown);
        let _ = number(&text);
    }
}
