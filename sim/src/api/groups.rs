//! Groups of an adviser's clients: listed, entered, changed, deleted, and what is done with them; and accounts that
//! are searched for. All of it is as documented; nobody has recorded the refusals, whose words are ours.

use serde_json::{Map, Value, json};

use super::unknown_account;
use crate::advisor::{ALL, Advisor, Group, Member, Method, Presets};
use crate::http::{Call, Reply};
use crate::market::round_to;
use crate::state::World;

/// A body's fields.
type Fields = Map<String, Value>;

pub(super) fn route(world: &mut World, call: &Call, path: &[&str]) -> Option<Reply> {
    let method = call.method.as_str();
    let answer = match (method, path) {
        ("GET", ["iserver", "account", "search", pattern]) => search(world, pattern),
        ("POST", ["iserver", "dynaccount"]) => choose(world, call),
        (_, ["iserver", "account", "allocation", rest @ ..]) => allocation(world, call, rest)?,
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn allocation(world: &mut World, call: &Call, rest: &[&str]) -> Option<Result<Reply, Reply>> {
    if world.advisor.is_none() {
        return Some(Err(unavailable()));
    }
    Some(match (call.method.as_str(), rest) {
        ("GET", ["accounts"]) => Ok(accounts(world)),
        ("GET", ["group"]) => Ok(list(world)),
        ("POST", ["group"]) => enter(world, call),
        ("PUT", ["group"]) => modify(world, call),
        ("POST", ["group", "single"]) => single(world, call),
        ("POST", ["group", "delete"]) => delete(world, call),
        ("GET", ["presets"]) => presets(world),
        ("POST", ["presets"]) => set_presets(world, call),
        _ => return None,
    })
}

fn unavailable() -> Reply {
    let text = "Details currently unavailable. Please try again later and contact client services if the issue persists.";
    Reply::refusal(503, text)
}

/// `GET /iserver/account/search/{pattern}`: accounts that begin so.
fn search(world: &World, pattern: &str) -> Result<Reply, Reply> {
    if !world.rules.dynamic_accounts {
        return Err(unavailable());
    }
    let row =
        |id: &str, alias: &str| json!({ "accountId": id, "alias": alias, "allocationId": id });
    let fits = |text: &str| text.to_uppercase().starts_with(&pattern.to_uppercase());
    let mut found: Vec<Value> = Vec::new();
    for account in world.clients() {
        let alias = account.alias.as_deref().unwrap_or(&account.id);
        if fits(&account.id) || fits(alias) {
            found.push(row(&account.id, alias));
        }
    }
    Ok(Reply::json(&json!({ "matchedAccounts": found, "pattern": pattern })))
}

/// `POST /iserver/dynaccount {"acctId":…}`.
fn choose(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    if !world.rules.dynamic_accounts {
        return Err(unavailable());
    }
    let fields = fields(call, &["acctId"])?;
    let id = text(fields, "acctId")?;
    let at = world.accounts.iter().position(|account| account.id == id);
    let at = at.filter(|_| world.tradable(id).is_some()).ok_or_else(|| unknown_account(id))?;
    (world.session.selected, world.session.group) = (at, None);
    Ok(Reply::json(&json!({ "set": true, "acctId": id })))
}

/// Amounts are text here.
fn accounts(world: &World) -> Reply {
    let row = |(name, net, available): (&str, f64, f64)| {
        let data = [("NetLiquidation", net), ("AvailableEquity", available)];
        let data =
            data.map(|(key, value)| json!({ "value": round_to(value, 2).to_string(), "key": key }));
        json!({ "data": data, "name": name })
    };
    let worth = |account: &crate::accounts::Account| {
        let worth = world.worth(account);
        (worth.base.net(), worth.available())
    };
    let mut rows: Vec<Value> = Vec::new();
    for account in world.clients() {
        let (net, available) = worth(account);
        rows.push(row((account.id.as_str(), net, available)));
    }
    Reply::json(&json!({ "accounts": rows }))
}

/// `All` is not among them.
fn list(world: &World) -> Reply {
    let row = |group: Group| {
        json!({
            "allocation_method": group.method.code(), "size": group.members.len(), "name": group.name,
        })
    };
    let groups = world.group_names().into_iter().filter_map(|name| world.group(&name));
    let rows: Vec<Value> = groups.map(row).collect();
    Reply::json(&json!({ "data": rows }))
}

fn single(world: &World, call: &Call) -> Result<Reply, Reply> {
    let name = text(fields(call, &["name"])?, "name")?;
    let group = world.group(name).ok_or_else(|| no_group(name))?;
    let member = |member: &Member| match member.amount {
        Some(amount) => json!({ "amount": amount, "name": member.account }),
        None => json!({ "name": member.account }),
    };
    let members: Vec<Value> = group.members.iter().map(member).collect();
    Ok(Reply::json(&json!({
        "name": group.name, "accounts": members, "default_method": group.method.code(),
    })))
}

fn enter(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    let group = read(world, fields(call, &["name", "accounts", "default_method"])?)?;
    is_free(world, &group.name)?;
    advisor(world)?.groups.push(group);
    Ok(success())
}

/// The whole group anew; `prev_name` is what it was called.
fn modify(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    let fields = fields(call, &["name", "prev_name", "accounts", "default_method"])?;
    let group = read(world, fields)?;
    let was = match fields.get("prev_name") {
        Some(_) => text(fields, "prev_name")?.to_owned(),
        None => group.name.clone(),
    };
    if was != group.name {
        is_free(world, &group.name)?;
    }
    let groups = &mut advisor(world)?.groups;
    let known = groups.iter_mut().find(|known| known.name == was);
    *known.ok_or_else(|| no_group(&was))? = group;
    Ok(success())
}

fn delete(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    let name = text(fields(call, &["name"])?, "name")?;
    let groups = &mut advisor(world)?.groups;
    let at = groups.iter().position(|group| group.name == name).ok_or_else(|| no_group(name))?;
    groups.remove(at);
    if world.session.group.as_deref() == Some(name) {
        world.session.group = None;
    }
    Ok(success())
}

fn presets(world: &mut World) -> Result<Reply, Reply> {
    let presets = &advisor(world)?.presets;
    Ok(Reply::json(&json!({
        "group_auto_close_positions": presets.groups_close,
        "default_method_for_all": presets.method.code(),
        "profiles_auto_close_positions": presets.profiles_close,
        "strict_credit_check": presets.checks_credit,
        "group_proportional_allocation": presets.is_proportional,
    })))
}

/// All five of them, each time.
fn set_presets(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    let known = [
        "default_method_for_all",
        "group_auto_close_positions",
        "profiles_auto_close_positions",
        "strict_credit_check",
        "group_proportional_allocation",
    ];
    let fields = fields(call, &known)?;
    advisor(world)?.presets = Presets {
        method: method(fields, "default_method_for_all")?,
        groups_close: flag(fields, "group_auto_close_positions")?,
        profiles_close: flag(fields, "profiles_auto_close_positions")?,
        checks_credit: flag(fields, "strict_credit_check")?,
        is_proportional: flag(fields, "group_proportional_allocation")?,
    };
    Ok(success())
}

/// A group as it was sent. Whose parts are set by hand has all of them.
fn read(world: &World, fields: &Fields) -> Result<Group, Reply> {
    let name = text(fields, "name")?;
    let method = match (fields.get("default_method"), &world.advisor) {
        (None, Some(advisor)) => advisor.presets.method,
        _ => method(fields, "default_method")?,
    };
    let rows = fields.get("accounts").and_then(Value::as_array).filter(|rows| !rows.is_empty());
    let rows = rows.ok_or_else(|| Reply::bad_request("accounts are required"))?;
    let mut members: Vec<Member> = Vec::new();
    for row in rows {
        let member = member(world, row)?;
        if members.iter().any(|known| known.account == member.account) {
            return Err(Reply::bad_request(&format!("{} is there twice", member.account)));
        }
        members.push(member);
    }
    let amounts: Option<Vec<f64>> = members.iter().map(|member| member.amount).collect();
    let is_right = match (method, amounts) {
        (Method::Percentages, Some(amounts)) => (amounts.iter().sum::<f64>() - 100.0).abs() < 0.01,
        (method, amounts) => !method.is_set_by_hand() || amounts.is_some(),
    };
    if !is_right {
        return Err(Reply::bad_request("amounts do not fit default_method"));
    }
    Ok(Group { name: name.to_owned(), method, members })
}

fn member(world: &World, row: &Value) -> Result<Member, Reply> {
    let Value::Object(fields) = row else {
        return Err(Reply::bad_request("an account is an object"));
    };
    if let Some(key) = fields.keys().find(|key| !["name", "amount"].contains(&key.as_str())) {
        return Err(Reply::bad_request(&format!("unknown field {key}")));
    }
    let name = text(fields, "name")?;
    if world.tradable(name).is_none() {
        return Err(unknown_account(name));
    }
    let amount = match fields.get("amount") {
        None => None,
        Some(value) => {
            let amount = value.as_f64().filter(|amount| *amount >= 0.0);
            Some(amount.ok_or_else(|| Reply::error(500, "amount is not a number"))?)
        }
    };
    Ok(Member { account: name.to_owned(), amount })
}

/// Names of groups and of accounts stand in one list.
fn is_free(world: &World, name: &str) -> Result<(), Reply> {
    if name == ALL || world.group(name).is_some() || world.account(name).is_some() {
        return Err(Reply::error(500, &format!("the name {name} is taken")));
    }
    Ok(())
}

fn advisor(world: &mut World) -> Result<&mut Advisor, Reply> {
    world.advisor.as_mut().ok_or_else(unavailable)
}

fn no_group(name: &str) -> Reply {
    Reply::error(500, &format!("there is no group {name}"))
}

fn success() -> Reply {
    Reply::json(&json!({ "success": true }))
}

/// The body, if all its keys are known: the broker ignores others, which here is a mistake.
fn fields<'a>(call: &'a Call, known: &[&str]) -> Result<&'a Fields, Reply> {
    let Value::Object(fields) = &call.body else {
        return Err(Reply::bad_request("body can't be empty"));
    };
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(Reply::bad_request(&format!("unknown field {key}"))),
        None => Ok(fields),
    }
}

fn text<'a>(fields: &'a Fields, key: &str) -> Result<&'a str, Reply> {
    let text = fields.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| Reply::bad_request(&format!("{key} is required")))
}

fn flag(fields: &Fields, key: &str) -> Result<bool, Reply> {
    let flag = fields.get(key).and_then(Value::as_bool);
    flag.ok_or_else(|| Reply::error(500, &format!("{key} is not true or false")))
}

fn method(fields: &Fields, key: &str) -> Result<Method, Reply> {
    let code = text(fields, key)?;
    Method::parse(code).ok_or_else(|| Reply::bad_request(&format!("{key} is not valid: {code}")))
}
