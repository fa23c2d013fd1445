//! Crash points: places where a test may end the process.

#[cfg(feature = "faults")]
use std::sync::OnceLock;

#[cfg(feature = "faults")]
static HOOK: OnceLock<fn(&'static str)> = OnceLock::new();

/// Has `hook` called with the name of every crash point that is passed: `journal.before_write`,
/// `journal.half_written`, `journal.before_sync`, `journal.after_sync`, once each per append. The
/// first hook of a process stays.
#[cfg(feature = "faults")]
pub fn set_point_hook(hook: fn(&'static str)) {
    let _ = HOOK.set(hook);
}

#[cfg(feature = "faults")]
pub(crate) fn point(name: &'static str) {
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
}

#[cfg(not(feature = "faults"))]
pub(crate) fn point(_: &'static str) {}
