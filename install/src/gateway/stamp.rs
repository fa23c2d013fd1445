//! Which build a gateway is, read from its jar without running it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use jiff::civil::Date;
use zip::ZipArchive;

use super::Build;
use crate::error::{Doing, InstallError};

/// A manifest is a page of text.
const MAX_MANIFEST: u64 = 64 << 10;

type Jar = ZipArchive<BufReader<File>>;

/// What the jar tells of itself. A jar that cannot be read is no gateway's.
pub(super) fn read(jar: &Path) -> Result<Option<Build>, InstallError> {
    let file = BufReader::new(File::open(jar).doing("reading", jar)?);
    let mut archive = ZipArchive::new(file)
        .map_err(|why| InstallError::Damaged(format!("{}: {why}", jar.display())))?;
    let manifest = manifest(&mut archive).unwrap_or_default();
    let date = built(&manifest).or_else(|| newest(&mut archive));
    Ok(date.map(|date| Build { commit: commit(&manifest), date }))
}

/// The manifest with its folded lines joined.
fn manifest(jar: &mut Jar) -> Option<String> {
    let mut bytes = Vec::new();
    let entry = jar.by_name("META-INF/MANIFEST.MF").ok()?;
    entry.take(MAX_MANIFEST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace("\n ", ""))
}

fn field<'a>(manifest: &'a str, name: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

/// `a27ed421…+[working tree diffs]`: the commit, without what was not committed.
fn commit(manifest: &str) -> Option<String> {
    let text = field(manifest, "Git-Commit")?;
    let commit: String = text.chars().take_while(char::is_ascii_hexdigit).collect();
    (commit.len() >= 7).then_some(commit)
}

/// `2023-04-24T15:42:44-0400`: the day where it was built.
fn built(manifest: &str) -> Option<Date> {
    field(manifest, "When-Built")?.get(..10)?.parse().ok()
}

/// The day of the newest file.
fn newest(jar: &mut Jar) -> Option<Date> {
    let mut newest = None;
    for index in 0..jar.len() {
        newest = newest.max(changed(jar, index));
    }
    newest
}

fn changed(jar: &mut Jar, index: usize) -> Option<Date> {
    let at = jar.by_index(index).ok()?.last_modified()?;
    // 1980 is what a zip says that knows no time.
    (at.year() > 1980).then_some(())?;
    Date::new(
        i16::try_from(at.year()).ok()?,
        at.month().try_into().ok()?,
        at.day().try_into().ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_and_date_are_read_from_the_manifest() {
        let manifest = "Manifest-Version: 1.0\nWhen-Built: 2031-02-03T23:42:44-0400\n\
                        Git-Commit: 0123456789abcdef0123456789abcdef01234567+[working tree diffs]\n";
        assert_eq!(built(manifest), Some(jiff::civil::date(2031, 2, 3)));
        assert_eq!(commit(manifest).unwrap(), "0123456789abcdef0123456789abcdef01234567");
    }

    #[test]
    fn other_manifests_say_nothing() {
        for manifest in ["", "Git-Commit: unknown", "Git-Commit:", "X-Git-Commit: 0123456789"] {
            assert_eq!(commit(manifest), None, "{manifest}");
        }
        for manifest in ["When-Built: today", "When-Built: 2031-13-01T00:00:00Z", "When-Built: é"]
        {
            assert_eq!(built(manifest), None, "{manifest}");
        }
    }
}
