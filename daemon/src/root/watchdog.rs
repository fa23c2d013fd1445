//! Tells the service manager that the daemon lives: as long as root and the order desk answer, and not merely a timer.

use ractor::ActorRef;
use tokio::sync::oneshot;

use super::supervisor::Msg;
use crate::orders::OrdersHandle;
use crate::service;

/// Of the time that may pass in silence, one part passes between two words.
const PARTS: u32 = 3;

/// Ends at once where nobody counts.
pub(super) async fn run(root: ActorRef<Msg>, orders: OrdersHandle) {
    let Some(silence) = service::watchdog().filter(|silence| !silence.is_zero()) else { return };
    let mut turns = tokio::time::interval(silence / PARTS);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let (reply, answer) = oneshot::channel();
        if root.cast(Msg::Alive(reply)).is_err() || answer.await.is_err() {
            return;
        }
        // One that is being started again does not answer, and is no hang: root is at it.
        let _ = orders.is_answering().await;
        service::alive();
    }
}
