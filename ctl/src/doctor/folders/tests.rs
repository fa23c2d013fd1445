#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use super::super::check::State;
use super::*;

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Places in a folder, all of them there.
fn places(home: &Path) -> Places {
    let places = Places {
        profile: "default".into(),
        config: home.join("config/ibd"),
        state: home.join("state/ibd/default"),
        runtime: home.join("run/ibd"),
        data: home.join("data/ibd"),
    };
    for folder in [&places.config, &places.state, &places.runtime, &places.data] {
        std::fs::create_dir_all(folder).unwrap();
        set(folder, 0o700);
    }
    set(&home.join("state/ibd"), 0o700);
    places
}

#[test]
fn a_secret_in_the_file_is_found_by_its_key() {
    assert!(holds_secret("paper_trading = true\n  password_auth = \"x\"\n"));
    assert!(holds_secret("\"flex_token\"='x'"));
    assert!(!holds_secret("# password_auth = \"x\"\nusername = \"totp_secret\"\n"));
}

#[test]
fn a_folder_that_others_can_enter_is_told_with_its_mode() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("x");
    assert_eq!(why_open(&folder), None, "what is not there is not open");
    std::fs::create_dir(&folder).unwrap();
    set(&folder, 0o755);
    assert_eq!(why_open(&folder).as_deref(), Some("its mode is 0755"));
    set(&folder, 0o700);
    assert_eq!(why_open(&folder), None);
}

#[test]
fn folders_are_closed_to_others_and_open_to_us() {
    let home = tempfile::tempdir().unwrap();
    let places = places(home.path());
    assert_eq!(folders(&places).state, State::Ok);
    for (folder, mode, command) in [
        (&places.state, 0o755, "chmod 700 "),
        (&places.runtime, 0o500, "chmod u+rwx "),
        (&places.runtime, 0o750, "chmod 700 "),
    ] {
        set(folder, mode);
        let check = folders(&places);
        assert_eq!(check.state, State::Fail, "{mode:o}: {check:?}");
        assert!(check.text.contains(&format!("{mode:04o}")), "{check:?}");
        assert_eq!(check.commands, [format!("{command}{}", folder.display())]);
        set(folder, 0o700);
    }
    // A folder that is still to be made is made in the one above it.
    std::fs::remove_dir(&places.runtime).unwrap();
    set(&home.path().join("run"), 0o500);
    let check = folders(&places);
    set(&home.path().join("run"), 0o700);
    assert!(check.state == State::Fail && check.text.contains("0500"), "{check:?}");
}

#[test]
fn a_file_of_a_secret_is_for_its_user_alone() {
    let home = tempfile::tempdir().unwrap();
    let places = places(home.path());
    assert_eq!(secrets(&places).state, State::Ok);
    let token = home.path().join("token");
    std::fs::write(&token, "canary").unwrap();
    let line = format!("# mine\nflex_token_file = \"{}\"\n", token.display());
    std::fs::write(places.config_file(), line).unwrap();
    set(&token, 0o644);
    let open = secrets(&places);
    assert_eq!(open.state, State::Fail, "{open:?}");
    assert!(open.text.contains("flex_token_file") && open.text.contains("0644"), "{open:?}");
    assert_eq!(open.commands, [format!("chmod 600 {}", token.display())]);
    set(&token, 0o600);
    assert_eq!(secrets(&places).state, State::Ok);
    std::fs::remove_file(&token).unwrap();
    assert!(secrets(&places).text.contains("no such file"));
    // What this shell says comes first.
    let named = secret_files(&places, |name| (name == "IB_FLEX_TOKEN_FILE").then(|| "/x".into()));
    assert_eq!(named, [("IB_FLEX_TOKEN_FILE".to_owned(), PathBuf::from("/x"))]);
}

#[test]
fn little_room_is_told_before_there_is_none() {
    let state = |free| room_of("disk", free, Path::new("/x")).state;
    assert_eq!(state(0), State::Fail);
    assert_eq!(state(NO_ROOM), State::Warn);
    assert_eq!(state(LITTLE_ROOM), State::Ok);
    let home = tempfile::tempdir().unwrap();
    assert!(free(home.path()).is_some());
}

#[test]
fn a_path_is_quoted_as_a_shell_wants_it() {
    assert_eq!(quoted(Path::new("/home/u/.local")), "/home/u/.local");
    assert_eq!(quoted(Path::new("/my home/it's")), r"'/my home/it'\''s'");
}
