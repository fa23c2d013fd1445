//! Who may import whom. Each rule has its reason beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Our packages and what each names among its dependencies.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = std::process::Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let real = dependencies.filter(|d| d["kind"] != "dev");
        let names = real.map(|d| d["name"].as_str().unwrap().to_owned()).collect();
        (package["name"].as_str().unwrap().to_owned(), names)
    });
    packages.collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    let rules = [
        ("ibd-text", &[][..], "it knows characters"),
        ("ibd-disk", &[], "it knows files and folders"),
        (
            "ib-mcp",
            &["ibd-protocol", "ibd-disk"],
            "the shim knows no tool and no broker; it keeps what its token is known by",
        ),
        (
            "ibctl",
            &["ibd-text", "ibd-disk", "ibd-protocol", "ibd-install", "ibd-clients", "ibd-oauth"],
            "a client: it links neither the daemon nor MCP; it installs, and makes keys, without a daemon",
        ),
        (
            "ibd-protocol",
            &["ibd-text", "ibd-disk"],
            "the conversation knows no tool, no MCP, no broker",
        ),
        (
            "ibd-cpapi",
            &["ibd-text", "ibd-oauth"],
            "usable without the daemon; it signs what it sends",
        ),
        ("ib-sim", &[], "a shared parser would make a shared mistake invisible"),
        ("ibd-journal", &["ibd-disk"], "usable without orders: it knows records and a disk"),
        (
            "ibd-flex",
            &["ibd-text", "ibd-disk"],
            "usable without the daemon: it knows statements and a disk",
        ),
        ("ibd-clients", &[], "it knows the texts of clients' files"),
        ("ibd-pricing", &[], "it knows numbers"),
        ("ibd-chart", &[], "it knows bars and pixels"),
        (
            "ibd-oauth",
            &[],
            "it knows keys and signatures; whoever sends brings time and randomness",
        ),
        (
            "ibd-install",
            &["ibd-disk"],
            "usable by ibctl and ibd: it knows a data folder and nothing else",
        ),
        (
            "ibd-headless",
            &["ibd-text", "ibd-disk", "ibd-protocol"],
            "of ours it knows only what a secret is, characters and folders",
        ),
        (
            "ibd",
            &[
                "ibd-text",
                "ibd-disk",
                "ibd-protocol",
                "ibd-cpapi",
                "ibd-install",
                "ibd-headless",
                "ibd-journal",
                "ibd-oauth",
                "ibd-flex",
                "ibd-pricing",
                "ibd-chart",
            ],
            "the daemon knows no MCP and no simulator",
        ),
    ];
    for (package, dependencies) in packages.iter().filter(|(name, _)| *name != "ibd-tests") {
        let rule = rules.iter().find(|(name, ..)| name == package);
        let (_, allowed, reason) = rule.unwrap_or_else(|| panic!("{package} has no rule here"));
        for dependency in dependencies.iter().map(String::as_str).filter(|d| ours.contains(d)) {
            assert!(allowed.contains(&dependency), "{package} imports {dependency}: {reason}");
        }
    }
}

#[test]
fn each_foreign_crate_has_its_one_place() {
    let packages = packages();
    for (dependency, only, reason) in [
        ("rmcp", &["ib-mcp"][..], "only the shim says MCP"),
        ("sled", &["ibd"], "the store is the daemon's"),
        ("ractor", &["ibd"], "actors are the daemon's"),
        ("bincode", &["ibd-protocol"], "the codec is behind wire.rs"),
        // Archives come from elsewhere than the broker, and so does a webhook go elsewhere.
        ("reqwest", &["ibd-cpapi", "ibd-install", "ibd"], "one door for HTTP to the broker"),
        ("keyring", &["ibd"], "only the daemon keeps secrets"),
        ("hyper", &["ib-mcp", "ib-sim"], "nothing else serves HTTP"),
        ("jsonc-parser", &["ibd-clients"], "files of people are changed in place in one crate"),
        ("toml_edit", &["ibd-clients"], "the same"),
    ] {
        for (package, dependencies) in &packages {
            let may = only.contains(&package.as_str());
            assert!(
                may || !dependencies.contains(dependency),
                "{package} names {dependency}: {reason}"
            );
        }
    }
}

/// Source files below a folder, with their paths from it.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                found.push((name, code.to_owned()));
            }
        }
    }
    found
}

#[test]
fn each_library_is_named_in_one_file() {
    for (folder, needle, only, reason) in [
        ("daemon/src", "sd_notify::", "service/systemd.rs", "one place talks to systemd"),
        ("daemon/src", "listenfd::", "service/systemd.rs", "the same"),
        ("daemon/src", "sled::", "store.rs", "the recipe for opening it is in one place"),
        ("protocol/src", "bincode::", "wire.rs", "so that the codec can be replaced"),
        ("daemon/src", "Command::new", "gateway/process.rs", "only the gateway spawns a process"),
        ("daemon/src", "reqwest::", "notify.rs", "HTTP to the broker has one door, in cpapi"),
        ("daemon/src", "ibd_oauth::", "gateway/direct/keys.rs", "one file reads private keys"),
        ("cpapi/src", "SigningKey", "-", "whoever sends is handed keys, and reads none"),
        ("daemon/src", "keyring::", "secrets.rs", "each access is off the actors and has a limit"),
        ("daemon/src", "notify_rust::", "notify.rs", "one place tells a person"),
        ("headless/src", "process::Command", "browser.rs", "only one file starts the browser"),
        (
            "install/src",
            "Command::new",
            "java/run.rs",
            "only one file runs a Java to ask its version",
        ),
        ("shim/src", "ibd_disk::", "http/token.rs", "the shim keeps nothing but a hash"),
        ("shim/src", "TcpListener::", "http.rs", "no port is opened but where one was asked for"),
        ("shim/src", "get_", "-", "the shim knows no tool's name"),
    ] {
        for (name, text) in sources(&root().join(folder)) {
            let has = match needle {
                "get_" => tool_names().iter().any(|tool| text.contains(tool.as_str())),
                _ => text.contains(needle),
            };
            assert!(name == only || !has, "{folder}/{name} names {needle}: {reason}");
        }
    }
}

fn tool_names() -> Vec<String> {
    ibd_protocol::catalogue::golden().into_iter().map(|tool| tool.name).collect()
}

/// Inside the daemon, calls go down: main → root → ipc → tools → desks → session → gateway.
/// The daemon's modules, and the files of them that others may import apart: a module may import those after it.
const ORDER: &[&str] = &[
    "bin",
    "main",
    "program",
    "root",
    "budget",
    "ipc",
    "prompts",
    "resources",
    "tools",
    "completion",
    "desks",
    "alerts",
    "orders",
    "market",
    "history",
    "greeks",
    "scanner",
    "analyst",
    "portfolio",
    "contracts",
    "policy",
    "flex",
    "recent",
    "stream",
    "notify",
    "session",
    "gateway",
    "board",
    "gateway/state",
    "session/view",
    "session/login_view",
    "session/calendar",
    "config",
    "secrets",
    "service",
    "store",
    "post",
    "refusal",
    "jitter",
];

/// The unit of a path of modules: a file that stands in the order by itself, else the top module.
fn unit(path: &[&str]) -> Option<String> {
    let two = path.get(..2).map(|two| two.join("/")).filter(|two| ORDER.contains(&two.as_str()));
    two.or_else(|| path.first().map(|first| (*first).to_owned()))
}

/// What a file names after `crate::`, also in braces, as paths of modules.
fn imports(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let lists: Vec<&str> = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for path in lists {
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let path: String = path.trim().chars().take_while(|c| is_name(*c)).collect();
            found.push(
                path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect(),
            );
        }
    }
    found
}

#[test]
fn imports_are_found_also_in_braces() {
    let code = "use crate::a::B;\nuse crate::{c::D, e, f::g};\nfn x() { crate::h::i() }";
    let found: Vec<String> = imports(code).iter().map(|path| path.join("/")).collect();
    assert_eq!(found, ["a/B", "c/D", "e", "f/g", "h/i"]);
}

#[test]
fn inside_the_daemon_imports_go_down() {
    let rank = |unit: &str| {
        let found = ORDER.iter().position(|name| *name == unit);
        found.unwrap_or_else(|| panic!("{unit} has no place in the order"))
    };
    for (name, text) in
        sources(&root().join("daemon/src")).into_iter().filter(|(n, _)| n != "lib.rs")
    {
        let path = name.trim_end_matches(".rs").to_owned();
        let own = unit(&path.split('/').collect::<Vec<_>>()).unwrap();
        // Also of a file that imports nothing: whoever is to import it needs to know its place.
        let own_rank = rank(&own);
        for import in imports(&text) {
            let import: Vec<&str> = import.iter().map(String::as_str).collect();
            // What begins with a capital or stands alone in lib.rs is no module.
            let Some(target) = unit(&import).filter(|first| first.starts_with(char::is_lowercase))
            else {
                continue;
            };
            assert!(own_rank <= rank(&target), "{name} imports crate::{target}: calls go down");
        }
        // A file with a place of its own reaches its neighbours only below it.
        for rest in text.split("super::").skip(1).filter(|_| own.contains('/')) {
            let next: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let top = own.split('/').next().unwrap();
            let target = unit(&[top, &next]).unwrap();
            assert!(own_rank <= rank(&target), "{name} imports super::{next}");
        }
    }
}

/// Orders leave from one place, and what leaves there was vetted: `round::deliver` takes nothing else.
#[test]
fn orders_are_sent_from_one_file() {
    for (name, text) in sources(&root().join("daemon/src")) {
        let sends = ["PlaceOrders {", "ibd_cpapi::orders::ModifyOrder", "ticket };"];
        let may = ["orders/round.rs", "orders/mutant.rs"].contains(&name.as_str());
        for needle in sends {
            assert!(may || !text.contains(needle), "{name} names {needle}");
        }
    }
}

/// Who signs is given the time, the randomness and the texts of the keys: so that each signature can be made again in a
/// test, and so that a key cannot leave by a way that nobody looks at.
#[test]
fn signing_reads_no_clock_no_file_and_no_network() {
    let packages = packages();
    let foreign = packages.get("ibd-oauth").unwrap();
    for runtime in ["tokio", "reqwest", "hyper", "rustls", "ring", "getrandom", "rand", "tracing"] {
        assert!(!foreign.contains(runtime), "ibd-oauth names {runtime}");
    }
    for (name, text) in sources(&root().join("oauth/src")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for outside in
            ["::now(", "SystemTime", "std::fs", "std::net", "std::env", "std::process", "async "]
        {
            assert!(!code.contains(outside), "oauth/src/{name} names {outside}");
        }
    }
}

/// What decides about money or sessions decides purely: it can be tested as a table. A file says so in its header,
/// and is held to it.
#[test]
fn pure_files_name_no_runtime() {
    let mut pure = BTreeSet::new();
    for (name, text) in sources(&root().join("daemon/src")) {
        let header = text.lines().take_while(|line| line.starts_with("//!")).collect::<String>();
        if !header.to_lowercase().contains("pure") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for runtime in ["tokio", "ractor", "sled", ".await", "async "] {
            assert!(!code.contains(runtime), "{name} calls itself pure and names {runtime}");
        }
        pure.insert(name);
    }
    for file in [
        "session/life.rs",
        "session/login.rs",
        "session/calendar.rs",
        "session/words.rs",
        "gateway/conf.rs",
        "contracts/resolve.rs",
        "contracts/expiry.rs",
        "contracts/spelling.rs",
        "policy.rs",
        "stream/wanted.rs",
        "market/lines.rs",
        "market/followers.rs",
        "market/quote.rs",
        "alerts/alert.rs",
        "alerts/blind.rs",
        "alerts/decide.rs",
        "alerts/measure.rs",
        "alerts/news.rs",
        "alerts/words.rs",
        "completion/fitting.rs",
        "orders/life.rs",
        "orders/guardrails.rs",
        "orders/limits.rs",
        "orders/approval.rs",
        "orders/questions.rs",
        "orders/fits.rs",
        "orders/asked.rs",
        "orders/order.rs",
        "orders/tickets.rs",
        "orders/intent.rs",
        "orders/book.rs",
        "orders/record.rs",
    ] {
        assert!(pure.contains(file), "{file} does not call itself pure");
    }
}

/// A client's file is a person's: what becomes of it is decided from its text, so that it can be tested as a table.
#[test]
fn the_crate_of_the_clients_reads_and_writes_nothing() {
    for (name, text) in sources(&root().join("clients/src")) {
        for world in [
            "std::fs",
            "std::env",
            "std::process",
            "std::net",
            "std::io",
            "tokio",
            "async ",
            "SystemTime",
            ".exists()",
            ".is_file()",
        ] {
            assert!(!text.contains(world), "clients/src/{name} names {world}");
        }
    }
}

#[test]
fn nothing_of_the_brokers_is_committed() {
    for (name, _) in sources(&root().join("daemon/src")) {
        assert!(!name.ends_with(".jar"));
    }
    let output = std::process::Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let files = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    for file in files.lines() {
        let is_foreign =
            [".jar", ".jks", ".class", ".zip", ".so", ".dll"].iter().any(|end| file.ends_with(end));
        assert!(!is_foreign, "{file}");
    }
}
