//! The writer.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::disk::{Disk, RealDisk};
use crate::format::{self, HEAD, Place, RECORD_HEAD, SegmentHead};
use crate::points::point;
use crate::recover::{Last, Link, Recovered, Recovery};
use crate::segment::{self, SEGMENT_BYTES};
use crate::{AppendError, Broken, Entry, Hash, Head, OpenError, Torn, Why, head};

/// The one writer of a journal. It stays locked for other processes until this is dropped.
#[derive(Debug)]
pub struct Journal<D: Disk = RealDisk> {
    disk: D,
    file: D::File,
    segment: u32,
    /// Bytes of the segment's file.
    size: u64,
    /// Where the next record begins.
    end: u64,
    /// What the next record carries.
    link: Link,
    /// What a new segment gets.
    segment_bytes: u64,
    /// Set while an append is under way, and left so by one that fails.
    poisoned: bool,
}

/// A journal that was opened, and what it said.
#[derive(Debug)]
pub struct Opened<D: Disk = RealDisk> {
    /// For appending.
    pub journal: Journal<D>,
    /// Every record, from the first. They are durable, whoever wrote them.
    pub entries: Vec<Entry>,
    /// The append that a crash interrupted and that was dropped.
    pub torn: Option<Torn>,
}

impl Journal<RealDisk> {
    /// Opens the journal in `folder`, or begins one. See [`Journal::open_on`].
    pub fn open(folder: &Path) -> Result<Opened, OpenError> {
        Self::open_on(RealDisk::writer(folder)?)
    }

    /// The same for a journal that has come as far as `head`, by what was kept elsewhere. One that ends
    /// before that, or has another record there, or is not there at all, is damaged; nothing is changed
    /// then.
    pub fn open_after(folder: &Path, head: Option<Head>) -> Result<Opened, OpenError> {
        if let Some(head) = head.filter(|head| head.seq > 0)
            && !folder.is_dir()
        {
            return Err(head::broken(0, head.seq, Why::Behind(0)).into());
        }
        Self::open_from(RealDisk::writer(folder)?, SEGMENT_BYTES, head)
    }
}

impl<D: Disk> Journal<D> {
    /// Reads and checks all of the journal and readies it for appending.
    ///
    /// An append that a crash interrupted is cut off, durably, before this returns. Anything else
    /// that is wrong is [`OpenError::Damaged`], and then nothing was changed.
    pub fn open_on(disk: D) -> Result<Opened<D>, OpenError> {
        Self::open_sized(disk, SEGMENT_BYTES)
    }

    /// As `open_on`; new segments have `segment_bytes` instead of [`SEGMENT_BYTES`]. The first 512
    /// of them hold no records.
    pub fn open_sized(disk: D, segment_bytes: u64) -> Result<Opened<D>, OpenError> {
        Self::open_from(disk, segment_bytes, None)
    }

    fn open_from(disk: D, segment_bytes: u64, head: Option<Head>) -> Result<Opened<D>, OpenError> {
        let segment_bytes = segment_bytes.max((HEAD + RECORD_HEAD) as u64);
        let mut recovery = Recovery::new();
        let mut entries = Vec::new();
        let mut tail = Vec::new();
        for number in segment::numbers(&disk)? {
            tail = disk.read(&segment::name(number))?;
            recovery.add(number, &tail, |entry| entries.push(entry))?;
        }
        let Recovered { link, torn, last, .. } = recovery.finish();
        if let Some(head) = head {
            let segment = last.as_ref().map_or(0, |last| last.number);
            goes_on_from(head, &entries, segment)?;
        }
        segment::sweep(&disk)?;
        let (file, last) = match last {
            Some(last) => (settle(&disk, &last, tail)?, last),
            None => begin(&disk, segment_bytes)?,
        };
        let journal = Journal {
            disk,
            file,
            segment: last.number,
            size: last.size,
            end: last.append.end as u64,
            link,
            segment_bytes,
            poisoned: false,
        };
        Ok(Opened { journal, entries, torn })
    }

    /// Appends `payloads` in this order with one write and one sync. Returns their sequence numbers
    /// and hashes; they are durable then, through a power cut too. Blocks for as long as the disk
    /// takes, some milliseconds.
    ///
    /// Where another file than the open one lies under the journal's name, or none, nothing is written
    /// ([`AppendError::Displaced`]); no payloads at all ask for just that.
    ///
    /// They stand or fall together: no later open finds some of them. After
    /// [`AppendError::Io`] it is unknown whether they are there, the next open tells, and until then
    /// this journal appends nothing more: what a failed sync has left in memory and on the disk
    /// may differ, and only reading it anew, from the start, brings them together.
    pub fn append(&mut self, payloads: &[&[u8]]) -> Result<Vec<(u64, Hash)>, AppendError> {
        if self.poisoned {
            return Err(AppendError::Poisoned);
        }
        if !self.is_in_place()? {
            return Err(AppendError::Displaced);
        }
        let Ok(count) = u16::try_from(payloads.len()) else {
            return Err(AppendError::TooMany(payloads.len()));
        };
        let bytes = payloads.iter().map(|payload| (RECORD_HEAD + payload.len()) as u64).sum();
        let room = self.size - self.end;
        let most = room.max(self.segment_bytes.saturating_sub(HEAD as u64));
        if bytes > most {
            return Err(AppendError::TooLarge { bytes, most });
        }
        let Some((written, records)) = self.encode(count, payloads) else {
            return Err(AppendError::TooLarge { bytes, most: u64::from(u32::MAX) });
        };
        if written.is_empty() {
            return Ok(records);
        }
        self.poisoned = true;
        if bytes > room {
            self.roll()?;
        }
        self.write(&written)?;
        self.poisoned = false;
        if let Some((seq, hash)) = records.last() {
            self.link = Link { seq: seq + 1, prev: *hash };
        }
        Ok(records)
    }

    /// Sequence number and hash of the last record; 0 and [`Hash::GENESIS`] before the first. It
    /// vouches for every record up to it: kept elsewhere, it shows whether the journal was put back.
    pub fn head(&self) -> Head {
        Head { seq: self.link.seq - 1, hash: self.link.prev }
    }

    /// Whether the file that is written is the one that the next open will find.
    pub fn is_in_place(&self) -> io::Result<bool> {
        self.disk.is_in_place(&segment::name(self.segment), &self.file, self.size)
    }

    /// Whether an append failed, so that the journal must be opened again.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    #[expect(clippy::type_complexity, reason = "named nowhere else")]
    fn encode(&self, count: u16, payloads: &[&[u8]]) -> Option<(Vec<u8>, Vec<(u64, Hash)>)> {
        let at = Timestamp::now();
        let mut link = self.link;
        let (mut bytes, mut records) = (Vec::new(), Vec::with_capacity(payloads.len()));
        for (index, payload) in (0..count).zip(payloads) {
            let place = Place { index, count, seq: link.seq, at, prev: link.prev };
            let hash = format::encode(&mut bytes, place, payload)?;
            records.push((link.seq, hash));
            link = Link { seq: link.seq + 1, prev: hash };
        }
        Some((bytes, records))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        point("journal.before_write");
        self.disk.append_at(&mut self.file, self.end, bytes)?;
        point("journal.before_sync");
        self.disk.sync_data(&mut self.file)?;
        point("journal.after_sync");
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        let (number, size) = (self.segment + 1, self.segment_bytes);
        let head = SegmentHead { number, size, first_seq: self.link.seq, prev: self.link.prev };
        self.file = segment::make(&self.disk, &head)?;
        (self.segment, self.size, self.end) = (number, size, HEAD as u64);
        Ok(())
    }
}

/// Whether what was read goes on from a head that was kept elsewhere.
fn goes_on_from(head: Head, entries: &[Entry], segment: u32) -> Result<(), Broken> {
    let at = entries.partition_point(|entry| entry.seq < head.seq);
    let there = entries.get(at).filter(|entry| entry.seq == head.seq).map(|entry| entry.hash);
    let last = entries.last().map_or(0, |entry| entry.seq);
    head.check(last, there).map_err(|why| head::broken(segment, head.seq, why))
}

/// The first segment of a new journal.
fn begin<D: Disk>(disk: &D, segment_bytes: u64) -> io::Result<(D::File, Last)> {
    let size = segment_bytes;
    let file =
        segment::make(disk, &SegmentHead { number: 1, size, first_seq: 1, prev: Hash::GENESIS })?;
    Ok((file, Last { number: 1, size, append: HEAD..HEAD }))
}

/// Makes durable what was read: the last append, which may never have been synced, and zeros after
/// it. Written anew rather than only synced, because pages of a sync that failed count as clean, and
/// another sync passes over them.
fn settle<D: Disk>(disk: &D, last: &Last, mut content: Vec<u8>) -> io::Result<D::File> {
    let mut file = disk.open(&segment::name(last.number))?;
    content[last.append.end..].fill(0);
    disk.write_at(&mut file, last.append.start as u64, &content[last.append.start..])?;
    disk.sync_all(&mut file)?;
    // The name, too, may be one that nobody has made durable yet.
    disk.sync_folder()?;
    Ok(file)
}
