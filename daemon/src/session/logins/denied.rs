//! A login that IBKR denies: where requests are signed, it is over when a look has shown that.

use tokio::time::Instant;

use crate::session::State;
use crate::session::login::{Stage, Way};

impl State {
    /// IBKR gives no session: a login under way has failed, for the reason that stands in the state.
    pub(in crate::session) fn login_is_denied(&mut self) {
        let refusal = self.words_now().refusal(&self.life.phase, None);
        let Some(current) = self.logins.current.as_mut() else { return };
        if current.view.way == Way::Direct && current.view.is_running() {
            current.task.abort();
            current.failed = Some(Instant::now());
            current.view.stage = Stage::Failed(refusal);
        }
    }
}
