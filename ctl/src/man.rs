//! `ibctl man`: the manual's pages, one a verb, from the command line's own definition.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::daemon::Fault;
use crate::{Context, Ended, answer, cli};

/// What it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder that they are written to, such as ~/.local/share/man/man1; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let folder = &args.out;
    let pages = write(folder).map_err(|error| {
        let why = ibd_disk::plainly(&error);
        Fault::new(format!("{}: {why}", folder.display()), "Name another folder with --out.")
    })?;
    let text = format!("{} pages were written to {}.", pages.len(), folder.display());
    answer(context, &json!({ "folder": folder, "pages": pages, "text": text }), &text)?;
    Ok(Ended::Fine)
}

/// Writes them; their names.
fn write(folder: &Path) -> std::io::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(cli::command(), folder)?;
    let entries = std::fs::read_dir(folder)?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut ours: Vec<String> = names.filter(|name| is_ours(name)).collect();
    ours.sort();
    Ok(ours)
}

fn is_ours(name: &str) -> bool {
    name == "ibctl.1" || name.starts_with("ibctl-") && name.ends_with(".1")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_verb_has_its_page() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("man1");
        let pages = write(&out).unwrap();
        for name in ["ibctl.1", "ibctl-status.1", "ibctl-gateway-install.1"] {
            assert!(pages.contains(&name.to_owned()), "{name} in {pages:?}");
        }
        let page = std::fs::read_to_string(out.join("ibctl-freeze.1")).unwrap();
        assert!(page.contains("cancel"), "{page}");
    }
}
