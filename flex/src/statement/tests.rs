#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{self, BufReader, Read};

use proptest::prelude::*;

use super::*;

/// Two accounts, levels that interleave, a single, sections that are empty, nested or unknown.
pub(crate) const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<FlexQueryResponse queryName="daily &amp; more" type="AF">
<FlexStatements count="2">
<FlexStatement accountId="U7654321" fromDate="20261101" toDate="20261102" period="" whenGenerated="20261103;003105">
<AccountInformation accountId="U7654321" currency="USD" name='J "Jo" Doe' />
<Trades>
<Order symbol="AAPL" levelOfDetail="ORDER" quantity="-5" />
<Trade symbol="AAPL" quantity="-5" notes="" description="AT&amp;T &#x41;&#10;&unknown; AT&T" />
<Lot symbol="AAPL"></Lot>
</Trades>
<FxPositions><FxLots><FxLot functionalCurrency="USD"/></FxLots></FxPositions>
<SomethingNew><Thing zest="1"><Part size="2"/></Thing></SomethingNew>
<Transfers />
</FlexStatement>
<FlexStatement accountId="U1" fromDate="20261101" toDate="20261102" whenGenerated="20261103;003105"/>
</FlexStatements>
</FlexQueryResponse>
"#;

/// One line for each event.
fn told(source: impl Read) -> Result<Vec<String>, StatementError> {
    let mut reader = Reader::buffered(source);
    let mut lines = Vec::new();
    loop {
        lines.push(match reader.next()? {
            Event::Query(query) => format!("query {} {}", query.name, query.kind),
            Event::Statement(s) => {
                format!("statement {} {}..{} {}", s.account, s.from, s.to, s.generated)
            }
            Event::Section(path) => format!("section {path}"),
            Event::Row(row) => {
                let values: Vec<_> =
                    row.attributes().map(|a| format!("{}={}", a.name, a.value())).collect();
                format!("row {}:{}[{}] {}", row.section, row.element, row.level(), values.join(","))
            }
            Event::StatementEnd => "statement end".to_owned(),
            Event::End => return Ok(lines),
        });
    }
}

fn error(text: impl AsRef<[u8]>) -> StatementError {
    told(text.as_ref()).unwrap_err()
}

/// A source that gives one byte at a time.
struct Drops<'a>(&'a [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(1);
        self.0.read(&mut into[..count])
    }
}

#[test]
fn everything_is_told_in_the_order_of_the_file() {
    let expected = [
        "query daily & more AF",
        "statement U7654321 20261101..20261102 20261103;003105",
        r#"row AccountInformation:AccountInformation[] accountId=U7654321,currency=USD,name=J "Jo" Doe"#,
        "section Trades",
        "row Trades:Order[ORDER] symbol=AAPL,levelOfDetail=ORDER,quantity=-5",
        "row Trades:Trade[EXECUTION] symbol=AAPL,quantity=-5,notes=,description=AT&T A\n&unknown; AT&T",
        "row Trades:Lot[CLOSED_LOT] symbol=AAPL",
        "section FxPositions",
        "section FxPositions/FxLots",
        "row FxPositions/FxLots:FxLot[] functionalCurrency=USD",
        "section SomethingNew",
        "row SomethingNew:Thing[] zest=1",
        "row SomethingNew/Thing:Part[] size=2",
        "section Transfers",
        "statement end",
        "statement U1 20261101..20261102 20261103;003105",
        "statement end",
    ];
    assert_eq!(told(SAMPLE.as_bytes()).unwrap(), expected);
    assert_eq!(told(Drops(SAMPLE.as_bytes())).unwrap(), expected);
}

#[test]
fn an_empty_attribute_is_there_and_says_nothing() {
    let text = r#"<FlexQueryResponse><X a="" b="1"/></FlexQueryResponse>"#;
    let mut reader = Reader::new(text.as_bytes());
    reader.next().unwrap();
    let Event::Row(row) = reader.next().unwrap() else { panic!("no row") };
    assert_eq!((row.get("a"), row.has("a")), (None, true));
    assert_eq!((row.get("c"), row.has("c")), (None, false));
    assert_eq!(row.get("b").as_deref(), Some("1"));
    let mut columns = Columns::new(["b", "a", "c", "b"]);
    let picked = columns.pick(&row);
    assert_eq!(picked.get(0).as_deref(), Some("1"));
    assert_eq!((picked.get(1), picked.has(1), picked.has(2)), (None, true, false));
    assert_eq!(picked.get(3).as_deref(), Some("1"));
    assert_eq!(picked.get(4), None);
}

#[test]
fn the_count_of_statements_is_told_and_not_enforced() {
    let text = SAMPLE.replace(r#"count="2""#, r#"count="3""#);
    let mut reader = Reader::new(text.as_bytes());
    while !matches!(reader.next().unwrap(), Event::End) {}
    assert!(matches!(reader.next().unwrap(), Event::End));
    assert_eq!(reader.counted(), (Some(3), 2));
    assert_eq!(reader.position(), text.len() as u64);
}

#[test]
fn what_is_cut_off_anywhere_is_truncated() {
    let whole = SAMPLE.trim_end();
    for length in 0..whole.len() {
        let error = error(&whole.as_bytes()[..length]);
        match length {
            0 => assert!(matches!(error, StatementError::Empty), "{length}: {error}"),
            _ => assert!(
                matches!(error, StatementError::Truncated { at } if at <= length as u64),
                "{length}: {error:?}"
            ),
        }
    }
}

#[test]
fn what_is_no_statement_says_what_it_is() {
    for page in [
        "<!DOCTYPE html><html><body>Down</body></html>",
        "\n<html lang=\"en\"><head>",
        "<!doctype HTML>",
        "<HTML>",
    ] {
        assert!(matches!(error(page), StatementError::Html { .. }), "{page}");
    }
    let other = error("<?xml version='1.0'?>\n<rss version='2.0'><channel/></rss>");
    assert!(
        matches!(&other, StatementError::NotFlex { at: 22, root } if root == "rss"),
        "{other:?}"
    );
    for text in ["{\"error\":\"x\"}", "Service Unavailable", "PK\x03\x04"] {
        assert!(
            matches!(error(text), StatementError::NotXml { at: 0, .. }),
            "{text}: {:?}",
            error(text)
        );
    }
    assert!(matches!(error(" \n "), StatementError::Empty | StatementError::Truncated { .. }));
    let two = format!("{SAMPLE}{SAMPLE}");
    assert!(
        matches!(error(&two), StatementError::Malformed { at, .. } if at >= SAMPLE.len() as u64)
    );
}

#[test]
fn the_services_own_answers_are_told_apart() {
    let wait = "<FlexStatementResponse timestamp='02 November, 2026 10:38 AM EST'>\n<Status>Warn</Status>\
        <ErrorCode>1019</ErrorCode>\n<ErrorMessage>Statement generation in progress. A &amp; B.</ErrorMessage>\
        </FlexStatementResponse>";
    let reply = read_reply(wait.as_bytes()).unwrap().unwrap();
    assert_eq!((&*reply.status, reply.code), ("Warn", Some(1019)));
    assert_eq!(reply.message.as_deref(), Some("Statement generation in progress. A & B."));
    let text = error(wait).to_string();
    assert!(text.contains("1019") && text.contains("in progress"), "{text}");

    let fine = "<FlexStatementResponse><Status>Success</Status><ReferenceCode>8800000001</ReferenceCode>\
        <Url>https://gdcdyn.interactivebrokers.com/x?a=1&amp;b=2</Url></FlexStatementResponse>";
    let reply = read_reply(fine.as_bytes()).unwrap().unwrap();
    assert_eq!(reply.reference.as_deref(), Some("8800000001"));
    assert_eq!(reply.url.as_deref(), Some("https://gdcdyn.interactivebrokers.com/x?a=1&b=2"));

    assert_eq!(read_reply(SAMPLE.as_bytes()).unwrap(), None);
    assert_eq!(read_reply(&b"<FlexStatementResponse/>"[..]).unwrap(), Some(Reply::default()));
    assert!(matches!(read_reply(&wait.as_bytes()[..150]), Err(StatementError::Truncated { .. })));
    assert!(matches!(read_reply(&b"<html>"[..]), Err(StatementError::Html { .. })));
}

fn wrapped(inside: &str) -> String {
    format!(
        "<FlexQueryResponse><FlexStatements><FlexStatement accountId=\"U1\">{inside}</FlexStatement></FlexStatements></FlexQueryResponse>"
    )
}

#[test]
fn broken_markup_is_told_with_its_place() {
    let before = wrapped("").find("</FlexStatement>").unwrap() as u64;
    for (inside, offset) in [
        ("<Trade a=\"1\" b />", 13),
        ("<Trade a=1 />", 9),
        ("<Trade =\"1\" />", 7),
        ("<Trades></Trade>", 8),
    ] {
        match error(wrapped(inside)) {
            StatementError::Malformed { at, what } => {
                assert_eq!(at, before + offset, "{inside}: {what}")
            }
            other => panic!("{inside}: {other:?}"),
        }
    }
}

#[test]
fn entities_are_never_expanded() {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY f SYSTEM \"file:///etc/passwd\">]>{}",
        wrapped("<X v=\"&b;&f;&#0;&#x110000;&#xD800;&;&\"/>")
    );
    let lines = told(bomb.as_bytes()).unwrap();
    assert!(lines[2].ends_with("v=&b;&f;\0&#x110000;&#xD800;&;&"), "{}", lines[2]);
}

#[test]
fn nesting_has_a_bound() {
    let deep = |levels: usize| wrapped(&("<a>".repeat(levels) + &"</a>".repeat(levels)));
    assert!(told(deep(DEEPEST - 3).as_bytes()).is_ok());
    assert!(matches!(error(deep(DEEPEST)), StatementError::TooDeep { .. }));
    assert!(matches!(error(wrapped(&"<a>".repeat(100_000))), StatementError::TooDeep { .. }));
}

#[test]
fn an_element_has_a_bound_and_many_attributes_are_fine() {
    let many: String = (0..10_000).map(|n| format!(" attribute{n}=\"{n}\"")).collect();
    let lines = told(wrapped(&format!("<X{many}/>")).as_bytes()).unwrap();
    assert!(lines[2].contains("attribute9999=9999"));

    let long = |bytes: usize| wrapped(&format!("<X a=\"{}\"/>", "y".repeat(bytes)));
    assert!(told(long(LONGEST_ELEMENT as usize - 100).as_bytes()).is_ok());
    assert!(matches!(error(long(3 * LONGEST_ELEMENT as usize)), StatementError::TooLong { .. }));
    let text = wrapped(&"y".repeat(3 * LONGEST_ELEMENT as usize));
    assert!(matches!(error(text), StatementError::TooLong { .. }));
    let comment = wrapped(&format!("<!--{}-->", "y".repeat(3 * LONGEST_ELEMENT as usize)));
    assert!(matches!(error(comment), StatementError::TooLong { .. }));
}

#[test]
fn other_encodings_are_refused_and_comments_passed_over() {
    let mut latin = wrapped("<X a=\"Nestl_\"/>").into_bytes();
    let at = latin.iter().position(|b| *b == b'_').unwrap();
    latin[at] = 0xe9;
    assert!(
        matches!(error(&latin), StatementError::NotUtf8 { at } if at == 65),
        "{:?}",
        error(&latin)
    );
    let lines = told(
        wrapped("<!-- <X a=\"1\"/> --><?pi?><![CDATA[<Y b=\"1\"/>]]>text<X a=\"é\"/>").as_bytes(),
    );
    assert_eq!(lines.unwrap()[2], "row X:X[] a=é");
    assert!(told(&b"\xef\xbb\xbf<FlexQueryResponse/>"[..]).is_ok());
}

#[test]
fn a_source_that_fails_is_told_as_that() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let source = SAMPLE.as_bytes()[..400].chain(Fails);
    match told(source).unwrap_err() {
        StatementError::Io(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
}

/// A row to be written.
type Written = (String, Vec<(String, String)>);

fn escape(value: &str, quote: char) -> String {
    let mut text = value.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "&#10;");
    text = text.replace('\t', "&#x9;").replace('\r', "&#13;");
    text.replace(quote, if quote == '"' { "&quot;" } else { "&apos;" })
}

fn rows() -> impl Strategy<Value = Vec<Written>> {
    let name = "[A-Za-z][A-Za-z0-9]{0,12}";
    let value = prop_oneof!["[ -~]{0,30}", "\\PC{0,10}", "[\\n\\t\\r<>&\"']{0,6}"];
    let attributes = prop::collection::vec((name, value), 1..12);
    prop::collection::vec((name.prop_map(|name| format!("R{name}")), attributes), 0..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(rows in rows(), single in any::<bool>(), piece in 1_usize..40) {
        let quote = if single { '\'' } else { '"' };
        let mut inside = String::from("<Things>");
        for (element, attributes) in &rows {
            inside += &format!("<{element}");
            for (name, value) in attributes {
                inside += &format!(" {name}={quote}{}{quote}", escape(value, quote));
            }
            inside += "/>";
        }
        let text = wrapped(&(inside + "</Things>"));
        let mut reader = Reader::new(BufReader::with_capacity(piece, text.as_bytes()));
        let mut read: Vec<Written> = Vec::new();
        loop {
            match reader.next().unwrap() {
                Event::Row(row) => {
                    prop_assert_eq!(row.section, "Things");
                    let all = row.attributes().map(|a| (a.name.to_owned(), a.value().into_owned()));
                    read.push((row.element.to_owned(), all.collect()));
                }
                Event::End => break,
                _ => {}
            }
        }
        // A character that is no white space for XML but below it reads as a space.
        prop_assert_eq!(read, rows);
    }

    #[test]
    fn anything_at_all_is_an_event_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = told(&bytes[..]);
    }

    #[test]
    fn a_statement_with_flipped_bytes_never_panics(flips in prop::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..6)) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        let _ = told(&bytes[..]);
    }
}
