//! The desks: what a tool may ask, as handles. No actor's mailbox is visible from here.

use crate::alerts::AlertsHandle;
use crate::analyst::Analyst;
use crate::board::Board;
use crate::flex::FlexHandle;
use crate::gateway::GatewayHandle;
use crate::history::Histories;
use crate::market::MarketHandle;
use crate::orders::{Feeds, OrdersHandle, RuleBook};
use crate::recent::Recent;
use crate::session::SessionHandle;
use crate::store::Store;
use crate::stream::StreamHandle;

/// Everything a tool may ask.
#[derive(Debug, Clone)]
pub struct Desks {
    /// The way to IBKR.
    pub gateway: GatewayHandle,
    /// The login.
    pub session: SessionHandle,
    /// What IBKR tells by itself.
    pub stream: StreamHandle,
    /// What is remembered.
    pub store: Store,
    /// What was held and asked for lately.
    pub recent: Recent,
    /// Every order, and the way to send one.
    pub orders: OrdersHandle,
    /// Which orders feeds are warm.
    pub feeds: Feeds,
    /// What the broker said about trading contracts.
    pub rules: RuleBook,
    /// The lines of market data.
    pub market: MarketHandle,
    /// Price histories that were asked for lately.
    pub histories: Histories,
    /// What Portfolio Analyst told lately.
    pub analyst: Analyst,
    /// Flex queries and their statements.
    pub flex: FlexHandle,
    /// The alerts that ibd itself watches.
    pub alerts: AlertsHandle,
    /// How everything is.
    pub board: Board,
}
