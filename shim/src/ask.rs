//! Asks the person at the client what a call needs, the way the client's era and abilities allow.
//!
//! Up to 2025-11-25 the question is a request to the client while the call waits. Since 2026-07-28 it
//! is the call's result, and the client calls again with the answer. A client that can do neither gets
//! what the daemon says in place of an answer.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ibd_protocol::{Question, Secret};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
};
use rmcp::service::{Peer, RequestContext};
use serde_json::{Value, json};

use crate::events::is_modern;
use crate::link::CALL;

/// Several clients give up on a call after 60 s, whatever happens meanwhile.
const WHOLE: Duration = Duration::from_secs(55);
/// Of these, a person may take so long in all.
const PERSON: Duration = Duration::from_secs(40);
/// What the call that follows an answer needs.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// Nobody reads and answers a question faster.
const WORTH_ASKING: Duration = Duration::from_secs(5);
/// How often one call may ask.
const ROUNDS: usize = 3;
/// Questions of the modern era whose answers may still come.
const OPEN: usize = 32;
/// Names the one question in what a client of the modern era sends back.
const KEY: &str = "answer";

/// How a client can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// By a request to it.
    Elicit,
    /// By the result of the call.
    Result,
    /// Not at all.
    Cannot,
}

impl Manner {
    /// What the caller of this request can do.
    pub(crate) fn of(context: &RequestContext<RoleServer>) -> Self {
        let elicitation = context.client_capabilities().and_then(|can| can.elicitation);
        match (elicitation, is_modern(context)) {
            (Some(can), modern) if fills_forms(&can) => {
                if modern {
                    Self::Result
                } else {
                    Self::Elicit
                }
            }
            _ => Self::Cannot,
        }
    }
}

/// Before there were kinds of elicitation, an empty capability meant forms.
fn fills_forms(can: &ElicitationCapability) -> bool {
    can.form.is_some() || can.url.is_none()
}

/// What the person said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This.
    Answer(String),
    /// That nothing will be said; where the question is a decision, that is a no.
    Declined,
    /// The dialog was closed.
    Dismissed,
    /// Nothing in time, or the client could not ask after all.
    Nothing,
}

impl Said {
    /// As the daemon is told; `None`: it is told nothing, because nobody has decided anything. A dialog
    /// that was closed decides nothing about an order, but ends the wait for a code.
    pub(crate) fn value(self, about: About) -> Option<Option<Secret>> {
        match (self, about) {
            (Self::Answer(text), _) => Some(Some(Secret::new(text))),
            (Self::Declined, _) | (Self::Dismissed, About::Text) => Some(None),
            (Self::Dismissed, About::Decision) | (Self::Nothing, _) => None,
        }
    }

    /// Whether the call is made again now: something new can be answered.
    pub(crate) fn goes_on(&self, about: About) -> bool {
        match self {
            Self::Answer(_) => true,
            Self::Declined => about == About::Decision,
            Self::Dismissed | Self::Nothing => false,
        }
    }
}

/// What a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Something to be filled in.
    Text,
    /// Yes or no.
    Decision,
}

impl About {
    /// What this question is about.
    pub(crate) fn of(question: &Question) -> Self {
        if question.choices.is_empty() { Self::Text } else { Self::Decision }
    }
}

impl From<ElicitResult> for Said {
    fn from(result: ElicitResult) -> Self {
        match result.action {
            // The form has one field, so its name tells nothing.
            ElicitationAction::Accept => {
                let field = result.content.as_ref().and_then(Value::as_object);
                field.and_then(|fields| fields.values().next()).map_or(Self::Nothing, said_in)
            }
            ElicitationAction::Decline => Self::Declined,
            ElicitationAction::Cancel => Self::Dismissed,
            // What a later revision may bring is no decision that we know.
            _ => Self::Nothing,
        }
    }
}

/// Some clients turn digits into a number.
fn said_in(field: &Value) -> Said {
    match field {
        Value::String(text) if !text.trim().is_empty() => Said::Answer(text.trim().to_owned()),
        Value::Number(number) => Said::Answer(number.to_string()),
        _ => Said::Nothing,
    }
}

/// The time that one call has, questions and all.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    asked: Duration,
    rounds: usize,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), asked: Duration::ZERO, rounds: 0 }
    }

    /// What the next call to the daemon may take.
    pub(crate) fn for_call(&self) -> Duration {
        left_for_call(self.started.elapsed())
    }

    /// What the next question may take. `None`: it is not worth asking any more.
    fn for_person(&self) -> Option<Duration> {
        (self.rounds < ROUNDS)
            .then(|| left_for_person(self.started.elapsed(), self.asked))
            .flatten()
    }

    /// Asks by a request to the client.
    pub(crate) async fn elicit(&mut self, peer: &Peer<RoleServer>, question: &Question) -> Said {
        let (Some(limit), Some(params)) = (self.for_person(), form(question)) else {
            return Said::Nothing;
        };
        let asked = Instant::now();
        let result = peer.create_elicitation_with_timeout(params, Some(limit)).await;
        self.asked += asked.elapsed();
        self.rounds += 1;
        match result {
            Ok(result) => result.into(),
            Err(error) => {
                tracing::info!(%error, "the person was not asked, or did not answer");
                Said::Nothing
            }
        }
    }
}

fn left_for_call(elapsed: Duration) -> Duration {
    CALL.min(WHOLE.saturating_sub(elapsed)).max(AFTERWARDS)
}

fn left_for_person(elapsed: Duration, asked: Duration) -> Option<Duration> {
    let left = PERSON.saturating_sub(asked).min(WHOLE.saturating_sub(elapsed + AFTERWARDS));
    (left >= WORTH_ASKING).then_some(left)
}

fn form(question: &Question) -> Option<ElicitRequestParams> {
    let mut field = json!({
        "type": "string",
        "title": question.title,
        "description": question.description,
    });
    if About::of(question) == About::Decision {
        field["enum"] = json!(question.choices);
        // Whoever only presses a key has said no.
        field["default"] = json!(question.choices.first());
    }
    let schema = json!({
        "type": "object",
        "properties": { &question.field: field },
        "required": [question.field],
    });
    let schema: ElicitationSchema = serde_json::from_value(schema).ok()?;
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.message.clone(),
        requested_schema: schema,
    })
}

/// Questions that were asked as a result: what to answer if the person declines.
#[derive(Debug, Default)]
pub(crate) struct OpenQuestions(Mutex<VecDeque<Open>>);

/// A question that was asked as a result.
#[derive(Debug)]
pub(crate) struct Open {
    token: String,
    /// What it is about.
    pub(crate) about: About,
    /// What the call answers without the person.
    pub(crate) fallback: String,
}

impl OpenQuestions {
    /// The question as a result. The token is all the state there is: it is opaque, and the daemon
    /// takes it once.
    pub(crate) fn ask(&self, question: Question) -> Option<InputRequiredResult> {
        let request = InputRequest::Elicitation(ElicitRequest::new(form(&question)?));
        let requests = InputRequests::from([(KEY.to_owned(), request)]);
        let mut open = self.lock();
        if open.len() >= OPEN {
            open.pop_front();
        }
        open.push_back(Open {
            token: question.token.clone(),
            about: About::of(&question),
            fallback: question.fallback,
        });
        Some(InputRequiredResult::new(Some(requests), Some(question.token)))
    }

    /// The question of this token, once, if we have asked it.
    pub(crate) fn take(&self, token: &str) -> Option<Open> {
        let mut open = self.lock();
        let at = open.iter().position(|asked| asked.token == token)?;
        open.remove(at)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Open>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The answer that a call of the modern era brings along: to which question, and what was said.
pub(crate) fn brought(request: &CallToolRequestParams) -> Option<(String, Said)> {
    let token = request.request_state.clone()?;
    let answer = request.input_responses.as_ref().and_then(|answers| answers.get(KEY));
    let said = answer
        .and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok())
        .map_or(Said::Nothing, Said::from);
    Some((token, said))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn question() -> Question {
        Question {
            token: "q1".into(),
            message: "IBKR wants a code.".into(),
            field: "code".into(),
            title: "Code".into(),
            description: "Six digits.".into(),
            choices: Vec::new(),
            fallback: r#"{"state":"wait_2fa"}"#.into(),
        }
    }

    fn said(result: Value) -> Said {
        serde_json::from_value::<ElicitResult>(result).unwrap().into()
    }

    #[test]
    fn a_form_has_one_field() {
        let params = serde_json::to_value(form(&question()).unwrap()).unwrap();
        assert_eq!(
            params,
            json!({
                "mode": "form",
                "message": "IBKR wants a code.",
                "requestedSchema": {
                    "type": "object",
                    "properties": {
                        "code": { "type": "string", "title": "Code", "description": "Six digits." },
                    },
                    "required": ["code"],
                },
            })
        );
    }

    #[test]
    fn what_was_said_is_read_whatever_the_client_makes_of_it() {
        let accept = |content: Value| said(json!({ "action": "accept", "content": content }));
        assert_eq!(accept(json!({ "code": " 123456 " })), Said::Answer("123456".into()));
        assert_eq!(accept(json!({ "code": 123_456 })), Said::Answer("123456".into()));
        for empty in [json!({}), json!({ "code": "" }), json!({ "code": null }), Value::Null] {
            assert_eq!(accept(empty), Said::Nothing);
        }
        assert_eq!(said(json!({ "action": "decline" })), Said::Declined);
        assert_eq!(said(json!({ "action": "cancel" })), Said::Dismissed);
    }

    #[test]
    fn a_decision_has_its_choices_and_a_no_is_passed_on() {
        let decision = Question { choices: vec!["decline".into(), "approve".into()], ..question() };
        let params = serde_json::to_value(form(&decision).unwrap()).unwrap();
        let field = &params["requestedSchema"]["properties"]["code"];
        assert_eq!(field["enum"], json!(["decline", "approve"]));
        let about = About::of(&decision);
        assert_eq!(Said::Declined.value(about), Some(None));
        assert!(Said::Declined.goes_on(about), "the daemon says what became of the order");
        assert_eq!(Said::Dismissed.value(about), None, "a closed dialog decides nothing");
        assert!(!Said::Dismissed.goes_on(about));
        assert_eq!(Said::Dismissed.value(About::Text), Some(None));
    }

    #[test]
    fn a_question_as_a_result_comes_back_with_its_token() {
        let asked = OpenQuestions::default();
        let result = serde_json::to_value(asked.ask(question()).unwrap()).unwrap();
        assert_eq!(result["resultType"], "input_required");
        assert_eq!(result["requestState"], "q1");
        assert_eq!(result["inputRequests"][KEY]["method"], "elicitation/create");
        let again: CallToolRequestParams = serde_json::from_value(json!({
            "name": "x",
            "requestState": "q1",
            "inputResponses": { KEY: { "action": "accept", "content": { "code": "1" } } },
        }))
        .unwrap();
        assert_eq!(brought(&again), Some(("q1".into(), Said::Answer("1".into()))));
        assert_eq!(asked.take("q1").unwrap().fallback, r#"{"state":"wait_2fa"}"#);
        assert!(asked.take("q1").is_none(), "once");
    }

    #[test]
    fn a_call_without_state_brings_no_answer_and_one_without_answers_says_nothing() {
        let call = |json: Value| brought(&serde_json::from_value(json).unwrap());
        assert_eq!(call(json!({ "name": "x", "inputResponses": { KEY: {} } })), None);
        assert_eq!(
            call(json!({ "name": "x", "requestState": "q" })),
            Some(("q".into(), Said::Nothing))
        );
    }

    #[test]
    fn forgotten_questions_do_not_pile_up() {
        let asked = OpenQuestions::default();
        for n in 0..=OPEN {
            asked.ask(Question { token: n.to_string(), ..question() }).unwrap();
        }
        assert!(asked.take("0").is_none());
        assert!(asked.take("1").is_some());
    }

    #[test]
    fn an_empty_capability_means_forms_and_one_for_pages_does_not() {
        let can = |json: Value| fills_forms(&serde_json::from_value(json).unwrap());
        assert!(
            can(json!({})) && can(json!({ "form": {} })) && can(json!({ "form": {}, "url": {} }))
        );
        assert!(!can(json!({ "url": {} })));
    }

    #[test]
    fn all_of_it_fits_into_a_minute() {
        let seconds = Duration::from_secs;
        assert_eq!(left_for_call(seconds(0)), CALL);
        assert_eq!(left_for_call(seconds(43)), seconds(12));
        assert_eq!(left_for_call(seconds(80)), AFTERWARDS);
        assert_eq!(left_for_person(seconds(2), seconds(0)), Some(PERSON));
        assert_eq!(left_for_person(seconds(20), seconds(15)), Some(seconds(25)));
        assert_eq!(left_for_person(seconds(43), seconds(0)), None);
        assert_eq!(left_for_person(seconds(50), seconds(40)), None);
    }
}
