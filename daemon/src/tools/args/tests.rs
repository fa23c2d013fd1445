#![allow(clippy::unwrap_used)]

use super::*;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Args {
    #[serde(deserialize_with = "account")]
    #[schemars(with = "Option<String>")]
    account_id: Option<AccountId>,
    #[serde(deserialize_with = "text")]
    symbol: Option<String>,
    #[serde(deserialize_with = "texts")]
    symbols: Option<Vec<String>>,
    #[serde(deserialize_with = "conid")]
    #[schemars(with = "Option<u32>")]
    conid: Option<Conid>,
    #[serde(deserialize_with = "decimal")]
    #[schemars(with = "Option<f64>")]
    price: Option<Decimal>,
    #[serde(deserialize_with = "yes_no")]
    is_all: Option<bool>,
    #[serde(deserialize_with = "count")]
    limit: Option<usize>,
    #[schemars(skip)]
    // Read, and looked at by nobody: what counts is that it can be.
    #[allow(dead_code)]
    confirm: Confirm,
}

fn read<T: DeserializeOwned + JsonSchema>(text: &str) -> Result<T, Refusal> {
    super::read(text, Effect::Trades).map(|read| read.args)
}

fn refused(text: &str) -> (String, String) {
    let refusal = read::<Args>(text).unwrap_err();
    (refusal.field.unwrap_or_default(), refusal.message)
}

#[test]
fn what_models_send_is_understood() {
    let args: Args = read(
        r#"{"symbol":700,"symbols":"[\"A\",\"B\"]","conid":"265598","limit":"5","confirm":true}"#,
    )
    .unwrap();
    assert_eq!(args.symbol.as_deref(), Some("700"));
    assert_eq!(args.symbols.unwrap(), ["A", "B"]);
    assert_eq!((args.conid.unwrap().get(), args.limit), (265_598, Some(5)));
    let args: Args = read(r#"{"symbols":"AAPL, MSFT","accountId":null}"#).unwrap();
    assert_eq!(args.symbols.unwrap(), ["AAPL", "MSFT"]);
    assert_eq!(args.account_id, None);
}

#[test]
fn a_mistyped_field_is_recognised() {
    let (field, message) = refused(r#"{"acountId":"U1"}"#);
    assert_eq!(field, "acountId");
    assert_eq!(message, "There is no field `acountId`; did you mean `accountId`?");
    let (_, message) = refused(r#"{"zzz":1}"#);
    assert!(message.contains("Fields: accountId, symbol, symbols, conid, price"), "{message}");
}

#[test]
fn a_wrong_value_names_its_field() {
    for (text, field, needle) in [
        (r#"{"symbol":{"a":1}}"#, "symbol", "text or a whole number"),
        (r#"{"conid":265598.7}"#, "conid", "text or a whole number"),
        (r#"{"conid":"1e9"}"#, "conid", "not a conid"),
        (r#"{"conid":-5}"#, "conid", "not a conid"),
        (r#"{"accountId":"U1\u0007"}"#, "accountId", "not an account id"),
        (r#"{"limit":0}"#, "limit", "positive whole number"),
        (r#"{"symbols":["A",""]}"#, "symbols", "empty entry"),
    ] {
        let (found, message) = refused(text);
        assert_eq!(found, field, "{text}: {message}");
        assert!(message.contains(needle), "{text}: {message}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let refusal =
        read::<Args>(r#"{"symbol":{},"conid":"x","limit":0,"zzz":1,"price":"1e9"}"#).unwrap_err();
    for field in ["symbol", "conid", "limit", "zzz", "price"] {
        assert!(refusal.message.contains(field), "{field}: {}", refusal.message);
    }
    assert_eq!(refusal.field.as_deref(), Some("zzz"), "the first of them");
}

#[test]
fn what_is_empty_is_left_out_and_a_whole_float_is_a_whole_number() {
    let args: Args = read(
        r#"{"symbol":"","accountId":" ","conid":"","price":"","limit":"","isAll":"","symbols":""}"#,
    )
    .unwrap();
    assert!(args.symbol.is_none() && args.account_id.is_none() && args.conid.is_none());
    assert!(args.price.is_none() && args.limit.is_none() && args.symbols.is_none());
    assert!(args.is_all.is_none());
    let args: Args = read(r#"{"symbol":7.0,"conid":265598.0,"limit":"7.0","symbols":[]}"#).unwrap();
    assert_eq!((args.symbol.as_deref(), args.limit), (Some("7"), Some(7)));
    assert_eq!(args.conid.unwrap().get(), 265_598);
    assert!(args.symbols.is_none());
}

#[test]
fn what_is_no_object_is_refused_in_words() {
    for text in ["[]", "7", "\"x\"", "{"] {
        assert_eq!(read::<Args>(text).unwrap_err().error, ErrorCode::InvalidArgument, "{text}");
    }
}
