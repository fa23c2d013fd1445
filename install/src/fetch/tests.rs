use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::progress::Progress;
use crate::testing::{Answer, Asked, End, Server, impatient, noise};

const TAG: &str = "\"one\"";
const SIZE: usize = 100_000;

struct Bench {
    folder: tempfile::TempDir,
    limits: Limits,
    reporter: Reporter,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, limits: impatient(), reporter: Reporter::silent() }
    }

    fn part(&self, url: &Url) -> Part {
        Part::new(self.folder.path(), "gateway", url)
    }

    async fn fetch(&self, url: &Url) -> Result<Vec<u8>, InstallError> {
        let part = self.part(url);
        let (limits, reporter) = (&self.limits, &self.reporter);
        Fetch { url, part: &part, limits, reporter }.run().await?;
        Ok(std::fs::read(part.file).unwrap())
    }

    fn once() -> Self {
        let mut bench = Self::new();
        bench.limits.attempts = 1;
        bench
    }
}

fn ranges(server: &Server) -> Vec<Option<usize>> {
    server.asked().iter().map(Asked::from).collect()
}

#[tokio::test]
async fn a_file_comes_whole_and_the_listener_hears_its_length() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| Answer::honest(asked, &served, TAG)).await;
    let mut bench = Bench::new();
    let heard = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let ear = heard.clone();
    bench.reporter = Reporter::new(move |progress| ear.lock().unwrap().push(progress));
    assert!(bench.fetch(&server.url("/gw.zip")).await.unwrap() == content);
    let end = *heard.lock().unwrap().last().unwrap();
    assert_eq!(
        end,
        Progress { stage: Stage::Downloading, done: SIZE as u64, total: Some(SIZE as u64) }
    );
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_was() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, TAG);
        match asked.number {
            0 => answer.ends_after(30_000, End::Cut),
            1 => answer.ends_after(20_000, End::Cut),
            _ => answer,
        }
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(30_000), Some(50_000)]);
    assert_eq!(server.asked()[1].if_range.as_deref(), Some(TAG));
}

#[tokio::test]
async fn the_next_run_goes_on_with_what_the_last_one_left() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, TAG);
        if asked.number == 0 { answer.ends_after(40_000, End::Cut) } else { answer }
    })
    .await;
    let bench = Bench::once();
    let cut = bench.fetch(&server.url("/x")).await;
    assert!(matches!(cut, Err(InstallError::Cut { done: 40_000, .. })), "{cut:?}");
    assert!(bench.fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000)]);
}

#[tokio::test]
async fn a_server_that_ignores_ranges_sends_it_all_again() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| {
        let answer = Answer::whole(&served, TAG);
        if asked.number == 0 { answer.ends_after(40_000, End::Cut) } else { answer }
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000)]);
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_taken_from_its_start() {
    let (old, new) = (noise(SIZE), noise(SIZE + 77)[77..].to_vec());
    let expected = new.clone();
    let server = Server::start(move |asked| match asked.number {
        0 => Answer::honest(asked, &old, TAG).ends_after(40_000, End::Cut),
        _ => Answer::honest(asked, &new, "\"two\""),
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == expected);
    assert_eq!(ranges(&server), [None, Some(40_000)]);
}

#[tokio::test]
async fn the_rest_of_another_file_is_never_joined_on() {
    let (old, new) = (noise(SIZE), noise(SIZE + 77)[77..].to_vec());
    let expected = new.clone();
    // It sends the range whatever If-Range says.
    let server = Server::start(move |asked| match asked.number {
        0 => Answer::honest(asked, &old, TAG).ends_after(40_000, End::Cut),
        _ => Answer::honest(&Asked { if_range: None, ..asked.clone() }, &new, "\"two\""),
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == expected);
    assert_eq!(ranges(&server), [None, Some(40_000), None]);
}

#[tokio::test]
async fn another_range_than_the_one_asked_for_is_not_joined_on() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, TAG);
        match asked.number {
            0 => answer.ends_after(40_000, End::Cut),
            1 => answer.with("content-range", format!("bytes 39000-{}/{SIZE}", SIZE - 1)),
            _ => answer,
        }
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000), None]);
}

#[tokio::test]
async fn a_range_that_the_server_cannot_give_starts_over() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| match asked.number {
        0 => Answer::honest(asked, &served, TAG).ends_after(40_000, End::Cut),
        1 => Answer::new(416, ""),
        _ => Answer::honest(asked, &served, TAG),
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000), None]);
}

#[tokio::test]
async fn without_a_proof_that_it_is_the_same_file_it_starts_over() {
    let content = noise(SIZE);
    for tag in ["", "W/\"weak\""] {
        let served = content.clone();
        let server = Server::start(move |asked| {
            let mut answer = Answer::whole(&served, tag);
            if tag.is_empty() {
                answer.headers.retain(|(name, _)| *name != "etag");
            }
            if asked.number == 0 { answer.ends_after(40_000, End::Cut) } else { answer }
        })
        .await;
        assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
        assert_eq!(ranges(&server), [None, None], "{tag}");
    }
}

#[tokio::test]
async fn fewer_bytes_than_announced_are_a_cut() {
    let server = Server::start(|_| Answer::new(200, noise(500)).with("content-length", 900)).await;
    let short = Bench::once().fetch(&server.url("/x")).await;
    assert!(matches!(short, Err(InstallError::Cut { .. })), "{short:?}");
}

#[tokio::test]
async fn a_rest_that_is_shorter_than_the_whole_is_a_cut() {
    let content = noise(SIZE);
    let served = content.clone();
    // Each rest is announced shorter than it is, and ends well.
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, TAG);
        match asked.number {
            0 => answer.ends_after(40_000, End::Cut),
            1 => answer.ends_after(10_000, End::Whole).sized(),
            _ => answer,
        }
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000), Some(50_000)]);
}

#[tokio::test]
async fn a_length_that_nobody_announces_is_no_error() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |_| Answer::new(200, served.clone())).await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
}

#[tokio::test]
async fn a_silent_server_is_left_and_asked_again() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, TAG);
        if asked.number == 0 { answer.ends_after(40_000, End::Hang) } else { answer }
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/x")).await.unwrap() == content);
    assert_eq!(ranges(&server), [None, Some(40_000)]);
}

#[tokio::test]
async fn a_server_that_stays_silent_is_given_up_in_words() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap()).parse().unwrap();
    let silent = Bench::once().fetch(&url).await.unwrap_err();
    assert!(matches!(silent, InstallError::Silent { done: 0, .. }), "{silent:?}");
    assert!(silent.to_string().contains(url.as_str()), "{silent}");
}

#[tokio::test]
async fn attempts_are_limited() {
    let server = Server::start(|_| Answer::new(503, "later")).await;
    let refused = Bench::new().fetch(&server.url("/x")).await;
    assert!(matches!(refused, Err(InstallError::Refused { status: 503, .. })), "{refused:?}");
    assert_eq!(server.asked().len(), impatient().attempts as usize);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_asked_for_once() {
    let server = Server::start(|_| Answer::new(404, "none")).await;
    let refused = Bench::new().fetch(&server.url("/x?token=secret")).await.unwrap_err();
    assert!(matches!(refused, InstallError::Refused { status: 404, .. }), "{refused:?}");
    assert!(refused.to_string().contains("--from PATH"), "{refused}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn an_unreachable_address_is_named_with_a_way_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/gw.zip", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = Bench::new().fetch(&url).await.unwrap_err();
    assert!(matches!(error, InstallError::Unreachable { .. }), "{error:?}");
    let words = error.to_string();
    for part in [url.as_str(), "refused", "--from PATH", "--from URL"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[tokio::test]
async fn more_than_the_limit_is_refused_announced_or_not() {
    for is_announced in [true, false] {
        let server = Server::start(move |_| {
            let answer = Answer::new(200, noise(SIZE));
            if is_announced { answer.sized() } else { answer }
        })
        .await;
        let mut bench = Bench::new();
        bench.limits.archive = SIZE as u64 - 1;
        let (url, large) = (server.url("/x"), server.url("/x"));
        let large = bench.fetch(&large).await;
        assert!(matches!(large, Err(InstallError::TooLarge { .. })), "{large:?}");
        assert!(!bench.part(&url).file.exists());
        assert_eq!(server.asked().len(), 1);
    }
}

#[tokio::test]
async fn redirects_are_followed_on_this_machine() {
    let content = noise(SIZE);
    let served = content.clone();
    let server = Server::start(move |asked| match asked.path.as_str() {
        "/old" => Answer::new(302, "").with("location", "/new"),
        _ => Answer::honest(asked, &served, TAG),
    })
    .await;
    assert!(Bench::new().fetch(&server.url("/old")).await.unwrap() == content);
}

#[tokio::test]
async fn nobody_is_followed_to_an_unencrypted_address_or_round_in_circles() {
    let server = Server::start(|asked| match asked.path.as_str() {
        "/circle" => Answer::new(302, "").with("location", "/circle"),
        _ => Answer::new(302, "").with("location", "http://plain.example/gw.zip"),
    })
    .await;
    let bench = Bench::new();
    let plain = bench.fetch(&server.url("/x")).await.unwrap_err();
    assert!(matches!(plain, InstallError::Redirected { .. }), "{plain:?}");
    assert!(plain.to_string().contains("http://plain.example/gw.zip"), "{plain}");
    let circle = bench.fetch(&server.url("/circle")).await;
    assert!(matches!(circle, Err(InstallError::Redirected { .. })), "{circle:?}");
}

#[tokio::test]
async fn what_came_is_counted_as_it_comes() {
    let most = Arc::new(AtomicU64::new(0));
    let ear = most.clone();
    let server =
        Server::start(|_| Answer::whole(&noise(SIZE), TAG).ends_after(7_000, End::Cut)).await;
    let mut bench = Bench::once();
    bench.reporter = Reporter::new(move |progress| {
        ear.fetch_max(progress.done, Ordering::Relaxed);
    });
    assert!(bench.fetch(&server.url("/x")).await.is_err());
    assert!(most.load(Ordering::Relaxed) <= 7_000);
    assert_eq!(bench.part(&server.url("/x")).size().await, 7_000);
}
