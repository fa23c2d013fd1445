//! A daemon that says what a test wants, in a home of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use ibd_protocol::client::SharedStream;
use ibd_protocol::socket::{Listener, Stream};
use ibd_protocol::version::{Greeting, HELLO_LEN, Hello};
use ibd_protocol::wire::{self, FrameReader, MAX_TO_CLIENT, MAX_TO_DAEMON};
use ibd_protocol::{BUILD, PROTOCOL, ToClient, ToDaemon};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::broadcast;

type Answer = dyn Fn(&ToDaemon) -> Vec<ToClient> + Send + Sync;

/// The daemon and its home.
pub struct Daemon {
    home: TempDir,
    heard: Arc<Mutex<Vec<ToDaemon>>>,
    says: broadcast::Sender<ToClient>,
}

impl Daemon {
    /// Listens, and answers each message with those that `answer` gives.
    pub fn start(answer: impl Fn(&ToDaemon) -> Vec<ToClient> + Send + Sync + 'static) -> Self {
        let build = BUILD.to_owned();
        Self::greeting(Greeting::Welcome { protocol: PROTOCOL, build, pid: 4711 }, answer)
    }

    /// The same as another build, or of another protocol.
    pub fn greeting(
        welcome: Greeting,
        answer: impl Fn(&ToDaemon) -> Vec<ToClient> + Send + Sync + 'static,
    ) -> Self {
        let daemon = Self::absent();
        let listener = Listener::publish(&daemon.path("run/ibd/default.sock")).unwrap();
        let (heard, says) = (daemon.heard.clone(), daemon.says.clone());
        let answer: Arc<Answer> = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok(stream) = listener.accept().await {
                let (heard, says) = (heard.clone(), says.subscribe());
                tokio::spawn(serve(stream, welcome.to_bytes(), answer.clone(), (heard, says)));
            }
        });
        daemon
    }

    /// A home where nobody listens.
    pub fn absent() -> Self {
        let home = tempfile::Builder::new().prefix("ibd-").tempdir_in("/tmp").unwrap();
        for folder in ["run/ibd", "state/ibd/default"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        for folder in ["run", "run/ibd", "state", "state/ibd", "state/ibd/default"] {
            make_private(&home.path().join(folder));
        }
        Self { home, heard: Arc::default(), says: broadcast::channel(16).0 }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// Everything that was said to it.
    pub fn heard(&self) -> Vec<ToDaemon> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until something was said to it.
    pub async fn hears(&self, is_it: impl Fn(&ToDaemon) -> bool) -> ToDaemon {
        for _ in 0..500 {
            if let Some(found) = self.heard().into_iter().find(&is_it) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("not said: {:?}", self.heard());
    }

    /// Says something to everybody who is connected.
    pub fn say(&self, message: ToClient) {
        self.says.send(message).unwrap();
    }

    /// A program in this home, with nothing of ours around it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).current_dir(self.home.path());
        for (name, folder) in [
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            command.env(name, self.path(folder));
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

async fn serve(
    stream: Stream,
    welcome: Vec<u8>,
    answer: Arc<Answer>,
    (heard, mut says): (Arc<Mutex<Vec<ToDaemon>>>, broadcast::Receiver<ToClient>),
) {
    let stream = Arc::new(stream);
    let (mut from, mut to) = (SharedStream(stream.clone()), SharedStream(stream));
    let mut hello = [0; HELLO_LEN];
    from.read_exact(&mut hello).await.unwrap();
    Hello::from_bytes(&hello).unwrap();
    to.write_all(&welcome).await.unwrap();
    let mut frames = FrameReader::new(from, MAX_TO_DAEMON);
    loop {
        let messages = tokio::select! {
            said = says.recv() => vec![said.unwrap()],
            message = frames.next::<ToDaemon>() => {
                let Ok(message) = message else { return };
                heard.lock().unwrap().push(message.clone());
                answer(&message)
            }
        };
        for message in messages {
            if wire::write(&mut to, &message, MAX_TO_CLIENT).await.is_err() {
                return;
            }
        }
    }
}

fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// A program of this name that runs a shell script.
pub fn script(folder: &Path, name: &str, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}
