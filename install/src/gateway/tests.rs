use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::progress::Stage;
use crate::source::Source;
use crate::testing::{Answer, End, Server, impatient, noise, zip_of};

const MANIFEST: &str = "Manifest-Version: 1.0\r\nWhen-Built: 2031-02-03T15:42:44-0400\r\n\
                        Git-Commit: 0123456789abcdef0123456789abcdef01234567+[working\r\n  tree]\r\n";

/// An archive with a gateway of invented files below `top`; `salt` makes it another one.
fn archive(top: &str, salt: &str) -> Vec<u8> {
    let jar = zip_of(&[("META-INF/MANIFEST.MF", 0o644, MANIFEST.as_bytes())]);
    let name = |name: &str| format!("{top}{name}");
    let (jar_name, library) = (name(JAR), name("build/lib/runtime/invented-1.0.jar"));
    zip_of(&[
        (&name("bin/run.sh"), 0o755, b"#!/bin/sh"),
        (&jar_name, 0o644, &jar),
        (&library, 0o644, &noise(30_000)),
        (&name("root/conf.yaml"), 0o644, salt.as_bytes()),
    ])
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn file(&self, name: &str, content: &[u8]) -> Order {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        order(Source::Path(path))
    }

    async fn install(&self, order: &Order) -> Result<Done<Installed>, InstallError> {
        install_gateway(&self.data(), order, |_| ()).await
    }

    fn installed(&self) -> Result<Installed, NotInstalled> {
        installed_gateway(&self.data())
    }

    /// Names in the folder of gateways, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data().join("gateway")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn downloads(&self) -> usize {
        fs::read_dir(self.data().join("downloads")).unwrap().count()
    }
}

fn order(source: Source) -> Order {
    Order { limits: impatient(), ..Order::from(source) }
}

#[tokio::test]
async fn a_gateway_is_installed_from_an_address_with_its_build_and_checksum() {
    let zip = archive("", "one");
    let served = zip.clone();
    let server = Server::start(move |asked| Answer::honest(asked, &served, "\"x\"")).await;
    let bench = Bench::new();
    assert_eq!(bench.installed(), Err(NotInstalled::Never));
    let stages = Arc::new(Mutex::new(Vec::new()));
    let ear = stages.clone();
    let hear = move |progress: Progress| {
        let mut stages = ear.lock().unwrap();
        stages.push(progress.stage);
        stages.dedup();
    };
    let order = order(Source::Url(server.url("/gw.zip?token=secret")));
    let done = install_gateway(&bench.data(), &order, hear).await.unwrap();
    assert!(done.is_new && done.changed_since.is_none());
    let installed = done.installed;
    assert_eq!(bench.installed().as_ref(), Ok(&installed));
    assert_eq!(installed.bytes, zip.len() as u64);
    assert_eq!(installed.source, server.url("/gw.zip").to_string());
    let build = installed.build.unwrap();
    assert_eq!(build.commit.as_deref(), Some("0123456789abcdef0123456789abcdef01234567"));
    assert_eq!(build.age_in_days(jiff::civil::date(2031, 2, 13)), 10);
    assert_eq!(build.age_in_days(jiff::civil::date(2031, 2, 1)), 0);
    assert_eq!(fs::read_to_string(installed.folder.join("root/conf.yaml")).unwrap(), "one");
    assert_eq!(bench.downloads(), 0);
    assert_eq!(
        *stages.lock().unwrap(),
        [Stage::Downloading, Stage::Checking, Stage::Unpacking, Stage::Checking]
    );
}

#[tokio::test]
async fn an_archive_may_have_a_folder_around_it_and_a_folder_does_as_well() {
    let flat = archive("", "one");
    let bench = Bench::new();
    for zip in [flat.clone(), archive("clientportal.gw/", "one"), archive("a/b/", "one")] {
        let installed = bench.install(&bench.file("gw.zip", &zip)).await.unwrap().installed;
        assert!(installed.folder.join(JAR).is_file());
        assert!(installed.folder.join("bin/run.sh").is_file());
    }
    let unpacked = bench.installed().unwrap().folder;
    let copy = bench.install(&order(Source::Path(unpacked.clone()))).await.unwrap().installed;
    assert_ne!(copy.folder, unpacked);
    assert_eq!(copy.source, unpacked.display().to_string());
    assert!(copy.folder.join(JAR).is_file() && copy.build.is_some());
}

#[tokio::test]
async fn another_checksum_than_the_expected_one_installs_nothing() {
    let bench = Bench::new();
    let first = bench.install(&bench.file("a.zip", &archive("", "one"))).await.unwrap().installed;
    let mut order = bench.file("b.zip", &archive("", "two"));
    order.sha256 = Some(first.sha256);
    let error = bench.install(&order).await.unwrap_err();
    assert!(matches!(error, InstallError::Checksum { .. }), "{error:?}");
    assert_eq!(bench.installed(), Ok(first.clone()));
    assert_eq!(bench.names(), [&first.sha256.short(), "install.lock", "installed.json"]);
    let mut right = bench.file("a.zip", &archive("", "one"));
    right.sha256 = Some(first.sha256);
    bench.install(&right).await.unwrap();
}

#[tokio::test]
async fn a_bad_download_is_not_kept_to_go_on_with() {
    let served = archive("", "one");
    let server = Server::start(move |asked| Answer::honest(asked, &served, "\"x\"")).await;
    let bench = Bench::new();
    let mut order = order(Source::Url(server.url("/gw.zip")));
    order.sha256 = Some(Checksum::of_text("another"));
    assert!(bench.install(&order).await.is_err());
    assert_eq!(bench.downloads(), 0);
}

#[tokio::test]
async fn a_source_that_changed_is_told() {
    let bench = Bench::new();
    let first = bench.install(&bench.file("gw.zip", &archive("", "one"))).await.unwrap();
    let again = bench.install(&bench.file("gw.zip", &archive("", "one"))).await.unwrap();
    assert!(!again.is_new && again.changed_since.is_none());
    assert_eq!(again.installed.folder, first.installed.folder);
    let other = bench.install(&bench.file("gw.zip", &archive("", "two"))).await.unwrap();
    let changed = other.changed_since.unwrap();
    assert_eq!(changed.sha256, first.installed.sha256);
    assert!(other.is_new && other.installed.sha256 != changed.sha256);
}

#[tokio::test]
async fn the_gateway_before_stays_and_older_ones_go() {
    let bench = Bench::new();
    let mut folders = Vec::new();
    for salt in ["one", "two", "three"] {
        let order = bench.file("gw.zip", &archive("", salt));
        folders.push(bench.install(&order).await.unwrap().installed.folder);
    }
    assert!(!folders[0].exists() && folders[1].exists() && folders[2].exists());
}

#[tokio::test]
async fn a_damaged_installation_is_noticed_and_repaired() {
    let bench = Bench::new();
    let order = bench.file("gw.zip", &archive("", "one"));
    let installed = bench.install(&order).await.unwrap().installed;
    fs::remove_file(installed.folder.join(JAR)).unwrap();
    let gone = bench.installed().unwrap_err();
    assert!(matches!(gone, NotInstalled::Gone(_)) && gone.to_string().contains("ibctl"), "{gone}");
    assert!(bench.install(&order).await.unwrap().is_new);
    assert!(bench.installed().is_ok());
    fs::write(bench.data().join("gateway/installed.json"), "{").unwrap();
    let unreadable = bench.installed().unwrap_err();
    assert!(matches!(unreadable, NotInstalled::Unreadable { .. }), "{unreadable}");
    bench.install(&order).await.unwrap();
    assert!(bench.installed().is_ok());
}

#[tokio::test]
async fn something_else_than_a_gateway_is_refused_and_leaves_nothing() {
    let jar = zip_of(&[]);
    let bench = Bench::new();
    let others = [
        zip_of(&[("readme", 0o644, b"x")]),
        zip_of(&[(JAR, 0o644, &jar), ("root/conf.yaml", 0o644, b"")]),
        zip_of(&[(JAR, 0o644, &jar), ("build/lib/runtime/x.jar", 0o644, b"")]),
        archive("a/b/c/d/", "too deep"),
    ];
    for other in others {
        let error = bench.install(&bench.file("gw.zip", &other)).await.unwrap_err();
        assert!(matches!(error, InstallError::NoGateway(_)), "{error:?}");
        assert_eq!(bench.names(), ["install.lock"]);
    }
    let home = order(Source::Path(bench.0.path().join("nowhere")));
    let error = bench.install(&home).await.unwrap_err();
    assert!(matches!(error, InstallError::NoSuchPath(_)), "{error:?}");
    let mut folder = order(Source::Path(bench.0.path().into()));
    folder.sha256 = Some(Checksum::of_text(""));
    let error = bench.install(&folder).await.unwrap_err();
    assert!(matches!(error, InstallError::ChecksumOfFolder(_)), "{error:?}");
}

#[tokio::test]
async fn an_interrupted_install_is_cleared_away_and_a_cut_download_is_gone_on_with() {
    let served = archive("", "one");
    let server = Server::start(move |asked| {
        let answer = Answer::honest(asked, &served, "\"x\"");
        if asked.number == 0 { answer.ends_after(20_000, End::Cut) } else { answer }
    })
    .await;
    let bench = Bench::new();
    let mut order = order(Source::Url(server.url("/gw.zip")));
    order.limits.attempts = 1;
    assert!(bench.install(&order).await.is_err());
    assert_eq!(bench.downloads(), 2);
    fs::create_dir_all(bench.data().join("gateway/.unpack-1/dist")).unwrap();
    bench.install(&order).await.unwrap();
    assert_eq!(server.asked()[1].from(), Some(20_000));
    assert_eq!(bench.names().len(), 3, "{:?}", bench.names());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_installers_at_once_one_waits_and_need_not_download_again() {
    let served = archive("", "one");
    let downloads = Arc::new(AtomicUsize::new(0));
    let count = downloads.clone();
    let server = Server::start(move |asked| {
        count.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(300));
        Answer::honest(asked, &served, "\"x\"")
    })
    .await;
    let bench = Bench::new();
    let mut order = order(Source::Url(server.url("/gw.zip")));
    order.limits.silence = std::time::Duration::from_secs(10);
    let (one, two) = tokio::join!(bench.install(&order), bench.install(&order));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.installed, two.installed);
    assert_eq!(downloads.load(Ordering::Relaxed), 1);
    assert!(one.is_new != two.is_new);
}

#[tokio::test]
async fn whoever_waited_for_an_install_that_failed_installs_itself() {
    let served = archive("", "one");
    let server = Server::start(move |asked| Answer::honest(asked, &served, "\"x\"")).await;
    let bench = Bench::new();
    let order = order(Source::Url(server.url("/gw.zip")));
    bench.install(&order).await.unwrap();
    let lock = fs::File::open(bench.data().join("gateway/install.lock")).unwrap();
    lock.lock().unwrap();
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
        drop(lock);
    };
    let (again, ()) = tokio::join!(bench.install(&order), release);
    assert!(!again.unwrap().is_new);
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn an_install_may_run_in_a_task_of_its_own() {
    fn is_send<T: Send>(_: T) {}
    let order = order(Source::Published);
    is_send(install_gateway(Path::new("/nowhere"), &order, |_| ()));
    is_send(crate::install_java(Path::new("/nowhere"), &order, |_| ()));
    is_send(crate::find_java(Path::new("/nowhere"), None));
}

#[tokio::test]
async fn a_jar_without_a_manifest_is_dated_by_its_newest_file() {
    let file = |zip: &mut zip::ZipWriter<std::io::Cursor<Vec<u8>>>, name: &str, year| {
        let at = zip::DateTime::from_date_and_time(year, 5, 6, 7, 8, 10).unwrap();
        let options = zip::write::SimpleFileOptions::default().last_modified_time(at);
        zip.start_file(name, options).unwrap();
    };
    let mut jar = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    file(&mut jar, "new", 2029);
    file(&mut jar, "old", 2018);
    let jar = jar.finish().unwrap().into_inner();
    let bench = Bench::new();
    let path = bench.0.path().join("a.jar");
    fs::write(&path, jar).unwrap();
    let date = jiff::civil::date(2029, 5, 6);
    assert_eq!(stamp::read(&path).unwrap(), Some(Build { commit: None, date }));
    fs::write(&path, zip_of(&[])).unwrap();
    assert_eq!(stamp::read(&path).unwrap(), None);
    fs::write(&path, "no jar").unwrap();
    assert!(matches!(stamp::read(&path), Err(InstallError::Damaged(_))));
}
