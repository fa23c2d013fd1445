//! The broker without its sockets, for tests that step through days: nothing waits, and time passes only
//! when it is told to.

use crate::http::Call;
use crate::state::World;
use crate::{Options, StartError, api, control};

/// A simulated broker that answers at once.
#[derive(Debug)]
pub struct Broker(World);

impl Broker {
    /// The broker of a scenario; addresses count for nothing.
    ///
    /// # Errors
    /// If the scenario makes no sense.
    pub fn new(options: Options) -> Result<Self, StartError> {
        World::new(options.scenario, options.seed, options.require_login)
            .map(Self)
            .map_err(StartError::Scenario)
    }

    /// A request as the program `agent` makes it; a body is JSON, or a form below `/sso`.
    pub fn ask(&mut self, agent: &str, method: &str, path: &str, body: &str) -> (u16, String) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let is_form = path.starts_with("/sso/");
        let mut call = Call::new(method, path, query, body.as_bytes(), is_form);
        agent.clone_into(&mut call.agent);
        let reply = api::answer(&mut self.0, &call);
        (reply.status, String::from_utf8_lossy(&reply.whole()).into_owned())
    }

    /// A request without a body to `https://api.ibkr.com`, with this `Authorization`.
    pub fn ask_signed(&mut self, authorization: &str, method: &str, path: &str) -> (u16, String) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut call = Call::new(method, path, query, b"", false);
        "test/1".clone_into(&mut call.agent);
        "api.ibkr.com".clone_into(&mut call.host);
        authorization.clone_into(&mut call.authorization);
        let reply = api::answer(&mut self.0, &call);
        (reply.status, String::from_utf8_lossy(&reply.whole()).into_owned())
    }

    /// A request to the control API.
    pub fn control(&mut self, method: &str, path: &str, body: &str) -> String {
        let reply = control::answer(&mut self.0, method, path, body.as_bytes());
        String::from_utf8_lossy(&reply.body).into_owned()
    }
}
