//! A Java runtime of our own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::version::JavaVersion;
use super::{Finding, home_of, run, search};
use crate::error::{Doing, InstallError};
use crate::install::Kind;
use crate::tree;

/// The Java that is published for us: supported for years, and the gateway runs on it.
const MAJOR: u32 = 17;

/// The kind.
pub(super) struct Runtime;

/// What is written down about one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Details {
    /// As it said when it was installed.
    pub version: JavaVersion,
    /// Who built it.
    pub vendor: String,
}

impl Kind for Runtime {
    const NAME: &'static str = "java";
    type Details = Details;

    fn published() -> Result<Url, InstallError> {
        published(std::env::consts::OS, std::env::consts::ARCH, is_musl())
    }

    fn is_one(folder: &Path) -> bool {
        home_of(&folder.join(search::program())).is_some()
    }

    fn none_in(what: String) -> InstallError {
        InstallError::NoRuntime(what)
    }

    async fn inspect(folder: PathBuf) -> Result<Details, InstallError> {
        let home = folder.clone();
        let made = tokio::task::spawn_blocking(move || make_runnable(&home));
        made.await.map_err(|_| InstallError::Interrupted)??;
        let program = folder.join(search::program());
        match run::ask(&program).await {
            Ok((version, vendor)) => Ok(Details { version, vendor }),
            Err(finding) => Err(InstallError::UnfitJava(unfit(&finding))),
        }
    }
}

fn unfit(finding: &Finding) -> String {
    match finding {
        Finding::TooOld(version) => {
            format!("it is {version}, and the gateway needs 8u192 or later")
        }
        Finding::Broken(why) => format!("`java -version` failed: {why}"),
    }
}

/// Adoptium's address for the newest runtime of this system.
fn published(os: &str, arch: &str, is_musl: bool) -> Result<Url, InstallError> {
    let system = match os {
        "linux" if is_musl => Some("alpine-linux"),
        "linux" => Some("linux"),
        "macos" => Some("mac"),
        "windows" => Some("windows"),
        _ => None,
    };
    let machine = match arch {
        "x86_64" => Some("x64"),
        "aarch64" => Some("aarch64"),
        "arm" => Some("arm"),
        "powerpc64" => Some("ppc64le"),
        "s390x" => Some("s390x"),
        "riscv64" => Some("riscv64"),
        _ => None,
    };
    let none = || InstallError::NoPublishedJava(format!("{os} on {arch}"));
    let (system, machine) = system.zip(machine).ok_or_else(none)?;
    let address = format!(
        "https://api.adoptium.net/v3/binary/latest/{MAJOR}/ga/{system}/{machine}/jre/hotspot/normal/\
         eclipse"
    );
    Url::parse(&address).map_err(|_| none())
}

/// Our program may be built for musl and run on glibc: the system tells, not the build.
fn is_musl() -> bool {
    Path::new("/etc/alpine-release").exists()
}

/// Zips made on Windows, and some copies, do not know what is a program.
fn make_runnable(home: &Path) -> Result<(), InstallError> {
    let bin = home.join("bin");
    let helpers = ["lib/jspawnhelper", "lib/jexec"].map(|name| home.join(name));
    let programs = tree::files(&bin)?.into_iter().map(|name| bin.join(name));
    for program in programs.chain(helpers).filter(|program| program.is_file()) {
        tree::set_executable(&program, true).doing("writing", &program)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adoptium_is_asked_for_this_system() {
        let address = |os, arch, musl| published(os, arch, musl).unwrap().to_string();
        assert_eq!(
            address("linux", "x86_64", false),
            "https://api.adoptium.net/v3/binary/latest/17/ga/linux/x64/jre/hotspot/normal/eclipse"
        );
        assert!(address("macos", "aarch64", false).contains("/mac/aarch64/"));
        assert!(address("windows", "x86_64", false).contains("/windows/x64/"));
        assert!(address("linux", "aarch64", true).contains("/alpine-linux/aarch64/"));
        let none = published("freebsd", "x86_64", false).unwrap_err().to_string();
        assert!(none.contains("freebsd on x86_64"), "{none}");
    }
}
