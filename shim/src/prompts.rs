//! Prompts and completions in MCP's words. The texts are the protocol's; here is who sees them, and what is wrong with
//! what was asked.

use std::collections::HashSet;

use ibd_protocol::prompts::{self, Argument, Given, Prompt};
use ibd_protocol::{Completable, Completed, Completing, ToolSpec, catalogue};
use rmcp::model::{
    CompleteRequestParams, CompleteResult, CompletionInfo, ErrorData, GetPromptRequestParams,
    GetPromptResult, JsonObject, Prompt as Listed, PromptArgument, PromptMessage, Reference, Role,
};
use serde_json::Value;

/// The resource templates that have a place to complete: its name, and what goes there.
const TEMPLATES: &[(&str, &str, Completable)] = &[
    ("ib://positions/{accountId}", "accountId", Completable::Account),
    ("ib://quote/{conid}", "conid", Completable::Conid),
];

/// The tools that a client sees.
#[derive(Debug)]
pub(crate) struct Seen(HashSet<String>);

impl From<Vec<ToolSpec>> for Seen {
    fn from(tools: Vec<ToolSpec>) -> Self {
        Self(tools.into_iter().map(|tool| tool.name).collect())
    }
}

impl Seen {
    /// Whether this is a tool, and none for this client.
    fn hides(&self, word: &str) -> bool {
        !self.0.contains(word) && catalogue::set_of(word).is_some()
    }

    fn has(&self, prompt: &Prompt) -> bool {
        prompt.needs.iter().all(|tool| self.0.contains(tool))
    }
}

/// The prompts of a client that sees these tools.
pub(crate) fn list(seen: &Seen) -> Vec<Listed> {
    prompts::golden().iter().filter(|prompt| seen.has(prompt)).map(listed).collect()
}

fn listed(prompt: &Prompt) -> Listed {
    let argument = |argument: &Argument| {
        PromptArgument::new(&argument.name)
            .with_description(&argument.about)
            .with_required(argument.required)
    };
    let arguments = prompt.arguments.iter().map(argument).collect();
    Listed::new(&prompt.name, Some(&prompt.about), Some(arguments)).with_title(&prompt.title)
}

/// A prompt with its arguments in their places.
pub(crate) fn get(
    request: GetPromptRequestParams,
    seen: &Seen,
) -> Result<GetPromptResult, ErrorData> {
    let prompt = find(&request.name)?;
    if !seen.has(prompt) {
        let needs = prompt.needs.join(" and ");
        let what = format!("{} needs {needs}, which this client does not see", prompt.name);
        return Err(invalid(what));
    }
    let given = given(request.arguments.unwrap_or_default())?;
    let text = prompt.render(&given, |word| seen.hides(word)).map_err(invalid)?;
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(&prompt.about))
}

fn find(name: &str) -> Result<&'static Prompt, ErrorData> {
    let all = prompts::golden();
    all.iter().find(|prompt| prompt.name == name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|prompt| prompt.name.as_str()).collect();
        invalid(format!("there is no prompt {name:?}; there are {}", names.join(", ")))
    })
}

/// Arguments are texts; a number is taken as what it is written as.
fn given(arguments: JsonObject) -> Result<Given, ErrorData> {
    let text = |(name, value): (String, Value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Null => Ok((name, String::new())),
        Value::Number(number) => Ok((name, number.to_string())),
        _ => Err(invalid(format!("{name} must be a text"))),
    };
    arguments.into_iter().map(text).collect()
}

/// What is to be completed.
pub(crate) fn completing(request: CompleteRequestParams) -> Result<Completing, ErrorData> {
    let name = &request.argument.name;
    let what = match &request.r#ref {
        Reference::Prompt(prompt) => find(&prompt.name)?.argument(name).map_err(invalid)?.values,
        Reference::Resource(template) => Some(place(&template.uri, name)?),
        _ => None,
    };
    let before = |names: [&str; 2]| {
        let context = request.context.as_ref()?;
        names.into_iter().find_map(|name| context.get_argument(name)).cloned()
    };
    Ok(Completing {
        what: what.ok_or_else(|| invalid(format!("{name} can be anything")))?,
        symbol: before(["symbol", "underlying"]),
        account: before(["account", "accountId"]),
        begins: request.argument.value,
    })
}

fn place(uri: &str, name: &str) -> Result<Completable, ErrorData> {
    let of_uri = TEMPLATES.iter().find(|(template, ..)| *template == uri);
    let found = of_uri.filter(|(_, place, _)| *place == name).map(|(.., what)| *what);
    found.ok_or_else(|| match of_uri {
        Some((_, place, _)) => invalid(format!("{uri} has no {name:?}; it has {place}")),
        None => {
            invalid(format!("there is no resource template {uri:?} with something to complete"))
        }
    })
}

/// What it may be.
pub(crate) fn completed(completed: Completed) -> Result<CompleteResult, ErrorData> {
    let Completed { mut values, total } = completed;
    values.truncate(CompletionInfo::MAX_VALUES);
    let has_more = usize::try_from(total).is_ok_and(|total| total > values.len());
    CompletionInfo::with_pagination(values, Some(total), has_more)
        .map(CompleteResult::new)
        .map_err(|error| ErrorData::internal_error(error, None))
}

fn invalid(what: String) -> ErrorData {
    ErrorData::invalid_params(what, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rmcp::model::ArgumentInfo;

    fn ask(uri: &str, name: &str) -> Result<Completable, String> {
        let argument = ArgumentInfo::new(name, "x");
        let request = CompleteRequestParams::new(Reference::for_resource(uri), argument);
        completing(request).map(|one| one.what).map_err(|error| error.message.into_owned())
    }

    #[test]
    fn a_template_s_place_is_completed_and_anything_else_is_named() {
        assert_eq!(ask("ib://positions/{accountId}", "accountId"), Ok(Completable::Account));
        assert_eq!(ask("ib://quote/{conid}", "conid"), Ok(Completable::Conid));
        let wrong = ask("ib://quote/{conid}", "symbol").unwrap_err();
        assert!(wrong.contains("it has conid"), "{wrong}");
        assert!(ask("ib://session", "x").unwrap_err().contains("ib://session"));
    }

    #[test]
    fn an_unknown_prompt_is_named() {
        let request = GetPromptRequestParams::new("brief");
        let error = get(request, &Seen::from(Vec::new())).unwrap_err();
        assert!(error.message.contains("there is no prompt \"brief\""), "{}", error.message);
    }

    #[test]
    fn more_values_than_are_told_are_counted() {
        let all = Completed { values: vec!["A".to_owned(); 101], total: 250 };
        let told = completed(all).unwrap().completion;
        assert_eq!((told.values.len(), told.total, told.has_more), (100, Some(250), Some(true)));
        let told = completed(Completed::default()).unwrap().completion;
        assert_eq!((told.values.len(), told.total, told.has_more), (0, Some(0), Some(false)));
    }
}
