//! A look at the broker for what no stream tells in time: quotes that nobody has pushed lately, positions, and how
//! orders stand. What could not be read is asked for at the next look.

use std::collections::{BTreeMap, BTreeSet};

use ibd_cpapi::Failure;
use ibd_cpapi::id::{AccountId, Conid, OrderId};
use ibd_cpapi::orders::Stage;
use ibd_cpapi::portfolio::Position;
use jiff::Timestamp;
use ractor::ActorRef;
use rust_decimal::{Decimal, RoundingStrategy};
use tokio::time::{Duration, Instant};

use super::alert::Watch;
use super::watch::is_watched;
use super::{Msg, State};
use crate::market::{Freshness, MarketHandle, Rows, Wanted};
use crate::orders::Feeds;
use crate::portfolio;
use crate::session::Lease;

/// A look takes no longer.
const LIMIT: Duration = Duration::from_secs(25);

impl State {
    /// Looks as soon as that can be.
    pub(super) fn want_look(&mut self, me: &ActorRef<Msg>) {
        self.wants_look = true;
        self.look_now(me);
    }

    pub(super) fn look_now(&mut self, me: &ActorRef<Msg>) {
        let Some(lease) = self.lease.clone() else { return };
        if self.look.as_ref().is_some_and(|look| !look.is_finished()) {
            return;
        }
        (self.wants_look, self.looked_at) = (false, Some(Instant::now()));
        let wants = self.wants(&lease);
        if wants.is_empty() {
            return;
        }
        let (desks, me) = ((self.market.clone(), self.feeds.clone()), me.clone());
        self.look = Some(tokio::spawn(async move {
            let seen = look(lease, desks, wants).await;
            let _ = me.cast(Msg::Looked(Box::new(seen)));
        }));
    }

    fn wants(&self, lease: &Lease) -> Wants {
        let mut wants = Wants::default();
        for alert in self.kept.now.alerts.iter().filter(|alert| is_watched(alert, Some(lease))) {
            if let Some(of) = alert.watch.of() {
                let wanted = Wanted { conid: of.conid, is_option: of.is_option() };
                if !wants.quotes.contains(&wanted) {
                    wants.quotes.push(wanted);
                }
            }
            match &alert.watch {
                Watch::Pnl { .. } => wants.accounts.extend(alert.account.clone()),
                Watch::Order { order_id } => wants.orders.extend([*order_id]),
                Watch::Quote { .. } | Watch::Move { .. } | Watch::Gap { .. } => {}
            }
        }
        wants
    }
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wants {
    quotes: Vec<Wanted>,
    accounts: BTreeSet<AccountId>,
    orders: BTreeSet<OrderId>,
}

impl Wants {
    fn is_empty(&self) -> bool {
        self.quotes.is_empty() && self.accounts.is_empty() && self.orders.is_empty()
    }
}

/// A position, as much of it as its P&L needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) quantity: Decimal,
    /// What the portfolio said.
    pub(super) pnl: Decimal,
    /// The price at which it said so.
    pub(super) price: Option<Decimal>,
    /// What a price of one is worth in one contract.
    pub(super) multiplier: Option<Decimal>,
    pub(super) at: Timestamp,
}

impl Holding {
    fn of(position: &Position, at: Timestamp) -> Option<Self> {
        let quantity = position.position?.get();
        let price = position.market_price.map(|price| price.get());
        let value = position.market_value.map(|value| value.get());
        let multiplier = price.zip(value).and_then(|(price, value)| {
            value.checked_div(quantity.checked_mul(price)?).filter(|number| !number.is_zero())
        });
        let pnl = position.unrealized_pnl?.get();
        Some(Self { quantity, pnl, price, multiplier, at })
    }

    /// Its P&L at a price: that of the portfolio, and what the price has moved since. In hundredths, as money is: what
    /// is left of a float behind them is neither told nor compared.
    pub(super) fn pnl_at(&self, price: Option<Decimal>) -> Decimal {
        let moved = || {
            let move_of_one = price?.checked_sub(self.price?)?.checked_mul(self.multiplier?)?;
            self.pnl.checked_add(move_of_one.checked_mul(self.quantity)?)
        };
        let pnl = moved().unwrap_or(self.pnl);
        pnl.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
    }
}

/// An account's positions, as far as they could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) held: BTreeMap<Conid, Holding>,
    /// Held, and no P&L is said of them.
    pub(super) bare: BTreeSet<Conid>,
    /// A row that could not be read, in a sentence.
    pub(super) unread: Option<String>,
    /// Why the last look showed nothing.
    pub(super) failed: Option<String>,
}

impl Book {
    fn of(positions: &ibd_cpapi::rows::Rows<Position>, at: Timestamp) -> Self {
        let mut book = Self::default();
        for position in positions {
            match Holding::of(position, at) {
                Some(holding) => {
                    book.held.insert(position.conid, holding);
                }
                None => {
                    book.bare.insert(position.conid);
                }
            }
        }
        book.unread = positions.unread().first().map(ToString::to_string);
        book
    }
}

/// Why there is no P&L of a contract now; `None` where there is one. `book`: what was read of its account.
pub(super) fn why_no_pnl(book: Option<&Book>, conid: Conid) -> Option<String> {
    let Some(book) = book else { return Some("its positions have not been read yet".to_owned()) };
    if let Some(failed) = &book.failed {
        return Some(format!("its positions could not be read ({failed})"));
    }
    if book.held.contains_key(&conid) {
        return None;
    }
    Some(match &book.unread {
        _ if book.bare.contains(&conid) => "IBKR says no P&L of it".to_owned(),
        Some(unread) => format!("it is not among the positions that could be read. {unread}"),
        None => "nothing of it is held, as far as was read".to_owned(),
    })
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Look {
    pub(super) quotes: Rows,
    /// Why there are no quotes.
    pub(super) unquoted: Option<String>,
    /// By account.
    pub(super) books: BTreeMap<AccountId, Book>,
    /// Why the positions of an account could not be read.
    pub(super) unread: BTreeMap<AccountId, String>,
    pub(super) orders: Vec<(OrderId, Stage)>,
    /// A failure that casts doubt on the session.
    pub(super) doubt: Option<Failure>,
    /// Something that was asked was answered: what is from memory says nothing of the session.
    has_answer: bool,
}

/// Looks. Each part is read for itself.
async fn look(lease: Lease, (market, feeds): (MarketHandle, Feeds), wants: Wants) -> Look {
    let deadline = Instant::now() + LIMIT;
    let mut seen = Look::default();
    if !wants.quotes.is_empty() {
        let quotes = market.quotes(&lease, &wants.quotes, Freshness::Streamed, deadline).await;
        match seen.kept(quotes, |quotes| quotes.was_asked) {
            Ok(quotes) => seen.quotes = quotes,
            Err(why) => seen.unquoted = Some(why),
        }
    }
    for account in wants.accounts {
        let positions = portfolio::positions(&lease, &account, deadline).await;
        match seen.kept(positions, |_| true) {
            Ok((positions, at)) => {
                seen.books.insert(account, Book::of(&positions, at));
            }
            Err(why) => {
                seen.unread.insert(account, why);
            }
        }
    }
    for order_id in wants.orders {
        let page = feeds.page_of_any(&lease, order_id, deadline).await;
        // Where no account could have it nobody was asked. That an order is not found is an answer.
        let page = seen.kept(page, |_| !lease.facts().tradable.is_empty());
        let stage = page.ok().flatten().and_then(|answer| answer.value.status);
        seen.orders.extend(stage.map(|stage| (order_id, stage)));
    }
    seen.settled()
}

impl Look {
    /// What was read, or why not, in words. `is_answer`: whether it is one to a question that was asked now.
    fn kept<T>(
        &mut self,
        read: Result<T, Failure>,
        is_answer: impl FnOnce(&T) -> bool,
    ) -> Result<T, String> {
        match read {
            Ok(value) => {
                self.has_answer |= is_answer(&value);
                Ok(value)
            }
            Err(failure) => {
                tracing::debug!(%failure, "a look for alerts failed in part");
                let why = failure.to_string();
                // An error of IBKR's servers says less than anything else.
                if failure.casts_doubt() && self.doubt.as_ref().is_none_or(is_trouble) {
                    self.doubt = Some(failure);
                }
                Err(why)
            }
        }
    }

    /// Where one endpoint answers with an error and others answer, the session is what it was: to look at it would end
    /// the watch of all the others for a moment.
    fn settled(mut self) -> Self {
        if self.has_answer {
            self.doubt = self.doubt.filter(|failure| !is_trouble(failure));
        }
        self
    }
}

fn is_trouble(failure: &Failure) -> bool {
    matches!(failure, Failure::Trouble { .. })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn held(json: &str) -> Option<Holding> {
        let position: Position = serde_json::from_str(json).unwrap();
        Holding::of(&position, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn pnl_follows_the_price_from_what_the_portfolio_said() {
        let option =
            r#"{"conid":1,"position":2,"mktPrice":3.0,"mktValue":600,"unrealizedPnl":100}"#;
        let option = held(option).unwrap();
        assert_eq!(option.multiplier, Some(Decimal::ONE_HUNDRED));
        let pnl = |price: Option<i64>| option.pnl_at(price.map(Decimal::from)).normalize();
        assert_eq!(pnl(Some(4)), Decimal::from(300));
        assert_eq!(pnl(None), Decimal::from(100), "without a price it is the portfolio's");
        let short = r#"{"conid":1,"position":-10,"mktPrice":5,"mktValue":-50,"unrealizedPnl":-7}"#;
        assert_eq!(held(short).unwrap().pnl_at(Some(Decimal::from(6))), Decimal::from(-17));
    }

    #[test]
    fn what_the_portfolio_does_not_say_is_not_known() {
        let none = r#"{"conid":1,"position":2,"mktPrice":3.0}"#;
        assert_eq!(held(none), None);
        let bare = held(r#"{"conid":1,"position":2,"unrealizedPnl":5}"#).unwrap();
        assert_eq!(bare.pnl_at(Some(Decimal::from(9))), Decimal::from(5));
    }

    #[test]
    fn what_is_left_of_a_float_is_neither_told_nor_compared() {
        for (said, told) in
            [("12.300000000000001", "12.3"), ("299.99999999999994", "300"), ("-0.005", "-0.01")]
        {
            let json = format!(r#"{{"conid":1,"position":2,"unrealizedPnl":{said}}}"#);
            let pnl = held(&json).unwrap().pnl_at(None);
            assert_eq!(pnl.normalize().to_string(), told, "{said}");
        }
    }

    #[test]
    fn why_there_is_no_pnl_is_the_real_reason() {
        let conid: Conid = "7".parse().unwrap();
        let why = |json: &str| {
            let positions: ibd_cpapi::rows::Rows<Position> = serde_json::from_str(json).unwrap();
            why_no_pnl(Some(&Book::of(&positions, Timestamp::UNIX_EPOCH)), conid)
        };
        assert!(why_no_pnl(None, conid).unwrap().contains("not been read"));
        assert_eq!(why(r#"[{"conid":7,"position":2,"unrealizedPnl":5}]"#), None);
        assert!(why("[]").unwrap().contains("nothing of it is held"));
        assert!(why(r#"[{"conid":7,"position":2}]"#).unwrap().contains("says no P&L"));
        assert!(why(r#"[{"conid":"x","ticker":"VOD"}]"#).unwrap().contains("ticker VOD"));
        let failed = Book { failed: Some("it broke".into()), ..Book::default() };
        assert!(why_no_pnl(Some(&failed), conid).unwrap().contains("it broke"));
    }

    #[test]
    fn an_error_of_one_endpoint_is_no_doubt_of_the_session() {
        let trouble = || Failure::Trouble { status: 500, text: "x".into() };
        let looked = |reads: Vec<Result<bool, Failure>>| {
            let mut look = Look::default();
            for read in reads {
                let _ = look.kept(read, |was_asked| *was_asked);
            }
            look.settled().doubt
        };
        let (asked, streamed, out) = (true, false, Failure::NotLoggedIn);
        for (reads, doubt) in [
            (vec![Ok(asked), Err(trouble())], None),
            (vec![Err(trouble())], Some(trouble())),
            // What the stream told before says nothing: all that was asked failed.
            (vec![Ok(streamed), Err(trouble())], Some(trouble())),
            (vec![Ok(streamed), Err(trouble()), Ok(asked)], None),
            (vec![Ok(streamed)], None),
            (vec![Err(trouble()), Err(out.clone()), Ok(asked)], Some(out)),
            (vec![Err(Failure::Queued)], None),
        ] {
            assert_eq!(looked(reads.clone()), doubt, "{reads:?}");
        }
    }
}
