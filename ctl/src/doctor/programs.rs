//! Whether all our programs are there, and of one version.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ibd_protocol::{build, start};
use tokio::process::Command;
use tokio::time::timeout;

use super::check::Check;

const NAME: &str = "programs";
/// Those that this one needs.
const PROGRAMS: [&str; 3] = ["ibd", "ib-mcp", "ib-sim"];
/// A program says its version within this time.
const PATIENCE: Duration = Duration::from_secs(5);
const HINT: &str = "Install all four of one version beside each other (docs/install.md).";

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    program: &'static str,
    /// Where; `None`: neither beside this program nor on PATH.
    path: Option<PathBuf>,
    /// What it says of itself, or why it says nothing.
    version: Result<String, String>,
}

pub(super) async fn check() -> Check {
    let mut all = Vec::new();
    for program in PROGRAMS {
        all.push(look(program).await);
    }
    verdict(build(), &all)
}

async fn look(program: &'static str) -> Seen {
    let Ok(path) = start::find(program) else {
        return Seen { program, path: None, version: Err("it is not there".to_owned()) };
    };
    let version = version(&path).await;
    Seen { program, path: Some(path), version }
}

async fn version(path: &Path) -> Result<String, String> {
    let asked = Command::new(path)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let said = match timeout(PATIENCE, asked).await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => return Err(ibd_disk::plainly(&error)),
        Err(_) => return Err("it says nothing".to_owned()),
    };
    let text = String::from_utf8_lossy(&said.stdout);
    let word = text.split_whitespace().nth(1).map(str::to_owned);
    word.filter(|_| said.status.success()).ok_or_else(|| format!("it ends with {}", said.status))
}

fn verdict(own: &str, all: &[Seen]) -> Check {
    // Only an invented account needs the simulator.
    let is_needed = |seen: &&Seen| seen.program != "ib-sim";
    let missing = |seen: &&Seen| seen.path.is_none();
    if let Some(seen) = all.iter().filter(is_needed).find(missing) {
        let text = format!("There is no {} beside ibctl, nor on PATH.", seen.program);
        return Check::fail(NAME, text, HINT);
    }
    for seen in all {
        let Some(path) = seen.path.as_deref().map(Path::display) else { continue };
        match &seen.version {
            Ok(version) if version == own => {}
            Ok(version) => {
                let text = format!("{path} is version {version}, and ibctl is {own}.");
                return Check::fail(NAME, text, HINT);
            }
            Err(why) => return Check::fail(NAME, format!("{path} does not run: {why}."), HINT),
        }
    }
    if let Some(seen) = all.iter().find(missing) {
        let text = format!("There is no {}; only the simulator needs it.", seen.program);
        return Check::warn(NAME, text, HINT);
    }
    let names = all.iter().map(|seen| seen.program).collect::<Vec<_>>().join(", ");
    Check::ok(NAME, format!("ibctl, {names} are all version {own}."))
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn all_must_be_there_and_of_one_version() {
        let seen = |program, version: Option<&str>| Seen {
            program,
            path: version.map(|_| PathBuf::from(format!("/bin/{program}"))),
            version: version.map(str::to_owned).ok_or_else(|| "it is not there".to_owned()),
        };
        let told = |ibd, mcp, sim| {
            let check =
                verdict("1.2.3", &[seen("ibd", ibd), seen("ib-mcp", mcp), seen("ib-sim", sim)]);
            (check.state, check.text)
        };
        let (fine, old) = (Some("1.2.3"), Some("1.2.2"));
        assert_eq!(told(fine, fine, fine).0, State::Ok);
        assert_eq!(told(fine, fine, None).0, State::Warn);
        for (ibd, mcp, sim, names) in [
            (None, fine, fine, "no ibd"),
            (fine, None, fine, "no ib-mcp"),
            (fine, old, fine, "/bin/ib-mcp is version 1.2.2"),
            (fine, old, None, "/bin/ib-mcp is version 1.2.2"),
            (fine, fine, old, "/bin/ib-sim is version 1.2.2"),
        ] {
            let (state, text) = told(ibd, mcp, sim);
            assert!(state == State::Fail && text.contains(names), "{text}");
        }
        let broken = Seen { version: Err("permission denied".into()), ..seen("ibd", fine) };
        assert!(verdict("1.2.3", &[broken]).text.contains("permission denied"));
    }
}
