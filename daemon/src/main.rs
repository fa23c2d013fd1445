//! `ibd`: thin; everything is in the library.

fn main() -> std::process::ExitCode {
    ibd::program::main()
}
