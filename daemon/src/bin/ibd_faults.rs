//! `ibd-faults`: the same daemon with crash points, a time scale and disk faults; see docs/faults.md.

fn main() -> std::process::ExitCode {
    ibd::program::main()
}
