//! The lives of the gateway's process: it is installed where it is missing, started, and started again after it ended.

use std::time::Duration;

use ibd_cpapi::client::Address;
use ibd_cpapi::pin::Pin;
use ractor::ActorRef;
use tokio::time::Instant;

use super::java::{self, Java, NoStart};
use super::simulator::Simulator;
use super::{GatewayState, Kind, Msg, NoProcess, Running, State, install};
use crate::config::GatewayChoice;

/// First pause before a process that ended is started again; doubles up to [`LONGEST_PAUSE`].
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A process that lived this long had nothing to do with the one before it.
const HEALTHY: Duration = Duration::from_secs(300);

impl State {
    pub(super) fn start(&mut self, me: &ActorRef<Msg>) {
        self.next_life();
        match self.choice.clone() {
            Some(GatewayChoice::Attach { host, port, certificate }) => {
                let pin = certificate.as_deref().map(Pin::fingerprint).unwrap_or_default();
                self.up(&Address { host, port, pin }, None);
            }
            Some(GatewayChoice::Simulator) => {
                self.starting(me, async {
                    let outcome = Simulator::start().await;
                    outcome.map(|s| Kind::Simulator(Box::new(s))).map_err(NoStart::Failed)
                });
            }
            Some(GatewayChoice::Direct) => self.reach(me),
            Some(GatewayChoice::Managed { .. }) | None => {
                let setup = self.setup();
                self.starting(me, async move {
                    Java::start(&setup).await.map(|java| Kind::Java(Box::new(java)))
                });
            }
        }
    }

    fn setup(&self) -> java::Setup {
        let (home, data) = (self.home.clone(), self.data.clone());
        let upstream = match &self.choice {
            Some(GatewayChoice::Managed { upstream }) => upstream.clone(),
            _ => None,
        };
        java::Setup {
            home,
            data,
            upstream,
            is_any_adopted: !self.is_own_choice,
            one_at_a_time: self.one_at_a_time.clone(),
            door: self.door.clone(),
        }
    }

    fn starting(
        &mut self,
        me: &ActorRef<Msg>,
        start: impl Future<Output = Result<Kind, NoStart>> + Send + 'static,
    ) {
        self.publish(GatewayState::Starting);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let outcome = start.await.map(Running).map_err(NoProcess);
            let _ = me.cast(Msg::Started(generation, outcome));
        }));
    }

    pub(super) fn started(&mut self, me: &ActorRef<Msg>, outcome: Result<Running, NoProcess>) {
        let running = match outcome {
            Ok(Running(running)) => running,
            Err(NoProcess(NoStart::Failed(why))) => return self.ended(me, Duration::ZERO, why),
            Err(NoProcess(NoStart::NotInstalled(_))) if self.is_wanted => return self.install(me),
            Err(NoProcess(NoStart::NotInstalled(why))) => {
                return self.publish(GatewayState::NotInstalled(why));
            }
        };
        self.is_wanted = false;
        let (address, pid) = match &running {
            Kind::Simulator(simulator) => {
                let (host, port) = (simulator.host.clone(), simulator.port);
                (Address { host, port, pin: Pin::default() }, simulator.pid)
            }
            Kind::Java(java) => {
                self.last = Some(java.record.clone());
                // What runs is what there is: a client that wished for something else is told so.
                let upstream = java.record.upstream.clone();
                self.choice = self.choice.take().map(|_| GatewayChoice::Managed { upstream });
                (java.address(), Some(java.record.pid))
            }
        };
        if matches!(&running, Kind::Java(java) if !java.is_adopted) {
            tracing::info!(?pid, port = address.port, "the gateway was started");
        }
        self.up(&address, pid);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            let lived = Instant::now();
            let why = match running {
                Kind::Simulator(simulator) => simulator.ended().await,
                Kind::Java(java) => java.ended().await,
            };
            let _ = me.cast(Msg::Ended(generation, lived.elapsed(), why));
        }));
    }

    fn install(&mut self, me: &ActorRef<Msg>) {
        self.next_life();
        self.publish(GatewayState::Installing("Installing IBKR's gateway.".to_owned()));
        let (me, generation) = (me.clone(), self.generation);
        let (data, sources) = (self.data.clone(), self.sources.clone());
        self.task = Some(tokio::spawn(async move {
            let tell = {
                let me = me.clone();
                move |how_far| {
                    let _ = me.cast(Msg::Installing(generation, how_far));
                }
            };
            let outcome = match ibd_protocol::files::why_foreign(&data) {
                Some(why) => Err(format!("{why}; nothing is installed there")),
                None => install::install(&data, &sources, tell).await,
            };
            let _ = me.cast(Msg::Installed(generation, outcome));
        }));
    }

    pub(super) fn installed(&mut self, me: &ActorRef<Msg>, outcome: Result<(), String>) {
        // Whatever is missing now will not come by installing once more.
        self.is_wanted = false;
        match outcome {
            Ok(()) => self.start(me),
            Err(why) => {
                tracing::warn!(why, "the gateway could not be installed");
                self.publish(GatewayState::NotInstalled(why));
            }
        }
    }

    pub(super) fn ended(&mut self, me: &ActorRef<Msg>, lived: Duration, why: String) {
        tracing::warn!(why, ?lived, "the gateway's process ended");
        self.publish(GatewayState::Down(why));
        self.pause = if lived >= HEALTHY { FIRST_PAUSE } else { self.pause };
        let pause = self.pause.mul_f64(crate::jitter::quarter());
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let (me, generation) = (me.clone(), self.generation);
        self.task = Some(tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = me.cast(Msg::Cooled(generation));
        }));
    }

    /// From now on nothing counts that is still under way.
    pub(super) fn next_life(&mut self) {
        self.generation += 1;
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}
