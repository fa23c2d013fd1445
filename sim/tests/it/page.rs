//! A visitor of the login page: its posts, as the page's script makes them.

use serde_json::Value;

use crate::harness::{Answer, World, request};

/// Paper or live, as the switch on the page says it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    Live,
    Paper,
}

impl Mode {
    fn login_type(self) -> &'static str {
        match self {
            Self::Live => "1",
            Self::Paper => "2",
        }
    }
}

/// Somebody at the page, with the cookie that it gave.
pub(crate) struct Visitor<'a> {
    world: &'a World,
    cookie: String,
    mode: Mode,
}

impl<'a> Visitor<'a> {
    /// Opens the page.
    pub(crate) async fn open(world: &'a World, mode: Mode) -> Self {
        let page = world.raw(&request("GET", "/sso/Login?forwardTo=22", None)).await.unwrap();
        assert_eq!(page.status, 200);
        let line = page.head.lines().find_map(|l| l.strip_prefix("set-cookie: ")).unwrap();
        assert!(line.starts_with("JSESSIONID=") && line.ends_with("; Path=/sso"), "{line}");
        let cookie = line.split(';').next().unwrap().to_owned();
        Self { world, cookie, mode }
    }

    /// A form post with this visit's cookie.
    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            self.cookie,
            body.len()
        );
        self.world.raw(&format!("{head}{body}")).await.unwrap()
    }

    /// One step; the answer is JSON.
    pub(crate) async fn step(&self, fields: &[(&str, &str)]) -> Value {
        let mut all = fields.to_vec();
        all.extend([("RESP_TYPE", "JSON"), ("LOGIN_TYPE", self.mode.login_type())]);
        let answer = self.form("/sso/Authenticator", &all).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// User name and password.
    pub(crate) async fn password(&self, user: &str, password: &str) -> Value {
        let init = self.step(&[("ACTION", "INIT"), ("USER", user), ("SERVICE", "AM.LOGIN")]).await;
        assert_eq!(init["state"], "init");
        self.step(&[("ACTION", "COMPLETEAUTH"), ("USER", user), ("PASSWORD", password)]).await
    }

    /// The same with the right password.
    pub(crate) async fn user(&self, user: &str) -> Value {
        self.password(user, "sim-password").await
    }

    /// A code or a response.
    pub(crate) async fn code(&self, code: &str) -> Value {
        self.step(&[("ACTION", "COMPLETETWOFACT"), ("RESPONSE", code)]).await
    }

    /// How it stands, as the page asks while it waits for the phone.
    pub(crate) async fn look(&self) -> Value {
        self.step(&[("ACTION", "PUSHSTATUS")]).await
    }

    /// The end of the visit.
    pub(crate) async fn dispatch(&self) -> Answer {
        let fields = [("loginType", self.mode.login_type()), ("forwardTo", "22")];
        self.form("/sso/Dispatcher", &fields).await
    }
}
