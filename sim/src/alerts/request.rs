//! What a user sends to enter an alert, or to change one.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::condition::{Bind, Condition, moment};
use super::fields::Fields;
use super::{Expiry, Terms};
use crate::http::Reply;
use crate::state::World;

/// Every key that a request may have.
const KNOWN: [&str; 14] = [
    "orderId",
    "alertName",
    "alertMessage",
    "alertRepeatable",
    "expireTime",
    "outsideRth",
    "iTWSOrdersOnly",
    "showPopup",
    "toolId",
    "playAudio",
    "email",
    "sendMessage",
    "tif",
    "conditions",
];

/// Which alert, and what it shall be.
#[derive(Debug)]
pub(super) struct Request {
    /// A new one if missing.
    pub(super) id: Option<i64>,
    /// The Mobile Trading Assistant's.
    pub(super) tool: Option<i64>,
    pub(super) terms: Terms,
}

impl Request {
    /// Reads the body of a request.
    pub(super) fn read(world: &World, body: &Value) -> Result<Self, Reply> {
        let map = match body {
            Value::Object(map) if !map.is_empty() => map,
            _ => return Err(Reply::bad_request("body can't be empty")),
        };
        let fields = Fields::new(map, String::new(), &KNOWN)?;
        let tool = fields.whole("toolId")?;
        let terms = terms(world, &fields)?;
        if tool.is_none() {
            complete(&fields, &terms)?;
        }
        // No order has the number 0.
        Ok(Self { id: fields.whole("orderId")?.filter(|id| *id != 0), tool, terms })
    }
}

/// Everything that is there, if it fits together.
fn terms(world: &World, fields: &Fields<'_>) -> Result<Terms, Reply> {
    let flag = |key: &str| fields.flag(key).map(Option::unwrap_or_default);
    let own = |key: &str| fields.text(key).map(|text| text.map(str::to_owned));
    let terms = Terms {
        name: own("alertName")?,
        message: own("alertMessage")?,
        is_repeatable: flag("alertRepeatable")?,
        outside_rth: flag("outsideRth")?,
        sends_message: flag("sendMessage")?,
        email: own("email")?,
        is_mobile_only: flag("iTWSOrdersOnly")?,
        shows_popup: flag("showPopup")?,
        audio: own("playAudio")?,
        expiry: expiry(fields, world.clock.now_ms())?,
        conditions: conditions(world, fields)?,
    };
    if terms.sends_message && terms.email.is_none() {
        return Err(fields.wrong("email is required"));
    }
    Ok(terms)
}

/// What only the Mobile Trading Assistant's alert may lack or have.
fn complete(fields: &Fields<'_>, terms: &Terms) -> Result<(), Reply> {
    fields.needed("alertName", terms.name.as_ref())?;
    fields.needed("alertMessage", terms.message.as_ref())?;
    fields.needed("alertRepeatable", fields.flag("alertRepeatable")?)?;
    fields.needed("outsideRth", fields.flag("outsideRth")?)?;
    fields.needed("tif", fields.text("tif")?)?;
    if terms.conditions.is_empty() {
        return Err(fields.wrong("conditions is required"));
    }
    match terms.conditions.iter().position(|condition| condition.kind.is_mobile()) {
        Some(at) => Err(fields.wrong(&format!("Condition #{}:it is for MTA alerts only", at + 1))),
        None => Ok(()),
    }
}

fn expiry(fields: &Fields<'_>, now_ms: i64) -> Result<Option<Expiry>, Reply> {
    let text = fields.text("expireTime")?;
    match (fields.text("tif")?, text) {
        (None | Some("GTC"), None) => Ok(None),
        (Some("GTD"), text) => {
            let text = fields.needed("expireTime", text)?;
            let at_ms = moment(text, TimeZone::UTC);
            let at_ms = at_ms.ok_or_else(|| fields.wrong("expireTime is not valid"))?;
            if at_ms <= now_ms {
                return Err(fields.wrong("expireTime is over"));
            }
            Ok(Some(Expiry { text: text.to_owned(), at_ms }))
        }
        (None | Some("GTC"), Some(_)) => Err(fields.wrong("expireTime is for tif GTD only")),
        _ => Err(fields.wrong("tif is GTC or GTD")),
    }
}

/// All conditions: the last ends them, and no other does.
fn conditions(world: &World, fields: &Fields<'_>) -> Result<Vec<Condition>, Reply> {
    let list = fields.list("conditions")?;
    let read =
        list.iter().zip(1..).map(|(value, number)| Condition::read(&world.universe, value, number));
    let conditions: Vec<Condition> = read.collect::<Result<_, _>>()?;
    for (at, condition) in conditions.iter().enumerate() {
        let is_last = at + 1 == conditions.len();
        if is_last != (condition.bind == Bind::End) {
            let what = format!("Condition #{}:logicBind is n at the end, and only there", at + 1);
            return Err(fields.wrong(&what));
        }
    }
    Ok(conditions)
}
