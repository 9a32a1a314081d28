//! A server that gives its answers in the order of a script, and keeps what it was sent.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::forge::github::{GitHub, Settings};
use crate::forge::{Patience, Secret};

pub(super) const TOKEN: &str = "ghs_a_token_that_must_not_show";

/// What the server does with one request.
#[derive(Clone)]
pub(super) enum Act {
    /// Answers with these bytes, and keeps the connection.
    Say(String),
    /// Answers with these bytes, and closes the connection.
    Cut(String),
    /// Closes the connection without a word.
    Drop,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Method and target.
    pub(super) line: String,
    pub(super) headers: String,
    pub(super) body: Value,
}

/// The server.
pub(super) struct Script {
    pub(super) address: String,
    acts: Arc<Mutex<VecDeque<(String, Act)>>>,
    seen: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Script {
    /// Each act is for the next request whose line begins so, whichever comes first.
    pub(super) fn new(acts: impl IntoIterator<Item = (&'static str, Act)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let acts = acts.into_iter().map(|(line, act)| (line.to_owned(), act)).collect();
        let script =
            Self { address, acts: Arc::new(Mutex::new(acts)), seen: Arc::default(), connections: Arc::default() };
        let (acts, seen) = (Arc::clone(&script.acts), Arc::clone(&script.seen));
        let connections = Arc::clone(&script.connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::Relaxed);
                let (acts, seen) = (Arc::clone(&acts), Arc::clone(&seen));
                thread::spawn(move || serve(stream.unwrap(), &acts, &seen));
            }
        });
        script
    }

    /// A client that speaks to it and gives up after so long.
    pub(super) fn client(&self, budget: Duration) -> GitHub {
        GitHub::new(self.settings(budget)).unwrap()
    }

    pub(super) fn settings(&self, budget: Duration) -> Settings {
        Settings {
            api: self.address.clone(),
            graphql: None,
            server: "https://github.com".to_owned(),
            repository: "o/n".to_owned(),
            token: Secret::new(TOKEN),
            members_token: None,
            patience: Patience { budget, waiting: |_| {} },
        }
    }

    /// How many connections were made.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// What was asked so far, in its order.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The lines of what was asked; every act must have been used.
    pub(super) fn lines(&self) -> Vec<String> {
        let left: Vec<String> = self.acts.lock().unwrap().iter().map(|(line, _)| line.clone()).collect();
        assert!(left.is_empty(), "never asked for: {left:?}");
        self.seen().into_iter().map(|request| request.line).collect()
    }
}

fn serve(mut stream: TcpStream, acts: &Mutex<VecDeque<(String, Act)>>, seen: &Mutex<Vec<Request>>) {
    while let Some(request) = read(&mut stream) {
        let act = {
            let mut acts = acts.lock().unwrap();
            let at = acts.iter().position(|(line, _)| request.line.starts_with(line.as_str()));
            at.and_then(|at| acts.remove(at)).map(|(_, act)| act)
        };
        let line = request.line.clone();
        seen.lock().unwrap().push(request);
        match act.unwrap_or_else(|| Act::Say(status(418, &[], &format!("nobody expected `{line}`")))) {
            Act::Say(bytes) => stream.write_all(bytes.as_bytes()).unwrap(),
            Act::Cut(bytes) => return stream.write_all(bytes.as_bytes()).unwrap(),
            Act::Drop => return,
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let headers = headers.to_ascii_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let line = line.strip_suffix(" HTTP/1.1").unwrap().to_owned();
    Some(Request { line, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// The bytes of an answer.
pub(super) fn status(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// A good answer.
pub(super) fn ok(body: impl ToString) -> Act {
    Act::Say(status(200, &[], &body.to_string()))
}

/// A refusal.
pub(super) fn no(code: u16, message: &str) -> Act {
    Act::Say(status(code, &[], &serde_json::json!({ "message": message }).to_string()))
}
