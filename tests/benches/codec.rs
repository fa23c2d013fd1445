//! What it costs to put a message on the wire between shim and daemon, and to take it off.
#![allow(clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::BytesCount;
use ibd_protocol::wire::{MAX_TO_CLIENT, MAX_TO_DAEMON, decode, frame};
use ibd_protocol::{Call, Outcome, ToClient, ToDaemon};

fn main() {
    divan::main();
}

fn call() -> ToDaemon {
    ToDaemon::Call(Call {
        id: 7,
        key: "01JZ0000000000000000000000".to_owned(),
        tool: "get_market_data".to_owned(),
        arguments: r#"{"symbols":["AAPL","EUR.USD"]}"#.to_owned(),
        deadline_ms: 45_000,
        resumes: None,
    })
}

/// A result of 2 KB, which is a dozen positions.
fn done() -> ToClient {
    ToClient::Done(7, Outcome::Result(format!("{{\"text\":\"{}\"}}", "x".repeat(2_037))))
}

#[divan::bench]
fn encode_call(bencher: Bencher) {
    let message = call();
    let size = frame(&message, MAX_TO_DAEMON).unwrap().len();
    bencher.counter(BytesCount::new(size)).bench(|| frame(&message, MAX_TO_DAEMON).unwrap());
}

#[divan::bench]
fn decode_call(bencher: Bencher) {
    let bytes = frame(&call(), MAX_TO_DAEMON).unwrap();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| decode::<ToDaemon>(divan::black_box(&bytes[4..])).unwrap());
}

#[divan::bench]
fn encode_done_2_kb(bencher: Bencher) {
    let message = done();
    let size = frame(&message, MAX_TO_CLIENT).unwrap().len();
    bencher.counter(BytesCount::new(size)).bench(|| frame(&message, MAX_TO_CLIENT).unwrap());
}

#[divan::bench]
fn decode_done_2_kb(bencher: Bencher) {
    let bytes = frame(&done(), MAX_TO_CLIENT).unwrap();
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| decode::<ToClient>(divan::black_box(&bytes[4..])).unwrap());
}
