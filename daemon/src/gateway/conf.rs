//! What a managed gateway is started with: its configuration, its log settings, its arguments. Pure.
//!
//! `conf.yaml` is IBKR's; the keys are those its build of 24 Apr 2023 knows. It has no key for the
//! address to listen on: it always listens on all of them (docs/security.md).

use std::ffi::OsString;
use std::path::Path;

/// IBKR's servers, as in its own configuration.
const UPSTREAM: &str = "https://api.ibkr.com";
/// The key store, found through the class path like the configuration itself.
pub(super) const KEYSTORE: &str = "ibd.p12";

/// The gateway's own configuration.
///
/// Callers are limited to loopback; pages of other origins are refused, as `origin.allowed` is a
/// regular expression and both names of this machine must match it; no demo application.
pub(super) fn conf_yaml(port: u16, upstream: Option<&str>, password: &str) -> String {
    let upstream = upstream.unwrap_or(UPSTREAM);
    let is_tls = upstream.starts_with("https://");
    format!(
        r#"# Written by ibd at each start; changes are lost.
ip2loc: "US"
proxyRemoteSsl: {is_tls}
proxyRemoteHost: "{upstream}"
listenPort: {port}
listenSsl: true
sslCert: "{KEYSTORE}"
sslPwd: "{password}"
ccp: false
svcEnvironment: "v1"
authDelay: 3000
portalBaseURL: ""
serverOptions:
  blockedThreadCheckInterval: 1000000
  eventLoopPoolSize: 2
  workerPoolSize: 4
  maxWorkerExecuteTime: 100
  internalBlockingPoolSize: 4
cors:
  origin.allowed: "https://(localhost|127[.]0[.]0[.]1):{port}"
  allowCredentials: false
webApps: []
ips:
  allow:
    - 127.0.0.1
  deny: []
"#
    )
}

/// Its log settings. IBKR's own write session keys and account data at DEBUG; ours keep warnings.
pub(super) const LOGBACK: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by ibd at each start. The gateway's own settings log cookies and account data. -->
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{0} : %message%n%ex{short}</pattern></encoder>
  </appender>
  <logger name="HttpMessageLogger" level="OFF"/>
  <root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
"#;

/// Java's arguments: `home` is the folder with the files above, `program` IBKR's distribution.
///
/// The small heap and the serial collector are enough for one login and save a third of the memory.
pub(super) fn arguments(home: &Path, program: &Path) -> Vec<OsString> {
    let separator = if cfg!(windows) { ";" } else { ":" };
    let mut class_path = home.as_os_str().to_owned();
    for part in ["dist", "build/lib/runtime"] {
        class_path.push(separator);
        class_path.push(program.join(part).join("*"));
    }
    let fixed = [
        "-server",
        "-Xmx128m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xss512k",
        "-XX:MaxMetaspaceSize=64m",
        // A dump would hold the session's cookies.
        "-XX:-HeapDumpOnOutOfMemoryError",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dvertx.disableDnsResolver=true",
        "-Djava.net.preferIPv4Stack=true",
        "-Dvertx.logger-delegate-factory-class-name=io.vertx.core.logging.SLF4JLogDelegateFactory",
        "-cp",
    ];
    let mut arguments: Vec<OsString> = fixed.iter().map(Into::into).collect();
    arguments.push(class_path);
    arguments.extend(
        ["ibgroup.web.core.clientportal.gw.GatewayStart", "--conf", "conf.yaml"].map(Into::into),
    );
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_closes_what_it_can() {
        let conf = conf_yaml(40_123, None, "secret");
        for line in [
            "proxyRemoteHost: \"https://api.ibkr.com\"",
            "proxyRemoteSsl: true",
            "listenPort: 40123",
            "listenSsl: true",
            "origin.allowed: \"https://(localhost|127[.]0[.]0[.]1):40123\"",
            "webApps: []",
            "    - 127.0.0.1",
        ] {
            assert!(conf.contains(line), "{line}");
        }
        assert!(!conf.contains("allowed: \"*\"") && !conf.contains("demo"));
    }

    #[test]
    fn an_upstream_for_tests_is_taken_as_it_is() {
        let conf = conf_yaml(1, Some("http://127.0.0.1:7001"), "x");
        assert!(conf.contains("proxyRemoteSsl: false"));
        assert!(conf.contains("proxyRemoteHost: \"http://127.0.0.1:7001\""));
    }

    #[test]
    fn nothing_secret_is_an_argument() {
        let arguments = arguments(Path::new("/state/gateway"), Path::new("/data/gateway/1"));
        let line = arguments.iter().map(|a| a.to_string_lossy()).collect::<Vec<_>>().join(" ");
        assert!(line.contains("-cp /state/gateway:/data/gateway/1/dist/*:"), "{line}");
        assert!(!line.contains("pwd") && !line.contains("pass"));
    }
}
