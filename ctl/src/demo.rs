//! `ibctl demo`: the whole of it with an invented account. The true programs run beside each other in a home that is
//! made for it and gone afterwards: nothing of this user's is read, nothing reaches IBKR.

mod client;
mod home;
mod script;
mod shown;
mod stage;

use serde_json::json;

use crate::daemon::Fault;
use crate::{Context, Ended, answer, say};
use home::Home;
use stage::Stage;

/// Flags of the verb.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Without the part that takes longest: a Flex statement.
    #[arg(long)]
    short: bool,
}

pub(crate) async fn run(context: &Context, args: &Args) -> Result<Ended, Fault> {
    let home = Home::make().await?;
    let played = tokio::select! {
        played = play(context, args, &home) => played,
        _ = tokio::signal::ctrl_c() => Err(Fault::new("the demo was ended", "Nothing of it is left.")),
    };
    // Also what was begun and not ended must not outlive its home.
    home.stop().await;
    let stage = played?;
    let failed = stage.failed();
    let json = json!({ "ok": failed.is_empty(), "steps": stage.steps });
    if !failed.is_empty() {
        let text = format!("the demo went otherwise than it should: {}", failed.join(", "));
        let hint = "Is another version of one of the programs here? `ibctl doctor` looks.";
        return Err(Fault::new(text, hint).with(&json));
    }
    if context.json {
        answer(context, &json, "")?;
    } else {
        say(&next());
    }
    Ok(Ended::Fine)
}

async fn play(context: &Context, args: &Args, home: &Home) -> Result<Stage, Fault> {
    let mut stage = Stage::open(home, context.json).await?;
    script::play(&mut stage, home, args.short).await?;
    Ok(stage)
}

/// What a person does with their own client after that.
fn next() -> String {
    "That was an invented account. The same one in your own client:\n\n  \
        ibctl setup --name ib-demo --set IB_GATEWAY=simulator --set IB_PROFILE=demo\n\n\
     Your account at IBKR, paper or live:\n\n  \
        ibctl login\n  \
        ibctl setup\n"
        .to_owned()
}
