//! The actor of Flex statements.

use std::path::PathBuf;

use ibd::flex::{self, Ask, Flex, FlexHandle, RunState};
use ibd::post::Post;
use ibd_cpapi::flex::PATH;
use serde_json::json;

use super::bench::{Bench, Running, soon};

const TOKEN: &str = "sim-flex-token";
/// More than there are statements in the tests of this process.
#[cfg(target_os = "linux")]
const LINKS: u32 = 64;

/// The actor of Flex statements on its bench.
struct Files {
    bench: Bench,
    flex: FlexHandle,
    running: Running,
}

/// A statement that was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Statement {
    file: String,
    /// It was in the archive before.
    was_there: bool,
}

impl Files {
    async fn new() -> Self {
        let flex = json!({ "generateMillis": 300, "polls": 1 });
        Self::open(Bench::new(json!({ "flex": flex, "flexPacing": false })).await).await
    }

    /// Everything but the store and the folders is new.
    async fn open(bench: Bench) -> Self {
        let address = format!("{}/{PATH}", bench.broker.gateway());
        let config = bench.config(&[("flex_token", TOKEN), ("flex_url", &address)]);
        let post = Post::default();
        let flex = FlexHandle::new(post.clone(), bench.board.clone(), &config);
        let arguments = flex::Arguments {
            board: bench.board.clone(),
            store: bench.store.clone(),
            folder: bench.places.state.join("flex"),
            handle: flex.clone(),
        };
        let running = Running::start(Flex, arguments, &post).await;
        Self { bench, flex, running }
    }

    /// Stops the actor and starts another one over the same store and archive.
    async fn restarted(self) -> Self {
        let Self { bench, mut running, .. } = self;
        running.stop().await;
        Self::open(bench).await
    }

    async fn run(&self, query: &str) -> RunState {
        let ask = Ask { query: query.to_owned(), ..Ask::default() };
        self.flex.run(ask, soon(), |_| ()).await.unwrap()
    }

    /// A statement that must come.
    async fn statement(&self, query: &str) -> Statement {
        match self.run(query).await {
            RunState::Done(entry, was_there) => Statement { file: entry.file, was_there },
            other => panic!("{query}: {other:?}"),
        }
    }

    /// The names of the queries that are known.
    fn queries(&self) -> Vec<String> {
        self.flex.view().queries.into_iter().map(|query| query.name).collect()
    }

    /// The files of the statements that are listed, sorted.
    fn listed(&self) -> Vec<String> {
        let view = self.flex.view();
        let mut files: Vec<String> = view.entries.iter().map(|entry| entry.file.clone()).collect();
        files.sort();
        files
    }

    fn folder(&self) -> PathBuf {
        self.bench.places.state.join("flex")
    }

    /// Everything that lies in the archive's folder, sorted.
    fn lying(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// How often a statement was asked for at IBKR.
    async fn sends(&self) -> u64 {
        self.bench.broker.get("/flex").await["sends"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn queries_and_statements_are_known_after_a_restart() {
    let files = Files::new().await;
    let (first, second) = (files.statement("1001").await, files.statement("1003").await);
    assert!(!first.was_there && !second.was_there, "{first:?} {second:?}");
    let (queries, listed) = (files.queries(), files.listed());
    assert_eq!((queries.len(), listed.len()), (2, 2), "{queries:?} {listed:?}");
    assert_eq!(files.lying(), listed, "nothing else lies there");

    let files = files.restarted().await;
    assert_eq!((files.queries(), files.listed()), (queries.clone(), listed));
    // By its name, too, and without asking IBKR again.
    for (query, before) in [("1003", &second), (queries[0].as_str(), &first)] {
        let again = files.statement(query).await;
        assert_eq!(again, Statement { file: before.file.clone(), was_there: true });
    }
    assert_eq!(files.sends().await, 2);
}

/// `/dev/full` takes what is opened and has room for none of it, as a disk does that fills while it is written to.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_fills_while_a_statement_is_archived_costs_neither_the_archive_nor_the_run() {
    let files = Files::new().await;
    // A statement is written under a passing name of this process, with a number that other tests count on, too.
    let passing = |number: u32| format!(".incoming-{}-{number}", std::process::id());
    for number in 0..LINKS {
        let link = files.folder().join(passing(number));
        std::os::unix::fs::symlink("/dev/full", link).unwrap();
    }
    let RunState::Failed(refusal) = files.run("1001").await else { panic!("the disk had room") };
    assert_eq!(refusal.error, ibd_protocol::ErrorCode::FlexNotStored, "{refusal:?}");
    assert!(refusal.message.contains("No space left"), "{refusal:?}");
    assert!(files.listed().is_empty() && files.queries().is_empty());
    let left = files.lying();
    assert_eq!(left.len(), LINKS as usize - 1, "what was begun is gone: {left:?}");

    // Somebody makes room.
    left.iter().for_each(|link| std::fs::remove_file(files.folder().join(link)).unwrap());
    let statement = files.statement("1001").await;
    assert!(!statement.was_there, "{statement:?}");
    assert_eq!(files.sends().await, 1, "the statement that IBKR had made is fetched once more");
    assert_eq!(files.listed(), [statement.file]);
    let files = files.restarted().await;
    assert_eq!((files.listed(), files.queries().len()), (files.lying(), 1));
}
