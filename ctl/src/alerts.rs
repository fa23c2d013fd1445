//! `ibctl alerts`: the alerts that ibd itself watches, and when none of them was.

use ibd_protocol::{AlertReport, AlertsReport, ToClient, ToDaemon};

use crate::daemon::{Fault, ask, present};
use crate::terminal::plain;
use crate::times::local;
use crate::{Context, Ended, answer, columns};

pub(crate) async fn run(context: &Context) -> Result<Ended, Fault> {
    let mut connection = present(&context.places).await?;
    let report = ask(&mut connection, &ToDaemon::Alerts(1), |answer| match answer {
        ToClient::Alerts(1, report) => Some(*report),
        _ => None,
    })
    .await?;
    if !report.ok {
        return Err(Fault::new(plain(&report.text), plain(&report.hint)).with(&report));
    }
    answer(context, &report, &text(&report))?;
    Ok(Ended::Fine)
}

fn text(report: &AlertsReport) -> String {
    let mut parts: Vec<String> = [&report.text, &report.hint].map(|part| plain(part)).into();
    parts.extend(table(&report.alerts));
    if !report.not_watched.is_empty() && !report.alerts.is_empty() {
        let times = report.not_watched.iter().map(|time| format!("  {}", plain(time)));
        parts.push(format!("Not watched:\n{}", times.collect::<Vec<_>>().join("\n")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// The alerts in columns, and below each why it stands so.
fn table(alerts: &[AlertReport]) -> Vec<String> {
    if alerts.is_empty() {
        return Vec::new();
    }
    let moment = |at: &Option<String>| at.as_deref().map(local).unwrap_or_default();
    let rows: Vec<[String; 8]> = alerts
        .iter()
        .map(|alert| {
            [
                alert.id.clone(),
                alert.state.clone(),
                alert.value.clone().unwrap_or_default(),
                moment(&alert.seen_at),
                moment(&alert.fired_at),
                local(&alert.made_at),
                alert.client.clone(),
                alert.text.clone(),
            ]
        })
        .collect();
    let head = ["ALERT", "STATE", "VALUE", "SEEN", "FIRED", "MADE", "CLIENT", "WAITS FOR"];
    let mut table = columns::lines(head, &rows).into_iter();
    let mut lines: Vec<String> = table.next().into_iter().collect();
    for (line, alert) in table.zip(alerts) {
        lines.push(line);
        lines.extend(alert.reason.as_ref().map(|reason| format!("    {}", plain(reason))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alert_has_a_line_and_what_there_is_to_say_below() {
        let alert = AlertReport {
            id: "ibd-7".into(),
            text: "AAPL price above 300 USD".into(),
            state: "not watched".into(),
            reason: Some("no session".into()),
            value: Some("298.5 USD".into()),
            made_at: "then".into(),
            client: "codex".into(),
            ..AlertReport::default()
        };
        let report = AlertsReport {
            ok: true,
            text: "One alert of ibd's own.".into(),
            alerts: vec![alert],
            not_watched: vec!["02:00 to 02:07: no session".into()],
            ..AlertsReport::default()
        };
        let told = text(&report);
        assert!(told.starts_with("One alert of ibd's own.\nALERT"), "{told}");
        assert!(told.contains("AAPL price above 300 USD\n    no session\nNot watched:"), "{told}");
        assert!(!told.contains("FIRED"), "a column in which nothing stands: {told}");
        let none = AlertsReport { text: "None.".into(), ..AlertsReport::default() };
        assert_eq!(text(&none), "None.");
    }
}
