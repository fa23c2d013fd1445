//! What an entry launches: ours, the npm package that this project takes the place of, or something else.
//!
//! A name somewhere on the command line is not enough: a folder of that name may be given to another server. So the line
//! is read as whoever runs it would read it.

/// What an entry launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ours,
    /// The npm package, by whichever runner.
    Original,
    Other,
}

const OURS: &str = "ib-mcp";
const ORIGINAL: &str = "interactive-brokers-mcp";

/// Options of package runners whose value is a word of its own.
const WITH_VALUE: &[&str] = &["-p", "--package", "--registry", "--cache", "--prefix"];

/// What this command line launches, and the arguments that it gets.
pub(crate) fn launched(command: &str, args: &[String]) -> (Program, Vec<String>) {
    let mut words = vec![command.to_owned()];
    words.extend_from_slice(args);
    if args.is_empty() && stem(command) != OURS {
        // Some people write the whole line as the command.
        words = command.split_whitespace().map(str::to_owned).collect();
    }
    follow(&words)
}

/// Our program in a command line that launches it, as it is named there.
pub(crate) fn program_of(command: &str, args: &[String]) -> String {
    let is_ours = |word: &&str| stem(word) == OURS;
    let words = std::iter::once(command).chain(args.iter().map(String::as_str));
    // One with blanks in it is a whole line only if it is not a program itself.
    let parts = command.split_whitespace();
    let named = words.chain(parts).find(is_ours);
    named.unwrap_or(command).to_owned()
}

fn follow(words: &[String]) -> (Program, Vec<String>) {
    let Some((first, rest)) = words.split_first() else {
        return other();
    };
    match stem(first).as_str() {
        OURS => (Program::Ours, rest.to_vec()),
        ORIGINAL => (Program::Original, rest.to_vec()),
        "npx" | "bunx" | "pnpx" => package(rest),
        "npm" | "pnpm" | "yarn" => runner(rest),
        "bun" => match rest.first().map(String::as_str) {
            Some("x") => package(&rest[1..]),
            _ => script(rest),
        },
        "node" | "deno" | "tsx" => script(rest),
        // `cmd /c npx …`, as Windows wants it.
        "cmd" => follow(after(rest, |word| word.starts_with('/'))),
        "sh" | "bash" | "zsh" => shell(rest),
        "wsl" => match rest.iter().position(|word| matches!(word.as_str(), "--" | "-e" | "--exec"))
        {
            Some(end) => follow(&rest[end + 1..]),
            None => other(),
        },
        _ => other(),
    }
}

fn other() -> (Program, Vec<String>) {
    (Program::Other, Vec::new())
}

/// `npm exec`, `pnpm dlx`, `yarn dlx`.
fn runner(words: &[String]) -> (Program, Vec<String>) {
    match words.split_first() {
        Some((verb, rest)) if matches!(verb.as_str(), "exec" | "x" | "dlx") => package(rest),
        _ => other(),
    }
}

/// What a package runner is told to run.
fn package(words: &[String]) -> (Program, Vec<String>) {
    let mut rest = words;
    while let Some((word, others)) = rest.split_first() {
        rest = others;
        if WITH_VALUE.contains(&word.as_str()) {
            rest = others.get(1..).unwrap_or_default();
        } else if !word.starts_with('-') {
            return if is_package(word) { (Program::Original, rest.to_vec()) } else { other() };
        }
    }
    other()
}

/// `interactive-brokers-mcp`, of some version, of a repository, or in a folder of that name. A package of somebody
/// else's scope is another one.
fn is_package(word: &str) -> bool {
    let name = word.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let name = name.split(['@', '#']).next().unwrap_or_default();
    !word.starts_with('@') && name.trim_end_matches(".git") == ORIGINAL
}

/// What an interpreter is told to run: a file within the package.
fn script(words: &[String]) -> (Program, Vec<String>) {
    let rest = after(words, |word| word.starts_with('-') || word == "run");
    match rest.split_first() {
        Some((path, others)) if path.split(['/', '\\']).any(is_package) => {
            (Program::Original, others.to_vec())
        }
        _ => other(),
    }
}

/// `bash -lc "npx -y …"`; a line that the shell would do more with than part it is not followed.
fn shell(words: &[String]) -> (Program, Vec<String>) {
    let [flag, line] = words else {
        return other();
    };
    let is_plain = flag.starts_with('-') && flag.ends_with('c') && !line.contains(SHELLS_OWN);
    let parts: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if is_plain { follow(&parts) } else { other() }
}

const SHELLS_OWN: [char; 12] = ['$', ';', '|', '&', '<', '>', '(', '"', '\'', '`', '\\', '*'];

/// Without the first words that are so.
fn after(words: &[String], is_so: impl Fn(&str) -> bool) -> &[String] {
    let start = words.iter().position(|word| !is_so(word)).unwrap_or(words.len());
    &words[start..]
}

/// Whether this is what starts programs of a Linux below Windows.
pub(crate) fn is_wsl(command: &str) -> bool {
    stem(command) == "wsl"
}

/// The name of a program, without its folder and the ending that Windows gives it.
fn stem(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let ends = [".exe", ".cmd", ".bat", ".ps1"];
    let bare = ends.iter().find_map(|end| name.strip_suffix(end));
    bare.unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &[&str]) -> (Program, String) {
        let words: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let (program, rest) = launched(&words[0], &words[1..]);
        (program, rest.join(" "))
    }

    #[test]
    fn the_original_is_known_by_whoever_runs_it() {
        for line in [
            &["npx", "-y", "interactive-brokers-mcp", "--ib-paper-trading"][..],
            &["npx", "--yes", "interactive-brokers-mcp@latest", "--ib-paper-trading"],
            &[
                "/usr/local/bin/npx",
                "-p",
                "interactive-brokers-mcp",
                "interactive-brokers-mcp",
                "--ib-paper-trading",
            ],
            &["bunx", "interactive-brokers-mcp@1.24.1", "--ib-paper-trading"],
            &["bun", "x", "interactive-brokers-mcp", "--ib-paper-trading"],
            &["pnpm", "dlx", "interactive-brokers-mcp", "--ib-paper-trading"],
            &["npm", "exec", "--", "interactive-brokers-mcp", "--ib-paper-trading"],
            &["npx", "github:code-rabi/interactive-brokers-mcp", "--ib-paper-trading"],
            &[
                "node",
                "/usr/lib/node_modules/interactive-brokers-mcp/dist/index.js",
                "--ib-paper-trading",
            ],
            &[
                "node",
                "--no-warnings",
                "C:\\src\\interactive-brokers-mcp\\dist\\index.js",
                "--ib-paper-trading",
            ],
            &["cmd", "/c", "npx", "-y", "interactive-brokers-mcp", "--ib-paper-trading"],
            &[
                "C:\\Windows\\System32\\cmd.exe",
                "/d",
                "/c",
                "npx.cmd",
                "interactive-brokers-mcp",
                "--ib-paper-trading",
            ],
            &["bash", "-lc", "npx -y interactive-brokers-mcp --ib-paper-trading"],
            &[
                "wsl.exe",
                "-d",
                "Ubuntu",
                "--",
                "npx",
                "interactive-brokers-mcp",
                "--ib-paper-trading",
            ],
            &["interactive-brokers-mcp", "--ib-paper-trading"],
            &["npx -y interactive-brokers-mcp --ib-paper-trading"],
        ] {
            let expected = (Program::Original, "--ib-paper-trading".to_owned());
            assert_eq!(of(line), expected, "{line:?}");
        }
    }

    #[test]
    fn ours_is_known_wherever_it_lies() {
        for line in [
            &["/home/u/.local/bin/ib-mcp", "--ib-account=DU1"][..],
            &["ib-mcp", "--ib-account=DU1"],
            &["C:\\Program Files\\ibd\\ib-mcp.exe", "--ib-account=DU1"],
            &["wsl.exe", "-d", "Ubuntu", "--", "/home/u/.local/bin/ib-mcp", "--ib-account=DU1"],
            &["wsl.exe", "-d", "Ubuntu", "--exec", "/opt/ib-mcp", "--ib-account=DU1"],
        ] {
            assert_eq!(of(line), (Program::Ours, "--ib-account=DU1".to_owned()), "{line:?}");
        }
        assert_eq!(of(&["C:\\Program Files\\ibd\\ib-mcp.exe"]).0, Program::Ours);
    }

    #[test]
    fn a_name_in_another_place_is_another_server() {
        for line in [
            &[
                "npx",
                "-y",
                "@modelcontextprotocol/server-filesystem",
                "/src/interactive-brokers-mcp",
            ][..],
            &["npx", "-y", "@me/interactive-brokers-mcp"],
            &["npx", "-y", "interactive-brokers-mcp-fork"],
            &["node", "/src/other/index.js", "interactive-brokers-mcp"],
            &["cat", "interactive-brokers-mcp"],
            &["/usr/bin/my-ib-mcp"],
            &["bash", "-c", "source x; npx interactive-brokers-mcp"],
            &[""],
        ] {
            assert_eq!(of(line).0, Program::Other, "{line:?}");
        }
    }
}
