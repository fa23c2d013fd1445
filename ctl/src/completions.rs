//! `ibctl completions`: what completes this command's words in a shell.

use clap_complete::Shell;
use serde_json::json;

use crate::daemon::Fault;
use crate::{Context, Ended, cli, put, say};

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// For which shell; `docs/ctl.md` says where its script belongs.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let script = script(args.shell);
    if context.json {
        say(&json!({ "shell": args.shell.to_string(), "script": script }).to_string());
    } else {
        put(&script);
    }
    Ok(Ended::Fine)
}

fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "ibctl", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_gets_a_script_that_knows_the_verbs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
            let script = script(shell);
            for word in ["ibctl", "unfreeze", "doctor", "--cancel-all"] {
                // fish writes a flag without its dashes.
                let bare = word.trim_start_matches("--");
                assert!(script.contains(bare), "{shell}: {word}");
            }
        }
    }
}
