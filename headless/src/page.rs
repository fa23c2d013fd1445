//! The login page in the browser: looking, clicking, typing.

use std::sync::Arc;
use std::time::Duration;

use ibd_protocol::Secret;
use serde_json::{Value, json};

use crate::attempt::{Attempt, Selectors};
use crate::failed::{Failed, Missing};
use crate::guard::Guard;
use crate::pipe::{Broken, Command, Pipe};
use crate::sight::Sight;

/// The page's side of it.
const SCRIPT: &str = include_str!("page.js");
/// Between keys. Scripts of the page see each.
const KEY: Duration = Duration::from_millis(4);

/// A place on the page. The names are those of `page.js`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Username,
    Password,
    LoginSubmit,
    TotpInput,
    TotpSubmit,
    Switch,
    Promo,
    Resend,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Password => "password",
            Self::LoginSubmit => "loginSubmit",
            Self::TotpInput => "totpInput",
            Self::TotpSubmit => "totpSubmit",
            Self::Switch => "switch",
            Self::Promo => "promo",
            Self::Resend => "resend",
        }
    }
}

/// What the driver needs of a login page.
pub(crate) trait Page: Send + Sync {
    /// One look; nothing while the page is changing to another.
    fn look(&self) -> impl Future<Output = Result<Option<Sight>, Failed>> + Send;
    /// Clicks; false if there is nothing to click.
    fn click(&self, place: Place) -> impl Future<Output = Result<bool, Failed>> + Send;
    /// Replaces what is in a field.
    fn fill(&self, place: Place, text: &Secret) -> impl Future<Output = Result<(), Failed>> + Send;
    /// Presses the return key.
    fn enter(&self) -> impl Future<Output = Result<(), Failed>> + Send;
    /// Chooses from the list of methods.
    fn choose(&self, index: usize) -> impl Future<Output = Result<(), Failed>> + Send;
}

/// A page in a real browser.
pub(crate) struct Tab<'a> {
    pipe: &'a Pipe,
    session: String,
    selectors: Value,
    guard: Arc<Guard>,
}

impl<'a> Tab<'a> {
    /// A new tab, in which nothing but the gateway's origin is loaded.
    pub(crate) async fn open(
        pipe: &'a Pipe,
        selectors: &Selectors,
        guard: Arc<Guard>,
    ) -> Result<Self, Broken> {
        let target = json!({"url": "about:blank"});
        let target = pipe.call(None, Command::new("Target.createTarget", target)).await?;
        let id = target["targetId"].as_str().unwrap_or_default().to_owned();
        let attach = json!({"targetId": id, "flatten": true});
        let session = pipe.call(None, Command::new("Target.attachToTarget", attach)).await?;
        let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        // The id of a tab is that of its main frame.
        guard.watch(id);
        let tab = Self { pipe, session, selectors: places(selectors), guard };
        let documents = json!({"patterns": [{"urlPattern": "*", "resourceType": "Document"}]});
        tab.call("Fetch.enable", documents).await?;
        tab.call("Page.enable", json!({})).await?;
        tab.call("Inspector.enable", json!({})).await?;
        Ok(tab)
    }

    /// Loads the login page.
    pub(crate) async fn load(&self, attempt: &Attempt) -> Result<(), Failed> {
        let loaded = match self.call("Page.navigate", json!({"url": attempt.url})).await {
            Err(Broken::Silent { .. }) => {
                return Err(Failed::Unreachable("no answer in time".into()));
            }
            loaded => loaded?,
        };
        let error = loaded["errorText"].as_str().unwrap_or_default();
        if let Some(place) = self.guard.refused() {
            return Err(Failed::WrongPage(place));
        }
        match error {
            "" => Ok(()),
            error if error.contains("ERR_CERT") || error.contains("ERR_SSL") => {
                Err(Failed::OtherCertificate(error.to_owned()))
            }
            error => Err(Failed::Unreachable(error.to_owned())),
        }
    }

    async fn call(&self, method: &'static str, params: Value) -> Result<Value, Broken> {
        self.pipe.call(Some(&self.session), Command::new(method, params)).await
    }

    async fn run(&self, op: &str, arg: Value) -> Result<Value, Broken> {
        let expression = format!("{}({},{},{arg})", SCRIPT.trim_end(), self.selectors, json!(op));
        let params = json!({"expression": expression, "returnByValue": true, "silent": true});
        let mut result = self.call("Runtime.evaluate", params).await?;
        if let Some(trouble) = result.get("exceptionDetails") {
            let text = trouble["exception"]["description"].as_str().unwrap_or("a script failed");
            let text = crate::words::short(text);
            return Err(Broken::Refused { method: "Runtime.evaluate", text });
        }
        Ok(result["result"]["value"].take())
    }

    async fn mouse(&self, kind: &str, at: &Value) -> Result<(), Broken> {
        let pressed = i32::from(kind != "mouseMoved");
        let button = if pressed == 1 { "left" } else { "none" };
        let params = json!({
            "type": kind, "x": at["x"], "y": at["y"], "button": button, "clickCount": pressed,
        });
        self.call("Input.dispatchMouseEvent", params).await.map(drop)
    }

    async fn key(&self, kind: &str, key: &str, text: Option<&str>) -> Result<(), Broken> {
        let code = match key {
            "Enter" => 13,
            "Backspace" => 8,
            _ => 0,
        };
        let mut params = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
        if let Some(text) = text {
            params["text"] = json!(text);
            params["unmodifiedText"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", params).await.map(drop)
    }

    async fn stroke(&self, key: &str, text: Option<&str>) -> Result<(), Broken> {
        self.key("keyDown", key, text).await?;
        self.key("keyUp", key, None).await
    }

    /// Whether keys would go to that field, and what is in it would be replaced.
    async fn focus(&self, place: Place) -> Result<bool, Failed> {
        for _ in 0..2 {
            self.click(place).await?;
            if self.run("focused", json!(place.name())).await? == true {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn length(&self, place: Place) -> Result<Option<u64>, Broken> {
        Ok(self.run("length", json!(place.name())).await?.as_u64())
    }
}

impl Page for Tab<'_> {
    async fn look(&self) -> Result<Option<Sight>, Failed> {
        if let Some(place) = self.guard.refused() {
            return Err(Failed::WrongPage(place));
        }
        if self.guard.has_crashed() {
            let what = "the page's process ended, perhaps for lack of memory";
            return Err(Failed::BrowserFailed(what.into()));
        }
        let seen = match self.run("look", Value::Null).await {
            Ok(seen) => seen,
            // The page is changing to another one.
            Err(Broken::Refused { text, .. }) => {
                tracing::debug!(text, "nothing to see");
                return Ok(None);
            }
            Err(broken) => return Err(broken.into()),
        };
        let sight: Sight = serde_json::from_value(seen)
            .map_err(|error| Failed::BrowserFailed(format!("its look at the page: {error}")))?;
        if sight.origin == "null" && sight.text.contains("ERR_") {
            return Err(Failed::Unreachable(crate::words::short(&sight.text)));
        }
        Ok(Some(sight))
    }

    async fn click(&self, place: Place) -> Result<bool, Failed> {
        let at = self.run("locate", json!(place.name())).await?;
        if at.is_null() {
            return Ok(false);
        }
        if at["free"] != true {
            return Ok(self.run("press", json!(place.name())).await? == true);
        }
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            self.mouse(kind, &at).await?;
        }
        Ok(true)
    }

    async fn fill(&self, place: Place, text: &Secret) -> Result<(), Failed> {
        let elsewhere = || Failed::PageUnknown(Missing::Typed);
        if !self.focus(place).await? {
            return Err(elsewhere());
        }
        if self.length(place).await? != Some(0) {
            self.stroke("Backspace", None).await?;
        }
        if self.length(place).await? != Some(0) {
            return Err(elsewhere());
        }
        let mut buffer = [0; 4];
        for letter in text.expose().chars() {
            let letter = letter.encode_utf8(&mut buffer);
            self.stroke(letter, Some(letter)).await?;
            tokio::time::sleep(KEY).await;
        }
        let length = text.expose().encode_utf16().count() as u64;
        match self.length(place).await? {
            Some(found) if found == length => Ok(()),
            _ => Err(elsewhere()),
        }
    }

    async fn enter(&self) -> Result<(), Failed> {
        Ok(self.stroke("Enter", Some("\r")).await?)
    }

    async fn choose(&self, index: usize) -> Result<(), Failed> {
        if self.run("choose", json!(index)).await? == true {
            Ok(())
        } else {
            Err(Failed::PageUnknown(Missing::Device))
        }
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Self::BrowserFailed(broken.to_string())
    }
}

/// All selectors by their names in `page.js`.
fn places(selectors: &Selectors) -> Value {
    json!({
        "username": selectors.username,
        "password": selectors.password,
        "loginSubmit": selectors.login_submit,
        "totpInput": selectors.totp_input,
        "totpSubmit": selectors.totp_submit,
        "deviceSelect": selectors.device_select,
        "switch": ["label[for=toggle1]"],
        "error": [".xyz-errormessage", ".alert.alert-danger"],
        "panel": ["#twofactbase"],
        "notice": [".login-step-notification"],
        "resend": ["a[onclick*='resendNotification']"],
        "promo": [".ibkey-promo-skip"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_selectors() {
        let places = places(&Selectors::default());
        use Place::*;
        for place in [Username, Password, LoginSubmit, TotpInput, TotpSubmit, Switch, Promo, Resend]
        {
            assert!(places[place.name()].is_array(), "{place:?}");
        }
    }
}
