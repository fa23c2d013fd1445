//! The files of a journal: how they are named, made and found.

use std::io;

use crate::disk::Disk;
use crate::format::SegmentHead;

/// Bytes of a segment: some thousand records.
pub const SEGMENT_BYTES: u64 = 4 << 20;

const SUFFIX: &str = ".journal";
/// What a segment is called until it is whole.
const UNFINISHED: &str = ".journal.new";

pub(crate) fn name(number: u32) -> String {
    format!("{number:08}{SUFFIX}")
}

/// The numbers of all segments, from the first.
pub(crate) fn numbers(disk: &impl Disk) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = disk.list()?.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes a segment that is durable, name and all, when this returns. Under its name there is at
/// every moment either nothing or all of it.
pub(crate) fn make<D: Disk>(disk: &D, head: &SegmentHead) -> io::Result<D::File> {
    let (name, unfinished) = (name(head.number), format!("{:08}{UNFINISHED}", head.number));
    let mut file = disk.create(&unfinished)?;
    disk.allocate(&mut file, head.size)?;
    disk.write_at(&mut file, 0, &head.encode())?;
    disk.sync_all(&mut file)?;
    // Windows renames no open file.
    drop(file);
    disk.rename(&unfinished, &name)?;
    disk.sync_folder()?;
    disk.open(&name)
}

/// Removes what `make` left unfinished.
pub(crate) fn sweep(disk: &impl Disk) -> io::Result<()> {
    let names = disk.list()?;
    names.iter().filter(|name| name.ends_with(UNFINISHED)).try_for_each(|name| disk.remove(name))
}

/// `None`: not a segment's name.
fn number(file: &str) -> Option<u32> {
    let number = file.strip_suffix(SUFFIX)?.parse().ok()?;
    (name(number) == file).then_some(number)
}
