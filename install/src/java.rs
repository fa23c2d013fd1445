//! Java: found on this machine, or brought to it.

mod run;
mod runtime;
mod search;
#[cfg(test)]
mod tests;
mod version;

use std::fmt;
use std::path::{Path, PathBuf};

pub use version::JavaVersion;

use crate::error::InstallError;
use crate::install::{self, Done, Kind};
use crate::place::Place;
use crate::progress::{Progress, Reporter};
use crate::record::Record;
use crate::source::{Order, Source};
use runtime::{Details, Runtime};
use search::Surroundings;

/// A Java that the gateway runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Java {
    /// The `java` program.
    pub program: PathBuf,
    /// Its version.
    pub version: JavaVersion,
    /// Who built it.
    pub vendor: String,
    /// Where it was found.
    pub origin: Origin,
    /// Those that were preferred but cannot be used, and why.
    pub passed_over: Vec<Looked>,
}

/// Where a Java was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was named.
    Preferred,
    /// [`install_java`] brought it.
    Own,
    /// `JAVA_HOME` names it.
    JavaHome,
    /// `PATH` leads to it.
    Path,
    /// Where systems keep Javas.
    Usual,
}

/// A Java that was looked at and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The `java` program.
    pub program: PathBuf,
    /// Where it was found.
    pub origin: Origin,
    /// Why not.
    pub finding: Finding,
}

/// Why a Java cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The gateway needs a later one.
    TooOld(JavaVersion),
    /// It does not run, or is none.
    Broken(String),
}

/// There is no Java that the gateway runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoJava {
    /// What was looked at.
    pub looked: Vec<Looked>,
}

impl std::error::Error for NoJava {}

impl fmt::Display for NoJava {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no Java that the gateway runs on (8u192 or later) is on this machine")?;
        match self.looked.as_slice() {
            [] => f.write_str(": none in JAVA_HOME, on PATH or where systems keep them")?,
            looked => {
                let words: Vec<_> = looked.iter().map(ToString::to_string).collect();
                write!(f, ": {}", words.join("; "))?;
            }
        }
        f.write_str(
            ". `ibctl gateway install` brings one for the gateway alone; or install Java 11 or later",
        )
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.display();
        match &self.finding {
            Finding::TooOld(version) => write!(f, "{program} is too old ({version})"),
            Finding::Broken(why) => write!(f, "{program} does not run ({why})"),
        }
    }
}

/// The best Java for the gateway: `prefer` (a program or a folder), then our own, then `JAVA_HOME`,
/// `PATH`, and where systems keep them. Each is run to see whether it works.
pub async fn find_java(data: &Path, prefer: Option<&Path>) -> Result<Java, NoJava> {
    find(data, prefer, &Surroundings::ours()).await
}

async fn find(data: &Path, prefer: Option<&Path>, around: &Surroundings) -> Result<Java, NoJava> {
    let mut looked = Vec::new();
    for (program, origin) in search::candidates(prefer, own_home(data), around) {
        match run::ask(&program).await {
            Ok((version, vendor)) => {
                return Ok(Java { program, version, vendor, origin, passed_over: looked });
            }
            Err(finding) => looked.push(Looked { program, origin, finding }),
        }
    }
    Err(NoJava { looked })
}

/// The folder of the runtime that was installed.
fn own_home(data: &Path) -> Option<PathBuf> {
    let place = Place::of(data, Runtime::NAME);
    let record: Record<Details> = Record::read(&place.folder).ok()??;
    Some(place.folder.join(record.folder))
}

/// Installs a Java runtime into `data`. While it takes time, `listener` hears how far it is.
pub async fn install_java(
    data: &Path,
    order: &Order,
    listener: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Done<Java>, InstallError> {
    let order = Order { source: whole(&order.source)?, ..order.clone() };
    let done = install::install::<Runtime>(data, &order, Reporter::new(listener)).await?;
    let place = Place::of(data, Runtime::NAME);
    Ok(done.map(|record| Java {
        program: place.folder.join(record.folder).join(search::program()),
        version: record.details.version,
        vendor: record.details.vendor,
        origin: Origin::Own,
        passed_over: Vec::new(),
    }))
}

/// Who names a `java` program means the runtime that it belongs to.
fn whole(source: &Source) -> Result<Source, InstallError> {
    let Source::Path(path) = source else { return Ok(source.clone()) };
    let is_program = path.file_name() == search::program().file_name() && path.is_file();
    if !is_program {
        return Ok(source.clone());
    }
    let home = path.canonicalize().ok().and_then(|program| home_of(&program));
    let none = || InstallError::NoRuntime(path.display().to_string());
    home.map(Source::Path).ok_or_else(none)
}

/// The program of the runtime in `folder`, or in the bundle that macOS makes of one.
fn program_in(folder: &Path) -> Option<PathBuf> {
    [folder.to_owned(), folder.join("Contents/Home")]
        .into_iter()
        .map(|home| home.join(search::program()))
        .find(|program| program.is_file())
}

/// The runtime that `program` belongs to, if it lies in one: `/usr/bin/java` may not.
fn home_of(program: &Path) -> Option<PathBuf> {
    let home = program.parent()?.parent()?;
    let libraries = ["lib/modules", "lib/rt.jar", "jre/lib/rt.jar"];
    let is_whole = program.is_file() && libraries.iter().any(|name| home.join(name).is_file());
    is_whole.then(|| home.to_owned())
}
