//! What setup wants to stand in a client's file, and what stands there.

use std::fmt;

use crate::flags::{flags, variable};

/// The name of a new entry.
pub const NAME: &str = "ib";

/// Variables whose values are nobody's but the person's.
pub const SECRETS: &[&str] = &[
    "IB_PASSWORD_AUTH",
    "IB_PASSWORD",
    "IB_TOTP_SECRET",
    "IB_FLEX_TOKEN",
    "IB_APPROVAL_PIN",
    "IB_OAUTH_CONSUMER_KEY",
    "IB_OAUTH_TOKEN",
    "IB_OAUTH_TOKEN_SECRET",
];

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its name. `None`: the one that it has, else [`NAME`].
    pub name: Option<String>,
    /// The program to be launched, by its whole path.
    pub command: String,
    /// What comes before the server's own arguments.
    pub args: Vec<String>,
    /// Variables to be set; one without a value is taken out.
    pub set: Vec<(String, String)>,
}

/// A server as it stands, or is to stand, in a client's file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// The key of its entry.
    pub name: String,
    /// The program; empty where the entry launches none.
    pub command: String,
    /// The program's arguments.
    pub args: Vec<String>,
    /// Variables, in their order.
    pub env: Vec<(String, String)>,
    /// Whether the person has switched it off.
    pub is_off: bool,
}

impl Server {
    /// Whether a setting is given, as a variable or as a flag.
    pub(crate) fn has(&self, name: &str) -> bool {
        let is_flag = || flags(&self.args).iter().any(|flag| variable(flag.name) == name);
        self.env.iter().any(|(one, _)| one == name) || is_flag()
    }

    /// The secrets that stand in it in clear, each with the name it is given by.
    pub(crate) fn secrets(&self) -> Vec<(String, String)> {
        let of_env = self.env.iter().filter(|(name, _)| SECRETS.contains(&name.as_str()));
        let of_args = flags(&self.args)
            .into_iter()
            .filter(|flag| SECRETS.contains(&variable(flag.name).as_str()))
            .filter_map(|flag| Some((flag.name.to_owned(), flag.value()?.to_owned())));
        let all = of_env.cloned().chain(of_args);
        all.filter(|(_, value)| !value.is_empty() && !is_reference(value)).collect()
    }
}

/// What the client fills in itself: `${input:password}`, `${env:IB_PASSWORD_AUTH}`.
fn is_reference(value: &str) -> bool {
    value.starts_with("${") && value.ends_with('}')
}

/// Without values: secrets are among them.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&String> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("args", &self.args.len())
            .field("env", &variables)
            .field("is_off", &self.is_off)
            .finish()
    }
}
