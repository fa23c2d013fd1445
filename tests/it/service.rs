//! Under a service manager: `Type=notify`, a stop by SIGTERM, and a socket that clients find.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use ibd_tests::world::{Signal, is_alive, kill};
use ibd_tests::{World, until};
use serde_json::json;

#[tokio::test]
async fn it_tells_the_service_manager_when_it_is_ready() {
    let world = World::simulated();
    let path = world.path("notify.sock");
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut child = world.command("ibd").env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let said = tokio::task::spawn_blocking(move || {
        let mut buffer = [0; 1024];
        let length = notify.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    })
    .await
    .unwrap();
    assert!(said.lines().any(|line| line == "READY=1"), "{said}");
    // Ready means ready: the very next thing works.
    world.client().await.call("get_positions", json!({})).await.ok();
    let pid = child.id().unwrap();
    kill(pid, Signal::Terminate);
    let status = child.wait().await.unwrap();
    assert_eq!(status.code(), Some(0));
    until("it has ended", || async { !is_alive(pid) }).await;
}
