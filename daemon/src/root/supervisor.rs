//! The root actor: the other actors' supervisor, which restarts them by the table and ends them in order.

use std::time::Duration;

use ibd_protocol::socket::Listener;
use ibd_protocol::{DrainReason, GatewayMode};
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::restarts::{Child, QUIET, Reaction, on_failure};
use super::watchdog;
use crate::alerts;
use crate::budget;
use crate::config::Sources;
use crate::flex;
use crate::gateway::{self, GatewayState};
use crate::ipc::{self, Shared};
use crate::notify;
use crate::orders;
use crate::post::Post;
use crate::session;
use crate::session::guard::Guard;
use crate::stream;

/// Calls under way are given this long when the daemon ends.
const DRAIN: Duration = Duration::from_secs(20);

/// What the actor is told.
#[derive(Debug)]
pub(super) enum Msg {
    Restart(Child),
    End(DrainReason),
    Drained,
    LookForUse,
    /// Whether root still does what it is told.
    Alive(oneshot::Sender<()>),
}

/// What the actor is made of.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) listener: Listener,
    pub(super) shared: Shared,
    pub(super) session: Post<session::Msg>,
    pub(super) gateway: Post<gateway::Msg>,
    pub(super) stream: Post<stream::Msg>,
    pub(super) orders: Post<orders::Msg>,
    pub(super) flex: Post<flex::Msg>,
    pub(super) alerts: Post<alerts::Msg>,
    pub(super) sources: Sources,
    pub(super) guard: Guard,
}

#[derive(Debug)]
pub(super) struct Root;

#[derive(Debug)]
pub(super) struct State {
    pub(super) shared: Shared,
    pub(super) session: Post<session::Msg>,
    pub(super) gateway: Post<gateway::Msg>,
    pub(super) stream: Post<stream::Msg>,
    pub(super) orders: Post<orders::Msg>,
    pub(super) flex: Post<flex::Msg>,
    pub(super) alerts: Post<alerts::Msg>,
    /// When the orders actor failed lately.
    pub(super) orders_failed: Vec<Instant>,
    pub(super) sources: Sources,
    pub(super) guard: Guard,
    pub(super) ipc: Post<ipc::Msg>,
    pub(super) children: Vec<(ActorId, Child, ActorCell)>,
    failures: u32,
    last_failure: Option<Instant>,
    is_ending: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl Actor for Root {
    type Msg = Msg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        me: ActorRef<Msg>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let Arguments {
            listener,
            shared,
            session,
            gateway,
            stream,
            orders,
            flex,
            alerts,
            sources,
            guard,
        } = arguments;
        let mut state = State {
            tasks: vec![
                tokio::spawn(budget::keep_penalties(
                    shared.door.clone(),
                    shared.desks.store.clone(),
                    shared.desks.board.clone(),
                )),
                tokio::spawn(watch_ending(shared.clone(), me.clone())),
                tokio::spawn(watchdog::run(me.clone(), shared.desks.orders.clone())),
                tokio::spawn(notify::run(
                    shared.desks.board.clone(),
                    shared.config.settings.clone(),
                )),
            ],
            shared,
            session,
            gateway,
            stream,
            orders,
            flex,
            alerts,
            orders_failed: Vec::new(),
            sources,
            guard,
            ipc: Post::default(),
            children: Vec::new(),
            failures: 0,
            last_failure: None,
            is_ending: false,
        };
        state.start(&me, Child::Gateway).await?;
        state.start(&me, Child::Session).await?;
        state.start(&me, Child::Stream).await?;
        state.start(&me, Child::Market).await?;
        state.start(&me, Child::Orders).await?;
        state.start(&me, Child::Flex).await?;
        state.start(&me, Child::Alerts).await?;
        state.start_ipc(&me, listener).await?;
        state.look_for_use(&me);
        Ok(state)
    }

    async fn handle(
        &self,
        me: ActorRef<Msg>,
        msg: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Restart(child) => state.restart(&me, child).await,
            Msg::End(reason) => state.end(&me, reason),
            Msg::Drained => state.drained(&me).await,
            Msg::LookForUse => state.end_if_unused(),
            Msg::Alive(reply) => _ = reply.send(()),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(cell, error) => {
                state.failed(&me, &cell, &error.to_string())
            }
            SupervisionEvent::ActorTerminated(cell, ..) if !state.is_ending => {
                state.failed(&me, &cell, "it stopped");
            }
            _ => {}
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Msg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        for task in &state.tasks {
            task.abort();
        }
        Ok(())
    }
}

impl State {
    fn failed(&mut self, me: &ActorRef<Msg>, cell: &ActorCell, why: &str) {
        let Some(at) = self.children.iter().position(|(id, ..)| *id == cell.get_id()) else {
            return;
        };
        let (_, child, _) = self.children.remove(at);
        let is_quiet = self.last_failure.is_none_or(|at| at.elapsed() > QUIET);
        self.failures = if is_quiet { 1 } else { self.failures + 1 };
        self.last_failure = Some(Instant::now());
        tracing::error!(?child, why, failures = self.failures, "an actor failed");
        if child == Child::Orders {
            self.orders_failed.retain(|at| at.elapsed() < QUIET);
            self.orders_failed.push(Instant::now());
        }
        match on_failure(child, self.failures) {
            Reaction::RestartAfter(pause) => {
                self.shared.desks.board.note(
                    "actor_restarted",
                    format!("A part of the daemon ({child:?}) failed and is restarted: {why}."),
                    "If it comes again, look at `ibctl logs`.",
                );
                me.send_after(pause, move || Msg::Restart(child));
            }
            Reaction::End => me.stop(Some("nothing is left to supervise".to_owned())),
        }
    }

    async fn restart(&mut self, me: &ActorRef<Msg>, child: Child) {
        if let Err(error) = self.start(me, child).await {
            tracing::error!(?child, %error, "an actor could not be started again");
            me.stop(Some("an actor could not be started again".to_owned()));
        }
    }

    /// From now on no new calls; those under way are waited for.
    fn end(&mut self, me: &ActorRef<Msg>, reason: DrainReason) {
        if std::mem::replace(&mut self.is_ending, true) {
            return;
        }
        tracing::info!(?reason, "ending; calls under way are finished");
        self.ipc.send(ipc::Msg::Close);
        let (mut calls, me) = (self.shared.roster.calls(), me.clone());
        self.tasks.push(tokio::spawn(async move {
            let _ = tokio::time::timeout(DRAIN, calls.wait_for(|calls| *calls == 0)).await;
            let _ = me.cast(Msg::Drained);
        }));
    }

    /// Clients first, so that nobody asks; then the session, then the process under it. A Java gateway
    /// stays, because it holds the login; the one that was of no use to anybody goes.
    async fn drained(&mut self, me: &ActorRef<Msg>) {
        if *self.shared.ending.borrow() == Some(DrainReason::Idle)
            && let Err(error) = self.shared.desks.gateway.stop().await
        {
            tracing::error!(error, "the gateway does not end");
        }
        let order = [
            Child::Ipc,
            Child::Alerts,
            Child::Flex,
            Child::Orders,
            Child::Market,
            Child::Stream,
            Child::Session,
            Child::Gateway,
        ];
        for wanted in order {
            for (_, _, cell) in self.children.iter().filter(|(_, child, _)| *child == wanted) {
                if wanted == Child::Ipc {
                    // Peers write what they still have to say.
                    let _ = cell.stop_children_and_wait(None, Some(Duration::from_secs(2))).await;
                }
                let _ = cell.stop_and_wait(None, Some(Duration::from_secs(2))).await;
            }
        }
        me.stop(None);
    }

    fn look_for_use(&mut self, me: &ActorRef<Msg>) {
        if let Some(idle) = self.shared.config.idle_exit() {
            let often = (idle / 4).clamp(Duration::from_secs(1), Duration::from_secs(30));
            me.send_interval(often, || Msg::LookForUse);
        }
    }

    /// A login at a real gateway is kept alive by our tickles, so it is a use; one that costs nobody anything is not.
    fn end_if_unused(&self) {
        let Some(idle) = self.shared.config.idle_exit() else { return };
        let gateway = self.shared.desks.board.gateway().borrow().clone();
        let has_login = self.shared.desks.session.view().may_have_login();
        // Where requests are signed the next daemon logs in by itself, and a simulated login is none.
        let is_real = !matches!(gateway.mode(), GatewayMode::Simulator | GatewayMode::Direct);
        // A statement that is being made is waited for: whoever wanted it comes back.
        let is_running = !self.shared.desks.flex.view().going.is_empty();
        // Nobody else watches what it watches, or tells what was not told.
        let is_watching = self.shared.desks.alerts.is_at_work();
        let is_needed =
            is_watching || is_running || has_login && is_real && gateway.state == GatewayState::Up;
        if !is_needed && self.shared.roster.empty_for().is_some_and(|empty| empty >= idle) {
            self.shared.end(DrainReason::Idle);
        }
    }
}

async fn watch_ending(shared: Shared, me: ActorRef<Msg>) {
    let mut ending = shared.ending.subscribe();
    let reason = ending.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
    if let Some(reason) = reason {
        let _ = me.cast(Msg::End(reason));
    }
}
