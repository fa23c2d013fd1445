//! How each actor is started, with what it needs.

use ibd_protocol::socket::Listener;
use ractor::{Actor, ActorRef, SpawnErr};

use super::restarts::{Child, stays_closed};
use super::supervisor::{Msg, State};
use crate::alerts::{self, Alerts};
use crate::flex::{self, Flex};
use crate::gateway::{self, Gateway, Registered};
use crate::ipc::{self, Ipc};
use crate::market::{self, Market};
use crate::orders::{self, Orders};
use crate::session::{self, Session};
use crate::stream::{self, Stream};

impl State {
    pub(super) async fn start(&mut self, me: &ActorRef<Msg>, child: Child) -> Result<(), SpawnErr> {
        let board = self.shared.desks.board.clone();
        let cell = match child {
            Child::Gateway => {
                let earlier = board.gateway().borrow().choice.clone();
                let arguments = gateway::Arguments {
                    choice: earlier.or_else(|| self.shared.config.gateway()),
                    door: self.shared.door.clone(),
                    home: self.shared.config.places.gateway(),
                    data: self.shared.config.places.data.clone(),
                    sources: self.sources.clone(),
                    registered: Registered::new(
                        &self.shared.config,
                        self.shared.desks.gateway.brought(),
                    ),
                    board,
                };
                let (actor, _) =
                    Gateway::spawn_linked(None, Gateway, arguments, me.get_cell()).await?;
                self.gateway.install(actor.clone());
                actor.get_cell()
            }
            Child::Session => {
                let config = &self.shared.config;
                let arguments = session::Arguments {
                    board,
                    gateway: self.shared.desks.gateway.clone(),
                    settings: config.settings.clone(),
                    wish: self.shared.desks.session.wish(),
                    guard: self.guard.clone(),
                    places: config.places.clone(),
                };
                let (actor, _) =
                    Session::spawn_linked(None, Session, arguments, me.get_cell()).await?;
                self.session.install(actor.clone());
                actor.get_cell()
            }
            Child::Stream => {
                let desks = &self.shared.desks;
                let arguments = stream::Arguments {
                    board,
                    session: desks.session.clone(),
                    handle: desks.stream.clone(),
                };
                let (actor, _) =
                    Stream::spawn_linked(None, Stream, arguments, me.get_cell()).await?;
                self.stream.install(actor.clone());
                actor.get_cell()
            }
            Child::Market => {
                let desks = &self.shared.desks;
                let arguments = market::Arguments {
                    board,
                    stream: desks.stream.clone(),
                    handle: desks.market.clone(),
                };
                let (actor, _) =
                    Market::spawn_linked(None, Market, arguments, me.get_cell()).await?;
                actor.get_cell()
            }
            Child::Orders => {
                let desks = &self.shared.desks;
                let places = &self.shared.config.places;
                let arguments = orders::Arguments {
                    board,
                    session: desks.session.clone(),
                    stream: desks.stream.clone(),
                    market: desks.market.clone(),
                    feeds: desks.feeds.clone(),
                    settings: self.shared.config.settings.clone(),
                    folder: places.state.join("journal"),
                    state: places.state.clone(),
                    above: places.shared(),
                    flags: orders::flags::Flags::of(places),
                    changes: desks.orders.changes(),
                    handle: desks.orders.clone(),
                    stay_closed: stays_closed(&self.orders_failed),
                };
                let (actor, _) =
                    Orders::spawn_linked(None, Orders, arguments, me.get_cell()).await?;
                self.orders.install(actor.clone());
                actor.get_cell()
            }
            Child::Flex => {
                let arguments = flex::Arguments {
                    board,
                    store: self.shared.desks.store.clone(),
                    folder: self.shared.config.places.state.join("flex"),
                    handle: self.shared.desks.flex.clone(),
                };
                let (actor, _) = Flex::spawn_linked(None, Flex, arguments, me.get_cell()).await?;
                self.flex.install(actor.clone());
                actor.get_cell()
            }
            Child::Alerts => {
                let desks = &self.shared.desks;
                let arguments = alerts::Arguments {
                    board,
                    session: desks.session.clone(),
                    stream: desks.stream.clone(),
                    market: desks.market.clone(),
                    feeds: desks.feeds.clone(),
                    settings: self.shared.config.settings.clone(),
                    folder: self.shared.config.places.state.clone(),
                    handle: desks.alerts.clone(),
                };
                let (actor, _) =
                    Alerts::spawn_linked(None, Alerts, arguments, me.get_cell()).await?;
                self.alerts.install(actor.clone());
                actor.get_cell()
            }
            // Started once, with its socket; never again.
            Child::Ipc => return Ok(()),
        };
        self.children.push((cell.get_id(), child, cell));
        Ok(())
    }

    pub(super) async fn start_ipc(
        &mut self,
        me: &ActorRef<Msg>,
        listener: Listener,
    ) -> Result<(), SpawnErr> {
        let path = self.shared.config.places.socket();
        let arguments = ipc::Arguments { listener, path, shared: self.shared.clone() };
        let (actor, _) = Ipc::spawn_linked(None, Ipc, arguments, me.get_cell()).await?;
        self.ipc.install(actor.clone());
        self.children.push((actor.get_id(), Child::Ipc, actor.get_cell()));
        Ok(())
    }
}
