//! A client's file, in whichever form: which servers stand in it, and its text after a change.

use crate::client::{Client, Form};
use crate::decide::Change;
use crate::entry::Server;
use crate::json::Json;
use crate::lines;
use crate::problem::Problem;
use crate::toml::Toml;

/// A text that was read.
pub(crate) struct Document<'t> {
    text: &'t str,
    client: Client,
    body: Body,
}

enum Body {
    Json(Json),
    Toml(Toml),
}

impl<'t> Document<'t> {
    pub(crate) fn parse(client: Client, text: &'t str) -> Result<Self, Problem> {
        let bare = lines::unmarked(text);
        let body = match client.form() {
            Form::Json | Form::Jsonc => Body::Json(Json::parse(client, bare)?),
            Form::Toml => Body::Toml(Toml::parse(client, &lines::plain(bare))?),
        };
        Ok(Self { text, client, body })
    }

    /// The servers of all projects, in their order.
    pub(crate) fn servers(&self) -> Vec<Server> {
        match &self.body {
            Body::Json(json) => json.servers(),
            Body::Toml(toml) => toml.servers(),
        }
    }

    /// Those of single projects, each with its folder. Only Claude Code keeps them in the same file.
    pub(crate) fn elsewhere(&self) -> Vec<(String, Server)> {
        match &self.body {
            Body::Json(json) if self.client == Client::ClaudeCode => json.of_projects(),
            _ => Vec::new(),
        }
    }

    /// The text after these changes. What changes nothing gives the very same text.
    pub(crate) fn changed(mut self, changes: &[Change]) -> Result<String, Problem> {
        let untouched = self.body.text();
        for change in changes {
            match &mut self.body {
                Body::Json(json) => json.apply(change)?,
                Body::Toml(toml) => toml.apply(change)?,
            }
        }
        let edited = self.body.text();
        if edited == untouched {
            return Ok(self.text.to_owned());
        }
        let ended = match &self.body {
            // It keeps the ends of lines itself.
            Body::Json(_) => edited,
            Body::Toml(_) => lines::ended_like(lines::unmarked(self.text), edited),
        };
        Ok(lines::marked_like(self.text, ended))
    }
}

impl Body {
    fn text(&self) -> String {
        match self {
            Self::Json(json) => json.text(),
            Self::Toml(toml) => toml.text(),
        }
    }
}
