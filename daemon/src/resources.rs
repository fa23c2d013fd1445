//! Resources: what a client reads by an address, and may follow. Each says what one of the tools says. One file each,
//! one line in the table.

mod follow;
mod pushes;

use std::sync::Arc;

use ibd_cpapi::id::AccountId;
use ibd_protocol::{Call, ErrorCode, Outcome, Read, ResourceSpec, Variable};
use serde_json::Value;

use crate::desks::Desks;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::tools;
pub use follow::{Follow, Following, Looked, Looking, Tell};

macro_rules! resources {
    ($($file:ident,)*) => {
        $(mod $file;)*

        /// The table: every resource, and every kind of them, in the order in which clients list them.
        pub const RESOURCES: &[Resource] = &[$($file::RESOURCE),*];
    };
}

// One line a resource.
resources! {
    session,
    orders,
    positions,
    quote,
    alerts,
}

/// A resource, or a kind of them. Everything about it stands in its own file.
#[derive(Debug)]
pub struct Resource {
    /// Its address; that of a kind has a variable in braces.
    pub uri: &'static str,
    /// What programs call it.
    pub name: &'static str,
    /// For a person's menu.
    pub title: &'static str,
    /// For the model: what it says, and when it is told to have changed.
    pub about: &'static str,
    /// Of a kind: what may stand for the variable.
    pub variable: Option<Variable>,
    /// It says what this tool says; a client that has no such tool has no such resource.
    pub tool: &'static str,
    /// The tool's arguments, of what stands for the variable.
    pub arguments: fn(&str) -> Value,
    /// Of a kind: what stands for the variable in those that are listed one by one. Accounts are those of the login.
    pub listed: fn(&[AccountId]) -> Vec<String>,
    /// Of a kind: looks whether there is the one that is meant, before it is followed; of what is not there nobody would
    /// ever be told.
    pub look: Option<fn(Looking) -> Looked>,
    /// Begins to follow it, or says why that cannot be.
    pub begin: fn(Follow) -> Result<Following, Refusal>,
}

impl Resource {
    /// As a client sees it.
    pub fn spec(&self) -> ResourceSpec {
        ResourceSpec {
            uri: self.uri.to_owned(),
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description: self.about.to_owned(),
            variable: self.variable,
        }
    }

    /// One of its kind, as a client sees it.
    fn spec_of(&self, value: &str) -> ResourceSpec {
        let kind = self.spec();
        ResourceSpec {
            uri: kind.with(value),
            name: format!("{}-{value}", self.name),
            title: format!("{} of {value}", self.title),
            variable: None,
            ..kind
        }
    }
}

/// Nothing of a kind is listed by itself.
fn none(_: &[AccountId]) -> Vec<String> {
    Vec::new()
}

/// The tool has no arguments.
fn no_arguments(_: &str) -> Value {
    Value::Object(serde_json::Map::new())
}

/// The resources that a client may see, and the kinds of them, in a fixed order; of accounts as far as they are known
/// without a request.
pub fn list(policy: &Policy, desks: &Desks) -> Vec<ResourceSpec> {
    listed(policy, &accounts(policy, desks))
}

fn listed(policy: &Policy, accounts: &[AccountId]) -> Vec<ResourceSpec> {
    let mut specs = Vec::new();
    for resource in visible(policy) {
        let kind = resource.spec();
        let own = (resource.listed)(accounts);
        // What an address cannot say is no resource of its own.
        let own = own.iter().filter(|value| kind.fits(&kind.with(value)));
        specs.extend(own.map(|value| resource.spec_of(value)));
        specs.push(kind);
    }
    specs
}

/// The accounts of the login, as far as this client is served by it.
fn accounts(policy: &Policy, desks: &Desks) -> Vec<AccountId> {
    let gateway = desks.board.gateway().borrow().clone();
    let facts = desks.session.view().facts;
    let is_served = policy.admits_gateway(&gateway).is_ok() && policy.admits_login(&facts).is_ok();
    if is_served { facts.accounts } else { Vec::new() }
}

fn visible(policy: &Policy) -> impl Iterator<Item = &'static Resource> {
    RESOURCES.iter().filter(move |resource| tools::is_visible(policy, resource.tool))
}

/// A resource that an address names, with what stands for its variable.
#[derive(Debug)]
pub struct Found {
    resource: &'static Resource,
    value: String,
}

/// What an address names, for a client that may see it.
pub fn find(policy: &Policy, uri: &str) -> Option<Found> {
    visible(policy).find_map(|resource| {
        let value = resource.spec().read(uri)?.to_owned();
        Some(Found { resource, value })
    })
}

impl Found {
    /// The call of a tool that says what it says.
    pub fn call(&self, read: &Read) -> Call {
        Call {
            id: read.id,
            key: String::new(),
            tool: self.resource.tool.to_owned(),
            arguments: (self.resource.arguments)(&self.value).to_string(),
            deadline_ms: read.deadline_ms,
            resumes: None,
        }
    }

    /// Looks whether there is what is meant, where that must be asked for.
    pub fn look(&self, desks: Desks, policy: Arc<Policy>) -> Option<Looked> {
        let look = self.resource.look?;
        Some(look(Looking { desks, policy, value: self.value.clone() }))
    }

    /// Begins to follow it, or says why that cannot be.
    pub fn begin(
        self,
        desks: Desks,
        policy: Arc<Policy>,
        tell: Tell,
    ) -> Result<Following, Refusal> {
        (self.resource.begin)(Follow { desks, policy, value: self.value, tell })
    }
}

/// What a read comes to, of what the tool answered.
pub fn outcome(of_tool: Outcome) -> Outcome {
    match of_tool {
        Outcome::UnknownTool => unknown(),
        Outcome::Refusal(json) => match of_nothing(&json) {
            Some(why) => Outcome::UnknownResource(why),
            None => Outcome::Refusal(json),
        },
        other => other,
    }
}

/// No resource has this address.
pub fn unknown() -> Outcome {
    Outcome::UnknownResource(
        "There is no resource of this address; the lists of resources and of their templates show what there is."
            .to_owned(),
    )
}

/// Why a refusal means that there is nothing of that address, if it does.
fn of_nothing(refusal: &str) -> Option<String> {
    let refusal: Value = serde_json::from_str(refusal).ok()?;
    let error = refusal.get("error")?.as_str()?;
    let means_nothing = [ErrorCode::UnknownAccount, ErrorCode::UnknownSymbol]
        .iter()
        .any(|code| code.as_str() == error);
    means_nothing.then(|| refusal.get("message")?.as_str().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests;
