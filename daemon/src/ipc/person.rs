//! What a person asks for through `ibctl`. Each call ends with one answer.

use std::sync::Arc;
use std::time::Duration;

use ibd_protocol::settings::{self, KEYRING, Key, Setting, find};
use ibd_protocol::{
    ErrorCode, FlexVerb, GatewayMode, GatewayVerb, LoginRequest, OauthVerb, OrdersVerb, Report,
    RequestId, Secret, SecretReport, SecretsVerb, ToClient,
};
use tokio::time::Instant;

use super::Shared;
use crate::refusal::for_person;
use crate::secrets as kept;
use crate::session::OpenPage;
use crate::session::guard::Asker;
use crate::session::login::Ask;

/// A gateway that must be installed first is waited for so long.
const INSTALL: Duration = Duration::from_secs(1_800);
/// A gateway that is only being taken over is so within this time.
const SETTLED: Duration = Duration::from_secs(3);
/// The session answers a person within this time.
const RESUME: Duration = Duration::from_secs(60);
/// Keys are tried, and a trading session is opened with them, within this time.
const TEST: Duration = Duration::from_secs(90);
/// Nobody waits longer for one answer; `ibctl` asks again.
const LONGEST_WAIT: u32 = 600;

/// What such a call needs.
pub(super) struct PersonCall {
    pub(super) id: RequestId,
    pub(super) shared: Shared,
    pub(super) page: Option<OpenPage>,
    pub(super) progress: Arc<dyn Fn(String) + Send + Sync>,
}

pub(super) async fn login(call: PersonCall, request: LoginRequest) -> ToClient {
    let session = &call.shared.desks.session;
    let has_code = request.code.is_some();
    if has_code && !session.answer(None, request.code).await {
        let mut report = session.now().report();
        report.failed = Some(ErrorCode::NoLogin.as_str().to_owned());
        report.text = "No login waits for a code.".to_owned();
        report.next = "Run `ibctl login` first.".to_owned();
        return ToClient::Login(call.id, Box::new(report));
    }
    if request.resend && !session.resend().await {
        let mut report = session.now().report();
        report.failed = Some(ErrorCode::NoLogin.as_str().to_owned());
        report.text = "No login waits for an approval on the phone.".to_owned();
        report.next = "Run `ibctl login` first.".to_owned();
        return ToClient::Login(call.id, Box::new(report));
    }
    let ask = Ask {
        asker: Asker::Person,
        forced: request.force,
        paper: request.paper,
        headless: false,
        renew: request.renew,
        join_only: request.join || has_code || request.resend,
    };
    let wait = Duration::from_secs(u64::from(request.wait_seconds.clamp(1, LONGEST_WAIT)));
    let deadline = Instant::now() + wait;
    let progress = call.progress.clone();
    let tell = move |text: &str| progress(text.to_owned());
    let followed = session.login(ask, call.page, deadline, tell).await;
    ToClient::Login(call.id, Box::new(followed.report()))
}

pub(super) async fn cancel_login(call: PersonCall) -> ToClient {
    let session = &call.shared.desks.session;
    let was_running = session.cancel_login().await;
    let mut report = session.now().report();
    if !was_running {
        report.text = "No login is under way.".to_owned();
        report.next = String::new();
    }
    ToClient::Login(call.id, Box::new(report))
}

pub(super) async fn resume(call: PersonCall) -> ToClient {
    let report = call.shared.desks.session.resume(Instant::now() + RESUME).await;
    ToClient::Report(call.id, report)
}

pub(super) async fn gateway(call: PersonCall, verb: GatewayVerb) -> ToClient {
    let gateway = &call.shared.desks.gateway;
    let report = match verb {
        GatewayVerb::Status => {
            gateway.settled(Instant::now() + SETTLED).await;
            let mut report = gateway.report();
            // Nothing was to be changed.
            report.ok = true;
            report
        }
        GatewayVerb::Start => {
            let progress = call.progress.clone();
            let tell = move |text: &str| progress(text.to_owned());
            gateway.start(Instant::now() + INSTALL, tell).await;
            gateway.report()
        }
        GatewayVerb::Stop => {
            let stopped = gateway.stop().await;
            let mut report = gateway.report();
            report.ok = stopped.is_ok();
            match stopped {
                Ok(Some(_)) => {
                    report.text = "The gateway has ended, and the login that it held.".to_owned();
                }
                Ok(None) => report.text = "No managed gateway was running.".to_owned(),
                Err(why) => {
                    report.text = format!("The gateway does not end: {why}.");
                    report.hint = "Look at `ibctl gateway logs`.".to_owned();
                }
            }
            report
        }
    };
    ToClient::Gateway(call.id, Box::new(report))
}

pub(super) async fn orders(call: PersonCall, verb: OrdersVerb) -> ToClient {
    let report = call.shared.desks.orders.verb(verb).await;
    ToClient::Orders(call.id, Box::new(report))
}

/// What a person does about the keys of the direct way.
pub(super) async fn oauth(call: PersonCall, verb: OauthVerb) -> ToClient {
    let desks = &call.shared.desks;
    let is_direct = desks.board.gateway().borrow().mode() == GatewayMode::Direct;
    let report = match verb {
        OauthVerb::Reread => {
            desks.gateway.reread().await;
            done("What requests are signed with is read again.".to_owned())
        }
        OauthVerb::Test if !is_direct => failed(
            "This daemon does not sign requests, so nothing was tried.",
            "Set IB_GATEWAY=direct (`gateway = \"direct\"` in config.toml), run `ibctl restart`, and test again.",
        ),
        OauthVerb::Test => test(&call).await,
    };
    ToClient::Report(call.id, report)
}

/// Logs in as ever, and says what came of it.
async fn test(call: &PersonCall) -> Report {
    let ask = Ask {
        asker: Asker::Person,
        forced: false,
        paper: false,
        headless: false,
        renew: false,
        join_only: false,
    };
    let progress = call.progress.clone();
    let tell = move |text: &str| progress(text.to_owned());
    let deadline = Instant::now() + TEST;
    let followed = call.shared.desks.session.login(ask, None, deadline, tell).await;
    if let Some(failure) = &followed.failed {
        return failed(failure.message.clone(), for_person(&failure.next));
    }
    let view = &followed.view;
    if view.lease.is_none() {
        return failed(view.text_at(jiff::Timestamp::now()), view.hint.clone());
    }
    let whose = match view.facts.paper {
        Some(true) => "a paper account",
        Some(false) => "a live account: real money",
        None => "an account of which it is not clear whether it is paper or live",
    };
    let accounts: Vec<String> = view.facts.accounts.iter().map(|id| id.masked()).collect();
    done(format!(
        "The keys work: IBKR opened a trading session for {whose} ({}).",
        accounts.join(", ")
    ))
}

pub(super) async fn secrets(call: PersonCall, verb: SecretsVerb) -> ToClient {
    let profile = &call.shared.config.places.profile;
    let report = match verb {
        SecretsVerb::List => return ToClient::Secrets(call.id, list(&call).await),
        SecretsVerb::Set(name, secret) => match secret_named(&name) {
            Ok(setting) => keep(profile, setting, &secret).await,
            Err(report) => report,
        },
        SecretsVerb::Forget(name) => match secret_named(&name) {
            Ok(setting) => forget(profile, setting.key).await,
            Err(report) => report,
        },
    };
    ToClient::Report(call.id, report)
}

fn secret_named(name: &str) -> Result<&'static Setting, Report> {
    find(name).filter(|setting| KEYRING.contains(&setting.key)).ok_or_else(|| {
        failed(format!("{name} is no secret."), format!("Secrets are {}.", Key::list(KEYRING)))
    })
}

async fn keep(profile: &str, setting: &Setting, secret: &Secret) -> Report {
    let key = setting.key;
    let value = match setting.kind.check(secret.expose()) {
        Ok(value) => Secret::new(value),
        Err(problem) => return failed(format!("{key}: {problem}."), "Nothing was changed."),
    };
    match kept::set(profile, key, value).await {
        Ok(()) => done(format!("{key} is in the keyring.")),
        Err(why) => no_keyring(key, &why),
    }
}

async fn forget(profile: &str, key: Key) -> Report {
    match kept::forget(profile, key).await {
        Ok(true) => done(format!("{key} was removed from the keyring.")),
        Ok(false) => done(format!("{key} was not in the keyring.")),
        Err(why) => no_keyring(key, &why),
    }
}

async fn list(call: &PersonCall) -> Vec<SecretReport> {
    let config = &call.shared.config;
    let mut reports = Vec::new();
    for key in KEYRING.iter().copied() {
        let own = config.settings.origin(key).map(|origin| origin.as_str().to_owned());
        let origin = match own {
            Some(origin) => Some(origin),
            None => kept::get(&config.places.profile, key).await.map(|_| "keyring".to_owned()),
        };
        reports.push(SecretReport { name: key.name().to_owned(), set: origin.is_some(), origin });
    }
    reports
}

fn done(text: String) -> Report {
    Report { ok: true, text, hint: String::new() }
}

fn failed(text: impl Into<String>, hint: impl Into<String>) -> Report {
    Report { ok: false, text: text.into(), hint: hint.into() }
}

fn no_keyring(key: Key, why: &str) -> Report {
    let hint = match settings::key_of_file(key.name()) {
        Some(of_file) => format!(
            "On a machine without one, give {key} as a systemd credential, or name a file of mode 0600 in \
             {key}_FILE or as {of_file} in config.toml."
        ),
        None => format!("On a machine without one, set {key} in config.toml, with mode 0600."),
    };
    failed(format!("The keyring cannot be used: {why}."), hint)
}

pub(super) async fn flex(call: PersonCall, verb: FlexVerb) -> ToClient {
    let done = crate::flex::person::verb(&call.shared.desks.flex, verb, |text| {
        (call.progress)(text.to_owned());
    });
    ToClient::Flex(call.id, Box::new(done.await))
}

pub(super) async fn alerts(call: PersonCall) -> ToClient {
    ToClient::Alerts(call.id, Box::new(call.shared.desks.alerts.report().await))
}
