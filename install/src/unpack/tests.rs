use ::tar::EntryType;

use super::*;
use crate::testing::{append, append_link, noise, tgz_of, zip_of};

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn target(&self) -> PathBuf {
        self.0.path().join("outer/into")
    }

    fn unpack(&self, archive: &[u8]) -> Result<(), InstallError> {
        self.unpack_within(archive, (1 << 20, 100))
    }

    fn unpack_within(
        &self,
        archive: &[u8],
        (max_bytes, max_entries): (u64, usize),
    ) -> Result<(), InstallError> {
        let file = self.0.path().join("archive");
        fs::write(&file, archive).unwrap();
        let _ = fs::remove_dir_all(self.target());
        fs::create_dir_all(self.target()).unwrap();
        let budget = Budget {
            what: "it".to_owned(),
            bytes: max_bytes,
            max_bytes,
            entries: max_entries,
            max_entries,
        };
        unpack(&file, Unpacking { into: &self.target(), budget, reporter: &Reporter::silent() })
    }

    /// Nothing but the archive and the folder may be there.
    fn nothing_got_out(&self) -> bool {
        let names = |folder: &Path| fs::read_dir(folder).unwrap().count();
        names(self.0.path()) == 2 && names(&self.0.path().join("outer")) == 1
    }
}

fn content(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_zip_and_a_tar_give_the_same_files() {
    let bench = Bench::new();
    let zip = zip_of(&[("top/bin/run", 0o755, b"run"), ("top/./conf", 0o600, b"conf")]);
    let tgz = tgz_of(|tar| {
        append(tar, "./top/bin/run", 0o755, b"run");
        append(tar, "top/conf", 0o600, b"conf");
    });
    for archive in [zip, tgz] {
        bench.unpack(&archive).unwrap();
        assert_eq!(content(&bench.target(), "top/bin/run"), "run");
        assert_eq!(content(&bench.target(), "top/conf"), "conf");
        #[cfg(unix)]
        {
            assert!(crate::tree::is_executable(&bench.target().join("top/bin/run")));
            assert!(!crate::tree::is_executable(&bench.target().join("top/conf")));
        }
    }
}

#[cfg(unix)]
#[test]
fn neither_setuid_nor_writable_by_all_comes_along() {
    use std::os::unix::fs::PermissionsExt;

    let bench = Bench::new();
    bench.unpack(&tgz_of(|tar| append(tar, "run", 0o6777, b"run"))).unwrap();
    let mode = fs::metadata(bench.target().join("run")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn names_that_lead_out_are_refused() {
    let wicked = [
        "../evil",
        "top/../../evil",
        "/tmp/evil-of-ibd-install",
        "..\\evil",
        "C:\\evil",
        "\\\\host\\share",
        "top/..",
        "a:stream",
    ];
    for name in wicked {
        let zip = zip_of(&[("fine", 0o644, b""), (name, 0o644, b"evil")]);
        let tgz = tgz_of(|tar| append(tar, name, 0o644, b"evil"));
        for archive in [zip, tgz] {
            let bench = Bench::new();
            let refused = bench.unpack(&archive);
            assert!(matches!(refused, Err(InstallError::Unsafe { .. })), "{name}: {refused:?}");
            assert!(bench.nothing_got_out(), "{name}");
        }
    }
    assert!(!Path::new("/tmp/evil-of-ibd-install").exists());
}

#[cfg(unix)]
#[test]
fn links_within_the_folder_are_kept() {
    let bench = Bench::new();
    let tgz = tgz_of(|tar| {
        append_link(tar, EntryType::Symlink, ("jre/legal/b/LICENSE", "../a/LICENSE"));
        append_link(tar, EntryType::Symlink, ("jre/dir", "./legal"));
        append(tar, "jre/legal/a/LICENSE", 0o444, b"law");
    });
    bench.unpack(&tgz).unwrap();
    assert_eq!(content(&bench.target(), "jre/legal/b/LICENSE"), "law");
    assert_eq!(content(&bench.target(), "jre/dir/a/LICENSE"), "law");
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    for target in ["/etc/passwd", "../../etc", "..", "a/../../b", ""] {
        let bench = Bench::new();
        let tgz = tgz_of(|tar| {
            append(tar, "a/file", 0o644, b"");
            append_link(tar, EntryType::Symlink, ("link", target));
        });
        let refused = bench.unpack(&tgz).unwrap_err();
        assert!(refused.to_string().contains("a link that leads out"), "{target}: {refused}");
    }
    let bench = Bench::new();
    let mut zip = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default();
    zip.add_symlink("link", "../../etc", options).unwrap();
    let refused = bench.unpack(&zip.finish().unwrap().into_inner());
    assert!(matches!(refused, Err(InstallError::Unsafe { .. })), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_through_another_one_is_refused() {
    // By its words `out` stays inside; but `p/q/d` is the folder itself, and its parent is outside.
    for (is_used, why) in [(false, "a link that leads out"), (true, "a second file")] {
        let tgz = tgz_of(|tar| {
            append(tar, "p/q/file", 0o644, b"");
            append_link(tar, EntryType::Symlink, ("p/q/d", "../.."));
            append_link(tar, EntryType::Symlink, ("out", "p/q/d/.."));
            if is_used {
                append_link(tar, EntryType::Symlink, ("out/made/link", "../../p"));
            }
        });
        let bench = Bench::new();
        let refused = bench.unpack(&tgz).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(bench.nothing_got_out());
    }
}

#[cfg(unix)]
#[test]
fn no_file_is_written_through_a_link() {
    let bench = Bench::new();
    let tgz = tgz_of(|tar| {
        append_link(tar, EntryType::Symlink, ("dir", "other"));
        append(tar, "other/file", 0o644, b"first");
        append(tar, "dir/file", 0o644, b"second");
    });
    assert!(bench.unpack(&tgz).is_err());
    assert_eq!(content(&bench.target(), "other/file"), "first");
}

#[test]
fn hard_links_and_devices_are_refused() {
    for kind in [EntryType::Link, EntryType::Fifo, EntryType::Char] {
        let bench = Bench::new();
        let tgz = tgz_of(|tar| append_link(tar, kind, ("x", "/etc/passwd")));
        let refused = bench.unpack(&tgz);
        assert!(matches!(refused, Err(InstallError::Unsafe { .. })), "{kind:?}: {refused:?}");
    }
}

#[test]
fn one_name_twice_is_refused() {
    let tgz = tgz_of(|tar| {
        append(tar, "x", 0o644, b"first");
        append(tar, "x", 0o644, b"second");
    });
    let refused = Bench::new().unpack(&tgz);
    assert!(matches!(refused, Err(InstallError::Unsafe { .. })), "{refused:?}");
}

#[test]
fn what_grows_too_large_or_too_many_is_refused() {
    let zeros = vec![0; 300_000];
    let zip = zip_of(&[("a", 0o644, &zeros), ("b", 0o644, &zeros)]);
    let tgz = tgz_of(|tar| {
        append(tar, "a", 0o644, &zeros);
        append(tar, "b", 0o644, &zeros);
    });
    for archive in [zip, tgz] {
        assert!(archive.len() < 10_000);
        let bench = Bench::new();
        bench.unpack_within(&archive, (600_000, 2)).unwrap();
        let large = bench.unpack_within(&archive, (599_999, 2));
        assert!(matches!(large, Err(InstallError::TooLarge { .. })), "{large:?}");
        let many = bench.unpack_within(&archive, (600_000, 1));
        assert!(matches!(many, Err(InstallError::TooManyFiles(_, 1))), "{many:?}");
    }
}

#[test]
fn a_damaged_archive_is_called_so() {
    let data = noise(50_000);
    let zip = zip_of(&[("a", 0o644, &data)]);
    let tgz = tgz_of(|tar| append(tar, "a", 0o644, &data));
    for archive in [zip, tgz] {
        let mut flipped = archive.clone();
        flipped[25_000] ^= 0xff;
        let cut = archive[..archive.len() - 6].to_vec();
        let half = archive[..archive.len() / 2].to_vec();
        for broken in [flipped, cut, half] {
            let damaged = Bench::new().unpack(&broken);
            assert!(matches!(damaged, Err(InstallError::Damaged(_))), "{damaged:?}");
        }
    }
}

#[test]
fn what_is_no_archive_is_named_by_what_it_looks_like() {
    let words = |bytes: &[u8]| Bench::new().unpack(bytes).unwrap_err().to_string();
    assert!(words(b"  <!DOCTYPE html><html>Sign in").contains("a web page"));
    assert!(words(b"").contains("empty"));
    assert!(words(b"Rar!....").contains("no zip and no .tar.gz"));
}
