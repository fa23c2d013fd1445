//! Whether the journal of orders is whole.

use std::time::Duration;

use ibd_protocol::{OrdersReport, OrdersVerb};
use tokio::time::timeout;

use super::check::Check;
use crate::Context;
use crate::talk::Talk;

const NAME: &str = "journal";
const COMMAND: &str = "ibctl audit verify";
/// A journal of years is read within this time; a longer one has its own command.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn check(context: &Context, is_running: bool) -> Check {
    if !is_running {
        return Check::not_looked_at(NAME, "no daemon runs that could read it");
    }
    let asked = async {
        let mut talk = Talk::present(context).await.ok()?;
        talk.ask(OrdersVerb::AuditVerify).await.ok()
    };
    verdict(timeout(PATIENCE, asked).await.ok().flatten().as_ref())
}

fn verdict(report: Option<&OrdersReport>) -> Check {
    match report {
        // The hash is for whoever asks for it.
        Some(report) if report.ok => {
            let text = report.text.split(';').next().unwrap_or_default();
            Check::ok(NAME, format!("{}.", text.trim_end_matches('.')))
        }
        Some(report) => Check::fail(NAME, report.text.clone(), report.hint.clone()).mend(COMMAND),
        None => {
            let why = format!(
                "it takes longer than {} s; `{COMMAND}` takes its time",
                PATIENCE.as_secs()
            );
            Check::not_looked_at(NAME, why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn a_journal_is_whole_or_broken_or_not_looked_at() {
        let report = |ok, text: &str| OrdersReport { ok, text: text.into(), ..Default::default() };
        let whole =
            verdict(Some(&report(true, "The trail is whole: 5 records; the last hash is x.")));
        assert_eq!(
            (whole.state, whole.text.as_str()),
            (State::Ok, "The trail is whole: 5 records.")
        );
        let broken = verdict(Some(&report(false, "It is broken.")));
        assert_eq!((broken.state, broken.commands), (State::Fail, vec![COMMAND.to_owned()]));
        assert_eq!(verdict(None).state, State::NotLookedAt);
    }
}
