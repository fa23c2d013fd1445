//! Passes on what a call is doing, to a caller that asked for it.

use ibd_protocol::Progress;
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::sync::mpsc;

/// Where a call's progress goes, if its caller asked for it.
pub(crate) fn forward(
    context: &RequestContext<RoleServer>,
) -> Option<mpsc::UnboundedSender<Progress>> {
    let token = context.meta.get_progress_token()?;
    let (sender, mut progress) = mpsc::unbounded_channel::<Progress>();
    let peer = context.peer.clone();
    // Ends when the call does: the call holds the senders.
    tokio::spawn(async move {
        let mut steps = Steps::default();
        while let Some(Progress { done, total, message }) = progress.recv().await {
            let before = steps.before(done);
            let mut param = ProgressNotificationParam::new(token.clone(), f64::from(before + done))
                .with_message(message);
            param.total = total.map(|total| f64::from(before + total));
            if peer.notify_progress(param).await.is_err() {
                return;
            }
        }
    });
    Some(sender)
}

/// Progress may only grow, also where a call is made again after a question.
#[derive(Debug, Default)]
struct Steps {
    last: u32,
    before: u32,
}

impl Steps {
    /// Steps of the calls before the one that is at step `done` now.
    fn before(&mut self, done: u32) -> u32 {
        if done <= self.last {
            self.before += self.last;
        }
        self.last = done;
        self.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_grows_although_the_second_call_begins_anew() {
        for (said, told) in [([1, 2, 1, 2], [1, 2, 3, 4]), ([0, 1, 1, 2], [0, 1, 2, 3])] {
            let mut steps = Steps::default();
            assert_eq!(said.map(|done| steps.before(done) + done), told);
        }
    }
}
