//! One call to the Flex service, and what came of it. Off the actor.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ibd_cpapi::flex::{FlexFailure, Service};
use ibd_flex::archive::{AddError, Added, Archive, Entry, Incoming};
use ibd_flex::statement::{StatementError, read_reply};
use jiff::Timestamp;

use super::life::Step;
use super::memory::QueryId;
use super::words;

/// What a call came to.
#[derive(Debug)]
pub enum Heard {
    /// The statement is being made.
    Reference(String, Option<String>),
    /// It is not, or not yet.
    Code(u32, String),
    /// The statement is archived.
    Stored(Box<Added>),
    /// No connection, a web page, half a statement.
    Broken(String),
    /// What another try cannot mend.
    Unusable(String),
    /// It is no XML: the template has another format.
    NotXml,
    /// It is here and could not be stored.
    NotStored(String),
    /// There is no token any more.
    NoToken,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub struct FlexCall {
    /// For which query.
    pub query: QueryId,
    /// How whoever asked named it.
    pub name: Option<String>,
    /// Which call.
    pub step: Step,
    /// What the statement is fetched with.
    pub reference: Option<(String, Option<String>)>,
    /// Where it goes.
    pub archive: Archive,
    /// What is there already.
    pub known: Arc<Vec<Entry>>,
}

/// Does it.
pub async fn run(service: &Service, call: FlexCall) -> Heard {
    let file = Temporary(call.archive.folder().join(format!(".incoming-reply-{}", call.query)));
    let came = match (call.step, &call.reference) {
        (Step::Get, Some((reference, url))) => {
            service.get(url.as_deref(), reference, &file.0).await
        }
        _ => service.send(call.query.as_str(), &file.0).await,
    };
    match came {
        Ok(_) => {}
        Err(failure @ (FlexFailure::Foreign(_) | FlexFailure::Address)) => {
            return Heard::Unusable(failure.to_string());
        }
        Err(FlexFailure::Disk(error)) => return Heard::NotStored(error.to_string()),
        Err(failure) => return Heard::Broken(failure.to_string()),
    }
    let read = tokio::task::spawn_blocking(move || read(&file.0, &call));
    read.await.unwrap_or_else(|error| Heard::Broken(error.to_string()))
}

fn read(file: &Path, call: &FlexCall) -> Heard {
    let open = || File::open(file).map(|file| BufReader::with_capacity(64 << 10, file));
    let reply = match open() {
        Ok(source) => read_reply(source),
        Err(error) => return Heard::NotStored(error.to_string()),
    };
    match (reply, call.step) {
        (Ok(Some(reply)), _) => match (reply.code, reply.reference) {
            (Some(code), _) => Heard::Code(code, reply.message.unwrap_or_default()),
            (None, Some(reference)) if call.step == Step::Send => {
                Heard::Reference(reference, reply.url)
            }
            _ => Heard::Broken("the Flex service gave neither a reference nor a reason".to_owned()),
        },
        (Ok(None), Step::Send) => {
            Heard::Broken("a statement came where a reference was expected".to_owned())
        }
        (Ok(None), Step::Get) => {
            let incoming = Incoming {
                query_id: Some(call.query.as_str()),
                name: call.name.as_deref(),
                now: Timestamp::now(),
                known: &call.known,
            };
            let added = File::open(file)
                .map_err(AddError::from)
                .and_then(|source| call.archive.add(source, &incoming));
            match added {
                Ok(added) => Heard::Stored(Box::new(added)),
                Err(AddError::Disk(error) | AddError::Statement(StatementError::Io(error))) => {
                    Heard::NotStored(error.to_string())
                }
                Err(error) if words::is_csv(&error) => Heard::NotXml,
                Err(error) => Heard::Broken(error.to_string()),
            }
        }
        (Err(StatementError::NotXml { .. }), Step::Get) => Heard::NotXml,
        (Err(error), _) => Heard::Broken(error.to_string()),
    }
}

/// A file that is gone when this is dropped. What a kill leaves is removed when the archive is opened.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
