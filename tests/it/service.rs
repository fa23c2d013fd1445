//! Under a service manager: `Type=notify`, its watchdog, its socket, a stop by SIGTERM; and the files that it is told by.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::time::{Duration, Instant};

use ibd_protocol::{Connection, Places};
use ibd_tests::world::{Signal, is_alive, kill};
use ibd_tests::{World, until};
use serde_json::json;
use tokio::process::{Child, Command};

/// Where a service manager hears what a daemon says.
struct Ear(UnixDatagram);

impl Ear {
    fn of(world: &World) -> Self {
        let ear = UnixDatagram::bind(world.path("notify.sock")).unwrap();
        ear.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(ear)
    }

    /// Waits for a word with this line, and says how long that took.
    async fn hears(&self, line: &'static str) -> Duration {
        let (ear, since) = (self.0.try_clone().unwrap(), Instant::now());
        let heard = tokio::task::spawn_blocking(move || {
            let mut buffer = [0; 1024];
            loop {
                let length = ear.recv(&mut buffer).expect(line);
                let said = String::from_utf8_lossy(&buffer[..length]).into_owned();
                if said.lines().any(|one| one == line) {
                    return;
                }
            }
        });
        heard.await.unwrap();
        since.elapsed()
    }
}

fn notified(world: &World) -> Command {
    let mut command = world.command("ibd");
    command.env("NOTIFY_SOCKET", world.path("notify.sock"));
    command
}

#[tokio::test]
async fn it_tells_the_service_manager_when_it_is_ready_and_when_it_ends() {
    let world = World::simulated();
    let ear = Ear::of(&world);
    let mut child = notified(&world).spawn().unwrap();
    ear.hears("READY=1").await;
    // Ready means ready: the very next thing works.
    world.client().await.call("get_positions", json!({})).await.ok();
    let pid = child.id().unwrap();
    kill(pid, Signal::Terminate);
    ear.hears("STOPPING=1").await;
    let status = child.wait().await.unwrap();
    assert_eq!(status.code(), Some(0));
    until("it has ended", || async { !is_alive(pid) }).await;
}

#[tokio::test]
async fn a_watchdog_is_fed_often_enough_as_long_as_the_daemon_answers() {
    let world = World::simulated();
    let ear = Ear::of(&world);
    let mut child = notified(&world).env("WATCHDOG_USEC", "3000000").spawn().unwrap();
    ear.hears("READY=1").await;
    ear.hears("WATCHDOG=1").await;
    for _ in 0..3 {
        assert!(ear.hears("WATCHDOG=1").await < Duration::from_secs(3));
    }
    // Another process's watchdog is none of ours.
    kill(child.id().unwrap(), Signal::Kill);
    child.wait().await.unwrap();
    let mut child =
        notified(&world).env("WATCHDOG_USEC", "300000").env("WATCHDOG_PID", "1").spawn().unwrap();
    ear.hears("READY=1").await;
    ear.0.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    assert!(ear.0.recv(&mut [0; 1024]).is_err(), "it says nothing more");
    child.kill().await.unwrap();
}

/// What systemd does for a socket unit: it makes the socket, and hands it to the program under the number 3.
struct Manager {
    socket: UnixListener,
}

impl Manager {
    fn listen(world: &World) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        let folder = world.path("run/ibd");
        std::fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        Self { socket: UnixListener::bind(world.socket()).unwrap() }
    }

    /// As whoever enabled the unit leaves it.
    fn enable(world: &World) {
        let wanted = world.path(".config/systemd/user/sockets.target.wants");
        std::fs::create_dir_all(&wanted).unwrap();
        let unit = world.path(".config/systemd/user/ibd.socket");
        std::fs::write(&unit, "").unwrap();
        symlink(unit, wanted.join("ibd.socket")).unwrap();
    }

    fn start(&self, world: &World) -> Child {
        let daemon = world.command("ibd");
        let mut command = Command::new("sh");
        // The shell's process becomes the daemon's, so that its number is the one that is named.
        let script = "exec 3<&0 0</dev/null; LISTEN_PID=$$; LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec \"$0\"";
        command.args(["-c", script]).arg(daemon.as_std().get_program()).env_clear();
        for (name, value) in daemon.as_std().get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.current_dir(world.path("")).kill_on_drop(true);
        command.stdin(OwnedFd::from(self.socket.try_clone().unwrap()));
        command.spawn().unwrap()
    }
}

#[tokio::test]
async fn a_client_waits_in_the_managers_socket_until_the_daemon_is_there() {
    let world = World::simulated();
    let manager = Manager::listen(&world);
    let mut client = world.raw_shim(&[]);
    let asked = async {
        client.initialize().await;
        client.call("get_positions", json!({})).await
    };
    // It asks before there is anybody to answer.
    let started = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        manager.start(&world)
    };
    let (reply, daemon) = tokio::join!(asked, started);
    let pid = daemon.id().unwrap();
    assert!(!reply.is_error, "{}", reply.json);
    assert_eq!(world.daemon_pid().await, Some(pid), "it is the one that the manager started");
    // A second one of the same profile is none.
    let second = world.command("ibd").output().await.unwrap();
    assert_eq!(second.status.code(), Some(1), "{second:?}");
}

#[tokio::test]
async fn the_managers_socket_stays_when_the_daemon_ends_and_leads_to_the_next_one() {
    let world = World::simulated();
    let manager = Manager::listen(&world);
    Manager::enable(&world);
    let mut first = manager.start(&world);
    let mut client = world.client().await;
    client.call("get_positions", json!({})).await.ok();
    let stopped = world.ctl(&["stop"]).await;
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    assert_eq!(first.wait().await.unwrap().code(), Some(0));
    assert!(world.socket().exists(), "the manager listens on");

    // Whoever only looks connects to nothing: a connection would start a daemon.
    for (verb, code) in
        [(&["status"][..], 3), (&["stop"], 0), (&["deny", "x"], 3), (&["freeze"], 0)]
    {
        let since = Instant::now();
        let said = world.ctl(verb).await;
        assert_eq!(said.status.code(), Some(code), "{verb:?}: {said:?}");
        assert!(since.elapsed() < Duration::from_secs(2), "{verb:?} waited for a daemon");
    }
    manager.socket.set_nonblocking(true).unwrap();
    assert!(manager.socket.accept().is_err(), "nobody has connected");
    manager.socket.set_nonblocking(false).unwrap();

    let id = client.begin_call("get_positions", json!({})).await;
    let second = manager.start(&world);
    assert!(!client.reply(id).await.is_error);
    assert_eq!(world.daemon_pid().await, second.id());
}

/// Somebody has removed the file, or put another in its place: what the manager hands over leads nowhere.
#[tokio::test]
async fn a_socket_that_nobody_can_find_is_not_relied_on() {
    for is_replaced in [false, true] {
        let world = World::simulated();
        let manager = Manager::listen(&world);
        std::fs::remove_file(world.socket()).unwrap();
        if is_replaced {
            drop(UnixListener::bind(world.socket()).unwrap());
        }
        let daemon = manager.start(&world);
        until("it answers", async || world.daemon_pid().await.is_some()).await;
        assert_eq!(world.daemon_pid().await, daemon.id());
    }
}

#[tokio::test]
async fn what_the_manager_hands_over_reaches_no_child() {
    let world = World::simulated();
    let manager = Manager::listen(&world);
    let daemon = manager.start(&world);
    world.client().await.call("get_positions", json!({})).await.ok();
    let sim = world.status().await["gateway"]["pid"].as_u64().unwrap();
    let open = std::fs::read_dir(format!("/proc/{sim}/fd")).unwrap().flatten();
    let leads: Vec<_> = open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
    let environment = std::fs::read(format!("/proc/{sim}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(!environment.contains("LISTEN_") && !environment.contains("NOTIFY_SOCKET"));
    // Sockets are named by their number; the listening one has that of no other.
    let listening = listening_inode(&world.socket());
    let has_it = leads.iter().any(|lead| lead.to_string_lossy() == format!("socket:[{listening}]"));
    assert!(!has_it, "{leads:?}");
    drop(daemon);
}

fn listening_inode(path: &Path) -> String {
    let all = std::fs::read_to_string("/proc/net/unix").unwrap();
    let path = path.to_string_lossy();
    let mut lines = all.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Connections that were accepted have the same path; the one that listens has this flag.
    let is_it =
        |words: &Vec<&str>| words.get(3) == Some(&"00010000") && words.last() == Some(&&*path);
    lines.find(is_it).unwrap()[6].to_owned()
}

#[tokio::test]
async fn a_connection_that_may_start_nobody_is_none_where_only_the_manager_listens() {
    let world = World::simulated();
    let _manager = Manager::listen(&world);
    Manager::enable(&world);
    // The places of the world, which this process does not have.
    let places = Places {
        profile: "default".into(),
        config: world.path(".config/ibd"),
        state: world.state(),
        runtime: world.path("run/ibd"),
        data: world.path("data/ibd"),
    };
    assert!(ibd_protocol::service::listens(&places));
    let absent = Connection::open_present(&places, ibd_protocol::version::Role::Ctl).await;
    assert!(absent.is_err_and(|error| error.to_string().contains("no ibd is running")));
    let other = Places { profile: "other".into(), ..places };
    assert!(!ibd_protocol::service::listens(&other), "a service is of one profile");
}

/// A unit as a table: each setting with its values, below its section.
fn unit(name: &str) -> BTreeMap<(String, String), Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("packaging/systemd").join(name)).unwrap();
    let (mut section, mut all) = (String::new(), BTreeMap::<_, Vec<String>>::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '@'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        all.entry((section.clone(), key.to_owned())).or_default().push(value.to_owned());
    }
    all
}

fn value<'a>(
    unit: &'a BTreeMap<(String, String), Vec<String>>,
    section: &str,
    key: &str,
) -> &'a str {
    match unit.get(&(section.to_owned(), key.to_owned())).map(Vec::as_slice) {
        Some([one]) => one,
        found => panic!("{section}.{key}: {found:?}"),
    }
}

#[test]
fn the_units_say_what_the_daemon_relies_on() {
    let (service, socket) = (unit("ibd.service"), unit("ibd.socket"));
    for (key, expected) in [
        ("Type", "notify"),
        ("NotifyAccess", "main"),
        ("ExecStart", "@IBD@"),
        // A stop that is meant is none to be mended; a setting that is wrong, or a state that is newer, neither.
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", "2"),
        // The gateway holds the login.
        ("KillMode", "process"),
        ("NoNewPrivileges", "yes"),
    ] {
        assert_eq!(value(&service, "Service", key), expected, "{key}");
    }
    // Where clients look: %t is the runtime folder.
    let places = Places { runtime: "%t/ibd".into(), ..Places::of("default").unwrap() };
    assert_eq!(value(&socket, "Socket", "ListenStream"), places.socket().to_str().unwrap());
    assert_eq!(value(&socket, "Socket", "SocketMode"), "0600");
    assert_eq!(value(&socket, "Socket", "DirectoryMode"), "0700", "others could enter it");
    assert_eq!(value(&service, "Install", "Also"), "ibd.socket");
    assert_eq!(value(&service, "Unit", "After"), "ibd.socket");
    assert_eq!(value(&socket, "Install", "WantedBy"), "sockets.target");
    // It is ended only after more time than a drain takes, and the watchdog is slower than any disk.
    let seconds = |key| value(&service, "Service", key).parse::<u64>().unwrap();
    assert!(seconds("TimeoutStopSec") >= 30 && seconds("WatchdogSec") >= 30);
}

/// In a user's unit these do nothing, keep the unit from starting, or harm what ibd starts.
#[test]
fn the_unit_promises_no_hardening_that_a_users_manager_cannot_give() {
    let service = unit("ibd.service");
    for key in [
        "CapabilityBoundingSet",
        "AmbientCapabilities",
        "IPAddressDeny",
        "OOMScoreAdjust",
        "ProtectSystem",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "PrivateUsers",
        "ProtectProc",
        "ProtectKernelTunables",
        "MemoryDenyWriteExecute",
        "RestrictNamespaces",
        "SystemCallFilter",
        "User",
        "DynamicUser",
    ] {
        assert!(!service.contains_key(&("Service".to_owned(), key.to_owned())), "{key}");
    }
}
