//! What one client may do: what the daemon allows, made stricter by the client's own wishes. Pure.

use ibd_cpapi::id::AccountId;
use ibd_protocol::settings::{Key, Settings};
use ibd_protocol::{Effect, ErrorCode, Toolset, Toolsets, Wishes};

use crate::config::{Config, GatewayChoice};
use crate::gateway::GatewayView;
use crate::refusal::Refusal;
use crate::session::Facts;
use crate::session::login::Wish;

/// One client's policy; settled once, when it connects.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Tools that write are neither listed nor known.
    pub read_only: bool,
    /// Only ever a paper session.
    pub paper_only: bool,
    /// The sets of tools that are listed and known.
    pub toolsets: Toolsets,
    /// The account for calls that name none.
    pub account: Option<AccountId>,
    /// This client wants to be logged in without a person.
    pub headless: bool,
    /// Seconds that `authenticate` waits.
    pub wait: u64,
    /// Limits for orders that it brought along; a name may be there twice.
    pub bound: Vec<(String, String)>,
    /// Settings that it wanted looser than the daemon has them: they are not applied.
    pub unheard: Vec<&'static str>,
    /// No dialog of this client approves.
    pub is_ctl_only: bool,
    /// Who is named to exchanges of futures.
    pub operator: Option<String>,
    /// The sets that the daemon's own configuration leaves.
    of_daemon: Toolsets,
    watches_loss: bool,
    gateway: Option<GatewayChoice>,
    username: Option<String>,
    bad_account: Option<String>,
}

impl Policy {
    /// The stricter of daemon and client, in everything.
    pub fn settle(config: &Config, wishes: &Wishes) -> Self {
        let daemon = &config.settings;
        let on = |key, wish: Option<bool>| daemon.flag(key) == Some(true) || wish == Some(true);
        let named = wishes.account.as_deref().or(daemon.text(Key::Account));
        let account = named.map(str::parse::<AccountId>);
        let of_daemon = daemon.toolsets().unwrap_or_default();
        let asked = wishes.toolsets.clone().unwrap_or_else(|| of_daemon.clone());
        let wants_more = (!asked.is_within(&of_daemon)).then_some(Key::Toolsets.name());
        Self {
            read_only: on(Key::ReadOnlyMode, wishes.read_only),
            paper_only: on(Key::PaperTrading, wishes.paper),
            headless: on(Key::HeadlessMode, wishes.headless),
            wait: wait(daemon, wishes),
            bound: config.bound.iter().chain(&wishes.limits).cloned().collect(),
            unheard: [daemon.loosened_by(&wishes.limits), Wish::unheard(daemon, wishes)]
                .concat()
                .into_iter()
                .chain(wants_more)
                .collect(),
            toolsets: asked.both(&of_daemon),
            of_daemon,
            is_ctl_only: [&config.bound, &wishes.limits]
                .into_iter()
                .flatten()
                .any(|(name, value)| name == Key::ApproveBy.name() && value == "ibctl"),
            operator: daemon.text(Key::OrderOperator).map(str::to_owned),
            watches_loss: daemon.text(Key::MaxDailyLoss).is_some()
                || (config.bound.iter().chain(&wishes.limits))
                    .any(|(name, _)| name == Key::MaxDailyLoss.name()),
            bad_account: account.as_ref().and_then(|a| a.as_ref().err()).map(ToString::to_string),
            account: account.and_then(Result::ok),
            gateway: GatewayChoice::wished(wishes),
            username: wishes
                .username
                .clone()
                .or_else(|| daemon.text(Key::Username).map(str::to_owned)),
        }
    }

    /// Whether tools of this effect are for this client at all.
    pub fn allows(&self, effect: Effect) -> bool {
        !self.read_only || effect.is_for_readers()
    }

    /// Whether tools of a set and effect are listed.
    pub fn shows(&self, set: Toolset, effect: Effect) -> bool {
        self.allows(effect) && self.toolsets.has(set)
    }

    /// Why the tools of a set are not there, if they are not: what says so, and where.
    pub fn hides(&self, set: Toolset) -> Option<String> {
        if self.toolsets.has(set) {
            return None;
        }
        let place = if self.of_daemon.has(set) {
            "where this client starts ib-mcp"
        } else {
            "as toolsets in ibd's config.toml or environment"
        };
        Some(format!(
            "it is in the toolset {set}, which {} hides {place} (shown: {}); ask the user to add {set} there",
            Key::Toolsets,
            self.toolsets
        ))
    }

    /// Whether a limit of anybody wants to know the day's profit or loss.
    pub fn watches_loss(&self) -> bool {
        self.watches_loss
    }

    /// Whether this client may be served through this gateway at all.
    pub fn admits_gateway(&self, gateway: &GatewayView) -> Result<(), Refusal> {
        if let Some(problem) = &self.bad_account {
            return Err(Refusal::new(
                ErrorCode::BadConfiguration,
                format!("IB_ACCOUNT: {problem}"),
                "Ask the user to correct IB_ACCOUNT in this client's configuration.",
            )
            .at(Key::Account.name()));
        }
        match (&self.gateway, &gateway.choice) {
            (Some(wished), Some(chosen)) if !wished.is_met_by(chosen) => Err(Refusal::new(
                ErrorCode::OtherGateway,
                format!(
                    "This client is configured for {wished}, but the daemon works with {chosen}."
                ),
                "Ask the user to set IB_PROFILE to another name in this client's configuration \
                 (a daemon of its own), or to run `ibctl restart`.",
            )
            .at(Key::Gateway.name())),
            _ => Ok(()),
        }
    }

    /// Whether this client may be served by a session of this login.
    pub fn admits_login(&self, facts: &Facts) -> Result<(), Refusal> {
        self.admits_username(facts)?;
        self.admits_mode(facts)
    }

    /// Whether this client may hear of what happened under a login, where that may be another than the present one.
    pub fn may_hear(&self, paper: Option<bool>, username: Option<&str>) -> bool {
        let username = username.map(str::to_owned);
        self.admits_login(&Facts { paper, username, ..Facts::default() }).is_ok()
    }

    fn admits_username(&self, facts: &Facts) -> Result<(), Refusal> {
        match (&self.username, &facts.username) {
            (Some(wished), Some(logged_in)) if !wished.eq_ignore_ascii_case(logged_in) => {
                Err(Refusal::new(
                    ErrorCode::OtherUsername,
                    format!("This client is configured for the login {wished}, but {logged_in} is logged in."),
                    "Ask the user to set IB_PROFILE to another name for this login, or to log in as the other user.",
                )
                .at(Key::Username.name()))
            }
            // IBKR tells once a minute who is logged in; until then nobody is taken for somebody.
            (Some(wished), None) => Err(Refusal::new(
                ErrorCode::UsernameUnknown,
                format!("This client is configured for the login {wished}, and IBKR has not yet said who is logged in."),
                "Try again in a minute.",
            )
            .at(Key::Username.name())),
            _ => Ok(()),
        }
    }

    /// A session that is not beyond doubt a paper one is not a paper one.
    fn admits_mode(&self, facts: &Facts) -> Result<(), Refusal> {
        let (what, next) = match facts.paper {
            _ if !self.paper_only => return Ok(()),
            Some(true) => return Ok(()),
            Some(false) => ("a live session is logged in", "log in to the paper account"),
            None => ("it is not clear whether the session is paper or live", "log in again"),
        };
        Err(Refusal::new(
            ErrorCode::LiveSession,
            format!("Only paper trading is allowed here (IB_PAPER_TRADING), but {what}."),
            format!("Ask the user to {next}, or to use another IB_PROFILE for it."),
        )
        .at(Key::PaperTrading.name()))
    }
}

/// How long `authenticate` waits: what this client says, then what the daemon says.
fn wait(daemon: &Settings, wishes: &Wishes) -> u64 {
    let mut own = Settings::default();
    own.take_login(&wishes.login);
    let said = own.number(Key::AuthWaitSeconds).or(daemon.number(Key::AuthWaitSeconds));
    said.unwrap_or(LONGEST_WAIT).min(45)
}

/// Seconds until `authenticate` answers whatever is so by then.
const LONGEST_WAIT: u64 = 40;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ibd_protocol::places::Places;
    use ibd_protocol::settings::from_toml_pairs;
    use ibd_protocol::{GatewayMode, Wishes};

    fn config(pairs: &[(&str, &str)]) -> Config {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let places = Places {
            profile: "default".into(),
            config: "/x".into(),
            state: "/x".into(),
            runtime: "/x".into(),
            data: "/x".into(),
        };
        Config { settings: from_toml_pairs(pairs), places, auto_started: false, bound: Vec::new() }
    }

    fn login(paper: Option<bool>) -> Facts {
        Facts { paper, username: Some("jdoe".into()), ..Facts::default() }
    }

    fn refused(policy: &Policy, facts: &Facts) -> &'static str {
        policy.admits_login(facts).map_or_else(|r| r.error.as_str(), |()| "admitted")
    }

    #[test]
    fn the_stricter_side_wins() {
        let strict = Wishes { read_only: Some(true), paper: Some(true), ..Wishes::default() };
        let loose = Wishes { read_only: Some(false), paper: Some(false), ..Wishes::default() };
        let (open, closed) =
            (config(&[]), config(&[("read_only_mode", "true"), ("paper_trading", "1")]));
        for (config, wishes, expected) in [
            (&open, &strict, true),
            (&closed, &loose, true),
            (&closed, &Wishes::default(), true),
            (&open, &loose, false),
        ] {
            let policy = Policy::settle(config, wishes);
            assert_eq!((policy.read_only, policy.paper_only), (expected, expected));
        }
    }

    #[test]
    fn a_client_sees_the_sets_that_it_and_the_daemon_want() {
        for (daemon, client, shown, unheard, place) in [
            ("all", None, "market, orders, flex", false, ""),
            ("all", Some("market"), "market", false, "where this client starts"),
            ("market flex", None, "market, flex", false, "config.toml"),
            ("market flex", Some("market orders"), "market", true, "config.toml"),
        ] {
            let config = config(&[("toolsets", daemon)]);
            let toolsets = client.map(Toolsets::of);
            let policy = Policy::settle(&config, &Wishes { toolsets, ..Wishes::default() });
            let sets = policy.toolsets.both(&Toolsets::of("market orders flex"));
            assert_eq!(sets.to_string(), shown, "{daemon} {client:?}");
            assert_eq!(policy.unheard.contains(&"IB_TOOLSETS"), unheard, "{daemon} {client:?}");
            let why = policy.hides(Toolset::Orders).unwrap_or_default();
            assert!(why.contains(place), "{daemon} {client:?}: {why}");
            assert_eq!(policy.hides(Toolset::Every), None);
        }
    }

    #[test]
    fn limits_of_a_client_and_of_a_place_that_only_a_client_named_bind_together() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut config = config(&[("max_order_value", "100")]);
        config.bound = vec![pair("IB_APPROVE_BY", "ibctl"), pair("IB_MAX_ORDER_VALUE", "50")];
        let limits = vec![pair("IB_MAX_ORDER_VALUE", "500"), pair("IB_MAX_DAILY_LOSS", "1")];
        let policy = Policy::settle(&config, &Wishes { limits, ..Wishes::default() });
        assert_eq!(policy.bound.len(), 4);
        assert!(policy.is_ctl_only && policy.watches_loss());
        assert_eq!(policy.unheard, ["IB_MAX_ORDER_VALUE"]);
    }

    #[test]
    fn a_paper_client_is_served_only_by_what_is_beyond_doubt_paper() {
        let wishes = Wishes { paper: Some(true), ..Wishes::default() };
        let policy = Policy::settle(&config(&[]), &wishes);
        assert_eq!(refused(&policy, &login(Some(true))), "admitted");
        assert_eq!(refused(&policy, &login(Some(false))), "live_session");
        assert_eq!(refused(&policy, &login(None)), "live_session");
        assert!(policy.may_hear(Some(true), None) && !policy.may_hear(None, Some("jdoe")));
    }

    #[test]
    fn another_gateway_or_login_is_refused() {
        let wishes = Wishes { gateway: Some(GatewayMode::Simulator), ..Wishes::default() };
        let policy = Policy::settle(&config(&[]), &wishes);
        let attached = GatewayView {
            choice: Some(GatewayChoice::Attach {
                host: "localhost".into(),
                port: 5000,
                certificate: None,
            }),
            ..GatewayView::default()
        };
        assert_eq!(policy.admits_gateway(&attached).unwrap_err().error, ErrorCode::OtherGateway);
        let wishes = Wishes { username: Some("other".into()), ..Wishes::default() };
        let policy = Policy::settle(&config(&[]), &wishes);
        assert_eq!(refused(&policy, &login(Some(true))), "other_username");
        assert_eq!(refused(&policy, &Facts::default()), "username_unknown");
        let wishes = Wishes { username: Some("JDoe".into()), ..Wishes::default() };
        assert_eq!(refused(&Policy::settle(&config(&[]), &wishes), &login(Some(true))), "admitted");
    }

    #[test]
    fn a_bad_account_is_named() {
        let wishes = Wishes { account: Some("U1\u{7}".into()), ..Wishes::default() };
        let policy = Policy::settle(&config(&[]), &wishes);
        let refusal = policy.admits_gateway(&GatewayView::default()).unwrap_err();
        assert_eq!(refusal.error, ErrorCode::BadConfiguration);
    }
}
