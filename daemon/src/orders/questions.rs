//! Which of the broker's questions are answered with yes, and which are not for us to answer. Pure.

use ibd_cpapi::orders::QuestionSet;

use super::life::Question;
use super::limits::Rules;

/// The questions in our own words.
pub fn of(asked: &QuestionSet) -> Vec<Question> {
    asked
        .questions
        .iter()
        .map(|question| Question { id: question.id.clone(), text: question.text.clone() })
        .collect()
}

/// Whether all of them may be answered with yes: each was agreed to, by its id and to the word, or stands on the
/// allow-list, if the order lets that answer. One without an id is never answered: nobody knows what it is.
///
/// The list may answer what it holds because the guardrails have already bounded it: price by the collar,
/// size and value by the limits.
pub fn is_yes(questions: &[Question], agreed: &[Question], suppress: bool, rules: &Rules) -> bool {
    !questions.is_empty()
        && questions.iter().all(|question| {
            let Some(id) = &question.id else { return false };
            let is_agreed = agreed.iter().any(|one| one == question);
            #[cfg(feature = "faults")]
            let is_agreed = is_agreed
                || super::mutant::is("agrees-by-id")
                    && agreed.iter().any(|one| one.id == question.id);
            let is_listed = rules.questions.iter().all(|words| words.has(id));
            is_agreed || suppress && is_listed
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::limits::Limits;

    fn asked(ids: &[Option<&str>]) -> Vec<Question> {
        ids.iter().map(|id| Question { id: id.map(str::to_owned), text: "Sure?".into() }).collect()
    }

    #[test]
    fn only_what_is_listed_or_agreed_to_is_answered() {
        let rules = Limits::default().strictest(&[Limits::default()], true);
        let agreed = asked(&[Some("o999")]);
        for (ids, suppress, expected) in [
            (&[Some("o163")][..], true, true),
            (&[Some("o163")][..], false, false),
            (&[Some("o999")][..], false, true),
            (&[Some("o163"), Some("o999")][..], true, true),
            (&[Some("o163"), Some("o777")][..], true, false),
            (&[None][..], true, false),
            (&[][..], true, false),
        ] {
            assert_eq!(
                is_yes(&asked(ids), &agreed, suppress, &rules),
                expected,
                "{ids:?} {suppress}"
            );
        }
        let other = [Question { id: Some("o999".into()), text: "All of it?".into() }];
        assert!(!is_yes(&other, &agreed, true, &rules), "another text asks again");
    }
}
