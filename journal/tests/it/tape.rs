//! A disk in memory that remembers every call, and what a power cut could leave of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use ibd_journal::Disk;

pub const SECTOR: usize = 512;
/// More combinations than this are sampled instead of walked through.
const ALL_UP_TO: usize = 4_096;
const SAMPLES: usize = 300;

/// Files by name.
pub type Image = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Clone)]
pub enum Op {
    Create {
        name: String,
        inode: usize,
    },
    Write {
        inode: usize,
        at: usize,
        bytes: Vec<u8>,
    },
    Sync {
        inode: usize,
    },
    /// Reported as failed; what was unsynced stays in memory and will not be tried again.
    SyncFailed {
        inode: usize,
    },
    Rename {
        from: String,
        to: String,
        inode: usize,
    },
    SyncFolder,
    Remove {
        name: String,
    },
    /// An append was begun.
    Tried(Vec<Vec<u8>>),
    /// Somebody was told that these are all there is.
    Told(Vec<Vec<u8>>),
}

/// What this disk does not do although it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lie {
    #[default]
    None,
    /// `sync_data`: appends.
    Data,
    /// `sync_all`: segments before they get their names, and what was cut off.
    All,
    /// `sync_folder`.
    Folder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done.
    Refused,
    /// Half of a write is done; of anything else nothing.
    Half,
}

#[derive(Debug, Default)]
struct State {
    base: Image,
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
    log: Vec<Op>,
    lie: Lie,
    calls: usize,
    fault: Option<(usize, Fault)>,
}

#[derive(Debug, Clone, Default)]
pub struct Tape(Rc<RefCell<State>>);

impl Tape {
    /// With these files, durable.
    pub fn of(image: &Image) -> Self {
        let tape = Self::default();
        {
            let mut state = tape.0.borrow_mut();
            state.base = image.clone();
            state.names = image.keys().cloned().zip(0..).collect();
            state.files = image.values().cloned().collect();
        }
        tape
    }

    pub fn lying(lie: Lie) -> Self {
        let tape = Self::default();
        tape.0.borrow_mut().lie = lie;
        tape
    }

    /// Lets the `call`-th changing call fail, counted from 0.
    pub fn failing(call: usize, fault: Fault) -> Self {
        let tape = Self::default();
        tape.0.borrow_mut().fault = Some((call, fault));
        tape
    }

    pub fn has_failed(&self) -> bool {
        let state = self.0.borrow();
        state.fault.is_some_and(|(call, _)| call < state.calls)
    }

    pub fn note(&self, op: Op) {
        self.0.borrow_mut().log.push(op);
    }

    /// As every program sees it.
    pub fn cached(&self) -> Image {
        let state = self.0.borrow();
        state.names.iter().map(|(name, id)| (name.clone(), state.files[*id].clone())).collect()
    }

    pub fn log(&self) -> Vec<Op> {
        self.0.borrow().log.clone()
    }

    pub fn base(&self) -> Image {
        self.0.borrow().base.clone()
    }

    fn state(&self, change: impl FnOnce(&mut State, Option<Fault>)) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        let fault = state.fault.filter(|(call, _)| *call == state.calls).map(|(_, fault)| fault);
        state.calls += 1;
        change(&mut state, fault);
        fault.map_or(Ok(()), |_| Err(io::Error::other("as the test wants it")))
    }

    fn sync(&self, inode: usize, lie: Lie) -> io::Result<()> {
        self.state(|state, fault| match fault {
            Some(_) => state.log.push(Op::SyncFailed { inode }),
            None if state.lie == lie => {}
            None => state.log.push(Op::Sync { inode }),
        })
    }
}

impl State {
    fn write(&mut self, inode: usize, at: usize, bytes: &[u8]) {
        let file = &mut self.files[inode];
        file.resize(file.len().max(at + bytes.len()), 0);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        self.log.push(Op::Write { inode, at, bytes: bytes.to_vec() });
    }

    fn inode(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for Tape {
    type File = usize;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.0.borrow().names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let state = self.0.borrow();
        Ok(state.files[state.inode(name)?].clone())
    }

    fn create(&self, name: &str) -> io::Result<usize> {
        let inode = self.0.borrow().files.len();
        self.state(|state, fault| {
            if fault.is_none() {
                state.files.push(Vec::new());
                state.names.insert(name.to_owned(), inode);
                state.log.push(Op::Create { name: name.to_owned(), inode });
            }
        })?;
        Ok(inode)
    }

    fn open(&self, name: &str) -> io::Result<usize> {
        self.0.borrow().inode(name)
    }

    fn allocate(&self, file: &mut usize, bytes: u64) -> io::Result<()> {
        let zeros = vec![0; usize::try_from(bytes).unwrap()];
        self.write_at(file, 0, &zeros)
    }

    fn write_at(&self, file: &mut usize, at: u64, bytes: &[u8]) -> io::Result<()> {
        let at = usize::try_from(at).unwrap();
        self.state(|state, fault| match fault {
            None => state.write(*file, at, bytes),
            Some(Fault::Half) => state.write(*file, at, &bytes[..bytes.len() / 2]),
            Some(Fault::Refused) => {}
        })
    }

    fn sync_data(&self, file: &mut usize) -> io::Result<()> {
        self.sync(*file, Lie::Data)
    }

    fn sync_all(&self, file: &mut usize) -> io::Result<()> {
        self.sync(*file, Lie::All)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let inode = self.0.borrow().inode(from)?;
        self.state(|state, fault| {
            if fault.is_none() {
                state.names.remove(from);
                state.names.insert(to.to_owned(), inode);
                state.log.push(Op::Rename { from: from.to_owned(), to: to.to_owned(), inode });
            }
        })
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.state(|state, fault| {
            if fault.is_none() && state.lie != Lie::Folder {
                state.log.push(Op::SyncFolder);
            }
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state(|state, fault| {
            if fault.is_none() {
                state.names.remove(name);
                state.log.push(Op::Remove { name: name.to_owned() });
            }
        })
    }
}

/// What one moment's power cut can leave.
#[derive(Debug, Clone, Default)]
pub struct Remains {
    /// Names that are there for good.
    names: BTreeMap<String, usize>,
    /// Changes of names that may be there or not.
    renames: Vec<Op>,
    files: Vec<Inode>,
    /// What somebody relies on.
    pub told: Vec<Vec<u8>>,
    /// What may be there as well, all of it.
    pub tried: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    sectors: Vec<Sector>,
    /// Lengths the file may have.
    lengths: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Sector {
    /// As programs see it.
    cached: [u8; SECTOR],
    /// As it may be found, without repetition.
    possible: Vec<[u8; SECTOR]>,
    /// Whether the next sync will write it.
    dirty: bool,
}

impl Remains {
    pub fn of(image: &Image) -> Self {
        let mut remains = Self::default();
        for (name, bytes) in image {
            remains.names.insert(name.clone(), remains.files.len());
            remains.files.push(Inode::default());
            let inode = remains.files.last_mut().unwrap();
            inode.write(0, bytes);
            inode.sync();
        }
        remains
    }

    /// The moment after `op`.
    pub fn play(&mut self, op: &Op) {
        match op {
            Op::Create { inode, .. } => {
                assert_eq!(*inode, self.files.len());
                self.files.push(Inode { lengths: vec![0], ..Inode::default() });
                self.renames.push(op.clone());
            }
            Op::Write { inode, at, bytes } => self.files[*inode].write(*at, bytes),
            Op::Sync { inode } => self.files[*inode].sync(),
            Op::SyncFailed { inode } => {
                self.files[*inode].sectors.iter_mut().for_each(|sector| sector.dirty = false);
            }
            Op::Rename { .. } | Op::Remove { .. } => self.renames.push(op.clone()),
            Op::SyncFolder => {
                let renames = std::mem::take(&mut self.renames);
                renames.iter().for_each(|op| rename(&mut self.names, op, 1));
            }
            Op::Tried(payloads) => self.tried.clone_from(payloads),
            Op::Told(payloads) => {
                self.told.clone_from(payloads);
                self.tried.clear();
            }
        }
    }

    /// Every combination, or many of them, of what is not yet for good.
    pub fn images(&self, mut each: impl FnMut(Image)) {
        let choices: Vec<usize> = self
            .renames
            .iter()
            .map(|op| if matches!(op, Op::Rename { .. }) { 3 } else { 2 })
            .collect();
        combinations(&choices, |chosen| {
            let mut names = self.names.clone();
            self.renames.iter().zip(chosen).for_each(|(op, which)| rename(&mut names, op, *which));
            self.contents(&names, &mut each);
        });
    }

    fn contents(&self, names: &BTreeMap<String, usize>, each: &mut impl FnMut(Image)) {
        // What is in a file that recovery never reads makes no difference.
        let read: Vec<usize> =
            names.iter().filter(|(name, _)| !name.ends_with(".new")).map(|(_, id)| *id).collect();
        let mut choices = Vec::new();
        for inode in read.iter().map(|id| &self.files[*id]) {
            choices.push(inode.lengths.len());
            choices.extend(inode.sectors.iter().map(|sector| sector.possible.len()));
        }
        combinations(&choices, |chosen| {
            let mut chosen = chosen.iter();
            let mut contents: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
            for id in &read {
                let inode = &self.files[*id];
                let length = inode.lengths[*chosen.next().unwrap()];
                let mut bytes: Vec<u8> = inode
                    .sectors
                    .iter()
                    .flat_map(|sector| sector.possible[*chosen.next().unwrap()])
                    .collect();
                bytes.resize(length, 0);
                contents.insert(*id, bytes);
            }
            each(
                names
                    .iter()
                    .map(|(name, id)| (name.clone(), contents.get(id).cloned().unwrap_or_default()))
                    .collect(),
            );
        });
    }
}

impl Inode {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        let length = self.lengths.last().copied().unwrap_or_default();
        if end > length {
            self.lengths.push(end);
        }
        let blank = Sector { cached: [0; SECTOR], possible: vec![[0; SECTOR]], dirty: false };
        let sectors = self.sectors.len().max(end.div_ceil(SECTOR));
        self.sectors.resize(sectors, blank);
        for (offset, byte) in (at..).zip(bytes) {
            self.sectors[offset / SECTOR].cached[offset % SECTOR] = *byte;
        }
        for sector in &mut self.sectors[at / SECTOR..end.div_ceil(SECTOR)] {
            sector.dirty = true;
            if !sector.possible.contains(&sector.cached) {
                sector.possible.push(sector.cached);
            }
        }
    }

    fn sync(&mut self) {
        self.lengths.drain(..self.lengths.len().saturating_sub(1));
        for sector in self.sectors.iter_mut().filter(|sector| sector.dirty) {
            sector.dirty = false;
            sector.possible = vec![sector.cached];
        }
    }
}

/// `which`: 0 is lost, 1 is done, and 2, of a renaming, is half done: both names are there.
fn rename(names: &mut BTreeMap<String, usize>, op: &Op, which: usize) {
    match op {
        _ if which == 0 => {}
        Op::Create { name, inode } => {
            names.insert(name.clone(), *inode);
        }
        Op::Rename { from, to, inode } => {
            if which == 1 {
                names.remove(from);
            }
            names.insert(to.clone(), *inode);
        }
        Op::Remove { name } => {
            names.remove(name);
        }
        _ => {}
    }
}

/// Calls `each` with a number below each choice: all ways, or if they are too many the telling ones
/// and some by chance.
fn combinations(choices: &[usize], mut each: impl FnMut(&[usize])) {
    let open: Vec<usize> = (0..choices.len()).filter(|at| choices[*at] > 1).collect();
    let all = open
        .iter()
        .try_fold(1usize, |all, at| all.checked_mul(choices[*at]).filter(|all| *all <= ALL_UP_TO));
    let mut chosen = vec![0; choices.len()];
    match all {
        Some(all) => {
            for mut number in 0..all {
                for at in &open {
                    chosen[*at] = number % choices[*at];
                    number /= choices[*at];
                }
                each(&chosen);
            }
        }
        None => sampled(choices, &open, &mut each),
    }
}

fn sampled(choices: &[usize], open: &[usize], each: &mut impl FnMut(&[usize])) {
    let newest: Vec<usize> = choices.iter().map(|choices| choices - 1).collect();
    let oldest = vec![0; choices.len()];
    for border in 0..=open.len() {
        let mut prefix = oldest.clone();
        open[..border].iter().for_each(|at| prefix[*at] = newest[*at]);
        each(&prefix);
        let mut suffix = oldest.clone();
        open[border..].iter().for_each(|at| suffix[*at] = newest[*at]);
        each(&suffix);
    }
    for at in open {
        let (mut one, mut but_one) = (oldest.clone(), newest.clone());
        one[*at] = newest[*at];
        but_one[*at] = 0;
        each(&one);
        each(&but_one);
    }
    let mut dice = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..SAMPLES {
        let mut random = oldest.clone();
        for at in open {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            random[*at] = usize::try_from(dice % choices[*at] as u64).unwrap();
        }
        each(&random);
    }
}
