//! What a client may do with a setting, decided by the table alone. Whoever launches a client chooses its
//! environment, and with it where configuration is looked for: neither may loosen what a person has set.

use std::cmp::Ordering;

use super::{BadSetting, Kind, LIMITS, SETTINGS, Setting, Settings};

/// What a client's flags and environment may do with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Binds the client further, in this sense; what would loosen is not applied.
    Stricter(Strict),
    /// Concerns its own process or connection and nobody else's.
    Own,
    /// Counts for a daemon that has been told nothing of it yet, as the one that the client starts.
    Start,
    /// Names a program, or where on a page a secret is typed: it counts only with a login whose secrets the same
    /// client brought along.
    WithLogin,
    /// Is refused in words: it counts only from where a person has put it.
    Never,
}

/// Which of two values is the stricter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strict {
    /// Yes.
    Yes,
    /// The smaller number.
    Less,
    /// The larger number.
    More,
    /// The list with fewer words: those that are allowed.
    Fewer,
    /// The list with more words: those that are denied.
    Longer,
    /// This word.
    Word(&'static str),
    /// What lets a person approve more.
    Confirm,
}

impl Strict {
    /// Whether `value` lets through something that `than` does not. Both are checked values.
    pub fn loosens(self, value: &str, than: &str) -> bool {
        match self {
            Self::Yes => value != "true" && than == "true",
            Self::Word(word) => value != word && than == word,
            Self::Less => compare(value, than) == Ordering::Greater,
            Self::More => compare(value, than) == Ordering::Less,
            Self::Fewer => !has_all(than, value),
            Self::Longer => !has_all(value, than),
            Self::Confirm => confirm_loosens(value, than),
        }
    }
}

/// `always`, then `live` or an amount, of which neither implies the other, then `never`.
fn confirm_loosens(value: &str, than: &str) -> bool {
    match (value.strip_prefix("above:"), than.strip_prefix("above:")) {
        (Some(value), Some(than)) => compare(value, than) == Ordering::Greater,
        _ => value != than && value != "always" && than != "never",
    }
}

/// Whether a list in its one spelling has every name of another one, in any case.
fn has_all(these: &str, others: &str) -> bool {
    let these = listed(these);
    listed(others).iter().all(|other| these.iter().any(|one| one.eq_ignore_ascii_case(other)))
}

/// Blanks part names, but not within quotes.
fn listed(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(|c| {
        is_quoted ^= c == '"';
        !is_quoted && c == ' '
    });
    parts.map(|name| name.trim_matches('"')).filter(|name| !name.is_empty()).collect()
}

/// Two numbers of plain digits, with or without a fraction.
fn compare(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0').to_owned();
        (whole.len(), whole, fraction.trim_end_matches('0').to_owned())
    };
    parts(one).cmp(&parts(other))
}

/// Settings that were found in a place that only a client named.
#[derive(Debug, Default)]
pub struct Bound {
    /// What is in force, besides the limits.
    pub settings: Settings,
    /// Limits that bind every client of this daemon, as if each had brought them along.
    pub limits: Vec<(String, String)>,
    /// What does not count from there.
    pub refused: Vec<BadSetting>,
}

/// What the settings of a place that only a client named do to those of the places that a person named: what
/// a client's own wishes do. They bind further, and say what nobody has said; they loosen nothing.
pub fn bind(base: Settings, named: &Settings) -> Bound {
    let mut bound = Bound { settings: base, ..Bound::default() };
    for setting in SETTINGS {
        let Some(value) = named.text(setting.key) else { continue };
        match setting.client {
            Client::Stricter(_) if LIMITS.contains(&setting.key) => {
                bound.limits.push((setting.name.to_owned(), value.to_owned()));
            }
            Client::Stricter(strict) => {
                let base = bound.settings.text(setting.key);
                if base.is_none_or(|base| !strict.loosens(value, base)) {
                    bound.take(setting, named, value);
                }
            }
            Client::Start if bound.settings.text(setting.key).is_none() => {
                bound.take(setting, named, value);
            }
            Client::Start => {}
            // It is nobody's own there: whose daemon it is, is not known.
            Client::Own | Client::WithLogin | Client::Never => {
                bound.refused.push(refused(setting, setting.file_key()))
            }
        }
    }
    bound
}

impl Bound {
    fn take(&mut self, setting: &'static Setting, from: &Settings, value: &str) {
        if let Some(origin) = from.origin(setting.key) {
            self.settings.put(setting, setting.name, value, origin);
        }
    }
}

impl Settings {
    /// Notes as bad what a client may not bring along at all.
    pub fn refuse_what_no_client_may(&mut self) {
        let given = |setting: &&Setting| self.text(setting.key).is_some();
        let never = SETTINGS.iter().filter(|setting| setting.client == Client::Never);
        let refused: Vec<BadSetting> =
            never.filter(given).map(|setting| refused(setting, setting.name.to_owned())).collect();
        self.bad.extend(refused);
    }

    /// Which of a client's limits would loosen what stands here, and so are not applied.
    pub fn loosened_by(&self, limits: &[(String, String)]) -> Vec<&'static str> {
        let mut client = Settings::default();
        client.take_limits(limits);
        let would_loosen = |setting: &&Setting| match setting.client {
            Client::Stricter(strict) => {
                let own = self.text(setting.key).map(str::to_owned).or_else(|| loosest(setting));
                let value = client.text(setting.key);
                value.zip(own).is_some_and(|(value, own)| strict.loosens(value, &own))
            }
            _ => false,
        };
        SETTINGS.iter().filter(would_loosen).map(|setting| setting.name).collect()
    }
}

/// What counts where nobody says anything: of two defaults, for live and for paper, the looser one. `None`: all.
fn loosest(setting: &Setting) -> Option<String> {
    let last = setting.default.rsplit(", ").next()?.split(' ').next()?;
    if setting.kind == Kind::Words {
        return None;
    }
    setting.kind.check(last).ok()
}

fn refused(setting: &Setting, field: String) -> BadSetting {
    let problem = format!(
        "it does not count from a client: put `{}` into config.toml in its usual place (~/.config/ibd), or into the \
         flags or environment that a person or the service manager starts ibd with",
        setting.file_key()
    );
    BadSetting { field, problem }
}

#[cfg(test)]
#[path = "client/tests.rs"]
mod tests;
