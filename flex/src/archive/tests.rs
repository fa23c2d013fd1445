#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::io::Read;

use jiff::civil::date;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::statement::StatementError;

/// A statement of one account.
fn statement(from: &str, to: &str, made: &str, inside: &str) -> String {
    format!(
        "<FlexQueryResponse queryName=\"Täglich 📈\" type=\"AF\"><FlexStatements count=\"1\"><FlexStatement \
         accountId=\"U1\" fromDate=\"{from}\" toDate=\"{to}\" whenGenerated=\"{made}\">{inside}\
         </FlexStatement></FlexStatements></FlexQueryResponse>\n"
    )
}

const TRADES: &str = "<Trades><Trade symbol=\"A\"/><Order symbol=\"A\"/></Trades>";

fn january(made: &str, inside: &str) -> String {
    statement("20260101", "20260131", made, inside)
}

struct Place {
    folder: TempDir,
    archive: Archive,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let archive = Archive::open(&folder.path().join("a/b")).unwrap();
        Self { folder, archive }
    }

    fn add(&self, text: &str) -> Added {
        self.try_add(text.as_bytes()).unwrap()
    }

    fn try_add(&self, source: impl Read) -> Result<Added, AddError> {
        let known = self.archive.scan().unwrap().entries;
        let now = "2026-11-03T05:00:00Z".parse().unwrap();
        self.archive
            .add(source, &Incoming { query_id: Some("123"), name: None, now, known: &known })
    }

    fn files(&self) -> Vec<String> {
        files(self.archive.folder()).unwrap()
    }

    fn text(&self, entry: &Entry) -> String {
        let mut text = Vec::new();
        self.archive.export(entry, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

#[test]
fn what_is_added_is_found_by_its_file_alone() {
    let place = Place::new();
    let text = january("20260201;003105", TRADES);
    let added = place.add(&text);
    assert_eq!(added.outcome, Outcome::New);
    let scan = place.archive.scan().unwrap();
    assert_eq!(scan.entries, std::slice::from_ref(&added.entry));
    assert_eq!(scan.damaged, []);
    let entry = &scan.entries[0];
    assert_eq!(entry.query_name, "Täglich 📈");
    assert_eq!(entry.bytes, text.len() as u64);
    assert_eq!(entry.generated, Some(date(2026, 2, 1).at(0, 31, 5, 0)));
    assert_eq!(entry.section("trades").unwrap().of_level("ORDER"), 1);
    assert!(entry.file.starts_with("123_2026-01-01_2026-01-31_"), "{}", entry.file);
    assert!(entry.is_of("123") && entry.is_of(" TÄGLICH 📈 ") && !entry.is_of("12"));
    assert_eq!(place.text(entry), text);
    place.archive.verify(entry).unwrap();
    assert_eq!(place.archive.usage().unwrap().files, 1);
}

#[test]
fn zcat_gives_the_xml_back() {
    let place = Place::new();
    let text = january("20260201;003105", TRADES);
    let added = place.add(&text);
    let file = File::open(place.archive.folder().join(&added.entry.file)).unwrap();
    let mut all = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut all).unwrap();
    assert_eq!(all, text);
}

#[test]
fn the_same_is_stored_once_and_a_newer_edition_replaces_it() {
    let place = Place::new();
    let first = place.add(&january("20260201;003105", TRADES));
    let again = place.add(&january("20260201;003105", TRADES));
    assert_eq!((again.outcome, &again.entry), (Outcome::Same, &first.entry));
    assert_eq!(place.files().len(), 1);

    let newer = place.add(&january("20260203;003105", TRADES));
    assert_eq!(newer.replaced, std::slice::from_ref(&first.entry));
    assert_eq!(place.archive.scan().unwrap().entries, std::slice::from_ref(&newer.entry));

    // The template lost a level: what was known is not given up.
    let poorer = place.add(&january("20260204;003105", "<Trades><Trade symbol=\"A\"/></Trades>"));
    assert_eq!((poorer.replaced, poorer.richer), (vec![], vec![newer.entry]));
    assert_eq!(place.files().len(), 2);
    // Nor a column, nor a type of row.
    let cash = |rows: &str| {
        statement(
            "20260501",
            "20260531",
            "20260601;003105",
            &format!("<CashTransactions>{rows}</CashTransactions>"),
        )
    };
    let dividend = "<CashTransaction type=\"Dividends\" amount=\"1\" currency=\"USD\"/>";
    let tax = "<CashTransaction type=\"Withholding Tax\" amount=\"-1\" currency=\"USD\"/>";
    let rich = place.add(&cash(&(dividend.to_owned() + tax)));
    for poorer in [dividend.to_owned(), (dividend.to_owned() + tax).replace("currency=\"USD\"", "")]
    {
        let later = cash(&poorer).replace("20260601;003105", "20260602;003105");
        let added = place.add(&later);
        assert_eq!(added.replaced, [], "{poorer}");
        assert_eq!(added.richer, std::slice::from_ref(&rich.entry), "{poorer}");
        place.archive.remove(&added.entry).unwrap();
    }
    place.archive.remove(&rich.entry).unwrap();
    // Other days are another statement, and an older edition replaces nothing.
    place.add(&statement("20260101", "20260130", "20260204;003105", TRADES));
    let older = place.add(&january("20260110;003105", TRADES));
    assert_eq!(older.replaced, []);
    assert_eq!(place.files().len(), 4);
}

#[test]
fn what_is_no_whole_statement_changes_nothing() {
    let place = Place::new();
    let text = january("20260201;003105", TRADES);
    place.add(&text);
    let before = place.files();
    for bad in [
        &text[..text.len() - 30],
        "<html>",
        "",
        "<FlexStatementResponse><ErrorCode>1019</ErrorCode></FlexStatementResponse>",
    ] {
        assert!(matches!(place.try_add(bad.as_bytes()), Err(AddError::Statement(_))), "{bad}");
        assert_eq!(place.files(), before);
    }
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let cut = place.try_add(text.as_bytes()[..200].chain(Fails));
    assert!(matches!(cut, Err(AddError::Statement(StatementError::Io(_)))));
    assert_eq!(place.files(), before);
}

#[test]
fn what_an_interruption_left_is_swept() {
    let place = Place::new();
    place.add(&january("20260201;003105", TRADES));
    let folder = place.archive.folder();
    fs::write(folder.join(".incoming-1-0"), "half").unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(place.archive.scan().unwrap().entries.len(), 1);
    let archive = Archive::open(folder).unwrap();
    assert_eq!(archive.scan().unwrap().entries.len(), 1);
    assert_eq!(place.files().len(), 2, "{:?}", place.files());
    assert!(place.folder.path().exists());
}

#[test]
fn every_cut_and_every_flipped_bit_is_found() {
    let place = Place::new();
    let text = january("20260201;003105", TRADES);
    let entry = place.add(&text).entry;
    let path = place.archive.folder().join(&entry.file);
    let sound = fs::read(&path).unwrap();
    for length in 0..sound.len() {
        fs::write(&path, &sound[..length]).unwrap();
        let scan = place.archive.scan().unwrap();
        assert_eq!((scan.entries.len(), scan.damaged.len()), (0, 1), "{length}");
    }
    // Some bits of gzip mean nothing: whoever changes those changes nothing.
    let mut meaningless = 0;
    for at in 0..sound.len() {
        for bit in 0..8 {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&path, &bytes).unwrap();
            if place.archive.verify(&entry).is_ok() {
                assert_eq!(place.text(&entry), text, "byte {at} of {}, bit {bit}", sound.len());
                assert_eq!(place.archive.scan().unwrap().entries, std::slice::from_ref(&entry));
                meaningless += 1;
            }
        }
    }
    assert!(meaningless < 80, "{meaningless}");
}

#[test]
fn damage_is_set_aside_and_what_is_fetched_again_says_so() {
    let place = Place::new();
    let text = january("20260201;003105", TRADES);
    let entry = place.add(&text).entry;
    let path = place.archive.folder().join(&entry.file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[30] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(place.archive.verify(&entry).unwrap_err().why, Why::Content);
    let mut rest = Vec::new();
    assert!(place.archive.export(&entry, &mut rest).is_err());

    let again = place.add(&text);
    let Outcome::Restored(aside) = again.outcome else { panic!("{:?}", again.outcome) };
    assert_eq!(fs::read(&aside).unwrap(), bytes);
    place.archive.verify(&entry).unwrap();
    let usage = place.archive.usage().unwrap();
    assert_eq!((usage.files, usage.damaged_files), (1, 1));

    fs::write(&path, &bytes).unwrap();
    let second = place.archive.set_aside(&entry.file).unwrap();
    assert_ne!(second, aside);
    assert_eq!(place.files(), Vec::<String>::new());
    assert!(place.archive.set_aside("../a").is_err());
}

#[test]
fn a_renamed_file_and_a_newer_format_are_told() {
    let place = Place::new();
    let entry = place.add(&january("20260201;003105", TRADES)).entry;
    let folder = place.archive.folder();
    fs::rename(folder.join(&entry.file), folder.join("other.xml.gz")).unwrap();
    assert_eq!(place.archive.scan().unwrap().damaged[0].why, Why::Name);

    let newer = Entry { version: VERSION + 1, file: "newer.xml.gz".to_owned(), packed: 0, ..entry };
    let mut bytes = Vec::new();
    foot::write(&newer, &mut bytes).unwrap();
    fs::write(folder.join("newer.xml.gz"), bytes).unwrap();
    assert_eq!(place.archive.scan().unwrap().damaged[0].why, Why::Version(2));
}

#[test]
fn an_entry_of_version_1_is_read_for_ever() {
    let text = r#"{"version":1,"sha256":"5e","file":"123_x.xml.gz","queryId":"123","queryName":"T\u00e4glich","type":"AF",
        "accounts":[{"account":"U1","period":{"from":"2026-01-01","to":"2026-01-31"},"statements":1}],
        "period":{"from":"2026-01-01","to":"2026-01-31"},"generated":"2026-02-01T00:31:05",
        "added":"2026-11-03T05:00:00Z","dateOrder":"day_first","bytes":351,"packed":240,
        "sections":[{"name":"Trades","rows":2,"levels":[{"name":"EXECUTION","rows":1},{"name":"ORDER","rows":1}]}]}"#;
    let entry: Entry = serde_json::from_str(text).unwrap();
    assert_eq!((entry.query_name.as_str(), entry.date_order), ("Täglich", Order::DayFirst));
    let again: Entry = serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
    assert_eq!(again, entry);
}

/// An entry with nothing but what coverage and pruning look at.
fn entry(from: &str, to: &str, made: &str) -> Entry {
    let period = Some(Period { from: from.parse().unwrap(), to: to.parse().unwrap() });
    let made: jiff::civil::DateTime = made.parse().unwrap();
    Entry {
        version: VERSION,
        sha256: String::new(),
        file: format!("{from}{to}{made}"),
        query_id: Some("1".to_owned()),
        query_name: String::new(),
        kind: "AF".to_owned(),
        accounts: vec![Account { account: "U1".to_owned(), period, statements: 1 }],
        period,
        generated: Some(made),
        added: made.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp(),
        date_order: Order::Unknown,
        bytes: 1_000,
        packed: 100,
        sections: Vec::new(),
    }
}

#[test]
fn coverage_is_told_as_people_say_it() {
    let year = entry("2025-01-01", "2025-12-31", "2026-01-01T00:31:05");
    let winter = entry("2026-01-01", "2026-02-28", "2026-03-01T00:31:05");
    let rest = entry("2026-04-01", "2026-10-31", "2026-11-01T00:31:05");
    let told = |entries: &[&Entry]| describe(&coverage(entries.iter().copied(), Some("u1")));
    assert_eq!(told(&[&rest, &year, &winter]), "have 2025-01-01 … 2026-10-31, missing March 2026");
    assert_eq!(
        told(&[&year, &rest]),
        "have 2025-01-01 … 2026-10-31, missing January 2026 … March 2026"
    );
    assert_eq!(told(&[]), "have nothing");
    assert_eq!(describe(&coverage([&year], Some("U2"))), "have nothing");
    let holes =
        [("2023-01-01", "2023-12-31"), ("2025-01-01", "2025-03-04"), ("2025-03-06", "2025-03-31")];
    let holes: Vec<Entry> = holes.iter().map(|(f, t)| entry(f, t, "2026-01-01T00:00:00")).collect();
    assert_eq!(
        describe(&coverage(&holes, None)),
        "have 2023-01-01 … 2025-03-31, missing 2024, 2025-03-05"
    );
}

#[test]
fn weekends_are_not_missed_and_unfinished_days_are() {
    // Friday and Monday.
    let days = [
        entry("2026-10-30", "2026-10-30", "2026-10-31T00:31:05"),
        entry("2026-11-02", "2026-11-02", "2026-11-03T00:31:05"),
    ];
    assert_eq!(coverage(&days, None).missing, []);
    let asked =
        |from: &str, to: &str| Period { from: from.parse().unwrap(), to: to.parse().unwrap() };
    assert_eq!(coverage(&days[..1], None).gaps(asked("2026-10-30", "2026-11-01")), []);
    assert_eq!(
        coverage(&days[..1], None).gaps(asked("2026-10-29", "2026-11-02")),
        [asked("2026-10-29", "2026-10-29"), asked("2026-10-31", "2026-11-02")]
    );
    // Made on its own last day.
    let today = [entry("2026-11-01", "2026-11-03", "2026-11-03T11:00:00")];
    assert_eq!(coverage(&today, None).have, [asked("2026-11-01", "2026-11-02")]);
    let only = [entry("2026-11-03", "2026-11-03", "2026-11-03T11:00:00")];
    assert_eq!(coverage(&only, None).have, []);
}

#[test]
fn pruning_says_what_has_to_go() {
    let old = entry("2025-01-01", "2025-12-31", "2026-01-01T00:31:05");
    let newer = entry("2025-01-01", "2025-12-31", "2026-02-01T00:31:05");
    let other = entry("2026-01-01", "2026-02-28", "2026-03-01T00:31:05");
    let all = [newer.clone(), old.clone(), other.clone()];
    assert_eq!(prune(&all, &Keep::default()), []);
    assert_eq!(prune(&all, &Keep { newest: true, ..Keep::default() }), std::slice::from_ref(&old));
    let since = Keep { since: Some(newer.added), ..Keep::default() };
    assert_eq!(prune(&all, &since), std::slice::from_ref(&old));
    let bytes = |bytes| Keep { bytes: Some(bytes), ..Keep::default() };
    assert_eq!(prune(&all, &bytes(300)), []);
    assert_eq!(prune(&all, &bytes(299)), std::slice::from_ref(&old));
    assert_eq!(prune(&all, &bytes(0)), [old.clone(), newer, other]);
    assert_eq!(prune(&all, &Keep { newest: true, bytes: Some(200), since: None }), [old]);
}

proptest! {
    /// Day by day, as a set.
    #[test]
    fn coverage_agrees_with_a_set_of_days(spans in prop::collection::vec((0_i32..200, 0_i32..20), 0..8), asked in (0_i32..220, 0_i32..40)) {
        let first = date(2026, 1, 1);
        let day = |n: i32| first.checked_add(jiff::Span::new().days(n)).unwrap();
        let entries: Vec<Entry> = spans.iter()
            .map(|(from, length)| entry(&day(*from).to_string(), &day(from + length).to_string(), "2027-01-01T00:00:00"))
            .collect();
        let covered: BTreeSet<i32> = spans.iter().flat_map(|(from, length)| *from..=from + length).collect();
        let coverage = coverage(&entries, None);
        let is_in = |periods: &[Period], n: i32| periods.iter().any(|p| p.from <= day(n) && day(n) <= p.to);
        let is_weekend = |n: i32| day(n).weekday().to_monday_zero_offset() >= 5;
        let (from, to) = (asked.0, asked.0 + asked.1);
        let gaps = coverage.gaps(Period { from: day(from), to: day(to) });
        for n in 0..260 {
            if covered.contains(&n) {
                prop_assert!(is_in(&coverage.have, n) && !is_in(&coverage.missing, n) && !is_in(&gaps, n));
            } else if !is_weekend(n) {
                prop_assert!(!is_in(&coverage.have, n));
                let is_between = covered.first().is_some_and(|f| *f < n) && covered.last().is_some_and(|l| *l > n);
                prop_assert_eq!(is_in(&coverage.missing, n), is_between);
                prop_assert_eq!(is_in(&gaps, n), (from..=to).contains(&n));
            }
        }
    }

    #[test]
    fn whatever_statement_is_added_comes_back(texts in prop::collection::vec("[ -~]{0,200}", 0..30)) {
        let place = Place::new();
        let rows: String = texts.iter().map(|t| format!("<R d=\"{}\"/>", t.replace(['&', '<', '"'], "?"))).collect();
        let text = january("20260201;003105", &format!("<S>{rows}</S>"));
        let entry = place.add(&text).entry;
        prop_assert_eq!(place.text(&entry), text);
        prop_assert_eq!(place.archive.scan().unwrap().entries, [entry]);
    }
}
