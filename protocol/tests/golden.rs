//! One file of bytes per message: a change of the wire is a change in `protocol/golden/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Debug;
use std::path::PathBuf;

use ibd_protocol::states::Said;
use ibd_protocol::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, message: T) {
    let bytes = wire::encode(&message).unwrap();
    assert_eq!(wire::decode::<T>(&bytes).unwrap(), message, "{name} survives the wire");
    let hex: String = bytes
        .chunks(32)
        .map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n")
        .collect();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("golden/{name}.hex"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &hex).unwrap();
    }
    let golden = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run `make bless`", path.display()));
    assert_eq!(hex, golden, "{name} changed on the wire: raise PROTOCOL, then `make bless`");
}

fn wishes() -> Wishes {
    Wishes {
        gateway: Some(GatewayMode::Attach),
        host: Some("localhost".into()),
        port: Some(5000),
        force_standalone: Some(false),
        paper: Some(true),
        read_only: None,
        headless: None,
        username: Some("jdoe".into()),
        password: Some(Secret::new("sim-password")),
        account: Some("DU1234567".into()),
        upstream: None,
        has_display: true,
        login: vec![("IB_TWO_FA_STRATEGY".into(), Secret::new("totp"))],
        limits: vec![("IB_MAX_ORDER_VALUE".into(), "5000".into())],
        toolsets: Some(Toolsets::of("market orders")),
    }
}

fn status() -> Status {
    Status {
        daemon: DaemonStatus {
            running: true,
            version: "0.1.0".into(),
            pid: 4711,
            uptime_seconds: 60,
        },
        gateway: GatewayStatus {
            mode: GatewayMode::Simulator,
            state: Said::from(states::Gateway::Up),
            pid: Some(4712),
            address: Some("https://127.0.0.1:5000".into()),
        },
        session: SessionStatus {
            state: Said::from(states::Session::Ready),
            text: "Ready.".into(),
            paper: Some(true),
            accounts: vec!["DU1234567".into()],
            age_seconds: Some(3),
            username: None,
            login_at: None,
            next_login_at: Some("2026-11-23T10:00:00Z".into()),
        },
        budgets: Budgets { per_second: 10, in_flight: 1, queued: 0, penalty_until: None },
        clients: vec![ClientStatus { name: "cursor".into(), read_only: false, calls: 3 }],
        trading: TradingStatus {
            state: Said::from(states::Trading::Closed),
            protection: "read_only".into(),
            text: "Trading is closed.".into(),
            waiting: 0,
            in_doubt: 0,
        },
        conditions: vec![Condition {
            code: "need_login".into(),
            text: "Not logged in.".into(),
            hint: "Log in.".into(),
            since: "2026-11-22T10:00:00Z".into(),
        }],
    }
}

#[test]
fn messages_to_the_daemon() {
    check("to_daemon_wishes", ToDaemon::Wishes(wishes()));
    let name = ClientName { name: "cursor".into(), version: "1.0".into() };
    check("to_daemon_introduce", ToDaemon::Introduce(name));
    check("to_daemon_list_tools", ToDaemon::ListTools(1));
    let call = Call {
        id: 300,
        key: "01J0000000000000000000000".into(),
        tool: "get_positions".into(),
        arguments: r#"{"accountId":"DU1234567"}"#.into(),
        deadline_ms: 45_000,
        resumes: Some("q1".into()),
    };
    check("to_daemon_call", ToDaemon::Call(call));
    check("to_daemon_cancel", ToDaemon::Cancel(300));
    check("to_daemon_status", ToDaemon::Status(2));
    check("to_daemon_logout", ToDaemon::Logout(3));
    check("to_daemon_config", ToDaemon::Config(4));
    check("to_daemon_drain", ToDaemon::Drain(5, DrainReason::Upgrade));
}

#[test]
fn what_a_person_asks_for() {
    let login = LoginRequest {
        code: Some(Secret::new("123456")),
        paper: true,
        resend: true,
        renew: true,
        join: false,
        force: false,
        wait_seconds: 40,
    };
    check("to_daemon_login", ToDaemon::Login(6, login));
    check("to_daemon_cancel_login", ToDaemon::CancelLogin(7));
    check("to_daemon_resume", ToDaemon::Resume(8));
    check("to_daemon_gateway_start", ToDaemon::Gateway(9, GatewayVerb::Start));
    check("to_daemon_gateway_stop", ToDaemon::Gateway(9, GatewayVerb::Stop));
    check("to_daemon_gateway_status", ToDaemon::Gateway(9, GatewayVerb::Status));
    let set = SecretsVerb::Set("IB_TOTP_SECRET".into(), Secret::new("JBSWY3DPEHPK3PXP"));
    check("to_daemon_secrets_set", ToDaemon::Secrets(10, set));
    check("to_daemon_secrets_list", ToDaemon::Secrets(10, SecretsVerb::List));
    let forget = SecretsVerb::Forget("IB_TOTP_SECRET".into());
    check("to_daemon_secrets_forget", ToDaemon::Secrets(10, forget));
    let given = Answer { token: "q-1".into(), value: Some(Secret::new("123456")) };
    check("to_daemon_answer", ToDaemon::Answer(given));
    let declined = Answer { token: "q-1".into(), value: None };
    check("to_daemon_answer_declined", ToDaemon::Answer(declined));
    check("to_daemon_page_opened", ToDaemon::PageOpened(true));
    check("to_daemon_oauth_test", ToDaemon::Oauth(14, OauthVerb::Test));
    check("to_daemon_oauth_reread", ToDaemon::Oauth(14, OauthVerb::Reread));
}

#[test]
fn what_a_person_does_about_orders() {
    let ask = |name: &str, verb| check(name, ToDaemon::Orders(11, verb));
    ask("to_daemon_orders_list", OrdersVerb::List);
    let placed = Resolution::Placed("1234567890".into());
    let pin = Some(Secret::new("2468"));
    let resolve = OrdersVerb::Resolve { id: "01J".into(), found: placed, pin };
    ask("to_daemon_orders_resolve", resolve);
    let resolve = OrdersVerb::Resolve { id: "01J".into(), found: Resolution::NotPlaced, pin: None };
    ask("to_daemon_orders_resolve_not", resolve);
    let pin = Some(Secret::new("2468"));
    let approve = OrdersVerb::Approve { id: "7F3K".into(), digest: "ab".into(), pin: pin.clone() };
    ask("to_daemon_orders_approve", approve);
    ask("to_daemon_orders_deny", OrdersVerb::Deny("7F3K".into()));
    ask("to_daemon_orders_freeze", OrdersVerb::Freeze { cancel_all: true });
    ask("to_daemon_orders_unfreeze", OrdersVerb::Unfreeze { pin });
    ask("to_daemon_orders_audit", OrdersVerb::Audit(20));
    ask("to_daemon_orders_audit_verify", OrdersVerb::AuditVerify);
    ask("to_daemon_orders_elsewhere", OrdersVerb::Elsewhere);
    let report = OrdersReport {
        ok: true,
        text: "One order waits for you.".into(),
        hint: "`ibctl approve 7F3K`.".into(),
        trading: Said::from(states::Trading::Open),
        needs_pin: true,
        orders: vec![OrderReport { intent_id: "01J".into(), ..OrderReport::default() }],
        approvals: vec![ApprovalReport { id: "7F3K".into(), ..ApprovalReport::default() }],
        audit: vec![AuditLine { seq: 7, what: "sending".into(), ..AuditLine::default() }],
    };
    check("to_client_orders", ToClient::Orders(11, Box::new(report)));
}

#[test]
fn what_a_person_does_about_flex_queries() {
    let ask = |name: &str, verb| check(name, ToDaemon::Flex(12, verb));
    ask("to_daemon_flex_list", FlexVerb::List);
    let query = || "1001".to_owned();
    ask(
        "to_daemon_flex_run",
        FlexVerb::Run { query: query(), name: Some("Daily".into()), refresh: true },
    );
    ask("to_daemon_flex_import", FlexVerb::Import("/home/you/statement.xml".into()));
    let section = Some("Trades".to_owned());
    ask("to_daemon_flex_export", FlexVerb::Export { query: query(), section, form: "csv".into() });
    ask(
        "to_daemon_flex_schedule",
        FlexVerb::Schedule { query: query(), daily: Some("06:15".into()) },
    );
    let prune =
        FlexVerb::Prune { superseded: true, days: Some(400), bytes: Some(1), dry_run: true };
    ask("to_daemon_flex_prune", prune);
    ask("to_daemon_flex_forget", FlexVerb::Forget { query: query(), statements: true });
    let report = FlexReport {
        ok: true,
        queries: vec![FlexQueryReport { name: "Daily".into(), ..FlexQueryReport::default() }],
        file: Some("/home/you/trades.csv".into()),
        ..FlexReport::default()
    };
    check("to_client_flex", ToClient::Flex(12, Box::new(report)));
}

#[test]
fn what_is_said_about_resources() {
    check("to_daemon_list_resources", ToDaemon::ListResources(13));
    let uri = || "ib://quote/265598".to_owned();
    let read = Read { id: 14, uri: uri(), deadline_ms: 45_000 };
    check("to_daemon_read", ToDaemon::Read(read));
    check("to_daemon_subscribe", ToDaemon::Subscribe(15, uri()));
    check("to_daemon_unsubscribe", ToDaemon::Unsubscribe(uri()));
    let quote = ResourceSpec {
        uri: "ib://quote/{conid}".into(),
        name: "quote".into(),
        title: "Quote".into(),
        description: "A quote.".into(),
        variable: Some(Variable::Number),
    };
    check("to_client_resources", ToClient::Resources(13, vec![quote]));
    check("to_client_changed", ToClient::Changed(uri()));
    let unknown = Outcome::UnknownResource("There is no such resource.".into());
    check("to_client_done_unknown_resource", ToClient::Done(14, unknown));
}

#[test]
fn what_a_person_asks_about_alerts() {
    check("to_daemon_alerts", ToDaemon::Alerts(13));
    let alert =
        AlertReport { id: "ibd-7".into(), value: Some("301.2".into()), ..AlertReport::default() };
    let report = AlertsReport { ok: true, alerts: vec![alert], ..AlertsReport::default() };
    check("to_client_alerts", ToClient::Alerts(13, Box::new(report)));
}

#[test]
fn messages_to_the_client() {
    let tool = ToolSpec {
        name: "get_positions".into(),
        title: "Positions".into(),
        description: "All positions.".into(),
        effect: Effect::Reads,
        input_schema: "{}".into(),
        output_schema: "{}".into(),
    };
    check("to_client_tools", ToClient::Tools(1, vec![tool]));
    let progress = Progress { done: 1, total: Some(3), message: "page 1".into() };
    check("to_client_progress", ToClient::Progress(300, progress));
    check("to_client_done_result", ToClient::Done(300, Outcome::Result("{}".into())));
    let picture = Picture { mime_type: "image/png".into(), bytes: vec![1, 2, 3] };
    let pictured = Outcome::Pictured("{}".into(), vec![picture]);
    check("to_client_done_pictured", ToClient::Done(300, pictured));
    check("to_client_done_refusal", ToClient::Done(300, Outcome::Refusal("{}".into())));
    check("to_client_done_unknown", ToClient::Done(300, Outcome::UnknownTool));
    let hidden = Outcome::Hidden("It is in the toolset orders.".into());
    check("to_client_done_hidden", ToClient::Done(300, hidden));
    check("to_client_status", ToClient::Status(2, Box::new(status())));
    let report = LogoutReport { logged_out: true, text: "Logged out.".into() };
    check("to_client_logged_out", ToClient::LoggedOut(3, report));
    let setting = SettingReport {
        name: "IB_PAPER_TRADING".into(),
        value: Some("true".into()),
        origin: "environment".into(),
        note: None,
    };
    check("to_client_config", ToClient::Config(4, vec![setting]));
    check("to_client_draining", ToClient::Draining(DrainReason::Idle));
}

#[test]
fn what_is_completed() {
    let completing = Completing {
        what: Completable::Expiry,
        begins: "2027".into(),
        symbol: Some("AAPL".into()),
        account: None,
    };
    check("to_daemon_complete", ToDaemon::Complete(13, completing));
    let completed = Completed { values: vec!["2027-01-15".into()], total: 1 };
    check("to_client_completed", ToClient::Completed(13, completed));
}

#[test]
fn what_a_person_is_told() {
    let login = LoginReport {
        state: Said::from(states::Session::Wait2fa),
        ready: false,
        text: "IBKR waits for a code.".into(),
        next: "`ibctl login --code CODE`.".into(),
        mode: "headless".into(),
        auth_url: Some("https://localhost:5000/".into()),
        browser_opened: false,
        waiting_for: Some("code".into()),
        failed: None,
    };
    check("to_client_login", ToClient::Login(6, Box::new(login)));
    let report = Report { ok: true, text: "Kept.".into(), hint: String::new() };
    check("to_client_report", ToClient::Report(8, report));
    let gateway = GatewayReport {
        ok: true,
        state: Said::from(states::Gateway::Up),
        text: "The gateway is up.".into(),
        hint: String::new(),
        pid: Some(4713),
        address: Some("https://localhost:5000".into()),
        certificate: Some("ab".repeat(32)),
        log: Some("/state/gateway/logs/gateway.log".into()),
    };
    check("to_client_gateway", ToClient::Gateway(9, Box::new(gateway)));
    let secret =
        SecretReport { name: "IB_PASSWORD_AUTH".into(), set: true, origin: Some("keyring".into()) };
    check("to_client_secrets", ToClient::Secrets(10, vec![secret]));
    check("to_client_open_page", ToClient::OpenPage("https://localhost:5000/".into()));
    let event = Event {
        level: Level::Warning,
        code: "need_login".into(),
        text: "The login is over.".into(),
        hint: "`ibctl login`.".into(),
    };
    check("to_client_event", ToClient::Event(event));
    let question = Question {
        token: "q-1".into(),
        message: "IBKR waits for a code.".into(),
        field: "code".into(),
        title: "Code".into(),
        description: "Six digits of your authenticator app.".into(),
        choices: vec!["decline".into(), "approve".into()],
        fallback: "{}".into(),
    };
    check("to_client_done_needs_input", ToClient::Done(300, Outcome::NeedsInput(question)));
}
