//! The codes that an assistant meets: why a call was refused, and why an order is not placed.

use serde::{Serialize, Serializer};

use crate::words::words;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($code:ident $word:literal $meaning:literal,)* })*) => {$(
        words! {
            $(#[$doc])*
            $name { $(#[doc = $meaning] $code = $word;)* }
        }

        impl $name {
            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$code => $meaning,)*
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    )*};
}

codes! {
    /// The `error` of a tool's result that is a no, and why a login is over. Stable; docs/tools.md lists them.
    ErrorCode {
        AccountNeeded "account_needed" "The login has several accounts and none was named.",
        AmbiguousSymbol "ambiguous_symbol" "Several contracts go by that name; see `candidates`.",
        ApprovalChanged "approval_changed" "What waits for a yes is no longer what was shown.",
        ApprovalMissing "approval_missing" "Nobody approved the login on the phone in time.",
        BadConfiguration "bad_configuration" "A setting cannot be used as it is; `field` names it.",
        BrokerMaintenance "broker_maintenance" "IBKR is under maintenance.",
        BrokerRefused "broker_refused" "IBKR refused the request.",
        BrokerTrouble "broker_trouble" "IBKR answered with an error of its own.",
        BrokerUnreachable "broker_unreachable" "The gateway runs and does not reach IBKR.",
        BrowserMissing "browser_missing" "No browser was found for a login without a person.",
        Cancelled "cancelled" "The client took the call back.",
        CannotModify "cannot_modify" "That order cannot be changed in that way.",
        CodeRefused "code_refused" "IBKR did not take the code of the second factor.",
        CompetingSession "competing_session" "Another IBKR app holds the trading session.",
        ConfirmationExpired "confirmation_expired" "The question waited too long; the market has moved on.",
        Contradiction "contradiction" "Two arguments name different things.",
        CredentialsMissing "credentials_missing" "Username or password is not configured.",
        DaemonMissing "daemon_missing" "The program `ibd` is not installed beside `ib-mcp`.",
        DaemonUnavailable "daemon_unavailable" "`ibd` does not run and could not be started, or it ended.",
        Declined "declined" "The person who was asked said no.",
        FlexAccountInvalid "flex_account_invalid" "IBKR: the account of the Flex query is not valid.",
        FlexForgotten "flex_forgotten" "The Flex query was forgotten while it ran.",
        FlexImport "flex_import" "The files could not be imported.",
        FlexIpRestricted "flex_ip_restricted" "IBKR: the Flex token is not for this address.",
        FlexLegacyQuery "flex_legacy_query" "IBKR: the query is of a kind that is no longer served.",
        FlexNoStatement "flex_no_statement" "No stored statement covers the question.",
        FlexNoSymbol "flex_no_symbol" "No stored statement knows that instrument.",
        FlexNoToken "flex_no_token" "No token for the Flex Web Service is configured.",
        FlexNotAvailable "flex_not_available" "IBKR: the statement is not available.",
        FlexNotReady "flex_not_ready" "IBKR has not made the statement yet.",
        FlexNotStored "flex_not_stored" "The statement came and could not be stored.",
        FlexNotTicked "flex_not_ticked" "The query's template lacks the section or column.",
        FlexNotXml "flex_not_xml" "The query's template has another format than XML.",
        FlexOnlyImported "flex_only_imported" "Of that query there are only imported statements, so it cannot be run.",
        FlexQueryAmbiguous "flex_query_ambiguous" "Several Flex queries go by that name.",
        FlexQueryInvalid "flex_query_invalid" "IBKR knows no such Flex query.",
        FlexQueryUnknown "flex_query_unknown" "No such Flex query is remembered.",
        FlexReferenceLost "flex_reference_lost" "IBKR lost the request for the statement.",
        FlexRequestInvalid "flex_request_invalid" "IBKR could not read the request for the statement.",
        FlexServiceInactive "flex_service_inactive" "The Flex Web Service is not switched on.",
        FlexThrottled "flex_throttled" "IBKR wants fewer requests for statements.",
        FlexTokenExpired "flex_token_expired" "The Flex token is past its end.",
        FlexTokenInvalid "flex_token_invalid" "IBKR does not know the Flex token.",
        FlexUnreachable "flex_unreachable" "The Flex Web Service did not answer.",
        FlexUnreadable "flex_unreadable" "What was stored or given cannot be read as a statement.",
        GatewayBroke "gateway_broke" "The connection to the gateway broke.",
        GatewayCertificateChanged "gateway_certificate_changed" "The gateway shows another certificate than before.",
        GatewayDown "gateway_down" "No gateway runs.",
        GatewayGarbled "gateway_garbled" "The gateway's answer cannot be read.",
        GatewayHung "gateway_hung" "The gateway runs and does not answer.",
        GatewayNotInstalled "gateway_not_installed" "The gateway is not installed yet.",
        GatewayNotTrusted "gateway_not_trusted" "The gateway is not one that a password may be typed into.",
        GatewaySilent "gateway_silent" "The gateway did not answer in time.",
        GatewayUnreachable "gateway_unreachable" "No connection to the gateway.",
        Internal "internal" "A fault of ibd; see `ibctl logs`.",
        InvalidArgument "invalid_argument" "An argument is missing or wrong; `field` names it.",
        LiveSession "live_session" "The session is of a live account, and only paper is allowed.",
        LockoutGuard "lockout_guard" "Logins failed too often; a person goes on, before IBKR locks the login.",
        LoginCancelled "login_cancelled" "The login was taken back.",
        LoginFailed "login_failed" "The login failed.",
        LoginHeld "login_held" "A login without a person waits a while after the last one; see `retryAt`.",
        LoginNotSeen "login_not_seen" "The page said that the login is done, and no session came.",
        LoginPageChanged "login_page_changed" "IBKR's login page is not as it was known.",
        LoginTimeout "login_timeout" "The login took too long.",
        ModeUnverified "mode_unverified" "Whether the page logs in to paper or live could not be seen.",
        NeedsPerson "needs_person" "A person must say yes, or give what is asked for.",
        NoAccount "no_account" "The login has no account.",
        NoBrokerageSession "no_brokerage_session" "Logged in, without a trading session.",
        NoData "no_data" "IBKR has no such market data.",
        NoLogin "no_login" "No login waits for what was given.",
        NotLoggedIn "not_logged_in" "Nobody is logged in.",
        NotThatOrder "not_that_order" "The order at IBKR under that id is another one.",
        NotWorking "not_working" "The order does not work.",
        NotYours "not_yours" "Only the client that asked for the order may say yes.",
        NothingToCancel "nothing_to_cancel" "IBKR has no order of that intent that could be cancelled.",
        NothingToClose "nothing_to_close" "Nothing is held that could be closed.",
        OauthBlocked "oauth_blocked" "IBKR lets no request of this machine's address in.",
        OauthClock "oauth_clock" "IBKR refuses signed requests for the time that they name.",
        OauthExchange "oauth_exchange" "IBKR and this machine came to different session tokens.",
        OauthIncomplete "oauth_incomplete" "Keys, token or secret for the direct way are missing or cannot be used.",
        OauthNotActive "oauth_not_active" "IBKR does not know the consumer key, or not yet.",
        OauthNotEntitled "oauth_not_entitled" "IBKR opens no trading session for the user of these keys.",
        OauthOtherHost "oauth_other_host" "The session lives at another of IBKR's hosts.",
        OauthSignature "oauth_signature" "IBKR does not accept the signatures of this signing key.",
        OauthToken "oauth_token" "IBKR does not know the access token, or has lost its secret.",
        OtherGateway "other_gateway" "This client is configured for another gateway than the daemon uses.",
        OtherUsername "other_username" "This client is configured for another login than the one that is logged in.",
        PinLocked "pin_locked" "Too many wrong PINs.",
        PinNotCounted "pin_not_counted" "A wrong PIN could not be written down, so none is tried.",
        PinUnavailable "pin_unavailable" "There is a PIN, and it cannot be read, so none is right.",
        PositionUnknown "position_unknown" "What is held is not known at the moment.",
        RateLimited "rate_limited" "IBKR's rate limit is reached; see `retryAt`.",
        RequestIdReused "request_id_reused" "That `requestId` stands for another order.",
        SessionOpening "session_opening" "The session is being opened.",
        SessionRefused "session_refused" "Logged in, and IBKR did not open the trading session.",
        Timeout "timeout" "No answer in time; what was to be changed may have been.",
        TooBusy "too_busy" "Too much waits already.",
        TooLarge "too_large" "The answer is too large to be sent.",
        TradingClosed "trading_closed" "Trading is shut here until something is settled.",
        TradingFrozen "trading_frozen" "A person, or the breaker, has frozen trading.",
        TrailNotShown "trail_not_shown" "IBKR does not show how far the order trails, so the change must say it.",
        UnknownAccount "unknown_account" "The login has no such account.",
        UnknownAlert "unknown_alert" "There is no such alert.",
        UnknownConfirmation "unknown_confirmation" "There is no such question.",
        UnknownOrder "unknown_order" "There is no such order.",
        UnknownSymbol "unknown_symbol" "No contract goes by that name.",
        UsernameUnknown "username_unknown" "This client is configured for one login, and who is logged in is not known yet.",
        VersionMismatch "version_mismatch" "`ib-mcp` and `ibd` are of different versions.",
        Wait2fa "wait_2fa" "The second factor of a login is awaited.",
        WrongCredentials "wrong_credentials" "IBKR did not take username or password.",
        WrongMode "wrong_mode" "The login is of the other kind (paper or live).",
        WrongPin "wrong_pin" "The PIN is missing or wrong.",
    }

    /// The `reason` of an order that is not placed, or is otherwise than it looks. Stable; docs/tools.md lists them.
    ReasonCode {
        AlreadyClosing "already_closing" "Orders that work already close the position.",
        AlreadyFilled "already_filled" "As much as the new total, or more, is filled already.",
        AlreadyOver "already_over" "The order was filled or cancelled before.",
        BeingSent "being_sent" "It is being sent at this moment.",
        BrokerRefused "broker_refused" "IBKR refused it.",
        CameAlive "came_alive" "IBKR has it, although it was told as not placed before.",
        CannotModify "cannot_modify" "The order cannot be changed in that way.",
        ChangeInDoubt "change_in_doubt" "Another change of the same order is not settled yet.",
        DailyLoss "daily_loss" "The day's loss has reached its limit, or is not known.",
        Declined "declined" "Somebody said no.",
        Expired "expired" "Nobody said yes in time.",
        FirstTryAlive "first_try_alive" "IBKR has the first try of this order after all.",
        FirstTrySeen "first_try_seen" "IBKR has the first try, although its question was declined.",
        FirstTryUnknown "first_try_unknown" "Whether IBKR has the first try could not be seen.",
        Internal "internal" "A fault of ibd; see `ibctl logs`.",
        NoFreshQuote "no_fresh_quote" "There is no quote that the price could be compared with.",
        NoLongerListed "no_longer_listed" "IBKR's lists no longer have it.",
        NoSession "no_session" "There was no trading session for it.",
        NotAllowed "not_allowed" "A list of what may be traded leaves it out.",
        NotSent "not_sent" "It could not be sent.",
        NotTaken "not_taken" "IBKR did not carry the change or cancellation out.",
        NotThatOrder "not_that_order" "The order at IBKR under that id is another one.",
        NotWorking "not_working" "The order that was to be changed does not work.",
        NothingToClose "nothing_to_close" "Nothing is held that could be closed.",
        OrderNotSeen "order_not_seen" "The order could not be looked at, so what was not named could not be kept.",
        OtherLogin "other_login" "Another login is there than the one that it was made for.",
        OverMaxPercent "over_max_percent" "It is worth a larger share of the account than is allowed.",
        OverMaxQuantity "over_max_quantity" "It is for more than is allowed.",
        OverMaxValue "over_max_value" "It is worth more than is allowed.",
        Parked "parked" "Whether IBKR has it was looked for many times and is not known.",
        PartlyRefused "partly_refused" "IBKR refused a part of the submission.",
        PositionUnknown "position_unknown" "What is held is not known at the moment, or changed meanwhile.",
        PossibleDuplicate "possible_duplicate" "An order like this one works, or was asked for a moment ago.",
        PriceOffMarket "price_off_market" "The limit is far from where the order would work.",
        ProfitOnWrongSide "profit_on_wrong_side" "The profit target is on the wrong side of the price.",
        QuestionDeclined "question_declined" "IBKR asked something, and it was not answered with yes.",
        ResolvedByPerson "resolved_by_person" "A person settled that it was not placed.",
        Restarted "restarted" "ibd was started anew before it was sent.",
        SameOrderInDoubt "same_order_in_doubt" "Of an order like this one it is not known whether IBKR has it.",
        StopOnWrongSide "stop_on_wrong_side" "The stop is on the wrong side of the price.",
        TooManyOrders "too_many_orders" "As many orders as are allowed were sent.",
        TradingClosed "trading_closed" "Trading is shut here until something is settled.",
        TradingFrozen "trading_frozen" "A person, or the breaker, has frozen trading.",
        TrailTooFar "trail_too_far" "The trail is as much as the price itself.",
        Unknown "unknown" "Whether IBKR has it is not known yet.",
        ValueUnknown "value_unknown" "What it is worth is not known, and a limit asks for it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_own_word_and_they_are_sorted() {
        let errors: Vec<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        let reasons: Vec<&str> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
        for words in [errors, reasons] {
            assert!(words.is_sorted_by(|one, next| one < next), "{words:?}");
        }
    }
}
