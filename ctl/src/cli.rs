//! The command line: which verbs there are, and how `--help` lists them.

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    approve, audit, completions, config, demo, doctor, flex, gateway, login, logs, man, oauth,
    orders, secrets, setup, status,
};

/// Looks after ibd, the daemon between AI assistants and an Interactive Brokers account.
#[derive(Debug, Parser)]
#[command(name = "ibctl", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// One JSON object on stdout and nothing else.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Which daemon; IB_PROFILE, else `default`.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 no daemon is running, \
    4 running but it needs a person";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// What is running, whether somebody is logged in, and what to do
    Status(status::Args),
    /// Log in at the broker, or join the login under way
    Login(login::Args),
    /// End the login at the broker, and verify it
    Logout,
    /// Take the session back after TWS or a phone had it
    Resume,
    /// End the daemon; calls under way are finished first
    Stop,
    /// End the daemon and start it again
    Restart,
    /// Orders that wait for a person, are in doubt or work; `resolve` settles one in doubt
    Orders {
        #[command(subcommand)]
        verb: Option<orders::Verb>,
    },
    /// Show an order that waits for you, and approve it
    Approve(approve::Args),
    /// Decline an order that waits for you
    Deny {
        /// The approval's id, as `ibctl orders` and `ibctl approve` show it.
        #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Stop all new orders at once, also when no daemon runs or it hangs
    Freeze {
        /// Also cancel every order that works, in all accounts.
        #[arg(long)]
        cancel_all: bool,
    },
    /// Let orders through again
    Unfreeze,
    /// What was done about orders and why; `verify` checks that it is whole
    Audit(audit::Args),
    /// The alerts that ibd itself watches; those at IBKR are an assistant's get_alerts
    Alerts,
    /// Flex queries and their statements: list, run, import, export, forget
    #[command(subcommand)]
    Flex(flex::Verb),
    /// IBKR's Java gateway: install, start, stop, status, logs
    #[command(subcommand)]
    Gateway(gateway::Verb),
    /// Passwords and tokens in the system's keyring: set, list, forget
    #[command(subcommand)]
    Secrets(secrets::Verb),
    /// Keys of your own for requests to IBKR without a gateway: new, set, test, show, revoke
    #[command(subcommand)]
    Oauth(oauth::Verb),
    /// Tell MCP clients of ib-mcp: shows the change of their files, asks, and writes it
    Setup(setup::Args),
    /// Look at everything that ibd needs, and say what mends it
    Doctor(doctor::Args),
    /// Which clients are connected now, and what they may do
    Clients,
    /// Every setting, its value and where it comes from
    Config(config::Args),
    /// The daemon's log
    Logs(logs::Args),
    /// The whole of it with an invented account, in a home that is gone afterwards
    Demo(demo::Args),
    /// What completes ibctl's words in a shell
    Completions(completions::Args),
    /// The manual's pages
    Man(man::Args),
    /// The versions of ibctl and of the running daemon
    Version,
}

/// The verbs as a person looks for them. A test holds that each is here once.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Every day",
        &["status", "orders", "approve", "deny", "freeze", "unfreeze", "audit", "alerts", "flex"],
    ),
    ("Login and gateway", &["login", "logout", "resume", "gateway", "secrets", "oauth"]),
    ("The daemon", &["restart", "stop", "clients", "config", "logs", "version"]),
    ("This machine", &["setup", "doctor", "demo", "completions", "man"]),
];

/// The command line, whose help lists the verbs in groups.
pub(crate) fn command() -> clap::Command {
    let command = Args::command();
    let verbs = in_groups(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{verbs}Options:\n{{options}}{{after-help}}"
    ))
}

fn in_groups(command: &clap::Command) -> String {
    let width = GROUPS.iter().flat_map(|(_, verbs)| *verbs).map(|verb| verb.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (title, verbs) in GROUPS {
        text.push_str(&format!("{title}:\n"));
        for verb in *verbs {
            let found = command.find_subcommand(verb);
            let about = found.and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {verb:<width$}  {about}\n"));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        command().debug_assert();
    }

    #[test]
    fn each_verb_is_documented() {
        let page = include_str!("../../docs/ctl.md");
        for verb in Args::command().get_subcommands() {
            let name = verb.get_name();
            assert!(page.contains(&format!("`ibctl {name}")), "{name} is not in docs/ctl.md");
        }
    }

    #[test]
    fn each_verb_stands_in_one_group_with_what_it_is_for() {
        let command = Args::command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| verbs.to_vec()).collect();
        let mut there: Vec<&str> = command.get_subcommands().map(|verb| verb.get_name()).collect();
        listed.sort_unstable();
        there.sort_unstable();
        assert_eq!(listed, there);
        let text = in_groups(&command);
        assert!(text.starts_with("Every day:\n  status       What is running"), "{text}");
        assert!(!text.contains('{'), "a brace is a place in the template: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }
}
