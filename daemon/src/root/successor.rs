//! Looks whether the program on the disk is a newer build than the one that runs: an upgrade puts it there under running
//! clients. Then this one ends as it does for a newer client, and the process goes on as the new program.
//!
//! A build that is older, or of the same version, is left to whoever put it there and to `ibctl restart`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ibd_protocol::DrainReason;
use ibd_protocol::version::{build, is_newer};
use tokio::time::sleep;

use super::lock::{FileId, file_id};
use crate::gateway;
use crate::ipc::Shared;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Other files of the same package are still being written when this one is new.
const SETTLE: Duration = Duration::from_secs(3);

/// The program that takes this one's place, once there is one.
pub type Successor = Arc<OnceLock<PathBuf>>;

/// Ends once a newer build is there and nothing stands against it; the daemon has been asked to end then.
pub(super) async fn watch(program: PathBuf, shared: Shared, successor: Successor) {
    if !has_newer(&program).await {
        return;
    }
    // A login that waits for a phone or a code would have to be begun again.
    while shared.desks.session.view().login.is_some_and(|login| login.is_running()) {
        sleep(LOOK).await;
    }
    tracing::info!(program = %program.display(), "a newer build is there: it takes this one's place");
    if successor.set(program).is_ok() {
        shared.end(DrainReason::Upgrade);
    }
}

/// Waits until the file is a newer build. `false`: that cannot be seen here.
async fn has_newer(program: &Path) -> bool {
    let Some(mut known) = id(program) else { return false };
    loop {
        sleep(LOOK).await;
        // Between two steps of an installation there may be none.
        let Some(now) = id(program).filter(|now| *now != known) else { continue };
        sleep(SETTLE).await;
        if id(program) != Some(now) {
            continue;
        }
        known = now;
        match gateway::version_of(program).await {
            Ok(version) if is_newer(&version, build()) => return true,
            Ok(version) => {
                tracing::info!(version, "another build is on the disk, and no newer one")
            }
            Err(error) => {
                tracing::warn!(%error, "what is on the disk now does not say its version")
            }
        }
    }
}

fn id(program: &Path) -> Option<FileId> {
    file_id(std::fs::metadata(program))
}
