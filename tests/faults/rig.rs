//! What a run is made of: the broker, a home, and the daemon's process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::plan::{ACCOUNTS, HELD, Plan, SCALE};

/// Longer than anything takes that works, on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// How many times as long as on an idle machine things take now, a whole number from 1 to 8: measured by how late a
/// short sleep ends, all the time.
pub fn slowness() -> u32 {
    SLOWNESS.load(std::sync::atomic::Ordering::Relaxed)
}

static SLOWNESS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

/// Measures it, for ever: the longest of the last twenty sleeps of 10 ms counts, by steps of 25 ms.
pub async fn measure_slowness() {
    let mut late = [0_u64; 20];
    for at in (0..late.len()).cycle() {
        let begun = std::time::Instant::now();
        tokio::time::sleep(Duration::from_millis(10)).await;
        late[at] = (begun.elapsed().as_millis() as u64).saturating_sub(10);
        let longest = late.iter().max().copied().unwrap_or_default();
        let slow = u32::try_from(1 + longest / 25).unwrap_or(8).min(8);
        SLOWNESS.store(slow, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Programs and folders that all runs share.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The daemon with crash points.
    pub daemon: PathBuf,
    pub sim: PathBuf,
    pub shim: PathBuf,
    /// The wall clock that can be moved; `None`: clocks do not jump here.
    pub clock: Option<PathBuf>,
    /// Homes are made in it.
    pub base: PathBuf,
    /// Everything is logged.
    pub is_loud: bool,
    pub mutant: Option<String>,
    /// Every run is this scene.
    pub scene: Option<String>,
    /// A gateway that somebody else runs in front of a simulator, and that simulator's control address.
    pub outside: Option<(u16, String)>,
}

impl Tools {
    /// What happens in the run of a seed.
    pub fn plan(&self, seed: u64) -> Plan {
        Plan::of(seed, self.scene.as_deref())
    }
}

/// A simulator; it serves one run after the other.
#[derive(Debug)]
pub struct Sim {
    /// Ends with this, unless somebody else runs it.
    _child: Option<Child>,
    pub port: u16,
    pub control: Control,
}

/// A connection to a simulator's control API. A clone makes one of its own.
#[derive(Debug)]
pub struct Control {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Clone for Control {
    fn clone(&self) -> Self {
        Self::at(self.address.clone())
    }
}

/// What the simulator is like: as strict as ever, and quick.
pub fn scenario() -> Value {
    let account = |id: &str| {
        json!({
            "id": id,
            "cash": { "USD": 50_000_000 },
            "positions": [
                { "symbol": "AAPL", "quantity": HELD, "avgPrice": 200 },
                { "symbol": "MSFT", "quantity": HELD, "avgPrice": 300 },
                { "symbol": "IBM", "quantity": HELD, "avgPrice": 200 },
            ],
        })
    };
    json!({
        "accounts": ACCOUNTS.map(account),
        "orders": [],
        // A second one under the same name is accepted, and counted.
        "dedupe": false,
        "questions": false,
        "pacing": false,
        "initMillis": 5, "snapshotWarmMillis": 0, "snapshotSlowMillis": 0, "ordersWarmMillis": 5,
        "pnlWarmMillis": 0, "ordersStaleMillis": 25, "submitMillis": 4, "cancelMillis": 8,
        "lateRejectMillis": 20, "commissionMillis": 20, "replyTtlMillis": 300, "zombieMillis": 30,
        "orderStatusMissMillis": 4, "historyMillis": 0, "whatifMillis": 0, "idleSeconds": 0,
    })
}

impl Sim {
    /// Starts one.
    pub async fn start(tools: &Tools) -> Self {
        if let Some((port, control)) = &tools.outside {
            return Self { _child: None, port: *port, control: Control::at(control.clone()) };
        }
        let file = tools.base.join(format!("scenario-{:?}.json", std::time::Instant::now()));
        std::fs::write(&file, scenario().to_string()).unwrap();
        let mut command = Command::new(&tools.sim);
        command.arg("--until-stdin-closes").arg("--scenario").arg(&file);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        std::fs::remove_file(file).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the simulator says where it is");
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        let port = text("gateway").rsplit(':').next().unwrap().parse().unwrap();
        let control = text("control").strip_prefix("http://").unwrap().to_owned();
        Self { _child: Some(child), port, control: Control::at(control) }
    }

    /// Tells its control API something.
    pub async fn tell(&mut self, path: &str, body: &Value) -> Value {
        self.control.tell(path, body).await
    }

    /// Asks its control API something.
    pub async fn get(&mut self, path: &str) -> Value {
        self.control.get(path).await
    }
}

impl Control {
    fn at(address: String) -> Self {
        Self { address, stream: None }
    }

    /// Tells it something, which it must take.
    pub async fn tell(&mut self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, &body.to_string()).await;
        answer.unwrap_or_else(|refusal| panic!("{path} {body}: {refusal}"))
    }

    /// Tells it something that may come too late; nothing if it did.
    pub async fn try_tell(&mut self, path: &str, body: &Value) -> Option<Value> {
        self.ask("POST", path, &body.to_string()).await.ok()
    }

    /// Asks it something.
    pub async fn get(&mut self, path: &str) -> Value {
        self.ask("GET", path, "").await.unwrap_or_else(|refusal| panic!("{path}: {refusal}"))
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        // A connection that it has closed meanwhile is made anew, once.
        for _ in 0..2 {
            if let Some(answer) = self.try_ask(method, path, body).await {
                return answer;
            }
            self.stream = None;
        }
        panic!("the simulator's control API does not answer {method} {path}");
    }

    async fn try_ask(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Option<Result<Value, String>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(&self.address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            self.stream = Some(BufReader::new(stream));
        }
        let request = self.request(method, path, body);
        self.stream.as_mut()?.get_mut().write_all(request.as_bytes()).await.ok()?;
        self.answer().await
    }

    fn request(&self, method: &str, path: &str, body: &str) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
    }

    async fn answer(&mut self) -> Option<Result<Value, String>> {
        let stream = self.stream.as_mut()?;
        let (mut line, mut length, mut status) = (String::new(), 0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let text = line.trim().to_ascii_lowercase();
            if status.is_empty() {
                status.clone_from(&text);
            }
            if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if text.is_empty() {
                break;
            }
        }
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).await.ok()?;
        if !status.contains(" 200") {
            return Some(Err(String::from_utf8_lossy(&bytes).into_owned()));
        }
        serde_json::from_slice(&bytes).ok().map(Ok)
    }
}

/// A home of one run.
#[derive(Debug)]
pub struct Home {
    pub path: PathBuf,
    clock: i64,
}

impl Home {
    /// A fresh one, with the first segment of a journal.
    pub fn make(tools: &Tools, seed: u64, segment: u64) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        let path = tools.base.join(format!("run-{seed}"));
        let _ = std::fs::remove_dir_all(&path);
        let home = Self { path, clock: 0 };
        let mut private = std::fs::DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(home.path.join("run")).unwrap();
        private.create(home.state()).unwrap();
        // 64 MiB of zeros in every run would be all that is measured.
        let disk = ibd_journal::RealDisk::writer(&home.journal()).unwrap();
        ibd_journal::Journal::open_sized(disk, segment).unwrap();
        std::fs::write(home.path.join("clock"), 0i64.to_ne_bytes()).unwrap();
        home
    }

    /// The state folder of the default profile.
    pub fn state(&self) -> PathBuf {
        self.path.join("state/ibd/default")
    }

    pub fn journal(&self) -> PathBuf {
        self.state().join("journal")
    }

    pub fn socket(&self) -> PathBuf {
        self.path.join("run/ibd/default.sock")
    }

    /// Moves the wall clock of whatever runs here, at once.
    pub fn set_clock(&mut self, seconds: i64) {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::options().write(true).open(self.path.join("clock")).unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
        self.clock = seconds;
    }

    /// Seconds by which the clock is wrong.
    pub fn clock(&self) -> i64 {
        self.clock
    }

    /// A program in this home, with nothing of ours around it.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.path)
            .env("XDG_CONFIG_HOME", self.path.join("config"))
            .env("XDG_STATE_HOME", self.path.join("state"))
            .env("XDG_DATA_HOME", self.path.join("data"))
            .env("XDG_CACHE_HOME", self.path.join("cache"))
            .env("XDG_RUNTIME_DIR", self.path.join("run"))
            .current_dir(&self.path)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// A daemon at work, or on its way there.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts one; `variables` say what is to happen to it.
    pub fn start(tools: &Tools, home: &Home, port: u16, variables: &[(&str, String)]) -> Self {
        let mut command = home.command(&tools.daemon);
        let log = if tools.is_loud { "debug" } else { "warn" };
        command
            .env("IB_GATEWAY_HOST", "127.0.0.1")
            .env("IB_GATEWAY_PORT", port.to_string())
            .env("IB_COMPETE", "take")
            .env("IB_MAX_ORDERS_PER_MINUTE", "10000")
            .env("IB_MAX_ORDERS_PER_DAY", "100000")
            .env("IB_BREAKER_REJECTS", "1000")
            .env("IB_LOG", log)
            .env("IBD_TIME_SCALE", SCALE.to_string());
        if let Some(clock) = &tools.clock {
            command.env("LD_PRELOAD", clock).env("IBD_CLOCK_FILE", home.path.join("clock"));
        }
        if let Some(mutant) = &tools.mutant {
            command.env("IBD_MUTANT", mutant);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let log = home.path.join("stderr.log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        command.stdout(Stdio::piped()).stderr(log);
        Self { child: command.spawn().unwrap() }
    }

    /// Waits until it says that it is ready, or why it will not be.
    pub async fn ready(&mut self) -> Result<(), String> {
        let Some(stdout) = self.child.stdout.take() else { return Ok(()) };
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        let read = stdout.read_line(&mut line);
        match timeout(PATIENCE, read).await {
            Ok(Ok(_)) if line.starts_with("READY") => Ok(()),
            Ok(Ok(_)) => Err(format!("it says {:?}", line.trim())),
            _ => Err("it says nothing".to_owned()),
        }
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }

    /// `kill -9`; returns when it is gone.
    pub async fn kill(&mut self) {
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
    }
}
