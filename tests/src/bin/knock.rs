//! Knocks at a daemon's socket: says hello and succeeds only if it is turned away without a word.
#![allow(clippy::unwrap_used)]

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    knock::main()
}

#[cfg(unix)]
mod knock {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::process::ExitCode;
    use std::time::Duration;

    use ibd_protocol::version::{Hello, Role};

    pub(crate) fn main() -> ExitCode {
        let mut stream = UnixStream::connect(std::env::args_os().nth(1).unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let _ = stream.write_all(&Hello::ours(Role::Shim).to_bytes());
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(0) => ExitCode::SUCCESS,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => ExitCode::SUCCESS,
            other => {
                eprintln!("{other:?}: {answer:?}");
                ExitCode::FAILURE
            }
        }
    }
}
