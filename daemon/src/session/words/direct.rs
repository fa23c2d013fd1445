//! What is said where requests are signed and there is no gateway. Pure.

use ibd_cpapi::Denial;
use ibd_protocol::ErrorCode;

use super::{Assistant, Words, say};
use crate::session::SessionState;

/// IBKR gives no session; `is_over`: it is not asked any more until a person says so.
pub(super) fn denied(why: Denial, is_over: bool) -> Words {
    let (code, text, hint) = of(why);
    let code = Some(code);
    if is_over {
        let text = format!("{text} It was asked three times, and is not asked again by itself.");
        let hint = format!("{hint} Then run `ibctl login`.");
        return Words { code, ..say(SessionState::LockoutGuard, text, hint) };
    }
    Words { code, ..say(SessionState::NeedLogin, text, hint) }
}

fn of(why: Denial) -> (ErrorCode, &'static str, &'static str) {
    match why {
        Denial::NotActive => (
            ErrorCode::OauthNotActive,
            "IBKR does not know the consumer key, or not yet (`invalid consumer`).",
            "New keys are in force after IBKR's next reset, at times only after days; it is asked again every quarter \
             of an hour. If it stays so, compare the consumer key with IBKR's page.",
        ),
        Denial::Token => (
            ErrorCode::OauthToken,
            "IBKR does not know the access token, or has lost its secret.",
            "Make the token again at IBKR's page, as the user who uploaded the keys (paper and live have their own), \
             and give it to `ibctl oauth set`.",
        ),
        Denial::Signature => (
            ErrorCode::OauthSignature,
            "IBKR does not accept the signatures of this signing key.",
            "Upload the public signing key that `ibctl oauth show` names, for this consumer key.",
        ),
        Denial::Exchange => (
            ErrorCode::OauthExchange,
            "IBKR and this machine came to different session tokens.",
            "Upload the Diffie-Hellman parameters that `ibctl oauth show` names, or name the file of the uploaded ones \
             (IB_OAUTH_DH).",
        ),
        Denial::Clock => (
            ErrorCode::OauthClock,
            "IBKR refuses the time of signed requests.",
            "Set this machine's clock.",
        ),
        Denial::NotEntitled => (
            ErrorCode::OauthNotEntitled,
            "Logged in, but IBKR opens no trading session for this user (`failed to generate sso dh token`).",
            "Ask IBKR's API support whether this user may trade with keys of their own, or use another IB_GATEWAY.",
        ),
        Denial::Blocked => (
            ErrorCode::OauthBlocked,
            "IBKR's network lets no request of this machine's address in (403).",
            "Look whether a VPN, a proxy or a data centre's address is in the way.",
        ),
        Denial::OtherHost => (
            ErrorCode::OauthOtherHost,
            "IBKR says that this session lives at another of its hosts (410).",
            "Set IB_OAUTH_URL to https://1.api.ibkr.com or https://2.api.ibkr.com, and run `ibctl restart`.",
        ),
    }
}

/// Nobody is logged in, which only a person brings about.
pub(super) fn logged_out() -> Words {
    Words {
        assistant: Assistant::LogsIn,
        ..say(
            SessionState::NeedLogin,
            "Logged out: no session is asked for at IBKR.",
            "Run `ibctl login` (an assistant can call authenticate); there is nothing to approve.",
        )
    }
}

/// No answer comes.
pub(super) fn unreached() -> Words {
    say(
        SessionState::Network,
        "No connection to IBKR: nothing comes back. Your working orders stay at IBKR.",
        "Look at this machine's internet connection.",
    )
}

/// Errors instead of answers, at no hour that explains them.
pub(super) fn troubled() -> Words {
    say(
        SessionState::Maint,
        "IBKR answers with errors, as during maintenance. Looked at again every minute.",
        "Wait. If this stays for an hour, look at IBKR's page about the state of its systems.",
    )
}
