//! Writes into a store until it is killed, and says after each write what is now promised.
//!
//! Its parent kills it at any moment and then looks whether every promise was kept.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Write;
use std::path::PathBuf;

use ibd::store::Store;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap());
    let from: u64 = arguments.next().unwrap().parse().unwrap();
    let (store, _) = Store::open(&folder).unwrap();
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "open").unwrap();
    stdout.flush().unwrap();
    for n in from.. {
        store.keep(&format!("key/{}", n % 7), &n).unwrap();
        writeln!(stdout, "{n}").unwrap();
        stdout.flush().unwrap();
        // Enough other writes to make sled work: segments, snapshots, garbage collection.
        for m in 0..20 {
            store.remember(&format!("cache/{}", (n * 20 + m) % 5_000), &"x".repeat(100)).unwrap();
        }
    }
}
