//! Service: what a service manager hands over and is told. Where there is none, nothing is handed over and nobody listens.

#[cfg(not(target_os = "linux"))]
mod nobody;
#[cfg(target_os = "linux")]
mod systemd;

#[cfg(not(target_os = "linux"))]
pub use nobody::{Socket, alive, ready, reloading, stopping, watchdog};
#[cfg(target_os = "linux")]
pub use systemd::{Socket, alive, ready, reloading, stopping, watchdog};
