#![cfg(unix)]

use std::fs;

use super::*;
use crate::testing::{append, append_link, impatient, tgz_of};
use crate::tree::set_executable;

const NEW: &str = "openjdk version \"17.0.15\" 2025-04-15";
const OLD: &str = "java version \"1.8.0_181\"";

/// A program that says so, as Java does: on its error output.
fn script(says: &str) -> String {
    format!("#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\n")
}

fn write_program(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    set_executable(path, true).unwrap();
}

/// A folder that looks like a runtime. Returns its program.
fn runtime(home: &Path, says: &str) -> PathBuf {
    write_program(&home.join("bin/java"), &script(says));
    fs::create_dir_all(home.join("lib")).unwrap();
    fs::write(home.join("lib/modules"), "modules").unwrap();
    home.join("bin/java")
}

struct Bench {
    folder: tempfile::TempDir,
    around: Surroundings,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, around: Surroundings::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn find(&self, prefer: Option<&Path>) -> Result<Java, NoJava> {
        find(&self.path("data"), prefer, &self.around).await
    }

    async fn install(&self, source: PathBuf) -> Result<Done<Java>, InstallError> {
        let order = Order { limits: impatient(), ..Order::from(Source::Path(source)) };
        install_java(&self.path("data"), &order, |_| ()).await
    }
}

#[tokio::test]
async fn the_named_java_comes_first_then_ours_then_the_systems() {
    let mut bench = Bench::new();
    let preferred = runtime(&bench.path("preferred"), NEW);
    let in_home = runtime(&bench.path("home"), NEW);
    let on_path = runtime(&bench.path("path"), NEW);
    let usual = runtime(&bench.path("usual/java-17"), NEW);
    runtime(&bench.path("usual/java-11"), NEW);
    let ours = bench.install(preferred.clone()).await.unwrap().installed;
    bench.around = Surroundings {
        java_home: Some(bench.path("home").into()),
        path: Some(format!("relative:{}", on_path.parent().unwrap().display()).into()),
        usual: vec![bench.path("usual")],
    };
    for named in [&preferred, &bench.path("preferred")] {
        let found = bench.find(Some(named)).await.unwrap();
        assert_eq!((found.program, found.origin), (preferred.clone(), Origin::Preferred));
    }
    let found = bench.find(None).await.unwrap();
    assert_eq!((&found.program, found.origin), (&ours.program, Origin::Own));
    fs::remove_dir_all(bench.path("data")).unwrap();
    for (program, origin) in
        [(in_home, Origin::JavaHome), (on_path, Origin::Path), (usual, Origin::Usual)]
    {
        let found = bench.find(None).await.unwrap();
        assert_eq!((&found.program, found.origin), (&program, origin));
        assert_eq!((found.version.major, found.passed_over), (17, Vec::new()));
        fs::remove_file(program).unwrap();
        bench.around.java_home = None;
    }
}

#[tokio::test]
async fn what_was_looked_at_is_said_and_what_brings_a_java() {
    let mut bench = Bench::new();
    let old = runtime(&bench.path("old"), OLD);
    let broken = bench.path("bin/java");
    write_program(&broken, "#!/bin/sh\necho no such thing >&2\nexit 3\n");
    bench.around.java_home = Some(bench.path("old").into());
    bench.around.path = Some(broken.parent().unwrap().into());
    let absent = bench.path("absent/java");
    let none = bench.find(Some(&absent)).await.unwrap_err();
    let findings: Vec<_> =
        none.looked.iter().map(|looked| (&looked.program, looked.origin)).collect();
    assert_eq!(
        findings,
        [(&absent, Origin::Preferred), (&old, Origin::JavaHome), (&broken, Origin::Path)]
    );
    let words = none.to_string();
    for part in [
        format!("{} is too old (1.8.0_181)", old.display()),
        format!("{} does not run (no such thing)", broken.display()),
        format!("{} does not run", absent.display()),
        "`ibctl gateway install`".to_owned(),
    ] {
        assert!(words.contains(&part), "{part}: {words}");
    }
    assert!(NoJava { looked: Vec::new() }.to_string().contains("none in JAVA_HOME"));
}

#[tokio::test]
async fn an_old_java_is_passed_over_and_that_is_told() {
    let mut bench = Bench::new();
    let old = runtime(&bench.path("old"), OLD);
    bench.around.java_home = Some(bench.path("new").into());
    runtime(&bench.path("new"), NEW);
    let found = bench.find(Some(&old)).await.unwrap();
    assert_eq!(found.origin, Origin::JavaHome);
    assert!(matches!(found.passed_over[0].finding, Finding::TooOld(_)));
}

#[tokio::test]
async fn one_java_under_many_names_is_run_once() {
    let mut bench = Bench::new();
    let java = bench.path("home/bin/java");
    let marks = bench.path("marks");
    write_program(&java, &format!("#!/bin/sh\necho x >> {}\nexit 1\n", marks.display()));
    bench.around.java_home = Some(bench.path("home").into());
    bench.around.path = Some(bench.path("home/bin").into());
    bench.around.usual = vec![bench.folder.path().into()];
    assert_eq!(bench.find(Some(&java)).await.unwrap_err().looked.len(), 1);
    assert_eq!(fs::read_to_string(marks).unwrap(), "x\n");
}

#[tokio::test]
async fn a_java_does_not_see_our_environment() {
    let bench = Bench::new();
    let java = bench.path("java");
    write_program(
        &java,
        "#!/bin/sh\nenv | grep -q '^CARGO' && exit 1\ntest -n \"$PATH\" || exit 2\n\
         echo 'openjdk version \"21\"' >&2\n",
    );
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert_eq!(bench.find(Some(&java)).await.unwrap().version.major, 21);
}

#[tokio::test]
async fn a_runtime_is_installed_from_an_archive_some_levels_down() {
    for top in ["", "jdk-17/", "jdk-17/Contents/Home/"] {
        let tgz = tgz_of(|tar| {
            // Without its run bit, as some zips have it.
            append(tar, &format!("{top}bin/java"), 0o644, script(NEW).as_bytes());
            append(tar, &format!("{top}lib/modules"), 0o644, b"modules");
            append(tar, &format!("{top}legal/a/LICENSE"), 0o444, b"law");
            let link = format!("{top}legal/b");
            append_link(tar, tar::EntryType::Symlink, (&link, "a"));
        });
        let bench = Bench::new();
        fs::write(bench.path("jre.tar.gz"), tgz).unwrap();
        let done = bench.install(bench.path("jre.tar.gz")).await.unwrap();
        assert!(done.is_new);
        assert_eq!((done.installed.version.major, done.installed.origin), (17, Origin::Own));
        let home = done.installed.program.parent().unwrap().parent().unwrap();
        assert_eq!(home.parent().unwrap(), bench.path("data/java"));
        assert_eq!(fs::read_to_string(home.join("legal/b/LICENSE")).unwrap(), "law");
        assert_eq!(bench.find(None).await.unwrap(), done.installed);
    }
}

#[tokio::test]
async fn a_java_program_stands_for_its_runtime() {
    let bench = Bench::new();
    runtime(&bench.path("home"), NEW);
    std::os::unix::fs::symlink(bench.path("home/bin/java"), bench.path("java")).unwrap();
    let done = bench.install(bench.path("java")).await.unwrap();
    assert!(done.installed.program.starts_with(bench.path("data/java")));
    // A wrapper has no runtime around it: nothing around it is copied.
    write_program(&bench.path("tools/bin/java"), &script(NEW));
    let wrapper = bench.install(bench.path("tools/bin/java")).await;
    assert!(matches!(wrapper, Err(InstallError::NoRuntime(_))), "{wrapper:?}");
}

#[tokio::test]
async fn a_runtime_that_does_not_run_is_not_installed() {
    let bench = Bench::new();
    for says in [OLD, "I am no Java"] {
        runtime(&bench.path("home"), says);
        let unfit = bench.install(bench.path("home")).await;
        assert!(matches!(unfit, Err(InstallError::UnfitJava(_))), "{unfit:?}");
        let left = fs::read_dir(bench.path("data/java")).unwrap().count();
        assert_eq!(left, 1, "only the lock");
        assert!(bench.find(None).await.is_err());
    }
}
