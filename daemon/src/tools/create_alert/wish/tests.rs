#![allow(clippy::unwrap_used)]
use super::*;
use crate::tools::args;
use ibd_protocol::Effect;

fn wish(json: &str) -> Result<Wish, Refusal> {
    let args = args::read::<Args>(json, Effect::Writes)?.args;
    let replaced = args.alert_id.as_deref().map(Which::read).transpose()?;
    Wish::of(&args, replaced)
}

#[test]
fn an_alert_lives_at_ibkr_where_it_can_and_here_where_it_must() {
    for (json, place) in [
        (r#"{"symbol":"AAPL","above":300}"#, Place::Ibkr),
        (r#"{"symbol":"AAPL","above":"300","at":"ibd"}"#, Place::Ibd),
        (r#"{"symbol":"AAPL","below":250,"repeat":"30min"}"#, Place::Ibd),
        (r#"{"symbol":"AAPL","watch":"volume","above":1000000}"#, Place::Ibkr),
        (r#"{"symbol":"AAPL","watch":"last","above":1}"#, Place::Ibkr),
        (r#"{"symbol":"AAPL","watch":"changePct","below":-3}"#, Place::Ibd),
        (r#"{"symbol":"AAPL","watch":"move","above":5}"#, Place::Ibd),
        (r#"{"symbol":"AAPL","watch":"pnl","below":-500}"#, Place::Ibd),
        (r#"{"watch":"order","orderId":77}"#, Place::Ibd),
        (r#"{"watch":"gap","above":10}"#, Place::Ibd),
        (r#"{"watch":"margin","below":10}"#, Place::Ibkr),
        (r#"{"watch":"trade"}"#, Place::Ibkr),
        (r#"{"watch":"trade","symbol":"AAPL"}"#, Place::Ibkr),
        (r#"{"watch":"time","time":"2099-01-15T14:30:00Z"}"#, Place::Ibkr),
        (r#"{"symbol":"AAPL","above":300,"alertId":"ibd-7"}"#, Place::Ibd),
        (r#"{"symbol":"AAPL","above":300,"alertId":1234567895}"#, Place::Ibkr),
    ] {
        assert_eq!(wish(json).unwrap().place, place, "{json}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (json, field) in [
        (r#"{"symbol":"AAPL"}"#, "above"),
        (r#"{"symbol":"AAPL","above":1,"below":2}"#, "below"),
        (r#"{"above":300}"#, "symbol"),
        (r#"{"symbol":"AAPL","above":300,"watch":"mood"}"#, "watch"),
        (r#"{"symbol":"AAPL","above":300,"watch":"iv","at":"ibkr"}"#, "watch"),
        (r#"{"watch":"margin","below":10,"at":"ibd"}"#, "watch"),
        (r#"{"watch":"margin","below":10,"repeat":"1h"}"#, "repeat"),
        (r#"{"symbol":"AAPL","above":300,"at":"home"}"#, "at"),
        (r#"{"symbol":"AAPL","above":300,"alertId":"ibd-7","at":"ibkr"}"#, "at"),
        (r#"{"symbol":"AAPL","above":300,"alertId":"mta"}"#, "alertId"),
        (r#"{"symbol":"AAPL","above":300,"repeat":"often"}"#, "repeat"),
        (r#"{"symbol":"AAPL","above":300,"repeat":"2s"}"#, "repeat"),
        (r#"{"symbol":"AAPL","above":300,"repeat":"1h","at":"ibkr"}"#, "repeat"),
        (r#"{"symbol":"AAPL","above":300,"orderId":7}"#, "orderId"),
        (r#"{"symbol":"AAPL","watch":"move","below":5}"#, "below"),
        (r#"{"symbol":"AAPL","watch":"move","above":-5}"#, "above"),
        (r#"{"watch":"order"}"#, "orderId"),
        (r#"{"watch":"order","orderId":7,"above":3}"#, "above"),
        (r#"{"watch":"gap","above":10,"symbol":"AAPL"}"#, "symbol"),
        (r#"{"watch":"time"}"#, "time"),
        (r#"{"watch":"time","time":"soon"}"#, "time"),
        (r#"{"symbol":"AAPL","above":"a lot"}"#, "above"),
        (r#"{"symbol":"AAPL","abov":300}"#, "abov"),
    ] {
        let refusal = wish(json).unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some(field), "{json}: {}", refusal.message);
    }
}

#[test]
fn pauses_are_read_as_people_write_them() {
    for (text, seconds) in
        [("30min", 1_800), ("90s", 90), ("2h", 7_200), ("1 d", 86_400), ("15 minutes", 900)]
    {
        assert_eq!(pause(text).unwrap(), seconds, "{text}");
    }
    for bad in ["", "30", "min", "-5min", "1.5h", "9s", "10 years"] {
        assert!(pause(bad).is_err(), "{bad}");
    }
}
