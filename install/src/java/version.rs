//! What `java -version` says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The gateway needs Java 8 from this update on.
const OLDEST: (u32, u32) = (8, 192);

/// A Java's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaVersion {
    /// 8, 11, 17, …
    pub major: u32,
    /// For Java 8 the update (192 of 1.8.0_192); else the third number (15 of 17.0.15).
    pub update: u32,
    /// As it says itself.
    pub text: String,
}

impl JavaVersion {
    /// Whether the gateway runs on it: 8u192 or later.
    pub fn is_enough(&self) -> bool {
        (self.major, self.update) >= OLDEST
    }

    /// Of `17.0.15`, `1.8.0_192`, `26-ea`, `9-Debian`.
    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u32> = text
            .split(['-', '+', ' '])
            .next()?
            .split(['.', '_'])
            .map_while(leading_number)
            .collect();
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
        // Until 8 the major version stood behind a one, and the update behind an underscore.
        let (major, update) = match at(0) {
            0 => return None,
            1 => (at(1), at(3)),
            major => (major, at(2)),
        };
        Some(Self { major, update, text: text.to_owned() })
    }
}

/// `202b08` is 202.
fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for JavaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Version and vendor, of all that a `java -version` printed.
pub(super) fn read(said: &str) -> Option<(JavaVersion, String)> {
    // Other lines may come first: warnings, or what it picked up from the environment.
    let quoted = said.lines().find_map(|line| line.split_once(" version \"")?.1.split('"').next());
    Some((JavaVersion::parse(quoted?.trim())?, vendor(said).to_owned()))
}

/// Marks in what they print, the more particular first.
const VENDORS: &[(&str, &str)] = &[
    ("GraalVM", "GraalVM"),
    ("Zulu", "Azul Zulu"),
    ("Zing", "Azul Prime"),
    ("Corretto", "Amazon Corretto"),
    ("Temurin", "Eclipse Temurin"),
    ("AdoptOpenJDK", "AdoptOpenJDK"),
    ("SapMachine", "SapMachine"),
    ("Semeru", "IBM Semeru"),
    ("IBM J9", "IBM"),
    ("Microsoft", "Microsoft"),
    ("JBR", "JetBrains"),
    ("Dragonwell", "Alibaba Dragonwell"),
    ("BiSheng", "Huawei BiSheng"),
    ("Red_Hat", "Red Hat"),
    ("Debian", "Debian"),
    ("deb12", "Debian"),
    ("Ubuntu", "Ubuntu"),
    ("Homebrew", "Homebrew"),
    ("OpenJ9", "OpenJ9"),
    ("Java(TM)", "Oracle"),
];

fn vendor(said: &str) -> &'static str {
    let known = VENDORS.iter().find(|(mark, _)| said.contains(mark));
    known.map_or("OpenJDK", |(_, vendor)| vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed, major, update, vendor, enough.
    const TABLE: &[(&str, u32, u32, &str, bool)] = &[
        (
            "openjdk version \"17.0.15\" 2025-04-15\n\
             OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n\
             OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, mixed mode, sharing)",
            17,
            15,
            "Debian",
            true,
        ),
        (
            "java version \"1.8.0_181\"\nJava(TM) SE Runtime Environment (build 1.8.0_181-b13)\n\
             Java HotSpot(TM) 64-Bit Server VM (build 25.181-b13, mixed mode)",
            8,
            181,
            "Oracle",
            false,
        ),
        ("java version \"1.8.0_191\"\nJava(TM) SE", 8, 191, "Oracle", false),
        ("java version \"1.8.0_192\"\nJava(TM) SE", 8, 192, "Oracle", true),
        ("java version \"1.8.0_192-ea\"\nJava(TM) SE", 8, 192, "Oracle", true),
        ("java version \"1.8.0_411-perf\"\nJava(TM) SE", 8, 411, "Oracle", true),
        (
            "java version \"21.0.2\" 2024-01-16 LTS\nJava(TM) SE Runtime Environment (build 21.0.2+13-LTS-58)",
            21,
            2,
            "Oracle",
            true,
        ),
        (
            "java version \"21.0.1\" 2023-10-17\n\
             Java(TM) SE Runtime Environment Oracle GraalVM 21.0.1+12.1 (build 21.0.1+12-jvmci-23.1-b15)",
            21,
            1,
            "GraalVM",
            true,
        ),
        (
            "openjdk version \"11.0.22\" 2024-01-16 LTS\n\
             OpenJDK Runtime Environment Zulu11.70+15-CA (build 11.0.22+7-LTS)",
            11,
            22,
            "Azul Zulu",
            true,
        ),
        (
            "openjdk version \"1.8.0_402\"\n\
             OpenJDK Runtime Environment Corretto-8.402.08.1 (build 1.8.0_402-b08)",
            8,
            402,
            "Amazon Corretto",
            true,
        ),
        (
            "openjdk version \"25\" 2025-09-16 LTS\n\
             OpenJDK Runtime Environment Temurin-25+36 (build 25+36-LTS)",
            25,
            0,
            "Eclipse Temurin",
            true,
        ),
        (
            "openjdk version \"17.0.8.1\" 2023-08-24\n\
             IBM Semeru Runtime Open Edition 17.0.8.1 (build 17.0.8.1+1)\n\
             Eclipse OpenJ9 VM 17.0.8.1 (build openj9-0.40.0, JRE 17 Linux amd64-64-Bit 20230824)",
            17,
            8,
            "IBM Semeru",
            true,
        ),
        (
            "openjdk version \"1.8.0_222\"\nOpenJDK Runtime Environment (build 1.8.0_222-b10)\n\
             Eclipse OpenJ9 VM (build openj9-0.15.1, JRE 1.8.0 Linux amd64-64-Bit 20190717)",
            8,
            222,
            "OpenJ9",
            true,
        ),
        // IBM's own Java 8 does not tell its update here.
        (
            "java version \"1.8.0\"\nJava(TM) SE Runtime Environment (build pxa6480sr3fp20)\n\
             IBM J9 VM (build 2.8, JRE 1.8.0 Linux amd64-64)",
            8,
            0,
            "IBM",
            false,
        ),
        (
            "openjdk version \"26-ea\" 2026-03-17\nOpenJDK Runtime Environment",
            26,
            0,
            "OpenJDK",
            true,
        ),
        ("openjdk version \"17-internal\" 2021-09-14", 17, 0, "OpenJDK", true),
        ("openjdk version \"9-Debian\"", 9, 0, "Debian", true),
        ("java version \"9.0.4\"\nJava(TM) SE", 9, 4, "Oracle", true),
        ("openjdk version \"10\" 2018-03-20", 10, 0, "OpenJDK", true),
        ("java version \"1.7.0_80\"\nJava(TM) SE", 7, 80, "Oracle", false),
        ("openjdk version \"1.8.0-internal\"", 8, 0, "OpenJDK", false),
        ("openjdk version \"1.8.0_202b08\"", 8, 202, "OpenJDK", true),
        ("openjdk version \"11.0.22+7-LTS\"", 11, 22, "OpenJDK", true),
        (
            "Picked up _JAVA_OPTIONS: -Xmx1g\r\nopenjdk version \"17.0.1\" 2021-10-19\r\n",
            17,
            1,
            "OpenJDK",
            true,
        ),
        (
            "OpenJDK 64-Bit Server VM warning: Options -Xverify:none were deprecated\n\
             openjdk version \"21.0.5\" 2024-10-15",
            21,
            5,
            "OpenJDK",
            true,
        ),
    ];

    #[test]
    fn versions_are_read_from_what_many_javas_print() {
        for (said, major, update, vendor, is_enough) in TABLE {
            let (version, who) = read(said).unwrap_or_else(|| panic!("unread: {said}"));
            let got = (version.major, version.update, who.as_str(), version.is_enough());
            assert_eq!(got, (*major, *update, *vendor, *is_enough), "{said}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for said in [
            "",
            "The operation couldn’t be completed. Unable to locate a Java Runtime.",
            "openjdk version \"\"",
            "java version \"latest\"",
            "java version \"0.1\"",
            "java 17.0.1",
        ] {
            assert_eq!(read(said), None, "{said}");
        }
    }
}
