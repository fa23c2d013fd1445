#![allow(clippy::unwrap_used)]
use super::*;

fn environment(pairs: &[(&str, &str)]) -> Settings {
    from_environment(pairs.iter().copied())
}

fn flags(arguments: &[&str]) -> Result<Flags, FlagError> {
    from_flags(arguments.iter().map(|a| (*a).to_owned()), &["--version", "--help"])
}

#[test]
fn a_flag_takes_every_spelling_of_yes_and_no() {
    for (value, expected) in [
        ("true", true),
        ("TRUE", true),
        ("1", true),
        ("Yes", true),
        ("on", true),
        ("false", false),
        ("0", false),
        ("NO", false),
        ("off", false),
    ] {
        assert_eq!(
            environment(&[("IB_READ_ONLY_MODE", value)]).flag(Key::ReadOnlyMode),
            Some(expected)
        );
    }
}

#[test]
fn anything_else_is_an_error_that_names_the_field() {
    let bad = environment(&[("IB_READ_ONLY_MODE", "maybe")]).bad;
    assert_eq!(bad[0].field, "IB_READ_ONLY_MODE");
    assert!(bad[0].problem.contains("maybe"), "{}", bad[0].problem);
}

#[test]
fn empty_means_unset() {
    let settings = environment(&[("IB_PAPER_TRADING", ""), ("IB_GATEWAY_PORT", "")]);
    assert!(settings.bad.is_empty());
    assert_eq!(settings.flag(Key::PaperTrading), None);
}

#[test]
fn milliseconds_are_recognised() {
    let bad = environment(&[("IB_AUTH_TIMEOUT", "300000")]).bad;
    assert!(bad[0].problem.contains("looks like milliseconds"), "{}", bad[0].problem);
    assert!(bad[0].problem.contains("300"), "{}", bad[0].problem);
}

/// What somebody brings along from the original works.
#[test]
fn a_wait_that_is_too_long_is_cut_with_a_warning() {
    for (given, taken, warns) in [("60", "45", true), ("45", "45", false), ("5", "5", false)] {
        let settings = environment(&[("IB_AUTH_WAIT_SECONDS", given)]);
        assert_eq!(settings.text(Key::AuthWaitSeconds), Some(taken));
        assert_eq!(settings.warnings.len(), usize::from(warns), "{:?}", settings.warnings);
        assert!(settings.bad.is_empty());
    }
    let warnings = environment(&[("IB_AUTH_WAIT_SECONDS", "60")]).warnings;
    assert!(warnings[0].starts_with("IB_AUTH_WAIT_SECONDS: 60 seconds"), "{warnings:?}");
    for bad in ["60000", "soon", "-1"] {
        assert_eq!(environment(&[("IB_AUTH_WAIT_SECONDS", bad)]).bad.len(), 1, "{bad}");
    }
}

#[test]
fn both_forms_of_a_flag_mean_the_same() {
    for arguments in [
        &["--ib-read-only-mode"][..],
        &["--ib-read-only-mode=true"],
        &["--ib-read-only-mode", "true"],
    ] {
        let settings = flags(arguments).unwrap().settings;
        assert_eq!(settings.flag(Key::ReadOnlyMode), Some(true), "{arguments:?}");
        assert_eq!(settings.flag(Key::PaperTrading), None, "{arguments:?}");
    }
}

#[test]
fn a_bare_flag_does_not_eat_the_next_one() {
    let settings = flags(&["--ib-paper-trading", "--ib-gateway-port", "5055"]).unwrap().settings;
    assert_eq!(settings.flag(Key::PaperTrading), Some(true));
    assert_eq!(settings.number::<u16>(Key::GatewayPort), Some(5055));
}

#[test]
fn bad_flags_say_what_is_wrong() {
    for (arguments, needle) in [
        (&["--ib-paper-tradin"][..], "did you mean --ib-paper-trading?"),
        (&["--http"], "ib-mcp --listen"),
        (&["--ib-gateway-port"], "needs a value"),
        (&["--ib-gateway-port=0"], "port from 1 to 65535"),
        (&["positional"], "unknown flag"),
    ] {
        let error = flags(arguments).unwrap_err().0;
        assert!(error.contains(needle), "{arguments:?}: {error}");
    }
}

#[test]
fn a_password_on_the_command_line_works_and_warns() {
    let settings = flags(&["--ib-password", "sim-password"]).unwrap().settings;
    assert_eq!(settings.text(Key::PasswordAuth), Some("sim-password"));
    assert!(settings.warnings[0].contains("other programs can see"));
    assert!(!format!("{settings:?}").contains("sim-password"));
}

#[test]
fn the_originals_alias_works_and_the_true_name_wins() {
    assert_eq!(environment(&[("IB_PASSWORD", "a")]).text(Key::PasswordAuth), Some("a"));
    let both = environment(&[("IB_PASSWORD", "a"), ("IB_PASSWORD_AUTH", "b")]);
    assert_eq!(both.text(Key::PasswordAuth), Some("b"));
}

#[test]
fn a_host_or_a_port_means_attach() {
    assert_eq!(environment(&[]).gateway(), None);
    assert_eq!(environment(&[("IB_GATEWAY_PORT", "5000")]).gateway(), Some(GatewayMode::Attach));
    assert_eq!(environment(&[("IB_GATEWAY", "Simulator")]).gateway(), Some(GatewayMode::Simulator));
    assert_eq!(environment(&[("IB_GATEWAY", "direct")]).gateway(), Some(GatewayMode::Direct));
    let forced = [("IB_FORCE_STANDALONE_GATEWAY", "true"), ("IB_GATEWAY_PORT", "5000")];
    assert_eq!(environment(&forced).gateway(), Some(GatewayMode::Managed));
}

#[test]
fn an_unknown_key_of_the_file_is_refused() {
    let settings = from_toml_pairs([("papertrading".to_owned(), "true".to_owned())]);
    assert!(settings.bad[0].problem.contains("did you mean paper_trading?"), "{:?}", settings.bad);
}

#[test]
fn a_later_source_wins() {
    let mut settings = from_toml_pairs([("account".to_owned(), "DU1".to_owned())]);
    settings.overlay(environment(&[("IB_ACCOUNT", "DU2")]));
    assert_eq!(settings.text(Key::Account), Some("DU2"));
    assert_eq!(settings.origin(Key::Account), Some(Origin::Environment));
}

#[test]
fn a_bad_secret_is_not_repeated() {
    let bad = environment(&[("IB_TOTP_SECRET", "not base32!")]).bad;
    assert!(!bad[0].problem.contains("not base32"), "{}", bad[0].problem);
}

#[test]
fn an_unknown_toolset_is_an_error_that_names_the_field() {
    let bad = environment(&[("IB_TOOLSETS", "market,order")]).bad;
    assert_eq!(bad[0].field, "IB_TOOLSETS");
    assert!(bad[0].problem.contains("did you mean orders?"), "{}", bad[0].problem);
    let settings = environment(&[("IB_TOOLSETS", "orders, market")]);
    assert_eq!(settings.text(Key::Toolsets), Some("market orders"));
    assert_eq!(settings.wishes().toolsets, Some(crate::Toolsets::of("market orders")));
    assert_eq!(environment(&[]).wishes().toolsets, None);
}

#[test]
fn what_asks_ib_mcp_for_http_is_no_setting_of_the_others() {
    let settings = environment(&[("MCP_HTTP_SERVER", "true"), ("MCP_PORT", "8000")]);
    assert!(settings.bad.is_empty(), "{:?}", settings.bad);
}

#[test]
fn a_mistyped_variable_is_an_error_and_protects_nobody_in_silence() {
    for (name, meant) in [
        ("IB_READONLY", "did you mean IB_READ_ONLY_MODE?"),
        ("IB_PAPER_TRADIN", "did you mean IB_PAPER_TRADING?"),
        ("ib_paper_trading", "did you mean IB_PAPER_TRADING?"),
        ("IB_MAX_VALUE", "there is no such variable"),
        ("IB_TOTP_SECRET_FIL", "did you mean IB_TOTP_SECRET_FILE?"),
    ] {
        let bad = environment(&[(name, "true")]).bad;
        assert_eq!(bad.len(), 1, "{name}");
        assert_eq!(bad[0].field, name);
        assert!(bad[0].problem.contains(meant), "{name}: {}", bad[0].problem);
    }
    for name in ["IBKR_HOME", "IBD_X", "HOME", "IB", "IB_MCP_LOG_DIR", "IB_MCP_CONSOLE_LOGGING"] {
        assert!(environment(&[(name, "x")]).bad.is_empty(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_an_error() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![b't', 0xff]);
    let bad = from_environment([(OsString::from("IB_READ_ONLY_MODE"), odd)]).bad;
    assert_eq!(bad[0].field, "IB_READ_ONLY_MODE");
}
