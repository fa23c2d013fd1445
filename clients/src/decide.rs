//! What is to be done to the servers of one file: decided from what stands there alone.

use crate::entry::{Entry, NAME, Server};
use crate::flags::{flags, variable};
use crate::launch::{Program, launched};
use crate::plan::{Note, Planned, Was};
use crate::problem::Problem;
use crate::takeover::{Taken, take_over};

/// One step.
#[derive(Debug)]
pub(crate) enum Change {
    /// A new entry, after those that are there.
    Add(Server),
    /// The entry of that name gets this name, program, arguments and variables; whatever else stands in it stays.
    Set {
        was: String,
        server: Server,
    },
    Remove(String),
}

/// What was decided.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    pub changes: Vec<Change>,
    /// Our entries, as they will stand.
    pub entries: Vec<Planned>,
    /// Names of entries that go.
    pub removed: Vec<String>,
    pub notes: Vec<Note>,
}

/// A server, and what it launches.
struct Seen<'a> {
    server: &'a Server,
    program: Program,
    /// What its program is given.
    args: Vec<String>,
}

/// Entries of ours get our program; those of the npm package become ours, or give their variables to one that is there.
/// Without either there is a new one.
pub(crate) fn decide(servers: &[Server], entry: &Entry) -> Result<Decision, Problem> {
    let seen: Vec<Seen> = servers.iter().map(Seen::of).collect();
    let is_named = |one: &&Seen| entry.name.as_ref().is_none_or(|name| one.server.name == *name);
    let of = |program| seen.iter().filter(move |one| one.program == program);
    let ours: Vec<&Seen> = of(Program::Ours).filter(is_named).collect();
    let originals: Vec<&Seen> = of(Program::Original).collect();
    check(entry, &seen, if ours.is_empty() { &originals } else { &ours })?;

    let mut decision = Decision::default();
    if let Some((first, others)) = ours.split_first() {
        decision.keep(first, &originals, entry);
        others.iter().for_each(|one| decision.keep(one, &[], entry));
        originals.iter().for_each(|one| decision.remove(&one.server.name));
    } else if originals.is_empty() {
        decision.add(entry);
    } else {
        let mut new_name = new_name(entry, &seen);
        for original in &originals {
            decision.convert(original, new_name.take(), entry);
        }
    }
    Ok(decision)
}

/// Whether what is asked for can be done: to these entries, if there are any.
fn check(entry: &Entry, seen: &[Seen], touched: &[&Seen]) -> Result<(), Problem> {
    let name = entry.name.as_deref();
    if let Some(bad) = name.filter(|name| !is_name(name)) {
        return Err(Problem::BadName(bad.to_owned()));
    }
    if touched.len() > 1 && !entry.set.is_empty() {
        let names = touched.iter().map(|one| one.server.name.clone());
        return Err(Problem::Several(names.collect()));
    }
    // Who has a name of their own keeps it.
    let wanted = name.or_else(|| touched.is_empty().then_some(NAME));
    let is_taken =
        |one: &Seen| one.program == Program::Other && Some(one.server.name.as_str()) == wanted;
    match seen.iter().find(|one| is_taken(one)) {
        Some(other) => Err(Problem::Taken(other.server.name.clone())),
        None => Ok(()),
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=32).contains(&name.len()) && name.chars().all(is_plain)
}

/// The name that is asked for, if nobody has it yet.
fn new_name<'a>(entry: &'a Entry, seen: &[Seen]) -> Option<&'a str> {
    let name = entry.name.as_deref();
    name.filter(|name| seen.iter().all(|one| one.server.name != *name))
}

impl<'a> Seen<'a> {
    fn of(server: &'a Server) -> Self {
        let (program, args) = launched(&server.command, &server.args);
        Self { server, program, args }
    }

    fn taken(&self) -> Taken {
        take_over(self.server, &self.args)
    }
}

impl Decision {
    fn add(&mut self, entry: &Entry) {
        let name = entry.name.as_deref().unwrap_or(NAME);
        let mut server = Server { name: name.to_owned(), ..Server::default() };
        server.launch(entry, &[]);
        server.set(entry);
        server.pass_variables();
        self.changes.push(Change::Add(server.clone()));
        self.will_stand(server, Was::New);
    }

    /// An entry of ours, which gets what these entries have and it lacks.
    fn keep(&mut self, one: &Seen, originals: &[&Seen], entry: &Entry) {
        let mut server = one.server.clone();
        server.launch(entry, &one.args);
        for original in originals {
            let taken = original.taken();
            server.merge(&taken);
            self.notes.extend(taken.notes);
        }
        server.set(entry);
        server.pass_variables();
        self.changes.push(Change::Set { was: one.server.name.clone(), server: server.clone() });
        self.will_stand(server, Was::Ours);
    }

    /// An entry of the npm package becomes ours.
    fn convert(&mut self, one: &Seen, new_name: Option<&str>, entry: &Entry) {
        let taken = one.taken();
        let mut server = Server { env: taken.env, ..one.server.clone() };
        server.launch(entry, &taken.args);
        server.set(entry);
        server.pass_variables();
        if let Some(name) = new_name {
            self.removed.push(std::mem::replace(&mut server.name, name.to_owned()));
        }
        self.notes.extend(taken.notes);
        self.changes.push(Change::Set { was: one.server.name.clone(), server: server.clone() });
        self.will_stand(server, Was::Original);
    }

    fn remove(&mut self, name: &str) {
        self.changes.push(Change::Remove(name.to_owned()));
        self.removed.push(name.to_owned());
    }

    fn will_stand(&mut self, server: Server, was: Was) {
        for (name, _) in server.secrets() {
            self.notes.push(Note::Secret { entry: server.name.clone(), name });
        }
        if server.is_off {
            self.notes.push(Note::Off { entry: server.name.clone() });
        }
        self.entries.push(Planned { server, was });
    }
}

impl Server {
    fn launch(&mut self, entry: &Entry, args: &[String]) {
        self.command.clone_from(&entry.command);
        self.args = entry.args.iter().chain(args).cloned().collect();
    }

    /// Takes what it does not have itself.
    fn merge(&mut self, taken: &Taken) {
        let own = self.clone();
        let lacking = taken.env.iter().filter(|(name, _)| !own.has(name));
        self.env.extend(lacking.cloned());
        for flag in flags(&taken.args).iter().filter(|flag| !own.has(&variable(flag.name))) {
            self.args.extend_from_slice(flag.words);
        }
    }

    /// Sets variables. A flag that means the same would overrule them, so it goes.
    fn set(&mut self, entry: &Entry) {
        for (name, value) in &entry.set {
            let kept: Vec<String> = flags(&self.args)
                .iter()
                .filter(|flag| variable(flag.name) != *name)
                .flat_map(|flag| flag.words.to_vec())
                .collect();
            self.args = kept;
            if value.is_empty() {
                self.env.retain(|(one, _)| one != name);
            } else if let Some((_, old)) = self.env.iter_mut().find(|(one, _)| one == name) {
                old.clone_from(value);
            } else {
                self.env.push((name.clone(), value.clone()));
            }
        }
    }
}

/// The entries of ours that go: all, or the one of that name.
pub(crate) fn undone(servers: &[Server], name: Option<&str>) -> Decision {
    let mut decision = Decision::default();
    let ours = servers.iter().map(Seen::of).filter(|one| one.program == Program::Ours);
    for one in ours.filter(|one| name.is_none_or(|name| one.server.name == name)) {
        decision.remove(&one.server.name);
    }
    decision
}

/// Where an entry of the npm package stands besides the servers of all projects.
pub(crate) fn elsewhere(servers: Vec<(String, Server)>) -> Vec<Note> {
    let is_original = |server: &Server| Seen::of(server).program == Program::Original;
    servers
        .into_iter()
        .filter(|(_, server)| is_original(server))
        .map(|(project, server)| Note::Elsewhere { project, entry: server.name })
        .collect()
}
