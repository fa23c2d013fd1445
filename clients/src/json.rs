//! A file in JSON, changed in place: comments, order, indentation and ends of lines stay as they are.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{
    CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode, ObjectPropName,
};

use crate::client::{Client, Extras, Form};
use crate::decide::Change;
use crate::entry::Server;
use crate::problem::Problem;

/// A text that was read.
pub(crate) struct Json {
    root: CstRootNode,
    /// Under which key the servers stand.
    key: &'static str,
    extras: Extras,
}

impl Json {
    pub(crate) fn parse(client: Client, text: &str) -> Result<Self, Problem> {
        let root =
            CstRootNode::parse(text, &options(client.form())).map_err(|error| Problem::Syntax {
                line: error.line_display(),
                column: error.column_display(),
                what: error.kind().to_string(),
            })?;
        if client.form() == Form::Json {
            strict(text)?;
        }
        let json = Self { root, key: client.key(), extras: client.extras() };
        json.check()?;
        Ok(json)
    }

    /// Whether servers stand where they are looked for, once each.
    fn check(&self) -> Result<(), Problem> {
        let shape = |what: &str| Problem::Shape { what: what.to_owned(), wanted: "an object" };
        let Some(value) = self.root.value() else {
            return Ok(());
        };
        let root = value.as_object().ok_or_else(|| shape("the whole of it"))?;
        if let Some(twice) = twice(&root, Some(self.key)) {
            return Err(Problem::Twice(twice));
        }
        let Some(servers) = root.get(self.key) else {
            return Ok(());
        };
        let servers = servers.object_value().ok_or_else(|| shape(self.key))?;
        match twice(&servers, None) {
            Some(twice) => Err(Problem::Twice(twice)),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self) -> String {
        self.root.to_string()
    }

    pub(crate) fn servers(&self) -> Vec<Server> {
        let table = self.table();
        table.map(|table| servers(&table)).unwrap_or_default()
    }

    /// Servers of single projects, each with the project's folder.
    pub(crate) fn of_projects(&self) -> Vec<(String, Server)> {
        let mut found = Vec::new();
        let projects = self.root.object_value().and_then(|root| root.object_value("projects"));
        for project in projects.map(|all| all.properties()).unwrap_or_default() {
            let folder = project.decoded_name().unwrap_or_default();
            let table = project.object_value().and_then(|one| one.object_value(self.key));
            let servers = table.map(|table| servers(&table)).unwrap_or_default();
            found.extend(servers.into_iter().map(|server| (folder.clone(), server)));
        }
        found
    }

    pub(crate) fn apply(&self, change: &Change) -> Result<(), Problem> {
        match change {
            Change::Add(server) => {
                // Parsing has made sure that both can be objects.
                let root = self.root.object_value_or_create();
                let table = root.and_then(|root| root.object_value_or_create(self.key));
                let table = table.ok_or(Problem::Unsure)?;
                table.append(&server.name, self.entry(server));
            }
            Change::Set { was, server } => {
                if let Some(entry) = self.table().and_then(|table| table.get(was)) {
                    set(&entry, server);
                }
            }
            Change::Remove(name) => {
                if let Some(entry) = self.table().and_then(|table| table.get(name)) {
                    entry.remove();
                }
            }
        }
        Ok(())
    }

    fn table(&self) -> Option<CstObject> {
        self.root.object_value()?.object_value(self.key)
    }

    fn entry(&self, server: &Server) -> CstInputValue {
        let mut fields: Vec<(String, CstInputValue)> = Vec::new();
        let mut field = |name: &str, value: CstInputValue| fields.push((name.to_owned(), value));
        if let Some(kind) = self.extras.kind {
            field("type", text(kind));
        }
        field("command", text(&server.command));
        field("args", texts(&server.args));
        if !server.env.is_empty() {
            field("env", variables(&server.env));
        }
        if let Some((name, seconds)) = self.extras.patience {
            field(name, CstInputValue::Number(seconds.to_string()));
        }
        CstInputValue::Object(fields)
    }
}

/// The parser that keeps comments overlooks those in an empty object.
fn strict(text: &str) -> Result<(), Problem> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(());
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::Syntax {
            line: error.line(),
            column: error.column(),
            what: error.to_string(),
        }),
    }
}

/// What a client's own parser takes, and not more: what it would refuse is to be seen here.
fn options(form: Form) -> ParseOptions {
    let is_loose = form == Form::Jsonc;
    ParseOptions {
        allow_comments: is_loose,
        allow_trailing_commas: is_loose,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// A name that an object has twice: any, or this one.
fn twice(object: &CstObject, name: Option<&str>) -> Option<String> {
    let mut names: Vec<String> =
        object.properties().iter().filter_map(CstObjectProp::decoded_name).collect();
    names.retain(|one| name.is_none_or(|name| one == name));
    names.sort();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}

fn servers(table: &CstObject) -> Vec<Server> {
    table.properties().iter().filter_map(server).collect()
}

/// An entry as it stands. What is no object launches nothing, and still has its name.
fn server(entry: &CstObjectProp) -> Option<Server> {
    let name = entry.decoded_name()?;
    let Some(object) = entry.object_value() else {
        return Some(Server { name, ..Server::default() });
    };
    // Zed once had program, arguments and variables within `command`.
    let nested = object.object_value("command");
    let program = if nested.is_some() { "path" } else { "command" };
    let launch = nested.unwrap_or_else(|| object.clone());
    let env = launch.object_value("env").map(|env| env.properties()).unwrap_or_default();
    let variable = |one: &CstObjectProp| Some((one.decoded_name()?, scalar(&one.value()?)?));
    let is = |name: &str, value: &str| field(&object, name).as_deref() == Some(value);
    Some(Server {
        name,
        command: field(&launch, program).unwrap_or_default(),
        args: strings(&launch, "args").unwrap_or_default(),
        env: env.iter().filter_map(variable).collect(),
        is_off: is("disabled", "true") || is("enabled", "false"),
    })
}

fn field(object: &CstObject, name: &str) -> Option<String> {
    scalar(&object.get(name)?.value()?)
}

fn strings(object: &CstObject, name: &str) -> Option<Vec<String>> {
    object.get(name)?.array_value()?.elements().iter().map(scalar).collect()
}

/// A single value as text.
fn scalar(node: &CstNode) -> Option<String> {
    if let Some(text) = node.as_string_lit() {
        return text.decoded_value().ok();
    }
    let number = node.as_number_lit().map(|number| number.to_string());
    number.or_else(|| node.as_boolean_lit().map(|flag| flag.value().to_string()))
}

/// Makes an entry launch this server. Of what stands in it only that is written which differs.
fn set(entry: &CstObjectProp, server: &Server) {
    if let Some(ObjectPropName::String(name)) = entry.name()
        && entry.decoded_name().as_ref() != Some(&server.name)
    {
        // A name that is asked for has nothing in it that JSON would escape.
        name.set_raw_value(format!("\"{}\"", server.name));
    }
    let Some(object) = entry.object_value() else {
        return;
    };
    let was_nested = object.object_value("command").is_some();
    if field(&object, "command").as_ref() != Some(&server.command) {
        put(&object, "command", text(&server.command));
    }
    let args = strings(&object, "args");
    let is_missed = args.is_none() && (was_nested || !server.args.is_empty());
    if is_missed || args.is_some_and(|args| args != server.args) {
        put(&object, "args", texts(&server.args));
    }
    set_variables(&object, &server.env);
}

fn set_variables(object: &CstObject, env: &[(String, String)]) {
    let Some(old) = object.object_value("env") else {
        if !env.is_empty() {
            put(object, "env", variables(env));
        }
        return;
    };
    for variable in old.properties() {
        let name = variable.decoded_name();
        if !env.iter().any(|(kept, _)| Some(kept) == name.as_ref()) {
            variable.remove();
        }
    }
    for (name, value) in env {
        if field(&old, name).as_ref() != Some(value) {
            put(&old, name, text(value));
        }
    }
}

fn put(object: &CstObject, name: &str, value: CstInputValue) {
    match object.get(name) {
        Some(field) => field.set_value(value),
        None => {
            object.append(name, value);
        }
    }
}

fn text(value: &str) -> CstInputValue {
    CstInputValue::String(value.to_owned())
}

fn texts(values: &[String]) -> CstInputValue {
    CstInputValue::Array(values.iter().map(|value| text(value)).collect())
}

fn variables(env: &[(String, String)]) -> CstInputValue {
    CstInputValue::Object(env.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}
