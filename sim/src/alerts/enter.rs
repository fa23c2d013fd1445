//! Alerts are entered, changed, switched and deleted.

use serde_json::Value;

use super::request::Request;
use super::{Alert, TOOL, Terms, mobile};
use crate::http::Reply;
use crate::state::World;

impl World {
    /// Enters an alert, or changes one; the answer is its id.
    pub(crate) fn enter_alert(&mut self, account: &str, body: &Value) -> Result<i64, Reply> {
        let request = Request::read(self, body)?;
        if let Some(tool) = request.tool {
            return self.change_mta(tool, request.terms);
        }
        if let Some(id) = request.id {
            return self.change_alert((id, account), request.terms);
        }
        let (id, now) = (self.book.next_id(), self.clock.now_ms());
        let mut alert = Alert::new((id, account), request.terms, now);
        alert.arm(self.book.traded());
        self.alerts.all.insert(id, alert);
        Ok(id)
    }

    fn change_alert(&mut self, (id, account): (i64, &str), terms: Terms) -> Result<i64, Reply> {
        let from = self.book.traded();
        let alert = self.alerts.all.get_mut(&id).filter(|alert| alert.account == account);
        let Some(alert) = alert else {
            return Err(Reply::error(500, &format!("failed to modify alert: {}", absent(id))));
        };
        if alert.terms.name != terms.name {
            return Err(Reply::error(500, "Alert name cannot be modified"));
        }
        alert.terms = terms;
        alert.arm(from);
        Ok(id)
    }

    /// The Mobile Trading Assistant's alert gets a new id with every change.
    fn change_mta(&mut self, tool: i64, terms: Terms) -> Result<i64, Reply> {
        if tool != TOOL {
            return Err(Reply::error(500, &format!("MTA alert tool ID is wrong ={tool}")));
        }
        if terms.name.is_some() {
            return Err(Reply::error(500, "Alert name cannot be modified"));
        }
        if !terms.is_repeatable {
            return Err(Reply::error(500, "alertRepeatable is 1 for MTA alerts"));
        }
        let (id, from) = (self.book.next_id(), self.book.traded());
        let mta = &mut self.alerts.mta;
        (mta.id, mta.terms) = (id, terms);
        mta.arm(from);
        Ok(id)
    }

    /// Switches an alert on or off; false if there is none that could be.
    pub(crate) fn switch_alert(&mut self, (account, id): (&str, i64), is_on: bool) -> bool {
        let (from, now) = (self.book.traded(), self.clock.now_ms());
        let is_mta = self.alerts.mta.id == id;
        let Some(alert) = self.alerts.get_mut(id) else { return false };
        if !(is_mta || alert.account == account) || (is_on && alert.is_over(now)) {
            return false;
        }
        if is_on {
            alert.arm(from);
        } else {
            alert.is_active = false;
        }
        true
    }

    /// Deletes an alert, or with 0 all of an account; the Mobile Trading Assistant's begins anew instead.
    pub(crate) fn delete_alert(&mut self, account: &str, id: i64) -> Result<(), Reply> {
        if id == 0 {
            self.alerts.all.retain(|_, alert| alert.account != account);
            self.reset_mta();
            return Ok(());
        }
        if id == self.alerts.mta.id {
            self.reset_mta();
            return Ok(());
        }
        let is_there = self.alerts.all.get(&id).is_some_and(|alert| alert.account == account);
        if !is_there {
            return Err(Reply::error(500, &format!("failed to delete alert: {}", absent(id))));
        }
        self.alerts.all.remove(&id);
        Ok(())
    }

    fn reset_mta(&mut self) {
        let from = self.book.traded();
        let mta = &mut self.alerts.mta;
        mta.terms = mobile();
        mta.arm(from);
    }
}

fn absent(id: i64) -> String {
    format!("Alert {id} doesn't exist")
}
