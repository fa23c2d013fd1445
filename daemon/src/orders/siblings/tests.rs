#![allow(clippy::unwrap_used)]

use super::*;
use crate::orders::asked::Pricing;
use crate::orders::guardrails::tests::order;
use crate::orders::head::Heads;
use crate::orders::intent::tests::placed;
use crate::orders::journal::JournalWriter;
use crate::orders::life::Doubt;
use crate::orders::standing::Standing;
use ibd_cpapi::money::Price;
use ibd_cpapi::orders::Side;
use ibd_protocol::ReasonCode;
use jiff::Timestamp;

const WINDOW: Duration = Duration::from_secs(120);

fn limit(price: &str) -> Order {
    order(Side::Buy, "10", Pricing::Limit(Price::new(price.parse().unwrap())))
}

fn intent(order: Order, state: State) -> Intent {
    let sent = matches!(state, State::Working(_) | State::Unknown(_));
    let mut intent = placed(order, state);
    intent.origin.key = intent.id.to_string();
    intent.sent_at = sent.then(Timestamp::now);
    intent
}

fn working() -> State {
    State::Working(Standing::new("7".parse().unwrap(), "Submitted"))
}

fn unknown() -> State {
    let doubt = Doubt { cause: "no answer".into(), since: Timestamp::now(), looks: 0 };
    State::Unknown(doubt)
}

/// Two profiles, one of which trades.
struct Home {
    folder: tempfile::TempDir,
    writer: JournalWriter,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("paper/journal");
        let (writer, _) = JournalWriter::open(&journal, &Heads::of(&journal)).unwrap();
        Self { folder, writer }
    }

    fn siblings(&self) -> Siblings {
        let root = self.folder.path().to_owned();
        Siblings::beside(&root.join("default"), vec![root.clone(), root.join("none")])
    }

    async fn write(&self, intent: &Intent) {
        self.writer.write(&[Record::Intent(Box::new(intent.clone()))]).await.unwrap();
    }
}

fn looked(siblings: &mut Siblings) -> &Siblings {
    siblings.look(&Now::get());
    siblings
}

#[tokio::test]
async fn what_another_profile_sent_counts_for_its_account_and_for_no_other() {
    let home = Home::new();
    let mut siblings = home.siblings();
    let sent = intent(limit("100"), working());
    assert_eq!(looked(&mut siblings).counts(&sent.account, &Now::get()), Counts::default());
    home.write(&sent).await;
    home.write(&intent(limit("50"), State::Ready)).await;
    let other: AccountId = "DU7654321".parse().unwrap();
    let now = Now::get();
    let siblings = looked(&mut siblings);
    assert_eq!(siblings.counts(&sent.account, &now), Counts { minute: 1, day: 1 });
    assert_eq!(siblings.counts(&other, &now), Counts::default());
}

#[tokio::test]
async fn an_alike_order_of_another_profile_is_held_and_one_in_doubt_is_refused() {
    let home = Home::new();
    let mut siblings = home.siblings();
    let sent = intent(limit("100"), working());
    home.write(&sent).await;
    let held = looked(&mut siblings).alike(&limit("100.5"), WINDOW, &Now::get()).unwrap();
    let denial = held.denial();
    assert_eq!(denial.code, ReasonCode::PossibleDuplicate.into());
    assert!(denial.message.contains("the profile paper"), "{}", denial.message);
    assert!(held.is_meant(Some(sent.id)) && !held.is_meant(None));
    // What changes in a journal is seen, and read on from where it was.
    let record = Record::Became {
        id: sent.id,
        state: Box::new(unknown()),
        sent_at: None,
        by: "x".into(),
        through: None,
        boot: None,
    };
    home.writer.write(&[record]).await.unwrap();
    let held = looked(&mut siblings).alike(&limit("100.5"), WINDOW, &Now::get()).unwrap();
    assert_eq!(held.denial().code, ReasonCode::SameOrderInDoubt.into());
    assert!(!held.is_meant(Some(sent.id)), "nobody may want a second one of that");
    assert!(siblings.alike(&limit("200"), WINDOW, &Now::get()).is_none());
}

#[tokio::test]
async fn at_the_last_look_only_what_was_sent_holds_unless_it_is_meant() {
    let home = Home::new();
    let mut siblings = home.siblings();
    let (mut ours, waits) =
        (intent(limit("100"), State::Ready), intent(limit("100"), State::Ready));
    home.write(&waits).await;
    assert!(looked(&mut siblings).was_sent(&ours, WINDOW, &Now::get()).is_none());
    let mut sent = intent(limit("100"), working());
    home.write(&sent).await;
    assert!(looked(&mut siblings).was_sent(&ours, WINDOW, &Now::get()).is_some());
    ours.beside = Some(sent.id);
    assert!(siblings.was_sent(&ours, WINDOW, &Now::get()).is_none());
    ours.beside = None;
    sent = intent(limit("100"), working());
    sent.beside = Some(ours.id);
    home.write(&sent).await;
    assert!(looked(&mut siblings).was_sent(&ours, WINDOW, &Now::get()).is_none());
}

#[test]
fn what_waited_too_long_in_a_journal_that_nobody_writes_holds_nothing() {
    let mut told = Told::default();
    let waits = intent(limit("100"), State::Ready);
    told.book.apply(Record::Intent(Box::new(waits.clone())), Timestamp::now());
    let later = Timestamp::now() + SignedDuration::from_mins(6);
    told.settle(&Now::get());
    assert!(told.book.alike(&limit("100"), WINDOW, &Now::get()).is_some());
    told.settle(&Now { wall: later, ..Now::get() });
    assert!(told.book.alike(&limit("100"), WINDOW, &Now::get()).is_none());
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_named_and_hides_no_other() {
    let home = Home::new();
    let mut siblings = home.siblings();
    let sent = intent(limit("100"), working());
    home.write(&sent).await;
    let broken = home.folder.path().join("broken/journal");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("00000001.journal"), "nonsense").unwrap();
    let siblings = looked(&mut siblings);
    let unreadable = siblings.unreadable();
    assert!(unreadable.len() == 1 && unreadable[0].starts_with("broken ("), "{unreadable:?}");
    assert_eq!(siblings.counts(&sent.account, &Now::get()).day, 1);
}

#[tokio::test]
async fn the_own_journal_is_none_of_the_others_by_whatever_way_it_is_found() {
    let home = Home::new();
    home.write(&intent(limit("100"), working())).await;
    let root = home.folder.path().to_owned();
    let mut roots = vec![root.clone()];
    #[cfg(unix)]
    {
        let link = root.join("link");
        std::os::unix::fs::symlink(&root, &link).unwrap();
        roots.push(link);
    }
    let mut siblings = Siblings::beside(&root.join("paper"), roots);
    assert!(looked(&mut siblings).read.is_empty());
}
