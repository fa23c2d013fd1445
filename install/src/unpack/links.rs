//! Symbolic links in archives: allowed within the folder, as Java's have them.

use std::path::{Component, Path, PathBuf};

use crate::error::{Doing, InstallError};

const OUT: &str = "a link that leads out of the folder";

/// The links of an archive, made when all its files are written.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

#[derive(Debug)]
struct Link {
    at: PathBuf,
    target: PathBuf,
}

impl Links {
    /// Notes one, unless its target is outside already by its words.
    pub fn add(&mut self, at: PathBuf, target: &str) -> Result<(), InstallError> {
        if !stays_inside(&at, target) {
            return Err(refused(&at, OUT));
        }
        self.0.push(Link { at, target: target.into() });
        Ok(())
    }

    /// Makes them all below `folder`, then looks where each one really leads: through another link
    /// it may be elsewhere than its words say.
    pub fn make(&self, folder: &Path) -> Result<(), InstallError> {
        let folder = folder.canonicalize().doing("reading", folder)?;
        // All folders before any link: none of them is then made through a link.
        for link in &self.0 {
            link.make_parent(&folder)?;
        }
        for link in &self.0 {
            link.make(&folder)?;
        }
        for link in &self.0 {
            match folder.join(&link.at).canonicalize() {
                Ok(end) if end.starts_with(&folder) => {}
                Ok(_) => return Err(refused(&link.at, OUT)),
                Err(_) => return Err(refused(&link.at, "a link that leads nowhere")),
            }
        }
        Ok(())
    }
}

impl Link {
    fn make_parent(&self, folder: &Path) -> Result<(), InstallError> {
        let Some(parent) = self.at.parent() else { return Ok(()) };
        let parent = folder.join(parent);
        std::fs::create_dir_all(&parent).doing("creating", &parent)
    }

    fn make(&self, folder: &Path) -> Result<(), InstallError> {
        let at = folder.join(&self.at);
        if at.symlink_metadata().is_ok() {
            return Err(refused(&self.at, "a second file of the same name"));
        }
        symlink(self, &at)
    }
}

/// Whether the words of a target, seen from where its link is, stay below the folder at every step.
fn stays_inside(at: &Path, target: &str) -> bool {
    if target.is_empty() || target.contains(['\0', '\\', ':']) {
        return false;
    }
    let mut depth = at.components().count().saturating_sub(1);
    for step in Path::new(target).components() {
        match step {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(unix)]
fn symlink(link: &Link, at: &Path) -> Result<(), InstallError> {
    std::os::unix::fs::symlink(&link.target, at).doing("writing", at)
}

#[cfg(not(unix))]
fn symlink(link: &Link, at: &Path) -> Result<(), InstallError> {
    tracing::debug!(target = %link.target.display(), at = %at.display(), "no links here");
    Err(refused(&link.at, "a link, which this system does not have"))
}

fn refused(at: &Path, why: &'static str) -> InstallError {
    InstallError::Unsafe { entry: at.display().to_string(), why }
}
