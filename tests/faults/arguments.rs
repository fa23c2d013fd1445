//! What the campaign is asked to do.

use std::path::PathBuf;

use crate::mutants::NAMES;
use crate::scenes;

/// All of it.
pub const HELP: &str =
    "faults [--runs N] [--seed FIRST] [--jobs J] [--only SEED] [--mutant NAME] [--scene NAME]
       [--stop-at FAILURES] [--keep FOLDER] [--gateway PORT --control HOST:PORT]
faults --night: one night over which the broker forgets
faults --scenario: what a simulator behind a gateway must begin with";

/// The command line.
#[derive(Debug)]
pub struct Arguments {
    runs: u64,
    seed: u64,
    only: Option<u64>,
    pub jobs: u64,
    pub mutant: Option<String>,
    /// Every run is this scene.
    pub scene: Option<String>,
    /// No more runs after so many that failed.
    pub stops_at: Option<u64>,
    pub keep: Option<PathBuf>,
    /// One night instead of a campaign.
    pub night: bool,
    /// The port of a gateway in front of a simulator, and the control address of that simulator.
    pub gateway: Option<(u16, String)>,
}

impl Arguments {
    /// Reads it.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut all = Self {
            runs: 1_000,
            seed: 1,
            only: None,
            jobs: 16,
            mutant: None,
            scene: None,
            stops_at: None,
            keep: None,
            night: false,
            gateway: None,
        };
        let (mut port, mut control) = (None, None);
        let mut words = words;
        while let Some(name) = words.next() {
            if name == "--night" {
                all.night = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            let number = || value.parse::<u64>().map_err(|_| format!("{name} {value}: no number"));
            match name.as_str() {
                "--runs" => all.runs = number()?.max(1),
                "--seed" => all.seed = number()?,
                "--jobs" => all.jobs = number()?.max(1),
                "--only" => all.only = Some(number()?),
                "--stop-at" => all.stops_at = Some(number()?),
                "--scene" if scenes::NAMES.contains(&value.as_str()) => all.scene = Some(value),
                "--scene" => {
                    return Err(format!(
                        "no scene {value}; there are {}",
                        scenes::NAMES.join(", ")
                    ));
                }
                "--mutant" if NAMES.contains(&value.as_str()) => all.mutant = Some(value),
                "--mutant" => {
                    return Err(format!("no mutant {value}; there are {}", NAMES.join(", ")));
                }
                "--keep" => all.keep = Some(PathBuf::from(value)),
                "--gateway" => port = Some(number()? as u16),
                "--control" => control = Some(value),
                _ => return Err(format!("{name} {value} is not known")),
            }
        }
        all.gateway = match (port, control) {
            (Some(port), Some(control)) => {
                // One session, one run at a time.
                all.jobs = 1;
                Some((port, control.trim_start_matches("http://").to_owned()))
            }
            (None, None) => None,
            _ => return Err("--gateway and --control go together".to_owned()),
        };
        Ok(all)
    }

    /// The first seed and the last.
    pub fn seeds(&self) -> (u64, u64) {
        match self.only {
            Some(seed) => (seed, seed),
            None => (self.seed, self.seed + self.runs - 1),
        }
    }

    /// One run, to be looked at closely.
    pub fn is_single(&self) -> bool {
        self.only.is_some()
    }
}
