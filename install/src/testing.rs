//! A web server that misbehaves on demand, and archives of invented files.

use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use url::Url;

use crate::source::Limits;

/// What a client asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// 0 for the first request.
    pub number: usize,
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

impl Asked {
    /// The first byte it wants.
    pub fn from(&self) -> Option<usize> {
        self.range.as_deref()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What the server says.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub end: End,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Whole,
    Cut,
    Hang,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), end: End::Whole }
    }

    /// As a good server gives `content`, with ranges and `etag`.
    pub fn honest(asked: &Asked, content: &[u8], etag: &str) -> Self {
        let is_same = asked.if_range.as_deref().is_none_or(|given| given == etag);
        match asked.from().filter(|_| is_same) {
            Some(from) if from >= content.len() => Self::new(416, ""),
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
                Self::new(206, &content[from..]).with("content-range", range).sized().tagged(etag)
            }
            None => Self::new(200, content).sized().tagged(etag),
        }
    }

    /// All of `content`, whatever was asked for.
    pub fn whole(content: &[u8], etag: &str) -> Self {
        Self::new(200, content).sized().tagged(etag)
    }

    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.retain(|(before, _)| *before != name);
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn sized(self) -> Self {
        let length = self.body.len();
        self.with("content-length", length)
    }

    pub fn tagged(self, etag: &str) -> Self {
        self.with("etag", etag)
    }

    /// Sends so many bytes of the body, and then this happens.
    pub fn ends_after(mut self, bytes: usize, end: End) -> Self {
        self.body.truncate(bytes);
        self.end = end;
        self
    }
}

/// A server on this machine.
pub(crate) struct Server {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// One that answers so.
    pub async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (asked, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, answer) = (seen.clone(), answer.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let asked = note(&request, &seen);
                    let answer = answer(&asked);
                    async move { Ok::<_, Infallible>(response(answer)) }
                });
                let http = hyper::server::conn::http1::Builder::new();
                // A connection that is cut on demand ends with an error.
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, asked, task }
    }

    pub fn url(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn note(request: &Request<Incoming>, seen: &Mutex<Vec<Asked>>) -> Asked {
    let header = |name| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let mut seen = seen.lock().unwrap();
    let asked = Asked {
        number: seen.len(),
        path: request.uri().path().to_owned(),
        range: header("range"),
        if_range: header("if-range"),
    };
    seen.push(asked.clone());
    asked
}

type Pieces = std::pin::Pin<Box<dyn futures_util::Stream<Item = io::Result<Frame<Bytes>>> + Send>>;

fn response(answer: Answer) -> Response<StreamBody<Pieces>> {
    let pieces: Vec<_> = answer
        .body
        .chunks(1_000)
        .map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece))))
        .collect();
    let sent = stream::iter(pieces);
    let body: Pieces = match answer.end {
        End::Whole => Box::pin(sent),
        End::Cut => Box::pin(sent.chain(stream::once(async {
            // What was sent shall arrive before the end does.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(io::ErrorKind::ConnectionAborted.into())
        }))),
        End::Hang => Box::pin(sent.chain(stream::pending())),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(StreamBody::new(body)).unwrap()
}

/// Limits under which a test does not wait.
pub(crate) fn impatient() -> Limits {
    Limits {
        silence: Duration::from_millis(400),
        pause: Duration::from_millis(1),
        attempts: 4,
        ..Limits::default()
    }
}

/// Bytes that do not repeat, and do not compress.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A zip of `files`: name, mode, content.
pub(crate) fn zip_of(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, mode, content) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What `build` puts into a tar, gzipped.
pub(crate) fn tgz_of(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    build(&mut tar);
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();
    gzip.finish().unwrap()
}

/// Appends an entry whose name is taken as it is, however wicked.
pub(crate) fn append(tar: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

/// Appends a link, of whatever kind and to wherever.
pub(crate) fn append_link(
    tar: &mut tar::Builder<Vec<u8>>,
    kind: tar::EntryType,
    (name, target): (&str, &str),
) {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_size(0);
    header.set_mode(0o777);
    header.set_entry_type(kind);
    header.set_cksum();
    tar.append(&header, io::empty()).unwrap();
}
