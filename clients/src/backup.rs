//! Which file beside a client's file is the way back, and what going back means.
//!
//! A backup has in its name the fingerprint of the text that setup wrote over it: as long as the file is that text,
//! nobody has changed it since, and the backup may take its place. Nothing else has to be remembered.

use crate::client::Client;
use crate::plan::{Plan, remove};
use crate::problem::Problem;

/// What follows the file's own name in a backup's.
pub const MARK: &str = ".ibd-backup-";

/// What becomes of the text that is there, before another one is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backup {
    /// There is no file yet.
    Nothing,
    /// It is kept under this name.
    Keep(String),
    /// Setup wrote it, and what was before is kept already: that stays the way back, under another name.
    Rename {
        /// The name it has.
        from: String,
        /// The name it gets.
        to: String,
    },
}

/// How to undo.
#[derive(Debug)]
pub enum Undo {
    /// Nothing of ours is there.
    Nothing,
    /// Nobody has changed the file since: this backup takes its place.
    Restore(String),
    /// Our entries are taken out of the file as it is now.
    Write(Plan),
    /// Nothing would be left in a file that setup made.
    Delete(Plan),
}

/// What to do about a backup; `beside` are the names of the files beside the file.
pub fn backup(file: &str, beside: &[String], plan: &Plan) -> Backup {
    let Some(before) = &plan.before else {
        return Backup::Nothing;
    };
    let (from, to) = (name(file, before), name(file, &plan.after));
    if beside.contains(&from) { Backup::Rename { from, to } } else { Backup::Keep(to) }
}

/// How to undo what was done to the file; `only`: to the entry of that name.
pub fn undo(
    client: Client,
    (file, beside): (&str, &[String]),
    text: Option<&str>,
    only: Option<&str>,
) -> Result<Undo, Problem> {
    let Some(text) = text else {
        return Ok(Undo::Nothing);
    };
    let way_back = name(file, text);
    if only.is_none() && beside.contains(&way_back) {
        return Ok(Undo::Restore(way_back));
    }
    let plan = remove(client, text, only)?;
    let start = format!("{file}{MARK}");
    let was_there = beside.iter().any(|name| name.starts_with(&start));
    Ok(match () {
        () if !plan.is_change() => Undo::Nothing,
        () if !was_there && is_bare(client, &plan.after) => Undo::Delete(plan),
        () => Undo::Write(plan),
    })
}

/// Whether nothing stands in it but the empty place of the servers.
fn is_bare(client: Client, text: &str) -> bool {
    let key = client.key();
    let left: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let bare = [String::new(), "{}".to_owned(), format!("{{\"{key}\":{{}}}}"), format!("[{key}]")];
    bare.contains(&left)
}

fn name(file: &str, written: &str) -> String {
    format!("{file}{MARK}{:016x}", fingerprint(written))
}

/// FNV-1a of 64 bits: the same in every build, which the standard library's hash is not. It tells texts apart that
/// nobody made alike on purpose.
fn fingerprint(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::{Entry, plan};

    const FILE: &str = "mcp.json";

    fn planned(text: Option<&str>, command: &str) -> Plan {
        let entry = Entry { command: command.to_owned(), ..Entry::default() };
        plan(Client::Cursor, text, &entry).unwrap()
    }

    fn undone(text: &str, beside: &[String]) -> Undo {
        undo(Client::Cursor, (FILE, beside), Some(text), None).unwrap()
    }

    #[test]
    fn the_fingerprint_is_the_published_one() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_second_setup_keeps_the_way_back_to_what_was_before_the_first() {
        let first = planned(Some("{ }"), "/a/ib-mcp");
        let Backup::Keep(kept) = backup(FILE, &[], &first) else { panic!() };
        let second = planned(Some(&first.after), "/b/ib-mcp");
        let beside = [kept.clone()];
        let Backup::Rename { from, to } = backup(FILE, &beside, &second) else { panic!() };
        assert_eq!(from, kept);
        assert!(
            matches!(undone(&second.after, std::slice::from_ref(&to)), Undo::Restore(name) if name == to)
        );
    }

    #[test]
    fn what_was_changed_since_is_not_put_back_but_cleaned() {
        let first = planned(Some("{ }"), "/a/ib-mcp");
        let Backup::Keep(kept) = backup(FILE, &[], &first) else { panic!() };
        let changed = first.after.replacen('{', "{\n  \"theme\": 1,", 1);
        let Undo::Write(plan) = undone(&changed, &[kept]) else { panic!() };
        assert!(plan.after.contains("theme") && !plan.after.contains("ib-mcp"), "{}", plan.after);
    }

    #[test]
    fn a_file_that_setup_made_goes_and_one_without_us_stays() {
        let made = planned(None, "/a/ib-mcp");
        assert_eq!(backup(FILE, &[], &made), Backup::Nothing);
        assert!(matches!(undone(&made.after, &[]), Undo::Delete(_)));
        assert!(matches!(undone("{}", &[]), Undo::Nothing));
        assert!(matches!(undo(Client::Cursor, (FILE, &[]), None, None), Ok(Undo::Nothing)));
    }

    #[test]
    fn what_cannot_be_read_is_put_back_if_it_is_what_setup_wrote_and_else_left() {
        assert!(undo(Client::Cursor, (FILE, &[]), Some("{"), None).is_err());
        let beside = [name(FILE, "{")];
        assert!(matches!(undone("{", &beside), Undo::Restore(_)));
    }
}
