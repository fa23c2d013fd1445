//! Where a Java may be.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Origin, home_of, program_in};
use crate::tree;

/// What a search depends on, of this process's surroundings.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// `JAVA_HOME`.
    pub java_home: Option<OsString>,
    /// `PATH`.
    pub path: Option<OsString>,
    /// Folders that hold folders of Javas.
    pub usual: Vec<PathBuf>,
}

impl Surroundings {
    /// Those of this process, on this system.
    pub fn ours() -> Self {
        Self { java_home: env::var_os("JAVA_HOME"), path: env::var_os("PATH"), usual: usual() }
    }
}

fn usual() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if cfg!(target_os = "macos") {
        folders.push("/Library/Java/JavaVirtualMachines".into());
        folders.push("/opt/homebrew/opt".into());
    } else if cfg!(windows) {
        let programs = env::var_os("ProgramFiles").map(PathBuf::from);
        let vendors = ["Java", "Eclipse Adoptium", "Zulu", "Amazon Corretto", "Microsoft"];
        folders.extend(programs.iter().flat_map(|root| vendors.map(|vendor| root.join(vendor))));
    } else {
        folders
            .extend(["/usr/lib/jvm", "/usr/lib64/jvm", "/usr/java", "/opt/java"].map(Into::into));
    }
    folders
}

/// The programs to try, each once, in the order of preference.
pub(super) fn candidates(
    prefer: Option<&Path>,
    own: Option<PathBuf>,
    around: &Surroundings,
) -> Vec<(PathBuf, Origin)> {
    let preferred = prefer.map(named);
    let own = own.map(|home| home.join(program()));
    let java_home = around.java_home.as_ref().filter(|home| !home.is_empty());
    let java_home = java_home.map(|home| named(Path::new(home)));
    let all = preferred
        .into_iter()
        .map(|program| (program, Origin::Preferred))
        .chain(own.map(|program| (program, Origin::Own)))
        .chain(java_home.map(|program| (program, Origin::JavaHome)))
        .chain(on_path(around).into_iter().map(|program| (program, Origin::Path)))
        .chain(in_usual(around).into_iter().map(|program| (program, Origin::Usual)));
    let mut seen = HashSet::new();
    all.filter(|(program, origin)| {
        // What was named is reported even if it is not there; the others are only guesses.
        let is_named = matches!(origin, Origin::Preferred | Origin::JavaHome);
        (is_named || program.is_file())
            && seen.insert(program.canonicalize().unwrap_or_else(|_| program.clone()))
    })
    .collect()
}

/// `bin/java`.
pub(super) fn program() -> PathBuf {
    Path::new("bin").join(format!("java{}", env::consts::EXE_SUFFIX))
}

/// The program that a person means who names a program or a folder.
fn named(path: &Path) -> PathBuf {
    if path.is_dir() {
        program_in(path).unwrap_or_else(|| path.join(program()))
    } else {
        path.to_owned()
    }
}

fn on_path(around: &Surroundings) -> Vec<PathBuf> {
    let Some(path) = &around.path else { return Vec::new() };
    let name = format!("java{}", env::consts::EXE_SUFFIX);
    env::split_paths(path)
        // A relative folder would be another one wherever we are.
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&name))
        // Apple's stands for a Java that is not there, and opens a window to say so.
        .filter(|program| !(cfg!(target_os = "macos") && program == Path::new("/usr/bin/java")))
        .collect()
}

fn in_usual(around: &Surroundings) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in &around.usual {
        let mut homes = tree::subfolders(folder);
        // The later name is the later version, mostly.
        homes.sort();
        found.extend(homes.iter().rev().filter_map(|home| program_in(home)));
    }
    // A whole runtime is better than a program that has none beside it.
    found.sort_by_key(|program| home_of(program).is_none());
    found
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_on_the_path_is_not_looked_into() {
        let around = Surroundings { path: Some("bin:.::/opt/x/bin".into()), ..<_>::default() };
        assert_eq!(on_path(&around), [Path::new("/opt/x/bin/java")]);
    }
}
