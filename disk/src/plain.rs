//! What the system says about a file or a program, as a person says it. Pure.

use std::io::{Error, ErrorKind};

/// Why something failed, in plain words and without the system's numbers.
pub fn plainly(error: &Error) -> String {
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::NotFound, _) => "there is no such file".to_owned(),
        (ErrorKind::PermissionDenied, _) => "permission denied".to_owned(),
        (ErrorKind::TimedOut, _) => "no answer in time".to_owned(),
        (_, Some(number)) => {
            let said = error.to_string();
            said.strip_suffix(&format!(" (os error {number})")).unwrap_or(&said).to_owned()
        }
        (_, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_said_plainly() {
        for (error, expected) in [
            (Error::from(ErrorKind::NotFound), "there is no such file"),
            (Error::from_raw_os_error(13), "permission denied"),
            (Error::from_raw_os_error(28), "No space left on device"),
            (Error::other("it ended (exit status: 1)"), "it ended (exit status: 1)"),
        ] {
            assert_eq!(plainly(&error), expected, "{error}");
        }
    }
}
