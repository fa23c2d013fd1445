use super::*;

#[test]
fn what_protects_is_never_switched_off() {
    for flag in FLAGS {
        for bad in [
            "no-sandbox",
            "disable-web-security",
            "remote-debugging-port",
            "disable-setuid-sandbox",
        ] {
            assert!(!flag.contains(bad), "{flag}");
        }
        // All errors of certificates; the one that is set allows a single key.
        assert_ne!(flag, "--ignore-certificate-errors");
    }
}

#[test]
fn a_profile_is_private_and_goes_with_its_attempt() {
    let scratch = tempfile::tempdir().unwrap();
    let left_behind = scratch.path().join("browser-0a1b2c3d");
    std::fs::create_dir(&left_behind).unwrap();
    std::fs::write(scratch.path().join("keep"), "").unwrap();
    let profile = Profile::new(scratch.path()).unwrap();
    let folder = profile.0.clone();
    assert!(folder.is_dir() && !left_behind.exists());
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&folder.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
    }
    drop(profile);
    assert!(!folder.exists() && scratch.path().join("keep").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_browser_gets_its_pipes_and_nothing_of_our_environment() {
    let scratch = tempfile::tempdir().unwrap();
    let program = scratch.path().join("fake");
    let script =
        "#!/bin/sh\necho \"$HOME|$CARGO_PKG_NAME|$1\" >&4\nread line <&3\necho \"$line\" >&4\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .unwrap();
    let mut child = command(&program, scratch.path(), "key").unwrap().spawn().unwrap();
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    child.stdin.take().unwrap().write_all(b"hello\n").await.unwrap();
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).await.unwrap();
    assert_eq!(told, format!("{}||--headless=new\nhello\n", scratch.path().display()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_dropped_browser_is_killed_with_its_children() {
    let scratch = tempfile::tempdir().unwrap();
    let profile = Profile::new(scratch.path()).unwrap();
    let folder = profile.0.clone();
    let mut sleeper = Command::new("/bin/sh");
    sleeper.args(["-c", "sleep 1000 & wait"]).process_group(0);
    let child = sleeper.spawn().unwrap();
    let group = rustix::process::Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();
    drop(Browser { child, profile });
    assert!(!folder.exists());
    for _ in 0..200 {
        if rustix::process::test_kill_process_group(group).is_err() || only_zombies(group) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the group lives on");
}

/// Orphans stay in the table until the system's first process reaps them, which in a container may be
/// never.
#[cfg(unix)]
fn only_zombies(group: rustix::process::Pid) -> bool {
    let group = group.as_raw_nonzero().to_string();
    std::fs::read_dir("/proc").is_ok_and(|entries| {
        entries.flatten().all(|entry| {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let after_name: Vec<&str> =
                stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            after_name.get(2).is_none_or(|other| *other != group) || after_name[0] == "Z"
        })
    })
}

#[test]
fn the_reason_of_an_early_end_is_told() {
    let told = "[1:1:0] ERROR:dbus/bus.cc] Failed to connect to the bus\n";
    assert_eq!(last_words(told), "it ended without a word");
    let library = format!("chrome: error while loading shared libraries: libnss3.so\n{told}");
    assert!(last_words(&library).contains("libnss3.so"));
    assert!(last_words("FATAL: No usable sandbox! If you are").contains("sandbox"));
}
