//! One actor in this process, against the simulator: what becomes of it when it is stopped and started again, when a
//! person acts below the socket, and when the certificate, the PIN or the disk changes in the middle.
//!
//! There is no socket and no other process here: the handle of the actor is asked as a tool or `ibctl` would ask it.
//! Clocks run as they do: the simulator is reached by true connections, and a paused clock would jump over their
//! deadlines.

mod bench;
mod flex;
mod orders;
mod session;
