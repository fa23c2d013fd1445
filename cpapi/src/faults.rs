//! What tests need of a real program: time that runs faster, and a death at a named point.
//!
//! Only with the cargo feature `faults`, which a release is built without: then nothing of this
//! exists, time is time and points are nothing.

#[cfg(not(feature = "faults"))]
use std::time::Duration;

/// A duration of ours, divided by `IBD_TIME_SCALE`. Without the feature it is what it was.
#[cfg(not(feature = "faults"))]
pub fn scaled(d: Duration) -> Duration {
    d
}

/// Time that has passed, for whoever compares it with unscaled pauses: multiplied by `IBD_TIME_SCALE`.
/// Without the feature it is what it was.
#[cfg(not(feature = "faults"))]
pub fn hastened(d: Duration) -> Duration {
    d
}

/// How long an answer is waited for, divided by `IBD_ANSWER_SCALE`, or else by `IBD_TIME_SCALE`: a busy machine
/// is late for a daemon whose patience is scaled. Without the feature it is what it was.
#[cfg(not(feature = "faults"))]
pub fn patience(d: Duration) -> Duration {
    d
}

/// A place where `IBD_CRASH` can end this process. Without the feature it is nothing.
#[cfg(not(feature = "faults"))]
pub fn point(_name: &'static str) {}

#[cfg(feature = "faults")]
pub use on::{hastened, patience, point, scaled};

#[cfg(feature = "faults")]
mod on {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    /// A duration of ours, divided by `IBD_TIME_SCALE`, which is read once.
    pub fn scaled(d: Duration) -> Duration {
        d / scale()
    }

    /// Time that has passed, for whoever compares it with unscaled pauses.
    pub fn hastened(d: Duration) -> Duration {
        d * scale()
    }

    /// How long an answer is waited for.
    pub fn patience(d: Duration) -> Duration {
        static SCALE: OnceLock<u32> = OnceLock::new();
        d / *SCALE.get_or_init(|| read("IBD_ANSWER_SCALE").unwrap_or_else(scale))
    }

    fn scale() -> u32 {
        static SCALE: OnceLock<u32> = OnceLock::new();
        *SCALE.get_or_init(|| read("IBD_TIME_SCALE").unwrap_or(1))
    }

    fn read(name: &str) -> Option<u32> {
        std::env::var(name).ok()?.parse().ok().map(|scale: u32| scale.max(1))
    }

    /// A place where `IBD_CRASH` = `name:n` ends this process, as a power cut would, at the n-th hit.
    /// `IBD_CRASH_LOG` is a file to which the name of every hit is appended, a line each.
    pub fn point(name: &'static str) {
        static HITS: AtomicU64 = AtomicU64::new(0);
        static CRASH: OnceLock<Option<(String, u64)>> = OnceLock::new();
        static LOG: OnceLock<Option<String>> = OnceLock::new();
        if let Some(path) = LOG.get_or_init(|| std::env::var("IBD_CRASH_LOG").ok()) {
            let log = OpenOptions::new().create(true).append(true).open(path);
            // One write, so that lines of several processes do not mix.
            let _ = log.and_then(|mut log| log.write_all(format!("{name}\n").as_bytes()));
        }
        let crash = CRASH.get_or_init(|| parsed(&std::env::var("IBD_CRASH").ok()?));
        if let Some((at, nth)) = crash
            && at == name
            && HITS.fetch_add(1, Ordering::SeqCst) + 1 == *nth
        {
            die();
        }
    }

    fn parsed(text: &str) -> Option<(String, u64)> {
        let (name, nth) = text.rsplit_once(':')?;
        Some((name.to_owned(), nth.parse().ok()?))
    }

    #[cfg(unix)]
    fn die() {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
        // The signal comes at once, but perhaps to another thread first: nothing may happen here any more.
        loop {
            std::thread::park();
        }
    }

    #[cfg(not(unix))]
    fn die() {
        std::process::abort();
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]
        use super::*;

        #[test]
        fn a_crash_is_a_name_and_a_count() {
            assert_eq!(parsed("http.sent:3"), Some(("http.sent".to_owned(), 3)));
            assert_eq!(parsed("http.sent"), None);
            assert_eq!(parsed("http.sent:x"), None);
        }

        /// Not a test but the program of the next one.
        #[test]
        #[ignore = "run by another test, in a process of its own"]
        fn passes_four_points() {
            for name in ["other", "here", "here", "here"] {
                point(name);
            }
        }

        #[cfg(unix)]
        #[test]
        fn the_process_is_killed_at_the_nth_hit_and_every_hit_is_logged() {
            use std::os::unix::process::ExitStatusExt;
            let log = std::env::temp_dir().join(format!("ibd-cpapi-points-{}", std::process::id()));
            let program = std::env::current_exe().unwrap();
            let status = std::process::Command::new(program)
                .args(["--ignored", "--exact", "faults::on::tests::passes_four_points"])
                .env("IBD_CRASH", "here:2")
                .env("IBD_CRASH_LOG", &log)
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            let logged = std::fs::read_to_string(&log).unwrap();
            std::fs::remove_file(&log).unwrap();
            assert_eq!((status.signal(), logged.as_str()), (Some(9), "other\nhere\nhere\n"));
        }

        #[test]
        fn time_is_time_when_nobody_scales_it() {
            assert_eq!(scaled(Duration::from_secs(5)), Duration::from_secs(5));
        }
    }
}
