//! A file in TOML, changed in place. Ends of lines are those of Unix here; [`crate::lines`] gives them back.

use toml_edit::{
    Array, ArrayOfTables, DocumentMut, InlineTable, Item, RawString, Table, TableLike, TomlError,
    Value,
};

use crate::client::{Client, Extras};
use crate::decide::Change;
use crate::entry::Server;
use crate::problem::Problem;

/// A text that was read.
pub(crate) struct Toml {
    document: DocumentMut,
    /// Under which key the servers stand.
    key: &'static str,
    extras: Extras,
}

impl Toml {
    pub(crate) fn parse(client: Client, text: &str) -> Result<Self, Problem> {
        let document = text.parse::<DocumentMut>().map_err(|error| syntax(text, &error))?;
        let toml = Self { document, key: client.key(), extras: client.extras() };
        if toml.document.get(toml.key).is_some_and(|item| !item.is_table_like()) {
            return Err(Problem::Shape { what: toml.key.to_owned(), wanted: "a table" });
        }
        Ok(toml)
    }

    pub(crate) fn text(&self) -> String {
        self.document.to_string()
    }

    pub(crate) fn servers(&self) -> Vec<Server> {
        let table = self.document.get(self.key).and_then(Item::as_table_like);
        table.map(|table| table.iter().map(server).collect()).unwrap_or_default()
    }

    pub(crate) fn apply(&mut self, change: &Change) -> Result<(), Problem> {
        match change {
            Change::Add(server) => {
                let entry = self.entry(server);
                // It has no header of its own: only its servers have.
                let mut implicit = Table::new();
                implicit.set_implicit(true);
                let item = self.document.entry(self.key).or_insert(Item::Table(implicit));
                let table = item.as_table_like_mut().ok_or(Problem::Unsure)?;
                table.insert(&server.name, Item::Table(entry));
                tidy(item);
            }
            Change::Set { was, server } => {
                let Some(table) = self.table() else { return Ok(()) };
                if let Some(entry) = table.get_mut(was).and_then(Item::as_table_like_mut) {
                    set(entry, server);
                }
                if *was != server.name
                    && let Some(entry) = table.remove(was)
                {
                    table.insert(&server.name, entry);
                }
            }
            Change::Remove(name) => {
                let gone = self.table().and_then(|table| table.remove(name));
                if let Some(Item::Table(gone)) = gone {
                    self.keep_comments(&gone);
                }
            }
        }
        Ok(())
    }

    fn table(&mut self) -> Option<&mut dyn TableLike> {
        self.document.get_mut(self.key)?.as_table_like_mut()
    }

    fn entry(&self, server: &Server) -> Table {
        let mut table = Table::new();
        let mut field = |name: &str, value: Value| table.insert(name, Item::Value(value));
        field("command", server.command.as_str().into());
        field("args", Value::Array(array(&server.args)));
        if !server.env.is_empty() {
            field("env", Value::InlineTable(variables(&server.env)));
        }
        if let Some((name, seconds)) = self.extras.patience {
            field(name, i64::from(seconds).into());
        }
        table
    }

    /// Comments belong to the table below them. If that goes, they stay above the next one, or at the end.
    fn keep_comments(&mut self, gone: &Table) {
        let above = gone.decor().prefix().and_then(RawString::as_str).unwrap_or_default();
        if above.trim().is_empty() {
            return;
        }
        let mut places = Vec::new();
        positions(self.document.as_table(), &mut places);
        let after = |place: &isize| gone.position().is_some_and(|own| own < *place);
        let next = places.into_iter().filter(after).min();
        let found = match next {
            Some(place) => standing_at(self.document.as_table_mut(), place),
            None => None,
        };
        if let Some(next) = found {
            let own = next.decor().prefix().and_then(RawString::as_str).unwrap_or("\n");
            let both = format!("{above}{own}");
            next.decor_mut().set_prefix(both);
            return;
        }
        let end = self.document.trailing().as_str().unwrap_or_default();
        let both = format!("{above}{end}");
        self.document.set_trailing(both);
    }
}

/// The places of all tables that have a header.
fn positions(table: &Table, found: &mut Vec<isize>) {
    if has_header(table) {
        found.extend(table.position());
    }
    for (_, item) in table.iter() {
        match item {
            Item::Table(one) => positions(one, found),
            Item::ArrayOfTables(all) => all.iter().for_each(|one| positions(one, found)),
            _ => {}
        }
    }
}

fn has_header(table: &Table) -> bool {
    !table.is_implicit() && !table.is_dotted()
}

fn standing_at(table: &mut Table, place: isize) -> Option<&mut Table> {
    if has_header(table) && table.position() == Some(place) {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(one) => standing_at(one, place),
        Item::ArrayOfTables(all) => one_standing_at(all, place),
        _ => None,
    })
}

fn one_standing_at(all: &mut ArrayOfTables, place: isize) -> Option<&mut Table> {
    all.iter_mut().find_map(|one| standing_at(one, place))
}

/// Where the text could not be read.
fn syntax(text: &str, error: &TomlError) -> Problem {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Problem::Syntax {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        what: error.message().lines().next().unwrap_or_default().to_owned(),
    }
}

/// An entry as it stands. What is no table launches nothing, and still has its name.
fn server((name, item): (&str, &Item)) -> Server {
    let name = name.to_owned();
    let Some(entry) = item.as_table_like() else {
        return Server { name, ..Server::default() };
    };
    let field = |name: &str| entry.get(name).and_then(scalar);
    let env = entry.get("env").and_then(Item::as_table_like);
    let variable = |(name, value): (&str, &Item)| Some((name.to_owned(), scalar(value)?));
    Server {
        name,
        command: field("command").unwrap_or_default(),
        args: strings(entry).unwrap_or_default(),
        env: env.map(|env| env.iter().filter_map(variable).collect()).unwrap_or_default(),
        is_off: field("enabled").as_deref() == Some("false"),
    }
}

fn strings(entry: &dyn TableLike) -> Option<Vec<String>> {
    let array = entry.get("args")?.as_array()?;
    array.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A single value as text.
fn scalar(item: &Item) -> Option<String> {
    let number = || item.as_integer().map(|number| number.to_string());
    let flag = || item.as_bool().map(|flag| flag.to_string());
    item.as_str().map(str::to_owned).or_else(number).or_else(flag)
}

/// Makes an entry launch this server. Of what stands in it only that is written which differs.
fn set(entry: &mut dyn TableLike, server: &Server) {
    if entry.get("command").and_then(scalar).as_ref() != Some(&server.command) {
        put(entry, "command", server.command.as_str().into());
    }
    let args = strings(entry);
    let is_missed = args.is_none() && !server.args.is_empty();
    if is_missed || args.is_some_and(|args| args != server.args) {
        put(entry, "args", Value::Array(array(&server.args)));
    }
    set_variables(entry, &server.env);
}

fn set_variables(entry: &mut dyn TableLike, env: &[(String, String)]) {
    if !entry.get("env").is_some_and(Item::is_table_like) {
        if !env.is_empty() {
            entry.insert("env", Item::Value(Value::InlineTable(variables(env))));
        }
        return;
    }
    let Some(item) = entry.get_mut("env") else { return };
    let has_changed = item.as_table_like_mut().is_some_and(|old| change_variables(old, env));
    if has_changed {
        tidy(item);
    }
}

/// In a table on one line blanks belong to the value that was last before, and that is another one now.
fn tidy(item: &mut Item) {
    if let Some(inline) = item.as_inline_table_mut()
        && !inline.to_string().contains('\n')
    {
        inline.fmt();
    }
}

/// Whether a variable came or went.
fn change_variables(old: &mut dyn TableLike, env: &[(String, String)]) -> bool {
    let names: Vec<String> = old.iter().map(|(name, _)| name.to_owned()).collect();
    let is_gone = |name: &&String| !env.iter().any(|(kept, _)| kept == *name);
    let gone: Vec<&String> = names.iter().filter(is_gone).collect();
    for name in &gone {
        old.remove(name);
    }
    for (name, value) in env {
        if old.get(name).and_then(scalar).as_ref() != Some(value) {
            put(old, name, value.as_str().into());
        }
    }
    !gone.is_empty() || env.iter().any(|(name, _)| !names.contains(name))
}

/// Writes a value, and leaves what stands around the old one.
fn put(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
}

fn array(words: &[String]) -> Array {
    words.iter().map(String::as_str).collect()
}

fn variables(env: &[(String, String)]) -> InlineTable {
    env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
