//! The rules that keep other machines away from a port.

/// Commands for this system, each by its tool. One of them is enough.
pub(super) fn rules(port: u16) -> Vec<String> {
    rules_on(std::env::consts::OS, port)
}

fn rules_on(system: &str, port: u16) -> Vec<String> {
    match system {
        "macos" => vec![format!(
            "(cat /etc/pf.conf; echo 'block drop in quick on ! lo0 proto tcp to any port {port}') \
             | sudo pfctl -E -f -"
        )],
        "windows" => vec![format!(
            "netsh advfirewall firewall add rule name=\"ibd {port}\" dir=in action=block \
             protocol=TCP localport={port}"
        )],
        "linux" => vec![
            format!("sudo ufw deny {port}/tcp"),
            format!(
                "sudo nft 'add table inet ibd; add chain inet ibd input {{ type filter hook input \
                 priority 0; }}; add rule inet ibd input iifname != \"lo\" tcp dport {port} drop'"
            ),
            format!(
                "sudo iptables -I INPUT -p tcp --dport {port} ! -i lo -j DROP && \
                 sudo ip6tables -I INPUT -p tcp --dport {port} ! -i lo -j DROP"
            ),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_the_port_and_spares_this_machine() {
        for system in ["linux", "macos", "windows"] {
            let rules = rules_on(system, 5055);
            assert!(
                !rules.is_empty() && rules.iter().all(|rule| rule.contains("5055")),
                "{rules:?}"
            );
        }
        let linux = rules_on("linux", 5055);
        assert!(
            linux[1].contains("iifname != \"lo\"") && linux[2].contains("! -i lo"),
            "{linux:?}"
        );
        assert!(rules_on("plan9", 1).is_empty());
    }
}
