//! What IBKR answers to the request for a token. Pure.

use ibd_oauth::Answer;
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reply {
    diffie_hellman_response: String,
    live_session_token_signature: String,
    /// Milliseconds of the epoch.
    live_session_token_expiration: i64,
}

/// The answer, if it is one. What is wrong with it is said without any of it.
pub(crate) fn answer(body: &str) -> Result<Answer, String> {
    if body.trim_start().starts_with('<') {
        return Err("an HTML page instead of data".to_owned());
    }
    let shape = |_| "data of another shape".to_owned();
    let reply: Reply = serde_json::from_str(body).map_err(shape)?;
    let expires = Timestamp::from_millisecond(reply.live_session_token_expiration);
    Ok(Answer {
        response: reply.diffie_hellman_response,
        signature: reply.live_session_token_signature,
        expires: expires.map_err(|_| "a time beyond all calendars".to_owned())?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let whole = r#"{"diffie_hellman_response":"ab","live_session_token_signature":"cd","live_session_token_expiration":1790086400000}"#;
        let read = answer(whole).unwrap();
        assert_eq!((read.response.as_str(), read.signature.as_str()), ("ab", "cd"));
        assert_eq!(read.expires.as_second(), 1_790_086_400);
        assert!(answer("<html>").unwrap_err().contains("HTML"));
        for wrong in ["", "{}", &whole.replace("1790086400000", "\"x\"")] {
            assert_eq!(answer(wrong).err().as_deref(), Some("data of another shape"), "{wrong}");
        }
    }
}
