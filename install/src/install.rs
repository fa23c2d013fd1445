//! The way of an install, the same for every kind of thing: obtain, unpack, look, move, write down.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::checksum::Checksum;
use crate::error::{Doing, InstallError};
use crate::fetch::{Fetch, Part};
use crate::place::{Lock, Place};
use crate::progress::{Reporter, Stage};
use crate::record::{Earlier, Fresh, Record};
use crate::source::{Limits, Order, Source};
use crate::tree::{self, Budget};
use crate::unpack::{Unpacking, unpack};

/// Archives have their files in a folder, or one in another: not deeper.
const DEPTH: usize = 3;

/// What came of an install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// What is installed now.
    pub installed: T,
    /// What the same source gave before, if that was something else.
    pub changed_since: Option<Earlier>,
    /// `false`: the very same was there already.
    pub is_new: bool,
}

impl<T> Done<T> {
    /// The same outcome, told otherwise.
    pub(crate) fn map<U>(self, tell: impl FnOnce(T) -> U) -> Done<U> {
        let Self { installed, changed_since, is_new } = self;
        Done { installed: tell(installed), changed_since, is_new }
    }
}

/// A kind of thing that can be installed.
pub(crate) trait Kind: Send + Sync + 'static {
    /// Its folder below the data folder.
    const NAME: &'static str;
    /// What is written down about it.
    type Details: Serialize + DeserializeOwned + Clone + Send + 'static;

    /// Where its maker publishes it.
    fn published() -> Result<Url, InstallError>;
    /// Whether `folder` is one.
    fn is_one(folder: &Path) -> bool;
    /// None was found in `what`.
    fn none_in(what: String) -> InstallError;
    /// Looks into an unpacked one, and tries it.
    fn inspect(folder: PathBuf)
    -> impl Future<Output = Result<Self::Details, InstallError>> + Send;
}

/// What was obtained.
struct Obtained {
    from: PathBuf,
    is_folder: bool,
    source: String,
    /// As it is named in errors.
    what: String,
}

/// What was unpacked.
struct Unpacked {
    root: PathBuf,
    sha256: Checksum,
    bytes: u64,
}

/// Installs one, and writes that down.
pub(crate) async fn install<K: Kind>(
    data: &Path,
    order: &Order,
    reporter: Reporter,
) -> Result<Done<Record<K::Details>>, InstallError> {
    let place = Place::of(data, K::NAME);
    place.make()?;
    let asked_at = Timestamp::now();
    let lock = place.lock(order.limits.others, &reporter).await?;
    let before = recorded::<K>(&place);
    if lock.has_waited
        && let Some(record) = before.clone().filter(|record| is_wanted::<K>(record, order))
        && record.installed_at >= asked_at
        && K::is_one(&place.folder.join(&record.folder))
    {
        // Whoever held the lock has just installed what was asked for.
        return Ok(Done { installed: record, changed_since: None, is_new: false });
    }
    let swept = place.clone();
    blocking(&lock, move || {
        swept.sweep();
        Ok(())
    })
    .await?;
    let obtained = obtain::<K>(&place, order, &reporter).await?;
    let unpacked = unpack_into::<K>((&place, &lock), obtained, (order, reporter)).await;
    let (unpacked, source) = match unpacked {
        Ok(unpacked) => unpacked,
        Err(error) => return Err(give_up(place, &lock, error).await),
    };
    let details = match K::inspect(unpacked.root.clone()).await {
        Ok(details) => details,
        Err(error) => return Err(give_up(place, &lock, error).await),
    };
    blocking(&lock, move || settle::<K>(&place, before, (unpacked, source, details))).await
}

fn recorded<K: Kind>(place: &Place) -> Option<Record<K::Details>> {
    Record::read(&place.folder).unwrap_or_else(|why| {
        tracing::warn!(why, kind = K::NAME, "the record cannot be read and will be replaced");
        None
    })
}

fn is_wanted<K: Kind>(record: &Record<K::Details>, order: &Order) -> bool {
    let source = K::published().map(|published| order.source.name(&published));
    source.is_ok_and(|source| source == record.source)
        && order.sha256.is_none_or(|sha256| sha256 == record.sha256)
}

/// Leaves neither a bad download nor half of an unpacked one. A good download that was cut stays.
async fn give_up(place: Place, lock: &Lock, error: InstallError) -> InstallError {
    let cleared = blocking(lock, move || {
        place.sweep();
        // Of a full disk the archive is not guilty, but it takes the room that is missing.
        place.forget_downloads();
        Ok(())
    });
    let _ = cleared.await;
    error
}

/// Brings the archive to this machine, or finds it there.
async fn obtain<K: Kind>(
    place: &Place,
    order: &Order,
    reporter: &Reporter,
) -> Result<Obtained, InstallError> {
    let url = match &order.source {
        Source::Path(path) => return local(path, order),
        Source::Url(url) => url.clone(),
        Source::Published => K::published()?,
    };
    let part = Part::new(&place.downloads, K::NAME, &url);
    Fetch { url: &url, part: &part, limits: &order.limits, reporter }.run().await?;
    let source = order.source.name(&url);
    Ok(Obtained { from: part.file, is_folder: false, what: source.clone(), source })
}

fn local(path: &Path, order: &Order) -> Result<Obtained, InstallError> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            return Err(InstallError::NoSuchPath(path.to_owned()));
        }
        Err(why) => return Err(why).doing("reading", path),
    };
    if !about.is_dir() && !about.is_file() {
        let odd = std::io::Error::other("it is neither a file nor a folder");
        return Err(odd).doing("reading", path);
    }
    if about.is_dir() && order.sha256.is_some() {
        return Err(InstallError::ChecksumOfFolder(path.to_owned()));
    }
    if about.len() > order.limits.archive {
        let (what, limit) = (path.display().to_string(), order.limits.archive);
        return Err(InstallError::TooLarge { what, limit });
    }
    let from = std::path::absolute(path).doing("reading", path)?;
    let source = from.display().to_string();
    Ok(Obtained { from, is_folder: about.is_dir(), what: source.clone(), source })
}

/// Checks what was obtained and unpacks it beside its place.
async fn unpack_into<K: Kind>(
    (place, lock): (&Place, &Lock),
    obtained: Obtained,
    (order, reporter): (&Order, Reporter),
) -> Result<(Unpacked, String), InstallError> {
    let (into, expected) = (place.unfinished(), order.sha256);
    let budget = budget(&order.limits, obtained.what.clone());
    blocking(lock, move || {
        let source = obtained.source.clone();
        let unpacked = if obtained.is_folder {
            reporter.tell(Stage::Unpacking, 0, None);
            copied::<K>(&obtained, &into, budget)
        } else {
            let sha256 = Checksum::of_file(&obtained.from, &reporter)?;
            check(expected, sha256)?;
            let unpacking = Unpacking { into: &into, budget, reporter: &reporter };
            unpacked::<K>(&obtained, unpacking, sha256)
        }?;
        // Trying it takes a moment without a byte.
        reporter.tell(Stage::Checking, 0, None);
        Ok((unpacked, source))
    })
    .await
}

fn budget(limits: &Limits, what: String) -> Budget {
    let (bytes, entries) = (limits.unpacked, limits.entries);
    Budget { what, bytes, max_bytes: bytes, entries, max_entries: entries }
}

fn check(expected: Option<Checksum>, actual: Checksum) -> Result<(), InstallError> {
    match expected {
        Some(expected) if expected != actual => Err(InstallError::Checksum { expected, actual }),
        _ => Ok(()),
    }
}

fn copied<K: Kind>(
    obtained: &Obtained,
    into: &Path,
    mut budget: Budget,
) -> Result<Unpacked, InstallError> {
    // Before anything is copied: somebody may have named their whole home.
    let from = tree::find(&obtained.from, DEPTH, K::is_one)
        .ok_or_else(|| K::none_in(obtained.what.clone()))?;
    let bytes = tree::copy(&from, into, &mut budget)?;
    Ok(Unpacked { root: into.to_owned(), sha256: Checksum::of_folder(into)?, bytes })
}

fn unpacked<K: Kind>(
    obtained: &Obtained,
    unpacking: Unpacking<'_>,
    sha256: Checksum,
) -> Result<Unpacked, InstallError> {
    let into = unpacking.into;
    std::fs::create_dir(into).doing("creating", into)?;
    unpack(&obtained.from, unpacking)?;
    let root =
        tree::find(into, DEPTH, K::is_one).ok_or_else(|| K::none_in(obtained.what.clone()))?;
    let bytes = std::fs::metadata(&obtained.from).doing("reading", &obtained.from)?.len();
    Ok(Unpacked { root, sha256, bytes })
}

/// Moves it to its place, writes the record, and removes what is not needed any more.
fn settle<K: Kind>(
    place: &Place,
    before: Option<Record<K::Details>>,
    (unpacked, source, details): (Unpacked, String, K::Details),
) -> Result<Done<Record<K::Details>>, InstallError> {
    let Unpacked { root, sha256, bytes } = unpacked;
    let folder = sha256.short();
    let is_new = place.adopt(&root, &folder)?;
    let changed_since = before.as_ref().and_then(|before| before.changed(&source, sha256));
    let fresh = Fresh { folder, sha256, source, bytes, details };
    let record = Record::after(before.as_ref(), fresh, Timestamp::now());
    record.write(&place.folder)?;
    place.sweep();
    let kept = [Some(record.folder.as_str()), record.previous.as_deref()];
    place.prune(&kept.into_iter().flatten().collect::<Vec<_>>());
    place.forget_downloads();
    Ok(Done { installed: record, changed_since, is_new })
}

/// Runs it where blocking does no harm. It keeps the lock to its end, even if nobody waits any more.
async fn blocking<T: Send + 'static>(
    lock: &Lock,
    work: impl FnOnce() -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    let lock = lock.clone();
    let task = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(lock);
        result
    });
    task.await.unwrap_or(Err(InstallError::Interrupted))
}
