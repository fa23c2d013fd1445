//! IBKR's Client Portal Gateway.

mod stamp;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::checksum::Checksum;
use crate::error::InstallError;
use crate::install::{self, Done, Kind};
use crate::place::Place;
use crate::progress::{Progress, Reporter};
use crate::record::Record;
use crate::source::Order;
use crate::tree;

/// Where IBKR publishes it. It has no version in its name: what comes may change any day.
const PUBLISHED: &str = "https://download2.interactivebrokers.com/portal/clientportal.gw.zip";
/// The program itself.
const JAR: &str = "dist/ibgroup.web.core.iblink.router.clientportal.gw.jar";
/// What it is built on.
const LIBRARIES: &str = "build/lib/runtime";
/// Its configuration and key store.
const ROOT: &str = "root";

/// An installed gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Where it is. Nothing but an install writes there.
    pub folder: PathBuf,
    /// Of the archive; of a folder's files if it came from a folder.
    pub sha256: Checksum,
    /// Where it was taken from.
    pub source: String,
    /// Size of the archive, or of the folder's files, in bytes.
    pub bytes: u64,
    /// When.
    pub installed_at: Timestamp,
    /// Which build it is, if it tells.
    pub build: Option<Build>,
}

/// A build of the gateway. IBKR gives it no version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// IBKR's commit.
    pub commit: Option<String>,
    /// When it was built: as its manifest says, else its newest file.
    pub date: Date,
}

/// Why no gateway is there to be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotInstalled {
    /// None was ever installed.
    #[error("no gateway is installed: `ibctl gateway install` brings IBKR's")]
    Never,
    /// What the record tells of is gone.
    #[error(
        "the installed gateway is gone or incomplete ({}): `ibctl gateway install` brings it again",
        .0.display()
    )]
    Gone(PathBuf),
    /// The record is damaged.
    #[error(
        "the record {} cannot be read ({why}): `ibctl gateway install` makes a new one",
        .record.display()
    )]
    Unreadable {
        /// The record.
        record: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Installed {
    fn of(place: &Place, record: Record<Option<Build>>) -> Self {
        Self {
            folder: place.folder.join(&record.folder),
            sha256: record.sha256,
            source: record.source,
            bytes: record.bytes,
            installed_at: record.installed_at,
            build: record.details,
        }
    }
}

impl Build {
    /// Its age in days. A build of tomorrow, in another time zone, is new.
    pub fn age_in_days(&self, today: Date) -> u32 {
        let days = today.duration_since(self.date).as_hours() / 24;
        u32::try_from(days.max(0)).unwrap_or(u32::MAX)
    }
}

/// Installs a gateway into `data`. While it takes time, `listener` hears how far it is.
pub async fn install_gateway(
    data: &Path,
    order: &Order,
    listener: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Done<Installed>, InstallError> {
    let done = install::install::<Gateway>(data, order, Reporter::new(listener)).await?;
    Ok(done.map(|record| Installed::of(&Place::of(data, Gateway::NAME), record)))
}

/// The gateway that is installed in `data`, after a look whether its files are there.
pub fn installed_gateway(data: &Path) -> Result<Installed, NotInstalled> {
    let place = Place::of(data, Gateway::NAME);
    let unreadable =
        |why| NotInstalled::Unreadable { record: place.folder.join(crate::record::RECORD), why };
    let record = Record::read(&place.folder).map_err(unreadable)?;
    let installed = Installed::of(&place, record.ok_or(NotInstalled::Never)?);
    if Gateway::is_one(&installed.folder) {
        Ok(installed)
    } else {
        Err(NotInstalled::Gone(installed.folder))
    }
}

/// The kind.
struct Gateway;

impl Kind for Gateway {
    const NAME: &'static str = "gateway";
    type Details = Option<Build>;

    fn published() -> Result<Url, InstallError> {
        Url::parse(PUBLISHED).map_err(|why| InstallError::Unreachable {
            url: PUBLISHED.to_owned(),
            why: why.to_string(),
        })
    }

    fn is_one(folder: &Path) -> bool {
        folder.join(JAR).is_file() && folder.join(ROOT).is_dir() && has_libraries(folder)
    }

    fn none_in(what: String) -> InstallError {
        InstallError::NoGateway(what)
    }

    async fn inspect(folder: PathBuf) -> Result<Option<Build>, InstallError> {
        let read = tokio::task::spawn_blocking(move || stamp::read(&folder.join(JAR)));
        read.await.map_err(|_| InstallError::Interrupted)?
    }
}

fn has_libraries(folder: &Path) -> bool {
    tree::files(&folder.join(LIBRARIES)).is_ok_and(|files| {
        files.iter().any(|file| file.extension().is_some_and(|extension| extension == "jar"))
    })
}
