//! What this machine can do at best: the measure for everything else, taken in the same run.
//! Each benchmark uses its part.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ibd_cpapi::Client;
use ibd_cpapi::client::Address;
use ibd_cpapi::door::Door;
use ibd_cpapi::orders::GetOrderStatus;
use ibd_cpapi::pin::Pin;
use ibd_tests::Sim;

use crate::stdio::Server;

/// Bytes of a ping.
const PING: usize = 64;

/// A program from start to end.
pub(crate) fn spawn_to_exit(count: usize, mut command: impl FnMut() -> Command) -> Vec<Duration> {
    let one = |_| {
        let mut command = command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        command.status().unwrap();
        begun.elapsed()
    };
    (0..count).map(one).collect()
}

/// `cat` from start to the first line it gives back: what any server over stdio costs at least.
pub(crate) fn spawn_to_line(count: usize, mut command: impl FnMut() -> Command) -> Vec<Duration> {
    let one = |_| {
        let command = command();
        let begun = Instant::now();
        let mut cat = Server::spawn(command);
        cat.send("ping\n");
        cat.line();
        let took = begun.elapsed();
        cat.close();
        took
    };
    (0..count).map(one).collect()
}

/// So many `cat`s started at once, until all have given their first line back.
pub(crate) fn crowd(count: usize, command: impl FnMut() -> Command) -> Duration {
    let commands: Vec<Command> = std::iter::repeat_with(command).take(count).collect();
    let begun = Instant::now();
    let mut cats: Vec<Server> = Vec::with_capacity(count);
    for command in commands {
        let mut cat = Server::spawn(command);
        cat.send("ping\n");
        cats.push(cat);
    }
    for cat in &mut cats {
        cat.line();
    }
    let wall = begun.elapsed();
    cats.into_iter().for_each(Server::close);
    wall
}

/// A line to a running `cat` and back.
pub(crate) fn pipe(count: usize, cat: &mut Server) -> Vec<Duration> {
    let ping = "x".repeat(PING - 1) + "\n";
    let one = |_| {
        let begun = Instant::now();
        cat.send(&ping);
        cat.line();
        begun.elapsed()
    };
    (0..count).map(one).collect()
}

/// Over a unix socket to another thread and back.
pub(crate) fn unix_socket(count: usize) -> Vec<Duration> {
    let (mut ours, mut theirs) = UnixStream::pair().unwrap();
    let echo = std::thread::spawn(move || {
        let mut bytes = [0; PING];
        while theirs.read_exact(&mut bytes).is_ok() {
            theirs.write_all(&bytes).unwrap();
        }
    });
    let mut bytes = [0; PING];
    let mut one = |_| {
        let begun = Instant::now();
        ours.write_all(&bytes).unwrap();
        ours.read_exact(&mut bytes).unwrap();
        begun.elapsed()
    };
    let times = (0..count).map(&mut one).collect();
    drop(ours);
    echo.join().unwrap();
    times
}

/// The daemon's own HTTP client, here: a gateway's reply without shim and daemon.
pub(crate) fn direct(sim: &Sim) -> Client {
    let address = Address { host: "127.0.0.1".into(), port: sim.port(), pin: Pin::default() };
    Client::new(&address, Arc::new(Door::default())).unwrap()
}

/// One order's status straight from the gateway, over a connection that is kept.
pub(crate) async fn ask(client: &Client, order: u64) -> Duration {
    let request = GetOrderStatus { order_id: order.to_string().parse().unwrap() };
    let begun = Instant::now();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    client.ask(&request, deadline).await.unwrap();
    begun.elapsed()
}
